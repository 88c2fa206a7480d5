// SPDX-License-Identifier: MIT
/*
 * Nodes into structs and structs back into nothing, by the tables of manifest-schema.c.
 */
#include <string.h>

#include "cleanup.h"
#include "manifest-schema.h"

char *source_copy(struct source *s, const char *text)
{
	char *c = strdup(text);

	if (!c)
		s->out_of_memory = true;
	return c;
}

static const char *const kind_names[] = {
	[NODE_SCALAR] = "text", [NODE_LIST] = "a list", [NODE_MAP] = "keys and values"};

const char *node_what(const struct node *n)
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
	*ret = source_copy(s, n->text);
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
			text = source_copy(s, "");
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
		setting->key = source_copy(s, i->key->text);
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
			schema_fill(s, f->schema, i, items + *count * f->schema->size);
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
		check->right = source_copy(s, "0");
}

static void read_field(struct source *s, const struct field *f, const struct node *n, void *object)
{
	void *place = (char *)object + f->offset;

	if (f->said_offset)
		*(bool *)((char *)object + f->said_offset) = true;
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
			schema_fill(s, f->schema, n, place);
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

void schema_fill(struct source *s, const struct schema *schema, const struct node *n, void *object)
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
		schema_empty(f->schema, items + i * f->schema->size);
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

void schema_empty(const struct schema *schema, void *object)
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
			schema_empty(f->schema, place);
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
