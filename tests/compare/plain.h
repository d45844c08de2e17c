// SPDX-License-Identifier: Apache-2.0
/* The rules by which others make one current limit of many, in their plain form: the limits of the
 * packs are added, or the smallest is multiplied, or each is divided by a share. No guard, no
 * silent packs, no circulating current. They are descriptions of published behaviour in our own
 * words (docs/fusion.md says whose), made as good as they can be: every pack's limit already
 * follows its cells and temperatures by the same curves as ours. */
#pragma once

#include "onepack/fusion.h"

enum plain_rule {
	PLAIN_SUM,  /* of the packs' limits */
	PLAIN_MIN,  /* number of packs times the smallest; a blocked pack has 0 */
	PLAIN_RATIO /* smallest limit divided by the pack's share of the conductance */
};

/* The memory of such a gateway. */
struct plain {
	enum plain_rule rule;
	const struct fusion_config *config; /* curves and charge voltage */
	struct pack packs[ONEPACK_MAX_PACKS];
	int64_t heard_ms[ONEPACK_MAX_PACKS]; /* -1 = never */
	double ohm[ONEPACK_MAX_PACKS];       /* in any unit: only ratios count */
};

void plain_init(struct plain *plain, enum plain_rule rule, const struct fusion_config *config);

/* A world_other_rule; the context is the struct plain. Replaces the current limits and the charge
 * voltage of `battery`, nothing else. */
void plain_decide(void *context, const struct fusion_input *input, struct battery *battery);

/* The rest of what such a gateway says: permissions that follow the current limits, and a charge
 * voltage that is the configured one, always. */
void plain_finish(struct battery *battery, const struct fusion_config *config);
