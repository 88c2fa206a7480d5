// SPDX-License-Identifier: MIT
/*
 * The confusion table. See triage-table.h.
 */
#include "triage-table.h"

#include <errno.h>
#include <string.h>

#include "cause.h"
#include "report-text.h"
#include "report.h"
#include "table.h"

#define TINY_PART 20 /* "tiny" and "about": within a twentieth */

static const char EXHAUSTION[] = "real exhaustion", ACCOUNTING[] = "overcommit accounting",
		  PROCESS_LIMIT[] = "process limit", MAP_COUNT[] = "max_map_count", NONE[] = "none of these";

/* A number of the failing moment; -1 where it is unlimited or was not read. */
static json_int_t number_of(const json_t *run, const char *group, const char *name)
{
	const json_t *failure = json_object_get(json_object_get(run, "snapshots"), "failure");
	const json_t *value = json_object_get(json_object_get(failure, group), name);
	return json_is_integer(value) ? json_integer_value(value) : -1;
}

/* dmesg | grep -i -E 'out of memory|killed process' */
static bool log_tells_of_oom(const json_t *run)
{
	const json_t *line = NULL;
	size_t i;
	json_array_foreach (json_object_get(run, "kernel_log"), i, line) {
		const char *text = json_is_string(line) ? json_string_value(line) : "";
		if (strcasestr(text, "out of memory") || strcasestr(text, "killed process"))
			return true;
	}
	return false;
}

static bool has_address_limit(const json_t *run)
{
	const json_t *failure = json_object_get(json_object_get(run, "snapshots"), "failure");
	return json_is_integer(json_object_get(json_object_get(json_object_get(failure, "process"), "rlimit"), "as"));
}

const char *triage_five_points(const json_t *run)
{
	json_int_t total = number_of(run, "meminfo", "MemTotal"), available = number_of(run, "meminfo", "MemAvailable");
	json_int_t committed = number_of(run, "meminfo", "Committed_AS"),
		   limit = number_of(run, "meminfo", "CommitLimit");
	json_int_t areas = number_of(run, "process", "map_count"),
		   areas_max = number_of(run, "sysctl", "vm.max_map_count");
	if (log_tells_of_oom(run) || (available >= 0 && available < total / TINY_PART))
		return EXHAUSTION;
	if (number_of(run, "sysctl", "vm.overcommit_memory") == 2 && committed >= limit - limit / TINY_PART)
		return ACCOUNTING;
	if (has_address_limit(run))
		return PROCESS_LIMIT;
	if (areas_max > 0 && areas >= areas_max - areas_max / TINY_PART)
		return MAP_COUNT;
	return NONE;
}

static bool five_points_right(const char *answer, const char *cause)
{
	static const struct {
		const char *answer, *cause;
	} right[] = {{EXHAUSTION, "system-oom"},
		     {EXHAUSTION, "swap-full"},
		     {ACCOUNTING, "commit-limit"},
		     {PROCESS_LIMIT, "rlimit-as"},
		     {MAP_COUNT, "max-map-count"}};
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
		if (!strcmp(answer, right[i].answer) && !strcmp(cause, right[i].cause))
			return true;
	return false;
}

static int count(json_t *counts, const char *key)
{
	return json_object_set_new(counts, key, json_integer(json_integer_value(json_object_get(counts, key)) + 1));
}

struct tally {
	json_t *rows; /* by cause */
	json_int_t looked_at, not_looked_at, ranked, told, five_points;
};

static json_t *row_of(struct tally *tally, const char *cause)
{
	json_t *row = json_object_get(tally->rows, cause);
	if (row)
		return row;
	row = json_pack("{s:s, s:i, s:{}, s:{}, s:{}}", "cause", cause, "triggers", 0, "ranked", "told", "five_points");
	return row && json_object_set_new(tally->rows, cause, row) == 0 ? row : NULL;
}

/* Without a limit there is nothing that triage could name. */
static bool is_limit(const char *cause)
{
	int id = cause_by_name(cause);
	return id >= 0 && id != CAUSE_INJECTED && id != CAUSE_NOT_MAPPED && id != CAUSE_KILLED_BY_OTHER &&
	       id != CAUSE_UNKNOWN;
}

static int add_run(struct tally *tally, const json_t *run)
{
	const json_t *triage = json_object_get(run, "triage");
	const char *cause = text_of2(run, "cause", "id"), *ranked = text_of2(triage, "ranked", "cause"),
		   *told = text_of2(triage, "told", "cause"), *five = triage_five_points(run);
	if (strcmp(text_of(run, "role"), "trigger") != 0 || strcmp(text_of(run, "verdict"), "pass") != 0 ||
	    !is_limit(cause))
		return 0;
	if (!triage) {
		tally->not_looked_at++;
		return 0;
	}
	json_t *row = row_of(tally, cause);
	if (!row)
		return -ENOMEM;
	tally->looked_at++;
	tally->ranked += !strcmp(ranked, cause);
	tally->told += !strcmp(told, cause);
	tally->five_points += five_points_right(five, cause);
	int r = json_object_set_new(row, "triggers",
				    json_integer(json_integer_value(json_object_get(row, "triggers")) + 1));
	r |= count(json_object_get(row, "ranked"), *ranked ? ranked : NONE);
	r |= count(json_object_get(row, "told"), *told ? told : NONE);
	return r | count(json_object_get(row, "five_points"), five) ? -ENOMEM : 0;
}

static int add_result(struct tally *tally, const json_t *result)
{
	const json_t *scenario = NULL, *run = NULL;
	size_t i, k;
	json_array_foreach (json_object_get(result, "scenarios"), i, scenario)
		json_array_foreach (json_object_get(scenario, "runs"), k, run)
			if (add_run(tally, run) < 0)
				return -ENOMEM;
	return 0;
}

json_t *triage_table_make(const json_t *results)
{
	json_auto_t *labels = results_labels(results), *by_cause = json_object(), *rows = json_array();
	struct tally tally = {.rows = by_cause};
	int r = labels && by_cause && rows ? 0 : -ENOMEM;
	for (size_t i = 0; r == 0 && i < json_array_size(results); i++)
		r = add_result(&tally, json_array_get(results, i));
	for (unsigned id = 0; r == 0 && id < CAUSE_COUNT; id++) {
		json_t *row = json_object_get(by_cause, cause_infos[id].name);
		if (row)
			r = json_array_append(rows, row);
	}
	if (r != 0)
		return NULL;
	return json_pack("{s:O, s:I, s:I, s:{s:I, s:I, s:I}, s:O}", "kernels", labels, "looked_at", tally.looked_at,
			 "not_looked_at", tally.not_looked_at, "right", "ranked", tally.ranked, "told", tally.told,
			 "five_points", tally.five_points, "rows", rows);
}

/* "all rlimit-as", "3 rlimit-as, 1 pids-max" */
static char *answers(const json_t *row, const char *who, char *buf, size_t size)
{
	json_t *counts = json_object_get(row, who), *n;
	const char *name;
	buf[0] = '\0';
	json_object_foreach (counts, name, n)
		text_add(buf, size, "%s%" JSON_INTEGER_FORMAT " %s", *buf ? ", " : "", json_integer_value(n), name);
	return buf;
}

static char *part(const json_t *table, const char *who, char *buf, size_t size)
{
	json_int_t all = json_integer_value(json_object_get(table, "looked_at"));
	json_int_t right = json_integer_value(json_object_get(json_object_get(table, "right"), who));
	(void)snprintf(buf, size, "%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " (%.0f%%)", right, all,
		       all ? 100.0 * (double)right / (double)all : 0.0);
	return buf;
}

static int write_pretty(const json_t *table, size_t width, FILE *out)
{
	static const char *const columns[] = {"REFUSED BY",        "TRIGGERS",     "~TRIAGE",
					      "~TOLD WHAT FAILED", "~FIVE POINTS", NULL};
	struct libscols_table *lines = table_new(columns);
	const json_t *row = NULL;
	char cell[4][TEXT_MAX];
	int r = lines ? 0 : -ENOMEM;
	size_t i;
	json_array_foreach (json_object_get(table, "rows"), i, row) {
		(void)snprintf(cell[0], TEXT_MAX, "%" JSON_INTEGER_FORMAT,
			       json_integer_value(json_object_get(row, "triggers")));
		if (r == 0)
			r = table_add(lines, (const char *const[]){text_of(row, "cause"), cell[0],
								   answers(row, "ranked", cell[1], TEXT_MAX),
								   answers(row, "told", cell[2], TEXT_MAX),
								   answers(row, "five_points", cell[3], TEXT_MAX)});
	}
	if (r == 0)
		r = table_add(lines, (const char *const[]){"right", NULL, part(table, "ranked", cell[1], TEXT_MAX),
							   part(table, "told", cell[2], TEXT_MAX),
							   part(table, "five_points", cell[3], TEXT_MAX)});
	if (r < 0) {
		if (lines)
			scols_unref_table(lines);
		return r;
	}
	return width ? table_print_to(lines, width, out) : table_print(lines);
}

static int write_markdown(const json_t *table, FILE *out)
{
	const json_t *row = NULL;
	char text[TEXT_MAX];
	size_t i;
	(void)fputs("| refused by | triggers | `triage PID` | `triage --refused WHAT PID` | five points |\n"
		    "|---|---|---|---|---|\n",
		    out);
	json_array_foreach (json_object_get(table, "rows"), i, row) {
		(void)fputs("| ", out);
		text_put_markdown(out, text_of(row, "cause"));
		(void)fprintf(out, " | %" JSON_INTEGER_FORMAT " | ",
			      json_integer_value(json_object_get(row, "triggers")));
		text_put_markdown(out, answers(row, "ranked", text, sizeof(text)));
		(void)fputs(" | ", out);
		text_put_markdown(out, answers(row, "told", text, sizeof(text)));
		(void)fputs(" | ", out);
		text_put_markdown(out, answers(row, "five_points", text, sizeof(text)));
		(void)fputs(" |\n", out);
	}
	(void)fprintf(out, "| **right** | | **%s** | ", part(table, "ranked", text, sizeof(text)));
	(void)fprintf(out, "**%s** | ", part(table, "told", text, sizeof(text)));
	(void)fprintf(out, "**%s** |\n", part(table, "five_points", text, sizeof(text)));
	return ferror(out) ? -EIO : 0;
}

int triage_table_write(const json_t *table, enum list_format format, size_t width, FILE *out)
{
	if (format == LIST_JSON)
		return json_dumpf(table, out, JSON_INDENT(1)) < 0 || fputc('\n', out) == EOF ? -EIO : 0;
	return format == LIST_PRETTY ? write_pretty(table, width, out) : write_markdown(table, out);
}
