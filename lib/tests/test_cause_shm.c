// SPDX-License-Identifier: MIT
/*
 * Causes of a refused segment of System V memory; the defaults are those of a new IPC namespace.
 */
#include "cause-fixture.h"

#include <sys/shm.h>

static void shm_init(struct fixture *f)
{
	fixture_init(f);
	f->s.shm_seen = true;
	f->s.shm = (struct shm_numbers){.shmmax = UINT64_MAX - (1 << 24),
					.shmall = UINT64_MAX - (1 << 24),
					.shmmni = 4096,
					.pages = 6,
					.segments = 2};
}

static void call(struct fixture *f, int error, uint64_t size, uint64_t flags)
{
	fixture_call(f, "shmget", error, (const uint64_t[6]){IPC_PRIVATE, size, IPC_CREAT | flags});
	f->r.asked_bytes = size;
	judge(f);
}

static const struct limit_state *named_state(const struct fixture *f)
{
	unsigned index;
	uint32_t also;
	(void)cause_name(&f->report, &index, &also);
	return &f->report.state[index];
}

static void assert_limit(const struct fixture *f, uint64_t in_use, uint64_t asked, uint64_t bound, const char *unit)
{
	assert_only(f, CAUSE_SHM_LIMIT);
	const struct limit_state *state = named_state(f);
	assert_int_equal(state->in_use, in_use);
	assert_int_equal(state->asked, asked);
	assert_int_equal(state->bound, bound);
	assert_string_equal(state->unit, unit);
}

static void test_shmmax(void **state)
{
	(void)state;
	struct fixture f;
	shm_init(&f);
	f.s.shm.shmmax = 65536;
	call(&f, EINVAL, 65537, 0);
	assert_limit(&f, 0, 65537, 65536, "bytes");
	call(&f, EINVAL, 65536, 0);
	assert_only(&f, CAUSE_UNKNOWN);
	call(&f, ENOSPC, 65537, 0); /* not what it says: told, and not named */
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
	call(&f, EINVAL, 65537, SHM_NORESERVE);
	assert_limit(&f, 0, 65537, 65536, "bytes");
	call(&f, EINVAL, 4 * MB, SHM_HUGETLB); /* asked before the pool of huge pages is */
	assert_int_equal(named(&f), CAUSE_SHM_LIMIT);
}

static void test_shmall(void **state)
{
	(void)state;
	struct fixture f;
	shm_init(&f);
	f.s.shm.shmall = 8;
	call(&f, ENOSPC, 2 * PAGE + 1, 0); /* the last page counts as a whole */
	assert_limit(&f, 6, 3, 8, "pages");
	call(&f, ENOSPC, 2 * PAGE, 0);
	assert_only(&f, CAUSE_UNKNOWN);
	call(&f, EINVAL, 3 * PAGE, 0);
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
}

static void test_shmmni(void **state)
{
	(void)state;
	struct fixture f;
	shm_init(&f);
	f.s.shm.shmmni = 2;
	call(&f, ENOSPC, 1, 0);
	assert_limit(&f, 2, 1, 2, "segments");
	f.s.shm.segments = 1;
	call(&f, ENOSPC, 1, 0);
	assert_only(&f, CAUSE_UNKNOWN);
}

/* Two limits at once prove nothing: both are told. */
static void test_both(void **state)
{
	(void)state;
	struct fixture f;
	unsigned index;
	uint32_t also;
	shm_init(&f);
	f.s.shm.shmmni = 2;
	f.s.shm.shmall = 6;
	call(&f, ENOSPC, 1, 0);
	assert_int_equal(cause_name(&f.report, &index, &also), CAUSE_SHM_LIMIT);
	assert_string_equal(f.report.state[index].unit, "pages");
	assert_int_not_equal(also, 0);
}

static void test_other_limits(void **state)
{
	(void)state;
	struct fixture f;
	shm_init(&f);
	call(&f, ENOMEM, RAM_BYTES + PAGE, 0);
	assert_only(&f, CAUSE_COMMIT_HEURISTIC);
	f.s.shm_seen = false;
	f.s.shm.shmmni = 2;
	call(&f, ENOSPC, 1, 0);
	assert_null(state_of(&f, CAUSE_SHM_LIMIT));
	assert_only(&f, CAUSE_UNKNOWN);
}

/* As ipc-limit measured them on 5.10, 6.1, 6.12 and 7.2. */
static void sysv_init(struct fixture *f)
{
	fixture_init(f);
	f->s.sysv_seen = true;
	f->s.sysv = (struct sysv_numbers){.msgmni = 32000,
					  .queues = 3,
					  .semmsl = 250,
					  .semmns = 32000,
					  .semmni = 128,
					  .semaphores = 20,
					  .sets = 2};
}

static void make(struct fixture *f, const char *name, int error, uint64_t semaphores)
{
	fixture_call(f, name, error, (const uint64_t[6]){IPC_PRIVATE, semaphores, IPC_CREAT});
	judge(f);
}

static void assert_sysv(const struct fixture *f, uint64_t in_use, uint64_t asked, uint64_t bound, const char *unit)
{
	assert_only(f, CAUSE_IPC_LIMIT);
	const struct limit_state *state = named_state(f);
	assert_int_equal(state->in_use, in_use);
	assert_int_equal(state->asked, asked);
	assert_int_equal(state->bound, bound);
	assert_string_equal(state->unit, unit);
}

static void test_queues(void **state)
{
	(void)state;
	struct fixture f;
	sysv_init(&f);
	make(&f, "msgget", ENOSPC, 0);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.sysv.msgmni = 3;
	make(&f, "msgget", ENOSPC, 0);
	assert_sysv(&f, 3, 1, 3, "queues");
	make(&f, "msgget", ENOMEM, 0); /* it would have said something else: told, and not named */
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
	make(&f, "semget", ENOSPC, 1);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.sysv_seen = false;
	make(&f, "msgget", ENOSPC, 0);
	assert_null(state_of(&f, CAUSE_IPC_LIMIT));
}

static void test_sets(void **state)
{
	(void)state;
	struct fixture f;
	sysv_init(&f);
	make(&f, "semget", ENOSPC, 10);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.sysv.semmns = 25;
	make(&f, "semget", ENOSPC, 10);
	assert_sysv(&f, 20, 10, 25, "semaphores");
	make(&f, "semget", ENOSPC, 5);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.sysv.semmni = 2;
	make(&f, "semget", ENOSPC, 5);
	assert_sysv(&f, 2, 1, 2, "sets");
	f.s.sysv.semmns = 32000;
	f.s.sysv.semmni = 128;
	f.s.sysv.semmsl = 25;
	make(&f, "semget", EINVAL, 26);
	assert_sysv(&f, 0, 26, 25, "semaphores");
	make(&f, "semget", EINVAL, 25);
	assert_only(&f, CAUSE_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shmmax), cmocka_unit_test(test_shmall),       cmocka_unit_test(test_shmmni),
		cmocka_unit_test(test_both),   cmocka_unit_test(test_other_limits), cmocka_unit_test(test_queues),
		cmocka_unit_test(test_sets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
