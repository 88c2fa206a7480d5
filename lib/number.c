// SPDX-License-Identifier: MIT
/*
 * Strict parsing and plain formatting of sizes, counts, durations and percentages.
 */
#include "number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct unit {
	const char *name;
	uint64_t factor;
};

size_t number_scan_digits(const char *text, size_t length, uint64_t *ret)
{
	uint64_t value = 0;
	bool too_large = false;
	size_t i = 0;

	for (; i < length && text[i] >= '0' && text[i] <= '9'; i++) {
		uint64_t digit = (uint64_t)(text[i] - '0');

		if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digit, &value))
			too_large = true;
	}
	if (i)
		*ret = too_large ? UINT64_MAX : value;
	return i;
}

/* "007" is a typing error or an octal number, and neither should be guessed at. */
static size_t scan_strict(const char *text, uint64_t *ret)
{
	uint64_t value = 0;
	size_t digits = number_scan_digits(text, strlen(text), &value);

	if (digits > 1 && text[0] == '0')
		return 0;
	if (digits)
		*ret = value;
	return digits;
}

/* Digits and the name of one of the units, a list that ends with a NULL name. */
static int parse_with_unit(const char *text, const struct unit *units, uint64_t *ret)
{
	uint64_t number = 0, value;
	size_t digits = scan_strict(text, &number);

	if (!digits)
		return -EINVAL;
	for (const struct unit *u = units; u->name; u++) {
		if (strcmp(text + digits, u->name) != 0)
			continue;
		if (__builtin_mul_overflow(number, u->factor, &value) || value >= ENOMEM_ABSENT)
			return -ERANGE;
		*ret = value;
		return 0;
	}
	return -EINVAL;
}

int number_parse_size(const char *text, uint64_t *ret_bytes)
{
	static const struct unit units[] = {
		{"", 1},           {"K", 1ULL << 10}, {"k", 1ULL << 10}, {"M", 1ULL << 20}, {"m", 1ULL << 20},
		{"G", 1ULL << 30}, {"g", 1ULL << 30}, {"T", 1ULL << 40}, {"t", 1ULL << 40}, {NULL, 0},
	};
	return parse_with_unit(text, units, ret_bytes);
}

int number_parse_count(const char *text, uint64_t *ret_count)
{
	static const struct unit units[] = {{"", 1}, {NULL, 0}};

	return parse_with_unit(text, units, ret_count);
}

int number_parse_limit(const char *text, uint64_t *ret_bytes)
{
	if (strcmp(text, "max") == 0 || strcmp(text, "unlimited") == 0) {
		*ret_bytes = ENOMEM_UNLIMITED;
		return 0;
	}
	return number_parse_size(text, ret_bytes);
}

int number_parse_duration(const char *text, uint64_t *ret_ns)
{
	static const struct unit units[] = {
		{"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}, {"min", 60000000000}, {NULL, 0},
	};
	return parse_with_unit(text, units, ret_ns);
}

int number_parse_percent(const char *text, uint64_t *ret_basis_points)
{
	uint64_t whole = 0, fraction = 0, value;
	size_t digits = scan_strict(text, &whole);
	const char *p = text + digits;

	if (!digits)
		return -EINVAL;
	if (*p == '.') {
		p++;
		digits = number_scan_digits(p, strlen(p), &fraction);
		if (digits < 1 || digits > 2)
			return -EINVAL;
		if (digits == 1)
			fraction *= 10;
		p += digits;
	}
	if (strcmp(p, "%") != 0)
		return -EINVAL;
	if (__builtin_mul_overflow(whole, 100, &value) || __builtin_add_overflow(value, fraction, &value) ||
	    value >= ENOMEM_ABSENT)
		return -ERANGE;
	*ret_basis_points = value;
	return 0;
}

/* The two words that are no numbers: true when value was one of them. */
static bool format_special(char *buf, size_t size, uint64_t value)
{
	if (value != ENOMEM_UNLIMITED && value != ENOMEM_ABSENT)
		return false;
	(void)snprintf(buf, size, "%s", value == ENOMEM_UNLIMITED ? "unlimited" : "-");
	return true;
}

/* Units from small to large, ended by a NULL name; the first has factor 1. */
static char *format_with_unit(char *buf, size_t size, uint64_t value, const struct unit *units)
{
	const struct unit *u = units;

	if (format_special(buf, size, value))
		return buf;
	while (u[1].name && value >= u[1].factor)
		u++;
	if (value % u->factor == 0) {
		(void)snprintf(buf, size, "%" PRIu64 " %s", value / u->factor, u->name);
		return buf;
	}
	/* At most 10 * 2^60 + 2^59: fits. */
	uint64_t tenths = (value % u->factor * 10 + u->factor / 2) / u->factor;
	uint64_t whole = value / u->factor + tenths / 10;

	tenths %= 10;
	/* 1023.96 KiB is written 1.0 MiB, not 1024.0 KiB. */
	if (u[1].name && whole == u[1].factor / u->factor) {
		u++;
		whole = 1;
	}
	(void)snprintf(buf, size, "%" PRIu64 ".%" PRIu64 " %s", whole, tenths, u->name);
	return buf;
}

char *number_format_bytes(char *buf, size_t size, uint64_t bytes)
{
	static const struct unit units[] = {
		{"B", 1},
		{"KiB", 1ULL << 10},
		{"MiB", 1ULL << 20},
		{"GiB", 1ULL << 30},
		{"TiB", 1ULL << 40},
		{"PiB", 1ULL << 50},
		{"EiB", 1ULL << 60},
		{NULL, 0},
	};
	return format_with_unit(buf, size, bytes, units);
}

char *number_format_duration(char *buf, size_t size, uint64_t ns)
{
	static const struct unit units[] = {
		{"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}, {"min", 60000000000}, {NULL, 0},
	};
	return format_with_unit(buf, size, ns, units);
}

char *number_format_count(char *buf, size_t size, uint64_t count)
{
	char reversed[32], text[32];
	unsigned length = 0, digits = 0;

	if (format_special(buf, size, count))
		return buf;
	do {
		if (digits && digits % 3 == 0)
			reversed[length++] = ',';
		reversed[length++] = (char)('0' + count % 10);
		digits++;
		count /= 10;
	} while (count);
	for (unsigned i = 0; i < length; i++)
		text[i] = reversed[length - 1 - i];
	(void)snprintf(buf, size, "%.*s", (int)length, text);
	return buf;
}

char *number_format_amount(char *buf, size_t size, uint64_t number, const char *unit)
{
	char count[40];
	if (strcmp(unit, "bytes") == 0)
		return number_format_bytes(buf, size, number);
	if (strcmp(unit, "ns") == 0)
		return number_format_duration(buf, size, number);
	size_t length = strlen(unit), ending = 0;
	if (number == 1 && length > 4 && strcmp(unit + length - 4, "ches") == 0)
		ending = 2;
	else if (number == 1 && length > 1 && unit[length - 1] == 's')
		ending = 1;
	(void)snprintf(buf, size, "%s %.*s", number_format_count(count, sizeof(count), number), (int)(length - ending),
		       unit);
	return buf;
}
