// SPDX-License-Identifier: MIT
/*
 * Lessons: Markdown as a terminal and scdoc get it, what a lesson and a book must be, and answers to questions.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "book.h"
#include "lesson.h"
#include "markdown.h"
#include "teach.h"

static void expect_text(char *got, const char *expected)
{
	assert_string_equal(got, expected);
	free(got);
}

static char *rendered(const char *text, size_t width, bool colour)
{
	char *got = NULL;
	size_t size;
	FILE *out = open_memstream(&got, &size);
	const struct markdown_style style = {.colour = colour, .width = width};
	assert_int_equal(markdown_render(text, strlen(text), &style, out), 0);
	(void)fclose(out);
	return got;
}

static char *scdoc(const char *text)
{
	char *got = NULL;
	size_t size;
	FILE *out = open_memstream(&got, &size);
	assert_int_equal(markdown_scdoc(text, strlen(text), 1, out), 0);
	(void)fclose(out);
	return got;
}

static void test_render(void **state)
{
	(void)state;
	expect_text(rendered("# T\n\nSome *words* of\na `line`, **here**.\n", 80, false),
		    "T\n=\n  Some *words* of a `line`, here.\n");
	/* What follows a mark without a blank is never broken off it, and the width is kept. */
	expect_text(rendered("aaaaaaaaaa bbbbbbbbbb cccccccccc `dddd`, e\n", 40, false),
		    "  aaaaaaaaaa bbbbbbbbbb cccccccccc\n  `dddd`, e\n");
	expect_text(rendered("- one\n  more\n- two\n\n1. a\n2. b\n", 80, false),
		    "  - one more\n  - two\n  1. a\n  2. b\n");
	expect_text(rendered("text:\n\n    code  here\n\n    and more\n", 80, false),
		    "  text:\n\n    code  here\n\n    and more\n");
	expect_text(rendered("```\n# no heading\n\n| no row\n```\n", 80, false), "    # no heading\n\n    | no row\n");
	expect_text(rendered("| a | b |\n|---|---|\n| `x \\| y` | z |\n", 80, false),
		    "  a        b\n  -------  -\n  `x | y`  z\n");
	/* In colour, too, columns stand below each other, and code that goes on in the next line is code there. */
	expect_text(rendered("| a | b |\n|---|---|\n| x `y` | z |\n", 80, true),
		    "  \033[1ma\033[0m    \033[1mb\033[0m\n  ---  -\n  x \033[36my\033[0m  z\n");
	expect_text(rendered("| `a` |\n|---|\n| `bbbbbbbbbb cccccccccc dddddddddd` |\n", 30, true),
		    "  \033[1m\033[36ma\033[0m\033[1m\033[0m\n  ----------------------------\n"
		    "  \033[36mbbbbbbbbbb cccccccccc\033[0m\n  \033[36mdddddddddd\033[0m\n");
	expect_text(rendered("| a |\n|---|\n| \033[31m`\033[32m` |\n", 80, true),
		    "  \033[1ma\033[0m\n  ----------\n  ?[31m\033[36m?[32m\033[0m\n");
	/* The style goes on after a break, and not over the margin. */
	expect_text(rendered("aaaaaaaaaaaaaaaaaaaa **bbbbbbbbbb bbbbbbbbbb** c\n", 40, true),
		    "  aaaaaaaaaaaaaaaaaaaa \033[1mbbbbbbbbbb\033[0m\n  \033[1mbbbbbbbbbb\033[0m c\n");
	expect_text(rendered("a \033[31m b\177\n", 80, true), "  a ?[31m b?\n");
	expect_text(rendered("user.max_*_namespaces and 2 * 3 * 4, `open\n", 80, false),
		    "  user.max_*_namespaces and 2 * 3 * 4, `open\n");
	expect_text(rendered("", 80, false), "");
}

static void test_scdoc(void **state)
{
	(void)state;
	expect_text(scdoc("# T\n\na_b *c* `d_e`\n"), "# T\n\na\\_b _c_ *d\\_e*\n");
	expect_text(scdoc("## Two\n\n### Three\n\n. dot\n"), "## Two\n\n*Three*\n\n\\. dot\n");
	expect_text(scdoc("| h | `i` |\n|---|---|\n| | x |\n"), "|[ *h*\n:[ *i*\n|[ \n:[ x\n");
}

#define SECTIONS(why)                                                                                                  \
	"# T\n\n## You see\n\ns\n\n## Try it\n\n    t\n\n" why                                                         \
	"## How to tell it from its neighbours\n\nn\n\n## Fix\n\nf\n\n## Check yourself\n\nc\n\n\n"

static int parsed(const char *text, char **ret_told, struct lesson **ret)
{
	size_t size;
	FILE *errors = open_memstream(ret_told, &size);
	int r = lesson_parse(text, strlen(text), "l.md", errors, ret);
	(void)fclose(errors);
	return r;
}

static void expect_wrong(const char *text, const char *told)
{
	char *got = NULL;
	struct lesson *l = NULL;
	assert_int_equal(parsed(text, &got, &l), -EINVAL);
	if (!strstr(got, told))
		fail_msg("'%s' is not in: %s", told, got);
	free(got);
}

static void test_lesson(void **state)
{
	char *told = NULL, many[4096] = "";
	struct lesson *l = NULL;
	(void)state;
	assert_int_equal(parsed(SECTIONS("## Why\n\n| a | b |\n|---|---|\n\n"), &told, &l), 0);
	assert_string_equal(told, "");
	free(told);
	assert_string_equal(l->title, "T");
	assert_string_equal(l->section[LESSON_CHECK], "c\n");
	assert_string_equal(l->section[LESSON_TRY], "    t\n");
	assert_int_equal(l->words, 23); /* bars and dashes are none */
	lesson_free(l);
	expect_wrong(SECTIONS(""), "l.md:11: 'Why' is missing before 'How to tell it from its neighbours'");
	expect_wrong(SECTIONS("## Why\n\n"), "'Why' is empty");
	expect_wrong(SECTIONS("## Whence\n\nw\n\n"), "l.md:11: 'Whence' is no section of a lesson");
	expect_wrong(SECTIONS("## Why\n\nw\n\n## Why\n\nw\n\n"), "l.md:15: 'Why' comes before 'Why'");
	expect_wrong("", "'Check yourself' is missing at the end");
	expect_wrong("T\n", "l.md:1: the first line is the title");
	for (unsigned i = 0; i < 400; i++)
		(void)strcat(many, "w ");
	expect_wrong(many, "words; a lesson has less than 400");
}

#define QUESTIONS_TWO                                                                                                  \
	"# T\n\n## You see\n\ns\n\n## Try it\n\n    t\n\n## Why\n\nw\n\n"                                              \
	"## How to tell it from its neighbours\n\nn\n\n## Fix\n\nf\n\n## Check yourself\n\n1. a\n2. b\n"

static void expect_answers(const char *text, int expected, const char *told)
{
	char *got = NULL;
	struct lesson *l = NULL;
	size_t size;
	assert_int_equal(parsed(QUESTIONS_TWO, &got, &l), 0);
	free(got);
	FILE *errors = open_memstream(&got, &size);
	/* As a file is read: no NUL behind it. */
	char *bare = malloc(strlen(text) + 1);
	assert_non_null(bare);
	memset(bare, 'x', strlen(text) + 1);
	memcpy(bare, text, strlen(text));
	assert_int_equal(lesson_answer(l, bare, strlen(text), "a.md", errors), expected);
	free(bare);
	(void)fclose(errors);
	assert_string_equal(got, told);
	if (expected == 0)
		assert_string_equal(l->answers, text);
	else
		assert_null(l->answers);
	free(got);
	lesson_free(l);
}

static void test_answers_of_lesson(void **state)
{
	static const char list[] = "a.md: answers are a list, 1., 2. and so on, and nothing else\n";
	(void)state;
	expect_answers("1. one, which\n   goes on\n2. two\n", 0, "");
	expect_answers("1. one\n", -EINVAL, "a.md: 1 answers, but 'Check yourself' has 2 questions\n");
	expect_answers("1. a\n2. b\n3. c\n", -EINVAL, "a.md: 3 answers, but 'Check yourself' has 2 questions\n");
	expect_answers("", -EINVAL, "a.md: 0 answers, but 'Check yourself' has 2 questions\n");
	expect_answers("1. a\n3. b\n", -EINVAL, list);
	expect_answers("1. a\n- b\n", -EINVAL, list);
	expect_answers("# A\n\n1. a\n2. b\n", -EINVAL, list);
	expect_answers("1. a\n2. \xff\n", -EINVAL, "a.md: not UTF-8, or with a NUL\n");
}

static int book_of(const char *text, char **ret_told, struct book **ret)
{
	size_t size;
	FILE *errors = open_memstream(ret_told, &size);
	int r = book_parse(text, strlen(text), "b.yaml", errors, ret);
	(void)fclose(errors);
	return r;
}

static void expect_bad_book(const char *text, const char *told)
{
	char *got = NULL;
	struct book *b = NULL;
	assert_int_equal(book_of(text, &got, &b), -EINVAL);
	if (!strstr(got, told))
		fail_msg("'%s' is not in: %s", told, got);
	free(got);
}

#define BOOK(lessons, course) "title: t\nchapters:\n  - {title: one, lessons: " lessons "}\ncourse: " course "\n"

static void test_book(void **state)
{
	char *told = NULL;
	struct book *b = NULL;
	(void)state;
	assert_int_equal(book_of(BOOK("[a, b]", "b"), &told, &b), 0);
	free(told);
	assert_int_equal(b->chapter_count, 1);
	assert_int_equal(b->chapters[0].lessons.count, 2);
	assert_string_equal(b->course.item[0], "b");
	book_free(b);
	expect_bad_book(BOOK("[a, a]", "a"), "in the book already (line 3)");
	expect_bad_book(BOOK("a", "b"), "must be in a chapter");
	expect_bad_book(BOOK("a", "[a, a]"), "taught twice");
	expect_bad_book(BOOK("A", "A"), "named as its scenario");
	expect_bad_book(BOOK("a, text: ../x.md", "a"), "a page is a file");
	expect_bad_book("title: t\n", "chapters");
	expect_bad_book("[a]\n", "a book is keys and values");
}

static void test_answers(void **state)
{
	const struct question one = {.count = 3}, several = {.count = 8, .several = true};
	char letters[32];
	(void)state;
	assert_int_equal(quiz_parse(&one, "b"), 2);
	assert_int_equal(quiz_parse(&one, " C "), 4);
	assert_int_equal(quiz_parse(&one, "d"), 0);
	assert_int_equal(quiz_parse(&one, "a b"), 0);
	assert_int_equal(quiz_parse(&one, ""), 0);
	assert_int_equal(quiz_parse(&one, "1"), 0);
	assert_int_equal(quiz_parse(&one, "\xff"), 0);
	assert_int_equal(quiz_parse(&several, "a,c h"), 0x85);
	assert_int_equal(quiz_parse(&several, "aa"), 1);
	assert_int_equal(quiz_parse(&several, "hint"), 0);
	assert_string_equal(quiz_letters(0x85, letters, sizeof(letters)), "a c h");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_render), cmocka_unit_test(test_scdoc),   cmocka_unit_test(test_lesson),
		cmocka_unit_test(test_book),   cmocka_unit_test(test_answers), cmocka_unit_test(test_answers_of_lesson),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
