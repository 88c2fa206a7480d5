// SPDX-License-Identifier: MIT
/*
 * Finding scenarios. See select.h.
 */
#include "select.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "manifest-internal.h"
#include "say.h"

#define SCENARIOS_MAX 1024

const char *select_self(void)
{
	static char path[PATH_MAX];
	if (!path[0]) {
		ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
		if (n <= 0)
			return NULL;
		path[n] = '\0';
	}
	return path;
}

/* Never one of another installation: the harness and it exchange plain data. */
const char *select_guest_self(void)
{
	static const char *const beside[] = {"enomem-guest", ENOMEM_GUEST_INSTALLED};
	static char path[PATH_MAX + sizeof(ENOMEM_GUEST_INSTALLED) + 16];
	const char *self = select_self();
	if (!self || path[0])
		return self ? path : NULL;
	for (unsigned i = 0; i < ARRAY_SIZE(beside); i++) {
		(void)snprintf(path, sizeof(path), "%.*s/%s", (int)(strrchr(self, '/') - self), self, beside[i]);
		if (access(path, X_OK) == 0)
			return path;
	}
	(void)snprintf(path, sizeof(path), "%s", self);
	return path;
}

/* An installed program never looks at the environment when setuid. Into *ret, when there is none, where the first
 * was looked for. */
static int find_tree(const char *given, char *ret, size_t size)
{
	const char *candidates[3] = {given ? given : secure_getenv("ENOMEM_SCENARIOS"), NULL, NULL};
	char beside[PATH_MAX + 16], installed[PATH_MAX + sizeof(ENOMEM_SCENARIOS_INSTALLED)];
	struct stat st;
	const char *self = select_self();
	if (!candidates[0] && self) {
		int length = (int)(strrchr(self, '/') - self);
		(void)snprintf(beside, sizeof(beside), "%.*s/../scenarios", length, self);
		(void)snprintf(installed, sizeof(installed), "%.*s/" ENOMEM_SCENARIOS_INSTALLED, length, self);
		/* The installed ones first: a prefix may have a directory "scenarios" of its own, a build tree has no
		 * libexec. */
		candidates[0] = installed;
		candidates[1] = beside;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(candidates) && candidates[i]; i++)
		if (stat(candidates[i], &st) == 0 && S_ISDIR(st.st_mode)) {
			(void)snprintf(ret, size, "%s", candidates[i]);
			return 0;
		}
	if (candidates[0])
		(void)snprintf(ret, size, "%s", candidates[0]);
	return -ENOENT;
}

int select_tree_quietly(char *ret, size_t size)
{
	return find_tree(NULL, ret, size);
}

int select_tree(const char *given, char *ret, size_t size)
{
	char tree[PATH_MAX + sizeof(ENOMEM_SCENARIOS_INSTALLED)] = "scenarios";
	int r = find_tree(given, tree, sizeof(tree));
	if (r == 0) {
		(void)snprintf(ret, size, "%s", tree);
		return 0;
	}
	(void)say_error(r, "%s: no directory of scenarios", tree);
	say_hint("name one: enomem list --scenarios DIR");
	return r;
}

static int has_manifest(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && entry->d_type != DT_REG;
}

static int add(struct selection *s, const char *directory, FILE *errors)
{
	int r = s->count < SCENARIOS_MAX ? manifest_read(directory, errors, &s->item[s->count]) : -E2BIG;
	s->count += r == 0;
	return r;
}

static bool has_directory(const struct selection *s, const char *directory)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->item[i]->directory, directory) == 0)
			return true;
	return false;
}

/* The scenarios of the tree whose name matches, NULL for all; *ret_matched says whether there are any. */
static int add_matching(struct selection *s, const char *tree, const char *pattern, FILE *errors, bool *ret_matched)
{
	struct dirent **entries = NULL;
	int first_error = 0, n = scandir(tree, &entries, has_manifest, alphasort);
	if (n < 0)
		return say_error(-errno, "%s: cannot be read", tree);
	for (int i = 0; i < n; i++) {
		char directory[PATH_MAX + 300], manifest[PATH_MAX + 320];
		(void)snprintf(directory, sizeof(directory), "%s/%s", tree, entries[i]->d_name);
		(void)snprintf(manifest, sizeof(manifest), "%s/scenario.yaml", directory);
		bool wanted = (!pattern || fnmatch(pattern, entries[i]->d_name, 0) == 0) && access(manifest, F_OK) == 0;
		*ret_matched |= wanted;
		int r = wanted && !(pattern && has_directory(s, directory)) ? add(s, directory, errors) : 0;
		if (r < 0 && first_error == 0)
			first_error = r;
		free(entries[i]);
	}
	free(entries);
	return first_error;
}

static int add_all(struct selection *s, const char *tree, FILE *errors)
{
	bool any = false;
	return add_matching(s, tree, NULL, errors, &any);
}

static int unknown(const char *tree, const char *name)
{
	struct dirent **entries = NULL;
	const char *names[SCENARIOS_MAX], *near;
	int n = scandir(tree, &entries, has_manifest, alphasort);
	size_t count = n < 0 ? 0 : (size_t)n;
	for (size_t i = 0; i < count && i < SCENARIOS_MAX; i++)
		names[i] = entries[i]->d_name;
	near = words_nearest(names, count < SCENARIOS_MAX ? count : SCENARIOS_MAX, name);
	(void)say_error(-ENOENT, "%s: no such scenario", name);
	if (select_hint_case(tree, name))
		;
	else if (near)
		say_hint("did you mean '%s'? `enomem list` shows them all", near);
	else
		say_hint("`enomem list` shows them all; a directory is named with a slash: enomem run ./%s", name);
	for (size_t i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	return -ENOENT;
}

/* A word with a slash, and the two names every directory has. */
static bool is_directory_word(const char *name)
{
	return strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool is_pattern(const char *name)
{
	return !is_directory_word(name) && strpbrk(name, "*?[");
}

/* "pids-max/" is one below the working directory. */
static void hint_directory(const char *tree, const char *name)
{
	char path[2 * PATH_MAX];
	size_t length = strcspn(name, "/");
	(void)snprintf(path, sizeof(path), "%s/%.*s/scenario.yaml", tree, (int)length, name);
	if (length && name[0] != '.' && strspn(name + length, "/") == strlen(name + length) && access(path, F_OK) == 0)
		say_hint("a word with a slash at its end is a directory; the scenario is %.*s", (int)length, name);
	else
		say_hint("a scenario's directory has a scenario.yaml; `enomem list` shows those that came with enomem");
}

/* -ESRCH after telling that a pattern matches nothing. */
static int add_named(struct selection *s, const char *tree, const char *name)
{
	char directory[2 * PATH_MAX];
	bool matched = false;
	if (is_directory_word(name)) {
		int r = add(s, name, stderr);
		if (r == -ENOENT)
			hint_directory(tree, name);
		return r;
	}
	if (is_pattern(name)) {
		int r = add_matching(s, tree, name, stderr, &matched);
		if (r < 0 || matched)
			return r;
		(void)say_error(0, "%s: no scenario has such a name", name);
		return -ESRCH;
	}
	(void)snprintf(directory, sizeof(directory), "%s/%s", tree, name);
	return access(directory, F_OK) == 0 && name[0] != '.' ? add(s, directory, stderr) : unknown(tree, name);
}

/* Are these cases of a scenario that is there already? Then they are asked for there. */
static bool join_case(struct selection *s, const struct scenario *one)
{
	for (size_t i = 0; i + 1 < s->count; i++) {
		struct scenario *before = s->item[i];
		bool other_triggers = false;
		for (size_t r = 0; r < before->run_count; r++)
			other_triggers |= before->runs[r].left_out != one->runs[r].left_out;
		if (strcmp(before->directory, one->directory) != 0 || other_triggers)
			continue;
		for (size_t c = 0; c < before->case_count; c++)
			before->cases[c].left_out &= one->cases[c].left_out;
		return true;
	}
	return false;
}

/* "pids-max/fork": of one that is there already, one case more. */
static int add_case(struct selection *s, const char *tree, const char *word, const char *slash)
{
	auto_free char *name = strndup(word, (size_t)(slash - word)), *directory = NULL;
	if (!name ||
	    asprintf(&directory, "%s%s%s/", strchr(name, '/') ? "" : tree, strchr(name, '/') ? "" : "/", name) < 0) {
		directory = NULL;
		return say_error(-ENOMEM, "no memory");
	}
	if (is_pattern(name)) {
		(void)say_error(0, "%s: a case is one of a single scenario's", word);
		say_hint("name the scenario in full, or leave out the case: enomem run '%s'", name);
		return -EINVAL;
	}
	int r = add_named(s, tree, strchr(name, '/') ? directory : name);
	if (r < 0)
		return r;
	struct scenario *last = s->item[s->count - 1];
	r = select_keep(last, word, slash + 1);
	if (r == 0 && join_case(s, last)) {
		scenario_free(last);
		s->count--;
	}
	return r;
}

int select_scenarios(const char *tree_given, char *const *names, size_t count, struct selection *ret)
{
	struct selection s = {.item = calloc(SCENARIOS_MAX, sizeof(struct scenario *))};
	char tree[PATH_MAX] = "";
	bool need_tree = count == 0;
	int r = 0;
	if (!s.item)
		return say_error(-ENOMEM, "no memory for the scenarios");
	for (size_t i = 0; i < count; i++)
		need_tree |= !is_directory_word(names[i]);
	if (need_tree)
		r = select_tree(tree_given, tree, sizeof(tree));
	else
		(void)find_tree(tree_given, tree, sizeof(tree));
	if (r == 0 && count == 0)
		r = add_all(&s, tree, stderr);
	for (size_t i = 0; r == 0 && i < count; i++) {
		const char *slash = select_split(tree, names[i]);
		r = slash ? add_case(&s, tree, names[i], slash) : add_named(&s, tree, names[i]);
	}
	if (r == -ESRCH) { /* fewer than were asked for would look as if they were all */
		selection_free(&s);
		s = (struct selection){NULL, 0};
		r = 0;
	}
	if (r < 0) {
		selection_free(&s);
		return r;
	}
	*ret = s;
	return 0;
}

void selection_free(struct selection *s)
{
	for (size_t i = 0; i < s->count; i++)
		scenario_free(s->item[i]);
	free(s->item);
	*s = (struct selection){NULL, 0};
}
