// SPDX-License-Identifier: MIT
/*
 * The assertions every run is held to, whatever its manifest says. The program's own word counts for nothing but
 * `says`: outcome and cause come from the witness and the counters.
 */
#include <stdarg.h>
#include <string.h>

#include "cleanup.h"
#include "judge-check.h"
#include "kmsg.h"
#include "report-text.h"

bool judge_assert(struct judgement *j, bool ok, json_t *value, json_t *expected, const char *what, ...)
{
	char text[TEXT_MAX];
	va_list args;
	va_start(args, what);
	(void)vsnprintf(text, sizeof(text), what, args);
	va_end(args);
	json_t *check = json_pack("{s:o, s:o, s:b}", "what", judge_text(text), "value", value, "ok", ok);
	if (!check || json_array_append_new(j->checks, check) < 0) {
		j->out_of_memory = true;
		json_decref(expected);
		return ok;
	}
	if (expected && json_object_set_new(check, "expected", expected) < 0)
		j->out_of_memory = true;
	return ok;
}

void judge_annotate(struct judgement *j, const char *key, json_t *value)
{
	json_t *last = json_array_get(j->checks, json_array_size(j->checks) - 1);
	if (json_object_set_new(last, key, value) < 0)
		j->out_of_memory = true;
}

json_t *judge_text(const char *text)
{
	if (!text)
		return json_null();
	json_t *string = json_string(text);
	if (string)
		return string;
	char clean[TEXT_MAX];
	return json_string(text_clean(text, true, clean, sizeof(clean)));
}

/* A copy of a value that is there, null for one that is not: checks show both. */
json_t *judge_shown(const json_t *value)
{
	json_t *copy = value ? json_deep_copy(value) : NULL;
	return copy ? copy : json_null();
}

bool judge_must_fail(const struct plan_run *run)
{
	return run->role == ROLE_TRIGGER || (run->role == ROLE_REMEDY && !run->run->helps);
}

/* Of these causes a SIGKILL is the kernel's own doing: the group's oom_kill counter counts it, system-wide kills
 * included. */
static bool kills_by_oom(const char *cause)
{
	static const char *const killer[] = {"memcg-max", "memcg-swap-max", "system-oom", "swap-full"};
	for (size_t i = 0; cause && i < ARRAY_SIZE(killer); i++)
		if (!strcmp(cause, killer[i]))
			return true;
	return false;
}

bool judge_expects_oom_kill(const struct plan_run *run)
{
	const struct expect *e = &run->expect;
	return judge_must_fail(run) && e->signal && !strcmp(e->signal, "SIGKILL") && kills_by_oom(e->cause);
}

static bool is_memcg(const char *cause)
{
	return cause && !strncmp(cause, "memcg-", 6);
}

/* mm/oom_kill.c counts the victim once more when the whole group goes (memory.oom.group). */
static bool has_oom_group(const json_t *evidence)
{
	const json_t *cgroup = json_object_get(json_object_get(evidence, "environment"), "cgroup");
	return text_integer(cgroup, "memory.oom.group", 0) > 0;
}

/* As many as the manifest says, "any" for a matter of chance. A memory group that refuses must have counted them. */
static void predicted_oom_kills(struct judgement *j, const json_t *kills)
{
	const char *expected = j->run->expect.oom_kills;
	bool any = !strcmp(expected, "any"), ok = !is_memcg(j->run->expect.cause);
	char text[32];
	if (json_is_integer(kills))
		ok = any || !strcmp(text_value(kills, text, sizeof(text)), expected);
	judge_assert(j, ok, judge_shown(kills), judge_text(expected), "OOM kills in its own group: %s", expected);
	if (!kills)
		judge_annotate(j, "note", judge_text("the run had no memory group"));
}

static void own_oom_kills(struct judgement *j)
{
	const json_t *kills = json_object_get(json_object_get(j->evidence, "bystanders"), "oom_kills_own");
	json_int_t count = json_is_integer(kills) ? json_integer_value(kills) : -1;
	if (j->run->expect.oom_kills) {
		predicted_oom_kills(j, kills);
		return;
	}
	if (!judge_expects_oom_kill(j->run)) {
		judge_assert(j, !kills || count == 0, judge_shown(kills), json_integer(0),
			     "no OOM kill in its own group");
		if (!kills)
			judge_annotate(j, "note", judge_text("the run had no memory group"));
		return;
	}
	bool group = has_oom_group(j->evidence), needed = is_memcg(j->run->expect.cause);
	bool ok = kills ? (group ? count >= 1 : count == 1) : !needed;
	judge_assert(j, ok, judge_shown(kills), judge_text(group ? "at least 1" : "1"), "%s OOM kill in its own group",
		     group ? "at least one" : "exactly one");
	if (!kills)
		judge_annotate(j, "note", judge_text("the run had no memory group"));
}

static void others_oom_kills(struct judgement *j)
{
	const json_t *kills = json_object_get(json_object_get(j->evidence, "bystanders"), "oom_kills_others");
	bool none = json_is_integer(kills) && json_integer_value(kills) == 0;
	judge_assert(j, !kills || none, judge_shown(kills), json_integer(0), "no other process was OOM-killed");
	if (!kills)
		judge_annotate(j, "note", judge_text("not known here"));
}

/* "0", "1", "any"; NULL: nothing is asked of it. */
static const char *expected_exit(const struct plan_run *run)
{
	if (run->expect.exit)
		return run->expect.exit;
	if (!judge_must_fail(run))
		return "0";
	return run->expect.stall || run->expect.signal ? NULL : "1";
}

static void exit_code(struct judgement *j)
{
	const char *expected = expected_exit(j->run);
	const json_t *code = json_object_get(json_object_get(j->evidence, "exit"), "code");
	char text[32];
	if (!expected)
		return;
	text_value(code, text, sizeof(text));
	if (!strcmp(expected, "any"))
		judge_assert(j, json_is_integer(code), judge_shown(code), judge_text("any"), "the program exited");
	else
		judge_assert(j, json_is_integer(code) && !strcmp(text, expected), judge_shown(code),
			     judge_text(expected), "exit code is %s", expected);
}

static void says(struct judgement *j)
{
	const char *text = j->run->expect.says;
	const json_t *output = json_object_get(j->evidence, "output");
	if (!text)
		return;
	bool said = strstr(text_of(output, "stdout"), text) || strstr(text_of(output, "stderr"), text);
	judge_assert(j, said, json_boolean(said), json_true(), "says \"%s\"", text);
	if (!said && json_is_true(json_object_get(output, "truncated")))
		judge_annotate(j, "note", judge_text("the output was cut"));
}

void judge_conduct(struct judgement *j)
{
	const json_t *e = j->evidence, *ceiling = json_object_get(e, "ceiling");
	const json_t *late = json_object_get(e, "deadline_exceeded");
	const json_t *outside = json_object_get(json_object_get(e, "bystanders"), "outside_group");
	bool stall = judge_must_fail(j->run) && j->run->expect.stall;
	judge_assert(j, !ceiling, judge_shown(ceiling), NULL, "did not hit enomem's own ceilings");
	if (stall)
		judge_assert(j, json_is_true(late), judge_shown(late), json_true(), "stalled until its deadline");
	else
		judge_assert(j, json_is_false(late), judge_shown(late), json_false(), "deadline not exceeded");
	judge_assert(j, json_is_false(outside), judge_shown(outside), json_false(), "left its control group");
	own_oom_kills(j);
	others_oom_kills(j);
	exit_code(j);
	says(j);
	/* Only told: a program may leave children behind, the harness ends them. */
	judge_assert(j, true, judge_shown(json_object_get(json_object_get(e, "witness"), "tasks_left")), NULL,
		     "tasks left behind");
}

static const json_t *first_refusal(const struct judgement *j)
{
	return json_array_get(json_object_get(json_object_get(j->evidence, "witness"), "records"), 0);
}

static bool is_any_call(const struct expect *e, const char *call)
{
	for (size_t i = 0; i < e->call.count; i++)
		if (!strcmp(e->call.item[i], call))
			return true;
	return e->call.count == 0 && *call;
}

static void join_calls(const struct expect *e, char *buf, size_t size)
{
	buf[0] = '\0';
	for (size_t i = 0; i < e->call.count; i++)
		text_add(buf, size, "%s%s", i ? " or " : "", e->call.item[i]);
}

/* The first refused call is the predicted one, and it is the one that was held still. */
static void refusal(struct judgement *j)
{
	const struct expect *e = &j->run->expect;
	const json_t *first = first_refusal(j), *moment = json_object_get(j->evidence, "failing_moment");
	char calls[TEXT_MAX];
	bool refused = json_is_object(first);
	bool ok = judge_assert(j, refused,
			       judge_shown(json_object_get(json_object_get(j->evidence, "witness"), "refused")),
			       judge_text("at least 1"), "a call was refused");
	join_calls(e, calls, sizeof(calls));
	if (e->call.count)
		ok &= judge_assert(j, refused && is_any_call(e, text_of(first, "call")),
				   judge_shown(json_object_get(first, "call")), judge_text(calls),
				   "first refused call is %s", calls);
	if (e->error)
		ok &= judge_assert(j, !strcmp(text_of(first, "errno"), e->error),
				   judge_shown(json_object_get(first, "errno")), judge_text(e->error), "errno is %s",
				   e->error);
	bool same = refused && !strcmp(text_of(moment, "call"), text_of(first, "call")) &&
		    !strcmp(text_of(moment, "errno"), text_of(first, "errno")) &&
		    !strcmp(text_of(moment, "at"), "call");
	if (!ok)
		j->prediction_failed = true;
	judge_assert(j, same, json_boolean(same), json_true(), "held still at the first refusal");
}

static void outcome_kind(struct judgement *j)
{
	const struct expect *e = &j->run->expect;
	const json_t *kind = json_object_get(json_object_get(j->evidence, "outcome"), "kind");
	const char *seen = json_is_string(kind) ? json_string_value(kind) : "";
	const char *expected = e->stall ? "stall" : e->signal ? "signal" : "errno";
	bool ok = !strcmp(seen, expected);
	/* A program that lives with the refusal and exits 0 was refused all the same: the records tell. */
	if (!strcmp(expected, "errno") && e->exit && (!strcmp(e->exit, "0") || !strcmp(e->exit, "any")))
		ok |= !strcmp(seen, "success");
	if (!judge_assert(j, ok, judge_shown(kind), judge_text(expected), "outcome is %s", expected))
		j->prediction_failed = true;
}

/* The kernel log, where it could be read and tells of OOM kills at all, must tell of this one. */
static void log_names_victim(struct judgement *j)
{
	json_int_t pid = text_integer(json_object_get(j->evidence, "failing_moment"), "pid", -1);
	const char *group = json_string_value(json_object_get(j->evidence, "group"));
	const json_t *line = NULL;
	unsigned kills = 0;
	bool named = false;
	size_t i;
	json_array_foreach (json_object_get(j->evidence, "kernel_log"), i, line) {
		struct kmsg_oom oom = {0};
		if (!json_is_string(line) || !kmsg_oom_line(json_string_value(line), &oom))
			continue;
		kills++;
		/* The log speaks of pids of the initial namespace; inside a container only the group's name is ours. */
		named |= oom.pid == pid || (group && strstr(oom.task_memcg, group));
	}
	judge_assert(j, !kills || named, json_boolean(named), json_true(), "kernel log names the killed process");
	if (!kills)
		judge_annotate(j, "note", judge_text("no OOM kill in the kernel log, or it cannot be read"));
}

static void fatal_signal(struct judgement *j)
{
	const struct expect *e = &j->run->expect;
	const json_t *outcome = json_object_get(j->evidence, "outcome");
	const json_t *died_of = json_object_get(json_object_get(j->evidence, "exit"), "signal");
	const json_t *oom = json_object_get(outcome, "oom"), *signal = json_object_get(outcome, "signal");
	bool ok = judge_assert(j, !strcmp(text_of(outcome, "signal"), e->signal), judge_shown(signal),
			       judge_text(e->signal), "signal is %s", e->signal);
	bool died = json_is_string(died_of) && !strcmp(json_string_value(died_of), e->signal);
	judge_assert(j, died, judge_shown(died_of), judge_text(e->signal), "died of %s", e->signal);
	if (e->si_code)
		ok &= judge_assert(j, !strcmp(text_of(outcome, "si_code"), e->si_code),
				   judge_shown(json_object_get(outcome, "si_code")), judge_text(e->si_code),
				   "si_code is %s", e->si_code);
	if (judge_expects_oom_kill(j->run)) {
		judge_assert(j, json_is_true(oom), judge_shown(oom), json_true(), "killed by the OOM killer");
		log_names_victim(j);
	}
	if (!ok)
		j->prediction_failed = true;
}

/* What was looked at is the program as it hung, and not a call it was refused before. */
static void stall(struct judgement *j)
{
	const json_t *at = json_object_get(json_object_get(j->evidence, "failing_moment"), "at");
	bool held = json_is_string(at) && !strcmp(json_string_value(at), "stall");
	judge_assert(j, held, judge_shown(at), judge_text("stall"), "looked at while it hung");
}

void judge_failure(struct judgement *j)
{
	const struct expect *e = &j->run->expect;
	outcome_kind(j);
	if (e->stall)
		stall(j);
	if (e->signal)
		fatal_signal(j);
	/* Both, where an exec is refused past the point of no return: the call says ENOMEM, the signal ends it. */
	if (e->error || e->call.count)
		refusal(j);
	judge_named_cause(j);
	judge_counter_moved(j);
}

/* A child that the program ends itself is its own affair; one that crashes or is killed for memory is not. */
static bool is_crash(const char *signal)
{
	static const char *const ending[] = {"SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGPIPE", "SIGALRM"};
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
		if (!strcmp(signal, ending[i]))
			return false;
	return true;
}

static void no_fatal_signal(struct judgement *j)
{
	const json_t *died_of = json_object_get(json_object_get(j->evidence, "exit"), "signal"), *seen = NULL;
	const json_t *outcome = json_object_get(j->evidence, "outcome"), *signal = json_object_get(outcome, "signal");
	const json_t *fatal = died_of ? died_of : signal;
	size_t i;
	json_array_foreach (json_object_get(json_object_get(j->evidence, "witness"), "signals"), i, seen) {
		if (!fatal && json_is_true(json_object_get(seen, "fatal")) && is_crash(text_of(seen, "signal")))
			fatal = json_object_get(seen, "signal");
	}
	if (!judge_assert(j, !fatal, judge_shown(fatal), NULL, "no fatal signal"))
		j->prediction_failed = true;
}

void judge_success(struct judgement *j)
{
	const struct expect *e = &j->run->expect;
	const json_t *witness = json_object_get(j->evidence, "witness"), *refused = json_object_get(witness, "refused");
	no_fatal_signal(j);
	if (e->stall) { /* stood still first, then helped live */
		stall(j);
		judge_named_cause(j);
		judge_counter_moved(j);
	}
	if (e->call.count || e->error) {
		refusal(j); /* refused first, then helped live */
		judge_named_cause(j);
		/* A program that shrugs and exits 0 was not helped. */
		const json_t *granted = json_object_get(witness, "granted_later");
		bool without = e->does_without;
		judge_assert(j,
			     json_is_integer(granted) &&
				     (without ? json_integer_value(granted) == 0 : json_integer_value(granted) >= 1),
			     judge_shown(granted), without ? json_integer(0) : judge_text("at least 1"),
			     "what was refused was %sgranted later", without ? "not " : "");
		return;
	}
	bool none = json_is_integer(refused) && json_integer_value(refused) == 0 && !first_refusal(j);
	if (!judge_assert(j, none, judge_shown(refused), json_integer(0), "no call was refused"))
		j->prediction_failed = true;
}
