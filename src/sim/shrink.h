// SPDX-License-Identifier: Apache-2.0
/* Makes a failing scenario small: what is left is what it takes to fail. Delta debugging over its
 * faults, then its packs, its settings and its length, over and over until nothing more can go.
 * Pure: whether a scenario still fails is asked of the caller. */
#pragma once

#include "scenario.h"

/* The moment (ms) at which the scenario fails in the way that is looked for; -1 = it does not. */
typedef int64_t shrink_fails(void *context, const struct scenario *scenario);

/* Called with each smaller scenario that still fails; `tries` is how many were run so far. */
typedef void shrink_progress(void *context, const struct scenario *scenario, int tries);

/* Shrinks *scenario in place with at most `most_tries` runs. Returns how many were made, or
 * ERR_UNKNOWN when it does not fail to begin with (*scenario is untouched then). */
int shrink_scenario(struct scenario *scenario, int most_tries, shrink_fails *fails,
		    shrink_progress *progress, void *context);
