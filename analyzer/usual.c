/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/usual.h"

#include "analyzer/episode.h"
#include "common/clock.h"
#include "common/money.h"

/* One stored unit in the unit of the measure. */
static int64_t grain(unsigned measure)
{
	switch (measure) {
	case MEASURE_SPEND:
		return PENNY / 100;
	case MEASURE_MINUTES:
		return SEC_US;
	default:
		return 1;
	}
}

static uint32_t stored(ring_num v, unsigned measure)
{
	ring_num unit = (ring_num)grain(measure) * RING_UNIT;
	ring_num n = (v + unit - 1) / unit;

	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

/* When the local day ends.  The first guess is an hour late on the day the
 * clocks go forward. */
static int64_t day_end(const struct calendar *c, int64_t day, int64_t t_us)
{
	int64_t end =
		(day + 1) * DAY_US - (int64_t)calendar_offset(c, t_us) * SEC_US;

	if (end - HOUR_US > t_us && calendar_day(c, end - HOUR_US) > day)
		end -= HOUR_US;
	return end;
}

/* Put the value of the day that is over into the history, zeroing the days
 * without a call; it may itself be too long ago by now. */
static void keep(struct engine *g, struct account *a, unsigned d, int64_t day)
{
	struct counter *c = &a->counter[d];
	unsigned measure = g->plan.def[d].measure;
	int64_t gap = day - a->day;
	bool nothing = a->taught_wrong || gap > USUAL_DAYS;

	for (int r = 0; r < 2; r++) {
		uint32_t v = nothing ? 0 : stored(c->today[r], measure);
		struct usual *u;

		c->today[r] = 0;
		if (!v && !c->usual[r])
			continue;
		if (!c->usual[r])
			c->usual[r] = slab_take(&g->days);
		u = slab_at(&g->days, c->usual[r]);
		u->day[a->day % USUAL_DAYS] = v;
		for (int64_t i = 1; i < gap && i < USUAL_DAYS; i++)
			u->day[(a->day + i) % USUAL_DAYS] = 0;
	}
}

/* A robbery that goes on at midnight fires nothing new that day: the day must
 * not become usual for that. */
static bool goes_on(const struct engine *g, const struct account *a)
{
	const struct watch *w = watch_of(g, a);

	for (unsigned r = 0; w && r < g->conf->n_rules; r++)
		if (w->episode[r].fired >> SEVERITY_CRITICAL & 1)
			return true;
	return false;
}

static void roll(struct engine *g, struct account *a, int64_t day)
{
	int64_t gap = day - a->day;

	for (unsigned d = 0; d < g->plan.n_defs; d++)
		if (g->plan.def[d].usual_days)
			keep(g, a, d, day);
	if (gap >= 32)
		a->learnt = UINT32_MAX;
	else
		a->learnt = a->learnt << gap |
			    (uint32_t)((UINT64_C(1) << (gap - 1)) - 1);
	if (gap < 32 && !a->taught_wrong)
		a->learnt |= 1u << (gap - 1);
	a->taught_wrong = goes_on(g, a);
}

void usual_touch(struct engine *g, struct account *a, int64_t t_us)
{
	int64_t day;

	if (t_us < a->day_until)
		return;
	day = calendar_day(a->calendar, t_us);
	if (a->day && day > a->day)
		roll(g, a, day);
	a->day = day;
	a->day_until = day_end(a->calendar, day, t_us);
}

/* First day from which on nothing counts, for a definition. */
static int64_t first_barred(const struct account *a,
			    const struct definition *def,
			    const struct period *p)
{
	int64_t day = INT64_MAX;

	if (def->kind == DEF_SESSION)
		day = calendar_day(a->calendar, p->since_us);
	if (a->hold_day && a->hold_day < day)
		day = a->hold_day;
	return day;
}

int64_t usual_largest(const struct engine *g, const struct account *a,
		      unsigned d, const struct period *p)
{
	const struct definition *def = &g->plan.def[d];
	uint32_t id = a->counter ? a->counter[d].usual[p->regime] : 0;
	uint32_t largest = 0;
	int64_t barred;
	const struct usual *u;

	if (!id)
		return 0;
	u = slab_at(&g->days, id);
	barred = first_barred(a, def, p);
	for (int64_t i = 1; i <= def->usual_days; i++) {
		int64_t day = a->day - i;

		if (day >= 0 && day < barred &&
		    u->day[day % USUAL_DAYS] > largest)
			largest = u->day[day % USUAL_DAYS];
	}
	return (int64_t)largest * grain(def->measure);
}

uint32_t usual_days(const struct account *a, uint32_t history)
{
	uint32_t n = history < USUAL_DAYS ? history : USUAL_DAYS;
	uint32_t mask = (uint32_t)((UINT64_C(1) << n) - 1);

	if (a->hold_day && a->day > a->hold_day) {
		int64_t held = a->day - a->hold_day;

		mask &= held >= 32 ? 0 : ~(uint32_t)((UINT64_C(1) << held) - 1);
	}
	return (uint32_t)__builtin_popcount(a->learnt & mask);
}

/* Fraud: what was seen since the incident began is never usual. */
static void erase(struct engine *g, struct account *a, int64_t from)
{
	if (a->day - from > USUAL_DAYS)
		from = a->day - USUAL_DAYS;
	for (unsigned d = 0; a->counter && d < g->plan.n_defs; d++)
		for (int r = 0; r < 2; r++) {
			uint32_t id = a->counter[d].usual[r];
			struct usual *u = id ? slab_at(&g->days, id) : NULL;

			for (int64_t i = from; u && i < a->day; i++)
				u->day[i % USUAL_DAYS] = 0;
		}
	for (int64_t i = from; i < a->day; i++)
		a->learnt &= ~(uint32_t)(UINT64_C(1) << (a->day - 1 - i));
	a->taught_wrong = true;
}

void usual_control(struct engine *g, struct account *a, const struct control *k)
{
	int64_t held = a->hold_day;

	if (k->kind == CONTROL_INCIDENT_OPEN) {
		int64_t day = calendar_day(a->calendar, k->from_us);

		if (!held || day < held)
			a->hold_day = day;
		return;
	}
	if (k->kind != CONTROL_VERDICT || !held)
		return;
	a->hold_day = 0;
	if (k->verdict == VERDICT_FRAUD || k->verdict == VERDICT_OTHER ||
	    k->verdict == VERDICT_NONE)
		erase(g, a, held);
}
