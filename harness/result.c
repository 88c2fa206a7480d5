// SPDX-License-Identifier: MIT
/*
 * Stored results: read with suspicion, checked for their shape, written so that a full disk or a crash loses nothing.
 */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "json-memory.h"
#include "report.h"
#include "result-check.h"
#include "store.h"

/* The largest file that is still a result: 60 scenarios with samples are about 20 MiB. */
#define RESULT_MAX_BYTES (512UL * 1024 * 1024)

static int say(FILE *errors, int error, const char *path, const char *what)
{
	const char *name = strerrorname_np(error);
	if (errors)
		(void)fprintf(errors, "enomem: %s: %s (%s)\nHint: a result is made by: enomem run -o FILE\n", path,
			      what, name ? name : "?");
	return -error;
}

/* Everything of a file or a pipe. */
static int read_all(FILE *in, char **ret_text, size_t *ret_length)
{
	auto_free char *text = NULL;
	size_t used = 0, size = 0;
	for (;;) {
		if (used == size) {
			size = size ? 2 * size : 65536;
			if (size > 2 * RESULT_MAX_BYTES)
				return -EFBIG;
			char *larger = realloc(text, size);
			if (!larger)
				return -ENOMEM;
			text = larger;
		}
		errno = 0;
		size_t n = fread(text + used, 1, size - used, in);
		used += n;
		if (n)
			continue;
		if (ferror(in))
			return errno ? -errno : -EIO;
		break;
	}
	if (used > RESULT_MAX_BYTES)
		return -EFBIG;
	*ret_text = steal(text);
	*ret_length = used;
	return 0;
}

static int syntax_error(FILE *errors, const char *path, const char *text, size_t offset, const json_error_t *error)
{
	if (json_memory_refused())
		return say(errors, ENOMEM, path, "cannot be read");
	int line = error->line > 0 ? error->line : 1;
	for (size_t i = 0; i < offset; i++)
		line += text[i] == '\n';
	if (errors)
		(void)fprintf(errors, "%s:%d:%d: %s\n", path, line, error->column > 0 ? error->column : 1, error->text);
	return json_error_code(error) == json_error_out_of_memory ? -ENOMEM : -EINVAL;
}

/* One result after another: one to a line, or with line breaks inside. */
static int parse_results(const char *path, const char *text, size_t length, FILE *errors, json_t **ret)
{
	json_auto_t *results = json_array();
	size_t offset = 0;
	if (!results)
		return say(errors, ENOMEM, path, "cannot be read");
	do {
		json_error_t error;
		json_auto_t *result = json_loadb(text + offset, length - offset,
						 JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, &error);
		if (!result)
			return syntax_error(errors, path, text, offset, &error);
		/* A string for which there was no more room has a letter less, and would be the file's fault. */
		if (json_memory_refused())
			return say(errors, ENOMEM, path, "cannot be read");
		int r = result_check_any(result, path, errors);
		if (r < 0)
			return r;
		if (json_array_append(results, result) < 0)
			return say(errors, ENOMEM, path, "cannot be read");
		offset += (size_t)error.position;
		while (offset < length && text[offset] && strchr(" \t\r\n", text[offset]))
			offset++;
	} while (offset < length);
	*ret = steal(results);
	return 0;
}

int results_load(const char *path, FILE *errors, json_t **ret)
{
	auto_fclose FILE *in = fopen(path, "re");
	if (!in)
		return say(errors, errno, path, "cannot be opened");
	auto_free char *text = NULL;
	size_t length = 0;
	int r = read_all(in, &text, &length);
	if (r < 0)
		return say(errors, -r, path, "cannot be read");
	return parse_results(path, text, length, errors, ret);
}

int result_load(const char *path, FILE *errors, json_t **ret)
{
	json_auto_t *results = NULL;
	int r = results_load(path, errors, &results);
	if (r < 0)
		return r;
	const char *problem = json_array_size(results) > 1                      ? "holds more than one result"
			      : result_is_reference(json_array_get(results, 0)) ? "is a reference, not a result"
										: NULL;
	if (problem) {
		if (errors)
			(void)fprintf(errors, "%s: %s\n", path, problem);
		return -EINVAL;
	}
	*ret = json_incref(json_array_get(results, 0));
	return 0;
}

/* What is collected before it goes to the stream. */
struct collected {
	FILE *out;
	size_t used;
	char text[64 * 1024];
};

static int flush(struct collected *c)
{
	size_t used = c->used;
	c->used = 0;
	return fwrite(c->text, 1, used, c->out) == used ? 0 : -1;
}

static int collect(const char *text, size_t length, void *data)
{
	struct collected *c = data;
	if (length > sizeof(c->text) - c->used && flush(c) < 0)
		return -1;
	if (length > sizeof(c->text))
		return fwrite(text, 1, length, c->out) == length ? 0 : -1;
	memcpy(c->text + c->used, text, length);
	c->used += length;
	return 0;
}

int result_write(const json_t *json, size_t flags, FILE *out)
{
	struct collected *c = malloc(sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->out = out;
	c->used = 0;
	int r = json_dump_callback(json, collect, c, flags) == 0 && flush(c) == 0 ? 0 : -EIO;
	if (json_memory_refused())
		r = -ENOMEM;
	free(c);
	return r;
}

int results_dump(json_t *const *results, size_t count, FILE *out)
{
	for (size_t i = 0; i < count; i++) {
		int r = result_write(results[i], count == 1 ? JSON_INDENT(1) : JSON_COMPACT, out);
		if (r < 0 || fputc('\n', out) == EOF)
			return r < 0 ? r : -EIO;
	}
	return 0;
}

struct dump {
	json_t *const *results;
	size_t count;
};

static int dump(FILE *out, void *data)
{
	const struct dump *d = data;
	errno = 0;
	int r = results_dump(d->results, d->count, out);
	return r == -EIO && errno ? -errno : r;
}

int results_store(const char *path, json_t *const *results, size_t count)
{
	struct dump d = {results, count};
	return store_file(path, dump, &d);
}

int result_store(const char *path, const json_t *result)
{
	json_t *one = (json_t *)(uintptr_t)result;
	return results_store(path, &one, 1);
}
