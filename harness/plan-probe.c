// SPDX-License-Identifier: MIT
/*
 * Planned runs with one number changed: what --locate varies.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cleanup.h"
#include "number.h"
#include "plan-internal.h"

static void lay(char **to, char *from)
{
	if (from)
		*to = from;
}

/* An argument takes the place of a setting, and the other way round: only one is varied. */
static void lay_over(struct locate_text *to, const struct locate_text *from)
{
	if (from->argument || from->setting)
		to->argument = to->setting = NULL;
	lay(&to->argument, from->argument);
	lay(&to->setting, from->setting);
	lay(&to->run, from->run);
	lay(&to->step, from->step);
	lay(&to->granted, from->granted);
	lay(&to->refused, from->refused);
	lay(&to->predicted, from->predicted);
	lay(&to->elsewhere, from->elsewhere);
	lay(&to->tolerance, from->tolerance);
	if (from->has_when) {
		to->when = from->when;
		to->has_when = true;
	}
	lay(&to->why, from->why);
}

static bool names(const struct strings *cases, const struct case_text *c)
{
	for (size_t i = 0; i < cases->count; i++)
		if (c && strcmp(cases->item[i], c->name) == 0)
			return true;
	return cases->count == 0;
}

bool locate_merge(const struct scenario *s, const struct case_text *c, struct locate_text *ret)
{
	bool shared = s->has_locate && names(&s->locate.cases, c);

	*ret = (struct locate_text){0};
	if (shared)
		lay_over(ret, &s->locate);
	if (c && c->has_locate)
		lay_over(ret, &c->locate);
	return shared || (c && c->has_locate);
}

bool sum_next(const char **text, char term[SUM_TERM_MAX], bool *ret_minus, bool *ret_bad)
{
	const char *at = *text;
	size_t length = 0;

	*ret_minus = false;
	if (*at == '\0')
		return false;
	if (at[0] == ' ' && (at[1] == '+' || at[1] == '-') && at[2] == ' ') {
		*ret_minus = at[1] == '-';
		at += strlen(" + ");
	}
	while (at[length] &&
	       !(at[length] == ' ' && (at[length + 1] == '+' || at[length + 1] == '-') && at[length + 2] == ' '))
		length++;
	if (length == 0 || length >= SUM_TERM_MAX) {
		*ret_bad = true;
		return false;
	}
	memcpy(term, at, length);
	term[length] = '\0';
	*text = at + length;
	return true;
}

/* The last one counts where an option is given twice, as getopt(3) reads them. */
static int vary_argument(struct plan_run *run, const char *argument, const char *digits)
{
	uint64_t position;
	size_t at = 0;

	if (number_parse_count(argument, &position) == 0)
		at = position < ARRAY_SIZE(run->argv) ? (size_t)position : 0;
	for (size_t i = 1; argument[0] == '-' && i + 1 < ARRAY_SIZE(run->argv) && run->argv[i]; i++)
		if (strcmp(run->argv[i], argument) == 0)
			at = i + 1;
	if (at == 0 || !run->argv[at])
		return -EINVAL;
	free(run->argv[at]);
	run->argv[at] = strdup(digits);
	return run->argv[at] ? 0 : -ENOMEM;
}

/* "rlimit.as" over what the environment has there already. */
static int vary_setting(struct plan_run *run, const struct machine *m, const char *name, const char *digits)
{
	const char *dot = strchr(name, '.'), *bad;
	struct environment_text text = {0};
	const struct {
		const char *key;
		struct settings *place;
	} maps[] = {{"rlimit", &text.rlimit},
		    {"cgroup", &text.cgroup},
		    {"cgroup_above", &text.cgroup_above},
		    {"sysctl", &text.sysctl},
		    {"namespace_sysctl", &text.namespace_sysctl},
		    {"tmpfs", &text.tmpfs}};
	auto_free char *key = dot ? strdup(dot + 1) : NULL, *value = strdup(digits);
	struct setting setting = {key, value};

	if (!key || !value)
		return dot ? -ENOMEM : -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		if (strlen(maps[i].key) == (size_t)(dot - name) &&
		    strncmp(maps[i].key, name, (size_t)(dot - name)) == 0) {
			*maps[i].place = (struct settings){&setting, 1};
			return environment_apply(&text, m, &run->environment, &bad);
		}
	return -EINVAL;
}

int plan_probe(const struct plan_run *run, const struct machine *m, uint64_t value, struct plan_run *ret)
{
	struct locate_text locate;
	struct plan_run probe = *run;
	char digits[32];

	if (!locate_merge(run->scenario, run->case_text, &locate) || (!locate.argument && !locate.setting))
		return -ENOENT;
	probe.expect.check = NULL;
	probe.expect.check_count = 0;
	probe.skip = NULL;
	probe.probes = true;
	probe.probe_value = value;
	memset(probe.argv, 0, sizeof(probe.argv));
	snprintf(digits, sizeof(digits), "%" PRIu64, value);
	int r = 0;
	for (size_t i = 0; r == 0 && run->argv[i]; i++) {
		probe.argv[i] = strdup(run->argv[i]);
		r = probe.argv[i] ? 0 : -ENOMEM;
	}
	if (r == 0)
		r = locate.argument ? vary_argument(&probe, locate.argument, digits)
				    : vary_setting(&probe, m, locate.setting, digits);
	if (r < 0)
		plan_run_free(&probe);
	else
		*ret = probe;
	return r;
}
