// SPDX-License-Identifier: MIT
/*
 * See failed.h.
 */
#include "failed.h"

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
#include "failed-place.h"
#include "json-memory.h"
#include "report.h"
#include "say.h"

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

static int write_places(const char *path, const json_t *places)
{
	char draft[PATH_MAX];
	int n = snprintf(draft, sizeof(draft), "%s.%d", path, getpid());
	if (n < 0 || (size_t)n >= sizeof(draft))
		return -ENAMETOOLONG;
	FILE *out = fopen(draft, "wxe");
	if (!out)
		return -errno;
	int r = json_dumpf(places, out, JSON_COMPACT) < 0 || ferror(out) ? -EIO : 0;
	r = fclose(out) != 0 && r == 0 ? -errno : r;
	r = r == 0 && rename(draft, path) < 0 ? -errno : r;
	if (r < 0)
		(void)unlink(draft);
	return r;
}

int failed_remember(const json_t *results)
{
	char path[PATH_MAX - 64];
	json_auto_t *places = failed_places(results);
	if (json_memory_refused()) /* some of it may be left out: what was kept before is of more use */
		return -ENOMEM;
	bool any = json_array_size(places) > 0;
	int r = places ? state_directory(any, path, sizeof(path) - sizeof("/failed")) : -ENOMEM;
	if (r < 0)
		return r;
	(void)strcat(path, "/failed");
	if (!any)
		return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
	return write_places(path, places);
}

static int read_places(const char *path, FILE *in, json_t **ret)
{
	json_error_t where;
	json_t *places = json_loadf(in, JSON_REJECT_DUPLICATES, &where);
	if (places && failed_places_valid(places)) {
		*ret = places;
		return 0;
	}
	if (places)
		(void)say_error(0, "%s: this is no list of what failed", path);
	else
		(void)say_error(0, "%s:%d: this is no list of what failed: %s", path, where.line, where.text);
	json_decref(places);
	say_hint("rm %s", path);
	return -EINVAL;
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

static int load_kept(json_t **ret)
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
		return (*ret = json_array()) ? 0 : -ENOMEM;
	if (r < 0) {
		(void)say_error(r, "%s: what failed last time cannot be read", path);
		say_hint("enomem run, or name a stored result: enomem run --failed=result.json");
		return r;
	}
	return read_places(path, in, ret);
}

static int load_stored(const char *path, json_t **ret)
{
	json_auto_t *results = NULL;
	int r = results_load(path, stderr, &results);
	if (r < 0)
		return r;
	*ret = failed_places(results);
	return *ret ? 0 : -ENOMEM;
}

int failed_load(const char *path, size_t named, bool elsewhere, json_t **ret)
{
	json_t *places = NULL;
	if (named > 0) {
		(void)say_error(0, "--failed runs what failed: no other scenario can be named beside it");
		return EXIT_USAGE;
	}
	int r = *path ? load_stored(path, &places) : load_kept(&places);
	if (r < 0)
		return r == -ENOMEM ? say_no_memory(EXIT_BROKEN) : EXIT_USAGE;
	if (elsewhere)
		failed_merge(places);
	*ret = places;
	return 0;
}

/* A scenario of a directory elsewhere is known by its name alone: it is told, and does not keep others from running. */
static bool is_known(const char *tree, const char *word)
{
	char path[PATH_MAX + 300];
	int length = (int)strcspn(word, "/");
	(void)snprintf(path, sizeof(path), "%s/%.*s/scenario.yaml", tree, length, word);
	if (failed_is_choice(word) && access(path, R_OK) == 0)
		return true;
	say_note("%s failed, and is none of the scenarios in %s: name its directory", word, tree);
	return false;
}

int failed_select(const char *given_tree, const json_t *place, const struct select_filter *filter,
		  struct selection *ret)
{
	char tree[PATH_MAX];
	const json_t *chosen = json_object_get(place, "chosen"), *word = NULL;
	auto_free char **words = calloc(json_array_size(chosen) + 1, sizeof(char *));
	size_t count = 0, i;
	if (!words)
		return say_no_memory(EXIT_BROKEN);
	if (select_tree(given_tree, tree, sizeof(tree)) < 0)
		return EXIT_USAGE;
	json_array_foreach (chosen, i, word)
		if (is_known(tree, json_string_value(word)))
			words[count++] = (char *)(uintptr_t)json_string_value(word);
	return count ? select_chosen(given_tree, words, count, filter, ret) : EXIT_NOTHING_SELECTED;
}
