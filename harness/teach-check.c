// SPDX-License-Identifier: MIT
/*
 * Is the program granted all now? It is run in the shell's place, with the limits of the shell, and watched as any run
 * is. See teach-fix.h.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "filter.h"
#include "judge.h"
#include "procfs.h"
#include "report-text.h"
#include "teach-fix.h"

/* What a run needs besides its deadline. */
#define SLACK_SECONDS 5
/* Nobody starts that many shells in each other. */
#define DEPTH_MAX     1000

static int read_proc(const char *pid, const char *file, char *buf, size_t size)
{
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/%.16s/%.16s", pid, file);
	return procfs_read_at(AT_FDCWD, path, buf, size) > 0 ? 0 : -1;
}

/* Its number in its own namespace is the last of the line. */
static pid_t innermost(const char *status)
{
	const char *line = strstr(status, "\nNSpid:");
	if (!line)
		return 0;
	line += strlen("\nNSpid:");
	size_t length = strcspn(line, "\n");
	while (length && !isspace((unsigned char)line[length - 1]))
		length--;
	return (pid_t)strtol(line + length, NULL, 10);
}

/* As the machine numbers it: the process of that number in the pid namespace of the shell's place. 0: none */
static pid_t find_inside(pid_t inside, pid_t number)
{
	char path[64], text[8192];
	struct stat wanted, has;
	auto_closedir DIR *d = opendir("/proc");
	const struct dirent *entry;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/pid", inside);
	if (!d || stat(path, &wanted) < 0)
		return 0;
	while ((entry = readdir(d))) {
		(void)snprintf(path, sizeof(path), "/proc/%.16s/ns/pid", entry->d_name);
		if (isdigit((unsigned char)entry->d_name[0]) && stat(path, &has) == 0 && has.st_ino == wanted.st_ino &&
		    has.st_dev == wanted.st_dev && read_proc(entry->d_name, "status", text, sizeof(text)) == 0 &&
		    innermost(text) == number)
			return (pid_t)strtol(entry->d_name, NULL, 10);
	}
	return 0;
}

/* The shell, or a subshell of it: not the stage, nor a stage that joined, which have the harness's limits. */
static bool is_of_shell(pid_t shell, pid_t pid)
{
	char name[16], text[8192];
	for (unsigned depth = 0; pid > 1 && depth < DEPTH_MAX; depth++) {
		if (pid == shell)
			return true;
		(void)snprintf(name, sizeof(name), "%d", pid);
		const char *line = read_proc(name, "status", text, sizeof(text)) < 0 ? NULL : strstr(text, "\nPPid:");
		pid = line ? (pid_t)strtol(line + strlen("\nPPid:"), NULL, 10) : 0;
	}
	return false;
}

pid_t fix_find_asker(const struct fix_room *room, pid_t number)
{
	const pid_t pid = find_inside(room->place.inside, number);
	return pid > 0 && is_of_shell(room->shell, pid) ? pid : 0;
}

static int limits_of_asker(const struct fix_room *room, pid_t number, uint64_t soft[PROCFS_RLIMITS])
{
	char name[16], text[8192];
	const pid_t pid = fix_find_asker(room, number);
	(void)snprintf(name, sizeof(name), "%d", pid);
	if (pid == 0 || read_proc(name, "limits", text, sizeof(text)) < 0)
		return -1;
	return procfs_parse_limits(text, soft);
}

/* What it comes to in the learner's words. */
void fix_tell(struct fix_room *room, const json_t *run)
{
	char outcome[TEXT_MAX], cause[TEXT_MAX];
	room->solved = !strcmp(text_of(run, "verdict"), "pass");
	if (room->solved || !json_is_object(json_object_get(run, "outcome"))) {
		(void)snprintf(room->told, sizeof(room->told), "%s", room->solved ? "" : text_of(run, "reason"));
		return;
	}
	const json_t *first = json_array_get(json_object_get(json_object_get(run, "witness"), "records"), 0);
	text_add(room->told, sizeof(room->told), "%s", text_outcome(run, outcome, sizeof(outcome)));
	if (strcmp(text_of2(run, "outcome", "kind"), "errno") != 0 && first)
		text_add(room->told, sizeof(room->told), ", %s %s", text_of(first, "call"), text_of(first, "errno"));
	if (*text_cause(run, cause, sizeof(cause)))
		text_add(room->told, sizeof(room->told), " by %s", cause);
	if (json_is_true(json_object_get(run, "deadline_exceeded")))
		text_add(room->told, sizeof(room->told), ", and it ran into its deadline");
	if (!strcmp(text_of2(run, "outcome", "kind"), "success"))
		text_add(room->told, sizeof(room->told), "; %s", text_of(run, "reason"));
}

/* The trigger's run, but nothing may be refused: as a remedy that helps. */
static void adapt(struct plan_run *run, const struct fix_desk *d, const uint64_t soft[PROCFS_RLIMITS])
{
	*run = *d->fix->remedy;
	run->environment = d->quiz->trigger->environment;
	run->expect = (struct expect){.exit = (char *)(uintptr_t) "0"};
	for (unsigned i = 0; i < PROCFS_RLIMITS; i++)
		if (soft[i] != ENOMEM_ABSENT && environment_rlimit_name(i) &&
		    strcmp(environment_rlimit_name(i), "core") != 0)
			run->environment.rlimit[i] = soft[i];
}

static void run_and_judge(const struct fix_desk *d, const uint64_t soft[PROCFS_RLIMITS])
{
	static atomic_bool never;
	struct plan_run run;
	auto_close int filter_fd = -1;
	char why[sizeof(d->room->told)];
	adapt(&run, d, soft);
	const bool as_before =
		d->remounts && fix_tmpfs_is_as_before(d->room, &d->quiz->trigger->environment, why, sizeof(why));
	if (filter_build(false, &filter_fd) < 0)
		return;
	struct run_context context = {.machine = &d->world->machine,
				      .stage = select_guest_self(),
				      .filter_fd = filter_fd,
				      .owner = (unsigned long)getpid(),
				      .place = &d->room->place,
				      .interrupted = &never};
	(void)sched_getaffinity(0, sizeof(context.cpus), &context.cpus);
	json_auto_t *evidence = run_execute(&context, d->quiz->plan, &run);
	if (!evidence || judge_run(evidence, &run, &d->world->machine) < 0)
		return;
	fix_tell(d->room, evidence);
	if (d->room->solved && as_before) {
		d->room->solved = false;
		(void)snprintf(d->room->told, sizeof(d->room->told), "%s", why);
	}
	d->room->checked = true;
}

_Noreturn void fix_check(const struct fix_desk *d, pid_t asked_by, pid_t parent)
{
	static const int usual[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGALRM, SIGWINCH, SIGPIPE};
	uint64_t soft[PROCFS_RLIMITS];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		(void)signal(usual[i], SIG_DFL);
	for (int fd = 0; fd <= STDERR_FILENO && null >= 0; fd++)
		(void)dup2(null, fd);
	/* What it traces ends with it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	(void)alarm((unsigned)(d->quiz->trigger->environment.deadline_ns / 1000000000) + SLACK_SECONDS);
	if (limits_of_asker(d->room, asked_by, soft) == 0) {
		run_and_judge(d, soft);
	} else {
		(void)snprintf(d->room->told, sizeof(d->room->told),
			       "process %d is neither the shell nor started by it; ask with `check`", asked_by);
		d->room->checked = true;
	}
	_exit(0);
}
