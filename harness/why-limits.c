// SPDX-License-Identifier: MIT
/*
 * The limits the program started with, and who has asked for others since: a program that sets its own is not helped by
 * a higher one around it. See why.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

#include "cleanup.h"
#include "json-memory.h"
#include "number.h"
#include "procfs.h"
#include "why.h"

#define COMMAND_SHOWN 200 /* of another process's command line, to be recognized by */
#define ANCESTORS_MAX 64

static const struct why_limit limits[] = {
	{RLIMIT_AS, "as", "RLIMIT_AS", "bytes", 'v', true},
	{RLIMIT_DATA, "data", "RLIMIT_DATA", "bytes", 'd', true},
	{RLIMIT_STACK, "stack", "RLIMIT_STACK", "bytes", 's', true},
	{RLIMIT_MEMLOCK, "memlock", "RLIMIT_MEMLOCK", "bytes", 'l', true},
	{RLIMIT_NPROC, "nproc", "RLIMIT_NPROC", "tasks", 'u', false},
	{RLIMIT_NOFILE, "nofile", "RLIMIT_NOFILE", "descriptors", 'n', false},
	{RLIMIT_SIGPENDING, "sigpending", "RLIMIT_SIGPENDING", "signals", 'i', false},
	{RLIMIT_MSGQUEUE, "msgqueue", "RLIMIT_MSGQUEUE", "bytes", 'q', false},
};

const struct why_limit *why_limit_of(int resource)
{
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (limits[i].resource == resource)
			return &limits[i];
	return NULL;
}

void why_limits_note_start(struct why_limits *l, pid_t pid, bool attached)
{
	char name[64], text[4096];
	if (l->known)
		return;
	(void)snprintf(name, sizeof(name), "/proc/%d/limits", pid);
	l->attached = attached;
	l->known = procfs_read_at(AT_FDCWD, name, text, sizeof(text)) > 0 && procfs_parse_limits(text, l->soft) == 0 &&
		   procfs_parse_hard_limits(text, l->hard) == 0;
}

/* Its arguments with blanks between them, for people; NULL: not known. */
static char *command_of(pid_t pid)
{
	static const char more[] = " ...";
	char name[64], text[COMMAND_SHOWN + sizeof(more)];
	(void)snprintf(name, sizeof(name), "/proc/%d/cmdline", pid);
	auto_close int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, COMMAND_SHOWN);
	const char *rest = n == COMMAND_SHOWN ? more : "";
	while (n > 0 && text[n - 1] == '\0')
		n--;
	if (n <= 0)
		return NULL;
	for (ssize_t i = 0; i < n; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	memcpy(text + n, rest, strlen(rest) + 1);
	return json_memory_noted(strdup(text));
}

void why_limits_note_setter(struct why_limits *l, pid_t pid, const char *comm, unsigned resource, uint64_t soft)
{
	if (!why_limit_of((int)resource))
		return;
	/* Runtimes set one again and again. */
	for (unsigned i = 0; i < l->setter_count && i < WHY_SETTERS; i++)
		if (l->setter[i].pid == pid && l->setter[i].resource == resource && l->setter[i].soft == soft)
			return;
	struct why_setter *s = &l->setter[l->setter_count++ % WHY_SETTERS];
	free(s->command);
	*s = (struct why_setter){.pid = pid, .resource = resource, .soft = soft, .command = command_of(pid)};
	(void)snprintf(s->comm, sizeof(s->comm), "%s", comm);
}

/* Of this process, or of any where it is 0: the latest that asked for what is in force. */
static const struct why_setter *find_setter(const struct why_limits *l, pid_t pid, int resource, uint64_t soft)
{
	for (unsigned n = 1; n <= WHY_SETTERS && n <= l->setter_count; n++) {
		const struct why_setter *s = &l->setter[(l->setter_count - n) % WHY_SETTERS];
		if ((!pid || s->pid == pid) && (int)s->resource == resource && s->soft == soft)
			return s;
	}
	return NULL;
}

struct why_change *why_limits_changed(const struct why_limits *l, pid_t pid, int resource, uint64_t soft)
{
	const struct why_limit *limit = why_limit_of(resource);
	if (!limit || !l->known || soft == l->soft[resource] || soft == ENOMEM_ABSENT ||
	    l->soft[resource] == ENOMEM_ABSENT)
		return NULL;
	const struct why_setter *s = NULL;
	pid_t from = pid;
	for (unsigned i = 0; i < ANCESTORS_MAX && from > 0 && !s; i++) {
		s = find_setter(l, from, resource, soft);
		from = s ? from : procfs_parent_of(from);
	}
	if (!s)
		s = find_setter(l, 0, resource, soft);
	struct why_change *c = json_memory_noted(calloc(1, sizeof(*c)));
	if (!c)
		return NULL;
	*c = (struct why_change){.limit = limit,
				 .attached = l->attached,
				 .soft = soft,
				 .start_soft = l->soft[resource],
				 .start_hard = l->hard[resource]};
	if (!s)
		return c;
	c->pid = s->pid;
	c->command = s->command ? json_memory_noted(strdup(s->command)) : NULL;
	memcpy(c->comm, s->comm, sizeof(c->comm));
	return c;
}

void why_change_free(struct why_change *c)
{
	if (c)
		free(c->command);
	free(c);
}

void why_limits_free(struct why_limits *l)
{
	for (unsigned i = 0; i < WHY_SETTERS; i++) {
		free(l->setter[i].command);
		l->setter[i].command = NULL;
	}
}
