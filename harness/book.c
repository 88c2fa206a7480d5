// SPDX-License-Identifier: MIT
/*
 * book.yaml as data, by the tables that read manifests, and held against the scenarios there are. See book.h.
 */
#include "book.h"

#include <dirent.h>
#include <string.h>

#include "cleanup.h"
#include "manifest-schema.h"

#define AT(type, member) .offset = offsetof(type, member)
#define TEXT_BYTES_MAX   400
#define NAME_LETTERS     "abcdefghijklmnopqrstuvwxyz0123456789-"

static void check_title(struct source *s, const struct node *n)
{
	if (!*n->text || strlen(n->text) > 100 || strchr(n->text, '\n'))
		node_error(s, n, NULL, "a title is one line of at most 100 bytes");
}

static void check_about(struct source *s, const struct node *n)
{
	if (!*n->text || strlen(n->text) > TEXT_BYTES_MAX)
		node_error(s, n, "what is longer goes into a file: text: FILE", "a paragraph has at most %d bytes",
			   TEXT_BYTES_MAX);
}

static void check_page(struct source *s, const struct node *n)
{
	size_t length = strlen(n->text);
	if (length < 4 || strcmp(n->text + length - 3, ".md") != 0 || strspn(n->text, NAME_LETTERS) != length - 3)
		node_error(s, n, "as in text: reading-a-report.md", "a page is a file NAME.md beside the book");
}

static void check_lesson(struct source *s, const struct node *n)
{
	if (!*n->text || strspn(n->text, NAME_LETTERS) != strlen(n->text))
		node_error(s, n, NULL, "a lesson is named as its scenario");
}

static void chapter_finish(struct source *s, const struct node *n, void *object)
{
	const struct chapter *c = object;
	if (!c->lessons.count && !c->text)
		node_error(s, n, "lessons, text", "a chapter without lessons and without a page");
}

static const struct field fields_chapter[] = {
	{"title", FIELD_TEXT, .required = true, AT(struct chapter, title), .check = check_title},
	{"about", FIELD_TEXT, AT(struct chapter, about), .check = check_about},
	{"text", FIELD_TEXT, AT(struct chapter, text), .check = check_page},
	{"lessons", FIELD_WORDS, .filled = true, AT(struct chapter, lessons), .check = check_lesson},
};
static const struct schema schema_chapter = {.what = "chapter",
					     .fields = fields_chapter,
					     .count = ARRAY_SIZE(fields_chapter),
					     .size = sizeof(struct chapter),
					     .finish = chapter_finish};

static const struct field fields_book[] = {
	{"title", FIELD_TEXT, .required = true, AT(struct book, title), .check = check_title},
	{"chapters", FIELD_OBJECTS, .required = true, .filled = true, AT(struct book, chapters),
	 .count_offset = offsetof(struct book, chapter_count), .schema = &schema_chapter},
	{"course", FIELD_WORDS, .required = true, .filled = true, AT(struct book, course), .check = check_lesson},
};
static const struct schema schema_book = {
	.what = "book", .fields = fields_book, .count = ARRAY_SIZE(fields_book), .size = sizeof(struct book)};

void book_free(struct book *b)
{
	if (b)
		schema_empty(&schema_book, b);
	free(b);
}

/* The items of a list, or the one word in its place. */
static const struct node *words_of(const struct node *list)
{
	return list && list->kind == NODE_LIST ? list->first : list;
}

static const struct node *next_of(const struct node *list, const struct node *word)
{
	return word == list ? NULL : word->next;
}

/* The first place a lesson has in the book up to (not including) `stop`; NULL for none. */
static const struct node *place_of(const struct node *root, const char *name, const struct node *stop)
{
	for (const struct node *c = node_get(root, "chapters")->first; c; c = c->next) {
		const struct node *list = node_get(c, "lessons");
		for (const struct node *n = words_of(list); n; n = next_of(list, n)) {
			if (n == stop)
				return NULL;
			if (!strcmp(n->text, name))
				return n;
		}
	}
	return NULL;
}

static void check_once(struct source *s, const struct node *root)
{
	for (const struct node *c = node_get(root, "chapters")->first; c; c = c->next) {
		const struct node *list = node_get(c, "lessons");
		for (const struct node *n = words_of(list); n; n = next_of(list, n)) {
			const struct node *before = place_of(root, n->text, n);
			if (before)
				node_error(s, n, NULL, "this lesson is in the book already (line %u)",
					   source_line(s, before->offset));
		}
	}
	const struct node *course = node_get(root, "course");
	for (const struct node *n = words_of(course); n; n = next_of(course, n)) {
		if (!place_of(root, n->text, NULL))
			node_error(s, n, NULL, "what is taught must be in a chapter");
		for (const struct node *other = words_of(course); other != n; other = next_of(course, other))
			if (!strcmp(other->text, n->text))
				node_error(s, n, NULL, "taught twice (line %u)", source_line(s, other->offset));
	}
}

/* Every lesson has its scenario, and every page its file. */
static void check_there(struct source *s, const struct node *root, const char *tree)
{
	for (const struct node *c = node_get(root, "chapters")->first; c; c = c->next) {
		const struct node *list = node_get(c, "lessons"), *page = node_get(c, "text");
		char path[PATH_MAX];
		(void)snprintf(path, sizeof(path), "%s/handbook/%s", tree, page ? page->text : "");
		if (page && access(path, R_OK) < 0)
			node_error(s, page, NULL, "%s: %s", path, strerror(errno));
		for (const struct node *n = words_of(list); n; n = next_of(list, n)) {
			(void)snprintf(path, sizeof(path), "%s/%s/lesson.md", tree, n->text);
			if (access(path, R_OK) < 0)
				node_error(s, n, NULL, "%s: %s", path, strerror(errno));
		}
	}
}

static void check_complete(struct source *s, const struct node *root, const char *tree)
{
	struct dirent **entries = NULL;
	int n = scandir(tree, &entries, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char path[PATH_MAX];
		(void)snprintf(path, sizeof(path), "%s/%s/scenario.yaml", tree, entries[i]->d_name);
		if (access(path, F_OK) == 0 && !place_of(root, entries[i]->d_name, NULL))
			node_error(s, node_get(root, "chapters")->key, NULL, "scenario %s is in no chapter",
				   entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

/* tree: NULL for a book alone */
static int read_text(struct source *s, const char *tree, struct book **ret)
{
	struct book *book = calloc(1, sizeof(*book));
	auto_node struct node *root = NULL;
	if (!book)
		return -ENOMEM;
	if (s->length > MANIFEST_MAX_BYTES)
		source_error(s, 0, 1, NULL, "larger than %u KiB", MANIFEST_MAX_BYTES / 1024);
	else
		root = node_parse(s);
	if (root && root->kind != NODE_MAP)
		node_error(s, root, NULL, "a book is keys and values, but this is %s", node_what(root));
	else if (root)
		schema_fill(s, &schema_book, root, book);
	bool whole = root && !s->out_of_memory && s->error_count == 0;
	if (whole)
		check_once(s, root);
	if (whole && tree) {
		check_there(s, root, tree);
		check_complete(s, root, tree);
	}
	if (root && !s->out_of_memory && s->error_count == 0) {
		*ret = book;
		return 0;
	}
	book_free(book);
	if (s->out_of_memory)
		(void)fprintf(s->errors, "%s: %s\n", s->file, strerror(ENOMEM));
	return s->out_of_memory ? -ENOMEM : -EINVAL;
}

int book_parse(const char *text, size_t length, const char *file, FILE *errors, struct book **ret)
{
	struct source s = {.file = file, .text = text, .length = length, .errors = errors};
	return read_text(&s, NULL, ret);
}

int book_read(const char *tree, FILE *errors, struct book **ret)
{
	char path[PATH_MAX];
	auto_free char *text = NULL;
	struct source s = {.file = path, .errors = errors};
	(void)snprintf(path, sizeof(path), "%s/handbook/book.yaml", tree);
	int r = manifest_read_text(path, &text, &s.length);
	if (r < 0) {
		(void)fprintf(errors, "%s: %s (%s)\n", path, strerror(-r), strerrorname_np(-r));
		return r;
	}
	s.text = text;
	return read_text(&s, tree, ret);
}
