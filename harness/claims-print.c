// SPDX-License-Identifier: MIT
/*
 * Judged claims for people, as Markdown and as JSON.
 */
#include <errno.h>
#include <string.h>

#include "claims.h"
#include "cleanup.h"
#include "report-text.h"

const char *const claims_format_names[CLAIMS_FORMATS] = {
	[CLAIMS_PRETTY] = "pretty", [CLAIMS_JSON] = "json", [CLAIMS_MARKDOWN] = "markdown"};

#define LINE_MAX_BYTES (4 * TEXT_MAX)
#define SHOWN_MAX      5 /* runs that say the same of a claim */

/* Text with control characters removed, indented and wrapped. */
static void put(FILE *out, unsigned indent, unsigned width, const char *text)
{
	char clean[LINE_MAX_BYTES], wrapped[2 * LINE_MAX_BYTES];
	(void)text_clean(text, false, clean, sizeof(clean));
	(void)text_wrap(clean, width > indent + 20 ? width - indent : 20, wrapped, sizeof(wrapped));
	for (const char *line = wrapped; line;) {
		const char *end = strchr(line, '\n');
		(void)fprintf(out, "%*s%.*s\n", (int)indent, "", end ? (int)(end - line) : (int)strlen(line), line);
		line = end ? end + 1 : NULL;
	}
}

/* Has this result nothing to say, while another one has? */
static bool is_silent(const json_t *by, const json_t *judged)
{
	const json_t *one = NULL;
	bool others = false;
	size_t i;
	json_array_foreach (by, i, one)
		others |= !json_is_true(json_object_get(one, "silent"));
	return others && json_is_true(json_object_get(judged, "silent"));
}

/* Have these two results the same to say? */
static bool same(const json_t *a, const json_t *b)
{
	return a == b || json_equal(a, b);
}

/* Labels of the results that say what result `first` says, "5.10 6.1"; "" where an earlier one says it already. */
static const char *group(const json_t *labels, const json_t *by, size_t first, char *buf, size_t size)
{
	const json_t *one = json_array_get(by, first);
	buf[0] = '\0';
	for (size_t i = 0; i < json_array_size(by); i++) {
		if (!same(one, json_array_get(by, i)))
			continue;
		if (i < first) {
			buf[0] = '\0';
			return buf;
		}
		text_add(buf, size, "%s%s", *buf ? ", " : "", json_string_value(json_array_get(labels, i)));
	}
	return buf;
}

/* "without swap: ram-exhausted/no swap: SIGKILL (OOM), system-oom; witness.refused is 0" */
static char *evidence_text(const json_t *item, char *buf, size_t size)
{
	const char *where = text_of(item, "where"), *number = text_of(item, "number");
	buf[0] = '\0';
	text_add(buf, size, "%s%s%s: %s%s%s", where, *where ? ": " : "", text_of(item, "run"), text_of(item, "shows"),
		 *number ? "; " : "", number);
	return buf;
}

typedef void (*sink)(void *context, bool holds, const char *text);

/* What speaks for the claim, or against it: the first few, and how many more. */
static void each_evidence(const json_t *judged, bool holds, sink to, void *context)
{
	const json_t *item = NULL;
	char text[LINE_MAX_BYTES];
	unsigned count = 0;
	size_t i;
	json_array_foreach (json_object_get(judged, "evidence"), i, item)
		if (json_is_true(json_object_get(item, "holds")) == holds && count++ < SHOWN_MAX)
			to(context, holds, evidence_text(item, text, sizeof(text)));
	if (count > SHOWN_MAX) {
		(void)snprintf(text, sizeof(text), "and %u more", count - SHOWN_MAX);
		to(context, holds, text);
	}
}

struct page {
	FILE *out;
	unsigned width;
	const json_t *labels;
};

static void pretty_evidence(void *context, bool holds, const char *text)
{
	const struct page *p = context;
	char line[LINE_MAX_BYTES + 8];
	(void)snprintf(line, sizeof(line), "%s %s", holds ? "as claimed:" : "otherwise: ", text);
	put(p->out, 8, p->width, line);
}

static void pretty_remedies(const struct page *p, const json_t *claim)
{
	const json_t *remedy = NULL;
	char line[LINE_MAX_BYTES];
	size_t i;
	if (!*text_of(claim, "right"))
		return;
	(void)snprintf(line, sizeof(line), "Right: %s", text_of(claim, "right"));
	put(p->out, 6, p->width, line);
	json_array_foreach (json_object_get(claim, "remedies"), i, remedy) {
		const json_t *ok = json_object_get(remedy, "ok");
		(void)snprintf(line, sizeof(line), "%s %s",
			       json_is_true(ok)   ? "shown by"
			       : json_is_null(ok) ? "not run here:"
						  : "did not help here:",
			       text_of(remedy, "run"));
		put(p->out, 8, p->width, line);
	}
}

static void pretty_claim(struct page *p, const json_t *claim)
{
	const json_t *by = json_object_get(claim, "by"), *judged = NULL, *missing = NULL;
	char line[LINE_MAX_BYTES], kernels[TEXT_MAX];
	size_t i, k;
	(void)snprintf(line, sizeof(line), "%-5s %s%s: %s", text_of(claim, "id"), text_of(claim, "verdict"),
		       json_is_true(json_object_get(claim, "differs")) ? " *" : "", text_of(claim, "says"));
	put(p->out, 0, p->width, line);
	if (*text_of(claim, "untestable"))
		put(p->out, 6, p->width, text_of(claim, "untestable"));
	json_array_foreach (by, i, judged) {
		if (*text_of(claim, "untestable") || is_silent(by, judged) ||
		    !*group(p->labels, by, i, kernels, sizeof(kernels)))
			continue;
		(void)snprintf(line, sizeof(line), "%s: %s", kernels, text_of(judged, "verdict"));
		put(p->out, 6, p->width, line);
		each_evidence(judged, true, pretty_evidence, p);
		each_evidence(judged, false, pretty_evidence, p);
		json_array_foreach (json_object_get(judged, "missing"), k, missing) {
			(void)snprintf(line, sizeof(line), "not known:  %s", json_string_value(missing));
			put(p->out, 8, p->width, line);
		}
	}
	pretty_remedies(p, claim);
}

static void put_summary(const json_t *made, FILE *out)
{
	const char *verdict;
	json_t *count;
	json_int_t all = 0;
	const char *before = "";
	json_object_foreach (json_object_get(made, "summary"), verdict, count)
		all += json_integer_value(count);
	(void)fprintf(out, "%" JSON_INTEGER_FORMAT " %s: ", all, all == 1 ? "claim" : "claims");
	json_object_foreach (json_object_get(made, "summary"), verdict, count) {
		(void)fprintf(out, "%s%" JSON_INTEGER_FORMAT " %s", before, json_integer_value(count), verdict);
		before = ", ";
	}
	(void)fputs(".\n", out);
}

static void write_pretty(const json_t *made, unsigned width, FILE *out)
{
	struct page p = {.out = out, .width = width ? width : 120, .labels = json_object_get(made, "kernels")};
	const json_t *guide = NULL, *claim = NULL;
	size_t i, k;
	json_array_foreach (json_object_get(made, "guides"), i, guide) {
		char line[LINE_MAX_BYTES];
		(void)snprintf(line, sizeof(line), "Guide %s: %s", text_of(guide, "guide"), text_of(guide, "title"));
		put(out, 0, p.width, line);
		(void)fputc('\n', out);
		json_array_foreach (json_object_get(guide, "claims"), k, claim) {
			pretty_claim(&p, claim);
			(void)fputc('\n', out);
		}
	}
	put_summary(made, out);
}

/* A growing cell of a Markdown table. */
struct cell {
	char text[16 * TEXT_MAX];
	bool holds, any;
};

static void cell_evidence(void *context, bool holds, const char *text)
{
	struct cell *c = context;
	const char *sign = c->any && c->holds == holds ? "; " : holds ? "as claimed: " : "otherwise: ";
	text_add(c->text, sizeof(c->text), "%s%s", c->any && c->holds != holds ? ". " : "", sign);
	text_add(c->text, sizeof(c->text), "%s", text);
	c->holds = holds;
	c->any = true;
}

static void markdown_reason(const struct page *p, const json_t *claim)
{
	const json_t *by = json_object_get(claim, "by"), *judged = NULL, *missing = NULL;
	char kernels[TEXT_MAX];
	struct cell c = {.any = false};
	size_t i, k;
	if (*text_of(claim, "untestable")) {
		text_put_markdown(p->out, text_of(claim, "untestable"));
		return;
	}
	json_array_foreach (by, i, judged) {
		if (is_silent(by, judged) || !*group(p->labels, by, i, kernels, sizeof(kernels)))
			continue;
		c.any = false;
		text_add(c.text, sizeof(c.text), "%s", *c.text ? ". " : "");
		if (json_array_size(by) > 1)
			text_add(c.text, sizeof(c.text), "%s: ", kernels);
		each_evidence(judged, true, cell_evidence, &c);
		each_evidence(judged, false, cell_evidence, &c);
		json_array_foreach (json_object_get(judged, "missing"), k, missing)
			text_add(c.text, sizeof(c.text), "%snot known: %s", k || c.any ? "; " : "",
				 json_string_value(missing));
	}
	text_put_markdown(p->out, c.text);
}

static void markdown_right(const struct page *p, const json_t *claim)
{
	const json_t *remedy = NULL;
	size_t i;
	text_put_markdown(p->out, text_of(claim, "right"));
	json_array_foreach (json_object_get(claim, "remedies"), i, remedy) {
		const json_t *ok = json_object_get(remedy, "ok");
		(void)fputs(i ? "; " : " (", p->out);
		(void)fputs(json_is_true(ok) ? "shown by " : json_is_null(ok) ? "not run: " : "did not help: ", p->out);
		text_put_markdown(p->out, text_of(remedy, "run"));
	}
	(void)fputs(i ? ")" : "", p->out);
}

static void markdown_claim(const struct page *p, const json_t *claim)
{
	const json_t *judged = NULL;
	const char *untestable = text_of(claim, "untestable");
	size_t i;
	(void)fprintf(p->out, "| %s%s | ", text_of(claim, "id"),
		      json_is_true(json_object_get(claim, "differs")) ? " \\*" : "");
	text_put_markdown(p->out, text_of(claim, "says"));
	(void)fprintf(p->out, " | **%s** |", text_of(claim, "verdict"));
	json_array_foreach (json_object_get(claim, "by"), i, judged)
		(void)fprintf(p->out, " %s |",
			      *untestable || is_silent(json_object_get(claim, "by"), judged)
				      ? "-"
				      : text_of(judged, "verdict"));
	(void)fputc(' ', p->out);
	markdown_reason(p, claim);
	(void)fputs(" | ", p->out);
	markdown_right(p, claim);
	(void)fputs(" |\n", p->out);
}

static void write_markdown(const json_t *made, FILE *out)
{
	const struct page p = {.out = out, .labels = json_object_get(made, "kernels")};
	const json_t *guide = NULL, *claim = NULL, *label = NULL;
	size_t i, k;
	put_summary(made, out);
	json_array_foreach (json_object_get(made, "guides"), i, guide) {
		(void)fprintf(out, "\n## Guide %s: ", text_of(guide, "guide"));
		text_put_markdown(out, text_of(guide, "title"));
		(void)fputs("\n\n| id | claim | verdict |", out);
		json_array_foreach (p.labels, k, label) {
			(void)fputc(' ', out);
			text_put_markdown(out, json_string_value(label));
			(void)fputs(" |", out);
		}
		(void)fputs(" decided by | right |\n|---|---|---|", out);
		for (k = 0; k < json_array_size(p.labels) + 2; k++)
			(void)fputs("---|", out);
		(void)fputc('\n', out);
		json_array_foreach (json_object_get(guide, "claims"), k, claim)
			markdown_claim(&p, claim);
	}
}

int claims_write(const json_t *made, enum claims_format format, unsigned width, FILE *out)
{
	if (format == CLAIMS_JSON) {
		if (json_dumpf(made, out, JSON_INDENT(1)) < 0 || fputc('\n', out) == EOF)
			return -EIO;
	} else if (format == CLAIMS_MARKDOWN) {
		write_markdown(made, out);
	} else {
		write_pretty(made, width, out);
	}
	return fflush(out) == EOF || ferror(out) ? -EIO : 0;
}
