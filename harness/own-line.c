// SPDX-License-Identifier: MIT
/*
 * See own-line.h. The kernel reads the line where exec put it, in our own memory: no privilege is needed to write
 * there, as there is to say that it is elsewhere (prctl PR_SET_MM).
 */
#include "own-line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int own_line_end(int argc, char **argv, int from)
{
	if (from >= argc)
		return 0;
	char **copies = calloc((size_t)(argc - from), sizeof(*copies));
	int made = 0;
	while (copies && made < argc - from && (copies[made] = strdup(argv[from + made])))
		made++;
	if (made < argc - from) {
		while (made > 0)
			free(copies[--made]);
		free(copies);
		return -ENOMEM;
	}
	for (int i = 0; i < made; i++) {
		explicit_bzero(argv[from + i], strlen(argv[from + i]));
		argv[from + i] = copies[i];
	}
	free(copies);
	return 0;
}
