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
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "follow-internal.h"
#include "number.h"
#include "refusal-wrong.h"
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
	assert_true(why_has_reason(&w));
	char *text = printed(&w, false);
	contains(text, "enomem why: ./server: exit status 1; ");
	contains(text, "1. likely reason: max-map-count refused mmap (ENOMEM), 3 times, in process 42 (server)\n");
	contains(text, "65,531 areas in use + 1 area asked > 65,531 areas: 1 area too much\n");
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

/* Told with its numbers, what speaks against it, and a command that is worth it only if it was that; after likely ones.
 */
static void test_possible(void **state)
{
	static struct why w;
	struct why_moment m, certain;
	char fix[] = "sysctl -w vm.max_map_count=131062";
	(void)state;
	begin(&w);
	struct why_refusals *r = refuse(&w, &m);
	r->possible = 2;
	r->end = (struct why_end){42, 1 << 8, 300000};
	r->fallback = (struct grant_fallback){call_by_name("mmap"), 1 << 20};
	m.fix = fix;
	assert_int_equal(why_grade_of(r), WHY_POSSIBLE);
	assert_true(why_has_reason(&w));
	char *text = printed(&w, false);
	contains(text, "1. possible reason: max-map-count refused mmap (ENOMEM), 3 times, in process 42 (server)\n");
	contains(text, "   granted: 1 MiB by mmap since: it may have been a fallback\n");
	contains(text, "exit status 1, 300 us after it; so ended 2 processes\n");
	contains(text, "1 area too much\n");
	contains(text, "   if so:   sysctl -w vm.max_map_count=131062\n");
	assert_null(strstr(text, "fix:"));
	assert_null(strstr(text, "survived"));
	free(text);
	json_t *json = why_json(&w), *first = json_array_get(json_object_get(json, "refusals"), 0);
	const json_t *since = json_object_get(first, "granted_since");
	assert_string_equal(json_string_value(json_object_get(first, "outcome")), "possibly-fatal");
	assert_string_equal(json_string_value(json_object_get(since, "call")), "mmap");
	assert_int_equal(json_integer_value(json_object_get(since, "bytes")), 1 << 20);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(first, "then"), "processes")), 2);
	json_decref(json);

	r->fallback.call = NULL;
	refuse(&w, &certain)->likely = 1;
	text = printed(&w, false);
	contains(text, "   granted: nothing of that kind since, but more than 2 s passed\n");
	const char *likely = strstr(text, "1. likely reason: "), *possible = strstr(text, "2. possible reason: ");
	assert_true(likely && possible && likely < possible);
	free(text);
	follow_free(w.follow);
}

static void test_grades(void **state)
{
	(void)state;
	assert_int_equal(why_grade_failure(0, false), WHY_LIKELY);
	assert_int_equal(why_grade_failure(WHY_LIKELY_NS, false), WHY_LIKELY);
	assert_int_equal(why_grade_failure(WHY_LIKELY_NS, true), WHY_POSSIBLE);
	assert_int_equal(why_grade_failure(WHY_LIKELY_NS + 1, false), WHY_POSSIBLE);
	assert_int_equal(why_grade_failure(WHY_LIKELY_NS + 1, true), WHY_SURVIVED);
}

static void fixed(enum cause_id cause, struct limit_state state, const char *show, const char *fix)
{
	static struct why w;
	static struct snapshot s;
	struct why_moment m;
	begin(&w);
	(void)refuse(&w, &m);
	s.status.uid = getuid();
	s.rlimit[RLIMIT_SIGPENDING] = state.bound;
	state.id = cause;
	m.cause = cause;
	m.report.state[0] = state;
	why_fix(&w, &m, &s);
	assert_true(show ? m.show && !strcmp(m.show, show) : !m.show);
	assert_true(fix ? m.fix && strstr(m.fix, fix) : !m.fix);
	free(m.show);
	free(m.fix);
	follow_free(w.follow);
}

/* A size that is not offered is nobody's setting; the signals of a user are his own limit. */
static void test_fixes(void **state)
{
	(void)state;
	fixed(CAUSE_HUGETLB_SIZE, (struct limit_state){.asked = 1, .where = "none of that size"},
	      "ls /sys/kernel/mm/hugepages", NULL);
	fixed(CAUSE_RLIMIT_SIGPENDING, (struct limit_state){.in_use = 20, .asked = 1, .bound = 20, .where = "Max"},
	      "grep SigQ /proc/self/status", "prlimit --sigpending=42");
}

/* --- limits of the process --------------------------------------------------------------------------------------- */

#define MIB (1024ULL * 1024)

/* In force is 64 MiB of addresses; what was asked for is 128. */
static void lift(struct why *w, struct why_moment *m, char **argv, uint64_t soft, uint64_t hard)
{
	begin(w);
	w->argv = argv;
	w->limits.known = true;
	w->limits.soft[RLIMIT_AS] = soft;
	w->limits.hard[RLIMIT_AS] = hard;
	struct why_refusals *r = refuse(w, m);
	r->cause = m->cause = CAUSE_RLIMIT_AS;
	r->likely = 1;
	m->pid = 999999999; /* nobody: the hard limit that /proc has is not that of the test */
	m->report.state[0] = (struct limit_state){.id = CAUSE_RLIMIT_AS,
						  .asked = 128 * MIB,
						  .bound = 64 * MIB,
						  .refuses = true,
						  .where = "/proc/PID/limits"};
}

static void look(struct why *w, struct why_moment *m)
{
	static struct snapshot s;
	s.rlimit[RLIMIT_AS] = 64 * MIB;
	why_fix(w, m, &s);
	assert_non_null(m->fix);
}

static void done(struct why *w, struct why_moment *m)
{
	free(m->show);
	free(m->fix);
	why_change_free(m->change);
	why_limits_free(&w->limits);
	follow_free(w->follow);
}

static json_t *changed_of(const struct why *w, json_t **ret_all)
{
	*ret_all = why_json(w);
	const json_t *first = json_array_get(json_object_get(*ret_all, "refusals"), 0);
	return json_object_get(json_object_get(first, "cause"), "changed");
}

static void test_inherited(void **state)
{
	static struct why w;
	struct why_moment m;
	json_t *json;
	(void)state;
	lift(&w, &m, program, 64 * MIB, 64 * MIB);
	why_limits_note_setter(&w.limits, 42, "server", RLIMIT_AS, 64 * MIB); /* what it was already */
	look(&w, &m);
	assert_null(m.change);
	assert_string_equal(m.fix, "prlimit --as=268435456: ./server --port 80");
	char *text = printed(&w, false);
	assert_null(strstr(text, "set by:"));
	free(text);
	assert_null(changed_of(&w, &json));
	json_decref(json);
	done(&w, &m);
}

static void test_set_by_the_program(void **state)
{
	static struct why w;
	struct why_moment m;
	json_t *json;
	(void)state;
	lift(&w, &m, program, ENOMEM_UNLIMITED, ENOMEM_UNLIMITED);
	why_limits_note_setter(&w.limits, 999999998, "starter\nx", RLIMIT_AS, 64 * MIB);
	why_limits_note_setter(&w.limits, 999999997, "other", RLIMIT_AS, 65 * MIB);   /* refused, or overtaken */
	why_limits_note_setter(&w.limits, 999999997, "other", RLIMIT_DATA, 64 * MIB); /* another one */
	look(&w, &m);
	assert_string_equal(m.fix, "# higher around the program is of no use, it is set anew inside: let process "
				   "999999998 (starter x) set RLIMIT_AS to 268435456 or more (ulimit -v 262144), or "
				   "leave it as it was (unlimited)");
	char *text = printed(&w, false);
	contains(text, "   set by:  the program itself: process 999999998 (starter x), not process 999999999\n"
		       "            to 64 MiB; at the start it was unlimited\n");
	free(text);
	const json_t *changed = changed_of(&w, &json);
	assert_string_equal(json_string_value(json_object_get(changed, "limit")), "RLIMIT_AS");
	assert_true(json_is_null(json_object_get(changed, "at_start")));
	assert_int_equal(json_integer_value(json_object_get(changed, "to")), 64 * MIB);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(changed, "by"), "pid")), 999999998);
	json_decref(json);
	done(&w, &m);
}

static const char *setter_of(const struct why_limits *l, pid_t pid, uint64_t soft)
{
	static char comm[WHY_COMM];
	struct why_change *c = why_limits_changed(l, pid, RLIMIT_NOFILE, soft);
	assert_non_null(c);
	(void)snprintf(comm, sizeof(comm), "%s", c->comm);
	assert_int_equal(c->pid != 0, comm[0] != '\0');
	why_change_free(c);
	return comm;
}

/* The process itself before those above it, and these before others that asked for the same; of them the latest. */
static void test_who_set_it(void **state)
{
	struct why_limits l = {.known = true};
	const pid_t nobody = 999999999;
	(void)state;
	l.soft[RLIMIT_NOFILE] = 1024;
	why_limits_note_setter(&l, getppid(), "above", RLIMIT_NOFILE, 50);
	why_limits_note_setter(&l, nobody, "beside", RLIMIT_NOFILE, 50);
	assert_string_equal(setter_of(&l, getpid(), 50), "above");
	why_limits_note_setter(&l, getpid(), "itself", RLIMIT_NOFILE, 50);
	why_limits_note_setter(&l, nobody - 1, "last", RLIMIT_NOFILE, 50);
	assert_string_equal(setter_of(&l, getpid(), 50), "itself");
	assert_string_equal(setter_of(&l, nobody - 2, 50), "last");
	assert_string_equal(setter_of(&l, getpid(), 51), "");
	assert_null(why_limits_changed(&l, getpid(), RLIMIT_NOFILE, 1024));
	assert_null(why_limits_changed(&l, getpid(), RLIMIT_CPU, 1));
	l.known = false;
	assert_null(why_limits_changed(&l, getpid(), RLIMIT_NOFILE, 50));
	l.known = true;
	for (unsigned i = 0; i < 3 * WHY_SETTERS; i++) /* more than there is room for */
		why_limits_note_setter(&l, nobody, "again", RLIMIT_NOFILE, 100 + i);
	assert_string_equal(setter_of(&l, getpid(), 100 + 3 * WHY_SETTERS - 1), "again");
	assert_string_equal(setter_of(&l, getpid(), 50), "");
	why_limits_free(&l);
}

/* What the program would get from the start is too little as well; or there is no telling who it was. */
static void test_set_inside_and_around(void **state)
{
	static struct why w;
	struct why_moment m;
	json_t *json;
	(void)state;
	lift(&w, &m, program, 100 * MIB, ENOMEM_UNLIMITED);
	why_limits_note_setter(&w.limits, 41, "server", RLIMIT_AS, 64 * MIB);
	look(&w, &m);
	assert_string_equal(m.fix,
			    "prlimit --as=268435456: ./server --port 80  # but it is set anew inside: let process "
			    "41 (server) set RLIMIT_AS to 268435456 or more (ulimit -v 262144)");
	done(&w, &m);

	lift(&w, &m, program, 100 * MIB, 100 * MIB); /* less than is needed, and no more without privileges */
	look(&w, &m);
	assert_string_equal(m.fix,
			    "prlimit --as=268435456 ./server --port 80  # needs CAP_SYS_RESOURCE; but it is set "
			    "anew inside: let whoever did set RLIMIT_AS to 268435456 or more (ulimit -v 262144)");
	done(&w, &m);

	lift(&w, &m, program, 150 * MIB, 150 * MIB); /* enough, and no more without privileges */
	look(&w, &m);
	assert_string_equal(m.fix,
			    "# higher around the program is of no use, it is set anew inside: let whoever did set "
			    "RLIMIT_AS to 157286400 or more (ulimit -v 153600), or leave it as it was (150 MiB)");
	char *text = printed(&w, false);
	contains(text, "   set by:  somebody, since the start: none of the watched processes, as far as is known\n");
	free(text);
	const json_t *changed = changed_of(&w, &json);
	assert_true(json_is_null(json_object_get(changed, "by")));
	assert_int_equal(json_integer_value(json_object_get(changed, "at_start")), 150 * MIB);
	json_decref(json);
	done(&w, &m);

	/* Raised by itself as far as it may: higher around it is higher inside. */
	lift(&w, &m, program, 32 * MIB, 64 * MIB);
	why_limits_note_setter(&w.limits, 41, "server", RLIMIT_AS, 64 * MIB);
	look(&w, &m);
	assert_non_null(m.change);
	assert_string_equal(m.fix, "prlimit --as=268435456: ./server --port 80");
	done(&w, &m);
}

/* A command to type is whole, and means what was meant. */
static void test_long_command(void **state)
{
	static struct why w;
	struct why_moment m;
	static char longest[9000], got[20000];
	char *argv[] = {"sh",      "-c", "printf '<%s>' \"$@\"",     "sh",    "it's", "two\nlines",
			"'$HOME'", "",   "caf\xc3\xa9 \xff\\ \t`x`", longest, NULL};
	char *command = NULL, *expected = NULL;
	size_t size;
	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	memset(longest, '\'', 4000);
	lift(&w, &m, argv, 64 * MIB, 64 * MIB);
	look(&w, &m);
	char *text = printed(&w, false);
	contains(text, m.fix); /* told as it is, in one line */
	free(text);
	assert_null(strchr(m.fix, '\n'));
	/* As a reader does it, but for prlimit. */
	const char *program_only = strstr(m.fix, " sh -c ");
	assert_non_null(program_only);
	FILE *out = open_memstream(&command, &size);
	(void)fprintf(out, "exec bash <<'END'\n%s\nEND\n", program_only);
	assert_int_equal(fclose(out), 0);
	out = open_memstream(&expected, &size);
	for (unsigned i = 4; argv[i]; i++)
		(void)fprintf(out, "<%s>", argv[i]);
	assert_int_equal(fclose(out), 0);
	FILE *shell = popen(command, "re"); // NOLINT(cert-env33-c): how a reader does it
	assert_non_null(shell);
	got[fread(got, 1, sizeof(got) - 1, shell)] = '\0';
	assert_int_equal(pclose(shell), 0);
	assert_string_equal(got, expected);
	free(command);
	free(expected);
	done(&w, &m);
}

/* Only limits say EPERM to F_SETPIPE_SZ: where their sum cannot be seen whole it is a refusal all the same. */
static void test_pipe_that_may_not_grow(void **state)
{
	static const struct snapshot s;
	struct refusal r = {.call = call_by_name("fcntl"), .error = EPERM};
	(void)state;
	assert_false(refusal_asked_wrongly(&r, CAUSE_UNKNOWN, 0, &s));
	r.call = call_by_name("shmctl");
	assert_true(refusal_asked_wrongly(&r, CAUSE_UNKNOWN, 0, &s));
}

/* mprotect(2) of a range with a hole in it: no limit says so. Of one that is all there, one must have. */
static void test_protecting_a_hole(void **state)
{
	static struct snapshot s;
	static const char *const calls[] = {"mprotect", "pkey_mprotect"};
	(void)state;
	s.maps_seen = s.maps.target_mapped = true;
	for (unsigned i = 0; i < 2; i++) {
		const struct refusal r = {.call = call_by_name(calls[i]), .args = {1 << 20, 8192}, .error = ENOMEM};
		s.maps.target_reach = 4096;
		assert_true(refusal_asked_wrongly(&r, CAUSE_UNKNOWN, 0, &s));
		assert_false(refusal_asked_wrongly(&r, CAUSE_MAX_MAP_COUNT, 0, &s));
		s.maps.target_reach = 8192;
		assert_false(refusal_asked_wrongly(&r, CAUSE_UNKNOWN, 0, &s));
	}
	const struct refusal unmaps = {.call = call_by_name("munmap"), .args = {1 << 20, 8192}, .error = ENOMEM};
	s.maps.target_reach = 4096;
	assert_false(refusal_asked_wrongly(&unmaps, CAUSE_UNKNOWN, 0, &s));
}

static void test_survived(void **state)
{
	static struct why w;
	struct why_moment m;
	(void)state;
	begin(&w);
	refuse(&w, &m)->made_up_for = 3;
	assert_false(why_has_reason(&w));
	char *text = printed(&w, false);
	contains(text, "survived: max-map-count refused mmap (ENOMEM), 3 times, in process 42 (server); as much was "
		       "granted later\n");
	assert_null(strstr(text, "likely"));
	assert_null(strstr(text, "too much"));
	free(text);
	text = printed(&w, true);
	contains(text, "1 area too much");
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

/* What it refuses was not seen, or where every call stops was: without a filter of ours. */
static void test_filter_of_its_own(void **state)
{
	static struct why w;
	(void)state;
	begin(&w);
	w.filtered = true;
	w.filters = (struct why_filters){.processes = 1, .first = 42, .last = 42, .comm = "server"};
	char *text = printed(&w, false);
	contains(text, "; no refusal was seen; ");
	contains(text,
		 "\nnote: process 42 (server) set a seccomp filter of its own: what that refuses is not seen here\n");
	assert_null(strstr(text, "nothing was refused"));
	free(text);
	w.filters.processes = 3;
	text = printed(&w, false);
	contains(text,
		 "note: process 42 (server) and 2 more set seccomp filters of their own: what those refuse is not seen "
		 "here\n");
	free(text);
	json_t *json = why_json(&w), *own = json_object_get(json_object_get(json, "watched"), "own_filters");
	assert_int_equal(json_integer_value(json_object_get(own, "processes")), 3);
	assert_int_equal(json_integer_value(json_object_get(own, "pid")), 42);
	assert_string_equal(json_string_value(json_object_get(own, "comm")), "server");
	json_decref(json);
	w.filtered = false;
	text = printed(&w, false);
	contains(text, "nothing was refused");
	contains(text, "of their own: what no limit explains may be refused by those\n");
	free(text);
	w.filters.processes = 0;
	json = why_json(&w);
	assert_null(json_object_get(json_object_get(json, "watched"), "own_filters"));
	json_decref(json);
	follow_free(w.follow);
}

/* Those that are watched all the same are noted, and so are those that could not be: of these nothing was seen. */
static void test_tasks_that_nobody_is_to_trace(void **state)
{
	static struct why w;
	(void)state;
	begin(&w);
	w.follow->numbers.untraced = 2;
	char *text = printed(&w, false);
	contains(text, "nothing was refused");
	contains(text, "\nnote: the program asked for a task that nobody traces (CLONE_UNTRACED), and got one that is "
		       "traced: ");
	free(text);
	w.follow->numbers.untraced = 0;
	w.follow->numbers.unwatched = 1;
	text = printed(&w, false);
	contains(text, "no refusal was seen");
	contains(text, "\nnote: the program made a task that cannot be watched (CLONE_UNTRACED): ");
	free(text);
	json_t *json = why_json(&w);
	assert_true(json_is_false(json_object_get(json_object_get(json, "watched"), "all")));
	assert_int_equal(json_array_size(json_object_get(json, "notes")), 1);
	json_decref(json);
	follow_free(w.follow);
}

/* It is gone when its signal arrives, and was watched. */
static void test_sender_that_is_gone(void **state)
{
	static struct why w;
	const pid_t nobody = 1 << 30; /* above any */
	struct follow_process p = {.pid = getpid()};
	siginfo_t info = {.si_signo = SIGTERM, .si_code = SI_USER};
	info.si_pid = nobody;
	(void)state;
	begin(&w);
	w.exited_next = 2;
	w.exited[0].pid = nobody;
	(void)strcpy(w.exited[0].comm, "worker");
	w.exited[1].pid = nobody - 1;
	(void)strcpy(w.exited[1].comm, "other");
	why_handlers.signalled(&p, p.pid, &info, &w);
	why_handlers.ended(&p, false, SIGTERM, &w);
	assert_int_equal(w.deaths_count, 1);
	assert_int_equal(w.deaths[0].sender.pid, nobody);
	assert_string_equal(w.deaths[0].sender.comm, "worker");
	p = (struct follow_process){.pid = getpid()};
	why_handlers.exits(&p, &w);
	assert_int_equal(w.exited[2].pid, getpid());
	assert_memory_equal(w.exited[2].comm, "test_why", 8);
	why_free(&w);
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
							 .sender = {true, 7, 1000, "bash", SIGTERM, false}};
	char *text = printed(&w, false);
	contains(text, "./server: killed by SIGTERM; ");
	contains(text, "1. process 42 (ser?ver) was killed by SIGTERM (SI_USER)\n");
	contains(text, "   sender:  process 7 (bash) of user 1000\n");
	free(text);
	w.deaths[0].sender.raised_again = true;
	text = printed(&w, false);
	contains(text, " of user 1000; the process took the signal and ended itself by it\n");
	free(text);
	w.deaths[0].sender.pid = 42;
	text = printed(&w, false);
	contains(text, "   sender:  the process itself\n");
	free(text);
	follow_free(w.follow);
}

/* A number of another pid namespace names nobody here but, where it is its own, the process. */
static void test_sender_of_another_namespace(void **state)
{
	static struct why w;
	siginfo_t info = {.si_signo = SIGTERM, .si_code = SI_USER};
	(void)state;
	assert_int_equal(why_innermost_pid("Name:\tx\nNStgid:\t4242\t17\t2\nNSpid:\t4243\t18\t3\n"), 2);
	assert_int_equal(why_innermost_pid("Name:\tx\nNStgid:\t4242\n"), 4242);
	assert_int_equal(why_innermost_pid("Name:\tNStgid: 1\n"), 0);
	assert_int_equal(why_innermost_pid("Name:\tx\nNStgid:"), 0);
	info.si_pid = getppid(); /* our own: as it is */
	assert_int_equal(why_sender_pid(getpid(), &info), getppid());
	info.si_pid = 0;
	assert_int_equal(why_sender_pid(getpid(), &info), 0);

	begin(&w);
	w.root_status = SIGTERM;
	w.deaths[w.deaths_count++] = (struct why_deaths){
		.comm = "server", .signal = SIGTERM, .code = SI_USER, .cause = CAUSE_UNKNOWN, .count = 1, .pid = 42};
	char *text = printed(&w, false);
	contains(text, "1. process 42 (server) was killed by SIGTERM (SI_USER)\n");
	contains(text, "   sender:  not known: it was sent within another pid namespace, or from one\n");
	free(text);
	follow_free(w.follow);
}

/* Of a SIGKILL: what systemd-oomd has marked is told, and nothing of it where there is no mark. */
static void test_systemd_oomd(void **state)
{
	static struct why w;
	static char group[] = "/sys/fs/cgroup/watched.slice/job.scope";
	struct why_moment m = {.cause = CAUSE_KILLED_BY_OTHER, .place = group, .oomd_kills = 2};
	(void)state;
	begin(&w);
	w.root_status = SIGKILL;
	w.deaths[w.deaths_count++] = (struct why_deaths){.comm = "server",
							 .signal = SIGKILL,
							 .code = INT_MIN,
							 .cause = CAUSE_KILLED_BY_OTHER,
							 .count = 1,
							 .pid = 42,
							 .moment = &m};
	char *text = printed(&w, false);
	json_t *json = why_json(&w);
	const json_t *mark = json_object_get(json_array_get(json_object_get(json, "deaths"), 0), "systemd_oomd");
	contains(text, "1. killed-by-other: process 42 (server) was killed by SIGKILL\n");
	contains(text, "   sender:  systemd-oomd: it has marked the group /sys/fs/cgroup/watched.slice/job.scope for a "
		       "kill (user.oomd_ooms 2); the kernel counts and logs no OOM kill of it\n");
	assert_int_equal(json_integer_value(json_object_get(mark, "kills")), 2);
	assert_string_equal(json_string_value(json_object_get(mark, "group")), group);
	json_decref(json);
	free(text);

	m.oomd_kills = 0;
	text = printed(&w, false);
	json = why_json(&w);
	contains(text, "   sender:  none of the watched processes; the kernel counts and logs no OOM kill of it\n");
	assert_null(json_object_get(json_array_get(json_object_get(json, "deaths"), 0), "systemd_oomd"));
	json_decref(json);
	free(text);
	follow_free(w.follow);
}

static uint64_t mark_of(const char *dir, const char *value, enum cause_id cause)
{
	struct why_moment m = {.cause = cause};
	if (value && setxattr(dir, "user.oomd_ooms", value, strlen(value), 0) < 0)
		skip(); /* a file system without such attributes */
	why_oomd(&m, &(const struct why_marks){0}, dir, "");
	assert_int_equal(m.place != NULL, m.oomd_kills != 0);
	free(m.place);
	return m.oomd_kills;
}

/* The mark as it stands at a group, which is a directory like any other. */
static void test_systemd_oomd_mark(void **state)
{
	(void)state;
	char dir[] = "oomd-XXXXXX";
	assert_non_null(mkdtemp(dir));
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(mark_of(dir, NULL, CAUSE_KILLED_BY_OTHER), 0); /* gone */
	assert_int_equal(mark_of("", NULL, CAUSE_KILLED_BY_OTHER), 0);  /* none */
	assert_int_equal(mkdir(dir, 0700), 0);
	*state = strdup(dir);
	assert_int_equal(mark_of(dir, NULL, CAUSE_KILLED_BY_OTHER), 0);
	assert_int_equal(mark_of(dir, "1", CAUSE_KILLED_BY_OTHER), 1);
	assert_int_equal(mark_of(dir, "17", CAUSE_KILLED_BY_OTHER), 17);
	assert_int_equal(mark_of(dir, "17", CAUSE_MEMCG_MAX), 0); /* the kernel's */
	assert_int_equal(mark_of(dir, "1x", CAUSE_KILLED_BY_OTHER), 0);
	assert_int_equal(mark_of(dir, "12345678901234567890123456789012345", CAUSE_KILLED_BY_OTHER), 0);
}

static void set_mark(const char *dir, const char *value)
{
	if (setxattr(dir, "user.oomd_ooms", value, strlen(value), 0) < 0)
		skip();
}

/* The group whose mark grew is returned, of the job's and those above it below the root's; NULL: none. */
static const char *grown(const struct why_marks *marks, const char *job, const char *root)
{
	static char place[256];
	struct why_moment m = {.cause = CAUSE_KILLED_BY_OTHER};
	why_oomd(&m, marks, job, root);
	(void)snprintf(place, sizeof(place), "%s", m.place ? m.place : "");
	assert_int_equal(m.place != NULL, m.oomd_kills != 0);
	free(m.place);
	return place[0] ? place : NULL;
}

/* A group that outlived a kill, and a kill of all that is below a group. */
static void test_systemd_oomd_mark_grows(void **state)
{
	struct why_marks marks = {0};
	char root[] = "oomd-XXXXXX", slice[64], job[128], other[128];
	assert_non_null(mkdtemp(root));
	(void)snprintf(slice, sizeof(slice), "%s/a.slice", root);
	(void)snprintf(job, sizeof(job), "%s/job.scope", slice);
	(void)snprintf(other, sizeof(other), "%s/other.scope", slice);
	*state = strdup(root);
	assert_int_equal(mkdir(slice, 0700) | mkdir(job, 0700) | mkdir(other, 0700), 0);
	set_mark(root, "9");
	set_mark(job, "1");
	why_oomd_note(&marks, job, root);
	assert_int_equal(marks.count, 2);
	assert_null(grown(&marks, job, root)); /* by hand */
	set_mark(job, "2");
	assert_string_equal(grown(&marks, job, root), job);
	why_oomd_note(&marks, job, root); /* noted before */
	assert_int_equal(marks.count, 2);
	assert_string_equal(grown(&marks, job, root), job);
	set_mark(job, "1");
	set_mark(slice, "1");
	assert_string_equal(grown(&marks, job, root), slice);
	set_mark(slice, "0");
	set_mark(other, "1"); /* first seen at the death */
	assert_string_equal(grown(&marks, other, root), other);
	why_oomd_free(&marks);
}

static int remove_directory(void **state)
{
	static const char *const below[] = {"a.slice/job.scope", "a.slice/other.scope", "a.slice"};
	char path[64];
	for (size_t i = 0; *state && i < sizeof(below) / sizeof(below[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", (char *)*state, below[i]);
		(void)rmdir(path);
	}
	if (*state)
		(void)rmdir(*state);
	free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_likely),
		cmocka_unit_test(test_possible),
		cmocka_unit_test(test_grades),
		cmocka_unit_test(test_fixes),
		cmocka_unit_test(test_inherited),
		cmocka_unit_test(test_set_by_the_program),
		cmocka_unit_test(test_who_set_it),
		cmocka_unit_test(test_set_inside_and_around),
		cmocka_unit_test(test_long_command),
		cmocka_unit_test(test_pipe_that_may_not_grow),
		cmocka_unit_test(test_protecting_a_hole),
		cmocka_unit_test(test_survived),
		cmocka_unit_test(test_asked_wrongly_is_no_refusal),
		cmocka_unit_test(test_filter_of_its_own),
		cmocka_unit_test(test_tasks_that_nobody_is_to_trace),
		cmocka_unit_test(test_sender_that_is_gone),
		cmocka_unit_test(test_death),
		cmocka_unit_test(test_sender_of_another_namespace),
		cmocka_unit_test(test_systemd_oomd),
		cmocka_unit_test_teardown(test_systemd_oomd_mark, remove_directory),
		cmocka_unit_test_teardown(test_systemd_oomd_mark_grows, remove_directory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
