// SPDX-License-Identifier: MIT
/*
 * The guest's side: this program as init of a QEMU guest, and as the agent that does its one job.
 */
#pragma once

#include <stdbool.h>

/* Are we the first process of a machine, started by the kernel as /init? */
bool guest_is_init(int argc, char **argv);
/* Boot, start the agent, wait for its end, end the machine. Never returns. */
_Noreturn void guest_init(void);

/* Make ready, say so, wait for a job, do it and answer. The whole life of the agent's process; returns its exit status.
 */
int guest_agent(int wire_fd);
