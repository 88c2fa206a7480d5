// SPDX-License-Identifier: MIT
/*
 * In a guest: the shell at the end of a lesson, and what it has changed. The guest is the learner's, who may do
 * anything in it; so nothing that happens there decides. What is read there is only which values it has now that a run
 * is set up with, and the trigger is run with them in another guest, which nobody has touched.
 */
#pragma once

#include <jansson.h>

#include "run.h"
#include "teach-fix.h"

/* Keep a shell in the place of this run until it is left. 0, or -1 after telling why there is none. */
int guest_teach(int wire, const json_t *request, const struct run_context *context, const struct plan *plan,
		const struct plan_run *run);

/* What the host sends with WIRE_TYPED, in its first byte. */
enum guest_typed {
	GUEST_TYPED_KEYS = 'k',  /* what was typed */
	GUEST_TYPED_SIZE = 's',  /* "ROWS COLUMNS" */
	GUEST_TYPED_ANSWER = 'a' /* the line that whoever asked waits for */
};

/*
 * What a run is set up with, as it is now: {"sysctl": {NAME: VALUE}, "sys": the same, "swap": bytes, "swap_on_disk",
 * "cgroup": [[VALUE_NUMBER, limit]], "cgroup_above": the same, "rlimit": [[RLIMIT_NUMBER, soft limit]],
 * "namespace": of the IPC namespace, as "sysctl", "tmpfs_bytes", "tmpfs_inodes"}, -1 for no limit. Of settings, of the
 * tmpfs and of the groups' limits those that some run of the plan sets. pid: of a shell, 0 for none.
 */
json_t *guest_state_read(const struct plan *plan, const struct fix_room *room, const struct machine *m, pid_t pid);
/* Is this sysctl one of an IPC namespace? */
bool guest_state_is_of_ipc(const char *name);
/* What of it is other than before. */
json_t *guest_state_changed(const json_t *before, const json_t *now);
/*
 * The trigger, set up so, and expected to end as after the remedy of that name: {"remedy": NAME, "changed": of the
 * above}. -EBADMSG for what is garbled, and for what no run of the plan sets: the learner's guest may say anything.
 */
int guest_state_apply(const json_t *request, const struct plan *plan, struct plan_run *run);
/* What a remedy is expected to end as, when its limits are there from the start. */
struct expect fix_expectation(const struct plan_run *remedy);
