// SPDX-License-Identifier: MIT
/*
 * The closed sets of words a manifest draws from. The tables are those of the code that uses the words, so a word that
 * is known here is known everywhere.
 */
#include <cap-ng.h>
#include <signal.h>
#include <string.h>
#include <sys/param.h>

#include "calls.h"
#include "cause.h"
#include "cgroup.h"
#include "cleanup.h"
#include "environment.h"
#include "manifest-internal.h"

#define ERRNO_MAX    133
#define WORD_MAX_LEN 64

/* A table of plain strings as a word set: NAME_at() and NAME_knows(). */
#define WORD_LIST(name, ...)                                                                                           \
	static const char *name##_at(unsigned index)                                                                   \
	{                                                                                                              \
		static const char *const list[] = {__VA_ARGS__};                                                       \
		return index < ARRAY_SIZE(list) ? list[index] : NULL;                                                  \
	}                                                                                                              \
	static bool name##_knows(const char *word)                                                                     \
	{                                                                                                              \
		return listed(name##_at, word);                                                                        \
	}

static bool listed(const char *(*at)(unsigned index), const char *word)
{
	const char *known;

	for (unsigned i = 0; (known = at(i)); i++) {
		if (*known && strcmp(known, word) == 0)
			return true;
	}
	return false;
}

WORD_LIST(class, "address-space", "map-count", "task-count", "commit-accounting", "memory-cgroup", "fragmentation",
	  "pid-namespace", "leak", "huge-pages", "kernel-memory", "file-memory", "namespaces", "system-oom", "decoy",
	  "guides")
WORD_LIST(cpus, "one", "all")
WORD_LIST(cgroup_version, "v1", "v2")
WORD_LIST(swap_on, "zram", "disk")
WORD_LIST(tmpfs, "size", "inodes")
WORD_LIST(knobs, "read-only", "writable")
/* What every kernel since 5.10 keeps per IPC namespace, and pid_max, which is per pid namespace from 6.14 on. */
WORD_LIST(namespace_sysctl, "kernel.shmmax", "kernel.shmall", "kernel.shmmni", "kernel.shm_rmid_forced",
	  "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.ns_last_pid", "kernel.pid_max",
	  "fs.mqueue.queues_max", "fs.mqueue.msg_max", "fs.mqueue.msgsize_max")
/* Of these, what another process can be helped with from outside. */
WORD_LIST(ipc_sysctl, "kernel.shmmax", "kernel.shmall", "kernel.shmmni", "kernel.shm_rmid_forced", "kernel.msgmax",
	  "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "fs.mqueue.queues_max", "fs.mqueue.msg_max",
	  "fs.mqueue.msgsize_max")
WORD_LIST(si_code, "SI_USER", "SI_KERNEL", "SI_QUEUE", "SI_TIMER", "SI_TKILL", "SEGV_MAPERR", "SEGV_ACCERR",
	  "SEGV_BNDERR", "SEGV_PKUERR", "BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR", "BUS_MCEERR_AR", "BUS_MCEERR_AO")

static const char *scope_at(unsigned index)
{
	return index < SCOPE_COUNT ? scope_names[index] : NULL;
}

static bool scope_knows(const char *word)
{
	return listed(scope_at, word);
}

static const char *role_at(unsigned index)
{
	return index < ROLE_COUNT ? role_names[index] : NULL;
}

static bool role_knows(const char *word)
{
	return listed(role_at, word);
}

static const char *controller_at(unsigned index)
{
	return index < CGROUP_CONTROLLERS ? cgroup_controller_names[index] : NULL;
}

static bool controller_knows(const char *word)
{
	return listed(controller_at, word);
}

static const char *call_at(unsigned index)
{
	return watched_calls[index].name;
}

static bool call_knows(const char *word)
{
	return call_by_name(word) != NULL;
}

static const char *errno_at(unsigned index)
{
	const char *name = index <= ERRNO_MAX ? strerrorname_np((int)index) : NULL;

	/* 0 has the name "0", and some numbers have none. */
	return index > ERRNO_MAX ? NULL : name && index > 0 ? name : "";
}

static bool errno_knows(const char *word)
{
	return listed(errno_at, word);
}

static const char *signal_at(unsigned index)
{
	static _Thread_local char name[32];

	if (index >= (unsigned)NSIG)
		return NULL;
	const char *abbreviation = sigabbrev_np((int)index);
	snprintf(name, sizeof(name), "%s%s", abbreviation ? "SIG" : "", abbreviation ? abbreviation : "");
	return name;
}

static bool signal_knows(const char *word)
{
	return listed(signal_at, word);
}

static const char *cause_at(unsigned index)
{
	return index < CAUSE_COUNT ? cause_infos[index].name : NULL;
}

static bool cause_knows(const char *word)
{
	return cause_by_name(word) >= 0;
}

static const char *rlimit_at(unsigned index)
{
	const char *name = index < PROCFS_RLIMITS ? environment_rlimit_name(index) : NULL;

	return index >= PROCFS_RLIMITS ? NULL : name ? name : "";
}

static bool rlimit_knows(const char *word)
{
	return environment_rlimit_by_name(word) >= 0;
}

/* Of the numbers a group has, those that are limits. */
static bool cgroup_is_limit(unsigned value)
{
	switch (value) {
	case CGROUP_MEMORY_MAX:
	case CGROUP_MEMORY_HIGH:
	case CGROUP_MEMORY_SWAP_MAX:
	case CGROUP_MEMORY_OOM_GROUP:
	case CGROUP_MEMORY_OOM_CONTROL:
	case CGROUP_MEMORY_KMEM_MAX:
	case CGROUP_MEMORY_KMEM_TCP_MAX:
	case CGROUP_PIDS_MAX:
	case CGROUP_HUGETLB_MAX:
	case CGROUP_HUGETLB_RSVD_MAX:
		return true;
	default:
		return false;
	}
}

static const char *cgroup_at(unsigned index)
{
	if (index >= CGROUP_VALUE_COUNT)
		return NULL;
	return cgroup_is_limit(index) ? cgroup_value_files[index].name : "";
}

static bool cgroup_knows(const char *word)
{
	int value = cgroup_value_by_name(word);

	return value >= 0 && cgroup_is_limit((unsigned)value);
}

static const char *capability_at(unsigned index)
{
	static _Thread_local char name[32];
	const char *lower = index <= CAP_LAST_CAP ? capng_capability_to_name(index) : NULL;

	if (!lower)
		return NULL;
	size_t i = 0;
	for (; lower[i] && i + 1 < sizeof(name); i++)
		name[i] = (char)(lower[i] >= 'a' && lower[i] <= 'z' ? lower[i] - 'a' + 'A' : lower[i]);
	name[i] = '\0';
	return name;
}

static bool capability_knows(const char *word)
{
	return listed(capability_at, word);
}

#define WORDS(id, text) const struct words words_##id = {.what = (text), .knows = id##_knows, .at = id##_at}
WORDS(call, "call");
WORDS(errno, "errno");
WORDS(signal, "signal");
WORDS(si_code, "si_code");
WORDS(cause, "cause");
WORDS(rlimit, "rlimit");
WORDS(cgroup, "cgroup limit");
WORDS(class, "class");
WORDS(scope, "scope");
WORDS(role, "role");
WORDS(cpus, "value of cpus");
WORDS(cgroup_version, "cgroup version");
WORDS(swap_on, "value of swap_on");
WORDS(tmpfs, "limit of a tmpfs");
WORDS(knobs, "value of knobs");
WORDS(namespace_sysctl, "namespace_sysctl");
WORDS(ipc_sysctl, "sysctl of an IPC namespace");
WORDS(controller, "controller");
WORDS(capability, "capability");

/* How many letters are to be changed, added, left out or swapped with the next; those of either case are alike. */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD_MAX_LEN + 1], before[WORD_MAX_LEN + 1] = {0}, length_b = strlen(b);

	if (strlen(a) > WORD_MAX_LEN || length_b > WORD_MAX_LEN)
		return WORD_MAX_LEN;
	for (size_t j = 0; j <= length_b; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0], swapped = 0; /* of the row before the last, two to the left */
		row[0] = i + 1;
		for (size_t j = 0; j < length_b; j++) {
			bool same = (a[i] | 0x20) == (b[j] | 0x20);
			bool crossed =
				i && j && (a[i] | 0x20) == (b[j - 1] | 0x20) && (a[i - 1] | 0x20) == (b[j] | 0x20);
			size_t changed = MIN(diagonal + !same, crossed ? swapped + 1 : SIZE_MAX);
			swapped = before[j];
			before[j] = diagonal;
			diagonal = row[j + 1];
			row[j + 1] = MIN(changed, MIN(row[j], diagonal) + 1);
		}
	}
	return row[length_b];
}

/* The nearest word so far. */
struct near {
	const char *word;
	size_t distance;
	bool found;
};

static struct near near_begin(const char *word)
{
	/* One mistake in a word of two to four letters, two in one of five. */
	return (struct near){.word = word, .distance = (strlen(word) + 1) / 3};
}

static bool near_try(struct near *n, const char *known)
{
	size_t d = *known ? distance(n->word, known) : WORD_MAX_LEN;
	bool nearer = d < n->distance || (d == n->distance && !n->found);

	if (nearer) {
		n->distance = d;
		n->found = true;
	}
	return nearer;
}

const char *words_hint(const struct words *words, const char *word, char *buf, size_t size)
{
	struct near n = near_begin(word);
	const char *known;

	for (unsigned i = 0; (known = words->at(i)); i++)
		if (near_try(&n, known))
			snprintf(buf, size, "did you mean '%s'?", known);
	return n.found ? buf : NULL;
}

const char *words_nearest(const char *const *list, size_t count, const char *word)
{
	struct near n = near_begin(word);
	const char *nearest = NULL;

	for (size_t i = 0; i < count; i++)
		if (near_try(&n, list[i]))
			nearest = list[i];
	return nearest;
}

bool words_check(struct source *s, const struct words *words, const struct node *n)
{
	char hint[96];

	if (words->knows(n->text))
		return true;
	if (words == &words_cgroup && cgroup_value_by_name(n->text) >= 0)
		node_error(s, n, NULL, "'%s' is a counter, not a limit", n->text);
	else if (words == &words_namespace_sysctl && strncmp(n->text, "kernel.", strlen("kernel.")) != 0)
		node_error(s, n, "say sysctl, with scope: machine", "'%s' is not kept per namespace", n->text);
	else if (words == &words_capability && strncmp(n->text, "CAP_", 4) == 0 && words->knows(n->text + 4))
		node_error(s, n, "write it without CAP_", "unknown %s '%s'", words->what, n->text);
	else
		node_error(s, n, words_hint(words, n->text, hint, sizeof(hint)), "unknown %s '%s'", words->what,
			   n->text);
	return false;
}
