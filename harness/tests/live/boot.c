// SPDX-License-Identifier: MIT
/*
 * The first process of the guest with systemd: the disk's driver is a module, so something has to load it before there
 * is a root directory to start systemd from.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int fail(const char *what)
{
	fprintf(stderr, "boot: %s: %s\n", what, strerror(errno));
	return 1;
}

static void load_modules(void)
{
	char line[256], path[300];
	FILE *order = fopen("/modules/order", "r");
	while (order && fgets(line, sizeof(line), order)) {
		line[strcspn(line, "\n")] = '\0';
		(void)snprintf(path, sizeof(path), "/modules/%s", line);
		int fd = open(path, O_RDONLY);
		if (fd >= 0 && syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST)
			(void)fail(path);
		(void)close(fd);
	}
}

/* A disk appears a moment after its module was loaded. */
static int mount_disk(const char *device, const char *at)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	for (int tries = 0; tries < 500; tries++) {
		if (mount(device, at, "ext4", MS_NOATIME, NULL) == 0)
			return 0;
		(void)nanosleep(&pause, NULL);
	}
	return -1;
}

int main(void)
{
	(void)mkdir("/dev", 0755);
	(void)mkdir("/sysroot", 0755);
	if (mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) < 0 && errno != EBUSY)
		return fail("/dev");
	load_modules();
	if (mount_disk("/dev/vda", "/sysroot") < 0 || mount_disk("/dev/vdb", "/sysroot/payload") < 0)
		return fail("/dev/vda, /dev/vdb");
	if (mount("/dev", "/sysroot/dev", NULL, MS_MOVE, NULL) < 0 || chdir("/sysroot") < 0 ||
	    mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return fail("the root directory");
	(void)execl("/lib/systemd/systemd", "systemd", (char *)NULL);
	return fail("/lib/systemd/systemd");
}
