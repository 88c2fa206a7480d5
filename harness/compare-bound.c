// SPDX-License-Identifier: MIT
/*
 * Did a limit move, or only the machine? RAM differs a little between kernels that boot in the same guest, and much
 * between machines, and some limits are a share of it.
 */
#include <stdint.h>
#include <string.h>

#include "cleanup.h"
#include "report-set.h"
#include "report-text.h"

#define PAGE_BYTES 4096

struct view {
	json_int_t bound, ram, swap;
};

/* The failing moment's own numbers come first: each run may have had a guest of its own. */
static json_int_t memory(const struct bounded *of, const char *meminfo, const char *member)
{
	const json_t *snapshot = json_object_get(json_object_get(of->run, "snapshots"), "failure");
	json_int_t value = text_integer(json_object_get(snapshot, "meminfo"), meminfo, -1);
	if (value < 0)
		value = text_integer(json_object_get(of->run, "guest"), member, -1);
	return value < 0 ? text_integer(of->host, member, -1) : value;
}

static struct view look(const struct bounded *of)
{
	return (struct view){
		.bound = text_integer(json_object_get(of->run, "cause"), "bound", -1),
		.ram = memory(of, "MemTotal", "ram"),
		.swap = memory(of, "SwapTotal", "swap"),
	};
}

static __int128 distance(__int128 a, __int128 b)
{
	return a > b ? a - b : b - a;
}

/* A limit that the kernel makes of RAM unless a sysctl of this list says otherwise. */
static bool derives_from_ram(const char *id)
{
	static const char *const derived[] = {"commit-limit", "commit-heuristic", "system-oom", "swap-full",
					      "threads-max"};
	for (size_t i = 0; i < ARRAY_SIZE(derived); i++)
		if (!strcmp(id, derived[i]))
			return true;
	return false;
}

/* What mode 2 is made of. The reserves are not here: the kernel sizes them by what is free at boot. */
static bool same_settings(const struct bounded *a, const struct bounded *b)
{
	static const char *const name[] = {"vm.overcommit_memory", "vm.overcommit_ratio", "vm.overcommit_kbytes"};
	const json_t *x = json_object_get(json_object_get(a->run, "snapshots"), "failure");
	const json_t *y = json_object_get(json_object_get(b->run, "snapshots"), "failure");
	x = json_object_get(x, "sysctl");
	y = json_object_get(y, "sysctl");
	for (size_t i = 0; i < ARRAY_SIZE(name); i++) {
		const json_t *p = json_object_get(x, name[i]), *q = json_object_get(y, name[i]);
		if (p != q && !json_equal(p, q))
			return false;
	}
	return true;
}

/* In proportion to RAM (swap counts as it is): to a thousandth, for the kernel's reserves are no exact share. */
static bool in_proportion(const struct view *a, const struct view *b, bool bytes)
{
	for (unsigned with_swap = 0; with_swap < 2; with_swap++) {
		__int128 fixed = with_swap ? a->swap : 0;
		__int128 expected = (a->bound - fixed) * b->ram / a->ram + fixed;
		__int128 tolerance = expected / 1000;
		__int128 least = bytes ? 16 * PAGE_BYTES : 1;
		if (distance(b->bound, expected) <= (tolerance > least ? tolerance : least))
			return true;
	}
	return false;
}

/* Set to the same share of RAM, which is rounded to a page. A share is a whole tenth of a percent, as people write. */
static bool same_share(const struct view *a, const struct view *b)
{
	__int128 share = ((__int128)a->bound * 1000 + a->ram / 2) / a->ram;
	if (share < 1)
		return false;
	return distance(a->bound, share * a->ram / 1000) < PAGE_BYTES &&
	       distance(b->bound, share * b->ram / 1000) < PAGE_BYTES;
}

bool same_bound(const struct bounded *a, const struct bounded *b)
{
	const json_t *cause = json_object_get(a->run, "cause");
	const json_t *bound = json_object_get(cause, "bound");
	const char *id = text_of(cause, "id");
	struct view x = look(a), y = look(b);
	bool bytes = !strcmp(text_of(cause, "unit"), "bytes");
	if (json_equal(bound, json_object_get(json_object_get(b->run, "cause"), "bound")))
		return true;
	if (x.bound < 0 || y.bound < 0 || x.ram <= 0 || y.ram <= 0 || x.swap != y.swap)
		return false;
	if (derives_from_ram(id) && (bytes || x.ram != y.ram))
		return same_settings(a, b) && in_proportion(&x, &y, bytes);
	return bytes && x.ram != y.ram && same_share(&x, &y);
}
