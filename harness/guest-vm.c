// SPDX-License-Identifier: MIT
/*
 * Starting QEMU, listening to it, saving and stopping it. See guest-vm.h.
 */
#include "guest-vm.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#include "cleanup.h"
#include "clock.h"
#include "guest-cargo.h"
#include "number.h"
#include "procfs.h"

#define ARGUMENTS_MAX 64
#define BATCH_NS      2000000
#define TICK_MS       200

uint64_t vm_timeout_ns(uint64_t usual_ns)
{
	const char *text = secure_getenv("ENOMEM_GUEST_TIMEOUT_MS");
	uint64_t ms;
	return text && number_parse_count(text, &ms) == 0 && ms > 0 && ms < UINT32_MAX ? ms * 1000000 : usual_ns;
}

void vm_init(struct vm *vm)
{
	*vm = (struct vm){.pidfd = -1, .wire_fd = -1, .monitor_fd = -1, .console_fd = -1, .errors_fd = -1};
}

/* The descriptors that QEMU inherits, with numbers that QEMU is told. */
struct inherited {
	int wire, monitor, console, errors, initramfs, disk, cargo, root, memory, state;
};

struct arguments {
	const char *item[ARGUMENTS_MAX];
	char text[ARGUMENTS_MAX][512];
	unsigned count;
};

__attribute__((format(printf, 2, 3))) static void add(struct arguments *a, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)vsnprintf(a->text[a->count], sizeof(a->text[0]), format, args);
	va_end(args);
	a->item[a->count] = a->text[a->count];
	a->count++;
	a->item[a->count] = NULL;
}

/*
 * tsc_early_khz skips a calibration that is slow and flaky without KVM, cryptomgr.notests self-tests nobody needs here.
 * cmpxchg16b (cx16) makes 6.12 fault at boot under TCG; an emulated "rep stosb" works byte by byte, so that clearing a
 * page takes eight times as long where the kernel is told that it is fast (erms, fsrm). A panic ends QEMU at once:
 * -no-reboot and panic=-1; panic_print and its successor panic_sys_info have the kernel show its memory then.
 * swapaccount is for v1 on old kernels.
 */
static const char command_line[] = "console=ttyS0 quiet cryptomgr.notests panic=-1 panic_print=0x2 swapaccount=1";

/*
 * What is left out takes a quarter of a second to emulate: a random number generator's self-test, certificates, traces.
 * Zeroing what is allocated as well as what is given to programs takes as long again, and half a second for each 128 MB
 * of huge pages.
 */
static const char emulated_command_line[] =
	" tsc_early_khz=2000000 init_on_alloc=0"
	" initcall_blacklist=jent_mod_init,load_system_certificate_list,trace_eval_init"
	" sysctl.vm.max_map_count=" VM_EMULATED_MAX_MAP_COUNT;

static void build_arguments(const struct vm_spec *spec, const struct inherited *fd, struct arguments *a)
{
	add(a, "%s", spec->qemu);
	add(a, "-nodefaults");
	add(a, "-no-user-config");
	add(a, "-display");
	add(a, "none");
	add(a, "-no-reboot");
	add(a, "-nic");
	add(a, "none");
	add(a, "-machine");
	add(a, "pc,accel=%s%s", spec->kvm ? "kvm" : "tcg", fd->memory >= 0 ? ",memory-backend=ram" : "");
	add(a, "-cpu");
	add(a, "%s", spec->kvm ? "host" : "max,-cx16,-erms,-fsrm");
	add(a, "-smp");
	add(a, "%u", spec->cpus);
	add(a, "-m");
	add(a, "%" PRIu64 "k", spec->memory_bytes >> 10);
	if (fd->memory >= 0) {
		add(a, "-object");
		add(a, "memory-backend-file,id=ram,size=%" PRIu64 ",mem-path=/proc/self/fd/%d,share=%s",
		    spec->memory_bytes, fd->memory, fd->state >= 0 ? "off" : "on");
	}
	if (spec->firmware && spec->firmware[0]) {
		add(a, "-bios");
		add(a, "%s", spec->firmware);
	}
	add(a, "-kernel");
	add(a, "%s", spec->kernel);
	add(a, "-initrd");
	add(a, "/proc/self/fd/%d", fd->initramfs);
	add(a, "-append");
	add(a, "%s%s %s", command_line, spec->kvm ? "" : emulated_command_line, spec->append);
	add(a, "-chardev");
	add(a, "file,id=console,append=on,path=/proc/self/fd/%d", fd->console);
	add(a, "-device");
	add(a, "isa-serial,index=0,chardev=console");
	add(a, "-chardev");
	add(a, "socket,id=wire,fd=%d", fd->wire);
	add(a, "-device");
	add(a, "isa-serial,index=1,chardev=wire");
	add(a, "-chardev");
	add(a, "socket,id=monitor,fd=%d", fd->monitor);
	add(a, "-mon");
	add(a, "chardev=monitor,mode=control");
	add(a, "-drive");
	add(a, "if=none,id=disk,format=raw,cache=unsafe,file=/proc/self/fd/%d,file.locking=off", fd->disk);
	add(a, "-device");
	add(a, "virtio-blk-pci,drive=disk");
	add(a, "-drive");
	add(a, "if=none,id=cargo,format=raw,readonly=on,file=/proc/self/fd/%d,file.locking=off", fd->cargo);
	add(a, "-device");
	add(a, "virtio-blk-pci,drive=cargo");
	if (fd->root >= 0) {
		add(a, "-drive");
		add(a, "if=none,id=root,format=raw,cache=unsafe,snapshot=on,file=/proc/self/fd/%d,file.locking=off",
		    fd->root);
		add(a, "-device");
		add(a, "virtio-blk-pci,drive=root");
	}
	if (fd->state >= 0) {
		add(a, "-incoming");
		add(a, "defer");
	}
}

/* In the child: QEMU, with our ends and nothing else. */
static void become_qemu(const struct inherited *fd, const struct arguments *a, pid_t parent)
{
	const int kept[] = {fd->wire,  fd->monitor, fd->console, fd->initramfs, fd->disk,
			    fd->cargo, fd->root,    fd->memory,  fd->state};
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	auto_close int adjust = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (adjust >= 0)
		(void)!write(adjust, "1000", 4);
	auto_close int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	/* Translating an emulated CPU's code allocates a lot: fewer page faults and system calls for it. */
	(void)setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1:glibc.malloc.top_pad=33554432:glibc.malloc.arena_max=1",
		     0);
	(void)setsid(); /* Ctrl-C is for us: we end it in order */
	(void)signal(SIGPIPE, SIG_DFL);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(fd->errors, STDERR_FILENO) < 0)
		_exit(127);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (kept[i] >= 0)
			(void)fcntl(kept[i], F_SETFD, 0);
	(void)execvp(a->item[0], (char *const *)(uintptr_t)a->item);
	dprintf(STDERR_FILENO, "%s: %s\n", a->item[0], strerror(errno));
	_exit(127);
}

static int qmp(const struct vm *vm, const char *command)
{
	size_t length = strlen(command);
	return send(vm->monitor_fd, command, length, MSG_NOSIGNAL) == (ssize_t)length ? 0 : -EPIPE;
}

#define QMP_START                                                                                                      \
	"{\"execute\":\"qmp_capabilities\"}\n"                                                                         \
	"{\"execute\":\"migrate-set-capabilities\",\"arguments\":{\"capabilities\":"                                   \
	"[{\"capability\":\"x-ignore-shared\",\"state\":true}]}}\n"

static int open_ends(const struct vm_spec *spec, struct vm *vm, struct inherited *fd)
{
	int wire[2], monitor[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, wire) < 0)
		return -errno;
	vm->wire_fd = wire[0];
	fd->wire = wire[1];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, monitor) < 0)
		return -errno;
	vm->monitor_fd = monitor[0];
	fd->monitor = monitor[1];
	vm->console_fd = fd->console = memfd_create("enomem-console", MFD_CLOEXEC);
	vm->errors_fd = fd->errors = memfd_create("enomem-qemu-errors", MFD_CLOEXEC);
	fd->disk = memfd_create("enomem-disk", MFD_CLOEXEC); /* sparse: costs what the guest writes */
	fd->cargo = spec->cargo_fd >= 0 ? dup(spec->cargo_fd) : memfd_create("enomem-cargo", MFD_CLOEXEC);
	if (fd->cargo < 0 || (spec->cargo_fd < 0 && ftruncate(fd->cargo, (off_t)GUEST_CARGO_BYTES) < 0))
		return -errno;
	fd->initramfs = spec->initramfs_fd;
	fd->root = spec->root_fd;
	fd->memory = spec->memory_fd;
	fd->state = spec->state_fd;
	if (fd->console < 0 || fd->errors < 0 || fd->disk < 0 || ftruncate(fd->disk, (off_t)spec->disk_bytes) < 0)
		return -errno;
	return 0;
}

static int launch(const struct vm_spec *spec, struct vm *vm, const struct inherited *fd)
{
	struct arguments *a = calloc(1, sizeof(*a));
	pid_t parent = getpid();
	if (!a)
		return -ENOMEM;
	build_arguments(spec, fd, a);
	vm->parent = parent;
	vm->pid = fork();
	int error = errno;
	if (vm->pid == 0)
		become_qemu(fd, a, parent);
	free(a);
	if (vm->pid < 0) {
		vm->pid = 0;
		return -error;
	}
	vm->pidfd = (int)syscall(SYS_pidfd_open, vm->pid, 0);
	return vm->pidfd < 0 ? -errno : 0;
}

int vm_start(const struct vm_spec *spec, struct vm *ret)
{
	struct inherited fd = {.wire = -1, .monitor = -1, .disk = -1, .cargo = -1};
	struct vm vm;
	char command[160];
	vm_init(&vm);
	int r = open_ends(spec, &vm, &fd);
	if (r == 0)
		r = launch(spec, &vm, &fd);
	closep(&fd.wire);
	closep(&fd.monitor);
	closep(&fd.disk);
	closep(&fd.cargo);
	if (r == 0 && spec->state_fd >= 0) {
		/* All at once: QEMU takes them one after the other. */
		(void)snprintf(command, sizeof(command),
			       "{\"execute\":\"migrate-incoming\",\"arguments\":{\"uri\":\"fd:%d\"}}\n",
			       spec->state_fd);
		r = qmp(&vm, QMP_START);
		if (r == 0)
			r = qmp(&vm, command);
	}
	if (r < 0) {
		(void)vm_stop(&vm);
		return r;
	}
	*ret = vm;
	return 0;
}

/* QEMU stays alive and says so when KVM cannot run the guest; the guest will never answer. */
static bool cpu_gave_up(const struct vm *vm)
{
	char text[4096];
	ssize_t n = pread(vm->errors_fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	return strstr(text, "KVM internal error") || strstr(text, "error: kvm run failed");
}

bool vm_spins(const struct vm *vm)
{
	char path[64], text[1024];
	unsigned long user, system;
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)vm->pid);
	const char *at = procfs_read_at(AT_FDCWD, path, text, sizeof(text)) > 0 ? strrchr(text, ')') : NULL;
	/* state, 10 numbers, utime, stime: proc(5) */
	return at && sscanf(at + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu %lu", &user, &system) == 2 &&
	       system >= (unsigned long)sysconf(_SC_CLK_TCK) / 4 && user * 10 < system;
}

int vm_receive(struct vm *vm, uint64_t deadline_ns, const atomic_bool *interrupted, struct wire_frame *ret)
{
	for (;;) {
		char chunk[16384];
		int got = wire_next(&vm->reader, ret);
		if (got != 0)
			return got < 0 ? got : 0;
		uint64_t now = clock_now_ns();
		if (interrupted && *interrupted)
			return -EINTR;
		if (now >= deadline_ns)
			return -ETIMEDOUT;
		if (cpu_gave_up(vm))
			return -EIO;
		uint64_t left_ms = (deadline_ns - now) / 1000000 + 1;
		struct pollfd p = {.fd = vm->wire_fd, .events = POLLIN};
		if (poll(&p, 1, left_ms < TICK_MS ? (int)left_ms : TICK_MS) <= 0)
			continue;
		ssize_t n = recv(vm->wire_fd, chunk, sizeof(chunk), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return -EPIPE;
		int r = n > 0 ? wire_feed(&vm->reader, chunk, (size_t)n) : 0;
		if (r < 0)
			return r;
		/* A serial line brings some bytes at a time; taking each lot at once would cost the guest its CPU. */
		const struct timespec pause = {.tv_nsec = BATCH_NS};
		(void)nanosleep(&pause, NULL);
	}
}

/* Ask until the monitor's answer to query-migrate says so. Answers are lines of JSON; ours is the only question. */
static int wait_saved(const struct vm *vm, uint64_t deadline_ns)
{
	static char text[65536];
	size_t used = 0;
	while (clock_now_ns() < deadline_ns) {
		struct pollfd p = {.fd = vm->monitor_fd, .events = POLLIN};
		int r = qmp(vm, "{\"execute\":\"query-migrate\"}\n");
		if (r < 0)
			return r;
		if (poll(&p, 1, TICK_MS) > 0) {
			ssize_t n = recv(vm->monitor_fd, text + used, sizeof(text) - 1 - used, MSG_DONTWAIT);
			if (n <= 0)
				return -EPIPE;
			used += (size_t)n;
			text[used] = '\0';
			if (strstr(text, "\"status\": \"completed\""))
				return 0;
			if (strstr(text, "\"status\": \"failed\"") || strstr(text, "\"error\""))
				return -EIO;
			if (used > sizeof(text) / 2)
				used = 0;
		}
		const struct timespec pause = {.tv_nsec = 2000000};
		(void)nanosleep(&pause, NULL);
	}
	return -ETIMEDOUT;
}

/* A descriptor QEMU may write to, handed over by the monitor's getfd. */
static int send_fd(const struct vm *vm, int fd)
{
	char command[] = "{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"state\"}}\n";
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = {0};
	struct iovec part = {command, sizeof(command) - 1};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	return sendmsg(vm->monitor_fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int vm_save(struct vm *vm, int state_fd, uint64_t deadline_ns)
{
	int r = qmp(vm, QMP_START);
	if (r == 0)
		r = send_fd(vm, state_fd);
	if (r == 0)
		r = qmp(vm, "{\"execute\":\"migrate\",\"arguments\":{\"uri\":\"fd:state\"}}\n");
	return r < 0 ? r : wait_saved(vm, deadline_ns);
}

int vm_continue(const struct vm *vm)
{
	return qmp(vm, "{\"execute\":\"cont\"}\n");
}
