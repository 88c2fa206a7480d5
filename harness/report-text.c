// SPDX-License-Identifier: MIT
/*
 * Judged runs in words: one place, so that a reason, a table and a TAP diagnostic never say different things.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "number.h"
#include "report-text.h"

const char text_untraced[] =
	"the program asked for a task that nobody traces (CLONE_UNTRACED), and got one that is traced: "
	"LeakSanitizer does so as its program ends, and does not work under ptrace: ASAN_OPTIONS=detect_leaks=0 leaves "
	"it out";
const char text_unwatched[] =
	"the program made a task that cannot be watched (CLONE_UNTRACED): what that is refused is not seen "
	"here, and where a filter stops its calls they fail (ENOSYS)";

void text_add(char *buf, size_t size, const char *format, ...)
{
	size_t used = strlen(buf);
	va_list args;
	va_start(args, format);
	int length = vsnprintf(buf + used, size - used, format, args);
	va_end(args);
	if (length < 0 || (size_t)length < size - used)
		return;
	/* Cut: not in the middle of a UTF-8 sequence, for JSON would refuse the text. */
	used = strlen(buf);
	while (used && ((unsigned char)buf[used - 1] & 0xc0) == 0x80)
		used--;
	if (used && (unsigned char)buf[used - 1] >= 0xc0)
		used--;
	buf[used] = '\0';
}

const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

const char *text_of2(const json_t *object, const char *key, const char *key2)
{
	return text_of(json_object_get(object, key), key2);
}

json_int_t text_integer(const json_t *object, const char *key, json_int_t fallback)
{
	const json_t *value = json_object_get(object, key);
	return json_is_integer(value) ? json_integer_value(value) : fallback;
}

char *text_value(const json_t *value, char *buf, size_t size)
{
	const json_t *element = NULL;
	size_t i;
	buf[0] = '\0';
	if (json_is_array(value) && json_array_size(value) == 0)
		text_add(buf, size, "none");
	json_array_foreach (value, i, element)
		text_add(buf, size, "%s%s", i ? ", " : "", json_is_string(element) ? json_string_value(element) : "?");
	if (json_is_array(value))
		return buf;
	if (json_is_string(value))
		text_add(buf, size, "%s", json_string_value(value));
	else if (json_is_integer(value))
		text_add(buf, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		text_add(buf, size, "%.17g", json_real_value(value));
	else if (json_is_boolean(value))
		text_add(buf, size, "%s", json_is_true(value) ? "yes" : "no");
	else
		text_add(buf, size, "-");
	return buf;
}

char *text_outcome(const json_t *run, char *buf, size_t size)
{
	const json_t *outcome = json_object_get(run, "outcome");
	const char *kind = text_of(outcome, "kind"), *code = text_of(outcome, "si_code");
	buf[0] = '\0';
	if (!strcmp(kind, "errno")) {
		text_add(buf, size, "%s %s", text_of(outcome, "call"), text_of(outcome, "errno"));
	} else if (!strcmp(kind, "signal")) {
		text_add(buf, size, "%s", text_of(outcome, "signal"));
		if (json_is_true(json_object_get(outcome, "oom")))
			text_add(buf, size, " (OOM)");
		else if (*code)
			text_add(buf, size, " %s", code);
	} else if (!strcmp(kind, "exit")) {
		text_add(buf, size, "exit %" JSON_INTEGER_FORMAT, text_integer(outcome, "code", -1));
	} else {
		text_add(buf, size, "%s", *kind ? kind : "-");
	}
	return buf;
}

char *text_predicted(const json_t *run, char *buf, size_t size)
{
	const json_t *predicted = json_object_get(run, "predicted"), *call = NULL;
	const char *kind = text_of(predicted, "kind"), *code = text_of(predicted, "si_code");
	size_t i;
	buf[0] = '\0';
	bool signalled = !strcmp(kind, "signal");
	/* An exec refused past the point of no return is both. */
	if (!strcmp(kind, "errno") || (signalled && json_object_get(predicted, "errno"))) {
		json_array_foreach (json_object_get(predicted, "call"), i, call)
			text_add(buf, size, "%s%s", i ? "/" : "", json_is_string(call) ? json_string_value(call) : "?");
		text_add(buf, size, "%s%s", *buf ? " " : "", text_of(predicted, "errno"));
	}
	if (signalled) {
		text_add(buf, size, "%s%s%s%s", *buf ? ", " : "", text_of(predicted, "signal"), *code ? " " : "", code);
	} else if (!strcmp(kind, "errno")) {
		return buf;
	} else if (!strcmp(kind, "exit")) {
		text_add(buf, size, "exit %s", text_of(predicted, "exit"));
	} else {
		text_add(buf, size, "%s", *kind ? kind : "-");
	}
	return buf;
}

/* One number of a limit. JSON has null for what is beyond 2^63: of a bound that means none, of a request an absurd one.
 */
static void add_amount(const json_t *value, bool bytes, const char *beyond, char *buf, size_t size)
{
	char text[64];
	if (!json_is_integer(value)) {
		text_add(buf, size, "%s", beyond);
		return;
	}
	uint64_t number = (uint64_t)json_integer_value(value);
	text_add(buf, size, "%s",
		 bytes ? number_format_bytes(text, sizeof(text), number)
		       : number_format_count(text, sizeof(text), number));
}

/* "23.5 GiB > 23.5 GiB" tells nobody anything: then the bytes are counted out. */
static bool rounds_alike(__int128 want, const json_t *bound)
{
	char a[64], b[64];
	if (!json_is_integer(bound) || want < 0 || want > INT64_MAX)
		return false;
	(void)number_format_bytes(a, sizeof(a), (uint64_t)want);
	(void)number_format_bytes(b, sizeof(b), (uint64_t)json_integer_value(bound));
	return !strcmp(a, b);
}

char *text_arithmetic(const json_t *limit, char *buf, size_t size)
{
	const json_t *in_use = json_object_get(limit, "in_use"), *asked = json_object_get(limit, "asked");
	const json_t *bound = json_object_get(limit, "bound");
	const char *unit = text_of(limit, "unit");
	buf[0] = '\0';
	if (!in_use || !asked || !bound || !*unit)
		return buf;
	bool absurd = !json_is_integer(in_use) || !json_is_integer(asked);
	__int128 want = (__int128)json_integer_value(in_use) + json_integer_value(asked);
	bool bytes = !strcmp(unit, "bytes") && (absurd || !rounds_alike(want, bound));
	add_amount(in_use, bytes, "2^63", buf, size);
	text_add(buf, size, " + ");
	add_amount(asked, bytes, "2^63", buf, size);
	text_add(buf, size, json_is_integer(bound) && (absurd || want > json_integer_value(bound)) ? " > " : " <= ");
	add_amount(bound, bytes, "unlimited", buf, size);
	if (!bytes)
		text_add(buf, size, " %s", unit);
	return buf;
}

char *text_cause(const json_t *run, char *buf, size_t size)
{
	const json_t *cause = json_object_get(run, "cause");
	char numbers[TEXT_MAX];
	buf[0] = '\0';
	if (!json_is_object(cause))
		return buf;
	text_add(buf, size, "%s", text_of(cause, "id"));
	if (*text_arithmetic(cause, numbers, sizeof(numbers)))
		text_add(buf, size, " (%s)", numbers);
	return buf;
}

char *text_check(const json_t *check, char *buf, size_t size)
{
	char value[TEXT_MAX];
	const json_t *expected = json_object_get(check, "expected"), *difference = json_object_get(check, "difference");
	const char *note = text_of(check, "note");
	buf[0] = '\0';
	text_add(buf, size, "%s: %s", text_of(check, "what"),
		 text_value(json_object_get(check, "value"), value, sizeof(value)));
	if (expected && !json_is_null(expected))
		text_add(buf, size, ", expected %s", text_value(expected, value, sizeof(value)));
	if (json_is_integer(difference))
		text_add(buf, size, " (difference %+" JSON_INTEGER_FORMAT ")", json_integer_value(difference));
	if (*note)
		text_add(buf, size, " (%s)", note);
	return buf;
}

char *text_host(const json_t *result, char *buf, size_t size)
{
	const json_t *host = json_object_get(result, "host");
	char amount[64];
	buf[0] = '\0';
	text_add(buf, size, "Linux %s, cgroup %s", text_of(host, "kernel"), text_of(host, "cgroup"));
	text_add(buf, size, ", %s RAM",
		 number_format_bytes(amount, sizeof(amount), (uint64_t)text_integer(host, "ram", 0)));
	json_int_t swap = text_integer(host, "swap", 0);
	if (swap > 0)
		text_add(buf, size, ", %s swap", number_format_bytes(amount, sizeof(amount), (uint64_t)swap));
	else
		text_add(buf, size, ", no swap");
	if (json_is_true(json_object_get(host, "guest")))
		text_add(buf, size, ", guest");
	return buf;
}

/* Bytes of one UTF-8 sequence whose first byte is c; jansson has seen to it that sequences are whole. */
static size_t sequence_length(unsigned char c)
{
	if (c < 0x80)
		return 1;
	if (c < 0xe0)
		return 2;
	return c < 0xf0 ? 3 : 4;
}

/*
 * C0, DEL and C1, which a terminal obeys; line separators, which some readers end a line at; marks that turn the
 * direction of writing around and so make a text look like another (U+2028 to U+202E, U+2066 to U+2069); the byte order
 * mark.
 */
static bool is_control(const unsigned char *c)
{
	if (c[0] < 0x20 || c[0] == 0x7f)
		return true;
	if (c[0] == 0xc2)
		return c[1] < 0xa0;
	if (c[0] == 0xe2)
		return (c[1] == 0x80 && c[2] >= 0xa8 && c[2] <= 0xae) || (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9);
	return c[0] == 0xef && c[1] == 0xbb && c[2] == 0xbf;
}

char *text_clean(const char *text, bool ascii, char *buf, size_t size)
{
	size_t used = 0;
	while (*text && used + 5 < size) {
		unsigned char c = (unsigned char)*text;
		size_t length = strnlen(text, sequence_length(c));
		if (is_control((const unsigned char *)text) || (ascii && c >= 0x80)) {
			buf[used++] = c == '\t' || c == '\n' ? ' ' : '?';
		} else {
			memcpy(buf + used, text, length);
			used += length;
		}
		text += length;
	}
	buf[used] = '\0';
	return buf;
}

void text_put_markdown(FILE *out, const char *text)
{
	char clean[8 * TEXT_MAX];
	for (const char *c = text_clean(text, false, clean, sizeof(clean)); *c; c++) {
		if (strchr("\\`*_|[]", *c))
			(void)fputc('\\', out);
		if (*c == '<' || *c == '>' || *c == '&')
			(void)fputs(*c == '<' ? "&lt;" : *c == '>' ? "&gt;" : "&amp;", out);
		else
			(void)fputc(*c, out);
	}
}
