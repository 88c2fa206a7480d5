// SPDX-License-Identifier: MIT
/*
 * The runs of a sweep. Each is followed to its last process, and has a deadline; what is left then is killed. See
 * sweep.h.
 */
#include "sweep.h"
#include "clock.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "launch.h"
#include "say.h"

/* How long children may outlive the program before they count as left, and the killed may take to be gone. */
#define GRACE_NS 500000000ULL
#define KILL_NS  10000000000ULL

/* --- one run ----------------------------------------------------------------------------------------------------- */

static void set_alarm(uint64_t ns)
{
	/* Repeated: the first may come before the wait. */
	const struct itimerval timer = {{0, ns ? 50000 : 0},
					{(time_t)(ns / 1000000000), (suseconds_t)(ns % 1000000000 / 1000)}};
	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

static void on_program_ended(struct inject_run *r)
{
	(void)r;
	set_alarm(GRACE_NS);
}

/* Whoever got away from the tracer (CLONE_UNTRACED) is our child by now. */
static void kill_children(void)
{
	char name[64], pid[16];
	(void)snprintf(name, sizeof(name), "/proc/self/task/%d/children", getpid());
	auto_fclose FILE *children = fopen(name, "re");
	while (children && fscanf(children, "%15s", pid) == 1)
		(void)kill((pid_t)strtol(pid, NULL, 10), SIGKILL);
}

/* 0, or -EBUSY where something does not die. */
static int take_down(struct inject_run *run, struct follow *f)
{
	const uint64_t end = clock_now_ns() + KILL_NS;
	int r;
	run->killed = true;
	set_alarm(KILL_NS);
	follow_kill(f);
	/* Ctrl-C may come just now: who is killed stands in its exit until it is followed to its end. */
	do {
		launch_stop = 0;
		r = follow_run(f, &launch_stop);
	} while (r == -EINTR && clock_now_ns() < end);
	set_alarm(0);
	launch_stop = 0;
	kill_children();
	while (waitpid(-1, NULL, r == 0 ? __WALL : __WALL | WNOHANG) > 0)
		;
	return r == 0 ? 0 : -EBUSY;
}

static unsigned processes_left(const struct inject_run *run, const struct follow *f)
{
	return run->root_ended && f ? follow_numbers(f)->tasks_now : 0;
}

static void judge(const struct inject_run *run, struct sweep_finding *ret)
{
	const struct inject_death *crash = inject_crash(run);
	ret->ended = run->root_ended;
	ret->status = run->root_status;
	ret->error = run->spec.error;
	ret->fault = run->fault[0];
	ret->crashed = crash != NULL;
	if (crash)
		ret->crash = *crash;
	if (crash)
		ret->outcome = SWEEP_CRASH;
	else if (run->kills_kept_from)
		ret->outcome = SWEEP_KILL;
	else if (!run->root_ended)
		ret->outcome = SWEEP_HANG;
	else if (ret->left)
		ret->outcome = SWEEP_LEAK;
	else
		ret->outcome = run->root_status == 0 ? SWEEP_SILENT : SWEEP_CLEAN;
}

/* 0, -EINTR, or an exit status. */
static int run_once(struct sweep *s, struct inject_run *run, struct sweep_finding *ret)
{
	struct launch l = {.argv = s->argv,
			   .apart = true,
			   .from = s->from,
			   .handlers = &inject_handlers,
			   .data = run,
			   .begin = inject_begin};
	run->program_ended = on_program_ended;
	launch_stop = 0;
	set_alarm(s->timeout_ns);
	int r = launch_run(&l);
	set_alarm(0);
	if (l.follow) {
		inject_end(run, l.follow);
		s->untraced += run->untraced;
		s->unwatched += run->unwatched;
		struct inject_run judged = *run; /* as it was before we killed anybody */
		ret->left = l.interrupted ? processes_left(run, l.follow) : 0;
		judge(&judged, ret);
		int killed = take_down(run, l.follow);
		if (r == 0 && killed < 0) {
			(void)say_error(-killed, "%s: it was killed, but does not end", s->argv[0]);
			r = EXIT_BROKEN;
		}
	}
	follow_free(l.follow);
	return launch_signal ? -EINTR : r;
}

/* --- all runs ---------------------------------------------------------------------------------------------------- */

static int keep(struct sweep *s, const struct sweep_finding *finding)
{
	struct sweep_finding *more = reallocarray(s->finding, s->finding_count + 1, sizeof(*more));
	if (!more) {
		(void)say_error(ENOMEM, "%zu findings cannot be kept", s->finding_count + 1);
		return EXIT_BROKEN;
	}
	s->finding = more;
	s->finding[s->finding_count++] = *finding;
	return 0;
}

/* The n-th call, alone or with all after it. */
static int try(struct sweep *s, uint64_t n, bool ever, bool *ret_fired)
{
	struct inject_run run = {.spec = s->spec};
	struct sweep_finding finding = {.outcome = SWEEP_NOT_FIRED};
	run.spec.first = n;
	run.spec.last = ever ? UINT64_MAX : n;
	run.spec.step = 1;
	int r = run_once(s, &run, &finding);
	if (r != 0)
		return r;
	s->runs++;
	if (finding.outcome == SWEEP_LEAK && s->bare.left)
		finding.outcome = finding.status == 0 ? SWEEP_SILENT : SWEEP_CLEAN;
	/* What goes wrong without a fault does so by chance, and is told all the same. */
	if (run.fired == 0 && !sweep_is_bad(finding.outcome))
		finding.outcome = SWEEP_NOT_FIRED;
	*ret_fired = run.fired > 0;
	s->count[finding.outcome]++;
	(void)inject_spec_format(&run.spec, finding.spec, sizeof(finding.spec));
	return finding.outcome == SWEEP_NOT_FIRED ? 0 : keep(s, &finding);
}

static int run_bare(struct sweep *s)
{
	struct inject_run run = {.spec = s->spec, .nothing = true};
	int r = run_once(s, &run, &s->bare);
	s->matched = run.matched;
	s->earlier = run.earlier;
	if (r != 0)
		return r;
	return s->bare.crashed || !s->bare.ended || s->bare.status != 0 ? 1 : 0;
}

int sweep_run(struct sweep *s)
{
	/* Orphans come to us and not to an init that may not wait for them. */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	int r = run_bare(s);
	for (uint64_t n = 1; r == 0 && !s->complete; n++) {
		for (unsigned ever = 0; r == 0 && ever < 2 && !s->complete; ever++) {
			bool fired = true;
			if (s->runs == s->max_runs)
				return 0;
			r = try(s, n, ever, &fired);
			s->complete = r == 0 && !ever && !fired;
		}
		s->calls_tried = s->complete ? n - 1 : n;
	}
	return r;
}

void sweep_free(struct sweep *s)
{
	free(s->finding);
}

bool sweep_is_bad(enum sweep_outcome outcome)
{
	return outcome == SWEEP_CRASH || outcome == SWEEP_HANG || outcome == SWEEP_KILL || outcome == SWEEP_LEAK;
}
