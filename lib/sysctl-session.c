// SPDX-License-Identifier: MIT
/*
 * The session in which machine-wide values are changed: locked, journalled and known to the keeper before the write,
 * written back newest first.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "journal-internal.h"

#define KEEPER_EXIT_TIMEOUT_MS 2000

/*
 * Writing one of a pair sets the other to 0: overcommit_kbytes_handler(), mm/util.c; dirty_bytes_handler(),
 * mm/page-writeback.c. Restoring what was written would leave the machine with both at 0.
 */
static const char *const pairs[][2] = {
	{"vm/overcommit_kbytes", "vm/overcommit_ratio"},
	{"vm/dirty_bytes", "vm/dirty_ratio"},
	{"vm/dirty_background_bytes", "vm/dirty_background_ratio"},
};

static const char *other_of_pair(const char *name)
{
	char path[128];
	if (sysctl_path(name, path, sizeof(path)) < 0)
		return NULL;
	for (unsigned i = 0; i < ARRAY_SIZE(pairs); i++) {
		for (unsigned k = 0; k < 2; k++) {
			if (strcmp(path, pairs[i][k]) == 0)
				return pairs[i][!k];
		}
	}
	return NULL;
}

int sysctl_session_open(struct sysctl_session *s, struct journal *journal, uint64_t timeout_ns)
{
	auto_close int lock_fd = -1, calm_fd = -1;
	pid_t keeper;
	int keeper_pipe;
	if (journal->fd < 0)
		return -EBADF;
	int r = machine_lock(journal->dir_fd, timeout_ns, &lock_fd);
	if (r == 0)
		r = machine_disturb(journal->dir_fd, timeout_ns, &calm_fd);
	if (r < 0)
		return r;
	r = keeper_start(lock_fd, journal->path, &keeper, &keeper_pipe);
	if (r < 0)
		return r;
	*s = (struct sysctl_session){.journal = journal,
				     .calm_fd = steal_fd(calm_fd),
				     .lock_fd = steal_fd(lock_fd),
				     .keeper = keeper,
				     .keeper_pipe = keeper_pipe};
	return 0;
}

/* Put a change on disk and into the keeper's hands. Only after that may it be made. */
static int announce(struct sysctl_session *s, const char *name, const char *old_value, const char *new_value)
{
	struct keeper_message message = {.kind = KEEPER_ADD};
	struct sysctl_change *change = &s->change[s->count];
	if (s->count >= SYSCTL_CHANGES_MAX)
		return -ENOSPC;
	memset(change, 0, sizeof(*change));
	memcpy(change->name, name, strlen(name));
	memcpy(change->old_value, old_value, strlen(old_value));
	memcpy(change->new_value, new_value, strlen(new_value));
	int r = journal_append(s->journal->fd, JOURNAL_SYSCTL, name, old_value, new_value);
	if (r < 0)
		return r;
	memcpy(message.name, change->name, sizeof(message.name));
	memcpy(message.old_value, change->old_value, sizeof(message.old_value));
	r = keeper_tell(s->keeper_pipe, &message);
	if (r < 0)
		(void)journal_append(s->journal->fd, JOURNAL_RESTORED, name, "", "");
	else
		s->count++;
	return r;
}

static void withdraw(struct sysctl_session *s)
{
	struct keeper_message message = {.kind = KEEPER_DROP};
	s->count--;
	(void)keeper_tell(s->keeper_pipe, &message);
	(void)journal_append(s->journal->fd, JOURNAL_RESTORED, s->change[s->count].name, "", "");
}

static bool is_value(const char *name, const char *value)
{
	char now[SYSCTL_VALUE_MAX];
	return sysctl_read(name, now, sizeof(now)) == 0 && sysctl_same_value(now, value);
}

static int announce_with_pair(struct sysctl_session *s, const char *name, const char *old_value, const char *new_value)
{
	char other_value[SYSCTL_VALUE_MAX];
	int r = announce(s, name, old_value, new_value);
	const char *other = r == 0 ? other_of_pair(name) : NULL;
	/* Newer than the change itself, so it is restored first; that already sets the change back to 0. */
	if (other && sysctl_read(other, other_value, sizeof(other_value)) == 0 &&
	    !sysctl_same_value(other_value, "0")) {
		r = announce(s, other, other_value, "0");
		if (r < 0)
			withdraw(s);
	}
	return r;
}

/* Written back only where it differs: half of a pair may be right already, and writing it would break the other half.
 */
static int write_back(const struct sysctl_change *change)
{
	return is_value(change->name, change->old_value) ? 0 : sysctl_write(change->name, change->old_value);
}

int sysctl_session_set(struct sysctl_session *s, const char *name, const char *value)
{
	char old_value[SYSCTL_VALUE_MAX];
	unsigned count = s->count;
	if (strlen(name) >= sizeof(s->change[0].name))
		return -ENAMETOOLONG;
	if (strlen(value) >= SYSCTL_VALUE_MAX || strchr(value, '\n'))
		return -EINVAL;
	int r = sysctl_read(name, old_value, sizeof(old_value));
	if (r < 0)
		return r;
	if (sysctl_same_value(old_value, value))
		return 0;
	r = announce_with_pair(s, name, old_value, value);
	if (r < 0)
		return r;
	r = sysctl_write(name, value);
	if (r == 0 && is_value(name, value))
		return 0;
	/* What cannot be taken back now stays announced: restore and the keeper will try again. */
	while (s->count > count && write_back(&s->change[s->count - 1]) == 0)
		withdraw(s);
	return r < 0 ? r : -EIO;
}

/* The keeper closes its end when it is gone, and with it the lock. */
static void wait_for_keeper(const struct sysctl_session *s)
{
	char byte;
	struct pollfd p = {.fd = s->keeper_pipe, .events = POLLIN};
	while (poll(&p, 1, KEEPER_EXIT_TIMEOUT_MS) > 0 && recv(s->keeper_pipe, &byte, 1, 0) > 0)
		;
}

int sysctl_session_restore(struct sysctl_session *s)
{
	int result = 0;
	if (!s->journal) /* never opened, or restored already */
		return 0;
	for (unsigned i = 0; i < s->count; i++) {
		if (sysctl_lifts_commit_limit(s->change[i].name, s->change[i].old_value))
			(void)write_back(&s->change[i]); /* tried again, and judged, below */
	}
	for (unsigned i = s->count; i-- > 0;) {
		int r = write_back(&s->change[i]);
		if (r == 0)
			r = journal_append(s->journal->fd, JOURNAL_RESTORED, s->change[i].name, "", "");
		if (r < 0 && result == 0)
			result = r;
	}
	/* Without a goodbye the keeper restores once more what we could not. */
	struct keeper_message goodbye = {.kind = KEEPER_GOODBYE};
	if (result == 0)
		(void)keeper_tell(s->keeper_pipe, &goodbye);
	else
		(void)shutdown(s->keeper_pipe, SHUT_WR);
	wait_for_keeper(s);
	(void)close(s->keeper_pipe);
	(void)flock(s->lock_fd, LOCK_UN); /* also for a child that was only forked */
	(void)close(s->lock_fd);
	(void)flock(s->calm_fd, LOCK_UN);
	(void)close(s->calm_fd);
	*s = (struct sysctl_session){.calm_fd = -1, .lock_fd = -1, .keeper_pipe = -1};
	return result;
}
