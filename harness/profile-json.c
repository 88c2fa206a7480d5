// SPDX-License-Identifier: MIT
/*
 * A profile on its way into a guest: an array of settings.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "profile-internal.h"

#define FILE_NAME_MAX 8192

json_t *profile_json(const struct profile *p)
{
	json_t *array = json_array();
	for (size_t i = 0; array && i < p->count; i++) {
		const struct profile_setting *s = &p->item[i];
		json_t *object = json_pack("{s:s, s:s?, s:b, s:b, s:s, s:I}", "name", s->name, "value", s->value,
					   "ignore_failure", s->ignore_failure, "glob", s->glob, "file", s->file,
					   "line", (json_int_t)s->line);
		if (json_array_append_new(array, object) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* A string without a NUL, no longer than that. */
static bool is_text(const json_t *j, size_t max)
{
	return json_is_string(j) && json_string_length(j) == strlen(json_string_value(j)) &&
	       json_string_length(j) <= max;
}

static int setting_from_json(const json_t *j, struct profile *p)
{
	const json_t *name = json_object_get(j, "name"), *value = json_object_get(j, "value"),
		     *ignore = json_object_get(j, "ignore_failure"), *glob = json_object_get(j, "glob"),
		     *file = json_object_get(j, "file"), *line = json_object_get(j, "line");
	if (json_object_size(j) != 6 || !is_text(name, PROFILE_NAME_MAX) || !is_text(file, FILE_NAME_MAX) ||
	    !(json_is_null(value) || is_text(value, PROFILE_LINE_MAX)) || !json_is_boolean(ignore) ||
	    !json_is_boolean(glob) || !json_is_integer(line))
		return -EBADMSG;
	json_int_t number = json_integer_value(line);
	struct profile_setting setting = {.name = (char *)(uintptr_t)json_string_value(name),
					  .value = (char *)(uintptr_t)json_string_value(value),
					  .ignore_failure = json_is_true(ignore),
					  .glob = json_is_true(glob),
					  .file = (char *)(uintptr_t)json_string_value(file),
					  .line = (unsigned)number};
	if (number < 0 || number > PROFILE_FILE_MAX + 1 || !profile_is_name(setting.name) ||
	    (setting.glob && !profile_has_wildcard(setting.name)) || (setting.value && strchr(setting.value, '\n')))
		return -EBADMSG;
	return profile_append(p, &setting);
}

int profile_from_json(const json_t *j, struct profile *ret)
{
	struct profile p = {0};
	size_t i;
	const json_t *element;
	if (!json_is_array(j))
		return -EBADMSG;
	json_array_foreach (j, i, element) {
		int r = setting_from_json(element, &p);
		if (r < 0) {
			profile_free(&p);
			return r == -E2BIG ? -EBADMSG : r;
		}
	}
	*ret = p;
	return 0;
}
