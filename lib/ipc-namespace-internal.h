// SPDX-License-Identifier: MIT
/*
 * How this thread gets into the IPC namespace of a process, and back.
 */
#pragma once

#include "ipc-namespace.h"

/* *ret_back is where this thread was. -errno */
int ipc_namespace_enter(pid_t pid, int *ret_back);
int ipc_namespace_leave(int back);
