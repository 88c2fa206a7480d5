// SPDX-License-Identifier: MIT
/*
 * Timelines of stored runs. Nothing of a file is believed: times may run backwards, columns may have any length. See
 * timeline.h.
 */
#include "timeline.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "report-text.h"

/* What is worth a look where the limit counts something that no sample has. */
static const struct cause_words general = {
	.counts = "address space of the program",
	.sample = "vm_size",
	.metric = "process.vm_size",
	.context = "rss",
};

static bool number_of(const json_t *value, uint64_t *ret)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*ret = (uint64_t)json_integer_value(value);
	return true;
}

static int by_time(const void *a, const void *b)
{
	const struct timeline_point *x = a, *y = b;
	return (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
}

/* What is used, where the number is what is left of a total. */
static bool used(const json_t *left, const json_t *total, bool of_total, uint64_t *ret)
{
	uint64_t all;
	if (!number_of(left, ret))
		return false;
	if (!of_total)
		return true;
	if (!number_of(total, &all) || all < *ret)
		return false;
	*ret = all - *ret;
	return true;
}

static void add(struct timeline *t, struct timeline_line *line, uint64_t time_ns, uint64_t value)
{
	if (time_ns >= t->start_ns && time_ns <= t->end_ns)
		line->at[line->count++] = (struct timeline_point){time_ns, value};
}

/* One line: a column of the samples, and the same number of each snapshot. */
static bool make_line(struct timeline *t, struct timeline_line *line, const json_t *run, const char *column,
		      const char *metric, const char *total)
{
	const json_t *samples = json_object_get(run, "samples"), *times = json_object_get(samples, "time_ns");
	const json_t *values = column ? json_object_get(samples, column) : NULL, *time = NULL, *snapshot = NULL;
	const json_t *snapshots = json_object_get(run, "snapshots"), *whole = NULL;
	const char *moment;
	uint64_t at, value;
	size_t i;
	line->at = calloc(json_array_size(times) + json_object_size(snapshots) + 1, sizeof(*line->at));
	if (!line->at)
		return false;
	json_object_foreach ((json_t *)(uintptr_t)snapshots, moment, snapshot) {
		const json_t *sum = cause_metric(snapshot, total);
		whole = whole || !total ? whole : sum;
		if (metric && number_of(json_object_get(snapshot, "time_ns"), &at) &&
		    used(cause_metric(snapshot, metric), sum, total != NULL, &value))
			add(t, line, at, value);
	}
	json_array_foreach (times, i, time)
		if (number_of(time, &at) && used(json_array_get(values, i), whole, total != NULL, &value))
			add(t, line, at, value);
	return true;
}

/* From when the program was about to start to when it had ended, as far as is known. */
static bool find_span(const json_t *run, struct timeline *t)
{
	const json_t *snapshots = json_object_get(run, "snapshots");
	const json_t *times = json_object_get(json_object_get(run, "samples"), "time_ns");
	if (!number_of(cause_metric(snapshots, "before.time_ns"), &t->start_ns) &&
	    !number_of(json_array_get(times, 0), &t->start_ns))
		return false;
	if (!number_of(cause_metric(snapshots, "after.time_ns"), &t->end_ns) &&
	    !number_of(json_array_get(times, json_array_size(times) - 1), &t->end_ns))
		return false;
	return t->end_ns > t->start_ns;
}

static void find_moment(const json_t *run, const json_t *cause, struct timeline *t)
{
	const json_t *moment = json_object_get(run, "failing_moment");
	const json_t *asked = json_object_get(cause, "asked");
	t->refused = number_of(json_object_get(moment, "time_ns"), &t->moment_ns) && t->moment_ns >= t->start_ns &&
		     t->moment_ns <= t->end_ns;
	t->bounded = t->is_limit && number_of(json_object_get(cause, "bound"), &t->bound);
	t->asked_beyond = json_is_null(asked);
	if (!t->is_limit || !number_of(json_object_get(cause, "in_use"), &t->in_use) ||
	    (!number_of(asked, &t->asked) && !t->asked_beyond)) {
		t->in_use = t->asked = 0;
		t->asked_beyond = false;
	} else if (t->refused) {
		add(t, &t->use, t->moment_ns, t->in_use);
	}
}

const char *timeline_make(const json_t *run, struct timeline *ret)
{
	json_auto_t *cause = cause_or_predicted(run);
	const struct cause_words *words = cause_words(text_of(cause, "id"));
	*ret = (struct timeline){.unit = chart_unit_of(text_of(cause, "unit")),
				 .predicted = cause && !json_is_object(json_object_get(run, "cause"))};
	if (!json_object_get(run, "samples") && !json_object_get(run, "snapshots"))
		return "There is no timeline: this file is a reference, which keeps what is the same on every run and "
		       "no samples.";
	if (!find_span(run, ret))
		return "There is no timeline: neither samples nor snapshots tell when the program started and ended.";
	ret->is_limit = words && (words->sample || words->metric);
	if (!ret->is_limit) {
		words = &general;
		ret->unit = CHART_BYTES;
	}
	ret->counts = words->counts;
	if (!make_line(ret, &ret->use, run, words->sample, words->metric, words->total) ||
	    (words->context && !make_line(ret, &ret->context, run, words->context, "process.rss", NULL))) {
		timeline_free(ret);
		return "There is no timeline: out of memory.";
	}
	ret->context_counts = ret->context.count ? "resident memory of the program" : NULL;
	find_moment(run, cause, ret);
	if (!ret->use.count) {
		timeline_free(ret);
		return "There is no timeline: the program was over before a sample of this number could be taken.";
	}
	qsort(ret->use.at, ret->use.count, sizeof(*ret->use.at), by_time);
	if (ret->context.count)
		qsort(ret->context.at, ret->context.count, sizeof(*ret->context.at), by_time);
	return NULL;
}

void timeline_free(struct timeline *t)
{
	free(t->use.at);
	free(t->context.at);
	t->use = t->context = (struct timeline_line){0};
}

static uint64_t highest(const struct timeline_line *line, uint64_t so_far)
{
	for (size_t i = 0; i < line->count; i++)
		so_far = line->at[i].value > so_far ? line->at[i].value : so_far;
	return so_far;
}

uint64_t timeline_top(const struct timeline *t)
{
	uint64_t top = highest(&t->context, highest(&t->use, t->bounded ? t->bound : 0)), want;
	/* A request that is out of all proportion may leave the picture; the limit may not. */
	if (!t->asked_beyond && !__builtin_add_overflow(t->in_use, t->asked, &want) && want > top && want / 4 <= top)
		top = want;
	return top > UINT64_MAX - top / 10 ? UINT64_MAX : top + top / 10 + (top < 10);
}
