// SPDX-License-Identifier: MIT
/*
 * Starting the program, or coming to one that runs, and leaving. See why.h.
 */
#include <errno.h>
#include <sys/time.h>

#include "cleanup.h"
#include "clock.h"
#include "launch.h"
#include "say.h"
#include "why.h"

#define DETACH_TIMEOUT_NS 2000000000ULL

/* The program ended, but not what it left behind: that runs with our filter, and not without us. */
static void on_root_ended(struct follow_process *p, bool let_go, int status, void *data)
{
	struct why *w = data;
	bool was = w->root_ended;
	why_handlers.ended(p, let_go, status, data);
	if (!was && w->root_ended)
		launch_program_ended();
}

static void on_begin(struct launch *l)
{
	struct why *w = l->data;
	w->follow = l->follow;
	w->filtered = l->filtered;
	w->root = l->root;
}

int why_launch(struct why *w, unsigned closed_streams)
{
	struct follow_handlers handlers = why_handlers;
	struct launch l = {
		.argv = w->argv, .closed_streams = closed_streams, .handlers = &handlers, .data = w, .begin = on_begin};
	handlers.ended = on_root_ended;
	w->budget.begin_ns = clock_now_ns();
	int r = launch_run(&l);
	w->follow = l.follow;
	w->interrupted = l.interrupted;
	w->duration_ns = clock_now_ns() - w->budget.begin_ns;
	return r;
}

/* --- attaching --------------------------------------------------------------------------------------------------- */

static int say_not_attached(pid_t pid, int error)
{
	if (error == -ESRCH)
		(void)say_error(error, "%d: there is no such process, or it has ended", pid);
	else
		(void)say_error(error, "%d: it cannot be attached to", pid);
	if (error == -EPERM)
		say_hint("another user's, traced already, or kernel.yama.ptrace_scope forbids it: try as root");
	return error == -ESRCH ? EXIT_USAGE : EXIT_BROKEN;
}

int why_attach(struct why *w, pid_t pid, uint64_t for_ns)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM};
	uint64_t us = for_ns / 1000;
	const struct itimerval timer = {{0, 50000}, {(time_t)(us / 1000000), (suseconds_t)(us % 1000000)}};
	w->root = pid;
	w->started = true;
	why_limits_note_start(&w->limits, pid, true);
	w->budget.begin_ns = clock_now_ns();
	launch_stop_on(ends, ARRAY_SIZE(ends));
	launch_raise_own_limits();
	int r = follow_new(&why_handlers, w, false, &w->follow);
	if (r < 0)
		return say_not_attached(pid, r);
	(void)why_scene_enter(&w->scene, pid);
	why_scene_note_marks(&w->scene);
	why_note_filter(w, pid);
	r = follow_attach(w->follow, pid);
	if (r < 0)
		return say_not_attached(pid, r);
	if (for_ns)
		(void)setitimer(ITIMER_REAL, &timer, NULL);
	r = follow_run(w->follow, &launch_stop);
	w->interrupted = r == -EINTR;
	follow_detach(w->follow, DETACH_TIMEOUT_NS);
	w->duration_ns = clock_now_ns() - w->budget.begin_ns;
	return r < 0 && r != -EINTR ? say_not_attached(pid, r) : 0;
}
