// SPDX-License-Identifier: MIT
/*
 * scenario.yaml as data. Reading it needs no machine: sizes that depend on one ("60% of commit.headroom") stay text
 * until plan.c resolves them. Every error names file, line and column and shows the line with a caret.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MANIFEST_MAX_BYTES (256U * 1024)

enum scope { SCOPE_PROCESS, SCOPE_CGROUP, SCOPE_NAMESPACE, SCOPE_MACHINE, SCOPE_COUNT };
enum role { ROLE_CONTROL, ROLE_TRIGGER, ROLE_REMEDY, ROLE_COUNT };
extern const char *const scope_names[SCOPE_COUNT];
extern const char *const role_names[ROLE_COUNT];

struct strings {
	char **item;
	size_t count;
};

/* A key with a text value, kept in the manifest's order: rlimits, cgroup limits, sysctls. */
struct setting {
	char *key, *value;
};
struct settings {
	struct setting *item;
	size_t count;
};

/* What is set before the program starts, as written. NULL or empty: not set here, inherited from the level above. */
struct environment_text {
	struct settings rlimit;           /* as: 64M */
	struct settings cgroup;           /* memory.max: 16M */
	struct settings cgroup_above;     /* the same, of a group around the run's own */
	struct settings sysctl;           /* vm.overcommit_memory: 2 */
	struct settings sys;              /* kernel/mm/transparent_hugepage/enabled: always */
	struct settings namespace_sysctl; /* kernel.shmmax: 65536 */
	struct settings tmpfs;            /* size: 1M, inodes: 16 */
	struct settings inject;           /* munmap: ENOMEM, or none */
	char *swap;                       /* an amount */
	char *swap_on;                    /* "zram" (default) or "disk" */
	char *knobs;                      /* "read-only" (default) or "writable" */
	char *identity;                   /* user name */
	char *oom_score_adj;
	char *cpus; /* "one" (default) or "all" */
};

/* Where something applies or what it needs. NULL or empty: does not matter. */
struct needs {
	char *kernel;                /* ">=6.1", "<6.11", or both: ">=5.10 <6.11" */
	char *cgroup_version;        /* "v1", "v2": of the memory controller, or pids where only that is used */
	struct strings capabilities; /* SYS_ADMIN, ... */
	struct strings controllers;  /* memory, pids */
	struct strings tools;        /* programs on PATH, or absolute paths */
	struct settings sysctl;      /* must have this value now: vm.overcommit_memory: 0 */
	char *ram;                   /* at least so much: "200M" */
	bool root;
	bool user_namespaces;
	bool io_uring;
	bool ia32;
	bool default_sysctls; /* a guest's, which neither --sysctl nor --profile changed */
};

enum relation { REL_IS, REL_AT_LEAST, REL_AT_MOST, REL_ABOVE, REL_BELOW, REL_NEAR, REL_COUNT };
extern const char *const relation_names[REL_COUNT]; /* "is", "at_least", "at_most", "above", "below", "near" */

struct check {
	char *value; /* "failure.meminfo.Committed_AS - before.meminfo.Committed_AS" */
	char *minus; /* the path after " - ", NULL without one; value then holds only the first */
	char *text;  /* the left side as written */
	enum relation relation;
	char *right;  /* number, size, amount ("ram + swap") or metric path */
	char *within; /* near only: "2%" or a size */
	struct needs when;
	bool has_when;
};

struct expect {
	struct strings call; /* any of these; empty: not said */
	char *error;         /* "ENOMEM" */
	char *signal;        /* "SIGKILL" */
	char *si_code;       /* "SEGV_MAPERR" */
	char *cause;         /* cause id */
	char *says;          /* text that the program's output must contain, besides what the witness saw */
	char *exit;          /* "0", "1", ..., "any" */
	char *panic;         /* text of the kernel's last words */
	char *oom_kills;     /* in the run's own group: "0", "1", ..., "any" */
	bool stall;
	bool has_stall;    /* stall was said, true or false */
	bool does_without; /* what was refused first is never granted: the program succeeds otherwise */
	struct check *check;
	size_t check_count;
};

struct run_text {
	char *name;
	enum role role;
	enum scope scope;         /* the scenario's unless the run says otherwise */
	bool helps;               /* remedy: true unless it is folklore ("helps: false") */
	bool described;           /* trigger: ends differently from one time to the next; shown, and never judged */
	struct strings cases;     /* empty: all */
	struct strings arguments; /* appended to the scenario's and the case's */
	struct environment_text environment;
	struct environment_text live; /* rlimit, cgroup, sysctl and swap only: changed while the program is held at its
					 failing moment */
	struct needs needs;           /* unmet: the run is skipped, and said so */
	struct needs when;            /* unmet: the run does not exist on this kernel */
	bool has_when;
	struct expect expect;
	char *deadline;
	char *note;    /* for people: how kernels differ */
	bool left_out; /* not asked for: SCENARIO/CASE named another trigger */
	unsigned line;
};

/* Which number --locate varies, between which ends, and where the last granted one must be. */
struct locate_text {
	char *argument;          /* "--bytes", or a position from 1; or */
	char *setting;           /* "rlimit.as": of the environment */
	char *run;               /* the trigger it is varied in; NULL: the case's first */
	char *step;              /* an amount: the grain of the search */
	char *granted, *refused; /* amounts: the ends */
	char *predicted;         /* amounts and metric paths of a refused run, joined by " + " and " - " */
	char *elsewhere;         /* predicted where `when` is unmet; NULL: nothing is located there */
	struct needs when;
	bool has_when;
	char *tolerance, *why; /* how far off it may be, and why the kernel is not exact; NULL: not at all */
	struct strings cases;  /* of the scenario's only: empty: all */
};

struct case_text {
	char *name;
	struct strings arguments;
	struct environment_text environment;
	struct needs needs; /* unmet: its runs are skipped, and said so */
	struct expect expect;
	struct locate_text locate; /* laid over the scenario's, key by key */
	bool has_locate;
	bool left_out; /* not asked for: SCENARIO/CASE named others */
	unsigned line;
};

struct scenario {
	char *directory; /* as given */
	char *file;      /* directory/scenario.yaml */
	char *name, *title, *class_name, *program;
	enum scope scope;
	bool survivable; /* machine scope only: may run here with --allow-machine */
	char *deadline;  /* NULL: 10s */
	char *note;      /* for people: how kernels differ */
	struct needs needs;
	struct strings bring; /* files and directories of this machine that its programs need, also in a guest */
	struct environment_text environment;
	struct strings arguments;
	struct expect expect;
	struct locate_text locate;
	bool has_locate;
	struct case_text *cases; /* none: one unnamed case */
	size_t case_count;
	struct run_text *runs;
	size_t run_count;
};

/*
 * Read DIRECTORY/scenario.yaml. 0 and a scenario to be freed with scenario_free(); -EINVAL when the manifest is wrong,
 * with all errors (file:line:column, the line, a caret, a hint where one helps) written to errors; else -errno with one
 * line there.
 */
int manifest_read(const char *directory, FILE *errors, struct scenario **ret);
/* The same from memory, under a file name used in messages; what the fuzzer calls. No file is touched. */
int manifest_parse(const char *text, size_t length, const char *file, FILE *errors, struct scenario **ret);
/* Is this one line what an environment may hold ("rlimit: {as: 64M}")? Errors are told as of a file. -EINVAL, -ENOMEM
 */
int manifest_check_environment(const char *line, const char *file, FILE *errors);
void scenario_free(struct scenario *s);
