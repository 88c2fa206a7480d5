// SPDX-License-Identifier: MIT
/*
 * enomem teach: one lesson at a terminal. What was predicted is kept before anything runs, and shown after; whoever
 * leaves in the middle goes on there.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/param.h>

#include "book.h"
#include "cleanup.h"
#include "manifest-internal.h"
#include "number.h"
#include "options.h"
#include "report-text.h"
#include "say.h"
#include "select.h"
#include "teach-guest.h"
#include "triage.h"

enum {
	OPT_ANSWER_KEY = 256,
	OPT_CLASS,
	OPT_LIST,
	OPT_RESTART,
	OPT_DEADLINE,
	OPT_COLOR,
	OPT_SCENARIOS,
	OPT_GUEST,
	OPT_NO_GUEST
};

#define SHELL_NS     UINT64_C(1800000000000)
#define SHELL_MAX_NS UINT64_C(86400000000000)

static const struct option_row options[] = {
	{"format", 'f', "FMT", "of the three that ask nothing: pretty or json"},
	{"list", OPT_LIST, NULL, "which lessons there are, in the order of the course, and what is done"},
	{"answer-key", OPT_ANSWER_KEY, NULL,
	 "print the right answers of the lesson, or of all that can be taught here"},
	{"class-summary", OPT_CLASS, NULL, "of progress files instead: what was predicted, and what came"},
	{"restart", OPT_RESTART, NULL, "forget what was predicted in this lesson"},
	{"deadline", OPT_DEADLINE, "TIME", "end a lesson's shell after so long (default 30min)"},
	{"guest", OPT_GUEST, "[KERNEL]", "teach it in a QEMU guest: 6.1, or the path of a kernel image"},
	{"no-guest", OPT_NO_GUEST, NULL, "teach nothing that cannot run on this machine"},
	{"color", OPT_COLOR, "WHEN", "auto, always or never"},
	{"scenarios", OPT_SCENARIOS, "DIR", "directory of the scenarios"},
	{NULL, 0, NULL, NULL},
};

static const char *const format_names[] = {"pretty", "json"};

struct teach_options {
	unsigned json; /* the second format */
	bool answer_key, class_summary, list, restart;
	const char *colour, *tree;
	uint64_t shell_ns;
	struct teach_guests guests;
};

static int wrong(const char *option, const char *value, const char *allowed)
{
	(void)say_error(0, "--%s: %s is none of %s", option, value, allowed);
	say_hint("enomem teach --help");
	return EXIT_USAGE;
}

static int wrong_guest(const char *value)
{
	(void)say_error(0, "--guest: %s is none of the kernels: a lesson is about one", value);
	say_hint("enomem teach --help");
	return EXIT_USAGE;
}

/* 0; -1 when help was shown; else the exit status. */
static int parse(const struct command *self, int argc, char **argv, struct teach_options *o)
{
	const char *value;
	int r = 0;
	for (int letter; r == 0 && (letter = options_next(self, argc, argv, &value)) != -1;) {
		if (letter == 'h') {
			options_help(self);
			return -1;
		}
		if (letter == 'f')
			r = options_format(self, value, &o->json);
		else if (letter == OPT_ANSWER_KEY)
			o->answer_key = true;
		else if (letter == OPT_CLASS)
			o->class_summary = true;
		else if (letter == OPT_LIST)
			o->list = true;
		else if (letter == OPT_RESTART)
			o->restart = true;
		else if (letter == OPT_DEADLINE &&
			 (number_parse_duration(value, &o->shell_ns) < 0 || !o->shell_ns || o->shell_ns > SHELL_MAX_NS))
			r = wrong("deadline", value, "times up to 24 hours, such as 90s and 30min"),
			options_hint_time("deadline", value, 1, SHELL_MAX_NS);
		else if (letter == OPT_COLOR)
			r = options_colour(self, o->colour = value);
		else if (letter == OPT_SCENARIOS)
			o->tree = value;
		else if (letter == OPT_GUEST && value && (strchr(value, ',') || !strcmp(value, "all")))
			r = wrong_guest(value);
		else if (letter == OPT_GUEST)
			o->guests.wanted = true, o->guests.kernels = value;
		else if (letter == OPT_NO_GUEST)
			o->guests.none = true;
		else if (letter != OPT_DEADLINE)
			r = EXIT_USAGE;
	}
	return r;
}

/* kept: what is kept of the lesson */
static int exit_of(int r, const json_t *kept)
{
	if (r == -EINTR) {
		bool some = false;
		for (unsigned q = 0; q < QUESTIONS; q++)
			some |= json_is_object(json_object_get(kept, question_names[q]));
		puts(some ? "\nWhat you predicted is kept; `enomem teach` goes on there."
			  : "\nNothing was predicted yet; `enomem teach` begins anew.");
		return EXIT_INTERRUPTED;
	}
	return r == -ENOTRECOVERABLE ? EXIT_PREDICTION_FAILED : r < 0 ? EXIT_BROKEN : EXIT_AS_PREDICTED;
}

/* --- which lesson ------------------------------------------------------------------------------------------------ */

static bool is_done(const json_t *progress, const char *name)
{
	return json_is_true(json_object_get(json_object_get(json_object_get(progress, "lessons"), name), "done"));
}

/* The first of the course that is not done and can be taught here. 0 with the quiz; -ENOENT when all is done. */
static int next_of(const struct explain_world *w, const struct teach_options *o, const struct book *b,
		   const json_t *progress, struct teaching *t, size_t *ret_number)
{
	for (size_t i = 0; i < b->course.count; i++) {
		const struct scenario *s = teach_scenario(w, b->course.item[i]);
		if (is_done(progress, b->course.item[i]) || !s)
			continue;
		const json_t *kept = json_object_get(json_object_get(progress, "lessons"), s->name);
		int r = quiz_make(w, &o->guests, s, s->name, kept, stderr, &t->quiz);
		if (r < 0)
			return r;
		*ret_number = i + 1;
		if (!t->quiz.why_not)
			return 0;
		teach_put(&t->style, 0, "%s is passed over: %s", s->name, t->quiz.why_not);
		quiz_free(&t->quiz);
	}
	return -ENOENT;
}

static int no_such_lesson(const struct explain_world *w, const char *tree, const char *name)
{
	auto_free const char **names = calloc(w->all.count + 1, sizeof(char *));
	for (size_t i = 0; names && i < w->all.count; i++)
		names[i] = w->all.item[i]->name;
	const char *near = names ? words_nearest(names, w->all.count, name) : NULL;
	(void)say_error(-ENOENT, "%s: no such scenario", name);
	if (select_hint_case(tree, name))
		;
	else if (near)
		say_hint("did you mean '%s'? `enomem explain` shows them all", near);
	else
		say_hint("`enomem explain` shows them all; a lesson is named in full");
	return EXIT_USAGE;
}

/* Of SCENARIO/CASE nothing but that is left. 0, or an exit status after telling. */
static int check_name(const struct explain_world *w, const char *tree, const char *name)
{
	const struct scenario *s = teach_scenario(w, name);
	const char *slash = select_split(tree, name);
	if (!s || (!slash && strchr(name, '/')))
		return no_such_lesson(w, tree, name);
	/* It is this world's own. */
	return slash && select_keep((struct scenario *)(uintptr_t)s, name, slash + 1) < 0 ? EXIT_USAGE : 0;
}

const char *teach_typed(const char *name, char *buf, size_t size)
{
	return triage_quote(name, buf, size);
}

static int named(const struct explain_world *w, const struct teach_options *o, const char *name, const json_t *progress,
		 struct quiz *ret)
{
	const json_t *kept = o->restart ? NULL : json_object_get(json_object_get(progress, "lessons"), name);
	char typed[TEXT_MAX];
	if (quiz_make(w, &o->guests, teach_scenario(w, name), name, kept, stderr, ret) < 0)
		return EXIT_USAGE;
	if (!ret->why_not)
		return 0;
	(void)say_error(0, "%s: it cannot be taught here: %s", name, ret->why_not);
	say_hint("enomem explain %s", teach_typed(name, typed, sizeof(typed)));
	quiz_free(ret);
	return EXIT_ALL_SKIPPED;
}

static int teach(struct teaching *t, const struct teach_options *o, const struct book *b, size_t number)
{
	const char *name = t->quiz.name;
	char typed[TEXT_MAX];
	json_auto_t *progress = NULL;
	if (o->restart && progress_keep(t->path, name, NULL, stderr) < 0)
		return EXIT_BROKEN;
	if (progress_load(t->path, stderr, &progress) < 0)
		return EXIT_USAGE;
	json_t *before = json_object_get(json_object_get(progress, "lessons"), name);
	char place[64] = "";
	if (number)
		(void)snprintf(place, sizeof(place), ", lesson %zu of %zu", number, b->course.count);
	teach_put(&t->style, 0, "%s%s%s", name, place, is_done(progress, name) ? " (done before)" : "");
	if (t->quiz.guests)
		teach_put(&t->style, 0, "It runs in guests of kernel %s.", teach_guest_kernel(&t->quiz));
	t->kept = teach_take_up(&t->quiz, before, &t->style);
	int code = exit_of(teach_lesson(t), t->kept);
	if (code == EXIT_AS_PREDICTED) {
		putchar('\n');
		teach_put(&t->style, 0, "Done. `enomem explain %s` is the whole lesson, `enomem teach` the next one.",
			  teach_typed(name, typed, sizeof(typed)));
	}
	json_decref(t->kept);
	json_decref(t->result);
	return code;
}

static bool no_path(char *ret, size_t size)
{
	if (progress_path(ret, size) == 0)
		return false;
	(void)say_error(0, "neither XDG_STATE_HOME nor HOME is set: there is no place for predictions");
	return true;
}

static int list(const struct explain_world *w, const struct teach_options *o, const struct book *b)
{
	json_auto_t *progress = NULL;
	char path[PATH_MAX];
	if (no_path(path, sizeof(path)) || progress_load(path, stderr, &progress) < 0)
		return EXIT_USAGE;
	return teach_list(w, b, progress, o->json);
}

static int at_terminal(struct explain_world *w, const struct teach_options *o, const struct book *b, const char *name)
{
	struct teaching t = {.world = w, .shell_ns = o->shell_ns};
	struct winsize window = {0};
	json_auto_t *progress = NULL;
	size_t number = name ? teach_place(b, name) : 0;
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		(void)say_error(0, "teach asks, and there is no terminal to ask at");
		say_hint("enomem teach --list, enomem explain NAME, or for trainers enomem teach --answer-key");
		return EXIT_USAGE;
	}
	if (no_path(t.path, sizeof(t.path)))
		return EXIT_USAGE;
	t.style.colour = options_want_colour(o->colour);
	t.style.width = ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col ? MIN(window.ws_col, 100) : 80;
	t.rows = window.ws_row;
	if (progress_load(t.path, stderr, &progress) < 0)
		return EXIT_USAGE;
	int code = name ? named(w, o, name, progress, &t.quiz) : next_of(w, o, b, progress, &t, &number);
	if (!name && code == -ENOENT) {
		puts("All lessons of the course that can be taught here are done.");
		return EXIT_AS_PREDICTED;
	}
	if (code != 0)
		return code < 0 ? EXIT_BROKEN : code;
	teach_heed_interrupts();
	code = teach(&t, o, b, number);
	quiz_free(&t.quiz);
	return code;
}

/* --- what is asked for -------------------------------------------------------------------------------------------- */

static int with_book(const struct teach_options *o, const char *name)
{
	static struct explain_world w;
	char tree[PATH_MAX];
	struct book *b = NULL;
	if (select_tree(o->tree, tree, sizeof(tree)) < 0 || book_read(tree, stderr, &b) < 0)
		return EXIT_USAGE;
	int r = explain_open(&w, o->tree, stderr);
	int code = r == -EINVAL || r == -ENOENT ? EXIT_USAGE : EXIT_BROKEN;
	if (r == 0)
		code = name ? check_name(&w, tree, name) : 0;
	if (r == 0 && code == 0)
		code = o->answer_key ? teach_key(&w, &o->guests, b, name, o->json)
		       : o->list     ? list(&w, o, b)
				     : at_terminal(&w, o, b, name);
	if (r == 0)
		explain_close(&w);
	book_free(b);
	return code;
}

static int cmd_teach_main(const struct command *self, int argc, char **argv)
{
	struct teach_options o = {.colour = "auto", .shell_ns = SHELL_NS};
	int code = parse(self, argc, argv, &o);
	if (code != 0)
		return code < 0 ? say_finish(EXIT_AS_PREDICTED) : code;
	/* A guest or a shell that is gone shows as a failed write: the terminal is to be put right after it. */
	(void)signal(SIGPIPE, SIG_IGN);
	char *const *operands = argv + options_operands();
	int count = argc - options_operands();
	if (o.class_summary && (count == 0 || o.answer_key || o.restart || o.tree)) {
		(void)say_error(0, "--class-summary: of progress files, and of nothing else");
		say_hint("enomem teach --class-summary /home/*/.local/state/enomem/teach.json");
		return EXIT_USAGE;
	}
	if (o.list && (count > 0 || o.answer_key || o.class_summary || o.restart)) {
		(void)say_error(0, "--list: of the whole course, and nothing else with it");
		say_hint("enomem teach --list");
		return EXIT_USAGE;
	}
	if (!o.class_summary &&
	    (count > 1 || (o.restart && (count == 0 || o.answer_key)) || (o.json && !o.answer_key && !o.list))) {
		(void)say_error(0, count > 1 ? "one lesson is taught at a time"
				   : o.json  ? "--format: of --list, --answer-key and --class-summary only"
					     : "--restart: name the lesson");
		return EXIT_USAGE;
	}
	if (o.guests.wanted && o.guests.none) {
		(void)say_error(0, "--guest and --no-guest exclude each other");
		return EXIT_USAGE;
	}
	return say_finish(o.class_summary ? teach_class(operands, (size_t)count, o.json)
					  : with_book(&o, count ? operands[0] : NULL));
}

const struct command cmd_teach = {
	.name = "teach",
	.arguments =
		"[--restart] [SCENARIO[/CASE]] | --list | --answer-key [SCENARIO[/CASE]] | --class-summary FILE...",
	.examples = "  enomem teach                        the first lesson that is not done\n"
		    "  enomem teach --list                 which lessons there are, and what is done\n"
		    "  enomem teach pids-max               predict, run, observe, explain, fix\n"
		    "  enomem teach pids-max/vfork         a case of it that it does not choose by itself\n"
		    "  enomem teach --answer-key pids-max  for trainers\n",
	.blurb = "Teach a failure: predict, run, observe, explain, fix.",
	.options = options,
	.formats = format_names,
	.format_count = ARRAY_SIZE(format_names),
	.run = cmd_teach_main,
};
