// SPDX-License-Identifier: MIT
/*
 * What a decoy was when it stood, and what somebody has made of it since. See hold-decoy.h.
 *
 * Everything is read in /proc and in the decoy's control groups, as anybody could: nothing of it is told by the decoy.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "cgroup.h"
#include "cleanup.h"
#include "hold-decoy.h"
#include "hold-tool.h"
#include "judge-check.h"
#include "procfs.h"

#define TEXT_ROOM     8192
#define PATH_ROOM     1024
#define SETTLE_TRIES  100
#define SETTLE_NS     10000000
#define FIELD_STATE   3
#define FIELD_START   22
#define FIELD_CODE    52
#define DELIVERED_MAX 0x7f /* a ptrace-stop's code: a signal, or above it an event */

/* Files of a process, and of a group those whose names end so: what is set there, and never what is counted. */
static const char *const process_files[] = {"limits", "cgroup", "oom_score_adj"};
static const char *const group_endings[] = {".max",    ".high",     ".low",        ".min",          "limit_in_bytes",
					    ".freeze", "oom.group", "oom_control", "freezer.state", ".swappiness"};

/* --- reading ----------------------------------------------------------------------------------------------------- */

/* Of oom_control the first line alone: below stand counts. */
static bool read_text(const char *path, char *text, size_t size)
{
	if (procfs_read_at(AT_FDCWD, path, text, size) < 0)
		return false;
	if (strstr(path, "oom_control"))
		text[strcspn(text, "\n")] = '\0';
	return true;
}

/* Signals that wait for it or for one of its threads, as a mask: who stands still takes none. */
static uint64_t pending_of(pid_t pid)
{
	char path[PATH_ROOM], text[TEXT_ROOM];
	uint64_t mask = 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/task", pid);
	auto_closedir DIR *tasks = opendir(path);
	for (struct dirent *entry; tasks && (entry = readdir(tasks));) {
		(void)snprintf(path, sizeof(path), "/proc/%d/task/%.20s/status", pid, entry->d_name);
		if (!isdigit((unsigned char)entry->d_name[0]) || !read_text(path, text, sizeof(text)))
			continue;
		const char *own = strstr(text, "\nSigPnd:"), *shared = strstr(text, "\nShdPnd:");
		mask |= own ? strtoull(own + strlen("\nSigPnd:"), NULL, 16) : 0;
		mask |= shared ? strtoull(shared + strlen("\nShdPnd:"), NULL, 16) : 0;
	}
	return mask;
}

static bool is_traced(pid_t pid)
{
	char path[PATH_ROOM], text[TEXT_ROOM];
	(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
	const char *tracer = read_text(path, text, sizeof(text)) ? strstr(text, "\nTracerPid:") : NULL;
	return tracer && strtol(tracer + strlen("\nTracerPid:"), NULL, 10) > 0;
}

/* false: there is no such process, or it is dead. */
static bool read_task(pid_t pid, struct hold_decoy_task *ret)
{
	char path[PATH_ROOM], text[TEXT_ROOM];
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	char *name = read_text(path, text, sizeof(text)) ? strchr(text, '(') : NULL, *end = strrchr(text, ')');
	char *rest = NULL;
	if (!name || !end || end < name)
		return false;
	*ret = (struct hold_decoy_task){.pid = pid};
	*end = '\0';
	(void)snprintf(ret->comm, sizeof(ret->comm), "%s", name + 1);
	char *field = strtok_r(end + 1, " \n", &rest);
	ret->state = 'X';
	if (field)
		ret->state = *field;
	for (unsigned i = FIELD_STATE; field && i <= FIELD_CODE; i++, field = strtok_r(NULL, " \n", &rest))
		if (i == FIELD_START)
			ret->start = strtoull(field, NULL, 10);
		else if (i == FIELD_CODE)
			ret->code = (int)strtol(field, NULL, 10);
	ret->pending = pending_of(pid);
	ret->traced = is_traced(pid);
	return ret->state != 'Z' && ret->state != 'X';
}

static bool is_stopped(const struct hold_decoy_task *t)
{
	return t->state == 'T' || t->state == 't';
}

/* --- as it stands ------------------------------------------------------------------------------------------------ */

static bool belongs(const struct hold_decoy *d, pid_t parent)
{
	for (size_t i = 0; i < d->task_count; i++)
		if (d->task[i].pid == parent)
			return true;
	return parent == d->keeper;
}

static int add_task(struct hold_decoy *d, const struct hold_decoy_task *one)
{
	struct hold_decoy_task *more = realloc(d->task, (d->task_count + 1) * sizeof(*one));
	if (!more)
		return -ENOMEM;
	d->task = more;
	d->task[d->task_count++] = *one;
	return 0;
}

/* The keeper and everything below it, parents first: another look for each generation. */
static int note_tasks(struct hold_decoy *d)
{
	d->task_count = 0;
	for (size_t before = SIZE_MAX; before != d->task_count;) {
		before = d->task_count;
		auto_closedir DIR *proc = opendir("/proc");
		for (struct dirent *entry; proc && (entry = readdir(proc));) {
			pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
			struct hold_decoy_task one;
			bool known = false;
			for (size_t i = 0; i < before && !known; i++)
				known = d->task[i].pid == pid;
			if (pid <= 1 || known || (pid != d->keeper && !belongs(d, procfs_parent_of(pid))) ||
			    !read_task(pid, &one))
				continue;
			int r = add_task(d, &one);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* Somebody still on its way to where it will stand. */
static bool is_moving(const struct hold_decoy *d)
{
	for (size_t i = 0; i < d->task_count; i++)
		if (d->task[i].state == 'R' && d->task[i].pid != d->keeper)
			return true;
	return false;
}

static int note_file(struct hold_decoy *d, const char *path)
{
	char text[TEXT_ROOM];
	for (size_t i = 0; i < d->file_count; i++)
		if (!strcmp(d->file[i].path, path))
			return 0;
	if (!read_text(path, text, sizeof(text)))
		return 0;
	struct hold_decoy_file *more = realloc(d->file, (d->file_count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	d->file = more;
	struct hold_decoy_file *one = &d->file[d->file_count++];
	*one = (struct hold_decoy_file){.path = strdup(path), .text = strdup(text)};
	return one->path && one->text ? 0 : -ENOMEM;
}

static bool is_setting(const char *name)
{
	const size_t length = strlen(name);
	for (size_t i = 0; i < ARRAY_SIZE(group_endings); i++) {
		const size_t end = strlen(group_endings[i]);
		if (length > end && !strcmp(name + length - end, group_endings[i]))
			return true;
	}
	return false;
}

/* A group that was made for it, and those above it that were. */
static int note_groups(struct hold_decoy *d, char *directory)
{
	int r = 0;
	for (char *last; r == 0 && (last = strrchr(directory, '/')) && !strncmp(last, "/enomem-", 8); *last = '\0') {
		auto_closedir DIR *group = opendir(directory);
		for (struct dirent *entry; r == 0 && group && (entry = readdir(group));) {
			char path[3 * PATH_ROOM];
			(void)snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
			if (is_setting(entry->d_name))
				r = note_file(d, path);
		}
	}
	return r;
}

static int note_settings(struct hold_decoy *d, pid_t pid, const char *mounts)
{
	static struct cgroup_system groups;
	char path[2 * PATH_ROOM], text[TEXT_ROOM];
	int r = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(process_files); i++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, process_files[i]);
		r = note_file(d, path);
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	if (r < 0 || !read_text(path, text, sizeof(text)) || cgroup_detect(mounts, text, "", &groups) < 0)
		return r;
	for (size_t i = 0; r == 0 && i < CGROUP_CONTROLLERS; i++) {
		(void)snprintf(path, sizeof(path), "%s%s", groups.at[i].mount, groups.at[i].parent);
		if (groups.at[i].version != CGROUP_NONE)
			r = note_groups(d, path);
	}
	return r;
}

int hold_decoy_note(struct hold_decoy *d)
{
	const struct timespec pause = {.tv_nsec = SETTLE_NS};
	const size_t room = (size_t)1 << 20;
	auto_free char *mounts = malloc(room);
	int r = mounts ? note_tasks(d) : -ENOMEM;
	for (unsigned n = 0; r == 0 && n < SETTLE_TRIES && is_moving(d); n++) {
		(void)nanosleep(&pause, NULL);
		r = note_tasks(d);
	}
	if (r == 0 && procfs_read_at(AT_FDCWD, "/proc/self/mountinfo", mounts, room) < 0)
		*mounts = '\0';
	for (size_t i = 0; r == 0 && i < d->task_count; i++)
		r = note_settings(d, d->task[i].pid, mounts);
	return r;
}

void hold_decoy_forget(struct hold_decoy *d)
{
	for (size_t i = 0; i < d->file_count; i++) {
		free(d->file[i].path);
		free(d->file[i].text);
	}
	free(d->file);
	free(d->task);
	d->file = NULL;
	d->task = NULL;
	d->file_count = d->task_count = 0;
}

/* --- what was made of it ----------------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void add(json_t *all, const char *format, ...)
{
	char text[4 * PATH_ROOM];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_t *change = judge_text(text);
	const json_t *told;
	size_t i;
	/* A signal waits for a process before it is taken, and both may be seen. */
	json_array_foreach (all, i, told)
		if (json_equal(told, change)) {
			json_decref(change);
			return;
		}
	if (i < HOLD_DECOY_CHANGES_MAX)
		(void)json_array_append_new(all, change);
	else
		json_decref(change);
}

/* In a ptrace-stop that nobody has asked about the code is the signal that was taken. What programs are sent by the
 * kernel, or send themselves, is nobody's doing. */
static int taken(const struct hold_decoy_task *now)
{
	static const int own[] = {SIGTRAP, SIGCHLD, SIGURG, SIGPIPE, SIGALRM, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
	if (now->state != 't' || now->code <= 0 || now->code > DELIVERED_MAX)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (now->code == own[i])
			return 0;
	return now->code;
}

static void add_signal(json_t *all, const struct hold_decoy_task *t, int number)
{
	const char *name = sigabbrev_np(number);
	if (name)
		add(all, "process %d (%s) was sent SIG%s", t->pid, t->comm, name);
	else
		add(all, "process %d (%s) was sent signal %d", t->pid, t->comm, number);
}

/* Was it there to the end? */
static bool look_at_task(const struct hold_decoy_task *was, json_t *all)
{
	struct hold_decoy_task now;
	if (!read_task(was->pid, &now) || now.start != was->start) {
		add(all, "process %d (%s) was ended", was->pid, was->comm);
		return false;
	}
	for (int i = 1; i <= 64; i++)
		if ((now.pending & ~was->pending) >> (i - 1) & 1)
			add_signal(all, was, i);
	if (taken(&now) && now.code != was->code)
		add_signal(all, was, taken(&now));
	if (is_stopped(was) && !is_stopped(&now) && now.state != 'D') /* who was frozen: its group tells */
		add(all, "process %d (%s) stood still, and was let go on", was->pid, was->comm);
	if (!is_stopped(was) && !was->traced && is_stopped(&now))
		add(all, "process %d (%s) was stopped", was->pid, was->comm);
	return true;
}

/* The first line that differs, with single blanks. */
static void first_difference(const char *was, const char *is, char *line[2], size_t size)
{
	while (*was && *is) {
		const size_t a = strcspn(was, "\n"), b = strcspn(is, "\n");
		if (a != b || strncmp(was, is, a) != 0)
			break;
		was += a + (was[a] != '\0');
		is += b + (is[b] != '\0');
	}
	for (unsigned n = 0; n < 2; n++) {
		size_t used = 0;
		for (const char *from = n ? is : was; *from && *from != '\n' && used + 1 < size; from++)
			if (*from != ' ' || (used && line[n][used - 1] != ' '))
				line[n][used++] = *from;
		while (used && line[n][used - 1] == ' ')
			used--;
		line[n][used] = '\0';
	}
}

static void look_at_file(const struct hold_decoy_file *f, json_t *all)
{
	char text[TEXT_ROOM], was[PATH_ROOM], is[PATH_ROOM], *line[2] = {was, is};
	if (!read_text(f->path, text, sizeof(text)) || !strcmp(text, f->text))
		return;
	first_difference(f->text, text, line, sizeof(was));
	add(all, "%s: it was '%s', and is '%s'", f->path, was, is);
}

json_t *hold_decoy_changes(const struct hold_decoy *d)
{
	json_t *all = json_array();
	bool whole = true;
	for (size_t i = 0; i < d->task_count; i++)
		whole &= look_at_task(&d->task[i], all);
	/* Of one who has gone neither the files are his any more, nor is it asked what his group is now. */
	for (size_t i = 0; whole && i < d->file_count; i++)
		look_at_file(&d->file[i], all);
	return all;
}
