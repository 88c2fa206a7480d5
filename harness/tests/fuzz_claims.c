// SPDX-License-Identifier: MIT
/*
 * Any text as claims: read it, and judge by a result what could be read. Nothing may crash, leak or hang, every refusal
 * says where.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claims.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(struct claims_file *f)
{
	static const char text[] = "[{\"host\": {\"kernel\": \"6.1\"}, \"scenarios\": [{\"name\": \"s\", \"verdict\": "
				   "\"pass\", \"runs\": ["
				   "{\"name\": \"free\", \"role\": \"control\", \"verdict\": \"pass\", \"outcome\": "
				   "{\"kind\": \"success\"}},"
				   "{\"name\": \"limited\", \"role\": \"trigger\", \"verdict\": \"pass\","
				   " \"outcome\": {\"kind\": \"errno\", \"call\": \"mmap\", \"errno\": \"ENOMEM\"},"
				   " \"checks\": [{\"what\": \"failure.tasks is 6\", \"ok\": true},"
				   " {\"what\": \"cause.bound near 50% of ram within 64K\", \"ok\": true}]}]}]}]";
	json_t *results = json_loads(text, 0, NULL);
	struct claims all = {.item = &f, .count = 1};
	json_t *made = results ? claims_make(&all, NULL, NULL, 0, results) : NULL;
	char *written = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&written, &length);
	if (!made || !out)
		abort();
	for (unsigned i = 0; i < CLAIMS_FORMATS; i++)
		if (claims_write(made, (enum claims_format)i, 80, out) < 0)
			abort();
	fclose(out);
	free(written);
	json_decref(made);
	json_decref(results);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct claims_file *f = NULL;
	char *text = NULL;
	size_t length = 0;
	FILE *messages = open_memstream(&text, &length);

	if (!messages)
		abort();
	int r = claims_parse((const char *)data, size, "fuzz/guide-0.yaml", messages, &f);
	fflush(messages);
	if ((r == 0) != (f != NULL) || (r == 0) != (length == 0))
		abort();
	if (r != 0 && (r != -EINVAL || strncmp(text, "fuzz/guide-0.yaml:", strlen("fuzz/guide-0.yaml:")) != 0))
		abort();
	if (f)
		judge(f);
	claims_file_free(f);
	fclose(messages);
	free(text);
	return 0;
}
