// SPDX-License-Identifier: MIT
/*
 * The options of `enomem hold`. They may stand on either side of the scenario's name; what follows "--" is the tool's.
 */
#include "hold-options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "hold-stdin.h"
#include "number.h"
#include "say.h"

enum {
	OPT_CASE = 256,
	OPT_RUN,
	OPT_PHASE,
	OPT_TTL,
	OPT_COUNT,
	OPT_RATE,
	OPT_READY_AFTER,
	OPT_KEY,
	OPT_ALL,
	OPT_GRADE,
	OPT_WITHIN,
	OPT_AT_LEAST,
	OPT_SCENARIOS,
	OPT_GUEST,
	OPT_BRING,
	OPT_GUEST_MEMORY,
	OPT_GUEST_CGROUP,
	OPT_GUEST_CPUS,
	OPT_GUEST_SWAP,
	OPT_SYSCTL,
	OPT_STDIN,
	OPT_DECOYS
};

#define GUEST_MEMORY_DEFAULT (UINT64_C(288) << 20)
#define GUEST_MEMORY_MIN     (UINT64_C(96) << 20)
#define GUEST_MEMORY_MAX     (UINT64_C(64) << 30)
#define GUEST_CPUS_MAX       64

const struct option_row hold_option_rows[] = {
	{"phase", OPT_PHASE, "PHASE", "post (default), at (a stall's only one), aftermath, gate or loop"},
	{"ttl", OPT_TTL, "TIME", "how long the tool may take (30s)"},
	{"count", OPT_COUNT, "N", "of a loop: so many failures (10)"},
	{"rate", OPT_RATE, "N", "of a loop: so many a second, at most (10)"},
	{"ready-after", OPT_READY_AFTER, "TIME",
	 "of a gate or loop: begin then, where the tool has not said that it is ready"},
	{"case", OPT_CASE, "NAME", "of several cases this one (the first that can run here)"},
	{"run", OPT_RUN, "NAME", "of several triggers the one of this name"},
	{"decoys", OPT_DECOYS, "NAME,...",
	 "beside it stand innocents: a control of each; NAME:trigger is another failure"},
	{"key", OPT_KEY, "FILE", "write the answer key there, when the tool has ended"},
	{"grade", OPT_GRADE, NULL, "what the tool prints, or writes to $ENOMEM_ANSWER, is its answer: grade it"},
	{"within", OPT_WITHIN, "PERCENT", "how far off the values of an answer may be (1%)"},
	{"all", OPT_ALL, NULL,
	 "with --grade: every trigger that can be held here, and a table of what was taken for what"},
	{"at-least", OPT_AT_LEAST, "PERCENT", "with --all: exit with 1 if less of the causes is named right"},
	{"format", 'f', "FMT", "of grades: pretty or json"},
	{"guest", OPT_GUEST, "[KERNEL]",
	 "hold it in a QEMU guest, with the tool in there: 6.1, or the path of a kernel image"},
	{"bring", OPT_BRING, "PATH", "with --guest: have this file or directory there as well (repeatable)"},
	{"guest-memory", OPT_GUEST_MEMORY, "SIZE", "RAM of a guest (default 288M)"},
	{"guest-cpus", OPT_GUEST_CPUS, "N", "CPUs of a guest (default 1)"},
	{"guest-swap", OPT_GUEST_SWAP, "SIZE", "swap that a guest has from the start (default none)"},
	{"guest-cgroup", OPT_GUEST_CGROUP, "VERSION",
	 "cgroups of a guest where a scenario does not ask: v2 (default) or v1"},
	{"sysctl", OPT_SYSCTL, "K=V", "with --guest: set in there before anything else (repeatable)"},
	{"stdin", OPT_STDIN, NULL, "with --guest: the tool reads there what standard input has here, up to 1 MiB"},
	SELECT_OPTION_ROWS,
	{"scenarios", OPT_SCENARIOS, "DIR", "directory of the scenarios"},
	{NULL, 0, NULL, NULL},
};

static int set_phase(const char *value, struct hold_options *o)
{
	for (unsigned i = 0; i < HOLD_PHASES; i++)
		if (!strcmp(value, hold_phase_names[i])) {
			o->phase = (enum hold_phase)i;
			o->has_phase = true;
			return 0;
		}
	(void)say_error(0, "--phase: %s is none of post, at, aftermath, gate, loop", value);
	return EXIT_USAGE;
}

static int set_decoys(const char *value, struct hold_options *o)
{
	auto_free char *copy = strdup(value);
	char *rest = NULL;
	if (!copy)
		return say_no_memory(EXIT_BROKEN);
	if (!*value || *value == ',' || value[strlen(value) - 1] == ',' || strstr(value, ",,")) {
		(void)say_error(0, "--decoys: '%s': a name is empty", value);
		return EXIT_USAGE;
	}
	for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		if (o->decoy_count == HOLD_DECOYS_MAX) {
			(void)say_error(0, "--decoys: more than %d", HOLD_DECOYS_MAX);
			return EXIT_USAGE;
		}
		if (hold_decoy_word(word, &o->decoy[o->decoy_count], &o->decoy_role[o->decoy_count]) < 0) {
			(void)say_error(0, "--decoys: %s: behind a colon stands control or trigger", word);
			return EXIT_USAGE;
		}
		o->decoy_count++;
	}
	return 0;
}

static int set_percent(const char *option, const char *value, uint64_t *ret)
{
	if (number_parse_percent(value, ret) == 0 && *ret <= 10000)
		return 0;
	(void)say_error(0, "--%s: %s is no percentage from 0%% to 100%%", option, value);
	return EXIT_USAGE;
}

static int set_number(const char *option, const char *value, uint64_t most, uint64_t *ret)
{
	if (number_parse_count(value, ret) == 0 && *ret > 0 && *ret <= most)
		return 0;
	(void)say_error(0, "--%s: %s is no number from 1 to %u", option, value, (unsigned)most);
	return EXIT_USAGE;
}

static int set_time(const char *option, const char *value, uint64_t *ret_ns)
{
	const uint64_t least = 1000000, day = 86400000000000ULL;
	if (number_parse_duration(value, ret_ns) == 0 && *ret_ns >= least && *ret_ns <= day)
		return 0;
	(void)say_error(0, "--%s: %s is no time from 1ms to 24 hours, such as 30s", option, value);
	options_hint_time(option, value, least, day);
	return EXIT_USAGE;
}

static int set_format(const char *value, struct hold_options *o)
{
	o->as_json = !strcmp(value, "json");
	if (o->as_json || !strcmp(value, "pretty"))
		return 0;
	(void)say_error(0, "--format: %s is none of pretty, json", value);
	return EXIT_USAGE;
}

/* What a guest's machine has. */
static int set_guest_machine(int letter, const char *value, struct guests_options *g)
{
	uint64_t size, cpus;
	switch (letter) {
	case OPT_GUEST_CPUS:
		if (set_number("guest-cpus", value, GUEST_CPUS_MAX, &cpus) != 0)
			return EXIT_USAGE;
		g->machine.cpus = (unsigned)cpus;
		return 0;
	case OPT_GUEST_SWAP:
		if (number_parse_size(value, &size) == 0 && size > 0 && size <= GUEST_MEMORY_MAX) {
			g->swap_bytes = size;
			return 0;
		}
		(void)say_error(0, "--guest-swap: %s is none of the sizes up to 64G, such as 64M", value);
		return EXIT_USAGE;
	default:
		if (number_parse_size(value, &size) == 0 && size >= GUEST_MEMORY_MIN && size <= GUEST_MEMORY_MAX &&
		    size % (1U << 20) == 0) {
			g->machine.memory_bytes = size;
			return 0;
		}
		(void)say_error(0, "--guest-memory: %s is none of the whole megabytes from 96M to 64G", value);
		return EXIT_USAGE;
	}
}

static int set_guest(int letter, const char *value, struct hold_options *o)
{
	switch (letter) {
	case OPT_GUEST:
		o->in_guest = true;
		o->guests.kernels = value;
		return 0;
	case OPT_BRING:
		if (access(value, R_OK) == 0)
			return guest_bring_add(&o->bring, value) < 0 ? EXIT_USAGE : 0;
		(void)say_error(errno, "--bring: %s", value);
		return EXIT_USAGE;
	case OPT_GUEST_CGROUP:
		o->guests.cgroup = value;
		if (!strcmp(value, "v1") || !strcmp(value, "v2"))
			return 0;
		(void)say_error(0, "--guest-cgroup: %s is none of v1, v2", value);
		return EXIT_USAGE;
	case OPT_SYSCTL:
		return profile_add(&o->guests.profile, value, stderr) < 0 ? EXIT_USAGE : 0;
	case OPT_STDIN:
		o->with_input = true;
		return 0;
	default:
		return set_guest_machine(letter, value, &o->guests);
	}
}

static int set(int letter, const char *value, struct hold_options *o)
{
	switch (letter) {
	case OPT_PHASE:
		return set_phase(value, o);
	case OPT_TTL:
		return set_time("ttl", value, &o->ttl_ns);
	case OPT_COUNT:
		return set_number("count", value, 10000, &o->count);
	case OPT_RATE:
		return set_number("rate", value, 1000, &o->rate);
	case OPT_READY_AFTER:
		return set_time("ready-after", value, &o->ready_after_ns);
	case OPT_CASE:
		o->case_name = value;
		return 0;
	case OPT_RUN:
		o->run_name = value;
		return 0;
	case OPT_DECOYS:
		return set_decoys(value, o);
	case OPT_KEY:
		o->key = value;
		return 0;
	case OPT_GRADE:
		o->grade = true;
		return 0;
	case OPT_ALL:
		o->all = true;
		return 0;
	case OPT_WITHIN:
		return set_percent("within", value, &o->within);
	case OPT_AT_LEAST:
		return set_percent("at-least", value, &o->at_least);
	case OPT_GUEST:
	case OPT_BRING:
	case OPT_GUEST_MEMORY:
	case OPT_GUEST_CGROUP:
	case OPT_GUEST_CPUS:
	case OPT_GUEST_SWAP:
	case OPT_SYSCTL:
	case OPT_STDIN:
		return set_guest(letter, value, o);
	case 'f':
		return set_format(value, o);
	case OPT_SCENARIOS:
		o->tree = value;
		return 0;
	}
	int r = select_option(letter, value, &o->filter);
	return r < 0 ? EXIT_USAGE : r;
}

static bool is_about_guests(const struct hold_options *o)
{
	return o->bring.count || o->guests.cgroup || o->guests.machine.memory_bytes || o->guests.machine.cpus ||
	       o->guests.swap_bytes || o->guests.profile.count || o->with_input;
}

static int check(const struct hold_options *o)
{
	const char *wrong = NULL;
	if (!o->tool || !o->tool[0])
		wrong = "no tool";
	else if (!o->all && (o->name_count != 1 || select_any(&o->filter)))
		wrong = "exactly one scenario, by its name, or --all";
	else if (o->all && !o->grade)
		wrong = "--all goes with --grade";
	else if (o->all && (o->case_name || o->run_name || o->key))
		wrong = "--all takes every case and every trigger, and writes no key: no --case, --run or --key";
	else if (!o->all && o->at_least)
		wrong = "--at-least goes with --all";
	else if ((o->count || o->rate) && !(o->has_phase && o->phase == HOLD_LOOP))
		wrong = "--count and --rate go with --phase loop";
	else if (o->ready_after_ns && !(o->has_phase && hold_starts_before(o->phase)))
		wrong = "--ready-after goes with --phase gate or --phase loop";
	else if (o->ready_after_ns >= o->ttl_ns)
		wrong = "--ready-after is not less than --ttl, which is how long the tool may take in all";
	else if (!o->in_guest && is_about_guests(o))
		wrong = "--bring, --guest-memory, --guest-cpus, --guest-swap, --guest-cgroup, --sysctl and --stdin go "
			"with --guest";
	if (!wrong)
		return 0;
	(void)say_error(0, "%s", wrong);
	say_hint("enomem hold SCENARIO -- TOOL [ARGUMENT...], or enomem hold --all --grade -- TOOL [ARGUMENT...]");
	return EXIT_USAGE;
}

static int read_input(struct hold_options *o)
{
	int r = o->with_input ? hold_stdin_read(STDIN_FILENO, &o->input) : 0;
	if (r == -EFBIG)
		(void)say_error(0, "--stdin: there is more to read than %zu bytes", HOLD_STDIN_MAX);
	else if (r < 0)
		(void)say_error(r, "--stdin: standard input cannot be read");
	return r < 0 ? EXIT_USAGE : 0;
}

int hold_options_parse(const struct command *self, int argc, char **argv, struct hold_options *ret)
{
	struct hold_options o = {.ttl_ns = 30000000000ULL, .within = 100};
	const char *value;
	int own = 1, r = 0;
	while (own < argc && strcmp(argv[own], "--") != 0)
		own++;
	/* The words before "--" alone: getopt_long() moves operands behind options. */
	char *separator = argv[own];
	argv[own] = NULL;
	for (int letter; r == 0 && (letter = options_next(self, own, argv, &value)) != -1;) {
		if (letter == 'h') {
			options_help(self);
			hold_options_free(&o);
			return -1;
		}
		r = letter == '?' ? EXIT_USAGE : set(letter, value, &o);
	}
	argv[own] = separator;
	if (r != 0) {
		hold_options_free(&o);
		return r;
	}
	o.names = argv + options_operands();
	o.name_count = (size_t)(own - options_operands());
	o.tool = own < argc ? argv + own + 1 : NULL;
	r = check(&o);
	if (!o.guests.machine.memory_bytes)
		o.guests.machine.memory_bytes = GUEST_MEMORY_DEFAULT;
	if (!o.guests.cgroup)
		o.guests.cgroup = "v2";
	if (!o.guests.machine.cpus)
		o.guests.machine.cpus = 1;
	o.guests.at_once = 1;
	if (r == 0)
		r = read_input(&o);
	if (r != 0)
		hold_options_free(&o);
	*ret = o;
	return r;
}

void hold_options_free(struct hold_options *o)
{
	profile_free(&o->guests.profile);
	free(o->input);
	o->input = NULL;
	if (o->decoys)
		hold_decoys_free(o->decoys);
	free(o->decoys);
	o->decoys = NULL;
	selection_free(&o->decoy_scenarios);
	for (size_t i = 0; i < o->decoy_count; i++)
		free(o->decoy[i]);
	o->decoy_count = 0;
}

enum hold_phase hold_phase_of(const struct hold_options *o, const struct plan_run *run)
{
	return o->has_phase ? o->phase : run->expect.stall ? HOLD_AT : HOLD_POST;
}

struct hold hold_of(const struct hold_options *o, enum hold_phase phase)
{
	return (struct hold){.phase = phase,
			     .ttl_ns = o->ttl_ns,
			     .argv = o->tool,
			     .capture = o->grade,
			     .input = o->input,
			     .beside = o->decoys,
			     .count = phase != HOLD_LOOP ? 1
				      : o->count         ? (unsigned)o->count
							 : 10,
			     .interval_ns = 1000000000 / (o->rate ? o->rate : 10),
			     .ready_after_ns = o->ready_after_ns};
}
