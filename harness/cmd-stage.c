// SPDX-License-Identifier: MIT
/*
 * enomem stage: the role in which the harness starts a run; not for people.
 */
#include <unistd.h>

#include "number.h"
#include "options.h"
#include "say.h"
#include "stage.h"

static const struct option_row options[] = {{NULL, 0, NULL, NULL}};

static int cmd_stage_main(const struct command *self, int argc, char **argv)
{
	uint64_t fd;
	(void)self;
	if (argc < 2 || number_parse_count(argv[1], &fd) < 0 || fd > 1024) {
		(void)say_error(0, "stage: only enomem itself uses this");
		return EXIT_USAGE;
	}
	/* No exit handlers: nothing of the harness is to be finished here, and the run waits for this process. */
	_exit(stage_main((int)fd, argv + 2));
}

const struct command cmd_stage = {
	.name = "stage",
	.arguments = "FD [COMMAND [ARGUMENT...]]",
	.blurb = "The role in which a run is started.",
	.options = options,
	.run = cmd_stage_main,
	.hidden = true,
};
