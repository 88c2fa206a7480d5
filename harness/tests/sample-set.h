// SPDX-License-Identifier: MIT
/*
 * Results of several kernels made of the sample, and text compared with a stored file.
 */
#pragma once

#include "cleanup.h"
#include "report.h"
#include "sample.h"

/* The sample as if made on another kernel, with a cgroup version if that is set. */
static inline json_t *sample_on(const char *release, const char *cgroup)
{
	json_t *result = sample_result(), *host = json_object_get(result, "host");
	(void)json_object_set_new(host, "kernel", json_string(release));
	if (cgroup)
		(void)json_object_set_new(host, "cgroup", json_string(cgroup));
	return result;
}

/* Three kernels: the second as the first but for a release and RAM; the third differs in everything that is explained.
 */
static inline json_t *sample_set(void)
{
	json_t *set = json_array(), *odd = sample_on("6.12.9-cloud", NULL), *near = sample_on("6.1.0-56-cloud", NULL);
	(void)json_array_append_new(set, sample_on("5.10.0-32-cloud", NULL));
	doctor(near, "host/ram", "25289000000");
	(void)json_array_append_new(set, near);
	doctor(odd, "scenarios/0/note", "\"6.12 counts where the limit is.\"");
	doctor(odd, "scenarios/0/runs/1/cause/in_use", "7");
	doctor(odd, "scenarios/0/runs/1/outcome/call", "\"clone3\"");
	doctor(odd, "scenarios/0/runs/2/outcome/kind", "\"exit\"");
	doctor(odd, "scenarios/0/runs/2/outcome/code", "3");
	doctor(odd, "scenarios/2/runs/1/outcome",
	       "{\"kind\": \"panic\", \"text\": \"System is deadlocked on memory\"}");
	doctor(odd, "scenarios/2/runs/1/cause/id", "\"system-oom\"");
	doctor(odd, "scenarios/4/reason", "\"needs kernel >=7 (this is 6.12.9-cloud)\"");
	(void)json_array_append_new(set, odd);
	return set;
}

/* Not inlined: GCC 12 at -O2 then takes what open_memstream() hands out for the local pointer to it. */
__attribute__((noinline, unused)) static char *written_set(enum report_format format, const json_t *results,
							   struct report_options options)
{
	char *text = NULL;
	size_t size, count = json_array_size(results);
	auto_free json_t **set = calloc(count + 1, sizeof(json_t *));
	for (size_t i = 0; i < count; i++)
		set[i] = json_array_get(results, i);
	FILE *out = open_memstream(&text, &size);
	assert_int_equal(report_write_set(format, set, count, &options, out), 0);
	(void)fclose(out);
	return text;
}

/* The text has to be the file's. With ENOMEM_GOLDEN=write in the environment the file becomes the text instead. */
static inline void golden(const char *name, const char *text)
{
	char path[1024], stored[1 << 16] = "";
	const char *write_it = getenv("ENOMEM_GOLDEN");
	(void)snprintf(path, sizeof(path), TEST_DATA "/report/%s", name);
	if (write_it && !strcmp(write_it, "write")) {
		auto_fclose FILE *out = fopen(path, "we");
		assert_non_null(out);
		(void)fputs(text, out);
		return;
	}
	auto_fclose FILE *in = fopen(path, "re");
	assert_non_null(in);
	(void)fread(stored, 1, sizeof(stored) - 1, in);
	if (strcmp(stored, text) != 0)
		print_message("%s is otherwise now:\n%s", name, text);
	assert_string_equal(stored, text);
}
