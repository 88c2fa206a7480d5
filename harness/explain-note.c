// SPDX-License-Identifier: MIT
/*
 * What is to be said of a cause that triage has no row of here. That nothing was found is no proof that nothing is set:
 * the caller may be exempt from it, or enomem may have been started with other limits. See explain.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "cause.h"
#include "cleanup.h"
#include "explain.h"
#include "limits.h"
#include "number.h"
#include "report-text.h"

#define LIMITS_BYTES 4096

/* Limits of a process: CPU time is counted in seconds, not in the unit of its cause. */
static const struct rlimit_words {
	enum cause_id cause;
	unsigned resource;
	const char *unit;
} rlimit_words[] = {
	{CAUSE_RLIMIT_AS, RLIMIT_AS, "bytes"},
	{CAUSE_RLIMIT_DATA, RLIMIT_DATA, "bytes"},
	{CAUSE_RLIMIT_STACK, RLIMIT_STACK, "bytes"},
	{CAUSE_RLIMIT_MEMLOCK, RLIMIT_MEMLOCK, "bytes"},
	{CAUSE_RLIMIT_NPROC, RLIMIT_NPROC, "tasks"},
	{CAUSE_RLIMIT_NOFILE, RLIMIT_NOFILE, "descriptors"},
	{CAUSE_RLIMIT_CPU, RLIMIT_CPU, "seconds"},
	{CAUSE_RLIMIT_SIGPENDING, RLIMIT_SIGPENDING, "signals"},
	{CAUSE_RLIMIT_MSGQUEUE, RLIMIT_MSGQUEUE, "bytes"},
};

static const struct rlimit_words *rlimit_of(int cause)
{
	for (size_t i = 0; i < ARRAY_SIZE(rlimit_words); i++)
		if ((int)rlimit_words[i].cause == cause)
			return &rlimit_words[i];
	return NULL;
}

/* Soft limits of a process; all absent where they cannot be read. */
static void read_limits(int32_t pid, uint64_t ret[PROCFS_RLIMITS])
{
	char name[64], text[LIMITS_BYTES];
	for (size_t i = 0; i < PROCFS_RLIMITS; i++)
		ret[i] = ENOMEM_ABSENT;
	(void)snprintf(name, sizeof(name), "/proc/%d/limits", pid);
	if (procfs_read_at(AT_FDCWD, name, text, sizeof(text)) > 0)
		(void)procfs_parse_limits(text, ret);
}

void explain_read_limits(struct explain_world *w)
{
	char name[64], text[8192];
	struct process_status status;
	struct sysinfo info;
	w->swap = sysinfo(&info) == 0 && info.totalswap;
	read_limits(w->pid, w->soft);
	read_limits(getpid(), w->own);
	(void)snprintf(name, sizeof(name), "/proc/%d/status", w->pid);
	if (procfs_read_at(AT_FDCWD, name, text, sizeof(text)) <= 0 || procfs_parse_status(text, &status) < 0)
		return;
	w->exempt_nproc = limit_nproc_exempt(status.uid, status.cap_effective);
	w->exempt_memlock = status.cap_effective & 1ULL << CAP_IPC_LOCK;
}

/* What is set, whether it binds, and what enomem itself has instead. */
static void note_rlimit(const struct explain_world *w, const struct rlimit_words *words, bool found, char *buf,
			size_t size)
{
	uint64_t soft = w->soft[words->resource], own = w->own[words->resource];
	char is[64], has[64];
	bool exempt = (words->cause == CAUSE_RLIMIT_NPROC && w->exempt_nproc) ||
		      (words->cause == CAUSE_RLIMIT_MEMLOCK && w->exempt_memlock);
	(void)number_format_amount(is, sizeof(is), soft, words->unit);
	(void)number_format_amount(has, sizeof(has), own, words->unit);
	if (soft == ENOMEM_ABSENT)
		text_add(buf, size, "The limits of the process that called enomem cannot be read. ");
	else if (soft == ENOMEM_UNLIMITED)
		text_add(buf, size, "The process that called enomem has no such limit; another one may. ");
	else if (exempt)
		text_add(buf, size,
			 "It is set to %s, and the process that called enomem is exempt (root, or a capability); "
			 "programs that it starts as somebody else are not. ",
			 is);
	else if (!found)
		text_add(buf, size, "It is set to %s; how much of it is in use was not read. ", is);
	if (own != soft && own != ENOMEM_ABSENT && soft != ENOMEM_ABSENT)
		text_add(buf, size, "enomem itself was started with another one than the process that called it: %s. ",
			 has);
}

/* Of those that triage reads for one process or not at all, what there is to say besides. */
static const char *note_of(const struct explain_world *w, int cause, const struct triage_row *row)
{
	switch (cause) {
	case CAUSE_SYSTEM_OOM:
		return "RAM ends on every machine. `oom_kill` at 0 rules it out; a rise may be any memory group's "
		       "kill. The kernel log tells: `Out of memory: Killed process` is the machine, `Memory cgroup out "
		       "of memory: Killed process` a group.";
	case CAUSE_SWAP_FULL:
		return w->swap ? "There is swap here. `oom_kill` at 0 rules it out; a rise may be any memory group's "
				 "kill. The kernel log has `Out of memory: Killed process`, and above it `Free swap`."
			       : "There is no swap here, so that none can be full.";
	case CAUSE_HUGETLB_POOL:
		if (row && row->bound == 0)
			return "The pool is empty: every request for a huge page is refused.";
		break;
	case CAUSE_HUGETLB_SIZE:
		return "It is a matter of the processor and of the kernel's command line: any size that is not listed "
		       "is refused.";
	case CAUSE_SHM_LIMIT:
	case CAUSE_IPC_LIMIT:
		return "It is of the IPC namespace, and not of a process: compare what is in use with the bound.";
	case CAUSE_INOTIFY_WATCHES_MAX:
	case CAUSE_INOTIFY_INSTANCES_MAX:
	case CAUSE_PIPE_USER_PAGES:
	case CAUSE_PERF_MLOCK:
	case CAUSE_NAMESPACES_MAX:
		return "It is of a user, and not of a process; the kernel shows the bound, and not what is in use.";
	default:
		break;
	}
	return row ? NULL
		   : "No limit of this kind binds the process that called enomem, as far as can be read; root is "
		     "exempt from "
		     "some, and a controller that is not mounted shows none.";
}

bool explain_is_set(const struct explain_world *w, int cause, const struct triage_row *row)
{
	const struct rlimit_words *words = rlimit_of(cause);
	if (cause == CAUSE_SYSTEM_OOM || (cause == CAUSE_SWAP_FULL && w->swap))
		return true;
	return row || (words && w->soft[words->resource] < ENOMEM_ABSENT);
}

char *explain_note(const struct explain_world *w, int cause, const struct triage_row *row, bool reads, char *buf,
		   size_t size)
{
	const struct rlimit_words *words = rlimit_of(cause);
	buf[0] = '\0';
	if (words)
		note_rlimit(w, words, row != NULL, buf, size);
	else if (reads && note_of(w, cause, row))
		text_add(buf, size, "%s", note_of(w, cause, row));
	else if (!reads)
		text_add(buf, size, "No file has its number for one process: `enomem why -- COMMAND` sees it happen.");
	size_t used = strlen(buf);
	if (used && buf[used - 1] == ' ')
		buf[used - 1] = '\0';
	return buf;
}
