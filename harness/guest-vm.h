// SPDX-License-Identifier: MIT
/*
 * One QEMU process: a guest that boots, or one that is restored from a state. It has no network, a console that is
 * kept, a wire to talk over, and it dies with the process that started it.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "guest-wire.h"

/* vm.max_map_count in guests with an emulated CPU: the default 65,530 areas take seconds to reach there. */
#define VM_EMULATED_MAX_MAP_COUNT "4096"

struct vm_spec {
	const char *qemu;     /* name on PATH or path */
	const char *kernel;   /* path of a vmlinux or bzImage */
	const char *firmware; /* path; "" for QEMU's own */
	const char *append;   /* added to the kernel's command line; "" for nothing */
	int initramfs_fd;
	int cargo_fd; /* the disk that is only read; -1: an empty one */
	uint64_t memory_bytes, disk_bytes;
	unsigned cpus;
	bool kvm;
	int root_fd; /* an image of a third disk, of which the guest has its own copy; -1 for none */
	/*
	 * A booted state is the guest's memory as a file, mapped shared while it boots, and the devices in another
	 * file. A restored guest maps the memory privately: starting one copies nothing, and none can change it.
	 */
	int memory_fd; /* -1: ordinary memory, this guest will never be saved */
	int state_fd;  /* -1: boot; else the devices' file to restore from */
};

struct vm {
	pid_t pid;
	pid_t parent; /* whose child it is: other processes may talk to it, and stop it, but not reap it */
	int pidfd, wire_fd, monitor_fd, console_fd, errors_fd;
	struct wire_reader reader;
	bool booted;             /* and not restored from a state */
	struct wire_frame ready; /* its first word, when it was waited for */
};

/* Nothing started: safe to stop. */
void vm_init(struct vm *vm);
/* -ENOENT when QEMU is not there, else -errno. */
int vm_start(const struct vm_spec *spec, struct vm *ret);
/*
 * Wait for the next frame: 0, -ETIMEDOUT, -EPIPE when the guest is gone, -EBADMSG when what it sends is garbled, -EIO
 * when QEMU gave up on its CPU ("KVM internal error"), -EINTR when *interrupted became true.
 */
int vm_receive(struct vm *vm, uint64_t deadline_ns, const atomic_bool *interrupted, struct wire_frame *ret);
/*
 * All that QEMU uses is time in the host's kernel, none in the guest: a KVM that cannot run it tries again and again.
 * To be asked of a guest that has not said its first word.
 */
bool vm_spins(const struct vm *vm);
/* Write the devices' state to a descriptor and pause. The memory is in memory_fd then. -errno, -ETIMEDOUT */
int vm_save(struct vm *vm, int state_fd, uint64_t deadline_ns);
/* Go on after that. */
int vm_continue(const struct vm *vm);
/* QEMU closed its end: wait for it to be gone. Its wait status, -1 when it stays (it is killed by vm_stop() then). */
int vm_wait(struct vm *vm);
/* Kill and reap, or, a process that is not its parent, see it end. The wait status, -1 when nothing was started. */
int vm_stop(struct vm *vm);
/* Close and free what this process has of it, and let it live: it is another's. */
void vm_leave(struct vm *vm);
/* The last bytes of what the kernel wrote on its console (or QEMU on stderr), as a string. */
void vm_console(const struct vm *vm, char *ret, size_t size);
void vm_errors(const struct vm *vm, char *ret, size_t size);

/* How long to wait: the usual time, or what ENOMEM_GUEST_TIMEOUT_MS says of all of them. */
uint64_t vm_timeout_ns(uint64_t usual_ns);
