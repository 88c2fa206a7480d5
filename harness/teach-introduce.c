// SPDX-License-Identifier: MIT
/*
 * What is told before the shell of a lesson. See teach-fix.h.
 */
#include <stdio.h>
#include <string.h>

#include "teach-fix.h"

static void introduce_files(const struct markdown_style *style, const struct teach_fix *fix)
{
	bool memsw = false;
	if (!fix->writable_count)
		return;
	teach_put(style, 0, "  These files have its limits, and can be written; other files are read-only:");
	for (unsigned i = 0; i < fix->writable_count; i++) {
		char path[128];
		printf("    %s\n", fix_path(fix, i, path, sizeof(path)));
		memsw |= !strcmp(fix->writable[i], FIX_MEMSW);
	}
	if (memsw)
		teach_put(style, 0,
			  "  The limit of memory and swap together is never less than that of memory: raise %s first.",
			  FIX_MEMSW);
}

/* In the limited group it would be refused itself, killed or stall. */
static void introduce_group(const struct markdown_style *style, const struct teach_fix *fix)
{
	if (!fix->beside)
		return;
	teach_put(
		style, 0,
		"  The shell stands beside the limited group, with ceilings of its own: try and check put the program, "
		"and nobody else, into the group. Ctrl-C ends a program that stands still.");
}

static void introduce_mount(const struct markdown_style *style, const struct teach_fix *fix)
{
	if (fix->remounts)
		teach_put(style, 0,
			  "  mount -o remount,size=... " ENVIRONMENT_TMPFS
			  " (or nr_inodes=...), in just this spelling, is done for the shell: no run may remount "
			  "anything itself.");
}

static void introduce_shell(const struct markdown_style *style, const struct teach_fix *fix)
{
	teach_put(style, 0,
		  fix->beside ? "  Now make it succeed yourself, in a shell beside its group:"
			      : "  Now make it succeed yourself, in a shell that has the limits of the trigger:");
	teach_put(style, 9, "    try      runs the program there; $PROGRAM is where it is");
	teach_put(style, 9,
		  fix->beside
			  ? "    check    runs it with the limits that the group and the shell have then, and watches"
			  : "    check    runs it with the limits that the shell has then, and watches");
	teach_put(style, 9, "    hint     a hint, answer the answer; exit leaves");
	introduce_group(style, fix);
	introduce_files(style, fix);
	introduce_mount(style, fix);
}

static void introduce_guest(const struct markdown_style *style, const struct teach_fix *fix)
{
	teach_put(style, 0,
		  "  Now make it succeed yourself, as root of a guest that is made for you and thrown away after:");
	teach_put(style, 9, "    try      runs the program there; $PROGRAM is where it is");
	teach_put(style, 9,
		  "    check    runs it in another, fresh guest with the values that yours has then, and watches");
	teach_put(style, 9, "    hint     a hint, answer the answer; exit leaves");
	teach_put(style, 0,
		  "  What counts are sysctls, swap, the size of " ENVIRONMENT_TMPFS
		  ", limits of the shell (ulimit -S) and of the group.");
	bool above = false;
	for (unsigned i = 0; i < fix->count; i++)
		above |= strstr(fix->line[i], "$CGROUP_ABOVE") != NULL;
	if (fix->first != CGROUP_CONTROLLERS)
		teach_put(style, 0,
			  above ? "  $CGROUP is the directory of the group, $CGROUP_ABOVE that of the one above it."
				: "  $CGROUP is the directory of the group.");
	introduce_group(style, fix);
	introduce_mount(style, fix);
}

void fix_introduce(const struct markdown_style *style, const struct teach_fix *fix, bool in_guest)
{
	if (in_guest)
		introduce_guest(style, fix);
	else
		introduce_shell(style, fix);
}
