// SPDX-License-Identifier: MIT
/*
 * What the parts of evidence share.
 */
#pragma once

#include "run.h"

json_t *evidence_errno(int error);
json_t *evidence_signal(int signal);
/* "SEGV_MAPERR"; NULL where it has no name. */
const char *evidence_code_name(int signal, int code);

/* The signal the program died of, as the witness saw it; NULL when it did not die of one. */
const struct witness_signal *evidence_fatal_signal(const struct witness *w);
bool evidence_died_of_signal(const struct run_record *record);
bool evidence_program_oom_killed(const struct run_record *record);
bool evidence_oom_kill_is_unclear(const struct run_record *record);

/* "failing_moment" and "limits" of the evidence, and the snapshot "failure". */
void evidence_failing_moment(const struct run_record *record, json_t *evidence, json_t *snapshots);
