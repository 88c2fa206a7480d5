// SPDX-License-Identifier: MIT
/*
 * The limits that triage knows, and the ranking of its rows. See triage.h.
 */
#include "triage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

#define TASKS_FAIL  "fork, vfork, clone (a new process or thread): EAGAIN"
#define OOM_FAILS   "no error: touching memory is answered with SIGKILL, by the OOM killer"
#define COMMIT_FAIL "mmap, mprotect and mremap of writable memory, brk, fork: ENOMEM"

const struct triage_limit_info triage_limit_infos[TRIAGE_LIMITS] = {
	[TRIAGE_DEAD_NAMESPACE] = {"dead-pid-namespace", "tasks", "fork, vfork: ENOMEM; a new thread: EINVAL", true},
	[TRIAGE_AS] = {"rlimit-as", "bytes", "mmap, mremap, brk, shmat: ENOMEM; a growing stack: SIGSEGV", true},
	[TRIAGE_DATA] = {"rlimit-data", "bytes", "mmap and mprotect of private writable memory, mremap, brk: ENOMEM",
			 false},
	[TRIAGE_STACK] = {"rlimit-stack", "bytes", "a growing stack: SIGSEGV", false},
	[TRIAGE_MEMLOCK] = {"rlimit-memlock", "bytes", "mlock, mlockall: ENOMEM; mmap with MAP_LOCKED: EAGAIN", false},
	[TRIAGE_NPROC] = {"rlimit-nproc", "tasks", TASKS_FAIL, true},
	[TRIAGE_NOFILE] = {"rlimit-nofile", "descriptors", "open, socket, pipe, dup, eventfd: EMFILE", true},
	[TRIAGE_MAP_COUNT] = {"max-map-count", "areas",
			      "mmap, brk, mprotect, mremap, munmap of a middle: ENOMEM (madvise: EAGAIN)", true},
	[TRIAGE_ADDRESS_SPACE] = {"address-space", "bytes", "mmap, mremap: ENOMEM", true},
	[TRIAGE_LARGEST_AREA] = {"commit-heuristic", "bytes", "fork: ENOMEM (one area is larger than RAM and swap)",
				 false},
	[TRIAGE_COMMIT_RATIO] = {"commit-limit", "bytes", COMMIT_FAIL, true},
	[TRIAGE_COMMIT_KBYTES] = {"commit-limit", "bytes", COMMIT_FAIL, true},
	[TRIAGE_MEMORY_MAX] = {"memcg-max", "bytes", OOM_FAILS " of the group", true},
	[TRIAGE_KMEM_MAX] = {"memcg-max", "bytes", "fork, open, mkdir, socket: ENOMEM (kernels before 5.16)", false},
	[TRIAGE_TCP_MAX] = {"memcg-max", "bytes", "no error: who sends waits (cgroup v1)", false},
	[TRIAGE_SWAP_MAX] = {"memcg-swap-max", "bytes",
			     "nothing more can be swapped out: SIGKILL once its memory is full as well", false},
	[TRIAGE_MEMORY_HIGH] = {"memcg-high", "bytes", "no error: its tasks are slowed down, down to a stall", false},
	[TRIAGE_PIDS_MAX] = {"pids-max", "tasks", TASKS_FAIL, true},
	[TRIAGE_PID_MAX] = {"pid-max", "tasks", TASKS_FAIL, true},
	[TRIAGE_THREADS_MAX] = {"threads-max", "tasks", TASKS_FAIL, true},
	[TRIAGE_RAM] = {"system-oom", "bytes", OOM_FAILS, false},
	[TRIAGE_SWAP] = {"swap-full", "bytes", OOM_FAILS, false},
	[TRIAGE_HUGE_POOL] = {"hugetlb-pool", "pages",
			      "mmap with MAP_HUGETLB, shmget with SHM_HUGETLB: ENOMEM; a fault: SIGBUS", false},
	[TRIAGE_HUGE_GROUP] = {"hugetlb-cgroup", "bytes", "touching a huge page: SIGBUS", false},
	[TRIAGE_HUGE_GROUP_RESERVED] = {"hugetlb-cgroup", "bytes", "mmap with MAP_HUGETLB: ENOMEM", false},
	[TRIAGE_HUGETLBFS] = {"hugetlbfs-size", "bytes",
			      "mmap of its files: ENOMEM; fallocate: ENOSPC; touching a mapped file: SIGBUS", false},
	[TRIAGE_HUGE_SIZE] = {"hugetlb-size", "pages",
			      "mmap with MAP_HUGETLB, shmget with SHM_HUGETLB, of a size that is not there: EINVAL",
			      true},
	[TRIAGE_TMPFS_BYTES] = {"tmpfs-size", "bytes", "write, fallocate: ENOSPC; touching a mapped file: SIGBUS",
				false},
	[TRIAGE_TMPFS_FILES] = {"tmpfs-size", "inodes", "creating a file, directory or link: ENOSPC", false},
	[TRIAGE_SHM_BYTES] = {"shm-limit", "pages", "shmget: ENOSPC", false},
	[TRIAGE_SHM_SEGMENTS] = {"shm-limit", "segments", "shmget: ENOSPC", false},
	[TRIAGE_IPC_QUEUES] = {"ipc-limit", "queues", "msgget: ENOSPC", false},
	[TRIAGE_IPC_SETS] = {"ipc-limit", "sets", "semget: ENOSPC", false},
	[TRIAGE_IPC_SEMAPHORES] = {"ipc-limit", "semaphores", "semget: ENOSPC", false},
};

void triage_free(struct triage *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->row[i].path);
	free(t->row);
	*t = (struct triage){0};
}

static uint64_t part_of(uint64_t in_use, uint64_t bound)
{
	if (bound == 0)
		return 10000;
	__extension__ unsigned __int128 part = (unsigned __int128)in_use * 10000 / bound;
	return part > UINT32_MAX ? UINT32_MAX : (uint64_t)part;
}

int triage_add(struct triage *t, const struct triage_row *row)
{
	/* ENOMEM_UNLIMITED and ENOMEM_ABSENT are the two largest numbers. */
	if (row->in_use >= ENOMEM_ABSENT || row->bound >= ENOMEM_ABSENT)
		return 0;
	if (row->in_use == 0 && row->bound == 0 && !triage_limit_infos[row->limit].nothing_counts &&
	    !(t->huge_pool && row->limit == TRIAGE_HUGE_POOL))
		return 0;
	if (t->count == t->room) {
		size_t room = t->room ? 2 * t->room : 64;
		struct triage_row *more = reallocarray(t->row, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		t->row = more;
		t->room = room;
	}
	struct triage_row *at = &t->row[t->count];
	*at = *row;
	at->basis_points = part_of(row->in_use, row->bound);
	if (!at->setting)
		at->setting = row->bound;
	if (row->path && !(at->path = strdup(row->path)))
		return -ENOMEM;
	t->count++;
	return 0;
}

/* Rows that were not asked about a symptom are all alike here. */
static int by_rank(const void *a, const void *b)
{
	const struct triage_row *x = a, *y = b;
	if (x->fits != y->fits)
		return x->fits ? -1 : 1;
	if (!x->refused != !y->refused)
		return x->refused ? -1 : 1;
	if (x->fits && x->distance != y->distance)
		return x->distance < y->distance ? -1 : 1;
	if (x->basis_points != y->basis_points)
		return x->basis_points > y->basis_points ? -1 : 1;
	if (x->limit != y->limit)
		return x->limit < y->limit ? -1 : 1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->path && y->path ? strcmp(x->path, y->path) : 0;
}

void triage_rank(struct triage *t)
{
	if (t->count)
		qsort(t->row, t->count, sizeof(*t->row), by_rank);
}

void triage_thin(struct triage *t, uint64_t threshold_basis_points, size_t keep)
{
	size_t seen[TRIAGE_LIMITS] = {0}, kept = 0;
	for (size_t i = 0; i < t->count; i++) {
		struct triage_row *row = &t->row[i];
		bool matters = row->refused || row->basis_points >= threshold_basis_points;
		if (matters || seen[row->limit]++ < keep) {
			t->row[kept++] = *row;
			continue;
		}
		free(row->path);
		t->left_out++;
	}
	t->count = kept;
}

size_t triage_near(const struct triage *t, uint64_t threshold_basis_points)
{
	size_t n = 0;
	for (size_t i = 0; i < t->count; i++)
		n += t->row[i].basis_points >= threshold_basis_points;
	return n;
}
