// SPDX-License-Identifier: MIT
/*
 * Commit accounting: __vm_enough_memory(), mm/util.c, in its modes 0 (heuristic) and 2 (never overcommit). Mode 1
 * refuses nothing.
 */
#include <linux/capability.h>

#include "cause-internal.h"

enum { OVERCOMMIT_HEURISTIC = 0, OVERCOMMIT_NEVER = 2 };

/* CommitLimit less what this caller must leave; absent when any of it is unknown. */
static uint64_t commit_allowed(const struct cause_case *c)
{
	uint64_t limit = c->s->meminfo.value[MEMINFO_COMMIT_LIMIT];
	uint64_t admin = c->s->sysctl[SYSCTL_ADMIN_RESERVE_KBYTES];
	uint64_t user = c->s->sysctl[SYSCTL_USER_RESERVE_KBYTES];
	uint64_t vm_size = cause_status(c, STATUS_VM_SIZE);

	if (limit == ENOMEM_ABSENT || admin == ENOMEM_ABSENT || user == ENOMEM_ABSENT || vm_size == ENOMEM_ABSENT)
		return ENOMEM_ABSENT;
	uint64_t reserve = limit_commit_reserve(admin, cause_capable(c, CAP_SYS_ADMIN), user, vm_size);
	/* The kernel wants strictly less than allowed: the bound is one page lower. */
	return limit > limit_add(reserve, PAGE_BYTES) ? limit - reserve - PAGE_BYTES : 0;
}

/*
 * The check reads a per-CPU counter that strays from Committed_AS by as much as limit_commit_slack(), so near the bound
 * the numbers prove nothing either way: there the limit counts as refusing unless an exact one does.
 */
void cause_commit_limit(struct cause_case *c, uint64_t asked)
{
	cause_commit_limit_as(c, asked, ENOMEM);
}

void cause_commit_limit_as(struct cause_case *c, uint64_t asked, int error)
{
	if (asked == 0 || c->s->sysctl[SYSCTL_OVERCOMMIT_MEMORY] != OVERCOMMIT_NEVER)
		return;
	struct cause_sum sum = {c->s->meminfo.value[MEMINFO_COMMITTED_AS], asked, commit_allowed(c)};
	const struct limit_state *state = cause_add(c, CAUSE_COMMIT_LIMIT, sum, error, "/proc/meminfo: CommitLimit");
	uint64_t mem_total = c->s->meminfo.value[MEMINFO_MEM_TOTAL];

	if (!state || mem_total == ENOMEM_ABSENT)
		return;
	uint64_t total = limit_add(sum.in_use, sum.asked);
	uint64_t distance = total > sum.bound ? total - sum.bound : sum.bound - total;
	if (distance <= limit_commit_slack(mem_total))
		cause_doubt(c, state);
}

void cause_commit_heuristic(struct cause_case *c, uint64_t asked)
{
	uint64_t ram = c->s->meminfo.value[MEMINFO_MEM_TOTAL], swap = c->s->meminfo.value[MEMINFO_SWAP_TOTAL];

	if (asked == 0 || c->s->sysctl[SYSCTL_OVERCOMMIT_MEMORY] != OVERCOMMIT_HEURISTIC)
		return;
	if (ram == ENOMEM_ABSENT || swap == ENOMEM_ABSENT)
		return;
	struct cause_sum sum = {0, asked, limit_commit_heuristic(ram, swap)};
	(void)cause_add(c, CAUSE_COMMIT_HEURISTIC, sum, ENOMEM, "/proc/meminfo: MemTotal + SwapTotal");
}

/*
 * swapoff(), mm/swapfile.c: as if somebody asked for as much memory as the swap area holds, empty or not, and while it
 * still counts in the limit. Taken for the only one: which area is meant only its path tells.
 */
void cause_swap(struct cause_case *c)
{
	uint64_t swap = c->s->meminfo.value[MEMINFO_SWAP_TOTAL];

	if (swap != ENOMEM_ABSENT)
		cause_commit_limit(c, swap);
}
