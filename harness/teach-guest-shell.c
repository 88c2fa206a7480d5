// SPDX-License-Identifier: MIT
/*
 * A lesson's shell in a guest: between the learner's terminal and the wire to the guest. See teach-guest.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"
#include "guest-evidence.h"
#include "guest-world.h"
#include "say.h"
#include "teach-guest-talk.h"
#include "teach-guest.h"

/* --- the whole of it --------------------------------------------------------------------------------------------- */

/* A teach that was killed left the terminal as the relay had it: a child that sees its end puts that right. */
static int guard_terminal(const struct termios *before, pid_t *ret)
{
	int ends[2];
	char none;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	*ret = fork();
	if (*ret == 0) {
		const int ignored[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTTOU, SIGTTIN, SIGTSTP, SIGWINCH};
		for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
			(void)signal(ignored[i], SIG_IGN);
		(void)close(ends[1]);
		while (read(ends[0], &none, 1) < 0 && errno == EINTR)
			;
		(void)tcsetattr(STDIN_FILENO, TCSANOW, before);
		_exit(0);
	}
	int r = *ret < 0 ? -errno : 0;
	(void)close(ends[0]);
	if (r < 0) {
		(void)close(ends[1]);
		return r;
	}
	return ends[1];
}

static json_t *job(const struct talk *t, const struct plan_run *run)
{
	const char *term = getenv("TERM");
	json_t *runs = json_pack("[{s:s, s:[s]}]", "scenario", run->scenario->name, "runs", run->name);
	json_t *all = runs ? guest_job(run->world, runs, NULL) : NULL;
	if (all)
		(void)json_object_set_new(all, "teach",
					  json_pack("{s:s, s:I, s:b, s:b}", "term", term ? term : "dumb", "deadline_ns",
						    (json_int_t)t->s.desk.deadline_ns, "beside", t->s.desk.fix->beside,
						    "remounts", t->s.desk.fix->remounts));
	return all;
}

static int tell_end(const struct talk *t)
{
	const struct fix_room *room = t->s.desk.room;
	char console[GUEST_CONSOLE_BYTES];
	vm_console(&t->vm, console, sizeof(console));
	const char *panic = t->error == -EPIPE ? guest_panic_text(console) : NULL;
	if (room->late)
		puts("\n  The shell's time is over (--deadline).");
	if (room->ceiling)
		puts("\n  The shell was ended: it ran into the ceiling that every run has.");
	if (t->s.gone)
		return -EINTR;
	if (t->given_up)
		puts("\n  The guest did not answer to Ctrl-C, and was ended, and the shell with it.");
	else if (panic)
		printf("\n  The guest panicked, and the shell with it: %.200s\n", panic);
	else if (t->error == -EPIPE)
		puts("\n  The guest ended, and the shell with it.");
	else if (t->error)
		printf("\n  The guest does not answer any more (%s).\n", strerrorname_np(-t->error));
	else if (room->ready && *room->problem && !room->late && !room->ceiling)
		printf("\n  The shell was ended: %s.\n", room->problem);
	if (room->ready)
		return 0;
	(void)say_error(0, "there is no shell: %s", *room->problem ? room->problem : "its place could not be made");
	return -ENOENT;
}

/* The trigger's run as the shell's guest plans it. */
static const struct plan_run *run_of(const struct plan *plan, const struct plan_run *trigger)
{
	for (size_t i = 0; !plan->skip && i < plan->run_count; i++)
		if (!strcmp(plan->runs[i].name, trigger->name) && !plan->runs[i].skip)
			return &plan->runs[i];
	return NULL;
}

/* A restored guest may never say a word: another one is started, and at last one that boots, as for runs. */
static int start_guest(struct talk *t, const struct plan_run *run, char *why, size_t size)
{
	struct guest_state *state = run->world->state;
	bool cold = !state->directory[0];
	int r = -EIO;
	for (unsigned failed = 0; r < 0 && r != -EINTR && failed < GUEST_STARTS_MAX; failed++) {
		(void)vm_stop(&t->vm);
		vm_init(&t->vm);
		cold = cold || guest_must_boot(state, failed);
		r = guest_state_start(state, cold, &t->vm, why, size);
		if (r < 0)
			continue;
		r = guest_send_job(&t->vm, job(t, run));
		if (r == 0)
			r = vm_receive(&t->vm, clock_now_ns() + vm_timeout_ns(TALK_START_NS), NULL, &t->first);
		if (r < 0)
			guest_tell_silence(&t->vm, r, why, size);
	}
	return r;
}

static int with_guest(struct talk *t, struct guests *guests, bool *ret_solved)
{
	struct guest_site *site = &guests->site[0];
	struct plan *plan = NULL;
	char why[1024] = "the trigger cannot be made there";
	pid_t guard = -1;
	int r = guests_plan(site, t->s.desk.quiz->scenario, stderr, &plan);
	if (r < 0)
		return r;
	const struct plan_run *run = run_of(plan, t->s.desk.quiz->trigger);
	r = run ? start_guest(t, run, why, sizeof(why)) : -EIO;
	int lifeline = r == 0 ? guard_terminal(&t->s.desk.before, &guard) : -1;
	if (r < 0) {
		(void)say_error(0, "there is no shell: %s", why);
	} else {
		t->until = clock_now_ns() + vm_timeout_ns(TALK_START_NS);
		session_run(&t->s, talk_relay);
		*ret_solved = t->s.solved;
		r = tell_end(t);
	}
	if (lifeline >= 0)
		(void)close(lifeline);
	if (guard > 0)
		(void)waitpid(guard, NULL, 0);
	(void)vm_stop(&t->vm);
	plan_free(plan);
	return r;
}

/* What the shell's guest has besides: missing ones are told, and only bash is needed. */
static int find_tools(struct guest_bring *b)
{
	static const char *const tools[] = {"bash",    "cat",  "ls", "head",   "grep",    "sysctl",  "swapon",
					    "swapoff", "free", "ps", "ulimit", "prlimit", "setpriv", "mkdir"};
	static char *found[ARRAY_SIZE(tools)];
	for (size_t i = 0; i < ARRAY_SIZE(tools); i++) {
		if (!strcmp(tools[i], "ulimit")) /* bash's own */
			continue;
		free(found[i]);
		found[i] = guest_bring_find(tools[i]);
		if (found[i])
			(void)guest_bring_add(b, found[i]);
		else if (i == 0)
			return say_error(-ENOENT, "bash: the shell of a lesson in a guest is bash");
		else
			printf("  %s is not on this machine, and not in the guest either.\n", tools[i]);
	}
	if (access("/lib/terminfo", R_OK) == 0)
		(void)guest_bring_add(b, "/lib/terminfo");
	return 0;
}

int fix_guest_shell(struct teaching *t, const struct teach_fix *fix, bool *ret_solved)
{
	static struct guest_bring bring;
	struct guests *guests = NULL;
	char why[1200];
	struct fix_room *room = mmap(NULL, sizeof(*room), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct talk talk = {.s = {.teaching = t, .master = -1, .ask_fd = -1, .place_fd = -1, .check_fd = -1}};
	const struct teach_guests options = {.wanted = true, .kernels = t->quiz.guest_named};
	if (room == MAP_FAILED)
		return say_error(-errno, "no memory for a shell");
	vm_init(&talk.vm);
	talk.s.desk = (struct fix_desk){.world = t->world,
					.quiz = &t->quiz,
					.fix = fix,
					.room = room,
					.deadline_ns = t->shell_ns,
					.directory_fd = -1,
					.terminal_fd = -1,
					.own_fd = -1};
	bring.count = 0;
	int r = tcgetattr(STDIN_FILENO, &talk.s.desk.before) < 0 ? say_error(-errno, "the terminal")
								 : find_tools(&bring);
	if (r == 0) {
		printf("  ... a guest of kernel %s is started; that takes some seconds\n", options.kernels);
		(void)fflush(stdout);
		r = teach_guest_open(&options, &bring, (struct scenario *)(uintptr_t)t->quiz.scenario, &guests, why,
				     sizeof(why));
		if (r < 0 && *why)
			(void)say_error(0, "there is no shell: %s", why);
	}
	if (r == 0)
		r = with_guest(&talk, guests, ret_solved);
	json_decref(talk.changed);
	json_decref(talk.waiting);
	free(talk.first.data);
	free(talk.out);
	teach_guest_close(guests);
	(void)munmap(room, sizeof(*room));
	/* What is wrong was told, and the question is asked again. */
	return r == -EINTR ? r : 0;
}
