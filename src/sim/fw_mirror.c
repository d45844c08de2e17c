// SPDX-License-Identifier: Apache-2.0
/* The alarms are those that protocols/pack/onepack.yaml reads from the same bits. */
#include "fw_mirror.h"

#include <math.h>

#define MV_PER_V    1000.0
#define ENTRIES(of) (int)(sizeof(of) / sizeof(of)[0])

struct entry {
	int bit;
	enum alarm alarm;
};

static const struct entry of_protections[] = {
	{FW_CELL_OV, ALARM_cell_overvoltage},
	{FW_CELL_UV, ALARM_cell_undervoltage},
	{FW_PACK_OV, ALARM_pack_overvoltage},
	{FW_PACK_UV, ALARM_pack_undervoltage},
	{FW_CHARGE_OC1, ALARM_charge_overcurrent},
	{FW_CHARGE_OC2, ALARM_charge_overcurrent},
	{FW_DISCHARGE_OC1, ALARM_discharge_overcurrent},
	{FW_DISCHARGE_OC2, ALARM_discharge_overcurrent},
	{FW_SHORT_CIRCUIT, ALARM_short_circuit},
	{FW_CHARGE_OT, ALARM_charge_overtemperature},
	{FW_CHARGE_UT, ALARM_charge_undertemperature},
	{FW_DISCHARGE_OT, ALARM_discharge_overtemperature},
	{FW_DISCHARGE_UT, ALARM_discharge_undertemperature},
	{FW_MOS_OT, ALARM_mos_overtemperature},
	{FW_AMBIENT_OT, ALARM_internal_fault},
	{FW_AMBIENT_UT, ALARM_internal_fault},
	{FW_CELL_HIGH, ALARM_cell_overvoltage},
	{FW_CHARGE_FORBIDDEN, ALARM_cell_undervoltage},
	{FW_PRECHARGE_FAILED, ALARM_precharge_fault},
	{FW_BALANCE_WIRE, ALARM_balance_wire_fault},
	{FW_REVERSED, ALARM_internal_fault},
};

static const struct entry of_faults[] = {
	{FW_FAULT_CHARGE_MOS, ALARM_charge_mos_fault},
	{FW_FAULT_DISCHARGE_MOS, ALARM_discharge_mos_fault},
	{FW_FAULT_AFE, ALARM_internal_communication},
	{FW_FAULT_CURRENT_SENSOR, ALARM_current_sensor_fault},
	{FW_FAULT_TEMPERATURE_SENSOR, ALARM_temperature_sensor_fault},
	{FW_FAULT_CELL_WIRE, ALARM_balance_wire_fault},
	{FW_FAULT_CELL_COUNT, ALARM_cell_count_mismatch},
	{FW_FAULT_SELF_TEST, ALARM_internal_fault},
	{FW_FAULT_REMOTE_STOP, ALARM_emergency_stop},
	{FW_FAULT_BREAKER, ALARM_internal_fault},
	{FW_FAULT_SUPPLY, ALARM_internal_fault},
};

static alarm_set alarms_of(const struct fw_pack *pack)
{
	alarm_set set = 0;

	for (int i = 0; i < ENTRIES(of_protections); i++)
		if (pack->protections & FW_BIT(of_protections[i].bit))
			set |= ALARM_BIT(of_protections[i].alarm);
	for (int i = 0; i < ENTRIES(of_faults); i++)
		if (pack->faults & FW_BIT(of_faults[i].bit))
			set |= ALARM_BIT(of_faults[i].alarm);
	return set;
}

static void mirror_settings(const struct fw_parameters *p, struct pack_settings *s)
{
	s->cell_overvoltage_mv = p->cell_ov_mv;
	s->cell_overvoltage_release_mv = p->cell_ov_release_mv;
	s->cell_undervoltage_mv = p->cell_uv_mv;
	s->cell_undervoltage_release_mv = p->cell_uv_release_mv;
	s->charge_overcurrent_ma = p->charge_oc1_dA * 100;
	s->discharge_overcurrent_ma = p->discharge_oc1_dA * 100;
	s->charge_cell_mv = p->charge_request_mv;
	s->soc_empty_cell_mv = p->soc_empty_mv;
}

void fw_mirror(const struct fw_pack *pack, struct bms *bms)
{
	const struct fw_measurement *m = &pack->measured;

	bms->protections = alarms_of(pack);
	bms->ever_protections |= bms->protections;
	bms->full_ah = pack->counters.full_mah / 1000.0;
	bms->counted_ah = pack->counters.remaining_mah / 1000.0;
	for (int i = 0; i < bms->cell_count && i < FW_MAX_CELLS; i++)
		if (m->cells_mv[i] != FW_UNKNOWN)
			bms->cells_v[i] = m->cells_mv[i] / MV_PER_V;
	if (pack->values.pack_mv != FW_UNKNOWN)
		bms->voltage_v = pack->values.pack_mv / MV_PER_V;
	if (m->current_ma != FW_UNKNOWN)
		bms->current_a = m->current_ma / 1000.0;
	mirror_settings(&pack->parameters, &bms->settings);
}

/* --- faults --- */

static int32_t milli(double value)
{
	return (int32_t)lround(value * 1000);
}

static void spoil_cells(const struct bms_faults *faults, const struct fw_measurement *before,
			struct fw_measurement *measured)
{
	const int first = faults->cell > 0 ? faults->cell - 1 : 0;
	const int end = faults->cell > 0 ? faults->cell : measured->cell_count;

	for (int i = first; i < end; i++) {
		if (faults->cells_frozen)
			measured->cells_mv[i] = before->cells_mv[i];
		else if (measured->cells_mv[i] != FW_UNKNOWN)
			measured->cells_mv[i] += milli(faults->cells_v);
	}
}

static void spoil_heat(const struct bms_faults *faults, const struct fw_measurement *before,
		       struct fw_measurement *measured)
{
	for (int i = 0; i < FW_SENSORS; i++) {
		if (faults->heat_frozen)
			measured->temperatures_dC[i] = before->temperatures_dC[i];
		else if (measured->temperatures_dC[i] != FW_UNKNOWN)
			measured->temperatures_dC[i] += (int32_t)lround(faults->heat_k * 10);
	}
}

void fw_mirror_spoil(const struct bms_faults *faults, const struct fw_measurement *before,
		     struct fw_measurement *measured)
{
	const bool known = measured->current_ma != FW_UNKNOWN;

	if (faults->current_frozen && before->sequence > 0)
		measured->current_ma = before->current_ma;
	else if (known)
		measured->current_ma += milli(faults->current_part * measured->current_ma / 1000 +
					      faults->current_a);
	if (before->sequence == 0 && (faults->cells_frozen || faults->heat_frozen))
		return; /* nothing to repeat yet */
	if (faults->cells_frozen || faults->cells_v != 0)
		spoil_cells(faults, before, measured);
	if (faults->heat_frozen || faults->heat_k != 0)
		spoil_heat(faults, before, measured);
}
