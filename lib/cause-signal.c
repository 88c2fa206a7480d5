// SPDX-License-Identifier: MIT
/*
 * Fatal signals: a stack that may not grow, a page of a file that was not to be had, and who sent a SIGKILL. Of a
 * SIGBUS in an area of another kind, or beyond the end of a file, nothing is claimed.
 */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "cause-internal.h"

/* Swap counts as full from nine tenths on: the kernel keeps some of its slots back, and a killed process frees its own
 * before anybody can look. */
#define SWAP_LEFT_SHARE 10

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

/* How much of its swap a group has used, and whether that was all: what counts is the most it ever had. */
static bool group_swap_used_up(const struct cause_case *c, uint64_t *ret_used)
{
	const uint64_t *v = c->s->cgroup.value;
	uint64_t max = v[CGROUP_MEMORY_SWAP_MAX], memory_max = v[CGROUP_MEMORY_MAX];
	uint64_t used = v[CGROUP_MEMORY_SWAP_PEAK], sum = v[CGROUP_MEMORY_MEMSW_PEAK];
	bool measured_after = used == ENOMEM_ABSENT;

	if (max == 0 || max >= ENOMEM_ABSENT || memory_max >= ENOMEM_ABSENT)
		return false;
	if (sum < ENOMEM_ABSENT) { /* v1 limits and measures memory and swap together */
		used = sum > memory_max ? sum - memory_max : 0;
		measured_after = false;
	}
	if (measured_after)
		used = v[CGROUP_MEMORY_SWAP_CURRENT];
	if (used >= ENOMEM_ABSENT)
		return false;
	*ret_used = used;
	uint64_t tolerated = max / 16 < CHARGE_BATCH_BYTES ? max / 16 : CHARGE_BATCH_BYTES;
	if (limit_add(used, PAGE_BYTES + tolerated) > max)
		return true;
	/* Kernels before 6.5 keep no peak of swap; those count what they refused. */
	return measured_after && (cause_moved(c, CGROUP_MEMORY_SWAP_EVENTS_MAX) == MOVED_YES ||
				  cause_moved(c, CGROUP_MEMORY_SWAP_EVENTS_FAIL) == MOVED_YES);
}

/* A group may be at memory.max for as long as swap takes what it pushes out: where swap was used up, that ran out. */
static void name_swap(const struct cause_case *c, struct limit_state *own)
{
	uint64_t used;

	if (!group_swap_used_up(c, &used))
		return;
	own->id = CAUSE_MEMCG_SWAP_MAX;
	own->in_use = limit_add(own->in_use, used);
	own->bound = limit_add(own->bound, c->s->cgroup.value[CGROUP_MEMORY_SWAP_MAX]);
	own->where = "memory.max and memory.swap.max of its group";
}

/* The kernel's line says whose limit it was: then it was nobody else's. */
static void blame(const struct cause_case *c, const struct limit_state *named)
{
	for (unsigned i = 0; i < c->report->count; i++)
		if (c->report->state[i].id == CAUSE_MEMCG_MAX)
			c->report->state[i].refuses = &c->report->state[i] == named;
}

static void memory_groups(struct cause_case *c, const struct fatal_signal *sig)
{
	const struct snapshot *s = c->s;
	uint64_t peak = s->cgroup.value[CGROUP_MEMORY_PEAK], max = s->cgroup.value[CGROUP_MEMORY_MAX];
	bool log_is_sure = sig->log_names_pid > 0, measured_after = peak == ENOMEM_ABSENT, any = false;
	unsigned group = log_is_sure ? sig->log_group : 0;
	struct limit_state *own = full_group(c, measured_after ? s->cgroup.value[CGROUP_MEMORY_CURRENT] : peak, max,
					     "memory.max of its group");
	const struct limit_state *named = group == LOG_GROUP_OWN && max < ENOMEM_ABSENT ? own : NULL;

	any = own && own->refuses;
	for (unsigned i = 0; i < s->ancestor_count; i++) {
		const struct ancestor_numbers *a = &s->ancestor[i];
		bool blamed = group == LOG_GROUP_ABOVE + i, drained = blamed && a->peak < ENOMEM_ABSENT;
		if (a->controller != CGROUP_MEMORY || a->max == ENOMEM_UNLIMITED)
			continue;
		/* Who looks from within the group looks when the victim's memory is there again for it to do so. */
		const struct limit_state *above = full_group(c, drained && a->peak > a->current ? a->peak : a->current,
							     a->max, "memory.max of a group above");
		any = any || (above && above->refuses);
		named = blamed ? above : named;
	}
	/*
	 * Kernels before 5.19 keep no peak on v2, and what is in use now may be less than before the victim died.
	 * There the kernel's own line decides, and the number stays what was measured.
	 */
	if (named)
		blame(c, named);
	else if (own && !any && measured_after && log_is_sure && max != ENOMEM_UNLIMITED)
		own->refuses = true;
	if (own && own->refuses)
		name_swap(c, own);
}

bool cause_swap_is_full(uint64_t total, uint64_t free_bytes)
{
	return total > 0 && total < ENOMEM_ABSENT && free_bytes <= total / SWAP_LEFT_SHARE;
}

/* The whole machine ran out. How low is too low is the watermarks' business: the kernel's own line decides, not the
 * sum. */
static void system_oom(struct cause_case *c, const struct fatal_signal *sig)
{
	const uint64_t *v = c->s->meminfo.value;
	uint64_t total = v[MEMINFO_MEM_TOTAL], swap = v[MEMINFO_SWAP_TOTAL];
	uint64_t available = v[MEMINFO_MEM_AVAILABLE], swap_free = v[MEMINFO_SWAP_FREE];
	if (sig->swap_free_least < swap_free)
		swap_free = sig->swap_free_least;
	if (sig->in_swapoff) /* try_to_unuse(), mm/swapfile.c: all of it has to come back into RAM */
		swap = swap_free = 0;
	bool known = total != ENOMEM_ABSENT && swap != ENOMEM_ABSENT && available <= total && swap_free <= swap;

	struct cause_sum sum = {0, PAGE_BYTES, 0};
	if (known) {
		sum.in_use = total - available + swap - swap_free;
		sum.bound = total + swap;
	}
	enum cause_id id = cause_swap_is_full(swap, swap_free) ? CAUSE_SWAP_FULL : CAUSE_SYSTEM_OOM;
	struct limit_state *state = cause_add(c, id, sum, 0, "kernel log: Out of memory");
	if (state)
		state->refuses = true;
}

/*
 * check_process_timers(), kernel/time/posix-cpu-timers.c: at the hard limit on CPU time it sends SIGKILL, and no reason
 * with it. Nobody else's doing, and no memory's.
 */
static bool cpu_time(struct cause_case *c)
{
	uint64_t hard = c->s->cpu_hard_limit_ns;

	if (!c->s->process_seen || hard == ENOMEM_UNLIMITED)
		return false;
	const struct limit_state *state = cause_add(c, CAUSE_RLIMIT_CPU, (struct cause_sum){c->s->cpu_ns, 1, hard}, 0,
						    "/proc/PID/limits: Max cpu time, the hard limit");
	return state && state->refuses;
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
		system_oom(c, sig);
	else if (sig->oom_counter_moved ? sig->log_names_pid != 0 : log_is_sure && !counted)
		memory_groups(c, sig);
	else if (!sig->oom_kill_unclear && (sig->log_names_pid == 0 || (sig->log_names_pid < 0 && counted)) &&
		 !cpu_time(c))
		(void)cause_add(c, CAUSE_KILLED_BY_OTHER, (struct cause_sum){0, 1, 0}, 0, "kill(2) by somebody");
}

static void page_not_to_be_had(struct cause_case *c, uint64_t address)
{
	if (c->s->area_seen && c->s->area.huge_pages)
		cause_hugetlb_fault(c);
	else
		cause_tmpfs_fault(c, address, 1, 0);
}

void cause_of_signal(const struct fatal_signal *sig, const struct snapshot *before, const struct snapshot *failure,
		     struct cause_report *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!failure->taken)
		return;
	struct cause_case c = {.before = before, .s = failure, .report = ret};
	if (sig->signal == SIGSEGV && sig->code == SEGV_MAPERR && failure->process_seen)
		stack_growth(&c, sig->address);
	else if (sig->signal == SIGBUS && sig->code == BUS_ADRERR && failure->process_seen)
		page_not_to_be_had(&c, sig->address);
	else if (sig->signal == SIGKILL)
		killed(&c, sig);
	cause_settle(&c);
}
