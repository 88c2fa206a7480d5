// SPDX-License-Identifier: MIT
/*
 * A run's environment on the harness's side: what is made before its program starts and changed while it is held.
 */
#pragma once

#include "run.h"
#include "stage.h"

/* Note what went wrong in setting the stage; the first problem wins. error is a positive errno or 0. Returns -1. */
int run_problem(struct run_record *record, int error, const char *step, const char *hint, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* Make the run's group and set its limits; record->cgroup is set when there is one. 0, or -1 with a problem noted. */
int run_make_group(struct run_context *context, struct run_record *record, struct cgroup *cg);

/* Open the groups of another run. Nothing of them is set. */
void run_join_group(const struct run_context *context, struct run_record *record, struct cgroup *cg);

/* Resolve the user the program becomes. 0, or -1 with a problem noted. */
int run_set_identity(struct run_record *record, struct stage_spec *spec);

/* A machine-scope run in a guest: what it changes is lost with the guest, so nothing is journalled or restored. */
bool run_is_thrown_away(const struct run_context *context, const struct plan_run *run);

/* Does the run change anything of the whole machine, before or live? */
bool run_changes_machine(const struct environment *env);

/*
 * Machine scope: set the sysctls, the files in /sys and the swap. Outside a guest there are sysctls only, under the
 * lock and journalled: session->journal is set when they have to be restored. 0, or -1 with a problem noted.
 */
int run_change_machine(struct run_context *context, struct run_record *record, struct sysctl_session *session);

/* A guest that is thrown away promises whatever it is asked for from here on: the run is over, its values are still in
 * force, and what is to be told of it needs memory. */
void run_relieve_machine(void);

/* What of it is changed at the failing moment. */
void run_change_machine_live(struct run_record *record);

/* Any other scope: see that no other harness changes the machine meanwhile. 0, or -1 with a problem noted. */
int run_calm_machine(struct run_context *context, struct run_record *record, int *ret_fd);

/* kernel.pid_max of the run's own pid namespace; ENOMEM_ABSENT where the run sets none. */
uint64_t run_namespace_pid_max(const struct environment *env);

/* Does the run change a limit live, and the change itself, for the witness to call at the failing moment. */
bool run_changes_live(const struct environment *env);
void run_change_live(const struct refusal *first, void *record);
/* The same for the sampler, where the program stalls instead of being refused. */
void run_change_at_stall(void *record);

/* Ours, but for the language. The stage gives the program an environment of
 * its own. The texts are not copied, the list is to be freed; NULL without memory. */
char **run_plain_environment(void);
