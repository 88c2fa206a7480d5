// SPDX-License-Identifier: MIT
/*
 * The harness's side of a job: start a guest, say what to run, take in what comes, and know what to make of a guest
 * that stops talking. See guest.h.
 */
#include "guest.h"

#include <string.h>
#include <sys/wait.h>

#include "capture-guest.h"
#include "cleanup.h"
#include "clock.h"
#include "guest-evidence.h"
#include "guest-world.h"
#include "judge.h"

/* What a run may take in a guest beyond its own deadline: staging and snapshots, with an emulated CPU. */
#define RUN_GRACE_NS UINT64_C(20000000000)

struct conversation {
	const struct run_context *context;
	const struct guest_world *world;
	const struct plan_run *const *runs;
	size_t count;
	json_t **result; /* by position in runs; NULL until it is there */
	struct vm vm;
	bool cold;
	unsigned starts_failed;
	ssize_t current; /* position of the run the guest is at, -1 for none */
	char why[1024];  /* it did not start the last time */
};

/* [{scenario, runs}], a scenario's runs side by side as they are in c->runs; with the number of a run that probes. */
static json_t *remaining_runs(const struct conversation *c)
{
	json_t *all = json_array(), *names = NULL;
	const struct scenario *scenario = NULL;
	for (size_t i = 0; i < c->count; i++) {
		if (c->result[i])
			continue;
		if (c->runs[i]->scenario != scenario) {
			scenario = c->runs[i]->scenario;
			names = json_array();
			(void)json_array_append_new(all,
						    json_pack("{s:s, s:o}", "scenario", scenario->name, "runs", names));
		}
		(void)json_array_append_new(names, json_string(c->runs[i]->name));
		if (c->runs[i]->probes)
			(void)json_object_set_new(json_array_get(all, json_array_size(all) - 1), "probe",
						  json_integer((json_int_t)c->runs[i]->probe_value));
	}
	return all;
}

static bool is_finished(const struct conversation *c)
{
	for (size_t i = 0; i < c->count; i++)
		if (!c->result[i])
			return false;
	return true;
}

/* A scenario may be selected twice: of its runs the first that is still to be made. */
static ssize_t position_of(const struct conversation *c, const char *scenario, const char *name)
{
	ssize_t made = -1;
	for (size_t i = 0; scenario && name && i < c->count; i++) {
		if (strcmp(c->runs[i]->name, name) != 0 || strcmp(c->runs[i]->scenario->name, scenario) != 0)
			continue;
		if (!c->result[i])
			return (ssize_t)i;
		made = (ssize_t)i;
	}
	return made;
}

static void keep(struct conversation *c, size_t position, json_t *evidence)
{
	guest_describe(evidence, c->world, c->cold || c->vm.booted);
	json_decref(c->result[position]);
	c->result[position] = evidence;
}

/* The guest made no evidence of this run, so we do. */
static void conclude(struct conversation *c, size_t position, json_t *evidence)
{
	char console[GUEST_CONSOLE_BYTES];
	const struct plan_run *run = c->runs[position];
	vm_console(&c->vm, console, sizeof(console));
	guest_add_console(evidence, console);
	(void)judge_run(evidence, run, &c->world->machine);
	keep(c, position, evidence);
}

static void conclude_broken(struct conversation *c, ssize_t position, const char *why)
{
	for (size_t i = 0; i < c->count; i++)
		if (position < 0 ? !c->result[i] : (ssize_t)i == position)
			conclude(c, i, guest_evidence_broken(c->runs[i], why));
}

static void conclude_never_started(struct conversation *c)
{
	char why[sizeof(c->why) + 32];
	(void)snprintf(why, sizeof(why), "the guest does not start: %s", c->why);
	conclude_broken(c, -1, why);
}

/* How long the run that the guest is at may still take. */
static uint64_t deadline(const struct conversation *c)
{
	uint64_t length = vm_timeout_ns(GUEST_ANSWER_TIMEOUT_NS);
	if (c->current >= 0)
		length = plan_time_ns(c->runs[c->current]) + vm_timeout_ns(RUN_GRACE_NS);
	return clock_now_ns() + length;
}

/* [scenario, run]: the run that begins. -1 when it is none of ours. */
static ssize_t take_started(const struct conversation *c, const struct wire_frame *frame)
{
	json_error_t error;
	json_auto_t *pair = json_loadb(frame->data, frame->length, 0, &error);
	return position_of(c, json_string_value(json_array_get(pair, 0)), json_string_value(json_array_get(pair, 1)));
}

/* [scenario, evidence]: of the run that is being made. A new reference, NULL when it is not. */
static json_t *take_evidence(const struct conversation *c, const struct wire_frame *frame)
{
	json_error_t error;
	json_auto_t *pair = json_loadb(frame->data, frame->length, 0, &error);
	json_t *evidence = json_array_get(pair, 1);
	const char *name = json_string_value(json_object_get(evidence, "name"));
	bool ours = c->current >= 0 && json_is_string(json_object_get(evidence, "verdict")) &&
		    position_of(c, json_string_value(json_array_get(pair, 0)), name) == c->current;
	return ours ? json_incref(evidence) : NULL;
}

/* The guest cannot do it: one scenario, and it goes on with the next; or, where it names none, anything. */
static int take_failed(struct conversation *c, const struct wire_frame *frame)
{
	char why[512];
	json_error_t error;
	json_auto_t *failed = json_loadb(frame->data, frame->length, 0, &error);
	const char *scenario = json_string_value(json_object_get(failed, "scenario"));
	guest_failed_message(frame->data, why, sizeof(why));
	if (!scenario || c->current >= 0) {
		conclude_broken(c, c->current, why);
		return 1;
	}
	for (size_t i = 0; i < c->count; i++)
		if (!c->result[i] && strcmp(c->runs[i]->scenario->name, scenario) == 0)
			conclude_broken(c, (ssize_t)i, why);
	return 0;
}

/* One frame. 0 to go on, 1 when the guest is done, -EBADMSG for what makes no sense. */
static int take_frame(struct conversation *c, const struct wire_frame *frame)
{
	json_t *evidence;
	switch (frame->type) {
	case WIRE_MACHINE:
		return 0;
	case WIRE_STARTED:
		if (c->current >= 0)
			return -EBADMSG;
		c->current = take_started(c, frame);
		/* Only a run that is still to be made brings the end nearer. */
		if (c->current >= 0 && c->result[c->current])
			c->current = -1;
		if (c->current < 0)
			return -EBADMSG;
		c->starts_failed = 0;
		return 0;
	case WIRE_RUN:
		evidence = take_evidence(c, frame);
		if (!evidence)
			return -EBADMSG;
		keep(c, (size_t)c->current, evidence);
		c->current = -1;
		return 0;
	case WIRE_FILES:
		if (!c->context->capture || c->current < 0)
			return -EBADMSG;
		return capture_guest_take(c->context->capture, frame->data, frame->length) == -EBADMSG ? -EBADMSG : 0;
	case WIRE_DONE:
		if (!is_finished(c))
			conclude_broken(c, -1, "the guest knows no such run");
		return 1;
	case WIRE_FAILED:
		return take_failed(c, frame);
	default:
		return -EBADMSG;
	}
}

/* The guest stopped talking. What it was at is concluded; before its first run there is only another try. */
static void take_silence(struct conversation *c, int error)
{
	char console[GUEST_CONSOLE_BYTES], why[256];
	vm_console(&c->vm, console, sizeof(console));
	int status = error == -EPIPE ? vm_wait(&c->vm) : -1;
	const char *panic = guest_panic_text(console);
	if (error == -EINTR) {
		for (size_t i = 0; i < c->count; i++)
			if (!c->result[i])
				conclude(c, i, evidence_skipped(c->runs[i], "interrupted"));
		return;
	}
	if (c->current < 0) {
		/* The one that was booted for the state tells nothing of it, and there is none a second time. */
		c->starts_failed += !c->vm.booted;
		if (c->vm.console_fd >= 0)
			guest_tell_silence(&c->vm, error, c->why, sizeof(c->why));
		return;
	}
	size_t at = (size_t)c->current;
	const struct plan_run *run = c->runs[at];
	c->current = -1;
	if (panic)
		conclude(c, at, guest_evidence_panic(run, panic, console));
	else if (error == -ETIMEDOUT)
		conclude(c, at, guest_evidence_hang(run));
	else if (error == -EBADMSG)
		conclude(c, at, guest_evidence_broken(run, "what the guest sent is garbled"));
	else {
		(void)snprintf(why, sizeof(why), "the guest ended in the middle of the run (QEMU: %s%s)",
			       WIFSIGNALED(status) ? "killed by SIG" : "exited",
			       WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : "");
		conclude(c, at, guest_evidence_broken(run, why));
	}
}

/* One guest, for as long as it lives. */
static void converse(struct conversation *c)
{
	c->current = -1;
	vm_init(&c->vm);
	int r = guest_state_start(c->world->state, c->cold, &c->vm, c->why, sizeof(c->why));
	if (r == 0)
		r = guest_send_job(&c->vm, guest_job(c->world, remaining_runs(c), c->context));
	uint64_t until = deadline(c);
	while (r == 0) {
		struct wire_frame frame;
		r = vm_receive(&c->vm, until, c->context->interrupted, &frame);
		if (r < 0)
			break;
		r = take_frame(c, &frame);
		free(frame.data);
		until = deadline(c);
	}
	if (r < 0)
		take_silence(c, r);
	(void)vm_stop(&c->vm);
}

json_t *guest_execute(const struct run_context *context, const struct guest_world *world,
		      const struct plan_run *const *runs, size_t count)
{
	struct conversation c = {.context = context, .world = world, .runs = runs, .count = count};
	json_t *all = json_array();
	c.result = calloc(count, sizeof(json_t *));
	c.cold = !world->state->directory[0];
	if (!c.result || !all) {
		free(c.result);
		json_decref(all);
		return NULL;
	}
	while (!is_finished(&c)) {
		if (c.starts_failed >= GUEST_STARTS_MAX) {
			conclude_never_started(&c);
			break;
		}
		c.cold = c.cold || guest_must_boot(world->state, c.starts_failed);
		converse(&c);
	}
	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(all, c.result[i]);
	free(c.result);
	return all;
}
