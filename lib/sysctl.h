// SPDX-License-Identifier: MIT
/*
 * Machine-wide sysctls, changed only under an exclusive lock, with the old value on disk before the new one is written,
 * and restored on every exit path: by the run itself, by its keeper process when the run is killed, by `enomem recover`
 * after that. The same journal lists the cgroups a run makes, so that recover knows what is ours.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SYSCTL_VALUE_MAX 256

/* "/proc/sys"; tests point it at a directory of plain files. */
extern const char *sysctl_root;

/* Read or write "vm.overcommit_memory" ('.' or '/' as separator, below /proc/sys only; ".." is -EINVAL). Values without
 * the newline. -errno */
int sysctl_read(const char *name, char *ret_value, size_t size);
int sysctl_write(const char *name, const char *value);

/*
 * The journal of one harness: DIR/<pid>-<starttime>.journal, held under flock() while the harness lives. Lines are
 * appended with O_APPEND before the change they announce, those of sysctls fdatasync()ed as well: "cgroup /path",
 * "enabled /path memory+pids", "sysctl NAME OLD NEW"; "removed /path" and "restored NAME" take the newest such line
 * back. In a path or value, a byte that is not printable, a blank and a backslash are written as \ooo; an empty value
 * is "\-". DIR is /run/enomem for root, $XDG_RUNTIME_DIR/enomem else, /tmp/enomem-<uid> (mode 0700, owner checked) as
 * the last resort; ENOMEM_STATE_DIR overrides.
 */
struct journal {
	int fd, dir_fd;
	char path[512];
};
void journal_init(struct journal *j);
int journal_open(struct journal *j);
/* A second one of this process, for what its groups lie in: recover takes it before any other. */
int journal_open_leaf(struct journal *j);
/* Announce a cgroup directory that is about to be made. -errno */
int journal_cgroup(struct journal *j, const char *path);
/* It is removed again: recover must not touch a later group of the same name. -errno */
int journal_cgroup_removed(struct journal *j, const char *path);
/* Announce controllers (bit mask) that are about to be enabled in a v2 directory. -errno */
int journal_enabled(struct journal *j, const char *path, unsigned controllers);
/* Leave it to recover, which may take it from now on. */
void journal_abandon(struct journal *j);
/*
 * A run that changes nothing of the machine wants it unchanged by others: hold *ret_fd while it lasts. Any number may
 * at once; only a session keeps them out. -EBUSY when one is still open after timeout_ns, -errno.
 */
int journal_machine_calm(const struct journal *j, uint64_t timeout_ns, int *ret_fd);
/* The journal of a run that ended well: removed. */
void journal_close(struct journal *j);

/* A machine-wide change in force. */
struct sysctl_change {
	char name[128], old_value[SYSCTL_VALUE_MAX], new_value[SYSCTL_VALUE_MAX];
};
#define SYSCTL_CHANGES_MAX 16
struct sysctl_session {
	struct journal *journal;
	int calm_fd;  /* keeps ordinary runs of other harnesses out */
	int lock_fd;  /* machine.lock, flock()ed exclusively while open: in /run/enomem for root, else in DIR */
	pid_t keeper; /* restores when the pipe to us breaks; 0 when none */
	int keeper_pipe;
	unsigned count;
	struct sysctl_change change[SYSCTL_CHANGES_MAX];
};
/* Take the machine lock (waits up to timeout_ns, then -EBUSY) and start the keeper. -errno */
int sysctl_session_open(struct sysctl_session *s, struct journal *journal, uint64_t timeout_ns);
/* Journal the old value, write the new one, read it back (-EIO when it did not take). -errno, nothing changed on
 * failure. */
int sysctl_session_set(struct sysctl_session *s, const char *name, const char *value);
/* Write every old value back, newest first, dismiss the keeper, release the lock. 0 or the first -errno; goes on after
 * an error. */
int sysctl_session_restore(struct sysctl_session *s);

/* One thing recover found or did, told to the caller as it happens. */
struct recovered {
	enum { RECOVERED_SYSCTL, RECOVERED_CGROUP, RECOVERED_CONTROLLERS, RECOVERED_JOURNAL, RECOVERED_BAD_LINE } kind;
	const char *journal;   /* file */
	unsigned line;         /* in that file, from 1 */
	const char *what;      /* sysctl name, cgroup path, or the line that makes no sense */
	const char *from, *to; /* values, for a sysctl */
	int error;             /* 0: undone (or nothing was left to undo); else -errno */
	bool needed;           /* something was really left behind */
};
typedef void (*recover_report)(const struct recovered *r, void *data);
/*
 * Undo what dead harnesses left: for each journal whose lock nobody holds, restore sysctls (only where the value now is
 * the one the journal announced: somebody else's later change is kept and told), kill and remove cgroups, delete the
 * journal. With dry_run only tell. Returns how many things were left behind, or -errno.
 */
int journal_recover(bool dry_run, recover_report report, void *data);
