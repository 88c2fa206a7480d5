// SPDX-License-Identifier: MIT
/*
 * Names of functions: C++'s are read where its library is there, all others stay.
 */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "demangle.h"

static void reads(const char *symbol, const char *expected)
{
	char name[40];
	demangle(symbol, name, sizeof(name));
	assert_string_equal(name, expected);
}

static void test_names_of_cxx(void **state)
{
	(void)state;
	void *library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_LOCAL);
	if (!library)
		skip();
	reads("_ZN6Parser4growEm", "Parser::grow(unsigned long)");
	reads("_Znwm", "operator new(unsigned long)");
	/* 39 bytes of it. */
	reads("_ZNSt6vectorIiSaIiEE17_M_realloc_insertIJiEEEvN9__gnu_cxx17__normal_iteratorIPiS1_EEDpOT_",
	      "void std::vector<int, std::allocator<in");
	(void)dlclose(library);
}

static void test_other_names(void **state)
{
	(void)state;
	reads("main", "main");
	reads("i", "i");
	reads("_Zebra", "_Zebra");
	reads("", "");
	reads("runtime.mallocgc.func1.a.long.name.of.Go", "runtime.mallocgc.func1.a.long.name.of.G");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_of_cxx),
		cmocka_unit_test(test_other_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
