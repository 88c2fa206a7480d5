// SPDX-License-Identifier: MIT
/*
 * Guests for lessons, and what is to be typed in them. See teach-guest.h.
 */
#include "teach-guest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include "cleanup.h"
#include "guest-teach.h"
#include "jobs.h"
#include "report-text.h"

/* --- guests ------------------------------------------------------------------------------------------------------ */

int teach_guest_open(const struct teach_guests *o, const struct guest_bring *bring, struct scenario *s,
		     struct guests **ret, char *why, size_t size)
{
	const struct guests_options options = {.kernels = o->kernels,
					       .machine = {.memory_bytes = GUEST_MEMORY_DEFAULT, .cpus = 1},
					       .cgroup = "v2",
					       .at_once = 1,
					       .bring = bring};
	/* What is asked of guests is kept by them for as long as they are. */
	struct opened {
		struct guests guests;
		struct guests_options options;
	} *one = calloc(1, sizeof(*one));
	const struct selection only = {.item = &s, .count = 1};
	why[0] = '\0';
	if (!one)
		return -ENOMEM;
	one->options = options;
	int r = guests_open(&one->options, &only, &one->guests);
	if (r < 0) {
		free(one);
		if (r == -ENOENT && !o->kernels)
			(void)snprintf(why, size, "no kernel for a guest in the cache: ci/kernels 6.1 brings one");
		return r;
	}
	const struct guest_site *site = one->guests.site;
	if (!site || !site->usable) {
		(void)snprintf(why, size, "kernel %s: no guest: %s", site ? site->kernel.name : "?",
			       site ? site->why : "there is none");
		teach_guest_close(&one->guests);
		return -EIO;
	}
	*ret = &one->guests;
	return 0;
}

void teach_guest_close(struct guests *guests)
{
	if (!guests)
		return;
	guests_close(guests);
	free(guests);
}

const char *teach_guest_kernel(const struct quiz *q)
{
	return q->guests ? q->guests->site[0].kernel.name : NULL;
}

/* --- what to type ------------------------------------------------------------------------------------------------ */

static const struct environment_setting *setting_of(const struct environment_setting *all, unsigned count,
						    const char *name)
{
	for (unsigned i = 0; i < count; i++)
		if (!strcmp(all[i].name, name))
			return &all[i];
	return NULL;
}

static bool sysctl_lines(const struct environment_setting *from, unsigned before_count,
			 const struct environment_setting *to, unsigned count, struct teach_fix *f)
{
	bool can = true;
	for (unsigned i = 0; i < count; i++) {
		const struct environment_setting *before = setting_of(from, before_count, to[i].name);
		if (before && !strcmp(before->value, to[i].value))
			continue;
		can = can && fix_add_line(f, strpbrk(to[i].value, " \t") ? "sysctl -w %s='%s'" : "sysctl -w %s=%s",
					  to[i].name, to[i].value);
	}
	return can;
}

/* What a run has in its namespaces; of these the shell is in an IPC namespace of its own. */
static bool namespace_lines(const struct environment *from, const struct environment *to, struct teach_fix *f)
{
	for (unsigned i = 0; i < to->namespace_sysctl_count; i++)
		if (!guest_state_is_of_ipc(to->namespace_sysctl[i].name))
			return false;
	return from->namespace_sysctl_count <= to->namespace_sysctl_count &&
	       sysctl_lines(from->namespace_sysctl, from->namespace_sysctl_count, to->namespace_sysctl,
			    to->namespace_sysctl_count, f);
}

static bool sys_lines(const struct environment *from, const struct environment *to, struct teach_fix *f)
{
	bool can = true;
	for (unsigned i = 0; i < to->sys_count; i++) {
		const struct environment_setting *before = setting_of(from->sys, from->sys_count, to->sys[i].name);
		if (before && !strcmp(before->value, to->sys[i].value))
			continue;
		can = can && fix_add_line(f, "echo '%s' > /sys/%s", to->sys[i].value, to->sys[i].name);
	}
	return can;
}

/* What it lacks of swap: on zram where the remedy has it there and zram0 is free, else on the guest's disk. */
static bool swap_lines(const struct environment *from, const struct environment *to, struct teach_fix *f)
{
	const uint64_t before = from->swap_said ? from->swap_bytes : 0,
		       after = (to->swap_said ? to->swap_bytes : 0) + to->live_swap_bytes;
	const bool zram = !before && !to->swap_on_disk;
	const char *device = zram ? "/dev/zram0" : "/dev/vda";
	if (before == after)
		return true;
	/* The header takes a page more. */
	return after > before && !(before && from->swap_on_disk) &&
	       (!zram || fix_add_line(f, "echo %" PRIu64 " > /sys/block/zram0/disksize", after + 4096)) &&
	       fix_add_line(f, "mkswap %s %" PRIu64, device, ((after - before) >> 10) + 4) &&
	       fix_add_line(f, "swapon %s", device);
}

/* Of one that helps a living process: what it is started with is the trigger's, or more. */
static bool is_live(const struct environment *env)
{
	bool live = env->live_sysctl_count || env->live_swap_bytes;
	for (unsigned v = 0; v < CGROUP_VALUE_COUNT; v++)
		live |= env->live_cgroup[v] != ENVIRONMENT_NOT_SET;
	return live;
}

/* Nothing but what lines are made of is other. */
static bool same_otherwise(const struct plan_run *trigger, const struct plan_run *remedy, bool live)
{
	const struct environment *a = &trigger->environment;
	struct environment b;
	memcpy(&b, &remedy->environment, sizeof(b));
	memcpy(b.sysctl, a->sysctl, sizeof(b.sysctl));
	memcpy(b.sys, a->sys, sizeof(b.sys));
	memcpy(b.live_cgroup, a->live_cgroup, sizeof(b.live_cgroup));
	memcpy(b.live_sysctl, a->live_sysctl, sizeof(b.live_sysctl));
	b.sysctl_count = a->sysctl_count;
	b.sys_count = a->sys_count;
	b.live_sysctl_count = a->live_sysctl_count;
	b.swap_said = a->swap_said;
	b.swap_on_disk = a->swap_on_disk;
	b.swap_bytes = a->swap_bytes;
	b.live_swap_bytes = a->live_swap_bytes;
	memcpy(b.namespace_sysctl, a->namespace_sysctl, sizeof(b.namespace_sysctl));
	b.namespace_sysctl_count = a->namespace_sysctl_count;
	b.tmpfs_bytes = a->tmpfs_bytes;
	b.tmpfs_inodes = a->tmpfs_inodes;
	/* "--again" and the like come last. */
	return fix_same_otherwise(trigger, remedy, &b, live);
}

bool fix_guest_lines(const struct machine *m, const struct plan_run *trigger, const struct plan_run *remedy,
		     struct teach_fix *f)
{
	const struct environment *from = &trigger->environment, *to = &remedy->environment;
	const bool live = is_live(to);
	const struct expect e = fix_expectation(remedy);
	/* A program that turns the knob itself would turn it after whoever did so before it. */
	if ((live && from->knobs_writable) || !same_otherwise(trigger, remedy, live) || !e.exit ||
	    strcmp(e.exit, "0") != 0)
		return false;
	struct environment now;
	(void)fix_take_live(to, &now);
	f->count = f->writable_count = 0;
	return fix_limit_lines(m, from, &now, f) &&
	       sysctl_lines(from->sysctl, from->sysctl_count, to->sysctl, to->sysctl_count, f) &&
	       sysctl_lines(from->sysctl, from->sysctl_count, to->live_sysctl, to->live_sysctl_count, f) &&
	       namespace_lines(from, to, f) && sys_lines(from, to, f) && fix_tmpfs_line(from, to, f) &&
	       swap_lines(from, to, f) && f->count > 0;
}

/* --- checking ---------------------------------------------------------------------------------------------------- */

_Noreturn void fix_check_in_guest(const struct quiz *q, const struct teach_fix *fix, struct fix_room *room,
				  json_t *changed, pid_t parent)
{
	static const int usual[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGWINCH};
	static atomic_bool never;
	struct plan_run run = *q->trigger;
	const struct plan_run *one = &run;
	json_auto_t *asked = json_pack("{s:s, s:O}", "remedy", fix->remedy->name, "changed", changed);
	struct run_context context = {.fix = asked, .interrupted = &never};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		(void)signal(usual[i], SIG_DFL);
	for (int fd = 0; fd <= STDERR_FILENO && null >= 0; fd++)
		(void)dup2(null, fd);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent || !asked)
		_exit(1);
	/* A guest that panics or hangs is judged here, by this. */
	run.expect = fix_expectation(fix->remedy);
	run.run = fix->remedy->run;
	run.role = fix->remedy->role;
	json_auto_t *all = guest_execute(&context, run.world, &one, 1);
	const json_t *evidence = json_array_get(all, 0);
	if (evidence) {
		fix_tell(room, evidence);
		room->checked = true;
	}
	_exit(0);
}
