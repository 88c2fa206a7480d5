// SPDX-License-Identifier: MIT
/*
 * The runs of a lesson, by the program itself: what it judges is what everybody gets. See teach.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "live.h"
#include "report-text.h"
#include "say.h"
#include "teach.h"

/* In the child: never returns. */
static void become(const char *self, char *const argv[], int out, pid_t parent)
{
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	/* Where the terminal can have a line that shows how it is getting on, it has it, and what is told of a Ctrl-C.
	 */
	int err = live_possible(stderr) ? STDERR_FILENO : open("/dev/null", O_WRONLY | O_CLOEXEC);
	(void)signal(SIGINT, SIG_DFL); /* ours does not end it */
	(void)signal(SIGPIPE, SIG_DFL);
	/* Who kills teach with SIGKILL ends its run as well: as Ctrl-C would, so that it cleans up. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == parent && in >= 0 && err >= 0 &&
	    dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0)
		(void)execv(self, argv);
	_exit(EXIT_BROKEN);
}

/* out: where its result is to be read from. */
static int start(const struct quiz *q, int out, pid_t *ret)
{
	char scenario[2 * PATH_MAX], where[PATH_MAX + 16] = "--no-guest";
	const char *directory = q->scenario->directory;
	if (q->guests)
		(void)snprintf(where, sizeof(where), "--guest=%s", q->guest_named);
	/* The others would be run for nobody: the lesson is of this one. */
	const struct case_text *one = q->trigger->case_text;
	(void)snprintf(scenario, sizeof(scenario), "%s/%s", directory, one ? one->name : "");
	char *argv[] = {(char[]){"enomem"}, (char[]){"run"}, (char[]){"--format=json"}, where, scenario, NULL};
	const char *self = select_self();
	const pid_t parent = getpid();
	*ret = fork();
	if (*ret == 0)
		become(self, argv, out, parent);
	return *ret < 0 ? -errno : 0;
}

/* A Ctrl-C reaches it as well, and it cleans up: it is waited for in any case. */
static int run(const struct quiz *q, FILE *result, bool *ret_interrupted)
{
	pid_t pid = -1;
	int status, r = start(q, fileno(result), &pid);
	if (r < 0)
		return r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	*ret_interrupted = WIFEXITED(status) && WEXITSTATUS(status) == 130;
	return 0;
}

int teach_run(const struct quiz *q, FILE *errors, json_t **ret)
{
	const struct scenario *s = q->scenario;
	auto_fclose FILE *file = tmpfile();
	bool interrupted = false;
	json_error_t error;
	int r = file ? run(q, file, &interrupted) : -errno;
	if (r < 0) {
		(void)fprintf(errors, "enomem: %s could not be run (%s)\n", s->name, strerrorname_np(-r));
		return r;
	}
	if (interrupted)
		return -EINTR;
	rewind(file);
	json_auto_t *result = json_loadf(file, 0, &error);
	json_t *scenario = json_array_get(json_object_get(result, "scenarios"), 0);
	if (!scenario) {
		(void)fprintf(errors, "enomem: %s: its run left no result; `enomem run %s` says why\n", s->name,
			      s->name);
		return -EIO;
	}
	*ret = json_incref(scenario);
	return 0;
}

const json_t *teach_run_of(const json_t *scenario, const char *name)
{
	const json_t *one = NULL;
	size_t i;
	json_array_foreach (json_object_get(scenario, "runs"), i, one)
		if (!strcmp(text_of(one, "name"), name))
			return one;
	return NULL;
}
