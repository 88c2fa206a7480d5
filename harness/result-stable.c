// SPDX-License-Identifier: MIT
/*
 * The part of a result that is the same wherever and whenever the same kernel runs the same scenarios: what a reference
 * in version control holds.
 */
#include <ctype.h>
#include <string.h>

#include "cleanup.h"
#include "report-set.h"
#include "report-text.h"
#include "report.h"
#include "reported.h"

static const char *const outcome_members[] = {"kind", "call", "errno", "signal", "si_code",
					      "oom",  "code", "text",  NULL};

/* Copy the members named, in this order; what is not there is left out. */
static int copy(json_t *to, const json_t *from, const char *const *members)
{
	for (; *members; members++) {
		json_t *value = json_object_get(from, *members);
		if (value && json_object_set(to, *members, value) < 0)
			return -ENOMEM;
	}
	return 0;
}

char *result_series(const json_t *result, char *buf, size_t size)
{
	const char *release = text_of2(result, "host", "kernel");
	size_t major = strspn(release, "0123456789");
	size_t minor = release[major] == '.' ? strspn(release + major + 1, "0123456789") : 0;
	buf[0] = '\0';
	if (major && minor)
		text_add(buf, size, "%.*s", (int)(major + 1 + minor), release);
	else
		text_add(buf, size, "%s", *release ? release : "-");
	return buf;
}

json_t *result_stable_reason(const json_t *result, const char *reason)
{
	const char *release = text_of2(result, "host", "kernel"), *at = *release ? strstr(reason, release) : NULL;
	char series[TEXT_MAX];
	if (!at)
		return json_string(reason);
	return json_sprintf("%.*s%s%s", (int)(at - reason), reason, result_series(result, series, sizeof(series)),
			    at + strlen(release));
}

static int add_reason(json_t *to, const json_t *result, const json_t *of)
{
	if (strcmp(text_of(of, "verdict"), "skip") != 0 || !*text_of(of, "reason"))
		return 0;
	return json_object_set_new(to, "reason", result_stable_reason(result, text_of(of, "reason")));
}

static int by_text(const void *a, const void *b)
{
	return strcmp(text_of(*(json_t *const *)a, "what"), text_of(*(json_t *const *)b, "what"));
}

/* What was asserted and whether it held; sorted, because the judge may look at things in another order one day. */
static json_t *stable_checks(const json_t *checks)
{
	static const char *const members[] = {"what", "ok", NULL};
	size_t i, count = json_array_size(checks);
	json_auto_t *list = json_array();
	auto_free json_t **sorted = calloc(count + 1, sizeof(json_t *));
	if (!sorted || !list)
		return NULL;
	for (i = 0; i < count; i++)
		sorted[i] = json_array_get(checks, i);
	qsort(sorted, count, sizeof(json_t *), by_text);
	for (i = 0; i < count; i++) {
		json_t *check = json_object();
		if (copy(check, sorted[i], members) < 0 || json_array_append_new(list, check) < 0)
			return NULL;
	}
	return steal(list);
}

static int add_part(json_t *to, const char *key, const json_t *from, const char *const *members)
{
	json_t *part;
	if (!json_is_object(from))
		return 0;
	part = json_object();
	if (copy(part, from, members) == 0 && json_object_set(to, key, part) == 0) {
		json_decref(part);
		return 0;
	}
	json_decref(part);
	return -ENOMEM;
}

/*
 * Of a trigger: what the program said of it, and which call was refused where that is not the outcome (an exec refused
 * too late to return kills).
 */
static int add_refusal(json_t *to, const json_t *run)
{
	static const char *const members[] = {"at", "call", "errno", NULL};
	const json_t *moment = json_object_get(run, "failing_moment");
	json_t *reported;
	int r = 0;
	if (strcmp(text_of(run, "role"), "trigger") != 0)
		return 0;
	if (!strcmp(text_of(moment, "at"), "call") && strcmp(text_of2(run, "outcome", "kind"), "errno") != 0)
		r = add_part(to, "failing_moment", moment, members);
	reported = r ? NULL : reported_by(run);
	return reported ? json_object_set_new(to, "reported", reported) : r;
}

static json_t *stable_run(const json_t *result, const json_t *run)
{
	static const char *const members[] = {"name", "case", "role", "helps", "described", "verdict", "note", NULL};
	static const char *const cause[] = {"id", "also_refusing", NULL};
	json_auto_t *to = json_object();
	const json_t *checks = json_object_get(run, "checks");
	int r = copy(to, run, members);
	/* How it ended this time is not what is the same everywhere. */
	if (json_is_true(json_object_get(run, "described")))
		return r ? NULL : steal(to);
	r |= add_reason(to, result, run);
	r |= add_part(to, "outcome", json_object_get(run, "outcome"), outcome_members);
	r |= add_part(to, "cause", json_object_get(run, "cause"), cause);
	r |= add_refusal(to, run);
	if (checks)
		r |= json_object_set_new(to, "checks", stable_checks(checks));
	return r ? NULL : steal(to);
}

/* Numbers only where the kernel is exact: others differ from search to search. */
static json_t *stable_boundary(const json_t *boundary)
{
	static const char *const always[] = {"name", "case", "varied", "verdict", "tolerance", NULL};
	static const char *const exact[] = {"predicted", "last_granted", "first_refused", "difference", NULL};
	json_auto_t *to = json_object();
	int r = copy(to, boundary, always);
	if (text_integer(boundary, "tolerance", 0) == 0)
		r |= copy(to, boundary, exact);
	return r ? NULL : steal(to);
}

/* Those that were searched for and answered; what was skipped says nothing of the kernel. */
static int add_boundaries(json_t *to, const json_t *scenario)
{
	const json_t *boundary = NULL;
	json_auto_t *list = json_array();
	size_t i;
	json_array_foreach (json_object_get(scenario, "boundaries"), i, boundary)
		if (strcmp(text_of(boundary, "verdict"), "skip") != 0 &&
		    json_array_append_new(list, stable_boundary(boundary)) < 0)
			return -ENOMEM;
	return json_array_size(list) ? json_object_set(to, "boundaries", list) : 0;
}

static json_t *stable_scenario(const json_t *result, const json_t *scenario)
{
	static const char *const members[] = {"name", "verdict", "note", NULL};
	json_auto_t *to = json_object();
	json_t *runs = json_array();
	const json_t *run = NULL;
	size_t i;
	int r = copy(to, scenario, members);
	r |= add_reason(to, result, scenario);
	r |= json_object_set_new(to, "runs", runs);
	json_array_foreach (json_object_get(scenario, "runs"), i, run)
		if (!r)
			r = json_array_append_new(runs, stable_run(result, run));
	if (!r)
		r = add_boundaries(to, scenario);
	return r ? NULL : steal(to);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(text_of(*(json_t *const *)a, "name"), text_of(*(json_t *const *)b, "name"));
}

/* Scenarios by name: results of several machines or of another order of the command line give the same file. */
static int add_scenarios(json_t *to, const json_t *result)
{
	const json_t *scenarios = json_object_get(result, "scenarios");
	size_t i, count = json_array_size(scenarios);
	auto_free json_t **sorted = calloc(count + 1, sizeof(json_t *));
	if (!sorted)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		sorted[i] = json_array_get(scenarios, i);
	qsort(sorted, count, sizeof(json_t *), by_name);
	for (i = 0; i < count; i++)
		if (json_array_append_new(to, stable_scenario(result, sorted[i])) < 0)
			return -ENOMEM;
	return 0;
}

json_t *result_stable(const json_t *result)
{
	char series[TEXT_MAX];
	json_t *scenarios = json_array();
	const char *profile = text_of2(result, "host", "profile");
	json_auto_t *to = json_pack("{s:s, s:{s:s, s:s}, s:o}", "schema", REFERENCE_SCHEMA, "host", "kernel",
				    result_series(result, series, sizeof(series)), "cgroup",
				    *text_of2(result, "host", "cgroup") ? text_of2(result, "host", "cgroup") : "none",
				    "scenarios", scenarios);
	if (!to || add_scenarios(scenarios, result) < 0)
		return NULL;
	if (*profile && json_object_set_new(json_object_get(to, "host"), "profile", json_string(profile)) < 0)
		return NULL;
	return steal(to);
}
