// SPDX-License-Identifier: MIT
/*
 * enomem claims: what troubleshooting guides say, and what became of it when it was run.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "claims.h"
#include "cleanup.h"
#include "options.h"
#include "references.h"
#include "report.h"
#include "say.h"
#include "select.h"

enum { OPT_GUIDE = 256, OPT_CLAIMS, OPT_SETTLED };

static const struct option_row options[] = {
	{"format", 'f', "FMT", "pretty, json or markdown"},
	{"guide", OPT_GUIDE, "N", "only claims of this guide"},
	{"claims", OPT_CLAIMS, "DIR", "directory of the claims: guide-N.yaml"},
	{"settled", OPT_SETTLED, NULL, "exit with 1 when a claim is unsettled"},
	{NULL, 0, NULL, NULL},
};

struct claims_options {
	enum claims_format format;
	const char *guide, *directory;
	bool settled;
	char **ids, **files;
	size_t id_count, file_count;
};

/* 0; -1 when help was shown; else the exit status. */
static int parse(const struct command *self, int argc, char **argv, struct claims_options *o)
{
	const char *value;
	int r = 0;
	for (int letter; r == 0 && (letter = options_next(self, argc, argv, &value)) != -1;) {
		if (letter == 'h') {
			options_help(self);
			return -1;
		}
		if (letter == 'f')
			r = options_format(self, value, &o->format);
		else if (letter == OPT_GUIDE)
			o->guide = value;
		else if (letter == OPT_CLAIMS)
			o->directory = value;
		else if (letter == OPT_SETTLED)
			o->settled = true;
		else
			r = EXIT_USAGE;
	}
	return r;
}

/* "0.17"; a file of such a name is written ./0.17 */
static bool is_id(const char *word)
{
	size_t guide = strspn(word, "0123456789");
	size_t number = word[guide] == '.' ? strspn(word + guide + 1, "0123456789") : 0;
	return guide && number && word[guide + 1 + number] == '\0';
}

/* Ids to the front, files behind them; both in their order. */
static int sort_operands(char **operands, size_t count, struct claims_options *o)
{
	o->ids = calloc(2 * count + 1, sizeof(*o->ids));
	if (!o->ids)
		return -ENOMEM;
	o->files = o->ids + count;
	for (size_t i = 0; i < count; i++) {
		if (is_id(operands[i]))
			o->ids[o->id_count++] = operands[i];
		else
			o->files[o->file_count++] = operands[i];
	}
	return 0;
}

static int read_claims(const struct claims_options *o, struct claims *ret)
{
	char tree[PATH_MAX], directory[PATH_MAX + 16];
	int r = o->directory ? 0 : select_tree(NULL, tree, sizeof(tree));
	if (r < 0)
		return r; /* told */
	if (o->directory)
		(void)snprintf(directory, sizeof(directory), "%s", o->directory);
	else
		(void)snprintf(directory, sizeof(directory), "%s/claims", tree);
	r = claims_read(directory, stderr, ret);
	if (r < 0 && r != -EINVAL)
		(void)say_error(r, "%s: no claims could be read", directory);
	return r;
}

static int add_results(const char *file, json_t *results)
{
	json_auto_t *some = NULL;
	return results_load(file, stderr, &some) < 0 || json_array_extend(results, some) < 0 ? -EINVAL : 0;
}

static int references(json_t *results)
{
	int r = references_load(stderr, results);
	if (r == -ENOENT)
		say_hint("enomem run -o result.json; enomem claims result.json");
	return r;
}

static int load(const struct claims_options *o, json_t *results)
{
	int r = o->file_count ? 0 : references(results);
	for (size_t i = 0; i < o->file_count; i++)
		r |= add_results(o->files[i], results);
	return r;
}

static int unknown_ids(const struct claims_options *o, const struct claims *claims)
{
	for (size_t i = 0; i < o->id_count; i++)
		if (!claims_find(claims, o->ids[i])) {
			(void)say_error(0, "%s: no claim has this id", o->ids[i]);
			say_hint("enomem claims shows all; a file of that name is ./%s", o->ids[i]);
			return EXIT_USAGE;
		}
	return 0;
}

static unsigned terminal_width(void)
{
	struct winsize window;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 ? window.ws_col : 0;
}

static int show(const struct claims_options *o, const struct claims *claims, const json_t *results)
{
	json_auto_t *made = claims_make(claims, o->guide, o->ids, o->id_count, results);
	if (!made) {
		(void)say_error(-ENOMEM, "the claims could not be judged");
		return EXIT_BROKEN;
	}
	if (json_array_size(json_object_get(made, "guides")) == 0) {
		(void)say_error(0, "nothing selected: there is no such claim of guide %s", o->guide ? o->guide : "?");
		return EXIT_NOTHING_SELECTED;
	}
	int r = claims_write(made, o->format, terminal_width(), stdout);
	if (r < 0)
		return say_unwritten(r, "the claims could not be written");
	json_int_t unsettled = json_integer_value(json_object_get(json_object_get(made, "summary"), "unsettled"));
	return o->settled && unsettled ? EXIT_PREDICTION_FAILED : EXIT_AS_PREDICTED;
}

static int settle(const struct claims_options *o)
{
	struct claims claims = {0};
	json_auto_t *results = json_array();
	if (read_claims(o, &claims) < 0)
		return EXIT_USAGE;
	int code = unknown_ids(o, &claims);
	if (code == 0)
		code = load(o, results) < 0 ? EXIT_USAGE : show(o, &claims, results);
	claims_free(&claims);
	return code;
}

static int cmd_claims_main(const struct command *self, int argc, char **argv)
{
	struct claims_options o = {.format = CLAIMS_PRETTY};
	int code = parse(self, argc, argv, &o);
	if (code != 0)
		return code < 0 ? say_finish(EXIT_AS_PREDICTED) : code;
	if (sort_operands(argv + options_operands(), (size_t)(argc - options_operands()), &o) < 0) {
		(void)say_error(-ENOMEM, "too many operands");
		return EXIT_BROKEN;
	}
	code = settle(&o);
	free(o.ids);
	return say_finish(code);
}

const struct command cmd_claims = {
	.name = "claims",
	.arguments = "[--guide=N] [--format=FMT] [ID...] [RESULT...]",
	.examples = "  enomem claims                        all claims, by the reference results\n"
		    "  enomem claims --guide=2 result.json  of one guide, by a result of yours\n",
	.blurb = "Settle what troubleshooting guides claim, by what was run.",
	.options = options,
	.formats = claims_format_names,
	.format_count = CLAIMS_FORMATS,
	.run = cmd_claims_main,
};
