// SPDX-License-Identifier: Apache-2.0
/* Repeatable randomness: everything that varies in a simulation comes from a seed, so that the same
 * seed gives the same site, the same noise and the same day. The generator is SplitMix64. */
#pragma once

#include <stdint.h>

struct sim_random {
	uint64_t state;
};

uint64_t sim_random_next(struct sim_random *random);

/* Evenly between -width and +width. */
double sim_random_spread(struct sim_random *random, double width);

/* True with a chance of so many in a million. */
int sim_random_chance(struct sim_random *random, uint32_t per_million);
