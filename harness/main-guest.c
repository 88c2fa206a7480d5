// SPDX-License-Identifier: MIT
/*
 * enomem-guest: the part of enomem that works inside a guest, init, agent and stage, linked statically; the stage of
 * runs outside of guests as well. Linking the whole of enomem dynamically costs more than anything else a stage does,
 * and a third of a run's time on an emulated CPU. Where it was not built, enomem itself serves.
 */
#include <string.h>

#include "guest-init.h"
#include "json-memory.h"
#include "options.h"
#include "say.h"

int main(int argc, char **argv)
{
	json_memory_watch();
	if (guest_is_init(argc, argv))
		guest_init();
	if (argc > 1 && strcmp(argv[1], cmd_stage.name) == 0)
		return cmd_stage.run(&cmd_stage, argc - 1, argv + 1);
	(void)say_error(0, "this program is for guests: enomem run --guest");
	return EXIT_USAGE;
}
