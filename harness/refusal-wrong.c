// SPDX-License-Identifier: MIT
/*
 * See refusal-wrong.h.
 */
#include "refusal-wrong.h"

#include <errno.h>
#include <string.h>

/* Whether it begins in a hole or comes to one. What munmap(2) and the others find no area in, they go past. */
static bool protects_hole(const struct refusal *r, const struct snapshot *s)
{
	return strstr(r->call->name, "mprotect") && s->maps.target_reach < r->args[1];
}

bool refusal_asked_wrongly(const struct refusal *r, enum cause_id cause, uint32_t also, const struct snapshot *s)
{
	if (cause == CAUSE_NOT_MAPPED)
		return true;
	if (cause != CAUSE_UNKNOWN || also)
		return false;
	switch (r->error) {
	case EPERM: /* only limits say so to F_SETPIPE_SZ, whose sum may have parts that cannot be seen */
		return strcmp(r->call->name, "fcntl") != 0;
	case EINVAL:
	case EFAULT:
	case E2BIG:
		return true;
	case ENOMEM:
		switch (r->call->family) {
		case CALL_SPLIT:
		case CALL_LOCK:
		case CALL_ADVISE:
		case CALL_REMAP:
			return s->maps_seen && (!s->maps.target_mapped || protects_hole(r, s));
		default:
			return false;
		}
	default:
		return false;
	}
}
