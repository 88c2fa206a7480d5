// SPDX-License-Identifier: MIT
/*
 * A guest that an interruption kept from booting: nothing ran there, and its result says so of every run. See guests.h.
 */
#include <string.h>

#include "cleanup.h"
#include "guests.h"
#include "plan-internal.h"

/* What is known before it is there; the amounts of the runs, which nothing comes of, are this machine's. */
void guests_imagine(struct guest_site *site, const struct machine *here)
{
	struct machine *m = &site->world.machine;
	const char *release = site->kernel.release[0] ? site->kernel.release : site->kernel.name;
	bool v1 = strcmp(site->options->cgroup, "v1") == 0;
	*m = *here;
	(void)snprintf(m->kernel_release, sizeof(m->kernel_release), "%s", release);
	m->kernel_major = m->kernel_minor = 0;
	(void)sscanf(release, "%u.%u", &m->kernel_major, &m->kernel_minor);
	(void)strcpy(m->cgroup.unified_mount, v1 ? "" : "/sys/fs/cgroup");
	for (unsigned i = 0; i < CGROUP_CONTROLLERS; i++) {
		m->cgroup.at[i].version = v1 ? CGROUP_V1 : CGROUP_V2;
		m->cgroup_writable[i] = true;
	}
	m->capabilities = UINT64_MAX;
	m->root = m->user_namespaces = m->guest = true;
}

json_t *guests_imagined_host(const struct guest_site *site)
{
	const struct guests_options *o = site->options;
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:b}", "kernel", site->world.machine.kernel_release, "cgroup",
			 o->cgroup, "ram", (json_int_t)o->machine.memory_bytes, "swap", (json_int_t)o->swap_bytes,
			 "cpus", (json_int_t)o->machine.cpus, "guest", 1);
}

int guests_plan_imagined(const struct guest_site *site, const struct scenario *scenario, FILE *errors,
			 struct plan **ret)
{
	struct plan *plan = NULL;
	int r = plan_make(scenario, &site->world.machine, errors, &plan);
	if (r < 0)
		return r;
	for (size_t i = 0; i < plan->run_count; i++) {
		free(plan->runs[i].skip);
		plan->runs[i].skip = strdup("interrupted");
		if (!plan->runs[i].skip)
			r = -ENOMEM;
	}
	if (r < 0) {
		plan_free(plan);
		return r;
	}
	*ret = plan;
	return 0;
}
