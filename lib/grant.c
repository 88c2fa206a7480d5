// SPDX-License-Identifier: MIT
/*
 * See grant.h.
 */
#include "grant.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* What the C library lets the break grow beyond what malloc() was asked for (M_TOP_PAD), and the page that it rounds
 * up to: the first buffer of stdio takes as much. */
#define BREAK_PAD ((128ULL + 4) * 1024)

static bool is_space(enum call_family family)
{
	return family == CALL_MAP || family == CALL_REMAP || family == CALL_BREAK || family == CALL_SPLIT;
}

static bool maps_file(const struct refusal *r)
{
	return r->call->family == CALL_MAP && !(r->args[3] & MAP_ANONYMOUS);
}

static bool maps_fixed(const struct refusal *r)
{
	return r->call->family == CALL_MAP && r->args[3] & MAP_FIXED;
}

static bool maps_nothing_yet(const struct refusal *r)
{
	return r->call->family == CALL_MAP && (int)r->args[2] == PROT_NONE;
}

/*
 * Memory in place of what was refused? Libraries and locales are mapped from files, with what they have besides at
 * fixed addresses; arenas and stacks of threads begin as addresses without rights. That counts where such was refused.
 */
static bool may_stand_in(const struct refusal *refused, const struct refusal *granted)
{
	if (maps_file(granted) && !(maps_file(refused) && granted->args[2] == refused->args[2] &&
				    granted->args[3] == refused->args[3] && granted->args[4] == refused->args[4]))
		return false;
	return (!maps_fixed(granted) || maps_fixed(refused)) &&
	       (!maps_nothing_yet(granted) || maps_nothing_yet(refused));
}

static bool is_same_kind(const struct refusal *refused, const struct refusal *granted)
{
	enum call_family family = granted->call->family;
	if (family == CALL_TRANSFER) /* to the same file */
		return refused->call == granted->call && refused->args[0] == granted->args[0];
	if (family == CALL_SPLIT) /* rights, not memory */
		return refused->call == granted->call;
	return family == refused->call->family || (is_space(family) && is_space(refused->call->family));
}

/* malloc() turns from brk(2) to mmap(2), and realloc() from mremap(2), for all of it. */
static bool is_as_much(const struct refusal *refused, const struct refusal *granted)
{
	enum call_family family = granted->call->family;
	if (refused->call->family == CALL_REMAP && family == CALL_MAP)
		return granted->asked_bytes >= refused->args[2];
	if (family != refused->call->family && !(refused->call->family == CALL_BREAK && family == CALL_MAP))
		return false;
	if (granted->call == refused->call && granted->call->nr == SYS_fcntl) /* by its slots, or by its size */
		return (uint32_t)granted->args[2] >= (uint32_t)refused->args[2];
	if (family == CALL_BREAK) /* it asks for an end */
		return granted->args[0] >= refused->args[0];
	return family == CALL_EXEC || granted->asked_bytes >= refused->asked_bytes;
}

/* The stack pointer is another one wherever a function calls malloc() that did not before. */
static bool is_same_site(const struct refusal *a, const struct refusal *b)
{
	return a->call == b->call && a->instruction && a->instruction == b->instruction && a->stack == b->stack;
}

enum grant grant_for(const struct refusal *refused, const struct refusal *granted)
{
	uint64_t least = granted->call->family == CALL_BREAK ? GRANT_LEAST + BREAK_PAD : GRANT_LEAST;
	if (!is_same_kind(refused, granted) || !may_stand_in(refused, granted))
		return GRANT_OTHER;
	if (is_as_much(refused, granted))
		return GRANT_AS_MUCH;
	if (granted->asked_bytes >= least || (granted->asked_bytes && is_same_site(refused, granted)))
		return GRANT_LESS;
	return GRANT_OTHER;
}
