// SPDX-License-Identifier: MIT
/*
 * See failed-place.h.
 */
#include "failed-place.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "cleanup.h"
#include "report-set.h"
#include "report-text.h"
#include "say.h"

#define NAMES_MAX  4096
#define NAME_BYTES 256

/* --- from results ------------------------------------------------------------------------------------------------ */

static bool is_failed(const json_t *judged)
{
	const char *verdict = text_of(judged, "verdict");
	return strcmp(verdict, "fail") == 0 || strcmp(verdict, "broken") == 0;
}

/* A set in the order of first appearance. */
static int choose(json_t *chosen, const char *scenario, const char *of_case)
{
	auto_free char *word = NULL;
	if (asprintf(&word, "%s%s%s", scenario, *of_case ? "/" : "", of_case) < 0) {
		word = NULL;
		return -ENOMEM;
	}
	return json_object_set_new(chosen, word, json_true()) < 0 ? -ENOMEM : 0;
}

/* The cases in which a run or a boundary failed; all of a scenario in which none did, or that has none. */
static int choose_scenario(json_t *chosen, const json_t *scenario, bool *ret_locate)
{
	static const char *const lists[] = {"runs", "boundaries"};
	const char *name = text_of(scenario, "name");
	json_auto_t *own = json_object();
	const json_t *judged = NULL;
	bool whole = false;
	size_t i;
	for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
		json_array_foreach (json_object_get(scenario, lists[l]), i, judged) {
			if (!is_failed(judged))
				continue;
			*ret_locate |= l == 1;
			whole |= *text_of(judged, "case") == '\0';
			if (choose(own, name, text_of(judged, "case")) < 0)
				return -ENOMEM;
		}
	if (whole || json_object_size(own) == 0)
		return choose(chosen, name, "");
	return json_object_update(chosen, own) < 0 ? -ENOMEM : 0;
}

/* NULL without memory; an empty "chosen" where nothing failed. */
static json_t *place_of(const json_t *result)
{
	const json_t *host = json_object_get(result, "host"), *scenario = NULL;
	json_t *command = json_object_get(result, "command"), *options = json_object_get(result, "guest_options");
	json_auto_t *chosen = json_object();
	bool locate = false;
	size_t i;
	if (!chosen)
		return NULL;
	json_array_foreach (json_object_get(result, "scenarios"), i, scenario)
		if (is_failed(scenario) && choose_scenario(chosen, scenario, &locate) < 0)
			return NULL;
	json_t *kernels =
		json_is_true(json_object_get(host, "guest")) ? json_pack("[s]", text_of(host, "kernel")) : json_null();
	return json_pack("{s:o, s:O, s:O?, s:O?, s:s, s:b}", "kernels", kernels, "chosen", chosen, "command", command,
			 "options", options, "profile", text_of(host, "profile"), "locate", (int)locate);
}

/* The same place but for those members? */
static bool alike(const json_t *a, const json_t *b, const char *but)
{
	static const char *const members[] = {"kernels", "chosen", "command", "options", "profile", "locate"};
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		if (strcmp(members[i], but) == 0 || strcmp(members[i], "locate") == 0)
			continue;
		const json_t *one = json_object_get(a, members[i]), *other = json_object_get(b, members[i]);
		if (one != other && !json_equal(one, other))
			return false;
	}
	return true;
}

static void merge_locate(json_t *place, const json_t *other)
{
	if (json_is_true(json_object_get(other, "locate")))
		(void)json_object_set_new(place, "locate", json_true());
}

/* Is there one of the same kernel, in which something else failed? Then that is one more to it. */
static bool join_chosen(const json_t *places, const json_t *place)
{
	json_t *other = NULL;
	size_t i;
	json_array_foreach (places, i, other)
		if (alike(other, place, "chosen") &&
		    json_object_update(json_object_get(other, "chosen"), json_object_get(place, "chosen")) == 0) {
			merge_locate(other, place);
			return true;
		}
	return false;
}

/* Is there a guest of another kernel, in which the same failed? Then both boot side by side. */
static bool join_kernel(const json_t *places, const json_t *place)
{
	json_t *other = NULL;
	size_t i;
	json_array_foreach (places, i, other)
		if (json_is_array(json_object_get(other, "kernels")) &&
		    json_is_array(json_object_get(place, "kernels")) && alike(other, place, "kernels") &&
		    json_array_extend(json_object_get(other, "kernels"), json_object_get(place, "kernels")) == 0) {
			merge_locate(other, place);
			return true;
		}
	return false;
}

/* The sets of names become lists. */
static json_t *with_lists(const json_t *places)
{
	json_t *lists = json_array(), *place = NULL, *unused;
	const char *word;
	size_t i;
	json_array_foreach (places, i, place) {
		json_t *list = json_array();
		json_object_foreach (json_object_get(place, "chosen"), word, unused)
			(void)json_array_append_new(list, json_string(word));
		if (!list || json_object_set_new(place, "chosen", list) < 0 || json_array_append(lists, place) < 0) {
			json_decref(lists);
			return NULL;
		}
	}
	return lists;
}

json_t *failed_places(const json_t *results)
{
	json_auto_t *each = json_array(), *joined = json_array();
	const json_t *result = NULL;
	json_t *place = NULL;
	size_t i;
	json_array_foreach (results, i, result) {
		json_auto_t *one = place_of(result);
		if (!one)
			return NULL;
		if (json_object_size(json_object_get(one, "chosen")) > 0 && !join_chosen(each, one) &&
		    json_array_append(each, one) < 0)
			return NULL;
	}
	json_array_foreach (each, i, place)
		if (!join_kernel(joined, place) && json_array_append(joined, place) < 0)
			return NULL;
	return with_lists(joined);
}

static void add_lacking(json_t *list, const json_t *words)
{
	const json_t *word = NULL, *other = NULL;
	size_t i, k;
	json_array_foreach (words, i, word) {
		bool there = false;
		json_array_foreach (list, k, other)
			there |= json_equal(other, word);
		if (!there)
			(void)json_array_append(list, (json_t *)(uintptr_t)word);
	}
}

void failed_merge(json_t *places)
{
	json_t *place = NULL;
	size_t i;
	json_array_foreach (places, i, place)
		(void)json_object_set_new(place, "kernels", json_null());
	for (i = 0; i < json_array_size(places); i++)
		for (size_t k = json_array_size(places) - 1; k > i; k--) {
			place = json_array_get(places, i);
			const json_t *other = json_array_get(places, k);
			if (!alike(place, other, "chosen"))
				continue;
			merge_locate(place, other);
			add_lacking(json_object_get(place, "chosen"), json_object_get(other, "chosen"));
			(void)json_array_remove(places, k);
		}
}

/* --- of files ---------------------------------------------------------------------------------------------------- */

/* A case may be called anything that a terminal can show. */
bool failed_is_choice(const char *word)
{
	size_t length = strlen(word), name = strcspn(word, "/");
	if (name == 0 || name >= NAME_BYTES || length >= 2 * NAME_BYTES || word[0] == '-' || word[0] == '.')
		return false;
	for (size_t i = 0; i < name; i++)
		if (!isalnum((unsigned char)word[i]) && !strchr("-_.", word[i]))
			return false;
	for (size_t i = name; i < length; i++)
		if ((unsigned char)word[i] < ' ' || word[i] == 0x7f)
			return false;
	return length != name + 1;
}

static bool is_place(const json_t *place)
{
	const json_t *kernels = json_object_get(place, "kernels"), *chosen = json_object_get(place, "chosen"),
		     *command = json_object_get(place, "command"), *item = NULL;
	size_t i;
	if (!json_is_array(chosen) || json_array_size(chosen) == 0 || json_array_size(chosen) > NAMES_MAX ||
	    !(json_is_null(kernels) || json_array_size(kernels) > 0) || (command && !json_is_array(command)))
		return false;
	json_array_foreach (chosen, i, item)
		if (!json_is_string(item) || !failed_is_choice(json_string_value(item)))
			return false;
	json_array_foreach (kernels, i, item)
		if (!json_is_string(item) || strpbrk(json_string_value(item), ",/"))
			return false;
	json_array_foreach (command, i, item)
		if (!json_is_string(item))
			return false;
	return true;
}

bool failed_places_valid(const json_t *places)
{
	const json_t *place = NULL;
	size_t i;
	json_array_foreach (places, i, place)
		if (!is_place(place))
			return false;
	return json_is_array(places);
}

/* --- as options -------------------------------------------------------------------------------------------------- */

/* The kernel that the command named by its image, where the cache does not have it. */
static const char *kernel_named(const json_t *command)
{
	static const char option[] = "--guest=";
	const json_t *word = NULL;
	size_t i;
	json_array_foreach (command, i, word) {
		const char *text = json_string_value(word);
		if (strcmp(text, "--") == 0)
			break;
		if (strncmp(text, option, strlen(option)) == 0 && strchr(text, '/') && !strchr(text, ','))
			return text + strlen(option);
	}
	return NULL;
}

/* "6.1" of a release */
static void series_of(const char *release, char *ret, size_t size)
{
	json_auto_t *result = json_pack("{s:{s:s}}", "host", "kernel", release);
	(void)result_series(result, ret, size);
}

/* Another build of its series is the next best: the one that failed may be of another machine. */
static int put_kernel(const json_t *place, const char *release, char *spec, size_t size)
{
	struct guest_kernel near;
	char series[TEXT_MAX];
	const char *image = kernel_named(json_object_get(place, "command")), *word = release;
	series_of(release, series, sizeof(series));
	if (!guest_kernel_cached(release, &near)) {
		if (image && access(image, R_OK) == 0) {
			word = image;
		} else if (guest_kernel_cached(series, &near)) {
			say_note("kernel %s, where it failed, is not in the cache: %s takes its place", release,
				 near.release);
			word = series;
		} else {
			(void)say_error(0, "kernel %s, where it failed, is not in the cache", release);
			say_hint("ci/kernels %s, or say where: --failed --guest=KERNEL, --failed --no-guest", series);
			return EXIT_BROKEN;
		}
	}
	text_add(spec, size, "%s%s", *spec ? "," : "", word);
	return 0;
}

int failed_options(const struct run_options *typed, const json_t *place, struct run_options *ret)
{
	const json_t *kernels = json_object_get(place, "kernels"), *kernel = NULL;
	struct run_options o = *typed;
	bool told = typed->in_guest || typed->no_guest;
	int r = 0;
	size_t i;
	*ret = o;
	if (!told && json_is_array(kernels)) {
		o.failed_kernels[0] = '\0';
		json_array_foreach (kernels, i, kernel) {
			r = put_kernel(place, json_string_value(kernel), o.failed_kernels, sizeof(o.failed_kernels));
			if (r != 0)
				return r;
		}
		run_options_in_guest(&o, NULL);
	}
	o.locate |= json_is_true(json_object_get(place, "locate"));
	r = run_options_recorded(place, &o);
	*ret = o;
	if (o.in_guest && !told) /* only now does the text stay where it is */
		ret->guests.kernels = ret->failed_kernels;
	if (r != 0)
		failed_options_free(typed, ret);
	return r;
}

void failed_options_free(const struct run_options *typed, struct run_options *o)
{
	if (o->guests.profile.item != typed->guests.profile.item)
		profile_free(&o->guests.profile);
	if (o->command != typed->command)
		json_decref(o->command);
}
