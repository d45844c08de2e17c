// SPDX-License-Identifier: Apache-2.0
/* M: what is told to people and to the inverter. Whatever one pack says is a warning of the
 * battery; it becomes a protection, the inverter's alarm, only when the pack still conducts in the
 * direction concerned, or when so many packs are missing that no current is given at all. */
#include "fusion_state.h"

#define MASTER_MEMORY_MS 60000

static void warn_pack(struct battery *out, int32_t number, enum alarm alarm)
{
	for (int i = 0; i < out->pack_count; i++)
		if (out->packs[i].pack == number)
			out->packs[i].warnings |= ALARM_BIT(alarm);
	out->warnings |= ALARM_BIT(alarm);
}

/* What the gateway itself has to say about a pack. */
static void judge_pack(const struct fusion *fusion, const struct slot *slot, struct battery *out)
{
	const int32_t number = slot_number(fusion, slot);

	if (slot->state == PACK_LOST)
		warn_pack(out, number, ALARM_pack_lost);
	if (slot->quarantine == QUARANTINE_DUPLICATE)
		warn_pack(out, number, ALARM_pack_duplicate_address);
	if (slot->quarantine == QUARANTINE_GARBAGE)
		warn_pack(out, number, ALARM_pack_data_implausible);
	if (slot->state == PACK_CANDIDATE && slot->refused)
		warn_pack(out, number, ALARM_soc_drift);
	if (slot->has_good && slot->good.cell_count &&
	    slot->good.cell_count != fusion->config.cells_in_series)
		warn_pack(out, number, ALARM_cell_count_mismatch);
}

static void judge_conduction(const struct slot *slot, enum direction direction, struct battery *out)
{
	static const enum alarm critical[DIRECTIONS] = {ALARM_cell_overvoltage,
							ALARM_cell_undervoltage};
	alarm_set dangers = 0;

	if (!slot->has_good || slot->isolated)
		return;
	if (slot_is_online(slot))
		dangers = slot->good.protections & pack_dangers(direction);
	if (slot->critical_ms[direction] >= 0)
		dangers |= ALARM_BIT(critical[direction]);
	out->warnings |= dangers;
	if (slot_switch(slot, direction) != 0)
		out->protections |= dangers;
}

static void judge_quorum(const struct fusion *fusion, struct battery *out)
{
	enum alarm alarm = ALARM_internal_communication;

	if (fusion->quorum || fusion->now_ms - fusion->first_accept_ms < fusion->config.lost_ms)
		return;
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++)
		if (fusion->slots[i].accepted && fusion->slots[i].silent)
			alarm = ALARM_pack_lost;
	if (fusion->recovering) /* many inverters do not charge a battery with an alarm */
		out->warnings |= ALARM_BIT(alarm);
	else
		out->protections |= ALARM_BIT(alarm);
}

int32_t fusion_soc_spread(const struct fusion *fusion)
{
	int32_t lowest = FIELD_UNKNOWN, highest = FIELD_UNKNOWN;

	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		const int32_t soc_mpct = fusion->slots[i].good.soc_mpct;

		if (!slot_is_online(&fusion->slots[i]) || soc_mpct == FIELD_UNKNOWN)
			continue;
		if (lowest == FIELD_UNKNOWN || soc_mpct < lowest)
			lowest = soc_mpct;
		if (soc_mpct > highest)
			highest = soc_mpct;
	}
	return lowest == FIELD_UNKNOWN ? 0 : highest - lowest;
}

static void judge_charge(const struct fusion *fusion, struct battery *out)
{
	if (fusion_soc_spread(fusion) >= fusion->config.soc_drift_mpct)
		out->warnings |= ALARM_BIT(ALARM_soc_drift);
	if (out->soc_mpct != FIELD_UNKNOWN && out->soc_mpct < fusion->config.low_soc_mpct)
		out->warnings |= ALARM_BIT(ALARM_low_soc);
}

/* An empty battery asks for current: gently when discharge has ended, urgently when a cell is where
 * its BMS would switch off and could not wake up again. */
static enum force_charge wanted_charge(const struct fusion *fusion, const struct battery *out)
{
	if (fusion->recovering)
		return FORCE_URGENT;
	if (out->cell_min_mv == FIELD_UNKNOWN)
		return FORCE_NONE;
	if (out->cell_min_mv <= fusion->config.cell_undervoltage_mv)
		return FORCE_URGENT;
	return curve_at(&fusion->config.discharge_cell, out->cell_min_mv) == 0 ? FORCE_SOFT
									       : FORCE_NONE;
}

void fusion_write_alarms(const struct fusion *fusion, struct battery *out)
{
	for (int i = 0; i < out->pack_count; i++)
		out->warnings |= out->packs[i].protections | out->packs[i].warnings;
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		judge_pack(fusion, &fusion->slots[i], out);
		judge_conduction(&fusion->slots[i], CHARGE, out);
		judge_conduction(&fusion->slots[i], DISCHARGE, out);
	}
	judge_quorum(fusion, out);
	judge_charge(fusion, out);
	for (int i = 0; i < 2; i++)
		if (fusion->circulating[i] != FIELD_UNKNOWN)
			warn_pack(out, fusion->circulating[i], ALARM_circulating_current);
	if (fusion->foreign_ms >= 0 && fusion->now_ms - fusion->foreign_ms < MASTER_MEMORY_MS)
		out->warnings |= ALARM_BIT(ALARM_second_master);
	out->warnings &= ~out->protections;
	out->force_charge = (int32_t)wanted_charge(fusion, out);
	out->full_charge_request = fusion->wants_full;
	if (out->protections && out->packs_online)
		out->state = BATTERY_FAULT;
}
