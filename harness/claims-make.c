// SPDX-License-Identifier: MIT
/*
 * Claims by several results: one verdict from each, what they say together, and whether the right advice was run.
 */
#include <fnmatch.h>
#include <string.h>

#include "claims.h"
#include "cleanup.h"
#include "report-text.h"
#include "report.h"

static bool chosen(const struct claim *claim, const char *guide, const char *of, char *const *ids, size_t count)
{
	bool named = count == 0;
	for (size_t i = 0; i < count; i++)
		named |= !strcmp(ids[i], claim->id);
	return named && (!guide || !strcmp(guide, of));
}

/*
 * Results that agree, or all but those that settle nothing: their verdict. Where one says true and another false, it
 * depends on the kernel.
 */
static const char *together(const json_t *by, bool *ret_differs)
{
	const char *verdict = NULL, *first = NULL;
	const json_t *one = NULL;
	size_t i;
	*ret_differs = false;
	json_array_foreach (by, i, one) {
		const char *v = text_of(one, "verdict");
		if (json_is_true(json_object_get(one, "silent")))
			continue; /* a result of other scenarios */
		*ret_differs |= first && strcmp(first, v) != 0;
		first = first ? first : v;
		if (!strcmp(v, "unsettled"))
			continue;
		verdict = !verdict || !strcmp(verdict, v) ? v : "depends";
	}
	return verdict ? verdict : "unsettled";
}

/* 1: a result has such a remedy, and it passed wherever it was run; 0: it did not; -1: none has. */
static int remedy_state(const char *pattern, const json_t *results)
{
	const json_t *result = NULL, *scenario = NULL, *run = NULL;
	char name[2 * TEXT_MAX];
	size_t i, k, n;
	int state = -1;
	json_array_foreach (results, i, result)
		json_array_foreach (json_object_get(result, "scenarios"), k, scenario)
			json_array_foreach (json_object_get(scenario, "runs"), n, run) {
				const char *verdict = text_of(run, "verdict");
				(void)snprintf(name, sizeof(name), "%s/%s", text_of(scenario, "name"),
					       text_of(run, "name"));
				if (fnmatch(pattern, name, 0) != 0 || !strcmp(verdict, "skip"))
					continue;
				bool ok = !strcmp(verdict, "pass") &&
					  !strcmp(text_of2(run, "outcome", "kind"), "success");
				state = ok && state != 0;
			}
	return state;
}

static json_t *remedies(const struct claim *claim, const json_t *results)
{
	json_auto_t *list = json_array();
	for (size_t i = 0; i < claim->remedy.count; i++) {
		int state = remedy_state(claim->remedy.item[i], results);
		if (json_array_append_new(list, json_pack("{s:s, s:o}", "run", claim->remedy.item[i], "ok",
							  state < 0 ? json_null() : json_boolean(state))) < 0)
			return NULL;
	}
	return steal(list);
}

static json_t *make_claim(const struct claim *claim, const json_t *results)
{
	json_auto_t *by = json_array(), *shown = remedies(claim, results);
	const json_t *result = NULL;
	bool differs;
	size_t i;
	json_array_foreach (results, i, result)
		if (json_array_append_new(by, claim_judge(claim, result)) < 0)
			return NULL;
	const char *verdict = claim->untestable ? "not testable" : together(by, &differs);
	if (claim->untestable)
		differs = false;
	json_auto_t *made = json_pack("{s:s, s:s, s:s, s:b, s:O, s:O}", "id", claim->id, "says", claim->says, "verdict",
				      verdict, "differs", (int)differs, "by", by, "remedies", shown);
	if (!made || (claim->right && json_object_set_new(made, "right", json_string(claim->right)) < 0) ||
	    (claim->untestable && json_object_set_new(made, "untestable", json_string(claim->untestable)) < 0))
		return NULL;
	return steal(made);
}

static int add_guide(json_t *guides, const struct claims_file *f, const char *guide, char *const *ids, size_t id_count,
		     const json_t *results)
{
	json_auto_t *claims = json_array();
	for (size_t i = 0; i < f->claim_count; i++)
		if (chosen(&f->claims[i], guide, f->guide, ids, id_count) &&
		    json_array_append_new(claims, make_claim(&f->claims[i], results)) < 0)
			return -ENOMEM;
	if (json_array_size(claims) == 0)
		return 0;
	return json_array_append_new(
		guides, json_pack("{s:s, s:s, s:O}", "guide", f->guide, "title", f->title, "claims", claims));
}

static json_t *summary(const json_t *guides)
{
	static const char *const verdicts[] = {"true", "false", "depends", "not testable", "unsettled"};
	json_auto_t *counts = json_object();
	const json_t *guide = NULL, *claim = NULL;
	size_t i, k;
	for (size_t v = 0; v < ARRAY_SIZE(verdicts); v++) {
		int count = 0;
		json_array_foreach (guides, i, guide)
			json_array_foreach (json_object_get(guide, "claims"), k, claim)
				count += !strcmp(text_of(claim, "verdict"), verdicts[v]);
		if (json_object_set_new(counts, verdicts[v], json_integer(count)) < 0)
			return NULL;
	}
	return steal(counts);
}

json_t *claims_make(const struct claims *c, const char *guide, char *const *ids, size_t id_count, const json_t *results)
{
	json_auto_t *guides = json_array(), *labels = results_labels(results), *counts = NULL;
	for (size_t i = 0; i < c->count; i++)
		if (!labels || add_guide(guides, c->item[i], guide, ids, id_count, results) < 0)
			return NULL;
	counts = summary(guides);
	return counts ? json_pack("{s:s, s:O, s:O, s:O}", "schema", "enomem-claims/1", "kernels", labels, "guides",
				  guides, "summary", counts)
		      : NULL;
}
