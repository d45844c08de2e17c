// SPDX-License-Identifier: Apache-2.0
/* F, J, on request of the owner: a way back for an empty battery. A BMS that switches itself off
 * with empty cells answers nobody and wakes only when somebody charges; without answers there is
 * no current; so nobody ever charges. With `recovery_current_a` a little current is given for up to
 * an hour after the last answer, if every pack that is silent was empty and fit to be charged when
 * it fell silent. It is the one exception to "no data, no current", and off by default. */
#include "fusion_state.h"

#define RECOVERY_MS 3600000

/* What the packs that are silent permit together: each might be the only one that wakes up. 0 when
 * one of them was not empty, or none is silent. */
static int32_t permitted_current(const struct fusion *fusion)
{
	int32_t least_ma = fusion->config.recovery_current_ma;
	int64_t last_ms = -1;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &fusion->slots[i];

		if (!slot->accepted || slot->isolated || slot_switch(slot, CHARGE) == 0)
			continue;
		if (slot->silent && !slot_is_empty(slot))
			return 0;
		if (slot->limit_ma[CHARGE] < least_ma)
			least_ma = slot->limit_ma[CHARGE];
		if (slot->silent && slot->good_ms > last_ms)
			last_ms = slot->good_ms;
	}
	return last_ms < 0 || fusion->now_ms - last_ms > RECOVERY_MS ? 0 : least_ma;
}

void fusion_recover(struct fusion *fusion)
{
	const int32_t ma = fusion->quorum ? 0 : permitted_current(fusion);

	fusion->recovering = ma > 0;
	if (!fusion->recovering)
		return;
	fusion->target_ma[CHARGE] = ma;
	fusion->cause[CHARGE] = cause_of(RULE_RECOVERY, FIELD_UNKNOWN);
	fusion->next[CHARGE] = bound_none();
}
