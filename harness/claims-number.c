// SPDX-License-Identifier: MIT
/*
 * Numbers that decide a claim. A result has them in its snapshots; a reference keeps none, only which checks of them
 * held: "failure.tasks is 6" tells whether it is above 5.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "claims.h"
#include "judge-check.h"
#include "number.h"
#include "report-text.h"

/* What is known of a number: between low and high, which are part of it or not. */
struct span {
	double low, high;
	bool above_low, below_high;
};

/* "6", "64K", "16 pages": so many bytes of a text */
static bool term_of(const char *text, size_t length, double *ret)
{
	char term[64], *blank;
	uint64_t number;
	if (length >= sizeof(term))
		return false;
	(void)snprintf(term, sizeof(term), "%.*s", (int)length, text);
	blank = strchr(term, ' ');
	bool pages = blank && (!strcmp(blank, " page") || !strcmp(blank, " pages"));
	if (pages)
		*blank = '\0';
	if (number_parse_size(term, &number) < 0)
		return false;
	*ret = (double)number * (pages ? 4096 : 1);
	return true;
}

/* Such terms, or their sum: "24M + 1 page". What only the machine knows is no number. */
static bool number_of(const char *text, double *ret)
{
	static const char plus[] = " + ";
	double term;
	*ret = 0;
	for (;;) {
		const char *end = strstr(text, plus);
		if (!term_of(text, end ? (size_t)(end - text) : strlen(text), &term))
			return false;
		*ret += term;
		if (!end)
			return true;
		text = end + strlen(plus);
	}
}

static struct span span_of(enum relation relation, double right)
{
	switch (relation) {
	case REL_IS:
		return (struct span){.low = right, .high = right};
	case REL_AT_LEAST:
	case REL_ABOVE:
		return (struct span){.low = right, .high = INFINITY, .above_low = relation == REL_ABOVE};
	case REL_AT_MOST:
	case REL_BELOW:
		return (struct span){.low = -INFINITY, .high = right, .below_high = relation == REL_BELOW};
	default:
		return (struct span){.low = -INFINITY, .high = INFINITY};
	}
}

/* Is everything in the span at most, or below, a number? */
static bool all_below(struct span s, double right, bool strictly)
{
	return strictly ? s.high < right || (s.high == right && s.below_high) : s.high <= right;
}

static bool all_above(struct span s, double right, bool strictly)
{
	return strictly ? s.low > right || (s.low == right && s.above_low) : s.low >= right;
}

/* 1: all of the span has the relation to the number, 0: none of it, -ENOENT: some. */
static int relates(struct span s, enum relation relation, double right)
{
	bool below = all_below(s, right, true), above = all_above(s, right, true);
	bool at_most = all_below(s, right, false), at_least = all_above(s, right, false);
	switch (relation) {
	case REL_IS:
		return at_most && at_least ? 1 : below || above ? 0 : -ENOENT;
	case REL_AT_LEAST:
		return at_least ? 1 : below ? 0 : -ENOENT;
	case REL_ABOVE:
		return above ? 1 : at_most ? 0 : -ENOENT;
	case REL_AT_MOST:
		return at_most ? 1 : above ? 0 : -ENOENT;
	case REL_BELOW:
		return below ? 1 : at_least ? 0 : -ENOENT;
	default:
		return -ENOENT;
	}
}

/* Read "LEFT at least RIGHT" where LEFT is the claim's number. The right side, or NULL. */
static const char *right_of(const char *what, const char *left, enum relation *ret)
{
	size_t length = strlen(left);
	if (strncmp(what, left, length) != 0 || what[length] != ' ')
		return NULL;
	what += length + 1;
	for (unsigned i = 0; i < REL_COUNT; i++) {
		const char *name = relation_names[i], *c = what;
		while (*name && (*c == *name || (*c == ' ' && *name == '_')))
			c++, name++;
		if (*name || *c != ' ')
			continue;
		*ret = (enum relation)i;
		return c + 1;
	}
	return NULL;
}

/* "RIGHT within WITHIN" in the very words of the claim: no other one is known to be the same. */
static bool same_near(const struct check *number, const char *right)
{
	size_t length = strlen(number->right);
	return number->relation == REL_NEAR && !strncmp(right, number->right, length) &&
	       !strncmp(right + length, " within ", 8) && !strcmp(right + length + 8, number->within);
}

static int by_checks(const struct check *number, const json_t *run, json_t **ret_shown)
{
	const json_t *check = NULL;
	size_t i;
	json_array_foreach (json_object_get(run, "checks"), i, check) {
		enum relation relation;
		double theirs = 0, ours = 0;
		const char *what = text_of(check, "what"), *right = right_of(what, number->text, &relation);
		if (!right || !json_is_true(json_object_get(check, "ok")))
			continue;
		if (relation == REL_NEAR || number->relation == REL_NEAR) {
			if (relation != REL_NEAR || !same_near(number, right))
				continue;
			*ret_shown = json_string(what);
			return 1;
		}
		/* The same words mean the same, whatever number that is. */
		if (strcmp(right, number->right) != 0 &&
		    (!number_of(right, &theirs) || !number_of(number->right, &ours)))
			continue;
		int r = relates(span_of(relation, theirs), number->relation, ours);
		if (r < 0)
			continue;
		*ret_shown = json_string(what);
		return r;
	}
	return -ENOENT;
}

static int value_of(const struct judgement *j, const char *path, double *ret)
{
	__int128 value = 0;
	bool unlimited = false;
	if (judge_metric(j, path, &value, &unlimited) < 0)
		return -ENOENT;
	*ret = unlimited ? INFINITY : (double)value;
	return 0;
}

int claim_number(const struct check *number, const json_t *run, json_t **ret_shown)
{
	const struct judgement j = {.evidence = run, .cause = json_object_get(run, "cause")};
	double left = 0, minus = 0, right = 0;
	*ret_shown = NULL;
	if (number->relation == REL_NEAR || value_of(&j, number->value, &left) < 0 ||
	    (number->minus && value_of(&j, number->minus, &minus) < 0) ||
	    (!number_of(number->right, &right) && value_of(&j, number->right, &right) < 0))
		return by_checks(number, run, ret_shown);
	left -= minus;
	*ret_shown = isinf(left) ? json_sprintf("%s = unlimited", number->text)
				 : json_sprintf("%s = %.0f", number->text, left);
	return relates((struct span){.low = left, .high = left}, number->relation, right);
}
