// SPDX-License-Identifier: MIT
/*
 * Snapshots of this very process: the numbers are right, and taking them allocates nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "number.h"
#include "snapshot.h"

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

static size_t allocated(void)
{
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

static void allocates_nothing(void **state)
{
	struct snapshot_request request = {
		.pid = getpid(), .maps = true, .commit = true, .pidns = true, .uid_tasks = true};
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
		cmocka_unit_test(marks_a_process_that_is_gone),
		cmocka_unit_test(tells_a_dead_pid_namespace_from_a_living_one),
		cmocka_unit_test(knows_what_a_fork_would_charge),
		cmocka_unit_test(allocates_nothing),
	};
	if (snapshot_source_open(NULL, &source) < 0)
		return 1;
	int r = cmocka_run_group_tests(tests, NULL, NULL);
	snapshot_source_close(&source);
	return r;
}
