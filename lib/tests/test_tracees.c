// SPDX-License-Identifier: MIT
/*
 * The witness's table of tasks: nothing is lost or found twice, also when it is full and entries leave in any order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tracees.h"

static struct tracees table;

static void finds_what_it_was_given(void **state)
{
	(void)state;
	tracees_reset(&table);
	assert_null(tracees_find(&table, 42));
	struct tracee *t = tracees_get(&table, 42);
	assert_non_null(t);
	assert_int_equal(t->tgid, 42);
	t->tgid = 7;
	assert_ptr_equal(tracees_find(&table, 42), t);
	assert_int_equal(tracees_get(&table, 42)->tgid, 7);
	assert_int_equal(table.count, 1);
	tracees_remove(&table, 42);
	tracees_remove(&table, 42);
	assert_null(tracees_find(&table, 42));
	assert_int_equal(table.count, 0);
}

static void says_when_it_is_full(void **state)
{
	(void)state;
	tracees_reset(&table);
	for (int i = 1; i <= TRACEES_MAX; i++)
		assert_non_null(tracees_get(&table, i));
	assert_null(tracees_get(&table, TRACEES_MAX + 5));
	assert_null(tracees_find(&table, TRACEES_MAX + 5));
	tracees_remove(&table, 17);
	assert_non_null(tracees_get(&table, TRACEES_MAX + 5));
}

/* Against a plain array: random arrivals and departures among ids that collide. */
static void survives_any_order(void **state)
{
	enum { IDS = 6000, STEPS = 200000 };
	static bool present[IDS];
	unsigned count = 0;
	(void)state;
	tracees_reset(&table);
	srand(1);
	for (int step = 0; step < STEPS; step++) {
		int id = 1 + rand() % (IDS - 1);
		if (present[id]) {
			tracees_remove(&table, id);
			present[id] = false;
			count--;
		} else if (count < TRACEES_MAX) {
			struct tracee *t = tracees_get(&table, id);
			assert_non_null(t);
			t->tgid = 2 * id;
			present[id] = true;
			count++;
		}
		assert_int_equal(table.count, count);
	}
	for (int id = 1; id < IDS; id++) {
		const struct tracee *t = tracees_find(&table, id);
		assert_int_equal(t != NULL, present[id]);
		if (t)
			assert_int_equal(t->tgid, 2 * id);
	}
	for (int id = 1; id < IDS; id++)
		tracees_remove(&table, id);
	/* What reset relies on. */
	static const struct tracees empty;
	assert_memory_equal(&table, &empty, sizeof(table));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_it_was_given),
		cmocka_unit_test(says_when_it_is_full),
		cmocka_unit_test(survives_any_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
