// SPDX-License-Identifier: Apache-2.0
/* I: a silent pack may still conduct, and then nobody watches its cells. It keeps its share in the
 * network with half its last limit (fusion_system_limit.c) and holds the charge voltage down
 * (fusion_voltage.c) until it answers, or until a meter on the DC bus shows that it is gone.
 *
 * The meter's word counts only while enough current flows that the pack's share of it would be
 * seen: at rest nothing is missing, whoever is connected. */
#include <stdlib.h>

#include "fusion_state.h"

#define RESIDUAL_PART 50    /* 2 % of the bus current */
#define METER_STEP_MS 10000 /* a longer pause between two readings proves nothing */

/* Sum of the packs that are heard, or FIELD_UNKNOWN when one of them is not fresh. */
static int64_t known_current(const struct fusion *fusion, int64_t *weight)
{
	int64_t sum_ma = 0;

	*weight = 0;
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &fusion->slots[i];

		if (!slot->has_good || slot->silent)
			continue;
		if (slot->age_ms > slot->fresh_ms)
			return FIELD_UNKNOWN;
		sum_ma += slot->good.current_ma;
		*weight += share_weight(&slot->share);
	}
	return sum_ma;
}

void fusion_find_isolated(struct fusion *fusion, int32_t bus_current_ma)
{
	int64_t weight;
	const int64_t known_ma = known_current(fusion, &weight);
	const bool usable = bus_current_ma != FIELD_UNKNOWN && known_ma != FIELD_UNKNOWN;
	const int64_t bus_ma = usable ? llabs(bus_current_ma) : 0;
	const int64_t noise_ma = bus_ma / RESIDUAL_PART > fusion->config.meter_tolerance_ma
					 ? bus_ma / RESIDUAL_PART
					 : fusion->config.meter_tolerance_ma;
	const int64_t step_ms =
		fusion->elapsed_ms < METER_STEP_MS ? fusion->elapsed_ms : METER_STEP_MS;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		struct slot *slot = &fusion->slots[i];
		const int64_t own = share_weight(&slot->share);

		if (!slot->silent)
			continue;
		if (usable)
			slot->meter_ms = fusion->now_ms;
		if (fusion->now_ms - slot->meter_ms > fusion->config.isolated_time_ms ||
		    (usable && llabs(bus_current_ma - known_ma) > noise_ma)) {
			slot->isolated = false;
			slot->quiet_ms = 0;
		} else if (usable && scale(bus_ma, own, weight + own) > 2 * noise_ma) {
			slot->quiet_ms += step_ms;
			slot->isolated |= slot->quiet_ms >= fusion->config.isolated_time_ms;
		}
	}
}
