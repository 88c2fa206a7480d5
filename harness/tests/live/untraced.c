// SPDX-License-Identifier: MIT
/*
 * A program that asks for a task that nobody traces, in the way that its argument names: see lib/tests/play-untraced.h.
 */
#include "../../../lib/tests/play-untraced.h"

int main(int argc, char **argv)
{
	return argc == 2 ? play_untraced(argv[1]) : 9;
}
