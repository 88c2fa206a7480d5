// SPDX-License-Identifier: MIT
/*
 * Shared by the tests of judge, reports and compare: stored evidence, the runs it belongs to, and how to doctor it.
 */
#pragma once

#include <string.h>

#include "judge.h"

/* What the manifests of the stored evidence say, by the file's name. */
struct world {
	struct scenario scenario;
	struct run_text text;
	struct plan_run run;
	struct check check[2];
	char *calls[2];
};

static inline json_t *load_evidence(const char *name)
{
	char path[1024];
	json_error_t error;
	(void)snprintf(path, sizeof(path), TEST_DATA "/evidence/%s.json", name);
	json_t *evidence = json_load_file(path, 0, &error);
	if (!evidence) {
		(void)fprintf(stderr, "%s:%d: %s\n", path, error.line, error.text);
		abort();
	}
	return evidence;
}

static inline void expect_failure(struct world *w, const char *name)
{
	struct expect *e = &w->run.expect;
	if (!strncmp(name, "rlimit-as", 9)) {
		w->calls[0] = (char *)"mmap";
		*e = (struct expect){.call = {w->calls, 1}, .error = (char *)"ENOMEM", .cause = (char *)"rlimit-as"};
		e->says = (char *)"Cannot allocate memory";
	} else if (!strncmp(name, "pids-max", 8)) {
		w->calls[0] = (char *)"fork";
		w->calls[1] = (char *)"clone";
		*e = (struct expect){.call = {w->calls, 2}, .error = (char *)"EAGAIN", .cause = (char *)"pids-max"};
	} else if (!strncmp(name, "memcg-max", 9)) {
		*e = (struct expect){.signal = (char *)"SIGKILL", .cause = (char *)"memcg-max"};
	} else if (!strncmp(name, "rlimit-stack", 12)) {
		*e = (struct expect){
			.signal = (char *)"SIGSEGV", .si_code = (char *)"SEGV_MAPERR", .cause = (char *)"rlimit-stack"};
	} else {
		*e = (struct expect){.stall = true, .cause = (char *)"memcg-high"};
	}
}

/* The run of a stored file: role and helps as the evidence has them, the expectation by the file's name. */
static inline void make_world(struct world *w, const char *name, const json_t *evidence)
{
	memset(w, 0, sizeof(*w));
	const char *role = json_string_value(json_object_get(evidence, "role"));
	w->scenario = (struct scenario){.file = (char *)"/somewhere/scenarios/pids-max/scenario.yaml",
					.name = (char *)"pids-max",
					.title = (char *)"fork() where no more tasks fit",
					.class_name = (char *)"task-count",
					.scope = SCOPE_CGROUP};
	w->text.helps = !json_is_false(json_object_get(evidence, "helps"));
	w->text.line = 17;
	w->run.scenario = &w->scenario;
	w->run.run = &w->text;
	w->run.role = !strcmp(role, "control") ? ROLE_CONTROL : !strcmp(role, "trigger") ? ROLE_TRIGGER : ROLE_REMEDY;
	(void)snprintf(w->run.name, sizeof(w->run.name), "%s", json_string_value(json_object_get(evidence, "name")));
	if (w->run.role == ROLE_TRIGGER || !w->text.helps || strstr(name, "-live"))
		expect_failure(w, name);
	if (strstr(name, "-live"))
		w->run.expect.exit = (char *)"0";
}

/* Set (or, with NULL, delete) what "a/b/0/c" leads to. */
static inline void doctor(json_t *root, const char *path, const char *value)
{
	char copy[256], *save = NULL;
	(void)snprintf(copy, sizeof(copy), "%s", path);
	char *key = strtok_r(copy, "/", &save), *next = strtok_r(NULL, "/", &save);
	for (; next; key = next, next = strtok_r(NULL, "/", &save))
		root = json_is_array(root) ? json_array_get(root, (size_t)atoi(key)) : json_object_get(root, key);
	json_t *parsed = value ? json_loads(value, JSON_DECODE_ANY, NULL) : NULL;
	if (!root || (value && !parsed))
		abort();
	if (json_is_array(root) && parsed)
		(void)json_array_set_new(root, (size_t)atoi(key), parsed);
	else if (json_is_array(root))
		(void)json_array_remove(root, (size_t)atoi(key));
	else if (parsed)
		(void)json_object_set_new(root, key, parsed);
	else
		(void)json_object_del(root, key);
}

static inline const char *member(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}
