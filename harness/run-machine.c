// SPDX-License-Identifier: MIT
/*
 * Machine-wide changes of a run: under the lock, journalled and restored on a machine that somebody needs, written
 * straight away in a guest that is thrown away. See run-environment.h.
 */
#include <errno.h>
#include <string.h>

#include "knob.h"
#include "number.h"
#include "run-environment.h"
#include "run-swap.h"
#include "swap.h"

#define LOCK_TIMEOUT_NS 30000000000ULL

bool run_is_thrown_away(const struct run_context *context, const struct plan_run *run)
{
	return context->machine->guest && run->scope == SCOPE_MACHINE;
}

bool run_changes_machine(const struct environment *env)
{
	return env->sysctl_count > 0 || env->sys_count > 0 || env->swap_said || env->live_sysctl_count > 0 ||
	       env->live_swap_bytes > 0;
}

static int set_sysctl(struct run_record *record, const char *step, const struct environment_setting *setting)
{
	int r = record->session ? sysctl_session_set(record->session, setting->name, setting->value)
				: knob_set_sysctl(setting->name, setting->value);
	return r < 0 ? run_problem(record, -r, step, NULL, "%s: cannot be set to %s", setting->name, setting->value)
		     : 0;
}

static int swap_problem(struct run_record *record, int r, const char *step, bool on_disk)
{
	return run_problem(record, -r, step, swap_hint(r, on_disk), "swap on %s: cannot be made",
			   on_disk ? "disk" : "zram");
}

/* First, while memory is to be had: mkswap is a process, and the values that follow may forbid one. */
static int make_swap(struct run_record *record)
{
	const struct environment *env = &record->run->environment;
	char device[sizeof(record->live_swap)];
	int r = env->swap_said ? swap_turn_off_all() : 0;
	if (r < 0)
		return run_problem(record, -r, "swap", NULL, "the swap there is: cannot be turned off");
	if (env->swap_bytes > 0) {
		r = swap_prepare(env->swap_bytes, env->swap_on_disk, device, sizeof(device));
		if (r == 0)
			r = swap_turn_on(device);
	}
	if (r == 0 && env->live_swap_bytes > 0)
		r = swap_prepare(env->live_swap_bytes, env->swap_on_disk, record->live_swap, sizeof(record->live_swap));
	return r < 0 ? swap_problem(record, r, "swap", env->swap_on_disk) : 0;
}

static int set_sys(struct run_record *record)
{
	const struct environment *env = &record->run->environment;
	for (unsigned i = 0; i < env->sys_count; i++) {
		int r = knob_set_sys(env->sys[i].name, env->sys[i].value);
		if (r < 0)
			return run_problem(record, -r, "sys", NULL, "/sys/%s: cannot be set to %s", env->sys[i].name,
					   env->sys[i].value);
	}
	return 0;
}

static int open_session(struct run_context *context, struct run_record *record, struct sysctl_session *session)
{
	int r = sysctl_session_open(session, context->journal, LOCK_TIMEOUT_NS);
	session->journal = r < 0 ? NULL : context->journal;
	if (r < 0)
		return run_problem(record, -r, "machine lock", "another enomem run holds it: wait, or enomem recover",
				   "the lock for machine-wide changes could not be taken");
	record->session = session;
	return 0;
}

int run_change_machine(struct run_context *context, struct run_record *record, struct sysctl_session *session)
{
	const struct environment *env = &record->run->environment;
	if (!run_is_thrown_away(context, record->run)) {
		/* Planning lets nothing through that a session cannot take back. */
		if (env->sys_count > 0 || env->swap_said || env->live_swap_bytes > 0)
			return run_problem(record, 0, "environment", NULL, "swap and /sys are changed in guests only");
		if (open_session(context, record, session) < 0)
			return -1;
	}
	if (make_swap(record) < 0 || set_sys(record) < 0)
		return -1;
	for (unsigned i = 0; i < env->sysctl_count; i++)
		if (set_sysctl(record, "sysctl", &env->sysctl[i]) < 0)
			return -1;
	return 0;
}

void run_relieve_machine(void)
{
	(void)knob_set_sysctl("vm.overcommit_memory", "1");
}

void run_change_machine_live(struct run_record *record)
{
	const struct environment *env = &record->run->environment;
	for (unsigned i = 0; i < env->live_sysctl_count; i++)
		(void)set_sysctl(record, "live", &env->live_sysctl[i]);
	if (record->live_swap[0]) {
		int r = swap_turn_on(record->live_swap);
		if (r < 0)
			(void)swap_problem(record, r, "live", env->swap_on_disk);
	}
}

uint64_t run_namespace_pid_max(const struct environment *env)
{
	uint64_t number;
	for (unsigned i = 0; i < env->namespace_sysctl_count; i++)
		if (strcmp(env->namespace_sysctl[i].name, "kernel.pid_max") == 0 &&
		    number_parse_count(env->namespace_sysctl[i].value, &number) == 0)
			return number;
	return ENOMEM_ABSENT;
}
