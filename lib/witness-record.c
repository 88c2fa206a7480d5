// SPDX-License-Identifier: MIT
/*
 * What the witness writes down. See witness-record.h.
 */
#include "witness-record.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>

#include "clock.h"
#include "number.h"
#include "reserve.h"
#include "witness-asked.h"

static void snapshot_of_refusal(struct witness *w, const struct refusal *r)
{
	struct snapshot_request request;
	witness_request(r, &request);
	snapshot_take(w->source, &request, &w->at_refusal);
}

void witness_note_refused(struct witness *w, const struct tracee *t, int64_t result, int error)
{
	struct refusal beyond, *r = &beyond;
	w->refused++;
	if (w->record_count < WITNESS_RECORDS)
		r = &w->record[w->record_count++];
	else if (!w->refused_call)
		return;
	bool first = r == &w->record[0];
	r->call = t->call;
	memcpy(r->args, t->args, sizeof(r->args));
	r->clone_flags = t->clone_flags;
	r->error = error;
	r->injected = t->injected != 0;
	r->ia32 = t->ia32;
	r->tid = t->tid;
	r->tgid = t->tgid;
	r->instruction = t->instruction;
	r->stack = t->stack;
	r->time_ns = clock_now_ns();
	r->asked_bytes = witness_asked(t, result);
	r->messages = r->message_bytes = 0;
	r->queue_sized = false;
	witness_queue(r);
	r->number = error == EBUSY ? witness_written_number(r) : ENOMEM_ABSENT;
	if (first) {
		snapshot_of_refusal(w, r);
		if (w->look)
			w->look(t->tgid, w->data);
		if (w->at_failing_moment)
			w->at_failing_moment(r, w->data);
	}
	if (w->refused_call)
		w->refused_call(r, w->data);
}

/* Was what the first refused call asked for given after all? */
static bool is_granted_later(const struct witness *w, const struct tracee *t, int64_t result)
{
	const struct refusal *first = &w->record[0];
	if (!w->record_count || t->call->family != first->call->family)
		return false;
	if (t->call == first->call && strcmp(t->call->name, "fcntl") == 0) /* one by its slots, one by its size */
		return (uint32_t)t->args[2] >= (uint32_t)first->args[2];
	if (strcmp(t->call->name, "epoll_ctl") == 0) /* giving one up is no watch given */
		return t->args[1] == EPOLL_CTL_ADD;
	if (t->call->family == CALL_BREAK) /* it asks for an end */
		return t->args[0] >= first->args[0];
	return t->call->family == CALL_EXEC || witness_asked(t, result) >= first->asked_bytes;
}

void witness_note_granted(struct witness *w, const struct tracee *t, int64_t result)
{
	size_t row = (size_t)(t->call - watched_calls);
	uint64_t bytes = 0;
	if (t->call->family == CALL_BREAK) {
		if (!w->first_break)
			w->first_break = (uint64_t)result;
		bytes = (uint64_t)result > w->first_break ? (uint64_t)result - w->first_break : 0;
	} else if (t->call->family !=
		   CALL_EXEC) { /* an exec's wish takes reading the image, and one is like the other */
		bytes = witness_asked(t, result);
	}
	w->granted_calls[row]++;
	if (bytes > w->granted_bytes[row])
		w->granted_bytes[row] = bytes;
	if (is_granted_later(w, t, result))
		w->granted_later++;
}

void witness_note_signal(struct witness *w, const struct tracee *t, int signal, const siginfo_t *info, bool snapshot)
{
	if (w->signal_count == WITNESS_SIGNALS && w->ended)
		return;
	/* The last one counts most: it may be what the program dies of. */
	if (w->signal_count == WITNESS_SIGNALS && w->at_signal_index == (int)--w->signal_count)
		w->at_signal_index = -1;
	struct witness_signal *s = &w->signal[w->signal_count];
	s->fatal = false;
	s->signal = signal;
	s->code = info ? info->si_code : INT_MIN;
	bool fault = info && (signal == SIGSEGV || signal == SIGBUS) && info->si_code > 0;
	s->address = fault ? (uint64_t)(uintptr_t)info->si_addr : 0;
	s->in_call = t->in_call ? t->call : NULL;
	s->tid = t->tid;
	s->tgid = t->tgid;
	s->time_ns = clock_now_ns();
	if (snapshot) {
		struct snapshot_request request = {.pid = t->tgid,
						   .maps = true,
						   .address = s->address,
						   .length = fault,
						   .area = fault && signal == SIGBUS,
						   .dying = signal == SIGKILL};
		if (w->reserve && signal == SIGKILL)
			reserve_give_back(w->reserve);
		snapshot_take(w->source, &request, &w->at_signal);
		w->at_signal_index = (int)w->signal_count;
		if (w->look)
			w->look(t->tgid, w->data);
	}
	w->signal_count++;
}
