// SPDX-License-Identifier: MIT
/*
 * --class, --scope, --errno and --cause: which of the scenarios at hand are meant. See select.h.
 */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "manifest-internal.h"
#include "say.h"
#include "select.h"

/* What an errno may be besides: how a failure looks that has none. */
static const char *const other_outcomes[] = {"stall", "panic"};

static bool is_other_outcome(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(other_outcomes); i++)
		if (strcmp(word, other_outcomes[i]) == 0)
			return true;
	return false;
}

const char *select_outcome_at(unsigned index)
{
	static const struct words *const sets[] = {&words_errno, &words_signal};
	for (size_t s = 0; s < ARRAY_SIZE(sets); s++) {
		unsigned count = 0;
		while (sets[s]->at(count))
			count++;
		if (index < count)
			return sets[s]->at(index);
		index -= count;
	}
	return index < ARRAY_SIZE(other_outcomes) ? other_outcomes[index] : NULL;
}

static bool outcome_knows(const char *word)
{
	return words_errno.knows(word) || words_signal.knows(word) || is_other_outcome(word);
}

static const struct {
	int letter;
	const char *option;
	const struct words *words;
} dimensions[SELECT_DIMENSIONS] = {
	[SELECT_CLASS] = {OPT_SELECT_CLASS, "class", &words_class},
	[SELECT_SCOPE] = {OPT_SELECT_SCOPE, "scope", &words_scope},
	[SELECT_ERRNO] = {OPT_SELECT_ERRNO, "errno", &words_errno},
	[SELECT_CAUSE] = {OPT_SELECT_CAUSE, "cause", &words_cause},
};

/* "did you mean 'ENOMEM'?", or all there are where nothing is near. */
static void hint(enum select_dimension d, const char *word)
{
	const struct words *words = dimensions[d].words;
	const char *near, *known;
	char buf[96], list[2048] = "";
	near = words_hint(words, word, buf, sizeof(buf));
	if (!near && d == SELECT_ERRNO)
		near = words_hint(&words_signal, word, buf, sizeof(buf));
	if (near) {
		say_hint("%s", near);
		return;
	}
	if (d == SELECT_ERRNO) {
		say_hint("an errno such as ENOMEM, a signal such as SIGKILL, stall or panic");
		return;
	}
	for (unsigned i = 0; (known = words->at(i)); i++) {
		size_t used = strlen(list);
		(void)snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", known);
	}
	say_hint("one of %s", list);
}

static int check_word(enum select_dimension d, const char *word)
{
	const char *option = dimensions[d].option;
	if (d == SELECT_ERRNO ? outcome_knows(word) : dimensions[d].words->knows(word))
		return 0;
	if (*word)
		(void)say_error(0, "--%s: unknown %s '%s'", option, option, word);
	else
		(void)say_error(0, "--%s: an empty name in the list", option);
	hint(d, word);
	return -EINVAL;
}

/* Every word of a comma-separated list. */
static int add_words(struct select_filter *f, enum select_dimension d, const char *list)
{
	char word[SELECT_WORD_MAX];
	for (const char *at = list;; at++) {
		size_t length = strcspn(at, ",");
		(void)snprintf(word, sizeof(word), "%.*s", (int)length, at);
		if (check_word(d, word) < 0)
			return EXIT_USAGE;
		if (f->count[d] == SELECT_WORDS_MAX) {
			(void)say_error(0, "--%s: more than %d names", dimensions[d].option, SELECT_WORDS_MAX);
			return EXIT_USAGE;
		}
		(void)snprintf(f->word[d][f->count[d]++], SELECT_WORD_MAX, "%s", word);
		at += length;
		if (!*at)
			return 0;
	}
}

int select_option(int letter, const char *value, struct select_filter *filter)
{
	for (enum select_dimension d = 0; d < SELECT_DIMENSIONS; d++)
		if (letter == dimensions[d].letter)
			return add_words(filter, d, value);
	return -1;
}

bool select_any(const struct select_filter *filter)
{
	for (enum select_dimension d = 0; d < SELECT_DIMENSIONS; d++)
		if (filter->count[d])
			return true;
	return false;
}

static bool wanted(const struct select_filter *f, enum select_dimension d, const char *word)
{
	for (unsigned i = 0; word && i < f->count[d]; i++)
		if (strcmp(f->word[d][i], word) == 0)
			return true;
	return false;
}

/* The last level that says something: the run, else the case, else the scenario. */
#define SAID(levels, member)                                                                                           \
	((levels)[0] && (levels)[0]->member   ? (levels)[0]->member                                                    \
	 : (levels)[1] && (levels)[1]->member ? (levels)[1]->member                                                    \
					      : (levels)[2]->member)

static bool stalls(const struct expect *const levels[3])
{
	for (unsigned i = 0; i < 3; i++)
		if (levels[i] && levels[i]->has_stall)
			return levels[i]->stall;
	return false;
}

/* Does a trigger that expects this show what is asked for? One that is refused and then dies of it shows both. */
static bool trigger_fits(const struct select_filter *f, const struct expect *const levels[3])
{
	if (f->count[SELECT_CAUSE] && !wanted(f, SELECT_CAUSE, SAID(levels, cause)))
		return false;
	if (!f->count[SELECT_ERRNO])
		return true;
	return wanted(f, SELECT_ERRNO, SAID(levels, error)) || wanted(f, SELECT_ERRNO, SAID(levels, signal)) ||
	       (SAID(levels, panic) && wanted(f, SELECT_ERRNO, "panic")) ||
	       (stalls(levels) && wanted(f, SELECT_ERRNO, "stall"));
}

static bool run_has_case(const struct run_text *run, const char *name)
{
	for (size_t i = 0; i < run->cases.count; i++)
		if (strcmp(run->cases.item[i], name) == 0)
			return true;
	return run->cases.count == 0;
}

static bool any_trigger_fits(const struct select_filter *f, const struct scenario *s)
{
	for (size_t r = 0; r < s->run_count; r++) {
		const struct run_text *run = &s->runs[r];
		if (run->role != ROLE_TRIGGER || run->left_out)
			continue;
		if (s->case_count == 0 && trigger_fits(f, (const struct expect *[]){&run->expect, NULL, &s->expect}))
			return true;
		for (size_t c = 0; c < s->case_count; c++)
			if (!s->cases[c].left_out && run_has_case(run, s->cases[c].name) &&
			    trigger_fits(f, (const struct expect *[]){&run->expect, &s->cases[c].expect, &s->expect}))
				return true;
	}
	return false;
}

bool select_fits(const struct select_filter *f, const struct scenario *s)
{
	if (f->count[SELECT_CLASS] && !wanted(f, SELECT_CLASS, s->class_name))
		return false;
	if (f->count[SELECT_SCOPE] && !wanted(f, SELECT_SCOPE, scope_names[s->scope]))
		return false;
	return (!f->count[SELECT_ERRNO] && !f->count[SELECT_CAUSE]) || any_trigger_fits(f, s);
}

int select_chosen(const char *tree, char *const *names, size_t count, const struct select_filter *filter,
		  struct selection *ret)
{
	struct selection s;
	size_t kept = 0;
	if (select_scenarios(tree, names, count, &s) < 0)
		return EXIT_USAGE;
	bool any = s.count > 0;
	for (size_t i = 0; i < s.count; i++) {
		if (select_fits(filter, s.item[i]))
			s.item[kept++] = s.item[i];
		else
			scenario_free(s.item[i]);
	}
	s.count = kept;
	if (kept) {
		*ret = s;
		return 0;
	}
	selection_free(&s);
	(void)say_error(0,
			any ? "nothing selected: no scenario fits all of that" : "nothing selected: no scenario there");
	if (any)
		say_hint("names, --class, --scope, --errno and --cause narrow down together; `enomem list` shows all");
	return EXIT_NOTHING_SELECTED;
}
