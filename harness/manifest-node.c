// SPDX-License-Identifier: MIT
/*
 * YAML text to nodes. libfyaml delivers events; what a manifest has no use for (aliases, anchors, tags, several
 * documents, deep nesting, control characters) is refused here, so that nothing behind this file meets it.
 */
#include <libfyaml.h>
#include <string.h>

#include "cleanup.h"
#include "manifest-internal.h"

#define DEPTH_MAX   12
#define ENTRIES_MAX 512

struct builder {
	struct source *source;
	struct fy_parser *parser;
	struct fy_event *event;
	unsigned depth;
	size_t offset; /* of the last event that had a place */
};

void node_free(struct node *n)
{
	while (n) {
		struct node *next = n->next;
		node_free(n->key);
		node_free(n->first);
		free(n->text);
		free(n);
		n = next;
	}
}

void node_freep(struct node **n)
{
	node_free(*n);
}

const struct node *node_get(const struct node *n, const char *key)
{
	for (const struct node *i = n ? n->first : NULL; i; i = i->next) {
		if (i->key && strcmp(i->key->text, key) == 0)
			return i;
	}
	return NULL;
}

const struct node *node_at(const struct node *n, size_t index)
{
	const struct node *i = n ? n->first : NULL;

	while (i && index--)
		i = i->next;
	return i;
}

bool node_is_null(const struct node *n)
{
	return n->kind == NODE_SCALAR && n->plain &&
	       (n->text[0] == '\0' || strcmp(n->text, "~") == 0 || strcmp(n->text, "null") == 0);
}

static const struct fy_event *next_event(struct builder *b)
{
	if (b->event)
		fy_parser_event_free(b->parser, b->event);
	b->event = fy_parser_parse(b->parser);
	if (b->event) {
		const struct fy_mark *mark = fy_event_start_mark(b->event);
		if (mark)
			b->offset = mark->input_pos;
	}
	return b->event;
}

/* Tokens of anchors and aliases begin behind their sign. */
static size_t sign_offset(const struct builder *b, struct fy_token *token, char sign)
{
	const struct fy_mark *mark = token ? fy_token_start_mark(token) : NULL;
	size_t offset = mark ? mark->input_pos : b->offset;

	return offset > 0 && offset <= b->source->length && b->source->text[offset - 1] == sign ? offset - 1 : offset;
}

static bool refused(struct builder *b)
{
	struct fy_event *e = b->event;
	struct fy_token *anchor = fy_event_get_anchor_token(e), *tag = fy_event_get_tag_token(e);

	if (e->type == FYET_ALIAS)
		source_error(b->source, sign_offset(b, e->alias.anchor, '*'), 2, "write the value out",
			     "aliases are not allowed");
	else if (anchor)
		source_error(b->source, sign_offset(b, anchor, '&'), 2, "write the value out where it is needed",
			     "anchors are not allowed");
	else if (tag)
		source_error(b->source, sign_offset(b, tag, '!'), 1, NULL, "tags are not allowed");
	else if (b->depth >= DEPTH_MAX)
		source_error(b->source, b->offset, 1, NULL, "nested too deeply (at most %d levels)", DEPTH_MAX);
	else
		return false;
	return true;
}

/* An empty value has no place of its own: it is shown where the last event was, its key. */
static struct node *node_new(struct builder *b, enum node_kind kind)
{
	const struct fy_mark *start = fy_event_start_mark(b->event), *end = fy_event_end_mark(b->event);
	struct node *n = calloc(1, sizeof(*n));

	if (!n) {
		b->source->out_of_memory = true;
		return NULL;
	}
	n->kind = kind;
	n->offset = start ? start->input_pos : b->offset;
	n->length = start && end && end->input_pos > n->offset ? end->input_pos - n->offset : 1;
	return n;
}

/*
 * libfyaml 0.7.12 misreads two escaped quotes in a row ('x''''y' is x''y, but comes back as x''') and leaks memory from
 * five on (fy_atom_format_text()): such a text is not asked for.
 */
static bool misread(const struct builder *b, const struct node *n, struct fy_token *token)
{
	static const char quotes[] = "''''";

	return fy_token_scalar_style(token) == FYSS_SINGLE_QUOTED && n->offset + n->length <= b->source->length &&
	       memmem(b->source->text + n->offset, n->length, quotes, strlen(quotes));
}

/* Is there anything between its marks? Then a token without text is one for which there was no memory. */
static bool spans(struct fy_event *event)
{
	const struct fy_mark *start = fy_event_start_mark(event), *end = fy_event_end_mark(event);
	return start && end && end->input_pos > start->input_pos;
}

static struct node *build_scalar(struct builder *b)
{
	auto_node struct node *n = node_new(b, NODE_SCALAR);
	struct fy_token *token = b->event->scalar.value;
	size_t length = 0;

	if (!n)
		return NULL;
	bool unreadable = token && misread(b, n, token);
	n->plain = !token || fy_token_scalar_style(token) == FYSS_PLAIN;
	/* Quotes are outside the token's marks. */
	if (!n->plain && n->offset > 0 && strchr("\"'", b->source->text[n->offset - 1])) {
		n->offset--;
		n->length += 2;
	}
	if (unreadable) {
		node_error(b->source, n, "use double quotes around them", "two single quotes in a row");
		return NULL;
	}
	const char *text = token ? fy_token_get_text(token, &length) : "";
	if ((!text || (n->plain && length == 0)) && spans(b->event)) {
		b->source->out_of_memory = true;
		return NULL;
	}
	if (text && memchr(text, '\0', length)) {
		node_error(b->source, n, NULL, "NUL byte in a text");
		return NULL;
	}
	n->text = strndup(text ? text : "", length);
	if (!n->text) {
		b->source->out_of_memory = true;
		return NULL;
	}
	return steal(n);
}

static bool append(struct builder *b, struct node *parent, struct node *child)
{
	if (parent->count == ENTRIES_MAX) {
		node_error(b->source, child, NULL, "too many entries (at most %d)", ENTRIES_MAX);
		node_free(child);
		return false;
	}
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->count++;
	return true;
}

static struct node *build(struct builder *b);

static struct node *build_pair(struct builder *b, const struct node *map)
{
	auto_node struct node *key = build(b);

	if (!key)
		return NULL;
	if (key->kind != NODE_SCALAR || node_is_null(key)) {
		node_error(b->source, key, NULL, "a key must be a word");
		return NULL;
	}
	const struct node *twin = node_get(map, key->text);
	if (twin) {
		node_error(b->source, key, NULL, "duplicate key '%s' (first given in line %u)", key->text,
			   source_line(b->source, twin->key->offset));
		return NULL;
	}
	if (!next_event(b))
		return NULL;
	struct node *value = build(b);
	if (value)
		value->key = steal(key);
	return value;
}

static struct node *build_collection(struct builder *b, enum node_kind kind, enum fy_event_type end)
{
	auto_node struct node *n = node_new(b, kind);

	if (!n)
		return NULL;
	b->depth++;
	for (;;) {
		if (!next_event(b))
			return NULL;
		if (b->event->type == end)
			break;
		struct node *child = kind == NODE_MAP ? build_pair(b, n) : build(b);
		if (!child || !append(b, n, child))
			return NULL;
	}
	b->depth--;
	return steal(n);
}

/* The node that begins with the event at hand; NULL on any error. */
static struct node *build(struct builder *b)
{
	if (refused(b))
		return NULL;
	switch (b->event->type) {
	case FYET_SCALAR:
		return build_scalar(b);
	case FYET_MAPPING_START:
		return build_collection(b, NODE_MAP, FYET_MAPPING_END);
	case FYET_SEQUENCE_START:
		return build_collection(b, NODE_LIST, FYET_SEQUENCE_END);
	default:
		return NULL;
	}
}

static struct node *build_document(struct builder *b)
{
	auto_node struct node *root = NULL;

	while (next_event(b)) {
		switch (b->event->type) {
		case FYET_STREAM_START:
		case FYET_DOCUMENT_END:
			break;
		case FYET_STREAM_END:
			return steal(root);
		case FYET_DOCUMENT_START:
			if (!root)
				break;
			source_error(b->source, b->offset, 3, NULL, "a manifest is one document only");
			return NULL;
		default:
			root = build(b);
			if (!root)
				return NULL;
			break;
		}
	}
	return NULL;
}

/* Length of the UTF-8 sequence at p, 0 when it is none (overlong forms and surrogates are none). */
static size_t utf8_length(const unsigned char *p, size_t left)
{
	static const struct {
		unsigned char mask, lead, length;
		uint32_t least;
	} forms[] = {{0x80, 0x00, 1, 0}, {0xe0, 0xc0, 2, 0x80}, {0xf0, 0xe0, 3, 0x800}, {0xf8, 0xf0, 4, 0x10000}};

	for (size_t f = 0; f < ARRAY_SIZE(forms); f++) {
		if ((*p & forms[f].mask) != forms[f].lead)
			continue;
		if (forms[f].length > left)
			return 0;
		uint32_t code = *p & (unsigned char)~forms[f].mask;
		for (size_t i = 1; i < forms[f].length; i++) {
			if ((p[i] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | (p[i] & 0x3f);
		}
		bool good = code >= forms[f].least && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
		return good ? forms[f].length : 0;
	}
	return 0;
}

/* libfyaml ends silently at some of these bytes and guesses encodings at others. */
static bool bytes_good(struct source *s)
{
	for (size_t i = 0; i < s->length;) {
		unsigned char c = (unsigned char)s->text[i];
		size_t length = utf8_length((const unsigned char *)s->text + i, s->length - i);
		if (c == '\0') {
			source_error(s, i, 1, NULL, "NUL byte");
			return false;
		}
		if (length == 0) {
			s->not_utf8 = true;
			source_error(s, i, 1, NULL, "byte 0x%02x is not UTF-8", c);
			return false;
		}
		if ((c < ' ' && c != '\n' && c != '\t' && c != '\r') || c == 0x7f) {
			source_error(s, i, 1, NULL, "control character 0x%02x", c);
			return false;
		}
		i += length;
	}
	return true;
}

/* Byte offset of a line and column as libfyaml counts them, both from 1. */
static size_t offset_of(const struct source *s, int line, int column)
{
	size_t i = 0;

	for (; line > 1 && i < s->length; i++)
		line -= s->text[i] == '\n';
	for (; column > 1 && i < s->length && s->text[i] != '\n'; column--) {
		size_t length = utf8_length((const unsigned char *)s->text + i, s->length - i);
		i += length ? length : 1;
	}
	return i;
}

/* Why the parser stopped: its first error, at its own place. */
static void report_parser(struct builder *b, struct fy_diag *diag)
{
	void *iterator = NULL;
	const struct fy_diag_error *error = fy_diag_errors_iterate(diag, &iterator);

	if (error)
		source_error(b->source, offset_of(b->source, error->line, error->column), 1, NULL, "%s", error->msg);
	else if (b->source->error_count == 0 && b->event && b->event->type == FYET_STREAM_END)
		source_error(b->source, 0, 1, NULL, "the manifest is empty");
	else if (b->source->error_count == 0)
		source_error(b->source, b->offset, 1, NULL, "this cannot be read as YAML");
}

/*
 * libfyaml ends without a word, or with one about the text, where an allocation of its own fails. What is wrong with
 * the text is wrong again: only the second time it is believed.
 */
static struct node *parse_with(struct builder *b, struct fy_diag *diag, bool believe, bool *ret_again)
{
	const struct fy_parse_cfg config = {
		.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_JSON_NONE | FYPCF_DEFAULT_VERSION_1_2,
		.diag = diag,
	};
	struct node *root = NULL;

	b->parser = fy_parser_create(&config);
	if (!b->parser || fy_parser_set_string(b->parser, b->source->text, b->source->length) != 0) {
		b->source->out_of_memory = true;
	} else {
		root = build_document(b);
		*ret_again = !root && !b->source->out_of_memory && b->source->error_count == 0 && !believe;
		if (!root && !b->source->out_of_memory && !*ret_again)
			report_parser(b, diag);
	}
	if (b->event)
		fy_parser_event_free(b->parser, b->event);
	fy_parser_destroy(b->parser);
	return root;
}

static struct node *parse(struct source *s, bool believe, bool *ret_again)
{
	struct builder b = {.source = s};
	struct fy_diag_cfg config;

	fy_diag_cfg_default(&config);
	config.fp = NULL;
	config.colorize = false;
	struct fy_diag *diag = fy_diag_create(&config);
	if (!diag) {
		s->out_of_memory = true;
		return NULL;
	}
	fy_diag_set_collect_errors(diag, true);
	struct node *root = parse_with(&b, diag, believe, ret_again);
	fy_diag_destroy(diag);
	return root;
}

struct node *node_parse(struct source *s)
{
	bool again = false;

	if (!bytes_good(s))
		return NULL;
	struct node *root = parse(s, false, &again);
	return again ? parse(s, true, &again) : root;
}
