// SPDX-License-Identifier: MIT
/*
 * The second thread of a run: takes a sample every 5 ms (less often where the CPU is emulated, see sampler.c), drains
 * what the program prints, and ends the run when its deadline or its memory ceiling is reached. Everything it needs is
 * allocated and opened before the run.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cgroup.h"
#include "witness.h"

#define SAMPLER_INTERVAL_NS  5000000U
#define SAMPLER_SAMPLES      4096
#define SAMPLER_OUTPUT_BYTES 8192

struct sample {
	uint64_t time_ns;
	uint64_t mem_available;
	uint64_t memory_current; /* of the run's group */
	uint64_t rss, vm_size;   /* of the program */
	uint64_t pids_current;   /* of the run's group; else tasks the witness counts */
	uint64_t swap_free;
	uint64_t map_count; /* ENOMEM_ABSENT where counting would cost more than its share of the CPU */
};

/* The head of what the program wrote to one stream, and how much it wrote in all. */
struct sampler_stream {
	int fd; /* read end of the pipe, non-blocking; -1 when closed */
	uint64_t bytes;
	unsigned length;
	char text[SAMPLER_OUTPUT_BYTES + 1];
};

enum sampler_stop { SAMPLER_STOP_NONE, SAMPLER_STOP_DEADLINE, SAMPLER_STOP_MEMORY, SAMPLER_STOP_REQUEST };

struct sampler {
	/* set by the caller */
	struct witness_shared *shared;
	const struct cgroup *cgroup;       /* may be NULL */
	uint64_t deadline_ns;              /* length of the run, from sampler_start() */
	uint64_t rss_ceiling_bytes;        /* 0 where the group enforces it */
	const atomic_bool *stop_requested; /* the harness was interrupted; may be NULL */
	/* Called once, from the sampler's thread, when the deadline is reached and the program was looked at: what it
	 * changes may help, and the run gets as much time again. May be NULL: then the run is ended. */
	void (*at_stall)(void *data);
	/* Called before that, after the program's last snapshot, for who looks at it from outside. May be NULL. */
	void (*look)(pid_t pid, void *data);
	/* Called with every sample, from the sampler's thread: to show how a run is getting on. May be NULL. */
	void (*sampled)(const struct sample *sample, void *data);
	void *data;
	struct sampler_stream out, err;

	/* found out */
	_Atomic int stopped_by; /* enum sampler_stop */
	unsigned count;         /* samples kept; the sampler thins out by two when the room is used up */
	uint64_t interval_ns;   /* between kept samples */
	uint64_t cpu_ns;        /* CPU time of this thread */
	struct sample sample[SAMPLER_SAMPLES];
	/* The program right before it was ended for its deadline; .taken tells. A program that hangs has no failing
	 * moment but this one. */
	struct snapshot at_deadline;
	bool helped;              /* at_stall was called */
	uint64_t swap_free_least; /* ever seen; ENOMEM_ABSENT when never */

	/* its own */
	pthread_t thread;
	bool running;
	atomic_bool finish;
	int meminfo_fd, proc_fd, finish_fd;
	int statm_fd, maps_fd;   /* of the program, kept open: opening costs more than reading */
	pid_t opened_for;        /* whose they are; 0 for nobody's */
	uint64_t map_count_ns;   /* spent on counting areas so far */
	bool map_count_given_up; /* the last count was too long */
};

/* Of zeroed memory: it is large, and the caller may have pages that nobody touched. Descriptors become -1. */
void sampler_init(struct sampler *s);
/* Open what is needed and start the thread. -errno */
int sampler_start(struct sampler *s);
/* Stop the thread, drain both streams once more, close its descriptors. */
void sampler_stop(struct sampler *s);
