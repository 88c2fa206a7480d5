// SPDX-License-Identifier: MIT
/*
 * Several results: what tells them apart, and shards of one suite joined.
 */
#include <string.h>

#include "cleanup.h"
#include "judge.h"
#include "report-set.h"
#include "report-text.h"
#include "report.h"

char *result_key(const json_t *result, bool with_profile, char *buf, size_t size)
{
	(void)result_series(result, buf, size);
	text_add(buf, size, " %s", text_of2(result, "host", "cgroup"));
	if (with_profile && *text_of2(result, "host", "profile"))
		text_add(buf, size, " %s", text_of2(result, "host", "profile"));
	return buf;
}

/* Does any result of the array have another value there? */
static bool differs(const json_t *results, const char *member)
{
	const json_t *result = NULL;
	size_t i;
	json_array_foreach (results, i, result)
		if (strcmp(text_of2(result, "host", member), text_of2(json_array_get(results, 0), "host", member)) != 0)
			return true;
	return false;
}

/* Is there another release of the same series? */
static bool series_collides(const json_t *results, const json_t *of)
{
	const json_t *result = NULL;
	char series[TEXT_MAX], other[TEXT_MAX];
	size_t i;
	(void)result_series(of, series, sizeof(series));
	json_array_foreach (results, i, result)
		if (!strcmp(series, result_series(result, other, sizeof(other))) &&
		    strcmp(text_of2(of, "host", "kernel"), text_of2(result, "host", "kernel")) != 0)
			return true;
	return false;
}

/* How many labels before this one are the same text? */
static unsigned seen_before(const json_t *labels, const char *label)
{
	const json_t *other = NULL;
	unsigned seen = 0;
	size_t i;
	json_array_foreach (labels, i, other)
		seen += !strcmp(json_string_value(other), label);
	return seen;
}

json_t *results_labels(const json_t *results)
{
	bool cgroups = differs(results, "cgroup"), profiles = differs(results, "profile");
	json_auto_t *plain = json_array(), *labels = json_array();
	const json_t *result = NULL;
	char label[TEXT_MAX];
	size_t i;
	json_array_foreach (results, i, result) {
		const char *cgroup = text_of2(result, "host", "cgroup"), *profile = text_of2(result, "host", "profile");
		if (series_collides(results, result)) {
			label[0] = '\0';
			text_add(label, sizeof(label), "%s", text_of2(result, "host", "kernel"));
		} else {
			(void)result_series(result, label, sizeof(label));
		}
		if (cgroups && *cgroup)
			text_add(label, sizeof(label), " %s", cgroup);
		if (profiles && *profile)
			text_add(label, sizeof(label), " %s", profile);
		unsigned seen = seen_before(plain, label);
		if (json_array_append_new(plain, json_string(label)) < 0)
			return NULL;
		if (seen)
			text_add(label, sizeof(label), " (%u)", seen + 1);
		if (json_array_append_new(labels, json_string(label)) < 0)
			return NULL;
	}
	return steal(labels);
}

/* Sysctls that the kernel derives from RAM: not an option somebody chose. */
static bool derived_sysctl(const char *name)
{
	static const char *const derived[] = {"kernel.threads-max", "vm.admin_reserve_kbytes",
					      "vm.user_reserve_kbytes"};
	for (size_t i = 0; i < ARRAY_SIZE(derived); i++)
		if (!strcmp(name, derived[i]))
			return true;
	return false;
}

static bool same_sysctls(const json_t *a, const json_t *b)
{
	const char *name;
	json_t *value;
	json_object_foreach ((json_t *)(uintptr_t)a, name, value)
		if (!derived_sysctl(name) && !json_equal(value, json_object_get(b, name)))
			return false;
	return true;
}

/* Made by the same version on the same kernel under the same options? RAM may differ from machine to machine. */
static bool are_shards(const json_t *a, const json_t *b)
{
	static const char *const member[] = {"kernel", "cgroup", "guest", "root", "profile", "swap"};
	const json_t *host = json_object_get(a, "host"), *other = json_object_get(b, "host");
	const json_t *sysctl = json_object_get(host, "sysctl"), *other_sysctl = json_object_get(other, "sysctl");
	/* Of a guest swap is an option, of a machine it is what it has. */
	size_t members = ARRAY_SIZE(member) - !json_is_true(json_object_get(host, "guest"));
	for (size_t i = 0; i < members; i++) {
		const json_t *x = json_object_get(host, member[i]), *y = json_object_get(other, member[i]);
		if (x != y && !json_equal(x, y))
			return false;
	}
	return !strcmp(text_of(a, "enomem"), text_of(b, "enomem")) && same_sysctls(sysctl, other_sysctl) &&
	       same_sysctls(other_sysctl, sysctl);
}

static json_t *find_scenario(const json_t *scenarios, const char *name)
{
	json_t *scenario;
	size_t i;
	json_array_foreach (scenarios, i, scenario)
		if (!strcmp(text_of(scenario, "name"), name))
			return scenario;
	return NULL;
}

/* The scenarios of one more shard. How many have another verdict than before, or -ENOMEM. */
static int join(json_t *into, const json_t *shard, FILE *errors)
{
	json_t *scenarios = json_object_get(into, "scenarios"), *scenario;
	char label[TEXT_MAX], name[TEXT_MAX];
	int conflicts = 0;
	size_t i;
	json_array_foreach (json_object_get(shard, "scenarios"), i, scenario) {
		const json_t *before = find_scenario(scenarios, text_of(scenario, "name"));
		if (!before) {
			if (json_array_append(scenarios, scenario) < 0)
				return -ENOMEM;
		} else if (strcmp(text_of(before, "verdict"), text_of(scenario, "verdict")) != 0) {
			conflicts++;
			(void)result_key(into, true, label, sizeof(label));
			(void)fprintf(errors, "%s: ", text_clean(label, false, name, sizeof(name)));
			(void)fprintf(errors, "%s: ", text_clean(text_of(scenario, "name"), false, name, sizeof(name)));
			(void)fprintf(errors, "%s in one shard, %s in another\n", text_of(before, "verdict"),
				      text_of(scenario, "verdict"));
		}
	}
	return conflicts;
}

/* Shards run side by side on several machines: what they took together is the sum. */
static int finish(json_t *result, json_int_t duration_ns)
{
	int r = json_object_set_new(result, "summary", judge_summary(json_object_get(result, "scenarios")));
	return r | json_object_set_new(result, "duration_ns", json_integer(duration_ns)) ? -ENOMEM : 0;
}

/* Everything of `results` that is a shard of the first one not yet joined. Conflicts or -ENOMEM. */
static int join_all(const json_t *results, bool *joined, size_t first, FILE *errors, json_t **ret)
{
	json_auto_t *into = json_copy(json_array_get(results, first));
	json_t *scenarios = json_array();
	json_int_t duration_ns = 0;
	int conflicts = 0;
	size_t i;
	json_t *shard;
	/* A copy of its own: the shard given stays as it is. */
	if (!into || json_object_set_new(into, "scenarios", scenarios) < 0)
		return -ENOMEM;
	json_array_foreach (results, i, shard) {
		if (joined[i] || !are_shards(into, shard))
			continue;
		int r = join(into, shard, errors);
		if (r < 0)
			return r;
		joined[i] = true;
		conflicts += r;
		duration_ns += text_integer(shard, "duration_ns", 0);
		/* No one command made a whole of shards. */
		if (!json_equal(json_object_get(into, "command"), json_object_get(shard, "command")))
			(void)json_object_del(into, "command");
	}
	if (finish(into, duration_ns) < 0)
		return -ENOMEM;
	*ret = steal(into);
	return conflicts;
}

int results_merge(const json_t *results, FILE *errors, json_t **ret)
{
	size_t count = json_array_size(results);
	auto_free bool *joined = calloc(count + 1, sizeof(bool));
	json_auto_t *merged = json_array();
	int conflicts = 0;
	if (!joined || !merged)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (result_is_reference(json_array_get(results, i)))
			return -EINVAL;
	for (size_t i = 0; i < count; i++) {
		json_t *into = NULL;
		if (joined[i])
			continue;
		int r = join_all(results, joined, i, errors, &into);
		if (r < 0 || json_array_append_new(merged, into) < 0)
			return -ENOMEM;
		conflicts += r;
	}
	if (conflicts)
		return -EEXIST;
	*ret = steal(merged);
	return 0;
}
