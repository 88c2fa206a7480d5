// SPDX-License-Identifier: MIT
/*
 * enomem explain: a lesson with this machine's numbers, who ends so, and the handbook.
 */
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/param.h>
#include <sys/stat.h>

#include "book.h"
#include "cause.h"
#include "cleanup.h"
#include "explain-word.h"
#include "explain.h"
#include "manifest-internal.h"
#include "markdown.h"
#include "number.h"
#include "options.h"
#include "report-text.h"
#include "say.h"

#define WIDTH_MAX              100 /* longer lines are hard to read */
#define WIDTH_WITHOUT_TERMINAL 80
#define HINTED_MAX             40 /* nothing that is longer is a name somebody misspelt */

#define NAME_ROOM              64

enum { OPT_HANDBOOK = 256, OPT_COLOR, OPT_SCENARIOS };

static const struct option_row options[] = {
	{"format", 'f', "FMT", "pretty, markdown or json; of the handbook scdoc as well"},
	{"handbook", OPT_HANDBOOK, NULL, "all lessons, as a book"},
	{"color", OPT_COLOR, "WHEN", "auto, always or never"},
	{"scenarios", OPT_SCENARIOS, "DIR", "directory of the scenarios"},
	{NULL, 0, NULL, NULL},
};

enum format { FORMAT_PRETTY, FORMAT_MARKDOWN, FORMAT_JSON, FORMAT_SCDOC, FORMATS };
static const char *const format_names[FORMATS] = {"pretty", "markdown", "json", "scdoc"};

struct explain_options {
	enum format format;
	bool handbook;
	const char *colour, *tree;
};

static size_t page_width(void)
{
	struct winsize window;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col)
		return MIN(window.ws_col, WIDTH_MAX);
	return WIDTH_WITHOUT_TERMINAL;
}

/* 0; -1 when help was shown; else the exit status. */
static int parse(const struct command *self, int argc, char **argv, struct explain_options *o)
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
		else if (letter == OPT_HANDBOOK)
			o->handbook = true;
		else if (letter == OPT_COLOR)
			r = options_colour(self, o->colour = value);
		else if (letter == OPT_SCENARIOS)
			o->tree = value;
		else
			r = EXIT_USAGE;
	}
	return r;
}

/* What was written as Markdown, as it is or for a terminal. */
static int show(const struct explain_options *o, const char *text, size_t length)
{
	const struct markdown_style style = {.colour = options_want_colour(o->colour), .width = page_width()};
	int r = 0;
	if (o->format == FORMAT_MARKDOWN)
		(void)fwrite(text, 1, length, stdout);
	else
		r = markdown_render(text, length, &style, stdout);
	return r < 0 ? EXIT_BROKEN : EXIT_AS_PREDICTED;
}

static int show_json(const json_t *json)
{
	return json_dumpf(json, stdout, JSON_INDENT(1)) < 0 || puts("") < 0 ? EXIT_BROKEN : EXIT_AS_PREDICTED;
}

/* A page or a book, through its Markdown. */
static int show_made(const struct explain_options *o, const json_t *made, void (*write)(const json_t *, FILE *))
{
	auto_free char *text = NULL;
	size_t length = 0;
	FILE *memory = o->format == FORMAT_JSON ? NULL : open_memstream(&text, &length);
	if (o->format == FORMAT_JSON)
		return show_json(made);
	if (!memory)
		return EXIT_BROKEN;
	write(made, memory);
	return fclose(memory) == 0 ? show(o, text, length) : EXIT_BROKEN;
}

/* --- the book ---------------------------------------------------------------------------------------------------- */

static void write_book(const json_t *book, FILE *out)
{
	(void)book_write_markdown(book, out);
}

/* The table of contents: what can be explained. */
static void write_contents(const json_t *book, FILE *out)
{
	const json_t *chapter = NULL, *lesson = NULL;
	size_t i, k;
	(void)fprintf(
		out,
		"# %s\n\n`enomem explain NAME` explains one of these, a cause, or how it ends: `ENOMEM`, `EAGAIN`, "
		"`SIGKILL`, `stall`, ... `enomem explain --handbook` is all of it.\n",
		text_of(book, "title"));
	json_array_foreach (json_object_get(book, "chapters"), i, chapter) {
		(void)fprintf(out, "\n## %zu. %s\n\n", i + 1, text_of(chapter, "title"));
		json_array_foreach (json_object_get(chapter, "lessons"), k, lesson)
			(void)fprintf(out, "- `%s`: %s\n", text_of(lesson, "name"), text_of(lesson, "title"));
		if (k == 0)
			(void)fputs("A page of the handbook.\n", out);
	}
	(void)fputs("\n## Causes\n\n", out);
	for (unsigned c = 0; c < CAUSE_COUNT; c++)
		(void)fprintf(out, "%s`%s`", c ? ", " : "", cause_infos[c].name);
	(void)fputc('\n', out);
}

static int show_book(const struct explain_options *o)
{
	char tree[PATH_MAX];
	struct book *book = NULL;
	if (select_tree(o->tree, tree, sizeof(tree)) < 0 || book_read(tree, stderr, &book) < 0)
		return EXIT_USAGE;
	json_auto_t *json = book_json(book, tree, stderr);
	book_free(book);
	if (!json)
		return EXIT_USAGE;
	if (o->format == FORMAT_SCDOC)
		return book_write_scdoc(json, stdout) < 0 ? EXIT_BROKEN : EXIT_AS_PREDICTED;
	return show_made(o, json, o->handbook ? write_book : write_contents);
}

/* --- one thing --------------------------------------------------------------------------------------------------- */

static bool is_directory_word(const char *word)
{
	return strchr(word, '/') || !strcmp(word, ".") || !strcmp(word, "..");
}

static const char *nearest(const struct explain_world *w, const char *word)
{
	static char hint[96];
	static const struct words *const lists[] = {&words_cause, &words_errno, &words_signal};
	if (strlen(word) > HINTED_MAX)
		return NULL;
	for (unsigned i = 0; i < ARRAY_SIZE(lists); i++)
		if (words_hint(lists[i], word, hint, sizeof(hint)))
			return hint;
	for (size_t i = 0; i < w->all.count; i++) /* "limit" of "address-space-limit" */
		if (strlen(word) > 2 && strstr(w->all.item[i]->name, word)) {
			(void)snprintf(hint, sizeof(hint), "did you mean '%s'?", w->all.item[i]->name);
			return hint;
		}
	return NULL;
}

/* The one scenario of a name or pattern; NULL for none, and *ret_several where it is not one. */
static const struct scenario *find_scenario(const struct explain_world *w, const char *word, bool *ret_several)
{
	const struct scenario *found = NULL;
	char names[400] = "";
	size_t n = 0;
	for (size_t i = 0; i < w->all.count; i++) {
		const char *name = w->all.item[i]->name;
		if (strcmp(name, word) == 0)
			return w->all.item[i];
		if (fnmatch(word, name, 0) == 0) {
			text_add(names, sizeof(names), "%s%s", n++ ? ", " : "", name);
			found = w->all.item[i];
		}
	}
	*ret_several = n > 1;
	if (n > 1) {
		(void)say_error(0, "%s: %zu scenarios have such a name, and one is explained at a time", word, n);
		say_hint("%s", names);
	}
	return n == 1 ? found : NULL;
}

static bool known_outcome(const char *word)
{
	return words_errno.knows(word) || words_signal.knows(word);
}

/* Limits of programs' own: no kernel is asked where they are reached. */
static const struct {
	const char *words, *unless, *note;
} own_limits[] = {
	{"OutOfMemoryError", "native thread",
	 "where it says \"Java heap space\" or \"Metaspace\" the limit is the program's own (-Xmx, "
	 "-XX:MaxMetaspaceSize), and the kernel refused nothing"},
	{"JavaScript heap out of memory", NULL,
	 "the limit is V8's own (node --max-old-space-size=MIB, or the same in NODE_OPTIONS), and the kernel refused "
	 "nothing"},
	{"static TLS block", NULL,
	 "the room for thread-local variables of libraries that are loaded later is glibc's own "
	 "(GLIBC_TUNABLES=glibc.rtld.optional_static_tls=BYTES, or have the library loaded at the start: linked, or "
	 "in LD_PRELOAD), and the kernel refused nothing"},
};

static void note_own_limit(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(own_limits); i++)
		if (strcasestr(word, own_limits[i].words) &&
		    !(own_limits[i].unless && strstr(word, own_limits[i].unless)))
			say_note("%s", own_limits[i].note);
}

/* It tells that something failed, and not what. */
static void tell_status(unsigned status)
{
	(void)say_error(0, "exit status %u: it is what the program chose to end with, and no errno", status);
	say_hint("what it wrote to stderr before that can be explained; `enomem why -- COMMAND` shows which call was "
		 "refused. Above 128 it would be that of a signal");
}

/* NULL after telling. */
static json_t *page_of(struct explain_world *w, const struct explain_options *o, const char *word)
{
	bool several = false;
	const struct scenario *s = find_scenario(w, word, &several);
	if (several)
		return NULL;
	if (s)
		return explain_scenario(w, s, stderr);
	if (cause_by_name(word) >= 0)
		return explain_cause(w, word);
	explain_add_references(w);
	json_t *page = *word ? explain_symptom(w, word) : json_null();
	char name[NAME_ROOM], shown[80];
	if (json_is_null(page) && !known_outcome(word) && explain_word_message(word, name, sizeof(name))) {
		say_note("%s: taken for %s", explain_word_show(word, shown, sizeof(shown)), name);
		note_own_limit(word);
		json_decref(page);
		page = explain_symptom(w, word = name);
	}
	if (!json_is_null(page))
		return page;
	json_decref(page);
	unsigned status;
	if (explain_word_status(word, &status)) {
		tell_status(status);
		return NULL;
	}
	const char *hint = known_outcome(word) ? NULL : nearest(w, word);
	char tree[PATH_MAX];
	(void)say_error(0, known_outcome(word) ? "%s: no scenario ends so" : "%s: no scenario, cause, errno or signal",
			*word ? explain_word_show(word, shown, sizeof(shown)) : "''");
	if (strchr(word, ':') && select_tree(o->tree, tree, sizeof(tree)) == 0 && select_hint_case(tree, word))
		return NULL;
	say_hint("%s", hint ? hint : "`enomem explain` shows what can be explained");
	return NULL;
}

/* A directory anywhere, or SCENARIO/CASE: the lesson, and the runs of that case. */
static json_t *page_of_path(struct explain_world *w, const char *tree, const char *word)
{
	struct selection one = {NULL, 0};
	if (select_scenarios(tree, (char *const[]){(char *)(uintptr_t)word}, 1, &one) < 0)
		return NULL;
	json_t *page = one.count ? explain_scenario(w, one.item[0], stderr) : NULL;
	selection_free(&one);
	return page;
}

/* Is it a directory, or the case of a scenario? A message may have a path in it as well: "/bin/sh: fork: ..." */
static bool is_path(const struct explain_world *w, const char *word)
{
	struct stat file;
	char name[NAME_ROOM];
	size_t first = strcspn(word, "/");
	if (!is_directory_word(word))
		return false;
	for (size_t i = 0; i < w->all.count; i++)
		if (strncmp(w->all.item[i]->name, word, first) == 0 && !w->all.item[i]->name[first])
			return true;
	return stat(word, &file) == 0 || !strpbrk(word, " :") || !explain_word_message(word, name, sizeof(name));
}

static bool is_shown(const struct explain_world *w, const char *outcome)
{
	const json_t *row = NULL;
	size_t i;
	json_array_foreach (w->symptoms, i, row)
		if (!strcmp(text_of(row, "outcome"), outcome))
			return true;
	return false;
}

/* "-12": the kernel means an errno by it, Python a signal. The errno, unless scenarios show the signal alone. */
static bool choose_negative(const struct explain_world *w, const char *word, char *ret, size_t size)
{
	char error[NAME_ROOM], killed[NAME_ROOM];
	if (!explain_word_negative(word, error, killed, sizeof(error)))
		return false;
	const bool both = is_shown(w, error) && is_shown(w, killed);
	const bool by_signal = !*error || (is_shown(w, killed) && !both);
	(void)snprintf(ret, size, "%s", by_signal ? killed : error);
	if (both)
		say_note("%s: %s, as the kernel returns it; Python's returncode means %s by it", word, error, killed);
	else
		say_note(by_signal ? "%s: Python's returncode of what %s ended" : "%s: the number of %s", word, ret);
	return true;
}

static int show_page(const struct explain_options *o, const char *typed)
{
	static struct explain_world w;
	static char word[EXPLAIN_WORD_MAX];
	char name[NAME_ROOM], shown[80];
	if (explain_word_trim(typed, word) < 0) {
		(void)say_error(0, "%s: %zu bytes are no name, and more than a message has",
				explain_word_show(typed, shown, sizeof(shown)), strlen(typed));
		say_hint("give its one line that says what was refused");
		return EXIT_USAGE;
	}
	int r = explain_open(&w, o->tree, stderr);
	if (r < 0)
		return r == -EINVAL || r == -ENOENT ? EXIT_USAGE : EXIT_BROKEN;
	if (choose_negative(&w, word, name, sizeof(name)) || explain_word_translate(word, name, sizeof(name)))
		(void)snprintf(word, sizeof(word), "%s", name);
	json_auto_t *page = is_path(&w, word) ? page_of_path(&w, o->tree, word) : page_of(&w, o, word);
	int code = page ? show_made(o, page, explain_write) : EXIT_USAGE;
	explain_close(&w);
	return code;
}

/* "-12" and "-ENOMEM" are no options, but what the kernel returns: with a blank before it, it is not taken for one. */
static void keep_negative(int argc, char **argv)
{
	static char kept[EXPLAIN_WORD_MAX];
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (argv[i][0] == '-' && (isdigit((unsigned char)argv[i][1]) || argv[i][1] == 'E')) {
			(void)snprintf(kept, sizeof(kept), " %s", argv[i]);
			argv[i] = kept;
			return;
		}
}

static int cmd_explain_main(const struct command *self, int argc, char **argv)
{
	struct explain_options o = {.format = FORMAT_PRETTY, .colour = "auto"};
	keep_negative(argc, argv);
	int r = parse(self, argc, argv, &o);
	if (r != 0)
		return r < 0 ? say_finish(EXIT_AS_PREDICTED) : r;
	int first = options_operands();
	if (argc - first > 1 || (o.handbook && argc > first)) {
		(void)say_error(0, "%s: %s", argv[argc - 1],
				o.handbook ? "--handbook is all of it" : "one is explained at a time");
		return EXIT_USAGE;
	}
	if (o.format == FORMAT_SCDOC && !o.handbook) {
		(void)say_error(0, "--format=scdoc: of the handbook only");
		return EXIT_USAGE;
	}
	return say_finish(argc > first ? show_page(&o, argv[first]) : show_book(&o));
}

const struct command cmd_explain = {
	.name = "explain",
	.arguments =
		"[--format=FMT] [SCENARIO[/CASE]|PATTERN|DIRECTORY|CAUSE|ERRNO|SIGNAL|STATUS|stall|panic] | --handbook",
	.examples = "  enomem explain pids-max   one scenario, with this machine's numbers\n"
		    "  enomem explain ENOMEM     who gives it, and how to tell\n"
		    "  enomem explain 137        the same of an exit status, a number or a text of errno(3)\n"
		    "  enomem explain memcg-max  one limit\n",
	.blurb = "Explain a failure with this machine's numbers, who else ends so, and how to tell.",
	.options = options,
	.formats = format_names,
	.format_count = FORMATS,
	.run = cmd_explain_main,
};
