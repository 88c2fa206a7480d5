// SPDX-License-Identifier: MIT
/*
 * What a run's program may not do at all, and where it stops for the witness. See filter.h.
 */
#include "filter-internal.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "calls-ia32.h"
#include "calls.h"
#include "cleanup.h"

/* linux/mman.h of Debian 12 knows them, glibc's sys/mman.h of older ones does not. */
#define ADVICE_POPULATE_READ   22
#define ADVICE_POPULATE_WRITE  23

/* linux/mount.h: fsconfig(2) that changes a superblock, which other namespaces share. */
#define FS_COMMAND_RECONFIGURE 7

static const int refused_always[] = {
	SCMP_SYS(reboot),          SCMP_SYS(kexec_load),    SCMP_SYS(kexec_file_load),   SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime),   SCMP_SYS(clock_adjtime), SCMP_SYS(adjtimex),          SCMP_SYS(setns),
	SCMP_SYS(pivot_root),      SCMP_SYS(acct),          SCMP_SYS(quotactl),          SCMP_SYS(iopl),
	SCMP_SYS(ioperm),          SCMP_SYS(syslog),        SCMP_SYS(open_by_handle_at), SCMP_SYS(stime),
	SCMP_SYS(clock_settime64),
};

static const int refused_outside_guest[] = {
	SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module),   SCMP_SYS(swapon),
	SCMP_SYS(swapoff),     SCMP_SYS(bpf),          SCMP_SYS(perf_event_open),
};

static int refuse(scmp_filter_ctx ctx, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), calls[i], 0);
		/* -EDOM: this architecture has no such call */
		if (r < 0 && r != -EDOM)
			return r;
	}
	return 0;
}

/* One rule with one condition. libseccomp's SCMP_A0() and its like leave a field out that Clang misses. */
static int add_if(scmp_filter_ctx ctx, uint32_t action, int call, const struct scmp_arg_cmp *condition)
{
	return seccomp_rule_add_array(ctx, action, call, 1, condition);
}

/* A remount without MS_BIND changes the superblock, and with it the mounts of everybody else. */
static int refuse_remounts(scmp_filter_ctx ctx)
{
	const struct scmp_arg_cmp remount = {
		.arg = 3, .op = SCMP_CMP_MASKED_EQ, .datum_a = MS_REMOUNT | MS_BIND, .datum_b = MS_REMOUNT};
	const struct scmp_arg_cmp reconfigure = {.arg = 1, .op = SCMP_CMP_EQ, .datum_a = FS_COMMAND_RECONFIGURE};
	int r = add_if(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(mount), &remount);
	return r < 0 ? r : add_if(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(fsconfig), &reconfigure);
}

/* A listener of the program's own would be asked in the witness's place, and the witness see nothing. */
static int refuse_listeners(scmp_filter_ctx ctx)
{
	const struct scmp_arg_cmp listener = {.arg = 1,
					      .op = SCMP_CMP_MASKED_EQ,
					      .datum_a = SECCOMP_FILTER_FLAG_NEW_LISTENER,
					      .datum_b = SECCOMP_FILTER_FLAG_NEW_LISTENER};
	return add_if(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(seccomp), &listener);
}

/*
 * x86-64 has 32-bit calls as well, with numbers of their own, and any program may make them (int 0x80). Each rule is
 * for both, libseccomp knows the numbers. What it does not know, the x32 calls, it ends with SIGSYS.
 */
static int add_ia32(scmp_filter_ctx ctx)
{
	int r = seccomp_arch_native() == SCMP_ARCH_X86_64 ? seccomp_arch_add(ctx, SCMP_ARCH_X86) : 0;
	return r == -EEXIST ? 0 : r;
}

/* Of all that fcntl(2) and shmctl(2) do only one thing each asks for memory; the kernel looks at 32 bits of the
 * command.
 */
static int watch_command(scmp_filter_ctx ctx, int call, uint64_t command)
{
	const struct scmp_arg_cmp is_command = {
		.arg = 1, .op = SCMP_CMP_MASKED_EQ, .datum_a = UINT32_MAX, .datum_b = command};
	return add_if(ctx, SCMP_ACT_TRACE(0), call, &is_command);
}

/* Of the options of sockets: a filter, which the kernel keeps a copy of. */
static int watch_socket_filters(scmp_filter_ctx ctx, int call)
{
	const struct scmp_arg_cmp conditions[] = {
		{.arg = 1, .op = SCMP_CMP_MASKED_EQ, .datum_a = UINT32_MAX, .datum_b = SOL_SOCKET},
		{.arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = UINT32_MAX, .datum_b = SO_ATTACH_FILTER}};
	return seccomp_rule_add_array(ctx, SCMP_ACT_TRACE(0), call, ARRAY_SIZE(conditions), conditions);
}

/* brk(0) asks where the break is; every program does, and nothing can refuse it. */
static int watch_brk(scmp_filter_ctx ctx, int call)
{
	const struct scmp_arg_cmp moves = {.arg = 0, .op = SCMP_CMP_NE, .datum_a = 0};
	return add_if(ctx, SCMP_ACT_TRACE(0), call, &moves);
}

/* Of all that bpf(2) does: a new map. */
static int watch_maps(scmp_filter_ctx ctx, int call)
{
	const struct scmp_arg_cmp creates = {
		.arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = UINT32_MAX, .datum_b = BPF_MAP_CREATE};
	return add_if(ctx, SCMP_ACT_TRACE(0), call, &creates);
}

static int watch(scmp_filter_ctx ctx, bool guest, bool all_breaks)
{
	/* Only this advice asks for memory, or makes of one area several that have to stay so. */
	static const uint64_t asking[] = {MADV_DONTFORK,  MADV_DONTDUMP,        MADV_WIPEONFORK,
					  MADV_MERGEABLE, ADVICE_POPULATE_READ, ADVICE_POPULATE_WRITE};
	for (const struct call_info *c = watched_calls; c->name; c++) {
		int r = 0;
		if (c->nr < 0 || c->on_demand || ((c->family == CALL_SWAP || c->family == CALL_BPF) && !guest))
			continue;
		if (c->nr == SCMP_SYS(fcntl))
			r = watch_command(ctx, c->nr, F_SETPIPE_SZ);
		else if (c->nr == SCMP_SYS(shmctl))
			r = watch_command(ctx, c->nr, SHM_LOCK);
		else if (c->family == CALL_OPTION)
			r = watch_socket_filters(ctx, c->nr);
		else if (c->family == CALL_BPF)
			r = watch_maps(ctx, c->nr);
		else if (c->family == CALL_BREAK && !all_breaks)
			r = watch_brk(ctx, c->nr);
		else if (c->family != CALL_ADVISE)
			r = seccomp_rule_add(ctx, SCMP_ACT_TRACE(0), c->nr, 0);
		for (size_t i = 0; c->family == CALL_ADVISE && r == 0 && i < ARRAY_SIZE(asking); i++) {
			const struct scmp_arg_cmp advice = {.arg = 2, .op = SCMP_CMP_EQ, .datum_a = asking[i]};
			r = add_if(ctx, SCMP_ACT_TRACE(0), c->nr, &advice);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* The calls that only the 32-bit entry has; ipc(2) takes a version in the upper half of what it is to do. */
static int watch_ia32(scmp_filter_ctx ctx)
{
	static const uint64_t ipc[] = {IA32_IPC_SHMGET, IA32_IPC_SHMAT, IA32_IPC_SHMCTL};
	int r = seccomp_rule_add(ctx, SCMP_ACT_TRACE(0), SCMP_SYS(mmap2), 0);
	if (r == 0)
		r = watch_command(ctx, SCMP_SYS(fcntl64), F_SETPIPE_SZ);
	for (size_t i = 0; i < ARRAY_SIZE(ipc) && r == 0; i++) {
		const struct scmp_arg_cmp what = {
			.arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = UINT16_MAX, .datum_b = ipc[i]};
		r = add_if(ctx, SCMP_ACT_TRACE(0), SCMP_SYS(ipc), &what);
	}
	return r;
}

/* See call_sets_filter(). Of a listener, which a run's program may not have, refuse_listeners() says all there is. */
static int watch_filters(scmp_filter_ctx ctx, bool listeners)
{
	const struct scmp_arg_cmp old[] = {
		{.arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = UINT32_MAX, .datum_b = PR_SET_SECCOMP},
		{.arg = 1, .op = SCMP_CMP_EQ, .datum_a = SECCOMP_MODE_FILTER}};
	const struct scmp_arg_cmp sets[] = {
		{.arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = UINT32_MAX, .datum_b = SECCOMP_SET_MODE_FILTER},
		{.arg = 1, .op = SCMP_CMP_MASKED_EQ, .datum_a = SECCOMP_FILTER_FLAG_NEW_LISTENER, .datum_b = 0}};
	int r = seccomp_rule_add_array(ctx, SCMP_ACT_TRACE(0), SCMP_SYS(prctl), ARRAY_SIZE(old), old);
	return r < 0 ? r
		     : seccomp_rule_add_array(ctx, SCMP_ACT_TRACE(0), SCMP_SYS(seccomp),
					      listeners ? 1 : (unsigned)ARRAY_SIZE(sets), sets);
}

static void release_context(scmp_filter_ctx *ctx)
{
	if (*ctx)
		seccomp_release(*ctx);
}

/* A program may queue any siginfo to itself; one that looks like a fault must not be taken for the kernel's. */
static int watch_queued_faults(scmp_filter_ctx ctx)
{
	static const struct {
		int call;
		unsigned signal_argument;
	} queue[] = {
		{SCMP_SYS(rt_sigqueueinfo), 1}, {SCMP_SYS(rt_tgsigqueueinfo), 2}, {SCMP_SYS(pidfd_send_signal), 1}};
	static const int fault[] = {SIGSEGV, SIGBUS};
	for (size_t i = 0; i < ARRAY_SIZE(queue) * ARRAY_SIZE(fault); i++) {
		/* The kernel looks at 32 bits of it. */
		const struct scmp_arg_cmp is_fault = {.arg = queue[i / ARRAY_SIZE(fault)].signal_argument,
						      .op = SCMP_CMP_MASKED_EQ,
						      .datum_a = UINT32_MAX,
						      .datum_b = (uint64_t)fault[i % ARRAY_SIZE(fault)]};
		int r = add_if(ctx, SCMP_ACT_TRACE(0), queue[i / ARRAY_SIZE(fault)].call, &is_fault);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What libseccomp knows only as a part of ipc(2): the kernel has calls of its own for it since 5.1. Put before the
 * rest. */
static int write_prologue(int fd)
{
	const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SCMP_ARCH_X86, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IA32_SHMGET, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IA32_SHMCTL, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IA32_SHMAT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
	};
	ssize_t n = write(fd, code, sizeof(code));
	return n < 0 ? -errno : n != sizeof(code) ? -EIO : 0;
}

static int export_filter(scmp_filter_ctx ctx, bool with_ia32, bool confined, int fd)
{
	int r = confined ? filter_write_confined(fd, with_ia32) : 0;
	if (r == 0 && with_ia32)
		r = write_prologue(fd);
	return r < 0 ? r : seccomp_export_bpf(ctx, fd);
}

static int write_run(bool guest, bool confined, int fd)
{
	__attribute__((cleanup(release_context))) scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	if (!ctx)
		return -ENOMEM;
	int r = add_ia32(ctx);
	if (r == 0)
		r = refuse(ctx, refused_always, ARRAY_SIZE(refused_always));
	if (r == 0 && !guest)
		r = refuse(ctx, refused_outside_guest, ARRAY_SIZE(refused_outside_guest));
	if (r == 0)
		r = refuse_remounts(ctx);
	if (r == 0)
		r = refuse_listeners(ctx);
	if (r == 0)
		r = watch(ctx, guest, true);
	const bool with_ia32 = seccomp_arch_native() == SCMP_ARCH_X86_64;
	if (r == 0 && with_ia32)
		r = watch_ia32(ctx);
	if (r == 0)
		r = watch_queued_faults(ctx);
	if (r == 0)
		r = watch_filters(ctx, false);
	return r < 0 ? r : export_filter(ctx, with_ia32, confined, fd);
}

/* A SIGKILL tells nobody who sent it: whoever does so among the watched says it here. */
static int watch_kills(scmp_filter_ctx ctx)
{
	static const struct {
		int call;
		unsigned signal_argument;
	} kill_calls[] = {{SCMP_SYS(kill), 1}, {SCMP_SYS(tkill), 1}, {SCMP_SYS(tgkill), 2}};
	int r = 0;
	for (size_t i = 0; i < ARRAY_SIZE(kill_calls) && r == 0; i++) {
		const struct scmp_arg_cmp is_kill = {.arg = kill_calls[i].signal_argument,
						     .op = SCMP_CMP_MASKED_EQ,
						     .datum_a = UINT32_MAX,
						     .datum_b = SIGKILL};
		r = add_if(ctx, SCMP_ACT_TRACE(0), kill_calls[i].call, &is_kill);
	}
	/* What fork() says when it fails, taken for a process: everybody. */
	const struct scmp_arg_cmp everybody = {
		.arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = UINT32_MAX, .datum_b = UINT32_MAX};
	return r == 0 ? add_if(ctx, SCMP_ACT_TRACE(0), SCMP_SYS(kill), &everybody) : r;
}

/* Whose limit it was, nobody can tell afterwards. prlimit64(2) that only asks has no new limit. */
static int watch_limits(scmp_filter_ctx ctx)
{
	const struct scmp_arg_cmp sets = {.arg = 2, .op = SCMP_CMP_NE, .datum_a = 0};
	int r = add_if(ctx, SCMP_ACT_TRACE(0), SCMP_SYS(prlimit64), &sets);
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_TRACE(0), SCMP_SYS(setrlimit), 0);
	return r == -EDOM ? 0 : r; /* newer architectures have no setrlimit(2) */
}

static int write_watching(int fd)
{
	__attribute__((cleanup(release_context))) scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	if (!ctx)
		return -ENOMEM;
	/* A program of another architecture (32-bit) goes on unwatched rather than die. */
	int r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW);
	/* Most calls are none of these: a tree finds that out sooner than a list. Older libraries have none. */
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = watch(ctx, false, false);
	if (r == 0)
		r = watch_kills(ctx);
	if (r == 0)
		r = watch_limits(ctx);
	if (r == 0)
		r = watch_filters(ctx, true);
	return r < 0 ? r : export_filter(ctx, false, false, fd);
}

static int write_here(int fd)
{
	return write_run(false, false, fd);
}

static int write_in_guest(int fd)
{
	return write_run(true, false, fd);
}

static int write_confined(int fd)
{
	return write_run(false, true, fd);
}

int filter_build(bool guest, int *ret_fd)
{
	return filter_build_apart(guest ? write_in_guest : write_here, ret_fd);
}

int filter_build_confined(int *ret_fd)
{
	return filter_build_apart(write_confined, ret_fd);
}

int filter_build_watching(int *ret_fd)
{
	return filter_build_apart(write_watching, ret_fd);
}

struct program {
	struct sock_filter code[128];
	unsigned short length;
};

static void put(struct program *p, struct sock_filter instruction)
{
	if (p->length < ARRAY_SIZE(p->code))
		p->code[p->length] = instruction;
	p->length++; /* too long a program is seen at the end */
}

/* Stop for a number, or go on to the next one. A created file is asked for in the flags. */
static void put_call(struct program *p, unsigned nr, bool creates)
{
	const unsigned flags = offsetof(struct seccomp_data, args[2]);
	put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, creates ? 4 : 1));
	if (creates) {
		put(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, flags));
		put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_CREAT, 1, 0));
		put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	}
	put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE));
}

/* The numbers of one architecture; those of any other go on behind them. */
static void put_calls(struct program *p, uint64_t calls, uint32_t arch, bool ia32)
{
	put(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)));
	unsigned short jump = p->length;
	put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, arch, 0, 0));
	put(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
	for (const struct call_info *c = watched_calls; c->name; c++) {
		int nr = ia32 ? c->ia32_nr : c->nr;
		if (calls & call_on_demand_bit(c->name) && nr >= 0)
			put_call(p, (unsigned)nr, c->family == CALL_CREATE);
	}
	put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	p->code[jump].jf = (uint8_t)(p->length - jump - 1);
}

/*
 * A filter of its own, on top of the other one: of two answers the stricter counts, and stopping is stricter than
 * allowing. Both halves of an argument lie in memory as the machine orders its bytes: little end first.
 */
int filter_watch_also(uint64_t calls)
{
	struct program p = {.length = 0};
	uint32_t native = seccomp_arch_native();
	put_calls(&p, calls, native, false);
	if (native == SCMP_ARCH_X86_64)
		put_calls(&p, calls, SCMP_ARCH_X86, true);
	put(&p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	if (p.length > ARRAY_SIZE(p.code))
		return -E2BIG;
	const struct sock_fprog program = {.len = p.length, .filter = p.code};
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}

int filter_watch_exit(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, seccomp_arch_native(), 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 4, 3),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SCMP_ARCH_X86, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IA32_EXIT_GROUP, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
	};
	const struct sock_fprog program = {.len = ARRAY_SIZE(code), .filter = code};
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}

static int read_program(int fd, struct sock_fprog *ret)
{
	static struct sock_filter code[BPF_MAXINSNS];
	ssize_t n = pread(fd, code, sizeof(code), 0);
	if (n < 0)
		return -errno;
	if (n == 0 || (size_t)n % sizeof(code[0]) || (size_t)n == sizeof(code))
		return -EBADMSG;
	ret->len = (unsigned short)((size_t)n / sizeof(code[0]));
	ret->filter = code;
	return 0;
}

int filter_load(int fd)
{
	struct sock_fprog program;
	int r = read_program(fd, &program);
	if (r < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		return -errno;
	return 0;
}

/* Without the flag kernels before 5.16 slow the whole program down (spec_store_bypass_disable=seccomp). */
int filter_load_watching(int fd)
{
	struct sock_fprog program;
	int r = read_program(fd, &program);
	if (r < 0)
		return r;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) == 0)
		return 0;
	if (errno != EACCES)
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) < 0 ? -errno : 0;
}
