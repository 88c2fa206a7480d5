// SPDX-License-Identifier: MIT
/*
 * A guest whose kernel panicked. No program ended, nobody counted after it: outcome, text and cause are all there is.
 */
#include <string.h>

#include "judge-check.h"
#include "report-text.h"

bool judge_is_panic(const json_t *evidence)
{
	return !strcmp(text_of2(evidence, "outcome", "kind"), "panic");
}

void judge_panic(struct judgement *j)
{
	const char *expected = j->run->expect.panic;
	const json_t *outcome = json_object_get(j->evidence, "outcome"), *text = json_object_get(outcome, "text");
	bool panicked = judge_is_panic(j->evidence), wanted = judge_must_fail(j->run) && expected;
	if (!wanted) {
		(void)judge_assert(j, false, judge_shown(text), NULL, "the kernel did not panic");
		j->prediction_failed = true;
		return;
	}
	bool ok = judge_assert(j, panicked, judge_shown(json_object_get(outcome, "kind")), judge_text("panic"),
			       "outcome is panic");
	/* An empty text would be found in any. */
	ok &= judge_assert(j, panicked && *expected && strstr(text_of(outcome, "text"), expected), judge_shown(text),
			   judge_text(expected), "the kernel's last words: %s", expected);
	if (!ok)
		j->prediction_failed = true;
	judge_named_cause(j);
}
