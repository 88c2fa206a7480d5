// SPDX-License-Identifier: MIT
/*
 * The witness on real processes. The tree it expects (root, stage, program) is played by forks of this test, so that
 * neither namespaces nor root are needed; the program is this test again, in a role named by its first argument.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "filter.h"
#include "limits.h"
#include "number.h"
#include "play-untraced.h"
#include "witness-inject.h"
#include "witness.h"

#define HUGE_REQUEST    (1ULL << 46)
#define ARGUMENTS_STACK (2ULL << 20)

static struct witness witness;
static struct witness_shared shared;
static struct snapshot_source source;
static int filter_fd = -1;
static const struct environment_injection *injections;
static unsigned injection_count;
static uint64_t on_demand; /* watched as well */

/* Fork a stand-in for the root, whose child stands in for the stage, whose child executes us in a role. */
static int watch_with_ceiling(const char *role, unsigned tasks_ceiling)
{
	int gate[2];
	char byte;
	memset(&witness, 0, sizeof(witness));
	witness.tasks_ceiling = tasks_ceiling;
	witness.source = &source;
	witness.shared = &shared;
	witness.injection = injections;
	witness.injection_count = injection_count;
	assert_int_equal(pipe(gate), 0);
	pid_t root = fork();
	if (root == 0) {
		(void)close(gate[1]);
		(void)!read(gate[0], &byte, 1);
		if (fork() == 0) {
			/* As stage_namespaces_start(): the stage dies with its parent, and here the program with the
			 * stage.
			 */
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (fork() == 0) {
				(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
				/* LeakSanitizer would ptrace, which a traced process cannot, and AddressSanitizer hide
				 * the fault. */
				(void)setenv("ASAN_OPTIONS", "detect_leaks=0:handle_segv=0:handle_sigbus=0", 1);
				if (filter_load(filter_fd) < 0 || (on_demand && filter_watch_also(on_demand) < 0))
					_exit(99);
				(void)execl("/proc/self/exe", "program", role, NULL);
				_exit(98);
			}
			(void)wait(NULL);
			_exit(0);
		}
		(void)wait(NULL);
		_exit(0);
	}
	assert_true(root > 0);
	assert_int_equal(witness_seize(root), 0);
	(void)close(gate[0]);
	(void)close(gate[1]);
	return witness_watch(&witness, root);
}

static int watch(const char *role)
{
	return watch_with_ceiling(role, 0);
}

static uint64_t calls_of(const char *name)
{
	const struct call_info *call = call_by_name(name);
	return call ? witness.call_count[call - watched_calls] : 0;
}

static void sees_nothing_refused(void **state)
{
	(void)state;
	assert_int_equal(watch("idle"), 0);
	assert_true(witness.started && witness.ended);
	assert_true(WIFEXITED(witness.exit_status) && WEXITSTATUS(witness.exit_status) == 0);
	assert_int_equal(witness.refused, 0);
	assert_true(witness.before.taken && witness.before.process_seen);
	assert_false(witness.at_refusal.taken);
	assert_int_equal(witness.tasks_seen, 1);
	assert_int_equal(witness.tasks_left, 0);
}

static void records_a_refused_call_with_its_arguments(void **state)
{
	(void)state;
	assert_int_equal(watch("mmap"), 0);
	assert_int_equal(WEXITSTATUS(witness.exit_status), 1);
	assert_int_equal(witness.refused, 1);
	const struct refusal *r = &witness.record[0];
	assert_string_equal(r->call->name, "mmap");
	assert_int_equal(r->error, ENOMEM);
	assert_int_equal(r->args[1], HUGE_REQUEST);
	assert_int_equal(r->asked_bytes, HUGE_REQUEST);
	assert_int_equal(r->tgid, witness.program);
	assert_true(witness.at_refusal.taken && witness.at_refusal.maps_seen);
	/* The process was held still: it still had what it had. */
	assert_int_equal(witness.at_refusal.pid, witness.program);
	assert_true(witness.at_refusal.time_ns >= r->time_ns && witness.at_refusal.time_ns < witness.end_ns);
}

/* brk(2) returns the old break, never an error. */
static void knows_a_refused_brk(void **state)
{
	(void)state;
	assert_int_equal(watch("brk"), 0);
	assert_int_equal(WEXITSTATUS(witness.exit_status), 1);
	assert_string_equal(witness.record[0].call->name, "brk");
	assert_int_equal(witness.record[0].error, ENOMEM);
	assert_int_equal(witness.record[0].asked_bytes, 1ULL << 40);
}

static void keeps_the_first_and_counts_the_rest(void **state)
{
	(void)state;
	assert_int_equal(watch("many"), 0);
	assert_int_equal(witness.refused, 3 * WITNESS_RECORDS);
	assert_int_equal(witness.record_count, WITNESS_RECORDS);
	for (unsigned i = 0; i < WITNESS_RECORDS; i++)
		assert_int_equal(witness.record[i].args[1], HUGE_REQUEST + i * 4096);
}

static void follows_forks_threads_and_exec(void **state)
{
	(void)state;
	assert_int_equal(watch("family"), 0);
	assert_int_equal(WEXITSTATUS(witness.exit_status), 0);
	/* The thread, the child and what the child executes were each refused once. */
	assert_int_equal(witness.refused, 3);
	assert_int_equal(witness.tasks_seen, 3);
	assert_int_equal(witness.record[0].tgid, witness.program);
	assert_int_not_equal(witness.record[0].tid, witness.program);
	assert_int_not_equal(witness.record[1].tgid, witness.program);
	assert_int_equal(witness.record[1].tgid, witness.record[2].tgid);
	assert_int_equal(calls_of("execve") + calls_of("execveat"), 1);
}

static int watch_injected(const char *role, const struct environment_injection *injection, unsigned count)
{
	injections = injection;
	injection_count = count;
	int r = watch_with_ceiling(role, 0);
	injections = NULL;
	injection_count = 0;
	return r;
}

static bool can_inject(void)
{
	if (!witness_can_inject())
		print_message("not on this architecture\n");
	return witness_can_inject();
}

/* The program itself looks whether what was refused has not happened: it exits with 1, and with more if it has. */
static void refuses_calls_in_the_kernels_place(void **state)
{
	static const struct {
		const char *role, *call;
		struct environment_injection injection[3];
		unsigned count;
	} row[] = {
		{"munmap", "munmap", {{"munmap", ENOMEM, 1 << 20}}, 1},
		{"munmap", "munmap", {{"mmap", ENOMEM, 1 << 30}, {"munmap", ENOMEM, 600000}}, 2},
		{"break", "brk", {{"brk", ENOMEM, 1 << 20}}, 1},
		{"one child", NULL, {{"fork", ENOMEM, 0}, {"clone", ENOMEM, 0}, {"clone3", ENOMEM, 0}}, 3},
		{"epoll", NULL, {{"epoll_create", ENOMEM, 0}, {"epoll_create1", ENOMEM, 0}}, 2},
	};
	(void)state;
	for (size_t i = 0; can_inject() && i < ARRAY_SIZE(row); i++) {
		assert_int_equal(watch_injected(row[i].role, row[i].injection, row[i].count), 0);
		assert_true(WIFEXITED(witness.exit_status));
		assert_int_equal(WEXITSTATUS(witness.exit_status), 1);
		assert_int_equal(witness.refused, 1);
		assert_int_equal(witness.tasks_seen, 1);
		assert_true(witness.record[0].injected);
		assert_int_equal(witness.record[0].error, ENOMEM);
		if (row[i].call)
			assert_string_equal(witness.record[0].call->name, row[i].call);
		assert_true(witness.at_refusal.taken && witness.at_refusal.process_seen);
	}
}

/* It is watched like any other, and finds nothing changed. */
static void watches_a_task_that_nobody_is_to_trace(void **state)
{
	static const char *const how[] = {"clone", "clone3", "constant"};
	char role[32];
	(void)state;
	for (size_t i = 0; can_inject() && i < ARRAY_SIZE(how); i++) {
		(void)snprintf(role, sizeof(role), "untraced %s", how[i]);
		assert_int_equal(watch(role), 0);
		assert_true(WIFEXITED(witness.exit_status));
		assert_int_equal(WEXITSTATUS(witness.exit_status), 0);
		assert_false(witness.untraced);
		assert_int_equal(witness.untraced_asked, 1);
		assert_int_equal(witness.tasks_seen, 2);
		assert_int_equal(witness.refused, 0);
	}
	assert_int_equal(watch("one child"), 0);
	assert_int_equal(witness.untraced_asked, 0);
}

/* What was seen then proves nothing: all of it is ended. */
static void ends_what_it_cannot_watch(void **state)
{
	(void)state;
	assert_int_equal(watch("untraced out of reach"), 0);
	assert_true(witness.untraced);
	assert_int_equal(witness.untraced_asked, 0);
	assert_true(WIFSIGNALED(witness.exit_status));
	assert_int_equal(WTERMSIG(witness.exit_status), SIGKILL);
}

/* The same programs without, and with what asks for more than they do: nothing is refused. */
static void lets_the_rest_through(void **state)
{
	static const char *const role[] = {"munmap", "break", "one child", "epoll"};
	static const struct environment_injection large[] = {{"munmap", ENOMEM, 1 << 30}, {"brk", ENOMEM, 1 << 30}};
	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(role); i++) {
		const char *name = role[i / 2];
		assert_int_equal(i % 2 ? watch_injected(name, large, 2) : watch(name), 0);
		assert_true(WIFEXITED(witness.exit_status));
		assert_int_equal(WEXITSTATUS(witness.exit_status), 0);
		assert_int_equal(witness.refused, 0);
	}
	assert_int_equal(watch("brk"), 0);
	assert_false(witness.record[0].injected); /* a real refusal stays one */
}

static void counts_descriptors_where_none_is_left(void **state)
{
	(void)state;
	assert_int_equal(watch("descriptors"), 0);
	assert_int_equal(WEXITSTATUS(witness.exit_status), 1);
	assert_true(witness.record[0].error == EMFILE);
	assert_int_equal(witness.at_refusal.open_files, 9); /* of 9, though one above the limit is open as well */
	assert_int_equal(witness.at_refusal.rlimit[RLIMIT_NOFILE], 9);
}

static void watches_pipes_and_their_growth_only(void **state)
{
	(void)state;
	assert_int_equal(watch("pipe"), 0);
	assert_int_equal(WEXITSTATUS(witness.exit_status), 1);
	assert_int_equal(calls_of("pipe") + calls_of("pipe2"), 1);
	assert_int_equal(calls_of("fcntl"), 2);
	assert_int_equal(witness.refused, 1);
	assert_string_equal(witness.record[0].call->name, "fcntl");
	assert_true(witness.record[0].error == ENOMEM || witness.record[0].error == EPERM);
	/* its slots, or without the capability the size that is not permitted */
	uint64_t asked = witness.record[0].error == EPERM ? 1 << 29 : 131072 * 40;
	assert_int_equal(witness.record[0].asked_bytes, asked);
	assert_int_equal(witness.granted_bytes[call_by_name("fcntl") - watched_calls], 8192);
	assert_true(witness.at_refusal.taken);
	assert_false(witness.at_refusal.maps_seen);
}

static void knows_what_a_file_was_given(void **state)
{
	(void)state;
	assert_int_equal(watch("file"), 0);
	assert_int_equal(WEXITSTATUS(witness.exit_status), 0);
	assert_int_equal(calls_of("fallocate"), 2);
	assert_int_equal(witness.granted_bytes[call_by_name("fallocate") - watched_calls], 65536); /* a hole is none */
}

static void knows_the_area_of_a_bus_error(void **state)
{
	(void)state;
	assert_int_equal(watch("bus"), 0);
	assert_true(WIFSIGNALED(witness.exit_status) && WTERMSIG(witness.exit_status) == SIGBUS);
	assert_int_equal(witness.signal[0].code, BUS_ADRERR);
	assert_true(witness.at_signal.area_seen);
	assert_false(witness.at_signal.area.huge_pages);
	/* Nobody takes snapshots after the end. */
	assert_null(shared.source);
}

/* One byte too much, as this kernel counts (only of E2BIG the witness counts them); then that byte less, granted. */
static void knows_what_arguments_take(void **state)
{
	(void)state;
	assert_int_equal(watch("arguments"), 0);
	assert_int_equal(WEXITSTATUS(witness.exit_status), 0);
	assert_int_equal(witness.refused, 1);
	assert_int_equal(witness.record[0].asked_bytes, limit_exec_arguments(ARGUMENTS_STACK) + 1);
}

static void sees_a_fault_with_its_address(void **state)
{
	(void)state;
	assert_int_equal(watch("segv"), 0);
	assert_true(WIFSIGNALED(witness.exit_status) && WTERMSIG(witness.exit_status) == SIGSEGV);
	assert_int_equal(witness.signal_count, 1);
	assert_int_equal(witness.signal[0].code, SEGV_MAPERR);
	assert_int_equal(witness.signal[0].address, 0x1000);
	assert_true(witness.signal[0].fatal);
	assert_true(witness.at_signal.taken && witness.at_signal.process_seen);
}

static void sees_a_kill_from_elsewhere(void **state)
{
	(void)state;
	assert_int_equal(watch("kill"), 0);
	assert_true(WIFSIGNALED(witness.exit_status) && WTERMSIG(witness.exit_status) == SIGKILL);
	assert_true(witness.signal_count >= 1);
	assert_int_equal(witness.signal[witness.signal_count - 1].signal, SIGKILL);
	assert_int_equal(witness.signal[witness.signal_count - 1].code, INT_MIN);
}

static void passes_signals_on_to_their_handlers(void **state)
{
	(void)state;
	assert_int_equal(watch("handler"), 0);
	assert_true(WIFEXITED(witness.exit_status));
	assert_int_equal(WEXITSTATUS(witness.exit_status), 0);
	assert_false(witness.signal[0].fatal);
}

static void counts_tasks_and_ends_a_fork_storm_at_its_ceiling(void **state)
{
	(void)state;
	assert_int_equal(watch_with_ceiling("children", 9), 0);
	assert_int_equal(witness.tasks_seen, 9);
	assert_false(witness.tasks_ceiling_hit);
	assert_int_equal(WEXITSTATUS(witness.exit_status), 0);
	assert_int_equal(watch_with_ceiling("waiting children", 4), 0);
	assert_true(witness.tasks_ceiling_hit);
	assert_true(witness.tasks_seen >= 5); /* another fork may be through before the kill arrives */
}

static void refuses_what_no_scenario_needs(void **state)
{
	(void)state;
	assert_int_equal(watch("forbidden"), 0);
	assert_int_equal(WEXITSTATUS(witness.exit_status), 0);
}

static void *refused_in_thread(void *unused)
{
	(void)unused;
	return mmap(NULL, HUGE_REQUEST, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static int play_family(void)
{
	pthread_t thread;
	int status;
	if (pthread_create(&thread, NULL, refused_in_thread, NULL) != 0 || pthread_join(thread, NULL) != 0)
		return 2;
	pid_t child = fork();
	if (child == 0) {
		(void)refused_in_thread(NULL);
		(void)execl("/proc/self/exe", "program", "mmap", NULL);
		_exit(3);
	}
	(void)waitpid(child, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 1 ? 0 : 4;
}

static void on_signal(int signal)
{
	(void)signal;
}

static int play_children(bool waiting)
{
	for (int i = 0; i < 8; i++)
		if (fork() == 0) {
			if (waiting)
				(void)sleep(5);
			_exit(0);
		}
	while (wait(NULL) > 0)
		continue;
	return 0;
}

/* Of what fcntl() can do only one kind stops: the growing of a pipe, refused or not. */
static int play_pipe(void)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return 2;
	for (int i = 0; i < 100; i++)
		(void)fcntl(ends[0], F_GETFL);
	if (fcntl(ends[1], F_SETPIPE_SZ, 8192) < 0)
		return 3;
	return fcntl(ends[1], F_SETPIPE_SZ, 1 << 29) < 0 ? 1 : 0; /* ENOMEM, or EPERM without CAP_SYS_RESOURCE */
}

/* 1: refused, and nothing happened; 0: done; anything else: half of it happened. */
static int play_munmap(void)
{
	size_t bytes = 1 << 20;
	volatile char *area = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	area[bytes - 1] = 7;
	if (munmap((void *)(uintptr_t)area, bytes) == 0)
		return 0;
	return errno == ENOMEM && area[bytes - 1] == 7 && area[0] == 0 ? 1 : 2;
}

/* The call itself, which returns the break and says no errno; its argument's register must survive. */
static int play_break(void)
{
	unsigned long old = (unsigned long)syscall(SYS_brk, 0UL), wanted = old + (4UL << 20), argument = wanted;
#if defined(__x86_64__)
	unsigned long got = SYS_brk;
	__asm__ volatile("syscall" : "+a"(got), "+D"(argument) : : "rcx", "r11", "memory");
#else
	unsigned long got = (unsigned long)syscall(SYS_brk, wanted);
#endif
	if (argument != wanted)
		return 5;
	if (got == wanted)
		return (unsigned long)syscall(SYS_brk, old) == old ? 0 : 3; /* giving back is never refused */
	return got == old && (unsigned long)syscall(SYS_brk, 0UL) == old ? 1 : 4;
}

static int play_one_child(void)
{
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	if (child > 0)
		return waitpid(child, NULL, 0) == child ? 0 : 2;
	return errno == ENOMEM && waitpid(-1, NULL, 0) < 0 ? 1 : 3;
}

static int play_epoll(void)
{
	int next = dup(STDOUT_FILENO);
	(void)close(next);
	if (epoll_create1(0) >= 0)
		return 0;
	return errno == ENOMEM && dup(STDOUT_FILENO) == next ? 1 : 2; /* no descriptor was taken */
}

static int play_descriptors(void)
{
	struct rlimit limit = {9, 4096};
	(void)dup2(STDOUT_FILENO, 12);
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 2;
	for (int i = 0; i < 16; i++)
		if (eventfd(0, 0) < 0)
			return errno == EMFILE ? 1 : 3;
	return 0;
}

static int play_arguments(void)
{
	static char text[8][65536];
	char *argv[ARRAY_SIZE(text) + 3] = {"program", "idle"};
	const struct rlimit stack = {ARGUMENTS_STACK, RLIM_INFINITY};
	size_t bytes = limit_exec_arguments(ARGUMENTS_STACK) + 1 - sizeof("/proc/self/exe") - sizeof("program") -
		       sizeof("idle") - (ARRAY_SIZE(argv) - 1) * sizeof(*argv);
	for (char **e = environ; *e; e++)
		bytes -= strlen(*e) + 1 + sizeof(*e);
	for (size_t i = 0; i < ARRAY_SIZE(text); i++)
		argv[i + 2] = memset(text[i], 'x', (bytes + i) / ARRAY_SIZE(text) - 1);
	(void)setrlimit(RLIMIT_STACK, &stack);
	(void)execv("/proc/self/exe", argv);
	argv[2]++; /* a byte less */
	return execv("/proc/self/exe", argv);
}

/* The roles of the program. */
static int play(const char *role)
{
	struct rlimit limit = {1ULL << 45, RLIM_INFINITY};
	if (setrlimit(RLIMIT_AS, &limit) < 0)
		return 90;
	if (strcmp(role, "idle") == 0)
		return 0;
	if (strcmp(role, "mmap") == 0)
		return refused_in_thread(NULL) == MAP_FAILED;
	if (strcmp(role, "brk") == 0) {
		struct rlimit data = {1ULL << 30, RLIM_INFINITY};
		(void)setrlimit(RLIMIT_DATA, &data);
		return sbrk(1LL << 40) == (void *)-1 ? 1 : 0;
	}
	if (strcmp(role, "many") == 0) {
		for (unsigned i = 0; i < 3 * WITNESS_RECORDS; i++)
			(void)mmap(NULL, HUGE_REQUEST + i * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		return 1;
	}
	if (strcmp(role, "family") == 0)
		return play_family();
	if (strcmp(role, "pipe") == 0)
		return play_pipe();
	if (strcmp(role, "munmap") == 0)
		return play_munmap();
	if (strcmp(role, "break") == 0)
		return play_break();
	if (strcmp(role, "one child") == 0)
		return play_one_child();
	if (strncmp(role, "untraced ", 9) == 0)
		return play_untraced(role + 9);
	if (strcmp(role, "epoll") == 0)
		return play_epoll();
	if (strcmp(role, "descriptors") == 0)
		return play_descriptors();
	if (strcmp(role, "arguments") == 0)
		return play_arguments();
	if (strcmp(role, "file") == 0) {
		int fd = memfd_create("witness", 0);
		return fallocate(fd, 0, 4096, 65536) == 0 &&
				       fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1 << 20) == 0
			       ? 0
			       : 1;
	}
	if (strcmp(role, "transfer") == 0) {
		int zero = open("/dev/zero", O_RDWR), none = open("/proc/no/such/file", O_CREAT | O_WRONLY, 0600);
		void *unmapped = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		return none < 0 && write(zero, "abc", 3) == 3 && read(zero, unmapped, 100) < 0;
	}
	if (strcmp(role, "bus") == 0)
		*(volatile char *)mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, memfd_create("empty", 0), 0) = 1;
	if (strcmp(role, "segv") == 0)
		*(volatile char *)(uintptr_t)0x1000 = 1;
	if (strcmp(role, "kill") == 0)
		(void)kill(getpid(), SIGKILL);
	if (strcmp(role, "handler") == 0) {
		(void)signal(SIGUSR1, on_signal);
		return raise(SIGUSR1);
	}
	if (strcmp(role, "children") == 0)
		return play_children(false);
	if (strcmp(role, "waiting children") == 0)
		return play_children(true);
	if (strcmp(role, "forbidden") == 0)
		return swapoff("/nonexistent") < 0 && errno == EPERM ? 0 : 1;
	return 91;
}

/* Nobody pays for a call that is made all the time but the run that asks for it. */
static void watches_some_calls_on_demand_only(void **state)
{
	(void)state;
	assert_int_equal(watch("transfer"), 0);
	assert_int_equal(WEXITSTATUS(witness.exit_status), 1);
	assert_int_equal(calls_of("read") + calls_of("write") + calls_of("openat"), 0);
	assert_int_equal(witness.refused, 0);
	on_demand = call_on_demand_bit("write") | call_on_demand_bit("read");
	assert_int_equal(watch("transfer"), 0);
	assert_int_equal(calls_of("write"), 1);
	assert_true(calls_of("read") >= 2); /* the loader's and the program's */
	assert_int_equal(calls_of("openat"), 0);
	assert_int_equal(witness.refused, 1);
	assert_string_equal(witness.record[0].call->name, "read");
	assert_int_equal(witness.record[0].error, EFAULT);
	assert_int_equal(witness.record[0].asked_bytes, 100);
	assert_int_equal(witness.granted_bytes[call_by_name("write") - watched_calls], 3);
	on_demand = call_on_demand_bit("openat");
	assert_int_equal(watch("transfer"), 0);
	assert_int_equal(calls_of("write"), 0);
	assert_int_equal(calls_of("openat"), 1); /* the one that would create */
	assert_int_equal(witness.refused, 0);    /* ENOENT is none of ours */
	on_demand = 0;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return play(argv[1]);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sees_nothing_refused),
		cmocka_unit_test(records_a_refused_call_with_its_arguments),
		cmocka_unit_test(knows_a_refused_brk),
		cmocka_unit_test(keeps_the_first_and_counts_the_rest),
		cmocka_unit_test(follows_forks_threads_and_exec),
		cmocka_unit_test(refuses_calls_in_the_kernels_place),
		cmocka_unit_test(lets_the_rest_through),
		cmocka_unit_test(watches_a_task_that_nobody_is_to_trace),
		cmocka_unit_test(ends_what_it_cannot_watch),
		cmocka_unit_test(counts_descriptors_where_none_is_left),
		cmocka_unit_test(watches_pipes_and_their_growth_only),
		cmocka_unit_test(knows_what_a_file_was_given),
		cmocka_unit_test(watches_some_calls_on_demand_only),
		cmocka_unit_test(knows_the_area_of_a_bus_error),
		cmocka_unit_test(knows_what_arguments_take),
		cmocka_unit_test(sees_a_fault_with_its_address),
		cmocka_unit_test(sees_a_kill_from_elsewhere),
		cmocka_unit_test(passes_signals_on_to_their_handlers),
		cmocka_unit_test(counts_tasks_and_ends_a_fork_storm_at_its_ceiling),
		cmocka_unit_test(refuses_what_no_scenario_needs),
	};
	if (filter_build(false, &filter_fd) < 0 || snapshot_source_open(NULL, &source) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
