// SPDX-License-Identifier: MIT
/*
 * The statements about a result that types cannot make, and the check of a whole one.
 */
#include <errno.h>
#include <string.h>

#include "judge.h"
#include "report-text.h"
#include "report.h"
#include "result-check.h"

/* A pass with an assertion that failed is no pass. */
static void check_pass(struct shape_errors *e, const struct place *here, const json_t *judged)
{
	json_t *assertion;
	size_t i;
	json_array_foreach (json_object_get(judged, "checks"), i, assertion) {
		if (json_is_false(json_object_get(assertion, "ok")) && !strcmp(text_of(judged, "verdict"), "pass"))
			shape_error(e, here, "passed with check %zu failed", i);
	}
}

/* Whatever did not pass has to say why; the runs of a scenario are told apart by their names. */
static void check_list(struct shape_errors *e, const struct place *parent, const char *key, const json_t *list,
		       bool reasons)
{
	json_auto_t *seen = json_object();
	json_t *item;
	size_t i;
	struct place array = {.parent = parent, .key = key};
	json_array_foreach (list, i, item) {
		struct place here = {.parent = &array, .index = i};
		const char *name = text_of(item, "name");
		char shown[96];
		if (parent && json_object_get(seen, name))
			shape_error(e, &here, "there is another one named \"%s\"",
				    text_clean(name, false, shown, sizeof(shown)));
		(void)json_object_set_new(seen, name, json_true());
		if (reasons && strcmp(text_of(item, "verdict"), "pass") != 0 && !json_object_get(item, "reason"))
			shape_error(e, &here, "did not pass and gives no reason");
		check_pass(e, &here, item);
	}
}

/* Where both numbers and the prediction are told, they must agree with each other and with the verdict. */
static void check_boundaries(struct shape_errors *e, const struct place *parent, const json_t *list)
{
	json_t *item;
	size_t i;
	struct place array = {.parent = parent, .key = "boundaries"};
	json_array_foreach (list, i, item) {
		struct place here = {.parent = &array, .index = i};
		__int128 difference = text_integer(item, "difference", 0),
			 tolerance = text_integer(item, "tolerance", 0);
		__int128 apart = (__int128)text_integer(item, "last_granted", 0) - text_integer(item, "predicted", 0);
		if (!json_object_get(item, "last_granted"))
			continue;
		if (apart != difference)
			shape_error(e, &here, "\"difference\" is not what is between prediction and boundary");
		if ((difference < 0 ? -difference : difference) > tolerance &&
		    !strcmp(text_of(item, "verdict"), "pass"))
			shape_error(e, &here, "passed with a difference beyond the tolerance");
	}
}

static void check_names(struct shape_errors *e, const json_t *scenarios, bool reasons)
{
	json_t *item;
	size_t i;
	struct place array = {.key = "scenarios"};
	check_list(e, NULL, "scenarios", scenarios, reasons);
	json_array_foreach (scenarios, i, item) {
		struct place here = {.parent = &array, .index = i};
		check_list(e, &here, "runs", json_object_get(item, "runs"), reasons);
		check_list(e, &here, "boundaries", json_object_get(item, "boundaries"), reasons);
		check_boundaries(e, &here, json_object_get(item, "boundaries"));
	}
}

static void check_relations(struct shape_errors *e, const json_t *result)
{
	const json_t *scenarios = json_object_get(result, "scenarios");
	struct place summary = {.key = "summary"};
	check_names(e, scenarios, true);
	json_auto_t *counted = judge_summary(scenarios);
	for (enum verdict v = 0; v < VERDICT_COUNT; v++) {
		const json_t *is = json_object_get(json_object_get(result, "summary"), verdict_names[v]);
		if (!json_equal(is, json_object_get(counted, verdict_names[v])))
			shape_error(e, &summary, "does not count the scenarios that are \"%s\" right",
				    verdict_names[v]);
	}
}

int result_check(const json_t *result, const char *name, FILE *errors)
{
	struct shape_errors e = {.out = errors, .name = name};
	if (!json_is_object(result))
		shape_error(&e, NULL, "is no result: not an object");
	else if (!json_object_get(result, "schema"))
		shape_error(&e, NULL, "is no result: \"schema\" is missing");
	else
		shape_check(&e, NULL, result, result_shape);
	if (!e.count)
		check_relations(&e, result);
	return e.count ? -EINVAL : 0;
}

bool result_is_reference(const json_t *result)
{
	return !strcmp(text_of(result, "schema"), REFERENCE_SCHEMA);
}

int result_check_any(const json_t *result, const char *name, FILE *errors)
{
	struct shape_errors e = {.out = errors, .name = name};
	if (!result_is_reference(result))
		return result_check(result, name, errors);
	shape_check(&e, NULL, result, reference_shape);
	if (!e.count)
		check_names(&e, json_object_get(result, "scenarios"), false);
	return e.count ? -EINVAL : 0;
}
