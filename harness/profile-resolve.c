// SPDX-License-Identifier: MIT
/*
 * From the settings as read to the list to write: the last assignment of each name, patterns expanded. See profile.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "profile-internal.h"

/* Settings sorted by name, those of one name in their order. */
struct sorted {
	const struct profile_setting **item;
	size_t count;
};

static int by_name_and_order(const void *a, const void *b)
{
	const struct profile_setting *x = *(const struct profile_setting *const *)a,
				     *y = *(const struct profile_setting *const *)b;
	int order = strcmp(x->name, y->name);
	return order ? order : (x > y) - (x < y);
}

static int by_order(const void *a, const void *b)
{
	const struct profile_setting *x = *(const struct profile_setting *const *)a,
				     *y = *(const struct profile_setting *const *)b;
	return (x > y) - (x < y);
}

/* The last setting of each name. The items point into p. */
static int last_of_each(const struct profile *p, struct sorted *ret)
{
	size_t count = 0;
	const struct profile_setting **item = calloc(p->count + 1, sizeof(struct profile_setting *));
	if (!item)
		return -ENOMEM;
	for (size_t i = 0; i < p->count; i++)
		item[i] = &p->item[i];
	qsort(item, p->count, sizeof(struct profile_setting *), by_name_and_order);
	for (size_t i = 0; i < p->count; i++) {
		if (i + 1 == p->count || strcmp(item[i]->name, item[i + 1]->name) != 0)
			item[count++] = item[i];
	}
	*ret = (struct sorted){.item = item, .count = count};
	return 0;
}

static const struct profile_setting *find(const struct sorted *sorted, const char *name)
{
	size_t low = 0, high = sorted->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(sorted->item[middle]->name, name);
		if (order == 0)
			return sorted->item[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

struct expansion {
	const struct sorted *explicit; /* every name the user gave */
	const struct profile_setting *pattern;
	struct profile *out;
	bool matched;
};

static int matched(struct expansion *x, const char *name)
{
	const struct profile_setting *other = find(x->explicit, name);
	bool command_line = x->pattern->line == 0;
	x->matched = true;
	/* What the user names keeps patterns away, but for a pattern of --sysctl over a profile. */
	if (other && !other->glob && !(command_line && other->line != 0 && other->value))
		return 0;
	struct profile_setting setting = *x->pattern;
	setting.name = (char *)(uintptr_t)name;
	setting.glob = false;
	return profile_append(x->out, &setting);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(char **names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

/* The entries of a directory that match, in lexical order. */
static int matching_names(int dir, const char *pattern, char ***ret, size_t *ret_count)
{
	char **names = NULL;
	size_t count = 0;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	auto_closedir DIR *d = fdopendir(fd);
	if (!d) {
		(void)close(fd);
		return -ENOMEM;
	}
	for (struct dirent *e; (e = readdir(d));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || fnmatch(pattern, e->d_name, FNM_PERIOD) != 0)
			continue;
		char **more = reallocarray(names, count + 1, sizeof(*names));
		if (more)
			names = more;
		if (!more || !(names[count] = strdup(e->d_name))) {
			free_names(names, count);
			return -ENOMEM;
		}
		count++;
	}
	if (count)
		qsort(names, count, sizeof(*names), by_text);
	*ret = names;
	*ret_count = count;
	return 0;
}

static int expand(struct expansion *x, int dir, const char *prefix, const char *pattern);

/* One entry that matches a component: the file itself, or a directory on the way. Links lead nowhere. */
static int descend(struct expansion *x, int dir, const char *prefix, const char *name, const char *rest)
{
	char path[4 * PROFILE_NAME_MAX];
	struct stat st;
	int n = snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "/" : "", name);
	if (n < 0 || (size_t)n >= sizeof(path) || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (!rest)
		return S_ISREG(st.st_mode) && n < PROFILE_NAME_MAX ? matched(x, path) : 0;
	if (!S_ISDIR(st.st_mode))
		return 0;
	auto_close int next = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (next < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : 0;
	return expand(x, next, path, rest);
}

static int expand(struct expansion *x, int dir, const char *prefix, const char *pattern)
{
	size_t length = strcspn(pattern, "/"), count = 0;
	const char *rest = pattern[length] ? pattern + length + 1 : NULL;
	char **names = NULL;
	auto_free char *component = strndup(pattern, length);
	if (!component)
		return -ENOMEM;
	if (!strpbrk(component, "*?[\\"))
		return descend(x, dir, prefix, component, rest);
	int r = matching_names(dir, component, &names, &count);
	for (size_t i = 0; i < count && r == 0; i++)
		r = descend(x, dir, prefix, names[i], rest);
	free_names(names, count);
	return r;
}

static int resolve_one(const struct profile_setting *setting, const struct sorted *explicit, int root,
		       struct profile *out)
{
	if (!setting->value)
		return 0;
	if (!setting->glob)
		return profile_append(out, setting);
	struct expansion x = {.explicit = explicit, .pattern = setting, .out = out};
	int r = expand(&x, root, "", setting->name);
	if (r == 0 && !x.matched && !setting->ignore_failure)
		r = profile_append(out, setting);
	return r;
}

/* Every pattern in its turn; a name two of them match is there twice. */
static int resolve_all(const struct profile *p, int root, struct profile *out)
{
	struct sorted explicit = {0}, ordered = {0};
	int r = last_of_each(p, &explicit);
	if (r == 0)
		r = last_of_each(p, &ordered);
	if (r == 0)
		qsort(ordered.item, ordered.count, sizeof(struct profile_setting *), by_order);
	for (size_t i = 0; i < ordered.count && r == 0; i++)
		r = resolve_one(ordered.item[i], &explicit, root, out);
	free(explicit.item);
	free(ordered.item);
	return r;
}

int profile_resolve(const struct profile *p, const char *root, struct profile *ret)
{
	struct profile expanded = {0}, once = {0};
	struct sorted last = {0};
	auto_close int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = resolve_all(p, fd, &expanded);
	if (r == 0)
		r = last_of_each(&expanded, &last);
	if (r == 0)
		qsort(last.item, last.count, sizeof(struct profile_setting *), by_order);
	for (size_t i = 0; i < last.count && r == 0; i++)
		r = profile_append(&once, last.item[i]);
	free(last.item);
	profile_free(&expanded);
	if (r < 0)
		profile_free(&once);
	else
		*ret = once;
	return r;
}
