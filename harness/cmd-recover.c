// SPDX-License-Identifier: MIT
/*
 * enomem recover: undo what a killed run left behind.
 */
#include "leftovers.h"
#include "options.h"
#include "say.h"

static const struct option_row options[] = {
	{"dry-run", 'n', NULL, "only tell what would be undone"},
	{NULL, 0, NULL, NULL},
};

static int cmd_recover_main(const struct command *self, int argc, char **argv)
{
	const char *value;
	bool dry_run = false;
	for (int letter; (letter = options_next(self, argc, argv, &value)) != -1;) {
		if (letter == 'h') {
			options_help(self);
			return say_finish(EXIT_AS_PREDICTED);
		}
		if (letter != 'n')
			return EXIT_USAGE;
		dry_run = true;
	}
	if (options_operands() < argc) {
		(void)say_error(0, "%s: recover takes no operand", argv[options_operands()]);
		return EXIT_USAGE;
	}
	int r = leftovers_report(dry_run, stdout);
	if (r < 0) {
		(void)say_error(r, "not everything could be undone");
		return EXIT_BROKEN;
	}
	if (r == 0)
		puts("Nothing was left behind.");
	return say_finish(EXIT_AS_PREDICTED);
}

const struct command cmd_recover = {
	.name = "recover",
	.arguments = "[--dry-run]",
	.examples = "  enomem recover --dry-run  what a killed run left, if anything\n"
		    "  enomem recover\n",
	.blurb = "Restore sysctls and remove cgroups that a killed run left behind. Living runs are not touched.",
	.options = options,
	.run = cmd_recover_main,
};
