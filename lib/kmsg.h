// SPDX-License-Identifier: MIT
/*
 * The kernel log as records. Opened at its end before a run and read after it, so that a line found there was written
 * during the run; nobody's log is cleared.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define KMSG_RECORD_MAX 8192

struct kmsg_record {
	uint64_t sequence;
	uint64_t time_us; /* since boot, CLOCK_MONOTONIC as printk sees it */
	unsigned level;   /* 0 emergency to 7 debug */
	bool from_kernel; /* not written to /dev/kmsg by a process */
	char text[1024];  /* first line, \xNN escapes undone, control bytes replaced by '?' */
};

/* One OOM kill as the kernel reports it (mm/oom_kill.c, dump_oom_summary and __oom_kill_process). */
struct kmsg_oom {
	bool memcg; /* a memory cgroup's limit, not the machine's memory */
	pid_t pid;  /* in the initial pid namespace */
	char comm[64];
	char task_memcg[512]; /* cgroup of the victim, "" when the line does not name it */
	char oom_memcg[512];  /* cgroup whose limit was hit, "" likewise */
};

/* Open /dev/kmsg non-blocking at its end. -errno: EPERM and EACCES where dmesg_restrict hides it, ENOENT in containers.
 */
int kmsg_open(int *ret_fd);

/* The next record: 1 and *ret filled, 0 when there is none yet, -errno. Overwritten records (EPIPE) are skipped. */
int kmsg_next(int fd, struct kmsg_record *ret);

/* Parse one record as /dev/kmsg hands it out ("6,1234,5678,-;text\n KEY=value\n"). -EBADMSG when it is none. */
int kmsg_parse(const char *record, size_t length, struct kmsg_record *ret);

/*
 * Take one text line into account: true when it completes or extends what is known of an OOM kill.
 * "oom-kill:constraint=" lines carry the cgroups and the pid, "Killed process" lines (with or without "Memory cgroup
 * out of memory: ") the pid and comm; a comm may hold any byte, parentheses and commas included. *ret is merged per
 * pid: call with a zeroed struct per kill, kmsg_oom_line() fills only what this line tells. Returns false for any other
 * line.
 */
bool kmsg_oom_line(const char *text, struct kmsg_oom *ret);
