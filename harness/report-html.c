// SPDX-License-Identifier: MIT
/*
 * The page as a whole. It is HTML that is well-formed XML as well, asks nobody for anything, and forbids itself to.
 */
#include "report-html.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cleanup.h"
#include "html.h"
#include "number.h"
#include "report-matrix.h"
#include "report-text.h"
#include "report.h"
#include "sha256.h"

/* Our own part, as it was when the program was built. */
#define EMBED(name, file)                                                                                              \
	__asm__(".section .rodata\n"                                                                                   \
		".global " #name "\n" #name ":\n"                                                                      \
		".incbin \"" file "\"\n" #name "_end:\n"                                                               \
		".byte 0\n"                                                                                            \
		".previous\n");                                                                                        \
	extern const char name##_end[] __attribute__((visibility("hidden")))
EMBED(report_css, REPORT_CSS);
EMBED(report_js, REPORT_JS);

static void put_policy(FILE *out, const char *library, size_t library_length)
{
	char digest[SHA256_BASE64];
	(void)fprintf(out,
		      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; base-uri 'none'; "
		      "form-action "
		      "'none'; style-src 'sha256-%s'; script-src",
		      sha256_base64(report_css, (size_t)(report_css_end - report_css), digest));
	if (library)
		(void)fprintf(out, " 'sha256-%s'", sha256_base64(library, library_length, digest));
	(void)fprintf(out, " 'sha256-%s'\"/>\n", sha256_base64(report_js, (size_t)(report_js_end - report_js), digest));
}

static void put_script(FILE *out, const char *text, size_t length)
{
	(void)fputs("<script>", out);
	(void)fwrite(text, 1, length, out);
	(void)fputs("</script>\n", out);
}

/* "Linux 6.1.0, cgroup v2, ...", or the labels of several. */
static char *title_of(const struct report_page *p, char *buf, size_t size)
{
	const json_t *label = NULL;
	size_t i;
	if (!p->several)
		return text_host(json_array_get(p->results, 0), buf, size);
	buf[0] = '\0';
	text_add(buf, size, "%zu results:", json_array_size(p->results));
	json_array_foreach (p->labels, i, label)
		text_add(buf, size, "%s %s", i ? "," : "", json_string_value(label));
	return buf;
}

void html_begin(FILE *out, const char *title, const char *library, size_t library_length)
{
	(void)fputs("<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n<meta "
		    "charset=\"utf-8\"/>\n",
		    out);
	put_policy(out, library, library_length);
	(void)fputs("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<meta "
		    "name=\"color-scheme\" "
		    "content=\"light dark\"/>\n<meta name=\"referrer\" content=\"no-referrer\"/>\n<title>enomem: ",
		    out);
	html_text(out, title);
	(void)fputs("</title>\n<style>", out);
	(void)fwrite(report_css, 1, (size_t)(report_css_end - report_css), out);
	(void)fputs("</style>\n</head>\n<body>\n", out);
}

void html_end(FILE *out, const char *library, size_t library_length)
{
	if (library)
		put_script(out, library, library_length);
	put_script(out, report_js, (size_t)(report_js_end - report_js));
	(void)fputs("</body>\n</html>\n", out);
}

/* Ids of sections: the scenario's name where it may be one, so that links last; else its number. */
static json_t *make_ids(const json_t *rows)
{
	json_t *ids = json_object();
	const json_t *row = NULL;
	size_t i;
	json_array_foreach (rows, i, row) {
		const char *name = text_of(row, "scenario");
		if (json_object_get(ids, name))
			continue;
		json_t *id = html_is_id(name) ? json_sprintf("scenario-%s", name)
					      : json_sprintf("section-%zu", json_object_size(ids) + 1);
		if (json_object_set_new(ids, name, id) < 0) {
			json_decref(ids);
			return NULL;
		}
	}
	return ids;
}

const char *html_section(const struct report_page *p, const char *scenario)
{
	return text_of(p->ids, scenario);
}

static void put_page(const struct report_page *p)
{
	char title[TEXT_MAX];
	html_begin(p->out, title_of(p, title, sizeof(title)), p->library, p->library_length);
	(void)fputs("<a class=\"skip-link\" href=\"#table\">To the table</a>\n<header id=\"top\"><h1>enomem <span "
		    "class=\"aside\">",
		    p->out);
	html_text(p->out, title);
	(void)fputs("</span></h1>\n", p->out);
	html_hosts(p);
	(void)fputs("</header>\n<main>\n", p->out);
	html_table(p);
	html_scenarios(p);
	html_understanding(p);
	(void)fputs("</main>\n", p->out);
	html_end(p->out, p->library, p->library_length);
}

/* A script's text ends where the browser sees an end tag, and means another thing after a comment's beginning. */
static bool may_be_inlined(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!text[i] || !strncasecmp(text + i, "</script", 8) || !strncmp(text + i, "<!--", 4))
			return false;
	return true;
}

int report_html(const json_t *results, const char *library, size_t library_length, FILE *out)
{
	json_auto_t *labels = results_labels(results), *rows = labels ? matrix_rows(results, labels) : NULL;
	json_auto_t *ids = rows ? make_ids(rows) : NULL;
	struct report_page p = {.out = out,
				.results = results,
				.labels = labels,
				.rows = rows,
				.ids = ids,
				.library = library,
				.library_length = library_length,
				.several = json_array_size(results) > 1};
	if (!ids)
		return -ENOMEM;
	if (library && !may_be_inlined(library, library_length))
		return -EILSEQ;
	p.classes = html_have_classes(&p);
	errno = 0;
	put_page(&p);
	if (fflush(out) == EOF || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}
