// SPDX-License-Identifier: MIT
/*
 * Finding the references. See references.h.
 */
#include "references.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "json-memory.h"
#include "manifest-internal.h"
#include "report-text.h"
#include "report.h"
#include "select.h"

static int add(const char *file, FILE *errors, json_t *results)
{
	json_auto_t *some = NULL;
	return results_load(file, errors, &some) < 0 || json_array_extend(results, some) < 0 ? -EINVAL : 0;
}

static int by_version(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

int references_load(FILE *errors, json_t *results)
{
	char tree[PATH_MAX], pattern[PATH_MAX + 32];
	glob_t found = {0};
	int r = select_tree_quietly(tree, sizeof(tree));
	(void)snprintf(pattern, sizeof(pattern), "%s/../results/[0-9]*.json", r < 0 ? "." : tree);
	if (r < 0 || glob(pattern, GLOB_NOSORT, NULL, &found) != 0) {
		(void)fprintf(errors, "enomem: %s: there is no reference\n", pattern);
		return -ENOENT;
	}
	qsort(found.gl_pathv, found.gl_pathc, sizeof(char *), by_version);
	for (size_t i = 0; r == 0 && i < found.gl_pathc; i++)
		r = add(found.gl_pathv[i], errors, results);
	globfree(&found);
	(void)snprintf(pattern, sizeof(pattern), "%s/../results/userland.json", tree);
	return r == 0 && access(pattern, F_OK) == 0 ? add(pattern, errors, results) : r;
}

/* {"class", "title"} of a scenario; empty where there is none. */
static json_t *read_words(const char *tree, const char *name, FILE *errors)
{
	auto_free char *manifest = NULL, *text = NULL;
	struct scenario *s = NULL;
	size_t length;
	json_t *words = json_object();
	/* A name of a file, which may be anything: no way out of the tree. */
	if (!*name || *name == '.' || strchr(name, '/'))
		return words;
	int r = asprintf(&manifest, "%s/%s/scenario.yaml", tree, name) < 0 ? -ENOMEM : 0;
	if (r < 0)
		manifest = NULL;
	/* Its programs need not be built. */
	if (r == 0)
		r = manifest_read_text(manifest, &text, &length);
	if (r == 0)
		r = manifest_parse(text, length, manifest, errors, &s);
	if (r == 0) {
		(void)json_object_set_new(words, "class", json_string(s->class_name));
		(void)json_object_set_new(words, "title", json_string(s->title));
		scenario_free(s);
	}
	if (r == -ENOMEM)
		json_memory_note();
	return words;
}

void references_classify(const char *tree, const json_t *results)
{
	char own[PATH_MAX];
	auto_fclose FILE *silent = fopen("/dev/null", "we");
	json_auto_t *known = json_object();
	const json_t *result = NULL;
	json_t *scenario = NULL;
	size_t i, k;
	if (!silent && errno == ENOMEM)
		json_memory_note();
	if (!silent || (!tree && select_tree_quietly(own, sizeof(own)) < 0))
		return;
	json_array_foreach (results, i, result)
		json_array_foreach (json_object_get(result, "scenarios"), k, scenario) {
			const char *name = text_of(scenario, "name");
			if (*text_of(scenario, "class"))
				continue;
			if (!json_object_get(known, name))
				(void)json_object_set_new(known, name, read_words(tree ? tree : own, name, silent));
			(void)json_object_update_missing(scenario, json_object_get(known, name));
		}
}
