// SPDX-License-Identifier: MIT
/*
 * Huge pages: a mapping reserves them, a fault takes them, and both a control group and the pool may say no.
 */
#include <linux/magic.h>

#include "cause-internal.h"

/* Pages of the default size, as /proc/meminfo counts them. */
struct pool {
	uint64_t size, free, reserved;
	uint64_t in_use; /* taken, or promised to somebody */
	uint64_t bound;  /* those kept for good, and those that may be made on demand */
};

static bool pool_of(const struct snapshot *s, struct pool *ret)
{
	const uint64_t *v = s->meminfo.value;
	uint64_t total = v[MEMINFO_HUGEPAGES_TOTAL], surplus = v[MEMINFO_HUGEPAGES_SURP];
	uint64_t on_demand = s->sysctl[SYSCTL_NR_OVERCOMMIT_HUGEPAGES];

	*ret = (struct pool){.size = v[MEMINFO_HUGEPAGE_SIZE],
			     .free = v[MEMINFO_HUGEPAGES_FREE],
			     .reserved = v[MEMINFO_HUGEPAGES_RSVD]};
	if (total == ENOMEM_ABSENT || ret->free == ENOMEM_ABSENT || ret->reserved == ENOMEM_ABSENT ||
	    ret->size == ENOMEM_ABSENT || on_demand == ENOMEM_ABSENT || ret->size == 0 || ret->free > total)
		return false;
	/* A page made on demand is in HugePages_Total for as long as it is in use. */
	if (surplus == ENOMEM_ABSENT || surplus > total)
		surplus = 0;
	ret->in_use = total - ret->free + ret->reserved;
	ret->bound = limit_add(total - surplus, on_demand > surplus ? on_demand : surplus);
	return true;
}

/* Taken from the pool where it has them, else made on demand, for which memory must be there in one piece. */
static const struct limit_state *take_pages(struct cause_case *c, const struct pool *pool, uint64_t pages)
{
	struct cause_sum sum = {pool->in_use, pages, pool->bound};
	const struct limit_state *state =
		cause_add(c, CAUSE_HUGETLB_POOL, sum, ENOMEM, "/proc/meminfo: HugePages_Free - HugePages_Rsvd");

	if (state && !state->refuses && limit_add(pool->reserved, pages) > pool->free)
		cause_physical_fragmentation(c, pool->size);
	return state;
}

/* ksys_mmap_pgoff(), mm/mmap.c, newseg(), ipc/shm.c: hstate_sizelog() finds no pool of such pages, whatever is free. */
void cause_hugetlb_page_size(struct cause_case *c, uint64_t asked_bytes, unsigned log2_size)
{
	if (log2_size == 0 || c->s->counted.huge_pages_of_size != 0)
		return;
	uint64_t pages = (asked_bytes >> log2_size) + ((asked_bytes & ((1ULL << log2_size) - 1)) != 0);
	(void)cause_add(c, CAUSE_HUGETLB_SIZE, (struct cause_sum){0, pages, 0}, EINVAL,
			"/sys/kernel/mm/hugepages: there are none of that size");
}

/* hugepage_subpool_get_pages(), mm/hugetlb.c: a mount with size= has a share of the pool and no more. */
void cause_hugetlbfs_space(struct cause_case *c, uint64_t asked, int error)
{
	const struct file_system *fs = &c->s->file;

	if (!c->s->file_seen || fs->type != HUGETLBFS_MAGIC || fs->block == 0 || fs->size == 0 || fs->free > fs->size)
		return;
	uint64_t over = asked % fs->block;
	(void)cause_add(c, CAUSE_HUGETLBFS_SIZE,
			(struct cause_sum){fs->size - fs->free, over ? asked - over + fs->block : asked, fs->size},
			error, "the size of its hugetlbfs");
}

/* hugetlb_reserve_pages(), mm/hugetlb.c */
void cause_hugetlb_reservation(struct cause_case *c, uint64_t asked_bytes, unsigned log2_size)
{
	const uint64_t *group = c->s->cgroup.value;
	struct pool pool;

	if (!pool_of(c->s, &pool) || (log2_size && pool.size != 1ULL << log2_size))
		return; /* the numbers are about the default size */
	uint64_t pages = asked_bytes / pool.size + (asked_bytes % pool.size != 0), bytes;
	if (c->s->in_cgroup && !__builtin_mul_overflow(pages, pool.size, &bytes))
		(void)cause_add(
			c, CAUSE_HUGETLB_CGROUP,
			(struct cause_sum){group[CGROUP_HUGETLB_RSVD_CURRENT], bytes, group[CGROUP_HUGETLB_RSVD_MAX]},
			ENOMEM, "hugetlb.rsvd.max of its group");
	(void)take_pages(c, &pool, pages);
}

/*
 * alloc_hugetlb_folio(), mm/hugetlb.c: a fault without a reservation of its own takes a page that nobody was promised,
 * and charges it to the group. A SIGBUS in an area of another kind, or of huge pages of another size, is none of this.
 */
void cause_hugetlb_fault(struct cause_case *c)
{
	const uint64_t *group = c->s->cgroup.value;
	struct pool pool;

	if (!c->s->area_seen || !c->s->area.huge_pages || !pool_of(c->s, &pool) || c->s->area.page_size != pool.size)
		return;
	if (c->s->in_cgroup)
		(void)cause_add(c, CAUSE_HUGETLB_CGROUP,
				(struct cause_sum){group[CGROUP_HUGETLB_CURRENT], pool.size, group[CGROUP_HUGETLB_MAX]},
				0, "hugetlb.max of its group");
	/* One of the pages that are promised may have been promised to this very fault: then it is the group alone. */
	const struct limit_state *state = take_pages(c, &pool, 1);
	cause_hugetlbfs_space(c, pool.size, 0);
	if (state && state->refuses && pool.reserved > 0)
		cause_doubt(c, state);
}
