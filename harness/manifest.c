// SPDX-License-Identifier: MIT
/*
 * scenario.yaml in, struct scenario out. The stages are in manifest-node.c, -schema.c and -check.c; here is what
 * touches the file system: the file itself, the directory it must be named after, the program it needs.
 */
#include "manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "manifest-internal.h"

const char *const scope_names[SCOPE_COUNT] = {
	[SCOPE_PROCESS] = "process",
	[SCOPE_CGROUP] = "cgroup",
	[SCOPE_NAMESPACE] = "namespace",
	[SCOPE_MACHINE] = "machine",
};
const char *const role_names[ROLE_COUNT] = {
	[ROLE_CONTROL] = "control",
	[ROLE_TRIGGER] = "trigger",
	[ROLE_REMEDY] = "remedy",
};
const char *const relation_names[REL_COUNT] = {
	[REL_IS] = "is",       [REL_AT_LEAST] = "at_least", [REL_AT_MOST] = "at_most",
	[REL_ABOVE] = "above", [REL_BELOW] = "below",       [REL_NEAR] = "near",
};

static void scenario_freep(struct scenario **s)
{
	scenario_free(*s);
}

/* A path with its links resolved, or NULL with errno. */
static char *resolved(const char *directory, const char *name)
{
	auto_free char *path = NULL;

	if (asprintf(&path, "%s/%s", directory, name) < 0) {
		path = NULL;
		errno = ENOMEM;
		return NULL;
	}
	return realpath(path, NULL);
}

static bool below(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	if (strcmp(directory, "/") == 0)
		return true;
	return strncmp(path, directory, length) == 0 && path[length] == '/';
}

static void report_missing(struct source *s, const struct scenario *scenario, const struct node *place)
{
	const char *d = scenario->directory, *p = scenario->program;
	auto_free char *source = NULL, *hint = NULL;
	const char *use = "put it there, or name another one with 'program:'";

	if (asprintf(&source, "%s/%s.c", d, p) < 0) {
		source = NULL;
		s->out_of_memory = true;
		return;
	}
	if (access(source, R_OK) == 0) {
		if (asprintf(&hint, "build it with 'cc -o %s/%s %s/%s.c' or 'cmake --build'", d, p, d, p) < 0) {
			hint = NULL;
			s->out_of_memory = true;
			return;
		}
		use = hint;
	}
	node_error(s, place, use, "missing program: there is no '%s' in %s", p, d);
}

static void check_program_file(struct source *s, const struct scenario *scenario, const struct node *root,
			       const char *directory)
{
	const struct node *program = node_get(root, "program");
	const struct node *place = program ? program : node_get(root, "name");
	auto_free char *path = resolved(scenario->directory, scenario->program);
	struct stat st;

	/* Not every compiler makes 32-bit programs: plan.c skips what was not built. */
	if (!path && errno == ENOENT && scenario->needs.ia32)
		return;
	if (!path && errno == ENOENT)
		report_missing(s, scenario, place);
	else if (!path)
		node_error(s, place, NULL, "program '%s': %s", scenario->program, strerror(errno));
	else if (!below(path, directory))
		node_error(s, place, NULL, "program '%s' is a link that leaves the directory: it leads to %s",
			   scenario->program, path);
	else if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		node_error(s, place, NULL, "program '%s' is no file", scenario->program);
	else if (access(path, X_OK) < 0)
		node_error(s, place, "chmod +x", "program '%s' is not executable", scenario->program);
}

static void check_directory(struct source *s, const struct scenario *scenario, const struct node *root,
			    const char *directory)
{
	const char *slash = strrchr(directory, '/');

	if (strcmp(slash ? slash + 1 : directory, scenario->name) != 0)
		node_error(s, node_get(root, "name"), NULL, "the scenario is named '%s', but its directory '%s'",
			   scenario->name, slash ? slash + 1 : directory);
	check_program_file(s, scenario, root, directory);
}

/* What is inherited or left out gets its value; directory and file are remembered. */
static void complete(struct source *s, struct scenario *scenario)
{
	const char *slash = strrchr(s->file, '/');

	scenario->file = strdup(s->file);
	scenario->directory = slash ? strndup(s->file, slash == s->file ? 1 : (size_t)(slash - s->file)) : strdup(".");
	if (!scenario->program && scenario->name)
		scenario->program = strdup(scenario->name);
	for (size_t i = 0; i < scenario->run_count; i++) {
		if (scenario->runs[i].scope == SCOPE_COUNT)
			scenario->runs[i].scope = scenario->scope;
	}
	if (!scenario->file || !scenario->directory || (scenario->name && !scenario->program))
		s->out_of_memory = true;
}

/* directory: with its links resolved, or NULL to leave the file system alone. */
static int read_text(struct source *s, const char *directory, struct scenario **ret)
{
	__attribute__((cleanup(scenario_freep))) struct scenario *scenario = NULL;
	auto_node struct node *root = NULL;

	if (s->length > MANIFEST_MAX_BYTES) {
		source_error(s, 0, 1, NULL, "larger than %u KiB", MANIFEST_MAX_BYTES / 1024);
		return -EINVAL;
	}
	root = node_parse(s);
	if (root)
		scenario = schema_read(s, root);
	if (scenario && !s->out_of_memory && s->error_count == 0) {
		complete(s, scenario);
		if (!s->out_of_memory)
			manifest_check(s, scenario, root);
		if (!s->out_of_memory && directory)
			check_directory(s, scenario, root, directory);
	}
	/* What is wrong in a file is told; the parser that has no memory itself gives up without a word. */
	if (!scenario && s->error_count == 0)
		s->out_of_memory = true;
	if (s->out_of_memory) {
		fprintf(s->errors, "%s: %s\n", s->file, strerror(ENOMEM));
		return -ENOMEM;
	}
	if (s->error_count > 0 || !scenario)
		return -EINVAL;
	*ret = steal(scenario);
	return 0;
}

int manifest_parse(const char *text, size_t length, const char *file, FILE *errors, struct scenario **ret)
{
	struct source s = {.file = file, .text = text, .length = length, .errors = errors};

	return read_text(&s, NULL, ret);
}

int manifest_read_text(const char *path, char **ret_text, size_t *ret_length)
{
	const size_t size = (size_t)MANIFEST_MAX_BYTES + 1;
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	auto_free char *text = NULL;
	size_t length = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -ENXIO;
	text = malloc(size);
	if (!text)
		return -ENOMEM;
	while (length < size) {
		ssize_t n = read(fd, text + length, size - length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		length += (size_t)n;
	}
	*ret_text = steal(text);
	*ret_length = length;
	return 0;
}

static int fail(FILE *errors, const char *path, int error)
{
	fprintf(errors, "%s: %s (%s)\n", path, strerror(error), strerrorname_np(error));
	return -error;
}

int manifest_read(const char *directory, FILE *errors, struct scenario **ret)
{
	auto_free char *real = realpath(directory, NULL);
	auto_free char *path = NULL, *real_path = NULL, *text = NULL;
	struct source s = {.errors = errors};
	size_t length = strlen(directory);

	if (!real)
		return fail(errors, directory, errno);
	while (length > 1 && directory[length - 1] == '/')
		length--;
	if (asprintf(&path, "%.*s/scenario.yaml", (int)length, directory) < 0) {
		path = NULL;
		return fail(errors, directory, ENOMEM);
	}
	real_path = realpath(path, NULL);
	if (!real_path)
		return fail(errors, path, errno);
	if (!below(real_path, real)) {
		fprintf(errors, "%s:1:1: error: a link that leaves the directory: it leads to %s\n", path, real_path);
		return -EINVAL;
	}
	int r = manifest_read_text(real_path, &text, &s.length);
	if (r < 0)
		return fail(errors, path, -r);
	s.file = path;
	s.text = text;
	return read_text(&s, real, ret);
}

void scenario_free(struct scenario *s)
{
	schema_free(s);
}
