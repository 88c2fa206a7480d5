// SPDX-License-Identifier: MIT
/*
 * See stage-root.h. A directory's own links are followed as the program will follow them, never out of it: its proc may
 * be a link to /etc.
 */
#include "stage-root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"

int stage_root_prepare(const char *root, char *ret_step, size_t size)
{
	static const char *const shared[] = {"/proc", "/sys", "/dev"};
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	char place[64];
	(void)snprintf(ret_step, size, "the root directory");
	auto_close int at = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++) {
		auto_close int fd = (int)syscall(SYS_openat2, at, shared[i], &how, sizeof(how));
		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
			continue;
		(void)snprintf(place, sizeof(place), "/proc/self/fd/%d", fd);
		/* As they are in the run's namespaces, what was made read-only included. */
		if (fd < 0 || mount(shared[i], place, NULL, MS_BIND | MS_REC, NULL) < 0) {
			int error = errno;
			(void)snprintf(ret_step, size, "%s in the root directory", shared[i]);
			return -error;
		}
	}
	return 0;
}

int stage_root_enter(const char *root)
{
	return chroot(root) < 0 || chdir("/") < 0 ? -errno : 0;
}
