// SPDX-License-Identifier: MIT
/*
 * enomem report: stored results as one page that works from disk.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "book.h"
#include "cleanup.h"
#include "options.h"
#include "references.h"
#include "report-html.h"
#include "report.h"
#include "say.h"
#include "select.h"
#include "store.h"

/* Where Debian's libjs-chart.js puts it. */
#define LIBRARY         "/usr/share/javascript/chart.js/chart.min.js"
#define LIBRARY_LARGEST (4 * 1024 * 1024)
#define BANNER_WITHIN   200

enum { OPT_LIBRARY = 256, OPT_HANDBOOK };

static const struct option_row options[] = {
	{"output", 'o', "FILE", "where the page is stored; default is standard output"},
	{"library", OPT_LIBRARY, "FILE",
	 "the chart.js to put into the page, or none (default: that of the package libjs-chart.js, where it is "
	 "installed)"},
	{"handbook", OPT_HANDBOOK, NULL, "all lessons as one page, instead of results"},
	{NULL, 0, NULL, NULL},
};

struct page {
	bool handbook;
	json_t *results; /* or the book */
	char *library;
	size_t library_length;
};

/* The whole file, with a NUL behind it. */
static int read_library(const char *path, struct page *page)
{
	struct stat st;
	auto_fclose FILE *in = fopen(path, "re");
	if (!in || fstat(fileno(in), &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > LIBRARY_LARGEST)
		return -EFBIG;
	page->library = malloc((size_t)st.st_size + 1);
	if (!page->library)
		return -ENOMEM;
	page->library_length = fread(page->library, 1, (size_t)st.st_size, in);
	page->library[page->library_length] = '\0';
	return page->library_length == (size_t)st.st_size ? 0 : -EIO;
}

/* Any other file would be a script in everybody's page. The banner is a comment at the beginning. */
static bool is_chart_library(const struct page *page)
{
	static const char *const banners[] = {"Chart.js v3", "Chart.js v4"};
	char head[BANNER_WITHIN + 1];
	(void)snprintf(head, sizeof(head), "%s", page->library);
	for (unsigned i = 0; strncmp(head, "/*", 2) == 0 && i < ARRAY_SIZE(banners); i++)
		if (strstr(head, banners[i]))
			return true;
	return false;
}

static int find_library(const char *path, struct page *page)
{
	if (path && !strcmp(path, "none"))
		return 0;
	int r = read_library(path ? path : LIBRARY, page);
	bool other = r == 0 && !is_chart_library(page);
	if (other && path) {
		(void)say_error(0, "%s: it is no Chart.js of version 3 or 4: no such banner is at its beginning", path);
		say_hint("enomem report --library none");
		return -EINVAL;
	}
	if ((other || r < 0) && !path) { /* the drawings are there without it */
		free(page->library);
		page->library = NULL;
		return 0;
	}
	if (r < 0)
		(void)say_error(r, "%s: no chart library could be read", path);
	return r;
}

static int load(char *const *files, int count, json_t *all)
{
	bool bad = false;
	for (int i = 0; i < count; i++) {
		json_auto_t *some = NULL;
		int r = results_load(files[i], stderr, &some);
		if (r == 0 && json_array_extend(all, some) < 0)
			r = say_error(-ENOMEM, "%s: cannot be read", files[i]);
		bad |= r < 0;
	}
	return bad ? -EINVAL : 0;
}

static int write_page(FILE *out, void *data)
{
	const struct page *page = data;
	if (page->handbook)
		return report_handbook(page->results, out);
	return report_html(page->results, page->library, page->library_length, out);
}

static int load_book(json_t **ret)
{
	char tree[PATH_MAX];
	struct book *book = NULL;
	if (select_tree(NULL, tree, sizeof(tree)) < 0 || book_read(tree, stderr, &book) < 0)
		return -EINVAL;
	*ret = book_json(book, tree, stderr);
	book_free(book);
	return *ret ? 0 : -EINVAL;
}

static int parse(const struct command *self, int argc, char **argv, const char **output, const char **library,
		 bool *handbook)
{
	const char *value;
	for (int letter; (letter = options_next(self, argc, argv, &value)) != -1;) {
		switch (letter) {
		case 'h':
			options_help(self);
			return -1;
		case 'o':
			*output = value;
			break;
		case OPT_LIBRARY:
			*library = value;
			break;
		case OPT_HANDBOOK:
			*handbook = true;
			break;
		default:
			return EXIT_USAGE;
		}
	}
	if (*handbook && options_operands() < argc) {
		(void)say_error(0, "--handbook is a page of its own, without results");
		return EXIT_USAGE;
	}
	if (!*handbook && options_operands() == argc) {
		(void)say_error(0, "name a result file");
		say_hint("enomem run -o result.json; enomem report -o report.html result.json");
		return EXIT_USAGE;
	}
	if (!*output && isatty(STDOUT_FILENO)) {
		(void)say_error(0, "standard output is a terminal, the report is a page for a browser");
		say_hint("enomem report -o report.html RESULT...");
		return EXIT_USAGE;
	}
	return 0;
}

/* A page is no result: what it would be stored over can not be had from it again. */
static int check_output(const char *output, const char *library, char *const *files, int count)
{
	int r = output && library ? options_apart(output, library) : 0;
	for (int i = 0; output && r == 0 && i < count; i++)
		r = options_apart(output, files[i]);
	if (r)
		say_hint("name another file: enomem report -o report.html RESULT...");
	return r;
}

static void free_page(struct page *page)
{
	json_decref(page->results);
	free(page->library);
}

static int cmd_report_main(const struct command *self, int argc, char **argv)
{
	__attribute__((cleanup(free_page))) struct page page = {0};
	const char *output = NULL, *library = NULL;
	int r = parse(self, argc, argv, &output, &library, &page.handbook);
	if (r == 0)
		r = check_output(output, library, argv + options_operands(), argc - options_operands());
	if (r)
		return r < 0 ? say_finish(EXIT_AS_PREDICTED) : r;
	if (page.handbook) {
		if (load_book(&page.results) < 0)
			return EXIT_USAGE;
	} else {
		page.results = json_array();
		if (!page.results) {
			(void)say_error(-ENOMEM, "no result can be read");
			return EXIT_BROKEN;
		}
		if (load(argv + options_operands(), argc - options_operands(), page.results) < 0 ||
		    find_library(library, &page) < 0)
			return EXIT_USAGE;
		references_classify(NULL, page.results);
	}
	r = output ? store_file(output, write_page, &page) : write_page(stdout, &page);
	if (r == -EILSEQ) {
		(void)say_error(0, "%s: it could end its own element and is not put into a page",
				library ? library : LIBRARY);
		say_hint("enomem report --library none");
		return EXIT_USAGE;
	}
	if (r < 0 && !output)
		return say_unwritten(r, "the page could not be written");
	if (r < 0)
		(void)say_error(r, "%s: the page could not be written", output);
	return r < 0 ? EXIT_BROKEN : EXIT_AS_PREDICTED;
}

const struct command cmd_report = {
	.name = "report",
	.arguments = "[-o FILE] RESULT... | --handbook [-o FILE]",
	.examples = "  enomem report -o report.html result.json\n"
		    "  enomem report -o both.html before.json after.json  side by side\n",
	.blurb = "Write stored results as one page for a browser.\n"
		 "What was predicted and observed, timelines, the numbers that prove each cause, what fixes it; "
		 "several\n"
		 "results side by side. The page works from disk and asks nobody for anything.",
	.options = options,
	.run = cmd_report_main,
};
