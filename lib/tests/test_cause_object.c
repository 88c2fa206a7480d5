// SPDX-License-Identifier: MIT
/*
 * Causes of refused descriptors, and of failures that the witness makes itself.
 */
#include "cause-fixture.h"

static void call(struct fixture *f, const char *name, int error)
{
	fixture_call(f, name, error, (const uint64_t[6]){0});
	f->r.clone_flags = 17;
	judge(f);
}

/* As descriptor-limit measured it on 5.10, 6.1, 6.12, 6.18 and 7.2: 16 allowed. */
static void files_init(struct fixture *f, uint64_t open_files)
{
	fixture_init(f);
	f->s.rlimit[RLIMIT_NOFILE] = 16;
	f->s.open_files = open_files;
}

static void test_open_files(void **state)
{
	(void)state;
	static const char *const one[] = {"eventfd", "eventfd2",     "epoll_create", "epoll_create1",
					  "socket",  "memfd_create", "inotify_init", "inotify_init1"};
	struct fixture f;
	for (size_t i = 0; i < ARRAY_SIZE(one); i++) {
		files_init(&f, 16);
		call(&f, one[i], EMFILE);
		assert_only(&f, CAUSE_RLIMIT_NOFILE);
		assert_sum(&f, CAUSE_RLIMIT_NOFILE, 16, 1, 16);
		files_init(&f, 15);
		call(&f, one[i], EMFILE);
		assert_only(&f, CAUSE_UNKNOWN);
		assert_allows(&f, CAUSE_RLIMIT_NOFILE);
	}
	/* a pipe takes two */
	files_init(&f, 15);
	call(&f, "pipe2", EMFILE);
	assert_only(&f, CAUSE_RLIMIT_NOFILE);
	assert_sum(&f, CAUSE_RLIMIT_NOFILE, 15, 2, 16);
	files_init(&f, 14);
	call(&f, "pipe", EMFILE);
	assert_only(&f, CAUSE_UNKNOWN);
}

static void test_open_files_not_known(void **state)
{
	(void)state;
	struct fixture f;
	files_init(&f, ENOMEM_ABSENT);
	call(&f, "socket", EMFILE);
	assert_null(state_of(&f, CAUSE_RLIMIT_NOFILE));
	assert_only(&f, CAUSE_UNKNOWN);
	files_init(&f, 16);
	f.s.rlimit[RLIMIT_NOFILE] = ENOMEM_UNLIMITED;
	call(&f, "socket", EMFILE);
	assert_only(&f, CAUSE_UNKNOWN);
	files_init(&f, 16);
	f.s.process_seen = false;
	call(&f, "socket", EMFILE);
	assert_int_equal(f.report.count, 0);
	/* with another errno it is not asked at all */
	files_init(&f, 16);
	call(&f, "socket", ENOMEM);
	assert_null(state_of(&f, CAUSE_RLIMIT_NOFILE));
	call(&f, "socket", EAGAIN);
	assert_int_equal(f.report.count, 0);
}

/* A full group beside it is told, and not named: it would have said ENOMEM. */
static void test_memory_beside_descriptors(void **state)
{
	(void)state;
	struct fixture f;
	unsigned index;
	uint32_t also;
	files_init(&f, 16);
	f.s.cgroup.value[CGROUP_MEMORY_MAX] = f.s.cgroup.value[CGROUP_MEMORY_CURRENT] = 8 * MB;
	f.s.cgroup.value[CGROUP_MEMORY_EVENTS_MAX] = 5;
	f.before = f.s;
	f.before.taken = true;
	call(&f, "eventfd2", EMFILE); /* full, but it refused nobody */
	assert_only(&f, CAUSE_RLIMIT_NOFILE);
	assert_allows(&f, CAUSE_MEMCG_MAX);
	f.before.cgroup.value[CGROUP_MEMORY_EVENTS_MAX] = 4;
	call(&f, "eventfd2", EMFILE);
	assert_int_equal(cause_name(&f.report, &index, &also), CAUSE_RLIMIT_NOFILE);
	assert_int_not_equal(also, 0);
	call(&f, "eventfd2", ENOMEM);
	assert_only(&f, CAUSE_MEMCG_MAX);
	call(&f, "socket", ENFILE);
	assert_only(&f, CAUSE_MEMCG_MAX);
	call(&f, "socket", ENOBUFS);
	assert_only(&f, CAUSE_MEMCG_MAX);
}

/* As inotify-limit measured it on 5.10, 6.1, 6.12 and 7.2: three watches, or three instances, allowed. */
static void test_watches(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.inotify = (struct inotify_numbers){.watches = 3, .watches_max = 3, .instances = 1, .instances_max = 128};
	call(&f, "inotify_add_watch", ENOSPC);
	assert_only(&f, CAUSE_INOTIFY_WATCHES_MAX);
	assert_sum(&f, CAUSE_INOTIFY_WATCHES_MAX, 3, 1, 3);
	assert_null(state_of(&f, CAUSE_INOTIFY_INSTANCES_MAX));
	call(&f, "inotify_add_watch", ENOMEM); /* it would have said something else */
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
	f.s.inotify.watches = 2;
	call(&f, "inotify_add_watch", ENOSPC);
	assert_only(&f, CAUSE_UNKNOWN);
	assert_allows(&f, CAUSE_INOTIFY_WATCHES_MAX);
	f.s.inotify.watches = ENOMEM_ABSENT;
	call(&f, "inotify_add_watch", ENOSPC);
	assert_int_equal(f.report.count, 0);
	/* full, and another call's "no space" */
	f.s.inotify.watches = 3;
	call(&f, "fallocate", ENOSPC);
	assert_null(state_of(&f, CAUSE_INOTIFY_WATCHES_MAX));
	f.s.cgroup.value[CGROUP_MEMORY_MAX] = f.s.cgroup.value[CGROUP_MEMORY_CURRENT] = 8 * MB;
	f.s.cgroup.value[CGROUP_MEMORY_EVENTS_MAX] = 5;
	f.s.inotify.watches_max = 8;
	call(&f, "inotify_add_watch", ENOMEM);
	assert_only(&f, CAUSE_MEMCG_MAX);
}

/* Two limits with one errno: only the numbers tell them apart. */
static void test_instances(void **state)
{
	(void)state;
	struct fixture f;
	unsigned index;
	uint32_t also;
	files_init(&f, 6);
	f.s.inotify = (struct inotify_numbers){.watches = 3, .watches_max = 9, .instances = 3, .instances_max = 3};
	call(&f, "inotify_init1", EMFILE);
	assert_only(&f, CAUSE_INOTIFY_INSTANCES_MAX);
	assert_sum(&f, CAUSE_INOTIFY_INSTANCES_MAX, 3, 1, 3);
	assert_allows(&f, CAUSE_RLIMIT_NOFILE);
	call(&f, "eventfd2", EMFILE);
	assert_null(state_of(&f, CAUSE_INOTIFY_INSTANCES_MAX));
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.inotify.instances = 2;
	call(&f, "inotify_init", EMFILE);
	assert_only(&f, CAUSE_UNKNOWN);
	assert_allows(&f, CAUSE_INOTIFY_INSTANCES_MAX);
	f.s.open_files = 16;
	call(&f, "inotify_init1", EMFILE);
	assert_only(&f, CAUSE_RLIMIT_NOFILE);
	assert_allows(&f, CAUSE_INOTIFY_INSTANCES_MAX);
	f.s.inotify.instances = 3; /* both full: it is told */
	call(&f, "inotify_init1", EMFILE);
	(void)cause_name(&f.report, &index, &also);
	assert_int_not_equal(also, 0);
}

static void test_injected(void **state)
{
	(void)state;
	static const char *const name[] = {"clone", "munmap", "brk", "pipe2", "epoll_create1", "mmap", "mlock"};
	struct fixture f;
	for (size_t i = 0; i < ARRAY_SIZE(name); i++) {
		fixture_init(&f);
		f.r.injected = true;
		call(&f, name[i], ENOMEM);
		assert_only(&f, CAUSE_INJECTED);
		assert_sum(&f, CAUSE_INJECTED, 0, 1, 0);
		f.r.injected = false;
		call(&f, name[i], ENOMEM);
		assert_null(state_of(&f, CAUSE_INJECTED));
		assert_only(&f, CAUSE_UNKNOWN);
	}
}

/* A limit that would have refused as well is told: such a run proves nothing about either. */
static void test_injected_beside_a_limit(void **state)
{
	(void)state;
	struct fixture f;
	unsigned index;
	uint32_t also;
	fixture_init(&f);
	f.s.rlimit[RLIMIT_AS] = 1000 * PAGE;
	f.r.injected = true;
	fixture_call(&f, "mmap", ENOMEM, (const uint64_t[6]){0, PAGE, 0, 0x22});
	judge(&f);
	assert_int_equal(cause_name(&f.report, &index, &also), CAUSE_INJECTED);
	assert_int_not_equal(also, 0);
	assert_true(state_of(&f, CAUSE_RLIMIT_AS)->refuses);
	f.s.taken = false;
	judge(&f);
	assert_int_equal(f.report.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_files),
		cmocka_unit_test(test_open_files_not_known),
		cmocka_unit_test(test_memory_beside_descriptors),
		cmocka_unit_test(test_watches),
		cmocka_unit_test(test_instances),
		cmocka_unit_test(test_injected),
		cmocka_unit_test(test_injected_beside_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
