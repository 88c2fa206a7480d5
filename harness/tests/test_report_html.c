// SPDX-License-Identifier: MIT
/*
 * The page of stored results: what it says, that no text of a result becomes markup, and the timelines in it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cause.h"
#include "cleanup.h"
#include "page.h"
#include "report.h"
#include "sample.h"
#include "timeline.h"

#define HOSTILE "</script><img src=x onerror=alert(1)>\"'&\xe2\x80\xae"

static void test_page(void **state)
{
	(void)state;
	json_auto_t *results = json_pack("[o]", sample_result());
	auto_free char *page = page_of(results, NULL), *again = page_of(results, NULL);
	assert_string_equal(page, again);
	has(page, "<!DOCTYPE html>");
	has(page, "default-src 'none'");
	has(page, "Linux 6.1.0, cgroup hybrid, 23.6 GiB RAM, no swap");
	has(page, "id=\"scenario-pids-max\"");
	has(page, "href=\"#scenario-pids-max\"");
	has(page, "As predicted: <strong>clone EAGAIN</strong>, because of pids-max");
	has(page, "Not as predicted: ");
	has(page, "The stage could not be set: ");
	has(page, "needs root: run as root");
	has(page, "<h3>Fix</h3>");
	has(page, "enomem run pids-max");
	/* As it was typed, each word quoted where a shell needs it. */
	has(page, "<th scope=\"row\">Command</th><td><code class=\"typed\">enomem run -j 2 pids-max "
		  "&#39;it&#39;\\&#39;&#39;s $HOME&#39;</code></td>");
	has(page, ">class</th>");
	has(page, "Understanding this report");
	lacks(page, "http://127"); /* and no address at all but the name of XHTML */
	const char *first = strstr(page, "http");
	for (; first; first = strstr(first + 1, "http"))
		assert_true(!strncmp(first, "http://www.w3.org/1999/xhtml", 28) || !strncmp(first, "http-equiv", 10));
}

/* A result of before, or of shards, has none; what has many words is folded. */
static void test_command(void **state)
{
	(void)state;
	json_auto_t *results = json_pack("[o]", sample_result());
	json_t *result = json_array_get(results, 0), *words = json_object_get(result, "command");
	(void)json_object_del(result, "command");
	auto_free char *none = page_of(results, NULL);
	has(none, "<th scope=\"row\">Command</th><td>not in the file</td>");
	words = json_array();
	(void)json_object_set_new(result, "command", words);
	for (unsigned i = 0; i < 17; i++)
		(void)json_array_append_new(words, json_string(i ? "; rm -rf /" : "</code><b>"));
	auto_free char *many = page_of(results, NULL);
	has(many, "<details><summary>17 words</summary><code class=\"typed\">&#39;&lt;/code&gt;&lt;b&gt;&#39; "
		  "&#39;; rm -rf /&#39; ");
	lacks(many, "</code><b>");
}

/* A result of one scenario with a trigger and remedies, in cases "one" and "two". */
static json_t *boxed_result(const char *cgroup, json_t *trigger_environment, json_t *remedy_environment)
{
	json_t *runs = json_array();
	static const char *const cases[] = {"one", "a second"};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		(void)json_array_append_new(
			runs, json_pack("{s:o, s:s, s:s, s:s, s:s, s:[s, s, s], s:O, s:{s:s, s:s, s:s}, s:{s:s}}",
					"name", json_sprintf("%s: limited", cases[i]), "case", cases[i], "role",
					"trigger", "verdict", "pass", "program", "prog", "argv", "prog", cases[i],
					"a\nb", "environment", trigger_environment, "outcome", "kind", "errno", "call",
					"mmap", "errno", "ENOMEM", "cause", "id", "rlimit-as"));
		(void)json_array_append_new(runs, json_pack("{s:o, s:s, s:s, s:s, s:s, s:[s, s, s], s:O, s:{s:s}}",
							    "name", json_sprintf("%s: raised", cases[i]), "case",
							    cases[i], "role", "remedy", "verdict", "pass", "program",
							    "prog", "argv", "prog", cases[i], "a\nb", "environment",
							    remedy_environment, "outcome", "kind", "success"));
		(void)json_array_append_new(
			runs, json_pack("{s:o, s:s, s:s, s:s, s:b, s:s, s:[s, s, s], s:O, s:{s:s, s:s, s:s}}", "name",
					json_sprintf("%s: twice", cases[i]), "case", cases[i], "role", "remedy",
					"verdict", i ? "fail" : "pass", "helps", 0, "program", "prog", "argv", "prog",
					cases[i], "again", "environment", trigger_environment, "outcome", "kind",
					"errno", "call", "mmap", "errno", "ENOMEM"));
	}
	json_decref(trigger_environment);
	json_decref(remedy_environment);
	json_t *scenarios =
		json_pack("[{s:s, s:s, s:s, s:s, s:s, s:o}]", "name", "limit", "title", "a title", "class",
			  "address-space", "directory", "/opt/my scenarios", "verdict", "pass", "runs", runs);
	return json_pack("[{s:s, s:{s:s, s:s, s:b}, s:o, s:{s:i, s:i, s:i, s:i}}]", "schema", "enomem-result/1", "host",
			 "kernel", "6.1.0", "cgroup", cgroup, "root", 1, "scenarios", scenarios, "summary", "pass", 1,
			 "fail", 0, "broken", 0, "skip", 0);
}

static void test_boxes(void **state)
{
	(void)state;
	json_auto_t *results =
		boxed_result("v2", json_pack("{s:{s:i}, s:{s:i}}", "rlimit", "as", 100, "cgroup", "memory.max", 5),
			     json_pack("{s:{s:n}, s:{s:i}}", "rlimit", "as", "cgroup", "memory.max", 9));
	auto_free char *page = page_of(results, NULL);
	has(page, ">enomem run limit/one</pre><p>As well, in the place of <code>one</code>: <code>a second</code></p>");
	has(page,
	    "cd &#39;/opt/my scenarios&#39;\necho &quot;+memory&quot; &gt; /sys/fs/cgroup/cgroup.subtree_control\n"
	    "mkdir /sys/fs/cgroup/try\necho 5 &gt; /sys/fs/cgroup/try/memory.max\n(echo 0 &gt; "
	    "/sys/fs/cgroup/try/cgroup.procs &amp;&amp;\n exec prlimit --as=100: ./prog one $&#39;a\\nb&#39;)\n"
	    "rmdir /sys/fs/cgroup/try</pre>");
	/* Once for both cases, and what is other stands out. */
	has(page, "<strong>raised</strong>: granted in <code>one</code>, <code>a second</code></p>");
	has(page, "<b>echo 9 &gt; /sys/fs/cgroup/try/memory.max</b>\n(echo 0 ");
	has(page, "&amp;&amp;\n<b> exec prlimit --as=unlimited ./prog one ");
	has(page, "<strong>twice</strong>: still refused: mmap ENOMEM in <code>one</code></p>");
	has(page, "in another way than predicted.</p><ul><li><p><strong>twice</strong>: still refused: mmap ENOMEM in "
		  "<code>a second</code></p>");
	lacks(page, "limit_in_bytes");
	has(page, "<p>Only the failure, by hand as root on a machine with cgroup v2:</p>");
	has(page, "<h3>Fix</h3><p class=\"note\">Commands are for a machine with cgroup v2.</p>");
}

/* A guest's groups are not those of the machine whose directory it is. */
static void test_boxes_guest(void **state)
{
	(void)state;
	json_auto_t *results = boxed_result("v2", json_pack("{s:{s:i}}", "cgroup", "memory.max", 5),
					    json_pack("{s:{s:i}}", "cgroup", "memory.max", 9));
	json_t *host = json_object_get(json_array_get(results, 0), "host");
	(void)json_object_set_new(host, "guest", json_true());
	auto_free char *page = page_of(results, NULL);
	has(page, "by hand as root on a machine with cgroup v2 (this result is of a guest with Linux 6.1; the "
		  "directory is of "
		  "the machine whose enomem started that):</p>");
	has(page,
	    "<p class=\"note\">Commands are for a machine with cgroup v2 (this result is of a guest with Linux 6.1; ");
	/* Where no group is needed, none is asked for. */
	json_auto_t *plain =
		boxed_result("v2", json_pack("{s:{s:i}}", "rlimit", "as", 5), json_pack("{s:{s:n}}", "rlimit", "as"));
	auto_free char *bare = page_of(plain, NULL);
	has(bare, "by hand:</p>");
	lacks(bare, "with cgroup");
	lacks(bare, "Commands need");
	host = json_object_get(json_array_get(plain, 0), "host");
	(void)json_object_set_new(host, "guest", json_true());
	auto_free char *limits = page_of(plain, NULL);
	has(limits, "<p class=\"note\">Commands need no control group (this result is of a guest with Linux 6.1; ");
	/* What was set there is no part of the commands, and they may not fail without it. */
	json_t *options = json_pack("{s:[{s:s, s:s}], s:[{s:s, s:s}, {s:s, s:n}]}", "defaults", "name",
				    "vm/max_map_count", "value", "4096", "sysctl", "name", "vm/swappiness", "value",
				    "<7", "name", "vm/excluded", "value");
	(void)json_object_set_new(json_array_get(plain, 0), "guest_options", options);
	auto_free char *told = page_of(plain, NULL);
	has(told, "(this result is of a guest with Linux 6.1, set to vm.max_map_count=4096, vm.swappiness=&lt;7; ");
	lacks(told, "excluded=");
	lacks(told, "excluded;");
	/* What a guest has by default is not typed; what was set is. */
	has(told,
	    ">enomem run --guest=6.1 --sysctl &#39;vm/swappiness=&lt;7&#39; --sysctl -vm/excluded limit/one</pre>");
}

/* How much a size is stands behind it; not what is small, and not what is no size. */
static void test_boxes_sizes(void **state)
{
	(void)state;
	json_auto_t *results = boxed_result(
		"v2",
		json_pack("{s:{s:i, s:i}, s:{s:i, s:i}, s:{s:s, s:s}, s:i}", "rlimit", "as", 64 << 20, "nofile", 4096,
			  "cgroup", "memory.max", 16 << 20, "pids.max", 2048, "sysctl", "kernel.shmmax", "3145728",
			  "vm.max_map_count", "65530", "swap", 1 << 20),
		json_pack("{s:{s:i}, s:{s:i}, s:{s:s}, s:{s:i}}", "cgroup", "memory.max", 1023, "tmpfs", "size",
			  5 << 19, "sysctl", "vm.overcommit_kbytes", "1536", "rlimit", "memlock", 1024));
	auto_free char *page = page_of(results, NULL);
	has(page, "\necho 16777216 &gt; /sys/fs/cgroup/try/memory.max  # 16 MiB\n");
	has(page, "\necho 2048 &gt; /sys/fs/cgroup/try/pids.max\n");
	has(page, "\nsysctl -w kernel.shmmax=3145728  # 3 MiB\n");
	has(page, "\nsysctl -w vm.max_map_count=65530\n");
	has(page, "\nswap=$(zramctl --find --size 1048576)  # 1 MiB\n");
	has(page, " exec prlimit --as=67108864: --nofile=4096: ./prog one $&#39;a\\nb&#39;)  # as: 64 MiB\n");
	has(page, "<b>echo 1023 &gt; /sys/fs/cgroup/try/memory.max</b>\n");
	has(page, "<b>sysctl -w vm.overcommit_kbytes=1536  # 1.5 MiB</b>\n");
	has(page, "  # size: 2.5 MiB, memlock: 1 KiB</b>\n");
	lacks(page, "prlimit --as=67108864: --nofile=4096: ./prog one again)\n");
}

static void test_boxes_v1(void **state)
{
	(void)state;
	json_auto_t *results = boxed_result(
		"hybrid",
		json_pack("{s:{s:i, s:i, s:i}}", "cgroup", "memory.max", 5, "memory.swap.max", 2, "pids.max", 3),
		json_pack("{s:{s:n, s:n}, s:{s:{s:i}, s:{s:i}, s:{s:i}, s:{s:s}}}", "cgroup", "memory.max", "pids.max",
			  "live", "rlimit", "as", 7, "cgroup", "pids.max", 8, "tmpfs", "size", 4096, "namespace_sysctl",
			  "kernel.sem", "1 2 3 4"));
	auto_free char *page = page_of(results, NULL);
	has(page, "mkdir /sys/fs/cgroup/memory/try /sys/fs/cgroup/pids/try\n"
		  "echo -1 &gt; /sys/fs/cgroup/memory/try/memory.memsw.limit_in_bytes\n"
		  "echo 5 &gt; /sys/fs/cgroup/memory/try/memory.limit_in_bytes\n"
		  "echo 7 &gt; /sys/fs/cgroup/memory/try/memory.memsw.limit_in_bytes\n"
		  "echo 3 &gt; /sys/fs/cgroup/pids/try/pids.max\n(echo 0 &gt; /sys/fs/cgroup/memory/try/cgroup.procs "
		  "&amp;&amp;\n echo 0 &gt; /sys/fs/cgroup/pids/try/cgroup.procs &amp;&amp;\n exec ./prog ");
	has(page, "<b>echo -1 &gt; /sys/fs/cgroup/memory/try/memory.limit_in_bytes</b>");
	has(page, "<b>echo max &gt; /sys/fs/cgroup/pids/try/pids.max</b>");
	has(page, "held at its refusal:</p>");
	has(page, "pid=$(pgrep -nx -- prog)\nprlimit --pid &quot;$pid&quot; --as=7\n"
		  "echo 8 &gt; /sys/fs/cgroup/pids/try/pids.max\n"
		  "nsenter --target &quot;$pid&quot; --ipc sysctl -w &quot;kernel.sem=1 2 3 4&quot;\n"
		  "nsenter --target &quot;$pid&quot; --mount mount -o remount,size=4096 /dev/shm  # 4 KiB</pre>");
	lacks(page, "subtree_control");
}

/* What changes the machine is put back, but for what only does something; a call refused by us is refused again. */
static void test_boxes_machine(void **state)
{
	(void)state;
	json_auto_t *results =
		boxed_result("v2",
			     json_pack("{s:{s:s, s:s}, s:i}", "sysctl", "vm.drop_caches", "3", "vm.overcommit_kbytes",
				       "9", "swap", 0),
			     json_pack("{s:{s:s, s:s}, s:s, s:i}", "inject", "mmap", "ENOMEM from 4096", "brk",
				       "ENOMEM from 4096", "identity", "nobody", "swap", 1 << 20));
	auto_free char *page = page_of(results, NULL);
	has(page, "by hand as root, on a machine of nobody else's");
	has(page,
	    "was=$(sysctl vm.overcommit_ratio)\nsysctl -w vm.drop_caches=3\nsysctl -w vm.overcommit_kbytes=9  # 9 KiB\n"
	    "swapoff -a\n./prog one ");
	has(page, "\nswapon -a\necho &quot;$was&quot; | sysctl -p -</pre>");
	has(page, "<b>setpriv --reuid=nobody --regid=&quot;$(id -g nobody)&quot; --clear-groups enomem inject "
		  "&#39;mmap,brk:ENOMEM:size&gt;=4096&#39; -- ./prog one ");
	has(page, "<b>swapoff $swap; zramctl --reset $swap</b>");
}

/* Every text of a value becomes this one; keys become it as well where any key may be. */
static void make_hostile(json_t *value, const char *path)
{
	static const char *const kept[] = {"schema", "verdict", "role", "kind", "scope", "at", "cgroup", "answer"};
	static unsigned names;
	const char *key;
	json_t *member;
	size_t i;
	void *next;
	json_array_foreach (value, i, member) {
		if (json_is_string(member))
			(void)json_array_set_new(value, i, json_string(HOSTILE));
		else
			make_hostile(member, path);
	}
	json_object_foreach_safe(value, next, key, member)
	{
		bool keep = false;
		for (i = 0; i < ARRAY_SIZE(kept); i++)
			keep |= !strcmp(key, kept[i]);
		/* Names of a scenario's runs have to differ. */
		if (json_is_string(member) && !keep)
			(void)json_object_set_new(value, key,
						  strcmp(key, "name") != 0 ? json_string(HOSTILE)
									   : json_sprintf("%s%u", HOSTILE, ++names));
		else
			make_hostile(member, key);
	}
	if (!strcmp(path, "sysctl"))
		(void)json_object_set_new(value, HOSTILE, json_string(HOSTILE));
	if (!strcmp(path, "rlimit") || !strcmp(path, "arguments") || !strcmp(path, "meminfo"))
		(void)json_object_set_new(value, HOSTILE, json_integer(7));
}

static void test_hostile(void **state)
{
	(void)state;
	json_auto_t *results = json_pack("[o]", sample_result());
	make_hostile(results, "");
	/* One that failed for a reason of its own, with output and a log. */
	json_t *run = json_array_get(
		json_object_get(json_array_get(json_object_get(json_array_get(results, 0), "scenarios"), 0), "runs"),
		1);
	(void)json_object_set_new(run, "kernel_log", json_pack("[s]", HOSTILE));
	(void)json_object_set_new(run, "output", json_pack("{s:s, s:s}", "stdout", HOSTILE, "stderr", HOSTILE));
	assert_int_equal(result_check(json_array_get(results, 0), "hostile", stderr), 0);
	auto_free char *page = page_of(results, NULL);
	has(page, "&lt;img");
	lacks(page, "<img");
	lacks(page, "\xe2\x80\xae");
	unsigned scripts = 0, ends = 0;
	for (const char *at = strstr(page, "<script"); at; at = strstr(at + 1, "<script"))
		scripts++;
	for (const char *at = strstr(page, "</script"); at; at = strstr(at + 1, "</script"))
		ends++;
	assert_int_equal(scripts, ends);
	/* These names are no ids. */
	has(page, "id=\"section-1\"");
	lacks(page, "id=\"scenario-");
	/* The test itself sees markup where there is some. */
	assert_non_null(strstr("x<img src=x>", "<img"));
}

static void test_library(void **state)
{
	(void)state;
	json_auto_t *results = json_pack("[o]", sample_result());
	auto_free char *page = page_of(results, "var Chart = 1 < 2;");
	has(page, "<script>var Chart = 1 < 2;</script>");
	auto_free char *bare = page_of(results, NULL);
	lacks(bare, "var Chart");
	static const char *const bad[] = {"x = '</script>'", "x = '</SCRIPT'", "x = '<!--'"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char text[4096];
		FILE *out = fmemopen(text, sizeof(text), "w");
		assert_int_equal(report_html(results, bad[i], strlen(bad[i]), out), -EILSEQ);
		(void)fclose(out);
	}
}

static void test_several(void **state)
{
	(void)state;
	json_t *other = sample_result();
	json_t *scenarios = json_object_get(other, "scenarios");
	(void)json_object_set_new(json_object_get(other, "host"), "kernel", json_string("7.2.1"));
	(void)json_object_set_new(json_array_get(scenarios, 0), "verdict", json_string("fail"));
	(void)json_object_set_new(json_array_get(scenarios, 0), "reason", json_string("it did otherwise"));
	json_auto_t *results = json_pack("[o, o, o]", sample_result(), other, result_stable(other));
	auto_free char *page = page_of(results, NULL);
	has(page, "3 results:");
	has(page, "Scenarios by results");
	has(page, "data-filter=\"differs\"");
	has(page, "What differs");
	has(page, "it did otherwise");
	has(page, "this file is a reference");
	lacks(page, "Not in every result");
	json_auto_t *fewer = json_pack("[O, o]", json_array_get(results, 0), sample_result());
	json_t *few = json_object_get(json_array_get(fewer, 1), "scenarios");
	while (json_array_size(few) > 1)
		(void)json_array_remove(few, 1);
	auto_free char *partly = page_of(fewer, NULL);
	has(partly, "Not in every result, which is no difference:</p><ul><li>only on 6.1: address-space-limit, ");
	lacks(partly, "What differs");
	lacks(partly, "not made");
	json_auto_t *single = json_pack("[O]", json_array_get(results, 0));
	auto_free char *alone = page_of(single, NULL);
	lacks(alone, "data-filter=\"differs\"");
	lacks(alone, "this file is a reference");
	/* References have no classes: no empty column. */
	json_auto_t *stable = json_pack("[o, o]", result_stable(other), result_stable(json_array_get(results, 0)));
	auto_free char *classless = page_of(stable, NULL);
	has(classless, ">scenario</th>");
	lacks(classless, ">class</th>");
}

static void test_empty(void **state)
{
	(void)state;
	json_auto_t *results = json_pack("[o]", sample_result());
	json_t *result = json_array_get(results, 0);
	(void)json_object_set_new(result, "scenarios", json_array());
	auto_free char *page = page_of(results, NULL);
	has(page, "No scenario is in this file.");
	lacks(page, "class=\"scenario\"");
}

static void test_full_device(void **state)
{
	(void)state;
	json_auto_t *results = json_pack("[o]", sample_result());
	auto_fclose FILE *full = fopen("/dev/full", "we");
	assert_non_null(full);
	assert_int_equal(report_html(results, NULL, 0, full), -ENOSPC);
}

/* --- timelines --- */

/* A run of 10 ms with three samples; the program is refused after 5 ms. */
static json_t *sampled_run(void)
{
	return json_pack("{s:{s:s, s:I, s:I, s:I, s:s}, s:{s:{s:I, s:{s:I}}, s:{s:I, s:{s:I}}, s:{s:I}}, s:{s:s, s:I}, "
			 "s:{s:[I,I,I,I], "
			 "s:[I,I,n,I]}}",
			 "cause", "id", "rlimit-as", "in_use", (json_int_t)3000, "asked", (json_int_t)500, "bound",
			 (json_int_t)3200, "unit", "bytes", "snapshots", "before", "time_ns", (json_int_t)1000000,
			 "process", "vm_size", (json_int_t)1000, "failure", "time_ns", (json_int_t)6100000, "process",
			 "vm_size", (json_int_t)3000, "after", "time_ns", (json_int_t)11000000, "failing_moment", "at",
			 "call", "time_ns", (json_int_t)6000000, "samples", "time_ns", (json_int_t)500000,
			 (json_int_t)4000000, (json_int_t)8000000, (json_int_t)2000000, "vm_size", (json_int_t)1,
			 (json_int_t)2000, (json_int_t)1500);
}

static void test_timeline(void **state)
{
	(void)state;
	json_auto_t *run = sampled_run();
	struct timeline t;
	assert_null(timeline_make(run, &t));
	assert_true(t.is_limit && t.bounded && t.refused);
	assert_int_equal(t.unit, CHART_BYTES);
	assert_int_equal(t.end_ns - t.start_ns, 10000000);
	/* The first sample was before the start, the third has no value; the snapshots and the moment are points, too.
	 */
	static const uint64_t at[] = {1000000, 2000000, 4000000, 6000000, 6100000},
			      value[] = {1000, 1500, 2000, 3000, 3000};
	assert_int_equal(t.use.count, ARRAY_SIZE(at));
	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		assert_int_equal(t.use.at[i].time_ns, at[i]);
		assert_int_equal(t.use.at[i].value, value[i]);
	}
	assert_true(timeline_top(&t) > 3500 && timeline_top(&t) < 4000);
	timeline_free(&t);
	/* A request out of proportion does not make the limit a line at the bottom. */
	(void)json_object_set_new(json_object_get(run, "cause"), "asked", json_integer(1LL << 40));
	assert_null(timeline_make(run, &t));
	assert_true(timeline_top(&t) < 4000);
	timeline_free(&t);
	(void)json_object_set_new(json_object_get(run, "cause"), "asked", json_null());
	assert_null(timeline_make(run, &t));
	assert_true(t.asked_beyond && timeline_top(&t) < 4000);
	timeline_free(&t);
}

static void test_timeline_left(void **state)
{
	(void)state;
	/* What is in use, of a number that is what is left. */
	json_auto_t *run =
		json_pack("{s:{s:s, s:I, s:I, s:I, s:s}, s:{s:{s:I, s:{s:I, s:I}}, s:{s:I}}, s:{s:[I], s:[I]}}",
			  "cause", "id", "system-oom", "in_use", (json_int_t)90, "asked", (json_int_t)20, "bound",
			  (json_int_t)100, "unit", "bytes", "snapshots", "before", "time_ns", (json_int_t)10, "meminfo",
			  "MemTotal", (json_int_t)100, "MemAvailable", (json_int_t)70, "after", "time_ns",
			  (json_int_t)90, "samples", "time_ns", (json_int_t)50, "mem_available", (json_int_t)40);
	struct timeline t;
	assert_null(timeline_make(run, &t));
	assert_int_equal(t.use.count, 2);
	assert_int_equal(t.use.at[0].value, 30);
	assert_int_equal(t.use.at[1].value, 60);
	timeline_free(&t);
}

static void test_timeline_absent(void **state)
{
	(void)state;
	struct timeline t;
	json_auto_t *run = sampled_run(), *bare = json_object();
	assert_non_null(strstr(timeline_make(bare, &t), "reference"));
	/* Times that run backwards, and a span of nothing. */
	json_t *after = json_object_get(json_object_get(run, "snapshots"), "after");
	(void)json_object_set_new(after, "time_ns", json_integer(1000000));
	assert_non_null(strstr(timeline_make(run, &t), "neither"));
	(void)json_object_set_new(after, "time_ns", json_integer(INT64_MAX));
	assert_null(timeline_make(run, &t));
	timeline_free(&t);
	/* Nothing in the span. */
	json_auto_t *never = json_pack("{s:{s:{s:I}, s:{s:I}}, s:{}}", "snapshots", "before", "time_ns", (json_int_t)1,
				       "after", "time_ns", (json_int_t)2, "samples");
	assert_non_null(strstr(timeline_make(never, &t), "before a sample"));
	/* Columns of other lengths and types. */
	json_auto_t *odd = sampled_run();
	json_t *samples = json_object_get(odd, "samples");
	(void)json_object_set_new(samples, "vm_size",
				  json_pack("[s, f, b, I, I, I, I]", "x", 1.5, 1, (json_int_t)-5, (json_int_t)1,
					    (json_int_t)2, (json_int_t)3));
	(void)json_object_set_new(samples, "rss", json_string("x"));
	assert_null(timeline_make(odd, &t));
	assert_int_equal(t.use.count, 3);
	timeline_free(&t);
}

/* A cause whose number no sample has: what else is known, and no limit in another unit. */
static void test_timeline_other(void **state)
{
	(void)state;
	json_auto_t *run = sampled_run();
	struct timeline t;
	(void)json_object_set_new(json_object_get(run, "cause"), "id", json_string("tmpfs-size"));
	(void)json_object_set_new(json_object_get(run, "cause"), "unit", json_string("inodes"));
	assert_null(timeline_make(run, &t));
	assert_false(t.is_limit);
	assert_false(t.bounded);
	assert_int_equal(t.unit, CHART_BYTES);
	timeline_free(&t);
}

static void test_causes(void **state)
{
	(void)state;
	for (int i = 0; i < CAUSE_COUNT; i++) {
		const struct cause_words *words = cause_words(cause_infos[i].name);
		if (!words || !words->counts || strlen(words->why) < 40)
			print_message("report-cause.c has no words about %s\n", cause_infos[i].name);
		assert_non_null(words);
		assert_true(words->counts && strlen(words->why) >= 40);
		assert_true(!words->total || words->metric);
	}
	assert_null(cause_words("no-such-cause"));
	assert_null(cause_words(""));
	json_auto_t *snapshot = json_pack("{s:{s:{s:i}}}", "a", "b", "c", 7);
	assert_int_equal(json_integer_value(cause_metric(snapshot, "a.b.c")), 7);
	assert_null(cause_metric(snapshot, "a.c"));
	assert_null(cause_metric(snapshot, "a.b.c.d"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_boxes),
		cmocka_unit_test(test_boxes_guest),
		cmocka_unit_test(test_boxes_sizes),
		cmocka_unit_test(test_boxes_v1),
		cmocka_unit_test(test_boxes_machine),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_library),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_full_device),
		cmocka_unit_test(test_timeline),
		cmocka_unit_test(test_timeline_left),
		cmocka_unit_test(test_timeline_absent),
		cmocka_unit_test(test_timeline_other),
		cmocka_unit_test(test_causes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
