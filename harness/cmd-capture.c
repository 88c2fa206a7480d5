// SPDX-License-Identifier: MIT
/*
 * enomem capture: a failure as a tree of files, of this machine or of a guest.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "capture-guest.h"
#include "cleanup.h"
#include "hold-run.h"
#include "jobs.h"
#include "json-memory.h"
#include "options.h"
#include "report-text.h"
#include "say.h"
#include "select.h"

enum { OPT_CASE = 256, OPT_RUN, OPT_SCENARIOS, OPT_GUEST };

static const struct option_row options[] = {
	{"out", 'o', "DIR", "make this directory (required)"},
	{"case", OPT_CASE, "NAME", "of several cases this one (the first that can run here)"},
	{"run", OPT_RUN, "NAME", "of several triggers the one of this name"},
	{"guest", OPT_GUEST, "[KERNEL]", "in a throw-away QEMU guest: 6.1, or the path of a kernel image"},
	{"scenarios", OPT_SCENARIOS, "DIR", "directory of the scenarios"},
	{NULL, 0, NULL, NULL},
};

struct request {
	const char *out, *case_name, *run_name, *tree;
	const char *kernel; /* NULL: the default one */
	bool in_guest;
};

/* 0, -1 when help was shown, else the exit status. */
static int parse(const struct command *self, int argc, char **argv, struct request *q)
{
	const char *value;
	for (int letter; (letter = options_next(self, argc, argv, &value)) != -1;) {
		switch (letter) {
		case 'o':
			q->out = value;
			break;
		case OPT_CASE:
			q->case_name = value;
			break;
		case OPT_RUN:
			q->run_name = value;
			break;
		case OPT_SCENARIOS:
			q->tree = value;
			break;
		case OPT_GUEST:
			q->in_guest = true;
			q->kernel = value;
			break;
		case 'h':
			options_help(self);
			return -1;
		default:
			return EXIT_USAGE;
		}
	}
	if (q->out && *q->out && argc - options_operands() == 1)
		return 0;
	(void)say_error(0, q->out && *q->out ? "exactly one scenario, by its name" : "no directory");
	say_hint("enomem capture --out DIR SCENARIO");
	return EXIT_USAGE;
}

static int write_key(const char *directory, const json_t *key)
{
	char path[CAPTURE_PATH_MAX + 16];
	(void)snprintf(path, sizeof(path), "%s/key.json", directory);
	auto_fclose FILE *file = fopen(path, "wxe");
	if (!key || json_memory_refused() || !file)
		return key && !file ? -errno : -ENOMEM;
	errno = EIO;
	return json_dumpf(key, file, JSON_INDENT(1)) < 0 || fputc('\n', file) == EOF || fflush(file) != 0 ? -errno : 0;
}

static const char *what_lacks(const struct capture *c)
{
	if (c->error < 0)
		return "the files of it could not be kept";
	if (c->moments == 0)
		return "it was not looked at before it began";
	return "it stood still at no moment of the predicted kind: its first refused call, the signal that ended it, "
	       "or its "
	       "deadline";
}

/* What is in the capture's directory goes to `out`, all of it or nothing. */
static int conclude(const struct capture *c, const json_t *key, const char *name, const char *out)
{
	if (c->moments != 3 || (c->error < 0 && !c->error_at[0])) {
		(void)say_error(c->error, "%s: it failed as predicted, but %s", name, what_lacks(c));
		return EXIT_BROKEN;
	}
	int r = c->error < 0 ? c->error : write_key(c->directory, key);
	if (r == 0 && (chmod(c->directory, 0755) < 0 || rename(c->directory, out) < 0))
		r = -errno;
	if (r < 0) {
		(void)say_error(r, "%s: cannot be written", c->error < 0 ? c->error_at : out);
		return EXIT_BROKEN;
	}
	const char *run = json_string_value(json_object_get(key, "run"));
	say_note("%s: %s: %u files in %s", name, run ? run : "", c->files, out);
	return EXIT_AS_PREDICTED;
}

static int prove(struct hold_site *site, const struct plan *plan, const struct plan_run *run, struct capture *c,
		 json_t **ret_key)
{
	const struct run_observer observer = {capture_attach, capture_ended, c};
	json_auto_t *evidence = NULL;
	char why[4 * TEXT_MAX] = "";
	site->context.observer = &observer;
	int code = hold_prove(site, plan, run, &evidence, why, sizeof(why));
	site->context.observer = NULL;
	if (jobs_interrupted || code != 0) {
		(void)say_error(0, "%s: %s: %s", plan->scenario->name, run->name,
				jobs_interrupted ? "interrupted" : why);
		return jobs_interrupted ? EXIT_INTERRUPTED : code;
	}
	*ret_key = hold_key_of(evidence, &site->machine, plan, run);
	return 0;
}

static int capture_here(const struct request *q, struct scenario *scenario, struct capture *c, json_t **ret_key)
{
	static struct hold_site site;
	struct plan *plan = NULL;
	const struct plan_run *run = NULL;
	int code = hold_site_open(&site);
	if (code != 0)
		return code;
	int r = plan_make(scenario, &site.machine, stderr, &plan);
	code = r < 0 ? hold_no_plan(r) : hold_choose(plan, q->case_name, q->run_name, -1, &run);
	if (code == 0)
		code = prove(&site, plan, run, c, ret_key);
	plan_free(plan);
	hold_site_close(&site);
	return code;
}

static int capture_there(const struct request *q, const struct selection *selection, struct capture *c,
			 json_t **ret_key)
{
	const struct guests_options guest = {.kernels = q->kernel,
					     .machine = {.memory_bytes = GUEST_MEMORY_DEFAULT, .cpus = 1},
					     .cgroup = "v2",
					     .at_once = 1};
	jobs_catch_signals();
	return capture_in_guest(&guest, selection, q->case_name, q->run_name, c, ret_key);
}

static int capture(const struct request *q, const struct selection *selection)
{
	char directory[CAPTURE_PATH_MAX];
	struct capture c = {.directory = directory};
	struct stat st;
	json_auto_t *key = NULL;
	size_t length = strlen(q->out);
	while (length > 1 && q->out[length - 1] == '/')
		length--;
	if (length + 8 > CAPTURE_PATH_MAX / 2) {
		(void)say_error(ENAMETOOLONG, "%s", q->out);
		return EXIT_USAGE;
	}
	if (lstat(q->out, &st) == 0) {
		(void)say_error(EEXIST, "%s: it is there already; name a new directory", q->out);
		return EXIT_USAGE;
	}
	(void)snprintf(directory, sizeof(directory), "%.*s.XXXXXX", (int)length, q->out);
	if (!mkdtemp(directory)) {
		(void)say_error(-errno, "%s: cannot be made", q->out);
		return EXIT_USAGE;
	}
	int code = q->in_guest ? capture_there(q, selection, &c, &key) : capture_here(q, selection->item[0], &c, &key);
	if (code == 0)
		code = conclude(&c, key, selection->item[0]->name, q->out);
	if (code != 0)
		capture_remove(directory);
	return code;
}

static int cmd_capture_main(const struct command *self, int argc, char **argv)
{
	struct request q = {0};
	struct select_filter filter = {0};
	struct selection selection;
	int r = parse(self, argc, argv, &q);
	if (r != 0)
		return r < 0 ? say_finish(EXIT_AS_PREDICTED) : r;
	int code = select_chosen(q.tree, argv + options_operands(), 1, &filter, &selection);
	if (code != 0)
		return code;
	if (selection.count == 1) {
		code = capture(&q, &selection);
	} else {
		(void)say_error(0, "%s: several scenarios; name one", argv[options_operands()]);
		code = EXIT_USAGE;
	}
	selection_free(&selection);
	return code;
}

const struct command cmd_capture = {
	.name = "capture",
	.arguments = "[OPTION...] --out=DIR SCENARIO[/CASE]",
	.examples = "  enomem capture pids-max --out=fixture                   before, at and after the failure\n"
		    "  enomem capture --guest=6.1 strict-commit --out=fixture  of another kernel\n",
	.blurb = "Copy /proc, cgroupfs and the kernel log before, at and after a failure, as fixtures.",
	.options = options,
	.run = cmd_capture_main,
};
