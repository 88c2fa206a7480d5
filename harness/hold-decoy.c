// SPDX-License-Identifier: MIT
/*
 * See hold-decoy.h.
 */
#include "hold-decoy.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "clock.h"
#include "hold-run.h"
#include "jobs.h"
#include "leftovers.h"
#include "run-open.h"
#include "say.h"

#define POLL_MS      100
#define READY_NS     UINT64_C(60000000000) /* to be proven and held, on an emulated CPU */
#define LIFE_NS      UINT64_C(86400000000000)
#define KEEPER_FILES 4096

/* What a keeper says, once. */
struct ready {
	int code; /* 0, or the exit status and why */
	pid_t pid;
	char why[512];
};

/* --- which ------------------------------------------------------------------------------------------------------- */

int hold_decoy_word(const char *word, char **ret_name, enum role *ret_role)
{
	const char *colon = strrchr(word, ':');
	if (colon && strcmp(colon, ":trigger") != 0 && strcmp(colon, ":control") != 0)
		return -EINVAL;
	*ret_role = colon && !strcmp(colon, ":trigger") ? ROLE_TRIGGER : ROLE_CONTROL;
	*ret_name = colon ? strndup(word, (size_t)(colon - word)) : strdup(word);
	return *ret_name ? 0 : -ENOMEM;
}

static const char *why_not(const struct plan *plan, const struct plan_run *run)
{
	if (run->scope == SCOPE_MACHINE)
		return "it changes the whole machine, which is the failure's as well";
	if (run->role == ROLE_TRIGGER)
		return hold_why_not(plan, run, run->expect.stall ? HOLD_AT : HOLD_POST);
	return plan->skip ? plan->skip : run->skip;
}

const struct plan_run *hold_decoy_choose(const struct plan *plan, enum role role, const char **ret_why)
{
	*ret_why = role == ROLE_TRIGGER ? "it has no such trigger" : "it has no such control";
	for (size_t i = 0, seen = 0; i < plan->run_count; i++) {
		if (plan->runs[i].role != role)
			continue;
		const char *why = why_not(plan, &plan->runs[i]);
		if (!why)
			return &plan->runs[i];
		if (seen++ == 0)
			*ret_why = why;
	}
	return NULL;
}

/* --- its keeper -------------------------------------------------------------------------------------------------- */

void hold_decoy_stand(int ready_fd, int life_fd, pid_t pid, const atomic_bool *interrupted)
{
	const struct ready ready = {.pid = pid};
	struct pollfd life = {.fd = life_fd, .events = POLLIN};
	/* A copy of all that the harness knows; while its run was started it had to be open, see hold_attach(). */
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)!write(ready_fd, &ready, sizeof(ready));
	while (!*interrupted && poll(&life, 1, POLL_MS) <= 0)
		;
}

/* What the harness has open is none of ours: its journal's lock, the wire of a guest. */
static void forget_harness(int ready_fd, int life_fd)
{
	for (int fd = STDERR_FILENO + 1; fd < KEEPER_FILES; fd++)
		if (fd != ready_fd && fd != life_fd)
			(void)close(fd);
	int null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd <= STDERR_FILENO && null >= 0; fd++)
		(void)dup2(null, fd);
	if (null > STDERR_FILENO)
		(void)close(null);
}

_Noreturn static void keep(const struct hold_decoy *d, const struct machine *machine, int ready_fd, int life_fd)
{
	static struct hold_site site;
	struct ready failed = {.code = EXIT_BROKEN};
	struct hold h = {.phase = d->run->expect.stall ? HOLD_AT : HOLD_POST,
			 .ttl_ns = LIFE_NS,
			 .count = 1,
			 .is_decoy = true,
			 .ready_fd = ready_fd,
			 .life_fd = life_fd};
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_NAME, "enomem-decoy");
	forget_harness(ready_fd, life_fd);
	site.machine = *machine;
	if (run_open(&site.machine, &site.journal, &site.filter_fd, &site.context) < 0) {
		(void)snprintf(failed.why, sizeof(failed.why), "no journal, or no filter");
	} else {
		site.context.interrupted = &jobs_interrupted;
		failed.code = hold_run(&site, d->plan, d->run, &h, failed.why, sizeof(failed.why));
		hold_site_close(&site);
	}
	if (!h.reached)
		(void)!write(ready_fd, &failed, sizeof(failed));
	_exit(0);
}

/* --- the harness's side ------------------------------------------------------------------------------------------ */

static int await_ready(int ready_fd, struct ready *ret)
{
	const uint64_t end = clock_now_ns() + READY_NS;
	struct pollfd ready = {.fd = ready_fd, .events = POLLIN};
	while (!jobs_interrupted && clock_now_ns() < end)
		if (poll(&ready, 1, POLL_MS) > 0)
			return read(ready_fd, ret, sizeof(*ret)) == (ssize_t)sizeof(*ret) ? 0 : -EPIPE;
	return jobs_interrupted ? -EINTR : -ETIMEDOUT;
}

static int start(struct hold_decoy *d, const struct machine *machine, struct ready *ret)
{
	int ready[2] = {-1, -1}, life[2] = {-1, -1};
	int r = pipe2(ready, O_CLOEXEC) < 0 || pipe2(life, O_CLOEXEC) < 0 ? -errno : 0;
	d->keeper = r == 0 ? fork() : -1;
	if (d->keeper == 0)
		keep(d, machine, ready[1], life[0]);
	if (r == 0 && d->keeper < 0)
		r = -errno;
	closep(&ready[1]);
	closep(&life[0]);
	d->life_fd = life[1];
	if (r == 0)
		r = await_ready(ready[0], ret);
	closep(&ready[0]);
	return r;
}

int hold_decoys_start(struct hold_decoys *d, const struct machine *machine, char *why, size_t size)
{
	for (size_t i = 0; i < d->count; i++) {
		d->item[i].keeper = 0;
		d->item[i].life_fd = -1;
		d->item[i].task = NULL;
		d->item[i].file = NULL;
		d->item[i].task_count = d->item[i].file_count = 0;
	}
	for (size_t i = 0; i < d->count; i++) {
		struct hold_decoy *one = &d->item[i];
		struct ready ready = {0};
		int r = start(one, machine, &ready);
		if (r == 0 && ready.code == 0) {
			one->pid = ready.pid;
			if (hold_decoy_note(one) == 0)
				continue;
			ready.code = EXIT_BROKEN;
			(void)snprintf(ready.why, sizeof(ready.why), "no memory");
		}
		(void)snprintf(why, size, "decoy %s: %s: %s", one->plan->scenario->name, one->run->name,
			       r < 0 ? strerror(-r) : ready.why);
		hold_decoys_end(d);
		return r == -EINTR ? EXIT_INTERRUPTED : r < 0 ? EXIT_BROKEN : ready.code;
	}
	return 0;
}

static json_t *look(const struct hold_decoy *d)
{
	json_auto_t *changed = hold_decoy_changes(d);
	const bool spared = changed && json_array_size(changed) == 0;
	json_t *one = json_pack("{s:s, s:s, s:s, s:i, s:b}", "scenario", d->plan->scenario->name, "run", d->run->name,
				"role", role_names[d->run->role], "pid", (int)d->pid, "spared", spared);
	if (one && !spared)
		(void)json_object_set(one, "changed", changed);
	return one;
}

json_t *hold_decoys_look(const struct hold_decoys *d)
{
	json_t *all = json_array();
	for (size_t i = 0; i < d->count; i++)
		(void)json_array_append_new(all, look(&d->item[i]));
	return all;
}

void hold_decoys_end(struct hold_decoys *d)
{
	bool lost = false;
	hold_thaw(NULL);
	for (size_t i = 0; i < d->count; i++) {
		closep(&d->item[i].life_fd);
		d->item[i].life_fd = -1;
	}
	for (size_t i = 0; i < d->count; i++) {
		const uint64_t end = clock_now_ns() + READY_NS / 6;
		pid_t pid = d->item[i].keeper, gone = 0;
		int status = 0;
		while (pid > 0 && (gone = waitpid(pid, &status, WNOHANG)) == 0) {
			struct timespec pause = {.tv_nsec = 2000000};
			(void)kill(pid, clock_now_ns() < end ? SIGCONT : SIGKILL); /* a tool may have stopped it */
			(void)nanosleep(&pause, NULL);
		}
		/* A tool may have killed it, and the witness have buried it: then nobody has undone what it made. */
		lost |= pid > 0 && (gone < 0 || WIFSIGNALED(status));
		d->item[i].keeper = 0;
		hold_decoy_forget(&d->item[i]);
	}
	if (lost)
		leftovers_undo();
}

void hold_decoys_free(struct hold_decoys *d)
{
	for (size_t i = 0; i < d->count; i++)
		plan_free(d->item[i].plan);
	d->count = 0;
}
