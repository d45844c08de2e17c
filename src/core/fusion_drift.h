// SPDX-License-Identifier: Apache-2.0
/* The packs that surely conduct in one direction, seen as one network, and how far each of them is
 * from its share (fusion_drift.c). Private to src/core. */
#pragma once

#include "fusion_state.h"

struct network {
	enum direction direction;
	uint32_t members;   /* bit per slot */
	int64_t weight;     /* sum of the members' share weights */
	int64_t flow_ma;    /* sum of their flows */
	int64_t sum_ma;     /* sum of their limits */
	int64_t outside_ma; /* flow of packs that are no part of it: a current source, or a pack
			       that its switch lets discharge only */
	bool is_certain;    /* all members are fresh and there is no silent or doubtful pack */
};

/* Takes in the answers of this step. */
void drift_update(struct fusion *fusion, const struct network *network);

/* The flow beyond its share that limits have to reckon with; negative where that is certain. */
int64_t drift_of(const struct slot *slot, const struct network *network);
