// SPDX-License-Identifier: MIT
/*
 * What `enomem recover` does: take the journals that nobody holds, undo what they announce, newest first, sysctls
 * before groups (a machine without memory recovers first). Whatever cannot be undone or understood stays on disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "cgroup.h"
#include "cleanup.h"
#include "journal-internal.h"
#include "procfs.h"

#define JOURNAL_BYTES_MAX (4U * 1024 * 1024)
#define LOCK_TIMEOUT_NS   UINT64_C(2000000000)
#define REMOVE_TIMEOUT_NS UINT64_C(5000000000)

/* One complete line that nothing takes back. */
struct entry {
	char *text;
	unsigned line;
	bool bad, undone;
	enum journal_verb verb;
};

struct recovery {
	bool dry_run;
	recover_report report;
	void *data;
	int dir_fd, lock_fd;
	int lock_error; /* why lock_fd is not ours, 0 before we tried */
	const char *journal;
	unsigned failed, bad; /* in this journal */
	int left_behind;      /* in all of them */
};

static void tell(struct recovery *r, struct recovered what)
{
	what.journal = r->journal;
	if (what.needed)
		r->left_behind++;
	if (r->report)
		r->report(&what, r->data);
}

static void tell_journal(struct recovery *r, const char *what, const char *to, int error)
{
	tell(r, (struct recovered){.kind = RECOVERED_JOURNAL, .what = what, .to = to, .error = error});
}

/* A live session, or a keeper that is still restoring, holds the lock: then no value is ours to judge. */
static int take_machine_lock(struct recovery *r)
{
	if (r->lock_fd < 0 && r->lock_error == 0)
		r->lock_error = machine_lock(r->dir_fd, r->dry_run ? 0 : LOCK_TIMEOUT_NS, &r->lock_fd);
	return r->lock_fd >= 0 ? 0 : r->lock_error;
}

static void undo_sysctl(struct recovery *r, const struct entry *e)
{
	char now[SYSCTL_VALUE_MAX];
	struct journal_line l;
	(void)journal_parse_line(e->text, &l); /* it could be parsed before */
	struct recovered what = {.kind = RECOVERED_SYSCTL, .line = e->line, .what = l.what, .to = l.old_value};
	what.error = take_machine_lock(r);
	if (what.error == 0)
		what.error = sysctl_read(l.what, now, sizeof(now));
	if (what.error == 0) {
		what.from = now;
		if (sysctl_same_value(now, l.new_value)) {
			what.needed = true;
			what.error = r->dry_run ? 0 : sysctl_write(l.what, l.old_value);
		} else if (!sysctl_same_value(now, l.old_value)) {
			/* Changed by somebody else since. Told once; there is nothing to come back for. */
			what.error = -ESTALE;
			tell(r, what);
			return;
		}
	}
	if (what.error < 0)
		r->failed++;
	tell(r, what);
}

static void undo_cgroup(struct recovery *r, const struct entry *e)
{
	struct journal_line l;
	(void)journal_parse_line(e->text, &l); /* it could be parsed before */
	struct recovered what = {.kind = RECOVERED_CGROUP, .line = e->line, .what = l.what};
	if (faccessat(AT_FDCWD, l.what, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		what.needed = true;
		what.error = r->dry_run ? 0 : cgroup_remove_path(l.what, REMOVE_TIMEOUT_NS);
		if (what.error == -ENOENT) /* gone meanwhile */
			what.error = 0;
		if (what.error == -EINVAL) /* no group at all: a line that we did not write */
			r->bad++;
		else if (what.error < 0)
			r->failed++;
	}
	tell(r, what);
}

static void undo_controllers(struct recovery *r, const struct entry *e)
{
	struct journal_line l;
	(void)journal_parse_line(e->text, &l); /* it could be parsed before */
	struct recovered what = {.kind = RECOVERED_CONTROLLERS, .line = e->line, .what = l.what, .from = l.old_value};
	int changed = cgroup_disable_path(l.what, l.controllers, r->dry_run);
	what.needed = changed > 0;
	what.error = changed < 0 ? changed : 0;
	if (what.error == -EINVAL) /* no group at all: a line that we did not write */
		r->bad++;
	else if (what.error < 0)
		r->failed++;
	tell(r, what);
}

static int sets_commit_limit(const struct entry *e)
{
	struct journal_line l;
	return journal_parse_line(e->text, &l) == 0 && sysctl_lifts_commit_limit(l.what, "0");
}

static void undo_all(struct recovery *r, const struct entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct entry *e = &entries[i];
		if (e->bad) {
			r->bad++;
			tell(r,
			     (struct recovered){
				     .kind = RECOVERED_BAD_LINE, .line = e->line, .what = e->text, .error = -EBADMSG});
		}
	}
	/* What sets the commit limit first: nothing else may be possible before. */
	for (int commit = 1; commit >= 0; commit--) {
		for (size_t i = count; i-- > 0;) {
			if (!entries[i].bad && !entries[i].undone && entries[i].verb == JOURNAL_SYSCTL &&
			    sets_commit_limit(&entries[i]) == commit)
				undo_sysctl(r, &entries[i]);
		}
	}
	for (size_t i = count; i-- > 0;) {
		if (!entries[i].bad && !entries[i].undone && entries[i].verb == JOURNAL_CGROUP)
			undo_cgroup(r, &entries[i]);
	}
	/* Possible when the groups are gone. */
	for (size_t i = count; i-- > 0;) {
		if (!entries[i].bad && !entries[i].undone && entries[i].verb == JOURNAL_ENABLED)
			undo_controllers(r, &entries[i]);
	}
}

/* What a line is about, still escaped: equal things are written equally. */
static const char *subject(const char *text, size_t *ret_length)
{
	text = strchr(text, ' ') + 1;
	*ret_length = strcspn(text, " ");
	return text;
}

/* "removed" and "restored" take back the newest line about the same thing. */
static void take_back(struct entry *entries, size_t count, const char *text, enum journal_verb verb)
{
	size_t length, n;
	const char *what = subject(text, &length);
	while (count-- > 0) {
		struct entry *e = &entries[count];
		if (e->bad || e->undone || e->verb != verb)
			continue;
		const char *other = subject(e->text, &n);
		if (n == length && memcmp(other, what, n) == 0) {
			e->undone = true;
			return;
		}
	}
}

/*
 * Take the text apart. A last line without its newline was still being written: what it announces never began, and half
 * a path may be somebody else's, so it is ignored.
 */
static int parse_entries(char *text, size_t length, struct entry **ret, size_t *ret_count)
{
	size_t count = 0, used = 0;
	struct journal_line parsed = {0};
	for (size_t i = 0; i < length; i++)
		count += text[i] == '\n';
	auto_free struct entry *entries = calloc(count + 1, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	for (unsigned line = 1; line <= count; line++) {
		char *end = memchr(text, '\n', length);
		if (!end)
			break;
		*end = '\0';
		struct entry *e = &entries[used];
		e->text = text;
		e->line = line;
		e->bad = strlen(text) != (size_t)(end - text) || journal_parse_line(text, &parsed) < 0;
		e->verb = parsed.verb;
		if (!e->bad && parsed.verb == JOURNAL_REMOVED)
			take_back(entries, used, text, JOURNAL_CGROUP);
		else if (!e->bad && parsed.verb == JOURNAL_RESTORED)
			take_back(entries, used, text, JOURNAL_SYSCTL);
		else
			used++;
		length -= (size_t)(end + 1 - text);
		text = end + 1;
	}
	*ret = steal(entries);
	*ret_count = used;
	return 0;
}

static int read_journal(int fd, char **ret, size_t *ret_length)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size > (off_t)JOURNAL_BYTES_MAX)
		return -E2BIG;
	auto_free char *text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	size_t length = 0;
	for (ssize_t n; length < (size_t)st.st_size; length += (size_t)n) {
		n = pread(fd, text + length, (size_t)st.st_size - length, (off_t)length);
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
	}
	text[length] = '\0';
	*ret = steal(text);
	*ret_length = length;
	return 0;
}

static bool has_open_sysctl(const struct entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!entries[i].bad && !entries[i].undone && entries[i].verb == JOURNAL_SYSCTL)
			return true;
	}
	return false;
}

static int undo_journal(struct recovery *r, int fd)
{
	/* Twice when a sysctl is open: a keeper may have noted its restoration before it let go of the lock. */
	for (bool again = false;; again = true) {
		auto_free char *text = NULL;
		auto_free struct entry *entries = NULL;
		size_t length = 0, count = 0;
		int error = read_journal(fd, &text, &length);
		if (error == 0)
			error = parse_entries(text, length, &entries, &count);
		if (error < 0)
			return error;
		if (!again && has_open_sysctl(entries, count) && take_machine_lock(r) == 0)
			continue;
		undo_all(r, entries, count);
		return 0;
	}
}

/* Keep it for a person to read, under a name that no later recover takes up. */
static int keep_as_bad(int dir_fd, const char *name, char *ret, size_t size)
{
	for (unsigned i = 0; i < 100; i++) {
		int n = i ? snprintf(ret, size, "%s.%u.bad", name, i) : snprintf(ret, size, "%s.bad", name);
		if (n < 0 || (size_t)n >= size)
			return -ENAMETOOLONG;
		if (linkat(dir_fd, name, dir_fd, ret, 0) == 0)
			return unlinkat(dir_fd, name, 0) < 0 ? -errno : 0;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

static void finish_journal(struct recovery *r, const char *name)
{
	if (r->dry_run || r->failed)
		return;
	if (r->bad) {
		char bad_name[NAME_MAX + 8];
		int error = keep_as_bad(r->dir_fd, name, bad_name, sizeof(bad_name));
		tell_journal(r, "kept", error < 0 ? NULL : bad_name, error);
	} else {
		tell_journal(r, "removed", NULL, unlinkat(r->dir_fd, name, 0) < 0 ? -errno : 0);
	}
}

/* Open a journal and take its lock. -EWOULDBLOCK when its harness lives, -ENOENT when another recover was faster. */
static int take_journal(int dir_fd, const char *name, int *ret_fd)
{
	struct stat st;
	auto_close int fd = openat(dir_fd, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022))
		return -EPERM;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_nlink == 0)
		return -ENOENT;
	*ret_fd = steal_fd(fd);
	return 0;
}

static bool ends_with(const char *name, const char *end)
{
	size_t length = strlen(name), n = strlen(end);
	return length > n && strcmp(name + length - n, end) == 0;
}

static void recover_file(struct recovery *r, const char *name)
{
	auto_close int fd = -1;
	bool unfinished = ends_with(name, ".journal.new");
	if (!unfinished && !ends_with(name, ".journal"))
		return;
	r->journal = name;
	r->failed = r->bad = 0;
	int error = take_journal(r->dir_fd, name, &fd);
	if (error == -EWOULDBLOCK || error == -ENOENT)
		return;
	if (unfinished) { /* its harness died before it announced anything */
		if (error == 0 && !r->dry_run)
			(void)unlinkat(r->dir_fd, name, 0);
		return;
	}
	if (error == 0)
		error = undo_journal(r, fd);
	if (error < 0)
		tell_journal(r, "cannot be read", NULL, error);
	else
		finish_journal(r, name);
}

int journal_recover(bool dry_run, recover_report report, void *data)
{
	char path[480];
	auto_close int dir_fd = -1;
	int error = journal_open_directory(false, &dir_fd, path, sizeof(path));
	if (error < 0)
		return error == -ENOENT ? 0 : error;
	int list_fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_closedir DIR *list = list_fd >= 0 ? fdopendir(list_fd) : NULL;
	if (!list) {
		error = -errno;
		closep(&list_fd);
		return error;
	}
	struct recovery r = {.dry_run = dry_run, .report = report, .data = data, .dir_fd = dir_fd, .lock_fd = -1};
	/* A group passes its controllers on for as long as there is a leaf in it. */
	for (int leaves = 1; leaves >= 0 && error == 0; leaves--) {
		rewinddir(list);
		for (struct dirent *entry; errno = 0, (entry = readdir(list));)
			if (ends_with(entry->d_name, JOURNAL_LEAF_END) == leaves)
				recover_file(&r, entry->d_name);
		error = -errno;
	}
	closep(&r.lock_fd);
	return error < 0 ? error : r.left_behind;
}
