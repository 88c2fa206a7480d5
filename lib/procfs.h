// SPDX-License-Identifier: MIT
/*
 * /proc as numbers. Parsers take text, never a path, allocate nothing and survive any input: they run
 * between the failing moment and the snapshot, and under a fuzzer. Readers take descriptors.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Index, key in the file, key in the result. Values are bytes where the file says kB, else counts. */
#define MEMINFO_KEYS(X)                                                                                                \
	X(MEM_TOTAL, "MemTotal")                                                                                       \
	X(MEM_FREE, "MemFree")                                                                                         \
	X(MEM_AVAILABLE, "MemAvailable")                                                                               \
	X(SWAP_TOTAL, "SwapTotal")                                                                                     \
	X(BUFFERS, "Buffers")                                                                                          \
	X(CACHED, "Cached")                                                                                            \
	X(SWAP_CACHED, "SwapCached")                                                                                   \
	X(SWAP_FREE, "SwapFree")                                                                                       \
	X(ANON_PAGES, "AnonPages")                                                                                     \
	X(SHMEM, "Shmem")                                                                                              \
	X(KRECLAIMABLE, "KReclaimable")                                                                                \
	X(SRECLAIMABLE, "SReclaimable")                                                                                \
	X(SLAB, "Slab")                                                                                                \
	X(SUNRECLAIM, "SUnreclaim")                                                                                    \
	X(KERNEL_STACK, "KernelStack")                                                                                 \
	X(PAGE_TABLES, "PageTables")                                                                                   \
	X(COMMIT_LIMIT, "CommitLimit")                                                                                 \
	X(COMMITTED_AS, "Committed_AS")                                                                                \
	X(MLOCKED, "Mlocked")                                                                                          \
	X(PERCPU, "Percpu")                                                                                            \
	X(ANON_HUGE_PAGES, "AnonHugePages")                                                                            \
	X(HUGETLB, "Hugetlb")                                                                                          \
	X(HUGEPAGES_SURP, "HugePages_Surp")                                                                            \
	X(HUGEPAGES_TOTAL, "HugePages_Total")                                                                          \
	X(HUGEPAGES_FREE, "HugePages_Free")                                                                            \
	X(HUGEPAGES_RSVD, "HugePages_Rsvd")                                                                            \
	X(HUGEPAGE_SIZE, "Hugepagesize")

#define VMSTAT_KEYS(X)                                                                                                 \
	X(OOM_KILL, "oom_kill")                                                                                        \
	X(PGFAULT, "pgfault")                                                                                          \
	X(PGMAJFAULT, "pgmajfault")                                                                                    \
	X(PSWPIN, "pswpin")                                                                                            \
	X(PSWPOUT, "pswpout")                                                                                          \
	X(PGSCAN_DIRECT, "pgscan_direct")                                                                              \
	X(ALLOCSTALL_DMA, "allocstall_dma")                                                                            \
	X(ALLOCSTALL_DMA32, "allocstall_dma32")                                                                        \
	X(ALLOCSTALL_NORMAL, "allocstall_normal")                                                                      \
	X(ALLOCSTALL_MOVABLE, "allocstall_movable")                                                                    \
	X(COMPACT_STALL, "compact_stall")                                                                              \
	X(COMPACT_FAIL, "compact_fail")                                                                                \
	X(COMPACT_SUCCESS, "compact_success")                                                                          \
	X(COMPACT_MIGRATE_SCANNED, "compact_migrate_scanned")                                                          \
	X(HTLB_BUDDY_ALLOC_SUCCESS, "htlb_buddy_alloc_success")                                                        \
	X(HTLB_BUDDY_ALLOC_FAIL, "htlb_buddy_alloc_fail")                                                              \
	X(THP_FAULT_ALLOC, "thp_fault_alloc")                                                                          \
	X(THP_FAULT_FALLBACK, "thp_fault_fallback")

/* /proc/PID/status: index, key in the file, our name. Sizes in bytes. CapEff is read apart. */
#define STATUS_KEYS(X)                                                                                                 \
	X(VM_PEAK, "VmPeak", "vm_peak")                                                                                \
	X(VM_SIZE, "VmSize", "vm_size")                                                                                \
	X(VM_LOCKED, "VmLck", "vm_locked")                                                                             \
	X(VM_PINNED, "VmPin", "vm_pinned")                                                                             \
	X(RSS_PEAK, "VmHWM", "rss_peak")                                                                               \
	X(RSS, "VmRSS", "rss")                                                                                         \
	X(VM_DATA, "VmData", "vm_data")                                                                                \
	X(VM_STACK, "VmStk", "vm_stack")                                                                               \
	X(VM_PTE, "VmPTE", "vm_pte")                                                                                   \
	X(VM_SWAP, "VmSwap", "vm_swap")                                                                                \
	X(THREADS, "Threads", "threads")                                                                               \
	X(SECCOMP_FILTERS, "Seccomp_filters", "seccomp_filters")

#define X(id, key) MEMINFO_##id,
enum meminfo_key { MEMINFO_KEYS(X) MEMINFO_COUNT };
#undef X
#define X(id, key) VMSTAT_##id,
enum vmstat_key { VMSTAT_KEYS(X) VMSTAT_COUNT };
#undef X
#define X(id, key, name) STATUS_##id,
enum status_key { STATUS_KEYS(X) STATUS_COUNT };
#undef X

extern const char *const meminfo_names[MEMINFO_COUNT];
extern const char *const vmstat_names[VMSTAT_COUNT];
extern const char *const status_names[STATUS_COUNT];

struct meminfo {
	uint64_t value[MEMINFO_COUNT]; /* bytes, or pages for HugePages_*; ENOMEM_ABSENT where missing */
};

struct vmstat {
	uint64_t value[VMSTAT_COUNT];
};

struct process_status {
	uint64_t value[STATUS_COUNT];
	char comm[64]; /* Name:, unescaped as far as the kernel's octal goes */
	char state;    /* R S D T t Z X, '\0' when missing */
	int64_t tgid;  /* -1 when missing */
	uint32_t uid;  /* real uid, UINT32_MAX when missing */
	uint64_t cap_effective;
};

/*
 * Each parser fills every field (ENOMEM_ABSENT for what is missing), ignores lines it does not know and matches keys
 * from the start of a line to the colon, so "SwapCached" is never taken for "Cached".
 * They return 0, or -EBADMSG when a known key carries something that is not a number: then *ret is untouched.
 */
int procfs_parse_meminfo(const char *text, struct meminfo *ret);
int procfs_parse_vmstat(const char *text, struct vmstat *ret);
int procfs_parse_status(const char *text, struct process_status *ret);
/* Of the same file: the user it makes files and keys as, UINT32_MAX where it does not say. */
uint32_t procfs_parse_file_uid(const char *text);
/* /proc/PID/uid_map: is its root that of the machine? */
bool procfs_maps_root_to_root(const char *text);
/* One user's line of /proc/key-users: keys and bytes that count, and how many may. -ENODATA: he has none. */
int procfs_parse_key_users(const char *text, uint32_t uid, uint64_t *ret_keys, uint64_t *ret_keys_max,
			   uint64_t *ret_bytes, uint64_t *ret_bytes_max);
/* Of status as well: how many signals are queued for all processes of the real user. */
int procfs_parse_signals_queued(const char *text, uint64_t *ret);

/* /proc/loadavg: the number of tasks on the machine, the second half of the fourth field (kernel's nr_threads). */
int procfs_parse_loadavg_tasks(const char *text, uint64_t *ret_tasks);

/* /proc/PID/limits: soft limits by RLIMIT_ number; ENOMEM_UNLIMITED for "unlimited", ENOMEM_ABSENT for missing rows. */
#define PROCFS_RLIMITS 16
int procfs_parse_limits(const char *text, uint64_t ret_soft[PROCFS_RLIMITS]);
/* The same of the hard limits, up to which a process may raise its own. */
int procfs_parse_hard_limits(const char *text, uint64_t ret_hard[PROCFS_RLIMITS]);
/* The same file: the hard limit on CPU time in seconds. -ENODATA without such a row, -EBADMSG when it is none. */
int procfs_parse_hard_cpu_limit(const char *text, uint64_t *ret_seconds);

/*
 * /proc/PID/cgroup: the path of one controller ("memory", "pids"), or of the unified hierarchy for "" (the line "0::").
 * Returns the length of the path written (NUL-terminated) or -ENOENT, -ENAMETOOLONG, -EBADMSG.
 */
ssize_t procfs_parse_cgroup(const char *text, const char *controller, char *ret_path, size_t size);

/*
 * /proc/buddyinfo: free blocks of 2^order pages, summed over the zones the kernel can allocate for itself from: not
 * ZONE_MOVABLE and not device memory. Orders the kernel does not have are ENOMEM_ABSENT.
 */
#define BUDDY_ORDERS 16
struct buddyinfo {
	uint64_t blocks[BUDDY_ORDERS];
};
int procfs_parse_buddyinfo(const char *text, struct buddyinfo *ret);
/* Bytes of the largest free block, 0 when there is none; ENOMEM_ABSENT when nothing is known. */
uint64_t buddyinfo_largest(const struct buddyinfo *b, uint64_t page_size);

/* /proc/pressure/memory, the line "full": percent of the last 10 seconds, rounded down, and microseconds in all. */
struct pressure {
	uint64_t full_avg10, full_total;
};
int procfs_parse_pressure(const char *text, struct pressure *ret);

/*
 * Of /proc/PID/stat (or a thread's): the parent, the process group and the session, which may be 0 outside their pid
 * namespace. The command may hold any byte. 0 or -EBADMSG.
 */
int procfs_parse_stat_family(const char *text, uint64_t *ret_parent, uint64_t *ret_group, uint64_t *ret_session);

/*
 * Read a whole small file into buf and NUL-terminate it; the offset is rewound with pread, so a descriptor opened
 * beforehand can be read again and again without allocating. Returns the length, -E2BIG when it does not fit, or
 * -errno.
 */
ssize_t procfs_read_fd(int fd, char *buf, size_t size);
ssize_t procfs_read_at(int dirfd, const char *name, char *buf, size_t size);

/* The parent of a process; 0 when it is gone, or is outside this pid namespace. */
pid_t procfs_parent_of(pid_t pid);

/* Read a file that holds one number (or "max"); size-1 files of cgroupfs and /proc/sys. */
int procfs_read_number_fd(int fd, uint64_t *ret);
int procfs_read_number_at(int dirfd, const char *name, uint64_t *ret);
