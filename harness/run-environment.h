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

/* Resolve the user the program becomes. 0, or -1 with a problem noted. */
int run_set_identity(struct run_record *record, struct stage_spec *spec);

/* Machine scope: take the lock, journal and change the sysctls. session->journal is set when it has to be restored. */
int run_change_machine(struct run_context *context, struct run_record *record, struct sysctl_session *session);

/* Any other scope: see that no other harness changes the machine meanwhile. 0, or -1 with a problem noted. */
int run_calm_machine(struct run_context *context, struct run_record *record, int *ret_fd);

/* Does the run change a limit live, and the change itself, for the witness to call at the failing moment. */
bool run_changes_live(const struct environment *env);
void run_change_live(const struct refusal *first, void *record);
