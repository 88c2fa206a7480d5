// SPDX-License-Identifier: MIT
/*
 * What of a living system is closest to refusing memory or tasks. Limits become rows, the rows a ranking; the texts of
 * a row (what it is, how it fails, the command that shows it, the one that lifts it) are made when it is shown.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/vfs.h>

#include "cgroup.h"
#include "snapshot.h"

/* More exact than a cause: two limits of one cause are lifted by different commands. In the order that breaks ties. */
enum triage_limit {
	TRIAGE_DEAD_NAMESPACE,
	TRIAGE_AS,
	TRIAGE_DATA,
	TRIAGE_STACK,
	TRIAGE_MEMLOCK,
	TRIAGE_NPROC,
	TRIAGE_NOFILE,
	TRIAGE_MAP_COUNT,
	TRIAGE_ADDRESS_SPACE,
	TRIAGE_LARGEST_AREA, /* mode 0 and fork() */
	TRIAGE_COMMIT_RATIO,
	TRIAGE_COMMIT_KBYTES,
	TRIAGE_MEMORY_MAX,
	TRIAGE_KMEM_MAX,
	TRIAGE_TCP_MAX,
	TRIAGE_SWAP_MAX,
	TRIAGE_MEMORY_HIGH,
	TRIAGE_PIDS_MAX,
	TRIAGE_PID_MAX,
	TRIAGE_THREADS_MAX,
	TRIAGE_RAM,
	TRIAGE_SWAP,
	TRIAGE_HUGE_POOL,
	TRIAGE_HUGE_GROUP,
	TRIAGE_HUGE_GROUP_RESERVED,
	TRIAGE_HUGETLBFS,
	TRIAGE_HUGE_SIZE,
	TRIAGE_TMPFS_BYTES,
	TRIAGE_TMPFS_FILES,
	TRIAGE_SHM_BYTES,
	TRIAGE_SHM_SEGMENTS,
	TRIAGE_IPC_QUEUES,
	TRIAGE_IPC_SETS,
	TRIAGE_IPC_SEMAPHORES,
	TRIAGE_LIMITS
};

struct triage_limit_info {
	const char *cause; /* a name of lib/cause.h */
	const char *unit;
	const char *fails;
	bool nothing_counts; /* a bound of 0 refuses the next one; elsewhere it means that nobody set anything up */
};
extern const struct triage_limit_info triage_limit_infos[TRIAGE_LIMITS];

enum triage_kind { TRIAGE_OF_MACHINE, TRIAGE_OF_GROUP, TRIAGE_OF_PROCESS, TRIAGE_OF_MOUNT };

struct triage_row {
	enum triage_limit limit;
	enum triage_kind kind;
	int32_t pid;   /* of a process */
	uint32_t uid;  /* its real one */
	char name[64]; /* its command */
	char *path;    /* of a group or mount, freed with the list; NULL */
	dev_t device;  /* of a hugetlbfs */
	enum cgroup_version version;
	uint64_t in_use, bound; /* as the kernel compares them, in the unit of the limit */
	uint64_t setting;       /* what is written to lift it: a soft limit, a sysctl; 0: the bound itself */
	uint64_t ceiling;    /* what the fix needs besides: hard limit; v1's swap.max or memory.max; pages on demand */
	uint64_t refused;    /* how often it has refused already */
	const char *counter; /* which counter says so */
	uint64_t basis_points; /* in_use of bound; filled in by triage_add() */
	/* Where something was refused: can this limit refuse it so, and how far is it from doing so? */
	bool fits;
	uint64_t distance; /* basis points of RAM and swap for bytes, else of the bound */
};

/* What somebody saw: a call's errno, a signal, or a program that does not go on. */
struct triage_symptom {
	const struct call_info *call; /* NULL for the others */
	int error, signal;            /* signal 0 and no call: a stall */
};

/* A call about huge pages that a process stands in: /proc/PID/syscall. */
struct triage_huge {
	const struct call_info *call; /* NULL: none */
	uint64_t asked;               /* bytes */
	unsigned log2_size;           /* of the pages it asks for; 0: of the default size */
	dev_t device;                 /* of the hugetlbfs of its descriptor; 0: it has none */
	bool no_such_size;            /* the kernel has none of these */
	bool own_pool;                /* they are not of the default size, and the pool that is told of is theirs */
};

struct triage {
	struct triage_row *row;
	size_t count, room, left_out;
	uint64_t processes, groups;                       /* looked at */
	uint64_t unreadable_processes, unreadable_groups; /* of which less, or nothing, could be read */
	uint64_t unlooked_groups;                         /* 1: there are more than were looked at */
	uint64_t huge_page;                               /* bytes, for the names of hugetlb files */
	bool huge_pool; /* the pool is told of for one process as well, and one of 0 pages: it refuses */
	struct triage_huge huge;
	bool symptom; /* rows are marked with what fits it */
};

void triage_free(struct triage *t);
/*
 * Add a row; the path is copied. One without a bound or without a number is none, and no error. -ENOMEM
 */
int triage_add(struct triage *t, const struct triage_row *row);
/*
 * Those that have refused already first, then the fuller; ties by limit, pid and path. With a symptom those that fit it
 * come before all others, the nearest first: of two limits on bytes, the one with less room refuses whatever the other
 * one does.
 */
void triage_rank(struct triage *t);
/*
 * Leave out, of a ranking, what is neither near nor refusing after the first `keep` rows of its limit: a hundred
 * processes with a stack each. The number of rows left out is in left_out.
 */
void triage_thin(struct triage *t, uint64_t threshold_basis_points, size_t keep);
/* How many are at or above the threshold. */
size_t triage_near(const struct triage *t, uint64_t threshold_basis_points);

/* The texts of a row, cut to size; each returns buf. */
char *triage_what(const struct triage_row *row, char *buf, size_t size);
char *triage_show(const struct triage *t, const struct triage_row *row, char *buf, size_t size);
char *triage_fix(const struct triage *t, const struct triage_row *row, char *buf, size_t size);
/* The name of the file that holds a value on this version; "" where it has none. */
const char *triage_file_name(const struct triage *t, enum cgroup_version version, enum cgroup_value value, char *buf,
			     size_t size);
/* A word as a shell reads it: in quotes where it needs them, of the kind $'a\nb' where a character of it could not be
 * copied as it is shown. Every byte may become four, and there are three more. */
char *triage_quote(const char *path, char *buf, size_t size);

/* --- rows of what was read: numbers in, rows out; -ENOMEM -------------------------------------------------------- */

/* A process by its snapshot, its hard limits and how many of the numbers below RLIMIT_NOFILE are taken (ENOMEM_ABSENT:
 * unknown). */
int triage_process(struct triage *t, const struct snapshot *s, const uint64_t hard[PROCFS_RLIMITS],
		   uint64_t open_files);
/*
 * The machine as the process of the snapshot meets it. whole: it is the machine that is asked about, so tell of its
 * huge pages, and how often it has killed.
 */
int triage_machine(struct triage *t, const struct snapshot *s, bool whole);
int triage_group_numbers(struct triage *t, const char *dir, enum cgroup_version version,
			 const struct cgroup_numbers *numbers, uint64_t file_cache);
int triage_tmpfs(struct triage *t, const char *mount, const struct statfs *fs);
/* --- huge pages -------------------------------------------------------------------------------------------------- */

/* What a process has to do with huge pages; then the pool is told of as well. Before the rows. */
void triage_look_huge(struct triage *t, int32_t pid);
/* The text of /proc/PID/status: has it any? */
bool triage_has_huge_pages(const char *status);
/* Is a descriptor of a hugetlbfs? Then its device and log2_size are filled in. */
typedef bool triage_file_fn(uint64_t fd, void *data, struct triage_huge *ret);
/* The text of /proc/PID/syscall. */
bool triage_parse_huge(const char *text, triage_file_fn *is_hugetlbfs, void *data, struct triage_huge *ret);
/* In place of the default pool's numbers those of the pool that is asked, where that is another one. */
void triage_huge_pool(struct triage *t, struct snapshot *s);
int triage_hugetlbfs(struct triage *t, const char *mount, dev_t device, const struct statfs *fs);
/* The size of pages that was asked for, where the kernel has none of it. */
int triage_huge_size(struct triage *t);
void triage_huge_show(const struct triage *t, char *buf, size_t size);
void triage_huge_fix(const struct triage *t, const struct triage_row *row, char *buf, size_t size);
/* false: the limit is about something else. */
bool triage_huge_fits(const struct triage *t, const struct triage_symptom *symptom, const struct triage_row *row,
		      bool *ret);
/* What the process asks for is more than the limit has left. */
bool triage_huge_refuses(const struct triage *t, const struct triage_symptom *symptom, const struct triage_row *row);

/* The text of /proc/sysvipc/shm, kernel.shmall (pages) and kernel.shmmni. */
int triage_shm(struct triage *t, const char *text, uint64_t shmall, uint64_t shmmni);
/* Message queues and semaphores of an IPC namespace: that of a process, or with 0 our own. */
int triage_ipc(struct triage *t, const struct sysv_numbers *sysv, int32_t pid);
void triage_ipc_fix(const struct triage_row *row, char *buf, size_t size);

/* --- reading ----------------------------------------------------------------------------------------------------- */

/* One group; only what is limited costs more than a look at the limits. -ENOMEM */
int triage_group(struct triage *t, const char *dir, enum cgroup_version version, unsigned controllers);
/* A group and those above it, up to the top of its hierarchy. */
int triage_group_and_above(struct triage *t, const char *dir, const char *mount, enum cgroup_version version,
			   unsigned controllers);
/* Every group of every hierarchy. */
int triage_all_groups(struct triage *t, const struct cgroup_system *sys);
/* The groups of a process and those above them. -ENOENT when it is gone */
int triage_groups_of(struct triage *t, int32_t pid);
/* A directory of cgroupfs, or a path as /proc/PID/cgroup has it. -ENOENT when it is no group */
int triage_groups_at(struct triage *t, const char *path);

/* Every process of the machine. base: a snapshot of the machine. */
int triage_all_processes(struct triage *t, const struct snapshot *base);
/*
 * One of them, with what of the machine could refuse it. symptom: what it was refused, or NULL. -ESRCH when there is
 * none or it has ended
 */
int triage_one_process(struct triage *t, int32_t pid, const struct triage_symptom *symptom, char *ret_name,
		       size_t size);
/* Tasks of a real uid on the whole machine, as RLIMIT_NPROC counts them. */
uint64_t triage_tasks_of(uint32_t uid);

/* Machine, groups, processes, mounts and shared memory. */
int triage_everything(struct triage *t);

/* --- symptoms ---------------------------------------------------------------------------------------------------- */

/* "mmap=ENOMEM", "clone=EAGAIN", "SIGKILL", "SIGSEGV", "SIGBUS", "stall". -EINVAL */
int triage_parse_symptom(const char *text, struct triage_symptom *ret);
/* Mark the rows by it; s: the process that showed it. */
void triage_apply_symptom(struct triage *t, const struct triage_symptom *symptom, const struct snapshot *s);

/* --- telling ----------------------------------------------------------------------------------------------------- */

struct triage_report {
	const char *kind; /* "machine", "process", "group" */
	int32_t pid;
	char comm[64];    /* of the process */
	const char *name; /* that, or the path of the group, or NULL */
	size_t top;
	uint64_t threshold; /* basis points */
};
int triage_print_pretty(const struct triage *t, const struct triage_report *report);
void triage_print_markdown(const struct triage *t, const struct triage_report *report, FILE *out);
json_t *triage_json(const struct triage *t, const struct triage_report *report);
