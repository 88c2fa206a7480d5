// SPDX-License-Identifier: MIT
/*
 * enomem compare: what changed between two stored results, a table of several, shards merged, the part to keep.
 */
#include <string.h>
#include <sys/ioctl.h>

#include "cleanup.h"
#include "options.h"
#include "report-text.h"
#include "report.h"
#include "say.h"

enum mode { COMPARE, TABLE, MERGE, STABLE };
enum { OPT_TABLE = 256, OPT_MERGE, OPT_STABLE, OPT_COLOR };

static const struct option_row options[] = {
	{"table", OPT_TABLE, NULL, "show scenarios by kernels for any number of results, what differs marked"},
	{"format", 'f', "FMT", "of the table: pretty, markdown, tap, tap13, json or junit"},
	{"merge", OPT_MERGE, NULL, "join shards: results of the same kernel and options become one"},
	{"output", 'o', "FILE", "where merged results and references are stored; default is standard output"},
	{"stable", OPT_STABLE, NULL, "print the reference of a result: what is the same on every run, for git"},
	{"color", OPT_COLOR, "WHEN", "auto, always or never"},
	{NULL, 0, NULL, NULL},
};

struct compare_options {
	enum mode mode;
	const char *output;
	enum report_format format;
	struct report_options report;
};

static int set_mode(struct compare_options *o, enum mode mode)
{
	if (o->mode != COMPARE && o->mode != mode) {
		(void)say_error(0, "--table, --merge and --stable exclude one another");
		say_hint("enomem compare --help");
		return EXIT_USAGE;
	}
	o->mode = mode;
	return 0;
}

static int parse(const struct command *self, int argc, char **argv, struct compare_options *o)
{
	const char *value, *colour = "auto";
	struct winsize window;
	bool format_given = false;
	int r = 0;
	*o = (struct compare_options){0};
	for (int letter; !r && (letter = options_next(self, argc, argv, &value)) != -1;) {
		if (letter == 'h') {
			options_help(self);
			return -1;
		}
		if (letter == 'f') {
			format_given = true;
			r = options_format(self, value, &o->format);
		} else if (letter == 'o') {
			o->output = value;
		} else if (letter == OPT_COLOR) {
			r = options_colour(self, colour = value);
		} else if (letter >= OPT_TABLE && letter <= OPT_STABLE) {
			r = set_mode(o, TABLE + (enum mode)(letter - OPT_TABLE));
		} else {
			r = EXIT_USAGE;
		}
	}
	if (!r && format_given && o->mode != TABLE) {
		(void)say_error(0, "--format is the format of the table");
		say_hint("enomem compare --table --format markdown RESULT...");
		r = EXIT_USAGE;
	}
	if (!r && o->output && o->mode != MERGE && o->mode != STABLE) {
		(void)say_error(0, "--output is where --merge and --stable store");
		r = EXIT_USAGE;
	}
	o->report.colour = options_want_colour(colour);
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0)
		o->report.width = window.ws_col;
	return r;
}

/* The results of all files in one array. NULL after messages about every file that is none. */
static json_t *load_all(char *const *files, int count)
{
	json_auto_t *all = json_array();
	bool bad = false;
	for (int i = 0; i < count; i++) {
		json_auto_t *some = NULL;
		bad |= results_load(files[i], stderr, &some) < 0 || json_array_extend(all, some) < 0;
	}
	return bad ? NULL : steal(all);
}

/* An array of results as report_write_set() takes them; the results are the array's. NULL without memory. */
static json_t **as_set(const json_t *results)
{
	size_t i, count = json_array_size(results);
	json_t **set = calloc(count + 1, sizeof(json_t *));
	for (i = 0; set && i < count; i++)
		set[i] = json_array_get(results, i);
	return set;
}

static int compare(char *const *files)
{
	json_auto_t *a = NULL, *b = NULL;
	int ra = results_load(files[0], stderr, &a), rb = results_load(files[1], stderr, &b);
	if (ra < 0 || rb < 0)
		return EXIT_USAGE;
	auto_free char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	int moved = out ? compare_sets(a, b, files[0], files[1], out) : -ENOMEM;
	moved = out && fclose(out) != 0 ? -ENOMEM : moved;
	if (moved >= 0)
		text_print_rows(text);
	if (moved < 0) {
		(void)say_error(moved, "the results could not be compared");
		return EXIT_BROKEN;
	}
	return moved ? EXIT_PREDICTION_FAILED : EXIT_AS_PREDICTED;
}

static int table(const struct compare_options *o, char *const *files, int count)
{
	json_auto_t *results = load_all(files, count);
	auto_free json_t **set = as_set(results);
	if (!results)
		return EXIT_USAGE;
	int r = set ? report_write_set(o->format, set, json_array_size(results), &o->report, stdout) : -ENOMEM;
	if (r == -EINVAL) {
		(void)say_error(0, "a reference holds too little for this format");
		say_hint("enomem compare --table --format markdown RESULT...");
		return EXIT_USAGE;
	}
	return r < 0 ? say_unwritten(r, "the table could not be written") : EXIT_AS_PREDICTED;
}

static int store(const struct compare_options *o, const json_t *results)
{
	auto_free json_t **set = as_set(results);
	size_t count = json_array_size(results);
	int r = !set ? -ENOMEM : o->output ? results_store(o->output, set, count) : results_dump(set, count, stdout);
	if (r == 0)
		return EXIT_AS_PREDICTED;
	if (!o->output)
		return say_unwritten(r, "the results could not be written");
	(void)say_error(r, "%s: could not be written", o->output);
	return EXIT_BROKEN;
}

static int merge(const struct compare_options *o, char *const *files, int count)
{
	json_auto_t *results = load_all(files, count), *merged = NULL;
	if (!results)
		return EXIT_USAGE;
	int r = results_merge(results, stderr, &merged);
	if (r == -EEXIST) {
		(void)say_error(0, "shards disagree; nothing was stored");
		return EXIT_PREDICTION_FAILED;
	}
	if (r == -EINVAL) {
		(void)say_error(0, "a reference is no shard: merge results, then use --stable");
		return EXIT_USAGE;
	}
	if (r < 0) {
		(void)say_error(r, "the results could not be merged");
		return EXIT_BROKEN;
	}
	return store(o, merged);
}

static int stable(const struct compare_options *o, char *const *files, int count)
{
	json_auto_t *results = load_all(files, count), *references = json_array();
	const json_t *result = NULL;
	size_t i;
	if (!results)
		return EXIT_USAGE;
	json_array_foreach (results, i, result) {
		json_t *part =
			result_is_reference(result) ? json_incref((json_t *)(uintptr_t)result) : result_stable(result);
		if (json_array_append_new(references, part) < 0) {
			(void)say_error(-ENOMEM, "the reference could not be made");
			return EXIT_BROKEN;
		}
	}
	return store(o, references);
}

static int cmd_compare_main(const struct command *self, int argc, char **argv)
{
	struct compare_options o;
	int r = parse(self, argc, argv, &o);
	if (r)
		return r < 0 ? say_finish(EXIT_AS_PREDICTED) : r;
	char *const *files = argv + options_operands();
	int count = argc - options_operands();
	if (o.mode == COMPARE ? count != 2 : count < 1) {
		(void)say_error(0, o.mode == COMPARE ? "compare takes two result files" : "name a result file");
		say_hint("enomem run -o before.json; enomem run -o after.json; enomem compare before.json after.json");
		return EXIT_USAGE;
	}
	/* What is merged holds all of the shards; a reference does not hold all of its result. */
	for (int i = 0; o.output && o.mode == STABLE && i < count; i++) {
		if (options_apart(o.output, files[i]) == 0)
			continue;
		say_hint("name another file: enomem compare --stable -o reference.json RESULT...");
		return EXIT_USAGE;
	}
	switch (o.mode) {
	case COMPARE:
		return say_finish(compare(files));
	case TABLE:
		return say_finish(table(&o, files, count));
	case MERGE:
		return say_finish(merge(&o, files, count));
	case STABLE:
		return say_finish(stable(&o, files, count));
	}
	return EXIT_BROKEN;
}

const struct command cmd_compare = {
	.name = "compare",
	.arguments = "RESULT RESULT | --table RESULT... | --merge [-o FILE] RESULT... | --stable RESULT...",
	.examples = "  enomem compare before.json after.json      what moved; exit status 0: nothing\n"
		    "  enomem compare --table 5.10.json 6.1.json  scenarios by kernels\n",
	.blurb =
		"Tell what moved between two results: verdicts, causes, outcomes, boundaries, new and lost scenarios.\n"
		"Exit status 0 only when nothing moved; times, pids and addresses never count, nor do limits that "
		"only\n"
		"followed the machine's RAM. A file may hold several results, which are paired by kernel and cgroup "
		"version,\nor references (see --stable).",
	.options = options,
	.formats = report_format_names,
	.format_count = FORMAT_COUNT,
	.run = cmd_compare_main,
};
