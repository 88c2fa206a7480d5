// SPDX-License-Identifier: MIT
/*
 * The manifest's own checks: metric paths into the evidence, relations, tolerances.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "calls.h"
#include "cleanup.h"
#include "judge-check.h"
#include "number.h"

struct quantity {
	bool unlimited;
	__int128 value;
};

/* Follow a path from here; a key may contain dots, so the longest key that leads to the end wins. */
static const json_t *follow(const json_t *here, const char *path, unsigned depth)
{
	if (!json_is_object(here) || depth > 16)
		return NULL;
	char key[256];
	for (size_t length = strlen(path); length > 0; length--) {
		if ((path[length] != '.' && path[length] != '\0') || length >= sizeof(key))
			continue;
		memcpy(key, path, length);
		key[length] = '\0';
		const json_t *next = json_object_get(here, key);
		if (next && path[length] == '.')
			next = follow(next, path + length + 1, depth + 1);
		if (next)
			return next;
	}
	return NULL;
}

static int to_quantity(const json_t *value, struct quantity *ret)
{
	*ret = (struct quantity){0};
	if (json_is_null(value))
		ret->unlimited = true;
	else if (json_is_integer(value))
		ret->value = json_integer_value(value);
	else if (json_is_real(value) && fabs(json_real_value(value)) < 1e19) /* a writer that had no 64-bit integers */
		ret->value = (__int128)json_real_value(value);
	else
		return -ENOENT;
	return 0;
}

/* Of these members of the evidence, paths start at the evidence itself. */
static bool is_direct(const char *path)
{
	static const char *const root[] = {"arguments.", "witness.refused", "witness.tasks", "witness.calls.",
					   "exit.code"};
	for (size_t i = 0; i < ARRAY_SIZE(root); i++) {
		size_t length = strlen(root[i]);
		if (root[i][length - 1] == '.' ? !strncmp(path, root[i], length) : !strcmp(path, root[i]))
			return true;
	}
	return !strcmp(path, "duration_ns");
}

/* Kills of others are counted where the log was readable, and only there. */
static bool log_was_read(const struct judgement *j)
{
	return json_is_array(json_object_get(j->evidence, "kernel_log")) &&
	       json_object_get(json_object_get(j->evidence, "bystanders"), "oom_kills_others");
}

/* Lines of the kernel log by what they say. Of a log that could not be read nothing is known. */
static int log_metric(const struct judgement *j, const char *name, struct quantity *ret)
{
	static const struct {
		const char *name, *phrase;
	} phrases[] = {
		{"oom_kills", "Out of memory: Killed process "},
		{"old_oom_kills", "Out of memory: Kill process "}, /* until Linux 5.2, with "score N" */
		{"memcg_oom_kills", "Memory cgroup out of memory: Killed process "},
		{"commit_refusals", "enough memory for the allocation"}, /* __vm_enough_memory(), since Linux 6.0 */
	};
	const json_t *line = NULL;
	size_t i, k;
	for (k = 0; k < ARRAY_SIZE(phrases) && strcmp(phrases[k].name, name) != 0;)
		k++;
	if (k == ARRAY_SIZE(phrases) || !log_was_read(j))
		return -ENOENT;
	*ret = (struct quantity){0};
	json_array_foreach (json_object_get(j->evidence, "kernel_log"), i, line)
		ret->value += json_is_string(line) && strstr(json_string_value(line), phrases[k].phrase);
	return 0;
}

/* The largest or the smallest of what was sampled while the program ran: of one that succeeds there is no failing
 * moment to look at. A sample that was not taken is null. */
static int sample_metric(const struct judgement *j, const char *name, bool largest, struct quantity *ret)
{
	const json_t *samples = json_object_get(j->evidence, "samples"), *one = NULL;
	bool seen = false;
	size_t i;
	json_array_foreach (json_object_get(samples, name), i, one) {
		json_int_t value = json_integer_value(one);
		if (!json_is_integer(one) || (seen && (largest ? value <= ret->value : value >= ret->value)))
			continue;
		*ret = (struct quantity){.value = value};
		seen = true;
	}
	return seen ? 0 : -ENOENT;
}

static int metric(const struct judgement *j, const char *path, struct quantity *ret)
{
	const json_t *snapshots = json_object_get(j->evidence, "snapshots");
	if (!strncmp(path, "before.", 7) || !strncmp(path, "failure.", 8) || !strncmp(path, "after.", 6))
		return to_quantity(follow(snapshots, path, 0), ret);
	if (is_direct(path)) {
		/* Only calls that were made are counted by name; a watched one that was not is 0. */
		bool call = !strncmp(path, "witness.calls.", 14) && call_by_name(path + 14);
		if (call && follow(j->evidence, "witness.calls", 0) && !follow(j->evidence, path, 0)) {
			*ret = (struct quantity){0};
			return 0;
		}
		return to_quantity(follow(j->evidence, path, 0), ret);
	}
	if (!strcmp(path, "cause.in_use") || !strcmp(path, "cause.asked") || !strcmp(path, "cause.bound"))
		return to_quantity(json_object_get(j->cause, path + 6), ret);
	if (!strncmp(path, "kernel_log.", 11))
		return log_metric(j, path + 11, ret);
	if (!strncmp(path, "most.", 5) || !strncmp(path, "least.", 6))
		return sample_metric(j, strchr(path, '.') + 1, path[0] == 'm', ret);
	if (strncmp(path, "delta.", 6))
		return -ENOENT;
	struct quantity before = {0}, after = {0};
	int r = to_quantity(follow(json_object_get(snapshots, "before"), path + 6, 0), &before);
	if (!r)
		r = to_quantity(follow(json_object_get(snapshots, "after"), path + 6, 0), &after);
	if (r || before.unlimited || after.unlimited)
		return -ENOENT;
	*ret = (struct quantity){.value = after.value - before.value};
	return 0;
}

int judge_metric(const struct judgement *j, const char *path, __int128 *ret, bool *ret_unlimited)
{
	struct quantity q = {0};
	int r = metric(j, path, &q);
	if (r < 0)
		return r;
	*ret = q.value;
	*ret_unlimited = q.unlimited;
	return 0;
}

/* The right side: a metric, a limit ("max"), or an amount of this machine. */
static int right_side(const struct judgement *j, const char *text, struct quantity *ret)
{
	if (!metric(j, text, ret))
		return 0;
	uint64_t number;
	int r = number_parse_limit(text, &number);
	if (r < 0 && j->machine)
		r = plan_amount(text, j->machine, &number);
	if (r < 0)
		return -ENOENT;
	*ret = (struct quantity){.unlimited = number == ENOMEM_UNLIMITED,
				 .value = number == ENOMEM_UNLIMITED ? 0 : number};
	return 0;
}

static __int128 magnitude(__int128 value)
{
	return value < 0 ? -value : value;
}

static bool is_near(const struct judgement *j, struct quantity left, struct quantity right, const char *within)
{
	uint64_t basis_points;
	struct quantity slack = {0};
	if (left.unlimited || right.unlimited)
		return left.unlimited && right.unlimited;
	__int128 apart = magnitude(left.value - right.value);
	if (!within)
		return apart == 0;
	if (!number_parse_percent(within, &basis_points)) /* the cap keeps the product inside 128 bits */
		return apart * 10000 <=
		       magnitude(right.value) * (basis_points < 1000000000 ? basis_points : 1000000000);
	return !right_side(j, within, &slack) && (slack.unlimited || apart <= slack.value);
}

/* Unlimited is larger than any number and equal to itself. */
static int compare(struct quantity left, struct quantity right)
{
	if (left.unlimited || right.unlimited)
		return (int)left.unlimited - (int)right.unlimited;
	return left.value < right.value ? -1 : left.value > right.value;
}

static bool holds(const struct judgement *j, const struct check *check, struct quantity left, struct quantity right)
{
	int order = compare(left, right);
	switch (check->relation) {
	case REL_IS:
		return order == 0;
	case REL_AT_LEAST:
		return order >= 0;
	case REL_AT_MOST:
		return order <= 0;
	case REL_ABOVE:
		return order > 0;
	case REL_BELOW:
		return order < 0;
	case REL_NEAR:
		return is_near(j, left, right, check->within);
	case REL_COUNT:
		break;
	}
	return false;
}

/* JSON has no 128 bits: what does not fit is written as a real, which is near enough for a reader. */
static json_t *number_json(struct quantity q)
{
	if (q.unlimited)
		return json_null();
	if (q.value > INT64_MAX || q.value < INT64_MIN)
		return json_real((double)q.value);
	return json_integer((json_int_t)q.value);
}

/* "delta.vmstat.oom_kill is 0", "... near arguments.reserve within 2%" */
static void describe(const struct check *check, char *buf, size_t size)
{
	char relation[32];
	(void)snprintf(relation, sizeof(relation), "%s", relation_names[check->relation]);
	for (char *c = strchr(relation, '_'); c; c = strchr(c, '_'))
		*c = ' ';
	(void)snprintf(buf, size, "%s %s %s%s%s", check->text ? check->text : check->value, relation, check->right,
		       check->within ? " within " : "", check->within ? check->within : "");
}

static void user_check(struct judgement *j, const struct check *check)
{
	char what[512];
	struct quantity left = {0}, right = {0}, minus = {0};
	const char *missing = NULL;
	describe(check, what, sizeof(what));
	if (metric(j, check->value, &left) < 0)
		missing = check->value;
	else if (check->minus && metric(j, check->minus, &minus) < 0)
		missing = check->minus;
	else if (right_side(j, check->right, &right) < 0)
		missing = check->right;
	/* That nobody could look is not the kernel's doing: neither a proof nor a failure. */
	if (missing && !strncmp(missing, "kernel_log.", 11) && !log_was_read(j)) {
		j->log_missed = true;
		return;
	}
	if (missing) {
		judge_assert(j, false, json_null(), judge_text(check->right), "%s", what);
		char note[512];
		(void)snprintf(note, sizeof(note), "no such value here: %s", missing);
		judge_annotate(j, "note", judge_text(note));
		return;
	}
	if (check->minus && (left.unlimited || minus.unlimited)) {
		judge_assert(j, false, json_null(), judge_text(check->right), "%s", what);
		judge_annotate(j, "note", judge_text("unlimited has no difference"));
		return;
	}
	if (check->minus)
		left.value -= minus.value;
	bool ok = holds(j, check, left, right);
	judge_assert(j, ok, number_json(left), right.unlimited ? judge_text("unlimited") : number_json(right), "%s",
		     what);
	if (left.unlimited)
		judge_annotate(j, "note", judge_text("the value is unlimited"));
	else if (!right.unlimited)
		judge_annotate(j, "difference", number_json((struct quantity){.value = left.value - right.value}));
}

void judge_user_checks(struct judgement *j)
{
	const struct expect *expect = &j->run->expect;
	for (size_t i = 0; i < expect->check_count; i++) {
		const struct check *check = &expect->check[i];
		if (check->has_when && j->machine) {
			auto_free char *elsewhere = plan_missing(&check->when, j->machine);
			if (elsewhere)
				continue;
		}
		user_check(j, check);
	}
}
