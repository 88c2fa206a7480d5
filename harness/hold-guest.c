// SPDX-License-Identifier: MIT
/*
 * See hold-guest.h.
 */
#include "hold-guest.h"

#include <string.h>

#include "cleanup.h"
#include "clock.h"
#include "command-guest.h"
#include "guest-evidence.h"
#include "guest-world.h"
#include "hold-wire.h"
#include "jobs.h"
#include "launch.h"
#include "say.h"
#include "write.h"

/* What a run may take in a guest beyond its own deadline, and a hold beyond that of its tool. */
#define GRACE_NS     UINT64_C(20000000000)
#define GIVEN_UP     (-1)
#define STREAM_COUNT (HOLD_STREAM_ANSWER + 1)

struct talk {
	const struct plan_run *run;
	struct hold *h;
	json_t *proven; /* the evidence of another guest, where no tool was */
	struct vm vm;
	bool started, cut[STREAM_COUNT];
	uint64_t until;
	char *why; /* of size bytes */
	size_t size;
};

/* --- what comes -------------------------------------------------------------------------------------------------- */

static int keep_answer(struct hold *h, const char *piece, size_t length)
{
	if (!h->capture || h->answer_length + length > HOLD_ANSWER_MAX)
		return -EBADMSG;
	memcpy(h->answer + h->answer_length, piece, length);
	h->answer_length += length;
	return 0;
}

static int take_output(struct talk *t, const struct wire_frame *frame)
{
	const unsigned char stream = frame->length > 0 ? (unsigned char)frame->data[0] : 0;
	if (!t->started || stream < HOLD_STREAM_OUT || stream > HOLD_STREAM_ANSWER)
		return -EBADMSG;
	if (stream == HOLD_STREAM_ANSWER)
		return keep_answer(t->h, frame->data + 1, frame->length - 1);
	t->cut[stream] |= frame->length == 1;
	(void)write_whole(stream == HOLD_STREAM_OUT ? STDOUT_FILENO : STDERR_FILENO, frame->data + 1,
			  frame->length - 1);
	return 0;
}

static uint64_t after(uint64_t length)
{
	return clock_now_ns() + length + vm_timeout_ns(GRACE_NS);
}

/* One frame. The exit status when the hold is over; GIVEN_UP to go on, -EBADMSG for what makes no sense. */
static int take_frame(struct talk *t, const struct wire_frame *frame)
{
	struct hold *h = t->h;
	switch (frame->type) {
	case WIRE_STARTED:
		if (t->started)
			return -EBADMSG;
		t->started = h->started = true;
		t->until = after(plan_time_ns(t->run) * h->count + h->interval_ns * h->count + h->ttl_ns);
		return GIVEN_UP;
	case WIRE_OUTPUT:
		return take_output(t, frame) < 0 ? -EBADMSG : GIVEN_UP;
	case WIRE_HELD: {
		json_error_t error;
		json_auto_t *result = t->started ? json_loadb(frame->data, frame->length, 0, &error) : NULL;
		h->started = false; /* it says so itself */
		int code = result ? hold_take_result(h, result, t->proven, t->why, t->size) : -EBADMSG;
		h->started |= code == -EBADMSG && t->started; /* a tool that makes it up is counted as wrong */
		return code;
	}
	case WIRE_DONE: /* it knows no such run */
	case WIRE_FAILED:
		guest_failed_message(frame->data, t->why, t->size);
		return EXIT_BROKEN;
	default:
		return -EBADMSG;
	}
}

/* --- and what does not ------------------------------------------------------------------------------------------- */

/* The guest stopped talking: the exit status, or GIVEN_UP when another try may help. */
static int take_silence(struct talk *t, int error)
{
	char console[GUEST_CONSOLE_BYTES];
	static const char who[] = " while it was held";
	vm_console(&t->vm, console, sizeof(console));
	const char *panic = guest_panic_text(console);
	if (error == -EINTR) {
		(void)snprintf(t->why, t->size, "interrupted; everything was taken down");
		return EXIT_INTERRUPTED;
	}
	if (!t->started) {
		if (t->vm.console_fd >= 0)
			guest_tell_silence(&t->vm, error, t->why, t->size);
		return GIVEN_UP;
	}
	if (panic)
		(void)snprintf(t->why, t->size, "the guest panicked%s: %s", who, panic);
	else if (error == -EBADMSG)
		(void)snprintf(t->why, t->size, "what the guest sent%s is garbled", who);
	else if (error == -ETIMEDOUT)
		(void)snprintf(t->why, t->size, "the guest did not answer any more%s", who);
	else
		(void)snprintf(t->why, t->size, "the guest ended%s", who);
	t->h->expired = error == -ETIMEDOUT;
	return t->h->expired ? EXIT_DEADLINE : EXIT_BROKEN;
}

static json_t *job(const struct plan_run *run, const struct hold *h)
{
	json_t *request = hold_request(h);
	json_t *runs = json_array();
	/* Of the decoys there is to be the scenario; before the failure's, which ends the job. */
	for (size_t i = 0; h->beside && i < h->beside->count; i++)
		(void)json_array_append_new(
			runs, json_pack("{s:s, s:[]}", "scenario", h->beside->item[i].plan->scenario->name, "runs"));
	if (json_array_append_new(runs, json_pack("{s:s, s:[s]}", "scenario", run->scenario->name, "runs", run->name)) <
	    0) {
		json_decref(runs);
		runs = NULL;
	}
	json_t *all = request && runs ? guest_job(run->world, runs, NULL) : NULL;
	if (all)
		(void)json_object_set_new(all, "hold", request);
	return all;
}

/* One guest. The exit status, or GIVEN_UP: it did not start. */
static int converse(struct talk *t, bool cold)
{
	vm_init(&t->vm);
	int code = GIVEN_UP, r = guest_state_start(t->run->world->state, cold, &t->vm, t->why, t->size);
	if (r == 0)
		r = guest_send_job(&t->vm, job(t->run, t->h));
	t->until = clock_now_ns() + vm_timeout_ns(GUEST_ANSWER_TIMEOUT_NS);
	while (r == 0 && code == GIVEN_UP) {
		struct wire_frame frame;
		r = vm_receive(&t->vm, t->until, t->h->interrupted, &frame);
		if (r < 0)
			break;
		code = take_frame(t, &frame);
		free(frame.data);
		if (code == -EBADMSG)
			r = code;
	}
	if (r < 0)
		code = take_silence(t, r);
	(void)vm_stop(&t->vm);
	return code;
}

static void tell_cut(const struct talk *t)
{
	static const char *const names[] = {"", "standard output", "standard error"};
	for (size_t i = HOLD_STREAM_OUT; i <= HOLD_STREAM_ERROR; i++)
		if (t->cut[i])
			say_note("of the tool's %s only the first %zu bytes came out of the guest", names[i],
				 HOLD_STREAM_MAX);
}

/* Proven in a guest of its own: what it changes of the machine is not there when it is held. */
static int prove(const struct plan_run *run, json_t **ret_evidence, char *why, size_t size)
{
	struct run_context context = {.interrupted = &jobs_interrupted};
	json_auto_t *all = guest_execute(&context, run->world, &run, 1);
	json_t *evidence = json_array_get(all, 0);
	if (!evidence) {
		(void)snprintf(why, size, "no memory for the evidence");
		return EXIT_BROKEN;
	}
	if (jobs_interrupted) {
		(void)snprintf(why, size, "interrupted; everything was taken down");
		return EXIT_INTERRUPTED;
	}
	*ret_evidence = json_incref(evidence);
	return hold_verdict(evidence, why, size);
}

int hold_guest_run(const struct plan_run *run, struct hold *h, char *why, size_t size)
{
	struct talk t = {.run = run, .h = h, .why = why, .size = size};
	struct guest_state *state = run->world->state;
	bool cold = !state->directory[0];
	h->machine = &run->world->machine;
	h->interrupted = &jobs_interrupted;
	h->reserve = (struct hold_reserve){-1, -1};
	h->directory_fd = h->control_fd = h->victim_fd = -1;
	h->answer = h->capture ? calloc(1, HOLD_ANSWER_MAX + 1) : NULL;
	int code = prove(run, &t.proven, why, size);
	if (code == 0 && h->capture && !h->answer) {
		(void)snprintf(why, size, "no memory");
		code = EXIT_BROKEN;
	}
	if (code == 0)
		code = GIVEN_UP;
	for (unsigned failed = 0; code == GIVEN_UP && failed < GUEST_STARTS_MAX; failed++) {
		cold = cold || guest_must_boot(state, failed);
		code = converse(&t, cold);
	}
	json_decref(t.proven);
	tell_cut(&t);
	return code == GIVEN_UP ? EXIT_BROKEN : code;
}

/* --- guests that have the tool ----------------------------------------------------------------------------------- */

static int copy_tool(char *const *tool, struct hold_guests *g)
{
	size_t count = 0;
	while (tool[count])
		count++;
	g->tool = calloc(count + 1, sizeof(char *));
	if (!g->tool)
		return say_no_memory(EXIT_BROKEN);
	memcpy(g->tool, tool, count * sizeof(char *));
	return 0;
}

int hold_guests_open(const struct hold_options *o, const struct selection *selection, struct hold_guests *ret)
{
	*ret = (struct hold_guests){.options = o->guests, .bring = o->bring};
	int code = copy_tool(o->tool, ret);
	if (code == 0)
		code = command_guests_open(&ret->options, &ret->bring, ret->tool, selection, &ret->guests);
	if (code == EXIT_NOT_WATCHED)
		code = EXIT_ALL_SKIPPED;
	if (code != 0) {
		free(ret->tool);
		ret->tool = NULL;
	}
	return code;
}

void hold_guests_close(struct hold_guests *g)
{
	guests_close(&g->guests);
	free(g->tool);
	g->tool = NULL;
}
