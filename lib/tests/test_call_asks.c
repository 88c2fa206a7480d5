// SPDX-License-Identifier: MIT
/*
 * Which calls may be refused for a lack of something, and which cannot: the kernel has answered them before it looks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "call-asks.h"
#include "cleanup.h"

#define NO_TYPE   MAP_ANONYMOUS
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)
#define AT        UINT64_C(0x700000000000)
#define RW        (PROT_READ | PROT_WRITE)
#define TOP       UINT64_MAX

static const struct {
	const char *call;
	uint64_t args[6];
	bool asks;
} known[] = {
	{"mmap", {0, 1, RW, ANONYMOUS, TOP, 0}, true},
	{"mmap", {0, 0, RW, ANONYMOUS, TOP, 0}, false},
	{"mmap", {AT + 1, 1, RW, ANONYMOUS, TOP, 0}, true}, /* a hint */
	{"mmap", {AT + 1, 1, RW, ANONYMOUS | MAP_FIXED, TOP, 0}, false},
	{"mmap", {AT, 1, RW, ANONYMOUS | MAP_FIXED, TOP, 0}, true},
	{"mmap", {0, 1, RW, NO_TYPE, TOP, 0}, false},
	{"mmap", {0, 1, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, TOP, 0}, false},
	{"mmap", {0, 1, RW, MAP_SHARED_VALIDATE, 3, 0}, true},
	{"mmap", {0, 1, RW, MAP_SHARED, 3, 4096}, true},
	{"mmap", {0, 1, RW, MAP_SHARED, 3, 4095}, false},
	{"mremap", {AT, 4096, 8192, 0}, true},
	{"mremap", {AT, 8192, 4096, 0}, true}, /* splits */
	{"mremap", {AT, 4096, 4096, MREMAP_MAYMOVE}, false},
	{"mremap", {AT, 4097, 8192, 0}, false},          /* of two pages both */
	{"mremap", {AT, 0, 4096, MREMAP_MAYMOVE}, true}, /* a second one of shared memory */
	{"mremap", {AT, 4096, 0, 0}, false},
	{"mremap", {AT + 1, 4096, 8192, 0}, false},
	{"mremap", {AT, 4096, 8192, 8}, false},
	{"mremap", {AT, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, 2 * AT}, true},
	{"mremap", {AT, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, 2 * AT + 1}, false},
	{"mremap", {AT, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, AT}, false},
	{"mremap", {AT, 4096, 4096, MREMAP_FIXED, 2 * AT}, false},
	{"mremap", {AT, 4096, 4096, MREMAP_MAYMOVE | 4}, true},
	{"mremap", {AT, 4096, 8192, MREMAP_MAYMOVE | 4}, false},
	{"mprotect", {AT, 4096, RW}, true},
	{"mprotect", {AT, 0, RW}, false},
	{"mprotect", {AT + 8, 4096, RW}, false},
	{"mprotect", {AT, 4096, RW | 0x100}, false},
	{"mprotect", {AT, 4096, RW | PROT_GROWSDOWN}, true},
	{"mprotect", {AT, 4096, RW | PROT_GROWSDOWN | PROT_GROWSUP}, false},
	{"mprotect", {AT, TOP - AT, RW}, false},
	{"pkey_mprotect", {AT, 0, RW, 1}, false},
	{"pkey_mprotect", {AT, 1, RW, 1}, true},
	{"munmap", {AT, 1}, true},
	{"munmap", {AT, 0}, false},
	{"munmap", {AT + 1, 1}, false},
	{"munmap", {AT << 10, 4096}, false},
	{"remap_file_pages", {AT, 4096, 0}, true},
	{"remap_file_pages", {AT, 4095, 0}, false},
	{"remap_file_pages", {AT, 4096, RW}, false},
	{"brk", {0}, true}, /* the follower knows */
	{"mlock", {AT, 1}, true},
	{"mlock", {AT, 0}, false},
	{"mlock", {AT + 1, 0}, true}, /* the page that it lies in */
	{"mlock", {AT, TOP - 4096}, false},
	{"mlock2", {AT, 1, 1}, true},
	{"mlock2", {AT, 1, 2}, false},
	{"mlockall", {MCL_CURRENT}, true},
	{"mlockall", {0}, false},
	{"mlockall", {8}, false},
	{"mlockall", {MCL_ONFAULT}, false},
	{"shmctl", {0, SHM_LOCK}, true},
	{"shmctl", {UINT32_MAX, SHM_LOCK}, false},
	{"shmget", {IPC_PRIVATE, 1, 0}, true},
	{"shmget", {IPC_PRIVATE, 0, 0}, false},
	{"shmget", {7, 1, 0600}, false}, /* one that is there already, or none */
	{"shmget", {7, 1, IPC_CREAT}, true},
	{"shmat", {1, 0, 0}, true},
	{"shmat", {UINT32_MAX, 0, 0}, false},
	{"shmat", {1, AT + 1, 0}, false},
	{"shmat", {1, AT + 1, SHM_RND}, true},
	{"shmat", {1, 0, SHM_REMAP}, false},
	{"madvise", {AT, 4096, MADV_DONTNEED}, false},
	{"madvise", {AT, 4096, 23}, true},
	{"madvise", {AT, 0, 23}, false},
	{"madvise", {AT + 1, 1, 22}, false},
	{"fallocate", {3, 0, 0, 1}, true},
	{"fallocate", {3, 0, 0, 0}, false},
	{"fallocate", {3, 0, TOP, 1}, false},
	{"memfd_create", {AT, 1}, true},
	{"memfd_create", {AT, 1U << 20}, false},
	{"pipe2", {AT, O_CLOEXEC | O_DIRECT}, true},
	{"pipe2", {AT, O_APPEND}, false},
	{"pipe", {AT, O_APPEND}, true}, /* it has no second argument */
	{"fcntl", {3, F_SETPIPE_SZ, 65536}, true},
	{"epoll_create", {1}, true},
	{"epoll_create", {0}, false},
	{"epoll_create1", {EPOLL_CLOEXEC}, true},
	{"epoll_create1", {1}, false},
	{"eventfd2", {7, 1}, true},
	{"eventfd2", {7, 2}, false},
	{"inotify_init1", {1}, false},
	{"socket", {AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0}, true},
	{"socket", {AF_UNIX, SOCK_STREAM | 0x100, 0}, false},
	{"unshare", {0}, false},
	{"unshare", {0x20000000}, true},
	{"fork", {0}, true},
	{"execve", {0}, true},
	{"swapoff", {AT}, false},
};

static void test_asks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (call_asks(call_by_name(known[i].call), known[i].args) != known[i].asks)
			fail_msg("row %zu, %s: not %d", i, known[i].call, known[i].asks);
}

/* What is said to ask for nothing the kernel of here answers with 0 or EINVAL: of calls on a page of our own, and none
 * whose effect would be felt. */
static void test_as_here(void **state)
{
	static const char *const harmless[] = {"mmap",          "mremap",       "mprotect",      "munmap",
					       "mlock",         "mlock2",       "shmat",         "pipe2",
					       "memfd_create",  "epoll_create", "epoll_create1", "eventfd2",
					       "inotify_init1", "socket",       "unshare"};
	(void)state;
	char *page = mmap(NULL, 2 * 4096, RW, ANONYMOUS, -1, 0);
	assert_ptr_not_equal(page, MAP_FAILED);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		const struct call_info *call = call_by_name(known[i].call);
		bool is_harmless = false;
		uint64_t a[6];
		for (size_t n = 0; n < ARRAY_SIZE(harmless); n++)
			is_harmless |= call == call_by_name(harmless[n]);
		if (known[i].asks || !is_harmless || call->nr < 0)
			continue;
		for (size_t n = 0; n < ARRAY_SIZE(a); n++) /* an address there */
			a[n] = known[i].args[n] - AT < 4096 ? (uint64_t)(uintptr_t)page + known[i].args[n] - AT
							    : known[i].args[n];
		errno = 0;
		long r = syscall(call->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
		if (!(r >= 0 || errno == EINVAL || (errno == ENOMEM && call->family == CALL_SPLIT)))
			fail_msg("row %zu, %s: %ld, errno %d", i, call->name, r, errno);
	}
	assert_int_equal(munmap(page, 2 * 4096L), 0);
}

static void test_descriptor(void **state)
{
	const uint64_t file[6] = {0, 1, RW, MAP_PRIVATE, 7, 0}, none[6] = {0, 1, RW, ANONYMOUS, 7, 0},
		       first[6] = {UINT32_MAX, 0, 0, 1, 7, 0};
	int fd = 0;
	(void)state;
	assert_true(call_names_descriptor(call_by_name("mmap"), file, &fd));
	assert_int_equal(fd, 7);
	assert_false(call_names_descriptor(call_by_name("mmap"), none, &fd));
	assert_true(call_names_descriptor(call_by_name("fallocate"), first, &fd));
	assert_int_equal(fd, -1);
	assert_false(call_names_descriptor(call_by_name("memfd_create"), first, &fd));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asks),
		cmocka_unit_test(test_as_here),
		cmocka_unit_test(test_descriptor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
