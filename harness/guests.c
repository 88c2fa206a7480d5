// SPDX-License-Identifier: MIT
/*
 * Getting guests ready and planning for them. See guests.h.
 */
#include "guests.h"

#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "jobs.h"
#include "number.h"
#include "plan-internal.h"
#include "say.h"

/* An image is in memory twice while it is unpacked, and its programs need some to run. */
#define IMAGE_PART 3

/* What the kernel lacks it said itself; where its modules would be, it cannot know. */
static void tell_where_modules(struct guest_site *site)
{
	const struct guest_kernel *k = &site->kernel;
	int directory = (int)(strrchr(k->image, '/') - k->image);
	size_t used = strlen(site->why), room = sizeof(site->why) - used;
	if (k->modules[0])
		(void)snprintf(site->why + used, room, "; its modules are those of %s", k->modules);
	else
		(void)snprintf(site->why + used, room,
			       "; there is no lib/modules/%s in %.*s or above it (make modules_install "
			       "INSTALL_MOD_PATH=%.*s)",
			       k->release[0] ? k->release : "RELEASE", directory, k->image, directory, k->image);
}

static void open_site(struct guest_site *site, const struct guests_options *options, const struct guest_cargo *cargo,
		      bool keep_booted)
{
	struct guest_options machine = options->machine;
	struct guest_image image = {.fd = -1};
	site->options = options;
	if (site->why[0])
		return;
	machine.interrupted = &jobs_interrupted;
	machine.cargo = cargo;
	machine.keep_booted &= keep_booted;
	if (site->memory_bytes)
		machine.memory_bytes = site->memory_bytes;
	int r = guest_image_pack(select_guest_self(), site->kernel.modules, options->bring, stderr, &image);
	if (r < 0) {
		(void)snprintf(site->why, sizeof(site->why), "its image cannot be packed (%s)", strerrorname_np(-r));
		return;
	}
	if ((options->bring || options->machine.root) && image.bytes > machine.memory_bytes / IMAGE_PART) {
		char size[64];
		(void)snprintf(site->why, sizeof(site->why), "its image is %s: say a larger --guest-memory",
			       number_format_bytes(size, sizeof(size), image.bytes));
		guest_image_close(&image);
		return;
	}
	site->image_bytes = image.bytes;
	r = guest_state_open(&site->kernel, &machine, &image, &site->state, site->why, sizeof(site->why));
	if (r < 0) {
		if (r == -ENOENT)
			(void)snprintf(site->why, sizeof(site->why), "QEMU is not there: apt install qemu-system-x86");
		if (r == -ENOTSUP)
			tell_where_modules(site);
		return;
	}
	site->world = (struct guest_world){
		.state = &site->state, .swap_bytes = options->swap_bytes, .profile = &options->profile};
	site->other = site->world;
	bool v1 = strcmp(options->cgroup, "v1") == 0;
	(void)strcpy(site->world.cgroup, v1 ? "v1" : "v2");
	(void)strcpy(site->other.cgroup, v1 ? "v2" : "v1");
	site->usable = true;
}

static void close_site(struct guest_site *site)
{
	if (site->larger)
		close_site(site->larger);
	free(site->larger);
	site->larger = NULL;
	if (site->usable)
		guest_state_close(&site->state);
	site->usable = false;
}

/* A signal to us alone has not reached them. One that is gone has been waited for: its number may be another's. */
static void pass_on_interruption(const pid_t *child, size_t count)
{
	for (size_t i = 0; jobs_interrupted && i < count; i++)
		if (child[i] > 0 && waitid(P_PID, (id_t)child[i], &(siginfo_t){0}, WEXITED | WNOHANG | WNOWAIT) == 0)
			(void)kill(child[i], SIGTERM);
}

/* Boot several kernels side by side: each in a process of its own, which leaves its state in the cache for us to find.
 */
static void boot_side_by_side(struct guests *g, const struct guests_options *options)
{
	unsigned busy = 0;
	pid_t *child = calloc(g->count, sizeof(pid_t));
	if (!child)
		return; /* one after the other, then */
	for (size_t i = 0; (i < g->count && !jobs_interrupted) || busy;) {
		if (i < g->count && busy < options->at_once && !jobs_interrupted) {
			pid_t parent = getpid(), pid = fork();
			if (pid == 0) {
				(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
				if (getppid() == parent)
					open_site(&g->site[i], options, g->cargo, false);
				_exit(0);
			}
			busy += pid > 0;
			child[i++] = pid;
		} else if (wait(NULL) > 0) {
			busy--;
		} else if (errno != EINTR) {
			break;
		} else {
			pass_on_interruption(child, g->count);
		}
	}
	free(child);
}

static void probe_site(struct guest_site *site)
{
	char why[600];
	if (jobs_interrupted && site->usable) {
		close_site(site);
		(void)snprintf(site->why, sizeof(site->why), "interrupted");
	}
	int r = site->usable ? guest_world_probe(&site->world, why, sizeof(why)) : 0;
	if (r == 0)
		return;
	site->usable = false;
	(void)snprintf(site->why, sizeof(site->why), "%s", why);
	if (r == -ENOTSUP)
		tell_where_modules(site);
}

/* What cannot be booted is a wrong argument where somebody named the file; in the cache it is one kernel less. What
 * there is no memory or no descriptor for here is neither. */
static int check_images(struct guests *g)
{
	for (size_t i = 0; i < g->count; i++) {
		struct guest_site *site = &g->site[i];
		int r = guest_kernel_check(&site->kernel, site->why, sizeof(site->why));
		bool ours = r == -ENOMEM || r == -EMFILE || r == -ENFILE;
		if (r == 0 || (site->kernel.cached && !ours))
			continue;
		(void)say_error(0, "%s", site->why);
		if (r != -ENOEXEC)
			return r;
		say_hint("--guest takes a kernel's bzImage or vmlinuz, or one of the cache: ci/kernels --list");
		return -EINVAL;
	}
	return 0;
}

int guests_open(const struct guests_options *options, const struct selection *selection, struct guests *ret)
{
	struct guests g = {0};
	struct guest_kernel *kernels = NULL, single;
	int r = 0;
	g.count = 1;
	if (options->kernels)
		r = guest_kernels_find(options->kernels, stderr, &kernels, &g.count);
	else
		r = guest_kernel_default(&single);
	g.site = r == 0 ? calloc(g.count, sizeof(*g.site)) : NULL;
	g.cargo = r == 0 ? calloc(1, sizeof(*g.cargo)) : NULL;
	if (!g.site || !g.cargo) {
		free(g.site);
		free(g.cargo);
		free(kernels);
		return r < 0 ? r : -ENOMEM;
	}
	for (size_t i = 0; i < g.count; i++)
		g.site[i].kernel = kernels ? kernels[i] : single;
	free(kernels);
	*g.cargo = (struct guest_cargo){.fd = -1};
	r = check_images(&g);
	bool wrong = r < 0;
	if (!wrong)
		r = guest_cargo_pack(selection->item, selection->count, stderr, g.cargo);
	if (wrong || r == -EEXIST) { /* what was asked for makes no sense in any guest */
		guests_close(&g);
		return r;
	}
	for (size_t i = 0; r < 0 && i < g.count; i++)
		(void)snprintf(g.site[i].why, sizeof(g.site[i].why), "its scenarios cannot be packed (%s)",
			       strerrorname_np(-r));
	if (r == 0 && g.count > 1 && options->at_once > 1 && !options->machine.cold)
		boot_side_by_side(&g, options);
	for (size_t i = 0; r == 0 && i < g.count; i++) {
		struct guest_site *site = &g.site[i];
		site->options = options;
		if (!jobs_interrupted) {
			open_site(site, options, g.cargo, g.count == 1); /* others would wait through all its runs */
			probe_site(site);
		}
		site->interrupted = jobs_interrupted && !site->usable;
		if (site->interrupted)
			(void)strcpy(site->why, "interrupted");
	}
	*ret = g;
	return 0;
}

void guests_close(struct guests *guests)
{
	for (size_t i = 0; i < guests->count; i++)
		close_site(&guests->site[i]);
	free(guests->site);
	if (guests->cargo) {
		guest_cargo_close(guests->cargo);
		free(guests->cargo);
	}
	*guests = (struct guests){0};
}

static bool says(const struct needs *n, const char *version)
{
	return n->cgroup_version && strcmp(n->cgroup_version, version) == 0;
}

static bool needs_version(const struct plan_run *run, void *version)
{
	return says(&run->run->needs, version) || says(&run->run->when, version) ||
	       says(&run->scenario->needs, version) || (run->case_text && says(&run->case_text->needs, version));
}

static bool mentions(const struct scenario *s, const char *version)
{
	bool any = says(&s->needs, version);
	for (size_t i = 0; i < s->case_count; i++)
		any |= says(&s->cases[i].needs, version);
	for (size_t i = 0; i < s->run_count; i++)
		any |= says(&s->runs[i].needs, version) || says(&s->runs[i].when, version);
	return any;
}

static void set_world(struct plan *plan, const struct guest_world *world)
{
	for (size_t i = 0; i < plan->run_count; i++)
		plan->runs[i].world = world;
}

/* Its files, which are in memory there, beside the image. */
bool guests_is_too_large(const struct guest_site *site, const struct scenario *scenario, char *why, size_t size)
{
	const struct guest_options *o = &site->world.state->options;
	uint64_t bytes = o->cargo ? guest_cargo_bytes(o->cargo, scenario->name) : 0;
	char text[64];
	if (bytes == 0 || site->memory_bytes || site->image_bytes + bytes <= o->memory_bytes / IMAGE_PART)
		return false;
	(void)snprintf(why, size, "its files are %s: say a larger --guest-memory",
		       number_format_bytes(text, sizeof(text), bytes));
	return true;
}

bool guests_lacks_brought(const struct guest_site *site, const struct scenario *scenario, char *why, size_t size)
{
	const struct guest_cargo *cargo = site->world.state->options.cargo;
	const char *reason = cargo && scenario->bring.count > 0 ? guest_cargo_not_brought(cargo, scenario->name) : NULL;
	if (!reason)
		return false;
	(void)snprintf(why, size, "what it brings cannot be put into a guest: %s", reason);
	return true;
}

/* Half of a guest's RAM is what its files may take: with so much more a run has no less than elsewhere. */
static uint64_t larger_memory(const struct guest_site *site, uint64_t bytes)
{
	uint64_t step = UINT64_C(64) << 20, more = bytes + bytes / 2;
	return site->options->machine.memory_bytes + (more + step - 1) / step * step;
}

static struct guest_site *open_larger(const struct guest_site *site, uint64_t memory_bytes)
{
	struct guest_site *larger = calloc(1, sizeof(*larger));
	if (!larger)
		return NULL;
	larger->kernel = site->kernel;
	larger->memory_bytes = memory_bytes;
	open_site(larger, site->options, site->world.state->options.cargo, false);
	probe_site(larger);
	return larger;
}

/* What a scenario brings is its author's wish: the user need not say a size for it. NULL when memory is short here. */
static struct guest_site *site_for(struct guest_site *site, const struct scenario *scenario)
{
	char why[128];
	if (scenario->bring.count == 0 || !guests_is_too_large(site, scenario, why, sizeof(why)))
		return site;
	uint64_t bytes = guest_cargo_bytes(site->world.state->options.cargo, scenario->name);
	uint64_t memory = larger_memory(site, bytes);
	struct guest_site *last = site; /* it may have no guest: what a new one is made of is the first one's */
	for (; last->larger; last = last->larger)
		if (last->larger->memory_bytes == memory)
			return last->larger;
	last->larger = open_larger(site, memory);
	return last->larger;
}

/* Planned for the guest there is, and none of it can run. */
static int plan_without(const struct guest_site *site, const char *why, const struct scenario *scenario, FILE *errors,
			struct plan **ret)
{
	int r = plan_make(scenario, &site->world.machine, errors, ret);
	if (r < 0 || (*ret)->skip)
		return r;
	(*ret)->skip = strdup(why);
	return (*ret)->skip ? 0 : -ENOMEM;
}

/* Whether those runs could be made in the guest nobody knows: who asked was interrupted. */
static int skip_interrupted(struct plan *plan, char *version)
{
	for (size_t i = 0; i < plan->run_count; i++) {
		struct plan_run *run = &plan->runs[i];
		char *why = needs_version(run, version) ? strdup("interrupted") : NULL;
		if (!why && needs_version(run, version))
			return -ENOMEM;
		if (why) {
			free(run->skip);
			run->skip = why;
		}
	}
	return 0;
}

int guests_plan(struct guest_site *site, const struct scenario *scenario, FILE *errors, struct plan **ret)
{
	struct plan *plan = NULL, *other = NULL;
	char why[PATH_MAX + 256];
	if (guests_lacks_brought(site, scenario, why, sizeof(why)))
		return plan_without(site, why, scenario, errors, ret);
	struct guest_site *fitting = site_for(site, scenario);
	if (!fitting)
		return -ENOMEM;
	if (!fitting->usable) {
		(void)snprintf(why, sizeof(why), "needs a guest with more RAM, for what it brings: %s", fitting->why);
		return plan_without(site, why, scenario, errors, ret);
	}
	site = fitting;
	int r = plan_make(scenario, &site->world.machine, errors, &plan);
	if (r < 0)
		return r;
	set_world(plan, &site->world);
	if (guests_is_too_large(site, scenario, why, sizeof(why))) {
		free(plan->skip);
		plan->skip = strdup(why);
		*ret = plan;
		return 0;
	}
	if (mentions(scenario, site->other.cgroup)) {
		if (!site->other_known)
			r = jobs_interrupted ? -EINTR : guest_world_probe(&site->other, why, sizeof(why));
		site->other_known |= r == 0;
		if (r == 0)
			r = plan_make(scenario, &site->other.machine, errors, &other);
		if (r == 0) {
			set_world(other, &site->other);
			r = plan_graft(plan, other, needs_version, site->other.cgroup);
		} else if (!site->other_known && jobs_interrupted) {
			r = skip_interrupted(plan, site->other.cgroup);
		} else if (!site->other_known) {
			say_note("kernel %s with cgroup %s: %s", site->kernel.name, site->other.cgroup, why);
			r = 0; /* planned without it: those runs are skipped */
		}
		plan_free(other);
	}
	if (r < 0)
		plan_free(plan);
	else
		*ret = plan;
	return r;
}
