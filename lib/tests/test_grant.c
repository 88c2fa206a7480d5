// SPDX-License-Identifier: MIT
/*
 * What is granted after a refusal: as much, less of its kind, or what every program takes that says it fails.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "grant.h"

#define KIB       1024ULL
#define MIB       (1024 * KIB)
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)

static struct refusal maps(uint64_t bytes, int rights, int flags, int fd)
{
	return (struct refusal){.call = call_by_name("mmap"),
				.args = {0, bytes, (uint64_t)rights, (uint64_t)flags, (uint64_t)fd},
				.asked_bytes = bytes};
}

static struct refusal memory(uint64_t bytes)
{
	return maps(bytes, PROT_READ | PROT_WRITE, ANONYMOUS, -1);
}

static struct refusal grows(uint64_t from, uint64_t bytes)
{
	return (struct refusal){.call = call_by_name("brk"), .args = {from + bytes}, .asked_bytes = bytes};
}

static struct refusal other(const char *call, uint64_t bytes)
{
	return (struct refusal){.call = call_by_name(call), .asked_bytes = bytes};
}

static void is(struct refusal refused, struct refusal granted, enum grant expected)
{
	assert_int_equal(grant_for(&refused, &granted), expected);
}

static void makes_up_for_it(void **state)
{
	(void)state;
	is(memory(MIB), memory(MIB), GRANT_AS_MUCH);
	is(memory(MIB), memory(2 * MIB), GRANT_AS_MUCH);
	is(grows(MIB, MIB), memory(MIB), GRANT_AS_MUCH); /* malloc() */
	is(grows(MIB, MIB), grows(MIB, MIB), GRANT_AS_MUCH);
	is(other("clone3", 0), other("fork", 0), GRANT_AS_MUCH);
	is(other("execve", 9 * MIB), other("execve", MIB), GRANT_AS_MUCH);
	is(other("pipe2", 0), other("pipe2", 0), GRANT_AS_MUCH);
	struct refusal moves = other("mremap", MIB); /* of 9 MiB that are there; realloc() asks for all 10 anew */
	moves.args[1] = 9 * MIB;
	moves.args[2] = 10 * MIB;
	is(moves, memory(10 * MIB), GRANT_AS_MUCH);
	is(moves, memory(2 * MIB), GRANT_LESS);
}

static void is_a_fallback(void **state)
{
	(void)state;
	is(memory(64 * MIB), memory(MIB), GRANT_LESS);
	is(memory(64 * MIB), memory(GRANT_LEAST), GRANT_LESS);
	is(memory(64 * MIB), grows(MIB, MIB), GRANT_LESS);
	is(grows(MIB, 64 * MIB), memory(MIB), GRANT_LESS);
	is(other("mlock", 64 * MIB), other("mlock", MIB), GRANT_LESS);
	is(maps(64 * MIB, PROT_NONE, ANONYMOUS | MAP_NORESERVE, -1), memory(MIB), GRANT_LESS);
	is(maps(64 * MIB, PROT_NONE, ANONYMOUS | MAP_NORESERVE, -1),
	   maps(MIB, PROT_NONE, ANONYMOUS | MAP_NORESERVE, -1), GRANT_LESS);
	is(maps(64 * MIB, PROT_READ, MAP_SHARED, 7), maps(MIB, PROT_READ, MAP_SHARED, 7), GRANT_LESS);
	is(maps(64 * MIB, PROT_READ, MAP_SHARED, 7), memory(MIB), GRANT_LESS);
}

/* Buffers of stdio, locales, libraries, arenas and stacks of other threads. */
static void is_none(void **state)
{
	(void)state;
	is(memory(64 * MIB), memory(GRANT_LEAST - 4 * KIB), GRANT_OTHER);
	is(memory(64 * MIB), grows(MIB, 132 * KIB), GRANT_OTHER); /* malloc(1) */
	is(memory(64 * MIB), grows(MIB, 0), GRANT_OTHER);
	is(memory(64 * MIB), maps(3 * MIB, PROT_READ, MAP_PRIVATE, 3), GRANT_OTHER);
	is(memory(MIB), maps(3 * MIB, PROT_READ, MAP_PRIVATE, 3), GRANT_OTHER);
	is(maps(64 * MIB, PROT_READ, MAP_SHARED, 7), maps(3 * MIB, PROT_READ, MAP_PRIVATE, 7), GRANT_OTHER);
	is(memory(64 * MIB), maps(MIB, PROT_READ | PROT_WRITE, ANONYMOUS | MAP_FIXED, -1), GRANT_OTHER);
	is(memory(64 * MIB), maps(8 * MIB, PROT_NONE, ANONYMOUS | MAP_STACK, -1), GRANT_OTHER);
	is(memory(64 * MIB), maps(128 * MIB, PROT_NONE, ANONYMOUS | MAP_NORESERVE, -1), GRANT_OTHER);
	is(memory(64 * MIB), other("mprotect", MIB), GRANT_OTHER);
	is(memory(64 * MIB), other("munmap", MIB), GRANT_OTHER);
	is(other("mlock", MIB), memory(64 * MIB), GRANT_OTHER);
	is(other("clone3", 0), memory(8 * MIB), GRANT_OTHER);
	is(memory(8 * MIB), other("clone3", 0), GRANT_OTHER);
}

/* The same loop asks for less. Another function is in another frame. */
static void is_asked_again(void **state)
{
	struct refusal refused = memory(MIB), granted = memory(4 * KIB);
	(void)state;
	refused.instruction = granted.instruction = 0x401000;
	refused.stack = granted.stack = 0x7ffe0000;
	is(refused, granted, GRANT_LESS);
	granted.stack -= 64;
	is(refused, granted, GRANT_OTHER);
	granted.stack = refused.stack;
	granted.instruction++;
	is(refused, granted, GRANT_OTHER);
	refused.instruction = granted.instruction = 0; /* not known */
	is(refused, granted, GRANT_OTHER);
}

/* Words for a terminal are no space on the disk that was full. */
static void is_another_file(void **state)
{
	struct refusal refused = other("write", 8 * KIB), granted = other("write", 16 * KIB);
	(void)state;
	refused.args[0] = 5;
	granted.args[0] = 2;
	is(refused, granted, GRANT_OTHER);
	granted.args[0] = 5;
	is(refused, granted, GRANT_AS_MUCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_up_for_it), cmocka_unit_test(is_a_fallback),   cmocka_unit_test(is_none),
		cmocka_unit_test(is_asked_again),  cmocka_unit_test(is_another_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
