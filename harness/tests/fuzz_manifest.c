// SPDX-License-Identifier: MIT
/*
 * Any text as a manifest: read it, and plan what could be read. Nothing may crash, leak or hang, every refusal says
 * where.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_plan(const struct scenario *s, FILE *messages)
{
	static struct machine m = {
		.kernel_major = 6, .kernel_minor = 1, .page_size = 4096, .root = true, .guest = true};
	struct plan *plan = NULL;

	m.now.meminfo.value[MEMINFO_MEM_TOTAL] = UINT64_C(8) << 30;
	m.now.meminfo.value[MEMINFO_COMMIT_LIMIT] = UINT64_C(4) << 30;
	m.now.meminfo.value[MEMINFO_COMMITTED_AS] = UINT64_C(1) << 30;
	if (plan_make(s, &m, messages, &plan) == 0)
		plan_free(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scenario *s = NULL;
	char *text = NULL;
	size_t length = 0;
	FILE *messages = open_memstream(&text, &length);

	if (!messages)
		abort();
	int r = manifest_parse((const char *)data, size, "fuzz/scenario.yaml", messages, &s);
	fflush(messages);
	if ((r == 0) != (s != NULL) || (r == 0) != (length == 0))
		abort();
	if (r != 0 && (r != -EINVAL || strncmp(text, "fuzz/scenario.yaml:", strlen("fuzz/scenario.yaml:")) != 0))
		abort();
	if (s)
		try_plan(s, messages);
	scenario_free(s);
	fclose(messages);
	free(text);
	return 0;
}
