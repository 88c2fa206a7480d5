// SPDX-License-Identifier: MIT
/*
 * The guest's side: this program as init of a QEMU guest, and as the agent that does its one job.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

/* Are we the first process of a machine, started by the kernel as /init? */
bool guest_is_init(int argc, char **argv);
/* Boot, say so, wait for a job, do it, end the machine. Never returns. */
_Noreturn void guest_init(void);

/*
 * What every job needs and no job changes, done before the state is saved, because a restored guest pays for it each
 * time: the machine probed, the filter built, the manifests read.
 */
void guest_agent_warm_up(void);
/* Do a job that came over the wire and answer there. Returns an exit status. */
int guest_agent(int wire_fd, const json_t *job);
