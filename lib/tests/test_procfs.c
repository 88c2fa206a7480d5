// SPDX-License-Identifier: MIT
/*
 * Parsers of /proc texts: captured texts give the numbers in them, hostile and truncated ones give an error and nothing
 * else.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "cleanup.h"
#include "number.h"
#include "procfs.h"

#define UNTOUCHED 0x5a

static char text[65536];

static void load(const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), TEST_DATA "/procfs/%s", name);
	if (procfs_read_at(AT_FDCWD, path, text, sizeof(text)) <= 0)
		fail_msg("cannot read %s", path);
}

static void assert_untouched(const void *result, size_t size)
{
	for (size_t i = 0; i < size; i++)
		assert_int_equal(((const unsigned char *)result)[i], UNTOUCHED);
}

static void test_meminfo(void **state)
{
	struct meminfo m;

	(void)state;
	load("meminfo-6.18");
	assert_int_equal(procfs_parse_meminfo(text, &m), 0);
	assert_int_equal(m.value[MEMINFO_MEM_TOTAL], 24684092ULL * 1024);
	assert_int_equal(m.value[MEMINFO_MLOCKED], 17448 * 1024);
	assert_int_equal(m.value[MEMINFO_COMMITTED_AS], 69980 * 1024);
	assert_int_equal(m.value[MEMINFO_COMMIT_LIMIT], 12342044ULL * 1024);
	assert_int_equal(m.value[MEMINFO_KERNEL_STACK], 1460 * 1024);
	assert_int_equal(m.value[MEMINFO_SWAP_TOTAL], 0);
	assert_int_equal(m.value[MEMINFO_HUGEPAGES_TOTAL], 0);
	assert_int_equal(m.value[MEMINFO_HUGEPAGE_SIZE], 2048 * 1024);
	for (unsigned i = 0; i < MEMINFO_COUNT; i++)
		assert_true(m.value[i] < ENOMEM_ABSENT);
}

static void test_meminfo_keys(void **state)
{
	struct meminfo m;

	(void)state;
	assert_int_equal(procfs_parse_meminfo("", &m), 0);
	for (unsigned i = 0; i < MEMINFO_COUNT; i++)
		assert_true(m.value[i] == ENOMEM_ABSENT);
	/* Near misses of a key, and unknown lines of any kind, are not ours. */
	assert_int_equal(procfs_parse_meminfo(
				 "XMemTotal: 1 kB\nMemTotalX: 2 kB\n MemTotal: 3 kB\nMemTota: 4 kB\nmemtotal: 5 kB\n"
				 "SReclaimableX: x\nno colon\n\n:\nMemFree 6 kB\n",
				 &m),
			 0);
	assert_true(m.value[MEMINFO_MEM_TOTAL] == ENOMEM_ABSENT && m.value[MEMINFO_MEM_FREE] == ENOMEM_ABSENT);
	/* HugePages_* have no unit and are counts. */
	assert_int_equal(procfs_parse_meminfo("MemTotal: 7 kB\nHugePages_Total:       5\n", &m), 0);
	assert_int_equal(m.value[MEMINFO_MEM_TOTAL], 7168);
	assert_int_equal(m.value[MEMINFO_HUGEPAGES_TOTAL], 5);
	assert_true(m.value[MEMINFO_MEM_FREE] == ENOMEM_ABSENT);
}

static void test_meminfo_bad(void **state)
{
	static const char *const bad[] = {
		"MemTotal:\n",
		"MemTotal: kB\n",
		"MemTotal: -1 kB\n",
		"MemTotal: 1 MB\n",
		"MemTotal: 1 kBx\n",
		"MemTotal: 1kB\n",
		"MemTotal: 0x1 kB\n",
		"MemTotal: 1 2 kB\n",
		"MemTotal: 18014398509481984 kB\n",        /* 2^64 bytes */
		"HugePages_Total: 18446744073709551615\n", /* would read as "unlimited" */
		"HugePages_Total: 184467440737095516160\n",
		"MemFree: 1 kB\nMemTotal: 24684092 kB", /* cut off, perhaps within the number */
		"MemTotal: 24684",
		"MemTotal:",
	};
	struct meminfo m;

	(void)state;
	memset(&m, UNTOUCHED, sizeof(m));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (procfs_parse_meminfo(bad[i], &m) != -EBADMSG)
			fail_msg("accepted: %s", bad[i]);
	}
	assert_untouched(&m, sizeof(m));
}

static void test_vmstat(void **state)
{
	struct vmstat v;

	(void)state;
	load("vmstat-6.18");
	assert_int_equal(procfs_parse_vmstat(text, &v), 0);
	assert_int_equal(v.value[VMSTAT_OOM_KILL], 4);
	assert_int_equal(v.value[VMSTAT_PGFAULT], 2022758);
	assert_int_equal(v.value[VMSTAT_PGMAJFAULT], 1645);
	assert_int_equal(v.value[VMSTAT_HTLB_BUDDY_ALLOC_FAIL], 0);
	assert_int_equal(procfs_parse_vmstat("oom_kill_x 3\noom_kill 2\nxoom_kill 1\n", &v), 0);
	assert_int_equal(v.value[VMSTAT_OOM_KILL], 2);
	assert_true(v.value[VMSTAT_PGFAULT] == ENOMEM_ABSENT);
	memset(&v, UNTOUCHED, sizeof(v));
	assert_int_equal(procfs_parse_vmstat("pgfault 1\noom_kill x\n", &v), -EBADMSG);
	assert_int_equal(procfs_parse_vmstat("pgfault 1\noom_kill 12", &v), -EBADMSG);
	assert_untouched(&v, sizeof(v));
}

static void test_status(void **state)
{
	struct process_status s;

	(void)state;
	load("status-6.18");
	assert_int_equal(procfs_parse_status(text, &s), 0);
	/* Set with prctl(PR_SET_NAME): the kernel wrote it as "a b\n\\Vm:" with its two escapes. */
	assert_string_equal(s.comm, "a b\n\\Vm:");
	assert_int_equal(s.state, 'R');
	assert_int_equal(s.tgid, 7365);
	assert_int_equal(s.uid, 0);
	assert_int_equal(s.cap_effective, 0x1fffeffffff);
	assert_int_equal(s.value[STATUS_VM_SIZE], 9760 * 1024);
	assert_int_equal(s.value[STATUS_VM_LOCKED], 4096);
	assert_int_equal(s.value[STATUS_VM_DATA], 8360 * 1024);
	assert_int_equal(s.value[STATUS_RSS], 716 * 1024);
	assert_int_equal(s.value[STATUS_VM_STACK], 132 * 1024);
	assert_int_equal(s.value[STATUS_THREADS], 1);
	assert_int_equal(s.value[STATUS_SECCOMP_FILTERS], 0);
}

static void test_status_edges(void **state)
{
	struct process_status s;

	(void)state;
	/* A kernel thread: no Vm lines at all. */
	assert_int_equal(procfs_parse_status("Name:\tkthreadd\nState:\tS (sleeping)\nThreads:\t1\n", &s), 0);
	assert_string_equal(s.comm, "kthreadd");
	assert_true(s.value[STATUS_VM_SIZE] == ENOMEM_ABSENT && s.cap_effective == ENOMEM_ABSENT);
	assert_true(s.tgid == -1 && s.uid == UINT32_MAX);
	assert_int_equal(procfs_parse_status("", &s), 0);
	assert_true(s.comm[0] == '\0' && s.state == '\0' && s.value[STATUS_THREADS] == ENOMEM_ABSENT);
	/* Names that look like something else: blanks first, keys, escapes that are none, octal, too long. */
	assert_int_equal(procfs_parse_status("Name:\t\t VmRSS: 5 kB\nVmRSS:\t 3 kB\n", &s), 0);
	assert_string_equal(s.comm, "\t VmRSS: 5 kB");
	assert_int_equal(s.value[STATUS_RSS], 3072);
	assert_int_equal(procfs_parse_status("Name:\t\\012\\x\\\\n\\000\\8\\\n", &s), 0);
	assert_string_equal(s.comm, "\n\\x\\n\\000\\8\\");
	assert_int_equal(procfs_parse_status(
				 "Name:\t0123456789012345678901234567890123456789012345678901234567890123456789\n", &s),
			 0);
	assert_int_equal(strlen(s.comm), sizeof(s.comm) - 1);
	assert_int_equal(procfs_parse_status("Uid:\t4294967294\t0\t0\t0\nState:\tt (tracing stop)\n", &s), 0);
	assert_true(s.uid == 4294967294U && s.state == 't');
}

/* "SigQ: 8/96365": the second number is the limit, which /proc/PID/limits has as well. */
static void test_signals_queued(void **state)
{
	static const char *const bad[] = {"",
					  "SigQ:\t8/9",
					  "Name:\tx\n",
					  "\nSigQ:\t8\n",
					  "\nSigQ:\t/8\n",
					  "\nSigQ:\tx/8\n",
					  "\nSigQ:\t-1/8\n",
					  "\nSigQ:\t99999999999999999999/8\n"};
	uint64_t queued = 7;

	(void)state;
	load("status-6.18");
	assert_int_equal(procfs_parse_signals_queued(text, &queued), 0);
	assert_int_equal(queued, 0);
	assert_int_equal(
		procfs_parse_signals_queued("Name:\tSigQ:\\nSigQ:\t5/5\nSigQ:\t8/96365\nSigPnd:\t0\n", &queued), 0);
	assert_int_equal(queued, 8);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(procfs_parse_signals_queued(bad[i], &queued), -EBADMSG);
	assert_int_equal(queued, 8);
}

static void test_status_bad(void **state)
{
	static const char *const bad[] = {
		"VmRSS:\t12",
		"VmRSS:\tx kB\n",
		"Name:x\n",
		"Name:\tcut",
		"State:\t\n",
		"State:\t1\n",
		"State:\tRunning\n",
		"Tgid:\t2147483648\n",
		"Tgid:\t-1\n",
		"Tgid:\t12",
		"Uid:\t4294967296\t0\n",
		"Uid:\tx\n",
		"Uid:\t1x\n",
		"CapEff:\t\n",
		"CapEff:\t000001fffefffffg\n",
		"CapEff:\t00000000000000000\n",
		"CapEff:\t0000",
		"State:\tR (run",
	};
	struct process_status s;

	(void)state;
	memset(&s, UNTOUCHED, sizeof(s));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (procfs_parse_status(bad[i], &s) != -EBADMSG)
			fail_msg("accepted: %s", bad[i]);
	}
	assert_untouched(&s, sizeof(s));
}

static void test_loadavg(void **state)
{
	static const char *const bad[] = {
		"",
		"\n",
		"0.47 0.17 0.21\n",
		"0.47 0.17 0.21 1/91",
		"0.47 0.17 0.21 1/9",
		"0.47 0.17 0.21 1/ 5\n",
		"0.47 0.17 0.21 /91 5\n",
		"0.47 0.17 1/91 5\n",
		"0.47 0.17 0.21 191 5\n",
		"0.47 0.17 0.21 1/-91 5\n",
		"0.47  0.21 1/91 5\n",
		"0.47 0.17 0.21 1/18446744073709551615 5\n",
	};
	uint64_t tasks = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (procfs_parse_loadavg_tasks(bad[i], &tasks) != -EBADMSG)
			fail_msg("accepted: %s", bad[i]);
	}
	assert_int_equal(tasks, 7);
	load("loadavg-6.18");
	assert_int_equal(procfs_parse_loadavg_tasks(text, &tasks), 0);
	assert_int_equal(tasks, 91);
}

static void test_limits(void **state)
{
	uint64_t soft[PROCFS_RLIMITS], hard[PROCFS_RLIMITS];

	(void)state;
	load("limits-6.18");
	assert_int_equal(procfs_parse_limits(text, soft), 0);
	assert_int_equal(soft[RLIMIT_AS], 1024000000);
	assert_int_equal(soft[RLIMIT_NOFILE], 256); /* soft, not hard */
	assert_int_equal(soft[RLIMIT_NPROC], 5000);
	assert_int_equal(soft[RLIMIT_STACK], 8388608);
	assert_int_equal(soft[RLIMIT_MEMLOCK], 8388608);
	assert_int_equal(soft[RLIMIT_CORE], 0);
	assert_true(soft[RLIMIT_DATA] == ENOMEM_UNLIMITED && soft[RLIMIT_RTTIME] == ENOMEM_UNLIMITED);
	assert_int_equal(soft[RLIMIT_NICE], 0);
	for (unsigned i = 0; i < PROCFS_RLIMITS; i++)
		assert_true(soft[i] != ENOMEM_ABSENT);
	assert_int_equal(procfs_parse_hard_limits(text, hard), 0);
	assert_int_equal(hard[RLIMIT_NOFILE], 20000);
	assert_int_equal(hard[RLIMIT_NPROC], 96365);
	/* The same of this very process, against getrlimit(). */
	assert_true(procfs_read_at(AT_FDCWD, "/proc/self/limits", text, sizeof(text)) > 0);
	assert_int_equal(procfs_parse_limits(text, soft), 0);
	assert_int_equal(procfs_parse_hard_limits(text, hard), 0);
	for (unsigned i = 0; i < PROCFS_RLIMITS; i++) {
		struct rlimit limit;

		assert_int_equal(getrlimit((int)i, &limit), 0);
		assert_true(soft[i] == (limit.rlim_cur == RLIM_INFINITY ? ENOMEM_UNLIMITED : limit.rlim_cur));
		assert_true(hard[i] == (limit.rlim_max == RLIM_INFINITY ? ENOMEM_UNLIMITED : limit.rlim_max));
	}
}

static void test_hard_cpu_limit(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t seconds;
	} row[] = {
		{"Max cpu time              1                    70                   seconds   \n", 0, 70},
		{"Max cpu time              0                    0                    seconds   \n", 0, 0},
		{"Limit  Soft\nMax cpu time              60                   unlimited            seconds\n", 0,
		 ENOMEM_UNLIMITED},
		{"", -ENODATA, 0},
		{"Max cpu times 1 2 s\n", -ENODATA, 0},
		{" Max cpu time 1 2 seconds\n", -ENODATA, 0},
		{"Max cpu time 1\nMax file size 5 6 bytes\n", -EBADMSG, 0},
		{"Max cpu time              1                    x                    seconds\n", -EBADMSG, 0},
		{"Max cpu time              1                    -1                   seconds\n", -EBADMSG, 0},
		{"Max cpu time ", -EBADMSG, 0},
		{"Max cpu time 1 99999999999999999999999999999999999999 s\n", -EBADMSG, 0},
	};
	struct rlimit limit;
	uint64_t seconds;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		seconds = 12345;
		assert_int_equal(procfs_parse_hard_cpu_limit(row[i].text, &seconds), row[i].result);
		assert_true(seconds == (row[i].result ? 12345 : row[i].seconds));
	}
	load("limits-6.18");
	assert_int_equal(procfs_parse_hard_cpu_limit(text, &seconds), 0);
	assert_true(seconds == ENOMEM_UNLIMITED);
	assert_true(procfs_read_at(AT_FDCWD, "/proc/self/limits", text, sizeof(text)) > 0);
	assert_int_equal(procfs_parse_hard_cpu_limit(text, &seconds), 0);
	assert_int_equal(getrlimit(RLIMIT_CPU, &limit), 0);
	assert_true(seconds == (limit.rlim_max == RLIM_INFINITY ? ENOMEM_UNLIMITED : limit.rlim_max));
}

static void test_limits_edges(void **state)
{
	static const char *const bad[] = {
		"Max address space         x            unlimited            bytes\n",
		"Max address space         unlimite            unlimited            bytes\n",
		"Max address space         unlimitedx            unlimited            bytes\n",
		"Max address space         -1            unlimited            bytes\n",
		"Max address space         \n",
		"Max address space         1024\n",
		"Max address space         unlimited",
	};
	uint64_t soft[PROCFS_RLIMITS];

	(void)state;
	assert_int_equal(procfs_parse_limits("Max processes of a kind   5   6   x\nMax open  9  9  x\nMax open files   "
					     "18446744073709551614  1\n",
					     soft),
			 0);
	assert_true(soft[RLIMIT_NPROC] == ENOMEM_ABSENT && soft[RLIMIT_NOFILE] == ENOMEM_UNLIMITED);
	memset(soft, UNTOUCHED, sizeof(soft));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (procfs_parse_limits(bad[i], soft) != -EBADMSG || procfs_parse_hard_limits(bad[i], soft) != -EBADMSG)
			fail_msg("accepted: %s", bad[i]);
	}
	assert_untouched(soft, sizeof(soft));
}

static void test_cgroup(void **state)
{
	char path[64];

	(void)state;
	load("cgroup-hybrid-6.18");
	/* A path may hold colons and commas. */
	assert_int_equal(procfs_parse_cgroup(text, "memory", path, sizeof(path)), 14);
	assert_string_equal(path, "/session/7:a,b");
	assert_int_equal(procfs_parse_cgroup(text, "pids", path, sizeof(path)), 1);
	assert_string_equal(path, "/");
	assert_int_equal(procfs_parse_cgroup(text, "", path, sizeof(path)), 1);
	assert_int_equal(procfs_parse_cgroup(text, "name=systemd", path, sizeof(path)), 1);
	assert_int_equal(procfs_parse_cgroup(text, "hugetlb", path, sizeof(path)), -ENOENT);
	assert_int_equal(procfs_parse_cgroup(text, "cpu", path, sizeof(path)), 1);
	load("cgroup-v2");
	assert_true(procfs_parse_cgroup(text, "", path, sizeof(path)) > 0);
	assert_string_equal(path, "/user.slice/user-1000.slice/enomem-run.scope");
	assert_int_equal(procfs_parse_cgroup(text, "memory", path, sizeof(path)), -ENOENT);
}

static void test_cgroup_edges(void **state)
{
	static const char *const bad[] = {"x\n",          "4\n",         "4:memory\n",    "4:memory:\n",
					  "4:memory:x\n", ":memory:/\n", "\n4:memory:/\n"};
	char path[8] = "before";

	(void)state;
	assert_int_equal(procfs_parse_cgroup("", "memory", path, sizeof(path)), -ENOENT);
	/* Elements of a list, whole ones only, and never words of a path. */
	assert_int_equal(procfs_parse_cgroup("3:cpu,cpuacct:/a\n2:xmemory,memoryx:/b\n1:name=x:/memory:/c\n", "memory",
					     path, sizeof(path)),
			 -ENOENT);
	assert_int_equal(procfs_parse_cgroup("5:name=::/b\n0::/a\n", "", path, sizeof(path)), -EBADMSG);
	assert_int_equal(procfs_parse_cgroup("5::/b\n0::/a\n", "", path, sizeof(path)), 2);
	assert_string_equal(path, "/a");
	assert_int_equal(procfs_parse_cgroup("3:cpu,memory:/m\n", "memory", path, sizeof(path)), 2);
	assert_int_equal(procfs_parse_cgroup("3:memory,cpu:/m\n", "memory", path, sizeof(path)), 2);
	/* Exactly fitting and one too long. */
	assert_int_equal(procfs_parse_cgroup("0::/234567\n", "", path, sizeof(path)), 7);
	assert_int_equal(procfs_parse_cgroup("0::/2345678\n", "", path, sizeof(path)), -ENAMETOOLONG);
	assert_int_equal(procfs_parse_cgroup("0::/\n", "", path, 0), -ENAMETOOLONG);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (procfs_parse_cgroup(bad[i], "memory", path, sizeof(path)) != -EBADMSG)
			fail_msg("accepted: %s", bad[i]);
	}
	assert_string_equal(path, "/234567");
}

/* The last of four: the one that files and keys are counted for. */
static void test_file_uid(void **state)
{
	(void)state;
	assert_int_equal(procfs_parse_file_uid("Name:\tx\nUid:\t0\t1\t2\t1000\nGid:\t5\t6\t7\t8\n"), 1000);
	assert_int_equal(procfs_parse_file_uid("Name:\tx\nUid:\t0\t1\t2\nGid:\t5\t6\t7\t8\n"), UINT32_MAX);
	assert_int_equal(procfs_parse_file_uid("Name:\tx\nUid:\t0\t1\t2\t\n"), UINT32_MAX);
	assert_int_equal(procfs_parse_file_uid("Name:\tx\n"), UINT32_MAX);
	assert_true(procfs_maps_root_to_root("         0          0 4294967295\n"));
	assert_false(procfs_maps_root_to_root("         0       1000          1\n"));
	assert_false(procfs_maps_root_to_root("      1000          0          1\n"));
	assert_false(procfs_maps_root_to_root("         0 "));
	assert_false(procfs_maps_root_to_root(""));
}

/* As keys-limit read it on 6.12: the user with four keys of four. */
static void test_key_users(void **state)
{
	static const char users[] = "    0:    11 10/10 4/1000000 66/25000000\n"
				    "54321:     5 4/4 4/4 93/20000\n"
				    "123456789:     1 1/1 1/200 9/20000\n";
	static const char *const bad[] = {"x", "    0:    11 10/10 4/1000000\n", "0: 1 1/1 1/1 1/1",
					  "0: 1 1/1 1/1 -1/1\n", "0 1 1/1 1/1 1/1\n"};
	uint64_t keys = 1, keys_max = 2, bytes = 3, bytes_max = 4;
	(void)state;
	assert_int_equal(procfs_parse_key_users(users, 7, &keys, &keys_max, &bytes, &bytes_max), -ENODATA);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(procfs_parse_key_users(bad[i], 0, &keys, &keys_max, &bytes, &bytes_max), -EBADMSG);
	assert_true(keys == 1 && keys_max == 2 && bytes == 3 && bytes_max == 4);
	assert_int_equal(procfs_parse_key_users(users, 54321, &keys, &keys_max, &bytes, &bytes_max), 0);
	assert_true(keys == 4 && keys_max == 4 && bytes == 93 && bytes_max == 20000);
	assert_int_equal(procfs_parse_key_users(users, 0, &keys, &keys_max, &bytes, &bytes_max), 0);
	assert_true(keys == 4 && keys_max == 1000000 && bytes == 66 && bytes_max == 25000000);
	assert_int_equal(procfs_parse_key_users(users, 123456789, &keys, &keys_max, &bytes, &bytes_max), 0);
	assert_true(keys == 1 && bytes == 9);
	assert_int_equal(procfs_parse_key_users("", 0, &keys, &keys_max, &bytes, &bytes_max), -ENODATA);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_meminfo),        cmocka_unit_test(test_meminfo_keys),
		cmocka_unit_test(test_meminfo_bad),    cmocka_unit_test(test_vmstat),
		cmocka_unit_test(test_status),         cmocka_unit_test(test_status_edges),
		cmocka_unit_test(test_signals_queued), cmocka_unit_test(test_key_users),
		cmocka_unit_test(test_status_bad),     cmocka_unit_test(test_loadavg),
		cmocka_unit_test(test_limits),         cmocka_unit_test(test_hard_cpu_limit),
		cmocka_unit_test(test_limits_edges),   cmocka_unit_test(test_cgroup),
		cmocka_unit_test(test_cgroup_edges),   cmocka_unit_test(test_file_uid),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
