// SPDX-License-Identifier: MIT
/*
 * See hold-stdin.h. Any bytes: a JSON string would have to be UTF-8.
 */
#include "hold-stdin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cleanup.h"
#include "write.h"

static const char digits_of[] = "0123456789abcdef";

/* The number of bytes. */
static ssize_t read_all(int fd, unsigned char *bytes, size_t room)
{
	size_t used = 0;
	while (used < room) {
		ssize_t n = read(fd, bytes + used, room - used);
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	return (ssize_t)used;
}

int hold_stdin_read(int fd, char **ret_digits)
{
	auto_free unsigned char *bytes = malloc(HOLD_STDIN_MAX + 1);
	ssize_t count = bytes ? read_all(fd, bytes, HOLD_STDIN_MAX + 1) : -ENOMEM;
	if (count < 0)
		return (int)count;
	if ((size_t)count > HOLD_STDIN_MAX)
		return -EFBIG;
	char *digits = malloc(2 * (size_t)count + 1);
	if (!digits)
		return -ENOMEM;
	for (ssize_t i = 0; i < count; i++) {
		digits[2 * i] = digits_of[bytes[i] >> 4];
		digits[2 * i + 1] = digits_of[bytes[i] & 15];
	}
	digits[2 * count] = '\0';
	*ret_digits = digits;
	return 0;
}

static int value_of(char digit)
{
	const char *at = digit ? strchr(digits_of, digit) : NULL;
	return at ? (int)(at - digits_of) : -1;
}

int hold_stdin_open(const json_t *digits)
{
	char piece[4096];
	const char *text = json_string_value(digits);
	if (!text)
		return digits ? -EBADMSG : open("/dev/null", O_RDONLY | O_CLOEXEC);
	auto_close int fd = memfd_create("stdin", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (size_t used = 0; *text; text += 2) {
		int high = value_of(text[0]), low = high < 0 ? -1 : value_of(text[1]);
		if (low < 0)
			return -EBADMSG;
		piece[used++] = (char)(high << 4 | low);
		if (used < sizeof(piece) && text[2])
			continue;
		int r = write_whole(fd, piece, used);
		if (r < 0)
			return r;
		used = 0;
	}
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : steal_fd(fd);
}
