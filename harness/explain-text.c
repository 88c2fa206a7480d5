// SPDX-License-Identifier: MIT
/*
 * What is explained, as Markdown. Names and paths that others gave stand in code, where nothing is markup. See
 * explain.h.
 */
#include <inttypes.h>
#include <string.h>

#include "book.h"
#include "explain.h"
#include "number.h"
#include "report-text.h"

/* Code of one line: no backtick ends it. */
static void put_code(FILE *out, const char *text)
{
	(void)fputc('`', out);
	for (; *text; text++)
		(void)fputc(*text == '`' ? '?' : *text, out);
	(void)fputc('`', out);
}

static void put_words(FILE *out, const json_t *list)
{
	const json_t *word = NULL;
	size_t i;
	json_array_foreach (list, i, word) {
		(void)fputs(i ? ", " : "", out);
		put_code(out, json_string_value(word));
	}
}

static void put_command(FILE *out, const char *command)
{
	if (*command)
		(void)fprintf(out, "\n    %s\n", command);
}

/* "12 tasks of 500 tasks in use (2.4%), refused 3 times" */
static void put_limit(FILE *out, const json_t *limit)
{
	char in_use[64], bound[64];
	const char *unit = text_of(limit, "unit");
	json_int_t part = text_integer(limit, "basis_points", 0), refused = text_integer(limit, "refused", 0);
	put_code(out, text_of(limit, "what"));
	(void)fprintf(out, ": %s of %s in use (%" JSON_INTEGER_FORMAT ".%" JSON_INTEGER_FORMAT "%%)",
		      number_format_amount(in_use, sizeof(in_use), (uint64_t)text_integer(limit, "in_use", 0), unit),
		      number_format_amount(bound, sizeof(bound), (uint64_t)text_integer(limit, "bound", 0), unit),
		      part / 100, part % 100 / 10);
	if (refused)
		(void)fprintf(out, ", refused %" JSON_INTEGER_FORMAT " times already", refused);
}

static void put_host(FILE *out, const json_t *page)
{
	char host[TEXT_MAX];
	(void)fprintf(out, "%s. The numbers are those of ", text_host(page, host, sizeof(host)));
	put_code(out, text_of(json_object_get(page, "process"), "name"));
	(void)fprintf(out, " (pid %" JSON_INTEGER_FORMAT "), which started this.\n",
		      text_integer(json_object_get(page, "process"), "pid", 0));
}

/* --- a cause on this machine ------------------------------------------------------------------------------------- */

static void put_cause_here(FILE *out, const json_t *cause, bool fix)
{
	const json_t *limits = json_object_get(cause, "limits"), *limit = NULL;
	size_t i;
	json_array_foreach (limits, i, limit) {
		(void)fputs("- ", out);
		put_limit(out, limit);
		(void)fputc('\n', out);
	}
	if (*text_of(cause, "note"))
		(void)fprintf(out, "%s%s\n", i ? "\n" : "", text_of(cause, "note"));
	put_command(out, text_of(cause, "show"));
	limit = json_array_get(limits, 0);
	if (fix && limit) {
		(void)fputs("\nWhat lifts it:\n", out);
		put_command(out, text_of(limit, "fix"));
	}
}

/* --- a scenario -------------------------------------------------------------------------------------------------- */

static void put_neighbours(FILE *out, const json_t *page)
{
	const json_t *symptom = NULL;
	size_t i;
	json_array_foreach (json_object_get(page, "symptoms"), i, symptom) {
		const json_t *also = json_object_get(symptom, "also"), *calls = json_object_get(symptom, "calls");
		if (json_array_size(also) == 0)
			continue;
		(void)fputs("\n", out);
		put_code(out, text_of(symptom, "outcome"));
		if (json_array_size(calls)) {
			(void)fputs(" from ", out);
			put_words(out, calls);
		}
		(void)fputs(" has other causes as well: ", out);
		put_words(out, also);
		(void)fprintf(out, ". `enomem explain %s` tells them apart.\n", text_of(symptom, "outcome"));
	}
}

static void put_runs(FILE *out, const json_t *runs)
{
	json_int_t all = text_integer(runs, "all", 0), here = text_integer(runs, "here", 0);
	const char *why = text_of(runs, "why_not"), *guest = text_of(runs, "guest");
	if (here == all)
		(void)fprintf(out, "\nAll %" JSON_INTEGER_FORMAT " runs can happen here:\n", all);
	else if (*guest)
		(void)fprintf(out,
			      "\n%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT
			      " runs can happen here, the others in a guest with kernel %s (",
			      here, all, guest);
	else
		(void)fprintf(out, "\n%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " runs can happen here (",
			      here, all);
	if (here != all) {
		put_code(out, why);
		(void)fputs("):\n", out);
	}
	put_command(out, text_of(runs, "command"));
}

static void write_scenario(FILE *out, const json_t *page)
{
	const json_t *cause = NULL;
	size_t i;
	book_write_lesson(page, 1, out);
	(void)fputs("\n## On this machine\n\n", out);
	put_host(out, page);
	json_array_foreach (json_object_get(page, "causes"), i, cause) {
		(void)fputs("\n### ", out);
		(void)fprintf(out, "%s\n\n", text_of(cause, "cause"));
		put_cause_here(out, cause, true);
	}
	if (*text_of(page, "note")) {
		(void)fputs("\n", out);
		text_put_markdown(out, text_of(page, "note"));
		(void)fputs("\n", out);
	}
	put_neighbours(out, page);
	put_runs(out, json_object_get(page, "runs"));
	book_write_answers(page, 1, out);
}

/* --- a cause ----------------------------------------------------------------------------------------------------- */

static void put_remedies(FILE *out, const json_t *scenario)
{
	(void)fputs("- ", out);
	put_code(out, text_of(scenario, "scenario"));
	(void)fprintf(out, ": %s.", text_of(scenario, "title"));
	if (json_array_size(json_object_get(scenario, "helps"))) {
		(void)fputs(" Helps: ", out);
		put_words(out, json_object_get(scenario, "helps"));
		(void)fputc('.', out);
	}
	if (json_array_size(json_object_get(scenario, "folklore"))) {
		(void)fputs(" Does not: ", out);
		put_words(out, json_object_get(scenario, "folklore"));
		(void)fputc('.', out);
	}
	(void)fputc('\n', out);
}

static void write_cause(FILE *out, const json_t *page)
{
	const json_t *row = NULL;
	size_t i;
	(void)fprintf(out, "# %s\n\n## You see\n\n", text_of(page, "cause"));
	json_array_foreach (json_object_get(page, "symptoms"), i, row) {
		(void)fputs("- ", out);
		put_code(out, text_of(row, "outcome"));
		if (json_array_size(json_object_get(row, "calls"))) {
			(void)fputs(" from ", out);
			put_words(out, json_object_get(row, "calls"));
		}
		(void)fputc('\n', out);
	}
	if (i == 0)
		(void)fputs("No scenario shows it.\n", out);
	(void)fputs("\n## On this machine\n\n", out);
	put_host(out, page);
	(void)fputc('\n', out);
	put_cause_here(out, page, true);
	(void)fputs("\n## Scenarios, and what was shown to help\n\n", out);
	json_array_foreach (json_object_get(page, "scenarios"), i, row)
		put_remedies(out, row);
	row = json_array_get(json_object_get(page, "scenarios"), 0);
	if (row) {
		(void)fputs("\nThe lesson:\n", out);
		(void)fprintf(out, "\n    enomem explain %s\n", text_of(row, "scenario"));
	}
}

/* --- a symptom --------------------------------------------------------------------------------------------------- */

static const char *const tell_texts[TELLS] = {
	[TELL_COUNTER] =
		"A counter that this limit moves\n\nRead it before and after, or after: one that stands at 0 rules "
		"the limit out. Limits with the same command share it.",
	[TELL_PROCESS] = "A limit of the process\n\nCompare it with what the process has. One that is not set, or "
			 "from which the program is exempt, is out.",
	[TELL_MACHINE] = "A number of the machine\n\nCompare what is in use with the bound, plus what was asked for.",
	[TELL_TRACE] =
		"Nothing that can be read afterwards\n\nWhen all others are out: `enomem why -- COMMAND` looks at "
		"the moment it happens. After a panic only the last lines of the console tell.",
};

static void put_given(FILE *out, const json_t *cause)
{
	const json_t *calls = json_object_get(cause, "calls"), *kernels = json_object_get(cause, "kernels");
	(void)fprintf(out, "\n### %s\n\n", text_of(cause, "cause"));
	if (json_array_size(calls)) {
		(void)fputs("From ", out);
		put_words(out, calls);
		(void)fputs(". ", out);
	}
	(void)fputs("Shown by ", out);
	put_words(out, json_object_get(cause, "shown_by"));
	if (json_array_size(kernels)) {
		(void)fputs("; seen on ", out);
		put_words(out, kernels);
	}
	(void)fputs(".\n\n", out);
	if (*text_of(cause, "show"))
		put_cause_here(out, cause, false);
	else
		put_command(out, text_of(cause, "show"));
}

static void put_said(FILE *out, const json_t *said, const char *outcome)
{
	const json_t *row = NULL;
	size_t i;
	if (json_array_size(said) == 0)
		return;
	(void)fprintf(out,
		      "\n## Said by programs that were told something else\n\n| says %s | the kernel said | cause |\n"
		      "|---|---|---|\n",
		      outcome);
	json_array_foreach (said, i, row) {
		(void)fputs("| ", out);
		put_code(out, text_of(row, "called"));
		(void)fprintf(out, " | %s to `%s` | `%s` |\n", text_of(row, "errno"), text_of(row, "call"),
			      text_of(row, "cause"));
	}
}

static void write_symptom(FILE *out, const json_t *page)
{
	const json_t *given = json_object_get(page, "given_by"), *cause = NULL;
	const char *outcome = text_of(page, "outcome"), *meaning = text_of(page, "meaning");
	size_t i, n = 0;
	(void)fprintf(out, "# %s%s%s\n\n", outcome, *meaning ? ": " : "", meaning);
	put_host(out, page);
	const size_t causes = json_array_size(given);
	if (causes > 0)
		(void)fprintf(out,
			      "\n%zu cause%s so. They are in the order in which they are ruled out with the least "
			      "effort; of those with one kind of check the fullest here comes first.\n",
			      causes, causes == 1 ? " ends" : "s end");
	else
		(void)fputs("\nNo call ends so: these are words of programs, which were told something else. What that "
			    "was is below; `enomem explain` tells more of each errno and of each cause.\n",
			    out);
	for (unsigned tell = 0; tell < TELLS; tell++) {
		bool any = false;
		json_array_foreach (given, i, cause) {
			if (strcmp(text_of(cause, "tell"), explain_tell_names[tell]) != 0)
				continue;
			if (!any)
				(void)fprintf(out, "\n## %zu. %s\n", ++n, tell_texts[tell]);
			any = true;
			put_given(out, cause);
		}
	}
	put_said(out, json_object_get(page, "said_of"), outcome);
}

void explain_write(const json_t *explained, FILE *out)
{
	const char *kind = text_of(explained, "kind");
	if (!strcmp(kind, "scenario"))
		write_scenario(out, explained);
	else if (!strcmp(kind, "cause"))
		write_cause(out, explained);
	else
		write_symptom(out, explained);
}
