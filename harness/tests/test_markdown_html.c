// SPDX-License-Identifier: MIT
/*
 * Lessons as parts of a page: every kind of block, and text that would be markup.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "markdown-html.h"
#include "report-html.h"

/* Not inlined: see written_set() of sample-set.h. */
__attribute__((noinline)) static void becomes(const char *text, const char *expected)
{
	char *buf = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&buf, &size);
	assert_non_null(out);
	assert_int_equal(markdown_html(text, strlen(text), 3, out), 0);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(buf, expected);
	free(buf);
}

static void test_blocks(void **state)
{
	(void)state;
	becomes("", "");
	becomes("# A\n\n#### B\n\n###### C\n", "<h3>A</h3>\n<h6>B</h6>\n<h6>C</h6>\n");
	becomes("one\ntwo\n\nthree\n", "<p>one two</p>\n<p>three</p>\n");
	becomes("- a\n- b\n  c\n\n1. x\n2. y\n",
		"<ul>\n<li>a</li>\n<li>b c</li>\n</ul>\n<ol>\n<li>x</li>\n<li>y</li>\n</ol>\n");
	becomes("t:\n\n    a < b\n\n    c\n\nu\n", "<p>t:</p>\n<pre tabindex=\"0\">a &lt; b\n\nc</pre>\n<p>u</p>\n");
	becomes("| | `x` |\n|---|---|\n| a | b |\n\nz\n",
		"<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
		"aria-label=\"Table\"><table>\n<thead><tr><td></td><th "
		"scope=\"col\"><code>x</code></th></tr></thead><tbody>\n<tr><td>a</td><td>b</td></tr>\n</tbody></"
		"table></div>\n"
		"<p>z</p>\n");
}

static void test_spans(void **state)
{
	(void)state;
	becomes("a `b*c` **d** *e*\n", "<p>a <code>b*c</code> <strong>d</strong> <em>e</em></p>\n");
	becomes("**`<b>`**\n", "<p><strong>`&lt;b&gt;`</strong></p>\n");
	/* What is escaped stands for itself, but in code. */
	becomes("a\\_b \\*c\\* \\\\ &lt;d&gt; &amp; e\\f &lt\n", "<p>a_b *c* \\ &lt;d&gt; &amp; e\\f &amp;lt</p>\n");
	becomes("\\_ `a\\_b &lt;`\n", "<p>_ <code>a\\_b &amp;lt;</code></p>\n");
	becomes("a\\\n", "<p>a\\</p>\n");
}

static void test_hostile(void **state)
{
	(void)state;
	becomes("<script>x</script> & \"'\n", "<p>&lt;script&gt;x&lt;/script&gt; &amp; &quot;&#39;</p>\n");
	becomes("`</code><img>`\n", "<p><code>&lt;/code&gt;&lt;img&gt;</code></p>\n");
	becomes("    </pre><img>\n", "<pre tabindex=\"0\">&lt;/pre&gt;&lt;img&gt;</pre>\n");
	becomes("- <li>\n", "<ul>\n<li>&lt;li&gt;</li>\n</ul>\n");
	becomes("# <h1>\n", "<h3>&lt;h1&gt;</h3>\n");
}

static void test_full_device(void **state)
{
	(void)state;
	json_t *book = json_pack("{s:s, s:[{s:s, s:s, s:[]}]}", "title", "T", "chapters", "title", "C", "text", "x",
				 "lessons");
	FILE *full = fopen("/dev/full", "we");
	assert_non_null(full);
	assert_true(report_handbook(book, full) < 0);
	(void)fclose(full);
	json_decref(book);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_full_device),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
