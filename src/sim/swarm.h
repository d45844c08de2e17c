// SPDX-License-Identifier: Apache-2.0
/* Swarm testing: each seed draws its own rack, gateway settings and faults. Which kinds of fault
 * occur at all is drawn first, so that some runs see one kind only and others a mixture; a test
 * where everything happens always never sees what happens when something does not. */
#pragma once

#include "scenario.h"

/* Draws a scenario of `duration_ms`; only kinds in the mask `kinds` occur. */
void swarm_draw(uint64_t seed, int64_t duration_ms, uint64_t kinds, struct scenario *out);
