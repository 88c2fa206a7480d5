// SPDX-License-Identifier: MIT
/*
 * Which hierarchy serves which controller, and where in it we are. mountinfo says where the hierarchies are,
 * /proc/self/cgroup which group is ours; neither is enough alone, since a mount may show only a part of its hierarchy.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cgroup-internal.h"
#include "cleanup.h"
#include "procfs.h"

#define TEXT_MAX (16U * 1024 * 1024)

const char *const cgroup_controller_names[CGROUP_CONTROLLERS] = {
	[CGROUP_MEMORY] = "memory",
	[CGROUP_PIDS] = "pids",
	[CGROUP_HUGETLB] = "hugetlb",
};

/* A piece of the text. */
struct field {
	const char *start;
	size_t length;
};

/* What we need of one line of mountinfo. */
struct mount_line {
	struct field root, mount, type, super_options;
};

/* A place where a hierarchy can be reached. */
struct place {
	bool found, shows_us;
	struct cgroup_hierarchy at;
};

static bool field_is(const struct field *f, const char *text)
{
	return f->length == strlen(text) && memcmp(f->start, text, f->length) == 0;
}

/* The next field up to one blank; fields may be empty (a mount without a source). False at the end of the line. */
static bool next_field(const char **p, const char *end, struct field *ret)
{
	if (!*p)
		return false;
	const char *blank = memchr(*p, ' ', (size_t)(end - *p));
	ret->start = *p;
	ret->length = (size_t)((blank ? blank : end) - *p);
	*p = blank ? blank + 1 : NULL;
	return true;
}

static bool is_number(const struct field *f)
{
	for (size_t i = 0; i < f->length; i++) {
		if (f->start[i] < '0' || f->start[i] > '9')
			return false;
	}
	return f->length > 0;
}

/* show_mountinfo(), fs/proc_namespace.c: id parent major:minor root mount options [optional]... - type source options
 */
static int parse_mount_line(const char *line, const char *end, struct mount_line *ret)
{
	struct field id, parent, device, options, tag, source;
	if (!next_field(&line, end, &id) || !next_field(&line, end, &parent) || !next_field(&line, end, &device) ||
	    !next_field(&line, end, &ret->root) || !next_field(&line, end, &ret->mount) ||
	    !next_field(&line, end, &options))
		return -EBADMSG;
	if (!is_number(&id) || !is_number(&parent) || !memchr(device.start, ':', device.length) ||
	    ret->mount.length == 0 || ret->mount.start[0] != '/')
		return -EBADMSG;
	do {
		if (!next_field(&line, end, &tag))
			return -EBADMSG;
	} while (!field_is(&tag, "-"));
	if (!next_field(&line, end, &ret->type) || !next_field(&line, end, &source) ||
	    !next_field(&line, end, &ret->super_options))
		return -EBADMSG;
	return 0;
}

/* mangle_path(), fs/seq_file.c, writes blanks, newlines and backslashes as three octal digits. */
static int unescape(const struct field *f, char *ret, size_t size)
{
	size_t out = 0;
	for (size_t i = 0; i < f->length; i++) {
		char c = f->start[i];
		if (c == '\\' && f->length - i > 3) {
			unsigned value = 0, digits = 0;
			while (digits < 3 && f->start[i + 1 + digits] >= '0' && f->start[i + 1 + digits] <= '7')
				value = value * 8 + (unsigned)(f->start[i + 1 + digits++] - '0');
			if (digits == 3 && value > 0 && value < 256) {
				c = (char)value;
				i += 3;
			}
		}
		if (out + 1 >= size)
			return -ENAMETOOLONG;
		ret[out++] = c;
	}
	ret[out] = '\0';
	return 0;
}

static bool has_option(const struct field *options, const char *name)
{
	const char *p = options->start, *end = p + options->length;
	size_t length = strlen(name);
	while (p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		const char *stop = comma ? comma : end;
		if ((size_t)(stop - p) == length && memcmp(p, name, length) == 0)
			return true;
		p = stop + 1;
	}
	return false;
}

static bool leads_out(const char *path)
{
	return strcmp(path, "/..") == 0 || strncmp(path, "/../", 4) == 0;
}

/*
 * Our group as seen below a mount that shows the hierarchy from `root` on. Both are relative to our cgroup namespace; a
 * mount from above it (root "/..") is of no use, since nothing may be moved there. True when the mount shows our own
 * group.
 */
static bool group_below_mount(const char *root, const char *self, char *ret, size_t size)
{
	size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);
	if (!leads_out(self) && strncmp(self, root, length) == 0 && (self[length] == '/' || self[length] == '\0')) {
		(void)snprintf(ret, size, "%s", self[length] ? self + length : "/");
		return true;
	}
	(void)snprintf(ret, size, "/");
	return false;
}

/* Take a mount for the place of a hierarchy, unless we know one that shows our own group already. */
static int consider(const struct mount_line *m, const char *self_cgroup, const char *controller, struct place *place)
{
	char root[512], self[512];
	struct place here = {.found = true};
	ssize_t r = procfs_parse_cgroup(self_cgroup, controller, self, sizeof(self));
	if (r == -EBADMSG)
		return -EBADMSG;
	/* Too long a name is a hierarchy we cannot use, not an error of the text. */
	if (r < 0 || unescape(&m->root, root, sizeof(root)) < 0 ||
	    unescape(&m->mount, here.at.mount, sizeof(here.at.mount)) < 0 || leads_out(root))
		return 0;
	here.shows_us = group_below_mount(root, self, here.at.parent, sizeof(here.at.parent));
	here.at.version = controller[0] ? CGROUP_V1 : CGROUP_V2;
	if (!place->found || (here.shows_us && !place->shows_us))
		*place = here;
	return 0;
}

static int consider_line(const char *line, const char *end, const char *self_cgroup,
			 struct place v1[CGROUP_CONTROLLERS], struct place *v2)
{
	struct mount_line m;
	int r = parse_mount_line(line, end, &m);
	if (r < 0)
		return r;
	if (field_is(&m.type, "cgroup2"))
		return consider(&m, self_cgroup, "", v2);
	if (!field_is(&m.type, "cgroup"))
		return 0;
	for (unsigned c = 0; c < CGROUP_CONTROLLERS && r == 0; c++) {
		if (has_option(&m.super_options, cgroup_controller_names[c]))
			r = consider(&m, self_cgroup, cgroup_controller_names[c], &v1[c]);
	}
	return r;
}

int cgroup_own_directory(const struct cgroup_hierarchy *at, const char *root_prefix, char *ret, size_t size)
{
	const char *parent = strcmp(at->parent, "/") == 0 ? "" : at->parent;
	int n = snprintf(ret, size, "%s%s%s", root_prefix, at->mount, parent);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

unsigned cgroup_read_controllers(const char *dir, const char *file)
{
	char buf[512];
	auto_close int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0 || procfs_read_at(dirfd, file, buf, sizeof(buf)) < 0)
		return 0;
	unsigned mask = 0;
	char *save = NULL;
	for (char *word = strtok_r(buf, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
		for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
			if (strcmp(word, cgroup_controller_names[c]) == 0)
				mask |= 1U << c;
		}
	}
	return mask;
}

/*
 * The nearest group at or above ours whose cgroup.controllers lists the controller: a session's group often has memory
 * and pids delegated to it, but hugetlb only at the root.
 */
static void place_v2_controller(const struct place *unified, unsigned c, const char *root_prefix,
				struct cgroup_hierarchy *ret)
{
	struct cgroup_hierarchy at = unified->at;
	char dir[2048];
	for (;;) {
		if (cgroup_own_directory(&at, root_prefix, dir, sizeof(dir)) < 0)
			return;
		if (cgroup_read_controllers(dir, "cgroup.controllers") & 1U << c) {
			*ret = at;
			return;
		}
		char *slash = strrchr(at.parent, '/');
		if (!slash || strcmp(at.parent, "/") == 0)
			return;
		slash[slash == at.parent] = '\0';
	}
}

int cgroup_detect(const char *mountinfo, const char *self_cgroup, const char *root_prefix, struct cgroup_system *ret)
{
	struct place v1[CGROUP_CONTROLLERS] = {0}, v2 = {0};
	for (const char *line = mountinfo; *line;) {
		const char *end = strchrnul(line, '\n');
		int r = consider_line(line, end, self_cgroup, v1, &v2);
		if (r < 0)
			return r;
		line = *end ? end + 1 : end;
	}
	struct cgroup_system sys = {0};
	(void)snprintf(sys.unified_mount, sizeof(sys.unified_mount), "%s", v2.found ? v2.at.mount : "");
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		if (v1[c].found)
			sys.at[c] = v1[c].at;
		else if (v2.found)
			place_v2_controller(&v2, c, root_prefix, &sys.at[c]);
	}
	*ret = sys;
	return 0;
}

/* A machine that runs containers has a mountinfo of megabytes. */
static int read_text(const char *path, char **ret)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (size_t size = 16384; size <= TEXT_MAX; size *= 2) {
		auto_free char *buf = malloc(size);
		if (!buf)
			return -ENOMEM;
		ssize_t n = procfs_read_fd(fd, buf, size);
		if (n >= 0) {
			*ret = steal(buf);
			return 0;
		}
		if (n != -E2BIG)
			return (int)n;
	}
	return -E2BIG;
}

int cgroup_detect_self(struct cgroup_system *ret)
{
	auto_free char *mountinfo = NULL;
	auto_free char *self_cgroup = NULL;
	int r = read_text("/proc/self/mountinfo", &mountinfo);
	if (r < 0)
		return r;
	r = read_text("/proc/self/cgroup", &self_cgroup);
	if (r == -ENOENT) { /* a kernel without cgroups */
		*ret = (struct cgroup_system){0};
		return 0;
	}
	if (r < 0 || !mountinfo || !self_cgroup)
		return r < 0 ? r : -ENODATA;
	return cgroup_detect(mountinfo, self_cgroup, "", ret);
}

const char *cgroup_system_name(const struct cgroup_system *sys)
{
	bool unified = sys->unified_mount[0] != '\0';
	if (sys->at[CGROUP_MEMORY].version == CGROUP_V1 || sys->at[CGROUP_PIDS].version == CGROUP_V1)
		return unified ? "hybrid" : "v1";
	if (unified)
		return "v2";
	return sys->at[CGROUP_HUGETLB].version == CGROUP_V1 ? "v1" : "none";
}
