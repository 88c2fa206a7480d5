// SPDX-License-Identifier: MIT
/*
 * What a shell asks for when it is wanted, because it is not the same everywhere or depends on what was typed before.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "claims.h"
#include "cleanup.h"
#include "completion-internal.h"
#include "explain.h"
#include "guest-kernel.h"
#include "manifest-internal.h"
#include "parameters.h"
#include "report-text.h"
#include "select.h"

/* By name only: a manifest that is wrong is told about when it is run. */
static int scenarios(FILE *out)
{
	char tree[PATH_MAX], manifest[PATH_MAX + 300];
	struct dirent **entries = NULL;
	int r = select_tree(NULL, tree, sizeof(tree));
	int n = r < 0 ? r : scandir(tree, &entries, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		(void)snprintf(manifest, sizeof(manifest), "%s/%s/scenario.yaml", tree, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.' && access(manifest, F_OK) == 0)
			fprintf(out, "%s\n", entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return n < 0 ? -ENOENT : 0;
}

/* The one whose name stands before a slash, or is all of the word; silently. */
static int read_scenario(const char *word, struct scenario **ret)
{
	char tree[PATH_MAX], directory[PATH_MAX + 300];
	auto_fclose FILE *nowhere = fopen("/dev/null", "we");
	int r = nowhere ? select_tree(NULL, tree, sizeof(tree)) : -errno;
	(void)snprintf(directory, sizeof(directory), "%s/%.*s", tree, (int)strcspn(word, "/"), word);
	if (r < 0 || !word[0] || strchr("-./", word[0]) || manifest_read(directory, nowhere, ret) < 0)
		return -ENOENT;
	return 0;
}

/* "pids-max/": its cases, as SCENARIO/CASE. */
static int cases(const char *word, FILE *out)
{
	struct scenario *s;
	if (read_scenario(word, &s) < 0)
		return -ENOENT;
	for (size_t i = 0; i < s->case_count; i++)
		fprintf(out, "%s/%s\n", s->name, s->cases[i].name);
	scenario_free(s);
	return 0;
}

static void case_names(const struct scenario *s, FILE *out)
{
	for (size_t i = 0; i < s->case_count; i++)
		fprintf(out, "%s\n", s->cases[i].name);
}

static void trigger_names(const struct scenario *s, FILE *out)
{
	for (size_t i = 0; i < s->run_count; i++)
		if (s->runs[i].role == ROLE_TRIGGER)
			fprintf(out, "%s\n", s->runs[i].name);
}

/* Of the first scenario among what was typed; nothing where there is none yet. */
static void of_typed(char *const *typed, void (*print)(const struct scenario *s, FILE *out), FILE *out)
{
	struct scenario *s = NULL;
	for (; *typed && !s; typed++)
		if (read_scenario(*typed, &s) < 0)
			s = NULL;
	if (s)
		print(s, out);
	scenario_free(s);
}

static void kernels(FILE *out)
{
	struct guest_kernel *kernel = NULL;
	size_t count = 0;
	auto_fclose FILE *nowhere = fopen("/dev/null", "we");
	if (!nowhere || guest_kernels_find("all", nowhere, &kernel, &count) < 0)
		return;
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s\n", kernel[i].name);
	free(kernel);
}

/* Their ids, or the numbers of the guides. */
static void claims(bool guides, FILE *out)
{
	char tree[PATH_MAX], directory[PATH_MAX + 16];
	struct claims all = {0};
	auto_fclose FILE *nowhere = fopen("/dev/null", "we");
	if (!nowhere || select_tree(NULL, tree, sizeof(tree)) < 0)
		return;
	(void)snprintf(directory, sizeof(directory), "%s/claims", tree);
	if (claims_read(directory, nowhere, &all) < 0)
		return;
	for (size_t i = 0; i < all.count; i++) {
		if (guides)
			fprintf(out, "%s\n", all.item[i]->guide);
		for (size_t k = 0; !guides && k < all.item[i]->claim_count; k++)
			fprintf(out, "%s\n", all.item[i]->claims[k].id);
	}
	claims_free(&all);
}

/* The errnos, signals and other ends that some scenario shows; where a manifest is wrong none is. */
static void outcomes(FILE *out)
{
	struct selection all = {NULL, 0};
	const json_t *row = NULL, *other = NULL;
	size_t i, k;
	if (select_scenarios(NULL, NULL, 0, &all) < 0)
		return;
	json_auto_t *symptoms = explain_symptoms(&all);
	json_array_foreach (symptoms, i, row) {
		bool known = false;
		for (k = 0; !known && k < i; k++) {
			other = json_array_get(symptoms, k);
			known = !strcmp(text_of(other, "outcome"), text_of(row, "outcome"));
		}
		if (!known)
			fprintf(out, "%s\n", text_of(row, "outcome"));
	}
	selection_free(&all);
}

/* All that `enomem explain` takes by name. */
static int explained(FILE *out)
{
	int r = scenarios(out);
	const char *word;
	for (unsigned i = 0; (word = words_cause.at(i)); i++)
		if (*word)
			fprintf(out, "%s\n", word);
	outcomes(out);
	return r;
}

int completion_ask(const char *what, char *const *typed, FILE *out)
{
	int r = 0;
	if (strcmp(what, "scenarios") == 0)
		r = scenarios(out);
	else if (strcmp(what, "explain") == 0)
		r = explained(out);
	else if (strcmp(what, "kernels") == 0)
		kernels(out);
	else if (strcmp(what, "claims") == 0 || strcmp(what, "guides") == 0)
		claims(strcmp(what, "guides") == 0, out);
	else if (strcmp(what, "case") == 0)
		of_typed(typed, case_names, out);
	else if (strcmp(what, "run") == 0)
		of_typed(typed, trigger_names, out);
	else if (strcmp(what, "parameters") == 0)
		of_typed(typed, parameters_print, out);
	else if (strchr(what, '/'))
		r = cases(what, out);
	else
		r = -EINVAL;
	return r;
}
