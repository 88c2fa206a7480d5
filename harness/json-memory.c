// SPDX-License-Identifier: MIT
/*
 * See json-memory.h.
 */
#include "json-memory.h"

#include <errno.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "options.h"
#include "say.h"

static atomic_bool refused;

static void *ask(size_t size)
{
	void *p = malloc(size);
	if (!p && size > 0)
		refused = true;
	return p;
}

void json_memory_watch(void)
{
	json_set_alloc_funcs(ask, free);
}

void json_memory_note(void)
{
	refused = true;
}

void *json_memory_noted(void *p)
{
	if (!p)
		refused = true;
	return p;
}

bool json_memory_refused(void)
{
	return refused;
}

bool json_memory_tell(void)
{
	static bool told;
	if (refused && !told)
		(void)say_error(-ENOMEM, "there was no memory for a part of what is told: it is not complete");
	told |= refused;
	return refused;
}

int json_memory_judge(int code)
{
	if (code == EXIT_USAGE) /* whatever is blamed for it, if anything was: it may not be why */
		(void)json_memory_tell();
	if (code == EXIT_BROKEN || code == EXIT_USAGE || code >= EXIT_BISECT_SKIP)
		return code;
	return json_memory_tell() ? EXIT_BROKEN : code;
}
