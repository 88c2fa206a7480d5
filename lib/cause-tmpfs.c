// SPDX-License-Identifier: MIT
/*
 * Files on tmpfs: pages and inodes are bounded by the mount. A call is told ENOSPC; a fault in a mapping has no other
 * way than SIGBUS, or whatever the call says whose fault it was. Space of a file on disk is in no snapshot.
 */
#include <linux/magic.h>
#include <string.h>

#include "cause-internal.h"

static bool on_tmpfs(const struct cause_case *c)
{
	return c->s->file_seen && c->s->file.type == TMPFS_MAGIC;
}

/* shmem_inode_acct_block(), mm/shmem.c; the pages of a file are charged to the commit account one by one as well. */
void cause_tmpfs_space(struct cause_case *c, uint64_t asked, int error)
{
	const struct file_system *fs = &c->s->file;

	if (!on_tmpfs(c))
		return;
	cause_commit_limit_as(c, asked, error);
	if (fs->size && fs->free <= fs->size) /* a memory file's own mount has none */
		(void)cause_add(c, CAUSE_TMPFS_SIZE, (struct cause_sum){fs->size - fs->free, asked, fs->size}, error,
				"the size of its tmpfs");
}

/* shmem_fault(), mm/shmem.c: beyond the end of the file it is the program's mistake, and no limit is asked. */
void cause_tmpfs_fault(struct cause_case *c, uint64_t address, uint64_t length, int error)
{
	const struct area_kind *area = &c->s->area;

	if (!c->s->area_seen || c->s->file_bytes == ENOMEM_ABSENT || address < area->start || address >= area->end)
		return;
	uint64_t left = area->end - address, last = length < left ? length : left;
	uint64_t end = limit_add(area->offset, address - area->start + last);
	if (end > limit_round_up_to_page(c->s->file_bytes, PAGE_BYTES))
		return;
	cause_tmpfs_space(c, PAGE_BYTES, error);
}

/*
 * generic_perform_write(), mm/filemap.c, page by page: what fits is written and said to be, so that the refused call is
 * one whose very first page did not. A read into a mapping faults there, and has no errno for a lack of space.
 */
void cause_transfer(struct cause_case *c)
{
	switch (c->refusal->error) {
	case ENOSPC:
		cause_tmpfs_space(c, PAGE_BYTES, ENOSPC);
		break;
	case EFAULT:
		cause_tmpfs_fault(c, c->refusal->args[1], 1, EFAULT);
		/*
		 * A page of the buffer, in a group that can kill nobody: it tried to. A group full of page cache counts
		 * refusals all the time and reclaims; there the pointer is wrong.
		 */
		if (cause_moved(c, CGROUP_MEMORY_EVENTS_OOM) != MOVED_NO)
			cause_charge(c, PAGE_BYTES, EFAULT);
		break;
	case ENOMEM:  /* load_msg(), ipc/msgutil.c, for msgsnd() */
	case ENOBUFS: /* alloc_skb_with_frags(), net/core/skbuff.c, for sendto() */
		cause_charge(c, PAGE_BYTES, c->refusal->error);
		break;
	case EBUSY:
		cause_limit_lowered(c);
		break;
	default:
		break;
	}
}

/* shmem_reserve_inode(), mm/shmem.c */
void cause_create(struct cause_case *c)
{
	const struct file_system *fs = &c->s->file;

	if (c->refusal->error == ENOMEM)
		cause_charge(c, PAGE_BYTES, ENOMEM);
	if (c->refusal->error != ENOSPC || !on_tmpfs(c) || fs->inodes == 0 || fs->inodes_free > fs->inodes)
		return;
	struct limit_state *state =
		cause_add(c, CAUSE_TMPFS_SIZE, (struct cause_sum){fs->inodes - fs->inodes_free, 1, fs->inodes}, ENOSPC,
			  "nr_inodes of its tmpfs");
	if (state)
		state->unit = "inodes";
}
