// SPDX-License-Identifier: MIT
/*
 * See guest-bring.h.
 */
#include "guest-bring.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "say.h"

#define DEPTH_MAX 16

struct walk {
	void (*found)(const char *path, void *data);
	void *data;
};

int guest_bring_add(struct guest_bring *b, const char *path)
{
	if (b->count == GUEST_BRING_MAX)
		return say_error(-E2BIG, "--bring: more than %d files", GUEST_BRING_MAX);
	b->path[b->count++] = path;
	return 0;
}

static char *absolute(const char *path)
{
	char here[PATH_MAX];
	char *text = NULL;
	if (path[0] == '/')
		return strdup(path);
	if (!getcwd(here, sizeof(here)) || asprintf(&text, "%s/%s", here, path) < 0)
		return NULL;
	return text;
}

char *guest_bring_find(const char *name)
{
	const char *at = getenv("PATH");
	char path[PATH_MAX];
	if (strchr(name, '/'))
		return access(name, F_OK) == 0 ? absolute(name) : NULL;
	for (size_t length; at; at = at[length] ? at + length + 1 : NULL) {
		length = strcspn(at, ":");
		(void)snprintf(path, sizeof(path), "%.*s%s%s", (int)length, at, length ? "/" : "", name);
		struct stat st;
		if (access(path, X_OK) == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode))
			return absolute(path);
	}
	return NULL;
}

static void walk_one(const struct walk *w, const char *path, unsigned depth);

/* "#!/usr/bin/env python3": what interprets it, and of env what that will execute. */
static void walk_interpreter(const struct walk *w, const char *path, unsigned depth)
{
	char line[256], program[256], argument[256] = "";
	auto_fclose FILE *f = fopen(path, "re");
	if (!f || !fgets(line, sizeof(line), f) || strncmp(line, "#!", 2) != 0 ||
	    sscanf(line + 2, " %255s %255s", program, argument) < 1)
		return;
	walk_one(w, program, depth + 1);
	const char *slash = strrchr(program, '/');
	auto_free char *real = slash && strcmp(slash, "/env") == 0 && argument[0] ? guest_bring_find(argument) : NULL;
	if (real)
		walk_one(w, real, depth + 1);
}

static void walk_directory(const struct walk *w, const char *path, unsigned depth)
{
	struct dirent **entries = NULL;
	int count = scandir(path, &entries, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		char name[PATH_MAX];
		bool wanted = strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0;
		if (wanted && (size_t)snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name) < sizeof(name))
			walk_one(w, name, depth + 1);
		free(entries[i]);
	}
	free(entries);
}

static void walk_one(const struct walk *w, const char *path, unsigned depth)
{
	struct stat st;
	if (depth > DEPTH_MAX || stat(path, &st) < 0)
		return;
	if (S_ISDIR(st.st_mode)) {
		walk_directory(w, path, depth);
	} else if (S_ISREG(st.st_mode)) {
		w->found(path, w->data);
		if (st.st_mode & 0111)
			walk_interpreter(w, path, depth);
	}
}

int guest_bring_each(const struct guest_bring *b, void (*found)(const char *path, void *data), void *data)
{
	const struct walk w = {found, data};
	for (size_t i = 0; i < b->count; i++) {
		auto_free char *path = absolute(b->path[i]);
		if (!path)
			return -ENOMEM;
		walk_one(&w, path, 0);
	}
	return 0;
}
