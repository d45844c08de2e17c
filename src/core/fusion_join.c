// SPDX-License-Identifier: Apache-2.0
/* B, K: how far each pack is trusted, and when it joins. A new or returning pack is a candidate
 * until two good answers in a row and the join gate: for ten seconds within half a volt of the
 * others. Packs that were there at first start compare themselves with each other and join at once.
 */
#include <stdlib.h>

#include "fusion_state.h"

struct sample {
	int32_t voltage_mv;
	int64_t weight;
};

/* Capacity-weighted median. When two samples balance each other exactly it is the lower one, or, on
 * request, half-way between them. */
static int64_t weighted_median(struct sample *samples, int count, bool half_way)
{
	int64_t total = 0, below = 0;
	int i = 0;

	for (int a = 1; a < count; a++) /* insertion sort: at most 16 */
		for (int b = a; b > 0 && samples[b].voltage_mv < samples[b - 1].voltage_mv; b--) {
			const struct sample swap = samples[b];

			samples[b] = samples[b - 1];
			samples[b - 1] = swap;
		}
	for (int a = 0; a < count; a++)
		total += samples[a].weight;
	if (count == 0)
		return FIELD_UNKNOWN;
	while (i < count - 1 && 2 * (below + samples[i].weight) < total)
		below += samples[i++].weight;
	if (half_way && 2 * (below + samples[i].weight) == total && i < count - 1)
		return ((int64_t)samples[i].voltage_mv + samples[i + 1].voltage_mv) / 2;
	return samples[i].voltage_mv;
}

static bool is_ready(const struct slot *slot)
{
	return slot->state == PACK_CANDIDATE && slot->settled && slot->age_ms <= slot->fresh_ms;
}

static bool is_connected(const struct slot *slot)
{
	return slot_is_online(slot) && !slot->silent &&
	       (slot->good.charge_mos == 1 || slot->good.discharge_mos == 1);
}

static bool is_heard(const struct slot *slot)
{
	return slot_is_online(slot) && !slot->silent;
}

static int64_t median_of(const struct fusion *fusion, bool (*wanted)(const struct slot *),
			 bool half_way)
{
	struct sample samples[ONEPACK_MAX_PACKS];
	int count = 0;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const struct slot *slot = &fusion->slots[i];

		if (wanted(slot))
			samples[count++] =
				(struct sample){slot->good.voltage_mv, slot_capacity(slot)};
	}
	return weighted_median(samples, count, half_way);
}

int64_t fusion_bus_voltage(const struct fusion *fusion)
{
	const int64_t connected_mv = median_of(fusion, is_connected, true);

	return connected_mv != FIELD_UNKNOWN ? connected_mv : median_of(fusion, is_heard, true);
}

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void update_age(const struct fusion *fusion, struct slot *slot)
{
	const struct fusion_config *config = &fusion->config;

	slot->fresh_ms = larger(slot->cycle_ms * 2, config->fresh_ms);
	slot->held_ms = larger(slot->cycle_ms * 5, config->held_ms);
	if (slot->held_ms > config->lost_ms)
		slot->held_ms = config->lost_ms;
	slot->age_ms = fusion->now_ms - slot->good_ms;
	slot->settled = slot->good_cycles >= config->join_answers;
	slot->silent = slot->has_good &&
		       (slot->age_ms > slot->held_ms || slot->quarantine != QUARANTINE_NONE);
}

static void set_lost(struct slot *slot)
{
	slot->state = PACK_LOST;
	slot->good_cycles = 0;
	slot->agree_ms = -1;
}

static void update_state(const struct fusion *fusion, struct slot *slot)
{
	if (slot->quarantine != QUARANTINE_NONE)
		slot->state = PACK_QUARANTINED;
	else if (!slot->has_good)
		slot->state = slot->seen ? PACK_PROBING : PACK_ABSENT;
	else if (slot->age_ms >= fusion->config.lost_ms)
		set_lost(slot);
	else if (slot_is_online(slot))
		slot->state = slot->age_ms <= slot->fresh_ms ? PACK_ACTIVE : PACK_HELD;
	else if (slot->answered)
		slot->state = PACK_CANDIDATE;
}

/* Every pack needs a weight in the share rule, known or not: the mean of the others stands in. */
static void update_shares(struct fusion *fusion)
{
	int64_t sum_mah = 0;
	int known = 0;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++)
		if (fusion->slots[i].capacity_mah > 0) {
			sum_mah += fusion->slots[i].capacity_mah;
			known++;
		}
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		struct slot *slot = &fusion->slots[i];

		const int64_t mean_mah = known ? sum_mah / known : 1;

		share_set(&slot->share, slot->capacity_mah > 0 ? slot->capacity_mah : mean_mah,
			  slot->share.factor_ppm);
	}
}

static void accept(struct fusion *fusion, struct slot *slot)
{
	slot->state = PACK_ACTIVE;
	slot->refused = false;
	slot->agree_ms = -1;
	if (!slot->accepted)
		fusion->accepted_count++;
	slot->accepted = true;
	if (fusion->first_accept_ms < 0)
		fusion->first_accept_ms = fusion->now_ms;
}

static void try_to_join(struct fusion *fusion, struct slot *slot, int64_t bus_mv, bool starting)
{
	const struct fusion_config *config = &fusion->config;
	const int64_t apart_mv = llabs(slot->good.voltage_mv - bus_mv);
	const bool close = apart_mv <= config->join_voltage_mv;
	const bool at_rest =
		fusion->ramp[CHARGE].value_ua == 0 && fusion->ramp[DISCHARGE].value_ua == 0;

	slot->refused = apart_mv > config->refuse_voltage_mv;
	if (!close && (slot->refused || !at_rest)) {
		slot->agree_ms = -1;
		return;
	}
	if (slot->agree_ms < 0)
		slot->agree_ms = fusion->now_ms;
	if ((close && starting) || fusion->now_ms - slot->agree_ms >= config->join_time_ms)
		accept(fusion, slot);
}

static void join_candidates(struct fusion *fusion)
{
	const bool starting =
		fusion->first_accept_ms < 0 ||
		fusion->now_ms - fusion->first_accept_ms < fusion->config.join_time_ms;
	bool any = false;
	int64_t bus_mv;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++)
		any |= fusion->slots[i].state == PACK_CANDIDATE;
	if (!any)
		return;
	bus_mv = fusion_bus_voltage(fusion);
	if (bus_mv == FIELD_UNKNOWN)
		bus_mv = median_of(fusion, is_ready, false);
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		struct slot *slot = &fusion->slots[i];

		if (slot->state != PACK_CANDIDATE)
			continue;
		if (is_ready(slot))
			try_to_join(fusion, slot, bus_mv, starting);
		else
			slot->agree_ms = -1;
	}
}

void fusion_update_states(struct fusion *fusion)
{
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		update_age(fusion, &fusion->slots[i]);
		update_state(fusion, &fusion->slots[i]);
	}
	update_shares(fusion);
	join_candidates(fusion);
}
