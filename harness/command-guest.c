// SPDX-License-Identifier: MIT
/*
 * See command-guest.h.
 */
#include "command-guest.h"

#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "command-plan.h"
#include "guests.h"
#include "jobs.h"
#include "launch.h"
#include "say.h"
#include "select-case.h"

static int find_program(char **program)
{
	char *path = guest_bring_find(*program);
	if (!path) {
		(void)say_error(ENOENT, "%s: cannot be executed", *program);
		return EXIT_NOT_FOUND;
	}
	if (access(path, X_OK) < 0) {
		(void)say_error(errno, "%s: cannot be executed", *program);
		free(path);
		return EXIT_NOT_EXECUTABLE;
	}
	*program = path;
	return 0;
}

static int execute(struct command_in_guest *c, struct plan_run *run)
{
	struct run_context context = {.parameters = &c->options->parameters,
				      .command = c->command,
				      .command_deadline_ns = c->options->deadline_ns,
				      .interrupted = c->interrupted};
	const struct plan_run *one = run;
	(void)snprintf(c->run, sizeof(c->run), "%s", run->name);
	command_adapt(run, c->command, c->options->deadline_ns);
	json_auto_t *all = guest_execute(&context, run->world, &one, 1);
	c->evidence = json_incref(json_array_get(all, 0));
	if (c->evidence)
		return 0;
	(void)say_error(-ENOMEM, "evidence: no memory for it");
	return EXIT_NOT_WATCHED;
}

static int plan_and_execute(struct command_in_guest *c, struct guest_site *site, struct scenario *s, const char *word,
			    const char *rest)
{
	struct plan *plan = NULL;
	struct plan_run *run = NULL;
	int r = guests_plan(site, s, stderr, &plan);
	if (r == -ENOMEM)
		return say_no_memory(EXIT_NOT_WATCHED);
	if (r < 0)
		return EXIT_USAGE;
	int code = select_run(plan, word, rest, &run);
	const char *skip = code ? NULL : plan->skip ? plan->skip : run->skip;
	(void)snprintf(c->kernel, sizeof(c->kernel), "%s", site->kernel.name);
	if (skip) {
		(void)say_error(0, "%s: cannot be set in a guest of kernel %s: %s", word, c->kernel, skip);
		code = EXIT_NOT_WATCHED;
	} else if (code == 0) {
		code = execute(c, run);
	}
	plan_free(plan);
	return code;
}

/* Found out before any of them is booted; what is wrong with a name is told by guests_open(). */
static bool are_several(const struct guests_options *options)
{
	auto_fclose FILE *nowhere = fopen("/dev/null", "we");
	struct guest_kernel *kernels = NULL;
	size_t count = 0;
	int r = options->kernels && nowhere ? guest_kernels_find(options->kernels, nowhere, &kernels, &count) : -ENOENT;
	free(kernels);
	if (r < 0 || count <= 1)
		return false;
	(void)say_error(0, "--guest=%s: a program runs in one guest, of one kernel", options->kernels);
	return true;
}

static int tell_no_kernel(const struct guests_options *options, int error)
{
	if (!options->kernels && error == -ENOENT) {
		(void)say_error(0, "no kernel for a guest in the cache");
		say_hint("ci/kernels 6.1, or name an image: --guest=/boot/vmlinuz-...");
	}
	return error == -ENOENT ? EXIT_NOT_WATCHED : EXIT_USAGE;
}

int command_guests_open(struct guests_options *options, struct guest_bring *bring, char **program,
			const struct selection *selection, struct guests *ret)
{
	int code = find_program(program);
	if (code == 0 && (are_several(options) || guest_bring_add(bring, *program) < 0))
		code = EXIT_USAGE;
	if (code != 0)
		return code;
	options->bring = bring;
	int r = guests_open(options, selection, ret);
	if (r < 0)
		return tell_no_kernel(options, r);
	if (ret->site[0].usable)
		return 0;
	(void)say_error(0, "kernel %s: no guest: %s", ret->site[0].kernel.name, ret->site[0].why);
	guests_close(ret);
	return jobs_interrupted ? EXIT_INTERRUPTED : EXIT_NOT_WATCHED;
}

static int in_guest(struct command_in_guest *c, struct scenario *s, const struct guests_options *options,
		    const struct selection *selection, const char *word, const char *rest)
{
	struct guests guests;
	int code;
	int r = guests_open(options, selection, &guests);
	if (r < 0)
		return tell_no_kernel(options, r);
	struct guest_site *site = &guests.site[0];
	if (!site->usable) {
		(void)say_error(0, "kernel %s: no guest: %s", site->kernel.name, site->why);
		code = *c->interrupted ? EXIT_INTERRUPTED : EXIT_NOT_WATCHED;
	} else {
		code = plan_and_execute(c, site, s, word, rest);
	}
	guests_close(&guests);
	return code;
}

int command_in_guest(struct command_in_guest *c, struct scenario *s, const struct selection *selection,
		     const char *word, const char *rest)
{
	struct guests_options options = c->options->guests;
	struct guest_bring bring = c->options->bring;
	struct guest_root root = {.fd = -1};
	int code = c->root ? 0 : find_program(&c->command->argv[0]);
	if (code == 0 && (are_several(&options) || (!c->root && guest_bring_add(&bring, c->command->argv[0]) < 0)))
		code = EXIT_USAGE;
	if (code == 0 && c->root)
		code = guest_root_open(c->root->fd, c->root->directory, c->interrupted, &root);
	if (code != 0)
		return code;
	options.bring = c->root ? NULL : &bring;
	options.machine.root = c->root ? &root : NULL;
	code = in_guest(c, s, &options, selection, word, rest);
	guest_root_close(&root);
	return code;
}
