// SPDX-License-Identifier: MIT
/*
 * The tables of enomem-result/1, member by member; what holds between members is in result-relations.c.
 * results/schema.json says the same.
 */
#include "report.h"
#include "result-check.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define TEXT       .types = SHAPE_TEXT
#define COUNT      .types = SHAPE_COUNT
#define NUMBER     .types = SHAPE_NUMBER
#define SIZE       .types = SHAPE_NUMBER | SHAPE_NULL
#define WORD       .types = SHAPE_TEXT | SHAPE_NUMBER /* a number where it has no name here */
#define BOOL       .types = SHAPE_BOOL
#define OBJECT     .types = SHAPE_OBJECT
#define ARRAY      .types = SHAPE_ARRAY
#define THE(t)     .types = SHAPE_NEEDED | SHAPE_##t

static const struct shape limit[] = {
	{"id", THE(TEXT)},    {"in_use", SIZE}, {"asked", SIZE},
	{"bound", SIZE},      {"unit", TEXT},   {"refuses", THE(BOOL)},
	{"errno_fits", BOOL}, {"where", TEXT},  {0},
};
static const struct shape cause[] = {
	{"id", THE(TEXT)},
	{"in_use", SIZE},
	{"asked", SIZE},
	{"bound", SIZE},
	{"unit", TEXT},
	{"where", TEXT},
	{"also_refusing", THE(ARRAY), .elements = SHAPE_TEXT},
	{0},
};
static const struct shape check[] = {
	{"what", THE(TEXT)},
	{"value", .types = SHAPE_ANY},
	{"expected", .types = SHAPE_ANY},
	{"difference", SIZE},
	{"note", TEXT},
	{"ok", THE(BOOL)},
	{0},
};
static const struct shape outcome[] = {
	{"kind", THE(TEXT), .words = WORDS("errno", "signal", "stall", "exit", "success", "panic", "hang")},
	{"text", TEXT},
	{"call", TEXT},
	{"errno", WORD},
	{"asked", SIZE},
	{"signal", TEXT},
	{"si_code", WORD},
	{"address", SIZE},
	{"oom", BOOL},
	{"code", NUMBER},
	{0},
};
static const struct shape refusal[] = {
	{"call", THE(TEXT)}, {"errno", WORD},    {"args", ARRAY, .elements = SHAPE_NUMBER | SHAPE_TEXT | SHAPE_NULL},
	{"asked", SIZE},     {"injected", BOOL}, {"pid", NUMBER},
	{"tid", NUMBER},     {"time_ns", COUNT}, {0},
};
static const struct shape signal_seen[] = {
	{"signal", THE(TEXT)},
	{"si_code", WORD},
	{"address", SIZE},
	{"pid", NUMBER},
	{"time_ns", COUNT},
	{"fatal", BOOL},
	{0},
};
static const struct shape witness[] = {
	{"calls", OBJECT, .elements = SHAPE_COUNT},
	{"refused", COUNT},
	{"granted", OBJECT},
	{"granted_later", COUNT},
	{"records", ARRAY, .members = refusal},
	{"signals", ARRAY, .members = signal_seen},
	{"tasks", COUNT},
	{"tasks_left", COUNT},
	{"own_filter", NUMBER},
	{"untraced", COUNT},
	{0},
};
static const struct shape exit_status[] = {{"code", NUMBER}, {"signal", TEXT}, {0}};
static const struct shape moment[] = {
	{"at", TEXT, .words = WORDS("call", "signal", "stall", "panic")},
	{"call", TEXT},
	{"errno", WORD},
	{"signal", TEXT},
	{"state", TEXT},
	{"wchan", TEXT},
	{"asked", SIZE},
	{"pid", NUMBER},
	{"time_ns", COUNT},
	{0},
};
static const struct shape bystanders[] = {
	{"oom_kills_own", NUMBER},
	{"oom_kills_others", NUMBER},
	{"outside_group", BOOL},
	{0},
};
static const struct shape snapshot[] = {
	{"time_ns", COUNT},
	{"meminfo", OBJECT, .elements = SHAPE_NUMBER | SHAPE_NULL},
	{"vmstat", OBJECT, .elements = SHAPE_NUMBER | SHAPE_NULL},
	{"sysctl", OBJECT, .elements = SHAPE_NUMBER | SHAPE_NULL | SHAPE_TEXT},
	{"tasks", SIZE},
	{"cgroup", OBJECT},
	{"process", OBJECT},
	{0},
};
static const struct shape snapshots[] = {
	{"before", OBJECT, .members = snapshot},
	{"failure", OBJECT, .members = snapshot},
	{"after", OBJECT, .members = snapshot},
	{0},
};
static const struct shape environment[] = {
	{"rlimit", OBJECT, .elements = SHAPE_NUMBER | SHAPE_NULL},
	{"cgroup", OBJECT, .elements = SHAPE_NUMBER | SHAPE_NULL},
	{"sysctl", OBJECT, .elements = SHAPE_TEXT},
	{"inject", OBJECT, .elements = SHAPE_TEXT},
	{"identity", TEXT},
	{"oom_score_adj", NUMBER},
	{"capabilities", ARRAY, .elements = SHAPE_TEXT},
	{"memory_ceiling", SIZE},
	{"tasks_ceiling", SIZE},
	{"deadline_ns", SIZE},
	{0},
};
static const struct shape problem[] = {{"step", TEXT}, {"errno", WORD}, {"message", TEXT}, {"hint", TEXT}, {0}};
static const struct shape output[] = {{"stdout", TEXT}, {"stderr", TEXT}, {"truncated", BOOL}, {0}};
static const struct shape predicted[] = {
	{"kind", THE(TEXT), .words = WORDS("errno", "signal", "stall", "success", "panic")},
	{"call", ARRAY, .elements = SHAPE_TEXT},
	{"errno", TEXT},
	{"signal", TEXT},
	{"si_code", TEXT},
	{"cause", TEXT},
	{"exit", TEXT},
	{0},
};
static const struct shape at[] = {{"file", THE(TEXT)}, {"line", THE(COUNT)}, {0}};
static const struct shape guest[] = {
	{"kernel", TEXT}, {"cgroup", TEXT}, {"ram", COUNT}, {"swap", COUNT}, {"cpus", COUNT}, {0},
};
#define VERDICTS WORDS("pass", "fail", "broken", "skip")
#define SCOPES   WORDS("process", "cgroup", "namespace", "machine")
static const struct shape run[] = {
	{"name", THE(TEXT)},
	{"case", TEXT},
	{"role", THE(TEXT), .words = WORDS("control", "trigger", "remedy")},
	{"scope", TEXT, .words = SCOPES},
	{"helps", BOOL},
	{"described", BOOL},
	{"injected", BOOL},
	{"group", TEXT},
	{"made_again", OBJECT},
	{"program", TEXT},
	{"argv", ARRAY, .elements = SHAPE_TEXT},
	{"arguments", OBJECT, .elements = SHAPE_NUMBER | SHAPE_NULL},
	{"environment", OBJECT, .members = environment},
	{"outcome", OBJECT, .members = outcome},
	{"exit", OBJECT, .members = exit_status},
	{"failing_moment", OBJECT, .members = moment},
	{"witness", OBJECT, .members = witness},
	{"limits", ARRAY, .members = limit},
	{"bystanders", OBJECT, .members = bystanders},
	{"snapshots", OBJECT, .members = snapshots},
	{"samples", OBJECT},
	{"kernel_log", ARRAY, .elements = SHAPE_TEXT},
	{"guest", OBJECT, .members = guest},
	{"console", ARRAY, .elements = SHAPE_TEXT},
	{"note", TEXT},
	{"output", OBJECT, .members = output},
	{"problem", OBJECT, .members = problem},
	{"ceiling", TEXT, .words = WORDS("memory", "tasks")},
	{"deadline_exceeded", BOOL},
	{"skipped", TEXT},
	{"duration_ns", COUNT},
	{"verdict", THE(TEXT), .words = VERDICTS},
	{"reason", TEXT},
	{"cause", OBJECT, .members = cause},
	{"predicted", OBJECT, .members = predicted},
	{"at", OBJECT, .members = at},
	{"checks", ARRAY, .members = check},
	{0},
};
static const struct shape tried[] = {
	{"value", THE(NUMBER)}, {"answer", THE(TEXT), .words = WORDS("granted", "refused", "neither")}, {0}};
static const struct shape boundary[] = {
	{"name", THE(TEXT)},
	{"case", THE(TEXT)},
	{"run", THE(TEXT)},
	{"varied", THE(TEXT)},
	{"cause", TEXT},
	{"verdict", THE(TEXT), .words = VERDICTS},
	{"reason", TEXT},
	{"step", COUNT},
	{"predicted", NUMBER},
	{"predicted_by", TEXT},
	{"last_granted", NUMBER},
	{"first_refused", NUMBER},
	{"difference", NUMBER},
	{"tolerance", THE(COUNT)},
	{"why", TEXT},
	{"wavers", BOOL},
	{"probes", COUNT},
	{"tried", ARRAY, .members = tried},
	{"duration_ns", COUNT},
	{0},
};
static const struct shape scenario[] = {
	{"name", THE(TEXT)},
	{"title", TEXT},
	{"class", THE(TEXT)},
	{"scope", TEXT, .words = SCOPES},
	{"directory", TEXT},
	{"verdict", THE(TEXT), .words = VERDICTS},
	{"reason", TEXT},
	{"runs_skipped", COUNT},
	{"duration_ns", COUNT},
	{"note", TEXT},
	{"runs", THE(ARRAY), .members = run},
	{"boundaries", ARRAY, .members = boundary},
	{0},
};
static const struct shape host[] = {
	{"kernel", THE(TEXT)},
	{"cgroup", TEXT, .words = WORDS("v1", "v2", "hybrid", "none")},
	{"ram", COUNT},
	{"swap", COUNT},
	{"cpus", COUNT},
	{"guest", BOOL},
	{"root", BOOL},
	{"profile", TEXT},
	{"sysctl", OBJECT, .elements = SHAPE_NUMBER | SHAPE_NULL | SHAPE_TEXT},
	{0},
};
static const struct shape counts[] = {
	{"pass", THE(COUNT)}, {"fail", THE(COUNT)}, {"broken", THE(COUNT)}, {"skip", THE(COUNT)}, {"runs", OBJECT}, {0},
};
const struct shape result_shape[] = {
	{"schema", THE(TEXT), .words = WORDS("enomem-result/1")},
	{"enomem", THE(TEXT)},
	{"command", ARRAY, .elements = SHAPE_TEXT},
	{"host", THE(OBJECT), .members = host},
	{"scenarios", THE(ARRAY), .members = scenario},
	{"summary", THE(OBJECT), .members = counts},
	{"duration_ns", COUNT},
	{0},
};

/* A reference: the members of a result that do not vary, see result-stable.c. */
static const struct shape stable_cause[] = {
	{"id", THE(TEXT)},
	{"also_refusing", THE(ARRAY), .elements = SHAPE_TEXT},
	{0},
};
static const struct shape stable_moment[] = {
	{"at", THE(TEXT), .words = WORDS("call")},
	{"call", THE(TEXT)},
	{"errno", WORD},
	{0},
};
static const struct shape reported[] = {{"called", THE(TEXT)}, {"errno", THE(TEXT)}, {"more", TEXT}, {0}};
static const struct shape stable_check[] = {{"what", THE(TEXT)}, {"ok", THE(BOOL)}, {0}};
static const struct shape stable_run[] = {
	{"name", THE(TEXT)},
	{"case", TEXT},
	{"role", THE(TEXT), .words = WORDS("control", "trigger", "remedy")},
	{"helps", BOOL},
	{"described", BOOL},
	{"verdict", THE(TEXT), .words = VERDICTS},
	{"reason", TEXT},
	{"note", TEXT},
	{"outcome", OBJECT, .members = outcome},
	{"cause", OBJECT, .members = stable_cause},
	{"failing_moment", OBJECT, .members = stable_moment},
	{"reported", OBJECT, .members = reported},
	{"checks", ARRAY, .members = stable_check},
	{0},
};
static const struct shape stable_boundary[] = {
	{"name", THE(TEXT)},       {"case", THE(TEXT)},
	{"varied", THE(TEXT)},     {"verdict", THE(TEXT), .words = VERDICTS},
	{"predicted", NUMBER},     {"last_granted", NUMBER},
	{"first_refused", NUMBER}, {"difference", NUMBER},
	{"tolerance", THE(COUNT)}, {0},
};
static const struct shape stable_scenario[] = {
	{"name", THE(TEXT)},
	{"verdict", THE(TEXT), .words = VERDICTS},
	{"reason", TEXT},
	{"note", TEXT},
	{"runs", THE(ARRAY), .members = stable_run},
	{"boundaries", ARRAY, .members = stable_boundary},
	{0},
};
const struct shape reference_shape[] = {
	{"schema", THE(TEXT), .words = WORDS(REFERENCE_SCHEMA)},
	{"host", THE(OBJECT), .members = host},
	{"scenarios", THE(ARRAY), .members = stable_scenario},
	{0},
};
