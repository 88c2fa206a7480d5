// SPDX-License-Identifier: MIT
/*
 * A whole result made of the stored evidence: one scenario of each verdict.
 */
#pragma once

#include "judged.h"

/* Judged runs of these files, each doctored at path if that is set. */
static inline json_t *sample_runs(const char *const *files, const char *path, const char *value)
{
	json_t *runs = json_array();
	for (; *files; files++) {
		struct world w;
		json_t *e = load_evidence(*files);
		make_world(&w, *files, e);
		if (path && strstr(*files, "trigger"))
			doctor(e, path, value);
		if (judge_run(e, &w.run, NULL) < 0 || json_array_append_new(runs, e) < 0)
			abort();
	}
	return runs;
}

static inline json_t *sample_scenario(const char *name, const char *class_name, const char *const *files,
				      const char *path, const char *value)
{
	static struct case_text unnamed_mmap = {.name = (char *)"mmap"};
	json_t *runs = sample_runs(files, path, value);
	struct scenario s = {.name = (char *)(uintptr_t)name,
			     .title = (char *)"a title",
			     .class_name = (char *)(uintptr_t)class_name};
	if (json_object_get(json_array_get(runs, 0), "case")) {
		s.cases = &unnamed_mmap;
		s.case_count = 1;
	}
	struct plan plan = {.scenario = &s, .skip = *files ? NULL : (char *)"needs root: run as root"};
	return judge_scenario(&plan, runs);
}

static inline json_t *sample_result(void)
{
	static const char *const good[] = {"pids-max-control", "pids-max-trigger", "pids-max-remedy", "skipped", NULL};
	static const char *const bad[] = {"rlimit-as-control", "rlimit-as-trigger", "rlimit-as-remedy",
					  "rlimit-as-folklore", NULL};
	static const char *const killed[] = {"memcg-max-control", "memcg-max-trigger", "memcg-max-remedy", NULL};
	static const char *const stuck[] = {"broken", NULL}, *const none[] = {NULL};
	json_t *scenarios = json_array();
	(void)json_array_append_new(scenarios, sample_scenario("pids-max", "task-count", good, NULL, NULL));
	(void)json_array_append_new(
		scenarios, sample_scenario("address-space-limit", "address-space", bad, "limits/2/refuses", "true"));
	(void)json_array_append_new(scenarios, sample_scenario("memory-max", "memory-cgroup", killed, NULL, NULL));
	(void)json_array_append_new(scenarios, sample_scenario("pids-stuck", "task-count", stuck, NULL, NULL));
	(void)json_array_append_new(scenarios,
				    sample_scenario("fork-huge-parent", "commit-accounting", none, NULL, NULL));
	(void)json_array_append_new(scenarios, sample_scenario("swap-full", "commit-accounting", none, NULL, NULL));
	return json_pack(
		"{s:s, s:s, s:[s, s, s, s, s, s], s:{s:s, s:s, s:I, s:i, s:i, s:b, s:b, s:{s:i}}, s:o, s:o, s:I}",
		"schema", "enomem-result/1", "enomem", "0.1.0", "command", "enomem", "run", "-j", "2", "pids-max",
		"it's $HOME", "host", "kernel", "6.1.0", "cgroup", "hybrid", "ram", (json_int_t)25289162752, "swap", 0,
		"cpus", 4, "guest", 0, "root", 1, "sysctl", "vm.overcommit_memory", 0, "scenarios", scenarios,
		"summary", judge_summary(scenarios), "duration_ns", (json_int_t)3210000000);
}
