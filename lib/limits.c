// SPDX-License-Identifier: MIT
/*
 * The kernel's own arithmetic. The kernel counts pages, we return bytes: every result that is a number of pages there
 * is a multiple of the page here, so that comparing our bytes gives the kernel's answer. Sums saturate instead of
 * wrapping.
 */
#include "limits.h"

#include <linux/capability.h>
#include <sys/personality.h>

#include "number.h"

#define PAGE_BYTES      4096ULL
#define KBYTES_PER_PAGE (PAGE_BYTES / 1024)
#define PIPE_SLOT_BYTES 40                   /* struct pipe_buffer, include/linux/pipe_fs_i.h */
#define STACK_DEFAULT   (8ULL * 1024 * 1024) /* _STK_LIM, include/uapi/linux/resource.h */
#define ARGUMENTS_MIN   (128ULL * 1024)      /* ARG_MAX, include/uapi/linux/limits.h */
#define MOVE_MARGIN     3                    /* move_vma(): the source may be cut into three before it is unmapped */

static uint64_t subtract(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static uint64_t bytes_of_pages(uint64_t pages)
{
	return pages > UINT64_MAX / PAGE_BYTES ? UINT64_MAX - PAGE_BYTES + 1 : pages * PAGE_BYTES;
}

/* pages * percent / 100 as the kernel computes it, without the product that would overflow. */
static uint64_t percent_of(uint64_t pages, uint64_t percent)
{
	__extension__ unsigned __int128 part = (unsigned __int128)pages * percent / 100;

	return part > UINT64_MAX ? UINT64_MAX : (uint64_t)part;
}

uint64_t limit_commit_limit(uint64_t mem_total, uint64_t hugepages_total, uint64_t hugepage_size,
			    uint64_t ratio_percent, uint64_t kbytes, uint64_t swap_total)
{
	uint64_t pages, hugetlb_pages;

	if (kbytes) {
		pages = kbytes / KBYTES_PER_PAGE; /* huge pages are not taken off here */
	} else {
		if (__builtin_mul_overflow(hugepages_total, hugepage_size / PAGE_BYTES, &hugetlb_pages))
			hugetlb_pages = UINT64_MAX;
		pages = percent_of(subtract(mem_total / PAGE_BYTES, hugetlb_pages), ratio_percent);
	}
	return bytes_of_pages(limit_add(pages, swap_total / PAGE_BYTES));
}

uint64_t limit_commit_reserve(uint64_t admin_reserve_kbytes, bool cap_sys_admin, uint64_t user_reserve_kbytes,
			      uint64_t vm_size)
{
	uint64_t admin_pages = cap_sys_admin ? 0 : admin_reserve_kbytes / KBYTES_PER_PAGE;
	uint64_t user_pages = user_reserve_kbytes / KBYTES_PER_PAGE;
	uint64_t grown_pages = vm_size / PAGE_BYTES / 32; /* total_vm counts PROT_NONE areas too */

	return bytes_of_pages(limit_add(admin_pages, grown_pages < user_pages ? grown_pages : user_pages));
}

uint64_t limit_commit_heuristic(uint64_t mem_total, uint64_t swap_total)
{
	return bytes_of_pages(limit_add(mem_total / PAGE_BYTES, swap_total / PAGE_BYTES));
}

uint64_t limit_commit_slack(uint64_t mem_total)
{
	return limit_round_up_to_page(mem_total / 256, PAGE_BYTES);
}

uint64_t limit_round_down_to_page(uint64_t bytes, uint64_t page_size)
{
	return bytes & ~(page_size - 1);
}

/* PAGE_ALIGN() wraps to 0 for the last page of all and the callers test for that; here it is the largest multiple. */
uint64_t limit_round_up_to_page(uint64_t bytes, uint64_t page_size)
{
	return limit_round_down_to_page(limit_add(bytes, page_size - 1), page_size);
}

bool limit_address_space_refuses(uint64_t vm_size, uint64_t asked, uint64_t rlimit, uint64_t page_size)
{
	if (rlimit == ENOMEM_UNLIMITED)
		return false;
	return limit_add(vm_size, limit_round_up_to_page(asked, page_size)) >
	       limit_round_down_to_page(rlimit, page_size);
}

uint64_t limit_map_count_highest_start(enum map_count_operation op, uint64_t max_map_count)
{
	switch (op) {
	case MAP_COUNT_NEW_AREA:
		return max_map_count; /* map_count > max, checked before the area is made */
	case MAP_COUNT_SPLIT_ONE_END:
	case MAP_COUNT_UNMAP_MIDDLE: /* cuts twice, but the middle is gone afterwards: only the first cut is checked */
		return subtract(max_map_count, 1);
	case MAP_COUNT_SPLIT_BOTH_ENDS: /* map_count >= max, checked again after the first cut added one */
		return subtract(max_map_count, 2);
	case MAP_COUNT_MOVE:
		return subtract(max_map_count, MOVE_MARGIN + 1);
	}
	return max_map_count;
}

bool limit_pids_refuses(uint64_t current, uint64_t max)
{
	return max != ENOMEM_UNLIMITED && limit_add(current, 1) > max;
}

bool limit_nproc_exempt(uint32_t uid, uint64_t cap_effective)
{
	return uid == 0 || cap_effective & (1ULL << CAP_SYS_RESOURCE | 1ULL << CAP_SYS_ADMIN);
}

uint64_t limit_pid_capacity(uint64_t pid_max)
{
	return subtract(pid_max, LIMIT_RESERVED_PIDS);
}

uint64_t limit_perf_allowance(uint64_t kib, uint64_t processors, uint64_t page_size)
{
	uint64_t pages = kib / (page_size / 1024), all;
	return __builtin_mul_overflow(pages, processors, &all) ? UINT64_MAX : all;
}

uint64_t limit_stack_size_after_growth(uint64_t stack_end, uint64_t address, uint64_t page_size)
{
	return subtract(stack_end, limit_round_down_to_page(address, page_size));
}

uint64_t limit_exec_arguments(uint64_t rlimit_stack)
{
	uint64_t limit = STACK_DEFAULT / 4 * 3;

	if (rlimit_stack != ENOMEM_UNLIMITED && rlimit_stack / 4 < limit)
		limit = rlimit_stack / 4;
	return limit > ARGUMENTS_MIN ? limit : ARGUMENTS_MIN;
}

uint64_t limit_block_bytes(uint64_t bytes, uint64_t page_size)
{
	uint64_t block = page_size;

	while (block < bytes && block <= UINT64_MAX / 2)
		block *= 2;
	return block < bytes ? UINT64_MAX : block;
}

uint64_t limit_pipe_slots_bytes(uint64_t pipe_size, uint64_t page_size)
{
	if (pipe_size > 1ULL << 31)
		return UINT64_MAX;
	return limit_block_bytes(pipe_size, page_size) / page_size * PIPE_SLOT_BYTES;
}

uint64_t limit_aio_ring_bytes(uint32_t requests, uint64_t page_size)
{
	const uint64_t head = 32, event = 32;
	return limit_round_up_to_page(head + event * (2ULL * requests + 2), page_size);
}

uint64_t limit_queue_bytes(uint64_t messages, uint64_t message_bytes)
{
	const uint64_t message = 48, node = 48, priorities = 32768; /* on 64 bits */
	uint64_t texts, tree;
	if (__builtin_mul_overflow(messages, message_bytes, &texts) || __builtin_mul_overflow(messages, message, &tree))
		return UINT64_MAX;
	return limit_add(limit_add(texts, tree), (messages < priorities ? messages : priorities) * node);
}

uint64_t limit_task_size_ia32(uint64_t personality)
{
	return personality & ADDR_LIMIT_3GB ? 0xc0000000 : 0xffffe000;
}
