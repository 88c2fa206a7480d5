// SPDX-License-Identifier: MIT
/*
 * What differs between the kernels of one row, in words taken from the evidence: "outcome: on 5.10 and 6.1, mmap
 * ENOMEM; on 6.12, SIGKILL (OOM)".
 */
#include <errno.h>
#include <string.h>

#include "report-boundary.h"
#include "report-matrix.h"
#include "report-set.h"
#include "report-text.h"

#define SENTENCE_MAX (8 * TEXT_MAX)

/* What each result has to say about one thing: a text, or NULL where it has nothing to say. */
struct facet {
	const json_t *results, *labels, *row;
	json_t *texts; /* array of text or null */
};

/* "5.10, 6.1 and 6.12": the results whose text this is. */
static void add_kernels(const struct facet *f, const json_t *text, char *buf, size_t size)
{
	size_t i, count = 0, said = 0;
	const json_t *other = NULL;
	json_array_foreach (f->texts, i, other)
		count += json_equal(other, text);
	json_array_foreach (f->texts, i, other) {
		if (!json_equal(other, text))
			continue;
		text_add(buf, size, "%s%s",
			 !said               ? ""
			 : said + 1 == count ? " and "
					     : ", ",
			 json_string_value(json_array_get(f->labels, i)));
		said++;
	}
}

/* Is there more than one text? */
static bool differ(const json_t *texts)
{
	const json_t *text = NULL, *first = NULL;
	size_t i;
	json_array_foreach (texts, i, text) {
		if (!json_is_string(text))
			continue;
		if (first && !json_equal(first, text))
			return true;
		first = first ? first : text;
	}
	return false;
}

/* One sentence about all that have something to say. */
static int tell(const struct facet *f, const char *what, json_t *list)
{
	char sentence[SENTENCE_MAX] = "";
	json_auto_t *seen = json_object();
	const json_t *text = NULL;
	size_t i;
	text_add(sentence, sizeof(sentence), "%s: ", what);
	json_array_foreach (f->texts, i, text) {
		const char *value = json_string_value(text);
		if (!value || json_object_get(seen, value))
			continue;
		text_add(sentence, sizeof(sentence), "%son ", json_object_size(seen) ? "; " : "");
		add_kernels(f, text, sentence, sizeof(sentence));
		text_add(sentence, sizeof(sentence), ", %s", value);
		if (json_object_set_new(seen, value, json_true()) < 0)
			return -ENOMEM;
	}
	if (!json_object_size(seen))
		return 0;
	return json_array_append_new(list, json_string(sentence));
}

typedef json_t *teller(const json_t *result, const json_t *scenario, const json_t *row);

/* Ask every result; a sentence when they differ (or always). */
static int ask(struct facet *f, const char *what, teller *say, bool always, json_t *list)
{
	const json_t *result = NULL;
	size_t i;
	json_auto_t *texts = json_array();
	json_array_foreach (f->results, i, result) {
		const json_t *scenario = matrix_scenario(result, f->row);
		json_t *text = say(result, scenario, f->row);
		if (json_array_append_new(texts, text) < 0)
			return -ENOMEM;
	}
	f->texts = texts;
	return always || differ(texts) ? tell(f, what, list) : 0;
}

static bool is(const json_t *scenario, const json_t *row, const char *verdict)
{
	return !strcmp(matrix_verdict(scenario, row), verdict);
}

/* The run whose evidence a cell shows; NULL when it did not happen. */
static const json_t *shown_run(const json_t *scenario, const json_t *row)
{
	const json_t *run = matrix_trigger(scenario, row);
	return json_object_get(run, "outcome") ? run : NULL;
}

static json_t *say_verdict(const json_t *result, const json_t *scenario, const json_t *row)
{
	const char *verdict = matrix_verdict(scenario, row);
	(void)result;
	return *verdict ? json_string(verdict)
			: json_null(); /* not asked for there: no difference, see matrix_absent() */
}

static json_t *say_outcome(const json_t *result, const json_t *scenario, const json_t *row)
{
	const json_t *run = shown_run(scenario, row);
	char text[TEXT_MAX];
	(void)result;
	return run ? json_string(text_outcome(run, text, sizeof(text))) : json_null();
}

static json_t *say_panic(const json_t *result, const json_t *scenario, const json_t *row)
{
	const char *text = text_of2(shown_run(scenario, row), "outcome", "text");
	(void)result;
	return *text ? json_string(text) : json_null();
}

static json_t *say_cause(const json_t *result, const json_t *scenario, const json_t *row)
{
	const json_t *run = shown_run(scenario, row);
	const char *id = text_of2(run, "cause", "id");
	(void)result;
	return !run ? json_null() : json_string(*id ? id : "no limit that is known");
}

/* Why it was skipped: of the case, else of the whole. */
static json_t *say_skip(const json_t *result, const json_t *scenario, const json_t *row)
{
	const json_t *run = NULL;
	size_t i;
	const char *reason = text_of(scenario, "reason");
	if (!is(scenario, row, "skip"))
		return json_null();
	json_array_foreach (json_object_get(scenario, "runs"), i, run) {
		if (!strcmp(text_of(run, "case"), text_of(row, "case")) && !strcmp(text_of(run, "verdict"), "skip")) {
			reason = text_of(run, "reason");
			break;
		}
	}
	return *reason ? result_stable_reason(result, reason) : json_string("no reason given");
}

static json_t *say_wrong(const json_t *result, const json_t *scenario, const json_t *row)
{
	const json_t *run = NULL;
	size_t i;
	(void)result;
	const char *verdict = matrix_verdict(scenario, row);
	if (strcmp(verdict, "fail") != 0 && strcmp(verdict, "broken") != 0)
		return json_null();
	json_array_foreach (json_object_get(scenario, "boundaries"), i, run)
		if (!strcmp(text_of(run, "case"), text_of(row, "case")) && !strcmp(text_of(run, "verdict"), verdict))
			return json_sprintf("%s: %s", text_of(run, "name"),
					    *text_of(run, "reason") ? text_of(run, "reason") : verdict);
	json_array_foreach (json_object_get(scenario, "runs"), i, run)
		if (!strcmp(text_of(run, "case"), text_of(row, "case")) && !strcmp(text_of(run, "verdict"), verdict))
			return json_sprintf("%s: %s", text_of(run, "name"),
					    *text_of(run, "reason") ? text_of(run, "reason") : verdict);
	return json_string(*text_of(scenario, "reason") ? text_of(scenario, "reason") : verdict);
}

/* The limit's numbers. A bound that only follows the host's RAM is told as the first result's. */
static json_t *bound_text(const json_t *results, size_t at, const json_t *row)
{
	const json_t *result = json_array_get(results, at), *run = shown_run(matrix_scenario(result, row), row);
	const json_t *cause = json_object_get(run, "cause"), *other = NULL;
	char text[TEXT_MAX], number[64];
	size_t i;
	if (!json_object_get(cause, "bound"))
		return json_null();
	json_array_foreach (results, i, other) {
		const json_t *first = shown_run(matrix_scenario(other, row), row);
		const struct bounded a = {json_object_get(other, "host"), first},
				     b = {json_object_get(result, "host"), run};
		if (i < at && !strcmp(text_of2(first, "cause", "id"), text_of(cause, "id")) &&
		    !json_equal(json_object_get(json_object_get(first, "cause"), "bound"),
				json_object_get(cause, "bound")) &&
		    same_bound(&a, &b))
			return bound_text(results, i, row);
	}
	if (strcmp(text_of(cause, "unit"), "bytes") != 0)
		return json_string(*text_arithmetic(cause, text, sizeof(text)) ? text : "no number");
	return json_sprintf("%s bytes", json_is_null(json_object_get(cause, "bound"))
						? "unlimited"
						: text_value(json_object_get(cause, "bound"), number, sizeof(number)));
}

/* Boundaries of results that name the same cause; where causes differ, that is the difference. */
static int ask_bound(struct facet *f, json_t *list)
{
	json_auto_t *texts = json_array();
	const char *id = NULL;
	for (size_t i = 0; i < json_array_size(f->results); i++) {
		const json_t *run = shown_run(matrix_scenario(json_array_get(f->results, i), f->row), f->row);
		if (id && run && strcmp(id, text_of2(run, "cause", "id")) != 0)
			return 0;
		if (run)
			id = text_of2(run, "cause", "id");
		if (json_array_append_new(texts, run ? bound_text(f->results, i, f->row) : json_null()) < 0)
			return -ENOMEM;
	}
	f->texts = texts;
	return differ(texts) ? tell(f, "limit", list) : 0;
}

/* How far the boundary is from its prediction: where it is differs with the machine. */
static json_t *say_boundary(const json_t *result, const json_t *scenario, const json_t *row)
{
	const json_t *boundary = boundary_of_case(scenario, text_of(row, "case"), NULL);
	(void)result;
	if (!json_is_integer(json_object_get(boundary, "difference")) || text_integer(boundary, "tolerance", 0) > 0)
		return json_null();
	return json_sprintf("%+" JSON_INTEGER_FORMAT, text_integer(boundary, "difference", 0));
}

static const json_t *find_run(const json_t *scenario, const char *name)
{
	const json_t *run = NULL;
	size_t i;
	json_array_foreach (json_object_get(scenario, "runs"), i, run)
		if (!strcmp(text_of(run, "name"), name))
			return run;
	return NULL;
}

/* Another run of the case: a control, a remedy, a further trigger. */
static int ask_run(struct facet *f, const json_t *run, json_t *list)
{
	json_auto_t *texts = json_array();
	char what[TEXT_MAX] = "", outcome[TEXT_MAX];
	for (size_t i = 0; i < json_array_size(f->results); i++) {
		const json_t *scenario = matrix_scenario(json_array_get(f->results, i), f->row);
		const json_t *same = find_run(scenario, text_of(run, "name"));
		json_t *text =
			json_null(); /* the scenario or the case did not run there: said once, not once per run */
		bool asked = *matrix_verdict(scenario, f->row) && json_array_size(json_object_get(scenario, "runs"));
		if (asked && same)
			text = json_sprintf(
				"%s%s%s", text_of(same, "verdict"), json_object_get(same, "outcome") ? ", " : "",
				json_object_get(same, "outcome") ? text_outcome(same, outcome, sizeof(outcome)) : "");
		else if (asked)
			text = json_string("not made");
		if (json_array_append_new(texts, text) < 0)
			return -ENOMEM;
	}
	f->texts = texts;
	text_add(what, sizeof(what), "%s \"%s\"", text_of(run, "role"), text_of(run, "name"));
	return differ(texts) ? tell(f, what, list) : 0;
}

static bool asserts(const json_t *run, const char *what)
{
	const json_t *check = NULL;
	size_t i;
	json_array_foreach (json_object_get(run, "checks"), i, check)
		if (!strcmp(text_of(check, "what"), what))
			return true;
	return false;
}

/* An assertion that the manifest makes on some kernels only. Of results that ended otherwise it says nothing. */
static int ask_check(struct facet *f, const json_t *of, const char *what, json_t *list)
{
	json_auto_t *texts = json_array();
	char text[TEXT_MAX] = "", ended[TEXT_MAX], outcome[TEXT_MAX];
	(void)text_outcome(of, ended, sizeof(ended));
	for (size_t i = 0; i < json_array_size(f->results); i++) {
		const json_t *run = shown_run(matrix_scenario(json_array_get(f->results, i), f->row), f->row);
		bool alike = run && !strcmp(text_outcome(run, outcome, sizeof(outcome)), ended) &&
			     !strcmp(text_of(run, "name"), text_of(of, "name")) && json_object_get(run, "checks");
		json_t *said = !alike ? json_null() : json_string(asserts(run, what) ? "asserted" : "not asserted");
		if (json_array_append_new(texts, said) < 0)
			return -ENOMEM;
	}
	f->texts = texts;
	text_add(text, sizeof(text), "check \"%s\"", what);
	return differ(texts) ? tell(f, text, list) : 0;
}

/* Everything that more than one result has, each once. */
static int ask_each(struct facet *f, json_t *list)
{
	json_auto_t *seen_runs = json_object(), *seen_checks = json_object();
	const json_t *result = NULL, *run = NULL, *check = NULL;
	size_t i, k, n;
	int r = 0;
	json_array_foreach (f->results, i, result) {
		const json_t *scenario = matrix_scenario(result, f->row), *shown = shown_run(scenario, f->row);
		json_array_foreach (json_object_get(scenario, "runs"), k, run) {
			const char *name = text_of(run, "name");
			if (run == shown || strcmp(text_of(run, "case"), text_of(f->row, "case")) != 0 ||
			    json_object_get(seen_runs, name))
				continue;
			r |= json_object_set_new(seen_runs, name, json_true());
			/* Of what the cells show, the outcome was told. */
			if (strcmp(text_of(run, "role"), "trigger") != 0 || shown)
				r |= ask_run(f, run, list);
		}
		json_array_foreach (json_object_get(shown, "checks"), n, check) {
			const char *what = text_of(check, "what");
			if (json_object_get(seen_checks, what))
				continue;
			r |= json_object_set_new(seen_checks, what, json_true());
			r |= ask_check(f, shown, what, list);
		}
	}
	return r ? -ENOMEM : 0;
}

/* What the manifest's author wrote, of the scenario and of the row's runs, each text once. */
static int add_notes(const struct facet *f, json_t *notes)
{
	json_auto_t *seen = json_object();
	const json_t *result = NULL, *run = NULL;
	size_t i, k;
	json_array_foreach (f->results, i, result) {
		const json_t *scenario = matrix_scenario(result, f->row);
		const char *note = text_of(scenario, "note");
		if (*note && !json_object_get(seen, note) &&
		    (json_object_set_new(seen, note, json_true()) < 0 ||
		     json_array_append_new(notes, json_string(note)) < 0))
			return -ENOMEM;
		json_array_foreach (json_object_get(scenario, "runs"), k, run) {
			note = text_of(run, "note");
			if (*note && !strcmp(text_of(run, "case"), text_of(f->row, "case")) &&
			    !json_object_get(seen, note) &&
			    (json_object_set_new(seen, note, json_true()) < 0 ||
			     json_array_append_new(notes, json_string(note)) < 0))
				return -ENOMEM;
		}
	}
	return 0;
}

int matrix_explain(const json_t *results, const json_t *labels, json_t *row)
{
	struct facet f = {.results = results, .labels = labels, .row = row};
	json_t *list = json_array(), *wrong = json_array(), *notes = json_array();
	int r = json_object_set_new(row, "differences", list) | json_object_set_new(row, "wrong", wrong) |
		json_object_set_new(row, "notes", notes);
	if (r)
		return -ENOMEM;
	r |= ask(&f, "reason", say_wrong, true, wrong);
	r |= ask(&f, "verdict", say_verdict, false, list);
	r |= ask(&f, "skipped", say_skip, json_array_size(list) > 0, list);
	r |= ask(&f, "outcome", say_outcome, false, list);
	r |= ask(&f, "panic", say_panic, false, list);
	r |= ask(&f, "refused by", say_cause, false, list);
	r |= ask_bound(&f, list);
	r |= ask(&f, "boundary, from where it was predicted", say_boundary, false, list);
	r |= ask_each(&f, list);
	if (!r && json_array_size(list))
		r = add_notes(&f, notes);
	return r ? -ENOMEM : 0;
}
