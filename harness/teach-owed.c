// SPDX-License-Identifier: MIT
/*
 * Questions of a lesson's shell, and answers. See teach-owed.h.
 */
#include "teach-owed.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Another who waits at the same pipe may take an answer that is not theirs. */
#define ANSWERS 20

/* Only digits: strtoul() would take a sign. */
static bool parse_number(const char *text, size_t length, unsigned long most, unsigned long *ret)
{
	char digits[16];
	if (length == 0 || length >= sizeof(digits) || strspn(text, "0123456789") < length)
		return false;
	(void)snprintf(digits, sizeof(digits), "%.*s", (int)length, text);
	*ret = strtoul(digits, NULL, 10);
	return *ret <= most;
}

/* From its end: a word may have any length, and blanks. */
bool asked_parse(const char *line, struct asked *ret)
{
	const char *last = strrchr(line, ' '), *before = last;
	unsigned long pid, serial;
	while (before && before > line && *(before - 1) != ' ')
		before--;
	if (!last || before == line || !parse_number(last + 1, strlen(last + 1), UINT32_MAX, &serial) ||
	    !parse_number(before, (size_t)(last - before), INT32_MAX - 1, &pid) || pid == 0)
		return false;
	const size_t length = (size_t)(before - line) - 1;
	*ret = (struct asked){.pid = (pid_t)pid, .serial = (unsigned)serial};
	if (length < sizeof(ret->word))
		(void)snprintf(ret->word, sizeof(ret->word), "%.*s", (int)length, line);
	return true;
}

void asked_read(struct asked_lines *l, int fd)
{
	const size_t half = sizeof(l->text) / 2;
	if (l->length == sizeof(l->text) && !memchr(l->text, '\n', l->length)) {
		memmove(l->text, l->text + half, half);
		l->length = half;
	}
	ssize_t n = read(fd, l->text + l->length, sizeof(l->text) - l->length);
	if (n > 0)
		l->length += (size_t)n;
}

bool asked_take(struct asked_lines *l, char *line, size_t size)
{
	const char *end = memchr(l->text, '\n', l->length);
	if (!end)
		return false;
	const size_t length = (size_t)(end - l->text), cut = length < size ? 0 : length - size + 1;
	memcpy(line, l->text + cut, length - cut);
	line[length - cut] = '\0';
	l->length -= length + 1;
	memmove(l->text, end + 1, l->length);
	return true;
}

static void forget(struct owed *o, unsigned i)
{
	memmove(&o->one[i], &o->one[i + 1], (--o->count - i) * sizeof(o->one[0]));
}

void owed_add(struct owed *o, const struct asked *to, int status)
{
	/* Who asks anew does not wait for what was asked before. */
	for (unsigned i = o->count; i-- > 0;)
		if (o->one[i].pid == to->pid)
			forget(o, i);
	if (o->count == OWED_MAX)
		forget(o, 0);
	o->one[o->count++] = (struct owed_one){.pid = to->pid, .serial = to->serial, .status = status};
}

int owed_line(const struct owed_one *one, char *buf, size_t size)
{
	return snprintf(buf, size, "%d.%u.%d\n", one->pid, one->serial, one->status);
}

/* true: nobody waits any more, or it was said often enough. Who has not come to wait yet will. */
static bool say(struct owed_one *one, int directory_fd)
{
	char name[32], line[64];
	(void)snprintf(name, sizeof(name), "done.%d", one->pid % OWED_PIPES);
	int fd = openat(directory_fd, name, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return one->said > 0;
	(void)!write(fd, line, (size_t)owed_line(one, line, sizeof(line)));
	(void)close(fd);
	return ++one->said == ANSWERS;
}

void owed_say(struct owed *o, int directory_fd)
{
	for (unsigned i = 0; i < o->count;) {
		if (say(&o->one[i], directory_fd))
			forget(o, i);
		else
			i++;
	}
}
