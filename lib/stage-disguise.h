// SPDX-License-Identifier: MIT
/*
 * A program under a name that tells nothing: its comm, its /proc/PID/exe, cwd, cmdline and maps are read by whoever is
 * to find out what happened to it, and scenarios are called after causes.
 */
#pragma once

#define STAGE_DISGUISE "victim"

/*
 * In the caller's own mount namespace, on a directory that every machine has (hier(7)): a tmpfs with copies of the
 * executable files of `directory`, where `program` is called STAGE_DISGUISE and others keep their names. It goes with
 * the namespace. Its pages are the caller's: call it before joining a group that counts them. 0 and the directory
 * (static storage), or -errno and the step that failed; see mount(2).
 */
int stage_disguise(const char *directory, const char *program, const char **ret_directory, const char **ret_step);
