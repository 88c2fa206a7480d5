// SPDX-License-Identifier: MIT
/*
 * Rows from snapshots. Each limit is evaluated by lib/cause, as if the smallest of each kind of call had just been
 * refused: the arithmetic is the kernel's, and one place holds it. See triage.h.
 */
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/resource.h>

#include "cause.h"
#include "cleanup.h"
#include "limits.h"
#include "number.h"
#include "triage.h"

#define PAGE_BYTES 4096ULL

/* The smallest call of a kind, as the witness would have noted it. */
static void ask(const char *name, int error, const uint64_t args[4], const struct snapshot *s, struct cause_report *ret)
{
	struct refusal refusal = {.call = call_by_name(name), .error = error, .asked_bytes = args[1]};
	memcpy(refusal.args, args, 4 * sizeof(args[0]));
	cause_of_refusal(&refusal, NULL, s, ret);
}

static const struct limit_state *find(const struct cause_report *report, enum cause_id id)
{
	for (unsigned i = 0; i < report->count; i++)
		if (report->state[i].id == id)
			return &report->state[i];
	return NULL;
}

/* A state of the report as a row; none where the limit does not apply. whole: what is asked for counts as in use. */
static int add_state(struct triage *t, const struct cause_report *report, enum cause_id id, bool whole,
		     struct triage_row row)
{
	const struct limit_state *state = find(report, id);
	if (!state)
		return 0;
	row.in_use = whole ? limit_add(state->in_use, state->asked) : state->in_use;
	row.bound = state->bound;
	return triage_add(t, &row);
}

static int add_rlimit(struct triage *t, const struct cause_report *report, enum cause_id id, enum triage_limit limit,
		      unsigned resource, const struct snapshot *s, const uint64_t *hard, struct triage_row row)
{
	row.limit = limit;
	row.setting = s->rlimit[resource];
	row.ceiling = hard[resource];
	return add_state(t, report, id, false, row);
}

/* acct_stack_growth(), mm/mmap.c */
static int add_stack(struct triage *t, const struct snapshot *s, const uint64_t *hard, struct triage_row row)
{
	if (!s->maps_seen || !s->maps.stack_end)
		return 0;
	row.limit = TRIAGE_STACK;
	row.in_use = limit_stack_size_after_growth(s->maps.stack_end, s->maps.stack_start, PAGE_BYTES);
	row.bound = row.setting = s->rlimit[RLIMIT_STACK];
	row.ceiling = hard[RLIMIT_STACK];
	return triage_add(t, &row);
}

/* fork() under mode 0 looks at each area alone, under mode 2 at all that it copies. */
static int add_fork(struct triage *t, const struct snapshot *s, const struct cause_report *task, struct triage_row row)
{
	row.limit = TRIAGE_LARGEST_AREA;
	int r = add_state(t, task, CAUSE_COMMIT_HEURISTIC, true, row);
	row.limit = TRIAGE_DEAD_NAMESPACE;
	if (r == 0)
		r = add_state(t, task, CAUSE_DEAD_PID_NAMESPACE, false, row);
	bool kbytes = s->sysctl[SYSCTL_OVERCOMMIT_KBYTES] != 0;
	row.limit = kbytes ? TRIAGE_COMMIT_KBYTES : TRIAGE_COMMIT_RATIO;
	row.setting = s->sysctl[kbytes ? SYSCTL_OVERCOMMIT_KBYTES : SYSCTL_OVERCOMMIT_RATIO];
	return r < 0 ? r : add_state(t, task, CAUSE_COMMIT_LIMIT, true, row);
}

static const uint64_t map_a_page[4] = {0, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS};
static const uint64_t lock_a_page[4] = {PAGE_BYTES, PAGE_BYTES, 0, 0};
static const uint64_t nothing[4];

/* alloc_fd(), fs/file.c, wants a free number below the limit: it is full when all of those are taken. */
static int add_files(struct triage *t, const struct snapshot *s, const uint64_t *hard, uint64_t open_files,
		     struct triage_row row)
{
	row.limit = TRIAGE_NOFILE;
	row.in_use = open_files;
	row.bound = row.setting = s->rlimit[RLIMIT_NOFILE];
	row.ceiling = hard[RLIMIT_NOFILE];
	return triage_add(t, &row);
}

int triage_process(struct triage *t, const struct snapshot *s, const uint64_t hard[PROCFS_RLIMITS], uint64_t open_files)
{
	struct cause_report map, lock, task;
	struct triage_row row = {.kind = TRIAGE_OF_PROCESS, .pid = s->pid, .uid = s->status.uid};
	memcpy(row.name, s->status.comm, sizeof(row.name));
	ask("mmap", ENOMEM, map_a_page, s, &map);
	ask("mlock", ENOMEM, lock_a_page, s, &lock);
	ask("clone", EAGAIN, nothing, s, &task);
	int r = add_rlimit(t, &map, CAUSE_RLIMIT_AS, TRIAGE_AS, RLIMIT_AS, s, hard, row);
	if (r == 0)
		r = add_rlimit(t, &map, CAUSE_RLIMIT_DATA, TRIAGE_DATA, RLIMIT_DATA, s, hard, row);
	if (r == 0)
		r = add_rlimit(t, &lock, CAUSE_RLIMIT_MEMLOCK, TRIAGE_MEMLOCK, RLIMIT_MEMLOCK, s, hard, row);
	if (r == 0)
		r = add_rlimit(t, &task, CAUSE_RLIMIT_NPROC, TRIAGE_NPROC, RLIMIT_NPROC, s, hard, row);
	if (r == 0)
		r = add_stack(t, s, hard, row);
	if (r == 0)
		r = add_files(t, s, hard, open_files, row);
	if (r == 0)
		r = add_fork(t, s, &task, row);
	row.limit = TRIAGE_MAP_COUNT;
	row.setting = s->sysctl[SYSCTL_MAX_MAP_COUNT];
	if (r == 0)
		r = add_state(t, &map, CAUSE_MAX_MAP_COUNT, false, row);
	row.limit = TRIAGE_ADDRESS_SPACE;
	return r < 0 ? r : add_state(t, &map, CAUSE_ADDRESS_SPACE, false, row);
}

/*
 * What is not available of RAM and swap together. It is swap that is named where there is some and nearly none of it is
 * left.
 */
static int add_ram(struct triage *t, const struct snapshot *s, bool whole)
{
	const uint64_t *m = s->meminfo.value;
	uint64_t swap = m[MEMINFO_SWAP_TOTAL], swap_free = m[MEMINFO_SWAP_FREE];
	struct triage_row row = {.kind = TRIAGE_OF_MACHINE, .limit = TRIAGE_RAM};
	if (m[MEMINFO_MEM_TOTAL] == ENOMEM_ABSENT || m[MEMINFO_MEM_AVAILABLE] == ENOMEM_ABSENT)
		return 0;
	if (swap >= ENOMEM_ABSENT || swap_free >= ENOMEM_ABSENT || swap_free > swap)
		swap = swap_free = 0;
	if (swap && swap_free < swap / 16)
		row.limit = TRIAGE_SWAP;
	row.bound = limit_add(m[MEMINFO_MEM_TOTAL], swap);
	row.in_use = row.bound - MIN(row.bound, limit_add(m[MEMINFO_MEM_AVAILABLE], swap_free));
	if (whole && s->vmstat.value[VMSTAT_OOM_KILL] < ENOMEM_ABSENT)
		row.refused = s->vmstat.value[VMSTAT_OOM_KILL];
	row.counter = "oom_kill of /proc/vmstat, memory groups' kills included";
	return triage_add(t, &row);
}

int triage_machine(struct triage *t, const struct snapshot *s, bool whole)
{
	static const uint64_t map_a_huge_page[4] = {0, 1, PROT_READ | PROT_WRITE,
						    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB};
	struct triage_row row = {.kind = TRIAGE_OF_MACHINE, .limit = TRIAGE_PID_MAX};
	struct cause_report map, huge, task;
	ask("mmap", ENOMEM, map_a_page, s, &map);
	ask("mmap", ENOMEM, map_a_huge_page, s, &huge);
	ask("clone", EAGAIN, nothing, s, &task);
	row.setting = s->sysctl[SYSCTL_PID_MAX];
	int r = add_state(t, &task, CAUSE_PID_MAX, false, row);
	row.limit = TRIAGE_THREADS_MAX;
	row.setting = s->sysctl[SYSCTL_THREADS_MAX];
	if (r == 0)
		r = add_state(t, &task, CAUSE_THREADS_MAX, false, row);
	bool kbytes = s->sysctl[SYSCTL_OVERCOMMIT_KBYTES] != 0;
	row.limit = kbytes ? TRIAGE_COMMIT_KBYTES : TRIAGE_COMMIT_RATIO;
	row.setting = s->sysctl[kbytes ? SYSCTL_OVERCOMMIT_KBYTES : SYSCTL_OVERCOMMIT_RATIO];
	if (r == 0)
		r = add_state(t, &map, CAUSE_COMMIT_LIMIT, false, row);
	row.limit = TRIAGE_HUGE_POOL;
	row.setting = 0;
	row.ceiling = s->sysctl[SYSCTL_NR_OVERCOMMIT_HUGEPAGES]; /* may be 0 */
	if (r == 0 && (whole || t->huge_pool))
		r = add_state(t, &huge, CAUSE_HUGETLB_POOL, false, row);
	return r < 0 ? r : add_ram(t, s, whole);
}

int triage_tmpfs(struct triage *t, const char *mount, const struct statfs *fs)
{
	struct triage_row row = {
		.kind = TRIAGE_OF_MOUNT, .limit = TRIAGE_TMPFS_BYTES, .path = (char *)(uintptr_t)mount};
	uint64_t block = (uint64_t)fs->f_bsize;
	if (fs->f_type != TMPFS_MAGIC || fs->f_bfree > fs->f_blocks || fs->f_ffree > fs->f_files)
		return 0;
	row.in_use = (uint64_t)(fs->f_blocks - fs->f_bfree) * block;
	row.bound = (uint64_t)fs->f_blocks * block;
	int r = row.bound ? triage_add(t, &row) : 0; /* 0: without a limit */
	row.limit = TRIAGE_TMPFS_FILES;
	row.in_use = fs->f_files - fs->f_ffree;
	row.bound = fs->f_files;
	return r == 0 && row.bound ? triage_add(t, &row) : r;
}

/* sysvipc_shm_proc_show(), ipc/shm.c: key shmid perms size ..., after a line of headings */
int triage_shm(struct triage *t, const char *text, uint64_t shmall, uint64_t shmmni)
{
	struct triage_row row = {.kind = TRIAGE_OF_MACHINE, .limit = TRIAGE_SHM_BYTES};
	uint64_t pages = 0, segments = 0;
	for (const char *line = strchr(text, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
		long long key, id;
		unsigned long long size;
		unsigned mode;
		if (sscanf(line, "%lld %lld %o %llu", &key, &id, &mode, &size) != 4) /* NOLINT(cert-err34-c) */
			continue;
		pages = limit_add(pages, limit_round_up_to_page(size, PAGE_BYTES) / PAGE_BYTES);
		segments++;
	}
	row.in_use = pages;
	row.bound = shmall > INT64_MAX / PAGE_BYTES ? ENOMEM_UNLIMITED : shmall;
	int r = segments ? triage_add(t, &row) : 0;
	row.limit = TRIAGE_SHM_SEGMENTS;
	row.in_use = segments;
	row.bound = shmmni;
	return r == 0 && segments ? triage_add(t, &row) : r;
}
