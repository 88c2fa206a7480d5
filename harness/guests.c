// SPDX-License-Identifier: MIT
/*
 * Getting guests ready and planning for them. See guests.h.
 */
#include "guests.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "jobs.h"
#include "plan-internal.h"
#include "say.h"

static bool same_directory(const char *a, const char *b)
{
	struct stat x, y;
	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* A scenario that was selected. It stands for one of the tree with its name: that is the one that is meant. */
static int add_selected(struct selection *all, const struct scenario *selected)
{
	size_t place = 0;
	while (place < all->count && strcmp(all->item[place]->name, selected->name) != 0)
		place++;
	if (place < all->count && same_directory(all->item[place]->directory, selected->directory))
		return 0;
	struct scenario *own = NULL;
	int r = manifest_read(selected->directory, stderr, &own);
	if (r < 0)
		return r;
	if (place < all->count)
		scenario_free(all->item[place]);
	else
		all->count++;
	all->item[place] = own;
	return 0;
}

/* The images hold the whole tree, so that one state serves every selection, and directories from elsewhere. */
static int select_all(const char *tree, const struct selection *selection, struct selection *ret)
{
	int r = select_readable(tree, ret);
	if (r < 0)
		return r;
	struct scenario **item = reallocarray(ret->item, ret->count + selection->count + 1, sizeof(struct scenario *));
	if (!item)
		return -ENOMEM;
	ret->item = item;
	for (size_t i = 0; r == 0 && i < selection->count; i++)
		r = add_selected(ret, selection->item[i]);
	return r;
}

static void open_site(struct guest_site *site, const struct guests_options *options, const struct selection *all)
{
	struct guest_options machine = options->machine;
	struct guest_image image = {.fd = -1};
	machine.interrupted = &jobs_interrupted;
	int r = guest_image_pack(select_guest_self(), all->item, all->count, site->kernel.modules, stderr, &image);
	if (r < 0) {
		(void)snprintf(site->why, sizeof(site->why), "its image cannot be packed (%s)", strerrorname_np(-r));
		return;
	}
	r = guest_state_open(&site->kernel, &machine, &image, &site->state, site->why, sizeof(site->why));
	if (r < 0) {
		if (r == -ENOENT)
			(void)snprintf(site->why, sizeof(site->why), "QEMU is not there: apt install qemu-system-x86");
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
					open_site(&g->site[i], options, &g->all);
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
		guest_state_close(&site->state);
		site->usable = false;
		(void)snprintf(site->why, sizeof(site->why), "interrupted");
	}
	if (!site->usable || guest_world_probe(&site->world, why, sizeof(why)) == 0)
		return;
	site->usable = false;
	(void)snprintf(site->why, sizeof(site->why), "%s", why);
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
	if (r == 0)
		r = select_all(options->tree, selection, &g.all);
	g.site = r == 0 ? calloc(g.count, sizeof(*g.site)) : NULL;
	if (!g.site) {
		free(kernels);
		return r < 0 ? r : -ENOMEM;
	}
	for (size_t i = 0; i < g.count; i++)
		g.site[i].kernel = kernels ? kernels[i] : single;
	free(kernels);
	if (g.count > 1 && options->at_once > 1 && !options->machine.cold)
		boot_side_by_side(&g, options);
	for (size_t i = 0; i < g.count && !jobs_interrupted; i++) {
		open_site(&g.site[i], options, &g.all);
		probe_site(&g.site[i]);
	}
	*ret = g;
	return 0;
}

void guests_close(struct guests *guests)
{
	for (size_t i = 0; i < guests->count; i++)
		if (guests->site[i].usable)
			guest_state_close(&guests->site[i].state);
	free(guests->site);
	if (guests->all.item)
		selection_free(&guests->all);
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

int guests_plan(struct guest_site *site, const struct scenario *scenario, FILE *errors, struct plan **ret)
{
	struct plan *plan = NULL, *other = NULL;
	char why[600];
	int r = plan_make(scenario, &site->world.machine, errors, &plan);
	if (r < 0)
		return r;
	set_world(plan, &site->world);
	if (mentions(scenario, site->other.cgroup)) {
		if (!site->other_known)
			r = guest_world_probe(&site->other, why, sizeof(why));
		site->other_known |= r == 0;
		if (r == 0)
			r = plan_make(scenario, &site->other.machine, errors, &other);
		if (r == 0) {
			set_world(other, &site->other);
			r = plan_graft(plan, other, needs_version, site->other.cgroup);
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

static bool is_skipped(const struct plan *plan, const struct plan_run *run)
{
	return plan->skip || run->skip;
}

/* Of this case, does a run need more than this machine gives? */
static bool case_needs_help(const struct plan *plan, const struct case_text *case_text)
{
	for (size_t i = 0; i < plan->run_count; i++)
		if (plan->runs[i].case_text == case_text && is_skipped(plan, &plan->runs[i]))
			return true;
	return false;
}

bool guests_could_help(const struct plan *plan)
{
	for (size_t i = 0; i < plan->run_count; i++)
		if (is_skipped(plan, &plan->runs[i]))
			return true;
	return false;
}

struct help {
	const struct plan *here, *there;
};

/* Runs of a case that moved do not stay here as well. */
static void drop_what_moved(struct plan *plan)
{
	size_t kept = 0;
	for (size_t i = 0; i < plan->run_count; i++) {
		bool moved = false;
		for (size_t k = 0; k < plan->run_count; k++)
			moved |= plan->runs[k].world && plan->runs[k].case_text == plan->runs[i].case_text;
		if (moved && !plan->runs[i].world)
			plan_run_free(&plan->runs[i]);
		else
			plan->runs[kept++] = plan->runs[i];
	}
	plan->run_count = kept;
}

/* A case is proven in one place: control, trigger and remedies of it move together, if the guest can make any more. */
static bool moves(const struct plan_run *run, void *data)
{
	const struct help *help = data;
	if (!case_needs_help(help->here, run->case_text))
		return false;
	for (size_t i = 0; i < help->here->run_count; i++) {
		const struct plan_run *here = &help->here->runs[i];
		if (here->case_text != run->case_text || !is_skipped(help->here, here))
			continue;
		for (size_t k = 0; k < help->there->run_count; k++)
			if (help->there->runs[k].run == here->run &&
			    help->there->runs[k].case_text == here->case_text &&
			    !is_skipped(help->there, &help->there->runs[k]))
				return true;
	}
	return false;
}

static bool is_marked(const struct plan_run *run, void *data)
{
	(void)data;
	return run->world != NULL;
}

int guests_help(struct guest_site *site, const struct scenario *scenario, FILE *errors, struct plan *plan)
{
	struct plan *there = NULL;
	int r = guests_plan(site, scenario, errors, &there);
	if (r < 0)
		return r;
	/* The question is asked of the plans as they were: grafting changes both. */
	auto_free bool *move = calloc(there->run_count + 1, sizeof(bool));
	struct help help = {plan, there};
	for (size_t i = 0; move && i < there->run_count; i++)
		move[i] = moves(&there->runs[i], &help);
	for (size_t i = 0; move && i < there->run_count; i++)
		if (!move[i])
			there->runs[i].world = NULL;
	r = move ? plan_graft(plan, there, is_marked, NULL) : -ENOMEM;
	if (r == 0)
		drop_what_moved(plan);
	plan_free(there);
	return r;
}
