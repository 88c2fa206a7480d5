// SPDX-License-Identifier: MIT
/*
 * Real runs as answers to the search, and what it found as data. See locate.h.
 */
#include "locate.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "clock.h"
#include "judge-check.h"
#include "number.h"
#include "plan-internal.h"
#include "report-text.h"

static const char *varied(const struct locate_text *text)
{
	return text->argument ? text->argument : text->setting;
}

/* One of the manifest's amounts; sets why_not where this machine is too small for it. */
static void resolve(struct locate *l, const char *what, const char *text, uint64_t *ret)
{
	if (!l->why_not[0] && text && plan_amount(text, l->machine, ret) < 0)
		(void)snprintf(l->why_not, sizeof(l->why_not), "%s '%s' has no value here", what, text);
}

bool locate_prepare(const struct plan_run *trigger, const json_t *evidence, const struct machine *machine,
		    struct locate *ret)
{
	struct locate l = {.run = trigger, .machine = machine, .evidence = evidence};
	const char *verdict = text_of(evidence, "verdict");
	if (!locate_merge(trigger->scenario, trigger->case_text, &l.text))
		return false;
	auto_free char *unmet = l.text.has_when ? plan_missing(&l.text.when, machine) : NULL;
	if (unmet && !l.text.elsewhere)
		return false;
	l.text.predicted = unmet ? l.text.elsewhere : l.text.predicted;
	resolve(&l, "step", l.text.step, &l.step);
	resolve(&l, "granted", l.text.granted, &l.granted);
	resolve(&l, "refused", l.text.refused, &l.refused);
	resolve(&l, "tolerance", l.text.tolerance, &l.tolerance);
	uint64_t apart = l.granted > l.refused ? l.granted - l.refused : l.refused - l.granted;
	if (!l.why_not[0] && (l.step == 0 || apart < l.step))
		(void)snprintf(l.why_not, sizeof(l.why_not),
			       "there is no step between what is granted and what is refused");
	if (strcmp(verdict, "pass") != 0)
		(void)snprintf(l.why_not, sizeof(l.why_not), "its trigger did not pass: %s",
			       text_of(evidence, "reason"));
	*ret = l;
	return true;
}

static json_t *describe(const struct locate *l)
{
	const struct case_text *c = l->run->case_text;
	json_t *b = json_pack("{s:o, s:s, s:s, s:s, s:s, s:I}", "name",
			      json_sprintf("%s%sboundary of %s", c ? c->name : "", c ? ": " : "", varied(&l->text)),
			      "case", c ? c->name : "", "run", l->run->name, "varied", varied(&l->text), "predicted_by",
			      l->text.predicted, "tolerance", (json_int_t)l->tolerance);
	if (l->run->expect.cause)
		(void)json_object_set_new(b, "cause", json_string(l->run->expect.cause));
	if (l->text.why)
		(void)json_object_set_new(b, "why", json_string(l->text.why));
	return b;
}

static void put_verdict(json_t *boundary, const char *verdict, const char *reason)
{
	(void)json_object_set_new(boundary, "verdict", json_string(verdict));
	if (*reason)
		(void)json_object_set_new(boundary, "reason", judge_text(reason));
}

json_t *locate_without(const struct locate *l, const char *verdict, const char *reason)
{
	json_t *b = describe(l);
	put_verdict(b, verdict, reason);
	return b;
}

/* The prediction by a run that was refused: amounts of the machine, and what was measured at its failing moment. */
static int predict(const struct locate *l, const json_t *evidence, __int128 *ret)
{
	json_auto_t *cause = judge_cause(evidence);
	const struct judgement j = {.evidence = evidence, .run = l->run, .machine = l->machine, .cause = cause};
	const char *text = l->text.predicted;
	char term[SUM_TERM_MAX];
	bool minus, bad = false;
	*ret = 0;
	while (sum_next(&text, term, &minus, &bad)) {
		__int128 value = 0;
		uint64_t number = 0;
		bool unlimited = false;
		if (metric_path_valid(term, strlen(term))) {
			if (judge_metric(&j, term, &value, &unlimited) < 0 || unlimited)
				return -ENOENT;
		} else {
			if (plan_amount(term, l->machine, &number) < 0)
				return -ENOENT;
			value = number;
		}
		*ret += minus ? -value : value;
	}
	return bad || *ret > INT64_MAX || *ret < INT64_MIN ? -ENOENT : 0;
}

/* What the answers of one search have in common. */
struct inquiry {
	const struct locate *l;
	locate_runner *run;
	void *data;
	const atomic_bool *interrupted;
	json_t *tried;
	unsigned made;       /* runs: a question that was not asked any more is none */
	__int128 predicted;  /* by the last run that was refused */
	const char *verdict; /* of what stopped it; NULL: nothing did */
	char reason[2 * TEXT_MAX];
};

static enum locate_answer stop(struct inquiry *q, const char *verdict, const char *reason)
{
	q->verdict = verdict;
	(void)snprintf(q->reason, sizeof(q->reason), "%s", reason);
	return LOCATE_STOP;
}

static bool passed(const json_t *evidence)
{
	return !strcmp(text_of(evidence, "verdict"), "pass");
}

/* Granted only as a control is, refused only as the trigger is; anything else ends the search. */
static enum locate_answer weigh(struct inquiry *q, json_t *evidence, const struct plan_run *probe)
{
	static char success[] = "0";
	struct plan_run control = *probe;
	control.role = ROLE_CONTROL;
	control.expect = (struct expect){.exit = success};
	if (judge_run(evidence, &control, q->l->machine) < 0)
		return stop(q, "broken", "no memory to judge it");
	if (passed(evidence))
		return LOCATE_GRANTED;
	char as_control[TEXT_MAX];
	(void)snprintf(as_control, sizeof(as_control), "%s", text_of(evidence, "reason"));
	if (judge_run(evidence, probe, q->l->machine) < 0)
		return stop(q, "broken", "no memory to judge it");
	if (passed(evidence))
		return predict(q->l, evidence, &q->predicted) < 0 ? stop(q, "fail", "it makes no prediction")
								  : LOCATE_REFUSED;
	const char *verdict = text_of(evidence, "verdict");
	bool done = !strcmp(text_of2(evidence, "outcome", "kind"), "success");
	return stop(q,
		    !strcmp(verdict, "fail")   ? "fail"
		    : !strcmp(verdict, "skip") ? "skip"
					       : "broken",
		    done ? as_control : text_of(evidence, "reason"));
}

static enum locate_answer ask(void *data, uint64_t value)
{
	struct inquiry *q = data;
	struct plan_run probe;
	if (*q->interrupted)
		return stop(q, "skip", "interrupted");
	if (plan_probe(q->l->run, q->l->machine, value, &probe) < 0)
		return stop(q, "broken", "it cannot be planned");
	json_auto_t *evidence = q->run(q->data, &probe);
	q->made++;
	enum locate_answer answer =
		evidence ? weigh(q, evidence, &probe) : stop(q, "broken", "no memory for its evidence");
	plan_run_free(&probe);
	if (*q->interrupted)
		return stop(q, "skip", "interrupted");
	static const char *const word[] = {"granted", "refused", "neither"};
	(void)json_array_append_new(q->tried,
				    json_pack("{s:I, s:s}", "value", (json_int_t)value, "answer", word[answer]));
	return answer;
}

/* Only where both numbers were found: the prediction's difference decides. */
static void compare(const struct locate *l, const struct locate_found *found, json_int_t predicted, json_t *b)
{
	char reason[TEXT_MAX];
	json_int_t difference = (json_int_t)((__int128)found->last_granted - predicted);
	uint64_t apart = (uint64_t)(difference < 0 ? -difference : difference);
	(void)json_object_set_new(b, "last_granted", json_integer((json_int_t)found->last_granted));
	(void)json_object_set_new(b, "first_refused", json_integer((json_int_t)found->first_refused));
	(void)json_object_set_new(b, "difference", json_integer(difference));
	if (found->wavers)
		(void)json_object_set_new(b, "wavers", json_true());
	(void)snprintf(reason, sizeof(reason),
		       "predicted %" JSON_INTEGER_FORMAT " as the last that is granted, located %" JSON_INTEGER_FORMAT
		       " (difference %+" JSON_INTEGER_FORMAT ", tolerance %" JSON_INTEGER_FORMAT ")",
		       predicted, (json_int_t)found->last_granted, difference, (json_int_t)l->tolerance);
	put_verdict(b, apart > l->tolerance ? "fail" : "pass", apart > l->tolerance ? reason : "");
}

static void conclude(const struct inquiry *q, const struct locate_found *found, json_int_t predicted, json_t *b)
{
	char reason[3 * TEXT_MAX];
	json_int_t at = (json_int_t)found->at;
	switch (found->end) {
	case LOCATED:
		compare(q->l, found, predicted, b);
		return;
	case LOCATE_NEVER_REFUSED:
	case LOCATE_NEVER_GRANTED:
		(void)snprintf(
			reason, sizeof(reason),
			found->end == LOCATE_NEVER_REFUSED
				? "never refused: %" JSON_INTEGER_FORMAT
				  " was granted, the furthest that was tried (predicted %" JSON_INTEGER_FORMAT ")"
				: "never granted: %" JSON_INTEGER_FORMAT
				  " was refused, the furthest that was tried (predicted %" JSON_INTEGER_FORMAT ")",
			at, predicted);
		break;
	case LOCATE_TURNED:
		(void)snprintf(reason, sizeof(reason),
			       "no boundary: %" JSON_INTEGER_FORMAT " was %s, and %s when it was asked again", at,
			       found->granted_at ? "granted" : "refused", found->granted_at ? "refused" : "granted");
		break;
	case LOCATE_STOPPED:
		(void)snprintf(reason, sizeof(reason), "at %" JSON_INTEGER_FORMAT ": %s", at,
			       q->verdict ? q->reason : "too many probes");
		put_verdict(b, q->verdict ? q->verdict : "fail", reason);
		return;
	}
	put_verdict(b, "fail", reason);
}

json_t *locate_boundary(const struct locate *l, locate_runner *run, void *data, const atomic_bool *interrupted)
{
	struct inquiry q = {.l = l, .run = run, .data = data, .interrupted = interrupted};
	struct locate_search s = {l->granted, l->refused, l->step, 0, l->tolerance, ask, &q};
	struct locate_found found;
	if (l->why_not[0])
		return locate_without(l, "skip", l->why_not);
	if (predict(l, l->evidence, &q.predicted) < 0)
		return locate_without(l, "fail", "the trigger's numbers make no prediction");
	json_int_t begin = (json_int_t)clock_now_ns();
	q.tried = json_array();
	s.predicted = locate_on_grid(&s, q.predicted);
	locate_search(&s, &found);
	/* By the numbers of the run that was refused last: it is the nearest to the boundary. */
	json_int_t predicted = (json_int_t)locate_on_grid(&s, q.predicted);
	json_t *b = describe(l);
	(void)json_object_set_new(b, "step", json_integer((json_int_t)l->step));
	(void)json_object_set_new(b, "predicted", json_integer(predicted));
	(void)json_object_set_new(b, "probes", json_integer(q.made));
	(void)json_object_set_new(b, "tried", q.tried);
	(void)json_object_set_new(b, "duration_ns", json_integer((json_int_t)clock_now_ns() - begin));
	conclude(&q, &found, predicted, b);
	return b;
}
