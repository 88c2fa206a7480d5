// SPDX-License-Identifier: MIT
/*
 * Stored results: read with suspicion, checked for their shape, written so that a full disk or a crash loses nothing.
 */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "report.h"
#include "result-check.h"

/* The largest file that is still a result: 60 scenarios with samples are about 20 MiB. */
#define RESULT_MAX_BYTES (512UL * 1024 * 1024)

static int say(FILE *errors, int error, const char *path, const char *what)
{
	if (errors)
		(void)fprintf(errors, "%s: %s: %s\n", path, what, strerror(error));
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
		return -ENOMEM;
	do {
		json_error_t error;
		json_auto_t *result = json_loadb(text + offset, length - offset,
						 JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, &error);
		if (!result)
			return syntax_error(errors, path, text, offset, &error);
		int r = result_check_any(result, path, errors);
		if (r < 0)
			return r;
		if (json_array_append(results, result) < 0)
			return -ENOMEM;
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

int results_dump(json_t *const *results, size_t count, FILE *out)
{
	for (size_t i = 0; i < count; i++)
		if (json_dumpf(results[i], out, count == 1 ? JSON_INDENT(1) : JSON_COMPACT) < 0 ||
		    fputc('\n', out) == EOF)
			return -EIO;
	return 0;
}

static int write_json(int fd, json_t *const *results, size_t count)
{
	auto_fclose FILE *out = fdopen(fd, "w");
	if (!out) {
		int error = errno;
		(void)close(fd);
		return -error;
	}
	errno = 0;
	if (results_dump(results, count, out) < 0 || fflush(out) == EOF)
		return errno ? -errno : -EIO;
	/* Devices and pipes cannot be synced and need not be. */
	if (fsync(fileno(out)) < 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP)
		return -errno;
	FILE *closing = steal(out);
	return fclose(closing) == EOF ? -errno : 0;
}

/* Make the rename itself last. */
static void sync_directory(const char *path)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');
	(void)snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	auto_close int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		(void)fsync(fd);
}

/* mkostemp() makes files for the owner only; a result is an ordinary file. */
static void ordinary_mode(int fd, const char *path)
{
	struct stat st;
	mode_t mask = umask(0);
	(void)umask(mask);
	(void)fchmod(fd, stat(path, &st) == 0 ? st.st_mode & 0777 : 0666 & ~mask);
}

int results_store(const char *path, json_t *const *results, size_t count)
{
	char resolved[PATH_MAX], temporary[PATH_MAX + 16];
	struct stat st;
	/* Renaming over /dev/stdout or a pipe would replace it: write into what is no file. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		int fd = open(path, O_WRONLY | O_CLOEXEC);
		return fd < 0 ? -errno : write_json(fd, results, count);
	}
	const char *target = realpath(path, resolved) ? resolved : path; /* a symbolic link stays one */
	if (strlen(target) + 8 > sizeof(temporary))
		return -ENAMETOOLONG;
	(void)snprintf(temporary, sizeof(temporary), "%s.XXXXXX", target);
	int fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ordinary_mode(fd, target);
	int r = write_json(fd, results, count);
	if (!r && rename(temporary, target) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(temporary);
	else
		sync_directory(target);
	return r;
}

int result_store(const char *path, const json_t *result)
{
	json_t *one = (json_t *)(uintptr_t)result;
	return results_store(path, &one, 1);
}
