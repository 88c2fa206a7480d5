// SPDX-License-Identifier: MIT
/*
 * Making swap and turning it on and off. See swap.h.
 */
#include "swap.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <spawn.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/wait.h>

#include "cgroup-internal.h"
#include "cleanup.h"
#include "clock.h"
#include "number.h"
#include "procfs.h"

#define ZRAM_DEVICES   16
#define DISK           "/dev/vda"
#define NODE_WAIT_NS   UINT64_C(2000000000)
#define NODE_LOOK_NS   UINT64_C(5000000)
#define SWAP_PATH_SIZE 256

const char *swap_root = "";

static int zram_number(unsigned index, uint64_t *ret_disksize)
{
	char path[SWAP_PATH_SIZE];
	(void)snprintf(path, sizeof(path), "%s/sys/block/zram%u/disksize", swap_root, index);
	return procfs_read_number_at(AT_FDCWD, path, ret_disksize);
}

static int zram_write(unsigned index, const char *file, const char *text)
{
	char path[SWAP_PATH_SIZE];
	(void)snprintf(path, sizeof(path), "%s/sys/block/zram%u/%s", swap_root, index, file);
	auto_close int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -errno;
	return 0;
}

/* A device without a size is unused; reading hot_add makes another one and tells its number. */
static int zram_unused(unsigned *ret)
{
	char path[SWAP_PATH_SIZE];
	uint64_t number = 0;
	for (unsigned i = 0; i < ZRAM_DEVICES; i++) {
		uint64_t disksize;
		if (zram_number(i, &disksize) == 0 && disksize == 0) {
			*ret = i;
			return 0;
		}
	}
	(void)snprintf(path, sizeof(path), "%s/sys/class/zram-control/hot_add", swap_root);
	int r = procfs_read_number_at(AT_FDCWD, path, &number);
	if (r < 0)
		return r == -ENOENT ? -ENODEV : r;
	*ret = (unsigned)number;
	return 0;
}

static int prepare_zram(uint64_t bytes, char *ret_device, size_t size)
{
	char text[24];
	unsigned index = 0;
	int r = zram_unused(&index);
	if (r < 0)
		return r;
	(void)snprintf(text, sizeof(text), "%" PRIu64, bytes);
	(void)snprintf(ret_device, size, "%s/dev/zram%u", swap_root, index);
	return zram_write(index, "disksize", text);
}

/* The node may come a moment after the driver. A node without its device says ENXIO. */
static int open_node(const char *path, int *ret_fd)
{
	uint64_t deadline_ns = deadline_after(NODE_WAIT_NS);
	for (;;) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			*ret_fd = fd;
			return 0;
		}
		if (errno != ENOENT && errno != ENXIO)
			return -errno;
		if (clock_now_ns() >= deadline_ns)
			return -ENODEV;
		sleep_ns(NODE_LOOK_NS);
	}
}

static int check_room(const char *device, uint64_t bytes)
{
	auto_close int fd = -1;
	struct stat st;
	uint64_t room = 0;
	int r = open_node(device, &fd);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0 || (S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, &room) < 0))
		return -errno;
	if (!S_ISBLK(st.st_mode))
		room = (uint64_t)st.st_size;
	return room < bytes ? -ENOSPC : 0;
}

static int spawn_mkswap(const char *program, char *const argv[], pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);
	if (r != 0)
		return -r;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO && r == 0; fd++)
		r = posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
	if (r == 0)
		r = posix_spawnp(ret, program, &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return -r;
}

static int write_header(char *device, uint64_t bytes)
{
	char name[] = "mkswap", blocks[24];
	char *const argv[] = {name, device, blocks, NULL};
	pid_t pid = -1;
	int status;
	(void)snprintf(blocks, sizeof(blocks), "%" PRIu64, bytes / 1024);
	int r = spawn_mkswap(name, argv, &pid);
	if (r == -ENOENT)
		r = spawn_mkswap("/sbin/mkswap", argv, &pid); /* a user's PATH often lacks it */
	if (r < 0)
		return r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

int swap_prepare(uint64_t bytes, bool on_disk, char *ret_device, size_t size)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	char device[SWAP_PATH_SIZE];
	int r = 0;
	if (bytes == 0 || bytes > UINT64_MAX / 2)
		return -EINVAL;
	bytes = (bytes + page - 1) / page * page + page;
	if (on_disk)
		(void)snprintf(device, sizeof(device), "%s" DISK, swap_root);
	else
		r = prepare_zram(bytes, device, sizeof(device));
	if (r == 0)
		r = check_room(device, bytes);
	if (r == 0)
		r = write_header(device, bytes);
	if (r < 0)
		return r;
	return (size_t)snprintf(ret_device, size, "%s", device) < size ? 0 : -ENAMETOOLONG;
}

int swap_turn_on(const char *device)
{
	return swapon(device, 0) < 0 ? -errno : 0;
}

/* The kernel writes blanks, tabs, newlines and backslashes of a name as \ooo. */
static size_t unescape(const char *text, char *ret)
{
	if (text[0] == '\\' && strspn(text + 1, "01234567") >= 3) {
		*ret = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
		return 4;
	}
	*ret = text[0];
	return 1;
}

bool swap_parse_line(const char *line, char *ret_device, size_t size)
{
	char device[SWAP_PATH_SIZE];
	size_t length = 0;
	const char *c = line;
	if (*c != '/')
		return false;
	while (*c && !strchr(" \t\n", *c)) {
		if (length + 1 >= sizeof(device))
			return false;
		c += unescape(c, &device[length++]);
	}
	if (length + 1 > size)
		return false;
	memcpy(ret_device, device, length);
	ret_device[length] = '\0';
	return true;
}

int swap_turn_off_all(void)
{
	char path[SWAP_PATH_SIZE], line[1024], device[SWAP_PATH_SIZE];
	uint64_t disksize;
	(void)snprintf(path, sizeof(path), "%s/proc/swaps", swap_root);
	auto_fclose FILE *swaps = fopen(path, "re");
	if (!swaps) /* a kernel without swap has no such file */
		return errno == ENOENT ? 0 : -errno;
	while (fgets(line, sizeof(line), swaps))
		if (swap_parse_line(line, device, sizeof(device)) && swapoff(device) < 0)
			return -errno;
	for (unsigned i = 0; i < ZRAM_DEVICES; i++)
		if (zram_number(i, &disksize) == 0 && disksize != 0) {
			int r = zram_write(i, "reset", "1");
			if (r < 0)
				return r;
		}
	return 0;
}
