// SPDX-License-Identifier: MIT
/*
 * The calls the witness stops on: those that ask the kernel for memory, address space or a task, and what each of them
 * asked for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum call_family {
	CALL_MAP,       /* mmap: asks for a new area */
	CALL_REMAP,     /* mremap */
	CALL_SPLIT,     /* mprotect, munmap, remap_file_pages: may split areas */
	CALL_BREAK,     /* brk */
	CALL_TASK,      /* fork, vfork, clone, clone3: a process or a thread */
	CALL_NAMESPACE, /* unshare */
	CALL_EXEC,      /* execve, execveat */
	CALL_LOCK,      /* mlock, mlock2, mlockall, shmctl(SHM_LOCK) */
	CALL_PIN,       /* io_uring_register: buffers kept in RAM */
	CALL_SWAP,      /* swapoff: its pages have to go somewhere */
	CALL_SHM,       /* shmget, shmat */
	CALL_ADVISE,    /* madvise that populates, or keeps pages from forks, dumps or being one area */
	CALL_FILE,      /* memfd_create, fallocate */
	CALL_PIPE,      /* pipe, pipe2, fcntl(F_SETPIPE_SZ) */
	CALL_OBJECT,   /* epoll_create, eventfd, inotify_init, socket, mq_open, msgget, semget: behind a descriptor or a
			  number */
	CALL_WATCH,    /* inotify_add_watch, epoll_ctl(EPOLL_CTL_ADD) */
	CALL_KEY,      /* add_key */
	CALL_BPF,      /* bpf(BPF_MAP_CREATE) */
	CALL_TIMER,    /* timer_create */
	CALL_AIO,      /* io_setup */
	CALL_OPTION,   /* setsockopt(SO_ATTACH_FILTER) */
	CALL_TRANSFER, /* read, write, sendto, msgsnd */
	CALL_CREATE,   /* openat(O_CREAT) */
};

struct call_info {
	const char *name;
	int nr;      /* on this architecture, negative when it has none */
	int ia32_nr; /* of the 32-bit calls of x86-64, see calls-ia32.h */
	enum call_family family;
	bool on_demand; /* made all the time: watched only in runs that ask for it, see filter_watch_also() */
};

/* All watched calls, ended by a row whose name is NULL. */
extern const struct call_info watched_calls[];

/* The bit of a call that is watched on demand, 0 for any other; environment.watch_calls is a set of them. */
uint64_t call_on_demand_bit(const char *name);

/* Does the call send a signal with a siginfo of the caller's making? Those of faults stop for the witness. */
bool call_queues_signal(uint64_t nr);

/*
 * A program's own seccomp filter answers before the watching one: what it refuses stops for nobody. Does the call ask
 * for one? Those stop; and did it get one?
 */
bool call_sets_filter(uint64_t nr, const uint64_t args[6]);
bool call_did_set_filter(const uint64_t args[6], int64_t result, bool is_error);

/* NULL when the number is not watched. */
const struct call_info *call_by_number(uint64_t nr);
/* The row of a name, whether or not this architecture has the call; NULL when unknown. */
const struct call_info *call_by_name(const char *name);

/* Is there a lack of something that makes the call give that errno, whatever its arguments? */
bool call_can_give(const struct call_info *call, int error);

/* How many descriptors the call asks for. */
unsigned call_opens(const struct call_info *call);

/* Does it make a message queue or a set of semaphores? */
bool call_makes_sysv(const struct call_info *call);
/* Does it make (or open) a POSIX message queue? */
bool call_makes_queue(const struct call_info *call);
/* Does it make an inotify instance? */
bool call_makes_inotify(const struct call_info *call);

/*
 * The flags of fork, vfork, clone and clone3 alike, as clone(2) has them. clone3's are in the memory of the task, which
 * has to be stopped: none where they cannot be read.
 */
uint64_t call_clone_flags(const struct call_info *call, pid_t tid, const uint64_t args[6]);

/* One refused call, as the witness saw it. */
struct refusal {
	const struct call_info *call;
	uint64_t args[6];
	uint64_t clone_flags; /* of fork, vfork, clone and clone3 alike, as clone(2) flags */
	uint64_t asked_bytes; /* what the call wanted more of; 0 when it is not bytes */
	uint64_t number;      /* that a write refused with EBUSY wrote, as a limit is written; else ENOMEM_ABSENT */
	uint64_t messages,
		message_bytes; /* a POSIX message queue's as the call says them, or its namespace's defaults */
	bool queue_sized;      /* the call says them */
	int error;             /* positive errno; brk, which returns the old break, is ENOMEM */
	bool injected;         /* by the witness: the kernel was never asked */
	bool ia32;             /* a 32-bit call of x86-64: its addresses end at 4 GiB; args are those of the row */
	int32_t tgid, tid;     /* in the harness's pid namespace */
	uint64_t instruction, stack; /* pointers of the task at the call; 0: not known */
	uint64_t time_ns;            /* CLOCK_MONOTONIC */
};

/*
 * Was the call refused, and with which errno? brk(2) never returns an error: it returns the break it kept. Of the
 * process it is looked at what its descriptors are; 0 where there is none.
 */
bool call_refused(pid_t pid, const struct call_info *call, const uint64_t args[6], int64_t result, bool is_error,
		  int *ret_error);
