// SPDX-License-Identifier: MIT
/*
 * The stages of reading a manifest: text -> nodes that know their place -> scenario (by tables) -> checks across keys.
 */
#pragma once

#include "manifest.h"

/* The text under way and what was found wrong with it. */
struct source {
	const char *file, *text;
	size_t length;
	FILE *errors;
	unsigned error_count;
	bool not_utf8; /* show no byte above 127 */
	bool out_of_memory;
};

/* Report one error: file:line:column, the line, a caret under [offset, offset + length), and the hint (or NULL). */
__attribute__((format(printf, 5, 6))) void source_error(struct source *s, size_t offset, size_t length,
							const char *hint, const char *format, ...);

/* The line of a byte, from 1. */
unsigned source_line(const struct source *s, size_t offset);

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	bool plain;            /* a scalar without quotes */
	size_t offset, length; /* in the text */
	char *text;            /* of a scalar */
	struct node *key;      /* of a value in a map, always a scalar */
	struct node *first, *last, *next;
	size_t count;
};

#define node_error(s, n, hint, ...) source_error((s), (n)->offset, (n)->length, (hint), __VA_ARGS__)

/* Text to nodes. NULL after an error was reported, or when out of memory. */
struct node *node_parse(struct source *s);
void node_free(struct node *n);
void node_freep(struct node **n);
#define auto_node __attribute__((cleanup(node_freep)))

/* The value of a key, the item at an index; NULL when n is NULL or there is none. */
const struct node *node_get(const struct node *n, const char *key);
const struct node *node_at(const struct node *n, size_t index);
/* Nothing was written: "key:", "~" or "null" without quotes. */
bool node_is_null(const struct node *n);

/* A closed set of words. at() counts from 0 and ends with NULL; "" is a gap. */
struct words {
	const char *what; /* "cause", as in "unknown cause" */
	bool (*knows)(const char *word);
	const char *(*at)(unsigned index);
};
extern const struct words words_call, words_errno, words_signal, words_si_code, words_cause, words_rlimit, words_cgroup,
	words_class, words_namespace_sysctl, words_ipc_sysctl, words_swap_on, words_knobs, words_tmpfs, words_scope,
	words_role, words_cpus, words_cgroup_version, words_controller, words_capability;

/* Is the node one of the words? Reports when it is not, with the nearest one. */
bool words_check(struct source *s, const struct words *words, const struct node *n);
/* "did you mean 'X'?" in buf when some word is near enough, else NULL. */
const char *words_hint(const struct words *words, const char *word, char *buf, size_t size);
/* Of a list, the one that was perhaps meant; NULL when none is near enough. */
const char *words_nearest(const char *const *list, size_t count, const char *word);

/* Checks of one scalar each; they report what is wrong. n->key is the setting's name where the value belongs to one. */
typedef void (*scalar_check)(struct source *s, const struct node *n);
void check_scenario_name(struct source *s, const struct node *n);
void check_label(struct source *s, const struct node *n);
void check_program(struct source *s, const struct node *n);
void check_duration(struct source *s, const struct node *n);
void check_rlimit(struct source *s, const struct node *n);
void check_cgroup_limit(struct source *s, const struct node *n);
void check_sysctl(struct source *s, const struct node *n);
void check_ram(struct source *s, const struct node *n);
void check_sys(struct source *s, const struct node *n);
void check_tmpfs(struct source *s, const struct node *n);
void check_swap(struct source *s, const struct node *n);
void check_inject(struct source *s, const struct node *n);
void check_panic(struct source *s, const struct node *n);
void check_oom_kills(struct source *s, const struct node *n);
void check_note(struct source *s, const struct node *n);
void check_identity(struct source *s, const struct node *n);
void check_oom_score_adj(struct source *s, const struct node *n);
void check_argument(struct source *s, const struct node *n);
void check_exit(struct source *s, const struct node *n);
void check_kernel(struct source *s, const struct node *n);
void check_tool(struct source *s, const struct node *n);
void check_brought(struct source *s, const struct node *n);
void check_left_side(struct source *s, const struct node *n);
void check_right_side(struct source *s, const struct node *n);
void check_within(struct source *s, const struct node *n);
void check_varied_argument(struct source *s, const struct node *n);
void check_varied_setting(struct source *s, const struct node *n);
void check_locate_amount(struct source *s, const struct node *n);
void check_locate_step(struct source *s, const struct node *n);
void check_predicted(struct source *s, const struct node *n);

/* Nodes to a scenario, by the tables. NULL when out of memory; errors are reported and counted. */
struct scenario *schema_read(struct source *s, const struct node *root);
void schema_free(struct scenario *scenario);

/* The whole file, or its first MANIFEST_MAX_BYTES + 1 bytes. -errno */
int manifest_read_text(const char *path, char **ret_text, size_t *ret_length);

/* What no single key can show: names, roles, scopes, complete expectations. Reports. */
void manifest_check(struct source *s, const struct scenario *scenario, const struct node *root);
/* What --locate needs to know of every case that it varies something in: complete, and about something that is there.
 */
void manifest_check_locate(struct source *s, const struct scenario *scenario, const struct node *root);
/* Does every value reach no further than the scope of the runs that get it? */
void manifest_check_scopes(struct source *s, const struct scenario *scenario, const struct node *root);
