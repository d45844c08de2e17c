// SPDX-License-Identifier: Apache-2.0
/* Repeatable randomness: everything that varies in a simulation comes from a seed, so that the same
 * seed gives the same site, the same noise and the same day. */
#pragma once

#include <stdint.h>

struct sim_random {
	uint64_t state;
};

/* SplitMix64 (Steele, Lea, Flood 2014): 64 bits of state, no bad seeds. Not for secrets. */
static inline uint64_t sim_random_next(struct sim_random *random)
{
	uint64_t z = random->state += 0x9E3779B97F4A7C15;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
	return z ^ (z >> 31);
}

/* Evenly between -width and +width. */
static inline double sim_random_spread(struct sim_random *random, double width)
{
	double unit = (double)(sim_random_next(random) >> 11) * 0x1p-53;

	return (2 * unit - 1) * width;
}

/* True with a chance of so many in a million. */
static inline int sim_random_chance(struct sim_random *random, uint32_t per_million)
{
	return per_million > 0 && sim_random_next(random) % 1000000 < per_million;
}
