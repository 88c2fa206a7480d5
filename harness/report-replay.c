// SPDX-License-Identifier: MIT
/*
 * See report-replay.h.
 */
#include "report-replay.h"

#include <inttypes.h>
#include <string.h>

#include "cmd-run-options.h"
#include "report-set.h"
#include "report-text.h"

struct replay {
	json_t *words;
	bool guest, no_guest, settings;
};

static int is_letter(const struct option_row *row, const char *value, void *data)
{
	(void)value;
	return row->letter == *(const int *)data;
}

static bool says(const json_t *result, int letter)
{
	return run_options_each(json_object_get(result, "command"), is_letter, &letter) != 0;
}

static void add_option(json_t *words, const char *option, const char *value)
{
	(void)json_array_append_new(words, json_string(option));
	(void)json_array_append_new(words, json_string(value));
}

/* Of what was typed: where it was to run, and what was set; guests have the rest in their options. */
static int add_typed(const struct option_row *row, const char *value, void *data)
{
	struct replay *r = data;
	if (row->letter == 'p' && value) {
		add_option(r->words, "-p", value);
	} else if (row->letter == OPT_SCENARIOS && value) {
		add_option(r->words, "--scenarios", value);
	} else if (r->guest && (row->letter == OPT_SYSCTL || row->letter == OPT_PROFILE) && value) {
		add_option(r->words, row->letter == OPT_SYSCTL ? "--sysctl" : "--profile", value);
		r->settings = true;
	} else if (r->no_guest && row->letter == OPT_NO_GUEST) {
		(void)json_array_append_new(r->words, json_string("--no-guest"));
	} else if (!r->guest && !r->no_guest && row->letter >= OPT_GUEST_MEMORY && row->letter <= OPT_GUEST_APPEND &&
		   value) {
		(void)json_array_append_new(r->words, json_sprintf("--%s", row->name));
		(void)json_array_append_new(r->words, json_string(value));
	} else if (!r->guest && row->letter == OPT_ALLOW_MACHINE) {
		(void)json_array_append_new(r->words, json_string("--allow-machine"));
	}
	return 0;
}

/* A size as it is typed: "400M", or bytes. */
static void add_size(json_t *words, const char *option, json_int_t bytes)
{
	char text[32];
	if (bytes % (1 << 20) == 0)
		(void)snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT "M", bytes / (1 << 20));
	else
		(void)snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, bytes);
	add_option(words, option, text);
}

static void add_guest(json_t *words, const json_t *options)
{
	const json_int_t memory = text_integer(options, "memory", 0), cpus = text_integer(options, "cpus", 0),
			 swap = text_integer(options, "swap", 0);
	const char *cgroup = text_of(options, "cgroup"), *append = text_of(options, "append");
	char text[32];
	if (memory > 0 && memory != (json_int_t)GUEST_MEMORY_DEFAULT)
		add_size(words, "--guest-memory", memory);
	(void)snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, cpus);
	if (cpus > 1)
		add_option(words, "--guest-cpus", text);
	if (swap > 0)
		add_size(words, "--guest-swap", swap);
	if (*cgroup && strcmp(cgroup, "v2") != 0)
		add_option(words, "--guest-cgroup", cgroup);
	if (*append)
		add_option(words, "--guest-append", append);
}

/* Where the command does not say them (run --failed has them of another result): each as one of --sysctl. */
static void add_settings(json_t *words, const json_t *settings)
{
	const json_t *setting = NULL;
	size_t i;
	json_array_foreach (settings, i, setting) {
		const char *name = text_of(setting, "name"), *value = text_of(setting, "value");
		const char *minus = json_is_true(json_object_get(setting, "ignore_failure")) ? "-" : "";
		json_t *word = json_is_string(json_object_get(setting, "value"))
				       ? json_sprintf("%s%s=%s", minus, name, value)
				       : json_sprintf("-%s", name);
		if (*name && word) {
			(void)json_array_append_new(words, json_string("--sysctl"));
			(void)json_array_append(words, word);
		}
		json_decref(word);
	}
}

json_t *replay_words(const json_t *result)
{
	const json_t *options = json_object_get(result, "guest_options");
	struct replay r = {.words = json_array(),
			   .guest = json_is_true(json_object_get(json_object_get(result, "host"), "guest"))};
	char series[TEXT_MAX];
	if (!r.words)
		return NULL;
	r.no_guest = !r.guest && says(result, OPT_NO_GUEST);
	if (r.guest)
		(void)json_array_append_new(r.words,
					    json_sprintf("--guest=%s", result_series(result, series, sizeof(series))));
	(void)run_options_each(json_object_get(result, "command"), add_typed, &r);
	if (r.guest && !r.settings)
		add_settings(r.words, json_object_get(options, "sysctl"));
	if (r.guest)
		add_guest(r.words, options);
	return r.words;
}

bool replay_has_profile(const json_t *result)
{
	return says(result, OPT_PROFILE);
}
