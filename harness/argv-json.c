// SPDX-License-Identifier: MIT
/*
 * See argv-json.h.
 */
#include "argv-json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "json-memory.h"
#include "report-text.h"

static json_t *shown(const char *word)
{
	json_t *whole = json_string(word);
	if (whole)
		return whole;
	const size_t size = 8 * strlen(word) + 8;
	auto_free char *clean = malloc(size);
	return clean ? json_string(text_clean(word, true, clean, size)) : NULL;
}

static json_t *hex(const char *word)
{
	static const char digits[] = "0123456789abcdef";
	const size_t length = strlen(word);
	auto_free char *text = malloc(2 * length + 1);
	if (!text)
		return NULL;
	for (size_t i = 0; i < length; i++) {
		text[2 * i] = digits[(unsigned char)word[i] >> 4];
		text[2 * i + 1] = digits[word[i] & 15];
	}
	return json_stringn(text, 2 * length);
}

int argv_to_json(json_t *into, char *const *argv)
{
	json_auto_t *words = json_array(), *bytes = json_array();
	bool lost = false;
	for (; *argv; argv++) {
		json_auto_t *whole = json_string(*argv);
		lost |= !whole;
		if (json_array_append_new(words, shown(*argv)) < 0 || json_array_append_new(bytes, hex(*argv)) < 0) {
			json_memory_note(); /* not all of it is jansson's */
			return -ENOMEM;
		}
	}
	if (json_object_set(into, "argv", words) < 0 || (lost && json_object_set(into, "argv_hex", bytes) < 0))
		return -ENOMEM;
	return 0;
}
