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
#include "number.h"
#include "procfs.h"

/*
 * Counting areas means reading all of /proc/PID/maps, 20 to 60 ms at 65,530 of them. Each count may therefore cost at
 * most this share of the time until the next one (1 / 80 is 1.25 % of a CPU; the rest of a sample takes about half a
 * percent).
 */
#define MAP_COUNT_SHARE 80

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;
	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

void sampler_init(struct sampler *s)
{
	memset(s, 0, sizeof(*s));
	s->out.fd = s->err.fd = s->meminfo_fd = s->proc_fd = s->finish_fd = -1;
	s->interval_ns = SAMPLER_INTERVAL_NS;
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
	/* The stage is init of the run's pid namespace: with it everything in there dies. unshare may not have got so
	 * far. */
	pid_t stage = s->shared->stage, root = s->shared->root;
	if (stage > 0)
		(void)kill(stage, SIGKILL);
	if (root > 0)
		(void)kill(root, SIGKILL);
}

static void read_statm(int proc_fd, pid_t pid, struct sample *sample)
{
	char name[32], text[128];
	unsigned long long size, resident;
	(void)snprintf(name, sizeof(name), "%d/statm", pid);
	if (procfs_read_at(proc_fd, name, text, sizeof(text)) <= 0)
		return;
	char *end;
	size = strtoull(text, &end, 10);
	resident = strtoull(end, NULL, 10);
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	sample->vm_size = size * page;
	sample->rss = resident * page;
}

static uint64_t count_lines(int proc_fd, pid_t pid)
{
	static char text[64 * 1024];
	char name[32];
	(void)snprintf(name, sizeof(name), "%d/maps", pid);
	auto_close int fd = openat(proc_fd, name, O_RDONLY | O_CLOEXEC);
	uint64_t lines = 0;
	ssize_t n = 0;
	if (fd < 0)
		return ENOMEM_ABSENT;
	while ((n = read(fd, text, sizeof(text))) > 0)
		for (const char *p = text; (p = memchr(p, '\n', (size_t)(text + n - p))); p++)
			lines++;
	return n < 0 ? ENOMEM_ABSENT : lines;
}

static void take_sample(struct sampler *s, uint64_t now, struct sample *sample)
{
	char text[512];
	pid_t program = s->shared->program;
	*sample = (struct sample){now,           ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT,
				  ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT};
	/* MemAvailable is the third line; reading only the head spares the kernel most of its formatting's copy. */
	ssize_t n = s->meminfo_fd < 0 ? -1 : pread(s->meminfo_fd, text, sizeof(text) - 1, 0);
	if (n > 0) {
		text[n] = '\0';
		char *available = strstr(text, "MemAvailable:");
		if (available)
			sample->mem_available = strtoull(available + sizeof("MemAvailable:") - 1, NULL, 10) * 1024;
	}
	if (s->cgroup) {
		(void)procfs_read_number_fd(s->cgroup->value_fd[CGROUP_MEMORY_CURRENT], &sample->memory_current);
		(void)procfs_read_number_fd(s->cgroup->value_fd[CGROUP_PIDS_CURRENT], &sample->pids_current);
	}
	if (sample->pids_current == ENOMEM_ABSENT)
		sample->pids_current = s->shared->tasks;
	if (program <= 0)
		return;
	read_statm(s->proc_fd, program, sample);
	if (now >= s->next_map_count_ns) {
		uint64_t begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);
		sample->map_count = count_lines(s->proc_fd, program);
		s->next_map_count_ns = now + (clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin) * MAP_COUNT_SHARE;
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

static void *sampler_thread(void *data)
{
	struct sampler *s = data;
	uint64_t begin = clock_ns(CLOCK_MONOTONIC), tick = begin, kept = 0;
	while (!s->finish) {
		uint64_t now = clock_ns(CLOCK_MONOTONIC);
		struct sample sample;
		take_sample(s, now, &sample);
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
		else if (now - begin >= s->deadline_ns)
			end_run(s, SAMPLER_STOP_DEADLINE);
		else if (s->rss_ceiling_bytes && sample.rss != ENOMEM_ABSENT && sample.rss > s->rss_ceiling_bytes)
			end_run(s, SAMPLER_STOP_MEMORY);
		/* A late tick is not made up for: the grid moves on from now. */
		tick += SAMPLER_INTERVAL_NS;
		if (tick < now)
			tick = now + SAMPLER_INTERVAL_NS;
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
	s->out.fd = s->err.fd = s->meminfo_fd = s->proc_fd = s->finish_fd = -1;
}
