// SPDX-License-Identifier: MIT
/*
 * The kernel's knobs, turned and looked at again: a value that the kernel took but did not keep is an error. Neither
 * journalled nor restored: for guests that are thrown away, and for values of a namespace that dies with the run.
 */
#pragma once

#include <stdbool.h>

/* "/sys"; tests point it at a directory of plain files. */
extern const char *knob_sys_root;

/*
 * Write "vm.overcommit_memory" and read it back. -EIO when it did not take, else the -errno of the write. What can only
 * be written, such as vm.compact_memory, is taken at its word.
 */
int knob_set_sysctl(const char *name, const char *value);

/*
 * The same for a file below /sys, "kernel/mm/transparent_hugepage/enabled". Links are followed only while they stay
 * below /sys. A file that shows every choice, "always [madvise] never", is read as the one in brackets.
 */
int knob_set_sys(const char *name, const char *value);

/* Does the text of such a file say this value? */
bool knob_shows(const char *text, const char *value);
