// SPDX-License-Identifier: MIT
/*
 * A timeline as a drawing that needs no script, and as data for the chart library.
 */
#include <string.h>
#include <sys/param.h>

#include "html.h"
#include "number.h"
#include "report-html.h"
#include "report-text.h"
#include "timeline.h"

enum { WIDTH = 640, HEIGHT = 236, LEFT = 78, RIGHT = 16, TOP = 26, BOTTOM = 44 };
#define PLOT_WIDTH  (WIDTH - LEFT - RIGHT)
#define PLOT_HEIGHT (HEIGHT - TOP - BOTTOM)
#define DOTS_MAX    48 /* with more points than that, only the line is drawn */
#define EVENTS_MAX  64

struct drawing {
	FILE *out;
	const struct timeline *t;
	uint64_t top; /* of the axis */
};

static double x_of(const struct drawing *d, uint64_t time_ns)
{
	uint64_t since = time_ns > d->t->start_ns ? time_ns - d->t->start_ns : 0;
	return LEFT + chart_place(since, d->t->end_ns - d->t->start_ns, PLOT_WIDTH);
}

static double y_of(const struct drawing *d, uint64_t value)
{
	return TOP + PLOT_HEIGHT - chart_place(value, d->top, PLOT_HEIGHT);
}

static void put_line(FILE *out, const char *class_name, double x1, double y1, double x2, double y2)
{
	(void)fprintf(out, "<line class=\"%s\" x1=\"", class_name);
	html_coordinate(out, x1);
	(void)fputs("\" y1=\"", out);
	html_coordinate(out, y1);
	(void)fputs("\" x2=\"", out);
	html_coordinate(out, x2);
	(void)fputs("\" y2=\"", out);
	html_coordinate(out, y2);
	(void)fputs("\"/>", out);
}

static void put_text(FILE *out, const char *class_name, double x, double y, const char *text)
{
	(void)fprintf(out, "<text class=\"%s\" x=\"", class_name);
	html_coordinate(out, x);
	(void)fputs("\" y=\"", out);
	html_coordinate(out, y);
	(void)fputs("\">", out);
	html_text(out, text);
	(void)fputs("</text>", out);
}

static void put_axes(const struct drawing *d)
{
	uint64_t span = d->t->end_ns - d->t->start_ns, step = chart_step(d->t->unit, d->top, 4);
	char text[64];
	for (uint64_t value = 0; value <= d->top; value += step) {
		put_line(d->out, "grid", LEFT, y_of(d, value), WIDTH - RIGHT, y_of(d, value));
		put_text(d->out, "y", LEFT - 6, y_of(d, value) + 4,
			 value ? chart_number(d->t->unit, value, text, sizeof(text)) : "0");
		if (value > UINT64_MAX - step)
			break;
	}
	step = chart_step(CHART_NS, span, 6);
	for (uint64_t at = 0; at <= span; at += step) {
		put_line(d->out, "mark", x_of(d, d->t->start_ns + at), TOP + PLOT_HEIGHT, x_of(d, d->t->start_ns + at),
			 TOP + PLOT_HEIGHT + 4);
		put_text(d->out, "x", x_of(d, d->t->start_ns + at), TOP + PLOT_HEIGHT + 18,
			 at ? chart_number(CHART_NS, at, text, sizeof(text)) : "0");
	}
}

static void put_polyline(const struct drawing *d, const struct timeline_line *line, const char *class_name)
{
	if (line->count < 2)
		return;
	(void)fprintf(d->out, "<polyline class=\"%s\" points=\"", class_name);
	for (size_t i = 0; i < line->count; i++) {
		html_coordinate(d->out, x_of(d, line->at[i].time_ns));
		(void)fputc(',', d->out);
		html_coordinate(d->out, y_of(d, line->at[i].value));
		(void)fputs(i + 1 < line->count ? " " : "\"/>", d->out);
	}
}

static void put_dots(const struct drawing *d, const struct timeline_line *line)
{
	char value[64], time[64];
	if (line->count > DOTS_MAX)
		return;
	for (size_t i = 0; i < line->count; i++) {
		(void)fputs("<circle cx=\"", d->out);
		html_coordinate(d->out, x_of(d, line->at[i].time_ns));
		(void)fputs("\" cy=\"", d->out);
		html_coordinate(d->out, y_of(d, line->at[i].value));
		(void)fprintf(d->out, "\" r=\"3\"><title>%s at %s</title></circle>",
			      chart_number(d->t->unit, line->at[i].value, value, sizeof(value)),
			      number_format_duration(time, sizeof(time), line->at[i].time_ns - d->t->start_ns));
	}
}

/* The refused calls and the signals: {"time_ns", "text"}, at most EVENTS_MAX of them. */
static json_t *collect_events(const json_t *run, const struct timeline *t)
{
	json_t *events = json_array();
	const json_t *witness = json_object_get(run, "witness"), *one = NULL;
	char text[TEXT_MAX], name[64];
	size_t i;
	json_array_foreach (json_object_get(witness, "records"), i, one) {
		text[0] = '\0';
		text_add(text, sizeof(text), "%s %s", text_of(one, "call"),
			 text_value(json_object_get(one, "errno"), name, sizeof(name)));
		if (json_array_size(events) < EVENTS_MAX)
			(void)json_array_append_new(events, json_pack("{s:I, s:s}", "time_ns",
								      text_integer(one, "time_ns", -1), "text", text));
	}
	json_array_foreach (json_object_get(witness, "signals"), i, one)
		if (json_array_size(events) < EVENTS_MAX)
			(void)json_array_append_new(events,
						    json_pack("{s:I, s:s}", "time_ns", text_integer(one, "time_ns", -1),
							      "text", text_of(one, "signal")));
	for (i = json_array_size(events); i-- > 0;) {
		json_int_t at = text_integer(json_array_get(events, i), "time_ns", -1);
		if (at < 0 || (uint64_t)at < t->start_ns || (uint64_t)at > t->end_ns)
			(void)json_array_remove(events, i);
	}
	return events;
}

static void put_moment(const struct drawing *d, const json_t *run)
{
	const struct timeline *t = d->t;
	char outcome[TEXT_MAX];
	double x = x_of(d, t->moment_ns);
	if (!t->refused)
		return;
	put_line(d->out, "moment", x, TOP - 6, x, TOP + PLOT_HEIGHT);
	if (t->asked || t->asked_beyond) {
		uint64_t want = t->asked_beyond ? d->top : t->in_use + t->asked;
		double y = MAX(y_of(d, want), TOP - 4);
		put_line(d->out, "asked", x, y_of(d, t->in_use), x, y);
	}
	text_outcome(run, outcome, sizeof(outcome));
	bool right = x < WIDTH / 2.0;
	put_text(d->out, right ? "moment" : "moment end", right ? x + 6 : x - 6, TOP - 8, outcome);
}

static void put_svg(const struct drawing *d, const json_t *run, const json_t *events)
{
	const json_t *event = NULL;
	char text[64];
	size_t i;
	(void)fprintf(
		d->out,
		"<svg class=\"chart\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" aria-label=\"",
		WIDTH, HEIGHT, WIDTH, HEIGHT);
	html_format(d->out, "Timeline of %zu values of the %s", d->t->use.count, d->t->counts);
	if (d->t->bounded)
		html_format(d->out, ", the limit is %s", chart_number(d->t->unit, d->t->bound, text, sizeof(text)));
	(void)fputs("\">", d->out);
	put_axes(d);
	put_polyline(d, &d->t->context, "context");
	put_polyline(d, &d->t->use, "use");
	if (d->t->bounded)
		put_line(d->out, "limit", LEFT, y_of(d, d->t->bound), WIDTH - RIGHT, y_of(d, d->t->bound));
	put_moment(d, run);
	(void)fputs("<g class=\"dots\">", d->out);
	put_dots(d, &d->t->use);
	(void)fputs("</g>", d->out);
	json_array_foreach (events, i, event) {
		double x = x_of(d, (uint64_t)text_integer(event, "time_ns", 0));
		(void)fputs("<g class=\"event\"><title>", d->out);
		html_text(d->out, text_of(event, "text"));
		(void)fputs("</title>", d->out);
		put_line(d->out, "event", x, TOP + PLOT_HEIGHT - 9, x, TOP + PLOT_HEIGHT);
		(void)fputs("</g>", d->out);
	}
	(void)fputs("</svg>", d->out);
}

static json_t *as_pairs(const struct timeline *t, const struct timeline_line *line)
{
	json_t *pairs = json_array();
	for (size_t i = 0; i < line->count; i++)
		(void)json_array_append_new(pairs, json_pack("[I, I]", (json_int_t)(line->at[i].time_ns - t->start_ns),
							     (json_int_t)line->at[i].value));
	return pairs;
}

/* For the chart library: times in nanoseconds since the start. */
static void put_data(const struct drawing *d, const json_t *run, const json_t *events)
{
	static const char *const unit[] = {[CHART_BYTES] = "bytes", [CHART_COUNT] = "count", [CHART_NS] = "ns"};
	const struct timeline *t = d->t;
	char outcome[TEXT_MAX];
	json_auto_t *ticks = json_array(), *data = NULL;
	const json_t *event = NULL;
	size_t i;
	json_array_foreach (events, i, event)
		(void)json_array_append_new(
			ticks, json_pack("[I, s]", text_integer(event, "time_ns", 0) - (json_int_t)t->start_ns,
					 text_of(event, "text")));
	data = json_pack("{s:s, s:s, s:I, s:I, s:o, s:o, s:O}", "unit", unit[t->unit], "counts", t->counts, "end",
			 (json_int_t)(t->end_ns - t->start_ns), "top", (json_int_t)MIN(d->top, (uint64_t)INT64_MAX),
			 "use", as_pairs(t, &t->use), "context", as_pairs(t, &t->context), "events", ticks);
	if (t->bounded)
		(void)json_object_set_new(data, "bound", json_integer((json_int_t)t->bound));
	if (t->refused) {
		(void)json_object_set_new(data, "moment", json_integer((json_int_t)(t->moment_ns - t->start_ns)));
		if (t->asked || t->asked_beyond)
			(void)json_object_set_new(data, "asked",
						  json_pack("[I, I]", (json_int_t)t->in_use,
							    t->asked_beyond ? INT64_MAX
									    : (json_int_t)MIN(t->in_use + t->asked,
											      (uint64_t)INT64_MAX)));
		(void)json_object_set_new(data, "outcome", json_string(text_outcome(run, outcome, sizeof(outcome))));
	}
	(void)fputs("<script type=\"application/json\">", d->out);
	html_json(d->out, data);
	(void)fputs("</script>", d->out);
}

/* One line of the legend, which is not torn from its name. */
static void put_key(FILE *out, const char *class_name, const char *what)
{
	(void)fprintf(out, "<span class=\"item\"><span class=\"key %s\"></span> ", class_name);
	html_text(out, what);
	(void)fputs("</span> ", out);
}

void html_timeline(FILE *out, const json_t *run)
{
	struct timeline t;
	const char *absent = timeline_make(run, &t);
	char text[64];
	if (absent) {
		(void)fputs("<p class=\"note\">", out);
		html_text(out, absent);
		(void)fputs("</p>", out);
		return;
	}
	char bound[96];
	(void)snprintf(bound, sizeof(bound), "%slimit %s", t.predicted ? "predicted " : "",
		       t.bounded ? chart_number(t.unit, t.bound, text, sizeof(text)) : "");
	struct drawing d = {.out = out, .t = &t, .top = timeline_top(&t)};
	json_auto_t *events = collect_events(run, &t);
	(void)fputs("<figure class=\"timeline\"><figcaption>", out);
	put_key(out, "use", t.counts);
	if (t.context_counts)
		put_key(out, "context", t.context_counts);
	if (t.bounded)
		put_key(out, "limit", bound);
	if (t.refused)
		put_key(out, "moment", "failing moment");
	if (!t.is_limit)
		(void)fputs("What the limit counts is not sampled; this is what else is known.", out);
	(void)fputs("</figcaption><div class=\"plot\">", out);
	put_svg(&d, run, events);
	put_data(&d, run, events);
	(void)fputs("</div></figure>", out);
	timeline_free(&t);
}
