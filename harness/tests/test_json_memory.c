// SPDX-License-Identifier: MIT
/*
 * A refusal that jansson got is known, and no command vouches for what it told then.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>

#include "json-memory.h"
#include "say.h"

/* What is too much for anybody is refused, and not a mistake that ends the test. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void knows_refusals(void **state)
{
	json_malloc_t ask;
	json_free_t give_back;
	(void)state;
	json_memory_watch();
	json_get_alloc_funcs(&ask, &give_back);
	void *granted = ask(64);
	assert_non_null(granted);
	give_back(granted);
	assert_false(json_memory_refused());
	assert_int_equal(json_memory_judge(EXIT_AS_PREDICTED), EXIT_AS_PREDICTED);
	assert_int_equal(json_memory_judge(EXIT_PREDICTION_FAILED), EXIT_PREDICTION_FAILED);
	assert_null(ask(PTRDIFF_MAX - 4096));
	assert_true(json_memory_refused());
	assert_int_equal(json_memory_judge(EXIT_AS_PREDICTED), EXIT_BROKEN);
	assert_int_equal(json_memory_judge(EXIT_PREDICTION_FAILED), EXIT_BROKEN);
	assert_int_equal(json_memory_judge(EXIT_ALL_SKIPPED), EXIT_BROKEN);
	assert_int_equal(json_memory_judge(EXIT_USAGE), EXIT_USAGE);
	assert_int_equal(json_memory_judge(EXIT_INTERRUPTED), EXIT_INTERRUPTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_refusals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
