// SPDX-License-Identifier: MIT
/*
 * The tmpfs of a lesson's shell, where its size is what is limited: held, and looked at before a check. See
 * teach-fix.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cleanup.h"
#include "report-text.h"
#include "teach-fix.h"
#include "tmpfs.h"

void fix_hold_tmpfs(struct fix_room *room)
{
	room->keeper = getpid();
	room->tmpfs_fd = tmpfs_open(room->shell, ENVIRONMENT_TMPFS);
}

/* Nobody has waited for the keeper yet: its number is its own. */
int fix_open_tmpfs(const struct fix_room *room)
{
	char path[64];
	if (room->keeper <= 0 || room->tmpfs_fd < 0)
		return -ENOENT;
	(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", room->keeper, room->tmpfs_fd);
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static bool is_larger(const struct statfs *st, const struct environment *trigger)
{
	return (trigger->tmpfs_bytes != ENVIRONMENT_NOT_SET &&
		(uint64_t)st->f_blocks * (uint64_t)st->f_bsize > trigger->tmpfs_bytes) ||
	       (trigger->tmpfs_inodes != ENVIRONMENT_NOT_SET && st->f_files > trigger->tmpfs_inodes);
}

/* The program opens its files by name: a link leads it elsewhere, a second name to what is there already. */
static bool find_other(int at, char *why, size_t size)
{
	int fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_closedir DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	struct stat st;
	while (d && (entry = readdir(d))) {
		if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    (S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && st.st_nlink == 1)))
			continue;
		char name[sizeof(entry->d_name)];
		(void)snprintf(why, size, ENVIRONMENT_TMPFS "/%.60s is no file of its own: remove it",
			       text_clean(entry->d_name, false, name, sizeof(name)));
		return true;
	}
	if (!d && fd >= 0)
		(void)close(fd);
	return !d;
}

bool fix_tmpfs_is_as_before(const struct fix_room *room, const struct environment *trigger, char *why, size_t size)
{
	struct statfs st;
	auto_close int at = fix_open_tmpfs(room);
	(void)snprintf(why, size, ENVIRONMENT_TMPFS " cannot be looked at");
	if (at < 0 || fstatfs(at, &st) < 0 || find_other(at, why, size))
		return true;
	(void)snprintf(why, size, "nothing was refused, but " ENVIRONMENT_TMPFS " is no larger than before");
	return !is_larger(&st, trigger);
}
