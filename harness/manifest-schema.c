// SPDX-License-Identifier: MIT
/*
 * The manifest's keys as tables: what each is called, what it may hold, where it goes. One reader and one free function
 * walk them.
 */
#include <string.h>

#include "cleanup.h"
#include "manifest-internal.h"

enum field_kind {
	FIELD_TEXT,     /* char * */
	FIELD_BOOL,     /* bool */
	FIELD_CHOICE,   /* an enum whose values are the indexes of words */
	FIELD_WORDS,    /* struct strings, from a word or a list */
	FIELD_LIST,     /* struct strings */
	FIELD_SETTINGS, /* struct settings; words are its keys */
	FIELD_OBJECT,   /* a struct of its own schema */
	FIELD_OBJECTS,  /* pointer and count of such structs */
	FIELD_RELATION, /* of a check: the key is the relation, the value its right side */
	FIELD_HIDDEN,   /* char * without a key, only freed */
};

struct schema;
struct field {
	const char *key;
	enum field_kind kind;
	bool required, filled;                    /* filled: an empty list makes no sense */
	size_t offset, count_offset, said_offset; /* said: a bool set when the key is there; 0 for none */
	const struct words *words;
	scalar_check check;
	const struct schema *schema;
};

struct schema {
	const char *what;
	const struct field *fields;
	size_t count, size;
	void (*begin)(void *object);
	void (*finish)(struct source *s, const struct node *n, void *object);
};

#define SCHEMA(id, text, type, ...)                                                                                    \
	static const struct schema schema_##id = {.what = text,                                                        \
						  .fields = fields_##id,                                               \
						  .count = ARRAY_SIZE(fields_##id),                                    \
						  .size = sizeof(type),                                                \
						  __VA_ARGS__}
#define AT(type, member) .offset = offsetof(type, member)

static const struct field fields_needs[] = {
	{"kernel", FIELD_TEXT, AT(struct needs, kernel), .check = check_kernel},
	{"cgroup", FIELD_TEXT, AT(struct needs, cgroup_version), .words = &words_cgroup_version},
	{"capabilities", FIELD_LIST, AT(struct needs, capabilities), .words = &words_capability},
	{"controllers", FIELD_LIST, AT(struct needs, controllers), .words = &words_controller},
	{"tools", FIELD_LIST, AT(struct needs, tools), .check = check_tool},
	{"sysctl", FIELD_SETTINGS, AT(struct needs, sysctl), .check = check_sysctl},
	{"root", FIELD_BOOL, AT(struct needs, root)},
	{"user_namespaces", FIELD_BOOL, AT(struct needs, user_namespaces)},
};
SCHEMA(needs, "needs", struct needs, .begin = NULL);

static const struct field fields_environment[] = {
	{"rlimit", FIELD_SETTINGS, AT(struct environment_text, rlimit), .words = &words_rlimit, .check = check_rlimit},
	{"cgroup", FIELD_SETTINGS, AT(struct environment_text, cgroup), .words = &words_cgroup,
	 .check = check_cgroup_limit},
	{"sysctl", FIELD_SETTINGS, AT(struct environment_text, sysctl), .check = check_sysctl},
	{"identity", FIELD_TEXT, AT(struct environment_text, identity), .check = check_identity},
	{"oom_score_adj", FIELD_TEXT, AT(struct environment_text, oom_score_adj), .check = check_oom_score_adj},
	{"cpus", FIELD_TEXT, AT(struct environment_text, cpus), .words = &words_cpus},
};
SCHEMA(environment, "environment", struct environment_text, .begin = NULL);

static void check_finish(struct source *s, const struct node *n, void *object);
static const struct field fields_check[] = {
	{"value", FIELD_TEXT, .required = true, AT(struct check, value), .check = check_left_side},
	{"is", FIELD_RELATION, AT(struct check, right), .check = check_right_side},
	{"at_least", FIELD_RELATION, AT(struct check, right), .check = check_right_side},
	{"at_most", FIELD_RELATION, AT(struct check, right), .check = check_right_side},
	{"above", FIELD_RELATION, AT(struct check, right), .check = check_right_side},
	{"below", FIELD_RELATION, AT(struct check, right), .check = check_right_side},
	{"near", FIELD_RELATION, AT(struct check, right), .check = check_right_side},
	{"within", FIELD_TEXT, AT(struct check, within), .check = check_within},
	{"when", FIELD_OBJECT, AT(struct check, when), .said_offset = offsetof(struct check, has_when),
	 .schema = &schema_needs},
	{NULL, FIELD_HIDDEN, AT(struct check, minus)},
	{NULL, FIELD_HIDDEN, AT(struct check, text)},
};
SCHEMA(check, "check", struct check, .finish = check_finish);

static const struct field fields_expect[] = {
	{"call", FIELD_WORDS, .filled = true, AT(struct expect, call), .words = &words_call},
	{"errno", FIELD_TEXT, AT(struct expect, error), .words = &words_errno},
	{"signal", FIELD_TEXT, AT(struct expect, signal), .words = &words_signal},
	{"si_code", FIELD_TEXT, AT(struct expect, si_code), .words = &words_si_code},
	{"cause", FIELD_TEXT, AT(struct expect, cause), .words = &words_cause},
	{"says", FIELD_TEXT, AT(struct expect, says)},
	{"exit", FIELD_TEXT, AT(struct expect, exit), .check = check_exit},
	{"stall", FIELD_BOOL, AT(struct expect, stall), .said_offset = offsetof(struct expect, has_stall)},
	{"check", FIELD_OBJECTS, AT(struct expect, check), .count_offset = offsetof(struct expect, check_count),
	 .schema = &schema_check},
};
SCHEMA(expect, "expect", struct expect, .begin = NULL);

static void case_finish(struct source *s, const struct node *n, void *object);
static const struct field fields_case[] = {
	{"name", FIELD_TEXT, .required = true, AT(struct case_text, name), .check = check_label},
	{"arguments", FIELD_LIST, AT(struct case_text, arguments), .check = check_argument},
	{"environment", FIELD_OBJECT, AT(struct case_text, environment), .schema = &schema_environment},
	{"expect", FIELD_OBJECT, AT(struct case_text, expect), .schema = &schema_expect},
};
SCHEMA(case, "case", struct case_text, .finish = case_finish);

static void run_begin(void *object);
static void run_finish(struct source *s, const struct node *n, void *object);
static const struct field fields_run[] = {
	{"name", FIELD_TEXT, .required = true, AT(struct run_text, name), .check = check_label},
	{"role", FIELD_CHOICE, .required = true, AT(struct run_text, role), .words = &words_role},
	{"scope", FIELD_CHOICE, AT(struct run_text, scope), .words = &words_scope},
	{"helps", FIELD_BOOL, AT(struct run_text, helps)},
	{"cases", FIELD_LIST, .filled = true, AT(struct run_text, cases)},
	{"arguments", FIELD_LIST, AT(struct run_text, arguments), .check = check_argument},
	{"environment", FIELD_OBJECT, AT(struct run_text, environment), .schema = &schema_environment},
	{"needs", FIELD_OBJECT, AT(struct run_text, needs), .schema = &schema_needs},
	{"when", FIELD_OBJECT, AT(struct run_text, when), .said_offset = offsetof(struct run_text, has_when),
	 .schema = &schema_needs},
	{"expect", FIELD_OBJECT, AT(struct run_text, expect), .schema = &schema_expect},
	{"deadline", FIELD_TEXT, AT(struct run_text, deadline), .check = check_duration},
};
SCHEMA(run, "run", struct run_text, .begin = run_begin, .finish = run_finish);

static const struct field fields_scenario[] = {
	{"name", FIELD_TEXT, .required = true, AT(struct scenario, name), .check = check_scenario_name},
	{"title", FIELD_TEXT, .required = true, AT(struct scenario, title), .check = check_label},
	{"class", FIELD_TEXT, .required = true, AT(struct scenario, class_name), .words = &words_class},
	{"program", FIELD_TEXT, AT(struct scenario, program), .check = check_program},
	{"scope", FIELD_CHOICE, .required = true, AT(struct scenario, scope), .words = &words_scope},
	{"survivable", FIELD_BOOL, AT(struct scenario, survivable)},
	{"deadline", FIELD_TEXT, AT(struct scenario, deadline), .check = check_duration},
	{"needs", FIELD_OBJECT, AT(struct scenario, needs), .schema = &schema_needs},
	{"environment", FIELD_OBJECT, AT(struct scenario, environment), .schema = &schema_environment},
	{"arguments", FIELD_LIST, AT(struct scenario, arguments), .check = check_argument},
	{"expect", FIELD_OBJECT, AT(struct scenario, expect), .schema = &schema_expect},
	{"cases", FIELD_OBJECTS, .filled = true, AT(struct scenario, cases),
	 .count_offset = offsetof(struct scenario, case_count), .schema = &schema_case},
	{"runs", FIELD_OBJECTS, .required = true, .filled = true, AT(struct scenario, runs),
	 .count_offset = offsetof(struct scenario, run_count), .schema = &schema_run},
	{NULL, FIELD_HIDDEN, AT(struct scenario, directory)},
	{NULL, FIELD_HIDDEN, AT(struct scenario, file)},
};
SCHEMA(scenario, "manifest", struct scenario, .begin = NULL);

static void read_object(struct source *s, const struct schema *schema, const struct node *n, void *object);

static char *copy(struct source *s, const char *text)
{
	char *c = strdup(text);

	if (!c)
		s->out_of_memory = true;
	return c;
}

static void run_begin(void *object)
{
	struct run_text *run = object;

	run->helps = true;
	run->scope = SCOPE_COUNT; /* not said */
}

static void run_finish(struct source *s, const struct node *n, void *object)
{
	((struct run_text *)object)->line = source_line(s, n->offset);
}

static void case_finish(struct source *s, const struct node *n, void *object)
{
	((struct case_text *)object)->line = source_line(s, n->offset);
}

static void check_finish(struct source *s, const struct node *n, void *object)
{
	struct check *check = object;
	const struct node *within = node_get(n, "within"), *near = node_get(n, "near");

	if (!check->right)
		node_error(s, n, "one of is, at_least, at_most, above, below, near", "a check without a relation");
	else if (within && !near)
		node_error(s, within->key, NULL, "'within' goes with near only");
	else if (near && !within)
		node_error(s, near->key, "as in within: 2%", "'near' needs within");
	if (!check->value)
		return;
	check->text = copy(s, check->value);
	char *minus = strstr(check->value, " - ");
	if (minus) {
		check->minus = copy(s, minus + strlen(" - "));
		*minus = '\0';
	}
}

static const char *const kind_names[] = {
	[NODE_SCALAR] = "text", [NODE_LIST] = "a list", [NODE_MAP] = "keys and values"};

static const char *node_what(const struct node *n)
{
	return node_is_null(n) ? "empty" : kind_names[n->kind];
}

static bool is_kind(struct source *s, const struct node *n, enum node_kind kind, const char *name)
{
	if (n->kind == kind && !node_is_null(n))
		return true;
	node_error(s, n, NULL, "'%s' must be %s, but is %s", name, kind_names[kind], node_what(n));
	return false;
}

static void read_text(struct source *s, const struct field *f, const struct node *n, char **ret)
{
	if (!is_kind(s, n, NODE_SCALAR, f->key))
		return;
	if (n->text[0] == '\0') {
		node_error(s, n, NULL, "'%s' must not be empty", f->key);
		return;
	}
	if (f->words && !words_check(s, f->words, n))
		return;
	if (f->check)
		f->check(s, n);
	*ret = copy(s, n->text);
}

static void read_bool(struct source *s, const struct field *f, const struct node *n, bool *ret)
{
	bool yes = n->kind == NODE_SCALAR && n->plain && strcmp(n->text, "true") == 0;
	bool no = n->kind == NODE_SCALAR && n->plain && strcmp(n->text, "false") == 0;

	if (yes || no)
		*ret = yes;
	else
		node_error(s, n, NULL, "'%s' must be true or false", f->key);
}

static void read_choice(struct source *s, const struct field *f, const struct node *n, unsigned *ret)
{
	const char *word;

	if (!is_kind(s, n, NODE_SCALAR, f->key) || !words_check(s, f->words, n))
		return;
	for (unsigned i = 0; (word = f->words->at(i)); i++) {
		if (strcmp(word, n->text) == 0)
			*ret = i;
	}
}

static void read_strings(struct source *s, const struct field *f, const struct node *n, struct strings *ret)
{
	bool word = f->kind == FIELD_WORDS && n->kind == NODE_SCALAR && !node_is_null(n);

	if (!word && !is_kind(s, n, NODE_LIST, f->key))
		return;
	size_t count = word ? 1 : n->count;
	ret->item = calloc(count + 1, sizeof(*ret->item));
	if (!ret->item) {
		s->out_of_memory = true;
		return;
	}
	for (const struct node *i = word ? n : n->first; i; i = word ? NULL : i->next) {
		char *text = NULL;
		/* A quoted empty argument is an argument; elsewhere nothing is empty. */
		if (i->kind == NODE_SCALAR && !i->plain && i->text[0] == '\0' && f->check == check_argument)
			text = copy(s, "");
		else
			read_text(s, f, i, &text);
		if (text)
			ret->item[ret->count++] = text;
	}
}

static void read_settings(struct source *s, const struct field *f, const struct node *n, struct settings *ret)
{
	if (!is_kind(s, n, NODE_MAP, f->key))
		return;
	ret->item = calloc(n->count + 1, sizeof(*ret->item));
	if (!ret->item) {
		s->out_of_memory = true;
		return;
	}
	for (const struct node *i = n->first; i; i = i->next) {
		struct setting *setting = &ret->item[ret->count];
		const struct field value = {.key = i->key->text, .kind = FIELD_TEXT, .check = f->check};
		if (f->words && !words_check(s, f->words, i->key))
			continue;
		read_text(s, &value, i, &setting->value);
		if (!setting->value)
			continue;
		setting->key = copy(s, i->key->text);
		ret->count++;
	}
}

static void read_objects(struct source *s, const struct field *f, const struct node *n, void *object)
{
	size_t *count = (size_t *)(void *)((char *)object + f->count_offset);

	if (!is_kind(s, n, NODE_LIST, f->key))
		return;
	char *items = calloc(n->count + 1, f->schema->size);
	if (!items) {
		s->out_of_memory = true;
		return;
	}
	memcpy((char *)object + f->offset, &items, sizeof(items));
	for (const struct node *i = n->first; i; i = i->next) {
		if (is_kind(s, i, NODE_MAP, f->schema->what))
			read_object(s, f->schema, i, items + *count * f->schema->size);
		++*count;
	}
}

static void read_relation(struct source *s, const struct field *f, const struct node *n, struct check *check)
{
	if (check->right) {
		node_error(s, n->key, NULL, "a check has one relation only, and '%s' was given before",
			   relation_names[check->relation]);
		return;
	}
	for (unsigned i = 0; i < REL_COUNT; i++) {
		if (strcmp(relation_names[i], f->key) == 0)
			check->relation = (enum relation)i;
	}
	read_text(s, f, n, &check->right);
	/* A wrong right side was reported; it is not missing. */
	if (!check->right)
		check->right = copy(s, "0");
}

static void read_field(struct source *s, const struct field *f, const struct node *n, void *object)
{
	void *place = (char *)object + f->offset;

	if (f->said_offset)
		*((bool *)object + f->said_offset) = true;
	if (f->filled && n->kind == NODE_LIST && n->count == 0) {
		node_error(s, n, NULL, "'%s' must not be empty", f->key);
		return;
	}
	switch (f->kind) {
	case FIELD_TEXT:
		read_text(s, f, n, place);
		break;
	case FIELD_BOOL:
		read_bool(s, f, n, place);
		break;
	case FIELD_CHOICE:
		read_choice(s, f, n, place);
		break;
	case FIELD_WORDS:
	case FIELD_LIST:
		read_strings(s, f, n, place);
		break;
	case FIELD_SETTINGS:
		read_settings(s, f, n, place);
		break;
	case FIELD_OBJECT:
		if (is_kind(s, n, NODE_MAP, f->key))
			read_object(s, f->schema, n, place);
		break;
	case FIELD_OBJECTS:
		read_objects(s, f, n, object);
		break;
	case FIELD_RELATION:
		read_relation(s, f, n, object);
		break;
	case FIELD_HIDDEN:
		break;
	}
}

static const struct field *field_of(const struct schema *schema, const char *key)
{
	for (size_t i = 0; i < schema->count; i++) {
		if (schema->fields[i].key && strcmp(schema->fields[i].key, key) == 0)
			return &schema->fields[i];
	}
	return NULL;
}

/* The schema whose keys key_at() lists, for the hint at an unknown key. */
static _Thread_local const struct schema *hinted;

static const char *key_at(unsigned index)
{
	return index >= hinted->count ? NULL : hinted->fields[index].key ? hinted->fields[index].key : "";
}

static void read_object(struct source *s, const struct schema *schema, const struct node *n, void *object)
{
	static const struct words keys = {.what = "key", .at = key_at};
	char hint[96];

	if (schema->begin)
		schema->begin(object);
	for (const struct node *i = n->first; i; i = i->next) {
		const struct field *f = field_of(schema, i->key->text);
		hinted = schema;
		if (f)
			read_field(s, f, i, object);
		else
			node_error(s, i->key, words_hint(&keys, i->key->text, hint, sizeof(hint)),
				   "unknown key '%s' in %s", i->key->text, schema->what);
	}
	for (size_t i = 0; i < schema->count; i++) {
		if (schema->fields[i].required && !node_get(n, schema->fields[i].key))
			node_error(s, n, NULL, "%s without '%s'", schema->what, schema->fields[i].key);
	}
	if (schema->finish)
		schema->finish(s, n, object);
}

static void free_object(const struct schema *schema, void *object);

static void free_strings(struct strings *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		free(strings->item[i]);
	free(strings->item);
}

static void free_settings(struct settings *settings)
{
	for (size_t i = 0; i < settings->count; i++) {
		free(settings->item[i].key);
		free(settings->item[i].value);
	}
	free(settings->item);
}

static void free_objects(const struct field *f, void *object)
{
	size_t count;
	char *items;

	memcpy(&count, (char *)object + f->count_offset, sizeof(count));
	memcpy(&items, (char *)object + f->offset, sizeof(items));
	for (size_t i = 0; i < count; i++)
		free_object(f->schema, items + i * f->schema->size);
	free(items);
}

static void free_text(void *place)
{
	char *text;

	memcpy(&text, place, sizeof(text));
	free(text);
	/* All relations of a check share one place. */
	memset(place, 0, sizeof(text));
}

static void free_object(const struct schema *schema, void *object)
{
	for (size_t i = 0; i < schema->count; i++) {
		const struct field *f = &schema->fields[i];
		void *place = (char *)object + f->offset;
		switch (f->kind) {
		case FIELD_TEXT:
		case FIELD_RELATION:
		case FIELD_HIDDEN:
			free_text(place);
			break;
		case FIELD_WORDS:
		case FIELD_LIST:
			free_strings(place);
			break;
		case FIELD_SETTINGS:
			free_settings(place);
			break;
		case FIELD_OBJECT:
			free_object(f->schema, place);
			break;
		case FIELD_OBJECTS:
			free_objects(f, object);
			break;
		case FIELD_BOOL:
		case FIELD_CHOICE:
			break;
		}
	}
}

struct scenario *schema_read(struct source *s, const struct node *root)
{
	struct scenario *scenario = calloc(1, sizeof(*scenario));

	if (!scenario) {
		s->out_of_memory = true;
		return NULL;
	}
	if (root->kind != NODE_MAP)
		node_error(s, root, NULL, "a manifest is keys and values, but this is %s", node_what(root));
	else
		read_object(s, &schema_scenario, root, scenario);
	return scenario;
}

void schema_free(struct scenario *scenario)
{
	if (scenario)
		free_object(&schema_scenario, scenario);
	free(scenario);
}
