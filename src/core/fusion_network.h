// SPDX-License-Identifier: Apache-2.0
/* The packs that surely conduct in one direction, seen as one network of resistors and sources.
 * Private to src/core. */
#pragma once

#include "fusion_state.h"

#define SOURCE_FLOOR_MA 1000 /* less may be an offset of a sensor */

struct network {
	enum direction direction;
	uint32_t members;    /* bit per slot */
	int64_t weight;      /* sum of the members' share weights */
	int64_t wide_weight; /* the same with the packs that perhaps conduct */
	int64_t flow_ma;     /* sum of the members' flows */
	int64_t heard_ma;    /* the same without what late members took when they were last heard:
				perhaps the others take that by now */
	int64_t free_weight; /* weight and flow of those whose drift is visible now */
	int64_t free_ma;
	int64_t wide_free_weight; /* the same with the packs that perhaps conduct, as they last */
	int64_t wide_free_ma;     /* were seen */
	int64_t doubtful_ma; /* what packs that perhaps conduct last gave to the others, <= 0 */
	int64_t sum_ma;      /* sum of the members' limits */
	int64_t outside_ma;  /* flow of packs that are no part of it: a current source, or a pack
				that  its switch lets discharge only */
	int64_t drift_ma[ONEPACK_MAX_PACKS]; /* of each member (fusion_drift.c) */
	bool is_complete;                    /* no member has missed its turn */
	bool is_heard;                       /* nobody is silent, but for those that are gone */
	bool is_certain; /* all members are fresh, and there is no silent or doubtful pack */
};

/* Whether a pack has not missed its turn. */
bool network_is_on_time(const struct slot *slot);

struct network network_build(const struct fusion *fusion, enum direction direction);

/* The pack whose current flows most against the direction: where a circulating current comes from.
 * FIELD_UNKNOWN when there is none. */
int32_t network_giver(const struct fusion *fusion, const struct network *network);

/* Whether a member's flow now tells anything of its drift: not while current flows backwards and
 * the member's other switch keeps it out of that. Where it does not say, its current does. */
bool drift_is_visible(const struct slot *slot, enum direction direction);
