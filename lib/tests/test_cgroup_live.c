// SPDX-License-Identifier: MIT
/*
 * Groups for real: made, limited, entered, killed and removed on whatever hierarchies this machine has. Without root
 * there is nothing to test, and that is said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cgroup-internal.h"
#include "cleanup.h"
#include "number.h"
#include "procfs.h"

#define SECOND UINT64_C(1000000000)
#define MIB    (UINT64_C(1) << 20)
#define ALL    (1U << CGROUP_MEMORY | 1U << CGROUP_PIDS | 1U << CGROUP_HUGETLB)

static struct cgroup_system sys;
static char name[48];
static unsigned enabled_before;             /* in the subtree_control of our own v2 group */
static char made[CGROUP_CONTROLLERS][1024]; /* what the last group was */

/* Make a group, or say why not. */
static bool make_group(unsigned controllers, struct cgroup *ret)
{
	cgroup_init(ret);
	if (geteuid() != 0) {
		print_message("not root: no live group\n");
		return false;
	}
	int r = cgroup_create(&sys, name, controllers, ret);
	if (r == -EROFS || r == -EACCES || r == -EPERM) {
		print_message("no group can be made here (%s)\n", strerror(-r));
		return false;
	}
	assert_int_equal(r, 0);
	memcpy(made, ret->path, sizeof(made));
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		if ((controllers & 1U << c) && ret->path[c][0])
			return true;
	}
	print_message("no hierarchy with such a controller here\n");
	cgroup_close(ret);
	return false;
}

/* A failed assertion must not leave anything on the machine. */
static int remove_made(void **state)
{
	(void)state;
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		if (made[c][0])
			(void)cgroup_remove_path(made[c], 5 * SECOND);
		made[c][0] = '\0';
	}
	return 0;
}

static bool has(const struct cgroup *cg, unsigned controller)
{
	if (!cg->path[controller][0])
		print_message("no %s controller here\n", cgroup_controller_names[controller]);
	return cg->path[controller][0];
}

/* In the v2 group the next one would be made in. */
static unsigned enabled_controllers(void)
{
	char own[1024];
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		if (sys.at[c].version == CGROUP_V2 && cgroup_own_directory(&sys.at[c], "", own, sizeof(own)) == 0)
			return cgroup_read_controllers(own, "cgroup.subtree_control");
	}
	return 0;
}

static bool exists(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

/* A child that sits in the group and waits to be killed. */
static pid_t start_sleeper(const struct cgroup *cg)
{
	int ready[2];
	char byte;
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (cgroup_attach(cg, 0) == 0 && write(ready[1], "x", 1) == 1)
			(void)alarm(30);
		for (;;)
			(void)pause();
	}
	assert_true(pid > 0);
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	return pid;
}

static void assert_killed(pid_t pid)
{
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

static uint64_t value(const struct cgroup *cg, enum cgroup_value which)
{
	struct cgroup_numbers n;
	cgroup_read(cg, &n);
	return n.value[which];
}

static void whole_life(void **state)
{
	(void)state;
	struct cgroup cg;
	char paths[CGROUP_CONTROLLERS][sizeof(cg.path[0])];
	if (!make_group(ALL, &cg))
		return;
	memcpy(paths, cg.path, sizeof(paths));
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		print_message("%s: %s\n", cgroup_controller_names[c], cg.path[c][0] ? cg.path[c] : "absent");
		assert_true(!cg.path[c][0] || exists(cg.path[c]));
	}
	if (has(&cg, CGROUP_PIDS))
		assert_int_equal(value(&cg, CGROUP_PIDS_CURRENT), 0);
	pid_t pid = start_sleeper(&cg);
	if (has(&cg, CGROUP_PIDS))
		assert_int_equal(value(&cg, CGROUP_PIDS_CURRENT), 1);
	/* Attached from outside as well; attaching twice is no error. */
	assert_int_equal(cgroup_attach(&cg, pid), 0);
	assert_int_equal(cgroup_attach(&cg, -5), -EINVAL);
	assert_int_equal(cgroup_kill(&cg, 5 * SECOND), 0);
	assert_killed(pid);
	assert_int_equal(cgroup_attach(&cg, pid), -ESRCH);
	assert_int_equal(cgroup_remove(&cg, 5 * SECOND), 0);
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		assert_false(paths[c][0] && exists(paths[c]));
		assert_int_equal(cg.dir[c], -1);
	}
	assert_int_equal(cgroup_remove(&cg, 0), 0); /* nothing left: nothing to do */
}

static void memory_limits(void **state)
{
	(void)state;
	struct cgroup cg;
	if (!make_group(1U << CGROUP_MEMORY, &cg))
		return;
	bool v1 = cg.system.at[CGROUP_MEMORY].version == CGROUP_V1;
	assert_int_equal(value(&cg, CGROUP_MEMORY_MAX), ENOMEM_UNLIMITED);
	assert_int_equal(value(&cg, CGROUP_PIDS_MAX), ENOMEM_ABSENT);
	assert_int_equal(cgroup_set(&cg, CGROUP_PIDS_MAX, 3), -ENODEV);
	assert_int_equal(cgroup_set(&cg, CGROUP_MEMORY_MAX, 16 * MIB + 1), 0);
	assert_int_equal(value(&cg, CGROUP_MEMORY_MAX), 16 * MIB); /* whole pages */
	assert_int_equal(cgroup_set(&cg, CGROUP_MEMORY_HIGH, 8 * MIB), v1 ? -ENOTSUP : 0);
	if (cg.value_fd[CGROUP_MEMORY_SWAP_MAX] >= 0) {
		assert_int_equal(cgroup_set(&cg, CGROUP_MEMORY_SWAP_MAX, 0), 0);
		assert_int_equal(value(&cg, CGROUP_MEMORY_SWAP_MAX), 0);
		/* Up and down, swap stays where it was; on v1 each write in the wrong order would be EINVAL. */
		assert_int_equal(cgroup_set(&cg, CGROUP_MEMORY_MAX, 64 * MIB), 0);
		assert_int_equal(value(&cg, CGROUP_MEMORY_SWAP_MAX), 0);
		assert_int_equal(cgroup_set(&cg, CGROUP_MEMORY_SWAP_MAX, 4 * MIB), 0);
		assert_int_equal(cgroup_set(&cg, CGROUP_MEMORY_MAX, 8 * MIB), 0);
		assert_int_equal(value(&cg, CGROUP_MEMORY_MAX), 8 * MIB);
		assert_int_equal(value(&cg, CGROUP_MEMORY_SWAP_MAX), 4 * MIB);
		assert_int_equal(cgroup_set(&cg, CGROUP_MEMORY_SWAP_MAX, ENOMEM_UNLIMITED), 0);
		assert_int_equal(value(&cg, CGROUP_MEMORY_SWAP_MAX), ENOMEM_UNLIMITED);
	}
	assert_int_equal(cgroup_set(&cg, CGROUP_MEMORY_MAX, ENOMEM_UNLIMITED), 0);
	assert_int_equal(value(&cg, CGROUP_MEMORY_MAX), ENOMEM_UNLIMITED);
	assert_int_equal(cgroup_remove(&cg, 5 * SECOND), 0);
}

/* The kernel kills what touches more than memory.max, and only this group's counters say so. */
static void memory_is_refused(void **state)
{
	(void)state;
	struct cgroup cg;
	if (!make_group(1U << CGROUP_MEMORY, &cg))
		return;
	assert_int_equal(cgroup_set(&cg, CGROUP_MEMORY_MAX, 8 * MIB), 0);
	/* Less swap than would let it live, but some: with none, v1 kernels such as 6.18 count no failure. */
	if (cg.value_fd[CGROUP_MEMORY_SWAP_MAX] >= 0)
		assert_int_equal(cgroup_set(&cg, CGROUP_MEMORY_SWAP_MAX, 4 * MIB), 0);
	assert_int_equal(value(&cg, CGROUP_MEMORY_EVENTS_OOM_KILL), 0);
	pid_t pid = fork();
	if (pid == 0) {
		char *p = mmap(NULL, 16 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED || cgroup_attach(&cg, 0) < 0)
			_exit(1);
		for (size_t i = 0; i < 16 * MIB; i += 4096)
			((volatile char *)p)[i] = 1;
		_exit(0);
	}
	assert_killed(pid);
	assert_int_equal(value(&cg, CGROUP_MEMORY_EVENTS_OOM_KILL), 1);
	assert_true(value(&cg, CGROUP_MEMORY_EVENTS_MAX) > 0);
	uint64_t peak = value(&cg, CGROUP_MEMORY_PEAK);
	assert_true(peak == ENOMEM_ABSENT || (peak > 7 * MIB && peak <= 8 * MIB));
	assert_int_equal(cgroup_remove(&cg, 5 * SECOND), 0);
}

static void tasks_are_refused(void **state)
{
	(void)state;
	struct cgroup cg;
	if (!make_group(1U << CGROUP_PIDS, &cg))
		return;
	/* The exact errno of a write the kernel does not take: PIDS_MAX is 4194304 on 64 bits. */
	assert_int_equal(cgroup_set(&cg, CGROUP_PIDS_MAX, UINT64_C(1) << 40), -EINVAL);
	assert_int_equal(value(&cg, CGROUP_PIDS_MAX), ENOMEM_UNLIMITED);
	assert_int_equal(cgroup_set(&cg, CGROUP_PIDS_MAX, 1), 0);
	assert_int_equal(value(&cg, CGROUP_PIDS_MAX), 1);
	pid_t pid = fork();
	if (pid == 0) {
		if (cgroup_attach(&cg, 0) < 0)
			_exit(1);
		pid_t child = fork();
		if (child == 0)
			_exit(0);
		_exit(child < 0 && errno == EAGAIN ? 42 : 2);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
	assert_int_equal(value(&cg, CGROUP_PIDS_EVENTS_MAX), 1);
	assert_int_equal(cgroup_set(&cg, CGROUP_PIDS_MAX, ENOMEM_UNLIMITED), 0);
	assert_int_equal(value(&cg, CGROUP_PIDS_MAX), ENOMEM_UNLIMITED);
	assert_int_equal(cgroup_remove(&cg, 5 * SECOND), 0);
}

/* A group of its own below: removed as well, and whoever sits in it is killed. */
static void nested_groups_go_too(void **state)
{
	(void)state;
	struct cgroup cg;
	char path[1024], inner[1100], procs[1200], pid_text[16];
	if (!make_group(1U << CGROUP_PIDS, &cg))
		return;
	memcpy(path, cg.path[CGROUP_PIDS], sizeof(path));
	(void)snprintf(inner, sizeof(inner), "%s/inner", path);
	(void)snprintf(procs, sizeof(procs), "%s/cgroup.procs", inner);
	assert_int_equal(mkdir(inner, 0755), 0);
	pid_t pid = start_sleeper(&cg);
	(void)snprintf(pid_text, sizeof(pid_text), "%d", pid);
	int fd = open(procs, O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(fd, pid_text, strlen(pid_text)), strlen(pid_text));
	(void)close(fd);
	cgroup_close(&cg); /* as after a crash: only the path is known */
	assert_int_equal(cgroup_remove_path(path, 5 * SECOND), 0);
	assert_killed(pid);
	assert_false(exists(path));
	assert_int_equal(cgroup_remove_path(path, 0), -ENOENT);
}

/* A group inside a group: the outer one's limits bind, each counts for itself, and both go together. */
static void made_inside(void **state)
{
	(void)state;
	static struct cgroup outer;
	struct cgroup cg;
	char inner_name[64], expected[CGROUP_CONTROLLERS][1100];
	if (!make_group(ALL, &outer))
		return;
	(void)snprintf(inner_name, sizeof(inner_name), "%s-in", name);
	assert_int_equal(cgroup_create_inside(&outer, "no-name-of-ours", NULL, NULL, &cg), -EINVAL);
	assert_int_equal(cgroup_create_inside(&outer, inner_name, NULL, NULL, &cg), 0);
	assert_ptr_equal(cg.above, &outer);
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		(void)snprintf(expected[c], sizeof(expected[c]), "%s/%s", outer.path[c], inner_name);
		assert_string_equal(cg.path[c], outer.path[c][0] ? expected[c] : "");
	}
	if (has(&cg, CGROUP_PIDS)) {
		assert_int_equal(cgroup_set(&outer, CGROUP_PIDS_MAX, 1), 0);
		assert_int_equal(value(&cg, CGROUP_PIDS_MAX), ENOMEM_UNLIMITED);
		pid_t pid = fork();
		if (pid == 0) {
			pid_t child = cgroup_attach(&cg, 0) < 0 ? 0 : fork();
			_exit(child < 0 && errno == EAGAIN && value(&outer, CGROUP_PIDS_CURRENT) == 1 ? 42 : 2);
		}
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 42);
	}
	if (has(&cg, CGROUP_MEMORY)) {
		assert_int_equal(cgroup_set(&outer, CGROUP_MEMORY_MAX, 8 * MIB), 0);
		assert_int_equal(value(&cg, CGROUP_MEMORY_MAX), ENOMEM_UNLIMITED);
	}
	pid_t sleeper = 0;
	if (!has(&cg, CGROUP_PIDS) || cgroup_set(&outer, CGROUP_PIDS_MAX, 4) == 0)
		sleeper = start_sleeper(&cg);
	assert_int_equal(cgroup_remove(&cg, 5 * SECOND), 0);
	if (sleeper > 0)
		assert_killed(sleeper);
	assert_null(cg.above);
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		assert_false(made[c][0] && exists(made[c]));
		assert_int_equal(outer.dir[c], -1);
	}
}

/* What was refused leaves the outer group as it was: to be removed on its own. */
static int refuse_inner(const char *path, unsigned enables, void *data)
{
	(void)path;
	(void)enables;
	++*(unsigned *)data;
	return -EROFS;
}

static void inside_refused(void **state)
{
	(void)state;
	static struct cgroup outer;
	struct cgroup cg;
	char inner_name[64];
	unsigned asked = 0;
	if (!make_group(1U << CGROUP_PIDS, &outer))
		return;
	(void)snprintf(inner_name, sizeof(inner_name), "%s-in", name);
	assert_int_equal(cgroup_create_inside(&outer, inner_name, refuse_inner, &asked, &cg), -EROFS);
	assert_int_equal(asked, 1);
	assert_true(exists(outer.path[CGROUP_PIDS]));
	assert_int_equal(cgroup_remove(&outer, 5 * SECOND), 0);
	assert_false(exists(made[CGROUP_PIDS]));
}

static void caller_is_spared(void **state)
{
	(void)state;
	struct cgroup cg;
	int status;
	if (!make_group(1U << CGROUP_PIDS, &cg))
		return;
	pid_t pid = fork();
	if (pid == 0) {
		if (cgroup_attach(&cg, 0) < 0)
			_exit(1);
		pid_t sleeper = start_sleeper(&cg);
		int r = cgroup_kill(&cg, SECOND);
		_exit(waitpid(sleeper, &status, 0) == sleeper && r == -EBUSY ? 42 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status)); /* not killed by its own hand */
	assert_int_equal(WEXITSTATUS(status), 42);
	assert_int_equal(cgroup_remove(&cg, 5 * SECOND), 0);
}

static void only_our_paths(void **state)
{
	(void)state;
	struct cgroup cg;
	char path[1200];
	static const char *const refused[] = {
		"",
		"enomem-x",
		"/",
		"/tmp",
		"/sys/fs/cgroup/memory/other",
		"/sys/fs/cgroup/memory/enomem-",
		"/sys/fs/cgroup/memory/enomem-x/",
		"/sys/fs/cgroup//enomem-x",
		"/sys/fs/cgroup/./enomem-x",
		"/sys/fs/cgroup/enomem-x/..",
		"/sys/fs/cgroup/../enomem-x",
		"/sys/fs/cgroup/enomem-x/inner",
	};
	for (unsigned i = 0; i < ARRAY_SIZE(refused); i++)
		assert_int_equal(cgroup_remove_path(refused[i], 0), -EINVAL);
	/* No cgroup at all, though it has the name. */
	(void)snprintf(path, sizeof(path), "/tmp/%s", name);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(cgroup_remove_path(path, 0), -EINVAL);
	assert_int_equal(rmdir(path), 0);
	if (!make_group(1U << CGROUP_PIDS, &cg))
		return;
	/* A link to one of ours is none of ours. */
	assert_int_equal(symlink(cg.path[CGROUP_PIDS], path), 0);
	assert_int_not_equal(cgroup_remove_path(path, 0), 0);
	assert_true(exists(cg.path[CGROUP_PIDS]));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(cgroup_remove(&cg, 5 * SECOND), 0);
}

static void ancestors(void **state)
{
	(void)state;
	struct cgroup cg;
	struct cgroup_ancestors above;
	uint64_t number;
	cgroup_ancestors_open(NULL, &above);
	assert_int_equal(above.count, 0);
	if (!make_group(1U << CGROUP_MEMORY | 1U << CGROUP_PIDS, &cg))
		return;
	cgroup_ancestors_open(&cg, &above);
	print_message("%u limits above the group\n", above.count);
	for (unsigned i = 0; i < above.count; i++) {
		const char *own = cg.path[above.at[i].controller];
		assert_int_equal(strncmp(above.at[i].path, own, strlen(above.at[i].path)), 0);
		assert_true(strlen(above.at[i].path) < strlen(own));
		assert_int_equal(procfs_read_number_fd(above.at[i].current_fd, &number), 0);
		assert_int_equal(procfs_read_number_fd(above.at[i].max_fd, &number), 0);
	}
	if (sys.at[CGROUP_MEMORY].version == CGROUP_V1) /* its root has the files */
		assert_true(above.count > 0);
	cgroup_ancestors_close(&above);
	assert_int_equal(cgroup_remove(&cg, 5 * SECOND), 0);
}

/* In a child that moved into a v2 group: processes inside forbid to pass controllers on, so the next group is made
 * beside. */
static int create_from_inside(const struct cgroup *outer, unsigned controllers, const char *inner_name)
{
	struct cgroup_system inside;
	struct cgroup inner;
	char expected[1100];
	if (cgroup_attach(outer, 0) < 0 || cgroup_detect_self(&inside) < 0)
		return 1;
	unsigned c = (unsigned)__builtin_ctz(controllers);
	if (strcmp(strrchr(inside.at[c].parent, '/') + 1, outer->name) != 0)
		return 2;
	if (cgroup_create(&inside, inner_name, controllers, &inner) < 0)
		return 3;
	size_t length = strlen(outer->path[c]) - strlen(outer->name);
	(void)snprintf(expected, sizeof(expected), "%.*s%s", (int)length, outer->path[c], inner_name);
	if (strcmp(inner.path[c], expected) != 0)
		return 4;
	return cgroup_remove(&inner, SECOND) == 0 ? 42 : 5;
}

static void v2_made_beside_us(void **state)
{
	(void)state;
	struct cgroup cg;
	char inner_name[64];
	int status;
	unsigned controllers = 0;
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++)
		controllers |= sys.at[c].version == CGROUP_V2 ? 1U << c : 0;
	if (!controllers) {
		print_message("no v2 hierarchy with a controller here\n");
		return;
	}
	if (!make_group(controllers, &cg))
		return;
	if (cg.value_fd[CGROUP_HUGETLB_MAX] >= 0) {
		assert_int_equal(value(&cg, CGROUP_HUGETLB_MAX), ENOMEM_UNLIMITED);
		assert_int_equal(cgroup_set(&cg, CGROUP_HUGETLB_MAX, 4 * MIB), 0);
		assert_int_equal(value(&cg, CGROUP_HUGETLB_MAX), 4 * MIB);
		assert_int_equal(cgroup_set(&cg, CGROUP_HUGETLB_MAX, ENOMEM_UNLIMITED), 0);
		assert_int_equal(value(&cg, CGROUP_HUGETLB_MAX), ENOMEM_UNLIMITED);
	}
	(void)snprintf(inner_name, sizeof(inner_name), "%s-in", name);
	pid_t pid = fork();
	if (pid == 0)
		_exit(create_from_inside(&cg, controllers, inner_name));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
	assert_int_equal(cgroup_remove(&cg, 5 * SECOND), 0);
	/* What was enabled for us is disabled again. */
	assert_int_equal(enabled_controllers(), enabled_before);
}

int main(void)
{
#define LIVE(f) cmocka_unit_test_teardown(f, remove_made)
	const struct CMUnitTest tests[] = {
		LIVE(whole_life),           LIVE(memory_limits),    LIVE(memory_is_refused), LIVE(tasks_are_refused),
		LIVE(nested_groups_go_too), LIVE(caller_is_spared), LIVE(only_our_paths),    LIVE(ancestors),
		LIVE(v2_made_beside_us),    LIVE(made_inside),      LIVE(inside_refused),
	};
	(void)snprintf(name, sizeof(name), "enomem-test-%d", getpid());
	if (cgroup_detect_self(&sys) < 0)
		return 1;
	enabled_before = enabled_controllers();
	print_message("cgroups: %s\n", cgroup_system_name(&sys));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
