// SPDX-License-Identifier: MIT
/*
 * enomem hold: freeze a proven failure, and let somebody else's program look at it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "grade.h"
#include "hold-guest.h"
#include "hold-options.h"
#include "jobs.h"
#include "json-memory.h"
#include "own-line.h"
#include "report-text.h"
#include "say.h"

/* --- the key's file ---------------------------------------------------------------------------------------------- */

struct key_file {
	const char *name;
	char draft[PATH_MAX + 8];
	bool direct; /* it is there, and no file: a device, a pipe; and its descriptor */
	int direct_fd;
};

/* A file beside it, its owner's alone; -errno. */
static int make_draft(struct key_file *k)
{
	int n = snprintf(k->draft, sizeof(k->draft), "%s.XXXXXX", k->name);
	if (n < 0 || (size_t)n >= sizeof(k->draft))
		return -ENAMETOOLONG;
	int fd = mkostemp(k->draft, O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/*
 * Before anything is started: what cannot be written shall not cost a run. What is there stays until there is a key: no
 * tool finds the file that it will be in.
 */
static int check_key(struct key_file *k)
{
	struct stat st;
	if (!k->name)
		return 0;
	const bool there = lstat(k->name, &st) == 0;
	k->direct = there && !S_ISREG(st.st_mode);
	auto_close int fd = there ? open(k->name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	int r = there && fd < 0 ? -errno : k->direct ? 0 : make_draft(k);
	if (r < 0)
		return say_error(r, "%s: the answer key cannot be written", k->name);
	if (k->direct) {
		k->direct_fd = steal_fd(fd);
	} else {
		(void)close(r);
		(void)unlink(k->draft);
	}
	return 0;
}

static int write_key(struct key_file *k, const json_t *key)
{
	if (!k->name)
		return 0;
	int fd = k->direct ? k->direct_fd : make_draft(k);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	int r = file ? 0 : fd < 0 ? fd : -errno;
	if (file) {
		errno = EIO;
		r = json_dumpf(key, file, JSON_INDENT(1)) < 0 || fputc('\n', file) == EOF ? -errno : 0;
		if (json_memory_refused())
			r = -ENOMEM;
		if (fclose(file) != 0 && r == 0)
			r = -errno;
	}
	if (r == 0 && !k->direct && rename(k->draft, k->name) < 0)
		r = -errno;
	if (r < 0 && !k->direct)
		(void)unlink(k->draft);
	return r < 0 ? say_error(r, "%s: the answer key could not be written; what was there before is untouched",
				 k->name)
		     : 0;
}

/* --- one hold ---------------------------------------------------------------------------------------------------- */

static int grade(const struct hold_options *o, const struct hold *h, const json_t *key)
{
	char why[2 * TEXT_MAX];
	json_auto_t *answer = NULL;
	if (h->answer_too_long)
		(void)snprintf(why, sizeof(why), "it is longer than %zu bytes", GRADE_ANSWER_MAX);
	else
		answer = grade_parse(h->answer ? h->answer : "", h->answer_length, why, sizeof(why));
	if (!answer) {
		(void)say_error(0, "the tool's answer:%s%s", *why >= '0' && *why <= '9' ? "" : " ", why);
		return EXIT_USAGE;
	}
	json_auto_t *result = grade_make(key, answer, o->within);
	if (!result)
		return EXIT_BROKEN;
	if (o->as_json)
		(void)(json_dumpf(result, stdout, JSON_INDENT(1)) < 0 || puts(""));
	else
		(void)grade_print(result, stdout);
	return json_is_true(json_object_get(result, "right")) ? EXIT_AS_PREDICTED : EXIT_PREDICTION_FAILED;
}

/* What is said of it when all is over: the tool does not see our standard error's end. */
static void tell(const struct plan *plan, const struct plan_run *run, const struct hold *h)
{
	char outcome[TEXT_MAX], cause[TEXT_MAX];
	const json_t *moment = json_object_get(h->evidence, "failing_moment");
	if (!strcmp(text_of(moment, "at"), "call"))
		(void)snprintf(outcome, sizeof(outcome), "%s %s", text_of(moment, "call"), text_of(moment, "errno"));
	else
		(void)snprintf(outcome, sizeof(outcome), "%s",
			       !strcmp(text_of(moment, "at"), "signal") ? text_of(moment, "signal") : "stall");
	say_note("%s: %s: as predicted: %s by %s", plan->scenario->name, run->name, outcome,
		 text_cause(h->evidence, cause, sizeof(cause)));
	if (h->state == HOLD_THROTTLED)
		say_note("phase %s: throttled: it sleeps, goes on for a page, and sleeps again; that is no OOM",
			 hold_phase_names[h->phase]);
	if (h->failures)
		say_note("so it failed %u times", h->made);
	if (h->victim_ended)
		say_note("the victim was ended while the tool looked");
	if (h->released)
		say_note("the tool released it");
	if (h->expired)
		say_note("the deadline was reached; the tool was ended");
}

static void tell_changes(const json_t *decoy)
{
	char clean[TEXT_MAX];
	const json_t *one;
	size_t i;
	json_array_foreach (json_object_get(decoy, "changed"), i, one)
		say_note("decoy %s: %s: %s", text_of(decoy, "scenario"), text_of(decoy, "run"),
			 text_clean(json_string_value(one), false, clean, sizeof(clean)));
}

/* Also where the failure itself was spoilt: of a daemon that ends its victim before the kernel does, this is asked. */
static void tell_decoys(const struct hold *h)
{
	const json_t *item;
	size_t i, spared = 0;
	json_array_foreach (h->decoys, i, item) {
		spared += json_is_true(json_object_get(item, "spared"));
		tell_changes(item);
	}
	if (h->decoys)
		say_note("%zu of %zu decoy%s spared", spared, json_array_size(h->decoys),
			 json_array_size(h->decoys) == 1 ? "" : "s");
}

static int finish(const struct hold_options *o, const struct hold *h, const json_t *key)
{
	if (h->expired)
		return EXIT_DEADLINE;
	if (o->grade)
		return grade(o, h, key);
	if (!h->tool.ended)
		return EXIT_AS_PREDICTED; /* released */
	/* It was told to end. */
	if ((h->phase == HOLD_LOOP || h->by_clock) && WIFSIGNALED(h->tool.status) &&
	    WTERMSIG(h->tool.status) == SIGTERM)
		return EXIT_AS_PREDICTED;
	return WIFEXITED(h->tool.status) ? WEXITSTATUS(h->tool.status) : 128 + WTERMSIG(h->tool.status);
}

/* site: NULL for a run that is held in a guest. */
static int hold_one(const struct hold_options *o, struct hold_site *site, const struct plan *plan,
		    const struct plan_run *run)
{
	struct key_file file = {.name = o->key};
	struct hold h = hold_of(o, hold_phase_of(o, run));
	char why[4 * TEXT_MAX] = "";
	if (check_key(&file) < 0)
		return EXIT_USAGE;
	int code = site ? hold_run(site, plan, run, &h, why, sizeof(why)) : hold_guest_run(run, &h, why, sizeof(why));
	json_auto_t *key = code == 0 ? hold_key(&h, plan, run) : NULL;
	if (code != 0)
		(void)say_error(0, "%s: %s: %s", plan->scenario->name, run->name, why);
	else if (!key)
		code = say_no_memory(EXIT_BROKEN);
	int r = key ? write_key(&file, key) : 0;
	tell_decoys(&h);
	if (code == 0) {
		tell(plan, run, &h);
		code = finish(o, &h, key);
	}
	hold_free(&h);
	return r < 0 ? EXIT_BROKEN : code;
}

static int choose_and_hold(const struct hold_options *o, struct hold_site *site, const struct plan *plan)
{
	const struct plan_run *run = NULL;
	int code = hold_choose(plan, o->case_name, o->run_name, o->has_phase ? (int)o->phase : -1, &run);
	return code == 0 ? hold_one(o, site, plan, run) : code;
}

static int hold_in_guest(struct hold_options *o, const struct selection *selection, const struct selection *all)
{
	struct hold_guests guests;
	struct plan *plan = NULL;
	jobs_catch_signals();
	int code = hold_guests_open(o, all, &guests);
	if (code != 0)
		return code;
	o->tool = guests.tool;
	code = hold_decoys_plan(o, NULL, &guests.guests.site[0]);
	int r = code ? 0 : guests_plan(&guests.guests.site[0], selection->item[0], stderr, &plan);
	if (code == 0)
		code = r < 0 ? hold_no_plan(r) : choose_and_hold(o, NULL, plan);
	plan_free(plan);
	hold_guests_close(&guests);
	return code;
}

static int hold_here(struct hold_options *o, const struct selection *selection)
{
	static struct hold_site site;
	struct plan *plan = NULL;
	int code = hold_site_open(&site);
	if (code != 0)
		return code;
	code = hold_decoys_plan(o, &site.machine, NULL);
	int r = code ? 0 : plan_make(selection->item[0], &site.machine, stderr, &plan);
	if (code == 0)
		code = r < 0 ? hold_no_plan(r) : choose_and_hold(o, &site, plan);
	plan_free(plan);
	hold_site_close(&site);
	return code;
}

static int hold_selected(struct hold_options *o, const struct selection *selection, const struct selection *all)
{
	if (selection->count == 1)
		return o->in_guest ? hold_in_guest(o, selection, all) : hold_here(o, selection);
	(void)say_error(0, "%s: several scenarios; name one, or --all --grade", o->names[0]);
	return EXIT_USAGE;
}

static int cmd_hold_main(const struct command *self, int argc, char **argv)
{
	struct hold_options o;
	struct selection selection, all = {NULL, 0};
	/* A tool may look at who has started it, and the words that were typed are names of failures and of decoys. */
	int r = own_line_end(argc, argv, 1);
	if (r < 0)
		return say_no_memory(EXIT_BROKEN);
	r = hold_options_parse(self, argc, argv, &o);
	if (r != 0)
		return r < 0 ? say_finish(EXIT_AS_PREDICTED) : r;
	int code = select_chosen(o.tree, o.names, o.name_count, &o.filter, &selection);
	if (code == 0) {
		code = hold_decoys_select(&o, &selection, &all);
		if (code == 0)
			code = o.all ? hold_all(&o, &selection, &all) : hold_selected(&o, &selection, &all);
		free(all.item);
		selection_free(&selection);
		code = say_finish(code);
	}
	hold_options_free(&o);
	return code;
}

static const char *const format_names[] = {"pretty", "json"};

const struct command cmd_hold = {
	.name = "hold",
	.arguments =
		"[OPTION...] SCENARIO[/CASE] -- TOOL [ARGUMENT...] | --all --grade [SCENARIO...] -- TOOL [ARGUMENT...]",
	.examples = "  enomem hold pids-max -- ps -ef                               refused, everything still held, "
		    "while ps looks\n"
		    "  enomem hold --phase=gate --ttl=1min memory-max -- ./my-tool  before it fails\n"
		    "  enomem hold --all --grade -- ./my-tool                       how often a tool is right\n",
	.blurb = "Freeze a proven failure while a tool looks at it, and grade what it says.",
	.options = hold_option_rows,
	.formats = format_names,
	.format_count = ARRAY_SIZE(format_names),
	.run = cmd_hold_main,
};
