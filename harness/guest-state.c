// SPDX-License-Identifier: MIT
/*
 * Making, finding and discarding booted states. See guest-state.h.
 */
#include "guest-state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "cache.h"
#include "cleanup.h"
#include "guest-state-internal.h"
#include "procfs.h"
#include "say.h"

#define BOOT_TRIES      3
#define BOOT_TIMEOUT_NS UINT64_C(30000000000)
#define KVM_TIMEOUT_NS  UINT64_C(10000000000)
#define SAVE_TIMEOUT_NS UINT64_C(20000000000)
#define DISK_BYTES      (UINT64_C(512) << 20)
#define CONSOLE_TAIL    600

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
				.memory_bytes = state->options.memory_bytes,
				.disk_bytes = DISK_BYTES,
				.cpus = state->options.cpus,
				.kvm = state->kvm,
				.memory_fd = -1,
				.state_fd = -1};
}

/* Wait for the guest's first word. On failure `why` has the reason and the console's end. */
static int wait_ready(struct vm *vm, uint64_t timeout_ns, char *why, size_t size)
{
	struct wire_frame frame;
	char console[CONSOLE_TAIL], errors[CONSOLE_TAIL];
	int r = vm_receive(vm, vm_now_ns() + timeout_ns, NULL, &frame);
	if (r == 0 && frame.type == WIRE_READY) {
		free(frame.data);
		return 0;
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
		       : r == -EPIPE   ? "it ended before its first word"
				       : "its first word is garbled",
		       errors[0] ? "; QEMU says: " : "", errors, console[0] ? "; the console ends with: " : "",
		       console);
	return r;
}

static int boot(const struct vm_spec *spec, uint64_t timeout_ns, struct vm *ret, char *why, size_t size)
{
	struct vm vm;
	vm_init(&vm);
	int r = vm_start(spec, &vm);
	if (r < 0) {
		(void)snprintf(why, size, "QEMU cannot be started (%s)", strerrorname_np(-r));
		return r;
	}
	r = wait_ready(&vm, timeout_ns, why, size);
	if (r < 0)
		(void)vm_stop(&vm);
	else
		*ret = vm;
	return r;
}

bool state_kvm_boots(const struct guest_state *state, char *why, size_t size)
{
	struct vm_spec spec;
	struct vm vm;
	vm_init(&vm);
	make_spec(state, &spec);
	bool works = boot(&spec, KVM_TIMEOUT_NS, &vm, why, size) == 0;
	(void)vm_stop(&vm);
	return works;
}

/* Under TCG a boot can hang at random: once in some dozens. */
static int boot_patiently(struct guest_state *state, const struct vm_spec *spec, struct vm *ret, char *why, size_t size)
{
	int r = -EIO;
	for (state->boots = 1; state->boots <= BOOT_TRIES; state->boots++) {
		uint64_t begin = vm_now_ns();
		r = boot(spec, spec->kvm ? KVM_TIMEOUT_NS : BOOT_TIMEOUT_NS, ret, why, size);
		state->boot_ns = vm_now_ns() - begin;
		if (r == 0 || spec->kvm || r == -ENOENT)
			return r;
		if (state->boots < BOOT_TRIES)
			say_note("kernel %s did not boot, trying again: %.*s", state->kernel.name,
				 (int)strcspn(why, "\n"), why);
	}
	state->boots--;
	return r;
}

/* A save needs the guest's memory as a file: room for all of it, since what is missing would end QEMU with SIGBUS. */
static bool has_room(const char *directory, uint64_t bytes)
{
	struct statvfs fs;
	return statvfs(directory, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize > bytes + bytes / 4;
}

static int save(struct guest_state *state, const char *key, struct vm *vm)
{
	auto_close int devices = open_in(state, "devices", O_RDWR | O_CREAT | O_TRUNC);
	auto_close int key_fd = open_in(state, "key", O_WRONLY | O_CREAT | O_TRUNC);
	if (devices < 0 || key_fd < 0)
		return devices < 0 ? devices : key_fd;
	int r = vm_save(vm, devices, vm_now_ns() + SAVE_TIMEOUT_NS);
	size_t length = strlen(key);
	if (r == 0 && write(key_fd, key, length) != (ssize_t)length)
		r = -EIO;
	return r;
}

/* Boot with the memory in a file of the new directory and save; the directory gets its name when all is there. */
static int make(struct guest_state *state, const char *key, const char *final, char *why, size_t size)
{
	struct vm_spec spec;
	struct vm vm;
	vm_init(&vm);
	(void)snprintf(state->directory, sizeof(state->directory), "%.480s.new-%d", final, (int)getpid());
	if (mkdir(state->directory, 0700) < 0)
		return -errno;
	auto_close int memory = open_in(state, "memory", O_RDWR | O_CREAT | O_TRUNC);
	make_spec(state, &spec);
	spec.memory_fd = memory;
	int r = memory < 0 ? memory : ftruncate(memory, (off_t)spec.memory_bytes) < 0 ? -errno : 0;
	if (r < 0)
		(void)snprintf(why, size, "%s: cannot be written (%s)", state->directory, strerrorname_np(-r));
	if (r == 0)
		r = boot_patiently(state, &spec, &vm, why, size);
	if (r == 0) {
		r = save(state, key, &vm);
		if (r < 0)
			(void)snprintf(why, size, "its state cannot be saved (%s)", strerrorname_np(-r));
	}
	(void)vm_stop(&vm);
	if (r == 0 && rename(state->directory, final) < 0)
		r = -errno;
	if (r < 0)
		state_remove(state->directory);
	(void)snprintf(state->directory, sizeof(state->directory), "%s", r < 0 ? "" : final);
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

/* Two harnesses that need the same state: one boots, the other one waits and finds it. */
static int find_or_make(struct guest_state *state, char *why, size_t size)
{
	char states[400], final[512], lock_path[520], key[STATE_KEY_MAX];
	int r = cache_directory("states", states, sizeof(states));
	if (r < 0) {
		(void)snprintf(state->why_cold, sizeof(state->why_cold), "no cache directory (%s)",
			       strerrorname_np(-r));
		return 0;
	}
	r = state_key(state, key, sizeof(key));
	if (r < 0)
		return r;
	(void)snprintf(final, sizeof(final), "%s/%016" PRIx64, states, hash_bytes(HASH_START, key, strlen(key)));
	if (is_valid(state, key, final))
		return 0;
	(void)snprintf(lock_path, sizeof(lock_path), "%s.lock", final);
	auto_close int lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock >= 0)
		(void)flock(lock, LOCK_EX);
	if (is_valid(state, key, final))
		return 0;
	state_remove(final);
	state_evict(states);
	if (!has_room(states, state->options.memory_bytes)) {
		(void)snprintf(state->why_cold, sizeof(state->why_cold), "no room in the cache for a state");
		return 0;
	}
	r = make(state, key, final, why, size);
	(void)unlink(lock_path);
	return r;
}

/* KVM is asked to boot, not only opened: on some machines it opens and cannot run a guest. */
static bool try_kvm(struct guest_state *state)
{
	char why[1024];
	if (!state_kvm_worth_trying())
		return false;
	state->kvm = true;
	bool works = state->options.cold ? state_kvm_boots(state, why, sizeof(why))
					 : find_or_make(state, why, sizeof(why)) == 0;
	if (works)
		return true;
	state->kvm = false;
	state->directory[0] = '\0';
	why[strcspn(why, "\n")] = '\0';
	say_note("KVM cannot run guests here (%.*s): emulating the CPU instead", 200, why);
	state_kvm_remember(why);
	return false;
}

int guest_state_open(const struct guest_kernel *kernel, const struct guest_options *options, struct guest_image *image,
		     struct guest_state *ret, char *why, size_t size)
{
	const char *qemu = secure_getenv("ENOMEM_QEMU");
	struct guest_state state = {.kernel = *kernel, .options = *options, .image = *image};
	*image = (struct guest_image){.fd = -1};
	why[0] = '\0';
	(void)snprintf(state.qemu, sizeof(state.qemu), "%s", qemu && *qemu ? qemu : "qemu-system-x86_64");
	int r = 0;
	if (!try_kvm(&state) && !options->cold)
		r = find_or_make(&state, why, size);
	if (r < 0) {
		guest_image_close(&state.image);
		return r;
	}
	if (options->cold)
		(void)snprintf(state.why_cold, sizeof(state.why_cold), "cold boots were asked for");
	*ret = state;
	return 0;
}

void guest_state_close(struct guest_state *state)
{
	guest_image_close(&state->image);
}

int guest_state_start(const struct guest_state *state, bool cold, struct vm *ret)
{
	struct vm_spec spec;
	char why[1024];
	make_spec(state, &spec);
	if (cold || !state->directory[0]) {
		struct guest_state copy = *state;
		return boot_patiently(&copy, &spec, ret, why, sizeof(why));
	}
	auto_close int memory = open_in(state, "memory", O_RDWR);
	auto_close int devices = open_in(state, "devices", O_RDONLY);
	if (memory < 0 || devices < 0)
		return memory < 0 ? memory : devices;
	spec.memory_fd = memory;
	spec.state_fd = devices;
	return vm_start(&spec, ret);
}

void guest_state_spoil(struct guest_state *state)
{
	state_remove(state->directory);
	state->directory[0] = '\0';
}
