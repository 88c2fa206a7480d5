// SPDX-License-Identifier: MIT
/*
 * New namespaces: inc_ucount(), kernel/ucount.c, bounds them by user, of each kind by itself, and says ENOSPC. So do
 * create_user_ns(), kernel/user_namespace.c, and create_pid_namespace(), kernel/pid_namespace.c, before it, where one
 * would lie in too many others.
 */
#include "cause-internal.h"

#define PID_DEPTH_MAX  32 /* MAX_PID_NS_LEVEL; the first one's level is 0 */
#define USER_DEPTH_MAX 33 /* the level of the one around it may be 32 */

static void nesting(struct cause_case *c, enum namespace_kind kind, uint64_t max, const char *where)
{
	struct limit_state *state = cause_add(c, CAUSE_NAMESPACES_MAX,
					      (struct cause_sum){c->s->namespaces[kind].depth, 1, max}, ENOSPC, where);
	if (state)
		state->unit = "levels";
}

void cause_new_namespaces(struct cause_case *c, uint64_t flags)
{
	static const char *const where[NAMESPACE_COUNT] = {
#define X(id, name, flag) [NAMESPACE_##id] = "/proc/sys/user/max_" name "_namespaces",
		NAMESPACE_KINDS(X)
#undef X
	};

	if (flags & namespace_infos[NAMESPACE_USER].flag)
		nesting(c, NAMESPACE_USER, USER_DEPTH_MAX, "/proc/PID/ns/user: how deep it lies in others");
	if (flags & namespace_infos[NAMESPACE_PID].flag)
		nesting(c, NAMESPACE_PID, PID_DEPTH_MAX, "/proc/PID/status: NSpid, an id for each level");
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
