// SPDX-License-Identifier: MIT
/*
 * The search against limits that exist only here: exact ones, far ones, ones that lie, waver or are not there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "locate-search.h"

/* A limit: numbers up to `last` (or, downwards, from it on) are granted. */
struct limit {
	struct locate_search search;
	uint64_t last;
	uint64_t unanswered; /* this number is neither granted nor refused; 0: every one is */
	uint64_t turns;      /* this number is answered the other way the second time */
	unsigned asked, turned;
	uint64_t least, most; /* numbers that were asked */
};

static enum locate_answer answer(void *data, uint64_t value)
{
	struct limit *l = data;
	bool granted = l->search.refused >= l->search.granted ? value <= l->last : value >= l->last;
	l->asked++;
	l->least = value < l->least ? value : l->least;
	l->most = value > l->most ? value : l->most;
	if (l->unanswered && value == l->unanswered)
		return LOCATE_STOP;
	if (l->turns && value == l->turns && l->turned++ > 0)
		granted = !granted;
	return granted ? LOCATE_GRANTED : LOCATE_REFUSED;
}

static struct locate_found look(struct limit *l)
{
	struct locate_found found;
	l->search.ask = answer;
	l->search.data = l;
	l->asked = l->turned = 0;
	l->least = UINT64_MAX;
	l->most = 0;
	locate_search(&l->search, &found);
	assert_int_equal(found.probes, l->asked);
	assert_true(l->least >= (l->search.granted < l->search.refused ? l->search.granted : l->search.refused));
	assert_true(l->most <= (l->search.granted < l->search.refused ? l->search.refused : l->search.granted));
	return found;
}

/* A right prediction costs four probes, wherever the limit is. */
static void test_exact(void **state)
{
	(void)state;
	struct limit l = {.search = {4096, UINT64_C(1) << 46, 4096, 1 << 26, 0, NULL, NULL}, .last = 1 << 26};
	struct locate_found found = look(&l);
	assert_int_equal(found.end, LOCATED);
	assert_int_equal(found.last_granted, 1 << 26);
	assert_int_equal(found.first_refused, (1 << 26) + 4096);
	assert_int_equal(found.probes, 4);
	assert_false(found.wavers);
}

/* A wrong one costs a logarithm of how wrong it is, not of how much there is. */
static void test_near(void **state)
{
	(void)state;
	for (int off = -40; off <= 40; off++) {
		struct limit l = {.search = {1, UINT64_C(1) << 40, 1, 100000, 0, NULL, NULL},
				  .last = (uint64_t)(100000 + off)};
		struct locate_found found = look(&l);
		assert_int_equal(found.end, LOCATED);
		assert_int_equal(found.last_granted, l.last);
		assert_int_equal(found.first_refused, l.last + 1);
		assert_true(found.probes <= 16);
	}
}

/* Every limit between the ends, from every prediction, in both directions. */
static void test_all(void **state)
{
	(void)state;
	for (uint64_t last = 0; last < 17; last++)
		for (int predicted = -5; predicted < 25; predicted++) {
			struct limit up = {.search = {0, 17, 1, predicted, 0, NULL, NULL}, .last = last};
			struct locate_found found = look(&up);
			assert_int_equal(found.end, LOCATED);
			assert_int_equal(found.last_granted, last);
			assert_int_equal(found.first_refused, last + 1);
			struct limit down = {.search = {17, 0, 1, predicted, 0, NULL, NULL}, .last = last + 1};
			found = look(&down);
			assert_int_equal(found.end, LOCATED);
			assert_int_equal(found.last_granted, last + 1);
			assert_int_equal(found.first_refused, last);
		}
}

/* Steps that do not meet the ends; and the widest search there can be. */
static void test_grid(void **state)
{
	(void)state;
	struct limit l = {.search = {10, 100, 7, 40, 0, NULL, NULL}, .last = 50};
	struct locate_found found = look(&l);
	assert_int_equal(found.last_granted, 45);
	assert_int_equal(found.first_refused, 52);
	assert_int_equal(locate_on_grid(&l.search, 51), 45);
	assert_int_equal(locate_on_grid(&l.search, 52), 52);
	assert_true(locate_on_grid(&l.search, 9) == 3);
	assert_true(locate_on_grid(&l.search, -5) == -11); /* not between the ends, and not taken for one of them */
	assert_true(locate_on_grid(&l.search, 1000) == 997);
	struct locate_search down = {100, 10, 7, 40, 0, NULL, NULL};
	assert_true(locate_on_grid(&down, 94) == 100);
	assert_true(locate_on_grid(&down, 93) == 93);
	assert_true(locate_on_grid(&down, 101) == 107);
	struct limit wide = {.search = {0, INT64_MAX, 1, 0, 0, NULL, NULL}, .last = INT64_MAX - 1};
	found = look(&wide);
	assert_int_equal(found.end, LOCATED);
	assert_int_equal(found.last_granted, INT64_MAX - 1);
	assert_true(found.probes < LOCATE_PROBES_MAX);
}

static void test_no_limit(void **state)
{
	(void)state;
	struct limit l = {.search = {1, 1000, 1, 10, 0, NULL, NULL}, .last = UINT64_MAX};
	struct locate_found found = look(&l);
	assert_int_equal(found.end, LOCATE_NEVER_REFUSED);
	assert_int_equal(found.at, 1000); /* the largest there is to try was tried */
	assert_int_equal(l.most, 1000);
	l.last = 0;
	found = look(&l);
	assert_int_equal(found.end, LOCATE_NEVER_GRANTED);
	assert_int_equal(found.at, 1);
	assert_int_equal(l.least, 1);
}

/* An answer that is none ends the search where it comes: nothing is asked after it. */
static void test_stopped(void **state)
{
	(void)state;
	static const uint64_t at[] = {10, 11, 13, 17, 25}; /* as it goes away from the prediction */
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		struct limit l = {.search = {1, 1000, 1, 10, 0, NULL, NULL}, .last = 500, .unanswered = at[i]};
		struct locate_found found = look(&l);
		assert_int_equal(found.end, LOCATE_STOPPED);
		assert_int_equal(found.at, at[i]);
		assert_int_equal(found.probes, i + 1);
	}
}

/* Granted and then refused, or the other way round: no boundary, unless that is within what is tolerated. */
static void test_turned(void **state)
{
	(void)state;
	for (uint64_t at = 10; at <= 11; at++) {
		struct limit l = {.search = {1, 1000, 1, 10, 0, NULL, NULL}, .last = 10, .turns = at};
		struct locate_found found = look(&l);
		assert_int_equal(found.end, LOCATE_TURNED);
		assert_int_equal(found.at, at);
		assert_int_equal(found.granted_at, at == 10);
		l.search.tolerance = 1;
		found = look(&l);
		assert_int_equal(found.end, LOCATED);
		assert_true(found.wavers);
		assert_int_equal(found.last_granted, 10);
		l.search.predicted = 20; /* too far from where it was predicted */
		found = look(&l);
		assert_int_equal(found.end, LOCATE_TURNED);
	}
}

/* No order at all: it ends, and does not call that located. */
static enum locate_answer scatter(void *data, uint64_t value)
{
	unsigned *asked = data;
	return (value * 2654435761U + ++*asked) % 3 ? LOCATE_GRANTED : LOCATE_REFUSED;
}

static void test_scattered(void **state)
{
	(void)state;
	unsigned located = 0;
	for (int predicted = 0; predicted < 1000; predicted++) {
		unsigned asked = 0;
		struct locate_search s = {1, 1 << 20, 1, predicted, 0, scatter, &asked};
		struct locate_found found;
		locate_search(&s, &found);
		assert_true(found.probes <= LOCATE_PROBES_MAX);
		located += found.end == LOCATED;
	}
	assert_true(located < 500); /* two more answers of three cannot all be lucky */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),  cmocka_unit_test(test_near),      cmocka_unit_test(test_all),
		cmocka_unit_test(test_grid),   cmocka_unit_test(test_no_limit),  cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_turned), cmocka_unit_test(test_scattered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
