// SPDX-License-Identifier: MIT
/*
 * From the words of --decoys to runs that can be held beside a failure.
 */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "guests.h"
#include "hold-options.h"
#include "say.h"

static void add_once(struct selection *s, struct scenario *one)
{
	for (size_t i = 0; i < s->count; i++)
		if (!strcmp(s->item[i]->directory, one->directory))
			return;
	s->item[s->count++] = one;
}

static int add(struct hold_options *o, size_t i, struct selection *all)
{
	struct selection found = {NULL, 0};
	if (select_scenarios(o->tree, &o->decoy[i], 1, &found) < 0)
		return EXIT_USAGE;
	if (found.count != 1) {
		(void)say_error(0, "--decoys: %s: %zu scenarios; each is named by itself", o->decoy[i], found.count);
		selection_free(&found);
		return EXIT_USAGE;
	}
	o->decoy_scenarios.item[o->decoy_scenarios.count++] = found.item[0];
	add_once(all, found.item[0]);
	free(found.item);
	return 0;
}

int hold_decoys_select(struct hold_options *o, const struct selection *selection, struct selection *ret_all)
{
	int code = 0;
	o->decoy_scenarios.item = calloc(HOLD_DECOYS_MAX, sizeof(struct scenario *));
	*ret_all = (struct selection){calloc(selection->count + HOLD_DECOYS_MAX, sizeof(struct scenario *)), 0};
	if (!o->decoy_scenarios.item || !ret_all->item)
		return say_no_memory(EXIT_BROKEN);
	for (size_t i = 0; i < selection->count; i++)
		ret_all->item[ret_all->count++] = selection->item[i];
	for (size_t i = 0; i < o->decoy_count && code == 0; i++)
		code = add(o, i, ret_all);
	return code;
}

int hold_decoys_plan(struct hold_options *o, const struct machine *machine, struct guest_site *site)
{
	const char *why;
	if (o->decoy_count == 0)
		return 0;
	o->decoys = calloc(1, sizeof(*o->decoys));
	if (!o->decoys)
		return say_no_memory(EXIT_BROKEN);
	for (size_t i = 0; i < o->decoy_count; i++) {
		const struct scenario *s = o->decoy_scenarios.item[i];
		struct hold_decoy *d = &o->decoys->item[i];
		int r = site ? guests_plan(site, s, stderr, &d->plan) : plan_make(s, machine, stderr, &d->plan);
		if (r < 0)
			return r == -ENOMEM ? EXIT_BROKEN : EXIT_USAGE;
		o->decoys->count++;
		d->run = hold_decoy_choose(d->plan, o->decoy_role[i], &why);
		if (!d->run) {
			(void)say_error(0, "--decoys: %s: cannot stand beside a failure here: %s", o->decoy[i], why);
			return EXIT_ALL_SKIPPED;
		}
	}
	return 0;
}
