// SPDX-License-Identifier: MIT
/*
 * What a refused program made of it. See reported.h.
 */
#include "reported.h"

#include <string.h>

#include "cleanup.h"
#include "report-text.h"

#define ERRNO_MAX 133
#define LINE_MAX_ 256

/* The error whose text stands in the line, the longest if several do; *ret_at is where. 0 for none. */
static int error_in(const char *line, const char **ret_at)
{
	size_t longest = 0;
	int error = 0;
	for (int e = 1; e <= ERRNO_MAX; e++) {
		const char *words = strerrordesc_np(e), *at = words ? strstr(line, words) : NULL;
		/* After a blank or at the beginning, before one or at the end: not within a word. */
		if (!at || strlen(words) <= longest || (at > line && at[-1] != ' ') ||
		    (at[strlen(words)] && !strchr(" .,;:)", at[strlen(words)])))
			continue;
		longest = strlen(words);
		error = e;
		*ret_at = at;
	}
	return error;
}

/* The name before the error's text: without its colon, and of a path only the end. */
static void trim_name(char *name)
{
	size_t length = strlen(name);
	while (length && strchr(": ", name[length - 1]))
		length--;
	name[length] = '\0';
	size_t first_word = strcspn(name, " :");
	const char *slash = memrchr(name, '/', first_word);
	if (slash)
		memmove(name, slash + 1, strlen(slash));
}

/* What follows, without blanks and without parentheses around all of it. */
static void trim_more(char *more)
{
	size_t skip = strspn(more, " "), length = strlen(more);
	if (more[skip] == '(' && more[length - 1] == ')') {
		skip++;
		length--;
	}
	memmove(more, more + skip, length - skip);
	more[length - skip] = '\0';
}

/* What interpreters say of refused memory and tasks in words of their own, with no errno's text among them. */
static const struct {
	const char *words, *by; /* by: whose they are, where no name stands before them */
} own_words[] = {
	{"MemoryError", "python"},
	{"can't start new thread", "python"},
	{"Out of memory!", "perl"},
	{"cannot allocate", "bash"},
};

/* At the end of the line, or before the size that was asked for, which is no part of the words. */
static json_t *own_words_in(char *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(own_words); i++) {
		char *at = strstr(line, own_words[i].words);
		const char *after = at ? at + strlen(own_words[i].words) : NULL;
		if (!at || (at > line && at[-1] != ' ') ||
		    (*after && (*after != ' ' || !strspn(after + 1, "0123456789"))))
			continue;
		*at = '\0';
		trim_name(line);
		return json_pack("{s:s, s:s}", "called", *line ? line : own_words[i].by, "errno", own_words[i].words);
	}
	return NULL;
}

/*
 * Where a log's date and time stand before what it says, they are gone, with the process and the level that may come
 * after them: "2026-11-28 14:57:34.340 GMT [2] ", "2026/11/28 14:57:31 [alert] 2#2: ".
 */
static void drop_stamp(char *line)
{
	const char *rest = line;
	unsigned digits = (unsigned)strspn(line, "0123456789");
	size_t date = strcspn(line, " ");
	if (digits != 4 || (line[digits] != '-' && line[digits] != '/') || line[date - 1] == ':')
		return;
	for (;;) {
		size_t word = strcspn(rest, " "), stamp = strspn(rest, "0123456789-/:.,+#TZ");
		bool bracketed = word > 1 && rest[0] == '[' && rest[word - 1] == ']';
		bool zone = word == 3 && (!strncmp(rest, "GMT", 3) || !strncmp(rest, "UTC", 3));
		if (!word || rest[word] != ' ' || (stamp < word && !bracketed && !zone))
			break;
		rest += word + strspn(rest + word, " ");
	}
	memmove(line, rest, strlen(rest) + 1);
}

static json_t *reported_in_line(const char *text, size_t length)
{
	char raw[LINE_MAX_], line[LINE_MAX_], more[LINE_MAX_];
	const char *at = NULL;
	(void)snprintf(raw, sizeof(raw), "%.*s", (int)length, text);
	(void)text_clean(raw, false, line, sizeof(line));
	drop_stamp(line);
	int error = error_in(line, &at);
	if (!error)
		return own_words_in(line);
	(void)snprintf(more, sizeof(more), "%s", at + strlen(strerrordesc_np(error)));
	trim_more(more);
	line[at - line] = '\0';
	trim_name(line);
	json_t *reported = json_pack("{s:s, s:s}", "called", line, "errno", strerrorname_np(error));
	if (reported && *more && json_object_set_new(reported, "more", json_string(more)) < 0) {
		json_decref(reported);
		return NULL;
	}
	return reported;
}

json_t *reported_in(const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");
		json_t *reported = reported_in_line(text, length);
		if (reported)
			return reported;
		text += length + (text[length] == '\n');
	}
	return NULL;
}

/* References made before they kept it hold it where the manifest asks for it: the check 'says "..."'. */
static json_t *reported_in_checks(const json_t *run)
{
	const json_t *check = NULL;
	char words[LINE_MAX_];
	size_t i;
	json_array_foreach (json_object_get(run, "checks"), i, check) {
		const char *what = text_of(check, "what");
		if (strncmp(what, "says \"", 6) != 0 || !json_is_true(json_object_get(check, "ok")))
			continue;
		(void)snprintf(words, sizeof(words), "%s", what + 6);
		words[strcspn(words, "\"")] = '\0';
		json_t *reported = reported_in(words);
		if (reported)
			return reported;
	}
	return NULL;
}

json_t *reported_by(const json_t *run)
{
	json_t *kept = json_object_get(run, "reported");
	if (kept)
		return json_incref(kept);
	if (json_object_get(run, "output"))
		return reported_in(text_of2(run, "output", "stderr"));
	return reported_in_checks(run);
}
