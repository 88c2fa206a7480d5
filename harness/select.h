// SPDX-License-Identifier: MIT
/*
 * Which scenarios are meant: all of the tree, some by name or pattern, or directories anywhere; and of these those of
 * a class, a scope, an errno or a cause.
 */
#pragma once

#include "manifest.h"

struct selection {
	struct scenario **item;
	size_t count;
};

/*
 * Read the manifests of the named scenarios ("pids-max", "pids-*"), directories (anything with a '/'), or all of the
 * tree when none is named. A pattern adds what is not there yet; when one matches nothing, this is told and nothing is
 * selected. SCENARIO/CASE leaves out the other cases, SCENARIO/TRIGGER and SCENARIO/CASE: TRIGGER the other triggers.
 * `tree` is --scenarios, or NULL for the tree this program belongs to. -EINVAL after telling what is wrong;
 * -ENOENT likewise for an unknown name.
 */
int select_scenarios(const char *tree, char *const *names, size_t count, struct selection *ret);
void selection_free(struct selection *s);

/* Where the name of the scenario ends in SCENARIO/CASE: at a slash of the word; NULL for a word without a case. */
const char *select_split(const char *tree, const char *word);
/* Leave out of a scenario what `rest`, which follows the slash of `word`, does not name. -EINVAL after telling what
 * there is. */
int select_keep(struct scenario *s, const char *word, const char *rest);
/* Was it typed as reports have it in sentences, "pids-max: fork"? Then a hint tells how it is to be typed. */
bool select_hint_case(const char *tree, const char *word);

enum select_dimension { SELECT_CLASS, SELECT_SCOPE, SELECT_ERRNO, SELECT_CAUSE, SELECT_DIMENSIONS };

#define SELECT_WORDS_MAX 32
#define SELECT_WORD_MAX  48
/* The names given to each option; none: whatever. */
struct select_filter {
	char word[SELECT_DIMENSIONS][SELECT_WORDS_MAX][SELECT_WORD_MAX];
	unsigned count[SELECT_DIMENSIONS];
};

/* The rows of these options, for every command that takes scenarios. */
enum { OPT_SELECT_CLASS = 1024, OPT_SELECT_SCOPE, OPT_SELECT_ERRNO, OPT_SELECT_CAUSE };
#define SELECT_OPTION_ROWS                                                                                             \
	{"class", OPT_SELECT_CLASS, "CLASS,...", "only scenarios of these classes (repeatable, as the next three)"},   \
		{"scope", OPT_SELECT_SCOPE, "SCOPE,...", "only of these scopes: process, cgroup, namespace, machine"}, \
		{"errno", OPT_SELECT_ERRNO, "ERRNO,...",                                                               \
		 "only with a trigger that ends so: ENOMEM, SIGKILL, stall, panic, ..."},                              \
	{                                                                                                              \
		"cause", OPT_SELECT_CAUSE, "CAUSE,...", "only with a trigger that this limit refuses: rlimit-as, ..."  \
	}

/* One of these options: 0, or the exit status after telling which name nobody knows. -1 for any other letter. */
int select_option(int letter, const char *value, struct select_filter *filter);
/* What --errno may be, one by one, with "" among them; NULL at the end. */
const char *select_outcome_at(unsigned index);
bool select_any(const struct select_filter *filter);
/* Is the scenario of the class and scope, and has it one trigger of the errno and the cause? */
bool select_fits(const struct select_filter *filter, const struct scenario *scenario);
/* What a command works on: 0, or the exit status after telling why nothing is selected. */
int select_chosen(const char *tree, char *const *names, size_t count, const struct select_filter *filter,
		  struct selection *ret);

/* The directory of scenarios: the one given, that of the environment, beside the build's harness, or where the install
 * put it. -ENOENT after telling. */
int select_tree(const char *given, char *ret, size_t size);
/* The same where none was given, told to nobody. */
int select_tree_quietly(char *ret, size_t size);

/* Absolute path of this program, or NULL. */
const char *select_self(void);
/* The program that guests run and that plays the stage: enomem-guest where it was built, else this one. */
const char *select_guest_self(void);
