// SPDX-License-Identifier: MIT
/*
 * The errno table for people and as Markdown and JSON. See errno-table.h.
 */
#include <errno.h>
#include <string.h>

#include "errno-table.h"
#include "report-text.h"
#include "table.h"

#define CELL_MAX (4 * TEXT_MAX)

/* "5.10 6.1"; "all" of several */
static char *kernels(const json_t *list, size_t of, char *buf, size_t size)
{
	const json_t *label = NULL;
	size_t i;
	buf[0] = '\0';
	if (of > 1 && json_array_size(list) == of) {
		text_add(buf, size, "all");
		return buf;
	}
	json_array_foreach (list, i, label)
		text_add(buf, size, "%s%s", i ? (strchr(json_string_value(label), ' ') ? ", " : " ") : "",
			 json_string_value(label));
	return buf;
}

/* "  clone3 EAGAIN", "  execve ENOMEM, SIGSEGV", "  SIGKILL (OOM)": below the name of the cause */
static char *refused(const json_t *row, char *buf, size_t size)
{
	const char *call = text_of(row, "call"), *outcome = text_of(row, "outcome");
	buf[0] = '\0';
	text_add(buf, size, "  ");
	if (*call)
		text_add(buf, size, "%s %s", call, text_of(row, "errno"));
	text_add(buf, size, "%s%s", *call && *outcome ? ", " : "", outcome);
	return buf;
}

/* "ENOMEM (returned NULL, errno ENOMEM)", "-" of a program that was given no time to say anything */
static char *words(const json_t *row, char *buf, size_t size)
{
	const json_t *reported = json_object_get(row, "reported");
	const char *more = text_of(reported, "more");
	buf[0] = '\0';
	text_add(buf, size, "%s", reported ? text_of(reported, "errno") : "-");
	if (*more)
		text_add(buf, size, " (%s)", more);
	return buf;
}

static const char *called(const json_t *row)
{
	const char *name = text_of2(row, "reported", "called");
	return *name ? name : "-";
}

/* "pids-max: fork, thread; memory-v1: file on 5.10": where not all kernels of the row show it, those that do. */
static char *places(const json_t *row, char *buf, size_t size)
{
	const json_t *place = NULL, *before = NULL;
	char some[TEXT_MAX];
	size_t i;
	buf[0] = '\0';
	json_array_foreach (json_object_get(row, "seen"), i, place) {
		const char *name = text_of(place, "case");
		if (before && !strcmp(text_of(place, "scenario"), text_of(before, "scenario")))
			text_add(buf, size, ", %s", *name ? name : "-");
		else
			text_add(buf, size, "%s%s%s%s", i ? "; " : "", text_of(place, "scenario"), *name ? ": " : "",
				 name);
		if (!json_equal(json_object_get(place, "kernels"), json_object_get(row, "kernels")))
			text_add(buf, size, " on %s",
				 kernels(json_object_get(place, "kernels"), 0, some, sizeof(some)));
		before = place;
	}
	return buf;
}

static bool same_cause(const json_t *rows, size_t i)
{
	return i && !strcmp(text_of(json_array_get(rows, i), "cause"), text_of(json_array_get(rows, i - 1), "cause"));
}

static int add_row(struct libscols_table *table, const json_t *row, size_t of)
{
	char call[TEXT_MAX], says[TEXT_MAX], on[TEXT_MAX], seen[CELL_MAX];
	return table_add(table, (const char *const[]){refused(row, call, sizeof(call)), called(row),
						      words(row, says, sizeof(says)),
						      kernels(json_object_get(row, "kernels"), of, on, sizeof(on)),
						      places(row, seen, sizeof(seen))});
}

static int write_pretty(const json_t *rows, size_t of, size_t width, FILE *out)
{
	static const char *const columns[] = {"REFUSED", "CALLED", "~REPORTED", "KERNELS", "SEEN IN", NULL};
	struct libscols_table *table = table_new(columns);
	const json_t *row = NULL;
	int r = table ? 0 : -ENOMEM;
	size_t i;
	json_array_foreach (rows, i, row) {
		if (r == 0 && !same_cause(rows, i))
			r = table_add(table, (const char *const[]){text_of(row, "cause"), NULL, NULL, NULL, NULL});
		if (r == 0)
			r = add_row(table, row, of);
	}
	if (r < 0) {
		scols_unref_table(table);
		return r;
	}
	return width ? table_print_to(table, width, out) : table_print(table);
}

static int write_markdown(const json_t *rows, FILE *out)
{
	const json_t *row = NULL;
	char text[CELL_MAX];
	size_t i;
	(void)fputs("| cause | call | errno or end | the program called | and reported | kernels | seen in |\n"
		    "|---|---|---|---|---|---|---|\n",
		    out);
	json_array_foreach (rows, i, row) {
		const char *call = text_of(row, "call"), *error = text_of(row, "errno"),
			   *outcome = text_of(row, "outcome");
		(void)fputs("| ", out);
		text_put_markdown(out, same_cause(rows, i) ? "" : text_of(row, "cause"));
		(void)fputs(" | ", out);
		text_put_markdown(out, *call ? call : "-");
		(void)fputs(" | ", out);
		text_put_markdown(out, error);
		(void)fputs(*error && *outcome ? ", " : "", out);
		text_put_markdown(out, outcome);
		(void)fputs(" | ", out);
		text_put_markdown(out, called(row));
		(void)fputs(" | ", out);
		text_put_markdown(out, words(row, text, sizeof(text)));
		(void)fputs(" | ", out);
		text_put_markdown(out, kernels(json_object_get(row, "kernels"), 0, text, sizeof(text)));
		(void)fputs(" | ", out);
		text_put_markdown(out, places(row, text, sizeof(text)));
		(void)fputs(" |\n", out);
	}
	return ferror(out) ? -EIO : 0;
}

int errno_table_write(const json_t *table, enum list_format format, size_t width, FILE *out)
{
	const json_t *rows = json_object_get(table, "rows");
	long long left_out = text_integer(table, "left_out", 0);
	if (format == LIST_JSON)
		return json_dumpf(table, out, JSON_INDENT(1)) < 0 || fputc('\n', out) == EOF ? -EIO : 0;
	int r = format == LIST_MARKDOWN
			? write_markdown(rows, out)
			: write_pretty(rows, json_array_size(json_object_get(table, "kernels")), width, out);
	if (r == 0 && left_out)
		(void)fprintf(out, "\n%lld %s did not go as predicted and %s left out.\n", left_out,
			      left_out == 1 ? "trigger" : "triggers", left_out == 1 ? "is" : "are");
	return r;
}
