// SPDX-License-Identifier: MIT
/*
 * JUnit: well-formed whatever a program printed, one testcase per run, counts that are right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sample-set.h"

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;
	for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
		n++;
	return n;
}

static char *junit(const json_t *set)
{
	return written_set(FORMAT_JUNIT, set, (struct report_options){0});
}

/* Exit status of a reader of XML that is given the text; 0 when this machine has none. */
static int read_by(const char *reader, const char *probe, const char *text)
{
	char command[512];
	if (system(probe) != 0)
		return 0;
	(void)snprintf(command, sizeof(command), "timeout 30 %s", reader);
	FILE *in = popen(command, "we");
	assert_non_null(in);
	(void)fputs(text, in);
	return pclose(in);
}

static int well_formed(const char *text)
{
	int r = read_by("xmllint --noout - 2>/dev/null", "command -v xmllint >/dev/null", text);
	return r ? r
		 : read_by("python3 -c 'import sys, xml.etree.ElementTree as t; r = t.parse(sys.stdin).getroot(); "
			   "c = [(x.get(\"classname\"), x.get(\"name\")) for x in r.iter(\"testcase\")]; "
			   "sys.exit(not (len(c) == len(set(c)) == int(r.get(\"tests\")) == "
			   "sum(int(s.get(\"tests\")) for s in r)))' 2>/dev/null",
			   "command -v python3 >/dev/null", text);
}

static void test_golden(void **state)
{
	(void)state;
	json_auto_t *one = json_pack("[o]", sample_result());
	auto_free char *text = junit(one);
	golden("sample.junit.xml", text);
	assert_int_equal(well_formed(text), 0);
	/* The readers would see what is wrong. */
	if (system("command -v xmllint >/dev/null || command -v python3 >/dev/null") == 0) {
		text[strlen(text) - 5] = '<';
		assert_int_not_equal(well_formed(text), 0);
	}
}

static void test_counts(void **state)
{
	(void)state;
	json_auto_t *set = sample_set();
	auto_free char *text = junit(set);
	assert_int_equal(well_formed(text), 0);
	assert_int_equal(count(text, "<testcase "), 42);
	assert_int_equal(count(text, "<failure "), 3);
	assert_int_equal(count(text, "<error "), 3);
	assert_int_equal(count(text, "<skipped "), 9);
	assert_non_null(
		strstr(text, "<testsuites name=\"enomem\" tests=\"42\" failures=\"3\" errors=\"3\" skipped=\"9\""));
	assert_int_equal(count(text, "classname=\"enomem.6.12.memory-max\" name=\"limited\""), 1);
	assert_non_null(strstr(text, "panic: System is deadlocked on memory\n"));
}

/* A verdict that no run carries is a testcase of its own, and changes the counts. */
static void test_scenario_alone(void **state)
{
	(void)state;
	json_auto_t *set = json_pack("[o]", sample_result());
	doctor(set, "0/scenarios/0/verdict", "\"fail\"");
	doctor(set, "0/scenarios/0/reason", "\"no control was given what this trigger is refused\"");
	doctor(set, "0/summary/pass", "1");
	doctor(set, "0/summary/fail", "2");
	auto_free char *text = junit(set);
	assert_non_null(strstr(text, "<testcase classname=\"enomem.6.1.pids-max\" name=\"(scenario)\" time="));
	assert_non_null(
		strstr(text, "<failure message=\"no control was given what this trigger is refused\" type=\"fail\">"));
	assert_non_null(strstr(text, "failures=\"2\" errors=\"1\""));
	assert_int_equal(well_formed(text), 0);
}

/* What a program prints is data: markup, the end of a section, controls, what is no XML character at all. */
static void test_hostile(void **state)
{
	(void)state;
	json_auto_t *set = json_pack("[o]", sample_on("6.1.0 <&\">", NULL));
	static const char evil[] =
		"\"]]></failure><testcase name='x'/>&amp;&bogus;\\u0001\\u0008\\u000b\\u001b[2J\\u007f\\u0085"
		"\\ufffe\\uffff\\ud83d\\ude00\\r\\n\\t\\u00e9<!-- \\\" -->\"";
	doctor(set, "0/scenarios/1/runs/1/output/stderr", evil);
	doctor(set, "0/scenarios/1/runs/1/reason", evil);
	doctor(set, "0/scenarios/1/runs/1/name", evil);
	doctor(set, "0/scenarios/1/title", evil);
	doctor(set, "0/scenarios/1/runs/1/kernel_log", "[\"<a>\", \"\\u001b\"]");
	doctor(set, "0/scenarios/1/runs/1/console", "[\"Kernel panic - not syncing: <x>\"]");
	doctor(set, "0/scenarios/4/reason", evil);
	auto_free char *text = junit(set);
	assert_int_equal(well_formed(text), 0);
	assert_null(strpbrk(text, "\001\b\v\033\177\r"));
	assert_null(strstr(text, "<testcase name='x'"));
	assert_null(strstr(text, "]]>"));
	assert_null(strstr(text, "\xef\xbf\xbe"));
	assert_null(strstr(text, "\xc2\x85"));
	assert_non_null(strstr(text, "\xf0\x9f\x98\x80"));
	assert_non_null(strstr(text, "console: Kernel panic - not syncing: &#60;x&#62;\n"));
	assert_int_equal(count(text, "<testcase "), 14);
}

/* The same scenario asked for twice: GitLab would drop the second. */
static void test_names_are_unique(void **state)
{
	(void)state;
	json_auto_t *set = json_pack("[o]", sample_result());
	json_t *scenarios = json_object_get(json_array_get(set, 0), "scenarios");
	(void)json_array_append(scenarios, json_array_get(scenarios, 0));
	doctor(set, "0/summary/pass", "3");
	auto_free char *text = junit(set);
	assert_int_equal(well_formed(text), 0);
	assert_int_equal(count(text, "classname=\"enomem.6.1.pids-max-2\""), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),           cmocka_unit_test(test_counts),
		cmocka_unit_test(test_scenario_alone),   cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_names_are_unique),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
