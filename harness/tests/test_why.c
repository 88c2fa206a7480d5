// SPDX-License-Identifier: MIT
/*
 * What is told of a record: the likely reason with its numbers, what was survived, and nothing.
 */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "why.h"

static char *program[] = {"./server", "--port", "80", NULL};

static void begin(struct why *w)
{
	static const struct follow_handlers none;
	memset(w, 0, sizeof(*w));
	w->argv = program;
	w->root = 42;
	w->root_ended = true;
	assert_int_equal(follow_new(&none, w, true, &w->follow), 0);
}

/* 65,531 areas and one more. */
static struct why_refusals *refuse(struct why *w, struct why_moment *m)
{
	struct why_refusals *r = &w->refusals[w->refusals_count++];
	memset(m, 0, sizeof(*m));
	m->refusal.call = call_by_name("mmap");
	m->refusal.error = ENOMEM;
	m->pid = m->tid = 42;
	m->cause = CAUSE_MAX_MAP_COUNT;
	m->report.count = 1;
	m->report.state[0] = (struct limit_state){.id = CAUSE_MAX_MAP_COUNT,
						  .in_use = 65531,
						  .asked = 1,
						  .bound = 65531,
						  .refuses = true,
						  .errno_fits = true,
						  .where = "/proc/sys/vm/max_map_count"};
	*r = (struct why_refusals){.comm = "server",
				   .call = m->refusal.call,
				   .error = ENOMEM,
				   .cause = CAUSE_MAX_MAP_COUNT,
				   .count = 3,
				   .processes = 1,
				   .asked_least = 4096,
				   .asked_most = 4096,
				   .last_pid = 42,
				   .first = m};
	return r;
}

static char *printed(const struct why *w, bool everything)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	why_print(w, everything, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void test_likely(void **state)
{
	static struct why w;
	struct why_moment m;
	(void)state;
	begin(&w);
	struct why_refusals *r = refuse(&w, &m);
	r->likely = 1;
	r->end = (struct why_end){42, 1 << 8, 300000};
	w.root_status = 1 << 8;
	assert_true(why_has_likely(&w));
	char *text = printed(&w, false);
	contains(text, "enomem why: ./server: exit status 1; ");
	contains(text, "1. likely reason: max-map-count refused mmap (ENOMEM), 3 times, in process 42 (server)\n");
	contains(text, "65,531 areas in use + 1 areas asked > 65,531 areas: 1 areas too much\n");
	contains(text, "   limit:   /proc/sys/vm/max_map_count\n");
	contains(text, "   then:    process 42: exit status 1, ");
	assert_null(strstr(text, "nothing was refused"));
	free(text);
	json_t *json = why_json(&w), *first = json_array_get(json_object_get(json, "refusals"), 0);
	assert_string_equal(json_string_value(json_object_get(json, "schema")), "enomem-why/1");
	assert_string_equal(json_string_value(json_object_get(first, "outcome")), "likely-fatal");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(first, "cause"), "over")), 1);
	assert_int_equal(json_integer_value(json_object_get(first, "count")), 3);
	json_decref(json);
	follow_free(w.follow);
}

static void test_survived(void **state)
{
	static struct why w;
	struct why_moment m;
	(void)state;
	begin(&w);
	refuse(&w, &m)->made_up_for = 3;
	assert_false(why_has_likely(&w));
	char *text = printed(&w, false);
	contains(text, "survived: max-map-count refused mmap (ENOMEM), 3 times, in process 42 (server); as much was "
		       "granted later\n");
	assert_null(strstr(text, "likely"));
	assert_null(strstr(text, "too much"));
	free(text);
	text = printed(&w, true);
	contains(text, "1 areas too much");
	free(text);
	follow_free(w.follow);
}

static void test_asked_wrongly_is_no_refusal(void **state)
{
	static struct why w;
	struct why_moment m;
	(void)state;
	begin(&w);
	refuse(&w, &m)->wrongly = true;
	char *text = printed(&w, true);
	contains(text, "nothing was refused");
	free(text);
	json_t *json = why_json(&w);
	assert_int_equal(json_array_size(json_object_get(json, "refusals")), 0);
	json_decref(json);
	follow_free(w.follow);
}

static void test_death(void **state)
{
	static struct why w;
	(void)state;
	begin(&w);
	w.root_status = SIGTERM;
	w.deaths[w.deaths_count++] = (struct why_deaths){.comm = "ser\033ver",
							 .signal = SIGTERM,
							 .code = SI_USER,
							 .cause = CAUSE_UNKNOWN,
							 .count = 1,
							 .pid = 42,
							 .sender = {true, 7, 1000, "bash"}};
	char *text = printed(&w, false);
	contains(text, "./server: killed by SIGTERM; ");
	contains(text, "1. process 42 (ser?ver) was killed by SIGTERM (SI_USER)\n");
	contains(text, "   sender:  process 7 (bash) of user 1000\n");
	free(text);
	follow_free(w.follow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_likely),
		cmocka_unit_test(test_survived),
		cmocka_unit_test(test_asked_wrongly_is_no_refusal),
		cmocka_unit_test(test_death),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
