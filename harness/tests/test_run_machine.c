// SPDX-License-Identifier: MIT
/*
 * Machine-wide changes, made to directories of plain files: written straight away in a guest that is thrown away, only
 * what can be restored elsewhere.
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

#include "cleanup.h"
#include "knob.h"
#include "number.h"
#include "run-environment.h"
#include "run-swap.h"
#include "swap.h"

static char root[] = "/tmp/enomem-machine-XXXXXX";
static char sys_root[64];
static struct machine machine;
static struct plan_run run;
static struct run_record record;
static struct run_context context;
static struct sysctl_session session;

static const char *in_root(const char *name)
{
	static char path[2][256];
	static unsigned which;
	which ^= 1;
	(void)snprintf(path[which], sizeof(path[which]), "%s/%s", root, name);
	return path[which];
}

static void put(const char *name, const char *text)
{
	auto_fclose FILE *f = fopen(in_root(name), "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
}

static void assert_file(const char *name, const char *wanted)
{
	char text[256] = "";
	auto_fclose FILE *f = fopen(in_root(name), "re");
	assert_non_null(f);
	(void)!fread(text, 1, sizeof(text) - 1, f);
	assert_string_equal(text, wanted);
}

static void set(struct environment_setting *table, unsigned *count, const char *name, const char *value)
{
	(void)snprintf(table[*count].name, sizeof(table->name), "%s", name);
	(void)snprintf(table[*count].value, sizeof(table->value), "%s", value);
	++*count;
}

static int setup(void **state)
{
	static const char *const directories[] = {"vm", "sys", "sys/mm", "proc", "dev"};
	(void)state;
	strcpy(root + sizeof(root) - 7, "XXXXXX");
	if (!mkdtemp(root))
		return -1;
	for (unsigned i = 0; i < ARRAY_SIZE(directories); i++)
		if (mkdir(in_root(directories[i]), 0700) < 0)
			return -1;
	(void)snprintf(sys_root, sizeof(sys_root), "%s/sys", root);
	sysctl_root = swap_root = root;
	knob_sys_root = sys_root;
	memset(&machine, 0, sizeof(machine));
	memset(&run, 0, sizeof(run));
	memset(&record, 0, sizeof(record));
	memset(&session, 0, sizeof(session));
	environment_init(&run.environment);
	machine.guest = true;
	run.scope = SCOPE_MACHINE;
	record.run = &run;
	context.machine = &machine;
	context.journal = NULL; /* to be left alone */
	put("vm/a", "0\n");
	put("vm/b", "0\n");
	put("sys/mm/a", "0\n");
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
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void test_thrown_away(void **state)
{
	(void)state;
	struct environment *env = &run.environment;
	assert_true(run_is_thrown_away(&context, &run));
	assert_false(run_changes_machine(env));
	set(env->sysctl, &env->sysctl_count, "vm.a", "2");
	set(env->sys, &env->sys_count, "mm/a", "1");
	set(env->live_sysctl, &env->live_sysctl_count, "vm.b", "7");
	assert_true(run_changes_machine(env));
	assert_true(run_changes_live(env));
	assert_int_equal(run_change_machine(&context, &record, &session), 0);
	assert_null(session.journal);
	assert_null(record.session);
	assert_file("vm/a", "2\n");
	assert_file("sys/mm/a", "1");
	assert_file("vm/b", "0\n"); /* not yet */
	run_change_machine_live(&record);
	assert_string_equal(record.problem.step, "");
	assert_file("vm/b", "7\n");
}

static void test_refused(void **state)
{
	(void)state;
	struct environment *env = &run.environment;
	set(env->sysctl, &env->sysctl_count, "vm.missing", "2");
	assert_int_equal(run_change_machine(&context, &record, &session), -1);
	assert_string_equal(record.problem.step, "sysctl");
	assert_string_equal(record.problem.message, "vm.missing: cannot be set to 2");
	assert_int_equal(record.problem.error, ENOENT);
	env->sysctl_count = 0;
	set(env->sys, &env->sys_count, "mm/missing", "2");
	assert_int_equal(run_change_machine(&context, &record, &session), -1);
	assert_string_equal(record.problem.message, "/sys/mm/missing: cannot be set to 2");
	env->sys_count = 0;
	set(env->live_sysctl, &env->live_sysctl_count, "vm.missing", "2");
	run_change_machine_live(&record);
	assert_string_equal(record.problem.step, "live");
}

/* Only a guest, and only its runs of machine scope. */
static void test_elsewhere(void **state)
{
	(void)state;
	struct environment *env = &run.environment;
	run.scope = SCOPE_NAMESPACE;
	assert_false(run_is_thrown_away(&context, &run));
	run.scope = SCOPE_MACHINE;
	machine.guest = false;
	assert_false(run_is_thrown_away(&context, &run));
	set(env->sys, &env->sys_count, "mm/a", "1");
	assert_int_equal(run_change_machine(&context, &record, &session), -1);
	assert_string_equal(record.problem.message, "swap and /sys are changed in guests only");
	assert_file("sys/mm/a", "0\n");
	env->sys_count = 0;
	env->swap_said = true;
	assert_true(run_changes_machine(env));
	assert_int_equal(run_change_machine(&context, &record, &session), -1);
	env->swap_said = false;
	env->live_swap_bytes = 4096;
	assert_true(run_changes_machine(env));
	assert_true(run_changes_live(env));
	assert_int_equal(run_change_machine(&context, &record, &session), -1);
}

static void test_swap(void **state)
{
	(void)state;
	struct environment *env = &run.environment;
	char failed[256] = "";
	put("sys/mm/a", "0\n");
	env->swap_said = true;
	env->swap_bytes = 1 << 20;
	assert_int_equal(run_change_machine(&context, &record, &session), -1);
	assert_string_equal(record.problem.message, "swap on zram: cannot be made");
	assert_int_equal(record.problem.error, ENODEV);
	assert_string_equal(record.problem.hint, "the guest's kernel has no zram: say swap_on: disk");
	env->swap_bytes = 0; /* none is wanted, and none is there */
	assert_int_equal(run_change_machine(&context, &record, &session), 0);
	/* A disk of one page. */
	put("dev/vda", "");
	assert_int_equal(truncate(in_root("dev/vda"), 4096), 0);
	assert_int_equal(swap_add(1 << 20, true, failed, sizeof(failed)), -ENOSPC);
	assert_string_equal(failed,
			    "1 MiB of swap on disk: cannot be made (ENOSPC); the guest's disk is smaller than that");
	assert_null(swap_hint(-EIO, true));
}

static void test_pid_max(void **state)
{
	(void)state;
	struct environment *env = &run.environment;
	assert_int_equal(run_namespace_pid_max(env), ENOMEM_ABSENT);
	set(env->namespace_sysctl, &env->namespace_sysctl_count, "kernel.shmmax", "12");
	assert_int_equal(run_namespace_pid_max(env), ENOMEM_ABSENT);
	set(env->namespace_sysctl, &env->namespace_sysctl_count, "kernel.pid_max", "301");
	assert_int_equal(run_namespace_pid_max(env), 301);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_thrown_away, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_elsewhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_swap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pid_max, setup, teardown),
	};
	return cmocka_run_group_tests_name("run_machine", tests, NULL, NULL);
}
