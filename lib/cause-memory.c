// SPDX-License-Identifier: MIT
/*
 * Refused memory: mmap, mremap, mprotect, munmap, brk, shmget, shmat, madvise, each judged by the checks of its
 * own path through the kernel. Where a snapshot cannot tell whether a check applied (a MAP_FIXED over what was there),
 * it is left out.
 */
#include <linux/magic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>

#include "cause-internal.h"

/* linux/mman.h of Debian 12 knows them, glibc's sys/mman.h of older ones does not. */
#define ADVICE_POPULATE_READ  22
#define ADVICE_POPULATE_WRITE 23

#define HUGE_SIZE_SHIFT       26 /* MAP_HUGE_SHIFT, SHM_HUGE_SHIFT: log2 of the page size asked for, 0 for the default */
#define HUGE_SIZE_MASK        0x3f

/* Where a task's addresses end, and between which MAP_32BIT looks (find_start_end(), arch/x86/kernel/sys_x86_64.c). */
#if defined(__x86_64__)
#define TASK_END 0x7ffffffff000ULL
#else
#define TASK_END (1ULL << 48)
#endif
#define LOW_START 0x40000000ULL
#define LOW_END   0x80000000ULL

static uint64_t page_up(uint64_t bytes)
{
	return limit_round_up_to_page(bytes, PAGE_BYTES);
}

/* --- what several calls are checked for -------------------------------------------------------------------------- */

/* may_expand_vm(), mm/mmap.c and mm/vma.c */
void cause_address_space_limit(struct cause_case *c, uint64_t in_use, uint64_t asked)
{
	if (asked == 0)
		return;
	struct cause_sum sum = {in_use, asked, cause_rlimit_pages(c, RLIMIT_AS)};
	(void)cause_add(c, CAUSE_RLIMIT_AS, sum, ENOMEM, "/proc/PID/limits: Max address space");
}

/*
 * may_expand_vm() again, for private writable areas that are no stack. A soft limit of 0 under a hard limit that is not
 * 0 is let through, for valgrind, and we see only soft limits: doubtful. brk() has a check of its own that knows
 * neither this nor ignore_rlimit_data.
 */
static void data_limit(struct cause_case *c, uint64_t asked)
{
	if (asked == 0 || (c->s->data_limit_ignored && c->refusal->call->family != CALL_BREAK))
		return;
	struct cause_sum sum = {cause_status(c, STATUS_VM_DATA), asked, cause_rlimit_pages(c, RLIMIT_DATA)};
	const struct limit_state *state =
		cause_add(c, CAUSE_RLIMIT_DATA, sum, ENOMEM, "/proc/PID/limits: Max data size");

	if (state && cause_rlimit(c, RLIMIT_DATA) == 0 && c->refusal->call->family != CALL_BREAK)
		cause_doubt(c, state);
}

/*
 * elf_map() and vm_brk_flags(), fs/binfmt_elf.c: what of a new image may be written is data. How much of it that is was
 * not looked at, only that it is no more than all: doubtful.
 */
void cause_data_limit_of_image(struct cause_case *c, uint64_t image)
{
	uint64_t bound = cause_rlimit_pages(c, RLIMIT_DATA);

	if (image == 0 || c->s->data_limit_ignored)
		return;
	const struct limit_state *state = cause_add(c, CAUSE_RLIMIT_DATA, (struct cause_sum){0, image, bound}, ENOMEM,
						    "/proc/PID/limits: Max data size");
	if (state && state->refuses)
		cause_doubt(c, state);
}

/* The number of areas gained, and a bound that makes in_use + gained > bound exactly where the kernel refuses. */
static struct limit_state *map_count(struct cause_case *c, enum map_count_operation op, uint64_t gained)
{
	uint64_t max = c->s->sysctl[SYSCTL_MAX_MAP_COUNT];
	int error = ENOMEM;

	if (!c->s->process_seen || !c->s->maps_seen || max == ENOMEM_ABSENT)
		return NULL;
	/* madvise() says EAGAIN for it since 6.1 or earlier, ENOMEM on 5.10. */
	if (c->refusal->call->family == CALL_ADVISE && c->refusal->error == EAGAIN)
		error = EAGAIN;
	struct cause_sum sum = {c->s->maps.count, gained, limit_add(limit_map_count_highest_start(op, max), gained)};
	return cause_add(c, CAUSE_MAX_MAP_COUNT, sum, error, "/proc/sys/vm/max_map_count");
}

/* split_vma() at whichever ends of the range lie inside an area. */
void cause_map_count_of_split(struct cause_case *c)
{
	if (c->s->maps.target_splits == 1)
		(void)map_count(c, MAP_COUNT_SPLIT_ONE_END, 1);
	else if (c->s->maps.target_splits == 2)
		(void)map_count(c, MAP_COUNT_SPLIT_BOTH_ENDS, 2);
}

/* Both ends inside one and the same area: only there does unmapping need one area more than before. */
static bool range_is_middle(const struct snapshot *s, uint64_t start, uint64_t length)
{
	const struct maps_summary *maps = &s->maps;
	uint64_t end = limit_add(start, length);

	if (maps->target_splits != 2)
		return false;
	return !(maps->above_start > start && maps->above_start < end);
}

/* unmapped_area_topdown(), mm/mmap.c: one hole must hold it all. All holes together tell a crowded space from a broken
 * one. */
static void holes(struct cause_case *c, uint64_t asked, uint64_t room_in_place)
{
	const struct maps_summary *maps = &c->s->maps;

	if (!c->s->process_seen || !c->s->maps_seen || asked == 0)
		return;
	uint64_t largest = maps->largest_hole_bytes > room_in_place ? maps->largest_hole_bytes : room_in_place;
	uint64_t mapped = c->refusal->ia32 ? maps->mapped_below_end : maps->mapped_bytes;
	uint64_t space = limit_add(mapped, maps->free_bytes);
	if (asked > maps->free_bytes && asked <= largest)
		return; /* grows in place over its own area */
	(void)cause_add(c, CAUSE_ADDRESS_SPACE, (struct cause_sum){mapped, asked, space}, ENOMEM,
			c->refusal->ia32 ? "/proc/PID/maps: all holes below 4 GiB together"
					 : "/proc/PID/maps: all holes together");
	if (asked <= maps->free_bytes)
		(void)cause_add(c, CAUSE_FRAGMENTATION, (struct cause_sum){0, asked, largest}, ENOMEM,
				"/proc/PID/maps: the largest hole");
}

/* get_unmapped_area(), mm/mmap.c: where the caller says where, it must end within what there is. Checked before any
 * limit. */
static void beyond_the_end(struct cause_case *c, uint64_t start, uint64_t asked, uint64_t end)
{
	if (limit_add(start, asked) > end)
		(void)cause_add(c, CAUSE_ADDRESS_SPACE, (struct cause_sum){start, asked, end}, ENOMEM,
				"the end of the address space");
}

static void commit(struct cause_case *c, uint64_t asked)
{
	cause_commit_heuristic(c, asked);
	cause_commit_limit(c, asked);
}

/* --- the calls --------------------------------------------------------------------------------------------------- */

/* accountable_mapping() and shmem_zero_setup(): private writable, or shared without a file. */
static void commit_of_map(struct cause_case *c, uint64_t prot, uint64_t flags, uint64_t asked)
{
	bool private_writable = (flags & MAP_TYPE) == MAP_PRIVATE && prot & PROT_WRITE;
	bool shared_anonymous = (flags & MAP_TYPE) == MAP_SHARED && flags & MAP_ANONYMOUS;

	if (!private_writable && !shared_anonymous)
		return;
	if (!(flags & MAP_NORESERVE))
		cause_commit_heuristic(c, asked);
	cause_commit_limit(c, asked); /* mode 2 has no MAP_NORESERVE */
}

/*
 * hugetlbfs_file_mmap(), fs/hugetlbfs/inode.c, reserves what the file has not got yet, and how much that is nobody
 * wrote down: what all of it would need counts only where nothing else explains the refusal.
 */
static void huge_file(struct cause_case *c, uint64_t length)
{
	uint64_t block = c->s->file.block;
	unsigned from = c->report->count;

	if (block == 0 || block & (block - 1))
		return;
	cause_hugetlb_reservation(c, length, (unsigned)__builtin_ctzll(block));
	cause_hugetlbfs_space(c, length, ENOMEM);
	for (unsigned i = from; i < c->report->count; i++)
		if (c->report->state[i].refuses)
			cause_doubt(c, &c->report->state[i]);
}

/* do_mmap() and mmap_region(), mm/mmap.c */
void cause_map(struct cause_case *c)
{
	const struct maps_summary *maps = &c->s->maps;
	const uint64_t *args = c->refusal->args;
	uint64_t asked = page_up(args[1]), prot = args[2], flags = args[3];
	bool replaces = flags & MAP_FIXED;
	/* What a MAP_FIXED replaces is not charged again, and how much that is nobody wrote down. */
	bool overlaps = replaces && (!c->s->maps_seen || maps->target_mapped ||
				     (maps->above_start > args[0] && maps->above_start < limit_add(args[0], args[1])));

	if (asked == 0)
		return;
	if (!overlaps) {
		cause_address_space_limit(c, cause_status(c, STATUS_VM_SIZE), asked);
		if (prot & PROT_WRITE && (flags & MAP_TYPE) == MAP_PRIVATE && !(flags & MAP_GROWSDOWN))
			data_limit(c, asked);
	}
	/* Without MAP_LOCKED it is mlockall(MCL_FUTURE) that locks, and nothing else in mmap() says EAGAIN. */
	if (flags & MAP_LOCKED || c->refusal->error == EAGAIN)
		cause_memlock_limit(c, cause_status(c, STATUS_VM_LOCKED), asked, EAGAIN, flags & MAP_LOCKED);
	if (c->refusal->error == EPERM)
		cause_ring(c, asked);
	if (replaces && range_is_middle(c->s, args[0], args[1]))
		(void)map_count(c, MAP_COUNT_UNMAP_MIDDLE, 2);
	else
		(void)map_count(c, MAP_COUNT_NEW_AREA, 1);
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
		beyond_the_end(c, args[0], asked, c->refusal->ia32 ? c->s->address_end : TASK_END);
	else if (flags & MAP_32BIT && !c->refusal->ia32)
		beyond_the_end(c, LOW_START, asked, LOW_END);
	else
		holes(c, asked, 0);
	if (!(flags & MAP_ANONYMOUS) && c->s->file_seen && c->s->file.type == HUGETLBFS_MAGIC) {
		if (!(flags & MAP_NORESERVE))
			huge_file(c, args[1]);
	} else if (flags & MAP_HUGETLB) {
		/* With a file that is no hugetlbfs's it is a wrong argument. */
		if (!(flags & MAP_ANONYMOUS))
			return;
		cause_hugetlb_page_size(c, args[1], flags >> HUGE_SIZE_SHIFT & HUGE_SIZE_MASK);
		if (!(flags & MAP_NORESERVE))
			cause_hugetlb_reservation(c, args[1], flags >> HUGE_SIZE_SHIFT & HUGE_SIZE_MASK);
	} else if (!overlaps || (maps->target_mapped && !maps->target_private_writable)) {
		commit_of_map(c, prot, flags, asked); /* what is replaced was not accounted */
	}
}

/* How many areas a moving mremap() needs to spare; since 7.1 it asks for them before it tries to grow in place. */
static void map_count_of_remap(struct cause_case *c, bool moves)
{
	const struct limit_state *state = map_count(c, MAP_COUNT_MOVE, 1);

	if (state && state->refuses && !moves)
		cause_doubt(c, state);
}

/* vma_to_resize() and move_vma(), mm/mremap.c: what is new is charged, where it goes is sought for the whole. */
void cause_remap(struct cause_case *c)
{
	const uint64_t *args = c->refusal->args;
	const struct maps_summary *maps = &c->s->maps;
	uint64_t old_size = page_up(args[1]), new_size = page_up(args[2]), flags = args[3];
	uint64_t growth = new_size > old_size ? new_size - old_size : 0;
	uint64_t room = maps->above_start > args[0] ? maps->above_start - args[0] : 0;
	bool stays = growth && room >= new_size && !(flags & MREMAP_FIXED);

	if (flags & MREMAP_DONTUNMAP)
		growth = new_size; /* the old area stays as well */
	if (growth) {
		cause_address_space_limit(c, cause_status(c, STATUS_VM_SIZE), growth);
		if (c->refusal->error == EAGAIN) /* the area is locked: only that says EAGAIN here */
			cause_memlock_limit(c, cause_status(c, STATUS_VM_LOCKED), growth, EAGAIN, false);
		if (c->s->maps_seen && maps->target_private_writable) {
			data_limit(c, growth);
			commit(c, growth);
		}
	}
	/* What has no room where it is, and may not move, has another reason. */
	if (flags & MREMAP_FIXED || (growth && (flags & MREMAP_MAYMOVE || stays)))
		map_count_of_remap(c, !stays);
	if (flags & MREMAP_MAYMOVE) {
		if (growth && !(flags & MREMAP_FIXED))
			holes(c, new_size, room);
	}
}

/* do_mprotect_pkey(), do_munmap() and remap_file_pages(), mm/ */
void cause_split(struct cause_case *c)
{
	const char *name = c->refusal->call->name;
	const uint64_t *args = c->refusal->args;
	uint64_t asked = page_up(args[1]);

	if (!strcmp(name, "munmap")) {
		/* Cutting off a head or a tail makes no area more, and is let through at any count. */
		if (c->s->maps_seen && range_is_middle(c->s, args[0], args[1]))
			(void)map_count(c, MAP_COUNT_UNMAP_MIDDLE, 1);
		return;
	}
	if (!strcmp(name, "remap_file_pages")) { /* a MAP_FIXED mmap() of a shared file over itself */
		if (c->s->maps_seen && range_is_middle(c->s, args[0], args[1]))
			(void)map_count(c, MAP_COUNT_UNMAP_MIDDLE, 2);
		else
			(void)map_count(c, MAP_COUNT_NEW_AREA, 1);
		return;
	}
	cause_map_count_of_split(c);
	/* mprotect_fixup(): what becomes private and writable is data and is charged from now on. */
	if (args[2] & PROT_WRITE && c->s->maps_seen && c->s->maps.target_mapped &&
	    !c->s->maps.target_private_writable) {
		data_limit(c, asked);
		commit(c, asked);
	}
}

/* brk(), mm/mmap.c: the next area above must stay a page away from the new break, a stack its guard gap. */
static void room_above_break(struct cause_case *c, uint64_t old_break, uint64_t asked)
{
	const struct maps_summary *maps = &c->s->maps;

	if (!c->s->process_seen || !c->s->maps_seen)
		return;
	/* An area that begins right at the break is the one the break lies in, for the snapshot, and not one above it.
	 */
	bool touches = maps->target_mapped && maps->target_start_area >= old_break;
	uint64_t next = touches ? maps->target_start_area : maps->above_start;
	uint64_t gap = !touches && maps->above_is_stack ? MAPS_STACK_GUARD_GAP_BYTES : 0;
	if (next == 0)
		return;
	uint64_t kept = limit_add(old_break, PAGE_BYTES + gap);
	struct cause_sum sum = {0, asked, next > kept ? next - kept : 0};
	(void)cause_add(c, CAUSE_ADDRESS_SPACE, sum, ENOMEM, "/proc/PID/maps: the area above [heap]");
}

void cause_break(struct cause_case *c)
{
	uint64_t wanted = c->refusal->args[0], growth = c->refusal->asked_bytes;
	uint64_t old_break = page_up(wanted > growth ? wanted - growth : 0);
	uint64_t asked = page_up(wanted) > old_break ? page_up(wanted) - old_break : 0;

	if (asked == 0)
		return;
	cause_address_space_limit(c, cause_status(c, STATUS_VM_SIZE), asked);
	data_limit(c, asked);
	cause_lock_of_break(c, asked);
	(void)map_count(c, MAP_COUNT_NEW_AREA, 1);
	room_above_break(c, old_break, asked);
	commit(c, asked);
}

/* newseg() and do_shmat(), ipc/shm.c */
void cause_shm(struct cause_case *c)
{
	const uint64_t *args = c->refusal->args;
	uint64_t size = page_up(c->refusal->asked_bytes);

	if (!strcmp(c->refusal->call->name, "shmat")) {
		cause_address_space_limit(c, cause_status(c, STATUS_VM_SIZE), size);
		(void)map_count(c, MAP_COUNT_NEW_AREA, 1);
		if (args[1] == 0)
			holes(c, size, 0);
		return;
	}
	cause_shm_namespace(c, args[1]);
	if (args[2] & SHM_HUGETLB) {
		cause_hugetlb_page_size(c, args[1], args[2] >> HUGE_SIZE_SHIFT & HUGE_SIZE_MASK);
		if (!(args[2] & SHM_NORESERVE))
			cause_hugetlb_reservation(c, args[1], args[2] >> HUGE_SIZE_SHIFT & HUGE_SIZE_MASK);
		return;
	}
	if (!(args[2] & SHM_NORESERVE))
		cause_commit_heuristic(c, page_up(args[1]));
	cause_commit_limit(c, page_up(args[1]));
}

/* madvise_update_vma(), mm/madvise.c: advice that is kept in the area's flags splits it; the other kinds act on pages.
 * Of those two fault them in, madvise_populate(): with the errno of the fault. */
void cause_advise(struct cause_case *c)
{
	switch (c->refusal->args[2]) {
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_DONTFORK:
	case MADV_DOFORK:
	case MADV_MERGEABLE:
	case MADV_UNMERGEABLE:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
	case MADV_WIPEONFORK:
	case MADV_KEEPONFORK:
		if (c->s->maps_seen)
			cause_map_count_of_split(c);
		break;
	case ADVICE_POPULATE_READ:
	case ADVICE_POPULATE_WRITE:
		if (c->refusal->error == EFAULT)
			cause_tmpfs_fault(c, c->refusal->args[0], c->refusal->args[1], EFAULT);
		else if (c->refusal->error == ENOMEM)
			cause_charge(c, PAGE_BYTES, ENOMEM);
		break;
	default:
		break;
	}
}
