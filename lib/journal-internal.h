// SPDX-License-Identifier: MIT
/*
 * The lines of a journal, and what sysctl sessions and recover need of the directory it lies in.
 */
#pragma once

#include "sysctl.h"

#define JOURNAL_LINE_MAX 4400
#define JOURNAL_LEAF_END "-leaf.journal"

enum journal_verb { JOURNAL_CGROUP, JOURNAL_REMOVED, JOURNAL_ENABLED, JOURNAL_SYSCTL, JOURNAL_RESTORED };

struct journal_line {
	enum journal_verb verb;
	char what[1024]; /* path or sysctl name */
	char old_value[SYSCTL_VALUE_MAX], new_value[SYSCTL_VALUE_MAX];
	unsigned controllers; /* bit mask, of "enabled" */
};

/* Parse one line without its newline. -EBADMSG for anything that we would not have written; *ret is then undefined. */
int journal_parse_line(const char *line, struct journal_line *ret);

/* Write a line with its newline; allocates nothing. The values are of JOURNAL_SYSCTL only. Returns its length or
 * -ENAMETOOLONG. */
int journal_format_line(char *buf, size_t size, enum journal_verb verb, const char *what, const char *old_value,
			const char *new_value);

/* Append one line, and fdatasync() it where it is about a sysctl: a reboot takes groups away without us. A line that
 * could only be written in part is taken back. -errno */
int journal_append(int fd, enum journal_verb verb, const char *what, const char *old_value, const char *new_value);

/* Open the state directory, made first where that is asked for. -EPERM when others could write to it. */
int journal_open_directory(bool create, int *ret_fd, char *ret_path, size_t size);

/* Wait for machine.lock: that of the machine for root, else that of the directory. -EBUSY when it is still taken after
 * timeout_ns. */
int machine_lock(int dir_fd, uint64_t timeout_ns, int *ret_fd);

/* Wait until no ordinary run of any harness is under way, and keep others from starting, by DIR/calm.lock. -EBUSY
 * likewise. */
int machine_disturb(int dir_fd, uint64_t timeout_ns, int *ret_fd);

/* Is this a name sysctl_read() would take? Rewrites '.' to '/' into ret as sysctl(8) does. 0 or -EINVAL, -ENAMETOOLONG
 */
int sysctl_path(const char *name, char *ret, size_t size);
int sysctl_open(const char *name, int flags, int *ret_fd);
int sysctl_write_fd(int fd, const char *value);
/* The kernel prints tabs where blanks were written. */
bool sysctl_same_value(const char *a, const char *b);

/*
 * Does writing this value back lift the strict commit limit (vm.overcommit_memory to 0 or 1)? Such a change is undone
 * before all others: a ratio restored first would for a moment leave everybody on the machine without a byte to
 * promise.
 */
bool sysctl_lifts_commit_limit(const char *name, const char *old_value);

/* What harness and keeper tell each other; one message per packet. */
struct keeper_message {
	enum { KEEPER_READY, KEEPER_ADD, KEEPER_DROP, KEEPER_GOODBYE } kind;
	int result; /* of an answer: pid when ready, 0 or -errno else */
	char name[128], old_value[SYSCTL_VALUE_MAX];
};

/* Fork the keeper, which holds lock_fd's open file description as well. 0 and its pid and our end of the pipe, or
 * -errno */
int keeper_start(int lock_fd, const char *journal_path, pid_t *ret_pid, int *ret_pipe);
/* Send a message and wait for the answer. -EPIPE when the keeper is gone. */
int keeper_tell(int pipe, const struct keeper_message *message);
