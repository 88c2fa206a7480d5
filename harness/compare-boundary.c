// SPDX-License-Identifier: MIT
/*
 * Boundaries of two results. Machines of another size have them elsewhere, and so do other settings: what counts is how
 * far each is from its own prediction.
 */
#include <errno.h>
#include <string.h>

#include "report-set.h"
#include "report-text.h"

static bool is_located(const json_t *boundary)
{
	return json_is_integer(json_object_get(boundary, "last_granted"));
}

/* Within a tolerance nobody can tell where it is. */
static bool same_distance(const json_t *a, const json_t *b)
{
	__int128 apart = (__int128)text_integer(a, "difference", 0) - text_integer(b, "difference", 0);
	json_int_t x = text_integer(a, "tolerance", 0), y = text_integer(b, "tolerance", 0);
	return (apart < 0 ? -apart : apart) <= (x > y ? x : y);
}

static void boundary_moved(struct comparison *c, const char *scenario, const json_t *a, const json_t *b)
{
	const char *name = text_of(a, "name");
	compare_verdict(c, scenario, name, a, b);
	if (!is_located(a) || !is_located(b) || same_distance(a, b))
		return;
	compare_begin(c, scenario, name);
	(void)fprintf(
		c->out,
		"last granted %" JSON_INTEGER_FORMAT " (predicted %" JSON_INTEGER_FORMAT ", %+" JSON_INTEGER_FORMAT
		") -> %" JSON_INTEGER_FORMAT " (predicted %" JSON_INTEGER_FORMAT ", %+" JSON_INTEGER_FORMAT ")\n",
		text_integer(a, "last_granted", 0), text_integer(a, "predicted", 0), text_integer(a, "difference", 0),
		text_integer(b, "last_granted", 0), text_integer(b, "predicted", 0), text_integer(b, "difference", 0));
}

static void only_in(struct comparison *c, const char *scenario, const json_t *boundary, const char *file)
{
	char clean[TEXT_MAX];
	compare_begin(c, scenario, text_of(boundary, "name"));
	(void)fprintf(c->out, "only in %s (%s)\n", text_clean(file, false, clean, sizeof(clean)),
		      text_of(boundary, "verdict"));
}

int compare_boundaries(struct comparison *c, const char *scenario, const json_t *a, const json_t *b)
{
	json_auto_t *in_a = compare_index(a), *in_b = compare_index(b);
	const json_t *boundary = NULL;
	size_t i;
	if (!in_a || !in_b)
		return -ENOMEM;
	/* One side was not asked to locate any. */
	if (!json_array_size(a) || !json_array_size(b))
		return 0;
	json_array_foreach (a, i, boundary) {
		const json_t *other = json_object_get(in_b, text_of(boundary, "name"));
		if (other)
			boundary_moved(c, scenario, boundary, other);
		else if (!json_object_get(c->partly, scenario))
			only_in(c, scenario, boundary, c->name_a);
	}
	json_array_foreach (b, i, boundary)
		if (!json_object_get(in_a, text_of(boundary, "name")))
			only_in(c, scenario, boundary, c->name_b);
	return 0;
}
