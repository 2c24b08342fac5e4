/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/night.h"

#include "common/attr.h"
#include "common/sv.h"

/*
 * Honest traffic.  A day is 24 digits, one an hour: how busy that hour is,
 * 9 = `peak` calls an hour.  Each ten seconds hold at most one call, so an
 * account never makes more than seven in a minute.  Shapes and shares follow
 * the trace of a UK provider: a rise at nine, a dip at lunch, almost nothing
 * after six, Saturday mornings only.
 */
struct profile {
	const char *segment;
	int64_t peak;
	const char *weekday;
	const char *saturday;
	const char *sunday;
	int64_t abroad_ppm;   /* share of calls, in millionths */
	unsigned first, last; /* of places[] */
};

struct place {
	const char *prefix;
	unsigned digits; /* that follow */
};

static const struct place uk[] = {
	{"+441632960", 3}, {"+441134960", 3}, {"+442079460", 3},
	{"+447700900", 3}, {"+447700900", 3}, {"+447700900", 3},
	{"+44306999", 4},  {"+448081570", 3},
};

/* Invented subscribers behind real country and area codes. */
static const struct place places[] = {
	{"+3531555", 4},  {"+3314555", 5},  {"+4930555", 5},  {"+34915550", 4},
	{"+1212555", 4},  {"+31205550", 4}, {"+9714555", 4},  {"+9714555", 4},
	{"+97444555", 3}, {"+96622555", 4}, {"+96522555", 3},
};

static const struct profile profiles[] = {
	/* clang-format off */
	{"office", 6,
	 "000000014899967899710000",
	 "000000000122100000000000",
	 "000000000000000000000000", 10000, 0, 5},
	{"retail", 5,
	 "000000002688877788830000",
	 "000000003789987775100000",
	 "000000000012222210000000", 4000, 0, 5},
	{"hospitality", 5,
	 "210000135666556678998764",
	 "432101245666667889999876",
	 "432100134566666777766431", 20000, 0, 5},
	{"always-open", 14,
	 "644334578876656788998876",
	 "998765444566667789999999",
	 "999876433456666666655433", 3000, 0, 2},
	{"contact-centre", 80,
	 "000000002899987899870000",
	 "000000001566541000000000",
	 "000000000000000000000000", 2000, 0, 5},
	{"school", 7,
	 "000000169755546896210000",
	 "000000000000000000000000",
	 "000000000000000000000000", 3000, 0, 2},
	{"trader", 9,
	 "112357876777656664210011",
	 "112345432221110000000011",
	 "112357876555443210000011", 350000, 6, 10},
	/* clang-format on */
};

static const struct profile *profile_of(const struct night_account *a)
{
	for (size_t i = 0; i < ARRAY_LEN(profiles); i++)
		if (strcmp(profiles[i].segment, a->segment) == 0)
			return &profiles[i];
	return &profiles[0];
}

static bool all_week(const struct profile *p)
{
	return strcmp(p->segment, "always-open") == 0 ||
	       strcmp(p->segment, "hospitality") == 0 ||
	       strcmp(p->segment, "trader") == 0;
}

/* The shape of day d (from 0 = Friday 19 December 2025). */
static const char *shape_of(const struct profile *p, int64_t d)
{
	bool holiday = d == 6 || d == 7 || d == 13; /* 25, 26 Dec, 1 Jan */
	int64_t weekday = (d + 4) % 7;		    /* 0 = Monday */

	if (strcmp(p->segment, "school") == 0 && d >= 1 && d <= 16)
		return p->sunday; /* holidays until Sunday 4 January */
	if (holiday && !all_week(p))
		return p->sunday;
	if (weekday == 6)
		return p->sunday;
	return weekday == 5 ? p->saturday : p->weekday;
}

/* Talk time: log-normal, median 75 s, as a table of its twentieths; the
 * longest is kept under half an hour. */
static int64_t talk_of(struct rng *r, int64_t percent)
{
	static const int64_t twentieth[] = {
		2,  10,	 16,  22,  27,	33,  40,  47,  55,  64,	  75,
		87, 102, 119, 141, 169, 206, 260, 349, 540, 1100,
	};
	int64_t i = rng_range(r, 0, (int64_t)ARRAY_LEN(twentieth) - 2);
	int64_t us =
		rng_range(r, twentieth[i] * SEC_US, twentieth[i + 1] * SEC_US);

	us = us * percent / 100;
	return us < 1500 * SEC_US ? us : 1500 * SEC_US;
}

static void number_at(struct rng *r, const struct place *p,
		      char out[NIGHT_NUMBER])
{
	size_t n = strlen(p->prefix);

	memcpy(out, p->prefix, n);
	for (unsigned i = 0; i < p->digits; i++)
		out[n++] = (char)('0' + rng_range(r, 0, 9));
	out[n] = '\0';
}

/* Set-up, ringing, talk and end of a call; 70 % are answered. */
static void live_through(struct rng *r, struct night_call *c, bool abroad)
{
	int64_t ring = rng_range(r, 3 * SEC_US, 18 * SEC_US);
	int64_t luck = rng_range(r, 0, 99);

	if (luck < 72) {
		c->fate = FATE_ANSWERED;
		c->answer_us = c->setup_us + ring;
		c->end_us = c->answer_us + talk_of(r, abroad ? 150 : 100);
	} else if (luck < 80) {
		c->fate = FATE_BUSY;
		c->end_us = c->setup_us + ring / 8;
	} else if (luck < 90) {
		c->fate = FATE_CANCELLED;
		c->end_us = c->setup_us + ring;
	} else {
		c->fate = FATE_UNANSWERED;
		c->end_us = c->setup_us + ring + 42 * SEC_US;
	}
}

/* The other party; a call from one customer to another is left out, it would
 * be seen twice. */
static void other_party(struct rng *r, const struct profile *p,
			const struct night_site *s, struct night_call *c,
			bool abroad)
{
	do {
		int64_t i = abroad ? rng_range(r, p->first, p->last)
				   : rng_range(r, 0, c->inbound ? 5 : 7);

		number_at(r, abroad ? &places[i] : &uk[i], c->outside);
	} while (night_owned(s, c->outside));
}

/* Calls of one account that are up: never more than it has lines, and never
 * more than two of them abroad. */
struct lines {
	const struct night_site *site;
	int64_t all[256];
	int64_t abroad[2];
	size_t n;
};

static int64_t *line_free(int64_t *line, size_t n, int64_t at)
{
	for (size_t i = 0; i < n; i++)
		if (line[i] <= at)
			return &line[i];
	return NULL;
}

static void one_call(struct night_calls *c, const struct night_account *a,
		     const struct profile *p, struct rng *r, struct lines *l,
		     int64_t at)
{
	bool abroad = rng_chance(r, p->abroad_ppm);
	int64_t *line = line_free(l->all, l->n, at);
	int64_t *far = line_free(l->abroad, ARRAY_LEN(l->abroad), at);
	struct night_call *n;

	if (line == NULL || (abroad && far == NULL))
		return;
	n = night_add(c);
	n->account = a;
	n->setup_us = at;
	n->user = (unsigned)rng_range(r, 0, (int64_t)a->n_users - 1);
	n->inbound = !abroad && rng_chance(r, 350000);
	n->challenged = !n->inbound && rng_chance(r, 300000);
	n->retransmitted = rng_chance(r, 30000);
	snprintf(n->own, sizeof(n->own), "+%llu",
		 (unsigned long long)(a->number +
				      (uint64_t)n->user % a->numbers));
	other_party(r, p, l->site, n, abroad);
	live_through(r, n, abroad);
	*line = n->end_us;
	if (abroad)
		*far = n->end_us;
	if (n->end_us >= NIGHT_END_US ||
	    (at < NIGHT_START_US && n->end_us >= NIGHT_START_US))
		c->n--; /* would straddle the end of a file */
}

void night_honest(struct night_calls *c, const struct night_account *a,
		  const struct night_site *s, uint64_t seed)
{
	const struct profile *p = profile_of(a);
	struct rng r = rng_fork(seed, a->number);
	struct lines l = {.site = s,
			  .n = a->channels < 256 ? a->channels : 256};
	const int64_t slot = 10 * SEC_US;

	for (int64_t d = 0; d <= 30; d++) {
		const char *shape = shape_of(p, d);
		int64_t mood = rng_range(&r, 60, 130); /* percent */

		for (int64_t k = 0; k < DAY_US / slot; k++) {
			int64_t at = (NIGHT_FIRST_DAY + d) * DAY_US + k * slot;
			int64_t busy = shape[k / 360] - '0';

			/* calls an hour x 1e6 / 360 slots */
			if (!rng_chance(&r, p->peak * busy * mood * 10000 /
						    (9 * 360)))
				continue;
			at += rng_range(&r, 0, slot - 1);
			if (at >= NIGHT_HISTORY_US && at < NIGHT_END_US)
				one_call(c, a, p, &r, &l, at);
		}
	}
}
