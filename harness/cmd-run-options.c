// SPDX-License-Identifier: MIT
/*
 * Options of `enomem run`: one table for parsing and for help. See cmd-run-options.h.
 */
#include "cmd-run-options.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "cleanup.h"
#include "number.h"
#include "say.h"

#define GUEST_MEMORY_MIN (UINT64_C(96) << 20)
#define GUEST_MEMORY_MAX (UINT64_C(64) << 30)
#define DEADLINE_MAX_NS  (UINT64_C(86400) * 1000000000)

const struct option_row run_option_rows[] = {
	{"format", 'f', "FMT",
	 "pretty, tap (version 14), tap13 (for prove), json, junit or markdown; default pretty on a terminal, else "
	 "tap13"},
	{"output", 'o', "FILE", "store the whole result as JSON as well (several kernels: one result per line)"},
	{"baseline", OPT_BASELINE, "FILE", "compare with a stored result or reference; exit 1 if anything moved"},
	{"failed", OPT_FAILED, "[RESULT]",
	 "run the cases that failed or were broken, where they did: in this user's last run, or in a stored result"},
	{"jobs", 'j', "N", "run up to N scenarios at once where their scopes allow (default 1)"},
	{"verbose", 'v', NULL, "pretty: every run and every check"},
	{"quiet", 'q', NULL, "show nothing on standard error of how the runs are getting on"},
	{"locate", OPT_LOCATE, NULL,
	 "search for the last number that is granted and the first that is refused, and compare with the prediction"},
	{"parameter", 'p', "KEY=VALUE",
	 "another value of what the scenario sets: memory.max=64M, rlimit.as=32M, ... (repeatable)"},
	{"deadline", OPT_DEADLINE, "TIME", "with -- COMMAND: end it after so long (default 1min)"},
	{"guest", OPT_GUEST, "[KERNEL]",
	 "run everything in a throw-away QEMU guest: 6.1, 5.10,6.12, all, or the path of a kernel image"},
	{"no-guest", OPT_NO_GUEST, NULL, "skip what cannot run on this machine, even if a guest could"},
	{"bring", OPT_BRING, "FILE",
	 "with --guest and -- COMMAND: have this file or directory there as well (repeatable)"},
	{"root", OPT_ROOT, "DIR",
	 "with -- COMMAND: the command is looked for in this directory and has it for its root, here or with --guest"},
	{"guest-memory", OPT_GUEST_MEMORY, "SIZE", "RAM of a guest (default 288M)"},
	{"guest-cpus", OPT_GUEST_CPUS, "N", "CPUs of a guest (default 1)"},
	{"guest-swap", OPT_GUEST_SWAP, "SIZE", "swap that a guest has from the start (default none)"},
	{"guest-cgroup", OPT_GUEST_CGROUP, "VERSION",
	 "v2 (default) or v1, where a scenario does not ask for the other"},
	{"guest-append", OPT_GUEST_APPEND, "TEXT", "added to the guest's kernel command line"},
	{"guest-cold", OPT_GUEST_COLD, NULL, "boot every guest instead of restoring a booted state"},
	{"sysctl", OPT_SYSCTL, "K=V", "set in every guest before anything else (repeatable)"},
	{"profile", OPT_PROFILE, "PATH", "the same from a file or directory in the syntax of sysctl.d(5) (repeatable)"},
	{"allow-machine", OPT_ALLOW_MACHINE, NULL,
	 "run machine-scope scenarios here if they are survivable: under a lock, journalled, restored"},
	{"triage", OPT_TRIAGE, NULL, "note what `enomem triage` says of each trigger at its failing moment"},
	{"no-skip", OPT_NO_SKIP, NULL, "treat whatever was skipped as failed"},
	{"exit", OPT_EXIT, "MODE", "bisect: skipped and broken become 125, usage 128, for git bisect run"},
	{"color", OPT_COLOR, "WHEN", "auto, always or never"},
	SELECT_OPTION_ROWS,
	{"scenarios", OPT_SCENARIOS, "DIR", "directory of the scenarios"},
	{NULL, 0, NULL, NULL},
};

static int wrong(const char *option, const char *value, const char *allowed)
{
	(void)say_error(0, "--%s: %s is none of %s", option, value, allowed);
	say_hint("enomem run --help");
	return EXIT_USAGE;
}

static int parse_jobs(const char *value, struct run_options *o)
{
	uint64_t number;
	if (number_parse_count(value, &number) < 0 || number == 0 || number > 64)
		return wrong("jobs", value, "1 to 64");
	o->jobs = (unsigned)number;
	return 0;
}

static int parse_guest_size(int letter, const char *value, struct guests_options *g)
{
	uint64_t number;
	if (letter == OPT_GUEST_CPUS) {
		if (number_parse_count(value, &number) < 0 || number == 0 || number > 64)
			return wrong("guest-cpus", value, "1 to 64");
		g->machine.cpus = (unsigned)number;
	} else if (letter == OPT_GUEST_SWAP) {
		if (number_parse_size(value, &g->swap_bytes) < 0 || g->swap_bytes > GUEST_MEMORY_MAX)
			return wrong("guest-swap", value, "sizes up to 64G, such as 64M");
	} else {
		if (number_parse_size(value, &number) < 0 || number < GUEST_MEMORY_MIN || number > GUEST_MEMORY_MAX ||
		    number % (1U << 20) != 0)
			return wrong("guest-memory", value, "whole megabytes from 96M to 64G");
		g->machine.memory_bytes = number;
	}
	return 0;
}

/* "strict-commit.conf,vm.swappiness=10": results made with different settings are not taken for the same. */
static void add_label(struct run_options *o, const char *what)
{
	const char *end = what + strlen(what);
	while (end > what + 1 && end[-1] == '/')
		end--;
	const char *slash = memrchr(what, '/', (size_t)(end - what));
	const char *begin = slash && !strchr(what, '=') ? slash + 1 : what;
	size_t used = strlen(o->profile);
	(void)snprintf(o->profile + used, sizeof(o->profile) - used, "%s%.*s", used ? "," : "", (int)(end - begin),
		       begin);
}

void run_options_in_guest(struct run_options *o, const char *kernels)
{
	o->in_guest = true;
	o->guests.kernels = kernels;
	o->guests.machine.keep_booted = true; /* all there is to do is done there, and at once */
}

/* What is said of guests. 1 when the letter is none of these. */
static int parse_guest(int letter, const char *value, struct run_options *o)
{
	struct guests_options *g = &o->guests;
	switch (letter) {
	case OPT_GUEST:
		run_options_in_guest(o, value);
		return 0;
	case OPT_NO_GUEST:
		o->no_guest = true;
		return 0;
	case OPT_GUEST_MEMORY:
	case OPT_GUEST_CPUS:
	case OPT_GUEST_SWAP:
		return parse_guest_size(letter, value, g);
	case OPT_GUEST_CGROUP:
		if (strcmp(value, "v1") != 0 && strcmp(value, "v2") != 0)
			return wrong("guest-cgroup", value, "v1, v2");
		g->cgroup = value;
		return 0;
	case OPT_GUEST_APPEND:
		if (strlen(value) >= sizeof(g->machine.append) || strchr(value, '\n'))
			return wrong("guest-append", value, "one line of at most 255 characters");
		(void)snprintf(g->machine.append, sizeof(g->machine.append), "%s", value);
		return 0;
	case OPT_BRING:
		if (access(value, R_OK) < 0) {
			(void)say_error(errno, "--bring: %s", value);
			return EXIT_USAGE;
		}
		return guest_bring_add(&o->bring, value) < 0 ? EXIT_USAGE : 0;
	case OPT_GUEST_COLD:
		g->machine.cold = true;
		return 0;
	case OPT_SYSCTL:
		add_label(o, value);
		return profile_add(&g->profile, value, stderr) < 0 ? EXIT_USAGE : 0;
	case OPT_PROFILE:
		add_label(o, value);
		return profile_read(value, stderr, &g->profile) < 0 ? EXIT_USAGE : 0;
	default:
		return 1;
	}
}

static int parse_one(const struct command *self, int letter, const char *value, struct run_options *o,
		     const char **colour)
{
	switch (letter) {
	case 'f':
		return options_format(self, value, &o->format);
	case 'o':
		o->output = value;
		return 0;
	case OPT_BASELINE:
		o->baseline.path = value;
		return 0;
	case 'j':
		return parse_jobs(value, o);
	case 'p':
		add_label(o, value);
		return parameters_add(&o->parameters, value, stderr) < 0 ? EXIT_USAGE : 0;
	case OPT_DEADLINE:
		if (number_parse_duration(value, &o->deadline_ns) < 0 || o->deadline_ns == 0 ||
		    o->deadline_ns > DEADLINE_MAX_NS) {
			int code = wrong("deadline", value, "times up to 24 hours, such as 10s and 5min");
			options_hint_time("deadline", value, 1, DEADLINE_MAX_NS);
			return code;
		}
		return 0;
	case 'v':
		o->report.verbose = true;
		return 0;
	case 'q':
		o->quiet = true;
		return 0;
	case OPT_FAILED:
		o->failed = value ? value : "";
		return 0;
	case OPT_ROOT:
		o->root = value;
		return 0;
	case OPT_LOCATE:
		o->locate = true;
		return 0;
	case OPT_ALLOW_MACHINE:
		o->allow_machine = true;
		return 0;
	case OPT_TRIAGE:
		o->triage = true;
		return 0;
	case OPT_NO_SKIP:
		o->no_skip = true;
		return 0;
	case OPT_EXIT:
		o->bisect = true;
		return strcmp(value, "bisect") == 0 ? 0 : wrong("exit", value, "bisect");
	case OPT_COLOR:
		return options_colour(self, *colour = value);
	case OPT_SCENARIOS:
		o->tree = value;
		return 0;
	case 'h':
		options_help(self);
		return -1;
	default:
		return EXIT_USAGE;
	}
}

int run_options_one(int letter, const char *value, struct run_options *o)
{
	const char *colour;
	int r = parse_guest(letter, value, o);
	return r == 1 ? parse_one(&cmd_run, letter, value, o, &colour) : r;
}

static size_t said_word(int letter)
{
	return (size_t)letter / 64 % ARRAY_SIZE(((struct run_options *)NULL)->said);
}

bool run_options_said(const struct run_options *o, int letter)
{
	return o->said[said_word(letter)] >> letter % 64 & 1;
}

/* What is compared with, or holds what failed beside what did not, is more than this run will bring. */
static int check_output(const struct run_options *o)
{
	int r = o->output && o->baseline.path ? options_apart(o->output, o->baseline.path) : 0;
	if (r == 0 && o->output && o->failed && *o->failed)
		r = options_apart(o->output, o->failed);
	if (r)
		say_hint("name another file: enomem run -o new.json ...");
	return r;
}

/* Options that contradict each other. */
static int check(const struct run_options *o)
{
	if (o->in_guest && (o->no_guest || o->allow_machine)) {
		(void)say_error(0, "--guest and --%s exclude each other", o->no_guest ? "no-guest" : "allow-machine");
		say_hint("enomem run --help");
		return EXIT_USAGE;
	}
	if (o->root && o->bring.count) {
		(void)say_error(0, "--root and --bring exclude each other: of a root directory nothing else is seen");
		say_hint("put it into %s", o->root);
		return EXIT_USAGE;
	}
	if (o->guests.profile.count && !o->in_guest && !o->failed) {
		(void)say_error(0, "--sysctl and --profile are for guests: this machine's settings are not touched");
		say_hint("enomem run --guest ...");
		return EXIT_USAGE;
	}
	return 0;
}

int run_options_parse(const struct command *self, int argc, char **argv, struct run_options *ret)
{
	const char *value, *colour = "auto";
	struct winsize window;
	struct run_options o = {.jobs = 1, .format = FORMAT_COUNT};
	int r = 0;
	o.guests.machine = (struct guest_options){.memory_bytes = GUEST_MEMORY_DEFAULT, .cpus = 1};
	o.guests.cgroup = "v2";
	for (int letter; r == 0 && (letter = options_next(self, argc, argv, &value)) != -1;) {
		r = parse_guest(letter, value, &o);
		o.said[said_word(letter)] |= UINT64_C(1) << letter % 64;
		int selects = select_option(letter, value, &o.filter);
		if (selects >= 0)
			r = selects;
		else if (r == 1)
			r = parse_one(self, letter, value, &o, &colour);
	}
	if (r == 0)
		r = check(&o);
	if (r == 0)
		r = check_output(&o);
	if (r != 0) {
		profile_free(&o.guests.profile);
		return r;
	}
	o.format_said = o.format != FORMAT_COUNT;
	if (!o.format_said)
		o.format = isatty(STDOUT_FILENO) ? FORMAT_PRETTY : FORMAT_TAP13;
	o.report.colour = options_want_colour(colour);
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0)
		o.report.width = window.ws_col;
	o.guests.at_once = o.jobs;
	*ret = o;
	return 0;
}

void run_options_free(struct run_options *o)
{
	profile_free(&o->guests.profile);
	baseline_close(&o->baseline);
}
