// SPDX-License-Identifier: MIT
/*
 * Questions from a manifest. See teach.h.
 */
#include <errno.h>
#include <string.h>

#include "book.h"
#include "cause.h"
#include "cleanup.h"
#include "manifest-internal.h"
#include "report-text.h"
#include "teach-guest.h"

#define CHOICES 4

const char *const question_names[QUESTIONS] = {"outcome", "cause", "fix"};

static const char GRANTED[] = "nothing is refused";

static bool has_option(const struct question *q, const char *option)
{
	for (unsigned i = 0; i < q->count; i++)
		if (!strcmp(q->option[i], option))
			return true;
	return false;
}

static void add_option(struct question *q, const char *option, bool right, unsigned most)
{
	if (q->count >= most || has_option(q, option))
		return;
	q->right |= right ? 1U << q->count : 0;
	(void)snprintf(q->option[q->count++], sizeof(q->option[0]), "%s", option);
}

/* An order that has nothing to do with which one is right, and is the same for everybody. */
static uint32_t rank_of(const char *salt, const char *text)
{
	uint32_t hash = 2166136261U;
	for (; *salt; salt++)
		hash = (hash ^ (unsigned char)*salt) * 16777619U;
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619U;
	return hash ^ hash >> 15;
}

static void shuffle(struct question *q, const char *salt, const char **beside)
{
	for (unsigned i = 1; i < q->count; i++)
		for (unsigned k = i; k && rank_of(salt, q->option[k]) < rank_of(salt, q->option[k - 1]); k--) {
			char text[sizeof(q->option[0])];
			memcpy(text, q->option[k], sizeof(text));
			memcpy(q->option[k], q->option[k - 1], sizeof(text));
			memcpy(q->option[k - 1], text, sizeof(text));
			unsigned a = q->right >> k & 1, b = q->right >> (k - 1) & 1;
			q->right = (q->right & ~(3U << (k - 1))) | b << k | a << (k - 1);
			if (beside) {
				const char *run = beside[k];
				beside[k] = beside[k - 1];
				beside[k - 1] = run;
			}
		}
}

static const char *outcome_of(const struct expect *e)
{
	return e->signal ? e->signal : e->error ? e->error : e->panic ? "panic" : e->stall ? "stall" : GRANTED;
}

static bool is_of_class(const struct explain_world *w, const json_t *symptom, const char *class_name)
{
	const json_t *name = NULL;
	size_t i;
	json_array_foreach (json_object_get(symptom, "scenarios"), i, name)
		for (size_t k = 0; k < w->all.count; k++)
			if (!strcmp(w->all.item[k]->name, json_string_value(name)) &&
			    !strcmp(w->all.item[k]->class_name, class_name))
				return true;
	return false;
}

/* What others of the class show; where they show too little, what any scenario does. */
static void add_decoys(const struct explain_world *w, const struct quiz *q, const char *key, struct question *to)
{
	for (int any = 0; any < 2; any++) {
		const json_t *row = NULL;
		size_t i;
		json_array_foreach (w->symptoms, i, row)
			if (any || is_of_class(w, row, q->scenario->class_name))
				add_option(to, json_string_value(json_object_get(row, key)), false, CHOICES);
	}
}

static bool same_case(const struct plan_run *a, const struct plan_run *b)
{
	return a->case_text == b->case_text;
}

/* Of the case: is there a run here that plays this role, and helps? */
static bool has_role(const struct plan *p, const struct plan_run *like, enum role role)
{
	for (size_t i = 0; i < p->run_count; i++)
		if (p->runs[i].role == role && !p->runs[i].skip && p->runs[i].run->helps &&
		    same_case(&p->runs[i], like))
			return true;
	return false;
}

static bool can_be_taught(const struct plan *p, const struct plan_run *run)
{
	return run->role == ROLE_TRIGGER && !run->skip && !run->run->described && has_role(p, run, ROLE_CONTROL) &&
	       has_role(p, run, ROLE_REMEDY);
}

static bool ends_in_shell(const struct explain_world *w, const struct quiz *q, const struct plan_run *trigger)
{
	struct quiz one = *q;
	struct teach_fix fix;
	one.trigger = trigger;
	fix_find(&w->machine, &one, &fix);
	return !fix.why_not;
}

/* What was predicted is about one of them. Before it was kept about which, it was the first. */
static const struct plan_run *trigger_of(const struct explain_world *w, const struct quiz *q, const json_t *kept)
{
	const struct plan *p = q->plan;
	const bool predicted = json_is_object(json_object_get(kept, question_names[QUESTION_OUTCOME]));
	const char *before = predicted ? text_of(kept, "trigger") : "";
	const struct plan_run *first = NULL, *shell = NULL;
	for (size_t i = 0; !p->skip && i < p->run_count; i++) {
		const struct plan_run *run = &p->runs[i];
		if (!can_be_taught(p, run))
			continue;
		if (!strcmp(run->name, before))
			return run;
		first = first ? first : run;
		if (!shell && ends_in_shell(w, q, run))
			shell = run;
	}
	return shell && (!predicted || *before) ? shell : first;
}

/* What helps, or what does not, up to so many options. */
static void add_remedies(struct quiz *q, bool helps, unsigned most)
{
	struct question *fix = &q->question[QUESTION_FIX];
	for (size_t i = 0; i < q->plan->run_count; i++) {
		const struct plan_run *run = &q->plan->runs[i];
		unsigned before = fix->count;
		if (run->role != ROLE_REMEDY || run->skip || run->run->helps != helps || !same_case(run, q->trigger))
			continue;
		add_option(fix, run->run->name, helps, most);
		if (fix->count > before)
			q->fix_run[before] = run->name;
	}
}

/* With room for the folklore, where there is some. */
static void ask_fix(struct quiz *q)
{
	q->question[QUESTION_FIX].several = true;
	add_remedies(q, true, OPTIONS_MAX - 3);
	add_remedies(q, false, OPTIONS_MAX);
	shuffle(&q->question[QUESTION_FIX], q->scenario->name, q->fix_run);
}

static void ask(const struct explain_world *w, struct quiz *q)
{
	struct question *outcome = &q->question[QUESTION_OUTCOME], *cause = &q->question[QUESTION_CAUSE];
	add_option(outcome, outcome_of(&q->trigger->expect), true, CHOICES);
	add_option(outcome, GRANTED, false, CHOICES);
	add_decoys(w, q, "outcome", outcome);
	shuffle(outcome, q->scenario->name, NULL);
	add_option(cause, q->trigger->expect.cause, true, CHOICES);
	add_decoys(w, q, "cause", cause);
	shuffle(cause, q->scenario->name, NULL);
	ask_fix(q);
}

static int make(const struct explain_world *w, const struct scenario *s, const char *name, const json_t *kept,
		struct guests *guests, FILE *errors, struct quiz *ret)
{
	*ret = (struct quiz){.name = name, .scenario = s, .guests = guests};
	int r = book_lesson(s->directory, s->name, errors, &ret->lesson);
	if (r == 0)
		r = guests ? guests_plan(&guests->site[0], s, errors, &ret->plan)
			   : plan_make(s, &w->machine, errors, &ret->plan);
	if (r < 0) {
		quiz_free(ret);
		return r;
	}
	ret->trigger = trigger_of(w, ret, kept);
	if (ret->trigger) {
		ask(w, ret);
		return 0;
	}
	const char *why = ret->plan->skip;
	for (size_t i = 0; !why && i < ret->plan->run_count; i++)
		why = ret->plan->runs[i].skip;
	ret->why_not = strdup(why ? why : "no case of it has a control, a trigger and a remedy here");
	return ret->why_not ? 0 : -ENOMEM;
}

/* Instead of the one here, which says why it can be taught no other way. */
static int make_in_guest(const struct explain_world *w, const struct teach_guests *o, const json_t *kept, FILE *errors,
			 struct quiz *ret)
{
	const struct scenario *s = ret->scenario;
	const char *name = ret->name;
	char why[1200];
	struct guests *guests = NULL;
	int r = teach_guest_open(o, NULL, (struct scenario *)(uintptr_t)s, &guests, why, sizeof(why));
	if (r == -ENOENT && !o->wanted)
		return 0; /* no kernel: what is said already names how to get one */
	if (r < 0 && !*why)
		return -EINVAL;
	quiz_free(ret);
	if (r < 0) {
		*ret = (struct quiz){.name = name, .scenario = s, .why_not = strdup(why)};
		return ret->why_not ? 0 : -ENOMEM;
	}
	r = make(w, s, name, kept, guests, errors, ret);
	if (r == 0)
		ret->guest_named = o->kernels ? o->kernels : teach_guest_kernel(ret);
	return r;
}

int quiz_make(const struct explain_world *w, const struct teach_guests *o, const struct scenario *s, const char *name,
	      const json_t *kept, FILE *errors, struct quiz *ret)
{
	int r = make(w, s, name, kept, NULL, errors, ret);
	return r == 0 && (o->wanted || (ret->why_not && !o->none)) ? make_in_guest(w, o, kept, errors, ret) : r;
}

void quiz_free(struct quiz *q)
{
	plan_free(q->plan);
	teach_guest_close(q->guests);
	json_decref(q->lesson);
	free(q->why_not);
	*q = (struct quiz){0};
}

char *quiz_letters(unsigned options, char *buf, size_t size)
{
	size_t used = 0;
	buf[0] = '\0';
	for (unsigned i = 0; i < OPTIONS_MAX && used + 3 < size; i++)
		if (options >> i & 1)
			used += (size_t)snprintf(buf + used, size - used, "%s%c", used ? " " : "", 'a' + (int)i);
	return buf;
}

unsigned quiz_parse(const struct question *q, const char *answer)
{
	unsigned chosen = 0, n = 0;
	for (; *answer; answer++) {
		unsigned option = (unsigned)(*answer | 0x20) - 'a';
		if (strchr(" ,\t\n", *answer))
			continue;
		if (option >= q->count)
			return 0;
		n += !(chosen >> option & 1);
		chosen |= 1U << option;
	}
	return n > 1 && !q->several ? 0 : chosen;
}
