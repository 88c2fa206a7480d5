// SPDX-License-Identifier: MIT
/*
 * Manifests: what good ones become, and for every way to get one wrong the message, its place and its hint. The files
 * are in data/manifests; good-small.yaml with one thing changed is what most bad ones are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "manifest.h"

struct outcome {
	int result;
	struct scenario *scenario;
	char messages[8192];
};

static char *load(const char *name, size_t *ret_length)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/manifests/%s.yaml", TEST_DATA, name);
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	char *text = calloc(1, 65536 + 1);
	assert_non_null(text);
	*ret_length = fread(text, 1, 65536, f);
	fclose(f);
	return text;
}

static struct outcome parse(const char *text, size_t length)
{
	struct outcome o = {.scenario = NULL};
	FILE *f = fmemopen(o.messages, sizeof(o.messages), "w");
	assert_non_null(f);
	o.result = manifest_parse(text, length, "t.yaml", f, &o.scenario);
	fclose(f);
	return o;
}

static const struct bad {
	const char *name;
	unsigned line, column, width;
	const char *message, *hint;
} bad[] = {
	{"alias", 11, 61, 2, "aliases are not allowed", "write the value out"},
	{"anchor", 6, 11, 2, "anchors are not allowed", "write the value out where it is needed"},
	{"bring-relative", 5, 9, 12, "what is brought is a path that begins with '/' and does not end with it",
	 "as in /usr/bin/redis-server"},
	{"bring-root", 5, 9, 1, "what is brought is a path that begins with '/' and does not end with it",
	 "as in /usr/bin/redis-server"},
	{"bring-up", 5, 9, 15, "what is brought is a path without empty parts, '.' and '..'", NULL},
	{"bring-dots", 5, 9, 7, "what is brought is a path without empty parts, '.' and '..'", NULL},
	{"bring-passwd", 5, 18, 11, "a guest has a /etc/passwd of its own", "bring a copy that has another name"},
	{"bring-proc", 5, 28, 12, "a guest has a /proc of its own", "bring a copy that has another name"},
	{"bring-twice", 5, 28, 7, "'/bin/sh' is brought already (line 5)", NULL},
	{"bring-empty", 5, 8, 1, "'bring' must not be empty", NULL},
	{"bring-text", 5, 8, 7, "'bring' must be a list, but is text", NULL},
	{"bring-many", 5, 1, 5, "'bring' lists 33 paths, of at most 32", "name a directory"},
	{"case-twice", 8, 29, 3, "another case is named 'one' (line 8)", NULL},
	{"case-unknown", 11, 42, 3, "there is no case 'one'", NULL},
	{"cgroup-above", 6, 18, 9, "unknown cgroup limit 'memory.mx'", "did you mean 'memory.max'?"},
	{"cgroup-above-counter", 6, 18, 14, "'memory.current' is a counter, not a limit", NULL},
	{"cgroup-version", 5, 17, 2, "unknown cgroup version 'v3'", "did you mean 'v1'?"},
	{"check-near", 10, 82, 4, "'near' needs within", "as in within: 2%"},
	{"check-no-relation", 10, 53, 1, "a check without a relation",
	 "one of is, at_least, at_most, above, below, near"},
	{"check-no-value", 10, 53, 1, "check without 'value'", NULL},
	{"check-path", 10, 61, 19, "'failing.process.rss' is no metric path",
	 "paths begin with before. failure. after. delta. arguments. witness. exit. cause. kernel_log. most. least., "
	 "or are "
	 "duration_ns"},
	{"check-path-minus", 10, 61, 25, "'rss' is no metric path",
	 "paths begin with before. failure. after. delta. arguments. witness. exit. cause. kernel_log. most. least., "
	 "or are "
	 "duration_ns"},
	{"check-tolerance", 10, 100, 8, "bad tolerance '2percent'", "a percentage (2%) or a size (64K)"},
	{"check-two-relations", 10, 79, 7, "a check has one relation only, and 'is' was given before", NULL},
	{"check-within", 10, 90, 6, "'within' goes with near only", NULL},
	{"control-character", 2, 27, 1, "control character 0x1b", NULL},
	{"control-fails", 9, 46, 5, "a control succeeds: it cannot expect 'errno'", NULL},
	{"count-oom-control", 6, 32, 1, "memory.oom_control is 0 or 1", NULL},
	{"count-oom-group", 6, 30, 1, "memory.oom.group is 0 or 1", NULL},
	{"counter-cgroup", 6, 12, 14, "'memory.current' is a counter, not a limit", NULL},
	{"cpus", 6, 9, 3, "unknown value of cpus 'two'", NULL},
	{"deep", 6, 25, 1, "nested too deeply (at most 12 levels)", NULL},
	{"described-alone", 8, 1, 4, "no trigger", NULL},
	{"described-expect", 11, 50, 6, "what is described is not asserted: 'near' cannot expect anything",
	 "leave it out, or leave out described"},
	{"described-remedy", 11, 34, 9, "only a trigger is described", NULL},
	{"does-without-shrug", 11, 97, 12, "a program that shrugs and exits with 0 would pass",
	 "say what the program has in the end: says, or check"},
	{"does-without-trigger", 10, 45, 12,
	 "only a remedy that helps, and that names the call it is refused, does without it", NULL},
	{"duplicate-key", 5, 1, 5, "duplicate key 'title' (first given in line 2)", NULL},
	{"duplicate-key-flow", 6, 21, 2, "duplicate key 'as' (first given in line 6)", NULL},
	{"duration", 4, 11, 1, "bad duration '5'", "digits and one of ns us ms s min, as in 500ms"},
	{"empty", 1, 1, 1, "the manifest is empty", NULL},
	{"empty-runs", 8, 7, 1, "'runs' must not be empty", NULL},
	{"empty-value", 2, 1, 1, "'title' must be text, but is empty", NULL},
	{"exit", 7, 43, 3, "exit is a number from 0 to 255, or any", NULL},
	{"helps-control", 9, 37, 5, "only a remedy helps or does not", NULL},
	{"identity", 6, 13, 9, "'no body' is no user name", NULL},
	{"inject-brk", 6, 17, 6, "brk cannot say 'EAGAIN': it returns the break it kept", "brk: ENOMEM"},
	{"inject-call", 6, 12, 5, "unknown call 'mmapp'", "did you mean 'mmap'?"},
	{"inject-errno", 6, 18, 6, "bad failure 'ENOMEN'",
	 "an errno (ENOMEM), one from a size on (ENOMEM from 1M), or none"},
	{"inject-from", 6, 18, 15, "bad failure 'ENOMEM from 1MB'",
	 "an errno (ENOMEM), one from a size on (ENOMEM from 1M), or none"},
	{"kernel", 5, 17, 3, "bad kernel range '6.1'", "\">=6.1\", \"<6.11\", or both: \">=5.10 <6.11\""},
	{"knobs", 6, 10, 9, "unknown value of knobs 'writeable'", "did you mean 'writable'?"},
	{"knobs-scope", 6, 3, 5, "a writable knob reaches the whole machine, but the scope does not",
	 "say scope: machine"},
	{"label", 10, 12, 10, "'#' and '\\' cannot be used here", NULL},
	{"live-namespace", 10, 60, 14, "unknown sysctl of an IPC namespace 'kernel.pid_max'",
	 "did you mean 'kernel.shmmax'?"},
	{"live-swap-scope", 11, 41, 4, "swap reaches the whole machine, but the scope does not", "say scope: machine"},
	{"live-sysctl-scope", 11, 41, 6, "a sysctl reaches the whole machine, but the scope does not",
	 "say scope: machine"},
	{"live-unknown", 11, 41, 3, "unknown key 'sys' in live", NULL},
	{"missing-name", 1, 1, 1, "manifest without 'name'", NULL},
	{"locate-amount", 8, 71, 5, "bad amount '128MB'",
	 "digits and at most one of K M G T (64M), or an amount (ram + swap)"},
	{"locate-argument", 8, 20, 5, "'bytes' is no argument that can be varied",
	 "an option (--bytes), or a position from 1"},
	{"locate-both", 8, 1, 6, "locate varies an argument or a setting: name one of them", NULL},
	{"locate-case-cases", 8, 60, 5, "a case's locate is for that case", "of the scenario it says for which cases"},
	{"locate-cases", 8, 18, 3, "there is no case 'one'", NULL},
	{"locate-elsewhere", 8, 21, 3, "'elsewhere' without 'when'", "say when the other prediction holds"},
	{"locate-incomplete", 8, 1, 6, "locate without 'refused'", NULL},
	{"locate-key", 8, 77, 7, "unknown key 'predict' in locate", "did you mean 'predicted'?"},
	{"locate-neither", 8, 1, 6, "locate varies an argument or a setting: name one of them", NULL},
	{"locate-no-argument", 8, 20, 8, "'limited' has no argument '--size' to vary", NULL},
	{"locate-no-setting", 8, 19, 11, "'limited' has no setting 'rlimit.data' to vary", NULL},
	{"locate-position", 8, 20, 1, "'limited' has no argument '3' to vary", NULL},
	{"locate-predicted", 8, 88, 15, "bad prediction 'cause.bound * 2'",
	 "amounts (ram + swap) and metric paths (cause.bound - cause.in_use), joined by + and -"},
	{"locate-run", 8, 36, 6, "there is no trigger 'raised' to vary anything in", NULL},
	{"locate-setting", 8, 19, 10, "'memory.max' is no limit that can be varied",
	 "as in rlimit.as, cgroup.memory.max, sysctl.vm.max_map_count"},
	{"locate-stall", 6, 1, 6, "'limited' ends in a stall: that is no boundary to be searched for", NULL},
	{"locate-step", 8, 37, 1, "a step of 0 leads nowhere", NULL},
	{"locate-tolerance", 8, 21, 2, "a tolerance without a reason hides what it is there for", "why: ..."},
	{"missing-role", 10, 5, 1, "run without 'role'", NULL},
	{"missing-runs", 1, 1, 1, "manifest without 'runs'", NULL},
	{"name", 1, 7, 5, "a scenario's name has small letters, digits and '-' only, at most 63", NULL},
	{"namespace-inherited", 10, 43, 7, "this run inherits a namespace_sysctl, which needs scope namespace", NULL},
	{"namespace-name", 6, 22, 20, "'vm.overcommit_memory' is not kept per namespace",
	 "say sysctl, with scope: machine"},
	{"namespace-near", 6, 22, 12, "unknown namespace_sysctl 'kernel.shmax'", "did you mean 'kernel.shmmax'?"},
	{"namespace-scope", 6, 3, 16, "a namespace_sysctl reaches the run's namespaces, but the scope does not",
	 "say scope: namespace"},
	{"no-cause", 10, 12, 7, "the expectation of 'limited' names no cause", NULL},
	{"no-control", 8, 1, 4, "no control", NULL},
	{"no-errno", 10, 12, 7, "the expectation of 'limited' is not complete",
	 "expect call and errno, or signal, or stall, or panic"},
	{"no-remedy", 8, 1, 4, "no remedy that helps", NULL},
	{"no-remedy-for-case", 10, 12, 3, "no remedy that helps for case two", NULL},
	{"no-trigger", 8, 1, 4, "no trigger", NULL},
	{"not-utf8", 2, 27, 1, "byte 0xff is not UTF-8", NULL},
	{"note", 4, 7, 6, "lines of printable text are needed", NULL},
	{"nul-byte", 2, 27, 1, "NUL byte", NULL},
	{"nul-escape", 2, 8, 17, "NUL byte in a text", NULL},
	{"oom-kills", 7, 57, 4, "oom_kills is a number, or any", NULL},
	{"oom-score", 6, 18, 4, "oom_score_adj is a number from -1000 to 1000", NULL},
	{"panic-and-call", 10, 12, 7, "'limited' expects a panic, and another end as well",
	 "leave out call, errno, signal, si_code, stall and exit"},
	{"panic-control", 9, 46, 5, "a control succeeds: it cannot expect 'panic'", NULL},
	{"panic-no-cause", 10, 12, 7, "the expectation of 'limited' names no cause", NULL},
	{"panic-remedy", 11, 43, 5, "a remedy that helps succeeds: it cannot expect 'panic'", NULL},
	{"panic-scope", 10, 12, 7, "'limited' expects a panic, which ends the whole machine", "say scope: machine"},
	{"panic-survivable", 11, 12, 7, "'limited' expects a panic, which no machine survives", "leave out survivable"},
	{"panic-text", 7, 17, 12, "one line of printable text is needed", NULL},
	{"program-slash", 4, 10, 9, "the program must be a file in the scenario's directory: no '/', no '..'", NULL},
	{"program-up", 4, 10, 2, "the program must be a file in the scenario's directory: no '/', no '..'", NULL},
	{"run-twice", 11, 12, 7, "another run is named 'limited' (line 10)", NULL},
	{"single-quotes", 2, 8, 32, "two single quotes in a row", "use double quotes around them"},
	{"size-argument", 8, 21, 4, "bad size '64MB'", "sizes are written 64M, amounts as in 60% of commit.headroom"},
	{"size-base", 6, 16, 10, "bad size '60% of rum'",
	 "digits and at most one of K M G T (64M), an amount (60% of ram), or unlimited"},
	{"size-check", 10, 89, 3, "bad value '8MB'",
	 "a number, a size, max, an amount (60% of ram) or a metric path (before.process.rss)"},
	{"size-mb", 6, 16, 4, "bad size '64MB'",
	 "digits and at most one of K M G T (64M), an amount (60% of ram), or unlimited"},
	{"size-negative", 6, 16, 2, "bad size '-1'",
	 "digits and at most one of K M G T (64M), an amount (60% of ram), or unlimited"},
	{"size-too-large", 6, 16, 12, "'99999999999G' is too large", NULL},
	{"needs-ram", 5, 14, 4, "bad size '64MB'", "digits and at most one of K M G T, as in 200M"},
	{"swap-on", 6, 12, 6, "unknown value of swap_on 'floppy'", NULL},
	{"swap-scope", 6, 3, 4, "swap reaches the whole machine, but the scope does not", "say scope: machine"},
	{"swap-size", 6, 9, 4, "bad size '64MB'",
	 "digits and at most one of K M G T (64M), an amount (60% of ram), or 0"},
	{"sys-cgroup", 6, 9, 20, "control groups are not set by path", "say cgroup or cgroup_above"},
	{"sys-name", 6, 9, 12, "bad name of a file in /sys 'kernel/../mm'",
	 "a path below /sys, as in kernel/mm/transparent_hugepage/enabled"},
	{"sys-scope", 6, 3, 3, "a value in /sys reaches the whole machine, but the scope does not",
	 "say scope: machine"},
	{"sys-slash", 6, 9, 10, "bad name of a file in /sys '/kernel/mm'",
	 "a path below /sys, as in kernel/mm/transparent_hugepage/enabled"},
	{"sysctl-name", 6, 12, 18, "bad sysctl name 'vm/../kernel/panic'", "as in vm.overcommit_memory"},
	{"sysctl-scope", 6, 3, 6, "a sysctl reaches the whole machine, but the scope does not", "say scope: machine"},
	{"sysctl-scope-inherited", 11, 43, 7, "this run inherits a sysctl, which needs scope machine", NULL},
	{"sysctl-scope-run", 10, 50, 6, "a sysctl reaches the whole machine, but the scope does not",
	 "say scope: machine"},
	{"tag", 6, 16, 1, "tags are not allowed", NULL},
	{"tmpfs-key", 6, 11, 9, "unknown limit of a tmpfs 'nr_inodes'", "did you mean 'inodes'?"},
	{"tmpfs-live-scope", 11, 41, 5, "a tmpfs reaches the run's namespaces, but the scope does not",
	 "say scope: namespace"},
	{"tmpfs-scope", 6, 3, 5, "a tmpfs reaches the run's namespaces, but the scope does not",
	 "say scope: namespace"},
	{"tmpfs-size", 6, 19, 3, "bad size 'max'", "digits and at most one of K M G T (64M), or an amount (1% of ram)"},
	{"tmpfs-zero", 6, 17, 1, "a tmpfs of 0 has no limit: leave it out", NULL},
	{"tool", 5, 17, 6, "a tool is the name of a program, looked up on PATH, or a path that begins with '/'", NULL},
	{"truncated", 6, 18, 1, "missing comma in flow mapping", NULL},
	{"truncated-quote", 2, 8, 1, "wrongly indented double-quoted scalar", NULL},
	{"two-documents", 12, 1, 3, "a manifest is one document only", NULL},
	{"unknown-call", 7, 23, 4, "unknown call 'folk'", "did you mean 'fork'?"},
	{"unknown-capability", 5, 24, 13, "unknown capability 'CAP_SYS_ADMIN'", "write it without CAP_"},
	{"unknown-cause", 7, 44, 10, "unknown cause 'rlimit-ass'", "did you mean 'rlimit-as'?"},
	{"unknown-cgroup", 6, 12, 9, "unknown cgroup limit 'memory.mx'", "did you mean 'memory.max'?"},
	{"unknown-class", 3, 8, 12, "unknown class 'adress-space'", "did you mean 'address-space'?"},
	{"unknown-controller", 5, 23, 3, "unknown controller 'pid'", "did you mean 'pids'?"},
	{"unknown-errno", 7, 29, 6, "unknown errno 'ENOMEN'", "did you mean 'ENOMEM'?"},
	{"unknown-key", 4, 1, 5, "unknown key 'scpoe' in manifest", "did you mean 'scope'?"},
	{"unknown-key-far", 5, 1, 6, "unknown key 'wibble' in manifest", NULL},
	{"unknown-key-nested", 7, 3, 6, "unknown key 'cgruop' in environment", "did you mean 'cgroup'?"},
	{"unknown-rlimit", 6, 12, 3, "unknown rlimit 'mem'", NULL},
	{"unknown-role", 10, 27, 6, "unknown role 'triger'", "did you mean 'trigger'?"},
	{"unknown-scope", 4, 8, 6, "unknown scope 'proces'", "did you mean 'process'?"},
	{"unknown-si-code", 7, 46, 10, "unknown si_code 'SEGV_MAPER'", "did you mean 'SEGV_MAPERR'?"},
	{"unknown-signal", 7, 30, 6, "unknown signal 'SIGKIL'", "did you mean 'SIGKILL'?"},
	{"utf8-column", 2, 21, 2, "aliases are not allowed", "write the value out"},
	{"wrong-type-bool", 10, 42, 2, "'helps' must be true or false", NULL},
	{"wrong-type-item", 10, 5, 7, "'run' must be keys and values, but is text", NULL},
	{"wrong-type-list", 2, 8, 1, "'title' must be text, but is a list", NULL},
	{"wrong-type-map", 7, 9, 6, "'expect' must be keys and values, but is text", NULL},
	{"wrong-type-root", 1, 1, 1, "a manifest is keys and values, but this is a list", NULL},
	{"wrong-type-text", 8, 12, 12, "'arguments' must be a list, but is text", NULL},
};

/* Message, line, caret and hint, byte for byte. */
static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct bad *b = &bad[i];
		char name[128], wanted[512];
		size_t length;
		snprintf(name, sizeof(name), "bad-%s", b->name);
		char *text = load(name, &length);
		struct outcome o = parse(text, length);
		if (o.result != -EINVAL || o.scenario)
			fail_msg("%s: result %d", name, o.result);
		snprintf(wanted, sizeof(wanted), "t.yaml:%u:%u: error: %s\n%5u | ", b->line, b->column, b->message,
			 b->line);
		if (strncmp(o.messages, wanted, strlen(wanted)) != 0)
			fail_msg("%s: wanted\n%s\ngot\n%s", name, wanted, o.messages);
		const char *caret = strstr(o.messages, "\n      | ");
		assert_non_null(caret);
		caret += strlen("\n      | ");
		if (strspn(caret, " ") != b->column - 1 || caret[b->column - 1] != '^' ||
		    1 + strspn(caret + b->column, "~") != b->width)
			fail_msg("%s: caret at the wrong place:\n%s", name, o.messages);
		const char *end = caret + b->column - 1 + b->width;
		snprintf(wanted, sizeof(wanted), "\n%s%s%s", b->hint ? "      = hint: " : "", b->hint ? b->hint : "",
			 b->hint ? "\n" : "");
		if (strcmp(end, wanted) != 0)
			fail_msg("%s: wanted the hint\n%s\ngot\n%s", name, wanted, end);
		free(text);
	}
}

/* All errors are told, not only the first, but not hundreds. */
static void test_many_errors(void **state)
{
	(void)state;
	static const char two[] = "name: Big\ntitle: t\nclass: leek\nscope: process\nruns: []\n";
	struct outcome o = parse(two, strlen(two));
	assert_int_equal(o.result, -EINVAL);
	assert_non_null(strstr(o.messages, "t.yaml:1:7: error: a scenario's name"));
	assert_non_null(strstr(o.messages, "t.yaml:3:8: error: unknown class 'leek'"));
	assert_non_null(strstr(o.messages, "did you mean 'leak'?"));
	assert_non_null(strstr(o.messages, "t.yaml:5:7: error: 'runs' must not be empty"));

	char *many = malloc(8192);
	assert_non_null(many);
	size_t n = 0;
	for (unsigned i = 0; i < 100; i++)
		n += (size_t)sprintf(many + n, "key%u: 1\n", i);
	o = parse(many, n);
	free(many);
	unsigned count = 0;
	for (const char *c = o.messages; (c = strstr(c, ": error: ")); c++)
		count++;
	assert_int_equal(count, 20);
	assert_non_null(strstr(o.messages, "t.yaml: more errors follow\n"));
}

/* Truncated anywhere, a good manifest is refused or complete, and never worse. */
static void test_truncated(void **state)
{
	(void)state;
	size_t length;
	unsigned good = 0;
	char *text = load("good-full", &length);
	for (size_t n = 0; n < length; n++) {
		char *part = malloc(n + 1);
		assert_non_null(part);
		memcpy(part, text, n);
		struct outcome o = parse(part, n);
		free(part);
		assert_true(o.result == -EINVAL || o.result == 0);
		assert_true((o.result == 0) == (o.messages[0] == '\0'));
		assert_true((o.result == 0) == (o.scenario != NULL));
		good += o.result == 0;
		scenario_free(o.scenario);
	}
	/* The last run is one too many, so a manifest without it, or without its later keys, is one. */
	assert_in_range(good, 1, 300);
	free(text);
}

static void test_large(void **state)
{
	(void)state;
	size_t length;
	char *text = load("good-small", &length);
	char *big = malloc(MANIFEST_MAX_BYTES + 1);
	assert_non_null(big);
	memset(big, '\n', MANIFEST_MAX_BYTES + 1);
	memcpy(big, text, length);
	struct outcome o = parse(big, MANIFEST_MAX_BYTES);
	assert_int_equal(o.result, 0);
	scenario_free(o.scenario);
	o = parse(big, MANIFEST_MAX_BYTES + 1);
	assert_int_equal(o.result, -EINVAL);
	assert_null(o.scenario);
	assert_int_equal(strncmp(o.messages, "t.yaml:1:1: error: larger than 256 KiB\n    1 | name: small\n", 57), 0);
	/* A line as long as the file is shown around the place only, and the place is right. */
	memset(big, 'x', MANIFEST_MAX_BYTES);
	big[100000] = '\1';
	o = parse(big, MANIFEST_MAX_BYTES);
	assert_int_equal(strncmp(o.messages, "t.yaml:1:100001: error: control character 0x01\n", 47), 0);
	assert_in_range(strlen(o.messages), 100, 600);
	free(big);
	free(text);
}

/* Escapes reach the terminal as '?'. */
static void test_message_harmless(void **state)
{
	(void)state;
	static const char text[] = "\"\\e[31m\": 1\n";
	struct outcome o = parse(text, strlen(text));
	assert_int_equal(o.result, -EINVAL);
	assert_non_null(strstr(o.messages, "unknown key '?[31m'"));
	assert_null(strchr(o.messages, '\033'));
}

static void test_small(void **state)
{
	(void)state;
	size_t length;
	char *text = load("good-small", &length);
	struct outcome o = parse(text, length);
	assert_int_equal(o.result, 0);
	assert_string_equal(o.messages, "");
	const struct scenario *s = o.scenario;
	assert_string_equal(s->file, "t.yaml");
	assert_string_equal(s->directory, ".");
	assert_string_equal(s->program, "small"); /* the default */
	assert_int_equal(s->scope, SCOPE_PROCESS);
	assert_false(s->survivable);
	assert_null(s->deadline);
	assert_int_equal(s->case_count, 0);
	assert_int_equal(s->run_count, 3);
	assert_int_equal(s->expect.call.count, 1); /* a word is a list of one */
	assert_string_equal(s->expect.call.item[0], "mmap");
	assert_string_equal(s->runs[0].environment.rlimit.item[0].value, "unlimited");
	assert_int_equal(s->runs[1].role, ROLE_TRIGGER);
	assert_int_equal(s->runs[1].scope, SCOPE_PROCESS); /* inherited */
	assert_int_equal(s->runs[1].line, 10);
	assert_true(s->runs[2].helps);
	assert_false(s->runs[2].has_when);
	scenario_free(o.scenario);
	free(text);
}

/* Edges of single values, each beside the last one that is still good. */
static void test_edges(void **state)
{
	(void)state;
	static const char digits[] = "1234567890123456789012345678901234567890123456789012345678901234";
	static const struct {
		const char *line;
		int cut; /* of digits */
		const char *message;
	} edges[] = {
		{"deadline: 1ns", 0, ""},
		{"deadline: 0s", 0, "t.yaml:5:11: error: bad duration '0s'"},
		{"title: \xc3\xa9 \xf4\x8f\xbf\xbf", 0, ""},
		{"title: \xc1\xa9", 0, "t.yaml:5:8: error: byte 0xc1 is not UTF-8"},         /* overlong */
		{"title: \xed\xa0\x80", 0, "t.yaml:5:8: error: byte 0xed is not UTF-8"},     /* a surrogate */
		{"title: \xf4\x90\x80\x80", 0, "t.yaml:5:8: error: byte 0xf4 is not UTF-8"}, /* above U+10FFFF */
		{"environment: {sysctl: {a.b: x%.*s}}", 62, ""},
		{"environment: {sysctl: {a.b: x%.*s}}", 63,
		 "t.yaml:5:29: error: a sysctl's value is one line of at most 63 bytes"},
		{"environment: {sys: {a/b: x%.*s}}", 62, ""},
		{"environment: {sys: {a/b: x%.*s}}", 63,
		 "t.yaml:5:26: error: a value in /sys is one line of at most 63 bytes"},
		{"environment: {sys: {a//b: 1}}", 0, "t.yaml:5:21: error: bad name of a file in /sys 'a//b'"},
		{"environment: {sys: {b: 1}}", 0, "t.yaml:5:21: error: bad name of a file in /sys 'b'"},
		{"environment: {sys: {}, namespace_sysctl: {}, cgroup_above: {}}", 0, ""},
		{"note: \"a\\nb\"", 0, ""},
		{"note: \"a\\x7f\"", 0, "t.yaml:5:7: error: lines of printable text are needed"},
		{"program: x%.*s", 62, ""},
		{"program: x%.*s", 63, "t.yaml:5:10: error: a program's name has"},
	};
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		char text[1024], line[256];
		const char *rest = strstr(edges[i].line, "%.*s");
		int head = rest ? (int)(rest - edges[i].line) : (int)strlen(edges[i].line);
		snprintf(line, sizeof(line), "%.*s%.*s%s", head, edges[i].line, edges[i].cut, digits,
			 rest ? rest + strlen("%.*s") : "");
		snprintf(text, sizeof(text),
			 "name: n\nclass: leak\nscope: machine\nexpect: {signal: SIGKILL, cause: memcg-max}\n%s\n%s"
			 "runs: [{name: c, role: control}, {name: t, role: trigger}, {name: r, role: remedy}]\n",
			 line, strncmp(line, "title", 5) == 0 ? "" : "title: t\n");
		struct outcome o = parse(text, strlen(text));
		if (strncmp(o.messages, edges[i].message, strlen(edges[i].message)) != 0 ||
		    (o.result == 0) != (edges[i].message[0] == '\0'))
			fail_msg("%s: wanted '%s', got %d and\n%s", line, edges[i].message, o.result, o.messages);
		scenario_free(o.scenario);
	}
}

/* How YAML writes texts, and what they are. */
static void test_texts(void **state)
{
	(void)state;
	static const struct {
		const char *yaml, *text;
	} texts[] = {
		{"plain words", "plain words"},
		{"'single ''quoted'' words'", "single 'quoted' words"},
		{"''''", "'"},
		{"\"double '''' \\\"quoted\\\" \\u00e9\"", "double '''' \"quoted\" \u00e9"},
		{">-\n  folded\n  words", "folded words"},
		{"two\n  lines", "two lines"},
		{"'true'", "true"},
		{"1.50", "1.50"}, /* a text stays a text */
	};
	char text[1024];
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(text, sizeof(text),
			 "name: n\ntitle: %s\nclass: leak\nscope: process\nexpect: {signal: SIGKILL, "
			 "cause: memcg-max}\nruns: [{name: c, role: control}, {name: t, role: trigger}, {name: r, "
			 "role: remedy}]\n",
			 texts[i].yaml);
		struct outcome o = parse(text, strlen(text));
		assert_string_equal(o.messages, "");
		assert_string_equal(o.scenario->title, texts[i].text);
		scenario_free(o.scenario);
	}
}

static void check_full_runs(const struct scenario *s)
{
	const struct run_text *limited = &s->runs[1], *more = &s->runs[4];
	assert_int_equal(s->run_count, 5);
	assert_int_equal(limited->expect.check_count, 5);
	const struct check *c = limited->expect.check;
	assert_string_equal(c[0].text, "failure.meminfo.Committed_AS - before.meminfo.Committed_AS");
	assert_string_equal(c[0].value, "failure.meminfo.Committed_AS");
	assert_string_equal(c[0].minus, "before.meminfo.Committed_AS");
	assert_int_equal(c[0].relation, REL_NEAR);
	assert_string_equal(c[0].right, "arguments.reserve");
	assert_string_equal(c[0].within, "2%");
	assert_false(c[0].has_when);
	assert_int_equal(c[1].relation, REL_AT_MOST);
	assert_null(c[1].minus);
	assert_true(c[1].has_when);
	assert_string_equal(c[1].when.kernel, ">=6.1");
	assert_int_equal(c[2].relation, REL_BELOW);
	assert_int_equal(c[3].relation, REL_ABOVE);
	assert_int_equal(c[4].relation, REL_AT_LEAST);
	assert_string_equal(s->runs[2].cases.item[0], "fork");
	assert_false(more->helps);
	assert_true(more->has_when);
	assert_string_equal(more->when.kernel, ">=6.11");
	assert_true(more->needs.root);
	assert_int_equal(more->scope, SCOPE_MACHINE);
	assert_string_equal(more->deadline, "300ms");
	assert_string_equal(more->environment.sysctl.item[0].key, "vm.overcommit_memory");
	assert_string_equal(more->environment.sysctl.item[0].value, "1");
	assert_string_equal(more->expect.exit, "any");
	assert_true(more->expect.has_stall);
	assert_false(more->expect.stall);
	assert_false(limited->expect.has_stall);
}

static void test_full(void **state)
{
	(void)state;
	size_t length;
	char *text = load("good-full", &length);
	struct outcome o = parse(text, length);
	assert_string_equal(o.messages, "");
	assert_int_equal(o.result, 0);
	const struct scenario *s = o.scenario;
	assert_string_equal(s->title, "fork() in a pids cgroup that is full");
	assert_string_equal(s->class_name, "task-count");
	assert_string_equal(s->program, "full-program");
	assert_true(s->survivable);
	assert_string_equal(s->deadline, "5s");
	assert_string_equal(s->needs.cgroup_version, "v2");
	assert_int_equal(s->needs.capabilities.count, 2);
	assert_string_equal(s->needs.tools.item[0], "sh");
	assert_true(s->needs.root && s->needs.user_namespaces);
	assert_int_equal(s->bring.count, 2);
	assert_string_equal(s->bring.item[1], "/etc");
	assert_int_equal(s->environment.rlimit.count, 3);
	assert_string_equal(s->environment.rlimit.item[0].key, "as");
	assert_string_equal(s->environment.rlimit.item[0].value, "ram + 1 page");
	assert_string_equal(s->environment.cgroup.item[0].value, "6");
	assert_string_equal(s->environment.identity, "nobody");
	assert_string_equal(s->environment.cpus, "all");
	assert_int_equal(s->arguments.count, 3);
	assert_string_equal(s->arguments.item[2], "");
	assert_int_equal(s->expect.check_count, 1);
	assert_int_equal(s->expect.check[0].relation, REL_IS);
	assert_int_equal(s->case_count, 2);
	assert_string_equal(s->cases[1].name, "thread");
	assert_string_equal(s->cases[1].environment.identity, "1000");
	assert_int_equal(s->cases[1].expect.call.count, 2);
	check_full_runs(s);
	scenario_free(o.scenario);
	free(text);
}

/* What a guest adds. */
static void test_guest(void **state)
{
	(void)state;
	size_t length;
	char *text = load("good-guest", &length);
	struct outcome o = parse(text, length);
	assert_string_equal(o.messages, "");
	const struct scenario *s = o.scenario;
	const struct environment_text *env = &s->environment, *live = &s->runs[2].live;
	assert_string_equal(s->note, "Before 6.1 the last line of the log is another one.");
	assert_int_equal(env->cgroup_above.count, 2);
	assert_string_equal(env->cgroup_above.item[0].key, "memory.max");
	assert_string_equal(env->cgroup_above.item[0].value, "16M");
	assert_string_equal(env->cgroup.item[0].key, "memory.oom_control");
	assert_int_equal(env->sys.count, 2);
	assert_string_equal(env->sys.item[0].key, "kernel/mm/transparent_hugepage/enabled");
	assert_string_equal(env->sys.item[0].value, "always");
	assert_int_equal(env->namespace_sysctl.count, 3);
	assert_string_equal(env->namespace_sysctl.item[1].value, "250 32000 32 128");
	assert_int_equal(env->tmpfs.count, 2);
	assert_string_equal(env->tmpfs.item[1].key, "inodes");
	assert_string_equal(live->tmpfs.item[0].value, "2 pages");
	assert_string_equal(live->namespace_sysctl.item[0].key, "kernel.shmall");
	assert_string_equal(env->swap, "64M");
	assert_string_equal(env->swap_on, "disk");
	assert_string_equal(env->knobs, "writable");
	assert_string_equal(s->expect.oom_kills, "1");
	assert_string_equal(s->runs[0].expect.oom_kills, "0");
	assert_string_equal(s->runs[1].note, "the log names it");
	assert_null(s->runs[0].note);
	assert_null(s->expect.panic);
	assert_string_equal(live->swap, "32M");
	assert_string_equal(live->sysctl.item[0].key, "vm.overcommit_memory");
	scenario_free(o.scenario);
	free(text);
	text = load("good-panic", &length);
	o = parse(text, length);
	assert_string_equal(o.messages, "");
	assert_string_equal(o.scenario->runs[1].expect.panic, "system-wide panic_on_oom");
	scenario_free(o.scenario);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small),       cmocka_unit_test(test_full),
		cmocka_unit_test(test_guest),       cmocka_unit_test(test_texts),
		cmocka_unit_test(test_edges),       cmocka_unit_test(test_bad),
		cmocka_unit_test(test_many_errors), cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_large),       cmocka_unit_test(test_message_harmless),
	};
	return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
