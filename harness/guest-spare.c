// SPDX-License-Identifier: MIT
/*
 * See guest-spare.h. It stays a child of the process that booted it, whoever talks to it.
 */
#include "guest-spare.h"

#include <sys/mman.h>
#include <unistd.h>

void spare_keep(struct guest_state *state, struct vm *vm)
{
	void *shared =
		mmap(NULL, sizeof(*state->spare_taker), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		(void)vm_stop(vm);
		return;
	}
	state->spare_taker = shared; /* 0: nobody */
	state->spare = *vm;
	vm_init(vm);
}

static void forget_taker(struct guest_state *state)
{
	(void)munmap(state->spare_taker, sizeof(*state->spare_taker));
	state->spare_taker = NULL;
}

bool spare_take(struct guest_state *state, struct vm *ret)
{
	int nobody = 0;
	if (!state->spare_taker)
		return false;
	bool taken = atomic_compare_exchange_strong(state->spare_taker, &nobody, (int)getpid());
	struct vm vm = state->spare;
	/* The process that kept it goes on knowing of it, until whoever took it is gone; for a child this was the only
	 * chance, and its copy of what is known may be another's guest by now. */
	if (taken || vm.parent != getpid()) {
		vm_init(&state->spare);
		forget_taker(state);
	}
	if (!taken && vm.parent != getpid())
		vm_leave(&vm);
	if (!taken)
		return false;
	if (vm_continue(&vm) < 0) {
		(void)vm_stop(&vm);
		return false;
	}
	vm.booted = true;
	*ret = vm;
	return true;
}

void spare_drop(struct guest_state *state)
{
	if (!state->spare_taker)
		return;
	(void)vm_stop(&state->spare);
	forget_taker(state);
}

void guest_state_taker_ended(struct guest_state *state, pid_t pid)
{
	if (state->spare_taker && *state->spare_taker == (int)pid)
		spare_drop(state);
}
