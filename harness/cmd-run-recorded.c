// SPDX-License-Identifier: MIT
/*
 * What a result records of how it was made, as options. See cmd-run-options.h.
 */
#include <string.h>

#include "cleanup.h"
#include "cmd-run-options.h"
#include "report-text.h"
#include "say.h"

/* A setting is one of the machine or of the scenario; what is said of them now stands for all of them. */
static bool is_setting(int letter)
{
	return letter == 'p' || letter == OPT_SYSCTL || letter == OPT_PROFILE;
}

static bool settings_said(const struct run_options *o)
{
	return run_options_said(o, 'p') || run_options_said(o, OPT_SYSCTL) || run_options_said(o, OPT_PROFILE);
}

/* Guests are set up from guest_options where they made the result: a profile's file may say something else by now. */
static bool is_taken(const struct run_options *typed, int letter)
{
	static const int letters[] = {'p',
				      OPT_GUEST_MEMORY,
				      OPT_GUEST_CPUS,
				      OPT_GUEST_SWAP,
				      OPT_GUEST_CGROUP,
				      OPT_GUEST_APPEND,
				      OPT_GUEST_COLD,
				      OPT_NO_GUEST};
	if (is_setting(letter) ? settings_said(typed) : run_options_said(typed, letter))
		return false;
	if (letter == OPT_NO_GUEST && typed->in_guest)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
		if (letters[i] == letter)
			return true;
	return false;
}

struct taking {
	const struct run_options *typed;
	struct run_options *o;
	size_t at; /* where the next word of it belongs in our own command */
};

/* Behind "enomem run", as if it had been typed: who runs again what fails now, or reads the result, has only that. */
static int note(struct taking *t, const struct option_row *row, const char *value)
{
	struct run_options *o = t->o;
	if (o->command == t->typed->command)
		o->command = json_copy(t->typed->command);
	json_t *word = value ? json_sprintf("--%s=%s", row->name, value) : json_sprintf("--%s", row->name);
	return json_array_insert_new(o->command, t->at++, word) < 0 ? say_no_memory(EXIT_BROKEN) : 0;
}

static int take(const struct option_row *row, const char *value, void *data)
{
	struct taking *t = data;
	const struct run_options *typed = t->typed;
	struct run_options *o = t->o;
	if (row->letter == OPT_ALLOW_MACHINE && !typed->allow_machine && !o->in_guest)
		say_note("it ran with --allow-machine then: where this machine is to be changed again, say so again");
	if (!is_taken(typed, row->letter) || (row->argument && row->argument[0] != '[' && !value))
		return 0;
	int r = run_options_one(row->letter, value, o);
	return r == 0 && typed->command ? note(t, row, value) : r;
}

static const struct option_row *row_of(const char *name, size_t length, int letter)
{
	for (const struct option_row *row = run_option_rows; row->name; row++)
		if (name ? strlen(row->name) == length && strncmp(row->name, name, length) == 0 : row->letter == letter)
			return row;
	return NULL;
}

static bool wants_value(const struct option_row *row)
{
	return row && row->argument && row->argument[0] != '[';
}

/* "-j2vo FILE": *ret_next says whether the value is the next word. */
static int each_letter(const char *letters, const char *next, run_options_each_fn *each, void *data, bool *ret_next)
{
	int r = 0;
	for (; r == 0 && *letters; letters++) {
		const struct option_row *row = row_of(NULL, 0, (unsigned char)*letters);
		if (!row)
			continue;
		if (!wants_value(row)) {
			r = each(row, NULL, data);
			continue;
		}
		*ret_next = letters[1] == '\0';
		return each(row, *ret_next ? next : letters + 1, data);
	}
	return r;
}

int run_options_each(const json_t *command, run_options_each_fn *each, void *data)
{
	int r = 0;
	for (size_t i = 2; r == 0 && i < json_array_size(command); i++) {
		const char *word = json_string_value(json_array_get(command, i)) ?: "";
		const char *next = json_string_value(json_array_get(command, i + 1));
		bool took_next = false;
		if (strcmp(word, "--") == 0)
			break;
		if (strncmp(word, "--", 2) == 0) {
			size_t length = strcspn(word + 2, "=");
			const struct option_row *row = row_of(word + 2, length, 0);
			const char *value = word[2 + length] ? word + 2 + length + 1 : NULL;
			took_next = !value && wants_value(row);
			r = row ? each(row, took_next ? next : value, data) : 0;
		} else if (word[0] == '-') {
			r = each_letter(word + 1, next, each, data, &took_next);
		}
		i += took_next;
	}
	return r;
}

/* What guests had, for what was not said. */
static int take_guest(const struct run_options *typed, const json_t *options, struct run_options *o)
{
	static const struct {
		const char *name;
		int letter;
	} known[] = {{"memory", OPT_GUEST_MEMORY},
		     {"cpus", OPT_GUEST_CPUS},
		     {"swap", OPT_GUEST_SWAP},
		     {"cgroup", OPT_GUEST_CGROUP},
		     {"append", OPT_GUEST_APPEND}};
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		const json_t *value = json_object_get(options, known[i].name);
		char text[TEXT_MAX];
		if (!value || run_options_said(typed, known[i].letter))
			continue;
		int r = run_options_one(
			known[i].letter,
			json_is_string(value) ? json_string_value(value) : text_value(value, text, sizeof(text)), o);
		if (r != 0)
			return r;
	}
	const json_t *settings = json_object_get(options, "sysctl");
	if (!settings || settings_said(typed))
		return 0;
	if (profile_from_json(settings, &o->guests.profile) == 0)
		return 0;
	(void)say_error(0, "the settings of the guest in which it failed cannot be read from its result");
	say_hint("say them: --failed --sysctl=K=V, --failed --profile=PATH");
	return EXIT_USAGE;
}

int run_options_recorded(const json_t *place, struct run_options *o)
{
	const struct run_options typed = *o;
	const char *profile = text_of(place, "profile");
	if (typed.guests.profile.count && !o->in_guest) {
		(void)say_error(0, "--sysctl and --profile are for guests, and what failed here is to run here");
		say_hint("enomem run --failed --guest ...");
		return EXIT_USAGE;
	}
	struct taking t = {&typed, o, 2};
	int r = run_options_each(json_object_get(place, "command"), take, &t);
	if (r == 0 && o->in_guest)
		r = take_guest(&typed, json_object_get(place, "options"), o);
	/* As the result has it, so that both are taken for the same. */
	if (r == 0 && !settings_said(&typed))
		(void)snprintf(o->profile, sizeof(o->profile), "%s", profile);
	return r;
}
