// SPDX-License-Identifier: MIT
/*
 * All counters at one moment. Every file that can be opened beforehand is; taking a snapshot allocates nothing, so it
 * can be taken while memory is refused, with the process held still.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cgroup.h"
#include "ipc-namespace.h"
#include "maps-area.h"
#include "maps.h"
#include "procfs.h"

/* Sysctls a cause depends on: index, name, path below /proc/sys. */
#define SYSCTL_KEYS(X)                                                                                                 \
	X(OVERCOMMIT_MEMORY, "vm.overcommit_memory", "vm/overcommit_memory")                                           \
	X(OVERCOMMIT_RATIO, "vm.overcommit_ratio", "vm/overcommit_ratio")                                              \
	X(OVERCOMMIT_KBYTES, "vm.overcommit_kbytes", "vm/overcommit_kbytes")                                           \
	X(ADMIN_RESERVE_KBYTES, "vm.admin_reserve_kbytes", "vm/admin_reserve_kbytes")                                  \
	X(USER_RESERVE_KBYTES, "vm.user_reserve_kbytes", "vm/user_reserve_kbytes")                                     \
	X(MAX_MAP_COUNT, "vm.max_map_count", "vm/max_map_count")                                                       \
	X(MMAP_MIN_ADDR, "vm.mmap_min_addr", "vm/mmap_min_addr")                                                       \
	X(NR_HUGEPAGES, "vm.nr_hugepages", "vm/nr_hugepages")                                                          \
	X(NR_OVERCOMMIT_HUGEPAGES, "vm.nr_overcommit_hugepages", "vm/nr_overcommit_hugepages")                         \
	X(PANIC_ON_OOM, "vm.panic_on_oom", "vm/panic_on_oom")                                                          \
	X(OOM_KILL_ALLOCATING_TASK, "vm.oom_kill_allocating_task", "vm/oom_kill_allocating_task")                      \
	X(MIN_FREE_KBYTES, "vm.min_free_kbytes", "vm/min_free_kbytes")                                                 \
	X(PID_MAX, "kernel.pid_max", "kernel/pid_max")                                                                 \
	X(THREADS_MAX, "kernel.threads-max", "kernel/threads-max")
#define X(id, name, path) SYSCTL_##id,
enum sysctl_key { SYSCTL_KEYS(X) SYSCTL_COUNT };
#undef X
extern const char *const sysctl_names[SYSCTL_COUNT];

/* Kinds of namespaces: index, name below /proc/PID/ns, clone(2)'s flag. A time namespace has no flag of clone's. */
#define NAMESPACE_KINDS(X)                                                                                             \
	X(USER, "user", 0x10000000)                                                                                    \
	X(MNT, "mnt", 0x00020000)                                                                                      \
	X(UTS, "uts", 0x04000000)                                                                                      \
	X(IPC, "ipc", 0x08000000)                                                                                      \
	X(PID, "pid", 0x20000000)                                                                                      \
	X(CGROUP, "cgroup", 0x02000000)                                                                                \
	X(NET, "net", 0x40000000)
#define X(id, name, flag) NAMESPACE_##id,
enum namespace_kind { NAMESPACE_KINDS(X) NAMESPACE_COUNT };
#undef X
extern const struct namespace_info {
	const char *name;
	uint64_t flag;
} namespace_infos[NAMESPACE_COUNT];

struct namespace_numbers {
	uint64_t max;    /* user.max_*_namespaces of the harness's user namespace, ENOMEM_ABSENT when unknown */
	uint64_t in_use; /* with a member, the first one not counted; ENOMEM_ABSENT when not counted */
	uint64_t depth;  /* user and pid: how many the process's own one lies in; ENOMEM_ABSENT when unknown */
};

/* What the user of the process has of inotify, and may have; each ENOMEM_ABSENT when not asked for or not known. */
struct inotify_numbers {
	uint64_t watches, watches_max;
	uint64_t instances, instances_max;
};

/* Counts that the kernel keeps; each ENOMEM_ABSENT when not asked for or not known. */
struct counted_numbers {
	uint64_t aio, aio_max;         /* asynchronous requests that may be under way: fs.aio-nr, fs.aio-max-nr */
	uint64_t pipe_max_size;        /* fs.pipe-max-size */
	uint64_t pipe_pages;           /* that the pipes of the user may hold, as far as its processes have them open */
	uint64_t pipe_soft, pipe_hard; /* fs.pipe-user-pages-soft, -hard; 0: no limit */
	uint64_t pipe_own;             /* of the pipe at hand, which a new size replaces */
	uint64_t optmem, optmem_max;   /* of the socket at hand; net.core.optmem_max */
	uint64_t epoll_watches, epoll_watches_max;         /* of the user; fs.epoll.max_user_watches */
	uint64_t keys, keys_max, key_bytes, key_bytes_max; /* of the user: /proc/key-users */
	uint64_t keys_of_root;             /* 1: root's, who has limits of his own, 0: somebody else's */
	uint64_t maps_locked;              /* 1: maps of bpf count as locked memory (before 5.11), 0: they do not */
	uint64_t bpf_privileged;           /* not 0: kernel.unprivileged_bpf_disabled */
	uint64_t perf_mlock_kb, perf_cpus; /* kernel.perf_event_mlock_kb is for each of the processors */
	uint64_t perf_rings;   /* pages of rings of perf events that count by user, as far as his processes show them */
	uint64_t perf_lenient; /* 1: kernel.perf_event_paranoid is negative, which lifts the limits, 0: it is not */
	uint64_t huge_pages_of_size; /* 1: the kernel offers huge pages of the size asked about, 0: it does not */
};
#define COUNTED_ABSENT                                                                                                 \
	{                                                                                                              \
		ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT,              \
			ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT,      \
			ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT,      \
			ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT                      \
	}

/* The file system of the file at hand. */
struct file_system {
	uint64_t type;                /* a magic number of statfs(2) */
	uint64_t block;               /* bytes; of huge pages that is their size */
	uint64_t size, free;          /* bytes; a size of 0 is none */
	uint64_t inodes, inodes_free; /* likewise */
};

/* A cgroup above the run's own, for one controller. */
struct ancestor_numbers {
	enum cgroup_controller controller;
	uint64_t current, max;
	uint64_t refused; /* what it counts of refusals: pids.events or memory.events "max", v1's failcnt */
	uint64_t peak;    /* of memory, where somebody is dying; else ENOMEM_ABSENT */
};

struct snapshot {
	bool taken;
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	struct meminfo meminfo;
	struct vmstat vmstat;
	struct buddyinfo buddy;
	struct pressure pressure;
	uint64_t sysctl[SYSCTL_COUNT];      /* ENOMEM_ABSENT where this kernel has none */
	uint64_t tasks;                     /* on the whole machine */
	struct cgroup_numbers cgroup;       /* the run's own group */
	struct cgroup_numbers cgroup_above; /* of the group made around it; absent without one */
	unsigned ancestor_count;
	struct ancestor_numbers ancestor[CGROUP_ANCESTORS * 2];
	/* The process at hand; nothing below is valid unless process_seen. */
	bool process_seen;
	pid_t pid;
	struct process_status status;
	uint64_t rlimit[PROCFS_RLIMITS]; /* soft limits */
	bool data_limit_ignored;         /* by all but brk(2): ignore_rlimit_data, asked where there is a limit */
	uint64_t oom_score;
	bool oom_score_adj_seen;
	int oom_score_adj;
	char wchan[64];      /* where in the kernel it sleeps; "" when not asked for, not known or not sleeping */
	bool sleeps_sending; /* in a call that sends or writes; asked for with wchan */
	bool maps_seen;
	uint64_t address_end; /* where those of the call end */
	struct maps_summary maps;
	bool commit_seen; /* smaps was read: only where a fork was refused */
	struct smaps_commit commit;
	bool area_seen; /* smaps was read for the address asked about, and an area holds it */
	struct area_kind area;
	bool file_seen; /* the file asked about, or the one behind the area, could be looked at */
	struct file_system file;
	bool group_limit_seen; /* the file asked about is a limit of the run's own group: this one */
	enum cgroup_value group_limit;
	uint64_t file_bytes; /* its length; of the one behind the area only, else ENOMEM_ABSENT */
	struct namespace_numbers namespaces[NAMESPACE_COUNT]; /* of the kinds asked for */
	struct inotify_numbers inotify;
	struct counted_numbers counted;
	bool shm_seen; /* System V memory of its IPC namespace could be asked for */
	struct shm_numbers shm;
	bool sysv_seen; /* likewise its message queues and semaphores */
	struct sysv_numbers sysv;
	bool queue_seen; /* likewise its POSIX message queues */
	struct queue_numbers queue;
	/* The pid namespace its children would get. */
	uint64_t pidns_inode, pidns_children_inode; /* 0 when unreadable or not populated yet */
	bool pidns_children_dead;                   /* children's namespace once had an init and has no process now */
	uint64_t uid_tasks;                         /* tasks of its real uid, ENOMEM_ABSENT when not counted */
	/* Of a dying process: the CPU time it used and may use, in ns; ENOMEM_ABSENT when not asked for. */
	uint64_t cpu_ns, cpu_hard_limit_ns;
	uint64_t signals_queued; /* for all processes of its real user, ENOMEM_ABSENT when unknown */
	uint64_t open_files;     /* its descriptors below RLIMIT_NOFILE, ENOMEM_ABSENT when not counted */
	/*
	 * Task ids from 300 up and below pid_max that are in use, by tasks or as the id of a process group or session,
	 * ENOMEM_ABSENT when not counted; those of the run's own pid namespace where it has a pid_max of its own.
	 */
	uint64_t pid_ids;
	uint64_t namespace_pid_max; /* ENOMEM_ABSENT: the machine's binds */
	uint64_t namespace_pid_ids;
	bool in_cgroup;      /* it sits in the run's own group (true when there is no group) */
	char elsewhere[256]; /* where it sits when it does not */
};

/* Descriptors opened before any limit is set. */
struct snapshot_source {
	int meminfo_fd, vmstat_fd, loadavg_fd, buddyinfo_fd, pressure_fd, ignore_data_fd, proc_fd;
	int sysctl_fd[SYSCTL_COUNT];
	const struct cgroup *cgroup; /* may be NULL */
	bool follows;                /* the group was looked up of the process: it sits there */
	struct cgroup_ancestors ancestors;
	uint64_t task_size;
	/* kernel.pid_max of the run's own pid namespace, where it was set (6.14 and later); set by the caller after
	 * opening, ENOMEM_ABSENT for none */
	uint64_t namespace_pid_max;
};

/* What to look at beyond the machine and the group. */
struct snapshot_request {
	pid_t pid;                /* 0: no process */
	uint64_t address, length; /* range the refused call was about; 0, 0 for none */
	bool maps;                /* count the areas and measure the holes */
	bool ia32;                /* of a 32-bit call, which sees addresses below 4 GiB only */
	bool commit;              /* a fork was refused for memory: read smaps */
	bool pidns;               /* a clone was refused: is the children's pid namespace dead? */
	bool uid_tasks;           /* a clone was refused with EAGAIN: count the user's tasks */
	bool pid_ids;             /* likewise: count the task ids in use, where pid_max could bind */
	bool area;                /* a fault: what kind of area is the address in, and which file is behind it? */
	bool area_file;           /* of a call that faults in: only which file */
	bool file;                /* of a refused call: on which file system is descriptor fd? */
	bool group_limit;         /* likewise: is descriptor fd a limit of the run's own group, and which one? */
	int fd;
	bool open_files;     /* a call that opens was refused with EMFILE: count the descriptors */
	const char *create;  /* of a refused openat: the path, from root or working directory; NULL for none */
	uint64_t namespaces; /* new ones were refused, with these CLONE_NEW* flags: count them */
	bool inotify;        /* a watch or an instance was refused: count both */
	bool aio;            /* asynchronous requests were refused */
	bool pipe;           /* a pipe, or more room in the one that is descriptor fd */
	bool optmem;         /* an option of the socket that is descriptor fd */
	unsigned huge_size;  /* huge pages of so many bytes, as their logarithm, were refused; 0: of none */
	bool shm;            /* a segment was refused: what does its IPC namespace say? */
	bool sysv;           /* likewise of a message queue or a set of semaphores */
	bool queue;          /* likewise of a POSIX message queue */
	bool epoll;          /* a watch of epoll was refused: count them */
	bool keys;           /* a key was refused */
	bool bpf;            /* a map of bpf was refused */
	bool ring;           /* a ring of perf events was refused */
	bool sleeps_where;   /* read wchan and syscall */
	bool dying; /* the process was killed: it is left out where the machine's memory is gone, see snapshot.c */
};

/* Open what can be opened; a missing file is ENOMEM_ABSENT later, never an error. -errno only for /proc itself. */
int snapshot_source_open(const struct cgroup *cgroup, struct snapshot_source *ret);
void snapshot_source_close(struct snapshot_source *s);

/*
 * Take a snapshot into *ret. Allocates nothing and cannot fail: what could not be read is marked absent. One thread at
 * a time takes one: snapshot_take() waits for its turn, snapshot_try_take() returns false when it is somebody else's.
 */
void snapshot_take(const struct snapshot_source *s, const struct snapshot_request *request, struct snapshot *ret);
bool snapshot_try_take(const struct snapshot_source *s, const struct snapshot_request *request, struct snapshot *ret);
