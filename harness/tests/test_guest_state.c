// SPDX-License-Identifier: MIT
/*
 * Booted states: made once, found again, made anew when anything they depend on changed or they are spoiled, given up
 * without harm where they cannot be made, and thrown away in time. With a QEMU that is this program.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>

#include "fake-qemu.h"
#include "guest-state-internal.h"
#include "guest-tree.h"

#define MEMORY (UINT64_C(1) << 20)

static struct guest_kernel kernel = {.name = "fake"};
static struct guest_options options = {.memory_bytes = MEMORY, .cpus = 1};
static atomic_bool interrupted;
static char why[1200];

static int prepare(void **state)
{
	if (make_tree(state) < 0)
		return -1;
	fake_prepare(in_tree("starts"));
	put("kernel", "an image");
	(void)snprintf(kernel.image, sizeof(kernel.image), "%s", in_tree("kernel"));
	options = (struct guest_options){.memory_bytes = MEMORY, .cpus = 1, .interrupted = &interrupted};
	state_kvm_remember("a test"); /* emulated, whatever this machine has */
	return state_kvm_worth_trying() ? -1 : 0;
}

static int clean(void **state)
{
	interrupted = false;
	return remove_tree(state);
}

static struct guest_image image_of(uint64_t hash)
{
	return (struct guest_image){open("/dev/null", O_RDONLY | O_CLOEXEC), 100, hash};
}

static int open_state(const char *script, struct guest_state *ret)
{
	struct guest_image image = image_of(7);
	memset(why, 0, sizeof(why));
	fake_plays(script);
	int r = guest_state_open(&kernel, &options, &image, ret, why, sizeof(why));
	assert_int_equal(image.fd, -1); /* taken over */
	assert_no_child();
	return r;
}

/* The names below cache/states, sorted by nothing: how many end like this. */
static unsigned count_states(const char *end)
{
	auto_closedir DIR *dir = opendir(in_tree("cache/states"));
	unsigned count = 0;
	for (const struct dirent *d; dir && (d = readdir(dir));) {
		size_t length = strlen(d->d_name), n = strlen(end);
		count += d->d_name[0] != '.' && length >= n && strcmp(d->d_name + length - n, end) == 0;
	}
	return count;
}

static const char *in_state(const struct guest_state *s, const char *name)
{
	static char path[700];
	(void)snprintf(path, sizeof(path), "%s/%s", s->directory, name);
	return path;
}

static void assert_saved(const struct guest_state *s, unsigned starts)
{
	struct stat st;
	assert_string_not_equal(s->directory, "");
	assert_int_equal(stat(in_state(s, "memory"), &st), 0);
	assert_int_equal(st.st_size, MEMORY);
	assert_int_equal(stat(in_state(s, "devices"), &st), 0);
	assert_int_equal(st.st_size, 7);
	assert_int_equal(stat(in_state(s, "key"), &st), 0);
	assert_int_equal(count_states(""), 1); /* no lock, nothing unfinished */
	assert_int_equal(fake_starts(), starts);
}

static void assert_found(const char *script, unsigned starts)
{
	struct guest_state s;
	assert_int_equal(open_state(script, &s), 0);
	assert_saved(&s, starts);
	guest_state_close(&s);
}

static void test_made_once(void **state)
{
	(void)state;
	assert_found("rw", 1);
	assert_found("rw", 0);
	assert_found("x", 0); /* not even asked */
}

static void test_spoiled(void **state)
{
	struct guest_state s;
	char key[STATE_KEY_MAX];
	(void)state;
	assert_int_equal(open_state("rw", &s), 0);
	guest_state_close(&s);
	assert_int_equal(truncate(in_state(&s, "memory"), MEMORY - 1), 0);
	assert_found("rw", 1);
	assert_int_equal(truncate(in_state(&s, "devices"), 0), 0);
	assert_found("rw", 1);
	assert_int_equal(unlink(in_state(&s, "memory")), 0);
	assert_found("rw", 1);
	assert_int_equal(unlink(in_state(&s, "key")), 0);
	assert_found("rw", 1);
	FILE *f = fopen(in_state(&s, "key"), "r+e");
	key[fread(key, 1, sizeof(key) - 1, f)] = '\0';
	rewind(f);
	assert_int_equal(fputc(key[0] ^ 1, f), key[0] ^ 1);
	(void)fclose(f);
	assert_found("rw", 1);
	assert_found("rw", 0);
}

static void key_of(const struct guest_state *s, char *ret)
{
	assert_int_equal(state_key(s, ret, STATE_KEY_MAX), 0);
}

static void assert_other_key(const struct guest_state *s, const char *before)
{
	char now[STATE_KEY_MAX];
	key_of(s, now);
	assert_string_not_equal(now, before);
}

static void test_key(void **state)
{
	struct guest_state s = {.kernel = kernel, .options = options, .image = {.bytes = 1, .hash = 2}}, other;
	char before[STATE_KEY_MAX], same[STATE_KEY_MAX];
	(void)state;
	put("qemu", "#!/bin/sh\n");
	assert_int_equal(chmod(in_tree("qemu"), 0755), 0);
	(void)snprintf(s.qemu, sizeof(s.qemu), "%s", in_tree("qemu"));
	key_of(&s, before);
	key_of(&s, same);
	assert_string_equal(before, same);
#define CHANGED(change)                                                                                                \
	do {                                                                                                           \
		other = s;                                                                                             \
		other.change;                                                                                          \
		assert_other_key(&other, before);                                                                      \
	} while (0)
	CHANGED(image.hash = 3);
	CHANGED(image.bytes = 3);
	CHANGED(options.memory_bytes *= 2);
	CHANGED(options.cpus = 2);
	CHANGED(options.append[0] = 'x');
	CHANGED(kvm = true);
	put("qemu", "#!/bin/sh\n# another one\n");
	assert_other_key(&s, before);
	key_of(&s, before);
	put("kernel", "another one");
	assert_other_key(&s, before);
	key_of(&s, before);
	put("kernel", "another two"); /* the same size, another time */
	assert_other_key(&s, before);
	struct stat st;
	key_of(&s, before);
	assert_int_equal(stat(in_tree("kernel"), &st), 0);
	put("kernel", "another six"); /* the same size and, as cp -p leaves it, time */
	assert_int_equal(utimensat(AT_FDCWD, in_tree("kernel"), (struct timespec[]){st.st_atim, st.st_mtim}, 0), 0);
	assert_other_key(&s, before);
}

/* The small firmware is used where QEMU's files are, whatever link QEMU is started by, and a state depends on it. */
static void test_firmware(void **state)
{
	struct guest_state s = {.kernel = kernel, .options = options, .image = {.bytes = 1, .hash = 2}};
	char before[STATE_KEY_MAX];
	(void)state;
	put("usr/bin/qemu", "#!/bin/sh\n");
	assert_int_equal(chmod(in_tree("usr/bin/qemu"), 0755), 0);
	assert_int_equal(symlink("usr/bin/qemu", in_tree("link")), 0);
	(void)snprintf(s.qemu, sizeof(s.qemu), "%s", in_tree("link"));
	state_find_firmware(&s);
	assert_string_equal(s.firmware, "");
	key_of(&s, before);
	put("usr/share/qemu/qboot.rom", "firmware");
	state_find_firmware(&s);
	assert_string_equal(s.firmware, in_tree("usr/share/qemu/qboot.rom"));
	assert_other_key(&s, before);
	key_of(&s, before);
	put("usr/share/qemu/qboot.rom", "another");
	assert_other_key(&s, before);
	/* with KVM it is not used */
	s.kvm = true;
	key_of(&s, before);
	put("usr/share/qemu/qboot.rom", "a third one");
	char now[STATE_KEY_MAX];
	key_of(&s, now);
	assert_string_equal(now, before);
	(void)strcpy(s.qemu, "no-such-qemu");
	state_find_firmware(&s);
	assert_string_equal(s.firmware, "");
}

static void make_state(const char *name, time_t used)
{
	char path[200];
	const struct timespec times[2] = {{.tv_sec = used}, {.tv_sec = used}};
	(void)snprintf(path, sizeof(path), "cache/states/%s/memory", name);
	put(path, "memory");
	(void)snprintf(path, sizeof(path), "cache/states/%s/key", name);
	put(path, "key");
	assert_int_equal(utimensat(AT_FDCWD, in_tree(path), times, 0), 0);
}

static void test_eviction(void **state)
{
	char name[32];
	(void)state;
	for (int i = 0; i < 20; i++) {
		(void)snprintf(name, sizeof(name), "%016d", i);
		make_state(name, 1000 + (i * 7) % 20);
	}
	put("cache/states/stranger/file", "not a state");
	state_evict(in_tree("cache/states"));
	for (int i = 0; i < 20; i++) {
		char path[64];
		(void)snprintf(path, sizeof(path), "cache/states/%016d", i);
		/* the eight that were used longest ago */
		assert_int_equal(access(in_tree(path), F_OK), (i * 7) % 20 < 8 ? -1 : 0);
	}
	assert_int_equal(access(in_tree("cache/states/stranger/file"), F_OK), 0);
}

/* Half a state of a harness that was killed is removed, with its lock, whatever process has its number now; that of one
 * that holds the lock is not, whoever cannot see its process. */
static void test_abandoned(void **state)
{
	static const char *const gone[] = {"0123.new-2", "0123.lock", "89ab.new-", "cdef.lock", "89ab.lock"};
	char path[64];
	(void)state;
	make_state("0123.new-2", 5000);
	make_state("4567.new-4194305", 5000);
	make_state("89ab.new-", 5000);
	put("cache/states/0123.lock", "");
	put("cache/states/4567.lock", "");
	put("cache/states/cdef.lock", "");
	int lock = open(in_tree("cache/states/4567.lock"), O_RDWR | O_CLOEXEC);
	assert_true(lock >= 0);
	assert_int_equal(flock(lock, LOCK_EX), 0);
	state_evict(in_tree("cache/states"));
	for (size_t i = 0; i < ARRAY_SIZE(gone); i++) {
		(void)snprintf(path, sizeof(path), "cache/states/%s", gone[i]);
		assert_int_equal(access(in_tree(path), F_OK), -1);
	}
	assert_int_equal(access(in_tree("cache/states/4567.new-4194305"), F_OK), 0);
	assert_int_equal(access(in_tree("cache/states/4567.lock"), F_OK), 0);
	(void)close(lock);
	state_evict(in_tree("cache/states"));
	assert_int_equal(access(in_tree("cache/states/4567.new-4194305"), F_OK), -1);
	assert_int_equal(access(in_tree("cache/states/4567.lock"), F_OK), -1);
}

/* A directory of an earlier process with our number is no obstacle, nor a lock that nobody holds. */
static void test_own_leftovers(void **state)
{
	struct guest_state s;
	char path[800];
	(void)state;
	assert_int_equal(open_state("rw", &s), 0);
	guest_state_close(&s);
	state_remove(s.directory);
	(void)snprintf(path, sizeof(path), "%s.new-%d", strstr(s.directory, "cache/"), (int)getpid());
	(void)strcat(path, "/memory");
	put(path, "of another");
	(void)snprintf(path, sizeof(path), "%s.lock", strstr(s.directory, "cache/"));
	put(path, "");
	assert_found("rw", 1);
}

static void fails(const char *script, int error, unsigned starts, const char *told)
{
	struct guest_state s = {.directory = "untouched"};
	int r = open_state(script, &s);
	/* one that is interrupted may not even have begun */
	if (r != error || (r != -EINTR && fake_starts() != starts) || !strstr(why, told))
		fail_msg("'%s': %d, %u starts: %s", script, r, fake_starts(), why);
	assert_string_equal(s.directory, "untouched");
	assert_int_equal(count_states(""), 0);
}

static void test_no_boot(void **state)
{
	(void)state;
	fails("x", -EPIPE, 3, "ended before its first word; QEMU says: fake QEMU gave up");
	fails("h", -ETIMEDOUT, 3, "hangs before its first word");
	fails("pch", -ETIMEDOUT, 3, "Kernel panic - not syncing: a reason");
	fails("g", -EBADMSG, 3, "garbled");
	fails("th", -ETIMEDOUT, 3, "hangs");
	fails("d", -EBADMSG, 3, "garbled");
	fails("f", -EBADMSG, 3, "it cannot be");
	fails("L", -ENOTSUP, 1, "it has no disk"); /* what it says it lacks, another boot does not bring */
	assert_null(strstr(why, "and more"));
	interrupted = true;
	fails("h", -EINTR, 1, "interrupted");
	interrupted = false;
	(void)setenv("ENOMEM_QEMU", in_tree("kernel"), 1); /* no program */
	fails("rw", -ENOENT, 0, "");
	(void)setenv("ENOMEM_QEMU", "no-such-qemu", 1);
	fails("rw", -ENOENT, 0, "");
	fake_prepare(in_tree("starts"));
}

static void test_retried(void **state)
{
	struct guest_state s;
	(void)state;
	assert_int_equal(open_state("h|x|rw", &s), 0);
	assert_saved(&s, 3);
	assert_int_equal(s.boots, 3);
	guest_state_close(&s);
}

static void cold(const char *script, unsigned starts_max, const char *told)
{
	struct guest_state s;
	assert_int_equal(open_state(script, &s), 0);
	assert_string_equal(s.directory, "");
	if (!strstr(s.why_cold, told))
		fail_msg("'%s' is not in: %s", told, s.why_cold);
	assert_in_range(fake_starts(), 0, starts_max);
	assert_int_equal(count_states(""), 0);
	guest_state_close(&s);
}

static void test_cold(void **state)
{
	(void)state;
	cold("rn", 1, "cannot be saved (EIO)");
	cold("rx", 1, "cannot be saved (EPIPE)");
	cold("rh", 1, "cannot be saved (ETIMEDOUT)");
	options.memory_bytes = UINT64_C(1) << 60;
	cold("rw", 0, "no room");
	options.memory_bytes = MEMORY;
	options.cold = true;
	cold("rw", 0, "asked for");
	options.cold = false;
	/* Without a cache nothing is remembered of KVM: where there is one, it is tried. */
	(void)setenv("ENOMEM_CACHE_DIR", "/dev/null/cache", 1);
	cold("rw", 1, "no cache directory (ENOTDIR)");
	put("file/states", "no directory");
	(void)setenv("ENOMEM_CACHE_DIR", in_tree("file"), 1);
	cold("rw", 1, "no cache directory (ENOTDIR)");
	put("open/states/x", "");
	assert_int_equal(chmod(in_tree("open/states"), 0777), 0);
	(void)setenv("ENOMEM_CACHE_DIR", in_tree("open"), 1);
	cold("rw", 1, "no cache directory (EPERM)");
}

static void start(struct guest_state *s, const char *script)
{
	struct vm vm;
	vm_init(&vm);
	fake_plays(script);
	/* EPIPE: it may be gone before it is told what to restore */
	int r = guest_state_start(s, false, &vm, why, sizeof(why));
	assert_true(r == 0 || r == -EPIPE);
	(void)vm_stop(&vm);
	assert_no_child();
}

static void test_renewed(void **state)
{
	struct guest_state s, other;
	(void)state;
	assert_int_equal(open_state("rw", &s), 0);
	start(&s, "x");
	other = s;
	/* it does not restore: made again, in the same place */
	fake_plays("rw");
	assert_int_equal(guest_state_renew(&s), 0);
	assert_saved(&s, 1);
	assert_string_equal(s.directory, other.directory);
	/* who failed with the old one finds the new one made */
	assert_int_equal(guest_state_renew(&other), 0);
	assert_saved(&other, 1);
	/* and when nothing boots any more, there is none */
	start(&s, "x");
	fake_plays("x");
	assert_int_equal(guest_state_renew(&s), -EPIPE);
	assert_string_equal(s.directory, "");
	assert_int_equal(count_states(""), 0);
	assert_no_child();
	guest_state_close(&s);
}

static void test_gone(void **state)
{
	struct guest_state s;
	struct vm vm;
	(void)state;
	assert_int_equal(open_state("rw", &s), 0);
	state_remove(s.directory);
	assert_int_equal(guest_state_start(&s, false, &vm, why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, "ENOENT"));
	/* booted, and what it cannot say is told */
	vm_init(&vm);
	fake_plays("x");
	assert_int_equal(guest_state_start(&s, true, &vm, why, sizeof(why)), -EPIPE);
	assert_non_null(strstr(why, "fake QEMU gave up"));
	fake_plays("x|rh");
	assert_int_equal(guest_state_start(&s, true, &vm, why, sizeof(why)), 0);
	(void)vm_stop(&vm);
	assert_no_child();
	guest_state_close(&s);
}

/* Start one in a child of ours, as workers do, that ends with how(its guest). */
static pid_t start_in_child(struct guest_state *s, int (*how)(struct vm *))
{
	struct vm vm;
	pid_t pid = fork();
	if (pid == 0)
		_exit(guest_state_start(s, false, &vm, why, sizeof(why)) == 0 ? how(&vm) : 255);
	return pid;
}

static int status_of(pid_t pid)
{
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int stop(struct vm *vm)
{
	bool booted = vm->booted;
	return WTERMSIG(vm_stop(vm)) == SIGKILL ? booted : 254;
}

static int wait_for(struct vm *vm)
{
	int status = vm_wait(vm);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 253;
}

static int leave(struct vm *vm)
{
	(void)vm;
	return 0;
}

static void open_kept(const char *script, struct guest_state *ret)
{
	struct guest_image image = image_of(7);
	options.keep_booted = true;
	state_remove(ret->directory); /* of the last one */
	fake_plays(script);
	assert_int_equal(guest_state_open(&kernel, &options, &image, ret, why, sizeof(why)), 0);
	assert_saved(ret, 1);
}

/* The one that was saved is the first that is started, whoever does, and no other process has it as well. */
static void test_kept(void **state)
{
	struct guest_state s = {0};
	struct wire_frame frame;
	struct vm vm;
	(void)state;
	open_kept("rWd|h", &s);
	assert_int_equal(guest_state_start(&s, false, &vm, why, sizeof(why)), 0);
	assert_true(vm.booted);
	assert_int_equal(fake_starts(), 1);
	assert_int_equal(vm_receive(&vm, UINT64_MAX, NULL, &frame), 0); /* it went on */
	assert_int_equal(frame.type, WIRE_DONE);
	free(frame.data);
	(void)vm_stop(&vm);
	assert_no_child();
	assert_int_equal(status_of(start_in_child(&s, stop)), false); /* the next one is restored */
	guest_state_close(&s);
	assert_no_child();
}

static void test_kept_for_a_child(void **state)
{
	struct guest_state s = {0};
	(void)state;
	open_kept("rWh|h", &s);
	assert_int_equal(status_of(start_in_child(&s, stop)), true);
	assert_int_equal(status_of(start_in_child(&s, stop)), false);
	guest_state_close(&s);
	assert_no_child();
	/* how it ended is known to the child that talked to it */
	open_kept("rWx", &s);
	assert_int_equal(status_of(start_in_child(&s, wait_for)), 1);
	guest_state_close(&s);
	assert_no_child();
}

static int renew(struct guest_state *s)
{
	struct vm vm;
	s->options.interrupted = NULL;
	if (guest_state_start(s, false, &vm, why, sizeof(why)) < 0)
		return 255;
	bool booted = vm.booted;
	(void)vm_stop(&vm);
	fake_plays("x");
	s->saved = 0;
	state_remove(s->directory);
	return guest_state_renew(s) == -EPIPE ? booted : 254;
}

static pid_t in_child(struct guest_state *s, int (*what)(struct guest_state *))
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(what(s));
	return pid;
}

/* A worker whose guests do not start, and that cannot make the state anew, ends no other's guest and nothing twice. */
static void test_kept_is_anothers(void **state)
{
	struct guest_state s = {0};
	siginfo_t info = {0};
	(void)state;
	open_kept("rWh|h", &s);
	assert_int_equal(status_of(start_in_child(&s, leave)), 0);
	assert_int_equal(status_of(in_child(&s, renew)), false);
	assert_int_equal(waitid(P_PID, (id_t)s.spare.pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
	assert_int_equal(info.si_pid, 0); /* it lives */
	guest_state_close(&s);
	assert_no_child();
	open_kept("rWh|h", &s);
	assert_int_equal(status_of(in_child(&s, renew)), true); /* the one that has it */
	guest_state_close(&s);
	assert_no_child();
}

/* A worker that is killed cannot stop its guest; who has not begun is not hindered by another's end. */
static void test_kept_is_left(void **state)
{
	struct guest_state s = {0};
	(void)state;
	open_kept("rWh|h", &s);
	pid_t child = start_in_child(&s, leave);
	assert_int_equal(status_of(child), 0);
	guest_state_taker_ended(&s, child + 1);
	assert_int_equal(kill(s.spare.pid, 0), 0);
	guest_state_taker_ended(&s, child);
	assert_no_child();
	guest_state_close(&s);
	open_kept("rWh|h", &s);
	guest_state_close(&s);
	assert_no_child();
}

/* It may be gone by the time it is wanted. */
static void test_kept_died(void **state)
{
	struct guest_state s = {0};
	struct vm vm;
	(void)state;
	open_kept("rWh|h", &s);
	assert_int_equal(kill(s.spare.pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)s.spare.pid, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
	assert_int_equal(guest_state_start(&s, false, &vm, why, sizeof(why)), 0);
	assert_false(vm.booted);
	(void)vm_stop(&vm);
	assert_no_child();
	guest_state_close(&s);
}

int main(int argc, char **argv)
{
	if (is_fake_qemu(argc, argv))
		return play_fake_qemu(argv);
#define TEST(name) cmocka_unit_test_setup_teardown(name, prepare, clean)
	const struct CMUnitTest tests[] = {
		TEST(test_made_once),     TEST(test_spoiled),
		TEST(test_key),           TEST(test_firmware),
		TEST(test_eviction),      TEST(test_abandoned),
		TEST(test_no_boot),       TEST(test_retried),
		TEST(test_own_leftovers), TEST(test_cold),
		TEST(test_renewed),       TEST(test_gone),
		TEST(test_kept),          TEST(test_kept_for_a_child),
		TEST(test_kept_is_left),  TEST(test_kept_is_anothers),
		TEST(test_kept_died),
	};
	return cmocka_run_group_tests_name("guest_state", tests, NULL, NULL);
}
