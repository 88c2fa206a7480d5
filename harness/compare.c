// SPDX-License-Identifier: MIT
/*
 * Two results, and what moved between them. Scenarios and runs are found by name; each line stands alone, so that it
 * can be quoted and searched for. Times, pids, addresses and bytes in use differ from run to run and mean nothing, nor
 * do bounds that only followed the machine's RAM.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "report-set.h"
#include "report-text.h"
#include "report.h"

static void put(const struct comparison *c, const char *text)
{
	char clean[2 * TEXT_MAX];
	(void)fputs(text_clean(text, false, clean, sizeof(clean)), c->out);
}

void compare_begin(struct comparison *c, const char *scenario, const char *run)
{
	c->differences++;
	if (c->kernel) {
		put(c, c->kernel);
		(void)fputs(": ", c->out);
	}
	put(c, scenario);
	(void)fputs(": ", c->out);
	if (run) {
		put(c, run);
		(void)fputs(": ", c->out);
	}
}

static void moved(struct comparison *c, const char *scenario, const char *run, const char *what, const char *a,
		  const char *b)
{
	if (!strcmp(a, b))
		return;
	compare_begin(c, scenario, run);
	(void)fprintf(c->out, "%s ", what);
	put(c, *a ? a : "none");
	(void)fputs(" -> ", c->out);
	put(c, *b ? b : "none");
	(void)fputc('\n', c->out);
}

void compare_verdict(struct comparison *c, const char *scenario, const char *run, const json_t *a, const json_t *b)
{
	const char *before = text_of(a, "verdict"), *after = text_of(b, "verdict"), *reason = text_of(b, "reason");
	if (!strcmp(before, after))
		return;
	compare_begin(c, scenario, run);
	(void)fprintf(c->out, "verdict %s -> %s", before, after);
	if (*reason) {
		(void)fputs(" (", c->out);
		put(c, reason);
		(void)fputc(')', c->out);
	}
	(void)fputc('\n', c->out);
}

/* A boundary with both numbers; exact, because a difference may be one page of a gigabyte. */
static void boundary_moved(struct comparison *c, const char *scenario, const char *run, const char *what,
			   const json_t *a, const json_t *b, const char *unit)
{
	char before[64], after[64];
	if (!a || !b || json_equal(a, b))
		return;
	compare_begin(c, scenario, run);
	(void)fprintf(c->out, "%s %s -> %s%s%s", what,
		      json_is_null(a) ? "unlimited" : text_value(a, before, sizeof(before)),
		      json_is_null(b) ? "unlimited" : text_value(b, after, sizeof(after)), *unit ? " " : "", unit);
	__int128 by = (__int128)json_integer_value(b) - json_integer_value(a);
	if (json_is_integer(a) && json_is_integer(b) && by <= INT64_MAX && by >= INT64_MIN)
		(void)fprintf(c->out, " (%+" JSON_INTEGER_FORMAT ")", (json_int_t)by);
	(void)fputc('\n', c->out);
}

/* Of a limit that counts, also where exactly it said no: in use + asked. Bytes in use are noise. */
static void reach_moved(struct comparison *c, const char *scenario, const char *run, const json_t *a, const json_t *b,
			const char *unit)
{
	json_int_t use[2], asked[2];
	const json_t *cause[] = {a, b};
	if (!*unit || !strcmp(unit, "bytes"))
		return;
	for (unsigned i = 0; i < 2; i++) {
		use[i] = text_integer(cause[i], "in_use", -1);
		asked[i] = text_integer(cause[i], "asked", -1);
		if (use[i] < 0 || asked[i] < 0 || use[i] > INT64_MAX - asked[i])
			return;
	}
	json_auto_t *before = json_integer(use[0] + asked[0]), *after = json_integer(use[1] + asked[1]);
	boundary_moved(c, scenario, run, "refused at", before, after, unit);
}

static void cause_moved(struct comparison *c, const char *scenario, const json_t *run_a, const json_t *run_b)
{
	const json_t *a = json_object_get(run_a, "cause"), *b = json_object_get(run_b, "cause");
	const struct bounded at_a = {c->host_a, run_a}, at_b = {c->host_b, run_b};
	const char *id = text_of(a, "id"), *unit = text_of(b, "unit"), *run = text_of(run_a, "name");
	char before[TEXT_MAX], after[TEXT_MAX];
	moved(c, scenario, run, "cause", id, text_of(b, "id"));
	if (strcmp(id, text_of(b, "id")) != 0)
		return;
	if (a && b)
		moved(c, scenario, run, "refused as well by",
		      text_value(json_object_get(a, "also_refusing"), before, sizeof(before)),
		      text_value(json_object_get(b, "also_refusing"), after, sizeof(after)));
	const json_t *bound_a = json_object_get(a, "bound"), *bound_b = json_object_get(b, "bound");
	if (!json_equal(bound_a, bound_b) && same_bound(&at_a, &at_b))
		return; /* a count of it follows RAM as well */
	boundary_moved(c, scenario, run, "bound", bound_a, bound_b, unit);
	reach_moved(c, scenario, run, a, b, unit);
}

/* Did an assertion of this text hold? -1: none was made. The same text may come more than once. */
static int held(const json_t *checks, const char *what)
{
	const json_t *check = NULL;
	int ok = -1;
	size_t i;
	json_array_foreach (checks, i, check)
		if (!strcmp(text_of(check, "what"), what))
			ok = json_is_true(json_object_get(check, "ok")) && ok != 0;
	return ok;
}

/* Of two runs that ended alike: what held on one side only, and what was asserted on one side only. */
static void checks_moved(struct comparison *c, const char *scenario, const json_t *a, const json_t *b)
{
	const json_t *checks[2] = {json_object_get(a, "checks"), json_object_get(b, "checks")}, *check = NULL;
	if (!checks[0] || !checks[1])
		return;
	for (unsigned side = 0; side < 2; side++) {
		json_auto_t *seen = json_object();
		size_t i;
		json_array_foreach (checks[side], i, check) {
			const char *what = text_of(check, "what");
			int mine = held(checks[side], what), other = held(checks[!side], what);
			if (mine == other || (side && other >= 0) || json_object_get(seen, what))
				continue;
			(void)json_object_set_new(seen, what, json_true());
			compare_begin(c, scenario, text_of(a, "name"));
			(void)fputs("check \"", c->out);
			put(c, what);
			if (other >= 0)
				(void)fprintf(c->out, "\" %s -> %s\n", mine ? "holds" : "failed",
					      other ? "holds" : "failed");
			else
				(void)fprintf(c->out, "\" %s\n", side ? "is new" : "is no longer made");
		}
	}
}

/* "0", "SIGKILL", "" when it never ended */
static const char *exit_text(const json_t *run, char *buf, size_t size)
{
	const json_t *exit = json_object_get(run, "exit"), *code = json_object_get(exit, "code");
	buf[0] = '\0';
	if (code)
		return text_value(code, buf, size);
	text_add(buf, size, "%s", text_of(exit, "signal"));
	return buf;
}

static void compare_run(struct comparison *c, const char *scenario, const json_t *a, const json_t *b)
{
	const char *name = text_of(a, "name");
	char before[TEXT_MAX], after[TEXT_MAX];
	compare_verdict(c, scenario, name, a, b);
	/* A run that only one side made has nothing to compare but that. */
	if (!json_object_get(a, "outcome") || !json_object_get(b, "outcome"))
		return;
	bool same = !strcmp(text_outcome(a, before, sizeof(before)), text_outcome(b, after, sizeof(after)));
	moved(c, scenario, name, "outcome", before, after);
	if (same) { /* the exit status repeats most other outcomes */
		moved(c, scenario, name, "exit", exit_text(a, before, sizeof(before)),
		      exit_text(b, after, sizeof(after)));
		moved(c, scenario, name, "panic", text_of2(a, "outcome", "text"), text_of2(b, "outcome", "text"));
	}
	cause_moved(c, scenario, a, b);
	if (same)
		checks_moved(c, scenario, a, b);
}

/* Objects of an array by their name; borrowed. */
json_t *compare_index(const json_t *list)
{
	json_t *index = json_object(), *item;
	size_t i;
	json_array_foreach (list, i, item) {
		if (index && json_object_set(index, text_of(item, "name"), item) < 0) {
			json_decref(index);
			return NULL;
		}
	}
	return index;
}

static void only_in(struct comparison *c, const char *scenario, const json_t *run, const json_t *of, const char *file)
{
	compare_begin(c, scenario, run ? text_of(run, "name") : NULL);
	(void)fprintf(c->out, "only in ");
	put(c, file);
	(void)fprintf(c->out, " (%s)\n", text_of(of, "verdict"));
}

static int compare_runs(struct comparison *c, const char *scenario, const json_t *a, const json_t *b)
{
	json_auto_t *in_a = compare_index(a), *in_b = compare_index(b);
	const json_t *run = NULL;
	size_t i;
	if (!in_a || !in_b)
		return -ENOMEM;
	json_array_foreach (a, i, run) {
		const json_t *other = json_object_get(in_b, text_of(run, "name"));
		if (other)
			compare_run(c, scenario, run, other);
		else if (!json_object_get(c->partly, scenario))
			only_in(c, scenario, run, run, c->name_a);
	}
	json_array_foreach (b, i, run)
		if (!json_object_get(in_a, text_of(run, "name")))
			only_in(c, scenario, run, run, c->name_b);
	return 0;
}

static int compare_scenario(struct comparison *c, const json_t *a, const json_t *b)
{
	const char *name = text_of(a, "name");
	const json_t *runs_a = json_object_get(a, "runs"), *runs_b = json_object_get(b, "runs");
	compare_verdict(c, name, NULL, a, b);
	/* Skipped as a whole on one side: the verdict has said it, a line per run would only repeat it. */
	if (!json_array_size(runs_a) || !json_array_size(runs_b))
		return 0;
	int r = compare_runs(c, name, runs_a, runs_b);
	return r < 0 ? r
		     : compare_boundaries(c, name, json_object_get(a, "boundaries"), json_object_get(b, "boundaries"));
}

static int compare_scenarios(struct comparison *c, const json_t *list_a, const json_t *list_b)
{
	json_auto_t *in_a = compare_index(list_a), *in_b = compare_index(list_b);
	const json_t *scenario = NULL;
	size_t i;
	if (!in_a || !in_b)
		return -ENOMEM;
	json_array_foreach (list_a, i, scenario) {
		const json_t *other = json_object_get(in_b, text_of(scenario, "name"));
		int r = 0;
		if (other)
			r = compare_scenario(c, scenario, other);
		else if (!c->selected_only)
			only_in(c, text_of(scenario, "name"), NULL, scenario, c->name_a);
		if (r < 0)
			return r;
	}
	json_array_foreach (list_b, i, scenario)
		if (!json_object_get(in_a, text_of(scenario, "name")))
			only_in(c, text_of(scenario, "name"), NULL, scenario, c->name_b);
	return 0;
}

/* A result as it can be compared with the other one; a new reference to it. */
static json_t *comparable(const json_t *result, const json_t *other)
{
	if (result_is_reference(other) && !result_is_reference(result))
		return result_stable(result);
	return json_incref((json_t *)(uintptr_t)result);
}

int compare_pair(struct comparison *c, const json_t *a, const json_t *b)
{
	json_auto_t *left = comparable(a, b), *right = comparable(b, a);
	if (!left || !right)
		return -ENOMEM;
	c->host_a = json_object_get(left, "host");
	c->host_b = json_object_get(right, "host");
	return compare_scenarios(c, json_object_get(left, "scenarios"), json_object_get(right, "scenarios"));
}

int compare_results(const json_t *a, const json_t *b, const char *name_a, const char *name_b, FILE *out)
{
	struct comparison c = {.out = out, .name_a = name_a, .name_b = name_b};
	int r = compare_pair(&c, a, b);
	return r < 0 ? r : c.differences;
}
