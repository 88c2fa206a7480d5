// SPDX-License-Identifier: MIT
/*
 * The stage: what happens between the harness and the program. The harness executes enomem again in its stage role,
 * which makes the run's namespaces and forks; as init of the new pid namespace the child sets what is kept per
 * namespace, makes the kernel's knobs read-only, starts the program under its limits, and reaps.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "environment.h"

#define STAGE_MAGIC          0x6d6f6e65U
#define STAGE_ARGUMENT_BYTES 32768
#define STAGE_ARGUMENTS      64
#define STAGE_WRITABLE       12

/* Everything the stage needs, handed over in a memfd by the harness to itself: same binary, so plain data. */
struct stage_spec {
	uint32_t magic, size;
	struct environment environment;
	bool change_identity;
	uint32_t uid, gid;
	bool user_namespace;  /* unprivileged: no knob to protect, capabilities to drop */
	char directory[1024]; /* of the program, becomes its working directory; "" to stay */
	char program[256];    /* name inside that directory, or a path or a name on PATH when directory is "" */
	bool disguised;       /* in that directory it is STAGE_DISGUISE, and the directory another one */
	char root[1024];      /* the program's root directory, absolute; "" for ours */
	unsigned argument_count;
	char arguments[STAGE_ARGUMENT_BYTES]; /* argv, one string after the other */
	bool clean_environment; /* PATH, HOME and LC_ALL=C only, so that messages read the same everywhere */
	bool watch_exit;        /* the witness is to see it about to end: filter_watch_exit() */
	int filter_fd, report_fd, stdin_fd, stdout_fd, stderr_fd; /* stdin_fd -1: nothing to read */
	unsigned closed_streams;                                  /* a bit each: the program has none there */
	int procs_fd[CGROUP_CONTROLLERS];                         /* cgroup.procs of the run's group, -1 for none */
	bool terminal;                      /* its standard input is to be its controlling terminal */
	pid_t inside;                       /* 0, or: the namespaces are those of this process, and set up */
	bool files_fixed;                   /* all that is mounted is read-only, but for ENVIRONMENT_TMPFS and these: */
	char writable[STAGE_WRITABLE][256]; /* files and directories; "" ends them */
};

/* What went wrong before the program could be executed; nothing is reported when it was. */
struct stage_report {
	char step[48];   /* "setrlimit as", "setuid", "execve" ... */
	int error;       /* positive errno */
	bool namespaces; /* it is these that could not be made */
};

/* Append one argument. -E2BIG when it does not fit. */
int stage_add_argument(struct stage_spec *spec, const char *argument);

/*
 * The stage role: read the spec from its descriptor and play it. Returns the exit status of the process. `command` is
 * what is executed where the spec has no arguments: any program's argv, ended by NULL, of any length.
 */
int stage_main(int spec_fd, char **command);
