// SPDX-License-Identifier: MIT
/*
 * The cause: the one predicted and no other, arithmetic that holds, the limit that was set, the counter that it moves.
 */
#include <errno.h>
#include <string.h>

#include "cause.h"
#include "cleanup.h"
#include "judge-check.h"
#include "limits.h"
#include "number.h"
#include "report-text.h"

#define PAGE_BYTES         4096

/* A memory group charges in batches. */
#define CHARGE_BATCH_BYTES (64 * PAGE_BYTES)

/*
 * in use + asked > bound. Where the kernel's own decision is no plain sum (per-CPU counters, charge batches,
 * watermarks) lib/cause.c decides by what it knows of them, and "refuses" stands.
 */
static void arithmetic(struct judgement *j)
{
	static const char *const inexact[] = {"commit-limit", "memcg-max",  "memcg-swap-max",
					      "memcg-high",   "system-oom", "swap-full"};
	__int128 in_use, asked, bound;
	bool absurd_use, absurd, unbounded;
	for (size_t i = 0; i < ARRAY_SIZE(inexact); i++)
		if (!strcmp(j->run->expect.cause, inexact[i]))
			return;
	if (judge_metric(j, "cause.in_use", &in_use, &absurd_use) < 0 ||
	    judge_metric(j, "cause.asked", &asked, &absurd) < 0 ||
	    judge_metric(j, "cause.bound", &bound, &unbounded) < 0)
		return;
	char sum[TEXT_MAX];
	judge_assert(j, !unbounded && (absurd_use || absurd || in_use + asked > bound),
		     judge_text(text_arithmetic(j->cause, sum, sizeof(sum))), NULL, "in use + asked exceeds the bound");
}

/*
 * What the run's environment sets: the limit of its own group, else that of the group made around it. Where it sets
 * both, the one of the group that refused.
 */
static const json_t *group_limit(const struct judgement *j, const char *name)
{
	const json_t *environment = json_object_get(j->evidence, "environment");
	const json_t *own = json_object_get(json_object_get(environment, "cgroup"), name);
	const json_t *above = json_object_get(json_object_get(environment, "cgroup_above"), name);
	bool is_above = strstr(text_of(j->cause, "where"), " of a group above") != NULL;
	return (is_above && above) || !own ? above : own;
}

/* A sysctl's number, of the machine or of the run's own namespaces; -1 when none is set. */
static json_int_t sysctl_set(const struct judgement *j, const char *name)
{
	const json_t *environment = json_object_get(j->evidence, "environment");
	static const char *const where[] = {"namespace_sysctl", "sysctl"};
	uint64_t number;
	for (size_t i = 0; i < ARRAY_SIZE(where); i++) {
		const char *text = text_of(json_object_get(environment, where[i]), name);
		if (*text && number_parse_count(text, &number) == 0 && number <= INT64_MAX)
			return (json_int_t)number;
	}
	return -1;
}

/* v1 limits what TCP holds apart from other memory of the group: which of the two it was the sum tells. */
static bool is_of_sockets(const struct judgement *j)
{
	return strstr(text_of(j->cause, "where"), "memory.kmem.tcp.") != NULL;
}

/* Measured: 5.10 and 6.1 count what TCP is refused, 6.18 does not. */
static bool counts_sockets(const struct judgement *j)
{
	const struct machine *m = j->machine;
	return m && (m->kernel_major < 6 || (m->kernel_major == 6 && m->kernel_minor <= 1));
}

/* Limits of a group, by cause; the first that is set counts. */
static json_int_t of_group(const struct judgement *j, const char *cause)
{
	static const char *const limit[][2] = {{"pids-max", "pids.max"},
					       {"memcg-max", "memory.kmem.max"},
					       {"memcg-max", "memory.kmem.tcp.max"},
					       {"memcg-max", "memory.max"},
					       {"memcg-high", "memory.high"},
					       {"hugetlb-cgroup", "hugetlb.max"},
					       {"hugetlb-cgroup", "hugetlb.rsvd.max"}};
	for (size_t i = 0; i < ARRAY_SIZE(limit); i++) {
		const bool other = strstr(limit[i][1], ".tcp.") ? !is_of_sockets(j) : is_of_sockets(j);
		const json_t *set = other || strcmp(cause, limit[i][0]) ? NULL : group_limit(j, limit[i][1]);
		if (json_is_integer(set))
			return json_integer_value(set);
	}
	const json_t *memory = group_limit(j, "memory.max"), *swap = group_limit(j, "memory.swap.max");
	if (!strcmp(cause, "memcg-swap-max") && json_is_integer(memory) && json_is_integer(swap))
		return json_integer_value(memory) + json_integer_value(swap);
	return -1;
}

/* Three limits, each of which counts something else. */
static const char *shm_sysctl(const char *unit)
{
	return !strcmp(unit, "pages") ? "kernel.shmall" : !strcmp(unit, "segments") ? "kernel.shmmni" : "kernel.shmmax";
}

/* kernel.sem has four numbers: semaphores of a set, of all, operations of one call, sets. */
static json_int_t sysv_set(const struct judgement *j)
{
	const char *unit = text_of(j->cause, "unit"), *error = j->run->expect.error ? j->run->expect.error : "";
	const json_t *environment = json_object_get(j->evidence, "environment");
	unsigned long number[4];
	const char *where = text_of(j->cause, "where");
	if (strstr(where, "/fs/mqueue/")) {
		char name[64];
		(void)snprintf(name, sizeof(name), "fs.mqueue%.40s", strrchr(where, '/'));
		name[strlen("fs.mqueue")] = '.';
		return sysctl_set(j, name);
	}
	if (!strcmp(unit, "queues"))
		return sysctl_set(j, "kernel.msgmni");
	if (sscanf(text_of(json_object_get(environment, "namespace_sysctl"), "kernel.sem"),
		   "%lu %lu %lu %lu", /* NOLINT(cert-err34-c): the kernel read the same text */
		   &number[0], &number[1], &number[2], &number[3]) != 4)
		return -1;
	return (json_int_t)number[!strcmp(unit, "sets") ? 3 : !strcmp(error, "ENOSPC") ? 1 : 0];
}

/* Of each kind there may be so many: where a reader looks tells which kind it was. */
static json_int_t namespaces_set(const struct judgement *j)
{
	static const char root[] = "/proc/sys/user/";
	const char *where = text_of(j->cause, "where");
	char name[64];
	if (strncmp(where, root, sizeof(root) - 1) != 0)
		return -1;
	(void)snprintf(name, sizeof(name), "user.%s", where + sizeof(root) - 1);
	return sysctl_set(j, name);
}

/* What counts by user has two names in the first user namespace, and one number. */
static json_int_t inotify_set(const struct judgement *j, const char *name, const char *older_name)
{
	json_int_t set = sysctl_set(j, name);
	return set >= 0 ? set : sysctl_set(j, older_name);
}

/* Keys or bytes, of root or of anybody else: where a reader looks tells which. */
static json_int_t keys_set(const struct judgement *j)
{
	const char *name = strrchr(text_of(j->cause, "where"), '/');
	char full[64];
	(void)snprintf(full, sizeof(full), "kernel.keys.%.40s", name ? name + 1 : "");
	return sysctl_set(j, full);
}

/* So much for each processor, and the locked memory that a process may have. */
static json_int_t rings_set(const struct judgement *j)
{
	const json_t *rlimits = json_object_get(json_object_get(j->evidence, "environment"), "rlimit");
	json_int_t kib = sysctl_set(j, "kernel.perf_event_mlock_kb"), locked = text_integer(rlimits, "memlock", -1);
	__int128 cpus;
	bool unlimited;
	if (kib < 0 || locked < 0 || judge_metric(j, "failure.counted.perf_cpus", &cpus, &unlimited) < 0)
		return -1;
	return (json_int_t)limit_perf_allowance((uint64_t)kib, (uint64_t)cpus, PAGE_BYTES) + locked / PAGE_BYTES;
}

/* One sysctl each. What a socket has must stay below its limit, so that one less is the most. */
static json_int_t counted_set(const struct judgement *j, const char *cause)
{
	json_int_t set = sysctl_set(j, "net.core.optmem_max");
	if (!strcmp(cause, "optmem-max"))
		return set > 0 ? set - 1 : -1;
	if (!strcmp(cause, "aio-max"))
		return sysctl_set(j, "fs.aio-max-nr");
	if (!strcmp(cause, "epoll-watches-max"))
		return sysctl_set(j, "fs.epoll.max_user_watches");
	if (!strcmp(cause, "keys-max"))
		return keys_set(j);
	if (!strcmp(cause, "pipe-max-size"))
		return sysctl_set(j, "fs.pipe-max-size");
	if (!strcmp(cause, "perf-mlock"))
		return rings_set(j);
	if (strcmp(cause, "pipe-user-pages") != 0)
		return -1;
	bool hard = strstr(text_of(j->cause, "where"), "hard") != NULL;
	return sysctl_set(j, hard ? "fs.pipe-user-pages-hard" : "fs.pipe-user-pages-soft");
}

/* The bound that the run's environment makes for a cause; -1 where it sets none. */
static json_int_t bound_set(const struct judgement *j, const char *cause)
{
	const json_t *rlimits = json_object_get(json_object_get(j->evidence, "environment"), "rlimit");
	if (!strcmp(cause, "rlimit-cpu"))
		return -1; /* the hard one, which no manifest sets */
	json_int_t stack = strcmp(cause, "rlimit-stack") ? -1 : text_integer(rlimits, "stack", -1);
	if (stack >= 0 && j->run->expect.error && !strcmp(j->run->expect.error, "E2BIG")) /* of execve */
		return (json_int_t)limit_exec_arguments((uint64_t)stack);
	if (!strncmp(cause, "rlimit-", 7))
		return text_integer(rlimits, cause + 7, -1);
	if (!strcmp(cause, "tmpfs-size"))
		return text_integer(json_object_get(json_object_get(j->evidence, "environment"), "tmpfs"),
				    strcmp(text_of(j->cause, "unit"), "inodes") ? "size" : "inodes", -1);
	if (!strcmp(cause, "shm-limit"))
		return sysctl_set(j, shm_sysctl(text_of(j->cause, "unit")));
	if (!strcmp(cause, "ipc-limit"))
		return sysv_set(j);
	if (!strcmp(cause, "namespaces-max"))
		return namespaces_set(j);
	if (!strcmp(cause, "inotify-watches-max"))
		return inotify_set(j, "user.max_inotify_watches", "fs.inotify.max_user_watches");
	if (!strcmp(cause, "inotify-instances-max"))
		return inotify_set(j, "user.max_inotify_instances", "fs.inotify.max_user_instances");
	if (!strcmp(cause, "threads-max"))
		return sysctl_set(j, "kernel.threads-max");
	json_int_t counted = counted_set(j, cause);
	if (counted >= 0)
		return counted;
	json_int_t pid_max = strcmp(cause, "pid-max") ? -1 : sysctl_set(j, "kernel.pid_max");
	if (pid_max >= 0)
		return (json_int_t)limit_pid_capacity((uint64_t)pid_max);
	return of_group(j, cause);
}

/* A limit that is not a whole number of these is rounded down to one. */
static json_int_t granularity(const struct judgement *j, const char *cause)
{
	if (!strcmp(cause, "hugetlb-cgroup"))
		return text_integer(j->cause, "asked", 1);
	return strcmp(text_of(j->cause, "unit"), "bytes") ? 1 : PAGE_BYTES;
}

/* Not one that the program set itself, and not that of a group above which nobody asked for. */
static void limit_is_ours(struct judgement *j)
{
	const json_t *bound = json_object_get(j->cause, "bound");
	json_int_t value = bound_set(j, j->run->expect.cause), seen = json_integer_value(bound);
	if (value < 0)
		return;
	judge_assert(j, json_is_integer(bound) && seen <= value && value - seen < granularity(j, j->run->expect.cause),
		     judge_shown(bound), json_integer(value), "the bound is the limit that was set");
}

/*
 * A failure that enomem makes itself proves nothing about a limit, and may never be taken for one: where something is
 * injected only `injected` may be predicted and found, and nowhere else.
 */
static bool injected_is_named(struct judgement *j, const char *expected, const char *id)
{
	const json_t *environment = json_object_get(j->evidence, "environment");
	bool injected = json_is_true(json_object_get(j->evidence, "injected")) ||
			json_object_size(json_object_get(environment, "inject")) > 0;
	bool named = !strcmp(id, "injected"), predicted = !strcmp(expected, "injected");
	if (!injected && !named && !predicted)
		return true;
	bool first = json_is_true(json_object_get(
		json_array_get(json_object_get(json_object_get(j->evidence, "witness"), "records"), 0), "injected"));
	return judge_assert(j, injected && named && predicted && first, json_boolean(injected), json_true(),
			    "an injected failure is named so, and only such a one");
}

/* The predicted cause and no other one: no call succeeds or fails by two limits at once in a scenario that proves
 * something. */
void judge_named_cause(struct judgement *j)
{
	const char *expected = j->run->expect.cause, *id = text_of(j->cause, "id");
	const json_t *also = json_object_get(j->cause, "also_refusing");
	if (!expected)
		return;
	/* `unknown` is an honest answer, but never a proof. */
	bool ok = !strcmp(id, expected) && strcmp(id, "unknown") != 0;
	judge_assert(j, ok, *id ? judge_text(id) : json_null(), judge_text(expected), "cause is %s", expected);
	ok &= injected_is_named(j, expected, id);
	bool alone = j->cause && json_array_size(also) == 0;
	judge_assert(j, alone, judge_shown(also), json_array(), "no other limit refuses");
	if (ok) {
		arithmetic(j);
		limit_is_ours(j);
	}
	if (!ok || !alone)
		j->prediction_failed = true;
}

/* How far a counter moved: 1, or 0 when it is in neither snapshot, -1 when it is in one of them or they are not there.
 */
static int moved(const struct judgement *j, const char *counter, __int128 *ret)
{
	static const char *const moment[] = {"delta", "before", "after"};
	const json_t *snapshots = json_object_get(j->evidence, "snapshots");
	char path[3][128];
	__int128 unused;
	bool unlimited;
	for (size_t i = 0; i < ARRAY_SIZE(path); i++)
		(void)snprintf(path[i], sizeof(path[i]), "%s.%s", moment[i], counter);
	if (!judge_metric(j, path[0], ret, &unlimited))
		return 1;
	/* Both snapshots must be there: a run that lost one has no proof to show. */
	bool none = judge_metric(j, path[1], &unused, &unlimited) && judge_metric(j, path[2], &unused, &unlimited);
	return none && json_object_get(snapshots, "before") && json_object_get(snapshots, "after") ? 0 : -1;
}

/* A group that refuses without killing moves memory.events.max, or kmem's or TCP's own counter, and not oom_kill. */
static const char *counter_of(const struct judgement *j)
{
	const char *cause = j->run->expect.cause;
	int id = cause ? cause_by_name(cause) : -ENOENT;
	if (id < 0 || (j->run->expect.error && !strcmp(j->run->expect.error, "EBUSY")))
		return NULL; /* a limit that was not taken has refused nobody */
	if (strcmp(cause, "memcg-max") != 0 || judge_expects_oom_kill(j->run))
		return cause_infos[id].counter;
	return is_of_sockets(j)                    ? "cgroup.memory.kmem.tcp.events.max"
	       : group_limit(j, "memory.kmem.max") ? "cgroup.memory.kmem.events.max"
						   : "cgroup.memory.events.max";
}

/*
 * Where the limit is that of the group around the run's own, that group counts on some kernels and the run's own on
 * others (pids.events: since 6.11 where the limit was hit).
 */
static const char *counter_above(const struct judgement *j, const char *counter, char *buf, size_t size)
{
	const json_t *environment = json_object_get(j->evidence, "environment");
	if (strncmp(counter, "cgroup.", 7) != 0 || !json_object_size(json_object_get(environment, "cgroup_above")))
		return NULL;
	(void)snprintf(buf, size, "cgroup_above.%s", counter + 7);
	return buf;
}

/* v1, oom_kill_disable: for as long as somebody sleeps in the full group it says so itself. */
static bool is_under_oom(const struct judgement *j)
{
	__int128 before = 0, failure = 0;
	bool unlimited;
	return j->run->expect.stall && !strcmp(j->run->expect.cause, "memcg-max") &&
	       !judge_metric(j, "before.cgroup.memory.under_oom", &before, &unlimited) &&
	       !judge_metric(j, "failure.cgroup.memory.under_oom", &failure, &unlimited) && before == 0 && failure == 1;
}

/*
 * v1 without swap: the sum of memory and swap refuses first, and 6.18 counts that nowhere. What is left is that the sum
 * came up to the limit in this run.
 */
static bool sum_reached_limit(const struct judgement *j)
{
	__int128 before = 0, after = 0, swap = 0, bound = 0;
	bool unlimited = false, no_bound = false;
	return !strcmp(j->run->expect.cause, "memcg-max") &&
	       !judge_metric(j, "after.cgroup.memory.swap.max", &swap, &unlimited) && !unlimited && swap == 0 &&
	       !judge_metric(j, "before.cgroup.memory.memsw.peak", &before, &unlimited) &&
	       !judge_metric(j, "after.cgroup.memory.memsw.peak", &after, &unlimited) &&
	       !judge_metric(j, "cause.bound", &bound, &no_bound) && !no_bound && before + CHARGE_BATCH_BYTES < bound &&
	       after + CHARGE_BATCH_BYTES >= bound;
}

/* v1's limit for TCP, on 6.18: refusals are not counted there, either, but all of it was taken in this run, and who
 * sends sleeps. Where they are counted, as on 6.1, a counter that stood still says that nobody was refused. */
static bool sockets_took_all(const struct judgement *j)
{
	__int128 before = 0, failure = 0, bound = 0;
	bool unlimited = false, no_bound = false;
	return j->run->expect.stall && is_of_sockets(j) && !counts_sockets(j) &&
	       !judge_metric(j, "before.cgroup.memory.kmem.tcp.current", &before, &unlimited) && !unlimited &&
	       !judge_metric(j, "failure.cgroup.memory.kmem.tcp.current", &failure, &unlimited) && !unlimited &&
	       !judge_metric(j, "cause.bound", &bound, &no_bound) && !no_bound && before < bound - bound / 4 &&
	       failure >= bound;
}

void judge_counter_moved(struct judgement *j)
{
	const char *counter = counter_of(j), *above;
	char buf[128];
	__int128 by = 0, by_above = 0;
	if (!counter)
		return;
	if (is_under_oom(j)) {
		judge_assert(j, true, json_integer(1), json_integer(1), "cgroup.memory.under_oom was set");
		return;
	}
	int known = moved(j, counter, &by);
	above = counter_above(j, counter, buf, sizeof(buf));
	if (above && (known != 1 || by < 1) && moved(j, above, &by_above) == 1 && by_above >= 1) {
		judge_assert(j, true, json_integer((json_int_t)by_above), judge_text("at least 1"), "%s moved", above);
		return;
	}
	if (known == 1 && by == 0 && !judge_expects_oom_kill(j->run) && (sum_reached_limit(j) || sockets_took_all(j))) {
		judge_assert(j, true, judge_text("yes"), NULL, "cgroup.memory.%s reached the limit",
			     sockets_took_all(j) ? "kmem.tcp.current" : "memsw.peak");
		judge_annotate(j, "note", judge_text("this kernel does not count what it refuses there"));
		return;
	}
	if (known == 1) {
		judge_assert(j, by >= 1, json_integer((json_int_t)by), judge_text("at least 1"), "%s moved", counter);
		return;
	}
	judge_assert(j, known == 0 && strncmp(j->run->expect.cause, "memcg-", 6) != 0, json_null(),
		     judge_text("at least 1"), "%s moved", counter);
	judge_annotate(j, "note",
		       judge_text(known == 0 ? "this kernel keeps no such counter here" : "not in both snapshots"));
}
