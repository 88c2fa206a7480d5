// SPDX-License-Identifier: MIT
/*
 * The list of causes, the frame every evaluation shares, and the verdict over a report.
 */
#include "cause.h"

#include <string.h>
#include <sys/resource.h>

#include "cause-internal.h"

#define X(id, name, unit, counter) {name, unit, counter},
const struct cause_info cause_infos[CAUSE_COUNT] = {CAUSES(X)};
#undef X

_Static_assert(CAUSE_STATES_MAX <= 32, "ret_also has one bit per state");

int cause_by_name(const char *name)
{
	for (int id = 0; id < CAUSE_COUNT; id++) {
		if (!strcmp(cause_infos[id].name, name))
			return id;
	}
	return -ENOENT;
}

struct limit_state *cause_add(struct cause_case *c, enum cause_id id, struct cause_sum sum, int expected_error,
			      const char *where)
{
	if (sum.in_use == ENOMEM_ABSENT || sum.asked == ENOMEM_ABSENT || sum.bound == ENOMEM_ABSENT)
		return NULL;
	if (c->report->count == CAUSE_STATES_MAX)
		return NULL;

	struct limit_state *state = &c->report->state[c->report->count++];
	*state = (struct limit_state){
		.id = id,
		.in_use = sum.in_use,
		.asked = sum.asked,
		.bound = sum.bound,
		.refuses = sum.bound != ENOMEM_UNLIMITED && limit_add(sum.in_use, sum.asked) > sum.bound,
		.errno_fits = !c->refusal || c->refusal->error == expected_error, /* a signal has no errno */
		.where = where,
	};
	return state;
}

void cause_doubt(struct cause_case *c, const struct limit_state *state)
{
	if (state)
		c->doubtful |= 1U << (state - c->report->state);
}

void cause_settle(struct cause_case *c)
{
	bool explained = false;

	for (unsigned i = 0; i < c->report->count; i++) {
		const struct limit_state *state = &c->report->state[i];
		if (!(c->doubtful & 1U << i) && state->refuses && state->errno_fits)
			explained = true;
	}
	for (unsigned i = 0; i < c->report->count; i++) {
		if (c->doubtful & 1U << i)
			c->report->state[i].refuses = !explained && c->report->state[i].errno_fits;
	}
}

uint64_t cause_status(const struct cause_case *c, enum status_key key)
{
	return c->s->process_seen ? c->s->status.value[key] : ENOMEM_ABSENT;
}

uint64_t cause_rlimit(const struct cause_case *c, unsigned resource)
{
	return c->s->process_seen ? c->s->rlimit[resource] : ENOMEM_ABSENT;
}

uint64_t cause_rlimit_pages(const struct cause_case *c, unsigned resource)
{
	uint64_t bytes = cause_rlimit(c, resource);

	if (bytes == ENOMEM_ABSENT || bytes == ENOMEM_UNLIMITED)
		return bytes;
	return limit_round_down_to_page(bytes, PAGE_BYTES);
}

bool cause_capable(const struct cause_case *c, unsigned capability)
{
	return c->s->process_seen && c->s->status.cap_effective & 1ULL << capability;
}

enum moved cause_moved(const struct cause_case *c, enum cgroup_value counter)
{
	uint64_t after = c->s->cgroup.value[counter];
	uint64_t before = c->before && c->before->taken ? c->before->cgroup.value[counter] : ENOMEM_ABSENT;

	if (before == ENOMEM_ABSENT || after == ENOMEM_ABSENT)
		return MOVED_UNKNOWN;
	return after > before ? MOVED_YES : MOVED_NO;
}

void cause_of_refusal(const struct refusal *refusal, const struct snapshot *before, const struct snapshot *failure,
		      struct cause_report *ret)
{
	static void (*const evaluate[])(struct cause_case *) = {
		[CALL_MAP] = cause_map,
		[CALL_REMAP] = cause_remap,
		[CALL_SPLIT] = cause_split,
		[CALL_BREAK] = cause_break,
		[CALL_TASK] = cause_task,
		[CALL_EXEC] = cause_exec,
		[CALL_LOCK] = cause_lock,
		[CALL_SHM] = cause_shm,
		[CALL_ADVISE] = cause_advise,
		[CALL_FILE] = cause_file,
		[CALL_PIPE] = cause_pipe,
		[CALL_OBJECT] = cause_object,
		[CALL_PIN] = cause_pin,
		[CALL_SWAP] = cause_swap,
		[CALL_TRANSFER] = cause_transfer,
		[CALL_CREATE] = cause_create,
		[CALL_NAMESPACE] = cause_namespace,
		[CALL_WATCH] = cause_watch,
		[CALL_TIMER] = cause_timer,
		[CALL_AIO] = cause_aio,
		[CALL_KEY] = cause_key,
		[CALL_BPF] = cause_bpf,
		[CALL_OPTION] = cause_option,
	};

	memset(ret, 0, sizeof(*ret));
	if (!failure->taken || !evaluate[refusal->call->family])
		return;
	struct cause_case c = {.refusal = refusal, .before = before, .s = failure, .report = ret};
	/* The witness's doing: nobody was asked. The limits are looked at all the same, one may be full beside it. */
	if (refusal->injected)
		(void)cause_add(&c, CAUSE_INJECTED, (struct cause_sum){0, 1, 0}, refusal->error,
				"inject in the manifest");
	evaluate[refusal->call->family](&c);
	cause_settle(&c);
}

/*
 * A limit that refuses, but with another errno than the one seen, is not what this call met: the kernel checks in order
 * and something we do not know came first. It is told in *ret_also and never named.
 */
enum cause_id cause_name(const struct cause_report *report, unsigned *ret_index, uint32_t *ret_also)
{
	unsigned named = report->count;
	uint32_t refusing = 0;

	for (unsigned i = 0; i < report->count; i++) {
		if (!report->state[i].refuses)
			continue;
		if (named == report->count && report->state[i].errno_fits)
			named = i;
		refusing |= 1U << i;
	}
	bool known = named < report->count;
	*ret_index = named;
	*ret_also = known ? refusing & ~(1U << named) : refusing;
	return known ? report->state[named].id : CAUSE_UNKNOWN;
}
