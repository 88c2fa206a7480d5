// SPDX-License-Identifier: MIT
/*
 * Kernel memory: what calls allocate for themselves or for a file, charged to the memory groups and taken from the page
 * allocator in one piece.
 */
#include <string.h>

#include "cause-internal.h"
#include "cleanup.h"

/*
 * try_charge_memcg(), mm/memcontrol.c, where it can kill nobody. What a call had got before it was refused is given
 * back before anybody can look, so a group counts as full within a batch of its limit; but only where its counter of
 * refusals moved, and near the limit only where nothing else explains the errno.
 */
static void full_group(struct cause_case *c, struct cause_sum sum, int error, enum moved moved, const char *where)
{
	struct limit_state *state;

	if (sum.bound == ENOMEM_UNLIMITED)
		return;
	state = cause_add(c, CAUSE_MEMCG_MAX, sum, error, where);
	if (!state)
		return;
	if (moved == MOVED_NO)
		state->refuses = false;
	else if (state->refuses ? moved == MOVED_UNKNOWN
				: limit_add(sum.in_use, sum.asked + CHARGE_BATCH_BYTES) > sum.bound)
		cause_doubt(c, state);
}

static enum moved ancestor_moved(const struct cause_case *c, unsigned i)
{
	uint64_t before = ENOMEM_ABSENT, after = c->s->ancestor[i].refused;

	if (c->before && c->before->taken && i < c->before->ancestor_count)
		before = c->before->ancestor[i].refused;
	if (before == ENOMEM_ABSENT || after == ENOMEM_ABSENT)
		return MOVED_UNKNOWN;
	return after > before ? MOVED_YES : MOVED_NO;
}

/*
 * v1 asks the sum of memory and swap first. Where no swap is allowed that sum is full together with memory, and 6.18
 * does not count its refusals: a counter that stood still proves nothing there.
 */
static enum moved own_moved(const struct cause_case *c)
{
	const uint64_t *v = c->s->cgroup.value;
	enum moved moved = cause_moved(c, CGROUP_MEMORY_EVENTS_MAX);

	if (moved == MOVED_NO && v[CGROUP_MEMORY_MEMSW_PEAK] != ENOMEM_ABSENT && v[CGROUP_MEMORY_SWAP_MAX] == 0)
		return MOVED_UNKNOWN;
	return moved;
}

void cause_charge(struct cause_case *c, uint64_t asked, int error)
{
	const struct snapshot *s = c->s;
	const uint64_t *v = s->cgroup.value;

	if (!s->process_seen || !s->in_cgroup || asked > UINT64_MAX / 2)
		return;
	full_group(c, (struct cause_sum){v[CGROUP_MEMORY_CURRENT], asked, v[CGROUP_MEMORY_MAX]}, error, own_moved(c),
		   "memory.max of its group");
	full_group(c, (struct cause_sum){v[CGROUP_MEMORY_KMEM_CURRENT], asked, v[CGROUP_MEMORY_KMEM_MAX]}, error,
		   cause_moved(c, CGROUP_MEMORY_KMEM_EVENTS_MAX), "memory.kmem.limit_in_bytes of its group");
	for (unsigned i = 0; i < s->ancestor_count; i++) {
		const struct ancestor_numbers *a = &s->ancestor[i];
		if (a->controller == CGROUP_MEMORY)
			full_group(c, (struct cause_sum){a->current, asked, a->max}, error, ancestor_moved(c, i),
				   "memory.max of a group above");
	}
}

/* __alloc_pages_slowpath(), mm/page_alloc.c: beyond eight pages in one piece it gives up rather than kill. */
void cause_physical_fragmentation(struct cause_case *c, uint64_t block)
{
	uint64_t largest = buddyinfo_largest(&c->s->buddy, PAGE_BYTES);
	uint64_t free_bytes = c->s->meminfo.value[MEMINFO_MEM_FREE];

	if (free_bytes == ENOMEM_ABSENT || free_bytes <= block)
		return; /* that would be a lack of memory, in whatever pieces */
	(void)cause_add(c, CAUSE_FRAGMENTATION, (struct cause_sum){0, block, largest}, ENOMEM,
			"/proc/buddyinfo: the largest free block");
}

/* pipe_resize_ring(), fs/pipe.c; a new pipe is an inode and its pages. */
void cause_pipe(struct cause_case *c)
{
	uint64_t asked = c->refusal->asked_bytes;
	int error = c->refusal->error;

	if (strcmp(c->refusal->call->name, "fcntl") != 0) {
		if (error == ENOMEM || error == ENFILE)
			cause_charge(c, PAGE_BYTES, error);
		else if (error == EMFILE)
			cause_open_files(c);
		if (error == ENFILE)
			cause_pipe_pages(c);
		return;
	}
	if (error == EPERM) {
		cause_pipe_size(c);
		cause_pipe_pages(c);
	}
	if (error != ENOMEM || asked == 0)
		return;
	(void)cause_add(c, CAUSE_KMALLOC_MAX, (struct cause_sum){0, asked, LIMIT_KMALLOC_MAX}, ENOMEM,
			"the largest block of the page allocator");
	if (asked > LIMIT_KMALLOC_MAX)
		return; /* nobody was asked for memory */
	uint64_t block = limit_block_bytes(asked, PAGE_BYTES);
	cause_physical_fragmentation(c, block);
	cause_charge(c, block, ENOMEM);
}

/*
 * shmem_fallocate(), mm/shmem.c, takes back what it had got when it is refused: the whole length is asked for still.
 * Space of a file on disk is in no snapshot.
 */
void cause_file(struct cause_case *c)
{
	uint64_t asked = limit_round_up_to_page(c->refusal->asked_bytes, PAGE_BYTES);

	if (c->refusal->error == EMFILE)
		cause_open_files(c);
	else if (c->refusal->error == ENOMEM)
		cause_charge(c, asked ? asked : PAGE_BYTES, ENOMEM);
	else if (c->refusal->error == ENOSPC)
		cause_tmpfs_space(c, asked, ENOSPC);
	if (c->refusal->error == ENOSPC)
		cause_hugetlbfs_space(c, asked, ENOSPC);
}

/*
 * page_counter_set_max(), mm/page_counter.c: a limit below what is in use is not taken. v1's memory limit reclaims and
 * tries again (mem_cgroup_resize_max(), mm/memcontrol.c) until nothing is left to reclaim. v2's memory.max does not
 * ask: it is set at once, and whoever is too many is killed.
 */
void cause_limit_lowered(struct cause_case *c)
{
	static const struct {
		enum cgroup_value limit, in_use;
		enum cause_id id;
		const char *where;
	} row[] = {
		{CGROUP_MEMORY_MAX, CGROUP_MEMORY_CURRENT, CAUSE_MEMCG_MAX, "memory.limit_in_bytes that was written"},
		{CGROUP_HUGETLB_MAX, CGROUP_HUGETLB_CURRENT, CAUSE_HUGETLB_CGROUP, "hugetlb.max that was written"},
		{CGROUP_HUGETLB_RSVD_MAX, CGROUP_HUGETLB_RSVD_CURRENT, CAUSE_HUGETLB_CGROUP,
		 "hugetlb.rsvd.max that was written"},
	};
	uint64_t written = c->refusal->number, page = c->s->meminfo.value[MEMINFO_HUGEPAGE_SIZE];

	if (!c->s->group_limit_seen || written == ENOMEM_ABSENT)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		if (row[i].limit != c->s->group_limit)
			continue;
		uint64_t grain = row[i].id == CAUSE_MEMCG_MAX ? PAGE_BYTES : page;
		if (grain == 0 || grain == ENOMEM_ABSENT)
			return;
		/* page_counter_memparse() and hugetlb_cgroup_write() round down. */
		struct cause_sum sum = {c->s->cgroup.value[row[i].in_use], 0, written - written % grain};
		(void)cause_add(c, row[i].id, sum, EBUSY, row[i].where);
	}
}
