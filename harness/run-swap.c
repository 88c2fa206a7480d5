// SPDX-License-Identifier: MIT
/*
 * Swap for a guest. See run-swap.h.
 */
#include "run-swap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "number.h"
#include "swap.h"

const char *swap_hint(int error, bool on_disk)
{
	switch (error) {
	case -ENODEV:
		return on_disk ? "the guest needs a virtio disk" : "the guest's kernel has no zram: say swap_on: disk";
	case -ENOSPC:
		return "the guest's disk is smaller than that";
	case -ENOENT:
		return "the guest needs mkswap of util-linux";
	default:
		return NULL;
	}
}

int swap_add(uint64_t bytes, bool on_disk, char *ret_failed, size_t size)
{
	char device[256], amount[32];
	int r = swap_prepare(bytes, on_disk, device, sizeof(device));
	if (r == 0)
		r = swap_turn_on(device);
	if (r == 0)
		return 0;
	const char *hint = swap_hint(r, on_disk), *name = strerrorname_np(-r);
	(void)snprintf(ret_failed, size, "%s of swap on %s: cannot be made (%s)%s%s",
		       number_format_bytes(amount, sizeof(amount), bytes), on_disk ? "disk" : "zram", name ? name : "?",
		       hint ? "; " : "", hint ? hint : "");
	return r;
}
