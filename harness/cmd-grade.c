// SPDX-License-Identifier: MIT
/*
 * enomem grade: a tool's answer against the answer key of what it was shown.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cleanup.h"
#include "grade.h"
#include "number.h"
#include "options.h"
#include "report-text.h"
#include "say.h"

enum { OPT_WITHIN = 256 };

static const struct option_row options[] = {
	{"format", 'f', "FMT", "pretty or json"},
	{"within", OPT_WITHIN, "PERCENT", "how far off the values of an answer may be (1%)"},
	{NULL, 0, NULL, NULL},
};

static const char *const format_names[] = {"pretty", "json"};

/* All of a file of at most so many bytes; told when it cannot be had. */
static char *read_all(const char *path, size_t most, size_t *ret_length)
{
	auto_close int fd = !strcmp(path, "-") ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	auto_free char *text = malloc(most + 1);
	size_t length = 0;
	ssize_t n = fd < 0 || !text ? -1 : 1;
	while (n > 0 && length <= most) {
		n = read(fd, text + length, most + 1 - length);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			length += (size_t)n;
	}
	if (n < 0) {
		(void)say_error(errno, "%s: cannot be read", path);
		return NULL;
	}
	if (length > most) {
		(void)say_error(0, "%s: longer than %zu bytes, no answer or key is", path, most);
		return NULL;
	}
	*ret_length = length;
	return steal(text);
}

static json_t *read_key(const char *path)
{
	size_t length;
	json_error_t error;
	auto_free char *text = read_all(path, GRADE_KEY_MAX, &length);
	if (!text)
		return NULL;
	json_t *key = json_loadb(text, length, 0, &error);
	if (!key)
		(void)say_error(0, "%s:%d: no JSON: %s", path, error.line, error.text);
	else if (strcmp(text_of(key, "schema"), "enomem-key/1") != 0 || !json_is_object(json_object_get(key, "cause")))
		(void)say_error(0, "%s:1: no answer key (enomem-key/1)", path);
	else
		return key;
	say_hint("enomem hold --key FILE SCENARIO -- TOOL writes one");
	json_decref(key);
	return NULL;
}

static json_t *read_answer(const char *path)
{
	char why[2 * TEXT_MAX];
	size_t length;
	auto_free char *text = read_all(path, GRADE_ANSWER_MAX, &length);
	json_t *answer = text ? grade_parse(text, length, why, sizeof(why)) : NULL;
	if (text && !answer)
		(void)say_error(0, "%s:%s%s", path, *why >= '0' && *why <= '9' ? "" : " ", why);
	return answer;
}

static int grade(const char *key_path, const char *answer_path, uint64_t within, bool as_json)
{
	json_auto_t *key = read_key(key_path), *answer = key ? read_answer(answer_path) : NULL;
	if (!answer)
		return EXIT_USAGE;
	json_auto_t *result = grade_make(key, answer, within);
	int r = !result   ? -ENOMEM
		: as_json ? (json_dumpf(result, stdout, JSON_INDENT(1)) < 0 || puts("") < 0 ? -EIO : 0)
			  : grade_print(result, stdout);
	if (r < 0) {
		(void)say_error(r, "the grade could not be told");
		return EXIT_BROKEN;
	}
	return say_finish(json_is_true(json_object_get(result, "right")) ? EXIT_AS_PREDICTED : EXIT_PREDICTION_FAILED);
}

static int cmd_grade_main(const struct command *self, int argc, char **argv)
{
	uint64_t within = 100;
	unsigned as_json = false; /* the second format */
	const char *value;
	for (int letter; (letter = options_next(self, argc, argv, &value)) != -1;) {
		if (letter == 'h') {
			options_help(self);
			return say_finish(EXIT_AS_PREDICTED);
		}
		if (letter == 'f') {
			if (options_format(self, value, &as_json) != 0)
				return EXIT_USAGE;
		} else if (letter != OPT_WITHIN) {
			return EXIT_USAGE;
		} else if (number_parse_percent(value, &within) < 0 || within > 10000) {
			(void)say_error(0, "--within: %s is no percentage from 0%% to 100%%", value);
			return EXIT_USAGE;
		}
	}
	int first = options_operands();
	if (argc - first != 2) {
		(void)say_error(0, "grade takes an answer key and an answer");
		say_hint("enomem grade key.json answer.json");
		return EXIT_USAGE;
	}
	return grade(argv[first], argv[first + 1], within, as_json);
}

const struct command cmd_grade = {
	.name = "grade",
	.arguments = "[OPTION...] KEY ANSWER",
	.examples = "  enomem grade key.json answer.json  what the tool got right\n",
	.blurb = "Compare a tool's answer with the answer key of what it was shown.",
	.options = options,
	.formats = format_names,
	.format_count = ARRAY_SIZE(format_names),
	.run = cmd_grade_main,
};
