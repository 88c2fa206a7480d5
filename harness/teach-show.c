// SPDX-License-Identifier: MIT
/*
 * What a lesson shows: what is set, how it ended, and the sum as bars. See teach.h.
 */
#include <langinfo.h>
#include <stdarg.h>
#include <string.h>

#include "cleanup.h"
#include "guest-world.h"
#include "number.h"
#include "report-text.h"
#include "teach.h"

#define BAR_MOST  40
#define BAR_FROM  31 /* columns before it */
#define UNIT      6  /* of them, for the unit; some are longer */

#define NARROWEST 20
#define DEEPER    10 /* below what stands after "set:" */

void teach_put_to(FILE *out, const struct markdown_style *style, unsigned deeper, const char *format, ...)
{
	char text[2 * TEXT_MAX], wrapped[4 * TEXT_MAX];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	const unsigned blanks = (unsigned)strspn(text, " ");
	const unsigned indent = blanks + deeper;
	(void)text_wrap(text + blanks, style->width > indent + NARROWEST ? style->width - indent : NARROWEST, wrapped,
			sizeof(wrapped));
	unsigned before = blanks;
	for (char *line = wrapped, *end; line; line = end) {
		end = strchr(line, '\n');
		if (end)
			*end++ = '\0';
		(void)fprintf(out, "%*s%s\n", (int)before, "", line);
		before = indent;
	}
}

/* "128M", "60% of ram" or "2 pages", and not "12" or "90% of pid_max": see plan_amount(). */
static bool is_size(const char *said)
{
	static const char *const of_bytes[] = {"ram", "swap", "free", "available", "page", "commit."};
	size_t digits = strspn(said, "0123456789");
	if (digits && said[digits] && strchr("KMGT", said[digits]))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(of_bytes); i++)
		if (strstr(said, of_bytes[i]))
			return true;
	return false;
}

/* As what the program asks for is shown. Sysctls are what is written into their files, in units of their own. */
static const char *shown_value(const struct machine *m, const char *what, const char *value, char *buf, size_t size)
{
	uint64_t bytes;
	if (strcmp(what, "sysctl") != 0 && is_size(value) && plan_amount(value, m, &bytes) == 0)
		return number_format_bytes(buf, size, bytes);
	return text_clean(value, false, buf, size);
}

/* The last level that says something about a key. */
static void put_settings(const struct machine *m, const struct quiz *q, const struct markdown_style *style,
			 const char *what, size_t offset)
{
	const struct case_text *c = q->trigger->case_text;
	const struct environment_text *levels[] = {&q->scenario->environment, c ? &c->environment : NULL,
						   &q->trigger->run->environment};
	char value[TEXT_MAX];
	for (unsigned level = 0; level < 3; level++) {
		if (!levels[level])
			continue;
		const struct settings *s = (const struct settings *)((const char *)levels[level] + offset);
		for (size_t i = 0; i < s->count; i++) {
			bool again = false;
			for (unsigned later = level + 1; later < 3; later++) {
				const struct settings *other =
					levels[later] ? (const struct settings *)((const char *)levels[later] + offset)
						      : NULL;
				for (size_t k = 0; other && k < other->count; k++)
					again |= !strcmp(other->item[k].key, s->item[i].key);
			}
			if (!again)
				teach_put(style, DEEPER, "  set:      %s %s = %s", what, s->item[i].key,
					  shown_value(m, what, s->item[i].value, value, sizeof(value)));
		}
	}
}

/* What the manifest says of the program's word at that place behind its name. */
static const char *said_of(const struct quiz *q, size_t at)
{
	const struct case_text *c = q->trigger->case_text;
	const struct strings *levels[] = {&q->scenario->arguments, c ? &c->arguments : NULL,
					  &q->trigger->run->arguments};
	for (unsigned level = 0; level < 3; level++) {
		if (levels[level] && at < levels[level]->count)
			return levels[level]->item[at];
		at -= levels[level] ? levels[level]->count : 0;
	}
	return "";
}

/* A program is handed a number of bytes; people are shown how much that is. */
static const char *shown_word(const struct quiz *q, unsigned i, char *buf, size_t size)
{
	const char *word = q->trigger->argv[i];
	uint64_t bytes;
	if (i > 0 && *word && number_scan_digits(word, strlen(word), &bytes) == strlen(word) &&
	    is_size(said_of(q, i - 1)))
		return number_format_bytes(buf, size, bytes);
	return text_clean(word, false, buf, size);
}

void teach_show_setting(const struct machine *m, const struct quiz *q, const struct markdown_style *style)
{
	char text[TEXT_MAX], all[TEXT_MAX] = "";
	for (unsigned i = 0; q->trigger->argv[i]; i++)
		text_add(all, sizeof(all), " %s", shown_word(q, i, text, sizeof(text)));
	teach_put(style, DEEPER, "  program: %s", all);
	if (q->guests)
		m = &q->trigger->world->machine;
	put_settings(m, q, style, "limit", offsetof(struct environment_text, rlimit));
	put_settings(m, q, style, "of its group", offsetof(struct environment_text, cgroup));
	put_settings(m, q, style, "of the group above", offsetof(struct environment_text, cgroup_above));
	put_settings(m, q, style, "sysctl", offsetof(struct environment_text, sysctl));
	put_settings(m, q, style, "of its namespace", offsetof(struct environment_text, namespace_sysctl));
	put_settings(m, q, style, "tmpfs", offsetof(struct environment_text, tmpfs));
	put_settings(m, q, style, "taken away", offsetof(struct environment_text, inject));
}

static void put_bar(const struct markdown_style *style, const char *what, uint64_t from, uint64_t n, uint64_t whole,
		    const char *unit, FILE *out)
{
	const bool ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	const bool bytes = !strcmp(unit, "bytes");
	const unsigned from_column = BAR_FROM + (!bytes && strlen(unit) > UNIT ? (unsigned)strlen(unit) - UNIT : 0);
	const unsigned most = style->width > from_column + BAR_MOST ? BAR_MOST
			      : style->width > from_column + 4      ? style->width - from_column
								    : 4;
	char amount[64];
	if (bytes)
		(void)number_format_bytes(amount, sizeof(amount), n);
	else
		(void)number_format_count(amount, sizeof(amount), n);
	unsigned before = (unsigned)((double)from / (double)whole * most + 0.5);
	unsigned length = (unsigned)((double)(from + n) / (double)whole * most + 0.5) - before;
	if (length == 0 && n > 0) /* something is seen of everything, and no line gets longer of it */
		length = 1, before -= before == most;
	(void)fprintf(out, "  %-8s %12s %-*s %*s", what, amount, UNIT, bytes ? "" : unit, (int)before, "");
	for (unsigned i = length; i; i--)
		(void)fputs(ascii ? "#" : "\xe2\x96\x88", out);
	(void)fputc('\n', out);
}

void teach_show_outcome(const json_t *run, const struct markdown_style *style, FILE *out)
{
	const json_t *cause = json_object_get(run, "cause");
	const json_t *memory = json_object_get(
		json_object_get(json_object_get(json_object_get(run, "snapshots"), "failure"), "meminfo"),
		"MemAvailable");
	char text[TEXT_MAX], amount[64];
	json_int_t in_use = text_integer(cause, "in_use", -1), asked = text_integer(cause, "asked", -1);
	json_int_t bound = text_integer(cause, "bound", -1);
	teach_put_to(out, style, 0, "  %s", text_outcome(run, text, sizeof(text)));
	if (in_use >= 0 && asked >= 0 && bound >= 0 && in_use + asked > 0 && in_use < INT64_MAX - asked) {
		uint64_t want = (uint64_t)in_use + (uint64_t)asked;
		uint64_t whole = want > (uint64_t)bound ? want : (uint64_t)bound;
		const char *unit = text_of(cause, "unit");
		put_bar(style, "bound", 0, (uint64_t)bound, whole, unit, out);
		put_bar(style, "in use", 0, (uint64_t)in_use, whole, unit, out);
		put_bar(style, "asked", (uint64_t)in_use, (uint64_t)asked, whole, unit, out);
	}
	teach_put_to(out, style, 0, "  %s", text_cause(run, text, sizeof(text)));
	if (json_is_integer(memory))
		teach_put_to(out, style, 0, "  MemAvailable at that moment: %s",
			     number_format_bytes(amount, sizeof(amount), (uint64_t)json_integer_value(memory)));
}

void teach_show_section(const struct quiz *q, unsigned section, const struct markdown_style *style, FILE *out)
{
	const char *text = text_of(json_array_get(json_object_get(q->lesson, "sections"), section), "text");
	(void)markdown_render(text, strlen(text), style, out);
}

bool teach_show_answers(const struct quiz *q, const struct markdown_style *style, FILE *out)
{
	const char *text = text_of(q->lesson, "answers");
	return *text && markdown_render(text, strlen(text), style, out) == 0;
}
