// SPDX-License-Identifier: MIT
/*
 * The end of `enomem run`: results stored, reported, compared, and the exit status that they come to.
 */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "cmd-run-report.h"
#include "failed.h"
#include "jobs.h"
#include "report-text.h"
#include "say.h"

static json_int_t verdicts(const json_t *results, const char *verdict)
{
	json_int_t sum = 0;
	const json_t *result;
	size_t i;
	json_array_foreach (results, i, result)
		sum += json_integer_value(json_object_get(json_object_get(result, "summary"), verdict));
	return sum;
}

/* A run, or a boundary that was to be located. */
static bool any_run_skipped(const json_t *results)
{
	const json_t *result, *scenario, *boundary;
	size_t i, k, n;
	json_array_foreach (results, i, result)
		json_array_foreach (json_object_get(result, "scenarios"), k, scenario) {
			if (json_integer_value(json_object_get(scenario, "runs_skipped")) > 0)
				return true;
			json_array_foreach (json_object_get(scenario, "boundaries"), n, boundary)
				if (strcmp(text_of(boundary, "verdict"), "skip") == 0)
					return true;
		}
	return verdicts(results, "skip") > 0;
}

static int exit_code(const struct run_options *o, const json_t *results, bool moved)
{
	if (jobs_interrupted)
		return EXIT_INTERRUPTED;
	if (verdicts(results, "fail") > 0 || moved)
		return EXIT_PREDICTION_FAILED;
	if (verdicts(results, "broken") > 0)
		return EXIT_BROKEN;
	if (o->no_skip && any_run_skipped(results))
		return EXIT_PREDICTION_FAILED;
	if (verdicts(results, "pass") == 0)
		return EXIT_ALL_SKIPPED;
	return EXIT_AS_PREDICTED;
}

/* The number of differences to the baseline, told on stderr: stdout may be for a machine. -errno when it is unusable.
 */
static int compare_with_baseline(const struct run_options *o, const json_t *results)
{
	const json_t *result;
	int sum = 0;
	size_t i;
	if (!o->baseline.path)
		return 0;
	json_array_foreach (results, i, result) {
		int r = baseline_compare(result, &o->baseline, true, o->partly, stderr);
		if (r < 0)
			return r;
		sum += r;
	}
	if (sum == 0)
		say_note("nothing moved from %s", o->baseline.path);
	return sum;
}

int run_report(const struct run_options *o, const json_t *results)
{
	size_t count = json_array_size(results);
	auto_free json_t **each = calloc(count + 1, sizeof(json_t *));
	if (!each)
		return EXIT_BROKEN;
	for (size_t i = 0; i < count; i++)
		each[i] = json_array_get(results, i);
	int r = !o->output ? 0 : count == 1 ? result_store(o->output, each[0]) : results_store(o->output, each, count);
	if (r < 0)
		(void)say_error(r, "%s: the result could not be stored; what was there before is untouched", o->output);
	struct report_options how = o->report;
	how.interrupted = jobs_interrupted;
	int w = report_write_set(o->format, each, count, &how, stdout);
	/* Everything was run, and all that is kept is kept. */
	int unwritten = w < 0 ? say_unwritten(w, "the report could not be written") : 0;
	(void)failed_remember(results); /* a convenience: who has no home does without */
	int moved = compare_with_baseline(o, results);
	if (moved < 0)
		return moved == -ENOMEM ? EXIT_BROKEN : EXIT_USAGE;
	if (r < 0)
		return EXIT_BROKEN;
	return unwritten ? unwritten : exit_code(o, results, moved > 0);
}
