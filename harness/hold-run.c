// SPDX-License-Identifier: MIT
/*
 * Proving a trigger, and holding it. See hold-run.h.
 */
#include "hold-run.h"

#include <string.h>

#include "cleanup.h"
#include "clock.h"
#include "jobs.h"
#include "json-memory.h"
#include "judge.h"
#include "kmsg.h"
#include "leftovers.h"
#include "machine.h"
#include "number.h"
#include "own-group.h"
#include "report-text.h"
#include "run-open.h"
#include "say.h"
#include "select.h"

int hold_site_open(struct hold_site *s)
{
	s->filter_fd = -1;
	jobs_catch_signals(); /* from here on there is something to take down */
	own_group_make_room();
	int r = machine_probe(false, &s->machine);
	if (r < 0) {
		(void)say_error(r, "/proc: cannot be read");
		say_hint("mount -t proc proc /proc");
		return EXIT_BROKEN;
	}
	leftovers_undo();
	if (run_open(&s->machine, &s->journal, &s->filter_fd, &s->context) < 0)
		return EXIT_BROKEN;
	s->context.interrupted = &jobs_interrupted;
	return 0;
}

void hold_site_close(struct hold_site *s)
{
	journal_close(&s->journal);
	closep(&s->filter_fd);
}

/* Of the line that the kernel logs next. */
static uint64_t next_log_sequence(void)
{
	static struct kmsg_record line;
	auto_close int fd = -1;
	uint64_t next = ENOMEM_ABSENT;
	if (kmsg_open(&fd) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return next;
	while (kmsg_next(fd, &line) == 1)
		next = line.sequence + 1;
	return next;
}

int hold_verdict(const json_t *evidence, char *why, size_t size)
{
	const char *verdict = text_of(evidence, "verdict");
	if (!strcmp(verdict, verdict_names[VERDICT_PASS]))
		return 0;
	(void)snprintf(why, size, "%s", text_of(evidence, "reason"));
	return !strcmp(verdict, verdict_names[VERDICT_FAIL])   ? EXIT_PREDICTION_FAILED
	       : !strcmp(verdict, verdict_names[VERDICT_SKIP]) ? EXIT_ALL_SKIPPED
							       : EXIT_BROKEN;
}

int hold_prove(struct hold_site *s, const struct plan *plan, const struct plan_run *run, json_t **ret_evidence,
	       char *why, size_t size)
{
	json_auto_t *evidence = run_execute(&s->context, plan, run);
	if (!evidence || judge_run(evidence, run, &s->machine) < 0) {
		(void)snprintf(why, size, "no memory for the evidence");
		return EXIT_BROKEN;
	}
	if (ret_evidence)
		*ret_evidence = json_incref(evidence);
	return hold_verdict(evidence, why, size);
}

static int why_not_held(const struct hold *h, const json_t *evidence, char *why, size_t size)
{
	const char *problem = text_of2(evidence, "problem", "message");
	if (h->problem < 0) {
		(void)snprintf(why, size, "%s: %s", h->problem_with, strerror(-h->problem));
		return EXIT_BROKEN;
	}
	if (h->tool.error) {
		(void)snprintf(why, size, "%s: %s", h->argv[0], strerror(h->tool.error));
		return h->tool.error == ENOENT ? 127 : 126;
	}
	if (h->tool.lost && !h->expired) { /* else we did it */
		(void)snprintf(why, size, "the tool's keeper was killed");
		return EXIT_BROKEN;
	}
	if (json_memory_refused()) { /* what was seen is not all there */
		(void)snprintf(why, size, "no memory for what was seen of it");
		return EXIT_BROKEN;
	}
	if (h->reached && !h->as_predicted) {
		char moment[TEXT_MAX];
		(void)snprintf(why, size, "proven once, but not as predicted when it was to be held: cause %s",
			       text_cause(h->evidence, moment, sizeof(moment)));
		return EXIT_PREDICTION_FAILED;
	}
	if (!h->reached) {
		(void)snprintf(why, size, "%s", *problem ? problem : "proven once, but its moment did not come again");
		return *problem ? EXIT_BROKEN : EXIT_PREDICTION_FAILED;
	}
	return 0;
}

/* After a slow one nobody hurries: the rate is one at most. Returns when the next one begins. */
static uint64_t pace(const struct hold *h, uint64_t last_ns)
{
	uint64_t next = last_ns + h->interval_ns, now = clock_now_ns();
	while (h->made > 0 && now < next && !jobs_interrupted) {
		struct timespec rest = {.tv_sec = (time_t)((next - now) / 1000000000),
					.tv_nsec = (long)((next - now) % 1000000000)};
		(void)nanosleep(&rest, NULL);
		now = clock_now_ns();
	}
	return now;
}

/* The tool runs beside them: each is judged as a whole, and the first that is not as predicted ends it. */
static int fail_before_tool(struct hold_site *s, const struct plan *plan, const struct plan_run *run, struct hold *h,
			    char *why, size_t size)
{
	uint64_t begin = 0;
	int code = 0;
	if (h->phase == HOLD_LOOP)
		h->failures = json_array();
	for (h->made = 0; h->made < h->count && code == 0; h->made += code == 0) {
		json_t *evidence = NULL;
		begin = pace(h, begin);
		code = hold_prove(s, plan, run, &evidence, why, size);
		json_decref(h->evidence);
		h->evidence = evidence;
		const json_t *moment = json_object_get(evidence, "failing_moment");
		if (code == 0 && h->failures)
			(void)json_array_append_new(h->failures,
						    json_pack("{s:O, s:O}", "pid", json_object_get(moment, "pid"),
							      "time_ns", json_object_get(moment, "time_ns")));
		if (h->running && clock_ns(CLOCK_BOOTTIME) >= h->deadline_ns)
			break;
	}
	hold_finish(h);
	h->reached = h->as_predicted = code == 0;
	if (h->expired && h->made < h->count) {
		(void)snprintf(why, size, "the deadline was reached after %u of %u failures", h->made, h->count);
		return EXIT_DEADLINE;
	}
	return code;
}

int hold_run(struct hold_site *s, const struct plan *plan, const struct plan_run *run, struct hold *ret, char *why,
	     size_t size)
{
	s->context.disguised = true;
	int code = ret->proven ? 0 : hold_prove(s, plan, run, NULL, why, size);
	if (code != 0)
		return jobs_interrupted ? EXIT_INTERRUPTED : code;
	ret->machine = &s->machine;
	ret->cpus = &s->context.cpus;
	ret->interrupted = &jobs_interrupted;
	ret->directory_fd = ret->control_fd = ret->victim_fd = -1;
	ret->reserve = (struct hold_reserve){-1, -1};
	const struct run_observer observer = {hold_attach, hold_ended, ret};
	json_auto_t *evidence = NULL;
	if (ret->beside)
		code = hold_decoys_start(ret->beside, ret->machine, why, size);
	if (code != 0)
		return code;
	ret->log_sequence = next_log_sequence(); /* what decoys have had logged is not the run's */
	s->context.observer = &observer;
	s->context.watch_exit = run->role != ROLE_TRIGGER;
	if (hold_starts_before(ret->phase))
		code = fail_before_tool(s, plan, run, ret, why, size);
	else
		evidence = run_execute(&s->context, plan, run);
	hold_reserve_release(&ret->reserve); /* when the moment did not come */
	s->context.observer = NULL;
	if (ret->beside) {
		/* Who is interrupted has ended them himself. */
		ret->decoys = jobs_interrupted ? NULL : hold_decoys_look(ret->beside);
		hold_decoys_end(ret->beside);
	}
	if (code == 0 || ret->problem < 0 || ret->tool.error || (ret->tool.lost && !ret->expired))
		code = why_not_held(ret, evidence, why, size);
	if (jobs_interrupted) {
		(void)snprintf(why, size, "interrupted; everything was taken down");
		return EXIT_INTERRUPTED;
	}
	return code;
}
