// SPDX-License-Identifier: MIT
/*
 * What was seen to fail narrows down which limit it was: only some limits give this errno from this call. See triage.h.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>

#include "cause.h"
#include "cleanup.h"
#include "limits.h"
#include "number.h"
#include "triage.h"

#define PAGE_BYTES 4096ULL
#define FAR        10000 /* basis points */

static int parse_call(const char *text, const char *equals, struct triage_symptom *ret)
{
	char name[32];
	if (equals == text || (size_t)(equals - text) >= sizeof(name))
		return -EINVAL;
	memcpy(name, text, (size_t)(equals - text));
	name[equals - text] = '\0';
	struct triage_symptom found = {.call = call_by_name(name)};
	for (int e = 1; e < 134 && !found.error; e++) {
		const char *known = strerrorname_np(e);
		if (known && strcmp(known, equals + 1) == 0)
			found.error = e;
	}
	if (!found.call || !found.error)
		return -EINVAL;
	*ret = found;
	return 0;
}

int triage_parse_symptom(const char *text, struct triage_symptom *ret)
{
	static const int signals[] = {SIGKILL, SIGSEGV, SIGBUS};
	const char *equals = strchr(text, '=');
	if (equals)
		return parse_call(text, equals, ret);
	if (strcmp(text, "stall") == 0) {
		*ret = (struct triage_symptom){0};
		return 0;
	}
	for (size_t i = 0; strncmp(text, "SIG", 3) == 0 && i < ARRAY_SIZE(signals); i++)
		if (strcmp(text + 3, sigabbrev_np(signals[i])) == 0) {
			*ret = (struct triage_symptom){.signal = signals[i]};
			return 0;
		}
	return -EINVAL;
}

/*
 * The smallest call of its kind, as the kernel would see it. What changes areas there are is refused by what refuses a
 * new one, and every way to lock by what refuses mlock().
 */
static void smallest_call(const struct triage_symptom *symptom, struct refusal *ret)
{
	*ret = (struct refusal){.call = symptom->call, .error = symptom->error};
	switch (symptom->call->family) {
	case CALL_MAP:
	case CALL_REMAP:
	case CALL_BREAK:
	case CALL_SPLIT:
		ret->call = call_by_name("mmap");
		ret->asked_bytes = ret->args[1] = PAGE_BYTES;
		ret->args[2] = PROT_READ | PROT_WRITE;
		ret->args[3] = MAP_PRIVATE | MAP_ANONYMOUS | (symptom->error == ENOMEM ? 0 : MAP_LOCKED);
		break;
	case CALL_LOCK:
		ret->call = call_by_name("mlock");
		ret->asked_bytes = ret->args[0] = ret->args[1] = PAGE_BYTES;
		break;
	case CALL_TASK:
	case CALL_OBJECT:
	case CALL_CREATE:
	case CALL_WATCH:
	case CALL_TIMER:
		break;
	default:
		ret->asked_bytes = ret->args[1] = PAGE_BYTES;
		break;
	}
}

/* A bit for each cause that can refuse the call with that errno. */
static uint64_t causes_of_call(const struct triage_symptom *symptom, const struct snapshot *s)
{
	struct cause_report report;
	struct refusal refusal;
	uint64_t fits = 0;
	smallest_call(symptom, &refusal);
	cause_of_refusal(&refusal, NULL, s, &report);
	for (unsigned i = 0; i < report.count; i++)
		fits |= report.state[i].errno_fits ? UINT64_C(1) << report.state[i].id : 0;
	/* From outside a run its group is not in the snapshot. */
	if (symptom->call->family == CALL_TASK && symptom->error == EAGAIN)
		fits |= UINT64_C(1) << CAUSE_PIDS_MAX;
	return fits;
}

static uint64_t causes_of_signal(int signal)
{
#define BIT(id) (UINT64_C(1) << CAUSE_##id)
	switch (signal) {
	case SIGKILL:
		return BIT(MEMCG_MAX) | BIT(MEMCG_SWAP_MAX) | BIT(SYSTEM_OOM) | BIT(SWAP_FULL);
	case SIGSEGV:
		return BIT(RLIMIT_STACK) | BIT(RLIMIT_AS) | BIT(COMMIT_LIMIT);
	case SIGBUS:
		return BIT(TMPFS_SIZE) | BIT(COMMIT_LIMIT); /* and huge pages */
	default:                                            /* a stall */
		return BIT(MEMCG_HIGH) | BIT(MEMCG_MAX);
	}
#undef BIT
}

/* A count is asked for one more, so that one less than half used is farther than any number of bytes. */
static uint64_t distance_of(const struct triage_row *row, uint64_t memory)
{
	bool bytes = strcmp(triage_limit_infos[row->limit].unit, "bytes") == 0;
	uint64_t room = row->bound - MIN(row->in_use, row->bound), whole = bytes ? memory : row->bound;
	if (!bytes && room > whole / 2)
		return FAR + 1;
	if (room >= whole)
		return room ? FAR : 0;
	__extension__ unsigned __int128 part = (unsigned __int128)room * FAR / whole;
	return (uint64_t)part;
}

void triage_apply_symptom(struct triage *t, const struct triage_symptom *symptom, const struct snapshot *s)
{
	const uint64_t *m = s->meminfo.value;
	uint64_t fits = symptom->call ? causes_of_call(symptom, s) : causes_of_signal(symptom->signal);
	uint64_t memory = m[MEMINFO_MEM_TOTAL] < ENOMEM_ABSENT ? m[MEMINFO_MEM_TOTAL] : 0;
	if (m[MEMINFO_SWAP_TOTAL] < ENOMEM_ABSENT)
		memory = limit_add(memory, m[MEMINFO_SWAP_TOTAL]);
	t->symptom = true;
	for (size_t i = 0; i < t->count; i++) {
		struct triage_row *row = &t->row[i];
		int cause = cause_by_name(triage_limit_infos[row->limit].cause);
		row->distance = distance_of(row, memory);
		if (!triage_huge_fits(t, symptom, row, &row->fits))
			row->fits = cause >= 0 && fits >> cause & 1 &&
				    /* Who sends waits; nobody is told, and nobody killed. */
				    (row->limit != TRIAGE_TCP_MAX || (!symptom->call && !symptom->signal));
		else if (triage_huge_refuses(t, symptom, row))
			row->distance = 0;
	}
}
