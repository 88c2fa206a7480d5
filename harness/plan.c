// SPDX-License-Identifier: MIT
/*
 * Cases times runs, with every size resolved and every reason why a run cannot happen here found before anything is
 * touched.
 */
#include "plan.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include "calls.h"
#include "cleanup.h"
#include "number.h"
#include "plan-internal.h"

#define CEILING_SHARE     4 /* of RAM */
#define CEILING_MAX_BYTES (UINT64_C(1) << 30)

/* What planning needs everywhere. */
struct planner {
	const struct scenario *scenario;
	const struct machine *machine;
	FILE *errors;
	bool bad; /* an error was written */
};

__attribute__((format(printf, 3, 4))) static void plan_error(struct planner *p, const struct plan_run *run,
							     const char *format, ...)
{
	va_list args;

	p->bad = true;
	fprintf(p->errors, "%s:%u: error: run '%s': ", p->scenario->file, run->run->line, run->name);
	va_start(args, format);
	vfprintf(p->errors, format, args);
	va_end(args);
	fputc('\n', p->errors);
}

/* "available - 80M" where there is less: the manifest is right, and the machine too small for it. */
static void needs_another_size(struct planner *p, struct plan_run *run, const char *what, const char *text)
{
	char *why;

	if (run->skip)
		return;
	if (asprintf(&why, "needs another size of %s: %s '%s' is below zero or too large here%s",
		     p->machine->guest ? "guest" : "machine", what, text,
		     p->machine->guest ? " (--guest-memory)" : "") >= 0)
		run->skip = why;
	else
		p->bad = true;
}

static void amount_error(struct planner *p, struct plan_run *run, const char *what, const char *text, int error)
{
	if (error == -ERANGE && amount_depends(text))
		needs_another_size(p, run, what, text);
	else if (error == -ERANGE)
		plan_error(p, run, "%s '%s' is below zero or too large on this machine", what, text);
	else if (error == -E2BIG)
		plan_error(p, run,
			   "%s '%s' is one too many: at most %d of sysctl and inject, %d of sys and namespace_sysctl",
			   what, text, ENVIRONMENT_SYSCTLS, ENVIRONMENT_SETTINGS);
	else if (error == -EBUSY)
		plan_error(p, run, "%s swap '%s': the guest's disk holds the swap of the environment already", what,
			   text);
	else
		plan_error(p, run, "%s '%s' makes no sense here", what, text);
}

/* Arguments that are amounts become numbers, everything else stays text. */
static int plan_arguments(struct planner *p, struct plan_run *run)
{
	const struct strings *const levels[] = {
		&p->scenario->arguments, run->case_text ? &run->case_text->arguments : NULL, &run->run->arguments};
	size_t count = 0;

	run->argv[count++] = strdup(p->scenario->program);
	for (size_t l = 0; l < ARRAY_SIZE(levels); l++) {
		for (size_t i = 0; levels[l] && i < levels[l]->count; i++) {
			const char *text = levels[l]->item[i];
			char digits[32];
			uint64_t number;
			if (count > PLAN_ARGUMENTS_MAX) {
				plan_error(p, run, "more than %d arguments", PLAN_ARGUMENTS_MAX);
				return 0;
			}
			int r = plan_amount(text, p->machine, &number);
			if (r == 0)
				snprintf(digits, sizeof(digits), "%" PRIu64, number);
			else if (r == -ERANGE || amount_intended(text))
				amount_error(p, run, "argument", text, r);
			run->argv[count] = strdup(r == 0 ? digits : text);
			if (!run->argv[count++])
				return -ENOMEM;
		}
	}
	return run->argv[0] ? 0 : -ENOMEM;
}

static void plan_check(struct planner *p, struct plan_run *run, const struct check *check)
{
	auto_free char *unmet = check->has_when ? plan_missing(&check->when, p->machine) : NULL;
	uint64_t ignored;

	if (unmet)
		return;
	int r = plan_amount(check->right, p->machine, &ignored);
	if (r < 0 && number_parse_limit(check->right, &ignored) < 0 &&
	    !metric_path_valid(check->right, strlen(check->right)))
		amount_error(p, run, "the check's value", check->right, r);
	run->expect.check[run->expect.check_count++] = *check;
}

/* The merged expectation, and the checks of every level that speaks for this run and applies to this kernel. */
static int plan_expect(struct planner *p, struct plan_run *run)
{
	const struct expect *levels[] = {&p->scenario->expect, run->case_text ? &run->case_text->expect : NULL,
					 &run->run->expect};
	size_t count = 0;

	expect_merge(p->scenario, run->case_text, run->run, &run->expect);
	for (size_t l = 0; l < ARRAY_SIZE(levels); l++) {
		if (l < ARRAY_SIZE(levels) - 1 && !run_must_fail(run->run))
			levels[l] = NULL;
		count += levels[l] ? levels[l]->check_count : 0;
	}
	if (count == 0)
		return 0;
	run->expect.check = calloc(count, sizeof(*run->expect.check));
	if (!run->expect.check)
		return -ENOMEM;
	for (size_t l = 0; l < ARRAY_SIZE(levels); l++) {
		for (size_t i = 0; levels[l] && i < levels[l]->check_count; i++)
			plan_check(p, run, &levels[l]->check[i]);
	}
	return 0;
}

/* In a guest, a scenario of machine scope is there to exhaust the machine; everywhere else the run is kept small. */
static void plan_ceilings(const struct planner *p, struct plan_run *run)
{
	struct environment *env = &run->environment;
	uint64_t ram = p->machine->now.meminfo.value[MEMINFO_MEM_TOTAL];

	if (run->scope == SCOPE_MACHINE && p->machine->guest) {
		env->memory_ceiling_bytes = ENOMEM_UNLIMITED;
		env->tasks_ceiling = ENOMEM_UNLIMITED;
	} else if (env->memory_ceiling_bytes == 0) {
		env->memory_ceiling_bytes = CEILING_MAX_BYTES;
		if (ram / CEILING_SHARE < CEILING_MAX_BYTES)
			env->memory_ceiling_bytes = ram / CEILING_SHARE;
	}
}

static void plan_environment(struct planner *p, struct plan_run *run)
{
	const struct environment_text *const levels[] = {&p->scenario->environment,
							 run->case_text ? &run->case_text->environment : NULL,
							 &run->run->environment};
	const char *deadline = run->run->deadline ? run->run->deadline : p->scenario->deadline;
	const char *bad = NULL;

	environment_init(&run->environment);
	for (size_t l = 0; l < ARRAY_SIZE(levels); l++) {
		int r = levels[l] ? environment_apply(levels[l], p->machine, &run->environment, &bad) : 0;
		if (r < 0)
			amount_error(p, run, "the environment's", bad, r);
	}
	run->environment.watch_calls = watched_on_demand(p->scenario, run->case_text);
	for (unsigned i = 0; i < run->environment.injection_count; i++)
		run->environment.watch_calls |= call_on_demand_bit(run->environment.injection[i].call);
	run->environment.keep_capabilities = needed_capabilities(&p->scenario->needs) |
					     needed_capabilities(&run->run->needs) |
					     (run->case_text ? needed_capabilities(&run->case_text->needs) : 0);
	int live = environment_apply_live(&run->run->live, p->machine, &run->environment, &bad);
	if (live < 0)
		amount_error(p, run, "the live change's", bad, live);
	if (deadline && number_parse_duration(deadline, &run->environment.deadline_ns) < 0)
		amount_error(p, run, "the deadline", deadline, -EINVAL);
	plan_ceilings(p, run);
}

/* The first reason why this run cannot happen; those of the whole scenario come before its own. */
static int plan_skip(const struct planner *p, const struct plan *plan, struct plan_run *run)
{
	if (plan->skip) {
		free(run->skip);
		run->skip = strdup(plan->skip);
		return run->skip ? 0 : -ENOMEM;
	}
	if (run->skip)
		return 0;
	int r = environment_missing(run, p->machine, &run->skip);
	if (r == 0 && !run->skip && run->case_text)
		run->skip = plan_missing(&run->case_text->needs, p->machine);
	if (r == 0 && !run->skip)
		run->skip = plan_missing(&run->run->needs, p->machine);
	return r;
}

static int plan_run(struct planner *p, const struct plan *plan, const struct case_text *c, const struct run_text *r,
		    struct plan_run *run)
{
	run->scenario = p->scenario;
	run->case_text = c;
	run->run = r;
	run->scope = r->scope;
	run->role = r->role;
	snprintf(run->name, sizeof(run->name), "%s%s%s", c ? c->name : "", c ? ": " : "", r->name);
	plan_environment(p, run);
	int error = plan_arguments(p, run);
	if (error == 0)
		error = plan_expect(p, run);
	if (error == 0)
		error = plan_skip(p, plan, run);
	return error;
}

/* Does it exist on this machine at all, for this case? */
static bool run_exists(const struct planner *p, const struct case_text *c, const struct run_text *r)
{
	auto_free char *unmet = r->has_when ? plan_missing(&r->when, p->machine) : NULL;

	return run_has_case(r, c) && !unmet && !r->left_out && !(c && c->left_out);
}

static int plan_runs(struct planner *p, struct plan *plan)
{
	const struct scenario *s = p->scenario;
	size_t cases = s->case_count ? s->case_count : 1;

	plan->runs = calloc(cases * s->run_count + 1, sizeof(*plan->runs));
	if (!plan->runs)
		return -ENOMEM;
	for (size_t c = 0; c < cases; c++) {
		const struct case_text *case_text = s->case_count ? &s->cases[c] : NULL;
		for (size_t i = 0; i < s->run_count; i++) {
			if (!run_exists(p, case_text, &s->runs[i]))
				continue;
			int r = plan_run(p, plan, case_text, &s->runs[i], &plan->runs[plan->run_count++]);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* When no run is left, the scenario itself is skipped, for the reason its first trigger has. */
int plan_summary(struct plan *plan)
{
	const char *why = "no run of it exists on this kernel";

	for (size_t i = plan->run_count; i-- > 0;) {
		const struct plan_run *run = &plan->runs[i];
		if (!run->skip) {
			why = NULL;
			plan->exclusive |= run->scope == SCOPE_MACHINE;
		} else if (why) {
			why = run->skip;
		}
	}
	for (size_t i = 0; why && i < plan->run_count; i++) {
		if (plan->runs[i].role == ROLE_TRIGGER) {
			why = plan->runs[i].skip;
			break;
		}
	}
	if (!why || plan->skip)
		return 0;
	plan->skip = strdup(why);
	return plan->skip ? 0 : -ENOMEM;
}

/* The directory may have been given in any way; the program is executed from elsewhere. */
static char *program_path(const struct scenario *s)
{
	auto_free char *directory = realpath(s->directory, NULL);
	auto_free char *here = directory || s->directory[0] == '/' ? NULL : realpath(".", NULL);
	char *path;
	int r;

	if (directory)
		r = asprintf(&path, "%s/%s", directory, s->program);
	else if (here)
		r = asprintf(&path, "%s/%s/%s", here, s->directory, s->program);
	else
		r = asprintf(&path, "%s/%s", s->directory, s->program);
	return r < 0 ? NULL : path;
}

/* A program for 32 bits is left out by a compiler that does not make such; any other must be there. */
static int plan_unbuilt(struct plan *plan)
{
	if (!plan->scenario->needs.ia32 || access(plan->program, F_OK) == 0)
		return 0;
	plan->skip = strdup("needs its 32-bit program, which was not built: a compiler that knows -m32");
	return plan->skip ? 0 : -ENOMEM;
}

/* What keeps the whole scenario from running. */
static int plan_scenario(const struct planner *p, struct plan *plan)
{
	if (p->machine->why_no_witness[0]) {
		plan->skip = strdup(p->machine->why_no_witness);
		return plan->skip ? 0 : -ENOMEM;
	}
	plan->skip = plan_missing(&p->scenario->needs, p->machine);
	if (!plan->skip)
		plan->skip = plan_not_brought(&p->scenario->bring);
	return plan->skip ? 0 : plan_unbuilt(plan);
}

static int plan_fill(struct planner *p, struct plan *plan)
{
	plan->scenario = p->scenario;
	plan->program = program_path(p->scenario);
	if (!plan->program)
		return -ENOMEM;
	int r = plan_scenario(p, plan);
	if (r == 0)
		r = plan_runs(p, plan);
	if (r == 0 && p->bad)
		r = -EINVAL;
	return r < 0 ? r : plan_summary(plan);
}

int plan_make(const struct scenario *s, const struct machine *m, FILE *errors, struct plan **ret)
{
	struct planner p = {.scenario = s, .machine = m, .errors = errors};
	struct plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return -ENOMEM;
	int r = plan_fill(&p, plan);
	if (r < 0)
		plan_free(plan);
	else
		*ret = plan;
	return r;
}

uint64_t plan_time_ns(const struct plan_run *run)
{
	return run->environment.deadline_ns * (run->expect.stall ? 2 : 1);
}

void plan_run_free(struct plan_run *run)
{
	for (size_t a = 0; a < ARRAY_SIZE(run->argv); a++)
		free(run->argv[a]);
	free(run->expect.check);
	free(run->skip);
}

void plan_free(struct plan *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->run_count; i++)
		plan_run_free(&p->runs[i]);
	free(p->runs);
	free(p->program);
	free(p->skip);
	free(p);
}
