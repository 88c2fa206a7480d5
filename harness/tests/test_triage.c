// SPDX-License-Identifier: MIT
/*
 * Triage from constructed numbers: which limits become rows, in which order, and that each command that lifts one is
 * right for the version of its group. Groups are directories of plain files, as cgroupfs of either version would show
 * them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "cause.h"
#include "cleanup.h"
#include "number.h"
#include "triage.h"

#define KB 1024ULL
#define MB (1024 * KB)

static struct triage t;
static struct snapshot s;
static uint64_t hard[PROCFS_RLIMITS];
static char root[] = "/tmp/enomem-triage-XXXXXX";
static char text[4096];

static const char *in_root(const char *name)
{
	static char path[256];
	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	return path;
}

static void put(const char *name, const char *content)
{
	auto_fclose FILE *f = fopen(in_root(name), "we");
	assert_non_null(f);
	assert_true(fputs(content, f) >= 0);
}

/* A process of uid 1000 on a machine of 512 MB with 100 tasks, and no limit near. */
static int setup(void **state)
{
	(void)state;
	strcpy(root + sizeof(root) - 7, "XXXXXX");
	if (!mkdtemp(root))
		return -1;
	memset(&t, 0, sizeof(t));
	memset(&s, 0, sizeof(s));
	memset(s.meminfo.value, 0xfe, sizeof(s.meminfo.value));
	for (unsigned i = 0; i < MEMINFO_COUNT; i++)
		s.meminfo.value[i] = ENOMEM_ABSENT;
	for (unsigned i = 0; i < VMSTAT_COUNT; i++)
		s.vmstat.value[i] = ENOMEM_ABSENT;
	for (unsigned i = 0; i < STATUS_COUNT; i++)
		s.status.value[i] = 0;
	for (unsigned i = 0; i < CGROUP_VALUE_COUNT; i++)
		s.cgroup.value[i] = ENOMEM_ABSENT;
	for (unsigned i = 0; i < SYSCTL_COUNT; i++)
		s.sysctl[i] = ENOMEM_ABSENT;
	for (unsigned i = 0; i < PROCFS_RLIMITS; i++)
		s.rlimit[i] = hard[i] = ENOMEM_UNLIMITED;
	s.taken = s.process_seen = s.maps_seen = s.in_cgroup = true;
	s.namespace_pid_max = s.namespace_pid_ids = s.pid_ids = ENOMEM_ABSENT;
	s.pid = 4711;
	s.tasks = 100;
	s.uid_tasks = 7;
	s.status.uid = 1000;
	strcpy(s.status.comm, "server");
	s.status.value[STATUS_VM_SIZE] = 10 * MB;
	s.status.value[STATUS_VM_DATA] = 4 * MB;
	s.maps = (struct maps_summary){.count = 30, .mapped_bytes = 10 * MB, .free_bytes = 1ULL << 46};
	s.maps.largest_hole_bytes = 1ULL << 46;
	s.maps.stack_end = 0x7fff00000000;
	s.maps.stack_start = s.maps.stack_end - 132 * KB;
	s.meminfo.value[MEMINFO_MEM_TOTAL] = 512 * MB;
	s.meminfo.value[MEMINFO_MEM_AVAILABLE] = 400 * MB;
	s.meminfo.value[MEMINFO_SWAP_TOTAL] = s.meminfo.value[MEMINFO_SWAP_FREE] = 0;
	s.sysctl[SYSCTL_MAX_MAP_COUNT] = 65530;
	s.sysctl[SYSCTL_OVERCOMMIT_MEMORY] = 0;
	s.sysctl[SYSCTL_OVERCOMMIT_RATIO] = 50;
	s.sysctl[SYSCTL_OVERCOMMIT_KBYTES] = 0;
	s.sysctl[SYSCTL_PID_MAX] = 32768;
	s.sysctl[SYSCTL_THREADS_MAX] = 3500;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	triage_free(&t);
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const struct triage_row *row_of(enum triage_limit limit)
{
	for (size_t i = 0; i < t.count; i++)
		if (t.row[i].limit == limit)
			return &t.row[i];
	return NULL;
}

static void assert_row(enum triage_limit limit, uint64_t in_use, uint64_t bound)
{
	const struct triage_row *row = row_of(limit);
	assert_non_null(row);
	assert_int_equal(row->in_use, in_use);
	assert_int_equal(row->bound, bound);
}

static void assert_fix(enum triage_limit limit, const char *wanted)
{
	const struct triage_row *row = row_of(limit);
	assert_non_null(row);
	assert_string_equal(triage_fix(&t, row, text, sizeof(text)), wanted);
}

static void assert_show(enum triage_limit limit, const char *wanted)
{
	const struct triage_row *row = row_of(limit);
	assert_non_null(row);
	assert_string_equal(triage_show(&t, row, text, sizeof(text)), wanted);
}

/* Every id is one of lib/cause.h but for open files, which refuse no memory. */
static void test_ids(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TRIAGE_LIMITS; i++) {
		const char *cause = triage_limit_infos[i].cause;
		assert_non_null(cause);
		assert_true(cause_by_name(cause) >= 0);
		assert_true(triage_limit_infos[i].fails[0] && triage_limit_infos[i].unit[0]);
	}
}

static void add(enum triage_limit limit, int32_t pid, const char *path, uint64_t in_use, uint64_t bound,
		uint64_t refused)
{
	struct triage_row row = {.limit = limit,
				 .pid = pid,
				 .path = (char *)(uintptr_t)path,
				 .in_use = in_use,
				 .bound = bound,
				 .refused = refused};
	assert_int_equal(triage_add(&t, &row), 0);
}

static void test_rank(void **state)
{
	static const struct {
		enum triage_limit limit;
		int32_t pid;
	} wanted[] = {
		{TRIAGE_PIDS_MAX, 0},    {TRIAGE_MEMORY_MAX, 0},  {TRIAGE_DEAD_NAMESPACE, 9}, {TRIAGE_AS, 8},
		{TRIAGE_STACK, 5},       {TRIAGE_STACK, 6},       {TRIAGE_MEMLOCK, 2},        {TRIAGE_NOFILE, 1},
		{TRIAGE_TMPFS_BYTES, 0}, {TRIAGE_TMPFS_BYTES, 0},
	};
	(void)state;
	add(TRIAGE_TMPFS_BYTES, 0, "/b", 1, 100, 0);
	add(TRIAGE_TMPFS_BYTES, 0, "/a", 1, 100, 0);
	add(TRIAGE_NOFILE, 1, NULL, 50, 100, 0);
	add(TRIAGE_MEMLOCK, 2, NULL, 5, 10, 0);
	add(TRIAGE_STACK, 6, NULL, 51, 100, 0);
	add(TRIAGE_STACK, 5, NULL, 510, 1000, 0);
	add(TRIAGE_AS, 8, NULL, 999999, 1000000, 0);
	add(TRIAGE_MEMORY_MAX, 0, "/x", 1, 100, 4); /* has refused: first, however little is in use now */
	add(TRIAGE_PIDS_MAX, 0, "/x", 2, 100, 1);
	add(TRIAGE_DEAD_NAMESPACE, 9, NULL, 0, 0, 0);
	triage_rank(&t);
	assert_int_equal(t.count, ARRAY_SIZE(wanted));
	for (size_t i = 0; i < t.count; i++) {
		assert_int_equal(t.row[i].limit, wanted[i].limit);
		assert_int_equal(t.row[i].pid, wanted[i].pid);
	}
	assert_string_equal(t.row[8].path, "/a");
	assert_int_equal(t.row[3].basis_points, 9999); /* rounded down: there is room */
	assert_int_equal(triage_near(&t, 9000), 2);
	assert_int_equal(triage_near(&t, 10000), 1);
	assert_int_equal(triage_near(&t, 100), 10);
}

static void test_no_rows(void **state)
{
	(void)state;
	add(TRIAGE_AS, 1, NULL, 5, ENOMEM_UNLIMITED, 0);
	add(TRIAGE_AS, 1, NULL, ENOMEM_ABSENT, 5, 0);
	add(TRIAGE_AS, 1, NULL, 5, ENOMEM_ABSENT, 0);
	add(TRIAGE_HUGE_POOL, 0, NULL, 0, 0, 0); /* nobody set it up */
	add(TRIAGE_MEMLOCK, 1, NULL, 0, 0, 0);
	assert_int_equal(t.count, 0);
	add(TRIAGE_PIDS_MAX, 0, "/x", 0, 0, 0); /* but nobody may enter this group */
	add(TRIAGE_AS, 1, NULL, 7, 2, 0);       /* a limit set below what is in use */
	assert_int_equal(t.count, 2);
	assert_int_equal(t.row[0].basis_points, 10000);
	assert_int_equal(t.row[1].basis_points, 35000);
}

static void test_thin(void **state)
{
	(void)state;
	for (int i = 1; i <= 6; i++)
		add(TRIAGE_STACK, i, NULL, 95 - 10 * (uint64_t)i, 100, 0);
	add(TRIAGE_STACK, 7, NULL, 95, 100, 0);
	add(TRIAGE_PIDS_MAX, 0, "/a", 1, 100, 1);
	add(TRIAGE_PIDS_MAX, 0, "/b", 1, 100, 0);
	add(TRIAGE_PIDS_MAX, 0, "/c", 1, 100, 0);
	triage_rank(&t);
	triage_thin(&t, 9000, 1);
	assert_int_equal(t.count, 4);
	assert_int_equal(t.left_out, 6);
	assert_string_equal(t.row[0].path, "/a");
	assert_int_equal(t.row[1].pid, 7);
	assert_int_equal(t.row[2].pid, 1);
	assert_string_equal(t.row[3].path, "/b");
}

static void test_process(void **state)
{
	(void)state;
	s.rlimit[RLIMIT_AS] = 11 * MB + 1; /* whole pages count */
	s.rlimit[RLIMIT_DATA] = 5 * MB;
	s.rlimit[RLIMIT_STACK] = 8 * MB;
	s.rlimit[RLIMIT_MEMLOCK] = 64 * KB;
	s.status.value[STATUS_VM_LOCKED] = 60 * KB;
	s.rlimit[RLIMIT_NPROC] = 8;
	s.rlimit[RLIMIT_NOFILE] = 1024;
	hard[RLIMIT_NOFILE] = 1500;
	hard[RLIMIT_AS] = 11 * MB + 1;
	assert_int_equal(triage_process(&t, &s, hard, 1000), 0);
	assert_row(TRIAGE_AS, 10 * MB, 11 * MB);
	assert_row(TRIAGE_DATA, 4 * MB, 5 * MB);
	assert_row(TRIAGE_STACK, 132 * KB, 8 * MB);
	assert_row(TRIAGE_MEMLOCK, 60 * KB, 64 * KB);
	assert_row(TRIAGE_NPROC, 7, 8);
	assert_row(TRIAGE_NOFILE, 1000, 1024);
	assert_row(TRIAGE_MAP_COUNT, 30, 65531); /* do_mmap() lets one more in than the sysctl says */
	assert_row(TRIAGE_ADDRESS_SPACE, 10 * MB, 10 * MB + (1ULL << 46));
	assert_null(row_of(TRIAGE_LARGEST_AREA)); /* smaps was not read */
	assert_null(row_of(TRIAGE_DEAD_NAMESPACE));
	assert_null(row_of(TRIAGE_COMMIT_RATIO));
	triage_rank(&t);
	assert_int_equal(t.row[0].limit, TRIAGE_NOFILE);
	assert_string_equal(triage_what(&t.row[0], text, sizeof(text)), "process 4711 (server)");
	assert_fix(TRIAGE_NOFILE, "prlimit --pid=4711 --nofile=1500:");
	assert_fix(TRIAGE_AS, "prlimit --pid=4711 --as=23068674  # needs CAP_SYS_RESOURCE");
	assert_fix(TRIAGE_DATA, "prlimit --pid=4711 --data=10485760:");
	assert_fix(TRIAGE_STACK, "prlimit --pid=4711 --stack=16777216:");
	assert_fix(TRIAGE_MEMLOCK, "prlimit --pid=4711 --memlock=131072:");
	assert_fix(TRIAGE_NPROC, "prlimit --pid=4711 --nproc=16:");
	assert_fix(TRIAGE_MAP_COUNT, "sysctl -w vm.max_map_count=131060");
	assert_show(TRIAGE_AS, "grep -h -e VmSize -e 'Max address space' /proc/4711/status /proc/4711/limits");
	assert_show(TRIAGE_NPROC, "ps -L -U 1000 -o tid= | wc -l; grep 'Max processes' /proc/4711/limits");
	assert_show(TRIAGE_NOFILE,
		    "ls /proc/4711/fd | awk '$1 < 1024' | wc -l; grep 'Max open files' /proc/4711/limits");
}

/* Without its limit, its numbers or its reason, each row is gone. */
static void test_process_without(void **state)
{
	(void)state;
	s.status.uid = 0; /* root is exempt, and what he may lock has no limit with this capability */
	s.status.cap_effective = 1ULL << 14;
	s.rlimit[RLIMIT_NPROC] = 8;
	s.rlimit[RLIMIT_MEMLOCK] = 64 * KB;
	s.rlimit[RLIMIT_NOFILE] = 1024;
	s.maps_seen = false; /* somebody else's process */
	assert_int_equal(triage_process(&t, &s, hard, ENOMEM_ABSENT), 0);
	assert_int_equal(t.count, 0);
}

static void test_fork(void **state)
{
	(void)state;
	s.commit_seen = true;
	s.commit = (struct smaps_commit){.fork_charge_bytes = 300 * MB, .largest_area_bytes = 500 * MB};
	s.pidns_children_dead = true;
	assert_int_equal(triage_process(&t, &s, hard, 3), 0);
	assert_row(TRIAGE_LARGEST_AREA, 500 * MB, 512 * MB); /* mode 0 */
	assert_row(TRIAGE_DEAD_NAMESPACE, 0, 0);
	triage_rank(&t);
	assert_int_equal(t.row[0].limit, TRIAGE_DEAD_NAMESPACE);
	assert_int_equal(t.row[0].basis_points, 10000);
	assert_fix(TRIAGE_LARGEST_AREA, "sysctl -w vm.overcommit_memory=1");
	triage_free(&t);

	s.sysctl[SYSCTL_OVERCOMMIT_MEMORY] = 2;
	s.sysctl[SYSCTL_ADMIN_RESERVE_KBYTES] = 8192;
	s.sysctl[SYSCTL_USER_RESERVE_KBYTES] = 131072;
	s.meminfo.value[MEMINFO_COMMIT_LIMIT] = 256 * MB;
	s.meminfo.value[MEMINFO_COMMITTED_AS] = 100 * MB;
	/* Less admin_reserve, a 32nd of the process (80 pages of 2560) and the page that must be left. */
	uint64_t bound = 256 * MB - 8 * MB - 80 * 4 * KB - 4 * KB;
	assert_int_equal(triage_process(&t, &s, hard, 3), 0);
	assert_row(TRIAGE_COMMIT_RATIO, 400 * MB, bound);
	assert_null(row_of(TRIAGE_LARGEST_AREA));
	assert_fix(TRIAGE_COMMIT_RATIO, "sysctl -w vm.overcommit_ratio=100");
	triage_free(&t);

	s.sysctl[SYSCTL_OVERCOMMIT_KBYTES] = 262144;
	assert_int_equal(triage_machine(&t, &s, true), 0);
	assert_row(TRIAGE_COMMIT_KBYTES, 100 * MB, bound);
	assert_fix(TRIAGE_COMMIT_KBYTES, "sysctl -w vm.overcommit_kbytes=524288");
}

static void test_machine(void **state)
{
	(void)state;
	s.vmstat.value[VMSTAT_OOM_KILL] = 3;
	s.meminfo.value[MEMINFO_HUGEPAGES_TOTAL] = 10;
	s.meminfo.value[MEMINFO_HUGEPAGES_FREE] = 4;
	s.meminfo.value[MEMINFO_HUGEPAGES_RSVD] = 3;
	s.meminfo.value[MEMINFO_HUGEPAGES_SURP] = 0;
	s.meminfo.value[MEMINFO_HUGEPAGE_SIZE] = 2 * MB;
	s.sysctl[SYSCTL_NR_OVERCOMMIT_HUGEPAGES] = 0;
	assert_int_equal(triage_machine(&t, &s, true), 0);
	assert_row(TRIAGE_PID_MAX, 100, 32468);
	assert_row(TRIAGE_THREADS_MAX, 100, 3500);
	assert_row(TRIAGE_RAM, 112 * MB, 512 * MB);
	assert_row(TRIAGE_HUGE_POOL, 9, 10);
	assert_int_equal(row_of(TRIAGE_RAM)->refused, 3);
	assert_fix(TRIAGE_PID_MAX, "sysctl -w kernel.pid_max=65536");
	assert_fix(TRIAGE_THREADS_MAX, "sysctl -w kernel.threads-max=7000");
	assert_fix(TRIAGE_HUGE_POOL, "sysctl -w vm.nr_overcommit_hugepages=10");
	assert_null(row_of(TRIAGE_SWAP));
	triage_free(&t);
	/* For one process, other processes' kills and a pool it may not use are nothing to tell. */
	s.meminfo.value[MEMINFO_SWAP_TOTAL] = 160 * MB;
	s.meminfo.value[MEMINFO_SWAP_FREE] = 1 * MB;
	assert_int_equal(triage_machine(&t, &s, false), 0);
	assert_row(TRIAGE_SWAP, 271 * MB, 672 * MB);
	assert_null(row_of(TRIAGE_HUGE_POOL));
	triage_free(&t);
	/* Unless that is asked for: one without pages refuses every request. */
	t.huge_pool = true;
	s.meminfo.value[MEMINFO_HUGEPAGES_TOTAL] = s.meminfo.value[MEMINFO_HUGEPAGES_FREE] = 0;
	s.meminfo.value[MEMINFO_HUGEPAGES_RSVD] = 0;
	assert_int_equal(triage_machine(&t, &s, false), 0);
	assert_row(TRIAGE_HUGE_POOL, 0, 0);
	assert_fix(TRIAGE_HUGE_POOL, "sysctl -w vm.nr_overcommit_hugepages=1");
	assert_row(TRIAGE_SWAP, 271 * MB, 672 * MB);
	assert_int_equal(row_of(TRIAGE_SWAP)->refused, 0);
	assert_null(row_of(TRIAGE_RAM));
}

/* With the directory of the test for each @. */
static const char *with_root(const char *command)
{
	static char full[2048];
	size_t used = 0;
	for (; *command && used + sizeof(root) < sizeof(full); command++) {
		if (*command != '@') {
			full[used++] = *command;
			continue;
		}
		memcpy(full + used, root, sizeof(root) - 1);
		used += sizeof(root) - 1;
	}
	full[used] = '\0';
	return full;
}

static void assert_group_fix(enum triage_limit limit, const char *command)
{
	assert_fix(limit, with_root(command));
}

static void assert_group_show(enum triage_limit limit, const char *command)
{
	assert_show(limit, with_root(command));
}

static void put_v2(void)
{
	put("memory.current", "104857600\n");
	put("memory.max", "125829120\n");
	put("memory.high", "110100480\n");
	put("memory.swap.current", "1048576\n");
	put("memory.swap.max", "2097152\n");
	put("memory.stat", "anon 1\nfile 20971520\ninactive_file 4194304\nactive_file 6291456\n");
	put("memory.events", "low 0\nhigh 3\nmax 9\noom 1\noom_kill 0\n");
	put("memory.events.local", "low 0\nhigh 3\nmax 7\noom 1\noom_kill 0\n");
	put("pids.current", "90\n");
	put("pids.max", "100\n");
	put("pids.events", "max 12\n");
}

static void test_group_v2(void **state)
{
	(void)state;
	put_v2();
	assert_int_equal(triage_group(&t, root, CGROUP_V2, 1U << CGROUP_MEMORY | 1U << CGROUP_PIDS), 0);
	assert_row(TRIAGE_MEMORY_MAX, 90 * MB, 120 * MB); /* file pages are dropped before anybody is killed */
	assert_row(TRIAGE_MEMORY_HIGH, 90 * MB, 105 * MB);
	assert_row(TRIAGE_SWAP_MAX, 1 * MB, 2 * MB);
	assert_row(TRIAGE_PIDS_MAX, 90, 100);
	assert_int_equal(t.count, 4);
	assert_int_equal(row_of(TRIAGE_MEMORY_MAX)->refused, 7); /* here, not in the groups below */
	assert_string_equal(row_of(TRIAGE_MEMORY_MAX)->counter, "memory.events max");
	assert_int_equal(row_of(TRIAGE_MEMORY_HIGH)->refused, 0);
	assert_int_equal(row_of(TRIAGE_PIDS_MAX)->refused, 12);
	assert_group_fix(TRIAGE_MEMORY_MAX, "echo 251658240 > @/memory.max");
	assert_group_fix(TRIAGE_MEMORY_HIGH, "echo 220200960 > @/memory.high");
	assert_group_fix(TRIAGE_SWAP_MAX, "echo 4194304 > @/memory.swap.max");
	assert_group_fix(TRIAGE_PIDS_MAX, "echo 200 > @/pids.max");
	assert_group_show(TRIAGE_MEMORY_MAX,
			  "grep -H . @/memory.current @/memory.max @/memory.events; grep -E '^(in)?active_file' "
			  "@/memory.stat");
	assert_group_show(TRIAGE_PIDS_MAX, "grep -H . @/pids.current @/pids.max @/pids.events");
	triage_free(&t);
	/* Kills say more than charges that met the limit; without limits there is nothing to say. */
	put("memory.events", "low 0\nhigh 3\nmax 9\noom 1\noom_kill 2\n");
	put("pids.max", "max\n");
	assert_int_equal(triage_group(&t, root, CGROUP_V2, 1U << CGROUP_MEMORY | 1U << CGROUP_PIDS), 0);
	assert_int_equal(row_of(TRIAGE_MEMORY_MAX)->refused, 2);
	assert_string_equal(row_of(TRIAGE_MEMORY_MAX)->counter, "memory.events oom_kill");
	assert_null(row_of(TRIAGE_PIDS_MAX));
	triage_free(&t);
	put("memory.max", "max\n");
	put("memory.high", "max\n");
	put("memory.swap.max", "max\n");
	assert_int_equal(triage_group(&t, root, CGROUP_V2, 1U << CGROUP_MEMORY | 1U << CGROUP_PIDS), 0);
	assert_int_equal(t.count, 0);
	assert_int_equal(t.groups, 1);
}

static void test_group_v1(void **state)
{
	(void)state;
	put("memory.usage_in_bytes", "104857600\n");
	put("memory.limit_in_bytes", "125829120\n");
	put("memory.stat", "inactive_file 1\nactive_file 1\ntotal_swap 0\ntotal_inactive_file 4194304\n"
			   "total_active_file 6291456\n");
	put("memory.failcnt", "5\n");
	put("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
	put("memory.kmem.usage_in_bytes", "4096\n");
	put("memory.kmem.limit_in_bytes", "9223372036854771712\n");
	put("memory.memsw.limit_in_bytes", "9223372036854771712\n");
	assert_int_equal(triage_group(&t, root, CGROUP_V1, 1U << CGROUP_MEMORY), 0);
	assert_int_equal(t.count, 1);
	assert_row(TRIAGE_MEMORY_MAX, 90 * MB, 120 * MB);
	assert_int_equal(row_of(TRIAGE_MEMORY_MAX)->refused, 5);
	assert_string_equal(row_of(TRIAGE_MEMORY_MAX)->counter, "memory.failcnt");
	assert_group_fix(TRIAGE_MEMORY_MAX, "echo 251658240 > @/memory.limit_in_bytes");
	assert_group_show(TRIAGE_MEMORY_MAX,
			  "grep -H . @/memory.usage_in_bytes @/memory.limit_in_bytes @/memory.failcnt; grep -E "
			  "'^total_(in)?active_file' @/memory.stat");
	triage_free(&t);
	/* Where memory and swap together are limited, that sum must go up first, by as much. */
	put("memory.memsw.limit_in_bytes", "135829120\n");
	put("memory.stat", "total_swap 8000000\ntotal_inactive_file 0\ntotal_active_file 0\n");
	put("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 6\n");
	put("memory.kmem.limit_in_bytes", "8192\n");
	put("memory.kmem.failcnt", "2\n");
	put("memory.kmem.tcp.usage_in_bytes", "1048576\n");
	put("memory.kmem.tcp.limit_in_bytes", "2097152\n");
	put("memory.kmem.tcp.failcnt", "3\n");
	assert_int_equal(triage_group(&t, root, CGROUP_V1, 1U << CGROUP_MEMORY), 0);
	assert_row(TRIAGE_MEMORY_MAX, 100 * MB, 120 * MB);
	assert_row(TRIAGE_SWAP_MAX, 8000000, 10000000);
	assert_row(TRIAGE_KMEM_MAX, 4096, 8192);
	assert_int_equal(row_of(TRIAGE_KMEM_MAX)->refused, 2);
	assert_row(TRIAGE_TCP_MAX, 1048576, 2097152);
	assert_int_equal(row_of(TRIAGE_TCP_MAX)->refused, 3);
	assert_int_equal(row_of(TRIAGE_MEMORY_MAX)->refused, 6);
	assert_group_fix(TRIAGE_MEMORY_MAX,
			 "echo 261658240 > @/memory.memsw.limit_in_bytes && echo 251658240 > @/memory.limit_in_bytes");
	assert_group_fix(TRIAGE_SWAP_MAX, "echo 145829120 > @/memory.memsw.limit_in_bytes");
	assert_group_fix(TRIAGE_KMEM_MAX, "echo 16384 > @/memory.kmem.limit_in_bytes");
	assert_group_fix(TRIAGE_TCP_MAX, "echo 4194304 > @/memory.kmem.tcp.limit_in_bytes");
	triage_free(&t);
	put("pids.current", "4\n");
	put("pids.max", "4\n");
	put("pids.events", "max 0\n");
	assert_int_equal(triage_group(&t, root, CGROUP_V1, 1U << CGROUP_PIDS), 0);
	assert_int_equal(t.count, 1);
	assert_row(TRIAGE_PIDS_MAX, 4, 4);
	assert_int_equal(row_of(TRIAGE_PIDS_MAX)->refused, 0);
	assert_group_fix(TRIAGE_PIDS_MAX, "echo 8 > @/pids.max");
}

static void test_group_hugetlb(void **state)
{
	struct cgroup_numbers numbers;
	(void)state;
	for (unsigned i = 0; i < CGROUP_VALUE_COUNT; i++)
		numbers.value[i] = ENOMEM_ABSENT;
	numbers.value[CGROUP_HUGETLB_CURRENT] = 8 * MB;
	numbers.value[CGROUP_HUGETLB_MAX] = 10 * MB;
	numbers.value[CGROUP_HUGETLB_RSVD_CURRENT] = 4 * MB;
	numbers.value[CGROUP_HUGETLB_RSVD_MAX] = 10 * MB;
	numbers.value[CGROUP_HUGETLB_EVENTS_MAX] = 3;
	t.huge_page = 2 * MB;
	assert_int_equal(triage_group_numbers(&t, "/g", CGROUP_V2, &numbers, ENOMEM_ABSENT), 0);
	assert_fix(TRIAGE_HUGE_GROUP, "echo 20971520 > /g/hugetlb.2MB.max");
	assert_fix(TRIAGE_HUGE_GROUP_RESERVED, "echo 20971520 > /g/hugetlb.2MB.rsvd.max");
	assert_int_equal(row_of(TRIAGE_HUGE_GROUP)->refused, 3);
	triage_free(&t);
	t.huge_page = 1ULL << 30;
	assert_int_equal(triage_group_numbers(&t, "/g", CGROUP_V1, &numbers, ENOMEM_ABSENT), 0);
	assert_fix(TRIAGE_HUGE_GROUP, "echo 20971520 > /g/hugetlb.1GB.limit_in_bytes");
	assert_show(TRIAGE_HUGE_GROUP, "grep -H . /g/hugetlb.1GB.usage_in_bytes /g/hugetlb.1GB.limit_in_bytes "
				       "/g/hugetlb.1GB.failcnt");
}

/* A group's limit binds what is below it: from the group up to the top, and all of a hierarchy, each once. */
static void test_hierarchy(void **state)
{
	char dir[256];
	struct cgroup_system sys = {0};
	(void)state;
	assert_int_equal(mkdir(in_root("a"), 0700), 0);
	assert_int_equal(mkdir(in_root("a/b"), 0700), 0);
	assert_int_equal(mkdir(in_root("c"), 0700), 0);
	put("a/pids.current", "5\n");
	put("a/pids.max", "10\n");
	put("a/b/pids.current", "5\n");
	put("a/b/pids.max", "6\n");
	put("c/pids.current", "1\n");
	put("c/pids.max", "2\n");
	(void)snprintf(dir, sizeof(dir), "%s", in_root("a/b"));
	assert_int_equal(triage_group_and_above(&t, dir, root, CGROUP_V2, 1U << CGROUP_PIDS), 0);
	triage_rank(&t);
	assert_int_equal(t.count, 2);
	assert_string_equal(t.row[0].path, dir);
	assert_string_equal(t.row[1].path, in_root("a"));
	assert_int_equal(t.groups, 3);
	triage_free(&t);
	for (unsigned c = CGROUP_MEMORY; c <= CGROUP_PIDS; c++) {
		sys.at[c].version = CGROUP_V2;
		(void)snprintf(sys.at[c].mount, sizeof(sys.at[c].mount), "%s", root);
	}
	assert_int_equal(triage_all_groups(&t, &sys), 0);
	assert_int_equal(t.count, 3);
	assert_int_equal(t.groups, 4);
	triage_free(&t);
	sys.at[CGROUP_PIDS].version = CGROUP_V1; /* hybrid: both mounts are walked */
	assert_int_equal(triage_all_groups(&t, &sys), 0);
	assert_int_equal(t.count, 3);
	assert_int_equal(t.groups, 8);
}

static void test_tmpfs(void **state)
{
	struct statfs fs = {.f_type = TMPFS_MAGIC, .f_bsize = 4096, .f_blocks = 100, .f_bfree = 10};
	(void)state;
	fs.f_files = 50;
	fs.f_ffree = 20;
	assert_int_equal(triage_tmpfs(&t, "/mnt/it's here", &fs), 0);
	assert_row(TRIAGE_TMPFS_BYTES, 368640, 409600);
	assert_row(TRIAGE_TMPFS_FILES, 30, 50);
	assert_fix(TRIAGE_TMPFS_BYTES, "mount -o remount,size=819200 '/mnt/it'\\''s here'");
	assert_fix(TRIAGE_TMPFS_FILES, "mount -o remount,nr_inodes=100 '/mnt/it'\\''s here'");
	assert_show(TRIAGE_TMPFS_FILES, "df -i '/mnt/it'\\''s here'");
	triage_free(&t);
	fs.f_blocks = fs.f_bfree = fs.f_files = fs.f_ffree = 0; /* size=0: without a limit */
	assert_int_equal(triage_tmpfs(&t, "/a", &fs), 0);
	fs.f_blocks = 100;
	fs.f_type = EXT4_SUPER_MAGIC;
	assert_int_equal(triage_tmpfs(&t, "/a", &fs), 0);
	assert_int_equal(t.count, 0);
}

static void test_shm(void **state)
{
	static const char head[] = "       key      shmid perms                  size  cpid  lpid nattch\n";
	static const char rows[] = "         0          0   666                  4097   123   123      1\n"
				   "  -1234567      32769   600              10485760   123   123      1\n";
	(void)state;
	(void)snprintf(text, sizeof(text), "%s%s", head, rows);
	assert_int_equal(triage_shm(&t, text, 2600, 4), 0);
	assert_row(TRIAGE_SHM_BYTES, 2562, 2600);
	assert_row(TRIAGE_SHM_SEGMENTS, 2, 4);
	assert_fix(TRIAGE_SHM_BYTES, "sysctl -w kernel.shmall=5200");
	assert_fix(TRIAGE_SHM_SEGMENTS, "sysctl -w kernel.shmmni=8");
	triage_free(&t);
	(void)snprintf(text, sizeof(text), "%s%s", head, rows);
	assert_int_equal(triage_shm(&t, text, 18446744073692774399U, 4096), 0); /* the default is no limit */
	assert_null(row_of(TRIAGE_SHM_BYTES));
	triage_free(&t);
	assert_int_equal(triage_shm(&t, head, 0, 4096), 0);
	assert_int_equal(triage_shm(&t, "", 0, 4096), 0);
	assert_int_equal(t.count, 0);
}

static void test_ipc(void **state)
{
	struct sysv_numbers sysv = {
		.msgmni = 4, .queues = 3, .semmsl = 250, .semmns = 25, .semmni = 128, .semaphores = 20, .sets = 2};
	(void)state;
	assert_int_equal(triage_ipc(&t, &sysv, 0), 0);
	assert_row(TRIAGE_IPC_QUEUES, 3, 4);
	assert_row(TRIAGE_IPC_SETS, 2, 128);
	assert_row(TRIAGE_IPC_SEMAPHORES, 20, 25);
	assert_fix(TRIAGE_IPC_QUEUES, "sysctl -w kernel.msgmni=8");
	assert_fix(TRIAGE_IPC_SETS,
		   "sysctl -w kernel.sem=\"$(sysctl -n kernel.sem | awk \"{print \\$1, \\$2, \\$3, 256}\")\"");
	assert_fix(TRIAGE_IPC_SEMAPHORES,
		   "sysctl -w kernel.sem=\"$(sysctl -n kernel.sem | awk \"{print \\$1, 50, \\$3, \\$4}\")\"");
	triage_free(&t);
	sysv.msgmni = sysv.semmni = 32000; /* the defaults: no more than IPCMNI is taken */
	sysv.semmns = 1024000000;
	assert_int_equal(triage_ipc(&t, &sysv, 0), 0);
	assert_fix(TRIAGE_IPC_QUEUES, "sysctl -w kernel.msgmni=32768");
	assert_fix(TRIAGE_IPC_SETS,
		   "sysctl -w kernel.sem=\"$(sysctl -n kernel.sem | awk \"{print \\$1, \\$2, \\$3, 32768}\")\"");
	assert_fix(TRIAGE_IPC_SEMAPHORES,
		   "sysctl -w kernel.sem=\"$(sysctl -n kernel.sem | awk \"{print \\$1, 2048000000, \\$3, \\$4}\")\"");
	triage_free(&t);
	sysv.msgmni = sysv.semmni = 32768; /* and at that there is nothing to raise */
	sysv.semmns = INT32_MAX;
	assert_int_equal(triage_ipc(&t, &sysv, 0), 0);
	assert_fix(TRIAGE_IPC_QUEUES, "ipcs -q; ipcrm -q ID");
	assert_fix(TRIAGE_IPC_SETS, "ipcs -s; ipcrm -s ID");
	assert_fix(TRIAGE_IPC_SEMAPHORES, "ipcs -s; ipcrm -s ID");
	sysv.msgmni = 4;
	triage_free(&t);
	sysv.queues = sysv.semaphores = sysv.sets = 0;
	assert_int_equal(triage_ipc(&t, &sysv, 0), 0);
	assert_int_equal(t.count, 0);
	sysv.queues = 5; /* lowered below what there is */
	assert_int_equal(triage_ipc(&t, &sysv, 7), 0);
	assert_int_equal(t.count, 1);
	assert_fix(TRIAGE_IPC_QUEUES, "nsenter -i -t 7 sh -c 'sysctl -w kernel.msgmni=10'");
}

static void test_parse_symptom(void **state)
{
	static const char *const bad[] = {"",
					  "mmap",
					  "mmap=",
					  "=ENOMEM",
					  "mmap=EWHAT",
					  "mmap=12",
					  "mmap=enomem",
					  "sing=ENOMEM",
					  "SIG",
					  "SIGTERM",
					  "KILL",
					  "stalls",
					  "SIGKILL=ENOMEM",
					  "mmap=ENOMEM ",
					  "a-name-that-is-much-longer-than-any-call-has=ENOMEM"};
	struct triage_symptom symptom = {.error = 77};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(triage_parse_symptom(bad[i], &symptom), -EINVAL);
		assert_int_equal(symptom.error, 77);
	}
	assert_int_equal(triage_parse_symptom("clone3=EAGAIN", &symptom), 0);
	assert_string_equal(symptom.call->name, "clone3");
	assert_int_equal(symptom.error, EAGAIN);
	assert_int_equal(symptom.signal, 0);
	assert_int_equal(triage_parse_symptom("SIGBUS", &symptom), 0);
	assert_null(symptom.call);
	assert_int_equal(symptom.signal, SIGBUS);
	assert_int_equal(triage_parse_symptom("stall", &symptom), 0);
	assert_null(symptom.call);
	assert_int_equal(symptom.signal, 0);
}

static void assert_first(const char *what, enum triage_limit limit)
{
	struct triage_symptom symptom;
	assert_int_equal(triage_parse_symptom(what, &symptom), 0);
	triage_apply_symptom(&t, &symptom, &s);
	triage_rank(&t);
	assert_string_equal(triage_limit_infos[t.row[0].limit].cause, triage_limit_infos[limit].cause);
	assert_true(t.row[0].fits);
}

/* One process with several limits: what was refused tells which one it was. */
static void test_symptom(void **state)
{
	(void)state;
	s.rlimit[RLIMIT_AS] = 64 * MB;
	s.rlimit[RLIMIT_DATA] = 128 * MB;
	s.rlimit[RLIMIT_MEMLOCK] = 64 * KB;
	s.rlimit[RLIMIT_STACK] = 8 * MB;
	s.rlimit[RLIMIT_NPROC] = 10;
	s.rlimit[RLIMIT_NOFILE] = 1024;
	s.status.value[STATUS_VM_LOCKED] = 32 * KB;
	assert_int_equal(triage_process(&t, &s, hard, 1000), 0);
	assert_int_equal(triage_machine(&t, &s, false), 0);
	triage_rank(&t); /* not knowing: the fullest */
	assert_int_equal(t.row[0].limit, TRIAGE_NOFILE);
	assert_false(t.row[0].fits);
	assert_first("mmap=ENOMEM", TRIAGE_AS);
	assert_first("brk=ENOMEM", TRIAGE_AS);
	assert_first("mremap=ENOMEM", TRIAGE_AS);
	assert_first("mlock=ENOMEM", TRIAGE_MEMLOCK);
	assert_first("mlockall=ENOMEM", TRIAGE_MEMLOCK);
	assert_first("mmap=EAGAIN", TRIAGE_MEMLOCK);
	assert_first("clone=EAGAIN", TRIAGE_NPROC);
	assert_first("SIGSEGV", TRIAGE_STACK);
	assert_first("SIGKILL", TRIAGE_RAM);
}

static void test_symptom_distance(void **state)
{
	(void)state;
	/* The nearer of two on bytes, whichever is fuller: 60 of 64 MB leave more room than 1 of 4. */
	s.rlimit[RLIMIT_AS] = 64 * MB;
	s.status.value[STATUS_VM_SIZE] = 60 * MB;
	s.rlimit[RLIMIT_DATA] = 4 * MB;
	s.status.value[STATUS_VM_DATA] = 1 * MB;
	assert_int_equal(triage_process(&t, &s, hard, 3), 0);
	triage_rank(&t);
	assert_int_equal(t.row[0].limit, TRIAGE_AS);
	assert_first("mmap=ENOMEM", TRIAGE_DATA);
	/* A full count comes before any number of bytes, one that is far from full after. */
	triage_free(&t);
	s.maps.count = 65531;
	assert_int_equal(triage_process(&t, &s, hard, 3), 0);
	assert_first("mmap=ENOMEM", TRIAGE_MAP_COUNT);
	assert_int_equal(t.row[0].distance, 0);
	triage_free(&t);
	s.maps.count = 30;
	s.rlimit[RLIMIT_AS] = s.rlimit[RLIMIT_DATA] = ENOMEM_UNLIMITED;
	assert_int_equal(triage_process(&t, &s, hard, 3), 0);
	assert_first("mmap=ENOMEM", TRIAGE_ADDRESS_SPACE);
}

static void test_quote(void **state)
{
	(void)state;
	assert_string_equal(triage_quote("/sys/fs/cgroup/a.slice", text, sizeof(text)), "/sys/fs/cgroup/a.slice");
	assert_string_equal(triage_quote("/a\\x2db", text, sizeof(text)), "'/a\\x2db'");
	assert_string_equal(triage_quote("/a;reboot", text, sizeof(text)), "'/a;reboot'");
	assert_string_equal(triage_quote("", text, sizeof(text)), "''");
	assert_string_equal(triage_quote("/it's", text, sizeof(text)), "'/it'\\''s'");
	assert_string_equal(triage_quote("a\nb\tc\x1b'\\1", text, sizeof(text)), "$'a\\nb\\tc\\033\\'\\\\1'");
	assert_string_equal(triage_quote("\xe2\x80\xaex\xc2\x9b", text, sizeof(text)), "$'\\342\\200\\256x\\302\\233'");
	assert_string_equal(triage_quote("\xc3\xa4\xe2\x80\x93", text, sizeof(text)), "'\xc3\xa4\xe2\x80\x93'");
	char small[12];
	assert_string_equal(triage_quote("a\nb\nc\nd\ne", small, sizeof(small)), "$'a\\nb'");
}

/* Names are what somebody else chose: they may not break the JSON, nor a table of Markdown. */
static void test_formats(void **state)
{
	struct triage_report report = {.kind = "machine", .top = 2, .threshold = 9000};
	(void)state;
	strcpy(s.status.comm, "a|b\033[2J\xff`");
	s.rlimit[RLIMIT_NOFILE] = 1000;
	assert_int_equal(triage_process(&t, &s, hard, 950), 0);
	add(TRIAGE_PIDS_MAX, 0, "/x", 2, 100, 1);
	t.row[t.count - 1].kind = TRIAGE_OF_GROUP;
	t.row[t.count - 1].counter = "pids.events max";
	t.processes = 3;
	t.unreadable_processes = 1;
	triage_rank(&t);
	json_auto_t *json = triage_json(&t, &report);
	assert_non_null(json);
	const json_t *rows = json_object_get(json, "rows");
	assert_int_equal(json_array_size(rows), 2);
	assert_int_equal(json_integer_value(json_object_get(json, "near")), 1);
	const json_t *first = json_array_get(rows, 0), *second = json_array_get(rows, 1);
	assert_string_equal(json_string_value(json_object_get(first, "cause")), "pids-max");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(first, "refused"), "count")), 1);
	assert_string_equal(json_string_value(json_object_get(second, "cause")), "rlimit-nofile");
	assert_int_equal(json_integer_value(json_object_get(second, "in_use")), 950);
	assert_int_equal(json_integer_value(json_object_get(second, "pid")), 4711);
	assert_null(json_object_get(second, "refused"));
	char *written = NULL;
	size_t size;
	FILE *out = open_memstream(&written, &size);
	triage_print_markdown(&t, &report, out);
	(void)fclose(out);
	assert_non_null(
		strstr(written, "| 1 | pids-max | group /x | 2 tasks | 100 tasks | 2.0% | 1 (pids.events max) |"));
	assert_non_null(strstr(written, "process 4711 (a\\|b?"));
	assert_null(strchr(written, '\033'));
	assert_non_null(strstr(written, "1 of 4 limits at or above 90.0%."));
	assert_non_null(strstr(written, "of 1 of 3 processes could not be read"));
	free(written);
}

#define TEST(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)

/* --- huge pages -------------------------------------------------------------------------------------------------- */

#define HUGE_DEVICE 0x2a /* of the mount that is asked */

static bool fd_is_of_hugetlbfs(uint64_t fd, void *data, struct triage_huge *ret)
{
	if (fd != *(const uint64_t *)data)
		return false;
	ret->device = HUGE_DEVICE;
	ret->log2_size = 21;
	return true;
}

static bool parse_huge(const char *syscall, struct triage_huge *ret)
{
	uint64_t fd = 3;
	return triage_parse_huge(syscall, fd_is_of_hugetlbfs, &fd, ret);
}

/* /proc/PID/syscall of held scenarios: the pool's mmap() and shmget(), the hugetlbfs's mmap() and fallocate(). */
static void test_huge_calls(void **state)
{
	static const char *const others[] = {
		"running\n",
		"-1 0x7ffd0 0x7f31c\n",
		"",
		"9\n",
		"9 0x0 0x400000 0x3 0x22 0xffffffffffffffff 0x0 0x7ffd0 0x7f31c\n", /* ordinary pages */
		"9 0x0 0x200000 0x3 0x1 0x4 0x0 0x7ffd0 0x7f31c\n",                 /* another file system */
		"29 0x0 0x400000 0x3b6 0x0 0x0 0x0 0x7ffd0 0x7f31c\n",
		"285 0x4 0x0 0x400000 0x200000 0x0 0x0 0x7ffd0 0x7f31c\n",
		"0 0x3 0x0 0x400000 0x40022 0x0 0x0 0x7ffd0 0x7f31c\n", /* read() */
	};
	struct triage_huge h;
	(void)state;
	assert_true(parse_huge("9 0x0 0x400000 0x3 0x40022 0xffffffffffffffff 0x0 0x7ffd0 0x7f31c\n", &h));
	assert_string_equal(h.call->name, "mmap");
	assert_int_equal(h.asked, 4 * MB);
	assert_int_equal(h.log2_size, 0);
	assert_true(parse_huge("9 0x0 0x1000000 0x3 0x60040022 0xffffffffffffffff 0x0 0x7ffd0 0x7f31c\n", &h));
	assert_int_equal(h.log2_size, 24);
	assert_true(parse_huge("9 0x0 0x200000 0x3 0x1 0x3 0x400000 0x7ffd0 0x7f31c\n", &h));
	assert_int_equal(h.asked, 2 * MB);
	assert_int_equal(h.device, HUGE_DEVICE);
	assert_int_equal(h.log2_size, 21);
	assert_true(parse_huge("29 0x0 0x400000 0x54000bb6 0x0 0x0 0x0 0x7ffd0 0x7f31c\n", &h));
	assert_string_equal(h.call->name, "shmget");
	assert_int_equal(h.log2_size, 21);
	assert_int_equal(h.device, 0);
	assert_true(parse_huge("285 0x3 0x0 0x400000 0x200000 0x0 0x0 0x7ffd0 0x7f31c\n", &h));
	assert_string_equal(h.call->name, "fallocate");
	assert_int_equal(h.asked, 2 * MB);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_false(parse_huge(others[i], &h));
		assert_null(h.call);
	}
	assert_true(triage_has_huge_pages("Name:\tx\nHugetlbPages:\t    6144 kB\nCoreDumping:\t0\n"));
	assert_false(triage_has_huge_pages("Name:\tx\nHugetlbPages:\t       0 kB\nCoreDumping:\t0\n"));
	assert_false(triage_has_huge_pages("Name:\tHugetlbPages: 1\n"));
}

/* The pool of the held scenario: three pages, two of them promised, two more asked for; one page is free. */
static void pool_of_three(uint64_t asked)
{
	s.meminfo.value[MEMINFO_HUGEPAGES_TOTAL] = s.meminfo.value[MEMINFO_HUGEPAGES_FREE] = 3;
	s.meminfo.value[MEMINFO_HUGEPAGES_RSVD] = 2;
	s.meminfo.value[MEMINFO_HUGEPAGES_SURP] = 0;
	s.meminfo.value[MEMINFO_HUGEPAGE_SIZE] = t.huge_page = 2 * MB;
	s.sysctl[SYSCTL_NR_OVERCOMMIT_HUGEPAGES] = 0;
	t.huge = (struct triage_huge){.call = call_by_name("mmap"), .asked = asked};
	t.huge_pool = true;
	assert_int_equal(triage_machine(&t, &s, false), 0);
}

static void test_huge_symptoms(void **state)
{
	struct statfs fs = {.f_type = HUGETLBFS_MAGIC, .f_bsize = 2 * MB, .f_blocks = 2, .f_bfree = 0};
	(void)state;
	s.rlimit[RLIMIT_AS] = 10 * MB + 64 * KB; /* nearly full: 64 KiB are left */
	pool_of_three(4 * MB);
	assert_int_equal(triage_process(&t, &s, hard, 3), 0);
	assert_row(TRIAGE_HUGE_POOL, 2, 3);
	assert_first("mmap=ENOMEM", TRIAGE_HUGE_POOL);
	assert_true(row_of(TRIAGE_HUGE_POOL)->fits);
	assert_int_equal(row_of(TRIAGE_HUGE_POOL)->distance, 0);
	assert_fix(TRIAGE_HUGE_POOL, "sysctl -w vm.nr_overcommit_hugepages=3");
	/* Of one page there is one: that call it would have granted. */
	triage_free(&t);
	pool_of_three(2 * MB);
	assert_int_equal(triage_process(&t, &s, hard, 3), 0);
	assert_first("mmap=ENOMEM", TRIAGE_AS);
	assert_int_not_equal(row_of(TRIAGE_HUGE_POOL)->distance, 0);
	/* Nor is it about what another call was refused. */
	triage_free(&t);
	pool_of_three(4 * MB);
	assert_first("clone=EAGAIN", TRIAGE_THREADS_MAX);
	assert_false(row_of(TRIAGE_HUGE_POOL)->fits);
	/* A hugetlbfs with nothing left refuses what the pool has: of its own files. */
	triage_free(&t);
	pool_of_three(2 * MB);
	t.huge.device = HUGE_DEVICE;
	assert_int_equal(triage_hugetlbfs(&t, "/dev/huge pages", HUGE_DEVICE, &fs), 0);
	assert_row(TRIAGE_HUGETLBFS, 4 * MB, 4 * MB);
	assert_first("mmap=ENOMEM", TRIAGE_HUGETLBFS);
	assert_show(TRIAGE_HUGETLBFS, "df -B1 '/dev/huge pages'");
	assert_fix(TRIAGE_HUGETLBFS, "umount '/dev/huge pages' && mount -t hugetlbfs -o size=8388608,pagesize=2097152 "
				     "hugetlbfs '/dev/huge pages'  # a mounted one keeps its size");
	assert_first("SIGBUS", TRIAGE_HUGETLBFS);
	/* One page left is enough for one more. */
	triage_free(&t);
	pool_of_three(4 * MB);
	fs.f_blocks = 8;
	fs.f_bfree = 2;
	t.huge.device = HUGE_DEVICE;
	assert_int_equal(triage_hugetlbfs(&t, "/mnt", HUGE_DEVICE, &fs), 0);
	assert_first("mmap=ENOMEM", TRIAGE_HUGE_POOL);
	assert_int_not_equal(row_of(TRIAGE_HUGETLBFS)->distance, 0);
	/* Without size= there is no limit; another file system's is not this one. */
	triage_free(&t);
	fs.f_blocks = fs.f_bfree = 0;
	assert_int_equal(triage_hugetlbfs(&t, "/mnt", HUGE_DEVICE, &fs), 0);
	fs = (struct statfs){.f_type = TMPFS_MAGIC, .f_bsize = 4096, .f_blocks = 8};
	assert_int_equal(triage_hugetlbfs(&t, "/mnt", HUGE_DEVICE, &fs), 0);
	assert_int_equal(t.count, 0);
}

/* A full hugetlbfs refuses neither what is asked of none nor what is asked of another one. */
static void test_huge_other_mount(void **state)
{
	const struct statfs full = {.f_type = HUGETLBFS_MAGIC, .f_bsize = 2 * MB, .f_blocks = 2, .f_bfree = 0};
	const dev_t devices[] = {0, HUGE_DEVICE + 1};
	(void)state;
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		triage_free(&t);
		pool_of_three(4 * MB);
		t.huge.device = devices[i];
		assert_int_equal(triage_hugetlbfs(&t, "/mnt", HUGE_DEVICE, &full), 0);
		assert_first("mmap=ENOMEM", TRIAGE_HUGE_POOL);
		assert_false(row_of(TRIAGE_HUGETLBFS)->fits);
	}
}

/* MAP_HUGE_1GB, where the default is 2 MiB: neither the default pool nor the group's 2 MiB pages are asked. */
static void test_huge_other_size(void **state)
{
	struct cgroup_numbers n;
	(void)state;
	for (unsigned i = 0; i < CGROUP_VALUE_COUNT; i++)
		n.value[i] = ENOMEM_ABSENT;
	n.value[CGROUP_HUGETLB_RSVD_CURRENT] = n.value[CGROUP_HUGETLB_RSVD_MAX] = 4 * MB;
	pool_of_three(1ULL << 30);
	t.huge.log2_size = 30;
	assert_int_equal(triage_group_numbers(&t, root, CGROUP_V2, &n, 0), 0);
	const struct triage_symptom symptom = {.call = call_by_name("mmap"), .error = ENOMEM};
	triage_apply_symptom(&t, &symptom, &s);
	assert_false(row_of(TRIAGE_HUGE_POOL)->fits);
	assert_int_not_equal(row_of(TRIAGE_HUGE_POOL)->distance, 0);
	assert_false(row_of(TRIAGE_HUGE_GROUP_RESERVED)->fits);
	/* Its own pool has one page left, and refuses two. */
	t.huge.own_pool = true;
	t.huge.asked = 2ULL << 30;
	assert_first("mmap=ENOMEM", TRIAGE_HUGE_POOL);
	assert_int_equal(row_of(TRIAGE_HUGE_POOL)->distance, 0);
	assert_show(TRIAGE_HUGE_POOL, "grep . /sys/kernel/mm/hugepages/hugepages-1048576kB/*");
	assert_fix(TRIAGE_HUGE_POOL, "echo 5 > /sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages");
	t.huge.log2_size = 25;
	t.huge.asked = 2ULL << 25;
	assert_fix(TRIAGE_HUGE_POOL, "echo 3 > /sys/kernel/mm/hugepages/hugepages-32768kB/nr_overcommit_hugepages");
	t.huge.asked = 1ULL << 25;
	triage_apply_symptom(&t, &symptom, &s);
	assert_int_not_equal(row_of(TRIAGE_HUGE_POOL)->distance, 0);
}

/* hugetlb.rsvd.max of 4 MiB, nothing of it used, 6 MiB asked for; and the limit on what is used, for faults. */
static void test_huge_groups(void **state)
{
	struct cgroup_numbers n;
	(void)state;
	for (unsigned i = 0; i < CGROUP_VALUE_COUNT; i++)
		n.value[i] = ENOMEM_ABSENT;
	n.value[CGROUP_HUGETLB_CURRENT] = n.value[CGROUP_HUGETLB_MAX] = 4 * MB;
	n.value[CGROUP_HUGETLB_RSVD_CURRENT] = 0;
	n.value[CGROUP_HUGETLB_RSVD_MAX] = 4 * MB;
	t.huge_page = 2 * MB;
	t.huge = (struct triage_huge){.call = call_by_name("mmap"), .asked = 6 * MB};
	assert_int_equal(triage_group_numbers(&t, root, CGROUP_V2, &n, 0), 0);
	assert_first("mmap=ENOMEM", TRIAGE_HUGE_GROUP_RESERVED);
	assert_int_equal(row_of(TRIAGE_HUGE_GROUP_RESERVED)->distance, 0);
	assert_false(row_of(TRIAGE_HUGE_GROUP)->fits);
	t.huge.asked = 4 * MB;
	assert_first("mmap=ENOMEM", TRIAGE_HUGE_GROUP_RESERVED);
	assert_int_not_equal(row_of(TRIAGE_HUGE_GROUP_RESERVED)->distance, 0);
	assert_first("SIGBUS", TRIAGE_HUGE_GROUP);
	assert_false(row_of(TRIAGE_HUGE_GROUP_RESERVED)->fits);
	assert_true(row_of(TRIAGE_HUGE_GROUP)->fits);
}

static void test_huge_size(void **state)
{
	(void)state;
	assert_int_equal(triage_huge_size(&t), 0);
	assert_null(row_of(TRIAGE_HUGE_SIZE));
	t.huge = (struct triage_huge){.call = call_by_name("shmget"), .log2_size = 24, .no_such_size = true};
	assert_int_equal(triage_huge_size(&t), 0);
	assert_first("shmget=EINVAL", TRIAGE_HUGE_SIZE);
	assert_true(row_of(TRIAGE_HUGE_SIZE)->fits);
	assert_show(TRIAGE_HUGE_SIZE, "ls /sys/kernel/mm/hugepages");
	/* Another call's errno is not about it. */
	const struct triage_symptom other = {.call = call_by_name("mmap"), .error = EINVAL};
	triage_apply_symptom(&t, &other, &s);
	assert_false(row_of(TRIAGE_HUGE_SIZE)->fits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ids),
		TEST(test_rank),
		TEST(test_no_rows),
		TEST(test_thin),
		TEST(test_process),
		TEST(test_process_without),
		TEST(test_fork),
		TEST(test_machine),
		TEST(test_group_v2),
		TEST(test_group_v1),
		TEST(test_group_hugetlb),
		TEST(test_hierarchy),
		TEST(test_tmpfs),
		TEST(test_shm),
		TEST(test_ipc),
		TEST(test_quote),
		TEST(test_parse_symptom),
		TEST(test_symptom),
		TEST(test_symptom_distance),
		TEST(test_huge_calls),
		TEST(test_huge_symptoms),
		TEST(test_huge_other_mount),
		TEST(test_huge_other_size),
		TEST(test_huge_groups),
		TEST(test_huge_size),
		TEST(test_formats),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
