// SPDX-License-Identifier: MIT
/*
 * Results in the format that was asked for, and the certainty that they were written.
 */
#include "report.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "report-formats.h"
#include "report-matrix.h"
#include "report-text.h"

const char *const report_format_names[FORMAT_COUNT] = {"pretty", "tap", "tap13", "json", "junit", "markdown"};

bool report_verdict_is_alone(const json_t *scenario)
{
	const json_t *run = NULL;
	size_t i;
	json_array_foreach (json_object_get(scenario, "runs"), i, run)
		if (!strcmp(text_of(run, "verdict"), text_of(scenario, "verdict")))
			return false;
	json_array_foreach (json_object_get(scenario, "boundaries"), i, run)
		if (!strcmp(text_of(run, "verdict"), text_of(scenario, "verdict")))
			return false;
	return true;
}

static bool takes_references(enum report_format format, size_t count)
{
	return format == FORMAT_MARKDOWN || (format == FORMAT_PRETTY && count > 1);
}

static int write_array(enum report_format format, const json_t *results, const struct report_options *options,
		       FILE *out)
{
	json_auto_t *labels = results_labels(results);
	if (!labels)
		return -ENOMEM;
	switch (format) {
	case FORMAT_PRETTY:
		return json_array_size(results) == 1 ? report_pretty(json_array_get(results, 0), options, out)
						     : report_matrix(results, labels, options, out);
	case FORMAT_TAP:
	case FORMAT_TAP13:
		report_tap(results, labels, format == FORMAT_TAP ? 14 : 13, out);
		if (options && options->interrupted)
			(void)fputs("Bail out! interrupted\n", out);
		return 0;
	case FORMAT_JUNIT:
		report_junit(results, labels, out);
		return 0;
	case FORMAT_MARKDOWN:
		return report_markdown(results, out);
	case FORMAT_JSON:
	case FORMAT_COUNT:
		break;
	}
	return -EINVAL;
}

int report_write_set(enum report_format format, json_t *const *results, size_t count,
		     const struct report_options *options, FILE *out)
{
	json_auto_t *array = json_array();
	int r = count ? 0 : -EINVAL;
	for (size_t i = 0; i < count && !r; i++) {
		r = takes_references(format, count) ? result_check_any(results[i], "result", NULL)
						    : result_check(results[i], "result", NULL);
		if (!r && json_array_append(array, results[i]) < 0)
			r = -ENOMEM;
	}
	if (r < 0)
		return r;
	errno = 0;
	r = format == FORMAT_JSON ? results_dump(results, count, out) : write_array(format, array, options, out);
	/* A full disk shows at the latest here; what was printed before only sets the stream's error mark. */
	if (fflush(out) == EOF || ferror(out))
		return errno ? -errno : -EIO;
	return r;
}

int report_write(enum report_format format, const json_t *result, const struct report_options *options, FILE *out)
{
	json_t *one = (json_t *)(uintptr_t)result;
	return report_write_set(format, &one, 1, options, out);
}
