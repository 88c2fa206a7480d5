// SPDX-License-Identifier: MIT
/*
 * Fatal signals: a stack that may not grow, and who sent a SIGKILL. A SIGBUS of a full tmpfs or an empty huge page pool
 * carries nothing that tells the two apart in a snapshot, so nothing is claimed about it.
 */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "cause-internal.h"

/* A memory group charges in batches of pages: the kill comes a few pages below the limit (9 to 14 measured). */
#define CHARGE_BATCH_BYTES (64 * PAGE_BYTES)

/*
 * expand_stack() and acct_stack_growth(), mm/mmap.c and mm/vma.c: a fault below the stack grows it down to the page of
 * the address, unless that page comes within the guard gap of the area below.
 */
static void stack_growth(struct cause_case *c, uint64_t address)
{
	const struct maps_summary *maps = &c->s->maps;
	uint64_t page = limit_round_down_to_page(address, PAGE_BYTES);

	if (!c->s->maps_seen || !maps->above_is_stack || page >= maps->stack_start ||
	    page < limit_add(maps->below_end, MAPS_STACK_GUARD_GAP_BYTES))
		return;
	uint64_t size = maps->stack_end - maps->stack_start;
	uint64_t growth = limit_stack_size_after_growth(maps->stack_end, address, PAGE_BYTES) - size;
	struct cause_sum sum = {size, growth, cause_rlimit(c, RLIMIT_STACK)};

	(void)cause_add(c, CAUSE_RLIMIT_STACK, sum, 0, "/proc/PID/limits: Max stack size");
	cause_address_space_limit(c, cause_status(c, STATUS_VM_SIZE), growth);
	cause_commit_limit(c, growth);
}

/* A group is full when one more page does not fit; within a batch of its limit it counts as full, the counter having
 * moved. */
static struct limit_state *full_group(struct cause_case *c, uint64_t in_use, uint64_t max, const char *where)
{
	struct cause_sum sum = {in_use, PAGE_BYTES, max};
	struct limit_state *state = cause_add(c, CAUSE_MEMCG_MAX, sum, 0, where);

	if (state && max != ENOMEM_UNLIMITED && limit_add(in_use, PAGE_BYTES + CHARGE_BATCH_BYTES) > max)
		state->refuses = true;
	return state;
}

static void memory_groups(struct cause_case *c, bool log_is_sure)
{
	const struct snapshot *s = c->s;
	uint64_t peak = s->cgroup.value[CGROUP_MEMORY_PEAK], max = s->cgroup.value[CGROUP_MEMORY_MAX];
	bool measured_after = peak == ENOMEM_ABSENT;
	bool any = false;

	struct limit_state *own = full_group(c, measured_after ? s->cgroup.value[CGROUP_MEMORY_CURRENT] : peak, max,
					     "memory.max of its group");
	any = own && own->refuses;
	for (unsigned i = 0; i < s->ancestor_count; i++) {
		const struct ancestor_numbers *a = &s->ancestor[i];
		if (a->controller != CGROUP_MEMORY || a->max == ENOMEM_UNLIMITED)
			continue;
		const struct limit_state *above = full_group(c, a->current, a->max, "memory.max of a group above");
		any = any || (above && above->refuses);
	}
	/*
	 * Kernels before 5.19 keep no peak on v2, and what is in use now may be less than before the victim died.
	 * There the kernel's own line decides, and the number stays what was measured.
	 */
	if (own && !any && measured_after && log_is_sure && max != ENOMEM_UNLIMITED)
		own->refuses = true;
}

/* The whole machine ran out. How low is too low is the watermarks' business: the kernel's own line decides, not the
 * sum. */
static void system_oom(struct cause_case *c)
{
	const uint64_t *v = c->s->meminfo.value;
	uint64_t total = v[MEMINFO_MEM_TOTAL], swap = v[MEMINFO_SWAP_TOTAL];
	uint64_t available = v[MEMINFO_MEM_AVAILABLE], swap_free = v[MEMINFO_SWAP_FREE];
	bool known = total != ENOMEM_ABSENT && swap != ENOMEM_ABSENT && available <= total && swap_free <= swap;

	struct cause_sum sum = {0, PAGE_BYTES, 0};
	if (known) {
		sum.in_use = total - available + swap - swap_free;
		sum.bound = total + swap;
	}
	struct limit_state *state = cause_add(c, CAUSE_SYSTEM_OOM, sum, 0, "kernel log: Out of memory");
	if (state)
		state->refuses = true;
}

/*
 * A line of the log about a memory group, while the run's own counter stood still, is about a group the program made
 * itself: not somebody else's kill, and not a limit we can see. Without counter and log there is nothing to go by.
 */
static void killed(struct cause_case *c, const struct fatal_signal *sig)
{
	bool counted = c->s->cgroup.value[CGROUP_MEMORY_EVENTS_OOM_KILL] != ENOMEM_ABSENT;
	bool log_is_sure = sig->log_names_pid > 0;

	if (log_is_sure && !sig->log_says_memcg)
		system_oom(c);
	else if (sig->oom_counter_moved ? sig->log_names_pid != 0 : log_is_sure && !counted)
		memory_groups(c, log_is_sure);
	else if (!sig->oom_kill_unclear && (sig->log_names_pid == 0 || (sig->log_names_pid < 0 && counted)))
		(void)cause_add(c, CAUSE_KILLED_BY_OTHER, (struct cause_sum){0, 1, 0}, 0, "kill(2) by somebody");
}

void cause_of_signal(const struct fatal_signal *sig, const struct snapshot *failure, struct cause_report *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!failure->taken)
		return;
	struct cause_case c = {.s = failure, .report = ret};
	if (sig->signal == SIGSEGV && sig->code == SEGV_MAPERR && failure->process_seen)
		stack_growth(&c, sig->address);
	else if (sig->signal == SIGKILL)
		killed(&c, sig);
	cause_settle(&c);
}
