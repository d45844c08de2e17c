// SPDX-License-Identifier: Apache-2.0
/* F: who conducts, who perhaps does, and who is a current source beside the network
 * (fusion_network.h). */
#include "fusion_network.h"

/* A pack with an open switch that takes current anyway limits it by itself (the 10 A mode of some
 * BMS): a current source beside the network. One that gives current while the rest takes some adds
 * to what they take. */
static int64_t flow_outside(const struct slot *slot, enum direction direction)
{
	const int64_t flow_ma = slot_flow(slot, direction), limit_ma = slot->limit_ma[direction];

	if (!slot->has_good || slot->isolated || slot_switch(slot, direction) == 1)
		return 0;
	if (flow_ma < 0)
		return flow_ma;
	if (flow_ma < SOURCE_FLOOR_MA || slot->state != PACK_ACTIVE ||
	    slot_switch(slot, direction) != 0)
		return 0;
	return flow_ma < limit_ma ? flow_ma : limit_ma;
}

bool drift_is_visible(const struct slot *slot, enum direction direction)
{
	const enum direction back = direction == CHARGE ? DISCHARGE : CHARGE;

	const int32_t closed = slot_switch(slot, back);

	return closed == 1 || slot_flow(slot, direction) > 0 ||
	       (closed == FIELD_UNKNOWN && slot_flow(slot, direction) < -SOURCE_FLOOR_MA);
}

bool network_is_on_time(const struct slot *slot)
{
	return slot->age_ms <= slot->cycle_ms * 3 / 2;
}

struct network network_build(const struct fusion *fusion, enum direction direction)
{
	struct network network = {
		.direction = direction, .is_complete = true, .is_heard = true, .is_certain = true};
	int64_t given_ma = 0;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &fusion->slots[i];
		const int64_t outside_ma = flow_outside(slot, direction);

		given_ma += outside_ma < 0 ? outside_ma : 0;
		network.outside_ma += outside_ma > 0 ? outside_ma : 0;
		network.is_heard &= !slot->silent || slot->isolated;
		if (slot->presence[direction] == PRESENCE_NONE)
			continue;
		network.wide_weight += share_weight(&slot->share);
		if (slot->presence[direction] == PRESENCE_PERHAPS) {
			const int64_t flow_ma = slot_flow(slot, direction);

			network.is_certain = false;
			network.doubtful_ma += flow_ma < 0 ? flow_ma : 0;
			if (drift_is_visible(slot, direction)) {
				network.wide_free_weight += share_weight(&slot->share);
				network.wide_free_ma += flow_ma;
			}
			continue;
		}
		network.is_complete &= network_is_on_time(slot);
		network.is_certain &= slot->state == PACK_ACTIVE;
		network.members |= UINT32_C(1) << i;
		network.weight += share_weight(&slot->share);
		network.flow_ma += slot_flow(slot, direction);
		if (network_is_on_time(slot) || slot_flow(slot, direction) < 0)
			network.heard_ma += slot_flow(slot, direction);
		network.sum_ma += slot->limit_ma[direction];
		if (drift_is_visible(slot, direction)) {
			network.free_weight += share_weight(&slot->share);
			network.free_ma += slot_flow(slot, direction);
		}
	}
	network.is_certain &= network.is_heard;
	network.wide_free_weight += network.free_weight;
	network.wide_free_ma += network.free_ma;
	if (network.flow_ma + given_ma > 0) /* at rest nobody feeds the others */
		network.outside_ma += given_ma;
	return network;
}

int32_t network_giver(const struct fusion *fusion, const struct network *network)
{
	int64_t least_ma = 0;
	int32_t found = FIELD_UNKNOWN;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &fusion->slots[i];
		const int64_t flow_ma = slot->silent ? 0 : slot_flow(slot, network->direction);

		if (flow_ma < -SOURCE_FLOOR_MA && flow_ma < least_ma) {
			least_ma = flow_ma;
			found = i + 1;
		}
	}
	return found;
}
