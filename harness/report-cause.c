// SPDX-License-Identifier: MIT
/*
 * Words about causes. See report-cause.h.
 */
#include "report-cause.h"

#include <string.h>

#include "cause.h"

static const struct cause_words words[CAUSE_COUNT] = {
	[CAUSE_RLIMIT_AS] = {"address space of the program", "vm_size", "process.vm_size", NULL, "rss",
			     "RLIMIT_AS (ulimit -v) limits addresses, not memory: what is reserved and never touched "
			     "counts in full, and so "
			     "do libraries, thread stacks and mapped files. The kernel compares total_vm with it in "
			     "may_expand_vm()."},
	[CAUSE_RLIMIT_DATA] =
		{"private writable memory of the program", NULL, "process.vm_data", NULL, NULL,
		 "RLIMIT_DATA (ulimit -d) counts private writable areas, whether they are touched or not: the heap, "
		 "anonymous "
		 "mappings, thread stacks. may_expand_vm() refuses mmap() with ENOMEM, and brk() stays where it was."},
	[CAUSE_RLIMIT_STACK] = {"stack of the program", NULL, "process.vm_stack", NULL, NULL,
				"RLIMIT_STACK (ulimit -s) ends the growth of the main thread's stack, and a quarter of "
				"it is what arguments and "
				"environment of a new program may take. Nothing is refused by a call when a stack "
				"cannot grow: the program gets "
				"SIGSEGV."},
	[CAUSE_RLIMIT_MEMLOCK] = {"locked memory", NULL, "process.vm_locked", NULL, NULL,
				  "RLIMIT_MEMLOCK (ulimit -l) counts memory that must stay in RAM: mlock(), "
				  "MAP_LOCKED, registered buffers. How much "
				  "RAM is free is not looked at. CAP_IPC_LOCK exempts."},
	[CAUSE_RLIMIT_NPROC] =
		{"tasks of the user", NULL, "process.uid_tasks", NULL, NULL,
		 "RLIMIT_NPROC (ulimit -u) counts every task of the user, in all sessions and containers that share "
		 "the uid, and is "
		 "compared with the limit of the one process that asks. Root and CAP_SYS_RESOURCE are exempt."},
	[CAUSE_MAX_MAP_COUNT] = {"memory areas of the program", "map_count", "process.map_count", NULL, NULL,
				 "vm.max_map_count limits the number of areas, the lines of /proc/PID/maps, whatever "
				 "their size. mprotect() and "
				 "munmap() in the middle of an area need one more and can be refused as well."},
	[CAUSE_ADDRESS_SPACE] = {"address space of the program", "vm_size", "process.vm_size", NULL, "rss",
				 "There are only so many addresses: 47 bits on x86-64, less than 4 GiB for a 32-bit "
				 "program. They can be used up "
				 "with hardly a page of memory in use. No setting changes that."},
	[CAUSE_COMMIT_LIMIT] = {"memory promised by the machine", NULL, "meminfo.Committed_AS", NULL, NULL,
				"With vm.overcommit_memory=2 the kernel counts promises, not pages: Committed_AS may "
				"not exceed CommitLimit, less a "
				"reserve. Memory may be free in plenty. __vm_enough_memory() is the function."},
	[CAUSE_COMMIT_HEURISTIC] = {"nothing: each request is seen on its own", NULL, NULL, NULL, NULL,
				    "With vm.overcommit_memory=0 a single request is refused only if it alone is "
				    "larger than RAM and swap together. What "
				    "is in use does not matter, so two requests of half the size are granted."},
	[CAUSE_PIDS_MAX] =
		{"tasks of the control group", "pids_current", "cgroup.pids.current", NULL, NULL,
		 "pids.max counts tasks, threads as well as processes, of the group and all groups below it. fork() "
		 "and clone() fail "
		 "with EAGAIN, which many programs report as a lack of memory. pids.events counts each refusal."},
	[CAUSE_PID_MAX] = {"tasks of the machine", NULL, "tasks", NULL, NULL,
			   "Every task needs a number below kernel.pid_max of its pid namespace. With none left, "
			   "fork() fails with EAGAIN, "
			   "whatever memory is free."},
	[CAUSE_THREADS_MAX] = {"tasks of the machine", NULL, "tasks", NULL, NULL,
			       "kernel.threads-max limits the tasks of the whole machine; the kernel derives it from "
			       "RAM at boot. fork() and clone() "
			       "fail with EAGAIN."},
	[CAUSE_DEAD_PID_NAMESPACE] = {"nothing: its first process has ended", NULL, NULL, NULL, NULL,
				      "A pid namespace whose first process has ended takes no other one in: "
				      "alloc_pid() says ENOMEM, though memory has "
				      "nothing to do with it. It is forever; a new namespace helps."},
	[CAUSE_NAMESPACES_MAX] = {"namespaces of the user", NULL, NULL, NULL, NULL,
				  "user.max_*_namespaces limits how many namespaces a user may have; user and pid "
				  "namespaces also nest at most 32 deep. "
				  "Both are told as ENOSPC."},
	[CAUSE_INOTIFY_WATCHES_MAX] = {"inotify watches of the user", NULL, NULL, NULL, NULL,
				       "user.max_inotify_watches (fs.inotify.max_user_watches) counts the watches of "
				       "all programs of the user. "
				       "inotify_add_watch() says ENOSPC, and no device is full."},
	[CAUSE_INOTIFY_INSTANCES_MAX] = {"inotify instances of the user", NULL, NULL, NULL, NULL,
					 "user.max_inotify_instances (fs.inotify.max_user_instances) counts the "
					 "instances of all programs of the user. "
					 "inotify_init1() says EMFILE, the errno of too many open files."},
	[CAUSE_RLIMIT_SIGPENDING] =
		{"signals queued for the user, timers included", NULL, "process.signals_queued", NULL, NULL,
		 "RLIMIT_SIGPENDING (ulimit -i) counts the queued signals of all programs of the "
		 "user, and every POSIX timer holds one from the start. timer_create() says EAGAIN."},
	[CAUSE_EPOLL_WATCHES_MAX] = {"files that the user's epolls watch", NULL, "counted.epoll_watches", NULL, NULL,
				     "fs.epoll.max_user_watches counts what all epolls of a user watch, in all his "
				     "programs. epoll_ctl() says ENOSPC, and no device is full."},
	[CAUSE_KEYS_MAX] = {"keys of the user", NULL, NULL, NULL, NULL,
			    "kernel.keys.maxkeys and maxbytes limit what a user keeps in the kernel's keyrings, the "
			    "keyrings included; root has limits of his own. add_key() says EDQUOT, and no disk has a "
			    "quota."},
	[CAUSE_RLIMIT_MSGQUEUE] =
		{"POSIX message queues of the user", NULL, "queue.bytes", NULL, NULL,
		 "RLIMIT_MSGQUEUE (ulimit -q) counts what the POSIX message queues of a user may hold, "
		 "full or empty, until they are unlinked. mq_open() says EMFILE, the errno of too many "
		 "open files."},
	[CAUSE_AIO_MAX] = {"asynchronous requests of the machine", NULL, "counted.aio", NULL, NULL,
			   "fs.aio-max-nr limits how many requests all contexts of the machine together may have under "
			   "way; what a context is made for counts from the start. io_setup() says EAGAIN."},
	[CAUSE_PIPE_MAX_SIZE] = {"nothing: each pipe is seen on its own", NULL, NULL, NULL, NULL,
				 "fs.pipe-max-size is the largest pipe that a program without CAP_SYS_RESOURCE may ask "
				 "for. fcntl(F_SETPIPE_SZ) says EPERM."},
	[CAUSE_PIPE_USER_PAGES] = {"pages that the user's pipes may hold", NULL, NULL, NULL, NULL,
				   "fs.pipe-user-pages-soft and -hard count what all pipes of a user may hold, empty "
				   "ones too. Above the first no pipe grows (EPERM) and a new one is small, above the "
				   "second pipe() says ENFILE. Root is exempt."},
	[CAUSE_OPTMEM_MAX] = {"options and filters of the socket", NULL, NULL, NULL, NULL,
			      "net.core.optmem_max limits what the kernel keeps for the options of one socket, its "
			      "filter included. setsockopt(SO_ATTACH_FILTER) says ENOMEM, whatever memory is free. An "
			      "instruction of 8 bytes becomes one or more, at most 16 times as many bytes: where the "
			      "filter as it is would fit, so many are compared."},
	[CAUSE_PERF_MLOCK] = {"rings of perf events, by user, and pinned memory", NULL, NULL, NULL, NULL,
			      "kernel.perf_event_mlock_kb is what a user may map of rings of perf events for each "
			      "processor of the machine; what is above it is pinned by the process that maps it, up to "
			      "its RLIMIT_MEMLOCK. mmap() says EPERM when both are used up. CAP_IPC_LOCK is exempt."},
	[CAUSE_MEMCG_MAX] = {"memory of the control group", "memory_current", "cgroup.memory.current", NULL, "rss",
			     "memory.max counts pages in use by the group: the program's, page cache, tmpfs and what "
			     "the kernel holds for it. A "
			     "page counts when it is touched, so there is mostly no call to refuse: when nothing can "
			     "be reclaimed, the OOM killer "
			     "of the group ends a process. The machine may have memory in plenty."},
	[CAUSE_MEMCG_SWAP_MAX] = {"memory and swap of the control group", "memory_current", "cgroup.memory.current",
				  NULL, NULL,
				  "memory.swap.max limits how much of the group may be swapped out. With that used up, "
				  "nothing more can be reclaimed, "
				  "and at memory.max the group's OOM killer ends a process."},
	[CAUSE_MEMCG_HIGH] = {"memory of the control group", "memory_current", "cgroup.memory.current", NULL, "rss",
			      "Above memory.high nothing is refused and nobody is killed: every task of the group that "
			      "asks for more is put to "
			      "sleep for longer and longer. It looks like a hang."},
	[CAUSE_SYSTEM_OOM] = {"RAM that is not available", "mem_available", "meminfo.MemAvailable", "meminfo.MemTotal",
			      NULL,
			      "The whole machine is out of memory. The kernel's OOM killer ends the process with the "
			      "highest oom_score, which need "
			      "not be the one that asked."},
	[CAUSE_SWAP_FULL] = {"swap in use", "swap_free", "meminfo.SwapFree", "meminfo.SwapTotal", NULL,
			     "RAM and swap are used up, both. Until then the machine was slow and nothing failed; now "
			     "the OOM killer ends a "
			     "process."},
	[CAUSE_HUGETLB_POOL] = {"huge pages of the pool", NULL, NULL, NULL, NULL,
				"Huge pages come from a pool that is set aside (vm.nr_hugepages). Those that are "
				"promised count as used. Ordinary "
				"memory does not stand in for them."},
	[CAUSE_HUGETLB_SIZE] = {"nothing: there are no pages of that size", NULL, NULL, NULL, NULL,
				"Huge pages come in the sizes that the processor and the kernel offer, the names in "
				"/sys/kernel/mm/hugepages. mmap() and shmget() say EINVAL to any other, and no pool "
				"and no memory is looked at."},
	[CAUSE_HUGETLB_CGROUP] = {"huge pages of the control group", NULL, NULL, NULL, NULL,
				  "hugetlb.SIZE.max limits what the group may use of the pool, hugetlb.SIZE.rsvd.max "
				  "what it may be promised. The first "
				  "is felt as SIGBUS at a touch, the second as ENOMEM of mmap()."},
	[CAUSE_HUGETLBFS_SIZE] = {"of the hugetlbfs", NULL, NULL, NULL, NULL,
				  "A hugetlbfs that is mounted with size= has so many of the pool's pages and no more. "
				  "mmap() says ENOMEM, fallocate() ENOSPC, and a touch without a reservation gets "
				  "SIGBUS, whatever the pool has."},
	[CAUSE_TMPFS_SIZE] = {"of the tmpfs", NULL, NULL, NULL, NULL,
			      "A tmpfs has a size and a number of inodes of its own (mount -o size=,nr_inodes=), half "
			      "of RAM by default. write() says "
			      "ENOSPC, and a store into a mapping gets SIGBUS, whatever memory is free."},
	[CAUSE_SHM_LIMIT] = {"System V shared memory of the IPC namespace", NULL, NULL, NULL, NULL,
			     "kernel.shmmax limits one segment, shmall all pages and shmmni the number of segments of "
			     "an IPC namespace. shmget() "
			     "says EINVAL for the first, ENOSPC for the others."},
	[CAUSE_IPC_LIMIT] = {"message queues or semaphores of the IPC namespace", NULL, NULL, NULL, NULL,
			     "kernel.msgmni, kernel.sem, fs.mqueue.* and their like limit message queues, semaphore "
			     "sets and their sizes, each IPC namespace on its own. msgget(), semget() and mq_open() "
			     "say ENOSPC or EINVAL to what is too much, whatever memory is free."},
	[CAUSE_FRAGMENTATION] = {"nothing: one piece has to be large enough", "vm_size", "process.vm_size", NULL, "rss",
				 "Enough is free, and no piece of it is large enough: addresses between the areas of a "
				 "program, or physical pages that "
				 "are not next to one another."},
	[CAUSE_KMALLOC_MAX] = {"nothing: one piece has to be small enough", NULL, NULL, NULL, NULL,
			       "The kernel gets its own memory in pieces of at most a few megabytes. What would need a "
			       "larger one is refused however "
			       "much is free."},
	[CAUSE_RLIMIT_NOFILE] = {"file descriptors of the program", NULL, "process.open_files", NULL, NULL,
				 "RLIMIT_NOFILE (ulimit -n) limits the number of open files of a process. EMFILE is no "
				 "lack of memory, though some "
				 "programs say so."},
	[CAUSE_RLIMIT_CPU] = {"CPU time of the program", NULL, "process.cpu_ns", NULL, NULL,
			      "RLIMIT_CPU (ulimit -t) ends a program that has computed for too long: SIGXCPU at the "
			      "soft limit, SIGKILL at the hard "
			      "one. That looks like an OOM kill, and the memory counters do not move."},
	[CAUSE_NOT_MAPPED] = {"nothing: the range has to be there", NULL, NULL, NULL, NULL,
			      "The call names a range of which a part is not mapped, or may not be accessed that way. "
			      "mlock(), mprotect() and others "
			      "say ENOMEM to that, and it is a mistake of the program."},
	[CAUSE_INJECTED] = {"nothing: the failure was made", NULL, NULL, NULL, NULL,
			    "No limit refused this: the observer answered the call in the kernel's place. It shows "
			    "what a program makes of a "
			    "refusal, and proves nothing about a limit."},
	[CAUSE_KILLED_BY_OTHER] = {"nothing: somebody sent the signal", NULL, NULL, NULL, NULL,
				   "SIGKILL is not always the OOM killer's. No oom_kill counter moved and the kernel "
				   "log is silent: another process "
				   "sent it."},
	[CAUSE_UNKNOWN] = {"", NULL, NULL, NULL, NULL,
			   "No limit that enomem knows refuses this with the numbers of the failing moment. That is an "
			   "honest answer, and "
			   "worth a report."},
};

const struct cause_words *cause_words(const char *id)
{
	int cause = cause_by_name(id);
	return cause < 0 || !words[cause].why ? NULL : &words[cause];
}

/* Where the number of a limit stands in what is known of a run before it is refused. */
static const json_t *bound_of(const json_t *run, const char *id)
{
	static const struct {
		const char *id, *kind, *name;
	} known[] = {
		{"pids-max", "cgroup", "pids.max"},
		{"memcg-max", "cgroup", "memory.max"},
		{"memcg-high", "cgroup", "memory.high"},
		{"memcg-swap-max", "cgroup", "memory.swap.max"},
		{"max-map-count", "sysctl", "vm.max_map_count"},
		{"pid-max", "sysctl", "kernel.pid_max"},
		{"threads-max", "sysctl", "kernel.threads-max"},
	};
	const json_t *environment = json_object_get(run, "environment");
	/* Seconds there, nanoseconds in use. */
	if (strncmp(id, "rlimit-", 7) == 0 && strcmp(id, "rlimit-cpu") != 0)
		return json_object_get(json_object_get(environment, "rlimit"), id + 7);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(id, known[i].id) != 0)
			continue;
		const json_t *before = json_object_get(json_object_get(run, "snapshots"), "before");
		if (strcmp(known[i].kind, "sysctl") == 0) /* as it was, whoever had set it */
			return json_object_get(json_object_get(before, "sysctl"), known[i].name);
		return json_object_get(json_object_get(environment, known[i].kind), known[i].name);
	}
	return NULL;
}

json_t *cause_or_predicted(const json_t *run)
{
	json_t *cause = json_object_get(run, "cause");
	const char *id = json_string_value(json_object_get(json_object_get(run, "predicted"), "cause"));
	if (json_is_object(cause))
		return json_incref(cause);
	int known = id ? cause_by_name(id) : -1;
	if (known < 0)
		return NULL;
	const json_t *bound = bound_of(run, id);
	json_t *predicted = json_pack("{s:s, s:s}", "id", id, "unit", cause_infos[known].unit);
	if (json_is_integer(bound))
		(void)json_object_set_new(predicted, "bound", json_integer(json_integer_value(bound)));
	return predicted;
}

const json_t *cause_metric(const json_t *snapshot, const char *path)
{
	while (path && *path && snapshot) {
		char name[64];
		size_t length = strcspn(path, ".");
		if (length >= sizeof(name))
			return NULL;
		memcpy(name, path, length);
		name[length] = '\0';
		snapshot = json_object_get(snapshot, name);
		path += length + (path[length] == '.');
	}
	return snapshot;
}
