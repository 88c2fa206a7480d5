// SPDX-License-Identifier: MIT
/*
 * enomem triage: what of this machine, a process or a control group is closest to refusing memory or tasks.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "number.h"
#include "options.h"
#include "say.h"
#include "triage.h"

#define ROWS_PER_LIMIT 3

enum { OPT_TOP = 256, OPT_THRESHOLD, OPT_REFUSED };

static const struct option_row options[] = {
	{"format", 'f', "FMT", "pretty, json or markdown"},
	{"top", OPT_TOP, "N", "how many rows to show (10)"},
	{"threshold", OPT_THRESHOLD, "PERCENT", "exit with 1 if anything is used up to this part (90%)"},
	{"refused", OPT_REFUSED, "WHAT", "what the process met: CALL=ERRNO, SIGKILL, SIGSEGV, SIGBUS or stall"},
	{NULL, 0, NULL, NULL},
};

enum format { FORMAT_PRETTY, FORMAT_JSON, FORMAT_MARKDOWN };

static const char *const format_names[] = {"pretty", "json", "markdown"};

static int parse_top(const char *value, size_t *ret)
{
	uint64_t n;
	if (number_parse_count(value, &n) < 0 || n == 0)
		return say_error(-EINVAL, "--top: %s is no number of rows", value);
	*ret = n;
	return 0;
}

/* "90%", "99.5%" or "90" */
static int parse_threshold(const char *value, uint64_t *ret)
{
	uint64_t n;
	int r = number_parse_percent(value, &n);
	if (r < 0) {
		r = number_parse_count(value, &n);
		n = r < 0 || n > 1000 ? 0 : n * 100;
	}
	if (r < 0 || n == 0 || n > 100000)
		return say_error(-EINVAL, "--threshold: %s is no percentage from 1%% to 1000%%", value);
	*ret = n;
	return 0;
}

static int parse_refused(const char *value, struct triage_symptom *ret)
{
	int r = triage_parse_symptom(value, ret);
	if (r < 0) {
		(void)say_error(r, "--refused: %s is no symptom", value);
		say_hint("--refused mmap=ENOMEM, clone=EAGAIN, SIGKILL, SIGSEGV, SIGBUS or stall");
	}
	return r;
}

/* 0, or the error was told. */
static int read_process(struct triage *t, struct triage_report *report, const char *word,
			const struct triage_symptom *symptom)
{
	uint64_t pid;
	if (number_parse_count(word, &pid) < 0 || pid == 0 || pid > INT32_MAX)
		return say_error(-ESRCH, "%s: no process can have this id", word);
	report->kind = "process";
	report->pid = (int32_t)pid;
	report->name = report->comm;
	int r = triage_one_process(t, report->pid, symptom, report->comm, sizeof(report->comm));
	if (r == -ESRCH)
		return say_error(r, "%s: there is no such process, or it has ended", word);
	return r < 0 ? say_error(r, "%s: its limits could not be read", word) : 0;
}

static int read_group(struct triage *t, struct triage_report *report, const char *path)
{
	report->kind = "group";
	report->name = path;
	int r = triage_groups_at(t, path);
	if (r == -ENOENT) {
		(void)say_error(r, "%s: no control group of the memory, pids or hugetlb controller", path);
		say_hint("a directory below /sys/fs/cgroup, or a path as /proc/PID/cgroup shows it");
	} else if (r < 0) {
		(void)say_error(r, "%s: its limits could not be read", path);
	}
	return r;
}

static bool is_pid(const char *word)
{
	return word && word[0] && word[strspn(word, "0123456789")] == '\0';
}

static int read_subject(struct triage *t, struct triage_report *report, const char *word,
			const struct triage_symptom *symptom)
{
	if (word)
		return is_pid(word) ? read_process(t, report, word, symptom) : read_group(t, report, word);
	int r = triage_everything(t);
	return r < 0 ? say_error(r, "the machine's limits could not be read") : 0;
}

static int print(const struct triage *t, const struct triage_report *report, enum format format)
{
	if (format == FORMAT_PRETTY)
		return triage_print_pretty(t, report);
	if (format == FORMAT_MARKDOWN) {
		triage_print_markdown(t, report, stdout);
		return 0;
	}
	json_auto_t *json = triage_json(t, report);
	return !json || json_dumpf(json, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) < 0 || puts("") < 0 ? -EIO
													      : 0;
}

static int triage(struct triage_report *report, const char *word, const struct triage_symptom *symptom,
		  enum format format)
{
	struct triage t = {0};
	int r = read_subject(&t, report, word, symptom), code = EXIT_AS_PREDICTED;
	if (r < 0) {
		code = r == -ESRCH || r == -ENOENT ? EXIT_USAGE : EXIT_BROKEN;
	} else {
		triage_rank(&t);
		if (!word)
			triage_thin(&t, report->threshold, ROWS_PER_LIMIT);
		r = print(&t, report, format);
		if (r < 0)
			code = EXIT_BROKEN;
		else if (triage_near(&t, report->threshold))
			code = EXIT_PREDICTION_FAILED;
	}
	triage_free(&t);
	return say_finish(code);
}

static int cmd_triage_main(const struct command *self, int argc, char **argv)
{
	struct triage_report report = {.kind = "machine", .top = 10, .threshold = 9000};
	enum format format = FORMAT_PRETTY;
	struct triage_symptom symptom = {0};
	bool refused = false;
	const char *value;
	for (int letter; (letter = options_next(self, argc, argv, &value)) != -1;) {
		int r = 0;
		switch (letter) {
		case 'f':
			r = options_format(self, value, &format);
			break;
		case OPT_TOP:
			r = parse_top(value, &report.top);
			break;
		case OPT_THRESHOLD:
			r = parse_threshold(value, &report.threshold);
			break;
		case OPT_REFUSED:
			r = parse_refused(value, &symptom);
			refused = true;
			break;
		case 'h':
			options_help(self);
			return say_finish(EXIT_AS_PREDICTED);
		default:
			return EXIT_USAGE;
		}
		if (r != 0)
			return EXIT_USAGE;
	}
	int first = options_operands();
	if (argc - first > 1) {
		(void)say_error(0, "%s: triage takes one process or group at a time", argv[first + 1]);
		return EXIT_USAGE;
	}
	if (refused && !is_pid(argv[first])) {
		(void)say_error(0, "--refused: say to which process: enomem triage --refused WHAT PID");
		return EXIT_USAGE;
	}
	return triage(&report, argv[first], refused ? &symptom : NULL, format);
}

const struct command cmd_triage = {
	.name = "triage",
	.arguments = "[OPTION...] [PID|CGROUP-PATH]",
	.examples = "  enomem triage                             this machine\n"
		    "  enomem triage 4711                        what one process is closest to\n"
		    "  enomem triage --refused=mmap=ENOMEM 4711  which limit refused it, most likely\n",
	.blurb = "Rank what is closest to refusing memory or tasks, with the command that lifts it.",
	.options = options,
	.formats = format_names,
	.format_count = ARRAY_SIZE(format_names),
	.run = cmd_triage_main,
};
