// SPDX-License-Identifier: MIT
/*
 * The page of stored results as text, and what it has and lacks.
 */
#pragma once

#include <string.h>

#include "report-html.h"

/* Not inlined: GCC 12 at -O2 then takes what open_memstream() hands out for the local pointer to it. */
__attribute__((noinline)) static char *page_of(const json_t *results, const char *library)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	assert_int_equal(report_html(results, library, library ? strlen(library) : 0, out), 0);
	(void)fclose(out);
	return text;
}

static void has(const char *text, const char *what)
{
	if (!strstr(text, what))
		print_message("the page lacks \"%s\"\n", what);
	assert_non_null(strstr(text, what));
}

static void lacks(const char *text, const char *what)
{
	if (strstr(text, what))
		print_message("the page has \"%.80s\"\n", strstr(text, what));
	assert_null(strstr(text, what));
}
