// SPDX-License-Identifier: MIT
/*
 * The seccomp filter of a run. It does two jobs: calls that ask for memory, address space or a task return to the
 * tracer, and calls that reach beyond the run's own namespaces are refused with EPERM. Built once, before any limit is
 * set, and handed to each stage as plain BPF in a memory file.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Build the filter and export it; *ret_fd is a memfd holding struct sock_filter[]. `guest`: inside our own guest, swap
 * and modules may be touched. -errno, -ENOSYS where the kernel or libseccomp cannot.
 */
int filter_build(bool guest, int *ret_fd);

/*
 * That of somebody at a terminal, who is curious: no namespace in which to be root, or to mount, can be made either.
 * clone3(2), whose flags a filter cannot see, is not there (ENOSYS), and libraries take clone(2).
 */
int filter_build_confined(int *ret_fd);

/*
 * Stop for these calls as well: bits of call_on_demand_bit(). For the calling thread, after filter_load(); allocates
 * nothing. -errno
 */
int filter_watch_also(uint64_t calls);

/* Stop as well where the program is about to end by itself: exit_group(2). Likewise. */
int filter_watch_exit(void);

/* Load the exported filter into the calling thread. Sets no_new_privs first. -errno */
int filter_load(int fd);

/*
 * A filter that refuses nothing: it only stops on the calls that may be refused, on those that send SIGKILL and on
 * those that set a limit of a process. -errno
 */
int filter_build_watching(int *ret_fd);

/*
 * Load it into the calling thread. no_new_privs is set only where the kernel asks for it, that is without
 * CAP_SYS_ADMIN. -errno
 */
int filter_load_watching(int fd);
