// SPDX-License-Identifier: MIT
/*
 * --root=DIR: a command that is looked for in another root directory, and has it as its own.
 */
#pragma once

#include <stddef.h>

struct root_command {
	int fd;               /* of the directory; -1 for none */
	char directory[1024]; /* its real path */
	char inside[4096];    /* the command's path as seen in there */
	char outside[4096];   /* and the file that this leads to, as seen here */
};

/* 0, or the exit status after telling why this can be no root directory, or that there is no such command in it. */
int root_command_find(const char *directory, const char *name, struct root_command *ret);
