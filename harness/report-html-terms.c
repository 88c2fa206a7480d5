// SPDX-License-Identifier: MIT
/*
 * On which kind of machine, and as whom, the commands of a box are typed: those of a guest's result name the guest's
 * groups and the directory of another machine.
 */
#include <string.h>

#include "html.h"
#include "report-commands.h"
#include "report-html.h"
#include "report-set.h"
#include "report-text.h"

void html_terms(FILE *out, const struct commands_of *of, const json_t *run, const json_t *told)
{
	bool changes = commands_change_machine(run) && !(told && commands_change_machine(told));
	const char *version = told ? NULL : commands_cgroup(of, run);
	if (changes)
		(void)fputs(" as root, on a machine of nobody else's", out);
	else if (commands_need_root(run) && !(told && commands_need_root(told)))
		(void)fputs(" as root", out);
	if (version)
		(void)fprintf(out, "%s with cgroup %s", changes ? "" : " on a machine", version);
	if (changes)
		(void)fputs(", whose settings change meanwhile", out);
}

/* What was set in the guest before anything else: on another machine its commands may not fail without it. */
static void put_settings(FILE *out, const json_t *settings, const char **before)
{
	const json_t *setting = NULL;
	char name[TEXT_MAX];
	size_t i;
	json_array_foreach (settings, i, setting) {
		(void)snprintf(name, sizeof(name), "%s", text_of(setting, "name"));
		bool plain = !strchr(name, '.'); /* a dot in a part of it would become a slash for sysctl(8) */
		for (char *c = plain ? strchr(name, '/') : NULL; c; c = strchr(c, '/'))
			*c = '.';
		if (!*name || !*text_of(setting, "value"))
			continue;
		html_format(out, "%s%s=%s", *before, name, text_of(setting, "value"));
		*before = ", ";
	}
}

void html_origin(FILE *out, const struct commands_of *of)
{
	const json_t *options = json_object_get(of->result, "guest_options");
	const char *before = ", set to ";
	char series[TEXT_MAX];
	if (!json_is_true(json_object_get(json_object_get(of->result, "host"), "guest")))
		return;
	html_format(out, " (this result is of a guest with Linux %s",
		    result_series(of->result, series, sizeof(series)));
	put_settings(out, json_object_get(options, "defaults"), &before);
	put_settings(out, json_object_get(options, "sysctl"), &before);
	(void)fputs(*text_of(of->scenario, "directory") ? "; the directory is of the machine whose enomem started that)"
							: ")",
		    out);
}

void html_machine(FILE *out, const json_t *result, const json_t *scenario)
{
	const struct commands_of of = {.result = result, .scenario = scenario};
	const json_t *run = NULL;
	const char *version = NULL;
	bool any = false, guest = json_is_true(json_object_get(json_object_get(result, "host"), "guest"));
	size_t i;
	json_array_foreach (json_object_get(scenario, "runs"), i, run) {
		if (strcmp(text_of(run, "role"), "remedy") != 0 || !json_object_get(run, "outcome") ||
		    !json_object_get(run, "environment"))
			continue;
		any = true;
		version = version ? version : commands_cgroup(&of, run);
	}
	if (!any || !(version || guest))
		return;
	(void)fprintf(out, "<p class=\"note\">Commands %s%s",
		      version ? "are for a machine with cgroup " : "need no control group", version ? version : "");
	html_origin(out, &of);
	(void)fputs(".</p>", out);
}
