// SPDX-License-Identifier: MIT
/*
 * New namespaces: inc_ucount(), kernel/ucount.c, bounds them by user, of each kind by itself, and says ENOSPC.
 */
#include "cause-internal.h"

void cause_new_namespaces(struct cause_case *c, uint64_t flags)
{
	static const char *const where[NAMESPACE_COUNT] = {
#define X(id, name, flag) [NAMESPACE_##id] = "/proc/sys/user/max_" name "_namespaces",
		NAMESPACE_KINDS(X)
#undef X
	};

	for (unsigned i = 0; i < NAMESPACE_COUNT; i++) {
		const struct namespace_numbers *numbers = &c->s->namespaces[i];
		if (flags & namespace_infos[i].flag)
			(void)cause_add(c, CAUSE_NAMESPACES_MAX, (struct cause_sum){numbers->in_use, 1, numbers->max},
					ENOSPC, where[i]);
	}
}

/* ksys_unshare(), kernel/fork.c */
void cause_namespace(struct cause_case *c)
{
	if (c->refusal->error == ENOMEM)
		cause_charge(c, PAGE_BYTES, ENOMEM);
	cause_new_namespaces(c, c->refusal->args[0]);
}
