/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_RNG_H
#define LAUNCH_RNG_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Numbers that look random and are the same on every machine (splitmix64,
 * Steele et al. 2014).  Integers only: floating point and libc's rand() may
 * differ between two machines, and the sample night must not.
 */
struct rng {
	uint64_t state;
};

uint64_t rng_next(struct rng *r);

/* Uniform in lo..hi, both included; lo when hi <= lo. */
int64_t rng_range(struct rng *r, int64_t lo, int64_t hi);

/* True in `millionths` of a million cases. */
bool rng_chance(struct rng *r, int64_t millionths);

/* Independent stream for one purpose: what one account draws does not move
 * what another one gets. */
struct rng rng_fork(uint64_t seed, uint64_t purpose);

#endif
