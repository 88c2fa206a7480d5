// SPDX-License-Identifier: MIT
/*
 * enomem compare: what changed between two stored results.
 */
#include "options.h"
#include "report.h"
#include "say.h"

static const struct option_row options[] = {{NULL, 0, NULL, NULL}};

static int cmd_compare_main(const struct command *self, int argc, char **argv)
{
	const char *value;
	json_auto_t *a = NULL, *b = NULL;
	for (int letter; (letter = options_next(self, argc, argv, &value)) != -1;) {
		if (letter == 'h') {
			options_help(self);
			return say_finish(EXIT_AS_PREDICTED);
		}
		return EXIT_USAGE;
	}
	char **files = argv + options_operands();
	if (argc - options_operands() != 2) {
		(void)say_error(0, "compare takes two result files");
		say_hint("enomem run -o before.json; enomem run -o after.json; enomem compare before.json after.json");
		return EXIT_USAGE;
	}
	int ra = result_load(files[0], stderr, &a), rb = result_load(files[1], stderr, &b);
	if (ra < 0 || rb < 0)
		return EXIT_USAGE;
	int moved = compare_results(a, b, files[0], files[1], stdout);
	if (moved < 0) {
		(void)say_error(moved, "the results could not be compared");
		return EXIT_BROKEN;
	}
	return say_finish(moved ? EXIT_PREDICTION_FAILED : EXIT_AS_PREDICTED);
}

const struct command cmd_compare = {
	.name = "compare",
	.arguments = "RESULT RESULT",
	.blurb =
		"Tell what moved between two results: verdicts, causes, outcomes, boundaries, new and lost scenarios.\n"
		"Exit status 0 only when nothing moved; times, pids and addresses never count.",
	.options = options,
	.run = cmd_compare_main,
};
