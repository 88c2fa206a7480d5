// SPDX-License-Identifier: MIT
/*
 * See stage-disguise.h. A copy, and no bind mount: that would tell in /proc/PID/mountinfo of which file it is one.
 */
#include "stage-disguise.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "cleanup.h"

#define OPTIONS "mode=0755,size=64m"

static const char *place(void)
{
	static const char *const unused[] = {"/mnt", "/media", "/srv", "/opt", "/home"};
	struct stat st;
	for (size_t i = 0; i < ARRAY_SIZE(unused); i++)
		if (stat(unused[i], &st) == 0 && S_ISDIR(st.st_mode))
			return unused[i];
	return NULL;
}

static int copy(int from, off_t size, int to_directory, const char *name)
{
	auto_close int to = openat(to_directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (to < 0)
		return -errno;
	while (size > 0) {
		ssize_t n = sendfile(to, from, NULL, (size_t)size);
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		size -= n;
	}
	return fchmod(to, 0755) < 0 ? -errno : 0; /* whatever the umask is */
}

static int copy_programs(DIR *from, int to, const char *program)
{
	for (const struct dirent *entry; (entry = readdir(from));) {
		struct stat st;
		auto_close int fd = openat(dirfd(from), entry->d_name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !(st.st_mode & S_IXUSR))
			continue;
		int r = copy(fd, st.st_size, to, strcmp(entry->d_name, program) == 0 ? STAGE_DISGUISE : entry->d_name);
		if (r < 0)
			return r;
	}
	return faccessat(to, STAGE_DISGUISE, F_OK, 0) < 0 ? -errno : 0;
}

int stage_disguise(const char *directory, const char *program, const char **ret_directory, const char **ret_step)
{
	*ret_step = "the program's directory";
	auto_closedir DIR *from = opendir(directory);
	if (!from)
		return -errno;
	const char *at = place();
	*ret_step = "a tmpfs for the program";
	if (!at)
		return -ENOENT;
	if (mount("tmpfs", at, "tmpfs", MS_NOSUID | MS_NODEV, OPTIONS) < 0)
		return -errno;
	auto_close int to = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (to < 0)
		return -errno;
	*ret_step = "copying the program";
	int r = copy_programs(from, to, program);
	if (r == 0)
		*ret_directory = at;
	return r;
}
