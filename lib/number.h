// SPDX-License-Identifier: MIT
/*
 * Numbers as people write them and as the kernel prints them: one strict parser for sizes, counts
 * and durations, one formatter. Bytes and nanoseconds inside, units only at the edge.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A limit that is not there: "max", "unlimited", RLIM_INFINITY. JSON shows it as null. */
#define ENOMEM_UNLIMITED UINT64_MAX
/* A number this kernel, machine or moment does not have. JSON leaves its key out. */
#define ENOMEM_ABSENT    (UINT64_MAX - 1)

/*
 * Parse a size: decimal digits and at most one of K M G T (powers of 1024, either case), nothing else.
 * No sign, blank, fraction, leading zero before other digits, or "MB". The word "max" is not a size.
 * Returns 0, -EINVAL (not a size) or -ERANGE (does not fit below ENOMEM_ABSENT).
 */
int number_parse_size(const char *text, uint64_t *ret_bytes);

/* Parse plain decimal digits. Same errors as number_parse_size(). */
int number_parse_count(const char *text, uint64_t *ret_count);

/* Parse a limit: as a size, or "max"/"unlimited", which yield ENOMEM_UNLIMITED. */
int number_parse_limit(const char *text, uint64_t *ret_bytes);

/* Parse a duration: digits and one of ns us ms s min. Same errors as number_parse_size(). */
int number_parse_duration(const char *text, uint64_t *ret_ns);

/* Parse a percentage "60%", returned in basis points (6000), with up to two decimals: "2.5%" is 250. */
int number_parse_percent(const char *text, uint64_t *ret_basis_points);

/*
 * The decimal digits at the start of text, of which length bytes may be looked at: returns how many there are and their
 * value, UINT64_MAX when it is larger than that. 0 digits leave *ret untouched. For parsers of kernel text, which need
 * no more.
 */
size_t number_scan_digits(const char *text, size_t length, uint64_t *ret);

/*
 * Write bytes, a count or a duration for people ("64.0 MiB", "65,530", "12.3 ms"; "unlimited", "-" when absent)
 * into buf and return buf. Sizes that are not a whole unit keep one decimal; under 1 KiB they are "512 B".
 */
char *number_format_bytes(char *buf, size_t size, uint64_t bytes);
char *number_format_count(char *buf, size_t size, uint64_t count);
char *number_format_duration(char *buf, size_t size, uint64_t ns);
/* The same in a cause's unit: "bytes", "ns", or what is counted, in the plural: "12 tasks", "1 task", "1 watch". */
char *number_format_amount(char *buf, size_t size, uint64_t number, const char *unit);
