// SPDX-License-Identifier: MIT
/*
 * Records of /dev/kmsg, and what the OOM killer says in them.
 */
#include "kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "number.h"

/* How often in a row the log may run away from us before we say so. */
#define OVERWRITTEN_MAX 1000

/* A name of an OOM victim is at most TASK_COMM_LEN - 1 bytes. */
#define COMM_MAX        15

int kmsg_open(int *ret_fd)
{
	auto_close int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 || lseek(fd, 0, SEEK_END) < 0)
		return -errno;
	*ret_fd = steal_fd(fd);
	return 0;
}

int kmsg_next(int fd, struct kmsg_record *ret)
{
	char record[KMSG_RECORD_MAX];

	for (int i = 0; i < OVERWRITTEN_MAX; i++) {
		ssize_t n = read(fd, record, sizeof(record));

		if (n > 0) {
			int r = kmsg_parse(record, (size_t)n, ret);
			return r < 0 ? r : 1;
		}
		if (n == 0 || errno == EAGAIN)
			return 0;
		/* devkmsg_read() moved on to the oldest record that is left. */
		if (errno != EPIPE && errno != EINTR)
			return -errno;
	}
	return -EPIPE;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* msg_add_ext_text(), kernel/printk/printk.c, escapes what is unprintable, and the backslash, as \xNN. */
static void unescape(const char *text, size_t length, char *ret, size_t size)
{
	size_t out = 0;

	for (size_t i = 0; i < length && out + 1 < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\\' && length - i >= 4 && text[i + 1] == 'x') {
			int high = hex_value(text[i + 2]), low = hex_value(text[i + 3]);

			if (high >= 0 && low >= 0) {
				c = (unsigned char)(high << 4 | low);
				i += 3;
			}
		}
		if (c < 0x20 || c == 0x7f)
			c = '?';
		ret[out++] = (char)c;
	}
	ret[out] = '\0';
}

int kmsg_parse(const char *record, size_t length, struct kmsg_record *ret)
{
	const char *p = record, *end = record + length;
	uint64_t field[3]; /* facility and level, sequence, microseconds */

	for (unsigned i = 0; i < ARRAY_SIZE(field); i++) {
		size_t digits = number_scan_digits(p, (size_t)(end - p), &field[i]);

		p += digits;
		if (!digits || p == end || *p != ',')
			return -EBADMSG;
		p++;
	}
	/* Flags, and whatever fields a newer kernel adds before the semicolon. */
	const char *newline = memchr(p, '\n', (size_t)(end - p));
	const char *line_end = newline ? newline : end;
	const char *semicolon = memchr(p, ';', (size_t)(line_end - p));
	if (!semicolon || semicolon == p)
		return -EBADMSG;
	ret->level = (unsigned)(field[0] & 7);
	ret->from_kernel = field[0] >> 3 == 0; /* devkmsg_write() lets nobody else use facility 0 */
	ret->sequence = field[1];
	ret->time_us = field[2];
	unescape(semicolon + 1, (size_t)(line_end - semicolon - 1), ret->text, sizeof(ret->text));
	return 0;
}

static const char *skip_prefix(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

static const char *find_last(const char *text, const char *needle)
{
	const char *last = NULL;

	for (const char *p = strstr(text, needle); p; p = strstr(p + 1, needle))
		last = p;
	return last;
}

static void copy_span(char *ret, size_t size, const char *start, const char *end)
{
	size_t length = (size_t)(end - start);

	if (length >= size)
		length = size - 1;
	memcpy(ret, start, length);
	ret[length] = '\0';
}

/* Decimal digits that are a pid; returns what follows them, or NULL. */
static const char *scan_pid(const char *text, pid_t *ret)
{
	uint64_t value = 0;
	size_t digits = number_scan_digits(text, strlen(text), &value);

	if (!digits || value == 0 || value > INT32_MAX)
		return NULL;
	*ret = (pid_t)value;
	return text + digits;
}

/* Lines about another pid tell of another kill: nothing known of the previous one may be mixed into it. */
static void start_pid(struct kmsg_oom *ret, pid_t pid)
{
	if (ret->pid != 0 && ret->pid != pid)
		memset(ret, 0, sizeof(*ret));
	ret->pid = pid;
}

/*
 * Where ",task=" is, looking back from ",pid=". A comm may hold ",task=" itself, so the first one that is near enough
 * for a comm to fit in between wins; a kernel with longer names is served by the last one.
 */
static const char *find_task(const char *text, const char *pid_at)
{
	static const char key[] = ",task=";
	const size_t key_length = sizeof(key) - 1;
	const char *found = NULL;

	for (const char *p = strstr(text, key); p && p + key_length <= pid_at; p = strstr(p + 1, key)) {
		found = p;
		if ((size_t)(pid_at - p) - key_length <= COMM_MAX)
			break;
	}
	return found;
}

/* The path after key, up to the next key or end. Nothing is written when it is not there. */
static void copy_path(char *ret, size_t size, const char *text, const char *key, const char *next_key, const char *end)
{
	const char *start = strstr(text, key);

	if (!start || start >= end)
		return;
	start += strlen(key);
	const char *next = next_key ? strstr(start, next_key) : NULL;
	if (next && next < end)
		end = next;
	if (start < end && *start == '/')
		copy_span(ret, size, start, end);
}

/*
 * dump_oom_summary(), mm/oom_kill.c:
 * oom-kill:constraint=C,nodemask=N,cpuset=P,mems_allowed=M,oom_memcg=P,task_memcg=P,task=COMM,pid=PID,uid=UID
 * with "global_oom" in place of oom_memcg when it is the machine's memory.
 */
static bool oom_summary(const char *text, struct kmsg_oom *ret)
{
	const char *constraint = skip_prefix(text, "oom-kill:constraint=");
	const char *pid_at = constraint ? find_last(constraint, ",pid=") : NULL;
	pid_t pid;

	if (!pid_at)
		return false;
	const char *after = scan_pid(pid_at + strlen(",pid="), &pid);
	/* A line cut off within its pid would name another process. */
	if (!after || !skip_prefix(after, ",uid="))
		return false;
	start_pid(ret, pid);
	ret->memcg = skip_prefix(constraint, "CONSTRAINT_MEMCG,") != NULL;
	const char *task_at = find_task(constraint, pid_at);
	if (!task_at)
		return true;
	copy_span(ret->comm, sizeof(ret->comm), task_at + strlen(",task="), pid_at);
	copy_path(ret->oom_memcg, sizeof(ret->oom_memcg), constraint, ",oom_memcg=", ",task_memcg=", task_at);
	copy_path(ret->task_memcg, sizeof(ret->task_memcg), constraint, ",task_memcg=", NULL, task_at);
	return true;
}

/* __oom_kill_process(), mm/oom_kill.c: "MESSAGE: Killed process PID (COMM) total-vm:..." */
static bool oom_killed(const char *text, struct kmsg_oom *ret)
{
	static const char memcg_message[] = "Memory cgroup out of memory";
	static const char *const messages[] = {
		memcg_message,
		"Out of memory (oom_kill_allocating_task)",
		"Out of memory",
	};
	const char *message = NULL, *p = text;
	pid_t pid;

	/* Only at its start: other programs quote such lines in the log as well. */
	for (unsigned i = 0; i < ARRAY_SIZE(messages); i++) {
		const char *rest = skip_prefix(text, messages[i]);

		if (rest && skip_prefix(rest, ": ")) {
			message = messages[i];
			p = rest + 2;
			break;
		}
	}
	p = skip_prefix(p, "Killed process ");
	p = p ? scan_pid(p, &pid) : NULL;
	p = p ? skip_prefix(p, " (") : NULL;
	/* The last total-vm is the kernel's, and the parenthesis before it closes the name. */
	const char *end = p ? find_last(p, " total-vm:") : NULL;
	if (!end)
		return false;
	end = memrchr(p, ')', (size_t)(end - p));
	if (!end)
		return false;
	start_pid(ret, pid);
	if (message)
		ret->memcg = message == memcg_message;
	copy_span(ret->comm, sizeof(ret->comm), p, end);
	return true;
}

/* mem_cgroup_print_oom_group(), mm/memcontrol.c: no pid, only the group all tasks of which are killed. */
static bool oom_group(const char *text, struct kmsg_oom *ret)
{
	const char *path = skip_prefix(text, "Tasks in ");
	const char *end = path ? find_last(path, " are going to be killed due to memory.oom.group set") : NULL;

	if (!end || end == path)
		return false;
	/* The victim's own group, if known, is this one or inside it. */
	if (ret->task_memcg[0] == '\0')
		copy_span(ret->task_memcg, sizeof(ret->task_memcg), path, end);
	return true;
}

bool kmsg_oom_line(const char *text, struct kmsg_oom *ret)
{
	return oom_summary(text, ret) || oom_killed(text, ret) || oom_group(text, ret);
}
