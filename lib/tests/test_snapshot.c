// SPDX-License-Identifier: MIT
/*
 * Snapshots of this very process: the numbers are right, and taking them allocates nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/perf_event.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "number.h"
#include "snapshot-internal.h"

#define MIB (1024ULL * 1024)

static struct snapshot_source source;
static struct snapshot a, b;

static void sees_what_this_process_maps_and_touches(void **state)
{
	(void)state;
	struct snapshot_request request = {.pid = getpid(), .maps = true};
	snapshot_take(&source, &request, &a);
	/* Read-only, so that it cannot merge with a neighbour. */
	char *area = mmap(NULL, 64 * MIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(area, MAP_FAILED);
	snapshot_take(&source, &request, &b);
	assert_true(a.taken && b.taken && b.process_seen && b.maps_seen);
	assert_int_equal(b.status.value[STATUS_VM_SIZE] - a.status.value[STATUS_VM_SIZE], 64 * MIB);
	assert_int_equal(b.maps.count - a.maps.count, 1);
	assert_true(b.time_ns > a.time_ns);
	assert_int_equal(b.status.uid, getuid());
	assert_int_equal(munmap(area, 64 * MIB), 0);
}

static void reads_the_machine(void **state)
{
	(void)state;
	struct snapshot_request nothing = {0};
	snapshot_take(&source, &nothing, &a);
	assert_false(a.process_seen);
	assert_true(a.meminfo.value[MEMINFO_MEM_TOTAL] > 16 * MIB);
	assert_true(a.sysctl[SYSCTL_MAX_MAP_COUNT] > 0 && a.sysctl[SYSCTL_MAX_MAP_COUNT] != ENOMEM_ABSENT);
	assert_true(a.tasks > 1 && a.tasks != ENOMEM_ABSENT);
	assert_int_equal(a.cgroup.value[CGROUP_MEMORY_MAX], ENOMEM_ABSENT);
}

static void sees_the_soft_limits(void **state)
{
	struct rlimit before, lower;
	struct snapshot_request request = {.pid = getpid()};
	(void)state;
	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &before), 0);
	lower = before;
	lower.rlim_cur = 65536;
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &lower), 0);
	snapshot_take(&source, &request, &a);
	assert_int_equal(a.rlimit[RLIMIT_MEMLOCK], 65536);
	(void)setrlimit(RLIMIT_MEMLOCK, &before);
}

/* Asked only where a limit could be ignored. */
static void knows_whether_the_data_limit_is_ignored(void **state)
{
	struct rlimit before, lower;
	struct snapshot_request request = {.pid = getpid()};
	(void)state;
	int here = source.ignore_data_fd;
	auto_close int fd = memfd_create("ignore_rlimit_data", MFD_CLOEXEC);
	assert_int_equal(write(fd, "Y\n", 2), 2);
	assert_int_equal(getrlimit(RLIMIT_DATA, &before), 0);
	lower = before;
	lower.rlim_cur = 1ULL << 46;
	assert_int_equal(setrlimit(RLIMIT_DATA, &lower), 0);
	source.ignore_data_fd = fd;
	snapshot_take(&source, &request, &a);
	assert_true(a.data_limit_ignored);
	assert_int_equal(pwrite(fd, "N", 1, 0), 1);
	snapshot_take(&source, &request, &a);
	assert_false(a.data_limit_ignored);
	source.ignore_data_fd = -1; /* a kernel that has no such option */
	snapshot_take(&source, &request, &a);
	assert_false(a.data_limit_ignored);
	assert_int_equal(pwrite(fd, "Y", 1, 0), 1);
	source.ignore_data_fd = fd;
	lower.rlim_cur = RLIM_INFINITY;
	if (setrlimit(RLIMIT_DATA, &lower) == 0) { /* else the hard limit is no more than that */
		snapshot_take(&source, &request, &a);
		assert_false(a.data_limit_ignored);
	}
	(void)setrlimit(RLIMIT_DATA, &before);
	source.ignore_data_fd = here;
}

static void marks_a_process_that_is_gone(void **state)
{
	(void)state;
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	struct snapshot_request request = {.pid = pid, .maps = true, .commit = true, .pidns = true};
	snapshot_take(&source, &request, &a);
	assert_true(a.taken);
	assert_false(a.process_seen);
	assert_false(a.maps_seen);
}

/* In a child: a pid namespace that is dead, one that lives, one that was never populated. */
static int namespace_states(void)
{
	struct snapshot_request request = {.pid = getpid(), .pidns = true};
	if (unshare(CLONE_NEWUSER | CLONE_NEWPID) < 0)
		return 77;
	snapshot_take(&source, &request, &a);
	if (a.pidns_children_dead)
		return 1;
	int release[2];
	char byte;
	if (pipe(release) < 0)
		return 2;
	pid_t init = fork();
	if (init == 0) {
		(void)close(release[1]);
		(void)!read(release[0], &byte, 1);
		_exit(0);
	}
	snapshot_take(&source, &request, &a);
	if (a.pidns_children_dead || !a.pidns_children_inode || a.pidns_children_inode == a.pidns_inode)
		return 3;
	(void)close(release[1]);
	(void)waitpid(init, NULL, 0);
	snapshot_take(&source, &request, &a);
	return a.pidns_children_dead ? 0 : 4;
}

static void tells_a_dead_pid_namespace_from_a_living_one(void **state)
{
	int status;
	(void)state;
	pid_t pid = fork();
	if (pid == 0)
		_exit(namespace_states());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		print_message("no user namespaces here: not looked at\n");
	else
		assert_int_equal(WEXITSTATUS(status), 0);
}

static void knows_what_a_fork_would_charge(void **state)
{
	(void)state;
	struct snapshot_request request = {.pid = getpid(), .maps = true, .commit = true};
	snapshot_take(&source, &request, &a);
	char *area = mmap(NULL, 48 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *spared = mmap(NULL, 96 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(area != MAP_FAILED && spared != MAP_FAILED);
	assert_int_equal(madvise(spared, 96 * MIB, MADV_DONTFORK), 0);
	snapshot_take(&source, &request, &b);
	assert_true(a.commit_seen && b.commit_seen);
	assert_int_equal(b.commit.fork_charge_bytes - a.commit.fork_charge_bytes, 48 * MIB);
	assert_true(b.commit.largest_area_bytes >= 48 * MIB && b.commit.largest_area_bytes < 96 * MIB);
	(void)munmap(area, 48 * MIB);
	(void)munmap(spared, 96 * MIB);
}

static void knows_the_area_of_an_address(void **state)
{
	char *small = mmap(NULL, MIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *huge = mmap(NULL, 2 * MIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE, -1, 0);
	struct snapshot_request request = {.pid = getpid(), .area = true, .address = (uintptr_t)small + 5000};
	(void)state;
	assert_ptr_not_equal(small, MAP_FAILED);
	snapshot_take(&source, &request, &a);
	assert_true(a.area_seen);
	assert_false(a.area.huge_pages);
	assert_int_equal(a.area.page_size, 4096);
	assert_true(a.area.start <= request.address && a.area.end > request.address);
	if (huge != MAP_FAILED) {
		request.address = (uintptr_t)huge + 5000;
		snapshot_take(&source, &request, &a);
		assert_true(a.area_seen && a.area.huge_pages);
		assert_int_equal(a.area.page_size, 2 * MIB);
		(void)munmap(huge, 2 * MIB);
	}
	request.address = 4096; /* nobody's */
	snapshot_take(&source, &request, &a);
	assert_false(a.area_seen);
	(void)munmap(small, MIB);
}

/* As many ids as tasks above 300, and one that only a session holds after its leader died. */
static void counts_task_ids(void **state)
{
	int hold[2];
	pid_t leader = 0;
	char byte;
	(void)state;
	static struct snapshot_source busy_source;
	busy_source = source;
	a.sysctl[SYSCTL_PID_MAX] = 65536;
	a.tasks = 65536;
	a.pid = getpid();
	busy_source.namespace_pid_max = ENOMEM_ABSENT;
	assert_int_equal(pipe(hold), 0);
	leader = fork();
	if (leader == 0) {
		(void)close(hold[1]);
		(void)setsid();
		if (fork() == 0)
			(void)!read(hold[0], &byte, 1);
		_exit(0);
	}
	assert_int_equal(waitpid(leader, NULL, 0), leader);
	(void)close(hold[0]);
	a.pid_ids = ENOMEM_ABSENT;
	snapshot_take_pid_ids(&busy_source, &a);
	uint64_t with_session = a.pid_ids;
	assert_true(with_session != ENOMEM_ABSENT);
	a.sysctl[SYSCTL_PID_MAX] = 300; /* lowered below all of them: none of these ids takes room */
	snapshot_take_pid_ids(&busy_source, &a);
	assert_int_equal(a.pid_ids, 0);
	a.sysctl[SYSCTL_PID_MAX] = 65536;
	if (getpid() >= 300 && getpid() < 65536)
		assert_true(with_session >= 1);
	a.tasks = 10; /* they cannot hold all of 65236 ids: nobody counts */
	a.pid_ids = ENOMEM_ABSENT;
	snapshot_take_pid_ids(&busy_source, &a);
	assert_true(a.pid_ids == ENOMEM_ABSENT);
	(void)close(hold[1]);
}

static void knows_the_file_system_of_a_descriptor(void **state)
{
	int memory = memfd_create("snapshot", MFD_CLOEXEC);
	struct snapshot_request request = {.pid = getpid(), .file = true, .fd = memory};
	(void)state;
	assert_true(memory >= 0);
	snapshot_take(&source, &request, &a);
	assert_true(a.file_seen);
	assert_int_equal(a.file.type, 0x01021994); /* TMPFS_MAGIC */
	assert_int_equal(a.file.size, 0);
	assert_int_equal(a.file.block, 4096);
	(void)close(memory);
	snapshot_take(&source, &request, &a);
	assert_false(a.file_seen);
}

/* By what the file is, whoever opened it; a group of which there is none has no limits. */
static void knows_a_limit_of_the_group(void **state)
{
	static struct cgroup group;
	static struct snapshot_source with_group;
	int limit = memfd_create("limit", MFD_CLOEXEC), other = memfd_create("other", MFD_CLOEXEC), again = dup(limit);
	struct snapshot_request request = {.pid = getpid(), .group_limit = true, .fd = again};
	(void)state;
	assert_true(limit >= 0 && other >= 0 && again >= 0);
	cgroup_init(&group);
	group.value_fd[CGROUP_HUGETLB_RSVD_MAX] = limit;
	group.value_fd[CGROUP_PIDS_MAX] = other; /* never refuses to be lowered */
	with_group = source;
	with_group.cgroup = &group;
	snapshot_take(&with_group, &request, &a);
	assert_true(a.group_limit_seen);
	assert_int_equal(a.group_limit, CGROUP_HUGETLB_RSVD_MAX);
	request.fd = other;
	snapshot_take(&with_group, &request, &a);
	assert_false(a.group_limit_seen);
	request.fd = again;
	with_group.cgroup = NULL;
	snapshot_take(&with_group, &request, &a);
	assert_false(a.group_limit_seen);
	(void)close(again);
	(void)close(other);
	(void)close(limit);
}

/* In the file system of a path, as this process's root and working directory have it. */
static void knows_the_file_system_of_a_path(void **state)
{
	struct snapshot_request request = {.pid = getpid(), .create = "/proc/new"};
	(void)state;
	snapshot_take(&source, &request, &a);
	assert_true(a.file_seen);
	assert_int_equal(a.file.type, PROC_SUPER_MAGIC);
	request.create = "/proc/self/no/such/directory/new";
	snapshot_take(&source, &request, &a);
	assert_false(a.file_seen);
	int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(here >= 0 && chdir("/proc") == 0);
	request.create = "new";
	snapshot_take(&source, &request, &a);
	assert_true(a.file_seen);
	assert_int_equal(a.file.type, PROC_SUPER_MAGIC);
	request.create = "sys/new";
	snapshot_take(&source, &request, &a);
	assert_true(a.file_seen);
	assert_int_equal(fchdir(here), 0);
	(void)close(here);
}

static void knows_the_file_behind_an_area(void **state)
{
	(void)state;
	FILE *file = tmpfile();
	assert_non_null(file);
	assert_int_equal(ftruncate(fileno(file), 12345), 0);
	char *area = mmap(NULL, 3 * 4096, PROT_READ, MAP_SHARED, fileno(file), 4096);
	char *anonymous = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(area != MAP_FAILED && anonymous != MAP_FAILED);
	struct stat st;
	assert_int_equal(fstat(fileno(file), &st), 0);
	for (int smaps = 0; smaps < 2; smaps++) {
		struct snapshot_request request = {.pid = getpid(),
						   .area = smaps,
						   .area_file = !smaps,
						   .address = (uint64_t)(uintptr_t)area + 4096};
		snapshot_take(&source, &request, &a);
		assert_true(a.area_seen);
		assert_int_equal(a.area.start, (uintptr_t)area);
		assert_int_equal(a.area.offset, 4096);
		assert_int_equal(a.area.inode, st.st_ino);
		/* It is deleted: only the kernel's own link leads to it, and that takes a capability. */
		assert_int_equal(a.file_seen, a.file_bytes == 12345);
		assert_true(a.file_seen || a.file_bytes == ENOMEM_ABSENT);
		assert_int_equal(a.area.page_size, smaps ? 4096 : ENOMEM_ABSENT);
		request.address = (uintptr_t)anonymous;
		snapshot_take(&source, &request, &a);
		assert_true(a.area_seen);
		assert_int_equal(a.area.inode, 0);
		assert_string_equal(a.area.path, "");
		assert_false(a.file_seen);
	}
	(void)munmap(area, 3 * 4096);
	(void)munmap(anonymous, 4096);
	(void)fclose(file);
}

/* Limits of this machine that are too high to be met are not counted against. */
static void counts_namespaces(void **state)
{
	(void)state;
	memset(&a, 0, sizeof(a));
	snapshot_take_namespaces(&source, CLONE_NEWUTS, &a);
	assert_true(a.namespaces[NAMESPACE_UTS].max > 0 && a.namespaces[NAMESPACE_UTS].max != ENOMEM_ABSENT);
	if (a.namespaces[NAMESPACE_UTS].max > 1024)
		assert_true(a.namespaces[NAMESPACE_UTS].in_use == ENOMEM_ABSENT);
	assert_true(a.namespaces[NAMESPACE_IPC].max == ENOMEM_ABSENT);
	assert_true(a.namespaces[NAMESPACE_IPC].in_use == ENOMEM_ABSENT);
	/* Everybody is in the first ones, as far as can be seen from there. */
	a.pid = getpid();
	snapshot_take_namespaces(&source, CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWUTS, &a);
	assert_int_equal(a.namespaces[NAMESPACE_USER].depth, 0);
	assert_int_equal(a.namespaces[NAMESPACE_PID].depth, 0);
	assert_true(a.namespaces[NAMESPACE_UTS].depth == ENOMEM_ABSENT);
	/* A /proc of plain files: three processes in two namespaces, and one that is gone. */
	char root[] = "/tmp/enomem-namespaces-XXXXXX", command[1024];
	assert_non_null(mkdtemp(root));
	(void)snprintf(command, sizeof(command),
		       "cd %s && mkdir -p sys/user 1/ns 2/ns 3/ns 4 && echo 5 >sys/user/max_uts_namespaces && "
		       "echo 0 >sys/user/max_user_namespaces && : >first && : >second && ln -s ../../first 1/ns/uts && "
		       "ln -s ../../second 2/ns/uts && ln -s ../../second 3/ns/uts",
		       root);
	assert_int_equal(system(command), 0);
	struct snapshot_source other = {.proc_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	assert_true(other.proc_fd >= 0);
	snapshot_take_namespaces(&other, CLONE_NEWUTS | CLONE_NEWUSER | CLONE_NEWNET, &a);
	assert_int_equal(a.namespaces[NAMESPACE_UTS].max, 5);
	assert_int_equal(a.namespaces[NAMESPACE_UTS].in_use, 1);
	assert_true(a.namespaces[NAMESPACE_USER].depth == ENOMEM_ABSENT);
	assert_int_equal(a.namespaces[NAMESPACE_USER].max, 0);
	assert_int_equal(a.namespaces[NAMESPACE_USER].in_use, 0);
	assert_true(a.namespaces[NAMESPACE_NET].max == ENOMEM_ABSENT);
	(void)close(other.proc_fd);
	(void)snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

static void count_inotify(uint64_t *ret_instances, uint64_t *ret_watches)
{
	struct snapshot_request request = {.pid = getpid(), .inotify = true};
	snapshot_take(&source, &request, &a);
	assert_true(a.inotify.instances_max > 0 && a.inotify.instances_max != ENOMEM_ABSENT);
	assert_true(a.inotify.watches_max > 0 && a.inotify.watches_max != ENOMEM_ABSENT);
	*ret_instances = a.inotify.instances;
	*ret_watches = a.inotify.watches;
}

/* A child's copy of a descriptor is the same instance, and so is a second one of the process itself. */
static void counts_inotify(void **state)
{
	static const char *const path[] = {"/", "/proc", "/dev", "/"};
	uint64_t instances, watches, instances_now, watches_now;
	(void)state;
	count_inotify(&instances, &watches);
	int first = inotify_init1(IN_CLOEXEC), second = inotify_init1(IN_CLOEXEC), copy = dup(first);
	assert_true(first >= 0 && second >= 0 && copy >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(path); i++)
		assert_true(inotify_add_watch(first, path[i], IN_DELETE_SELF) >= 0);
	assert_true(inotify_add_watch(second, "/", IN_DELETE_SELF) >= 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)pause();
		_exit(0);
	}
	count_inotify(&instances_now, &watches_now);
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	(void)close(first);
	(void)close(second);
	(void)close(copy);
	assert_int_equal(instances_now, instances + 2);
	assert_int_equal(watches_now, watches + 4);
	/* Not asked for, and a process that is gone. */
	snapshot_take(&source, &(struct snapshot_request){.pid = getpid()}, &a);
	assert_true(a.inotify.instances == ENOMEM_ABSENT && a.inotify.watches_max == ENOMEM_ABSENT);
	snapshot_take(&source, &(struct snapshot_request){.pid = child, .inotify = true}, &a);
	assert_true(a.inotify.instances == ENOMEM_ABSENT && a.inotify.watches_max == ENOMEM_ABSENT);
}

static uint64_t count_epoll(pid_t pid)
{
	snapshot_take(&source, &(struct snapshot_request){.pid = pid, .epoll = true}, &a);
	assert_true(a.counted.epoll_watches_max > 0);
	return a.counted.epoll_watches;
}

/* The same of epoll; a nested one watches as well, and what is closed is watched no more. */
static bool counts_epoll_once(void)
{
	struct epoll_event interest = {.events = EPOLLIN};
	uint64_t before = count_epoll(getpid());
	int first = epoll_create1(EPOLL_CLOEXEC), second = epoll_create1(EPOLL_CLOEXEC), copy = dup(first);
	int event[2] = {eventfd(0, EFD_CLOEXEC), eventfd(0, EFD_CLOEXEC)};
	assert_true(first >= 0 && second >= 0 && copy >= 0 && event[0] >= 0 && event[1] >= 0);
	assert_int_equal(epoll_ctl(first, EPOLL_CTL_ADD, event[0], &interest), 0);
	assert_int_equal(epoll_ctl(first, EPOLL_CTL_ADD, event[1], &interest), 0);
	assert_int_equal(epoll_ctl(second, EPOLL_CTL_ADD, first, &interest), 0);
	uint64_t now = count_epoll(getpid());
	(void)close(event[0]);
	uint64_t later = count_epoll(getpid());
	(void)close(event[1]);
	(void)close(first);
	(void)close(second);
	(void)close(copy);
	return now == before + 3 && later == before + 2;
}

/* They are the user's, whose other processes watch more or less meanwhile. */
static void counts_epoll(void **state)
{
	bool right = false;
	(void)state;
	for (unsigned i = 0; i < 50 && !right; i++)
		right = counts_epoll_once();
	assert_true(right);
	snapshot_take(&source, &(struct snapshot_request){.pid = getpid()}, &a);
	assert_true(a.counted.epoll_watches == ENOMEM_ABSENT && a.counted.keys == ENOMEM_ABSENT);
}

static void reads_keys(void **state)
{
	struct snapshot_request request = {.pid = getpid(), .keys = true};
	(void)state;
	snapshot_take(&source, &request, &a);
	if (a.counted.keys == ENOMEM_ABSENT) /* a kernel without keyrings, or a user without keys */
		skip();
	assert_true(a.counted.keys_max > 0 && a.counted.key_bytes < ENOMEM_ABSENT && a.counted.key_bytes_max > 0);
}

#define LONELY_UID 54321 /* nobody else's pipes are counted with its own */

/* A larger pipe and one as they are, held open by a child of that user; never returns. */
static void hold_pipes(int ready)
{
	int large[2], small[2];
	if (setresuid(LONELY_UID, LONELY_UID, LONELY_UID) < 0 || pipe(large) < 0 || pipe(small) < 0 ||
	    fcntl(large[0], F_SETPIPE_SZ, 32 * 4096) < 0 || dup2(large[1], 99) < 0 || write(ready, "", 1) != 1)
		_exit(1);
	(void)pause();
	_exit(0);
}

/* Both ends and copies are one pipe, and a larger one counts as what it may hold; those of others do not count. */
static void counts_pipes(void **state)
{
	struct snapshot_request request = {.pipe = true, .fd = 99};
	int ready[2];
	char byte;
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		hold_pipes(ready[1]);
	(void)close(ready[1]);
	ssize_t n = read(ready[0], &byte, 1);
	request.pid = child;
	snapshot_take(&source, &request, &a);
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	(void)close(ready[0]);
	assert_int_equal(n, 1);
	assert_int_equal(a.counted.pipe_pages, 32 + 16);
	assert_int_equal(a.counted.pipe_own, 32);
	assert_true(a.counted.pipe_max_size >= 4096 && a.counted.pipe_max_size != ENOMEM_ABSENT);
	/* Not asked for, and a process that is gone. */
	snapshot_take(&source, &(struct snapshot_request){.pid = getpid()}, &a);
	assert_true(a.counted.pipe_pages == ENOMEM_ABSENT && a.counted.aio == ENOMEM_ABSENT);
	snapshot_take(&source, &request, &a);
	assert_true(a.counted.pipe_pages == ENOMEM_ABSENT);
}

/* Two rings of a user whom nobody else is, of one page and of three; never returns. */
static void hold_rings(int ready)
{
	struct perf_event_attr event = {.type = PERF_TYPE_SOFTWARE,
					.size = sizeof(event),
					.config = PERF_COUNT_SW_DUMMY,
					.disabled = 1,
					.exclude_kernel = 1,
					.exclude_hv = 1};
	for (size_t pages = 1; pages <= 3; pages += 2) { /* as root, whom nobody forbids events */
		int fd = (int)syscall(SYS_perf_event_open, &event, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
		if (fd < 0 || mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED)
			_exit(1);
	}
	if (setresuid(LONELY_UID, LONELY_UID, LONELY_UID) < 0 || write(ready, "", 1) != 1)
		_exit(1);
	(void)pause();
	_exit(0);
}

/* What a user's rings count for is added up from what his processes have mapped: here from one alone. */
static void counts_rings(void **state)
{
	struct snapshot_request request = {.ring = true};
	int ready[2];
	char byte;
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		hold_rings(ready[1]);
	(void)close(ready[1]);
	ssize_t n = read(ready[0], &byte, 1);
	request.pid = child;
	snapshot_take(&source, &request, &a);
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	(void)close(ready[0]);
	if (n != 1) /* perf events are forbidden here */
		skip();
	assert_int_equal(a.counted.perf_rings, 4);
	assert_int_equal(a.counted.perf_cpus, sysconf(_SC_NPROCESSORS_ONLN));
	assert_true(a.counted.perf_mlock_kb < ENOMEM_ABSENT && a.counted.perf_lenient <= 1);
	/* Not asked for, and a process that is gone. */
	snapshot_take(&source, &(struct snapshot_request){.pid = getpid()}, &a);
	assert_true(a.counted.perf_rings == ENOMEM_ABSENT && a.counted.perf_mlock_kb == ENOMEM_ABSENT);
	snapshot_take(&source, &request, &a);
	assert_true(a.counted.perf_rings == ENOMEM_ABSENT);
}

static void reads_what_is_counted(void **state)
{
	struct snapshot_request request = {.pid = getpid(), .aio = true, .huge_size = 24};
	(void)state;
	auto_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	snapshot_take(&source, &request, &a);
	assert_true(a.counted.aio <= a.counted.aio_max);
	/* 16 MiB are no size of huge pages of x86-64 nor of Arm with pages of 4 KiB. */
	assert_true(a.counted.huge_pages_of_size == 0 || a.counted.huge_pages_of_size == ENOMEM_ABSENT);
	assert_true(a.counted.optmem == ENOMEM_ABSENT);
	request = (struct snapshot_request){.pid = getpid(), .optmem = true, .fd = fd};
	snapshot_take(&source, &request, &a);
	assert_true(a.counted.optmem == 0 || a.counted.optmem == ENOMEM_ABSENT); /* where pidfd_getfd() is forbidden */
	request.fd = -1;
	snapshot_take(&source, &request, &a);
	assert_true(a.counted.optmem == ENOMEM_ABSENT);
}

static void sees_state_score_and_blocks(void **state)
{
	struct snapshot_request request = {.pid = getpid(), .sleeps_where = true};
	(void)state;
	snapshot_take(&source, &request, &a);
	assert_int_equal(a.status.state, 'R');
	assert_string_equal(a.wchan, "");
	assert_true(a.oom_score_adj_seen && a.oom_score_adj >= -1000 && a.oom_score_adj <= 1000);
	assert_true(a.oom_score != ENOMEM_ABSENT);
	assert_true(a.buddy.blocks[0] != ENOMEM_ABSENT && buddyinfo_largest(&a.buddy, 4096) >= 4096);
	assert_true(a.meminfo.value[MEMINFO_SRECLAIMABLE] != ENOMEM_ABSENT);
}

static atomic_bool other_done;

static void *take_many(void *data)
{
	static struct snapshot mine;
	struct snapshot_request request = {.pid = getpid(), .maps = true};
	(void)data;
	for (unsigned i = 0; i < 200; i++) {
		snapshot_take(&source, &request, &mine);
		if (!mine.process_seen || !mine.maps_seen)
			return (void *)1;
	}
	other_done = true;
	return NULL;
}

/* Two threads take turns, and neither gets the other's text. */
static void one_at_a_time(void **state)
{
	struct snapshot_request request = {.pid = getpid()};
	pthread_t other;
	void *failed;
	unsigned taken = 0;
	(void)state;
	other_done = false;
	assert_int_equal(pthread_create(&other, NULL, take_many, NULL), 0);
	while (!other_done) {
		if (!snapshot_try_take(&source, &request, &a))
			continue;
		taken++;
		assert_true(a.process_seen && a.meminfo.value[MEMINFO_MEM_TOTAL] > 16 * MIB);
	}
	assert_int_equal(pthread_join(other, &failed), 0);
	assert_null(failed);
	assert_true(snapshot_try_take(&source, &request, &a));
}

/* Those below the limit: what was opened above it before takes no room. */
static void counts_descriptors(void **state)
{
	struct snapshot_request request = {.pid = getpid(), .open_files = true};
	struct rlimit old, limit;
	(void)state;
	snapshot_take(&source, &request, &a);
	int fd = dup(STDOUT_FILENO);
	snapshot_take(&source, &request, &b);
	assert_int_equal(b.open_files, a.open_files + 1);
	(void)close(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	limit = old;
	limit.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	snapshot_take(&source, &request, &b);
	/* This process can open nothing now, its own list of descriptors neither. */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_true(b.open_files == ENOMEM_ABSENT);
	request.open_files = false;
	snapshot_take(&source, &request, &b);
	assert_true(b.open_files == ENOMEM_ABSENT);
}

static void sees_the_cpu_time_of_a_dying_process(void **state)
{
	struct snapshot_request request = {.pid = getpid(), .dying = true};
	struct rlimit limit;
	(void)state;
	snapshot_take(&source, &request, &a);
	assert_int_equal(getrlimit(RLIMIT_CPU, &limit), 0);
	assert_true(a.cpu_ns < ENOMEM_ABSENT);
	assert_true(a.cpu_hard_limit_ns ==
		    (limit.rlim_max == RLIM_INFINITY ? ENOMEM_UNLIMITED : limit.rlim_max * 1000000000ULL));
	do
		snapshot_take(&source, &request, &b);
	while (b.cpu_ns == a.cpu_ns);
	assert_true(b.cpu_ns > a.cpu_ns);
	request.dying = false;
	snapshot_take(&source, &request, &b);
	assert_true(b.cpu_ns == ENOMEM_ABSENT && b.cpu_hard_limit_ns == ENOMEM_ABSENT);
}

static size_t allocated(void)
{
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

static void allocates_nothing(void **state)
{
	struct snapshot_request request = {.pid = getpid(),
					   .maps = true,
					   .commit = true,
					   .pidns = true,
					   .uid_tasks = true,
					   .pid_ids = true,
					   .open_files = true,
					   .area = true,
					   .address = 1,
					   .sleeps_where = true};
	(void)state;
	size_t before = allocated();
	void *volatile probe = malloc(5000);
	bool counts = allocated() > before;
	free(probe);
	/* Under a sanitizer mallinfo2() shows nothing; the release build is the one that tells. */
	if (!counts)
		print_message("this allocator does not count: nothing proven here\n");
	snapshot_take(&source, &request, &a);
	/* Peak, too: a malloc() that was freed again would have grown the arena or left a cached chunk. */
	struct mallinfo2 first = mallinfo2();
	snapshot_take(&source, &request, &b);
	struct mallinfo2 second = mallinfo2();
	assert_memory_equal(&first, &second, sizeof(first));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sees_what_this_process_maps_and_touches),
		cmocka_unit_test(reads_the_machine),
		cmocka_unit_test(sees_the_soft_limits),
		cmocka_unit_test(knows_whether_the_data_limit_is_ignored),
		cmocka_unit_test(marks_a_process_that_is_gone),
		cmocka_unit_test(tells_a_dead_pid_namespace_from_a_living_one),
		cmocka_unit_test(knows_what_a_fork_would_charge),
		cmocka_unit_test(knows_the_area_of_an_address),
		cmocka_unit_test(counts_task_ids),
		cmocka_unit_test(knows_the_file_system_of_a_descriptor),
		cmocka_unit_test(knows_a_limit_of_the_group),
		cmocka_unit_test(knows_the_file_system_of_a_path),
		cmocka_unit_test(knows_the_file_behind_an_area),
		cmocka_unit_test(counts_namespaces),
		cmocka_unit_test(counts_inotify),
		cmocka_unit_test(counts_epoll),
		cmocka_unit_test(reads_keys),
		cmocka_unit_test(counts_pipes),
		cmocka_unit_test(counts_rings),
		cmocka_unit_test(reads_what_is_counted),
		cmocka_unit_test(sees_state_score_and_blocks),
		cmocka_unit_test(counts_descriptors),
		cmocka_unit_test(sees_the_cpu_time_of_a_dying_process),
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(allocates_nothing),
	};
	if (snapshot_source_open(NULL, &source) < 0)
		return 1;
	int r = cmocka_run_group_tests(tests, NULL, NULL);
	snapshot_source_close(&source);
	return r;
}
