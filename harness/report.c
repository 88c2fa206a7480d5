// SPDX-License-Identifier: MIT
/*
 * A result in the format that was asked for, and the certainty that it was written.
 */
#include <errno.h>

#include "report-formats.h"
#include "report.h"

const char *const report_format_names[FORMAT_COUNT] = {"pretty", "tap", "tap13", "json"};

int report_write(enum report_format format, const json_t *result, const struct report_options *options, FILE *out)
{
	int r = result_check(result, "result", NULL);
	if (r < 0)
		return r;
	errno = 0;
	switch (format) {
	case FORMAT_PRETTY:
		r = report_pretty(result, options, out);
		break;
	case FORMAT_TAP:
	case FORMAT_TAP13:
		report_tap(result, format == FORMAT_TAP ? 14 : 13, out);
		break;
	case FORMAT_JSON:
		r = json_dumpf(result, out, JSON_INDENT(1)) < 0 || fputc('\n', out) == EOF ? -EIO : 0;
		break;
	case FORMAT_COUNT:
		return -EINVAL;
	}
	/* A full disk shows at the latest here; what was printed before only sets the stream's error mark. */
	if (fflush(out) == EOF || ferror(out))
		return errno ? -errno : -EIO;
	return r;
}
