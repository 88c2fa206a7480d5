// SPDX-License-Identifier: MIT
/*
 * The journal of one harness. Whoever reads it as root acts on it, so nobody else may be able to write it; whoever
 * finds it unlocked may undo what it says, so it never exists under its name without its lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "cgroup-internal.h"
#include "cleanup.h"
#include "clock.h"
#include "journal-internal.h"
#include "procfs.h"

static const char *const verbs[] = {
	[JOURNAL_CGROUP] = "cgroup", [JOURNAL_REMOVED] = "removed",   [JOURNAL_ENABLED] = "enabled",
	[JOURNAL_SYSCTL] = "sysctl", [JOURNAL_RESTORED] = "restored",
};

/* Append one field with a blank before it. */
static int format_field(char *buf, size_t size, size_t *length, const char *text)
{
	size_t n = *length;
	if (n + strlen(text) * 4 + 4 > size)
		return -ENAMETOOLONG;
	buf[n++] = ' ';
	if (!*text) {
		buf[n++] = '\\';
		buf[n++] = '-';
	}
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c > ' ' && c < 0x7f && c != '\\') {
			buf[n++] = (char)c;
		} else {
			buf[n++] = '\\';
			buf[n++] = (char)('0' + (c >> 6));
			buf[n++] = (char)('0' + (c >> 3 & 7));
			buf[n++] = (char)('0' + (c & 7));
		}
	}
	*length = n;
	return 0;
}

int journal_format_line(char *buf, size_t size, enum journal_verb verb, const char *what, const char *old_value,
			const char *new_value)
{
	size_t length = strlen(verbs[verb]);
	if (length + 2 > size)
		return -ENAMETOOLONG;
	memcpy(buf, verbs[verb], length);
	int r = format_field(buf, size - 1, &length, what);
	if (r == 0 && (verb == JOURNAL_SYSCTL || verb == JOURNAL_ENABLED))
		r = format_field(buf, size - 1, &length, old_value);
	if (r == 0 && verb == JOURNAL_SYSCTL)
		r = format_field(buf, size - 1, &length, new_value);
	if (r < 0)
		return r;
	buf[length++] = '\n';
	return (int)length;
}

/* One field up to a blank or the end, its escapes undone. */
static int parse_field(const char **p, char *ret, size_t size)
{
	size_t out = 0;
	const char *s = *p;
	if (strncmp(s, "\\-", 2) == 0 && (s[2] == ' ' || s[2] == '\0')) {
		s += 2;
	} else if (*s == ' ' || *s == '\0') {
		return -EBADMSG;
	}
	for (; *s && *s != ' '; s++) {
		unsigned value = (unsigned char)*s;
		if (value <= ' ' || value >= 0x7f)
			return -EBADMSG;
		if (value == '\\') {
			if (s[1] < '0' || s[1] > '3' || s[2] < '0' || s[2] > '7' || s[3] < '0' || s[3] > '7')
				return -EBADMSG;
			value = (unsigned)(s[1] - '0') << 6 | (unsigned)(s[2] - '0') << 3 | (unsigned)(s[3] - '0');
			s += 3;
		}
		if (value == 0 || out + 1 >= size)
			return -EBADMSG;
		ret[out++] = (char)value;
	}
	ret[out] = '\0';
	*p = s;
	return 0;
}

static int parse_next_field(const char **p, char *ret, size_t size)
{
	if (**p != ' ')
		return -EBADMSG;
	(*p)++;
	return parse_field(p, ret, size);
}

/* "memory+pids", as journal_enabled() writes it. 0 when it is anything else. */
static unsigned parse_controllers(const char *names)
{
	unsigned mask = 0;
	for (const char *p = names;; p++) {
		size_t length = strcspn(p, "+");
		unsigned c = 0;
		while (c < CGROUP_CONTROLLERS && (strlen(cgroup_controller_names[c]) != length ||
						  strncmp(cgroup_controller_names[c], p, length) != 0))
			c++;
		if (c == CGROUP_CONTROLLERS)
			return 0;
		mask |= 1U << c;
		p += length;
		if (!*p)
			return mask;
	}
}

int journal_parse_line(const char *line, struct journal_line *ret)
{
	char path[256];
	unsigned verb = 0;
	size_t length = strcspn(line, " ");
	while (verb < ARRAY_SIZE(verbs) && (strlen(verbs[verb]) != length || strncmp(line, verbs[verb], length) != 0))
		verb++;
	if (verb == ARRAY_SIZE(verbs))
		return -EBADMSG;
	ret->verb = verb;
	ret->old_value[0] = ret->new_value[0] = '\0';
	ret->controllers = 0;
	const char *p = line + length;
	if (parse_next_field(&p, ret->what, sizeof(ret->what)) < 0)
		return -EBADMSG;
	if ((verb == JOURNAL_SYSCTL || verb == JOURNAL_ENABLED) &&
	    parse_next_field(&p, ret->old_value, sizeof(ret->old_value)) < 0)
		return -EBADMSG;
	if (verb == JOURNAL_SYSCTL && parse_next_field(&p, ret->new_value, sizeof(ret->new_value)) < 0)
		return -EBADMSG;
	if (*p)
		return -EBADMSG;
	if (verb == JOURNAL_CGROUP || verb == JOURNAL_REMOVED)
		return cgroup_path_is_ours(ret->what) ? 0 : -EBADMSG;
	if (verb == JOURNAL_ENABLED) {
		ret->controllers = parse_controllers(ret->old_value);
		return ret->controllers && ret->what[0] == '/' && !strstr(ret->what, "/.") ? 0 : -EBADMSG;
	}
	return sysctl_path(ret->what, path, sizeof(path)) == 0 ? 0 : -EBADMSG;
}

/* What a reboot takes away by itself need not be on a disk that outlives it: the page cache outlives the harness. */
static bool outlives_reboot(enum journal_verb verb)
{
	return verb == JOURNAL_SYSCTL || verb == JOURNAL_RESTORED;
}

int journal_append(int fd, enum journal_verb verb, const char *what, const char *old_value, const char *new_value)
{
	char buf[JOURNAL_LINE_MAX];
	struct stat st;
	int n = journal_format_line(buf, sizeof(buf), verb, what, old_value, new_value);
	if (n < 0)
		return n;
	if (fstat(fd, &st) < 0)
		return -errno;
	ssize_t written = write(fd, buf, (size_t)n);
	if (written == n)
		return outlives_reboot(verb) && fdatasync(fd) < 0 ? -errno : 0;
	int error = written < 0 ? -errno : -ENOSPC;
	if (written > 0 && ftruncate(fd, st.st_size) < 0)
		return -EIO;
	return error;
}

/* What root acts on must be writable for root alone; likewise for anybody else. */
static int check_directory(int fd)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	return st.st_uid == geteuid() && !(st.st_mode & 022) ? 0 : -EPERM;
}

static int open_directory(const char *path, bool create, int *ret_fd)
{
	if (create && mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = check_directory(fd);
	if (r == 0)
		*ret_fd = steal_fd(fd);
	return r;
}

int journal_open_directory(bool create, int *ret_fd, char *ret_path, size_t size)
{
	const char *wanted = secure_getenv("ENOMEM_STATE_DIR"), *runtime = secure_getenv("XDG_RUNTIME_DIR");
	char path[480] = "";
	int n = 0;
	if (wanted && *wanted)
		n = snprintf(path, sizeof(path), "%s", wanted);
	else if (geteuid() == 0)
		n = snprintf(path, sizeof(path), "/run/enomem");
	else if (runtime && *runtime == '/')
		n = snprintf(path, sizeof(path), "%s/enomem", runtime);
	if (n < 0 || (size_t)n >= sizeof(path) || (size_t)n >= size)
		return -ENAMETOOLONG;
	int r = n > 0 ? open_directory(path, create, ret_fd) : -ENOENT;
	if (r < 0 && !(wanted && *wanted)) {
		int first = r;
		(void)snprintf(path, sizeof(path), "/tmp/enomem-%u", geteuid());
		r = open_directory(path, create, ret_fd);
		/* Looking for journals, an unusable first choice must not be hidden by an absent last resort. */
		if (r == -ENOENT && !create)
			r = first;
	}
	if (r == 0)
		(void)snprintf(ret_path, size, "%s", path);
	return r;
}

/*
 * Wherever the journals lie, there is one machine: two sessions with a state directory each would take the other's
 * value for the old one, and leave it behind. Values that are not the kernel's (tests) are locked where their journal
 * is.
 */
static int open_lock(int dir_fd, const char *name)
{
	auto_close int common = -1;
	if (geteuid() == 0 && strcmp(sysctl_root, "/proc/sys") == 0 &&
	    open_directory("/run/enomem", true, &common) == 0)
		dir_fd = common;
	return openat(dir_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static int take_lock(int dir_fd, const char *name, int operation, uint64_t timeout_ns, int *ret_fd)
{
	uint64_t deadline_ns = deadline_after(timeout_ns);
	auto_close int fd = open_lock(dir_fd, name);
	if (fd < 0)
		return -errno;
	while (flock(fd, operation | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (clock_now_ns() >= deadline_ns)
			return -EBUSY;
		sleep_ns(5000000);
	}
	*ret_fd = steal_fd(fd);
	return 0;
}

int machine_lock(int dir_fd, uint64_t timeout_ns, int *ret_fd)
{
	return take_lock(dir_fd, "machine.lock", LOCK_EX, timeout_ns, ret_fd);
}

int machine_disturb(int dir_fd, uint64_t timeout_ns, int *ret_fd)
{
	return take_lock(dir_fd, "calm.lock", LOCK_EX, timeout_ns, ret_fd);
}

int journal_machine_calm(const struct journal *j, uint64_t timeout_ns, int *ret_fd)
{
	return take_lock(j->dir_fd, "calm.lock", LOCK_SH, timeout_ns, ret_fd);
}

/* Field 22 of /proc/self/stat; comm, in parentheses, may hold blanks and parentheses. */
static int own_start_time(unsigned long long *ret)
{
	char buf[1024];
	if (procfs_read_at(AT_FDCWD, "/proc/self/stat", buf, sizeof(buf)) < 0)
		return -ENOENT;
	char *p = strrchr(buf, ')');
	for (unsigned field = 2; p && field < 22; field++) {
		p = strchr(p, ' ');
		p = p ? p + 1 : NULL;
	}
	return p && sscanf(p, "%llu", ret) == 1 ? 0 : -EBADMSG;
}

void journal_init(struct journal *j)
{
	*j = (struct journal){.fd = -1, .dir_fd = -1};
}

/* Locked under a name that recover does not look at, then linked to its own. */
static int create_locked(int dir_fd, const char *name, int *ret_fd)
{
	char new_name[96];
	(void)snprintf(new_name, sizeof(new_name), "%s.new", name);
	auto_close int fd =
		openat(dir_fd, new_name, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	int r = 0;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || linkat(dir_fd, new_name, dir_fd, name, 0) < 0)
		r = -errno;
	(void)unlinkat(dir_fd, new_name, 0);
	if (r == 0 && fsync(dir_fd) < 0 && errno != EINVAL)
		r = -errno;
	if (r == 0)
		*ret_fd = steal_fd(fd);
	return r;
}

static int open_named(struct journal *j, const char *end)
{
	struct journal opened;
	char dir[480], name[80];
	unsigned long long start_time;
	auto_close int dir_fd = -1;
	journal_init(&opened);
	int r = own_start_time(&start_time);
	if (r == 0)
		r = journal_open_directory(true, &dir_fd, dir, sizeof(dir));
	if (r < 0)
		return r;
	(void)snprintf(name, sizeof(name), "%d-%llu%s", getpid(), start_time, end);
	int n = snprintf(opened.path, sizeof(opened.path), "%s/%s", dir, name);
	if (n < 0 || (size_t)n >= sizeof(opened.path))
		return -ENAMETOOLONG;
	/* recover, which clears away what a creation left behind, may have taken ours for such. */
	for (unsigned attempt = 0; attempt < 10; attempt++) {
		r = create_locked(dir_fd, name, &opened.fd);
		if (r != -ENOENT && r != -EWOULDBLOCK)
			break;
		sleep_ns(1000000);
	}
	if (r < 0)
		return r;
	opened.dir_fd = steal_fd(dir_fd);
	*j = opened;
	return 0;
}

int journal_open(struct journal *j)
{
	return open_named(j, ".journal");
}

int journal_open_leaf(struct journal *j)
{
	return open_named(j, JOURNAL_LEAF_END);
}

int journal_cgroup(struct journal *j, const char *path)
{
	if (!cgroup_path_is_ours(path))
		return -EINVAL;
	return journal_append(j->fd, JOURNAL_CGROUP, path, "", "");
}

int journal_cgroup_removed(struct journal *j, const char *path)
{
	return journal_append(j->fd, JOURNAL_REMOVED, path, "", "");
}

int journal_enabled(struct journal *j, const char *path, unsigned controllers)
{
	char names[64] = "";
	size_t length = 0;
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		if (controllers & 1U << c)
			length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s", length ? "+" : "",
						   cgroup_controller_names[c]);
	}
	return length ? journal_append(j->fd, JOURNAL_ENABLED, path, names, NULL) : -EINVAL;
}

void journal_abandon(struct journal *j)
{
	/* For every process that shares the description. */
	if (j->fd >= 0)
		(void)flock(j->fd, LOCK_UN);
	closep(&j->fd);
	closep(&j->dir_fd);
	journal_init(j);
}

void journal_close(struct journal *j)
{
	const char *name = strrchr(j->path, '/');
	if (j->fd >= 0 && name)
		(void)unlinkat(j->dir_fd, name + 1, 0);
	closep(&j->fd);
	closep(&j->dir_fd);
	journal_init(j);
}
