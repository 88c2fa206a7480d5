// SPDX-License-Identifier: MIT
/*
 * What somebody has predicted so far: one file, replaced whole. See teach.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "json-memory.h"
#include "report-text.h"
#include "teach.h"

#define SCHEMA "enomem-progress/1"

/* "A/B/C" and what is missing above. */
static int make_directories(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		int r = mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
		*slash = '/';
		if (r < 0)
			return r;
	}
	return 0;
}

int progress_path(char *ret, size_t size)
{
	const char *state = secure_getenv("XDG_STATE_HOME"), *home = secure_getenv("HOME");
	if (state && state[0] == '/')
		(void)snprintf(ret, size, "%s/enomem/teach.json", state);
	else if (home && home[0] == '/')
		(void)snprintf(ret, size, "%s/.local/state/enomem/teach.json", home);
	else
		return -ENOENT;
	return 0;
}

int progress_load(const char *path, FILE *errors, json_t **ret)
{
	json_error_t error;
	if (access(path, F_OK) < 0 && errno == ENOENT) {
		const struct passwd *self = getpwuid(getuid());
		*ret = json_pack("{s:s, s:s, s:{}}", "schema", SCHEMA, "learner", self ? self->pw_name : "?",
				 "lessons");
		return *ret ? 0 : -ENOMEM;
	}
	json_auto_t *progress = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (!progress) {
		(void)fprintf(errors, "enomem: %s:%d: %s\n", path, error.line, error.text);
		return -EINVAL;
	}
	if (strcmp(text_of(progress, "schema"), SCHEMA) != 0 || !json_is_object(json_object_get(progress, "lessons"))) {
		(void)fprintf(errors, "enomem: %s: no progress of enomem teach (%s)\n", path, SCHEMA);
		return -EINVAL;
	}
	*ret = json_incref(progress);
	return 0;
}

static int write_file(const char *path, const json_t *progress)
{
	char temporary[PATH_MAX + 16];
	if (json_memory_refused()) /* an answer may be left out */
		return -ENOMEM;
	(void)snprintf(temporary, sizeof(temporary), "%s.new", path);
	auto_close int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (json_dumpfd(progress, fd, JSON_INDENT(1) | JSON_SORT_KEYS) < 0 || fsync(fd) < 0 ||
	    rename(temporary, path) < 0) {
		int error = errno ? errno : EIO;
		(void)unlink(temporary);
		return -error;
	}
	return 0;
}

/* What another teach has kept of the lesson meanwhile stands; the lesson is given it. */
static int merge(json_t *lesson, const json_t *before)
{
	json_int_t hints = text_integer(before, "hints", 0);
	const char *last = question_names[QUESTION_FIX];
	const bool fixed = json_is_true(json_object_get(json_object_get(lesson, last), "done"));
	const char *now = text_of(lesson, "trigger"), *then = text_of(before, "trigger");
	/* It is about another trigger, which could not be taught this time. */
	const bool other = *now && *then && strcmp(now, then) != 0;
	int r = 0;
	for (unsigned q = 0; !other && r == 0 && q < QUESTIONS; q++) {
		json_t *answer = json_object_get(before, question_names[q]);
		if (json_is_object(answer))
			r = json_object_set(lesson, question_names[q], answer);
	}
	if (r == 0 && !other && json_object_get(before, question_names[QUESTION_OUTCOME]))
		r = json_object_get(before, "trigger")
			    ? json_object_set(lesson, "trigger", json_object_get(before, "trigger"))
			    : (json_object_del(lesson, "trigger"), 0);
	if (r == 0 && fixed)
		r = json_object_set_new(json_object_get(lesson, last), "done", json_true());
	if (r == 0 && hints > text_integer(lesson, "hints", 0))
		r = json_object_set_new(lesson, "hints", json_integer(hints));
	if (r == 0 && json_is_true(json_object_get(before, "done")))
		r = json_object_set_new(lesson, "done", json_true());
	return r < 0 ? -ENOMEM : 0;
}

int progress_keep(const char *path, const char *name, json_t *lesson, FILE *errors)
{
	char lock[PATH_MAX + 16];
	(void)snprintf(lock, sizeof(lock), "%s.lock", path);
	int r = make_directories(lock);
	auto_close int fd = r == 0 ? open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	json_auto_t *progress = NULL;
	if (r == 0 && (fd < 0 || flock(fd, LOCK_EX) < 0))
		r = -errno;
	if (r == 0)
		r = progress_load(path, errors, &progress);
	if (r < 0)
		return r;
	json_t *lessons = json_object_get(progress, "lessons");
	if (!lesson)
		(void)json_object_del(lessons, name);
	else if (merge(lesson, json_object_get(lessons, name)) < 0 || json_object_set(lessons, name, lesson) < 0)
		return -ENOMEM;
	return write_file(path, progress);
}
