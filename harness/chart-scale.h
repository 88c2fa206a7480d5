// SPDX-License-Identifier: MIT
/*
 * From numbers to places in a drawing: axes, and the bars of "in use + asked > bound".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum chart_unit { CHART_BYTES, CHART_COUNT, CHART_NS };

/* By the unit of a cause: "bytes", "ns", anything else is counted. */
enum chart_unit chart_unit_of(const char *name);
/* "64.0 MiB", "65,530", "12.3 ms" */
char *chart_number(enum chart_unit unit, uint64_t value, char *buf, size_t size);

/*
 * The step between marks of an axis from 0 to max so that there are at most `marks` of them beyond 0: powers of two for
 * bytes, 1, 2 or 5 times a power of ten else. Never 0.
 */
uint64_t chart_step(enum chart_unit unit, uint64_t max, unsigned marks);

/* Where value is on a line of this length that begins at 0 and ends at max; what is above max is at its end. */
double chart_place(uint64_t value, uint64_t max, double length);

/* One amount of a limit; beyond: 2^63 and more, whatever it is exactly. */
struct chart_amount {
	uint64_t value;
	bool beyond;
};

/*
 * in_use + asked as one bar and the bound beside it. All are in proportion unless one is so much larger that nothing
 * would be seen of the other: then the larger is cut and marked as such. What is not zero is at least two units wide.
 */
struct chart_bars {
	double in_use, asked; /* widths; the second begins where the first ends */
	double bound;         /* place of its mark, 0 for a bound of nothing */
	bool want_cut, bound_cut;
};
struct chart_bars chart_bars(struct chart_amount in_use, struct chart_amount asked, struct chart_amount bound,
			     double length);
