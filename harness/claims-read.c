// SPDX-License-Identifier: MIT
/*
 * guide-N.yaml as data, by the same tables that read manifests.
 */
#include <dirent.h>
#include <fnmatch.h>
#include <limits.h>
#include <string.h>

#include "claims.h"
#include "cleanup.h"
#include "manifest-schema.h"

#define AT(type, member) .offset = offsetof(type, member)
#define TEXT_BYTES_MAX   400
#define DIGITS           "0123456789"

static void check_text(struct source *s, const struct node *n)
{
	if (strlen(n->text) > TEXT_BYTES_MAX)
		node_error(s, n, NULL, "too long (at most %d bytes)", TEXT_BYTES_MAX);
}

static bool is_number(const char *text, size_t length)
{
	return length > 0 && length < 4 && strspn(text, DIGITS) >= length;
}

static void check_guide(struct source *s, const struct node *n)
{
	if (!is_number(n->text, strlen(n->text)))
		node_error(s, n, NULL, "a guide is a number");
}

/* "0.17" */
static void check_id(struct source *s, const struct node *n)
{
	const char *dot = strchr(n->text, '.');
	if (!dot || !is_number(n->text, (size_t)(dot - n->text)) || !is_number(dot + 1, strlen(dot + 1)))
		node_error(s, n, "write it in quotes, \"0.10\"", "an id is a guide and a number");
}

static void check_run(struct source *s, const struct node *n)
{
	const char *slash = strchr(n->text, '/');
	if (!slash || slash == n->text || !slash[1])
		node_error(s, n, "pids-max/fork: six tasks", "a run is written as SCENARIO/RUN");
}

static const char *const kinds[] = {"success", "errno", "signal", "stall", "panic", "exit", NULL};

static const char *kind_at(unsigned index)
{
	return kinds[index];
}

static bool kind_known(const char *word)
{
	for (unsigned i = 0; kinds[i]; i++)
		if (!strcmp(kinds[i], word))
			return true;
	return false;
}

static const struct words words_kind = {.what = "kind of outcome", .knows = kind_known, .at = kind_at};

static void test_finish(struct source *s, const struct node *n, void *object)
{
	struct claim_test *t = object;
	struct check *c = &t->number;
	bool any = t->call.count || t->kind || t->error || t->signal || t->si_code || t->cause || t->reported ||
		   t->has_oom;
	if (!c->value != !c->right)
		node_error(s, n, "as in {value: cause.in_use, is: 6}", "a value and its relation go together");
	else if (c->right && (c->relation == REL_NEAR) != (c->within != NULL))
		node_error(s, n, "as in {near: 50% of ram, within: 64K}", "'near' and 'within' go together");
	else if (!any && !c->value)
		node_error(s, n, "kind, call, errno, signal, cause, reported, value, ...",
			   "a test that asks nothing of its runs");
	if (!c->value)
		return;
	c->text = source_copy(s, c->value);
	char *minus = strstr(c->value, " - ");
	if (minus) {
		c->minus = source_copy(s, minus + strlen(" - "));
		*minus = '\0';
	}
}

static const struct field fields_test[] = {
	{"where", FIELD_TEXT, AT(struct claim_test, where), .check = check_text},
	{"run", FIELD_WORDS, .required = true, .filled = true, AT(struct claim_test, run), .check = check_run},
	{"role", FIELD_TEXT, AT(struct claim_test, role), .words = &words_role},
	{"kind", FIELD_TEXT, AT(struct claim_test, kind), .words = &words_kind},
	{"call", FIELD_WORDS, .filled = true, AT(struct claim_test, call), .words = &words_call},
	{"errno", FIELD_TEXT, AT(struct claim_test, error), .words = &words_errno},
	{"signal", FIELD_TEXT, AT(struct claim_test, signal), .words = &words_signal},
	{"si_code", FIELD_TEXT, AT(struct claim_test, si_code), .words = &words_si_code},
	{"cause", FIELD_TEXT, AT(struct claim_test, cause), .words = &words_cause},
	{"reported", FIELD_TEXT, AT(struct claim_test, reported), .words = &words_errno},
	{"oom", FIELD_BOOL, AT(struct claim_test, oom), .said_offset = offsetof(struct claim_test, has_oom)},
	{"contrary", FIELD_BOOL, AT(struct claim_test, contrary)},
	{"may_skip", FIELD_BOOL, AT(struct claim_test, may_skip)},
	{"not_in_guest", FIELD_BOOL, AT(struct claim_test, not_in_guest)},
	{"value", FIELD_TEXT, AT(struct claim_test, number.value), .check = check_left_side},
	{"is", FIELD_RELATION, AT(struct claim_test, number.right), .check = check_right_side},
	{"at_least", FIELD_RELATION, AT(struct claim_test, number.right), .check = check_right_side},
	{"at_most", FIELD_RELATION, AT(struct claim_test, number.right), .check = check_right_side},
	{"above", FIELD_RELATION, AT(struct claim_test, number.right), .check = check_right_side},
	{"below", FIELD_RELATION, AT(struct claim_test, number.right), .check = check_right_side},
	{"near", FIELD_RELATION, AT(struct claim_test, number.right), .check = check_right_side},
	{"within", FIELD_TEXT, AT(struct claim_test, number.within), .check = check_within},
	{NULL, FIELD_HIDDEN, AT(struct claim_test, number.minus)},
	{NULL, FIELD_HIDDEN, AT(struct claim_test, number.text)},
};
static const struct schema schema_test = {.what = "test",
					  .fields = fields_test,
					  .count = ARRAY_SIZE(fields_test),
					  .size = sizeof(struct claim_test),
					  .finish = test_finish};

static void claim_finish(struct source *s, const struct node *n, void *object)
{
	const struct claim *c = object;
	if (!node_get(n, "tests") == !node_get(n, "untestable"))
		node_error(s, n, NULL, "a claim has either tests, or says why it is untestable");
	if (c->remedy.count && !c->right)
		node_error(s, node_get(n, "remedy")->key, NULL, "'remedy' shows what is 'right', which is not said");
}

static const struct field fields_claim[] = {
	{"id", FIELD_TEXT, .required = true, AT(struct claim, id), .check = check_id},
	{"says", FIELD_TEXT, .required = true, AT(struct claim, says), .check = check_text},
	{"tests", FIELD_OBJECTS, .filled = true, AT(struct claim, tests),
	 .count_offset = offsetof(struct claim, test_count), .schema = &schema_test},
	{"untestable", FIELD_TEXT, AT(struct claim, untestable), .check = check_text},
	{"right", FIELD_TEXT, AT(struct claim, right), .check = check_text},
	{"remedy", FIELD_WORDS, .filled = true, AT(struct claim, remedy), .check = check_run},
};
static const struct schema schema_claim = {.what = "claim",
					   .fields = fields_claim,
					   .count = ARRAY_SIZE(fields_claim),
					   .size = sizeof(struct claim),
					   .finish = claim_finish};

static const struct field fields_file[] = {
	{"guide", FIELD_TEXT, .required = true, AT(struct claims_file, guide), .check = check_guide},
	{"title", FIELD_TEXT, .required = true, AT(struct claims_file, title), .check = check_text},
	{"claims", FIELD_OBJECTS, .required = true, .filled = true, AT(struct claims_file, claims),
	 .count_offset = offsetof(struct claims_file, claim_count), .schema = &schema_claim},
};
static const struct schema schema_file = {.what = "claims of a guide",
					  .fields = fields_file,
					  .count = ARRAY_SIZE(fields_file),
					  .size = sizeof(struct claims_file)};

void claims_file_free(struct claims_file *f)
{
	if (f)
		schema_empty(&schema_file, f);
	free(f);
}

/* Every id begins with the guide's number, and is there once. */
static void check_ids(struct source *s, const struct node *root)
{
	const struct node *guide = node_get(root, "guide"), *list = node_get(root, "claims");
	size_t length = strlen(guide->text);
	for (const struct node *i = list->first; i; i = i->next) {
		const struct node *id = node_get(i, "id");
		if (strncmp(id->text, guide->text, length) != 0 || id->text[length] != '.')
			node_error(s, id, NULL, "the id of a claim of guide %s begins with '%s.'", guide->text,
				   guide->text);
		for (const struct node *j = list->first; j != i; j = j->next)
			if (!strcmp(node_get(j, "id")->text, id->text))
				node_error(s, id, NULL, "another claim has this id (line %u)",
					   source_line(s, j->offset));
	}
}

int claims_parse(const char *text, size_t length, const char *file, FILE *errors, struct claims_file **ret)
{
	struct source s = {.file = file, .text = text, .length = length, .errors = errors};
	struct claims_file *claims = calloc(1, sizeof(*claims));
	auto_node struct node *root = NULL;
	if (!claims)
		return -ENOMEM;
	if (length > MANIFEST_MAX_BYTES)
		source_error(&s, 0, 1, NULL, "larger than %u KiB", MANIFEST_MAX_BYTES / 1024);
	else
		root = node_parse(&s);
	if (root && root->kind != NODE_MAP)
		node_error(&s, root, NULL, "claims are keys and values, but this is %s", node_what(root));
	else if (root)
		schema_fill(&s, &schema_file, root, claims);
	if (root && !s.out_of_memory && s.error_count == 0)
		check_ids(&s, root);
	if (!s.out_of_memory && s.error_count == 0 && root) {
		*ret = claims;
		return 0;
	}
	claims_file_free(claims);
	if (s.out_of_memory)
		(void)fprintf(errors, "%s: %s\n", file, strerror(ENOMEM));
	return s.out_of_memory ? -ENOMEM : -EINVAL;
}

static int is_guide(const struct dirent *entry)
{
	return fnmatch("guide-[0-9]*.yaml", entry->d_name, 0) == 0;
}

static int read_one(const char *directory, const char *name, FILE *errors, struct claims *ret)
{
	auto_free char *path = NULL, *text = NULL;
	size_t length = 0;
	if (asprintf(&path, "%s/%s", directory, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	int r = manifest_read_text(path, &text, &length);
	if (r < 0)
		(void)fprintf(errors, "%s: %s (%s)\n", path, strerror(-r), strerrorname_np(-r));
	else
		r = claims_parse(text, length, path, errors, &ret->item[ret->count]);
	ret->count += r == 0;
	return r;
}

int claims_read(const char *directory, FILE *errors, struct claims *ret)
{
	struct dirent **entries = NULL;
	int first = 0, n = scandir(directory, &entries, is_guide, versionsort);
	*ret = (struct claims){0};
	if (n > 0)
		ret->item = calloc((size_t)n, sizeof(struct claims_file *));
	if (n <= 0 || !ret->item)
		first = n < 0 ? -errno : n ? -ENOMEM : -ENOENT;
	for (int i = 0; i < n; i++) {
		int r = ret->item ? read_one(directory, entries[i]->d_name, errors, ret) : 0;
		first = first ? first : r;
		free(entries[i]);
	}
	free(entries);
	if (first)
		claims_free(ret);
	return first;
}

void claims_free(struct claims *c)
{
	for (size_t i = 0; i < c->count; i++)
		claims_file_free(c->item[i]);
	free(c->item);
	*c = (struct claims){0};
}

const struct claim *claims_find(const struct claims *c, const char *id)
{
	for (size_t i = 0; i < c->count; i++)
		for (size_t k = 0; k < c->item[i]->claim_count; k++)
			if (!strcmp(c->item[i]->claims[k].id, id))
				return &c->item[i]->claims[k];
	return NULL;
}
