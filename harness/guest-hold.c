// SPDX-License-Identifier: MIT
/*
 * See guest-hold.h. While a tool runs a process of its own reads what it writes and sends it on; nobody else writes to
 * the wire then.
 */
#include "guest-hold.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "cleanup.h"
#include "clock.h"
#include "guest-cargo.h"
#include "guest-wire.h"
#include "hold-run.h"
#include "hold-stdin.h"
#include "hold-wire.h"

#define PIECE         16384
#define PUMP_NS       3000000000ULL /* after the last one who could write has gone, so long */
#define PUMP_PAUSE_NS 5000000
#define STREAMS       2
#define HEAP_BYTES    131072

struct streams {
	pid_t pump;
	int saved[STDERR_FILENO + 1];
	int stop_fd;
};

/* --- what the tool writes ---------------------------------------------------------------------------------------- */

static int send_piece(int wire, enum hold_stream stream, const char *data, size_t length)
{
	static char frame[PIECE + 1];
	frame[0] = (char)stream;
	if (length > 0)
		memcpy(frame + 1, data, length);
	return wire_send(wire, WIRE_OUTPUT, frame, length + 1);
}

/* Read one stream once; the first HOLD_STREAM_MAX bytes are sent. false: it is at its end. */
static bool pass_on(int wire, int fd, enum hold_stream stream, size_t *left)
{
	static char data[PIECE];
	ssize_t n = read(fd, data, sizeof(data));
	if (n <= 0)
		return n < 0 && errno == EINTR;
	const size_t take = (size_t)n < *left ? (size_t)n : *left;
	const bool was_open = *left > 0;
	*left -= take;
	if (take > 0)
		(void)send_piece(wire, stream, data, take);
	if (was_open && *left == 0)
		(void)send_piece(wire, stream, NULL, 0);
	return true;
}

/* Until all who could write are gone, or the agent has waited for that long enough. */
_Noreturn static void pump(int wire, const int fd[STREAMS], int stop_fd)
{
	size_t left[STREAMS] = {HOLD_STREAM_MAX, HOLD_STREAM_MAX};
	struct pollfd fds[STREAMS + 1] = {
		{.fd = fd[0], .events = POLLIN}, {.fd = fd[1], .events = POLLIN}, {.fd = stop_fd}};
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_NAME, "enomem-pump");
	/* Sending takes memory, and there may be none when it is needed: what is free stays ours. */
	char *heap = malloc(HEAP_BYTES);
	free(heap ? memset(heap, 1, HEAP_BYTES) : NULL);
	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		if (poll(fds, STREAMS + 1, -1) < 0)
			continue;
		for (size_t i = 0; i < STREAMS; i++)
			if (fds[i].revents && !pass_on(wire, fds[i].fd, (enum hold_stream)(i + 1), &left[i]))
				fds[i].fd = -1;
		if (fds[STREAMS].revents)
			break;
	}
	_exit(0);
}

/* Our own streams are the tool's: it inherits them. */
static int streams_begin(struct streams *s, int wire, const json_t *digits)
{
	int out[2] = {-1, -1}, error[2] = {-1, -1}, stop[2] = {-1, -1};
	int input = hold_stdin_open(digits);
	if (input < 0)
		return input;
	(void)fflush(NULL);
	s->pump = pipe2(out, O_CLOEXEC) < 0 || pipe2(error, O_CLOEXEC) < 0 || pipe2(stop, O_CLOEXEC) < 0 ? -1 : fork();
	if (s->pump < 0)
		return -errno;
	if (s->pump == 0) {
		const int from[STREAMS] = {out[0], error[0]};
		(void)close(out[1]);
		(void)close(error[1]);
		(void)close(stop[1]);
		pump(wire, from, stop[0]);
	}
	const int theirs[] = {input, out[1], error[1]};
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		s->saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		(void)dup2(theirs[fd], fd);
		(void)close(theirs[fd]);
	}
	(void)close(out[0]);
	(void)close(error[0]);
	(void)close(stop[0]);
	s->stop_fd = stop[1];
	return 0;
}

static bool is_gone(pid_t pid, int flags)
{
	pid_t got;
	do
		got = waitpid(pid, NULL, flags);
	while (got < 0 && errno == EINTR);
	return got != 0;
}

/* When this returns the wire is ours again. */
static void streams_end(struct streams *s)
{
	const struct timespec pause = {.tv_nsec = PUMP_PAUSE_NS};
	const uint64_t end = clock_now_ns() + PUMP_NS;
	(void)fflush(NULL);
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (s->saved[fd] < 0) {
			(void)close(fd);
			continue;
		}
		(void)dup2(s->saved[fd], fd);
		(void)close(s->saved[fd]);
	}
	bool gone = is_gone(s->pump, WNOHANG);
	while (!gone && clock_now_ns() < end) {
		(void)nanosleep(&pause, NULL);
		gone = is_gone(s->pump, WNOHANG);
	}
	(void)close(s->stop_fd);
	if (!gone)
		(void)is_gone(s->pump, 0);
}

/* --- the hold ---------------------------------------------------------------------------------------------------- */

static void send_json(int wire, enum wire_type type, json_t *json)
{
	json_auto_t *owned = json;
	auto_free char *text = owned ? json_dumps(owned, JSON_COMPACT) : NULL;
	if (text)
		(void)wire_send(wire, type, text, strlen(text));
}

static int fail(int wire, const char *what, int error)
{
	char message[256];
	(void)snprintf(message, sizeof(message), "%s (%s)", what, strerrorname_np(-error));
	send_json(wire, WIRE_FAILED, json_pack("{s:s}", "message", message));
	return -1;
}

/* What is to be found out stands in them. They were read; the disk, which was too, has none. */
static void remove_manifests(void)
{
	char path[512];
	auto_closedir DIR *d = opendir(GUEST_SCENARIOS);
	for (const struct dirent *entry; d && (entry = readdir(d));) {
		(void)snprintf(path, sizeof(path), "%s/%s/scenario.yaml", GUEST_SCENARIOS, entry->d_name);
		(void)unlink(path);
	}
	(void)unlink(GUEST_CARGO_DEVICE);
}

static void send_answer(int wire, const struct hold *h)
{
	for (size_t at = 0; h->answer && at < h->answer_length;) {
		size_t length = h->answer_length - at < PIECE ? h->answer_length - at : PIECE;
		(void)send_piece(wire, HOLD_STREAM_ANSWER, h->answer + at, length);
		at += length;
	}
}

/* By their names; before the manifests go. -errno */
static int plan_decoys(const json_t *wanted, const struct machine *machine, struct hold_decoys *ret)
{
	const json_t *item;
	size_t i;
	json_array_foreach (wanted, i, item) {
		const char *name = json_string_value(json_array_get(item, 0)),
			   *run = json_string_value(json_array_get(item, 1));
		struct hold_decoy *d = &ret->item[ret->count];
		struct scenario *s = NULL;
		char path[512];
		if (i == HOLD_DECOYS_MAX || !name || !run || strchr(name, '/'))
			return -EBADMSG;
		(void)snprintf(path, sizeof(path), "%s/%s", GUEST_SCENARIOS, name);
		int r = manifest_read(path, stderr, &s);
		if (r == 0)
			r = plan_make(s, machine, stderr, &d->plan);
		if (r < 0)
			return r;
		ret->count++;
		for (size_t n = 0; n < d->plan->run_count; n++)
			if (!strcmp(d->plan->runs[n].name, run))
				d->run = &d->plan->runs[n];
		if (!d->run)
			return -ENOENT;
	}
	return 0;
}

int guest_hold(int wire, const json_t *request, const struct run_context *context, const struct plan *plan,
	       const struct plan_run *run)
{
	static struct hold_site site;
	static struct hold_decoys decoys;
	struct streams streams = {.pump = -1, .saved = {-1, -1, -1}, .stop_fd = -1};
	struct hold h;
	struct run_command command;
	char why[2048] = "";
	int r = hold_from_request(request, &h, &command);
	if (r < 0)
		return fail(wire, "what is to be held is garbled", r);
	site.machine = *context->machine;
	site.context = *context;
	site.context.machine = &site.machine;
	site.filter_fd = context->filter_fd;
	r = plan_decoys(json_object_get(request, "decoys"), &site.machine, &decoys);
	if (r < 0)
		return fail(wire, "what is to stand beside it cannot be planned", r);
	h.beside = decoys.count ? &decoys : NULL;
	send_json(wire, WIRE_STARTED, json_pack("[s, s]", plan->scenario->name, run->name));
	r = streams_begin(&streams, wire, json_object_get(request, "stdin"));
	if (r < 0)
		return fail(wire, "the tool's streams cannot be passed on", r);
	(void)signal(SIGPIPE, SIG_IGN); /* its keeper may be gone when it is told something */
	remove_manifests();
	h.proven = true;
	int code = hold_run(&site, plan, run, &h, why, sizeof(why));
	streams_end(&streams);
	send_answer(wire, &h);
	send_json(wire, WIRE_HELD, hold_result(&h, code, why));
	return 0;
}
