// SPDX-License-Identifier: MIT
/*
 * The command line of this process, as /proc/PID/cmdline has it for whoever looks, and ps with it.
 */
#pragma once

/*
 * Put copies in place of the words from `from` on, and nothing where they stood: from now on the line ends before them.
 * What is forked afterwards has the same. The copies stay as long as the process does. -ENOMEM; then nothing has
 * changed.
 */
int own_line_end(int argc, char **argv, int from);
