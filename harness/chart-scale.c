// SPDX-License-Identifier: MIT
/*
 * Axes and bars. See chart-scale.h.
 */
#include "chart-scale.h"

#include <string.h>
#include <sys/param.h>

#include "number.h"

#define CUT_AT    6.0  /* times the other one: more is not drawn */
#define CUT_DRAWN 2.0  /* times the other one: as long as what was cut is drawn */
#define ROOM      0.92 /* of the length: the longest ends before the frame does */
#define LEAST     2.0

enum chart_unit chart_unit_of(const char *name)
{
	return !strcmp(name, "bytes") ? CHART_BYTES : !strcmp(name, "ns") ? CHART_NS : CHART_COUNT;
}

char *chart_number(enum chart_unit unit, uint64_t value, char *buf, size_t size)
{
	switch (unit) {
	case CHART_BYTES:
		return number_format_bytes(buf, size, value);
	case CHART_NS:
		return number_format_duration(buf, size, value);
	case CHART_COUNT:
		break;
	}
	return number_format_count(buf, size, value);
}

uint64_t chart_step(enum chart_unit unit, uint64_t max, unsigned marks)
{
	static const unsigned leading[] = {1, 2, 5};
	uint64_t least = max / MAX(marks, 1) + (max % MAX(marks, 1) != 0);
	if (unit == CHART_BYTES) {
		for (unsigned bit = 0; bit < 63; bit++)
			if (1ULL << bit >= least)
				return 1ULL << bit;
		return 1ULL << 63;
	}
	for (uint64_t power = 1; power <= 1000000000000000000; power *= 10) {
		for (unsigned i = 0; i < 3; i++)
			if (power * leading[i] >= least)
				return power * leading[i];
		if (power == 1000000000000000000)
			break;
	}
	return 10000000000000000000ULL;
}

double chart_place(uint64_t value, uint64_t max, double length)
{
	if (!max || value >= max)
		return value ? length : 0;
	return (double)value / (double)max * length;
}

static double at_least(uint64_t value, double drawn)
{
	return value && drawn < LEAST ? LEAST : drawn;
}

struct chart_bars chart_bars(struct chart_amount in_use, struct chart_amount asked, struct chart_amount bound,
			     double length)
{
	struct chart_bars b = {0};
	double most = 18446744073709551616.0; /* 2^64 */
	double used = in_use.beyond ? most : (double)in_use.value, more = asked.beyond ? most : (double)asked.value;
	double want = used + more, limit = bound.beyond ? most : (double)bound.value, scale;
	b.want_cut = in_use.beyond || asked.beyond || (limit > 0 && want > CUT_AT * limit);
	b.bound_cut = !b.want_cut && (bound.beyond || (want > 0 && limit > CUT_AT * want));
	if (b.want_cut)
		scale = limit > 0 ? limit * CUT_DRAWN : want;
	else if (b.bound_cut)
		scale = want > 0 ? want * CUT_DRAWN : limit;
	else
		scale = want > limit ? want : limit;
	if (scale <= 0)
		return b;
	double unit = length * ROOM / scale;
	b.in_use = at_least(in_use.value, used * unit);
	b.asked = at_least(asked.value, more * unit);
	b.bound = at_least(bound.value, limit * unit);
	if (b.want_cut) {
		b.in_use = MIN(b.in_use, asked.value || asked.beyond ? length * ROOM : length);
		b.asked = length - b.in_use;
	}
	if (b.bound_cut)
		b.bound = length;
	return b;
}
