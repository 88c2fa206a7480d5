// SPDX-License-Identifier: MIT
/*
 * Results in files: what was stored is read back, what is no result is refused by name and place.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cleanup.h"
#include "report.h"
#include "sample.h"

static char directory[] = "/tmp/enomem-test-result-XXXXXX";
static char path[128];

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/result.json", directory);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(directory); /* fails when a temporary file was left behind */
}

static void put_file(const char *text, size_t length)
{
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, length, f), length);
	assert_int_equal(fclose(f), 0);
}

/* Load the file and return what was complained about. */
static char *load(int expected)
{
	char *text = NULL;
	size_t size;
	FILE *errors = open_memstream(&text, &size);
	json_t *result = NULL;
	assert_int_equal(result_load(path, errors, &result), expected);
	assert_int_equal(result != NULL, expected == 0);
	json_decref(result);
	(void)fclose(errors);
	return text;
}

static void test_round_trip(void **state)
{
	(void)state;
	json_auto_t *sample = sample_result(), *again = NULL;
	assert_int_equal(result_check(sample, "sample", stderr), 0);
	assert_int_equal(result_store(path, sample), 0);
	assert_int_equal(result_load(path, stderr, &again), 0);
	assert_true(json_equal(sample, again));
	/* Over an existing one; its mode stays. */
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(result_store(path, again), 0);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
}

static void test_bad_files(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{"", ":1:1: "},
		{"{\"schema\": \"enomem-result/1\",\n \"enomem\": ", ":2:"},
		{"{\"a\": 1,\n \"a\": 2}", ":2:4: duplicate object key"},
		{"{\"a\": 99999999999999999999}", ":1:"},
		{"{\"a\": \"\xff\"}", ":1:"},
		{"[1]", "result.json: is no result: not an object"},
		{"{}", "is no result: \"schema\" is missing"},
		{"{\"schema\": \"enomem-result/2\"}", "schema: \"enomem-result/2\" is none of enomem-result/1"},
		{"{\"schema\": \"enomem-result/1\"}", "scenarios: is missing"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put_file(bad[i].text, strlen(bad[i].text));
		auto_free char *said = load(-EINVAL);
		if (!strstr(said, bad[i].says) || !strstr(said, path))
			print_message("%s -> %s", bad[i].text, said);
		assert_non_null(strstr(said, bad[i].says));
		assert_non_null(strstr(said, path));
	}
	static const char nul[] = "{\"schema\": \"enomem\0result/1\"}";
	put_file(nul, sizeof(nul) - 1);
	free(load(-EINVAL));
	/* Deeper than any result: refused, not followed. */
	auto_free char *deep = malloc(1000000);
	memset(deep, '[', 1000000);
	put_file(deep, 1000000);
	auto_free char *said = load(-EINVAL);
	assert_non_null(strstr(said, "maximum parsing depth"));
}

/* Several results in one file, one to a line or with line breaks inside; errors are told by the file's own lines. */
static void test_several(void **state)
{
	(void)state;
	json_auto_t *sample = sample_result(), *reference = result_stable(sample), *again = NULL;
	json_t *three[] = {sample, reference, sample};
	assert_int_equal(results_store(path, three, 3), 0);
	assert_int_equal(results_load(path, stderr, &again), 0);
	assert_int_equal(json_array_size(again), 3);
	for (size_t i = 0; i < 3; i++)
		assert_true(json_equal(json_array_get(again, i), three[i]));
	auto_free char *many = load(-EINVAL);
	assert_non_null(strstr(many, "result.json: holds more than one result"));
	assert_int_equal(results_store(path, &reference, 1), 0);
	auto_free char *said = load(-EINVAL);
	assert_non_null(strstr(said, "result.json: is a reference, not a result"));
	auto_free char *line = json_dumps(sample, JSON_COMPACT), *tree = json_dumps(sample, JSON_INDENT(1));
	auto_free char *text = NULL;
	static const struct {
		const char *after, *says;
	} wrong[] = {
		{"{", ":3:"},
		{"7", "result.json:3:1: "},
		{"{}", "\"schema\" is missing"},
		{"]", "result.json:3:1: "},
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		free(text);
		assert_true(asprintf(&text, "%s\n\n%s", line, wrong[i].after) > 0);
		put_file(text, strlen(text));
		auto_free char *told = load(-EINVAL);
		if (!strstr(told, wrong[i].says))
			print_message("%s", told);
		assert_non_null(strstr(told, wrong[i].says));
	}
	free(text);
	assert_true(asprintf(&text, "\n %s%s\r\n \n", tree, line) > 0);
	put_file(text, strlen(text));
	json_auto_t *two = NULL;
	assert_int_equal(results_load(path, stderr, &two), 0);
	assert_int_equal(json_array_size(two), 2);
}

/* References are checked as strictly. */
static void test_wrong_references(void **state)
{
	static const struct {
		const char *at, *value, *says;
	} wrong[] = {
		{"host/kernel", NULL, "host.kernel: is missing"},
		{"scenarios/0/verdict", "\"good\"", "scenarios[0].verdict: \"good\" is none of"},
		{"scenarios/3/runs/0/role", "7", "scenarios[3].runs[0].role: must be text"},
		{"scenarios/3/runs/1/name", "\"no limit\"", "there is another one named \"no limit\""},
		{"scenarios/3/runs/1/checks/0/ok", "false", "passed with check 0 failed"},
		{"schema", "\"enomem-reference/2\"", "is none of enomem-result/1"},
		{"scenarios/3/runs/1/reported/errno", "12", "scenarios[3].runs[1].reported.errno: must be text"},
		{"scenarios/3/runs/1/reported/called", NULL, "scenarios[3].runs[1].reported.called: is missing"},
		{"scenarios/3/runs/1/failing_moment", "{\"at\": \"signal\", \"call\": \"x\"}",
		 "failing_moment.at: \"signal\" is none of call"},
		{"scenarios/3/runs/1/failing_moment", "{\"at\": \"call\"}", "failing_moment.call: is missing"},
	};
	(void)state;
	json_auto_t *sample = sample_result();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		json_auto_t *reference = result_stable(sample);
		auto_free char *said = NULL;
		size_t size;
		doctor(reference, wrong[i].at, wrong[i].value);
		FILE *errors = open_memstream(&said, &size);
		assert_int_equal(result_check_any(reference, "file", errors), -EINVAL);
		(void)fclose(errors);
		if (!strstr(said, wrong[i].says))
			print_message("%s: %s", wrong[i].at, said);
		assert_non_null(strstr(said, wrong[i].says));
	}
}

static void test_truncated_anywhere(void **state)
{
	(void)state;
	json_auto_t *sample = sample_result();
	auto_free char *text = json_dumps(sample, JSON_COMPACT);
	size_t length = strlen(text);
	for (size_t cut = 0; cut < length; cut += 97) {
		put_file(text, cut);
		free(load(-EINVAL));
	}
	put_file(text, length);
	free(load(0));
}

static void test_unreadable(void **state)
{
	json_t *result = NULL;
	(void)state;
	(void)unlink(path);
	auto_free char *said = load(-ENOENT);
	assert_non_null(strstr(said, "cannot be opened (ENOENT)\nHint: a result is made by: enomem run -o FILE"));
	auto_fclose FILE *null = fopen("/dev/null", "we");
	assert_int_equal(result_load(directory, null, &result), -EISDIR);
	assert_null(result);
}

/* Doctored at one place each: the place is named. */
static void test_wrong_shapes(void **state)
{
	static const struct {
		const char *at, *value, *says;
	} wrong[] = {
		{"scenarios/0/verdict", "\"good\"",
		 "scenarios[0].verdict: \"good\" is none of pass, fail, broken, skip"},
		{"scenarios/0/runs/1/role", "7", "scenarios[0].runs[1].role: must be text"},
		{"scenarios/0/runs/1/name", NULL, "scenarios[0].runs[1].name: is missing"},
		{"scenarios/0/runs/1/outcome/kind", "\"crash\"",
		 "scenarios[0].runs[1].outcome.kind: \"crash\" is none of"},
		{"scenarios/0/runs/1/checks/0/ok", "1", "scenarios[0].runs[1].checks[0].ok: must be true or false"},
		{"scenarios/0/runs/1/checks/0/ok", "false", "scenarios[0].runs[1]: passed with check 0 failed"},
		{"scenarios/0/runs/1/limits/0", "[]", "scenarios[0].runs[1].limits[0]: must be an object"},
		{"scenarios/0/runs/1/limits/0/bound", "\"max\"", "limits[0].bound: must be a number or null"},
		{"scenarios/0/runs/1/kernel_log", "[1]", "scenarios[0].runs[1].kernel_log[0]: must be text"},
		{"scenarios/0/runs/1/duration_ns", "-1",
		 "scenarios[0].runs[1].duration_ns: must be an integer of 0 or more"},
		{"scenarios/0/runs/1/witness/calls/clone", "1.5",
		 "scenarios[0].runs[1].witness.calls.clone: must be an integer"},
		{"scenarios/0/runs/1/name", "\"no limit\"",
		 "scenarios[0].runs[1]: there is another one named \"no limit\""},
		{"scenarios/1/reason", NULL, "scenarios[1]: did not pass and gives no reason"},
		{"scenarios", "{}", "scenarios: must be an array"},
		{"summary/pass", "7", "summary: does not count the scenarios that are \"pass\" right"},
		{"host/kernel", "null", "host.kernel: must be text"},
		{"scenarios/0/note", "7", "scenarios[0].note: must be text"},
		{"scenarios/0/runs/1/console", "[7]", "scenarios[0].runs[1].console[0]: must be text"},
		{"scenarios/0/runs/1/guest", "{\"ram\": -1}", "runs[1].guest.ram: must be an integer of 0 or more"},
		{"enomem", NULL, "enomem: is missing"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		json_auto_t *sample = sample_result();
		auto_free char *said = NULL;
		size_t size;
		doctor(sample, wrong[i].at, wrong[i].value);
		FILE *errors = open_memstream(&said, &size);
		assert_int_equal(result_check(sample, "file", errors), -EINVAL);
		assert_int_equal(result_check(sample, "file", NULL), -EINVAL);
		(void)fclose(errors);
		if (!strstr(said, wrong[i].says))
			print_message("%s: %s", wrong[i].at, said);
		assert_non_null(strstr(said, wrong[i].says));
	}
}

/* A file may not grow: the old result survives whole and nothing is left beside it. */
static void test_full_disk(void **state)
{
	(void)state;
	json_auto_t *sample = sample_result(), *again = NULL;
	assert_int_equal(result_store(path, sample), 0);
	struct rlimit old, small;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){4096, old.rlim_max};
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	int r = result_store(path, sample);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(r, -EFBIG);
	assert_int_equal(result_load(path, stderr, &again), 0);
	assert_true(json_equal(sample, again));
	if (access("/dev/full", W_OK) == 0)
		assert_int_equal(result_store("/dev/full", sample), -ENOSPC);
	assert_int_equal(result_store("/dev/null", sample), 0);
	struct stat st;
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(result_store("/nowhere/at/all.json", sample), -ENOENT);
}

static void test_symbolic_link_stays(void **state)
{
	char link[160];
	struct stat st;
	(void)state;
	json_auto_t *sample = sample_result(), *again = NULL;
	(void)snprintf(link, sizeof(link), "%s/latest.json", directory);
	put_file("old", 3);
	assert_int_equal(symlink("result.json", link), 0);
	assert_int_equal(result_store(link, sample), 0);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(unlink(link), 0);
	assert_int_equal(result_load(path, stderr, &again), 0);
}

/* Pieces smaller and larger than what is collected, to the byte as jansson writes them; and a disk that is full,
 * whether it says so in between or at the end. */
static void test_written(void **state)
{
	static const size_t lengths[] = {1, 100, 65534, 65535, 65536, 65537, 200000};
	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		auto_free char *filler = calloc(1, lengths[i] + 1), *ours = NULL;
		assert_non_null(filler);
		memset(filler, 'x', lengths[i]);
		json_auto_t *json = json_pack("[s, s, {s:i}, s]", filler, "between", "n", 7, filler);
		auto_free char *theirs = json_dumps(json, JSON_INDENT(1));
		size_t size = 0;
		FILE *out = open_memstream(&ours, &size);
		assert_int_equal(result_write(json, JSON_INDENT(1), out), 0);
		assert_int_equal(fclose(out), 0);
		assert_int_equal(size, strlen(theirs));
		assert_memory_equal(ours, theirs, size);
		auto_fclose FILE *full = fopen("/dev/full", "we");
		assert_int_equal(setvbuf(full, NULL, _IONBF, 0), 0);
		assert_int_equal(result_write(json, JSON_INDENT(1), full), -EIO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),          cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_truncated_anywhere),  cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_wrong_shapes),        cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_symbolic_link_stays), cmocka_unit_test(test_several),
		cmocka_unit_test(test_wrong_references),    cmocka_unit_test(test_written),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
