// SPDX-License-Identifier: MIT
/*
 * What is typed goes to the guest as the wire takes it, and what comes from the guest is taken a little at a time: a
 * guest that floods, or takes nothing, is ended by whatever ends any other. See teach-guest-talk.h.
 */
#include "teach-guest-talk.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"
#include "guest-evidence.h"
#include "guest-teach.h"
#include "guest-world.h"
#include "teach-guest.h"

#define GRACE_MS      5000
#define TICK_MS       200
/* Something is there to be read. */
#define TAKE_NS       UINT64_C(1000000)
/* So many frames at once: the terminal, signals and the time are looked at in between, whatever a guest floods. */
#define TAKE_MAX      64

/* So often, over so long without a word from the guest, Ctrl-C is for teach: the guest hangs. */
#define INTERRUPTS    3
#define INTERRUPTS_NS UINT64_C(2000000000)
#define CTRL_C        '\003'

/* --- what goes to the guest -------------------------------------------------------------------------------------- */

static void send_typed(struct talk *t, enum guest_typed what, const char *text, size_t length)
{
	static char frame[sizeof(t->s.typed) + 1];
	frame[0] = (char)what;
	memcpy(frame + 1, text, length);
	if (wire_pack(WIRE_TYPED, frame, length + 1, &t->out, &t->out_length) < 0)
		t->over = true;
	t->out_at = 0;
	t->out_since = clock_now_ns();
}

/* As much as the wire takes now. Of a guest that is gone the reading of its last words will tell. */
static void pass_out(struct talk *t)
{
	const ssize_t n =
		send(t->vm.wire_fd, t->out + t->out_at, t->out_length - t->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0) {
		t->out_at += (size_t)n;
		t->out_since = clock_now_ns();
	}
	if (t->out_at < t->out_length && (n >= 0 || errno == EAGAIN || errno == EINTR))
		return;
	free(t->out);
	t->out = NULL;
}

static bool is_stuck(const struct talk *t)
{
	return t->out && clock_now_ns() - t->out_since > INTERRUPTS_NS;
}

static void send_size(struct talk *t)
{
	struct winsize window;
	char text[32];
	t->size_due = false;
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &window) < 0)
		return;
	int n = snprintf(text, sizeof(text), "%hu %hu", window.ws_row, window.ws_col);
	send_typed(t, GUEST_TYPED_SIZE, text, (size_t)n);
}

static void send_answer(struct talk *t)
{
	struct owed *owed = &t->s.owed;
	char text[64];
	int n = owed_line(&owed->one[0], text, sizeof(text));
	send_typed(t, GUEST_TYPED_ANSWER, text, (size_t)n);
	memmove(&owed->one[0], &owed->one[1], --owed->count * sizeof(owed->one[0]));
}

static void count_interrupts(struct talk *t)
{
	const uint64_t now = clock_now_ns();
	for (size_t i = 0; i < t->s.typed_length; i++) {
		if (t->s.typed[i] != CTRL_C)
			continue;
		if (t->interrupts++ == 0)
			t->first_interrupt = now;
	}
	t->given_up = t->interrupts >= INTERRUPTS && now - t->first_interrupt >= INTERRUPTS_NS;
}

static void take_typed(struct talk *t)
{
	session_take_typed(&t->s);
	count_interrupts(t);
	/* Of a guest that takes nothing only Ctrl-C is heard; the rest is lost, as at any terminal nobody reads. */
	if (t->s.typed_length && !t->out)
		send_typed(t, GUEST_TYPED_KEYS, t->s.typed, t->s.typed_length);
	t->s.typed_length = 0;
}

/* One at a time. */
static void send_due(struct talk *t)
{
	if (t->out || t->over)
		return;
	if (t->size_due && t->s.desk.room->ready)
		send_size(t);
	else if (t->s.owed.count)
		send_answer(t);
}

/* --- what comes from it ------------------------------------------------------------------------------------------ */

static void start_check(struct talk *t)
{
	struct session *s = &t->s;
	struct fix_room *room = s->desk.room;
	const pid_t self = getpid();
	room->checked = room->solved = false;
	room->told[0] = '\0';
	s->check = fork();
	if (s->check == 0)
		fix_check_in_guest(s->desk.quiz, s->desk.fix, room, t->changed, self);
	if (s->check < 0) {
		session_say(s, "  it cannot be checked now: %s\n", strerrorname_np(errno));
		s->check = 0;
		session_owe_answer(s, 1);
		return;
	}
	s->check_fd = (int)syscall(SYS_pidfd_open, s->check, 0);
}

static void end_check(struct session *s)
{
	(void)waitpid(s->check, NULL, 0);
	(void)close(s->check_fd);
	s->check = 0;
	s->check_fd = -1;
	session_tell_check(s, true);
}

static void take_end(struct talk *t, const json_t *said)
{
	struct fix_room *room = t->s.desk.room;
	const char *problem = json_string_value(json_object_get(said, "problem"));
	(void)snprintf(room->problem, sizeof(room->problem), "%s", problem ? problem : "");
	room->late = json_is_true(json_object_get(said, "late"));
	room->ceiling = json_is_true(json_object_get(said, "ceiling"));
	t->over = true;
}

static void take_question(struct talk *t, const json_t *said)
{
	json_t *changed = json_object_get(said, "changed");
	json_decref(t->changed);
	t->changed = json_is_object(changed) ? json_incref(changed) : json_object();
	if (session_take_question(&t->s, json_string_value(json_object_get(said, "ask"))))
		start_check(t);
}

/* One at a time as well: those who ask while a check is under way are served after it. */
static void take_waiting(struct talk *t)
{
	while (json_array_size(t->waiting) > 0 && !t->s.check && !t->over) {
		json_auto_t *said = json_incref(json_array_get(t->waiting, 0));
		(void)json_array_remove(t->waiting, 0);
		take_question(t, said);
	}
}

static void take_asked(struct talk *t, const struct wire_frame *frame)
{
	json_error_t error;
	json_auto_t *said = json_loadb(frame->data, frame->length, 0, &error);
	const char *line = json_string_value(json_object_get(said, "ask"));
	if (line && !strcmp(line, "ready")) {
		if (t->s.desk.room->ready)
			return;
		t->s.desk.room->ready = t->size_due = true;
		t->until = clock_now_ns() + t->s.desk.deadline_ns + vm_timeout_ns(TALK_START_NS);
	} else if (line && !strcmp(line, "left")) {
		take_end(t, said);
	} else if (line) {
		t->waiting = t->waiting ? t->waiting : json_array();
		/* A guest that floods is asked for by nobody. */
		if (json_array_size(t->waiting) < OWED_MAX)
			(void)json_array_append(t->waiting, said);
		take_waiting(t);
	}
}

static void take_frame(struct talk *t, const struct wire_frame *frame)
{
	struct fix_room *room = t->s.desk.room;
	t->interrupts = is_stuck(t) ? t->interrupts : 0;
	switch (frame->type) {
	case WIRE_OUTPUT:
		session_put(&t->s, frame->data, frame->length);
		return;
	case WIRE_ASKED:
		take_asked(t, frame);
		return;
	case WIRE_FAILED:
		guest_failed_message(frame->data, room->problem, sizeof(room->problem));
		t->over = true;
		return;
	default:
		(void)snprintf(room->problem, sizeof(room->problem), "what the guest sent makes no sense");
		t->over = true;
		return;
	}
}

static void take_frames(struct talk *t)
{
	t->more = false;
	for (unsigned n = 0; !t->over && !session_is_over(&t->s); n++) {
		struct wire_frame frame;
		if (n == TAKE_MAX) {
			t->more = true;
			return;
		}
		int r = vm_receive(&t->vm, clock_now_ns() + TAKE_NS, NULL, &frame);
		if (r == -ETIMEDOUT)
			return;
		if (r < 0) {
			t->error = r;
			t->over = true;
			return;
		}
		take_frame(t, &frame);
		free(frame.data);
	}
}

/* --- to and fro -------------------------------------------------------------------------------------------------- */

static int time_left_ms(const struct talk *t)
{
	const uint64_t now = clock_now_ns();
	return now >= t->until                                 ? 0
	       : t->until - now > UINT64_C(1000000) * GRACE_MS ? GRACE_MS
							       : (int)((t->until - now) / 1000000) + 1;
}

void talk_relay(struct session *s)
{
	struct talk *t = (struct talk *)s;
	take_frame(t, &t->first);
	t->more = true;
	while (!t->over && !t->given_up && !session_is_over(s)) {
		/* Until the guest's shell is there nobody takes more from the wire than the job. */
		const bool hears = s->desk.room->ready && (!t->out || is_stuck(t));
		struct pollfd fds[] = {{.fd = hears ? STDIN_FILENO : -1, .events = POLLIN},
				       {.fd = t->vm.wire_fd, .events = (short)(POLLIN | (t->out ? POLLOUT : 0))},
				       {.fd = s->check_fd, .events = POLLIN}};
		const int left = time_left_ms(t);
		if (poll(fds, ARRAY_SIZE(fds), t->more ? 0 : t->out && left > TICK_MS ? TICK_MS : left) < 0) {
			if (errno != EINTR)
				return;
			continue; /* what is to be read is not known */
		}
		t->size_due |= session_was_resized();
		if (fds[0].revents)
			take_typed(t);
		if (fds[1].revents & POLLOUT)
			pass_out(t);
		if (t->more || fds[1].revents & (POLLIN | POLLHUP | POLLERR))
			take_frames(t);
		if (fds[2].revents && s->check)
			end_check(s);
		send_due(t);
		take_waiting(t);
		if (left == 0) {
			t->error = -ETIMEDOUT;
			return;
		}
	}
}
