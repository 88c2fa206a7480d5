// SPDX-License-Identifier: MIT
/*
 * The reports of one result that has everything: what has to be in each, what may never be, and what readers of TAP
 * make of it.
 */
#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "cleanup.h"
#include "report.h"
#include "sample.h"

/* Output of a program that knows what breaks terminals, TAP and YAML. */
#define EVIL                                                                                                           \
	"\"\\u001b[2Jnot ok 1 - x\\n  ...\\nBail out!\\t# TODO \\\\ : \\u0085\\u2028\\ufeff' \\\" "                    \
	"\\u00e9\\ud83d\\ude00\""

/* Not inlined: GCC 12 at -O2 then takes what open_memstream() hands out for the local pointer to it. */
static char *__attribute__((noinline))
written(enum report_format format, const json_t *result, struct report_options options)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	assert_int_equal(report_write(format, result, &options, out), 0);
	(void)fclose(out);
	return text;
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;
	for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
		n++;
	return n;
}

static size_t widest_line(const char *text, size_t lines)
{
	size_t widest = 0;
	for (; lines-- && *text; text += strcspn(text, "\n") + 1)
		widest = strcspn(text, "\n") > widest ? strcspn(text, "\n") : widest;
	return widest;
}

static void must_have(const char *text, const char *const *wanted)
{
	for (; *wanted; wanted++) {
		if (!strstr(text, *wanted))
			print_message("lacks \"%s\":\n%s", *wanted, text);
		assert_non_null(strstr(text, *wanted));
	}
}

static void test_pretty(void **state)
{
	static const char *const wanted[] = {
		"enomem 0.1.0, Linux 6.1.0, cgroup hybrid, 23.6 GiB RAM, no swap",
		"PREDICTED",
		"fork/clone",
		"SIGKILL (OOM)",
		"ok, skip",
		"1 folklore",
		"FAIL  address-space-limit - a title",
		"predicted mmap ENOMEM by rlimit-as, observed mmap ENOMEM by rlimit-as (2.6 MiB + 64 MiB > 64 MiB), "
		"refused as well by "
		"max-map-count\n",
		"    FAILED   no other limit refuses: max-map-count, expected none\n",
		"    stderr | mmap: Cannot allocate memory\n",
		"BROKEN  pids-stuck",
		"enomem doctor tells which hierarchies can be used",
		"Skipped\n  machine scope: run it in a guest, or with --allow-machine\n      pids-max (ratio 100)\n"
		"  needs root: run as root\n      fork-huge-parent, swap-full\n",
		NULL,
	};
	(void)state;
	json_auto_t *sample = sample_result();
	auto_free char *text = written(FORMAT_PRETTY, sample, (struct report_options){0});
	must_have(text, wanted);
	const char *last = "6 scenarios, 12 runs: 2 pass, 1 fail, 1 broken, 2 skip in 3.2 s\n";
	assert_string_equal(text + strlen(text) - strlen(last), last);
	assert_null(strchr(text, '\033'));
	/* What passed is not explained; with verbose everything is. */
	assert_null(strstr(text, "no limit (control)"));
	auto_free char *all = written(FORMAT_PRETTY, sample, (struct report_options){.verbose = true});
	assert_non_null(strstr(all, "no limit (control): success"));
	assert_non_null(strstr(all, "    ok       cgroup.pids.events.max moved: 1, expected at least 1\n"));
	assert_non_null(strstr(all, "swap added (remedy, folklore)"));
}

/* Amounts that read alike are counted out. */
static void test_close_amounts(void **state)
{
	(void)state;
	json_auto_t *sample = sample_result();
	doctor(sample, "scenarios/1/runs/1/cause/in_use", "0");
	doctor(sample, "scenarios/1/runs/1/cause/asked", "25250000001");
	doctor(sample, "scenarios/1/runs/1/cause/bound", "25250000000");
	auto_free char *text = written(FORMAT_TAP13, sample, (struct report_options){0});
	assert_non_null(strstr(text, "got: \"mmap ENOMEM by rlimit-as (0 + 25,250,000,001 > 25,250,000,000 bytes)\""));
	doctor(sample, "scenarios/1/runs/1/cause/asked", "null");
	auto_free char *absurd = written(FORMAT_TAP13, sample, (struct report_options){0});
	assert_non_null(strstr(absurd, "by rlimit-as (0 B + 2^63 > 23.5 GiB)"));
}

static void test_pretty_widths(void **state)
{
	static const unsigned width[] = {80, 100, 120, 200};
	(void)state;
	json_auto_t *sample = sample_result();
	for (size_t i = 0; i < 4; i++) {
		char *text = written(FORMAT_PRETTY, sample, (struct report_options){.width = width[i]});
		assert_true(widest_line(strstr(text, "SCENARIO") - 10, 12) <= width[i]);
		assert_non_null(strstr(text, "pids-max"));
		free(text);
	}
}

/* The same words with colour as without. */
static void test_colour_says_nothing_alone(void **state)
{
	(void)state;
	json_auto_t *sample = sample_result();
	auto_free char *plain = written(FORMAT_PRETTY, sample, (struct report_options){0});
	auto_free char *coloured = written(FORMAT_PRETTY, sample, (struct report_options){.colour = true});
	assert_true(count(coloured, "\033[") > 8);
	char *to = coloured;
	for (const char *from = coloured; *from; from++) {
		if (*from == '\033')
			from += strcspn(from, "m");
		else
			*to++ = *from;
	}
	*to = '\0';
	assert_string_equal(plain, coloured);
}

static json_t *evil_result(void)
{
	json_t *sample = sample_result();
	doctor(sample, "scenarios/1/runs/1/output/stderr", EVIL);
	doctor(sample, "scenarios/1/runs/1/reason", EVIL);
	doctor(sample, "scenarios/1/runs/1/name", EVIL);
	doctor(sample, "scenarios/4/reason", EVIL);
	doctor(sample, "scenarios/4/name", EVIL);
	return sample;
}

static void test_pretty_is_harmless(void **state)
{
	(void)state;
	json_auto_t *evil = evil_result();
	auto_free char *ascii = written(FORMAT_PRETTY, evil, (struct report_options){0});
	for (const char *c = ascii; *c; c++)
		assert_true(*c == '\n' || (*c >= ' ' && *c < 0x7f));
	if (!setlocale(LC_ALL, "C.UTF-8"))
		return;
	auto_free char *utf8 = written(FORMAT_PRETTY, evil, (struct report_options){0});
	(void)setlocale(LC_ALL, "C");
	assert_non_null(strstr(utf8, "\xc3\xa9"));
	assert_null(strchr(utf8, '\033'));
	assert_null(strstr(utf8, "\xc2\x85"));
	assert_null(strstr(utf8, "\xe2\x80\xa8"));
}

static void test_tap14(void **state)
{
	static const char *const wanted[] = {
		"TAP version 14\n# enomem 0.1.0, Linux 6.1.0",
		"\n1..6\n# Subtest: pids-max\n    1..4\n    ok 1 - no limit\n    ok 2 - limited\n",
		"    ok 4 - ratio 100 # SKIP machine scope: run it in a guest, or with --allow-machine\nok 1 - "
		"pids-max\n",
		"    not ok 2 - mmap: limited\n      ---\n      message: \"predicted mmap",
		"      severity: \"fail\"\n      at:\n        file: \"pids-max/scenario.yaml\"\n        line: 17\n     "
		" data:\n"
		"        expect: \"mmap ENOMEM by rlimit-as\"\n        got: \"mmap ENOMEM by rlimit-as (2.6 MiB + 64 "
		"MiB > 64 MiB)\"\n"
		"      errno: \"ENOMEM\"\n      syscall: \"mmap\"\n      duration_ms: 13.000\n",
		"        - \"max-map-count, 21 + 1 <= 65,531 areas, refuses\"\n",
		"      stderr: \"mmap: Cannot allocate memory\\n\"\n      ...\n",
		"not ok 2 - address-space-limit\n  ---\n",
		"      severity: \"broken\"\n",
		"ok 5 - fork-huge-parent # SKIP needs root: run as root\n",
		NULL,
	};
	(void)state;
	json_auto_t *sample = sample_result();
	auto_free char *text = written(FORMAT_TAP, sample, (struct report_options){0});
	must_have(text, wanted);
}

static void test_tap13(void **state)
{
	static const char *const wanted[] = {
		"TAP version 13\n# enomem",
		"\n1..14\nok 1 - task-count.pids-max: no limit\n",
		"\nok 4 - task-count.pids-max: ratio 100 # SKIP machine scope",
		"\nnot ok 6 - address-space.address-space-limit: mmap: limited\n  ---\n",
		"\nnot ok 12 - task-count.pids-stuck: limited\n",
		"\nok 14 - commit-accounting.swap-full # SKIP needs root: run as root\n",
		NULL,
	};
	(void)state;
	json_auto_t *sample = sample_result();
	auto_free char *text = written(FORMAT_TAP13, sample, (struct report_options){0});
	must_have(text, wanted);
	/* A verdict that no run carries is a point of its own. */
	doctor(sample, "scenarios/0/verdict", "\"broken\"");
	doctor(sample, "scenarios/0/reason", "\"raised: the run is missing\"");
	doctor(sample, "summary/pass", "1");
	doctor(sample, "summary/broken", "2");
	auto_free char *missing = written(FORMAT_TAP13, sample, (struct report_options){0});
	assert_non_null(strstr(missing, "\n1..15\nnot ok 1 - task-count.pids-max\n"));
	/* Nothing at all is a stream as well. */
	doctor(sample, "scenarios", "[]");
	doctor(sample, "summary", "{\"pass\":0,\"fail\":0,\"broken\":0,\"skip\":0}");
	auto_free char *empty = written(FORMAT_TAP13, sample, (struct report_options){0});
	assert_non_null(strstr(empty, "\n1..0 # SKIP nothing was selected\n"));
}

/* Outside comments and directives no line has '#' or '\' in what is not quoted, and no line is the program's own. */
static void test_tap_is_harmless(void **state)
{
	(void)state;
	json_auto_t *evil = evil_result();
	for (enum report_format format = FORMAT_TAP; format <= FORMAT_TAP13; format++) {
		auto_free char *text = written(format, evil, (struct report_options){0});
		assert_null(strstr(text, "\nBail out!"));
		assert_null(strstr(text, "# TODO :"));
		assert_null(strstr(text, "\n  ...\nBail"));
		assert_int_equal(count(text, "\033"), 0);
		assert_non_null(strstr(text, "stderr: \"\\x1b[2Jnot ok 1 - x\\n  ...\\nBail out!\\t# TODO \\\\ : "
					     "\\x85\\u2028\\ufeff' \\\" "));
		for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
			char *point = line + strspn(line, " ");
			if (strncmp(point, "ok ", 3) != 0 && strncmp(point, "not ok ", 7) != 0)
				continue;
			char *skip = strstr(point, " # SKIP ");
			if (skip)
				memcpy(skip, " ------ ", 8);
			assert_null(strpbrk(point, "#\\"));
		}
	}
}

/* What prove says about a stream; NULL when there is none on this machine. */
static char *proved(const char *text)
{
	char path[] = "/tmp/enomem-test-report-XXXXXX", command[256], *said = NULL;
	size_t size;
	if (system("command -v prove >/dev/null") != 0)
		return NULL;
	auto_close int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)snprintf(command, sizeof(command), "timeout 30 prove -e cat %s 2>&1", path);
	FILE *prove = popen(command, "re"), *out = open_memstream(&said, &size);
	assert_non_null(prove);
	for (int c; (c = fgetc(prove)) != EOF;)
		(void)fputc(c, out);
	(void)pclose(prove);
	(void)fclose(out);
	(void)unlink(path);
	return said;
}

static void test_prove_reads_tap13(void **state)
{
	static const char *const says[] = {"Result: PASS", "Failed 2/14 subtests", "Failed 2/14 subtests"};
	(void)state;
	json_auto_t *bad = sample_result(), *good = sample_result(), *evil = evil_result();
	json_t *scenarios = json_object_get(good, "scenarios"), *const result[] = {good, bad, evil};
	(void)json_array_remove(scenarios, 3);
	(void)json_array_remove(scenarios, 1);
	doctor(good, "summary", "{\"pass\":2,\"fail\":0,\"broken\":0,\"skip\":2}");
	for (size_t i = 0; i < 3; i++) {
		auto_free char *stream = written(FORMAT_TAP13, result[i], (struct report_options){0});
		auto_free char *said = proved(stream);
		if (!said)
			return;
		if (!strstr(said, says[i]) || strstr(said, "Parse errors"))
			print_message("%s\n%s", stream, said);
		assert_non_null(strstr(said, says[i]));
		assert_null(strstr(said, "Parse errors"));
		assert_null(strstr(said, "YAMLish"));
	}
}

/* Interrupted: what was not run is "ok" with SKIP, and who reads the stream shall not take it for a pass. */
static void test_tap_bails_out(void **state)
{
	(void)state;
	json_auto_t *good = sample_result();
	json_t *scenarios = json_object_get(good, "scenarios");
	(void)json_array_remove(scenarios, 3);
	(void)json_array_remove(scenarios, 1);
	doctor(good, "summary", "{\"pass\":2,\"fail\":0,\"broken\":0,\"skip\":2}");
	for (enum report_format format = FORMAT_TAP; format <= FORMAT_TAP13; format++) {
		auto_free char *stream = written(format, good, (struct report_options){.interrupted = true});
		auto_free char *whole = written(format, good, (struct report_options){0});
		assert_non_null(strstr(stream, "\nBail out! interrupted\n"));
		assert_null(strstr(whole, "Bail out!"));
		auto_free char *said = format == FORMAT_TAP13 ? proved(stream) : NULL;
		if (said)
			assert_non_null(strstr(said, "Bailout called.  Further testing stopped:  interrupted"));
	}
}

static void test_json(void **state)
{
	(void)state;
	json_auto_t *sample = evil_result();
	auto_free char *text = written(FORMAT_JSON, sample, (struct report_options){0});
	json_auto_t *again = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_true(json_equal(sample, again));
	assert_int_equal(text[strlen(text) - 1], '\n');
}

static void test_what_is_no_result(void **state)
{
	(void)state;
	json_auto_t *none = json_object();
	struct report_options options = {0};
	for (enum report_format format = FORMAT_PRETTY; format < FORMAT_COUNT; format++) {
		assert_int_equal(report_write(format, none, &options, stderr), -EINVAL);
		assert_int_equal(report_write(format, NULL, &options, stderr), -EINVAL);
	}
}

static void test_full_disk(void **state)
{
	(void)state;
	json_auto_t *sample = sample_result();
	struct report_options options = {0};
	if (access("/dev/full", W_OK) < 0)
		return;
	for (enum report_format format = FORMAT_PRETTY; format < FORMAT_COUNT; format++) {
		auto_fclose FILE *full = fopen("/dev/full", "we");
		assert_true(report_write(format, sample, &options, full) < 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pretty),
		cmocka_unit_test(test_close_amounts),
		cmocka_unit_test(test_pretty_widths),
		cmocka_unit_test(test_colour_says_nothing_alone),
		cmocka_unit_test(test_pretty_is_harmless),
		cmocka_unit_test(test_tap14),
		cmocka_unit_test(test_tap13),
		cmocka_unit_test(test_tap_is_harmless),
		cmocka_unit_test(test_prove_reads_tap13),
		cmocka_unit_test(test_tap_bails_out),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_what_is_no_result),
		cmocka_unit_test(test_full_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
