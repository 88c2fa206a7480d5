// SPDX-License-Identifier: MIT
/*
 * The manifest's keys as tables: what each is called, what it may hold, where it goes. manifest-fill.c walks them.
 */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "manifest-schema.h"

#define SCHEMA(id, text, type, ...)                                                                                    \
	static const struct schema schema_##id = {.what = text,                                                        \
						  .fields = fields_##id,                                               \
						  .count = ARRAY_SIZE(fields_##id),                                    \
						  .size = sizeof(type),                                                \
						  __VA_ARGS__}
#define AT(type, member) .offset = offsetof(type, member)

static const struct field fields_needs[] = {
	{"kernel", FIELD_TEXT, AT(struct needs, kernel), .check = check_kernel},
	{"cgroup", FIELD_TEXT, AT(struct needs, cgroup_version), .words = &words_cgroup_version},
	{"capabilities", FIELD_LIST, AT(struct needs, capabilities), .words = &words_capability},
	{"controllers", FIELD_LIST, AT(struct needs, controllers), .words = &words_controller},
	{"tools", FIELD_LIST, AT(struct needs, tools), .check = check_tool},
	{"sysctl", FIELD_SETTINGS, AT(struct needs, sysctl), .check = check_sysctl},
	{"ram", FIELD_TEXT, AT(struct needs, ram), .check = check_ram},
	{"root", FIELD_BOOL, AT(struct needs, root)},
	{"user_namespaces", FIELD_BOOL, AT(struct needs, user_namespaces)},
	{"io_uring", FIELD_BOOL, AT(struct needs, io_uring)},
	{"ia32", FIELD_BOOL, AT(struct needs, ia32)},
	{"default_sysctls", FIELD_BOOL, AT(struct needs, default_sysctls)},
};
SCHEMA(needs, "needs", struct needs, .begin = NULL);

static const struct field fields_environment[] = {
	{"rlimit", FIELD_SETTINGS, AT(struct environment_text, rlimit), .words = &words_rlimit, .check = check_rlimit},
	{"cgroup", FIELD_SETTINGS, AT(struct environment_text, cgroup), .words = &words_cgroup,
	 .check = check_cgroup_limit},
	{"cgroup_above", FIELD_SETTINGS, AT(struct environment_text, cgroup_above), .words = &words_cgroup,
	 .check = check_cgroup_limit},
	{"sysctl", FIELD_SETTINGS, AT(struct environment_text, sysctl), .check = check_sysctl},
	{"sys", FIELD_SETTINGS, AT(struct environment_text, sys), .check = check_sys},
	{"namespace_sysctl", FIELD_SETTINGS, AT(struct environment_text, namespace_sysctl),
	 .words = &words_namespace_sysctl, .check = check_sysctl},
	{"tmpfs", FIELD_SETTINGS, AT(struct environment_text, tmpfs), .words = &words_tmpfs, .check = check_tmpfs},
	{"swap", FIELD_TEXT, AT(struct environment_text, swap), .check = check_swap},
	{"swap_on", FIELD_TEXT, AT(struct environment_text, swap_on), .words = &words_swap_on},
	{"knobs", FIELD_TEXT, AT(struct environment_text, knobs), .words = &words_knobs},
	{"identity", FIELD_TEXT, AT(struct environment_text, identity), .check = check_identity},
	{"oom_score_adj", FIELD_TEXT, AT(struct environment_text, oom_score_adj), .check = check_oom_score_adj},
	{"cpus", FIELD_TEXT, AT(struct environment_text, cpus), .words = &words_cpus},
	{"inject", FIELD_SETTINGS, AT(struct environment_text, inject), .words = &words_call, .check = check_inject},
};
SCHEMA(environment, "environment", struct environment_text, .begin = NULL);

static const struct field fields_live[] = {
	{"rlimit", FIELD_SETTINGS, AT(struct environment_text, rlimit), .words = &words_rlimit, .check = check_rlimit},
	{"cgroup", FIELD_SETTINGS, AT(struct environment_text, cgroup), .words = &words_cgroup,
	 .check = check_cgroup_limit},
	{"sysctl", FIELD_SETTINGS, AT(struct environment_text, sysctl), .check = check_sysctl},
	{"namespace_sysctl", FIELD_SETTINGS, AT(struct environment_text, namespace_sysctl), .words = &words_ipc_sysctl,
	 .check = check_sysctl},
	{"tmpfs", FIELD_SETTINGS, AT(struct environment_text, tmpfs), .words = &words_tmpfs, .check = check_tmpfs},
	{"swap", FIELD_TEXT, AT(struct environment_text, swap), .check = check_swap},
};
SCHEMA(live, "live", struct environment_text, .begin = NULL);

static void check_finish(struct source *s, const struct node *n, void *object);
static const struct field fields_check[] = {
	{"value", FIELD_TEXT, .required = true, AT(struct check, value), .check = check_left_side},
	{"is", FIELD_RELATION, AT(struct check, right), .check = check_right_side},
	{"at_least", FIELD_RELATION, AT(struct check, right), .check = check_right_side},
	{"at_most", FIELD_RELATION, AT(struct check, right), .check = check_right_side},
	{"above", FIELD_RELATION, AT(struct check, right), .check = check_right_side},
	{"below", FIELD_RELATION, AT(struct check, right), .check = check_right_side},
	{"near", FIELD_RELATION, AT(struct check, right), .check = check_right_side},
	{"within", FIELD_TEXT, AT(struct check, within), .check = check_within},
	{"when", FIELD_OBJECT, AT(struct check, when), .said_offset = offsetof(struct check, has_when),
	 .schema = &schema_needs},
	{NULL, FIELD_HIDDEN, AT(struct check, minus)},
	{NULL, FIELD_HIDDEN, AT(struct check, text)},
};
SCHEMA(check, "check", struct check, .finish = check_finish);

static const struct field fields_expect[] = {
	{"call", FIELD_WORDS, .filled = true, AT(struct expect, call), .words = &words_call},
	{"errno", FIELD_TEXT, AT(struct expect, error), .words = &words_errno},
	{"signal", FIELD_TEXT, AT(struct expect, signal), .words = &words_signal},
	{"si_code", FIELD_TEXT, AT(struct expect, si_code), .words = &words_si_code},
	{"cause", FIELD_TEXT, AT(struct expect, cause), .words = &words_cause},
	{"says", FIELD_TEXT, AT(struct expect, says)},
	{"exit", FIELD_TEXT, AT(struct expect, exit), .check = check_exit},
	{"panic", FIELD_TEXT, AT(struct expect, panic), .check = check_panic},
	{"oom_kills", FIELD_TEXT, AT(struct expect, oom_kills), .check = check_oom_kills},
	{"stall", FIELD_BOOL, AT(struct expect, stall), .said_offset = offsetof(struct expect, has_stall)},
	{"does_without", FIELD_BOOL, AT(struct expect, does_without)},
	{"check", FIELD_OBJECTS, AT(struct expect, check), .count_offset = offsetof(struct expect, check_count),
	 .schema = &schema_check},
};
SCHEMA(expect, "expect", struct expect, .begin = NULL);

static const struct field fields_locate[] = {
	{"argument", FIELD_TEXT, AT(struct locate_text, argument), .check = check_varied_argument},
	{"setting", FIELD_TEXT, AT(struct locate_text, setting), .check = check_varied_setting},
	{"run", FIELD_TEXT, AT(struct locate_text, run)},
	{"step", FIELD_TEXT, AT(struct locate_text, step), .check = check_locate_step},
	{"granted", FIELD_TEXT, AT(struct locate_text, granted), .check = check_locate_amount},
	{"refused", FIELD_TEXT, AT(struct locate_text, refused), .check = check_locate_amount},
	{"predicted", FIELD_TEXT, AT(struct locate_text, predicted), .check = check_predicted},
	{"when", FIELD_OBJECT, AT(struct locate_text, when), .said_offset = offsetof(struct locate_text, has_when),
	 .schema = &schema_needs},
	{"elsewhere", FIELD_TEXT, AT(struct locate_text, elsewhere), .check = check_predicted},
	{"tolerance", FIELD_TEXT, AT(struct locate_text, tolerance), .check = check_locate_amount},
	{"why", FIELD_TEXT, AT(struct locate_text, why), .check = check_note},
	{"cases", FIELD_LIST, .filled = true, AT(struct locate_text, cases)},
};
SCHEMA(locate, "locate", struct locate_text, .begin = NULL);

static void case_finish(struct source *s, const struct node *n, void *object);
static const struct field fields_case[] = {
	{"name", FIELD_TEXT, .required = true, AT(struct case_text, name), .check = check_label},
	{"arguments", FIELD_LIST, AT(struct case_text, arguments), .check = check_argument},
	{"environment", FIELD_OBJECT, AT(struct case_text, environment), .schema = &schema_environment},
	{"needs", FIELD_OBJECT, AT(struct case_text, needs), .schema = &schema_needs},
	{"expect", FIELD_OBJECT, AT(struct case_text, expect), .schema = &schema_expect},
	{"locate", FIELD_OBJECT, AT(struct case_text, locate), .said_offset = offsetof(struct case_text, has_locate),
	 .schema = &schema_locate},
};
SCHEMA(case, "case", struct case_text, .finish = case_finish);

static void run_begin(void *object);
static void run_finish(struct source *s, const struct node *n, void *object);
static const struct field fields_run[] = {
	{"name", FIELD_TEXT, .required = true, AT(struct run_text, name), .check = check_label},
	{"role", FIELD_CHOICE, .required = true, AT(struct run_text, role), .words = &words_role},
	{"scope", FIELD_CHOICE, AT(struct run_text, scope), .words = &words_scope},
	{"helps", FIELD_BOOL, AT(struct run_text, helps)},
	{"described", FIELD_BOOL, AT(struct run_text, described)},
	{"cases", FIELD_LIST, .filled = true, AT(struct run_text, cases)},
	{"arguments", FIELD_LIST, AT(struct run_text, arguments), .check = check_argument},
	{"environment", FIELD_OBJECT, AT(struct run_text, environment), .schema = &schema_environment},
	{"live", FIELD_OBJECT, AT(struct run_text, live), .schema = &schema_live},
	{"needs", FIELD_OBJECT, AT(struct run_text, needs), .schema = &schema_needs},
	{"when", FIELD_OBJECT, AT(struct run_text, when), .said_offset = offsetof(struct run_text, has_when),
	 .schema = &schema_needs},
	{"expect", FIELD_OBJECT, AT(struct run_text, expect), .schema = &schema_expect},
	{"deadline", FIELD_TEXT, AT(struct run_text, deadline), .check = check_duration},
	{"note", FIELD_TEXT, AT(struct run_text, note), .check = check_note},
};
SCHEMA(run, "run", struct run_text, .begin = run_begin, .finish = run_finish);

static const struct field fields_scenario[] = {
	{"name", FIELD_TEXT, .required = true, AT(struct scenario, name), .check = check_scenario_name},
	{"title", FIELD_TEXT, .required = true, AT(struct scenario, title), .check = check_label},
	{"class", FIELD_TEXT, .required = true, AT(struct scenario, class_name), .words = &words_class},
	{"program", FIELD_TEXT, AT(struct scenario, program), .check = check_program},
	{"scope", FIELD_CHOICE, .required = true, AT(struct scenario, scope), .words = &words_scope},
	{"survivable", FIELD_BOOL, AT(struct scenario, survivable)},
	{"deadline", FIELD_TEXT, AT(struct scenario, deadline), .check = check_duration},
	{"note", FIELD_TEXT, AT(struct scenario, note), .check = check_note},
	{"needs", FIELD_OBJECT, AT(struct scenario, needs), .schema = &schema_needs},
	{"bring", FIELD_LIST, .filled = true, AT(struct scenario, bring), .check = check_brought},
	{"environment", FIELD_OBJECT, AT(struct scenario, environment), .schema = &schema_environment},
	{"arguments", FIELD_LIST, AT(struct scenario, arguments), .check = check_argument},
	{"expect", FIELD_OBJECT, AT(struct scenario, expect), .schema = &schema_expect},
	{"locate", FIELD_OBJECT, AT(struct scenario, locate), .said_offset = offsetof(struct scenario, has_locate),
	 .schema = &schema_locate},
	{"cases", FIELD_OBJECTS, .filled = true, AT(struct scenario, cases),
	 .count_offset = offsetof(struct scenario, case_count), .schema = &schema_case},
	{"runs", FIELD_OBJECTS, .required = true, .filled = true, AT(struct scenario, runs),
	 .count_offset = offsetof(struct scenario, run_count), .schema = &schema_run},
	{NULL, FIELD_HIDDEN, AT(struct scenario, directory)},
	{NULL, FIELD_HIDDEN, AT(struct scenario, file)},
};
SCHEMA(scenario, "manifest", struct scenario, .begin = NULL);

static void run_begin(void *object)
{
	struct run_text *run = object;

	run->helps = true;
	run->scope = SCOPE_COUNT; /* not said */
}

static void run_finish(struct source *s, const struct node *n, void *object)
{
	((struct run_text *)object)->line = source_line(s, n->offset);
}

static void case_finish(struct source *s, const struct node *n, void *object)
{
	((struct case_text *)object)->line = source_line(s, n->offset);
}

static void check_finish(struct source *s, const struct node *n, void *object)
{
	struct check *check = object;
	const struct node *within = node_get(n, "within"), *near = node_get(n, "near");

	if (!check->right)
		node_error(s, n, "one of is, at_least, at_most, above, below, near", "a check without a relation");
	else if (within && !near)
		node_error(s, within->key, NULL, "'within' goes with near only");
	else if (near && !within)
		node_error(s, near->key, "as in within: 2%", "'near' needs within");
	if (!check->value)
		return;
	check->text = source_copy(s, check->value);
	char *minus = strstr(check->value, " - ");
	if (minus) {
		check->minus = source_copy(s, minus + strlen(" - "));
		*minus = '\0';
	}
}

struct scenario *schema_read(struct source *s, const struct node *root)
{
	struct scenario *scenario = calloc(1, sizeof(*scenario));

	if (!scenario) {
		s->out_of_memory = true;
		return NULL;
	}
	if (root->kind != NODE_MAP)
		node_error(s, root, NULL, "a manifest is keys and values, but this is %s", node_what(root));
	else
		schema_fill(s, &schema_scenario, root, scenario);
	return scenario;
}

int manifest_check_environment(const char *line, const char *file, FILE *errors)
{
	struct source s = {.file = file, .text = line, .length = strlen(line), .errors = errors};
	struct environment_text text = {0};
	auto_node struct node *root = node_parse(&s);

	if (root && root->kind == NODE_MAP)
		schema_fill(&s, &schema_environment, root, &text);
	schema_empty(&schema_environment, &text);
	if (s.out_of_memory)
		return -ENOMEM;
	return root && root->kind == NODE_MAP && s.error_count == 0 ? 0 : -EINVAL;
}

void schema_free(struct scenario *scenario)
{
	if (scenario)
		schema_empty(&schema_scenario, scenario);
	free(scenario);
}
