// SPDX-License-Identifier: MIT
/*
 * Samples, output and deadline of a run. See sampler.h.
 */
#include "sampler.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "cleanup.h"
#include "clock.h"
#include "number.h"
#include "procfs.h"

/* Of a CPU, a fiftieth may go into sampling. */
#define CPU_SHARE              50U
#define PACE_MAX_NS            50000000U

/*
 * Counting areas means reading all of /proc/PID/maps: some microseconds for an ordinary process, 20 to 60 ms at 65,530
 * areas. A count may take what is left of this share of the run so far (1 / 200 of a CPU), or the allowance that makes
 * as much of one interval. One that would take more is given up, its sample has none, and the next waits until the
 * share has paid for it.
 */
#define MAP_COUNT_SHARE        200
#define MAP_COUNT_ALLOWANCE_NS 50000U

/* Milliseconds to wait for a snapshot of the witness's to be done. */
#define SNAPSHOT_TRIES         50

void sampler_init(struct sampler *s)
{
	s->out.fd = s->err.fd = s->meminfo_fd = s->proc_fd = s->finish_fd = s->statm_fd = s->maps_fd = -1;
	s->interval_ns = SAMPLER_INTERVAL_NS;
	s->swap_free_least = ENOMEM_ABSENT;
}

static void drain(struct sampler_stream *stream)
{
	char chunk[4096];
	while (stream->fd >= 0) {
		ssize_t n = read(stream->fd, chunk, sizeof(chunk));
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			(void)close(stream->fd);
			stream->fd = -1;
			return;
		}
		stream->bytes += (uint64_t)n;
		unsigned room = SAMPLER_OUTPUT_BYTES - stream->length;
		unsigned take = (size_t)n < room ? (unsigned)n : room;
		memcpy(stream->text + stream->length, chunk, take);
		stream->length += take;
	}
}

static void end_run(struct sampler *s, enum sampler_stop why)
{
	int none = SAMPLER_STOP_NONE;
	(void)atomic_compare_exchange_strong(&s->stopped_by, &none, why);
	/* The stage is init of the run's pid namespace: with it everything in there dies. It may not be there
	 * yet. */
	pid_t stage = s->shared->stage, root = s->shared->root;
	if (stage > 0)
		(void)kill(stage, SIGKILL);
	if (root > 0)
		(void)kill(root, SIGKILL);
}

static int open_of(const struct sampler *s, pid_t pid, const char *file)
{
	char name[32];
	(void)snprintf(name, sizeof(name), "%d/%s", pid, file);
	return openat(s->proc_fd, name, O_RDONLY | O_CLOEXEC);
}

static void open_program(struct sampler *s, pid_t pid)
{
	if (s->opened_for == pid)
		return;
	closep(&s->statm_fd);
	closep(&s->maps_fd);
	s->statm_fd = open_of(s, pid, "statm");
	s->maps_fd = open_of(s, pid, "maps");
	s->opened_for = pid;
}

static void read_statm(const struct sampler *s, struct sample *sample)
{
	char text[128], *end;
	if (s->statm_fd < 0 || procfs_read_fd(s->statm_fd, text, sizeof(text)) <= 0)
		return;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	sample->vm_size = strtoull(text, &end, 10) * page;
	sample->rss = strtoull(end, NULL, 10) * page;
}

/* The number of areas, or ENOMEM_ABSENT when telling would take longer than budget_ns. */
static uint64_t count_areas(int fd, uint64_t budget_ns)
{
	static char text[64 * 1024];
	uint64_t lines = 0, begin = clock_ns(CLOCK_MONOTONIC);
	ssize_t n = 0;
	off_t at = 0;
	while ((n = pread(fd, text, sizeof(text), at)) > 0) {
		for (const char *p = text; (p = memchr(p, '\n', (size_t)(text + n - p))); p++)
			lines++;
		at += n;
		if (clock_ns(CLOCK_MONOTONIC) - begin > budget_ns)
			return ENOMEM_ABSENT;
	}
	return n < 0 ? ENOMEM_ABSENT : lines;
}

static void count_within_budget(struct sampler *s, uint64_t elapsed_ns, struct sample *sample)
{
	uint64_t share = elapsed_ns / MAP_COUNT_SHARE, budget = share > s->map_count_ns ? share - s->map_count_ns : 0;
	if (s->maps_fd < 0 || (s->map_count_given_up && budget == 0))
		return;
	if (budget < MAP_COUNT_ALLOWANCE_NS)
		budget = MAP_COUNT_ALLOWANCE_NS;
	uint64_t begin = clock_ns(CLOCK_MONOTONIC);
	sample->map_count = count_areas(s->maps_fd, budget);
	s->map_count_ns += clock_ns(CLOCK_MONOTONIC) - begin;
	s->map_count_given_up = sample->map_count == ENOMEM_ABSENT;
	/* A program that executed another one: the descriptor still shows what it was. */
	if (sample->map_count == 0) {
		sample->map_count = ENOMEM_ABSENT;
		s->opened_for = 0;
	}
}

/* A row of /proc/meminfo in bytes; absent when the text was cut before its end. */
static uint64_t kilobytes(const char *text, const char *row)
{
	const char *found = strstr(text, row);
	if (!found || !strchr(found + 1, '\n'))
		return ENOMEM_ABSENT;
	return strtoull(found + strlen(row), NULL, 10) * 1024;
}

static void take_sample(struct sampler *s, uint64_t begin, uint64_t now, struct sample *sample)
{
	char text[640];
	pid_t program = s->shared->program;
	*sample = (struct sample){now,           ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT,
				  ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT};
	/* MemAvailable is the third line, SwapFree the sixteenth; reading only the head spares the kernel most of its
	 * formatting's copy. */
	ssize_t n = s->meminfo_fd < 0 ? -1 : pread(s->meminfo_fd, text, sizeof(text) - 1, 0);
	if (n > 0) {
		text[n] = '\0';
		sample->mem_available = kilobytes(text, "\nMemAvailable:");
		sample->swap_free = kilobytes(text, "\nSwapFree:");
		if (sample->swap_free < s->swap_free_least)
			s->swap_free_least = sample->swap_free;
	}
	if (s->cgroup) {
		(void)procfs_read_number_fd(s->cgroup->value_fd[CGROUP_MEMORY_CURRENT], &sample->memory_current);
		(void)procfs_read_number_fd(s->cgroup->value_fd[CGROUP_PIDS_CURRENT], &sample->pids_current);
	}
	if (sample->pids_current == ENOMEM_ABSENT)
		sample->pids_current = s->shared->tasks;
	if (program <= 0)
		return;
	open_program(s, program);
	read_statm(s, sample);
	count_within_budget(s, now - begin, sample);
}

/*
 * Look at a program that did not end in time. Its areas are left alone: whoever hangs while holding their lock would
 * keep us waiting for it. The witness may be taking a snapshot at this very moment; it will not take long.
 */
static void look_before_the_end(struct sampler *s)
{
	const struct snapshot_source *source = s->shared->source;
	struct snapshot_request request = {.pid = s->shared->program, .sleeps_where = true};
	const struct timespec pause = {.tv_nsec = 1000000};
	for (unsigned n = 0; source && request.pid > 0 && n < SNAPSHOT_TRIES; n++) {
		if (snapshot_try_take(source, &request, &s->at_deadline)) {
			if (s->look)
				s->look(request.pid, s->data);
			return;
		}
		(void)nanosleep(&pause, NULL);
	}
}

/* The room is used up: keep every second sample, and from now on take half as many. */
static void thin_out(struct sampler *s)
{
	for (unsigned i = 0; i < SAMPLER_SAMPLES / 2; i++)
		s->sample[i] = s->sample[2 * i];
	s->count = SAMPLER_SAMPLES / 2;
	s->interval_ns *= 2;
}

/* The deadline is reached. Who can be helped has as much time once more. */
static void on_late_run(struct sampler *s)
{
	if (s->stopped_by == SAMPLER_STOP_NONE)
		look_before_the_end(s);
	if (s->at_stall && !s->helped && s->at_deadline.process_seen) {
		s->helped = true;
		s->at_stall(s->data);
		return;
	}
	end_run(s, SAMPLER_STOP_DEADLINE);
}

/* How long to wait between two samples: 5 ms, or what keeps this thread at its share of a CPU that is emulated. */
static uint64_t pace_ns(uint64_t samples)
{
	uint64_t wanted = clock_ns(CLOCK_THREAD_CPUTIME_ID) / samples * CPU_SHARE;
	if (wanted > PACE_MAX_NS)
		wanted = PACE_MAX_NS;
	return wanted > SAMPLER_INTERVAL_NS ? wanted : SAMPLER_INTERVAL_NS;
}

static void *sampler_thread(void *data)
{
	struct sampler *s = data;
	uint64_t begin = clock_ns(CLOCK_MONOTONIC), tick = begin, kept = 0, samples = 0;
	while (!s->finish) {
		uint64_t now = clock_ns(CLOCK_MONOTONIC);
		struct sample sample;
		take_sample(s, begin, now, &sample);
		if (s->sampled)
			s->sampled(&sample, s->data);
		if (!kept || now - kept + SAMPLER_INTERVAL_NS / 2 >= s->interval_ns) {
			if (s->count == SAMPLER_SAMPLES)
				thin_out(s);
			s->sample[s->count++] = sample;
			kept = now;
		}
		drain(&s->out);
		drain(&s->err);
		if (s->stop_requested && *s->stop_requested)
			end_run(s, SAMPLER_STOP_REQUEST);
		else if (now - begin >= s->deadline_ns * (s->helped ? 2 : 1))
			on_late_run(s);
		else if (s->rss_ceiling_bytes && sample.rss != ENOMEM_ABSENT && sample.rss > s->rss_ceiling_bytes)
			end_run(s, SAMPLER_STOP_MEMORY);
		/* A late tick is not made up for: the grid moves on from now. */
		uint64_t pace = pace_ns(++samples);
		tick += pace;
		if (tick < now)
			tick = now + pace;
		/* Waits on the descriptor rather than sleeping, so that a run that ends does not wait for the next
		 * tick. */
		struct timespec rest = {.tv_nsec = (long)(tick - clock_ns(CLOCK_MONOTONIC))};
		struct pollfd finish = {.fd = s->finish_fd, .events = POLLIN};
		if (rest.tv_nsec > 0)
			(void)ppoll(&finish, 1, &rest, NULL);
	}
	s->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	return NULL;
}

int sampler_start(struct sampler *s)
{
	s->proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->proc_fd < 0)
		return -errno;
	s->meminfo_fd = openat(s->proc_fd, "meminfo", O_RDONLY | O_CLOEXEC);
	s->finish_fd = eventfd(0, EFD_CLOEXEC);
	if (s->finish_fd < 0)
		return -errno;
	int r = pthread_create(&s->thread, NULL, sampler_thread, s);
	s->running = r == 0;
	return -r;
}

void sampler_stop(struct sampler *s)
{
	if (s->running) {
		s->finish = true;
		(void)eventfd_write(s->finish_fd, 1);
		(void)pthread_join(s->thread, NULL);
		s->running = false;
	}
	drain(&s->out);
	drain(&s->err);
	s->out.text[s->out.length] = s->err.text[s->err.length] = '\0';
	closep(&s->out.fd);
	closep(&s->err.fd);
	closep(&s->meminfo_fd);
	closep(&s->proc_fd);
	closep(&s->finish_fd);
	closep(&s->statm_fd);
	closep(&s->maps_fd);
	s->statm_fd = s->maps_fd = -1;
	s->out.fd = s->err.fd = s->meminfo_fd = s->proc_fd = s->finish_fd = -1;
}
