// SPDX-License-Identifier: MIT
/*
 * The shell itself: a run of the trigger with a shell as its program, kept by a child, while this process carries what
 * is typed and written between the wire and a terminal of the guest. See guest-teach.h.
 */
#include "guest-teach.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "command-plan.h"
#include "guest-wire.h"
#include "report-text.h"
#include "run-command.h"
#include "teach-owed.h"
#include "write.h"

#define TICK_MS         50
#define PIECE           4096
#define SHELL_OOM_SCORE 500
#define BASH            "/bin/bash"

struct desk {
	int wire, master, ask_fd, keeper_fd;
	pid_t keeper;
	const struct plan *plan;
	const struct run_context *context;
	struct plan_run run; /* the trigger's, as the shell has it */
	struct quiz quiz;
	struct fix_desk desk;
	struct fix_room *room;
	json_t *before; /* NULL until the shell is there */
	struct asked_lines lines;
	struct owed owed; /* who asked waits */
	struct wire_reader reader;
};

static void send_json(const struct desk *d, enum wire_type type, json_t *json)
{
	json_auto_t *owned = json;
	auto_free char *text = owned ? json_dumps(owned, JSON_COMPACT) : NULL;
	if (text)
		(void)wire_send(d->wire, type, text, strlen(text));
}

static int fail(const struct desk *d, const char *what, int error)
{
	char message[256];
	(void)snprintf(message, sizeof(message), "%s (%s)", what, strerrorname_np(-error));
	send_json(d, WIRE_FAILED, json_pack("{s:s}", "message", message));
	return -1;
}

/* --- the keeper -------------------------------------------------------------------------------------------------- */

static void shell_is_there(pid_t pid, void *data)
{
	const struct run_record *record = data;
	const struct fix_desk *d = record->observed_by;
	d->room->shell = pid;
	if (d->remounts)
		fix_hold_tmpfs(d->room);
	d->room->ready = true;
}

/* The limited group, where the shell stands beside it. */
static struct cgroup limited;

static void tell_shell(struct run_record *record, void *data)
{
	const struct fix_desk *d = data;
	const struct cgroup *cg = d->beside ? &limited : record->cgroup;
	/* A guest needs no ceilings around the group: what is above it is the scenario's. */
	if (cg)
		fix_tell_groups(cg, CGROUP_CONTROLLERS, true, d->room);
	record->witness.at_start = shell_is_there;
}

static void tell_end(const struct fix_desk *d, const json_t *evidence)
{
	struct fix_room *room = d->room;
	room->late = json_is_true(json_object_get(evidence, "deadline_exceeded"));
	room->ceiling = *text_of(evidence, "ceiling");
	if (!evidence)
		(void)snprintf(room->problem, sizeof(room->problem), "no memory");
	else if (!strcmp(text_of2(evidence, "outcome", "kind"), "signal"))
		(void)text_outcome(evidence, room->problem, sizeof(room->problem));
	else if (!room->ready)
		(void)snprintf(room->problem, sizeof(room->problem), "%s", text_of2(evidence, "problem", "message"));
}

_Noreturn static void keep(struct desk *d)
{
	static atomic_bool never;
	char rc[sizeof(d->desk.directory) + 8], shell[] = BASH, rcfile[] = "--rcfile", interactive[] = "-i";
	char *argv[] = {shell, rcfile, rc, interactive, NULL};
	const struct run_observer observer = {tell_shell, NULL, &d->desk};
	struct run_command command = {.argv = argv,
				      .stream = {d->desk.terminal_fd, d->desk.terminal_fd, d->desk.terminal_fd},
				      .terminal = true,
				      .files_free = true};
	struct run_context context = *d->context;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)close(d->master);
	(void)snprintf(rc, sizeof(rc), "%s/rc", d->desk.directory);
	(void)setenv("PATH", COMMAND_GUEST_PATH, 1);
	(void)setenv("TMPDIR", d->desk.directory, 1);
	(void)!chdir("/");
	context.observer = &observer;
	context.interrupted = &never;
	command_adapt(&d->run, &command, d->desk.deadline_ns);
	if (d->desk.beside) {
		const struct plan_run limits = d->run;
		if (fix_make_group(&context, d->plan, &limits, &limited, d->room->problem, sizeof(d->room->problem)) <
		    0)
			_exit(1);
		fix_stand_beside(&d->run.environment);
	}
	json_auto_t *evidence = run_execute(&context, d->plan, &d->run);
	tell_end(&d->desk, evidence);
	_exit(0);
}

/* --- to and fro -------------------------------------------------------------------------------------------------- */

/* false: nobody is at the other end any more */
static bool pass_written(const struct desk *d)
{
	char text[PIECE];
	ssize_t n = read(d->master, text, sizeof(text));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0)
		return false;
	return wire_send(d->wire, WIRE_OUTPUT, text, (size_t)n) == 0;
}

static void take_typed(struct desk *d, const struct wire_frame *frame)
{
	struct winsize window = {0};
	struct asked to = {0};
	int status;
	const char *text = frame->data + 1;
	if (frame->type != WIRE_TYPED || frame->length < 1)
		return;
	switch (frame->data[0]) {
	case GUEST_TYPED_KEYS:
		/* What does not fit into the terminal's buffer is lost, as at any terminal whose reader sleeps. */
		(void)!write(d->master, text, frame->length - 1);
		break;
	case GUEST_TYPED_SIZE:
		if (sscanf(text, "%hu %hu", &window.ws_row, &window.ws_col) == 2)
			(void)ioctl(d->master, TIOCSWINSZ, &window);
		break;
	case GUEST_TYPED_ANSWER:
		if (sscanf(text, "%d.%u.%d", &to.pid, &to.serial, &status) == 3)
			owed_add(&d->owed, &to, status);
		break;
	default:
		break;
	}
}

/* false: the wire is no use any more */
static bool take_wire(struct desk *d)
{
	char bytes[PIECE];
	struct wire_frame frame;
	ssize_t n = read(d->wire, bytes, sizeof(bytes));
	if (n <= 0)
		return n < 0 && (errno == EINTR || errno == EAGAIN);
	int r = wire_feed(&d->reader, bytes, (size_t)n);
	while (r == 0 && (r = wire_next(&d->reader, &frame)) == 1) {
		take_typed(d, &frame);
		free(frame.data);
		r = 0;
	}
	return r == 0;
}

/* "remount,OPTIONS PID SERIAL" is answered here. */
static bool serve_mount(struct desk *d, const struct asked *asked)
{
	const char *word = asked->word;
	char text[128];
	if (!d->desk.remounts || (*word && strncmp(word, "remount,", strlen("remount,")) != 0))
		return false;
	int r = fix_remount(d->room, word);
	int n = snprintf(text, sizeof(text), "  %s: not remounted (%s)\r\n", *word ? word : "too many options",
			 strerrorname_np(-r));
	if (r < 0)
		(void)wire_send(d->wire, WIRE_OUTPUT, text, (size_t)n);
	owed_add(&d->owed, asked, r < 0);
	return true;
}

/* "WORD PID SERIAL" goes to the host as it is, with what was changed until now. */
static void pass_questions(struct desk *d)
{
	char line[sizeof(d->lines.text)];
	struct asked asked;
	asked_read(&d->lines, d->ask_fd);
	while (asked_take(&d->lines, line, sizeof(line))) {
		if (!asked_parse(line, &asked) || serve_mount(d, &asked))
			continue;
		json_auto_t *now = guest_state_read(d->plan, d->room, d->context->machine, d->room->shell);
		/* A word that is too long is none that is known there either. */
		(void)snprintf(line, sizeof(line), "%s %d %u", *asked.word ? asked.word : "?", asked.pid, asked.serial);
		json_t *text = json_string(line);
		if (text)
			send_json(d, WIRE_ASKED,
				  json_pack("{s:o, s:o}", "ask", text, "changed", guest_state_changed(d->before, now)));
	}
}

static void look_for_shell(struct desk *d)
{
	if (d->before || !d->room->ready)
		return;
	d->before = guest_state_read(d->plan, d->room, d->context->machine, d->room->shell);
	send_json(d, WIRE_ASKED, json_pack("{s:s}", "ask", "ready"));
}

static void relay(struct desk *d)
{
	bool there = true;
	for (;;) {
		struct pollfd fds[] = {{.fd = there ? d->master : -1, .events = POLLIN},
				       {.fd = d->wire, .events = POLLIN},
				       {.fd = d->before ? d->ask_fd : -1, .events = POLLIN},
				       {.fd = d->keeper_fd, .events = POLLIN}};
		if (poll(fds, ARRAY_SIZE(fds), d->owed.count || !d->before ? TICK_MS : -1) < 0 && errno != EINTR)
			return;
		look_for_shell(d);
		if (fds[0].revents)
			there = pass_written(d);
		if (fds[1].revents && !take_wire(d))
			return;
		if (fds[2].revents)
			pass_questions(d);
		owed_say(&d->owed, d->desk.directory_fd);
		if (fds[3].revents) {
			while (there && poll(fds, 1, 0) == 1 && pass_written(d))
				;
			return;
		}
	}
}

/* --- the whole of it --------------------------------------------------------------------------------------------- */

static int open_pair(struct desk *d)
{
	char name[64];
	(void)mkdir("/dev/pts", 0755);
	(void)mount("devpts", "/dev/pts", "devpts", 0, "ptmxmode=0666");
	d->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (d->master < 0 || grantpt(d->master) < 0 || unlockpt(d->master) < 0 ||
	    ptsname_r(d->master, name, sizeof(name)) != 0)
		return -errno;
	d->desk.terminal_fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return d->desk.terminal_fd < 0 ? -errno : 0;
}

/* The trigger's place, for root, who may turn every knob of it. */
static void adapt(struct desk *d, const struct plan_run *run)
{
	struct environment *env = &d->run.environment;
	d->run = *run;
	d->run.expect = (struct expect){.check = NULL};
	d->desk.program_identity = run->environment.identity;
	env->identity[0] = '\0';
	env->knobs_writable = true;
	if (env->oom_score_adj > SHELL_OOM_SCORE)
		env->oom_score_adj = SHELL_OOM_SCORE;
}

static int make_desk(struct desk *d)
{
	char asking[sizeof(d->desk.directory) + 8];
	int r = fix_make_desk(&d->desk);
	if (r < 0)
		return fail(d, "/tmp: what the shell reads cannot be put there", r);
	(void)snprintf(asking, sizeof(asking), "%s/ask", d->desk.directory);
	d->ask_fd = open(asking, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	r = d->ask_fd < 0 ? -errno : open_pair(d);
	return r < 0 ? fail(d, "there is no terminal for a shell", r) : 0;
}

/* Root's shell can raise its limits as far as it likes: the key's `ulimit -S` must not end at what the kernel began
 * with. */
static void lift_hard_limits(void)
{
	struct rlimit limit;
	for (unsigned i = 0; i < RLIM_NLIMITS; i++) {
		if (i == RLIMIT_NOFILE || getrlimit(i, &limit) < 0)
			continue; /* descriptors have a sysctl above them */
		limit.rlim_max = RLIM_INFINITY;
		(void)setrlimit(i, &limit);
	}
}

static int start(struct desk *d)
{
	d->keeper = fork();
	if (d->keeper == 0) {
		lift_hard_limits();
		keep(d);
	}
	(void)close(d->desk.terminal_fd);
	d->keeper_fd = d->keeper < 0 ? -1 : (int)syscall(SYS_pidfd_open, d->keeper, 0);
	return d->keeper_fd < 0 ? fail(d, "there is no process for a shell", -errno) : 0;
}

int guest_teach(int wire, const json_t *request, const struct run_context *context, const struct plan *plan,
		const struct plan_run *run)
{
	static struct desk d;
	const char *term = json_string_value(json_object_get(request, "term"));
	d = (struct desk){.wire = wire, .master = -1, .ask_fd = -1, .plan = plan, .context = context};
	d.room = mmap(NULL, sizeof(*d.room), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (d.room == MAP_FAILED)
		return fail(&d, "no memory for a shell", -errno);
	if (term)
		(void)setenv("TERM", term, 1);
	d.desk = (struct fix_desk){.quiz = &d.quiz,
				   .room = d.room,
				   .beside = json_is_true(json_object_get(request, "beside")),
				   .remounts = json_is_true(json_object_get(request, "remounts")),
				   .in_guest = true,
				   .deadline_ns = (uint64_t)json_integer_value(json_object_get(request, "deadline_ns")),
				   .directory_fd = -1,
				   .terminal_fd = -1};
	adapt(&d, run);
	d.quiz = (struct quiz){.scenario = plan->scenario, .plan = (struct plan *)(uintptr_t)plan, .trigger = &d.run};
	if (make_desk(&d) < 0 || start(&d) < 0)
		return -1;
	relay(&d);
	send_json(&d, WIRE_ASKED,
		  json_pack("{s:s, s:s, s:b, s:b}", "ask", "left", "problem", d.room->problem, "late", d.room->late,
			    "ceiling", d.room->ceiling));
	return 0;
}
