// SPDX-License-Identifier: MIT
/*
 * The ranking as a table with its commands below, as Markdown, and as JSON. See triage.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <stdarg.h>
#include <string.h>
#include <sys/param.h>

#include "cleanup.h"
#include "number.h"
#include "report-text.h"
#include "table.h"
#include "triage.h"

#define COMMAND_ROOM 5000
#define WHAT_ROOM    1200

/* The texts of one row, safe on a terminal: commands and paths are what somebody else named. */
struct shown {
	char what[WHAT_ROOM], in_use[64], bound[64], part[24], refused[128], show[COMMAND_ROOM], fix[COMMAND_ROOM];
};

static bool is_ascii(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

static void amount(uint64_t n, const char *unit, char *buf, size_t size)
{
	if (strcmp(unit, "bytes") == 0) {
		(void)number_format_bytes(buf, size, n);
		return;
	}
	char count[40];
	(void)snprintf(buf, size, "%s %s", number_format_count(count, sizeof(count), n), unit);
}

/* Rounded down: 100% is said of nothing that has room left. */
static void percent(uint64_t basis_points, char *buf, size_t size)
{
	(void)snprintf(buf, size, "%" PRIu64 ".%" PRIu64 "%%", basis_points / 100, basis_points % 100 / 10);
}

static void texts_of(const struct triage *t, const struct triage_row *row, struct shown *ret)
{
	char raw[COMMAND_ROOM];
	bool ascii = is_ascii();
	const char *unit = triage_limit_infos[row->limit].unit;
	(void)text_clean(triage_what(row, raw, sizeof(raw)), ascii, ret->what, sizeof(ret->what));
	(void)text_clean(triage_show(t, row, raw, sizeof(raw)), ascii, ret->show, sizeof(ret->show));
	(void)text_clean(triage_fix(t, row, raw, sizeof(raw)), ascii, ret->fix, sizeof(ret->fix));
	amount(row->in_use, unit, ret->in_use, sizeof(ret->in_use));
	amount(row->bound, unit, ret->bound, sizeof(ret->bound));
	percent(row->basis_points, ret->part, sizeof(ret->part));
	ret->refused[0] = '\0';
	if (row->refused)
		(void)snprintf(ret->refused, sizeof(ret->refused), "%" PRIu64 " (%s)", row->refused, row->counter);
}

static size_t shown_rows(const struct triage *t, const struct triage_report *report)
{
	return MIN(t->count, report->top);
}

static size_t near_but_hidden(const struct triage *t, const struct triage_report *report)
{
	size_t hidden = 0;
	for (size_t i = shown_rows(t, report); i < t->count; i++)
		hidden += t->row[i].basis_points >= report->threshold;
	return hidden;
}

static size_t fitting(const struct triage *t)
{
	size_t n = 0;
	for (size_t i = 0; i < t->count; i++)
		n += t->row[i].fits;
	return n;
}

/* What there is to say below every table. */
static void put_summary(const struct triage *t, const struct triage_report *report, FILE *out)
{
	size_t hidden = near_but_hidden(t, report), near = triage_near(t, report->threshold);
	char part[24];
	percent(report->threshold, part, sizeof(part));
	if (t->count + t->left_out == 0)
		(void)fputs("No limit is set here.\n", out);
	else
		(void)fprintf(out, "%zu of %zu limits at or above %s.\n", near, t->count + t->left_out, part);
	if (t->symptom)
		(void)fprintf(out, "%zu of them can refuse so; they come first, the nearest of them at the top.\n",
			      fitting(t));
	if (hidden)
		(void)fprintf(out, "%zu of these not shown: --top %zu shows all.\n", hidden, t->count);
	if (t->unreadable_processes)
		(void)fprintf(out,
			      "Areas and open files of %" PRIu64 " of %" PRIu64
			      " processes could not be read: other users', or protected from tracing.\n",
			      t->unreadable_processes, t->processes);
	if (t->unreadable_groups)
		(void)fprintf(out, "%" PRIu64 " of %" PRIu64 " groups could not be read.\n", t->unreadable_groups,
			      t->groups);
	if (t->unlooked_groups)
		(void)fprintf(out, "There are more than %" PRIu64 " groups; the rest was not looked at.\n", t->groups);
}

static int put_table(const struct triage *t, const struct triage_report *report)
{
	static const char *const columns[] = {"#", "CAUSE", "IN USE", "BOUND", "USE", "REFUSED", "WHAT", NULL};
	static struct shown shown;
	struct libscols_table *table = table_new(columns);
	int r = table ? 0 : -ENOMEM;
	for (size_t i = 0; r == 0 && i < shown_rows(t, report); i++) {
		char rank[24], refused[24] = "";
		texts_of(t, &t->row[i], &shown);
		(void)snprintf(rank, sizeof(rank), "%zu", i + 1);
		if (t->row[i].refused)
			(void)snprintf(refused, sizeof(refused), "! %" PRIu64, t->row[i].refused);
		r = table_add(table, (const char *const[]){rank, triage_limit_infos[t->row[i].limit].cause,
							   shown.in_use, shown.bound, shown.part, refused, shown.what});
	}
	if (r == 0)
		return table_print(table);
	if (table)
		scols_unref_table(table);
	return r;
}

__attribute__((format(printf, 1, 2))) static void put_row(const char *format, ...)
{
	auto_free char *text = NULL;
	va_list args;
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (text)
		text_print_rows(text);
}

/* A command that may be copied, on however many lines. */
static void put_code(const char *name, const char *command)
{
	auto_free char *line = NULL;
	if (asprintf(&line, "%-6s %s", name, command) < 0)
		line = NULL;
	if (line)
		text_print_code(line, 3);
}

int triage_print_pretty(const struct triage *t, const struct triage_report *report)
{
	static struct shown shown;
	int r = shown_rows(t, report) ? put_table(t, report) : 0;
	for (size_t i = 0; r == 0 && i < shown_rows(t, report); i++) {
		texts_of(t, &t->row[i], &shown);
		const struct triage_limit_info *info = &triage_limit_infos[t->row[i].limit];
		put_row("\n%zu. %s: %s\n", i + 1, info->cause, shown.what);
		if (shown.refused[0])
			put_row("   refused already: %s\n", shown.refused);
		put_row("   fails:  %s\n", info->fails);
		put_code("show:", shown.show);
		put_code("fix:", shown.fix);
	}
	if (r == 0 && t->count)
		(void)fputc('\n', stdout);
	if (r == 0)
		put_summary(t, report, stdout);
	return r;
}

/* In a cell a bar would end it, and what stands for itself in Markdown is kept. */
static void put_cell(const char *text, FILE *out)
{
	(void)fputc(' ', out);
	for (; *text; text++) {
		if (strchr("|\\*_<>`[]", *text))
			(void)fputc('\\', out);
		(void)fputc(*text, out);
	}
	(void)fputs(" |", out);
}

/* An indented block: nothing in it is markup. */
static void put_commands(size_t rank, const struct shown *shown, FILE *out)
{
	(void)fprintf(out, "\n%zu. Show and fix:\n\n        %s\n        %s\n", rank, shown->show, shown->fix);
}

void triage_print_markdown(const struct triage *t, const struct triage_report *report, FILE *out)
{
	static struct shown shown;
	(void)fputs("| # | Cause | What | In use | Bound | Use | Refused already | How it fails |\n"
		    "|---|---|---|---|---|---|---|---|\n",
		    out);
	for (size_t i = 0; i < shown_rows(t, report); i++) {
		const struct triage_limit_info *info = &triage_limit_infos[t->row[i].limit];
		texts_of(t, &t->row[i], &shown);
		const char *const cells[] = {info->cause, shown.what,    shown.in_use, shown.bound,
					     shown.part,  shown.refused, info->fails};
		(void)fprintf(out, "| %zu |", i + 1);
		for (size_t c = 0; c < sizeof(cells) / sizeof(cells[0]); c++)
			put_cell(cells[c], out);
		(void)fputc('\n', out);
	}
	for (size_t i = 0; i < shown_rows(t, report); i++) {
		texts_of(t, &t->row[i], &shown);
		put_commands(i + 1, &shown, out);
	}
	(void)fputc('\n', out);
	put_summary(t, report, out);
}

/* A name is any bytes but JSON wants UTF-8; what is not becomes '?'. */
static json_t *json_text(const char *text)
{
	json_t *string = json_string(text);
	char clean[COMMAND_ROOM];
	return string ? string : json_string(text_clean(text, true, clean, sizeof(clean)));
}

static json_t *json_number(uint64_t n)
{
	return json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n);
}

static json_t *json_row(const struct triage *t, const struct triage_row *row, size_t rank)
{
	static const char *const kinds[] = {"machine", "group", "process", "mount"};
	const struct triage_limit_info *info = &triage_limit_infos[row->limit];
	char what[WHAT_ROOM], show[COMMAND_ROOM], fix[COMMAND_ROOM];
	json_t *r =
		json_pack("{s:I, s:s, s:s, s:o, s:o, s:o, s:s, s:f, s:s, s:o, s:o}", "rank", (json_int_t)rank, "cause",
			  info->cause, "kind", kinds[row->kind], "what",
			  json_text(triage_what(row, what, sizeof(what))), "in_use", json_number(row->in_use), "bound",
			  json_number(row->bound), "unit", info->unit, "percent", (double)row->basis_points / 100,
			  "fails", info->fails, "show", json_text(triage_show(t, row, show, sizeof(show))), "fix",
			  json_text(triage_fix(t, row, fix, sizeof(fix))));
	if (r && row->kind == TRIAGE_OF_PROCESS)
		(void)json_object_set_new(r, "pid", json_integer(row->pid));
	if (r && t->symptom)
		(void)json_object_set_new(r, "fits", json_boolean(row->fits));
	if (r && row->path)
		(void)json_object_set_new(r, "path", json_text(row->path));
	if (r && row->refused)
		(void)json_object_set_new(
			r, "refused",
			json_pack("{s:o, s:s}", "count", json_number(row->refused), "counter", row->counter));
	return r;
}

json_t *triage_json(const struct triage *t, const struct triage_report *report)
{
	json_t *rows = json_array();
	for (size_t i = 0; rows && i < shown_rows(t, report); i++)
		if (json_array_append_new(rows, json_row(t, &t->row[i], i + 1)) < 0) {
			json_decref(rows);
			return NULL;
		}
	json_t *subject = json_pack("{s:s}", "kind", report->kind);
	if (subject && report->pid)
		(void)json_object_set_new(subject, "pid", json_integer(report->pid));
	if (subject && report->name)
		(void)json_object_set_new(subject, "name", json_text(report->name));
	return json_pack("{s:s, s:o, s:f, s:I, s:I, s:o, s:{s:I, s:I, s:I, s:I, s:b}}", "schema", "enomem-triage/1",
			 "subject", subject, "threshold", (double)report->threshold / 100, "limits",
			 (json_int_t)t->count + (json_int_t)t->left_out, "near",
			 (json_int_t)triage_near(t, report->threshold), "rows", rows, "looked_at", "processes",
			 (json_int_t)t->processes, "processes_unreadable", (json_int_t)t->unreadable_processes,
			 "groups", (json_int_t)t->groups, "groups_unreadable", (json_int_t)t->unreadable_groups,
			 "groups_left_out", t->unlooked_groups != 0);
}
