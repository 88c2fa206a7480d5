// SPDX-License-Identifier: MIT
/*
 * Making, finding and discarding booted states. See guest-state.h.
 */
#include "guest-state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "cache.h"
#include "cleanup.h"
#include "clock.h"
#include "guest-evidence.h"
#include "guest-spare.h"
#include "guest-state-internal.h"
#include "procfs.h"
#include "say.h"

#define BOOT_TRIES      3
#define BOOT_TIMEOUT_NS UINT64_C(30000000000)
#define KVM_TIMEOUT_NS  UINT64_C(10000000000)
/* Every KVM that works has long been in the guest by then. */
#define KVM_PATIENCE_NS UINT64_C(2000000000)
#define SAVE_TIMEOUT_NS UINT64_C(20000000000)
#define DISK_BYTES      (UINT64_C(512) << 20)
#define CONSOLE_TAIL    600
#define ROOM_SPARE      (UINT64_C(8) << 20)

static int open_in(const struct guest_state *state, const char *file, int flags)
{
	char path[600];
	(void)snprintf(path, sizeof(path), "%s/%s", state->directory, file);
	int fd = open(path, flags | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

static void make_spec(const struct guest_state *state, struct vm_spec *ret)
{
	*ret = (struct vm_spec){.qemu = state->qemu,
				.kernel = state->kernel.image,
				.append = state->options.append,
				.initramfs_fd = state->image.fd,
				.cargo_fd = state->options.cargo ? state->options.cargo->fd : -1,
				.memory_bytes = state->options.memory_bytes,
				.disk_bytes = DISK_BYTES,
				.cpus = state->options.cpus,
				.kvm = state->kvm,
				.firmware = state->kvm ? "" : state->firmware,
				.root_fd = state->options.root ? state->options.root->fd : -1,
				.memory_fd = -1,
				.state_fd = -1};
}

/* A guest whose first word is that it failed: -ENOTSUP where that is for what its kernel lacks, which another boot does
 * not bring. */
static int take_failed(const char *json, char *why, size_t size)
{
	json_auto_t *o = json_loads(json, 0, NULL);
	guest_failed_message(json, why, size);
	return json_is_true(json_object_get(o, "lacks")) ? -ENOTSUP : -EBADMSG;
}

/* Wait for the guest's first word. On failure `why` has the reason and the console's end. */
static int wait_ready(struct vm *vm, bool kvm, const atomic_bool *interrupted, char *why, size_t size)
{
	struct wire_frame frame = {0};
	char console[CONSOLE_TAIL], errors[CONSOLE_TAIL];
	uint64_t now = clock_now_ns(), deadline = now + vm_timeout_ns(kvm ? KVM_TIMEOUT_NS : BOOT_TIMEOUT_NS);
	uint64_t patience = now + KVM_PATIENCE_NS < deadline ? now + KVM_PATIENCE_NS : deadline;
	int r = kvm ? vm_receive(vm, patience, interrupted, &frame) : -ETIMEDOUT;
	if (r == -ETIMEDOUT)
		r = kvm && vm_spins(vm) ? -EIO : vm_receive(vm, deadline, interrupted, &frame);
	if (r == 0 && frame.type == WIRE_READY) {
		vm->ready = frame;
		return 0;
	}
	if (r == 0 && frame.type == WIRE_FAILED) {
		r = take_failed(frame.data, why, size);
		free(frame.data);
		return r;
	}
	if (r == 0) {
		free(frame.data);
		r = -EBADMSG;
	}
	vm_console(vm, console, sizeof(console));
	vm_errors(vm, errors, sizeof(errors));
	errors[strcspn(errors, "\n")] = '\0';
	(void)snprintf(why, size, "%s%s%s%s%s",
		       r == -ETIMEDOUT ? "it hangs before its first word"
		       : r == -EIO     ? "KVM opens but cannot run it"
		       : r == -EINTR   ? "interrupted"
		       : r == -EPIPE   ? "it ended before its first word"
				       : "its first word is garbled",
		       errors[0] ? "; QEMU says: " : "", errors, console[0] ? "; the console ends with: " : "",
		       console);
	return r;
}

static int boot(const struct vm_spec *spec, const atomic_bool *interrupted, struct vm *ret, char *why, size_t size)
{
	struct vm vm;
	vm_init(&vm);
	int r = vm_start(spec, &vm);
	if (r < 0) {
		(void)snprintf(why, size, "QEMU cannot be started (%s)", strerrorname_np(-r));
		return r;
	}
	r = wait_ready(&vm, spec->kvm, interrupted, why, size);
	if (r < 0)
		(void)vm_stop(&vm);
	else
		*ret = vm;
	return r;
}

int state_boots(const struct guest_state *state, char *why, size_t size)
{
	struct vm_spec spec;
	struct vm vm;
	vm_init(&vm);
	make_spec(state, &spec);
	int r = boot(&spec, state->options.interrupted, &vm, why, size);
	(void)vm_stop(&vm);
	return r;
}

/* Under TCG a boot can hang at random: once in some dozens. */
static int boot_patiently(struct guest_state *state, const struct vm_spec *spec, struct vm *ret, char *why, size_t size)
{
	int r = -EIO;
	for (state->boots = 1; state->boots <= BOOT_TRIES; state->boots++) {
		uint64_t begin = clock_now_ns();
		r = boot(spec, state->options.interrupted, ret, why, size);
		state->boot_ns = clock_now_ns() - begin;
		if (r == 0 || spec->kvm || r == -EINTR || r == -ENOTSUP)
			return r;
		if (state->boots < BOOT_TRIES)
			say_note("kernel %s did not boot, trying again: %.*s", state->kernel.name,
				 (int)strcspn(why, "\n"), why);
	}
	state->boots--;
	return r;
}

__attribute__((format(printf, 2, 3))) static void cold_because(struct guest_state *state, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)vsnprintf(state->why_cold, sizeof(state->why_cold), format, args);
	va_end(args);
}

/* A save needs the guest's memory as a file: room for all of it, since what is missing would end QEMU with SIGBUS. */
static bool has_room(const char *directory, uint64_t bytes)
{
	struct statvfs fs;
	return statvfs(directory, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize > bytes + bytes / 4 + ROOM_SPARE;
}

/* What was never touched stays a hole. */
static int copy_data(int from, int to, off_t bytes)
{
	off_t at = 0, end;
	if (ftruncate(to, bytes) < 0)
		return -errno;
	while (at < bytes && (at = lseek(from, at, SEEK_DATA)) >= 0) {
		end = lseek(from, at, SEEK_HOLE);
		if (end < 0 || lseek(to, at, SEEK_SET) < 0)
			return -errno;
		while (at < end) {
			ssize_t n = sendfile(to, from, &at, (size_t)(end - at));
			if (n <= 0)
				return n < 0 ? -errno : -EIO;
		}
	}
	return at >= 0 || errno == ENXIO ? 0 : -errno; /* ENXIO: nothing but a hole is left */
}

static int save(struct guest_state *state, const char *key, int memory, struct vm *vm)
{
	auto_close int devices = open_in(state, "devices", O_RDWR | O_CREAT | O_TRUNC);
	auto_close int key_fd = open_in(state, "key", O_WRONLY | O_CREAT | O_TRUNC);
	auto_close int file = open_in(state, "memory", O_RDWR | O_CREAT | O_TRUNC);
	if (devices < 0 || key_fd < 0 || file < 0)
		return devices < 0 ? devices : key_fd < 0 ? key_fd : file;
	int r = vm_save(vm, devices, clock_now_ns() + vm_timeout_ns(SAVE_TIMEOUT_NS));
	if (r == 0)
		r = copy_data(memory, file, (off_t)state->options.memory_bytes);
	size_t length = strlen(key);
	if (r == 0 && write(key_fd, key, length) != (ssize_t)length)
		r = -EIO;
	return r;
}

/* Boot with the memory in the file and save. What cannot be saved can still be booted: 1, with the reason in why_cold.
 */
static int boot_and_save(struct guest_state *state, const char *key, int memory, char *why, size_t size)
{
	struct vm_spec spec;
	struct vm vm;
	vm_init(&vm);
	make_spec(state, &spec);
	spec.memory_fd = memory;
	int r = boot_patiently(state, &spec, &vm, why, size);
	if (r < 0 && r != -EINTR && r != -ENOTSUP && !has_room(state->directory, 0)) {
		cold_because(state, "no room left in the cache for a state");
		return 1;
	}
	int saved = r == 0 ? save(state, key, memory, &vm) : r;
	if (r == 0 && saved < 0)
		cold_because(state, "its state cannot be saved (%s)", strerrorname_np(-saved));
	else if (r == 0)
		guest_state_remember(state, GUEST_STATE_READY, vm.ready.data, vm.ready.length);
	if (r == 0 && saved == 0 && state->options.keep_booted)
		spare_keep(state, &vm);
	(void)vm_stop(&vm);
	return r == 0 && saved < 0 ? 1 : r;
}

/*
 * Fill a new directory; it gets its name when all is there. As boot_and_save(). The guest boots in memory: every first
 * touch of a page would cost a block on a disk, which makes a boot a tenth slower than copying it does.
 */
static int make(struct guest_state *state, const char *key, const char *final, char *why, size_t size)
{
	state_remove_drafts(final); /* of who was killed: the lock is ours */
	(void)snprintf(state->directory, sizeof(state->directory), "%.480s.new-%d", final, (int)getpid());
	int r = mkdir(state->directory, 0700) < 0 ? -errno : 0;
	auto_close int memory = r == 0 ? memfd_create("enomem-guest", MFD_CLOEXEC) : -1;
	if (r == 0 && (memory < 0 || ftruncate(memory, (off_t)state->options.memory_bytes) < 0))
		r = -errno;
	if (r < 0) {
		cold_because(state, "%s: cannot be written (%s)", final, strerrorname_np(-r));
		r = 1;
	} else {
		r = boot_and_save(state, key, memory, why, size);
	}
	if (r == 0 && rename(state->directory, final) < 0) {
		cold_because(state, "%s: cannot be written (%s)", final, strerrorname_np(errno));
		r = 1;
	}
	if (r != 0) {
		/* A worker that renews has none of its own: what it knows of is its parent's, or another worker's. */
		if (state->options.keep_booted)
			spare_drop(state);
		state_remove(state->directory);
	}
	(void)snprintf(state->directory, sizeof(state->directory), "%s", r != 0 ? "" : final);
	return r;
}

/* Is there a state under this name, made of exactly what we have? */
static bool is_valid(struct guest_state *state, const char *key, const char *final)
{
	char text[STATE_KEY_MAX];
	struct stat st;
	(void)snprintf(state->directory, sizeof(state->directory), "%s", final);
	auto_close int key_fd = open_in(state, "key", O_RDONLY);
	auto_close int memory = open_in(state, "memory", O_RDONLY);
	auto_close int devices = open_in(state, "devices", O_RDONLY);
	bool valid = key_fd >= 0 && memory >= 0 && devices >= 0 && fstat(memory, &st) == 0 && st.st_uid == geteuid() &&
		     (uint64_t)st.st_size == state->options.memory_bytes && fstat(devices, &st) == 0 &&
		     st.st_size > 0 && procfs_read_fd(key_fd, text, sizeof(text)) > 0 && strcmp(text, key) == 0;
	if (valid)
		(void)futimens(key_fd, NULL); /* the least recently used go first */
	else
		state->directory[0] = '\0';
	return valid;
}

/* Whoever made the state removes the lock's file: a lock on one that has no name any more keeps nobody out. */
static int lock_state(const char *final, const atomic_bool *interrupted, char *ret_path, size_t size)
{
	(void)snprintf(ret_path, size, "%s.lock", final);
	for (;;) {
		struct stat st;
		auto_close int lock = open(ret_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (lock < 0)
			return -errno;
		while (flock(lock, LOCK_EX) < 0)
			if (errno != EINTR || (interrupted && *interrupted))
				return -errno;
		if (fstat(lock, &st) == 0 && st.st_nlink > 0)
			return steal_fd(lock);
	}
}

/*
 * Two harnesses that need the same state: one boots, the other one waits and finds it. 0 with the state, 1 without (to
 * be booted, why_cold says why), -errno when the kernel does not boot.
 */
static int find_or_make(struct guest_state *state, char *why, size_t size)
{
	char states[400], final[512], lock_path[520], key[STATE_KEY_MAX];
	int r = cache_directory("states", states, sizeof(states));
	if (r < 0) {
		cold_because(state, "no cache directory (%s)", strerrorname_np(-r));
		return 1;
	}
	r = state_key(state, key, sizeof(key));
	if (r < 0) {
		(void)snprintf(why, size, "%s: cannot be read (%s)", state->kernel.image, strerrorname_np(-r));
		return r == -ENOENT ? -ESTALE : r; /* QEMU was there a moment ago */
	}
	(void)snprintf(final, sizeof(final), "%s/%016" PRIx64, states, hash_bytes(HASH_START, key, strlen(key)));
	if (is_valid(state, key, final))
		return 0;
	auto_close int lock = lock_state(final, state->options.interrupted, lock_path, sizeof(lock_path));
	if (lock < 0) {
		cold_because(state, "%s: cannot be locked (%s)", lock_path, strerrorname_np(-lock));
		return lock == -EINTR ? lock : 1;
	}
	if (is_valid(state, key, final)) {
		(void)unlink(lock_path);
		return 0;
	}
	if (access(final, F_OK) == 0)
		say_note("kernel %s: its saved state is not whole, making it again", state->kernel.name);
	state_remove(final);
	state_evict(states);
	if (has_room(states, state->options.memory_bytes)) {
		r = make(state, key, final, why, size);
	} else {
		cold_because(state, "no room in the cache for a state");
		r = 1;
	}
	(void)unlink(lock_path);
	return r;
}

/* KVM is asked to boot, not only opened: on some machines it opens and cannot run a guest. */
static int try_kvm(struct guest_state *state, char *why, size_t size)
{
	state->kvm = true;
	int r = state->options.cold ? 1 : find_or_make(state, why, size);
	if (r > 0)
		r = state_boots(state, why, size);
	state->kvm = r == 0;
	return r;
}

/* Under KVM if that works, else emulated. It is KVM's fault only when the same kernel boots without. */
static int open_state(struct guest_state *state, char *why, size_t size)
{
	char kvm_why[1024] = "";
	bool tried = state_kvm_worth_trying();
	int r = tried ? try_kvm(state, kvm_why, sizeof(kvm_why)) : -ENODEV;
	if (r == -ENOTSUP) /* what the kernel lacks, it could say under KVM */
		(void)snprintf(why, size, "%s", kvm_why);
	if (r == 0 || r == -ENOTSUP)
		return r;
	bool cold = state->options.cold;
	if (tried && !(state->options.interrupted && *state->options.interrupted)) {
		kvm_why[strcspn(kvm_why, "\n")] = '\0';
		say_note("KVM cannot run guests here (%.*s): emulating the CPU instead", 200, kvm_why);
	}
	r = cold ? 1 : find_or_make(state, why, size);
	if (tried && r >= 0 && (r == 0 || state_boots(state, why, size) == 0))
		state_kvm_remember(kvm_why);
	return r;
}

int guest_state_open(const struct guest_kernel *kernel, const struct guest_options *options, struct guest_image *image,
		     struct guest_state *ret, char *why, size_t size)
{
	const char *qemu = secure_getenv("ENOMEM_QEMU");
	struct guest_state state = {.kernel = *kernel, .options = *options, .image = *image};
	*image = (struct guest_image){.fd = -1};
	why[0] = '\0';
	int n = snprintf(state.qemu, sizeof(state.qemu), "%s", qemu && *qemu ? qemu : "qemu-system-x86_64");
	state_find_firmware(&state);
	int r = n < (int)sizeof(state.qemu) && state_has_program(state.qemu) ? open_state(&state, why, size) : -ENOENT;
	if (r < 0) {
		guest_image_close(&state.image);
		return r;
	}
	if (options->cold)
		cold_because(&state, "cold boots were asked for");
	else if (!state.directory[0])
		say_note("kernel %s: %s; every guest is booted, which takes seconds", kernel->name, state.why_cold);
	*ret = state;
	return 0;
}

void guest_state_close(struct guest_state *state)
{
	spare_drop(state);
	guest_image_close(&state->image);
}

/* Tells one making of a state from the next: the file's number and its time. */
static uint64_t which(int devices)
{
	struct stat st;
	if (fstat(devices, &st) < 0)
		return 0;
	return hash_bytes(hash_bytes(HASH_START, &st.st_ino, sizeof(st.st_ino)), &st.st_mtim, sizeof(st.st_mtim));
}

int guest_state_start(struct guest_state *state, bool cold, struct vm *ret, char *why, size_t size)
{
	struct vm_spec spec;
	make_spec(state, &spec);
	if (cold || !state->directory[0])
		return boot_patiently(state, &spec, ret, why, size);
	if (spare_take(state, ret))
		return 0;
	auto_close int memory = open_in(state, "memory", O_RDWR);
	auto_close int devices = open_in(state, "devices", O_RDONLY);
	state->saved = devices < 0 ? 0 : which(devices);
	spec.memory_fd = memory;
	spec.state_fd = devices;
	int r = memory < 0 ? memory : devices < 0 ? devices : vm_start(&spec, ret);
	if (r < 0)
		(void)snprintf(why, size, "its saved state cannot be started (%s)", strerrorname_np(-r));
	return r;
}

int guest_state_renew(struct guest_state *state)
{
	char path[520], why[1024];
	auto_close int lock = lock_state(state->directory, state->options.interrupted, path, sizeof(path));
	auto_close int devices = open_in(state, "devices", O_RDONLY);
	if (lock < 0)
		return lock;
	if (devices >= 0 && which(devices) == state->saved) {
		say_note("kernel %s: its saved state does not start a guest, making it again", state->kernel.name);
		state_remove(state->directory);
	}
	(void)unlink(path);
	closep(&lock);
	lock = -1;
	state->options.keep_booted = false; /* a worker's may outlive it */
	int r = find_or_make(state, why, sizeof(why));
	return r > 0 ? -ENOSPC : r;
}
