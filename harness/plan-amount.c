// SPDX-License-Identifier: MIT
/*
 * Amounts: sizes and counts relative to what the machine has, such as "ram + swap + 1 page" or "60% of
 * commit.headroom".
 */
#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "cleanup.h"
#include "number.h"
#include "plan-internal.h"

#define TERM_MAX 64

/* The closed list of bases: a number of the machine, less another one where minus is given (then never below 0). */
static const struct amount_base {
	const char *name;
	size_t offset, minus;
} bases[] = {
#define MEMINFO(id) offsetof(struct machine, now.meminfo.value[MEMINFO_##id])
#define SYSCTL(id)  offsetof(struct machine, now.sysctl[SYSCTL_##id])
	{"ram", MEMINFO(MEM_TOTAL), 0},
	{"swap", MEMINFO(SWAP_TOTAL), 0},
	{"free", MEMINFO(MEM_FREE), 0},
	{"available", MEMINFO(MEM_AVAILABLE), 0},
	{"page", offsetof(struct machine, page_size), 0},
	{"hugepage", MEMINFO(HUGEPAGE_SIZE), 0},
	{"commit.limit", MEMINFO(COMMIT_LIMIT), 0},
	{"commit.used", MEMINFO(COMMITTED_AS), 0},
	{"commit.headroom", MEMINFO(COMMIT_LIMIT), MEMINFO(COMMITTED_AS)},
	{"max_map_count", SYSCTL(MAX_MAP_COUNT), 0},
	{"pid_max", SYSCTL(PID_MAX), 0},
	{"threads_max", SYSCTL(THREADS_MAX), 0},
	{"threads", offsetof(struct machine, now.tasks), 0},
};

static uint64_t number_at(const struct machine *m, size_t offset)
{
	uint64_t number;

	memcpy(&number, (const char *)m + offset, sizeof(number));
	return number;
}

static int base_value(const char *name, const struct machine *m, uint64_t *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
		if (strcmp(bases[i].name, name) != 0)
			continue;
		uint64_t value = m ? number_at(m, bases[i].offset) : 0;
		uint64_t minus = m && bases[i].minus ? number_at(m, bases[i].minus) : 0;
		if (value >= ENOMEM_ABSENT || minus >= ENOMEM_ABSENT)
			return -EINVAL;
		*ret = value > minus ? value - minus : 0;
		return 0;
	}
	return -EINVAL;
}

/* Multiplies first only what the division leaves over, so that 60% of an exabyte does not overflow. */
static int percent_of(uint64_t base, uint64_t basis_points, uint64_t *ret)
{
	uint64_t whole, rest;

	if (__builtin_mul_overflow(base / 10000, basis_points, &whole) ||
	    __builtin_mul_overflow(base % 10000, basis_points, &rest) ||
	    __builtin_add_overflow(whole, rest / 10000, &whole))
		return -ERANGE;
	*ret = whole;
	return 0;
}

static int pages_value(const char *count_text, const struct machine *m, uint64_t *ret)
{
	uint64_t count, bytes;
	int r = number_parse_count(count_text, &count);

	if (r < 0)
		return r;
	if (__builtin_mul_overflow(count, m ? m->page_size : 1, &bytes))
		return -ERANGE;
	*ret = bytes;
	return 0;
}

/* A copy of the text up to where `end` begins when the text ends so: "12 pages" and " pages" give "12". */
static bool cut_end(const char *text, const char *end, char ret[TERM_MAX])
{
	size_t length = strlen(text), end_length = strlen(end);

	if (length <= end_length || strcmp(text + length - end_length, end) != 0)
		return false;
	memcpy(ret, text, length - end_length);
	ret[length - end_length] = '\0';
	return true;
}

static int term_value(const char *term, const struct machine *m, uint64_t *ret)
{
	static const char of[] = "% of ";
	char head[TERM_MAX];
	const char *percent = strstr(term, of);

	if (percent) {
		uint64_t basis_points, base = 0;
		size_t length = (size_t)(percent - term) + 1; /* with the % */
		memcpy(head, term, length);
		head[length] = '\0';
		int r = number_parse_percent(head, &basis_points);
		if (r == 0)
			r = base_value(percent + strlen(of), m, &base);
		return r < 0 ? r : percent_of(base, basis_points, ret);
	}
	if (base_value(term, m, ret) == 0)
		return 0;
	if (cut_end(term, " pages", head) || cut_end(term, " page", head))
		return pages_value(head, m, ret);
	return number_parse_size(term, ret);
}

/* Where the next " + " or " - " is, or the end of the text. */
static size_t term_length(const char *text)
{
	size_t i = 0;

	for (; text[i]; i++) {
		if (text[i] == ' ' && (text[i + 1] == '+' || text[i + 1] == '-') && text[i + 2] == ' ')
			break;
	}
	return i;
}

int amount_parse(const char *text, const struct machine *m, uint64_t *ret)
{
	uint64_t plus = 0, minus = 0;
	char sign = '+';

	for (;;) {
		char term[TERM_MAX];
		uint64_t value = 0;
		size_t length = term_length(text);
		if (length == 0 || length >= sizeof(term))
			return -EINVAL;
		memcpy(term, text, length);
		term[length] = '\0';
		int r = term_value(term, m, &value);
		if (r < 0)
			return r;
		uint64_t *sum = sign == '+' ? &plus : &minus;
		if (__builtin_add_overflow(*sum, value, sum))
			return -ERANGE;
		text += length;
		if (*text == '\0')
			break;
		sign = text[1];
		text += strlen(" + ");
	}
	if (!m)
		return 0;
	if (minus > plus || plus - minus >= ENOMEM_ABSENT)
		return -ERANGE;
	*ret = plus - minus;
	return 0;
}

int plan_amount(const char *text, const struct machine *m, uint64_t *ret)
{
	return amount_parse(text, m, ret);
}

/* "64MB", "64KiB", "1.5G", "64m": digits, perhaps a fraction, and nothing but a unit. */
static bool looks_like_size(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	const char *unit = text + digits;

	if (digits == 0)
		return false;
	if (*unit == '.')
		unit += 1 + strspn(unit + 1, "0123456789");
	if (*unit == '\0' || !strchr("kKmMgGtT", *unit))
		return false;
	unit++;
	unit += *unit == 'i';
	unit += *unit == 'b' || *unit == 'B';
	return *unit == '\0';
}

bool amount_intended(const char *text)
{
	char first[TERM_MAX];
	size_t length = term_length(text);
	uint64_t ignored;

	if (looks_like_size(text) || (isdigit((unsigned char)*text) && strstr(text, "% of ")))
		return true;
	if (text[length] == '\0' || length >= sizeof(first))
		return false;
	memcpy(first, text, length);
	first[length] = '\0';
	return term_value(first, NULL, &ignored) == 0;
}

bool amount_depends(const char *text)
{
	for (;;) {
		char term[TERM_MAX];
		uint64_t ignored;
		size_t length = term_length(text);
		if (length >= sizeof(term))
			return false;
		memcpy(term, text, length);
		term[length] = '\0';
		if (strstr(term, "% of ") || base_value(term, NULL, &ignored) == 0)
			return true;
		text += length;
		if (*text == '\0')
			return false;
		text += strlen(" + ");
	}
}

bool metric_path_valid(const char *text, size_t length)
{
	static const char *const roots[] = {"before", "failure", "after",      "delta", "arguments", "witness",
					    "exit",   "cause",   "kernel_log", "most",  "least"};
	static const char alone[] = "duration_ns";
	size_t root = 0;

	while (root < length && text[root] != '.')
		root++;
	for (size_t i = 0; i < length; i++) {
		if (!isalnum((unsigned char)text[i]) && !strchr("._-/", text[i]))
			return false;
		if (text[i] == '.' && (i + 1 == length || text[i + 1] == '.'))
			return false;
	}
	if (length == strlen(alone) && strncmp(text, alone, length) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		if (strlen(roots[i]) == root && strncmp(text, roots[i], root) == 0)
			return root < length;
	}
	return false;
}
