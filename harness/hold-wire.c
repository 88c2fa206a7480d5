// SPDX-License-Identifier: MIT
/*
 * See hold-wire.h. What comes from a guest may be anything: a tool was at work there.
 */
#include "hold-wire.h"

#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "command-plan.h"
#include "judge-check.h"
#include "report-text.h"

#define COUNT_MAX  10000
#define STATUS_MAX 0xffff

static json_t *decoys_request(const struct hold_decoys *d)
{
	json_t *all = d ? json_array() : NULL;
	for (size_t i = 0; d && i < d->count; i++)
		(void)json_array_append_new(all,
					    json_pack("[s, s]", d->item[i].plan->scenario->name, d->item[i].run->name));
	return all;
}

json_t *hold_request(const struct hold *h)
{
	struct run_command command = {.argv = (char **)h->argv};
	json_t *sent = command_to_json(&command, 0);
	if (!sent || json_array_size(json_object_get(sent, "argv")) != run_command_length(&command)) {
		json_decref(sent);
		return NULL;
	}
	return json_pack("{s:o, s:i, s:I, s:I, s:I, s:I, s:b, s:s*, s:o*}", "command", sent, "phase", (int)h->phase,
			 "ttl_ns", (json_int_t)h->ttl_ns, "count", (json_int_t)h->count, "interval_ns",
			 (json_int_t)h->interval_ns, "ready_after_ns", (json_int_t)h->ready_after_ns, "capture",
			 h->capture, "stdin", h->input, "decoys", decoys_request(h->beside));
}

int hold_from_request(const json_t *request, struct hold *ret, struct run_command *command)
{
	/* Places of the machine that asks, which are not here. */
	static const char *const not_here[] = {"TMPDIR", "ENOMEM_SCENARIOS", "ENOMEM_CACHE_DIR", "ENOMEM_STATE_DIR"};
	uint64_t deadline_ns;
	const json_int_t phase = text_integer(request, "phase", -1), count = text_integer(request, "count", 0);
	if (phase < 0 || phase >= HOLD_PHASES || count < 1 || count > COUNT_MAX)
		return -EBADMSG;
	int r = command_from_json(json_object_get(request, "command"), command, &deadline_ns);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(not_here); i++)
		(void)unsetenv(not_here[i]);
	*ret = (struct hold){.phase = (enum hold_phase)phase,
			     .ttl_ns = (uint64_t)text_integer(request, "ttl_ns", 0),
			     .argv = command->argv,
			     .capture = json_is_true(json_object_get(request, "capture")),
			     .count = (unsigned)count,
			     .interval_ns = (uint64_t)text_integer(request, "interval_ns", 0),
			     .ready_after_ns = (uint64_t)text_integer(request, "ready_after_ns", 0)};
	return 0;
}

/* What of the evidence the answer key is made of, and what is told. */
static json_t *evidence_part(const json_t *evidence)
{
	static const char *const parts[] = {"failing_moment", "cause", "limits"};
	json_t *o = json_object();
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (json_object_get(evidence, parts[i]))
			(void)json_object_set(o, parts[i], json_object_get(evidence, parts[i]));
	return o;
}

json_t *hold_result(const struct hold *h, int code, const char *why)
{
	json_t *o = json_pack(
		"{s:i, s:o, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:i, s:i, s:i, s:i, s:i, s:b, s:b, s:o}", "code",
		code, "why", judge_text(why), "reached", h->reached, "as_predicted", h->as_predicted, "started",
		h->started, "expired", h->expired, "released", h->released, "by_clock", h->by_clock, "victim_ended",
		h->victim_ended, "too_long", h->answer_too_long, "made", (int)h->made, "held", (int)h->state, "problem",
		h->problem, "error", h->tool.error, "status", h->tool.status, "ended", h->tool.ended, "lost",
		h->tool.lost, "evidence", evidence_part(h->evidence));
	if (o && h->failures)
		(void)json_object_set(o, "failures", h->failures);
	if (o && h->decoys)
		(void)json_object_set(o, "decoys", h->decoys);
	return o;
}

static bool says(const json_t *result, const char *what)
{
	return json_is_true(json_object_get(result, what));
}

/* --- what a guest may have made up ------------------------------------------------------------------------------- */

/* A copy whose texts a terminal can be shown. NULL without memory. */
static json_t *cleaned(const json_t *value)
{
	char text[TEXT_MAX];
	const char *key;
	json_t *item, *copy;
	size_t i;
	if (json_is_string(value))
		return json_string(text_clean(json_string_value(value), false, text, sizeof(text)));
	if (json_is_array(value)) {
		copy = json_array();
		json_array_foreach (value, i, item)
			(void)json_array_append_new(copy, cleaned(item));
		return copy;
	}
	if (!json_is_object(value))
		return json_deep_copy(value);
	copy = json_object();
	json_object_foreach ((json_t *)(uintptr_t)value, key, item)
		(void)json_object_set_new(copy, text_clean(key, false, text, sizeof(text)), cleaned(item));
	return copy;
}

static bool is_same(const json_t *a, const json_t *b, const char *key)
{
	const json_t *x = json_object_get(a, key), *y = json_object_get(b, key);
	return x == y || (x && y && json_equal(x, y));
}

/* Numbers of limits that are made up cannot be told from others; what kind of failure it was, and whose, was proven. */
static bool is_proven(const json_t *evidence, const json_t *proven)
{
	static const char *const parts[] = {"at", "call", "errno", "signal"};
	const json_t *moment = json_object_get(evidence, "failing_moment"),
		     *first = json_object_get(proven, "failing_moment");
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (!is_same(moment, first, parts[i]))
			return false;
	return json_is_object(moment) &&
	       is_same(json_object_get(evidence, "cause"), json_object_get(proven, "cause"), "id");
}

static bool is_number(const json_t *o, const char *key)
{
	const json_t *value = json_object_get(o, key);
	return !value || json_is_number(value) || json_is_null(value);
}

static bool is_limit(const json_t *o)
{
	return json_is_string(json_object_get(o, "id")) && is_number(o, "in_use") && is_number(o, "asked") &&
	       is_number(o, "bound");
}

static bool are_limits(const json_t *limits)
{
	const json_t *item;
	size_t i;
	json_array_foreach (limits, i, item)
		if (!is_limit(item))
			return false;
	return !limits || json_is_array(limits);
}

static bool is_evidence(const json_t *evidence)
{
	const json_t *moment = json_object_get(evidence, "failing_moment"), *cause = json_object_get(evidence, "cause");
	return json_is_object(evidence) && (!moment || (json_is_object(moment) && is_number(moment, "pid"))) &&
	       (!cause || json_is_null(cause) || is_limit(cause)) && are_limits(json_object_get(evidence, "limits"));
}

static bool are_failures(const json_t *failures)
{
	const json_t *item;
	size_t i;
	json_array_foreach (failures, i, item)
		if (!json_is_integer(json_object_get(item, "pid")) || !is_number(item, "time_ns"))
			return false;
	return !failures || json_is_array(failures);
}

static bool are_changes(const json_t *changed)
{
	const json_t *item;
	size_t i;
	json_array_foreach (changed, i, item)
		if (!json_is_string(item))
			return false;
	return !changed || (json_is_array(changed) && json_array_size(changed) <= HOLD_DECOY_CHANGES_MAX);
}

/* As many as were sent there, and whose names these are. */
static bool are_decoys(const json_t *decoys, const struct hold_decoys *sent)
{
	const json_t *item;
	size_t i;
	if (!sent || json_array_size(decoys) != sent->count)
		return !sent && json_array_size(decoys) == 0;
	json_array_foreach (decoys, i, item) {
		const struct hold_decoy *one = &sent->item[i];
		if (strcmp(text_of(item, "scenario"), one->plan->scenario->name) != 0 ||
		    strcmp(text_of(item, "run"), one->run->name) != 0 ||
		    strcmp(text_of(item, "role"), role_names[one->run->role]) != 0 ||
		    !json_is_integer(json_object_get(item, "pid")) ||
		    !json_is_boolean(json_object_get(item, "spared")) || !are_changes(json_object_get(item, "changed")))
			return false;
	}
	return true;
}

int hold_take_result(struct hold *h, const json_t *result, const json_t *proven, char *why, size_t size)
{
	const json_int_t code = text_integer(result, "code", -1), status = text_integer(result, "status", -1),
			 made = text_integer(result, "made", -1), error = text_integer(result, "error", -1),
			 held = text_integer(result, "held", -1);
	json_t *evidence = json_object_get(result, "evidence"), *failures = json_object_get(result, "failures"),
	       *decoys = json_object_get(result, "decoys");
	if (code < 0 || code > UINT8_MAX || status < 0 || status > STATUS_MAX || made < 0 || made > COUNT_MAX ||
	    error < 0 || held < 0 || held >= HOLD_STATES || !is_evidence(evidence) || !are_failures(failures))
		return -EBADMSG;
	if (code == 0 && !(says(result, "reached") && says(result, "as_predicted") && is_proven(evidence, proven) &&
			   are_decoys(decoys, h->beside)))
		return -EBADMSG;
	h->reached = says(result, "reached");
	h->as_predicted = says(result, "as_predicted");
	h->started |= says(result, "started");
	h->expired = says(result, "expired");
	h->released = says(result, "released");
	h->by_clock = says(result, "by_clock");
	h->victim_ended = says(result, "victim_ended");
	h->answer_too_long = says(result, "too_long");
	h->made = (unsigned)made;
	h->state = (enum hold_state)held;
	h->problem = (int)text_integer(result, "problem", 0);
	h->tool.error = (int)error;
	h->tool.status = (int)status;
	h->tool.ended = says(result, "ended");
	h->tool.lost = says(result, "lost");
	json_decref(h->evidence);
	h->evidence = cleaned(evidence);
	json_decref(h->failures);
	h->failures = failures ? cleaned(failures) : NULL;
	json_decref(h->decoys);
	h->decoys = decoys && are_decoys(decoys, h->beside) ? cleaned(decoys) : NULL;
	(void)text_clean(text_of(result, "why"), false, why, size);
	return (int)code;
}
