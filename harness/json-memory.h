// SPDX-License-Identifier: MIT
/*
 * Whether jansson got the memory it asked for. A document is put together in hundreds of places, and a value for which
 * there was no memory is left out of it (json_object_set_new() of NULL); one that is read ends in the middle, as if its
 * text were wrong. So it is looked at where a document goes out, or was read: one with anything left out is not told as
 * a whole one.
 */
#pragma once

#include <stdbool.h>

/* To be called first of all. */
void json_memory_watch(void);

/* Something else was refused that a document is made of. */
void json_memory_note(void);

/* What was allocated for it: noted where it is NULL. */
void *json_memory_noted(void *p);

/* Was any of it refused, to this process or before it was forked? */
bool json_memory_refused(void);

/* Say so, once, if any of it was refused. */
bool json_memory_tell(void);

/* What a command's main function returned, or EXIT_BROKEN where that would vouch for what may not be whole; it is said
 * then. What ends a bisection, or is somebody else's status, stays. */
int json_memory_judge(int code);
