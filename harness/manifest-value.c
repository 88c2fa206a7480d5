// SPDX-License-Identifier: MIT
/*
 * Checks of single values: what a size, a path, a version or a name may look like. Nothing here asks the machine.
 */
#include <limits.h>
#include <string.h>

#include "cleanup.h"
#include "environment.h"
#include "manifest-internal.h"
#include "number.h"
#include "plan-internal.h"

#define NAME_MAX_LENGTH  63
#define LABEL_MAX_LENGTH 100
#define NOTE_MAX_LENGTH  1000
#define LETTERS          "abcdefghijklmnopqrstuvwxyz"
#define CAPITALS         "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS           "0123456789"

static bool only(const char *text, const char *allowed)
{
	return *text && text[strspn(text, allowed)] == '\0';
}

void check_scenario_name(struct source *s, const struct node *n)
{
	if (!only(n->text, LETTERS DIGITS "-") || n->text[0] == '-' || strlen(n->text) > NAME_MAX_LENGTH)
		node_error(s, n, NULL, "a scenario's name has small letters, digits and '-' only, at most %d",
			   NAME_MAX_LENGTH);
}

/* Labels appear in TAP, where '#' and '\' cut a line short. */
void check_label(struct source *s, const struct node *n)
{
	if (strlen(n->text) > LABEL_MAX_LENGTH)
		node_error(s, n, NULL, "too long (at most %d bytes)", LABEL_MAX_LENGTH);
	else if (strpbrk(n->text, "#\\"))
		node_error(s, n, NULL, "'#' and '\\' cannot be used here");
	for (const char *c = n->text; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f) {
			node_error(s, n, NULL, "one line of printable text is needed");
			return;
		}
	}
}

void check_program(struct source *s, const struct node *n)
{
	if (strchr(n->text, '/') || strcmp(n->text, "..") == 0 || strcmp(n->text, ".") == 0)
		node_error(s, n, NULL, "the program must be a file in the scenario's directory: no '/', no '..'");
	else if (!only(n->text, LETTERS CAPITALS DIGITS "-_.+") || strlen(n->text) > NAME_MAX_LENGTH)
		node_error(s, n, NULL, "a program's name has letters, digits and '-_.+' only, at most %d",
			   NAME_MAX_LENGTH);
}

void check_duration(struct source *s, const struct node *n)
{
	uint64_t ns = 0;

	if (number_parse_duration(n->text, &ns) < 0 || ns == 0 || ns >= (uint64_t)INT64_MAX)
		node_error(s, n, "digits and one of ns us ms s min, as in 500ms", "bad duration '%s'", n->text);
}

static void check_amount_or(struct source *s, const struct node *n, const char *word)
{
	int r = strcmp(n->text, word) == 0 ? 0 : amount_parse(n->text, NULL, NULL);
	char hint[160];

	if (r == -ERANGE) {
		node_error(s, n, NULL, "'%s' is too large", n->text);
	} else if (r < 0) {
		snprintf(hint, sizeof(hint), "digits and at most one of K M G T (64M), an amount (60%% of ram), or %s",
			 word);
		node_error(s, n, hint, "bad size '%s'", n->text);
	}
}

void check_rlimit(struct source *s, const struct node *n)
{
	check_amount_or(s, n, "unlimited");
}

void check_cgroup_limit(struct source *s, const struct node *n)
{
	static const char *const flags[] = {"memory.oom.group", "memory.oom_control"};
	bool flag = false;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		flag |= strcmp(n->key->text, flags[i]) == 0;
	if (!flag)
		check_amount_or(s, n, "max");
	else if (strcmp(n->text, "0") != 0 && strcmp(n->text, "1") != 0)
		node_error(s, n, NULL, "%s is 0 or 1", n->key->text);
}

void check_sysctl(struct source *s, const struct node *n)
{
	const char *name = n->key->text;

	if (!only(name, LETTERS CAPITALS DIGITS "._-/") || strstr(name, "..") || !strpbrk(name, "./") ||
	    strchr("./", name[0]) || strchr("./", name[strlen(name) - 1]) || strlen(name) > 127)
		node_error(s, n->key, "as in vm.overcommit_memory", "bad sysctl name '%s'", name);
	if (strlen(n->text) > 63 || strchr(n->text, '\n'))
		node_error(s, n, NULL, "a sysctl's value is one line of at most 63 bytes");
}

void check_ram(struct source *s, const struct node *n)
{
	uint64_t bytes;

	if (number_parse_size(n->text, &bytes) < 0 || bytes == 0)
		node_error(s, n, "digits and at most one of K M G T, as in 200M", "bad size '%s'", n->text);
}

/* Below /sys, without leaving it; not the cgroups, which have keys of their own. */
void check_sys(struct source *s, const struct node *n)
{
	const char *name = n->key->text;
	bool dots = false;

	for (const char *c = name; *c; c += *c == '/') {
		dots |= strspn(c, ".") == strcspn(c, "/");
		c += strcspn(c, "/");
	}
	if (!only(name, LETTERS CAPITALS DIGITS "._-/:") || dots || !strchr(name, '/') ||
	    name[strlen(name) - 1] == '/' || strlen(name) > 127)
		node_error(s, n->key, "a path below /sys, as in kernel/mm/transparent_hugepage/enabled",
			   "bad name of a file in /sys '%s'", name);
	else if (strncmp(name, "fs/cgroup/", strlen("fs/cgroup/")) == 0)
		node_error(s, n->key, "say cgroup or cgroup_above", "control groups are not set by path");
	if (strlen(n->text) > 63 || strchr(n->text, '\n'))
		node_error(s, n, NULL, "a value in /sys is one line of at most 63 bytes");
}

/* tmpfs takes a 0 for no limit at all. */
void check_tmpfs(struct source *s, const struct node *n)
{
	int r = amount_parse(n->text, NULL, NULL);

	if (r == -ERANGE)
		node_error(s, n, NULL, "'%s' is too large", n->text);
	else if (r < 0)
		node_error(s, n, "digits and at most one of K M G T (64M), or an amount (1% of ram)", "bad size '%s'",
			   n->text);
	else if (n->text[strspn(n->text, "0")] == '\0')
		node_error(s, n, NULL, "a tmpfs of 0 has no limit: leave it out");
}

void check_swap(struct source *s, const struct node *n)
{
	check_amount_or(s, n, "0");
}

void check_inject(struct source *s, const struct node *n)
{
	struct environment_injection injection;
	int r = strcmp(n->text, "none") == 0 ? 0 : environment_parse_injection(n->key->text, n->text, &injection);

	if (r == -ENOTSUP)
		node_error(s, n, "brk: ENOMEM", "%s cannot say '%s': it returns the break it kept", n->key->text,
			   n->text);
	else if (r < 0)
		node_error(s, n, "an errno (ENOMEM), one from a size on (ENOMEM from 1M), or none", "bad failure '%s'",
			   n->text);
}

/* Text that ends up in reports: no escape sequence in it. */
static void check_printable(struct source *s, const struct node *n, size_t most, bool lines)
{
	if (strlen(n->text) > most) {
		node_error(s, n, NULL, "too long (at most %zu bytes)", most);
		return;
	}
	for (const char *c = n->text; *c; c++) {
		if (((unsigned char)*c < ' ' && !(lines && *c == '\n')) || *c == 0x7f) {
			node_error(s, n, NULL, "%s of printable text %s needed", lines ? "lines" : "one line",
				   lines ? "are" : "is");
			return;
		}
	}
}

void check_panic(struct source *s, const struct node *n)
{
	check_printable(s, n, LABEL_MAX_LENGTH, false);
}

void check_note(struct source *s, const struct node *n)
{
	check_printable(s, n, NOTE_MAX_LENGTH, true);
}

void check_oom_kills(struct source *s, const struct node *n)
{
	uint64_t kills;

	if (strcmp(n->text, "any") != 0 && number_parse_count(n->text, &kills) < 0)
		node_error(s, n, NULL, "oom_kills is a number, or any");
}

void check_identity(struct source *s, const struct node *n)
{
	uint64_t uid;

	if (only(n->text, DIGITS)) {
		if (number_parse_count(n->text, &uid) < 0 || uid >= UINT32_MAX)
			node_error(s, n, NULL, "'%s' is no user number", n->text);
	} else if (!only(n->text, LETTERS CAPITALS DIGITS "-_.") || strchr("-.", n->text[0]) || strlen(n->text) > 63) {
		node_error(s, n, NULL, "'%s' is no user name", n->text);
	}
}

void check_oom_score_adj(struct source *s, const struct node *n)
{
	const char *digits = n->text + (n->text[0] == '-');
	uint64_t value;

	if (number_parse_count(digits, &value) < 0 || value > 1000)
		node_error(s, n, NULL, "oom_score_adj is a number from -1000 to 1000");
}

void check_argument(struct source *s, const struct node *n)
{
	int r = amount_parse(n->text, NULL, NULL);

	if (r == -ERANGE)
		node_error(s, n, NULL, "'%s' is too large", n->text);
	else if (r < 0 && amount_intended(n->text))
		node_error(s, n, "sizes are written 64M, amounts as in 60% of commit.headroom", "bad size '%s'",
			   n->text);
}

void check_exit(struct source *s, const struct node *n)
{
	uint64_t code;

	if (strcmp(n->text, "any") != 0 && (number_parse_count(n->text, &code) < 0 || code > 255))
		node_error(s, n, NULL, "exit is a number from 0 to 255, or any");
}

/* "6.1": two numbers. */
static bool version_valid(const char *text, size_t length)
{
	size_t major = strspn(text, DIGITS);
	size_t minor = text[major] == '.' ? strspn(text + major + 1, DIGITS) : 0;

	return major > 0 && major < 5 && minor > 0 && minor < 5 && major + 1 + minor == length;
}

void check_kernel(struct source *s, const struct node *n)
{
	const char *c = n->text;
	unsigned terms = 0;

	while (*c) {
		size_t sign = strncmp(c, ">=", 2) == 0 ? 2 : *c == '<' ? 1 : 0;
		size_t length = strcspn(c + sign, " ");
		if (sign == 0 || !version_valid(c + sign, length) || (c[sign + length] && !c[sign + length + 1]))
			break;
		terms++;
		c += sign + length + (c[sign + length] == ' ');
	}
	if (*c || terms == 0 || terms > 2)
		node_error(s, n, "\">=6.1\", \"<6.11\", or both: \">=5.10 <6.11\"", "bad kernel range '%s'", n->text);
}

void check_tool(struct source *s, const struct node *n)
{
	bool path = n->text[0] == '/';

	if (!only(n->text, path ? LETTERS CAPITALS DIGITS "-_.+/" : LETTERS CAPITALS DIGITS "-_.+") ||
	    n->text[0] == '.' || strlen(n->text) > NAME_MAX_LENGTH)
		node_error(s, n, NULL,
			   "a tool is the name of a program, looked up on PATH, or a path that begins with '/'");
}

/* What a guest has of its own; what is brought would not be put there. NULL. */
static const char *place_of_guest(const char *path)
{
	static const char *const file[] = {"/init", "/etc/passwd", "/etc/group", "/usr/bin/enomem"};
	static const char *const directory[] = {"/proc", "/sys", "/dev", "/modules", "/scenarios", "/root-directory"};

	for (size_t i = 0; i < ARRAY_SIZE(file); i++)
		if (strcmp(path, file[i]) == 0)
			return file[i];
	for (size_t i = 0; i < ARRAY_SIZE(directory); i++) {
		size_t length = strlen(directory[i]);
		if (strncmp(path, directory[i], length) == 0 && (path[length] == '/' || path[length] == '\0'))
			return directory[i];
	}
	return NULL;
}

void check_brought(struct source *s, const struct node *n)
{
	const char *own = place_of_guest(n->text);
	size_t length = strlen(n->text);

	if (n->text[0] != '/' || length == 1 || n->text[length - 1] == '/')
		node_error(s, n, "as in /usr/bin/redis-server",
			   "what is brought is a path that begins with '/' and does not end with it");
	else if (strstr(n->text, "//") || strstr(n->text, "/./") || strstr(n->text, "/../") ||
		 strcmp(n->text + length - 2, "/.") == 0 || (length > 2 && strcmp(n->text + length - 3, "/..") == 0))
		node_error(s, n, NULL, "what is brought is a path without empty parts, '.' and '..'");
	else if (length >= PATH_MAX)
		node_error(s, n, NULL, "a path of %zu bytes", length);
	else if (own)
		node_error(s, n, "bring a copy that has another name", "a guest has a %s of its own", own);
}

static bool check_path(struct source *s, const struct node *n, const char *text, size_t length)
{
	if (metric_path_valid(text, length))
		return true;
	node_error(s, n,
		   "paths begin with before. failure. after. delta. arguments. witness. exit. cause. kernel_log. most. "
		   "least., or are "
		   "duration_ns",
		   "'%.*s' is no metric path", (int)length, text);
	return false;
}

void check_left_side(struct source *s, const struct node *n)
{
	static const char sign[] = " - ";
	const char *minus = strstr(n->text, sign);

	if (!minus)
		check_path(s, n, n->text, strlen(n->text));
	else if (check_path(s, n, n->text, (size_t)(minus - n->text)))
		check_path(s, n, minus + strlen(sign), strlen(minus + strlen(sign)));
}

void check_right_side(struct source *s, const struct node *n)
{
	int r = amount_parse(n->text, NULL, NULL);
	uint64_t limit;

	if (r == 0 || number_parse_limit(n->text, &limit) == 0 || metric_path_valid(n->text, strlen(n->text)))
		return;
	if (r == -ERANGE)
		node_error(s, n, NULL, "'%s' is too large", n->text);
	else
		node_error(s, n, "a number, a size, max, an amount (60% of ram) or a metric path (before.process.rss)",
			   "bad value '%s'", n->text);
}

void check_within(struct source *s, const struct node *n)
{
	uint64_t ignored;

	if (number_parse_percent(n->text, &ignored) < 0 && number_parse_size(n->text, &ignored) < 0)
		node_error(s, n, "a percentage (2%) or a size (64K)", "bad tolerance '%s'", n->text);
}
