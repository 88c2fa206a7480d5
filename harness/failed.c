// SPDX-License-Identifier: MIT
/*
 * See failed.h.
 */
#include "failed.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "report.h"
#include "say.h"

#define NAMES_MAX      4096
#define NAME_BYTES     256
#define FILE_BYTES_MAX (1 << 20)

static int state_directory(bool create, char *ret, size_t size)
{
	const char *state = secure_getenv("XDG_STATE_HOME"), *home = secure_getenv("HOME");
	bool stated = state && *state == '/';
	if (!stated && !(home && *home == '/'))
		return -ENOENT;
	int n = snprintf(ret, size, stated ? "%s/enomem" : "%s/.local/state/enomem", stated ? state : home);
	if (n < 0 || (size_t)n >= size)
		return -ENAMETOOLONG;
	for (char *slash = strchr(ret + 1, '/'); create; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		int r = mkdir(ret, 0700) < 0 && errno != EEXIST ? -errno : 0;
		if (!slash)
			return r;
		*slash = '/';
		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_failed(const json_t *scenario)
{
	const char *verdict = json_string_value(json_object_get(scenario, "verdict"));
	return verdict && (strcmp(verdict, "fail") == 0 || strcmp(verdict, "broken") == 0);
}

/* Of a file that somebody else may have written: nothing that names a directory, a pattern or an option. */
static bool is_name(const char *line)
{
	size_t length = strlen(line);
	if (length == 0 || length >= NAME_BYTES)
		return false;
	for (const char *c = line; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
			return false;
	return line[0] != '-' && line[0] != '.';
}

/* A set in the order of first appearance: a scenario that failed on two kernels is one. */
static json_t *names_of(const json_t *results)
{
	const json_t *result, *scenario;
	size_t i, k;
	json_t *names = json_object();
	json_array_foreach (results, i, result)
		json_array_foreach (json_object_get(result, "scenarios"), k, scenario)
			if (is_failed(scenario))
				(void)json_object_set_new(names, json_string_value(json_object_get(scenario, "name")),
							  json_true());
	return names;
}

static int write_names(const char *path, const json_t *names)
{
	char draft[PATH_MAX];
	const char *name;
	json_t *unused;
	int n = snprintf(draft, sizeof(draft), "%s.%d", path, getpid());
	if (n < 0 || (size_t)n >= sizeof(draft))
		return -ENAMETOOLONG;
	FILE *out = fopen(draft, "wxe");
	if (!out)
		return -errno;
	json_object_foreach ((json_t *)(uintptr_t)names, name, unused)
		(void)fprintf(out, "%s\n", name);
	int r = ferror(out) ? -EIO : 0;
	r = fclose(out) != 0 && r == 0 ? -errno : r;
	r = r == 0 && rename(draft, path) < 0 ? -errno : r;
	if (r < 0)
		(void)unlink(draft);
	return r;
}

int failed_remember(const json_t *results)
{
	char path[PATH_MAX - 64];
	json_auto_t *names = names_of(results);
	bool any = json_object_size(names) > 0;
	int r = names ? state_directory(any, path, sizeof(path) - sizeof("/failed")) : -ENOMEM;
	if (r < 0)
		return r;
	(void)strcat(path, "/failed");
	if (!any)
		return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
	return write_names(path, names);
}

static int read_names(const char *path, FILE *in, json_t *names)
{
	auto_free char *line = NULL;
	size_t room = 0, number = 0;
	for (ssize_t length = getline(&line, &room, in); length > 0; length = getline(&line, &room, in)) {
		number++;
		bool whole = strlen(line) == (size_t)length;
		line[strcspn(line, "\n")] = '\0';
		if (number > NAMES_MAX || !whole || !is_name(line)) {
			(void)say_error(0, "%s:%zu: this is no name of a scenario", path, number);
			say_hint("rm %s", path);
			return -EINVAL;
		}
		(void)json_object_set_new(names, line, json_true());
	}
	return feof(in) && !ferror(in) ? 0 : say_error(-EIO, "%s: cannot be read", path);
}

/* No pipe that nobody writes to, and no device without an end. */
static int open_regular(const char *path, FILE **ret)
{
	struct stat file;
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &file) < 0)
		return -errno;
	if (!S_ISREG(file.st_mode) || file.st_size > FILE_BYTES_MAX)
		return -EINVAL;
	FILE *in = fdopen(fd, "r");
	if (!in)
		return -errno;
	(void)steal_fd(fd);
	*ret = in;
	return 0;
}

static int load_kept(json_t *names)
{
	char path[PATH_MAX - 64];
	int r = state_directory(false, path, sizeof(path) - sizeof("/failed"));
	if (r < 0) {
		(void)say_error(r, "what failed last time is not kept: neither XDG_STATE_HOME nor HOME is a directory");
		say_hint("enomem run -o result.json ..., then enomem run --failed=result.json");
		return r;
	}
	(void)strcat(path, "/failed");
	auto_fclose FILE *in = NULL;
	r = open_regular(path, &in);
	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		(void)say_error(r, "%s: what failed last time cannot be read", path);
		say_hint("enomem run, or name a stored result: enomem run --failed=result.json");
		return r;
	}
	return read_names(path, in, names);
}

static int load_stored(const char *path, json_t **names)
{
	json_auto_t *results = NULL;
	int r = results_load(path, stderr, &results);
	if (r < 0)
		return r;
	json_decref(*names);
	*names = names_of(results);
	return *names ? 0 : -ENOMEM;
}

/* The array and what it points to, in one piece. */
static int as_array(const json_t *names, char ***ret, size_t *ret_count)
{
	size_t count = json_object_size(names), bytes = (count + 1) * sizeof(char *);
	const char *name;
	json_t *unused;
	json_object_foreach ((json_t *)(uintptr_t)names, name, unused)
		bytes += strlen(name) + 1;
	char **array = malloc(bytes);
	if (!array)
		return -ENOMEM;
	char *text = (char *)(array + count + 1);
	size_t i = 0;
	json_object_foreach ((json_t *)(uintptr_t)names, name, unused) {
		array[i++] = text;
		text = stpcpy(text, name) + 1;
	}
	array[count] = NULL;
	*ret = array;
	*ret_count = count;
	return 0;
}

static int failed_load(const char *path, char ***ret, size_t *ret_count)
{
	json_auto_t *names = json_object();
	int r = !names ? -ENOMEM : *path ? load_stored(path, &names) : load_kept(names);
	return r < 0 ? r : as_array(names, ret, ret_count);
}

/* A scenario of a directory elsewhere is known by its name alone: it is told, and does not keep others from running. */
static size_t keep_known(const char *given_tree, char **names, size_t count)
{
	char tree[PATH_MAX], path[PATH_MAX + 300];
	size_t kept = 0;
	if (select_tree(given_tree, tree, sizeof(tree)) < 0)
		return count;
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s/scenario.yaml", tree, names[i]);
		if (access(path, R_OK) == 0)
			names[kept++] = names[i];
		else
			say_note("%s failed, and is none of the scenarios in %s: name its directory", names[i], tree);
	}
	return kept;
}

int failed_select(const char *tree, const char *path, size_t named, const struct select_filter *filter,
		  struct selection *ret)
{
	auto_free char **names = NULL;
	size_t count = 0;
	if (named > 0) {
		(void)say_error(0, "--failed runs what failed: no other scenario can be named beside it");
		return EXIT_USAGE;
	}
	int r = failed_load(path, &names, &count);
	if (r < 0)
		return EXIT_USAGE;
	count = keep_known(tree, names, count);
	if (count == 0) {
		say_note("nothing failed in %s", *path ? path : "the last run, or nothing is kept of it");
		return EXIT_NOTHING_SELECTED;
	}
	return select_chosen(tree, names, count, filter, ret);
}
