// SPDX-License-Identifier: MIT
/*
 * See command-plan.h.
 */
#include "command-plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "guest-root.h"

#define DEADLINE_DEFAULT_NS UINT64_C(60000000000)

static void forget_strings(struct strings *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->item[i]);
	s->count = 0;
}

static void forget_program_needs(struct needs *n)
{
	forget_strings(&n->tools);
	n->ia32 = false;
}

int command_scenario(struct scenario *s, const struct parameters *parameters)
{
	forget_program_needs(&s->needs);
	forget_strings(&s->bring);
	for (size_t i = 0; i < s->case_count; i++)
		forget_program_needs(&s->cases[i].needs);
	for (size_t i = 0; i < s->run_count; i++)
		forget_program_needs(&s->runs[i].needs);
	return parameters_set(parameters, s);
}

void command_adapt(struct plan_run *run, struct run_command *command, uint64_t deadline_ns)
{
	free(run->expect.check);
	run->expect = (struct expect){.check = NULL};
	if (deadline_ns)
		run->environment.deadline_ns = deadline_ns;
	else if (run->environment.deadline_ns < DEADLINE_DEFAULT_NS)
		run->environment.deadline_ns = DEADLINE_DEFAULT_NS;
	run->command = command;
}

/* What is no UTF-8 does not go over the wire. */
static json_t *strings(char *const *text)
{
	json_t *all = json_array();
	for (size_t i = 0; text[i]; i++) {
		json_t *one = json_string(text[i]);
		if (one)
			(void)json_array_append_new(all, one);
	}
	return all;
}

json_t *command_to_json(const struct run_command *command, uint64_t deadline_ns)
{
	return json_pack("{s:o, s:o, s:I, s:b}", "argv", strings(command->argv), "environment", strings(environ),
			 "deadline_ns", (json_int_t)deadline_ns, "root", command->root != NULL);
}

/* "NAME=VALUE" */
static void set_variable(const char *text)
{
	auto_free char *name = text ? strdup(text) : NULL;
	char *equals = name ? strchr(name, '=') : NULL;
	if (!equals)
		return;
	*equals = '\0';
	(void)setenv(name, equals + 1, 1);
}

int command_from_json(const json_t *json, struct run_command *ret, uint64_t *ret_deadline_ns)
{
	const json_t *argv = json_object_get(json, "argv"), *environment = json_object_get(json, "environment"), *item;
	size_t i;
	char **words = calloc(json_array_size(argv) + 1, sizeof(char *));
	if (!words || json_array_size(argv) == 0) {
		free(words);
		return words ? -EBADMSG : -ENOMEM;
	}
	json_array_foreach (argv, i, item) {
		words[i] = strdup(json_is_string(item) ? json_string_value(item) : "");
		if (!words[i]) { /* the process ends with its job: nothing is freed */
			free(words);
			return -ENOMEM;
		}
	}
	json_array_foreach (environment, i, item)
		set_variable(json_string_value(item));
	(void)setenv("PATH", COMMAND_GUEST_PATH, 1);
	*ret = (struct run_command){.argv = words, .stream = {-1, -1, -1}};
	if (json_is_true(json_object_get(json, "root")))
		ret->root = GUEST_ROOT;
	*ret_deadline_ns = (uint64_t)json_integer_value(json_object_get(json, "deadline_ns"));
	return 0;
}
