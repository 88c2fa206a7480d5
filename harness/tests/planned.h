// SPDX-License-Identifier: MIT
/*
 * Scenarios of a text and plans of scenarios, for tests that want what is said of them.
 */
#pragma once

#include <stdio.h>
#include <string.h>

#include "manifest.h"
#include "plan.h"

/* What manifest_parse() and plan_make() said the last time. */
static char messages[4096];

static inline struct scenario *parse(const char *text)
{
	struct scenario *s = NULL;
	FILE *f = fmemopen(messages, sizeof(messages), "w");
	assert_non_null(f);
	int r = manifest_parse(text, strlen(text), "dir/scenario.yaml", f, &s);
	fclose(f);
	if (r != 0)
		fail_msg("%s", messages);
	return s;
}

static inline int make(const struct scenario *s, const struct machine *m, struct plan **ret)
{
	memset(messages, 0, sizeof(messages));
	FILE *f = fmemopen(messages, sizeof(messages), "w");
	assert_non_null(f);
	int r = plan_make(s, m, f, ret);
	fclose(f);
	return r;
}

static inline struct plan *plan_of(const struct scenario *s, const struct machine *m)
{
	struct plan *p = NULL;
	if (make(s, m, &p) != 0)
		fail_msg("%s", messages);
	return p;
}
