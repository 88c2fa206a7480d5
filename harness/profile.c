// SPDX-License-Identifier: MIT
/*
 * The lines of a profile: "key = value", "-key = value", "-key". See profile.h.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "journal-internal.h"
#include "profile-internal.h"

#define ERRORS_MAX 20
#define BLANKS     " \t\r\n"

static const char name_hint[] = "names start below /proc/sys and have at least two parts: vm.swappiness";

static void put_harmless(FILE *f, const char *text)
{
	bool utf8 = profile_is_utf8(text, strlen(text));
	for (const char *c = text; *c; c++) {
		unsigned char byte = (unsigned char)*c;
		fputc(byte < ' ' || byte == 0x7f || (byte >= 0x80 && !utf8) ? '?' : byte, f);
	}
}

void profile_error(struct profile_errors *e, const char *file, unsigned line, const char *hint, const char *format, ...)
{
	char message[512];
	va_list args;

	if (!e->out || ++e->count > ERRORS_MAX + 1)
		return;
	put_harmless(e->out, file);
	if (e->count > ERRORS_MAX) {
		fprintf(e->out, ": more errors follow\n");
		return;
	}
	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	if (line)
		fprintf(e->out, ":%u", line);
	fprintf(e->out, ": error: ");
	put_harmless(e->out, message);
	if (hint)
		fprintf(e->out, "\n      = hint: %s", hint);
	fputc('\n', e->out);
}

bool profile_is_utf8(const char *text, size_t length)
{
	json_auto_t *string = json_stringn(text, length); /* refuses what is not */
	return string;
}

bool profile_has_wildcard(const char *name)
{
	return strpbrk(name, "*?[");
}

bool profile_is_name(const char *name)
{
	char path[PROFILE_NAME_MAX];
	return sysctl_path(name, path, sizeof(path)) == 0 && strcmp(path, name) == 0 && strchr(name, '/');
}

void profile_dotted(const char *name, char *buf, size_t size)
{
	(void)snprintf(buf, size, "%s", name);
	for (char *c = buf; (c = strpbrk(c, "./")); c++)
		*c = *c == '.' ? '/' : '.';
}

static void setting_free(struct profile_setting *setting)
{
	free(setting->name);
	free(setting->value);
	free(setting->file);
}

void profile_free(struct profile *p)
{
	for (size_t i = 0; i < p->count; i++)
		setting_free(&p->item[i]);
	free(p->item);
	*p = (struct profile){0};
}

int profile_append(struct profile *p, const struct profile_setting *setting)
{
	struct profile_setting copy = *setting;
	if (p->count >= PROFILE_SETTINGS_MAX)
		return -E2BIG;
	if ((p->count & (p->count - 1)) == 0) { /* full: there is room for the next power of two */
		struct profile_setting *item = reallocarray(p->item, p->count ? 2 * p->count : 1, sizeof(*item));
		if (!item)
			return -ENOMEM;
		p->item = item;
	}
	copy.name = strdup(setting->name);
	copy.file = strdup(setting->file);
	copy.value = setting->value ? strdup(setting->value) : NULL;
	if (!copy.name || !copy.file || (setting->value && !copy.value)) {
		setting_free(&copy);
		return -ENOMEM;
	}
	/* File names may be any bytes; what is told and sent is UTF-8. */
	if (!profile_is_utf8(copy.file, strlen(copy.file))) {
		for (char *c = copy.file; *c; c++)
			if ((unsigned char)*c >= 0x80)
				*c = '?';
	}
	p->item[p->count++] = copy;
	return 0;
}

/* Cut blanks off both ends of text[0..*length), which is changed. */
static char *trim(char *text, size_t length)
{
	while (length > 0 && strchr(BLANKS, text[length - 1]))
		length--;
	text[length] = '\0';
	return text + strspn(text, BLANKS);
}

/* The message for a key that cannot be a name; NULL when it can, as a path in ret. */
static const char *bad_key(const char *key, char *ret, size_t size)
{
	if (!*key)
		return "the name is missing";
	if (strlen(key) >= size)
		return "the name is too long";
	if (strpbrk(key, " \t"))
		return "a name has no blanks";
	if (*key == '#' || *key == ';')
		return "a comment is no name";
	if (*key == '/')
		return "an absolute path is no name";
	if (sysctl_path(key, ret, size) < 0)
		return "a part of the name is empty, '.' or '..'";
	if (!strchr(ret, '/'))
		return "the name has only one part";
	return NULL;
}

/* A line without comments and blanks around it; changed. */
static int parse(struct profile *p, const char *file, unsigned line, char *text, struct profile_errors *e)
{
	char name[PROFILE_NAME_MAX];
	struct profile_setting setting = {.name = name, .file = (char *)(uintptr_t)file, .line = line};

	for (const char *c = text; *c; c++) {
		if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f) {
			profile_error(e, file, line, "a value is one line of text", "control character %d",
				      (unsigned char)*c);
			return -EINVAL;
		}
	}
	bool dash = *text == '-';
	char *key = text + dash, *equals = strchr(key, '=');
	if (!equals && !dash) {
		profile_error(e, file, line, "write KEY = VALUE, or -KEY to keep patterns away from KEY",
			      "no '=': %.60s", text);
		return -EINVAL;
	}
	if (equals) {
		*equals = '\0';
		setting.value = trim(equals + 1, strlen(equals + 1));
		setting.ignore_failure = dash;
	}
	key = trim(key, strlen(key));
	const char *what = bad_key(key, name, sizeof(name));
	if (what) {
		profile_error(e, file, line, name_hint, "%s: %.60s", what, key);
		return -EINVAL;
	}
	setting.glob = profile_has_wildcard(name);
	int r = profile_append(p, &setting);
	if (r == -E2BIG) {
		profile_error(e, file, line, "split it, or give only the settings that matter", "more than %u settings",
			      PROFILE_SETTINGS_MAX);
		return r;
	}
	return r;
}

int profile_line(struct profile *p, const char *file, unsigned line, const char *text, size_t length,
		 struct profile_errors *e)
{
	if (length > PROFILE_LINE_MAX) {
		profile_error(e, file, line, NULL, "the line has %zu bytes; at most %u are read", length,
			      PROFILE_LINE_MAX);
		return -EINVAL;
	}
	if (memchr(text, '\0', length)) {
		profile_error(e, file, line, "this is not a text file", "a NUL byte");
		return -EINVAL;
	}
	auto_free char *copy = strndup(text, length);
	if (!copy)
		return -ENOMEM;
	char *start = trim(copy, length);
	if (!*start || *start == '#' || *start == ';')
		return 0;
	if (!profile_is_utf8(start, strlen(start))) {
		profile_error(e, file, line, "only comments may have any bytes", "the setting is not UTF-8");
		return -EINVAL;
	}
	if (!strncmp(start, "\xef\xbb\xbf", 3)) {
		profile_error(e, file, line, "save the file as UTF-8 without one", "a byte order mark");
		return -EINVAL;
	}
	return parse(p, file, line, start, e);
}

int profile_add(struct profile *p, const char *assignment, FILE *errors)
{
	struct profile_errors e = {.out = errors};
	auto_free char *copy = strdup(assignment);
	if (!copy)
		return -ENOMEM;
	char *start = trim(copy, strlen(copy));
	if (strlen(assignment) > PROFILE_LINE_MAX || !profile_is_utf8(start, strlen(start)) || !*start) {
		profile_error(&e, PROFILE_COMMAND_LINE, 0, "write it as --sysctl vm.swappiness=10", "%s",
			      *start ? "the setting is too long, or not UTF-8" : "the setting is empty");
		return -EINVAL;
	}
	int r = parse(p, PROFILE_COMMAND_LINE, 0, start, &e);
	return r == -E2BIG ? -EINVAL : r;
}
