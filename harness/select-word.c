// SPDX-License-Identifier: MIT
/*
 * SCENARIO/CASE: where the scenario's name ends, and what of the scenario is meant. See select.h.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "cleanup.h"
#include "manifest-internal.h"
#include "report-text.h"
#include "say.h"
#include "select.h"
#include "triage.h"

static bool has_manifest(const char *tree, const char *name, size_t length)
{
	char path[2 * PATH_MAX];
	(void)snprintf(path, sizeof(path), "%s%s%.*s/scenario.yaml", tree, *tree ? "/" : "", (int)length, name);
	return access(path, F_OK) == 0;
}

/* Case names may have slashes as well. */
const char *select_split(const char *tree, const char *word)
{
	if (!strchr(word, '/') || has_manifest("", word, strlen(word)))
		return NULL;
	for (const char *slash = strchr(word, '/'); slash; slash = strchr(slash + 1, '/')) {
		bool plain = memchr(word, '/', (size_t)(slash - word)) == NULL;
		if (slash > word && slash[1] && has_manifest(plain ? tree : "", word, (size_t)(slash - word)))
			return slash;
	}
	/* Neither: what stands before the first slash is what the reader is told about, but for "./x". */
	const char *first = strchr(word, '/');
	return first > word && first[1] && word[0] != '.' ? first : NULL;
}

/* How it is typed, quoted where a shell needs it. */
static const char *typed(const char *scenario, const char *rest, char *buf, size_t size)
{
	char word[TEXT_MAX];
	(void)snprintf(word, sizeof(word), "%s/%s", scenario, rest);
	return triage_quote(word, buf, size);
}

bool select_hint_case(const char *tree, const char *word)
{
	char quoted[2 * TEXT_MAX], name[NAME_MAX + 1], class[NAME_MAX + 1];
	const char *colon = strstr(word, ": "), *dot = strchr(word, '.');
	if (!colon || strchr(word, '/'))
		return false;
	/* TAP has the class before it. */
	(void)snprintf(class, sizeof(class), "%.*s", dot ? (int)(dot - word) : 0, word);
	if (dot && dot < colon && words_class.knows(class))
		word = dot + 1;
	if (!has_manifest(tree, word, (size_t)(colon - word)))
		return false;
	(void)snprintf(name, sizeof(name), "%.*s", (int)(colon - word), word);
	say_hint("a case is named with a slash: %s", typed(name, colon + 2, quoted, sizeof(quoted)));
	return true;
}

/* Is this trigger meant, in this case? "CASE", "TRIGGER" or "CASE: TRIGGER". */
static bool is_meant(const struct case_text *c, const struct run_text *run, const char *rest)
{
	if (strcmp(run->name, rest) == 0)
		return true;
	size_t length = c ? strlen(c->name) : 0;
	return c && strncmp(c->name, rest, length) == 0 &&
	       (rest[length] == '\0' ||
		(strncmp(rest + length, ": ", 2) == 0 && strcmp(rest + length + 2, run->name) == 0));
}

static int tell_cases(const struct scenario *s, const char *word, const char *rest)
{
	auto_free const char **names = calloc(s->case_count + s->run_count + 1, sizeof(char *));
	char list[8 * TEXT_MAX] = "", quoted[2 * TEXT_MAX];
	size_t count = 0;
	for (size_t c = 0; names && c < s->case_count; c++)
		names[count++] = s->cases[c].name;
	for (size_t i = 0; names && !s->case_count && i < s->run_count; i++)
		if (s->runs[i].role == ROLE_TRIGGER)
			names[count++] = s->runs[i].name;
	const char *near = words_nearest(names, count, rest);
	(void)say_error(0, "%s: %s has no such case or trigger", word, s->name);
	for (size_t i = 0; !near && i < count; i++)
		text_add(list, sizeof(list), "%s%s", i ? ", " : "", typed(s->name, names[i], quoted, sizeof(quoted)));
	if (near)
		say_hint("did you mean %s? `enomem run -v %s` shows them all",
			 typed(s->name, near, quoted, sizeof(quoted)), s->name);
	else
		say_hint("there are: %s", list);
	return -EINVAL;
}

static bool run_has_case(const struct run_text *run, const struct case_text *c)
{
	for (size_t i = 0; c && i < run->cases.count; i++)
		if (strcmp(run->cases.item[i], c->name) == 0)
			return true;
	return run->cases.count == 0;
}

/* Of the case; *ret_any says whether any is. In a case that is meant, the triggers that are not are left out. */
static void mark_triggers(struct scenario *s, const struct case_text *c, const char *rest, bool *ret_any)
{
	*ret_any = false;
	for (unsigned pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < s->run_count; i++) {
			struct run_text *run = &s->runs[i];
			if (run->role != ROLE_TRIGGER || !run_has_case(run, c))
				continue;
			if (pass == 0)
				*ret_any |= is_meant(c, run, rest);
			else
				run->left_out = *ret_any && !is_meant(c, run, rest);
		}
}

int select_keep(struct scenario *s, const char *word, const char *rest)
{
	bool any = false, meant;
	for (size_t c = 0; c < s->case_count; c++) {
		mark_triggers(s, &s->cases[c], rest, &meant);
		s->cases[c].left_out = !meant;
		any |= meant;
	}
	if (s->case_count == 0)
		mark_triggers(s, NULL, rest, &any);
	return any ? 0 : tell_cases(s, word, rest);
}
