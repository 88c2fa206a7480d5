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
