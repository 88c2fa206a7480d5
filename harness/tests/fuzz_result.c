// SPDX-License-Identifier: MIT
/*
 * Any bytes as a stored result: loaded, checked, reported in every format, compared with itself, and its runs judged
 * again; and the same of everything that is made of it: its reference, a set, a merge.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cleanup.h"
#include "judge.h"
#include "report-html.h"
#include "report.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge_again(json_t *result)
{
	static char *calls[] = {(char *)"mmap", (char *)"clone"};
	static const char *const path[] = {"failure.process.rss", "delta.vmstat.oom_kill", "witness.calls.mmap",
					   "cause.bound"};
	json_t *scenario, *run;
	size_t i, k;
	json_array_foreach (json_object_get(result, "scenarios"), i, scenario) {
		json_array_foreach (json_object_get(scenario, "runs"), k, run) {
			struct check check = {.value = (char *)(uintptr_t)path[k % 4],
					      .minus = (char *)(k % 3 ? NULL : "before.tasks"),
					      .relation = (enum relation)(k % REL_COUNT),
					      .right = (char *)"before.tasks",
					      .within = (char *)"2%"};
			struct run_text text = {.helps = k % 2};
			struct plan_run plan = {.run = &text, .role = (enum role)(k % ROLE_COUNT)};
			plan.expect = (struct expect){.call = {calls, 2},
						      .error = (char *)"ENOMEM",
						      .cause = (char *)"pids-max",
						      .check = &check,
						      .check_count = 1};
			if (k % 5 == 4)
				plan.expect =
					(struct expect){.signal = (char *)"SIGKILL", .cause = (char *)"memcg-max"};
			if (json_is_object(run) && judge_run(run, &plan, NULL) < 0)
				abort();
		}
	}
}

/* What is made of a result that was accepted has to be accepted, and to differ from it in nothing. */
static void make_more(json_t *result, FILE *null)
{
	json_auto_t *reference = result_stable(result), *two = json_pack("[O, O]", result, result), *merged = NULL;
	json_t *both[] = {result, result, reference};
	struct report_options options = {0};
	if (!reference || result_check_any(reference, "reference", stderr) < 0 ||
	    compare_results(reference, result, "a", "b", null) != 0)
		abort();
	for (unsigned format = 0; format < FORMAT_COUNT; format++)
		if (report_write_set((enum report_format)format, both, 2, &options, null) < 0)
			abort();
	if (report_write_set(FORMAT_MARKDOWN, both, 3, &options, null) < 0)
		abort();
	json_auto_t *alone = json_pack("[O]", result), *three = json_pack("[O, O, O]", result, result, reference);
	if (report_html(alone, NULL, 0, null) < 0 || report_html(three, NULL, 0, null) < 0)
		abort();
	if (results_merge(two, null, &merged) == 0 && result_check(json_array_get(merged, 0), "merged", stderr) < 0)
		abort();
}

/* Files of several results and references. */
static void read_several(const char *path, FILE *null)
{
	json_auto_t *several = NULL;
	json_t *first[2];
	struct report_options options = {0};
	if (results_load(path, null, &several) < 0)
		return;
	for (size_t i = 0; i < 2; i++)
		first[i] = json_array_get(several, json_array_size(several) > i ? i : 0);
	if (compare_sets(several, several, "a", "b", null) < 0 ||
	    report_write_set(FORMAT_MARKDOWN, first, 2, &options, null) < 0 ||
	    report_write_set(FORMAT_PRETTY, first, 2, &options, null) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	auto_close int fd = memfd_create("fuzz", MFD_CLOEXEC);
	auto_fclose FILE *null = fopen("/dev/null", "we");
	json_auto_t *result = NULL, *raw = json_loadb((const char *)data, size, 0, NULL);
	if (fd < 0 || !null || write(fd, data, size) != (ssize_t)size)
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	bool loaded = result_load(path, null, &result) == 0;
	for (unsigned format = 0; raw && format < FORMAT_COUNT; format++) {
		struct report_options options = {.colour = size & 1, .verbose = size & 2, .width = size & 4 ? 0 : 80};
		bool written = report_write((enum report_format)format, raw, &options, null) == 0;
		if (loaded && !written)
			abort();
	}
	if (loaded && compare_results(result, result, "a", "b", null) != 0)
		abort();
	if (raw && json_is_object(raw))
		judge_again(raw);
	if (loaded)
		make_more(result, null);
	read_several(path, null);
	return 0;
}
