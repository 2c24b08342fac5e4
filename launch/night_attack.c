/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/night.h"

#include "common/attr.h"
#include "common/money.h"

/*
 * The two thefts.  How long a stolen call lasts follows from the rate deck:
 * the deck may change, the pounds a minute may not.
 */
#define BURST_START_US (NIGHT_START_US + 8 * HOUR_US + 24 * MIN_US)
#define DRIP_START_US  (NIGHT_START_US + 4 * HOUR_US + 10 * MIN_US)

static const char burst_number[] = "+48704660123";
static const char drip_number[] = "+25290555012";

/* Time that `money` buys at this rate; an unknown rate is taken as 50p. */
static int64_t time_for(int64_t money, int64_t per_min)
{
	if (per_min <= 0)
		per_min = 50 * PENNY;
	return money / (per_min / 1000) * (MIN_US / 1000);
}

static struct night_call *steal(struct night_calls *c,
				const struct night_account *a, int64_t at,
				const char *number)
{
	struct night_call *n = night_add(c);

	n->account = a;
	n->attack = true;
	n->setup_us = at;
	n->user = 0; /* one stolen password */
	snprintf(n->own, sizeof(n->own), "+%llu",
		 (unsigned long long)a->number);
	snprintf(n->outside, sizeof(n->outside), "%s", number);
	return n;
}

/* Talk for `talk` microseconds; nothing outlasts the night. */
static void hold(struct rng *r, struct night_call *n, int64_t talk)
{
	int64_t last = NIGHT_END_US - rng_range(r, SEC_US, 60 * SEC_US);

	n->answer_us = n->setup_us + rng_range(r, SEC_US, 4 * SEC_US);
	n->end_us = n->answer_us + talk;
	if (n->end_us > last)
		n->end_us = last;
}

/* End times of the calls that are up in the burst. */
struct uplist {
	int64_t end[NIGHT_PEAK];
	unsigned n;
};

static void hang_up(struct uplist *u, int64_t at)
{
	for (unsigned i = 0; i < u->n;)
		if (u->end[i] <= at)
			u->end[i] = u->end[--u->n];
		else
			i++;
}

static void burst_call(struct night_calls *c, const struct night_account *a,
		       struct rng *r, struct uplist *u, int64_t at,
		       int64_t talk)
{
	struct night_call *n;
	char number[NIGHT_NUMBER];
	int64_t luck = rng_range(r, 0, 99);

	hang_up(u, at);
	if (u->n == NIGHT_PEAK)
		return; /* the trunk is full */
	snprintf(number, sizeof(number), "%s", burst_number);
	if (luck >= 85) /* one call in seven goes to a neighbour */
		number[11] = (char)('0' + luck % 10);
	n = steal(c, a, at, number);
	n->challenged = luck % 3 == 0;
	n->retransmitted = luck % 25 == 0;
	if (luck < 4) {
		n->fate = FATE_BUSY;
		n->end_us = at + rng_range(r, SEC_US / 4, 2 * SEC_US);
		return;
	}
	hold(r, n, talk);
	u->end[u->n++] = n->end_us;
}

/*
 * 2.3 calls a minute all the time, and each five hours, first at 04:00, the
 * machine at the other end fills all lines in two and a half minutes: in sum
 * 2.8 a minute.
 */
void night_burst(struct night_calls *c, const struct night_account *a,
		 const struct night_site *s, uint64_t seed)
{
	struct rng r = rng_fork(seed, 1);
	struct uplist up = {.n = 0};
	/* 2.77 calls a minute, 96 % answered, of £3.02 each: £8 a minute */
	int64_t talk = time_for(302 * PENNY, night_rate_of(s, burst_number));
	int64_t surge = BURST_START_US + 96 * MIN_US;
	int64_t at = BURST_START_US;

	while (at < NIGHT_END_US - 90 * SEC_US) {
		bool full = at >= surge && at < surge + 150 * SEC_US;

		burst_call(c, a, &r, &up, at,
			   rng_range(&r, talk * 8 / 10, talk * 12 / 10));
		if (full)
			at += rng_range(&r, SEC_US / 2, SEC_US * 12 / 10);
		else
			at += rng_range(&r, 2 * SEC_US, 50 * SEC_US);
		if (at >= surge + 150 * SEC_US)
			surge += 5 * HOUR_US;
	}
}

void night_drip(struct night_calls *c, const struct night_account *a,
		const struct night_site *s, uint64_t seed)
{
	struct rng r = rng_fork(seed, 2);
	int64_t talk = time_for(15 * POUND, night_rate_of(s, drip_number));

	for (int64_t at = DRIP_START_US; at < NIGHT_END_US - 30 * MIN_US;
	     at += 15 * MIN_US) {
		struct night_call *n =
			steal(c, a, at + rng_range(&r, 0, MIN_US), drip_number);

		hold(&r, n, rng_range(&r, talk * 97 / 100, talk * 103 / 100));
	}
}
