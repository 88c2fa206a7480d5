// SPDX-License-Identifier: MIT
/*
 * The kernel's own arithmetic, one function per formula, with the kernel function it mirrors. Pure: numbers in, numbers
 * out, unit-tested against numbers captured on several kernels. Sizes in bytes; pages are 4096 bytes wherever the
 * kernel counts pages on the machines we know, and page_size is a parameter where it matters.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* a + b, or UINT64_MAX when it does not fit: what a program asks for may be any number. */
static inline uint64_t limit_add(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* vm_commit_limit(), mm/util.c: (MemTotal - huge pages) * ratio / 100 + swap, or kbytes + swap when kbytes is set. */
uint64_t limit_commit_limit(uint64_t mem_total, uint64_t hugepages_total, uint64_t hugepage_size,
			    uint64_t ratio_percent, uint64_t kbytes, uint64_t swap_total);

/* __vm_enough_memory(), mm/util.c, mode 2: what of CommitLimit this caller may not use. */
uint64_t limit_commit_reserve(uint64_t admin_reserve_kbytes, bool cap_sys_admin, uint64_t user_reserve_kbytes,
			      uint64_t vm_size);

/* __vm_enough_memory(), mode 0: one request may not exceed all RAM and swap; compare pages, so round up to them. */
uint64_t limit_commit_heuristic(uint64_t mem_total, uint64_t swap_total);

/* How far the check of mode 2 may stray from Committed_AS: percpu_counter_compare(), vm_committed_as_batch (RAM / 256
 * at most). */
uint64_t limit_commit_slack(uint64_t mem_total);

/* may_expand_vm(), mm/mmap.c: whole pages only; a limit that is no multiple of a page is rounded down. */
uint64_t limit_round_down_to_page(uint64_t bytes, uint64_t page_size);
uint64_t limit_round_up_to_page(uint64_t bytes, uint64_t page_size);
bool limit_address_space_refuses(uint64_t vm_size, uint64_t asked, uint64_t rlimit, uint64_t page_size);

/*
 * max_map_count, mm/mmap.c and mm/vma.c. A new area is refused when the process holds more than max areas (do_mmap(),
 * off by one against the documentation: max + 1 areas are reachable); a split when it holds max or more (split_vma());
 * a range that must be split at both ends when one split would not leave room for the second. Returns the highest count
 * that the call may start from. A move by mremap() is refused when it holds max - 3 or more (move_vma()).
 */
enum map_count_operation {
	MAP_COUNT_NEW_AREA,
	MAP_COUNT_SPLIT_ONE_END,
	MAP_COUNT_SPLIT_BOTH_ENDS,
	MAP_COUNT_UNMAP_MIDDLE,
	MAP_COUNT_MOVE,
};
uint64_t limit_map_count_highest_start(enum map_count_operation op, uint64_t max_map_count);

/* pids_can_fork(), kernel/cgroup/pids.c: refused when current + 1 > max; zombies count. */
bool limit_pids_refuses(uint64_t current, uint64_t max);

/* copy_process(), kernel/fork.c: RLIMIT_NPROC binds unless the real uid is the initial namespace's root or the task has
 * one of two capabilities. */
bool limit_nproc_exempt(uint32_t uid, uint64_t cap_effective);

/*
 * alloc_pid(), kernel/pid.c: ids go up to pid_max - 1, and once the 300th was given out none below it is ever given
 * again. A task is refused exactly when all of [300, pid_max) are in use, by tasks or as ids of process groups and
 * sessions: the capacity. (pid_max is 301 or more.)
 */
#define LIMIT_RESERVED_PIDS 300
uint64_t limit_pid_capacity(uint64_t pid_max);

/*
 * perf_mmap(), kernel/events/core.c: kernel.perf_event_mlock_kb, in whole pages, for each processor that is online. The
 * pages that a user may have in rings of perf events before they count as locked memory.
 */
uint64_t limit_perf_allowance(uint64_t kib, uint64_t processors, uint64_t page_size);

/*
 * round_pipe_size() and pipe_resize_ring(), fs/pipe.c: fcntl(F_SETPIPE_SZ) wants one slot of 40 bytes for each page of
 * the size, rounded up to a power of two. The bytes it allocates in one piece; UINT64_MAX above 2^31.
 */
uint64_t limit_pipe_slots_bytes(uint64_t pipe_size, uint64_t page_size);

/*
 * KMALLOC_MAX_SIZE, include/linux/slab.h: the page allocator's largest block, 4 MiB with pages of 4 KiB. What kmalloc()
 * takes from the page allocator is rounded up to a power of two of pages.
 */
#define LIMIT_KMALLOC_MAX (4ULL * 1024 * 1024)
uint64_t limit_block_bytes(uint64_t bytes, uint64_t page_size);

/*
 * bprm_stack_limits(), fs/exec.c: what execve() takes of arguments and environment, their strings and a pointer to
 * each: a quarter of the stack limit, but at least ARG_MAX and at most three quarters of the default stack.
 */
uint64_t limit_exec_arguments(uint64_t rlimit_stack);

/*
 * aio_setup_ring(), fs/aio.c: the ring of a context, with two places for each request and two more; it is larger only
 * for fewer requests than four for each CPU.
 */
uint64_t limit_aio_ring_bytes(uint32_t requests, uint64_t page_size);

/*
 * mqueue_get_inode(), ipc/mqueue.c: what a POSIX message queue counts, full or empty: its messages, and for each of
 * them a struct msg_msg and, up to MQ_PRIO_MAX of them, a node of the tree that orders them.
 */
uint64_t limit_queue_bytes(uint64_t messages, uint64_t message_bytes);

/*
 * IA32_PAGE_OFFSET, arch/x86/include/asm/page_64_types.h: where the addresses of a 32-bit call end on x86-64, by the
 * program's personality(2). No call sees the two pages below 4 GiB.
 */
uint64_t limit_task_size_ia32(uint64_t personality);

/* acct_stack_growth(), mm/mmap.c: stack size after growing down to the page of address. */
uint64_t limit_stack_size_after_growth(uint64_t stack_end, uint64_t address, uint64_t page_size);
