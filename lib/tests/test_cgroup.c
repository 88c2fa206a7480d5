// SPDX-License-Identifier: MIT
/*
 * Detection on the text of several machines, reading and setting on trees of plain files. What needs a kernel is in
 * test_cgroup_live.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cgroup-internal.h"
#include "cleanup.h"
#include "number.h"

#define DELEGATED "/user.slice/user-1000.slice/user@1000.service"

static char tree[64]; /* a directory of this test */

static void read_data(const char *machine, const char *file, char *ret, size_t size)
{
	char path[512];
	(void)snprintf(path, sizeof(path), "%s/cgroup/%s/%s", TEST_DATA, machine, file);
	auto_fclose FILE *f = fopen(path, "re");
	assert_non_null(f);
	ret[fread(ret, 1, size - 1, f)] = '\0';
}

static void detect(const char *machine, struct cgroup_system *ret)
{
	char mountinfo[8192], self[2048];
	read_data(machine, "mountinfo", mountinfo, sizeof(mountinfo));
	read_data(machine, "self-cgroup", self, sizeof(self));
	memset(ret, 0xa5, sizeof(*ret));
	assert_int_equal(cgroup_detect(mountinfo, self, tree, ret), 0);
}

static void put(const char *path, const char *text)
{
	char full[1024];
	(void)snprintf(full, sizeof(full), "%s%s", tree, path);
	for (char *p = full + strlen(tree) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		assert_true(mkdir(full, 0755) == 0 || errno == EEXIST);
		*p = '/';
	}
	auto_fclose FILE *f = fopen(full, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
}

static void assert_file(const char *path, const char *text)
{
	char full[1024], buf[256] = "";
	(void)snprintf(full, sizeof(full), "%s%s", tree, path);
	auto_fclose FILE *f = fopen(full, "re");
	assert_non_null(f);
	buf[fread(buf, 1, sizeof(buf) - 1, f)] = '\0';
	assert_string_equal(buf, text);
}

static int make_tree(void **state)
{
	(void)state;
	(void)snprintf(tree, sizeof(tree), "/tmp/enomem-test-XXXXXX");
	return mkdtemp(tree) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static int remove_tree(void **state)
{
	(void)state;
	return nftw(tree, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void assert_at(const struct cgroup_system *sys, unsigned c, enum cgroup_version version, const char *mount,
		      const char *parent)
{
	assert_int_equal(sys->at[c].version, version);
	assert_string_equal(sys->at[c].mount, mount);
	assert_string_equal(sys->at[c].parent, parent);
}

static void hybrid(void **state)
{
	(void)state;
	struct cgroup_system sys;
	put("/sys/fs/cgroup/unified/cgroup.controllers", "hugetlb\n");
	detect("hybrid", &sys);
	assert_at(&sys, CGROUP_MEMORY, CGROUP_V1, "/sys/fs/cgroup/memory",
		  "/process_api/212ceec9ba190facaa4372d70414243e");
	assert_at(&sys, CGROUP_PIDS, CGROUP_V1, "/sys/fs/cgroup/pids", "/");
	assert_at(&sys, CGROUP_HUGETLB, CGROUP_V2, "/sys/fs/cgroup/unified", "/");
	assert_string_equal(sys.unified_mount, "/sys/fs/cgroup/unified");
	assert_string_equal(cgroup_system_name(&sys), "hybrid");
	/* A v2 hierarchy whose controllers cannot be read serves none. */
	put("/sys/fs/cgroup/unified/cgroup.controllers", "");
	detect("hybrid", &sys);
	assert_at(&sys, CGROUP_HUGETLB, CGROUP_NONE, "", "");
	assert_string_equal(cgroup_system_name(&sys), "hybrid");
}

static void systemd_v2(void **state)
{
	(void)state;
	struct cgroup_system sys;
	put("/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory hugetlb pids rdma misc\n");
	put("/sys/fs/cgroup" DELEGATED "/cgroup.controllers", "cpu memory pids\n");
	put("/sys/fs/cgroup" DELEGATED "/app.slice/cgroup.controllers", "memory pids\n");
	put("/sys/fs/cgroup" DELEGATED "/app.slice/run-u12.scope/cgroup.controllers", "memory hugetlbx\n");
	detect("systemd-v2", &sys);
	assert_at(&sys, CGROUP_MEMORY, CGROUP_V2, "/sys/fs/cgroup", DELEGATED "/app.slice/run-u12.scope");
	/* Not passed on to our own group: the nearest one above that has it. */
	assert_at(&sys, CGROUP_PIDS, CGROUP_V2, "/sys/fs/cgroup", DELEGATED "/app.slice");
	assert_at(&sys, CGROUP_HUGETLB, CGROUP_V2, "/sys/fs/cgroup", "/");
	assert_string_equal(cgroup_system_name(&sys), "v2");
}

static void v1_only(void **state)
{
	(void)state;
	struct cgroup_system sys;
	detect("v1", &sys);
	assert_at(&sys, CGROUP_MEMORY, CGROUP_V1, "/sys/fs/cgroup/memory,pids",
		  "/user.slice/user-0.slice/session-1.scope");
	assert_at(&sys, CGROUP_PIDS, CGROUP_V1, "/sys/fs/cgroup/memory,pids",
		  "/user.slice/user-0.slice/session-1.scope");
	assert_at(&sys, CGROUP_HUGETLB, CGROUP_V1, "/sys/fs/cgroup/hugetlb", "/");
	assert_string_equal(sys.unified_mount, "");
	assert_string_equal(cgroup_system_name(&sys), "v1");
}

static void containers(void **state)
{
	(void)state;
	struct cgroup_system sys;
	detect("container-v1", &sys);
	assert_at(&sys, CGROUP_MEMORY, CGROUP_V1, "/sys/fs/cgroup/memory", "/");
	assert_at(&sys, CGROUP_PIDS, CGROUP_V1, "/sys/fs/cgroup/pids", "/inner");
	assert_at(&sys, CGROUP_HUGETLB, CGROUP_NONE, "", "");
	put("/sys/fs/cgroup/cgroup.controllers", "memory pids\n");
	detect("container-v2", &sys);
	assert_at(&sys, CGROUP_PIDS, CGROUP_V2, "/sys/fs/cgroup", "/");
	assert_string_equal(cgroup_system_name(&sys), "v2");
	/* A mount from above our namespace is of no use; one that shows a part without us has only its top. */
	detect("outside-namespace", &sys);
	assert_at(&sys, CGROUP_MEMORY, CGROUP_NONE, "", "");
	assert_at(&sys, CGROUP_PIDS, CGROUP_V1, "/mnt/pids", "/");
	assert_string_equal(sys.unified_mount, "");
}

static void no_cgroups(void **state)
{
	(void)state;
	struct cgroup_system sys;
	detect("none", &sys);
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++)
		assert_at(&sys, c, CGROUP_NONE, "", "");
	assert_string_equal(cgroup_system_name(&sys), "none");
	assert_int_equal(cgroup_detect("", "", "", &sys), 0);
	assert_string_equal(cgroup_system_name(&sys), "none");
}

static void escaped_mount_point(void **state)
{
	(void)state;
	struct cgroup_system sys;
	detect("escaped", &sys);
	assert_at(&sys, CGROUP_MEMORY, CGROUP_V1, "/mnt/my groups\\new\tline", "/a b");
	assert_at(&sys, CGROUP_PIDS, CGROUP_V1, "/mnt/\\999pids", "/");
}

static void prefers_the_mount_that_shows_us(void **state)
{
	(void)state;
	struct cgroup_system sys;
	assert_int_equal(cgroup_detect("1 0 0:1 /other /a rw - cgroup cgroup rw,pids\n"
				       "2 0 0:1 / /b rw - cgroup cgroup rw,pids\n"
				       "3 0 0:1 /mine /c rw - cgroup cgroup rw,pids\n",
				       "1:pids:/mine/x\n", "", &sys),
			 0);
	assert_at(&sys, CGROUP_PIDS, CGROUP_V1, "/b", "/mine/x");
	/* "/min" is not above "/mine". */
	assert_int_equal(cgroup_detect("1 0 0:1 /min /a rw - cgroup cgroup rw,pids\n", "1:pids:/mine\n", "", &sys), 0);
	assert_at(&sys, CGROUP_PIDS, CGROUP_V1, "/a", "/");
}

static void no_mountinfo(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"hello\n",
		"22 27 0:21 / /proc rw,relatime proc proc rw\n",  /* no separator */
		"22 27 0:21 / /proc rw,relatime - proc\n",        /* ends too early */
		"x 27 0:21 / /proc rw,relatime - proc proc rw\n", /* id */
		"22 27 021 / /proc rw,relatime - proc proc rw\n", /* device */
		"22 27 0:21 / proc rw,relatime - proc proc rw\n", /* mount point */
		"22 27 0:21 / /proc rw - proc proc rw\n\n",       /* empty line */
	};
	struct cgroup_system sys;
	memset(&sys, 0x5a, sizeof(sys));
	struct cgroup_system before = sys;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(cgroup_detect(bad[i], "0::/\n", "", &sys), -EBADMSG);
	assert_memory_equal(&sys, &before, sizeof(sys));
	assert_int_equal(cgroup_detect("22 27 0:21 / /proc rw - proc proc rw", "", "", &sys), 0);
}

static void value_names(void **state)
{
	(void)state;
	assert_int_equal(cgroup_value_by_name("memory.max"), CGROUP_MEMORY_MAX);
	assert_int_equal(cgroup_value_by_name("hugetlb.rsvd.max"), CGROUP_HUGETLB_RSVD_MAX);
	assert_int_equal(cgroup_value_by_name("memory.maxx"), -ENOENT);
	assert_int_equal(cgroup_value_by_name("memory.ma"), -ENOENT);
	assert_null(cgroup_value_files[CGROUP_MEMORY_HIGH].v1_file);
	assert_string_equal(cgroup_value_files[CGROUP_MEMORY_EVENTS_MAX].v1_file, "memory.failcnt");
}

/* A group made of plain files. */
static void fake_group(struct cgroup *cg, enum cgroup_version version)
{
	cgroup_init(cg);
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		cg->system.at[c].version = version;
		(void)snprintf(cg->system.at[c].mount, sizeof(cg->system.at[c].mount), "%s", tree);
		(void)snprintf(cg->system.at[c].parent, sizeof(cg->system.at[c].parent), "/");
		(void)snprintf(cg->path[c], sizeof(cg->path[c]), "%s/enomem-fake", tree);
	}
	cgroup_open_values(cg);
}

static void values_v2(void **state)
{
	(void)state;
	struct cgroup cg;
	struct cgroup_numbers n;
	put("/enomem-fake/memory.current", "12288\n");
	put("/enomem-fake/memory.max", "max\n");
	put("/enomem-fake/memory.swap.max", "0\n");
	put("/enomem-fake/memory.events", "low 1\nhigh 2\nmax 35\noom_kill 4\noom 3\noom_group_kill 5\n");
	put("/enomem-fake/pids.max", "9999999999999\n");
	put("/enomem-fake/pids.events", "max nonsense\n");
	put("/enomem-fake/pids.events.local", "max 6\n");
	put("/enomem-fake/memory.events.local", "low 0\nhigh 0\nmax 34\noom 2\noom_kill 1\n");
	put("/enomem-fake/memory.swap.events", "high 0\nmax 8\nfail 7\n");
	put("/enomem-fake/memory.stat", "anon 1\nkernel 86016\nkernel_stack 2\nslab_reclaimable 3\n"
					"slab_unreclaimable 4\nslab 7\n");
	fake_group(&cg, CGROUP_V2);
	cgroup_read(&cg, &n);
	assert_int_equal(n.value[CGROUP_MEMORY_CURRENT], 12288);
	assert_int_equal(n.value[CGROUP_MEMORY_MAX], ENOMEM_UNLIMITED);
	assert_int_equal(n.value[CGROUP_MEMORY_SWAP_MAX], 0);
	assert_int_equal(n.value[CGROUP_MEMORY_PEAK], ENOMEM_ABSENT); /* before 5.19 */
	assert_int_equal(n.value[CGROUP_MEMORY_EVENTS_MAX], 35);
	assert_int_equal(n.value[CGROUP_MEMORY_EVENTS_HIGH], 2);
	assert_int_equal(n.value[CGROUP_MEMORY_EVENTS_OOM], 3);
	assert_int_equal(n.value[CGROUP_MEMORY_EVENTS_OOM_KILL], 4);
	assert_int_equal(n.value[CGROUP_MEMORY_EVENTS_OOM_GROUP_KILL], 5);
	assert_int_equal(n.value[CGROUP_MEMORY_EVENTS_LOCAL_MAX], 34);
	assert_int_equal(n.value[CGROUP_MEMORY_EVENTS_LOCAL_OOM_KILL], 1);
	assert_int_equal(n.value[CGROUP_MEMORY_SWAP_EVENTS_MAX], 8);
	assert_int_equal(n.value[CGROUP_MEMORY_SWAP_EVENTS_FAIL], 7);
	assert_int_equal(n.value[CGROUP_MEMORY_STAT_KERNEL], 86016);
	assert_int_equal(n.value[CGROUP_MEMORY_STAT_SLAB], 7);
	assert_int_equal(n.value[CGROUP_MEMORY_STAT_SLAB_UNRECLAIMABLE], 4);
	assert_int_equal(n.value[CGROUP_PIDS_EVENTS_LOCAL_MAX], 6);
	assert_int_equal(n.value[CGROUP_MEMORY_OOM_CONTROL], ENOMEM_ABSENT); /* of v1 */
	assert_int_equal(n.value[CGROUP_MEMORY_KMEM_MAX], ENOMEM_ABSENT);
	assert_int_equal(cgroup_set(&cg, CGROUP_MEMORY_OOM_CONTROL, 1), -ENOTSUP);
	assert_int_equal(n.value[CGROUP_PIDS_MAX], 9999999999999);
	assert_int_equal(n.value[CGROUP_PIDS_EVENTS_MAX], ENOMEM_ABSENT);
	assert_int_equal(cgroup_set(&cg, CGROUP_MEMORY_SWAP_MAX, 8192), 0);
	assert_file("/enomem-fake/memory.swap.max", "8192");
	assert_int_equal(cgroup_set(&cg, CGROUP_MEMORY_MAX, ENOMEM_UNLIMITED), 0);
	assert_file("/enomem-fake/memory.max", "max\n");
	assert_int_equal(cgroup_set(&cg, CGROUP_MEMORY_HIGH, 8192), -ENOTSUP); /* no such file here */
	assert_int_equal(cgroup_set(&cg, CGROUP_MEMORY_CURRENT, 8192), -EINVAL);
	assert_int_equal(cgroup_set(&cg, CGROUP_MEMORY_MAX, ENOMEM_ABSENT), -EINVAL);
	cg.path[CGROUP_PIDS][0] = '\0';
	assert_int_equal(cgroup_set(&cg, CGROUP_PIDS_MAX, 1), -ENODEV);
	cgroup_close(&cg);
	cgroup_read(&cg, &n);
	for (unsigned i = 0; i < CGROUP_VALUE_COUNT; i++)
		assert_int_equal(n.value[i], ENOMEM_ABSENT);
}

static void values_v1(void **state)
{
	(void)state;
	struct cgroup cg;
	struct cgroup_numbers n;
	put("/enomem-fake/memory.usage_in_bytes", "4096\n");
	put("/enomem-fake/memory.limit_in_bytes", "9223372036854771712\n");
	put("/enomem-fake/memory.memsw.limit_in_bytes", "9223372036854771712\n");
	put("/enomem-fake/memory.max_usage_in_bytes", "8192\n");
	put("/enomem-fake/memory.failcnt", "7\n");
	put("/enomem-fake/memory.memsw.failcnt", "30\n");
	put("/enomem-fake/memory.oom_control", "oom_kill_disable 0\nunder_oom 1\noom_kill 2\n");
	put("/enomem-fake/memory.kmem.usage_in_bytes", "86016\n");
	put("/enomem-fake/memory.kmem.limit_in_bytes", "9223372036854771712\n");
	put("/enomem-fake/memory.kmem.failcnt", "3\n");
	put("/enomem-fake/memory.kmem.tcp.usage_in_bytes", "1048576\n");
	put("/enomem-fake/memory.kmem.tcp.limit_in_bytes", "2097152\n");
	put("/enomem-fake/memory.kmem.tcp.max_usage_in_bytes", "1572864\n");
	put("/enomem-fake/memory.kmem.tcp.failcnt", "62\n");
	put("/enomem-fake/memory.memsw.max_usage_in_bytes", "12288\n");
	put("/enomem-fake/memory.stat", "cache 1\nswap 5\ntotal_swapcached 6\ntotal_swap 20480\n");
	put("/enomem-fake/pids.max", "max\n");
	put("/enomem-fake/pids.events", "max 9\n");
	fake_group(&cg, CGROUP_V1);
	cgroup_read(&cg, &n);
	assert_int_equal(n.value[CGROUP_MEMORY_CURRENT], 4096);
	assert_int_equal(n.value[CGROUP_MEMORY_MAX], ENOMEM_UNLIMITED);
	assert_int_equal(n.value[CGROUP_MEMORY_SWAP_MAX], ENOMEM_UNLIMITED);
	assert_int_equal(n.value[CGROUP_MEMORY_SWAP_CURRENT], 20480);
	assert_int_equal(n.value[CGROUP_MEMORY_PEAK], 8192);
	assert_int_equal(n.value[CGROUP_MEMORY_EVENTS_MAX], 37);
	assert_int_equal(n.value[CGROUP_MEMORY_EVENTS_OOM_KILL], 2);
	assert_int_equal(n.value[CGROUP_MEMORY_EVENTS_OOM], ENOMEM_ABSENT);
	assert_int_equal(n.value[CGROUP_MEMORY_OOM_CONTROL], 0);
	assert_int_equal(n.value[CGROUP_MEMORY_UNDER_OOM], 1);
	assert_int_equal(n.value[CGROUP_MEMORY_STAT_KERNEL], 86016);
	assert_int_equal(n.value[CGROUP_MEMORY_STAT_SLAB], ENOMEM_ABSENT);
	assert_int_equal(n.value[CGROUP_MEMORY_KMEM_CURRENT], 86016);
	assert_int_equal(n.value[CGROUP_MEMORY_KMEM_MAX], ENOMEM_UNLIMITED);
	assert_int_equal(n.value[CGROUP_MEMORY_KMEM_EVENTS_MAX], 3);
	assert_int_equal(n.value[CGROUP_MEMORY_KMEM_TCP_CURRENT], 1048576);
	assert_int_equal(n.value[CGROUP_MEMORY_KMEM_TCP_MAX], 2097152);
	assert_int_equal(n.value[CGROUP_MEMORY_KMEM_TCP_PEAK], 1572864);
	assert_int_equal(n.value[CGROUP_MEMORY_KMEM_TCP_EVENTS_MAX], 62);
	assert_int_equal(cgroup_set(&cg, CGROUP_MEMORY_KMEM_TCP_MAX, ENOMEM_UNLIMITED), 0);
	assert_int_equal(n.value[CGROUP_MEMORY_MEMSW_PEAK], 12288);
	assert_int_equal(n.value[CGROUP_MEMORY_SWAP_EVENTS_MAX], 30);
	assert_int_equal(cgroup_set(&cg, CGROUP_MEMORY_UNDER_OOM, 1), -EINVAL);
	assert_int_equal(cgroup_set(&cg, CGROUP_MEMORY_OOM_CONTROL, 1), 0);
	assert_file("/enomem-fake/memory.oom_control", "1om_kill_disable 0\nunder_oom 1\noom_kill 2\n");
	assert_int_equal(cgroup_set(&cg, CGROUP_MEMORY_KMEM_MAX, ENOMEM_UNLIMITED), 0);
	assert_int_equal(n.value[CGROUP_PIDS_MAX], ENOMEM_UNLIMITED);
	assert_int_equal(n.value[CGROUP_PIDS_EVENTS_MAX], 9);
	assert_int_equal(cgroup_set(&cg, CGROUP_MEMORY_HIGH, 4096), -ENOTSUP);
	assert_int_equal(cgroup_set(&cg, CGROUP_MEMORY_SWAP_MAX, 0), -ENOTSUP); /* no memory.max to add it to */
	put("/enomem-fake/memory.limit_in_bytes", "65536\n");
	assert_int_equal(cgroup_set(&cg, CGROUP_MEMORY_SWAP_MAX, 4096), 0);
	assert_file("/enomem-fake/memory.memsw.limit_in_bytes",
		    "6963272036854771712\n"); /* 69632 over the old digits */
	put("/enomem-fake/memory.memsw.limit_in_bytes", "69632\n");
	assert_int_equal(cgroup_set(&cg, CGROUP_MEMORY_MAX, 81920), 0);
	assert_file("/enomem-fake/memory.limit_in_bytes", "81920\n");
	assert_file("/enomem-fake/memory.memsw.limit_in_bytes", "86016\n"); /* swap stays 4096 */
	assert_int_equal(cgroup_set(&cg, CGROUP_MEMORY_MAX, ENOMEM_UNLIMITED), -ENOTSUP);
	assert_file("/enomem-fake/memory.limit_in_bytes", "81920\n");
	cgroup_close(&cg);
}

struct announced {
	char path[1024], parent[1024];
	unsigned enables;
	bool refuse_enabling;
};

/* Directories are refused, controllers where the test wants it. */
static int refuse_announcement(const char *path, unsigned enables, void *data)
{
	struct announced *a = data;
	(void)snprintf(enables ? a->parent : a->path, sizeof(a->path), "%s", path);
	a->enables |= enables;
	return !enables || a->refuse_enabling ? -ENOSPC : 0;
}

/* A plain directory is no group: whatever was made is removed again. */
static void creation_is_undone(void **state)
{
	(void)state;
	struct cgroup_system sys = {0};
	struct cgroup cg;
	struct stat st;
	char path[1100];
	struct announced announced = {.refuse_enabling = true};
	put("/cgroup.controllers", "cpu memory pids\n");
	put("/cgroup.subtree_control", "cpu pids");
	put("/inner/cgroup.controllers", "cpu\n");
	for (unsigned c = CGROUP_MEMORY; c <= CGROUP_PIDS; c++) {
		sys.at[c].version = CGROUP_V2;
		(void)snprintf(sys.at[c].mount, sizeof(sys.at[c].mount), "%s", tree);
		(void)snprintf(sys.at[c].parent, sizeof(sys.at[c].parent), "/inner");
	}
	memset(&cg, 0x77, sizeof(cg));
	struct cgroup before = cg;
	unsigned both = 1U << CGROUP_MEMORY | 1U << CGROUP_PIDS;
	assert_int_equal(cgroup_create_announced(&sys, "enomem-x", both, refuse_announcement, &announced, &cg),
			 -ENOSPC);
	assert_file("/cgroup.subtree_control", "cpu pids"); /* what was not announced was not changed */
	assert_string_equal(announced.path, "");
	announced = (struct announced){0};
	assert_int_equal(cgroup_create_announced(&sys, "enomem-x", both, refuse_announcement, &announced, &cg),
			 -ENOSPC);
	assert_int_equal(announced.enables, 1U << CGROUP_MEMORY);
	assert_string_equal(announced.parent, tree);
	assert_file("/cgroup.subtree_control", "+memorys"); /* written over "cpu pids": only what was missing */
	(void)snprintf(path, sizeof(path), "%s/enomem-x", tree);
	assert_string_equal(announced.path, path); /* one level up, where the controllers are */
	assert_int_equal(cgroup_create(&sys, "enomem-x", both, &cg), -ENOENT);
	assert_int_equal(stat(path, &st), -1);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(cgroup_create(&sys, "enomem-x", both, &cg), -EEXIST);
	assert_int_equal(stat(path, &st), 0); /* somebody else's: still there */
	assert_int_equal(cgroup_create(&sys, "x", both, &cg), -EINVAL);
	assert_int_equal(cgroup_create(&sys, "enomem-", both, &cg), -EINVAL);
	assert_int_equal(cgroup_create(&sys, "enomem-/../x", both, &cg), -EINVAL);
	assert_memory_equal(&cg, &before, sizeof(cg));
	assert_int_equal(cgroup_remove_path(path, 0), -EINVAL);
	assert_int_equal(stat(path, &st), 0);
}

int main(void)
{
#define WITH_TREE(f) cmocka_unit_test_setup_teardown(f, make_tree, remove_tree)
	const struct CMUnitTest tests[] = {
		WITH_TREE(hybrid),
		WITH_TREE(systemd_v2),
		WITH_TREE(v1_only),
		WITH_TREE(containers),
		WITH_TREE(no_cgroups),
		WITH_TREE(escaped_mount_point),
		WITH_TREE(prefers_the_mount_that_shows_us),
		cmocka_unit_test(no_mountinfo),
		cmocka_unit_test(value_names),
		WITH_TREE(values_v2),
		WITH_TREE(values_v1),
		WITH_TREE(creation_is_undone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
