// SPDX-License-Identifier: MIT
/*
 * Causes of panics, from the consoles of guests: kernel 5.10, 6.1 and 7.2 with panic_on_oom 1, 6.1 with 2.
 */
#include "cause-fixture.h"

#include <stdio.h>

#define SYSTEM_WIDE "Out of memory: system-wide panic_on_oom is enabled"
#define COMPULSORY  "Out of memory: compulsory panic_on_oom is enabled"
#define DEADLOCKED  "System is deadlocked on memory"

static char console[256 * 1024];

static void load(const char *name)
{
	char path[1024];
	(void)snprintf(path, sizeof(path), "%s/panic/%s", TEST_DATA, name);
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	console[fread(console, 1, sizeof(console) - 1, f)] = '\0';
	(void)fclose(f);
}

static void judge_panic(struct fixture *f, const char *text, const char *lines)
{
	memset(&f->report, 0xa5, sizeof(f->report));
	cause_of_panic(text, lines, &f->report);
	fixture_check(&f->report);
}

static void test_system(void **state)
{
	(void)state;
	/* managed and free of DMA and DMA32; the reports before are about a group, and over */
	static const struct {
		const char *file;
		uint64_t managed, free;
	} seen[] = {{"system-5.10", 15908 + 213560, 924 + 1888}, {"system-6.1", 15360 + 208272, 900 + 1672}};
	struct fixture f;
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
		load(seen[i].file);
		judge_panic(&f, SYSTEM_WIDE, console);
		assert_only(&f, CAUSE_SYSTEM_OOM);
		assert_sum(&f, CAUSE_SYSTEM_OOM, (seen[i].managed - seen[i].free) * KB, PAGE, seen[i].managed * KB);
	}
	load("system-7.2");
	judge_panic(&f, SYSTEM_WIDE, console);
	assert_only(&f, CAUSE_SYSTEM_OOM);
	assert_true(f.report.state[0].bound > 200 * MB && f.report.state[0].bound < 256 * MB);
	assert_int_equal(f.report.state[0].bound - f.report.state[0].in_use, (904 + 2484) * KB);
	/* said before the panic, and once more by panic_print */
	judge_panic(&f, SYSTEM_WIDE,
		    "x invoked oom-killer\nNode 0 DMA free:1kB managed:9kB\n"
		    "Kernel panic - not syncing: x\nNode 0 DMA free:2kB managed:9kB\n");
	assert_sum(&f, CAUSE_SYSTEM_OOM, 8 * KB, PAGE, 9 * KB);
	load("system-7.2");
	/* the same report under the other texts */
	judge_panic(&f, COMPULSORY, console);
	assert_only(&f, CAUSE_SYSTEM_OOM);
	judge_panic(&f, DEADLOCKED, console);
	assert_only(&f, CAUSE_SYSTEM_OOM);
}

static void test_group(void **state)
{
	(void)state;
	struct fixture f;
	load("group-6.1");
	judge_panic(&f, COMPULSORY, console);
	assert_only(&f, CAUSE_MEMCG_MAX);
	assert_sum(&f, CAUSE_MEMCG_MAX, 8192 * KB, PAGE, 8192 * KB);
	/* with panic_on_oom=1 no group's limit makes it panic */
	judge_panic(&f, SYSTEM_WIDE, console);
	assert_only(&f, CAUSE_SYSTEM_OOM);
	load("group-6.1-quiet"); /* no report, but who called: zeros would pass for measured */
	judge_panic(&f, COMPULSORY, console);
	assert_only(&f, CAUSE_MEMCG_MAX);
	assert_sum(&f, CAUSE_MEMCG_MAX, ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT);
}

static void test_swap(void **state)
{
	(void)state;
	static const char full[] = "[ 1.0] x invoked oom-killer: gfp_mask=0x0\n[ 1.0] Mem-Info:\n"
				   "[ 1.0] Node 0 DMA32 free:2048kB min:10kB managed:204800kB mlocked:0kB\n"
				   "[ 1.0] Free swap  = 120kB\n[ 1.0] Total swap = 65532kB\n",
			  half[] = "x invoked oom-killer: gfp_mask=0x0\nMem-Info:\n"
				   "Node 0 DMA32 free:2048kB min:10kB managed:204800kB mlocked:0kB\n"
				   "Free swap  = 32768kB\nTotal swap = 65532kB\n";
	struct fixture f;
	judge_panic(&f, SYSTEM_WIDE, full);
	assert_only(&f, CAUSE_SWAP_FULL);
	assert_sum(&f, CAUSE_SWAP_FULL, (202752 + 65412) * KB, PAGE, (204800 + 65532) * KB);
	judge_panic(&f, SYSTEM_WIDE, half);
	assert_only(&f, CAUSE_SYSTEM_OOM);
}

static void test_little_to_go_by(void **state)
{
	(void)state;
	struct fixture f;
	judge_panic(&f, SYSTEM_WIDE, NULL);
	assert_only(&f, CAUSE_SYSTEM_OOM);
	judge_panic(&f, DEADLOCKED, "");
	assert_only(&f, CAUSE_SYSTEM_OOM);
	/* a group or the machine? */
	judge_panic(&f, COMPULSORY, NULL);
	assert_only(&f, CAUSE_UNKNOWN);
	judge_panic(&f, COMPULSORY, " out_of_memory+0x1/0x2\n __alloc_pages_slowpath.constprop.0+0xd1e/0xe00\n");
	assert_only(&f, CAUSE_SYSTEM_OOM);
	/* other panics */
	load("system-6.1");
	static const char *const others[] = {"", "Attempted to kill init! exitcode=0x00000009",
					     "VFS: Unable to mount root fs on unknown-block(0,0)",
					     "Fatal exception in interrupt", "Out of memory"};
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		judge_panic(&f, others[i], console);
		assert_only(&f, CAUSE_UNKNOWN);
		assert_int_equal(f.report.count, 0);
	}
	/* numbers that cannot be, and lines that are cut */
	static const char *const odd[] = {"x invoked oom-killer\nNode 0 DMA free:9kB managed:1kB\n",
					  "x invoked oom-killer\nNode 0 DMA free:9",
					  "x invoked oom-killer\nNode 0 DMA free:99999999999999999999kB managed:1kB\n",
					  "x invoked oom-killer\nNode 0 DMA free:1kB managed:kB\n"};
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		judge_panic(&f, SYSTEM_WIDE, odd[i]);
		assert_only(&f, CAUSE_SYSTEM_OOM);
		assert_sum(&f, CAUSE_SYSTEM_OOM, ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_system),
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_swap),
		cmocka_unit_test(test_little_to_go_by),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
