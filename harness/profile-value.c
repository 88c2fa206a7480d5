// SPDX-License-Identifier: MIT
/*
 * Is what a sysctl reads the value that was written? The kernel parses numbers like strtoul() with base 0, leaves the
 * end of a vector as it was when fewer values are written (kernel.printk), and prints lists of ports as ranges.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "profile-internal.h"

#define BLANKS " \t\n"
#define PORTS  65536U

static bool to_number(const char *text, size_t length, int base, long long *ret)
{
	char buf[32], *end;
	if (length == 0 || length >= sizeof(buf) || strspn(text, "-0123456789abcdefABCDEFxX") < length)
		return false;
	memcpy(buf, text, length);
	buf[length] = '\0';
	errno = 0;
	*ret = strtoll(buf, &end, base);
	return errno == 0 && *end == '\0';
}

/* "80,8080-8090" as bits */
static bool to_ports(const char *text, size_t length, uint8_t *bits)
{
	const char *end = text + length;
	if (length == 0 || strspn(text, "0123456789,-") < length || *text < '0' || end[-1] < '0')
		return false;
	memset(bits, 0, PORTS / 8);
	while (text < end) {
		char *after;
		unsigned long from = strtoul(text, &after, 10), to = from;
		if (after < end && *after == '-' && after[1] >= '0' && after[1] <= '9')
			to = strtoul(after + 1, &after, 10);
		if (from > to || to >= PORTS || (after < end && *after != ','))
			return false;
		for (unsigned long port = from; port <= to; port++)
			bits[port / 8] |= (uint8_t)(1U << port % 8);
		text = after + 1;
	}
	return true;
}

static bool same_ports(const char *a, size_t m, const char *b, size_t n)
{
	uint8_t x[PORTS / 8], y[PORTS / 8];
	return memchr(a, ',', m) && to_ports(a, m, x) && to_ports(b, n, y) && !memcmp(x, y, sizeof(x));
}

bool profile_same_value(const char *written, const char *read)
{
	written += strspn(written, BLANKS);
	read += strspn(read, BLANKS);
	if (!*written || !*read)
		return !*written && !*read;
	while (*written) {
		size_t m = strcspn(written, BLANKS), n = strcspn(read, BLANKS);
		long long wanted, is;
		bool same = (m == n && !memcmp(written, read, n)) ||
			    (to_number(written, m, 0, &wanted) && to_number(read, n, 10, &is) && wanted == is) ||
			    same_ports(written, m, read, n);
		if (!same)
			return false;
		written += m + strspn(written + m, BLANKS);
		read += n + strspn(read + n, BLANKS);
	}
	/* More may only follow in a vector of numbers: of a text all was written. */
	return read[strspn(read, "-0123456789" BLANKS)] == '\0';
}
