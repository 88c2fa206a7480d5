// SPDX-License-Identifier: MIT
/*
 * No namespaces for who is confined: in one with a user namespace anybody is root, and mounts what others must not
 * have written. See filter.h.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls-ia32.h"
#include "filter-internal.h"

#define IA32_CLONE   120
#define IA32_UNSHARE 310
#define CLONE3       435 /* everywhere */

/* By one architecture's numbers. What it does not say is said by what comes behind it. */
static int write_one(int fd, uint32_t arch, uint32_t clone_nr, uint32_t unshare_nr)
{
	const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, arch, 0, 8),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CLONE3, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, clone_nr, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, unshare_nr, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP, 0, 2),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};
	ssize_t n = write(fd, code, sizeof(code));
	return n < 0 ? -errno : n != sizeof(code) ? -EIO : 0;
}

int filter_write_confined(int fd, bool with_ia32)
{
	int r = write_one(fd, seccomp_arch_native(), SYS_clone, SYS_unshare);
	return r == 0 && with_ia32 ? write_one(fd, SCMP_ARCH_X86, IA32_CLONE, IA32_UNSHARE) : r;
}
