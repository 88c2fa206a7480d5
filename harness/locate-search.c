// SPDX-License-Identifier: MIT
/*
 * See locate-search.h. Positions count steps from the granted end; the last one is nearest to the refused end.
 */
#include "locate-search.h"

struct search {
	const struct locate_search *s;
	struct locate_found *found;
	uint64_t last;               /* position of the refused end */
	bool is_granted, is_refused; /* whether these are known */
	uint64_t granted, refused;
};

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static uint64_t value_at(const struct locate_search *s, uint64_t position)
{
	return s->refused >= s->granted ? s->granted + position * s->step : s->granted - position * s->step;
}

/* Between the ends. */
static uint64_t position_of(const struct locate_search *s, __int128 value)
{
	__int128 from = s->refused >= s->granted ? value - s->granted : s->granted - value;
	__int128 last = distance(s->granted, s->refused) / s->step;

	if (from < 0)
		return 0;
	return (uint64_t)(from / s->step < last ? from / s->step : last);
}

__int128 locate_on_grid(const struct locate_search *s, __int128 value)
{
	__int128 from = s->refused >= s->granted ? value - s->granted : s->granted - value;
	__int128 steps = from / s->step - (from < 0 && from % s->step != 0);

	return s->refused >= s->granted ? s->granted + steps * s->step : s->granted - steps * s->step;
}

static bool end_at(struct search *w, enum locate_end end, uint64_t position)
{
	w->found->end = end;
	w->found->at = value_at(w->s, position);
	return false;
}

/* False when there is no answer. */
static bool ask(struct search *w, uint64_t position, bool *ret_granted)
{
	if (w->found->probes == LOCATE_PROBES_MAX)
		return end_at(w, LOCATE_STOPPED, position);
	enum locate_answer answer = w->s->ask(w->s->data, value_at(w->s, position));
	w->found->probes++;
	*ret_granted = answer == LOCATE_GRANTED;
	return answer == LOCATE_STOP ? end_at(w, LOCATE_STOPPED, position) : true;
}

/* Ask, and know a border more. */
static bool learn(struct search *w, uint64_t position)
{
	bool granted;

	if (!ask(w, position, &granted))
		return false;
	*(granted ? &w->is_granted : &w->is_refused) = true;
	*(granted ? &w->granted : &w->refused) = position;
	return true;
}

/* Away from the prediction, in doubling steps, until both borders are known. */
static bool gallop(struct search *w, uint64_t from)
{
	if (!learn(w, from))
		return false;
	for (uint64_t step = 1; !w->is_granted || !w->is_refused; step *= 2) {
		uint64_t room = w->is_granted ? w->last - w->granted : w->refused;
		if (room == 0)
			return end_at(w, w->is_granted ? LOCATE_NEVER_REFUSED : LOCATE_NEVER_GRANTED,
				      w->is_granted ? w->granted : w->refused);
		uint64_t by = step < room ? step : room;
		if (!learn(w, w->is_granted ? w->granted + by : w->refused - by))
			return false;
	}
	return true;
}

/* Once more: a limit that gives two answers to one number is none that was located. */
static bool ask_again(struct search *w, uint64_t position, bool was_granted)
{
	__int128 off = (__int128)value_at(w->s, position) - w->s->predicted;
	bool granted;

	if (!ask(w, position, &granted))
		return false;
	if (granted == was_granted)
		return true;
	w->found->granted_at = was_granted;
	if (w->s->tolerance == 0 || (off < 0 ? -off : off) > w->s->tolerance)
		return end_at(w, LOCATE_TURNED, position);
	w->found->wavers = true;
	return true;
}

void locate_search(const struct locate_search *s, struct locate_found *ret)
{
	struct search w = {.s = s, .found = ret, .last = distance(s->granted, s->refused) / s->step};
	uint64_t from = position_of(s, s->predicted);

	*ret = (struct locate_found){.end = LOCATED};
	if (!gallop(&w, from < w.last || from == 0 ? from : from - 1))
		return;
	while (w.refused - w.granted > 1)
		if (!learn(&w, w.granted + (w.refused - w.granted) / 2))
			return;
	if (!ask_again(&w, w.granted, true) || !ask_again(&w, w.refused, false))
		return;
	ret->last_granted = value_at(s, w.granted);
	ret->first_refused = value_at(s, w.refused);
}
