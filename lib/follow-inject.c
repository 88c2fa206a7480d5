// SPDX-License-Identifier: MIT
/*
 * Calls that are taken away from whoever is followed, from where on, and what has to be known for it: where the break
 * is, and where a program begins. See follow.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include "cleanup.h"
#include "follow-internal.h"
#include "limits.h"
#include "procfs.h"
#include "witness-asked.h"
#include "witness-inject.h"

/* linux/mman.h of Debian 12 knows them, glibc's sys/mman.h of older ones does not. */
#define ADVICE_POPULATE_READ  22
#define ADVICE_POPULATE_WRITE 23

/* --- the break --------------------------------------------------------------------------------------------------- */

/* Where the heap of a program that has none yet would begin: field 47 of its stat. 0: unknown. */
static uint64_t start_of_heap(pid_t pid)
{
	char name[64], text[1024];
	(void)snprintf(name, sizeof(name), "/proc/%d/stat", pid);
	if (procfs_read_at(AT_FDCWD, name, text, sizeof(text)) <= 0)
		return 0;
	const char *at = strrchr(text, ')');
	for (unsigned field = 2; at && field < 47; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

/*
 * The end of the heap's last page, where the break of a process was not followed from the beginning (a fork's):
 * near enough, for up to there nothing can be refused.
 */
static uint64_t break_of(pid_t pid)
{
	char name[64], line[512];
	uint64_t end = 0;
	(void)snprintf(name, sizeof(name), "/proc/%d/maps", pid);
	auto_fclose FILE *maps = fopen(name, "re");
	while (maps && fgets(line, sizeof(line), maps)) {
		const char *dash = strchr(line, '-');
		bool heap = strstr(line, "[heap]") != NULL;
		if (heap && dash)
			end = strtoull(dash + 1, NULL, 16);
		else if (end)
			break;
	}
	return end ? end : start_of_heap(pid);
}

/* --- calls ------------------------------------------------------------------------------------------------------- */

/* Does the call ask for anything? What gives back, or only asks where the break is, cannot be refused. */
static bool asks(struct follow_task *t, uint64_t *ret_bytes)
{
	struct follow_process *p = t->process;
	struct tracee asks = {.tid = t->tid, .tgid = p->pid, .call = t->call};
	memcpy(asks.args, t->args, sizeof(asks.args));
	*ret_bytes = 0;
	switch (t->call->family) {
	case CALL_SWAP:
		return false;
	case CALL_EXEC: /* what is executed now is not what is asked for */
		return true;
	case CALL_ADVISE:
		*ret_bytes = t->args[1];
		return t->args[2] == ADVICE_POPULATE_READ || t->args[2] == ADVICE_POPULATE_WRITE;
	case CALL_BREAK:
		if (t->args[0] && !p->last_break)
			p->last_break = break_of(p->pid);
		/* Up to the end of the page there is memory already: that is never refused (brk(), mm/mmap.c). */
		if (!p->last_break || t->args[0] <= limit_round_up_to_page(p->last_break, (uint64_t)getpagesize()))
			return false;
		*ret_bytes = t->args[0] - p->last_break;
		return true;
	default:
		*ret_bytes = witness_asked(&asks, 0);
		return true;
	}
}

void follow_begin_call(struct follow *f, struct follow_task *t)
{
	uint64_t bytes;
	if (t->process->entry || !witness_can_inject() || !asks(t, &bytes))
		return;
	int error = f->handlers.calling(t->process, t->call, bytes, f->data);
	struct tracee call = {.tid = t->tid, .tgid = t->process->pid, .call = t->call};
	memcpy(call.args, t->args, sizeof(call.args));
	if (error && witness_take_away(&call, error))
		t->injected = error;
}

void follow_keep_from_killing(struct follow *f, const struct follow_task *t)
{
	static const struct call_info kill_call = {.name = "kill", .family = CALL_TASK};
	const struct tracee call = {.tid = t->tid, .tgid = t->process->pid, .call = &kill_call};
	/* Where it cannot be taken away it is the task that is. */
	if (!witness_take_away(&call, EPERM))
		(void)kill(t->process->pid, SIGKILL);
	f->numbers.kills_kept_from++;
}

void follow_end_call(struct follow_task *t, int64_t result, bool is_error)
{
	if (t->injected) {
		struct tracee call = {.tid = t->tid, .call = t->call};
		memcpy(call.args, t->args, sizeof(call.args));
		witness_inject_done(&call);
	}
	if (t->call->family == CALL_BREAK && !is_error)
		t->process->last_break = (uint64_t)result;
}

/* --- the entry --------------------------------------------------------------------------------------------------- */

#if defined(__x86_64__)
#include <sys/user.h>

#define BREAKPOINT 0xccL /* int3 */

/* What the kernel told the new program of itself; 0 where it is none of this architecture. */
static uint64_t entry_of(pid_t pid)
{
	char name[64];
	ElfW(auxv_t) vector[64];
	(void)snprintf(name, sizeof(name), "/proc/%d/auxv", pid);
	auto_close int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, vector, sizeof(vector));
	for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(vector[0]); i++)
		if (vector[i].a_type == AT_ENTRY)
			return vector[i].a_un.a_val;
	return 0;
}

static void wait_for_entry(struct follow_task *t)
{
	struct follow_process *p = t->process;
	uint64_t entry = entry_of(p->pid);
	errno = 0;
	long word = entry ? ptrace(PTRACE_PEEKTEXT, t->tid, entry, NULL) : 0;
	if (entry && errno == 0 && ptrace(PTRACE_POKETEXT, t->tid, entry, (word & ~0xffL) | BREAKPOINT) == 0) {
		p->entry = entry;
		p->entry_word = word;
	}
}

bool follow_at_entry(struct follow_task *t)
{
	struct follow_process *p = t->process;
	errno = 0;
	long at = p->entry ? ptrace(PTRACE_PEEKUSER, t->tid, offsetof(struct user, regs.rip), NULL) : 0;
	if (!p->entry || errno != 0 || (uint64_t)at != p->entry + 1)
		return false;
	(void)ptrace(PTRACE_POKETEXT, t->tid, p->entry, p->entry_word);
	(void)ptrace(PTRACE_POKEUSER, t->tid, offsetof(struct user, regs.rip), p->entry);
	p->entry = 0;
	return true;
}

#else

static void wait_for_entry(struct follow_task *t)
{
	(void)t;
}

bool follow_at_entry(struct follow_task *t)
{
	(void)t;
	return false;
}

#endif

void follow_renew(struct follow *f, struct follow_task *t)
{
	t->process->last_break = 0;
	t->process->entry = 0;
	if (f->from_entry)
		wait_for_entry(t);
}
