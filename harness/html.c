// SPDX-License-Identifier: MIT
/*
 * Escaping, in one place. See html.h.
 */
#include "html.h"

#include <stdarg.h>
#include <string.h>

#include "cleanup.h"
#include "json-memory.h"
#include "report-text.h"

#define ID_MAX 64

/* U+FFFE and U+FFFF are in no XML document. */
static bool is_no_character(const char *c)
{
	return (unsigned char)c[0] == 0xef && (unsigned char)c[1] == 0xbf && (unsigned char)c[2] >= 0xbe;
}

static void put_clean(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			(void)fputs("&amp;", out);
			break;
		case '<':
			(void)fputs("&lt;", out);
			break;
		case '>':
			(void)fputs("&gt;", out);
			break;
		case '"':
			(void)fputs("&quot;", out);
			break;
		case '\'':
			(void)fputs("&#39;", out);
			break;
		default:
			if (is_no_character(text)) {
				(void)fputc('?', out);
				text += 2;
			} else {
				(void)fputc(*text, out);
			}
		}
	}
}

/* Cleaning makes no text longer, but wants some room at the end. */
static void put_part(FILE *out, const char *text, size_t length)
{
	auto_free char *part = strndup(text, length), *clean = malloc(length + 8);
	if (part && clean)
		put_clean(out, text_clean(part, false, clean, length + 8));
	else
		json_memory_note(); /* a page that lacks it is none */
}

void html_text(FILE *out, const char *text)
{
	put_part(out, text, strlen(text));
}

void html_lines(FILE *out, const char *text)
{
	for (;;) {
		size_t length = strcspn(text, "\n");
		put_part(out, text, length);
		if (!text[length] || !text[length + 1])
			return;
		(void)fputc('\n', out);
		text += length + 1;
	}
}

void html_format(FILE *out, const char *format, ...)
{
	char text[2 * TEXT_MAX];
	va_list args;
	va_start(args, format);
	int length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (length >= 0)
		html_text(out, text);
}

void html_json(FILE *out, const json_t *value)
{
	auto_free char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	for (const char *c = text ? text : "null"; *c; c++) {
		if (strchr("<>&\x7f", *c))
			(void)fprintf(out, "\\u%04x", (unsigned)*c);
		else
			(void)fputc(*c, out);
	}
}

bool html_is_id(const char *name)
{
	size_t length = strlen(name);
	return length > 0 && length <= ID_MAX && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

void html_coordinate(FILE *out, double value)
{
	long tenths = value >= 0 ? (long)(value * 10 + 0.5) : -(long)(-value * 10 + 0.5);
	if (tenths % 10)
		(void)fprintf(out, "%s%ld.%ld", tenths < 0 ? "-" : "", labs(tenths / 10), labs(tenths % 10));
	else
		(void)fprintf(out, "%ld", tenths / 10);
}
