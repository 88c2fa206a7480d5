// SPDX-License-Identifier: MIT
/*
 * The judge on stored evidence: what is true passes, and for every assertion there is doctored evidence in which
 * exactly that one fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "judged.h"

struct edit {
	const char *path, *value;
};

static json_t *judged(const char *file, const struct edit *edits, struct world *w)
{
	json_t *evidence = load_evidence(file);
	make_world(w, file, evidence);
	for (; edits && edits->path; edits++)
		doctor(evidence, edits->path, edits->value);
	assert_int_equal(judge_run(evidence, &w->run, NULL), 0);
	return evidence;
}

static void dump_failures(const json_t *evidence)
{
	json_t *check;
	size_t i;
	print_message("verdict %s: %s\n", member(evidence, "verdict"), member(evidence, "reason"));
	json_array_foreach (json_object_get(evidence, "checks"), i, check)
		if (!json_is_true(json_object_get(check, "ok")))
			print_message("  failed: %s\n", member(check, "what"));
}

static void test_true_evidence_passes(void **state)
{
	static const char *const file[] = {"rlimit-as-control",    "rlimit-as-trigger", "rlimit-as-remedy",
					   "rlimit-as-folklore",   "rlimit-as-live",    "pids-max-control",
					   "pids-max-trigger",     "pids-max-remedy",   "memcg-max-control",
					   "memcg-max-trigger",    "memcg-max-remedy",  "memcg-max-oom-group",
					   "rlimit-stack-trigger", "memcg-high-trigger"};
	(void)state;
	for (size_t i = 0; i < sizeof(file) / sizeof(file[0]); i++) {
		struct world w;
		json_auto_t *e = judged(file[i], NULL, &w);
		if (strcmp(member(e, "verdict"), "pass") != 0)
			print_message("%s:\n", file[i]), dump_failures(e);
		assert_string_equal(member(e, "verdict"), "pass");
		assert_null(json_object_get(e, "reason"));
		assert_true(json_array_size(json_object_get(e, "checks")) >= 7);
	}
}

#define EDITS(...)                                                                                                     \
	{                                                                                                              \
		__VA_ARGS__,                                                                                           \
		{                                                                                                      \
			0                                                                                              \
		}                                                                                                      \
	}
static const struct {
	const char *label, *file, *fails, *reason;
	struct edit edit[8];
} doctored[] = {
	/* the witness */
	{"right errno, wrong call", "rlimit-as-trigger", "first refused call is mmap",
	 "predicted mmap ENOMEM by rlimit-as, observed brk ENOMEM",
	 EDITS({"outcome/call", "\"brk\""}, {"witness/records/0/call", "\"brk\""}, {"failing_moment/call", "\"brk\""})},
	{"wrong errno", "pids-max-trigger", "errno is EAGAIN",
	 "predicted fork/clone EAGAIN by pids-max, observed clone ENOMEM",
	 EDITS({"outcome/errno", "\"ENOMEM\""}, {"witness/records/0/errno", "\"ENOMEM\""},
	       {"failing_moment/errno", "\"ENOMEM\""})},
	{"not held at that call", "rlimit-as-trigger", "held still at the first refusal", NULL,
	 EDITS({"failing_moment/call", "\"brk\""})},
	{"no failing moment", "rlimit-as-trigger", "held still at the first refusal", NULL,
	 EDITS({"failing_moment", NULL})},
	{"it says exit", "rlimit-as-trigger", "outcome is errno", "then exit 1",
	 EDITS({"outcome", "{\"kind\":\"exit\",\"code\":1}"})},
	/* the cause */
	{"another, tighter limit", "rlimit-as-trigger", "cause is rlimit-as",
	 "predicted mmap ENOMEM by rlimit-as, observed mmap ENOMEM by max-map-count (65,531 + 1 > 65,530 areas)",
	 EDITS({"limits/0/refuses", "false"}, {"limits/2/refuses", "true"}, {"limits/2/in_use", "65531"},
	       {"limits/2/bound", "65530"})},
	{"two limits refuse", "rlimit-as-trigger", "no other limit refuses", "refused as well by max-map-count",
	 EDITS({"limits/2/refuses", "true"})},
	{"two limits refuse, the other with another errno", "rlimit-as-trigger", "no other limit refuses", NULL,
	 EDITS({"limits/2/refuses", "true"}, {"limits/2/errno_fits", "false"})},
	{"no limit refuses", "rlimit-as-trigger", "cause is rlimit-as", "observed mmap ENOMEM by unknown",
	 EDITS({"limits/0/refuses", "false"})},
	{"it refuses, but not with this errno: neither named nor silent", "pids-max-trigger",
	 "cause is pids-max|no other limit refuses", "by unknown, refused as well by pids-max",
	 EDITS({"limits/1/errno_fits", "false"})},
	{"another limit than the one that was set", "rlimit-as-trigger", "the bound is the limit that was set", NULL,
	 EDITS({"environment/rlimit/as", "67112960"})},
	{"a group above refused", "pids-max-trigger", "the bound is the limit that was set", NULL,
	 EDITS({"environment/cgroup/pids.max", "7"})},
	{"the numbers do not say so", "rlimit-as-trigger",
	 "in use + asked exceeds the bound|the bound is the limit that was set", NULL,
	 EDITS({"limits/0/bound", "99999999999"})},
	{"refused by what has no bound", "rlimit-as-trigger",
	 "in use + asked exceeds the bound|the bound is the limit that was set", NULL,
	 EDITS({"limits/0/bound", "null"})},
	{"one less than the bound", "pids-max-trigger", "in use + asked exceeds the bound", NULL,
	 EDITS({"limits/1/in_use", "5"})},
	{"limits not evaluated", "rlimit-as-trigger", "cause is rlimit-as|no other limit refuses", NULL,
	 EDITS({"limits", NULL})},
	/* failures that the witness makes */
	{"a real limit predicted and found where something is injected", "rlimit-as-trigger",
	 "an injected failure is named so", NULL, EDITS({"environment/inject", "{\"mmap\":\"ENOMEM\"}"})},
	{"the same, told by the mark", "rlimit-as-trigger", "an injected failure is named so", NULL,
	 EDITS({"injected", "true"})},
	{"injected, where a limit is predicted", "rlimit-as-trigger",
	 "cause is rlimit-as|an injected failure is named so", "observed mmap ENOMEM by injected",
	 EDITS({"limits/0/id", "\"injected\""}, {"limits/0/unit", "\"\""}, {"injected", "true"},
	       {"environment/inject", "{\"mmap\":\"ENOMEM\"}"}, {"witness/records/0/injected", "true"})},
	{"injected, and nothing was to be", "rlimit-as-trigger", "cause is rlimit-as|an injected failure is named so",
	 NULL, EDITS({"limits/0/id", "\"injected\""})},
	/* the counter */
	{"the counter did not move", "pids-max-trigger", "cgroup.pids.events.max moved", NULL,
	 EDITS({"snapshots/after/cgroup/pids/events/max", "0"})},
	{"the counter is in one snapshot only", "pids-max-trigger", "cgroup.pids.events.max moved", NULL,
	 EDITS({"snapshots/before/cgroup/pids/events", NULL})},
	{"SIGKILL without counter", "memcg-max-trigger", "cgroup.memory.events.oom_kill moved", NULL,
	 EDITS({"snapshots/after/cgroup/memory/events/oom_kill", "0"})},
	{"memcg-max on a kernel without the counter", "memcg-max-trigger", "cgroup.memory.events.oom_kill moved", NULL,
	 EDITS({"snapshots/before/cgroup/memory/events", NULL}, {"snapshots/after/cgroup/memory/events", NULL})},
	{"throttling not counted", "memcg-high-trigger", "cgroup.memory.events.high moved", NULL,
	 EDITS({"snapshots/after/cgroup/memory/events/high", "0"})},
	/* signals */
	{"another signal", "rlimit-stack-trigger", "signal is SIGSEGV",
	 "predicted SIGSEGV SEGV_MAPERR by rlimit-stack, observed SIGBUS", EDITS({"outcome/signal", "\"SIGBUS\""})},
	{"another si_code", "rlimit-stack-trigger", "si_code is SEGV_MAPERR", "observed SIGSEGV SEGV_ACCERR",
	 EDITS({"outcome/si_code", "\"SEGV_ACCERR\""})},
	{"si_code unseen", "rlimit-stack-trigger", "si_code is SEGV_MAPERR", NULL, EDITS({"outcome/si_code", NULL})},
	{"it survived the signal", "rlimit-stack-trigger", "died of SIGSEGV", NULL, EDITS({"exit", "{\"code\":139}"})},
	{"outcome is no signal", "rlimit-stack-trigger", "outcome is signal", NULL,
	 EDITS({"outcome/kind", "\"stall\""})},
	{"killed by hand", "memcg-max-trigger", "killed by the OOM killer", NULL, EDITS({"outcome/oom", "false"})},
	{"the log names another pid", "memcg-max-trigger", "kernel log names the killed process", NULL,
	 EDITS({"kernel_log",
		"[\"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/redis,"
		"task_memcg=/redis,task=redis-server,pid=9999,uid=0\",\"Memory cgroup out of memory: Killed process "
		"9999 "
		"(redis-server) total-vm:35508kB, anon-rss:16104kB\"]"})},
	/* bystanders */
	{"two OOM kills", "memcg-max-trigger", "exactly one OOM kill in its own group", NULL,
	 EDITS({"bystanders/oom_kills_own", "2"})},
	{"its OOM kills unknown", "memcg-max-trigger", "exactly one OOM kill in its own group", NULL,
	 EDITS({"bystanders/oom_kills_own", NULL})},
	{"whole group, none killed", "memcg-max-oom-group", "at least one OOM kill in its own group", NULL,
	 EDITS({"bystanders/oom_kills_own", "0"})},
	{"OOM kill where an errno was predicted", "rlimit-as-trigger", "no OOM kill in its own group", NULL,
	 EDITS({"bystanders/oom_kills_own", "1"})},
	{"OOM kill in a control", "pids-max-control", "no OOM kill in its own group", NULL,
	 EDITS({"bystanders/oom_kills_own", "1"})},
	{"somebody else killed", "memcg-max-trigger", "no other process was OOM-killed",
	 "no other process was OOM-killed: 1, expected 0", EDITS({"bystanders/oom_kills_others", "1"})},
	{"somebody else killed by a control", "memcg-max-control", "no other process was OOM-killed", NULL,
	 EDITS({"bystanders/oom_kills_others", "1"})},
	{"left its group", "rlimit-as-trigger", "left its control group", NULL,
	 EDITS({"bystanders/outside_group", "true"})},
	{"nobody looked at its group", "rlimit-as-control", "left its control group", NULL,
	 EDITS({"bystanders/outside_group", NULL})},
	/* conduct */
	{"deadline", "rlimit-as-trigger", "deadline not exceeded", NULL, EDITS({"deadline_exceeded", "true"})},
	{"deadline of a control", "rlimit-as-control", "deadline not exceeded", NULL,
	 EDITS({"deadline_exceeded", "true"})},
	{"ended although a stall was predicted", "memcg-high-trigger", "stalled until its deadline", NULL,
	 EDITS({"deadline_exceeded", "false"})},
	{"no stall", "memcg-high-trigger", "outcome is stall", "predicted stall by memcg-high, observed success",
	 EDITS({"outcome/kind", "\"success\""})},
	{"ceiling of a trigger", "rlimit-as-trigger", "own ceilings", "ran into enomem's own memory ceiling",
	 EDITS({"ceiling", "\"memory\""})},
	{"ceiling of a control", "pids-max-control", "own ceilings", "ran into enomem's own tasks ceiling",
	 EDITS({"ceiling", "\"tasks\""})},
	{"exit code of a trigger", "rlimit-as-trigger", "exit code is 1", "exit code is 1: 2, expected 1",
	 EDITS({"exit/code", "2"})},
	{"exit code of a control", "rlimit-as-control", "exit code is 0", NULL, EDITS({"exit/code", "3"})},
	{"never ended", "rlimit-as-control", "exit code is 0", NULL, EDITS({"exit", NULL})},
	{"says nothing", "rlimit-as-trigger", "says \"Cannot allocate memory\"", NULL,
	 EDITS({"output/stderr", "\"mmap: no\\n\""})},
	/* controls and remedies */
	{"refused in a control", "rlimit-as-control", "no call was refused",
	 "predicted success without the limit, observed", EDITS({"witness/refused", "1"})},
	{"a refusal in a control that the count forgot", "rlimit-as-control", "no call was refused", NULL,
	 EDITS({"witness/records", "[{\"call\":\"mmap\",\"errno\":\"ENOMEM\"}]"})},
	{"no witness in a control", "rlimit-as-control", "no call was refused", NULL, EDITS({"witness", NULL})},
	{"a child crashed in a control", "pids-max-control", "no fatal signal", NULL,
	 EDITS({"witness/signals/0/signal", "\"SIGSEGV\""})},
	{"a remedy that is refused", "rlimit-as-remedy", "no call was refused", "the remedy does not help",
	 EDITS({"witness/refused", "1"})},
	{"a remedy that dies", "memcg-max-remedy", "no fatal signal|exit code is 0",
	 "the remedy does not help, observed SIGKILL",
	 EDITS({"outcome", "{\"kind\":\"signal\",\"signal\":\"SIGKILL\"}"}, {"exit", "{\"signal\":\"SIGKILL\"}"})},
	{"helped live, but never refused", "rlimit-as-live",
	 "a call was refused|first refused call is mmap|errno is ENOMEM|held still at the first refusal", NULL,
	 EDITS({"witness/records", "[]"}, {"witness/refused", "0"})},
	{"helped live, refused by something else", "rlimit-as-live", "cause is rlimit-as", NULL,
	 EDITS({"limits/0/id", "\"rlimit-data\""})},
	{"helped live, yet never granted", "rlimit-as-live", "what was refused was granted later", NULL,
	 EDITS({"witness/granted_later", "0"})},
	{"helped live, and nobody looked", "rlimit-as-live", "what was refused was granted later", NULL,
	 EDITS({"witness/granted_later", NULL})},
	{"helped live, failed all the same", "rlimit-as-live", "exit code is 0", NULL, EDITS({"exit/code", "1"})},
	{"folklore that helped", "rlimit-as-folklore",
	 "outcome is errno|a call was refused|first refused call is mmap|errno is ENOMEM|held still at the first "
	 "refusal|cause is rlimit-as|"
	 "no other limit refuses|exit code is 1",
	 "taken for folklore, yet it helped: predicted mmap ENOMEM by rlimit-as, observed success",
	 EDITS({"outcome", "{\"kind\":\"success\"}"}, {"exit/code", "0"}, {"witness/records", "[]"},
	       {"witness/refused", "0"}, {"failing_moment", NULL}, {"limits", "[]"})},
	/* the oldest trick: the program says so itself */
	{"it only says that it was refused", "rlimit-as-trigger",
	 "outcome is errno|a call was refused|first refused call is mmap|errno is ENOMEM|held still at the first "
	 "refusal|cause is rlimit-as|"
	 "no other limit refuses",
	 "observed exit 1, no call was refused",
	 EDITS({"outcome", "{\"kind\":\"exit\",\"code\":1}"}, {"witness/records", "[]"}, {"witness/refused", "0"},
	       {"failing_moment", NULL}, {"limits", "[]"})},
};

/* Is every failed check named in "a|b|c", and every name there among the failed ones? */
static bool fails_exactly(const json_t *evidence, const char *names)
{
	char list[512], *save = NULL;
	size_t i, wanted = 0, failed = 0, found = 0;
	json_t *check;
	json_array_foreach (json_object_get(evidence, "checks"), i, check)
		failed += !json_is_true(json_object_get(check, "ok"));
	(void)snprintf(list, sizeof(list), "%s", names);
	for (char *name = strtok_r(list, "|", &save); name; name = strtok_r(NULL, "|", &save)) {
		wanted++;
		json_array_foreach (json_object_get(evidence, "checks"), i, check)
			found += !json_is_true(json_object_get(check, "ok")) && strstr(member(check, "what"), name);
	}
	return wanted == failed && wanted == found;
}

static void test_each_assertion_fails_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(doctored) / sizeof(doctored[0]); i++) {
		struct world w;
		json_auto_t *e = judged(doctored[i].file, doctored[i].edit, &w);
		bool exact = fails_exactly(e, doctored[i].fails) && !strcmp(member(e, "verdict"), "fail");
		bool told = !doctored[i].reason || strstr(member(e, "reason"), doctored[i].reason);
		if (!exact || !told)
			print_message("%s:\n", doctored[i].label), dump_failures(e);
		assert_true(exact);
		assert_true(told);
		assert_true(*member(e, "reason"));
	}
}

/* What is not known is said, and is no failure where it proves nothing. */
static void test_absent_counters(void **state)
{
	static const struct edit gone[] = {{"snapshots/before/cgroup", "{}"},
					   {"snapshots/after/cgroup", "{}"},
					   {"bystanders/oom_kills_own", NULL},
					   {"bystanders/oom_kills_others", NULL},
					   {0}};
	static const struct edit quiet_log[] = {{"kernel_log", "[]"}, {0}};
	struct world w;
	(void)state;
	json_auto_t *e = judged("pids-max-trigger", gone, &w);
	assert_string_equal(member(e, "verdict"), "pass");
	json_t *check;
	size_t i, notes = 0;
	json_array_foreach (json_object_get(e, "checks"), i, check)
		notes += json_object_get(check, "note") != NULL;
	assert_int_equal(notes, 3);
	json_auto_t *unlogged = judged("memcg-max-trigger", quiet_log, &w);
	assert_string_equal(member(unlogged, "verdict"), "pass");
	/* In a container the log has the host's pids; the group's name is ours. */
	static const struct edit container[] = {{"failing_moment/pid", "17"}, {0}};
	json_auto_t *inside = judged("memcg-max-trigger", container, &w);
	assert_string_equal(member(inside, "verdict"), "pass");
	/* ... and a kill in another run's group is not. */
	static const struct edit neighbour[] = {{"failing_moment/pid", "17"}, {"group", "\"enomem-99-0-1\""}, {0}};
	json_auto_t *beside = judged("memcg-max-trigger", neighbour, &w);
	assert_string_equal(member(beside, "verdict"), "fail");
}

/* A log that could not be read tells nothing: not that nobody was killed either. A failure stays one. */
static void test_unreadable_log(void **state)
{
	static const struct {
		const char *others, *verdict;
		bool wrong_exit;
	} row[] = {{"0", "pass", false}, {NULL, "broken", false}, {NULL, "fail", true}, {"0", "fail", true}};
	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct world w;
		json_auto_t *e = load_evidence("rlimit-as-trigger");
		make_world(&w, "rlimit-as-trigger", e);
		doctor(e, "kernel_log", "[]");
		doctor(e, "bystanders/oom_kills_others", row[i].others);
		w.check[0] = (struct check){
			.value = (char *)"kernel_log.oom_kills", .relation = REL_IS, .right = (char *)"0"};
		w.run.expect.check = w.check;
		w.run.expect.check_count = 1;
		if (row[i].wrong_exit)
			w.run.expect.exit = (char *)"17";
		assert_int_equal(judge_run(e, &w.run, NULL), 0);
		assert_string_equal(member(e, "verdict"), row[i].verdict);
	}
}

static bool asks_for_counter(json_t *evidence)
{
	const json_t *check;
	size_t i;
	bool asks = false;
	json_array_foreach (json_object_get(evidence, "checks"), i, check)
		asks |= strstr(member(check, "what"), "cgroup.pids.events.max moved") != NULL;
	return asks;
}

/* A limit that could not be lowered has refused nobody: it moves no counter. */
static void test_not_lowered(void **state)
{
	struct world w;
	(void)state;
	json_auto_t *refused = load_evidence("pids-max-trigger"), *busy = load_evidence("pids-max-trigger");
	make_world(&w, "pids-max-trigger", refused);
	assert_int_equal(judge_run(refused, &w.run, NULL), 0);
	assert_true(asks_for_counter(refused));
	w.run.expect.error = (char *)"EBUSY";
	assert_int_equal(judge_run(busy, &w.run, NULL), 0);
	assert_false(asks_for_counter(busy));
}

/* What was refused is never granted, and that is what the manifest says: then it must not be, and it must be known. */
static void test_does_without(void **state)
{
	static const char *const granted[] = {"0", "1", NULL};
	(void)state;
	for (size_t i = 0; i < sizeof(granted) / sizeof(granted[0]); i++) {
		struct world w;
		json_auto_t *e = load_evidence("rlimit-as-live");
		doctor(e, "witness/granted_later", granted[i]);
		make_world(&w, "rlimit-as-live", e);
		w.run.expect.does_without = true;
		assert_int_equal(judge_run(e, &w.run, NULL), 0);
		assert_string_equal(member(e, "verdict"), i == 0 ? "pass" : "fail");
	}
	struct world w;
	json_auto_t *e = load_evidence("rlimit-as-live"); /* refused nothing: no less is asked of it than of others */
	doctor(e, "witness/granted_later", "0");
	doctor(e, "witness/records", "[]");
	doctor(e, "witness/refused", "0");
	make_world(&w, "rlimit-as-live", e);
	w.run.expect.does_without = true;
	assert_int_equal(judge_run(e, &w.run, NULL), 0);
	assert_string_equal(member(e, "verdict"), "fail");
}

/* Whatever happened, it is told and proves nothing: no pass where all fits, no failure where nothing does. */
static void test_described(void **state)
{
	static const char *const file[] = {"rlimit-as-trigger", "rlimit-as-control"};
	(void)state;
	for (size_t i = 0; i < sizeof(file) / sizeof(file[0]); i++) {
		struct world w;
		json_auto_t *e = load_evidence(file[i]);
		make_world(&w, file[i], e);
		w.run.role = ROLE_TRIGGER;
		w.text.described = true;
		assert_int_equal(judge_run(e, &w.run, NULL), 0);
		assert_string_equal(member(e, "verdict"), "skip");
		assert_non_null(strstr(member(e, "reason"), "described, not asserted; this time: "));
		assert_non_null(strstr(member(e, "reason"), i == 0 ? "mmap ENOMEM by rlimit-as" : "success"));
		w.text.described = false;
		w.run.expect =
			(struct expect){.call = {w.calls, 1}, .error = (char *)"EAGAIN", .cause = (char *)"pids-max"};
		w.calls[0] = (char *)"fork";
		assert_int_equal(judge_run(e, &w.run, NULL), 0);
		assert_string_equal(member(e, "verdict"), "fail");
	}
}

static void test_unknown_is_no_proof(void **state)
{
	struct world w;
	(void)state;
	json_auto_t *e = load_evidence("rlimit-as-trigger");
	make_world(&w, "rlimit-as-trigger", e);
	w.run.expect.cause = (char *)"unknown";
	doctor(e, "limits/0/refuses", "false");
	assert_int_equal(judge_run(e, &w.run, NULL), 0);
	assert_string_equal(member(e, "verdict"), "fail");
	assert_string_equal(member(json_object_get(e, "cause"), "id"), "unknown");
}

/* Where it is predicted and done; and then each part of it missing. */
static void test_injected(void **state)
{
	static const struct edit done[] = {{"injected", "true"},
					   {"environment/inject", "{\"mmap\":\"ENOMEM\"}"},
					   {"witness/records/0/injected", "true"},
					   {"limits/0", "{\"id\":\"injected\",\"in_use\":0,\"asked\":1,\"bound\":0,"
							"\"unit\":\"\",\"refuses\":true,\"errno_fits\":true}"},
					   {0}};
	static const struct edit spoiled[][3] = {
		{{0}},
		{{"witness/records/0/injected", NULL}, {0}}, /* something else was refused first */
		{{"injected", NULL}, {"environment/inject", NULL}, {0}},
		{{"limits/0/id", "\"rlimit-as\""}, {0}},
		{{"limits/2/refuses", "true"}, {0}},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(spoiled) / sizeof(spoiled[0]); i++) {
		struct world w;
		json_auto_t *e = load_evidence("rlimit-as-trigger");
		make_world(&w, "rlimit-as-trigger", e);
		w.run.expect.cause = (char *)"injected";
		for (const struct edit *edit = done; edit->path; edit++)
			doctor(e, edit->path, edit->value);
		for (const struct edit *edit = spoiled[i]; edit->path; edit++)
			doctor(e, edit->path, edit->value);
		assert_int_equal(judge_run(e, &w.run, NULL), 0);
		if (strcmp(member(e, "verdict"), i ? "fail" : "pass") != 0)
			print_message("%zu:\n", i), dump_failures(e);
		assert_string_equal(member(e, "verdict"), i ? "fail" : "pass");
	}
}

static void test_exit_as_told(void **state)
{
	static const struct edit lived[] = {{"outcome", "{\"kind\":\"success\"}"}, {"exit/code", "0"}, {0}};
	static const struct edit seven[] = {{"exit/code", "7"}, {0}};
	static const char *const told[] = {"0", "any", "7"};
	static const struct edit *const edits[] = {lived, seven, seven};
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct world w;
		json_auto_t *e = judged("rlimit-as-trigger", edits[i], &w);
		assert_string_equal(member(e, "verdict"), "fail"); /* exit 1 is asked for where nothing is said */
		w.run.expect.exit = (char *)(uintptr_t)told[i];
		assert_int_equal(judge_run(e, &w.run, NULL), 0);
		assert_string_equal(member(e, "verdict"), "pass");
	}
}

static void test_not_run(void **state)
{
	struct world w;
	(void)state;
	json_auto_t *skipped = judged("skipped", NULL, &w), *broken = judged("broken", NULL, &w);
	assert_string_equal(member(skipped, "verdict"), "skip");
	assert_string_equal(member(skipped, "reason"), "machine scope: run it in a guest, or with --allow-machine");
	assert_string_equal(member(broken, "verdict"), "broken");
	assert_string_equal(
		member(broken, "reason"),
		"cgroup enomem-77-0-1: cannot be created (EACCES); enomem doctor tells which hierarchies can be used");
	static const struct edit no_outcome[] = {{"outcome", NULL}, {0}};
	json_auto_t *half = judged("rlimit-as-trigger", no_outcome, &w);
	assert_string_equal(member(half, "verdict"), "broken");
	/* A problem beats everything that may have happened besides. */
	static const struct edit problem[] = {
		{"problem", "{\"step\":\"witness\",\"message\":\"the witness lost track\"}"}, {0}};
	json_auto_t *lost = judged("rlimit-as-trigger", problem, &w);
	assert_string_equal(member(lost, "verdict"), "broken");
}

/* A stored verdict is not believed: judging again replaces it. */
static void test_judged_again(void **state)
{
	static const struct edit forged[] = {
		{"verdict", "\"pass\""}, {"reason", "\"because\""},     {"cause", "{\"id\":\"rlimit-as\"}"},
		{"checks", "[]"},        {"limits/0/refuses", "false"}, {0}};
	struct world w;
	(void)state;
	json_auto_t *e = judged("rlimit-as-trigger", forged, &w);
	assert_string_equal(member(e, "verdict"), "fail");
	assert_string_equal(member(json_object_get(e, "cause"), "id"), "unknown");
	assert_string_equal(member(json_object_get(e, "at"), "file"), "pids-max/scenario.yaml");
	json_auto_t *first = json_deep_copy(e);
	assert_int_equal(judge_run(e, &w.run, NULL), 0);
	assert_true(json_equal(first, e));
}

/* Evidence that is nonsense is judged, not believed, and nothing falls over. */
static void test_hostile_evidence(void **state)
{
	static const char *const nonsense[] = {"null", "1",      "\"x\"", "[]",    "{}",
					       "[{}]", "[[[]]]", "-1",    "1e300", "true"};
	static const char *const where[] = {"outcome",           "exit",
					    "witness",           "limits",
					    "bystanders",        "snapshots",
					    "failing_moment",    "output",
					    "kernel_log",        "environment",
					    "deadline_exceeded", "limits/0",
					    "witness/records/0", "limits/0/in_use",
					    "limits/0/id",       "snapshots/before"};
	(void)state;
	for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
		for (size_t k = 0; k < sizeof(nonsense) / sizeof(nonsense[0]); k++) {
			struct edit edit[] = {{where[i], nonsense[k]}, {0}};
			struct world w;
			json_auto_t *e = judged("rlimit-as-trigger", edit, &w);
			/* A few of these change nothing that is asked of this run. */
			assert_true(*member(e, "verdict"));
		}
	}
}

/* Relations at their boundary: value, relation, right side, within, holds. failure.process.map_count is 21, bound
 * 67108864. */
static const struct {
	const char *value, *minus, *right, *within;
	enum relation relation;
	bool holds;
	const char *note;
} relations[] = {
	{"failure.process.map_count", NULL, "21", NULL, REL_IS, true, NULL},
	{"failure.process.map_count", NULL, "22", NULL, REL_IS, false, NULL},
	{"failure.process.map_count", NULL, "20", NULL, REL_IS, false, NULL},
	{"failure.process.map_count", NULL, "21", NULL, REL_AT_LEAST, true, NULL},
	{"failure.process.map_count", NULL, "22", NULL, REL_AT_LEAST, false, NULL},
	{"failure.process.map_count", NULL, "21", NULL, REL_AT_MOST, true, NULL},
	{"failure.process.map_count", NULL, "20", NULL, REL_AT_MOST, false, NULL},
	{"failure.process.map_count", NULL, "20", NULL, REL_ABOVE, true, NULL},
	{"failure.process.map_count", NULL, "21", NULL, REL_ABOVE, false, NULL},
	{"failure.process.map_count", NULL, "22", NULL, REL_BELOW, true, NULL},
	{"failure.process.map_count", NULL, "21", NULL, REL_BELOW, false, NULL},
	/* 67108864: 1% is 671088.64 */
	{"cause.bound", NULL, "67779952", "1%", REL_NEAR, true, NULL},
	{"cause.bound", NULL, "67786731", "1%", REL_NEAR, true, NULL},
	{"cause.bound", NULL, "67786732", "1%", REL_NEAR, false, NULL},
	{"cause.bound", NULL, "67112960", "4K", REL_NEAR, true, NULL},
	{"cause.bound", NULL, "67112961", "4K", REL_NEAR, false, NULL},
	{"cause.bound", NULL, "67104768", "4K", REL_NEAR, true, NULL},
	{"cause.bound", NULL, "67104767", "4K", REL_NEAR, false, NULL},
	{"cause.bound", NULL, "64M", NULL, REL_IS, true, NULL},
	/* paths on the right, keys with dots, differences, negative ones too */
	{"arguments.2", NULL, "cause.asked", NULL, REL_IS, true, NULL},
	{"failure.sysctl.vm.max_map_count", NULL, "65530", NULL, REL_IS, true, NULL},
	{"failure.process.map_count", "failure.sysctl.vm.max_map_count", "1", NULL, REL_IS, false, NULL},
	{"failure.sysctl.vm.max_map_count", "failure.process.map_count", "65509", NULL, REL_IS, true, NULL},
	{"failure.process.map_count", "failure.sysctl.vm.max_map_count", "0", NULL, REL_BELOW, true, NULL},
	{"delta.vmstat.oom_kill", NULL, "0", NULL, REL_IS, true, NULL},
	{"delta.cgroup.memory.current", NULL, "0", NULL, REL_BELOW, true, NULL},
	{"witness.refused", NULL, "1", NULL, REL_IS, true, NULL},
	{"witness.calls.mmap", NULL, "9", NULL, REL_IS, true, NULL},
	{"witness.calls.mremap", NULL, "0", NULL, REL_IS, true, NULL},
	{"exit.code", NULL, "1", NULL, REL_IS, true, NULL},
	{"kernel_log.oom_kills", NULL, "1", NULL, REL_IS, true, NULL},
	{"kernel_log.memcg_oom_kills", NULL, "1", NULL, REL_IS, true, NULL},
	{"kernel_log.old_oom_kills", NULL, "0", NULL, REL_IS, true, NULL},
	{"kernel_log.commit_refusals", NULL, "2", NULL, REL_IS, true, NULL},
	{"kernel_log.lines", NULL, "0", NULL, REL_AT_LEAST, false, "no such value here: kernel_log.lines"},
	{"duration_ns", NULL, "13000000", NULL, REL_AT_MOST, true, NULL},
	/* of samples, of which some were not taken: 5, 9, 7 */
	{"most.rss", NULL, "9", NULL, REL_IS, true, NULL},
	{"most.rss", NULL, "8", NULL, REL_AT_MOST, false, NULL},
	{"least.rss", NULL, "5", NULL, REL_IS, true, NULL},
	{"least.rss", NULL, "6", NULL, REL_AT_LEAST, false, NULL},
	{"most.rss", "least.rss", "4", NULL, REL_IS, true, NULL},
	{"most.vm_size", NULL, "0", NULL, REL_AT_LEAST, false, "no such value here: most.vm_size"},
	{"most.interval_ns", NULL, "0", NULL, REL_AT_LEAST, false, "no such value here: most.interval_ns"},
	{"least.nothing", NULL, "0", NULL, REL_AT_LEAST, false, "no such value here: least.nothing"},
	/* unlimited: more than any number, equal to itself, no part in a difference */
	{"failure.process.rlimit.data", NULL, "16383G", NULL, REL_ABOVE, true, NULL},
	{"failure.process.rlimit.data", NULL, "max", NULL, REL_IS, true, NULL},
	{"failure.process.rlimit.stack", NULL, "max", NULL, REL_IS, false, NULL},
	{"failure.process.rlimit.stack", NULL, "max", NULL, REL_BELOW, true, NULL},
	{"failure.process.rlimit.data", "failure.process.rlimit.stack", "0", NULL, REL_ABOVE, false,
	 "unlimited has no difference"},
	/* no such value */
	{"failure.process.nothing", NULL, "0", NULL, REL_IS, false, "no such value here: failure.process.nothing"},
	{"failure.process", NULL, "0", NULL, REL_AT_LEAST, false, "no such value here: failure.process"},
	{"witness.calls.open", NULL, "0", NULL, REL_IS, false, "no such value here: witness.calls.open"},
	{"failure.process.rss", "before.process.nothing", "0", NULL, REL_AT_LEAST, false,
	 "no such value here: before.process.nothing"},
	{"failure.process.rss", NULL, "before.nothing", NULL, REL_AT_LEAST, false,
	 "no such value here: before.nothing"},
	{"delta.meminfo.SwapCached", NULL, "0", NULL, REL_IS, false, "no such value here: delta.meminfo.SwapCached"},
	{"output.stderr", NULL, "0", NULL, REL_IS, false, "no such value here: output.stderr"},
	{"limits", NULL, "0", NULL, REL_IS, false, "no such value here: limits"},
};

static void test_relations(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(relations) / sizeof(relations[0]); i++) {
		struct world w;
		json_auto_t *e = load_evidence("rlimit-as-trigger");
		(void)json_object_set_new(
			e, "kernel_log",
			json_pack("[ssss]", "Out of memory: Killed process 7 (a) total-vm:1kB",
				  "Memory cgroup out of memory: Killed process 8 (b) total-vm:1kB",
				  "__vm_enough_memory: pid: 9, comm: c, no enough memory for the allocation",
				  "__vm_enough_memory: pid: 9, comm: c, bytes: 4096 not enough memory for the "
				  "allocation"));
		(void)json_object_set_new(
			e, "samples",
			json_pack("{s:[n,i,i,n,i], s:[n,n], s:i}", "rss", 5, 9, 7, "vm_size", "interval_ns", 5000000));
		make_world(&w, "rlimit-as-trigger", e);
		w.check[0] = (struct check){.value = (char *)(uintptr_t)relations[i].value,
					    .minus = (char *)(uintptr_t)relations[i].minus,
					    .text = (char *)(uintptr_t)relations[i].value,
					    .relation = relations[i].relation,
					    .right = (char *)(uintptr_t)relations[i].right,
					    .within = (char *)(uintptr_t)relations[i].within};
		w.run.expect.check = w.check;
		w.run.expect.check_count = 1;
		assert_int_equal(judge_run(e, &w.run, NULL), 0);
		json_t *checks = json_object_get(e, "checks"),
		       *last = json_array_get(checks, json_array_size(checks) - 1);
		bool ok = json_is_true(json_object_get(last, "ok"));
		if (ok != relations[i].holds)
			print_message("%zu: %s\n", i, member(last, "what"));
		assert_int_equal(ok, relations[i].holds);
		assert_string_equal(member(e, "verdict"), ok ? "pass" : "fail");
		if (relations[i].note)
			assert_string_equal(member(last, "note"), relations[i].note);
	}
}

/* Amounts are those of the machine; a check for elsewhere does not exist here. */
static void test_amounts_and_when(void **state)
{
	static struct machine machine;
	struct world w;
	(void)state;
	machine.page_size = 4096;
	machine.kernel_major = 6;
	machine.kernel_minor = 1;
	machine.now.meminfo.value[MEMINFO_MEM_TOTAL] = 25289162752;
	json_auto_t *e = load_evidence("rlimit-as-trigger");
	make_world(&w, "rlimit-as-trigger", e);
	w.check[0] =
		(struct check){.value = (char *)"failure.meminfo.MemTotal", .relation = REL_IS, .right = (char *)"ram"};
	w.check[1] = (struct check){.value = (char *)"failure.meminfo.MemTotal",
				    .relation = REL_IS,
				    .right = (char *)"0",
				    .when = {.kernel = (char *)">=6.11"},
				    .has_when = true};
	w.run.expect.check = w.check;
	w.run.expect.check_count = 2;
	assert_int_equal(judge_run(e, &w.run, &machine), 0);
	assert_string_equal(member(e, "verdict"), "pass");
	w.check[1].when.kernel = (char *)">=6.0";
	assert_int_equal(judge_run(e, &w.run, &machine), 0);
	assert_string_equal(member(e, "verdict"), "fail");
	assert_string_equal(member(e, "reason"),
			    "failure.meminfo.MemTotal is 0: 25289162752, expected 0 (difference +25289162752)");
}

/* A plan of three runs and their judged evidence. */
static json_t *three_runs(struct world world[3], struct plan_run planned[3], struct plan *plan)
{
	static const char *const file[] = {"pids-max-control", "pids-max-trigger", "pids-max-remedy"};
	json_t *runs = json_array();
	for (size_t i = 0; i < 3; i++) {
		json_t *e = load_evidence(file[i]);
		make_world(&world[i], file[i], e);
		assert_int_equal(judge_run(e, &world[i].run, NULL), 0);
		planned[i] = world[i].run;
		assert_int_equal(json_array_append_new(runs, e), 0);
	}
	*plan = (struct plan){.scenario = &world[0].scenario, .runs = planned, .run_count = 3};
	return runs;
}

/* As judged: a trigger that a full group held up. */
#define STALLED                                                                                                        \
	{"1/failing_moment/at", "\"stall\""},                                                                          \
	{                                                                                                              \
		"1/cause", "{\"id\": \"memcg-max\", \"bound\": 8388608}"                                               \
	}
#define OF_TCP                                                                                                         \
	{                                                                                                              \
		"1/cause/where", "\"memory.kmem.tcp.limit_in_bytes of its group\""                                     \
	}

static const struct {
	const char *label, *verdict, *reason;
	struct edit edit[6];
} scenarios[] = {
	{"all three", "pass", "", {{0}}},
	{"control skipped",
	 "skip",
	 "no control was made here: no cgroup",
	 {{"0/verdict", "\"skip\""}, {"0/reason", "\"no cgroup\""}, {0}}},
	{"interrupted", "skip", "interrupted", {{"1/verdict", "\"skip\""}, {"1/reason", "\"interrupted\""}, {0}}},
	{"trigger skipped", "skip", "no trigger was made here", {{"1/verdict", "\"skip\""}, {0}}},
	{"remedy skipped", "skip", "no remedy that helps was made here", {{"2/verdict", "\"skip\""}, {0}}},
	{"folklore is no remedy", "skip", "no remedy that helps was made here", {{"2/helps", "false"}, {0}}},
	{"a run failed", "fail", "raised: it did", {{"2/verdict", "\"fail\""}, {"2/reason", "\"it did\""}, {0}}},
	{"failed outweighs broken",
	 "fail",
	 "limited: it did",
	 {{"0/verdict", "\"broken\""}, {"1/verdict", "\"fail\""}, {"1/reason", "\"it did\""}, {0}}},
	{"a run broke",
	 "broken",
	 "no limit: no stage",
	 {{"0/verdict", "\"broken\""}, {"0/reason", "\"no stage\""}, {0}}},
	{"a control that was given no task",
	 "fail",
	 "limited: no control was given what this trigger is refused",
	 {{"0/witness/granted/clone", NULL}, {0}}},
	{"a trigger that asked for more than any control was given",
	 "fail",
	 "limited: no control was given what this trigger is refused",
	 {{"1/failing_moment/asked", "4096"}, {0}}},
	{"a control that used less than the group that held the trigger up has",
	 "fail",
	 "limited: no control was given what this trigger is refused",
	 {STALLED, {"0/snapshots/after/cgroup/memory", "{\"peak\": 4194304}"}, {0}}},
	{"one that used as much",
	 "pass",
	 "",
	 {STALLED, {"0/snapshots/after/cgroup/memory", "{\"peak\": 8388608}"}, {0}}},
	{"one whose sockets used less than TCP may in the trigger's group",
	 "fail",
	 "limited: no control was given what this trigger is refused",
	 {STALLED,
	  OF_TCP,
	  {"0/snapshots/after/cgroup/memory", "{\"peak\": 8388608, \"kmem\": {\"tcp\": {\"peak\": 4194304}}}"},
	  {0}}},
	{"one whose sockets used as much",
	 "pass",
	 "",
	 {STALLED,
	  OF_TCP,
	  {"0/snapshots/after/cgroup/memory", "{\"peak\": 4096, \"kmem\": {\"tcp\": {\"peak\": 8388608}}}"},
	  {0}}},
	{"a run is missing", "broken", "raised: the run is missing", {{"2", NULL}, {0}}},
};

static void test_scenarios(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		struct world world[3];
		struct plan_run planned[3];
		struct plan plan;
		json_t *runs = three_runs(world, planned, &plan);
		for (const struct edit *edit = scenarios[i].edit; edit->path; edit++)
			doctor(runs, edit->path, edit->value);
		json_auto_t *scenario = judge_scenario(&plan, runs);
		if (strcmp(member(scenario, "verdict"), scenarios[i].verdict) != 0)
			print_message("%s: %s\n", scenarios[i].label, member(scenario, "reason"));
		assert_string_equal(member(scenario, "verdict"), scenarios[i].verdict);
		assert_string_equal(member(scenario, "reason"), scenarios[i].reason);
		assert_string_equal(member(scenario, "class"), "task-count");
	}
}

/* Every case needs its own proofs; a scenario that is skipped as a whole has no runs. */
static void test_cases_and_summary(void **state)
{
	static struct case_text cases[] = {{.name = (char *)"fork"}, {.name = (char *)"thread"}};
	struct world world[3];
	struct plan_run planned[3];
	struct plan plan;
	(void)state;
	json_auto_t *runs = three_runs(world, planned, &plan);
	for (size_t i = 0; i < 3; i++)
		json_object_set_new(json_array_get(runs, i), "case", json_string("fork"));
	world[0].scenario.cases = cases;
	world[0].scenario.case_count = 1;
	json_auto_t *one = judge_scenario(&plan, json_incref(runs));
	assert_string_equal(member(one, "verdict"), "pass");
	world[0].scenario.case_count = 2;
	json_auto_t *two = judge_scenario(&plan, json_incref(runs));
	assert_string_equal(member(two, "verdict"), "skip");
	assert_string_equal(member(two, "reason"), "thread: no control was made here");
	plan.skip = (char *)"needs root: run as root";
	json_auto_t *none = judge_scenario(&plan, NULL);
	assert_string_equal(member(none, "verdict"), "skip");
	assert_string_equal(member(none, "reason"), "needs root: run as root");
	assert_int_equal(json_array_size(json_object_get(none, "runs")), 0);

	json_auto_t *all = json_pack("[O,O,O]", one, two, none), *summary = judge_summary(all);
	assert_int_equal(json_integer_value(json_object_get(summary, "pass")), 1);
	assert_int_equal(json_integer_value(json_object_get(summary, "skip")), 2);
	assert_int_equal(json_integer_value(json_object_get(summary, "fail")), 0);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(summary, "runs"), "pass")), 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_true_evidence_passes),
		cmocka_unit_test(test_each_assertion_fails_alone),
		cmocka_unit_test(test_absent_counters),
		cmocka_unit_test(test_not_lowered),
		cmocka_unit_test(test_unreadable_log),
		cmocka_unit_test(test_does_without),
		cmocka_unit_test(test_described),
		cmocka_unit_test(test_unknown_is_no_proof),
		cmocka_unit_test(test_injected),
		cmocka_unit_test(test_exit_as_told),
		cmocka_unit_test(test_not_run),
		cmocka_unit_test(test_judged_again),
		cmocka_unit_test(test_hostile_evidence),
		cmocka_unit_test(test_relations),
		cmocka_unit_test(test_amounts_and_when),
		cmocka_unit_test(test_scenarios),
		cmocka_unit_test(test_cases_and_summary),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
