// SPDX-License-Identifier: MIT
/*
 * Becomes the program named, with the arguments that follow: a shell script of a guide stands on the command line.
 */
#include <stdio.h>
#include <unistd.h>

int main(int argc, char *argv[])
{
	if (argc < 2) {
		fputs("usage: guide-script PROGRAM [ARGUMENT]...\n", stderr);
		return 2;
	}
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 1;
}
