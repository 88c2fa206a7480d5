// SPDX-License-Identifier: MIT
/*
 * Files of several results compared, paired by kernel; and a result with its baseline.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "report-set.h"
#include "report-text.h"
#include "report.h"
#include "say.h"

/* The only result of this key; NULL when there is none, or more than one. */
static json_t *find_only(const json_t *results, const json_t *of, bool with_profile, unsigned *ret_count)
{
	json_t *result, *found = NULL;
	char key[TEXT_MAX], other[TEXT_MAX];
	size_t i;
	*ret_count = 0;
	(void)result_key(of, with_profile, key, sizeof(key));
	json_array_foreach (results, i, result) {
		if (strcmp(key, result_key(result, with_profile, other, sizeof(other))) != 0)
			continue;
		found = result;
		++*ret_count;
	}
	return *ret_count == 1 ? found : NULL;
}

/* The one result of this kernel series and cgroup version, and of the same profile where either side has several of the
 * kernel; NULL when there is none, or which one is meant is not clear. A profile alone keeps no pair apart: what it
 * changes is the question. */
static json_t *find_pair(const json_t *results, const json_t *of, const json_t *side)
{
	unsigned count, beside = 0;
	json_t *found = find_only(results, of, false, &count);
	if (side)
		(void)find_only(side, of, false, &beside);
	return count > 1 || beside > 1 ? find_only(results, of, true, &count) : found;
}

static void kernel_only_in(struct comparison *c, const json_t *result, const char *file)
{
	char key[TEXT_MAX], name[TEXT_MAX], clean[TEXT_MAX];
	c->differences++;
	(void)text_clean(result_key(result, true, key, sizeof(key)), false, name, sizeof(name));
	(void)fprintf(c->out, "%s: only in %s\n", name, text_clean(file, false, clean, sizeof(clean)));
}

int compare_sets(const json_t *a, const json_t *b, const char *name_a, const char *name_b, FILE *out)
{
	struct comparison c = {.out = out, .name_a = name_a, .name_b = name_b};
	const json_t *result = NULL;
	char key[TEXT_MAX];
	size_t i;
	if (json_array_size(a) == 1 && json_array_size(b) == 1)
		return compare_results(json_array_get(a, 0), json_array_get(b, 0), name_a, name_b, out);
	json_array_foreach (a, i, result) {
		const json_t *other = find_pair(b, result, a);
		unsigned alike;
		(void)find_only(a, result, false, &alike);
		c.kernel = result_key(result, alike > 1, key, sizeof(key));
		int r = 0;
		if (other && find_pair(a, result, b))
			r = compare_pair(&c, result, other);
		else
			kernel_only_in(&c, result, name_a);
		if (r < 0)
			return r;
	}
	json_array_foreach (b, i, result)
		if (!find_pair(a, result, b) || !find_pair(b, result, a))
			kernel_only_in(&c, result, name_b);
	return c.differences;
}

int baseline_open(const char *path, struct baseline *ret)
{
	struct stat st;
	*ret = (struct baseline){.path = path};
	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return results_load(path, stderr, &ret->stored);
	auto_closedir DIR *d = opendir(path);
	if (!d)
		return say_error(-errno, "%s: no baseline", path);
	for (struct dirent *entry; (entry = readdir(d));) {
		const char *dot = strrchr(entry->d_name, '.');
		if (dot && strcmp(dot, ".json") == 0)
			return 0;
	}
	(void)say_error(0, "%s: no baseline: has no SERIES.json, such as 6.1.json", path);
	return -ENOENT;
}

void baseline_close(struct baseline *b)
{
	json_decref(b->stored);
	b->stored = NULL;
}

/* "DIR/6.1.json" of a directory. -errno after a message */
static int load_series(const struct baseline *b, const json_t *result, char *file, size_t size, json_t **ret)
{
	char series[TEXT_MAX];
	int length = snprintf(file, size, "%s/%s.json", b->path, result_series(result, series, sizeof(series)));
	if (length < 0 || (size_t)length >= size)
		return say_error(-ENAMETOOLONG, "%s: no baseline", b->path);
	return results_load(file, stderr, ret);
}

int baseline_compare(const json_t *result, const struct baseline *b, bool selected_only, const json_t *partly,
		     FILE *out)
{
	char file[PATH_MAX], key[TEXT_MAX];
	struct comparison c = {
		.out = out, .name_a = file, .name_b = "this run", .selected_only = selected_only, .partly = partly};
	json_auto_t *stored = json_incref(b->stored);
	(void)snprintf(file, sizeof(file), "%s", b->path);
	int r = stored ? 0 : load_series(b, result, file, sizeof(file), &stored);
	if (r < 0)
		return r;
	const json_t *baseline =
		json_array_size(stored) == 1 ? json_array_get(stored, 0) : find_pair(stored, result, NULL);
	if (!baseline) {
		(void)say_error(0, "%s: has not one result of Linux %s", file,
				result_key(result, true, key, sizeof(key)));
		return -ENOENT;
	}
	r = compare_pair(&c, baseline, result);
	return r < 0 ? say_error(r, "%s: cannot be compared", file) : c.differences;
}
