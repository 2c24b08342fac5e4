/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/rng.h"

uint64_t rng_next(struct rng *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

int64_t rng_range(struct rng *r, int64_t lo, int64_t hi)
{
	uint64_t span;

	if (hi <= lo)
		return lo;
	/* The bias of % is below 2^-40 for the spans used here. */
	span = (uint64_t)hi - (uint64_t)lo + 1;
	return span == 0 ? (int64_t)rng_next(r)
			 : lo + (int64_t)(rng_next(r) % span);
}

bool rng_chance(struct rng *r, int64_t millionths)
{
	return rng_range(r, 0, 999999) < millionths;
}

struct rng rng_fork(uint64_t seed, uint64_t purpose)
{
	struct rng r = {seed * UINT64_C(0xd1342543de82ef95) + purpose};

	r.state = rng_next(&r);
	return r;
}
