// SPDX-License-Identifier: Apache-2.0
/* How far each pack of a network is from its share (fusion_drift.c). Private to src/core. */
#pragma once

#include "fusion_network.h"

/* Takes in the answers of this step, and fills in the drift of each member: the flow beyond its
 * share that its limit has to reckon with; negative where that is certain. */
void drift_update(struct fusion *fusion, struct network *network);

/* A pack's share has become another, which explains `charge_ma` less of its charge current while
 * the total is `total_ma`. */
void drift_shift(struct slot *slot, int64_t charge_ma, int64_t total_ma);

/* The same for a pack that perhaps conducts: the worst that it last showed, never negative. Seen
 * beside the members, and (wide) beside all others that perhaps conduct, too. */
int64_t drift_of_doubtful(const struct slot *slot, const struct network *network);
int64_t drift_of_doubtful_wide(const struct slot *slot, const struct network *network);
