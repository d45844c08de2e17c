// SPDX-License-Identifier: Apache-2.0
/* JK's registers 1200: live values, countdowns, alarm bits. */
#include <stddef.h>

#include "jk_rows.h"

#define CELLS       32 /* places in the records */
#define SENSORS     4
#define SLEEP_DAY_S 86400

static uint32_t cell(const struct fw_access *access, int index)
{
	return index < pack_of(access)->parameters.cells && index < FW_MAX_CELLS
		       ? known(pack_of(access)->measured.cells_mv[index])
		       : 0;
}

static uint32_t cells_present(const struct fw_access *access, int index)
{
	uint32_t bits = 0;

	(void)index;
	for (int i = 0; i < FW_MAX_CELLS; i++)
		bits |= (uint32_t)(cell(access, i) != 0) << i;
	return bits;
}

static uint32_t cell_delta(const struct fw_access *access, int index)
{
	const struct fw_values *values = &pack_of(access)->values;

	(void)index;
	return known(values->cell_max_mv) - known(values->cell_min_mv);
}

/* Counted from 0, as JK does. */
static uint32_t extreme_cell(const struct fw_access *access, int index)
{
	const struct fw_values *values = &pack_of(access)->values;
	const int32_t place = index == 0 ? values->cell_max : values->cell_min;

	return place < 0 ? 0 : (uint32_t)place;
}

static uint32_t wire_mohm(const struct fw_access *access, int index)
{
	return index < pack_of(access)->parameters.cells && index < FW_MAX_CELLS
		       ? known(pack_of(access)->measured.wire_dmohm[index]) / 10
		       : 0;
}

static uint32_t power_mw(const struct fw_access *access, int index)
{
	const struct fw_pack *pack = pack_of(access);
	const int32_t current = pack->measured.current_ma;
	const uint32_t ma = current < 0 ? 0u - (uint32_t)current : (uint32_t)current;

	(void)index;
	if (pack->values.pack_mv == FW_UNKNOWN || current == FW_UNKNOWN)
		return 0;
	return (uint32_t)((uint64_t)(uint32_t)pack->values.pack_mv * ma / 1000);
}

static uint32_t sensor(const struct fw_access *access, int index)
{
	return known(pack_of(access)->measured.temperatures_dC[FW_SENSOR_CELL_1 + index]);
}

static uint32_t sensor_3_4(const struct fw_access *access, int index)
{
	return sensor(access, index + 2);
}

static uint32_t sensors_present(const struct fw_access *access, int index)
{
	static const uint8_t bits[SENSORS] = {1, 2, 4, 5};
	const struct fw_pack *pack = pack_of(access);
	uint32_t present = pack->values.mos_max_dC != FW_UNKNOWN;

	(void)index;
	for (int i = 0; i < SENSORS; i++)
		if (pack->measured.temperatures_dC[FW_SENSOR_CELL_1 + i] != FW_UNKNOWN)
			present |= 1u << bits[i];
	return present;
}

/* Our protections, warnings and faults as JK's alarm bits. What JK has no bit for is in our own
 * block. */
static const struct {
	uint32_t protections, faults;
	uint8_t bit;
} alarms[] = {
	{FW_BIT(FW_BALANCE_WIRE), FW_BIT(FW_FAULT_CELL_WIRE), 0},
	{FW_BIT(FW_MOS_OT), 0, 1},
	{0, FW_BIT(FW_FAULT_CELL_COUNT), 2},
	{0, FW_BIT(FW_FAULT_CURRENT_SENSOR), 3},
	{FW_BIT(FW_CELL_OV) | FW_BIT(FW_CELL_HIGH), 0, 4},
	{FW_BIT(FW_PACK_OV), 0, 5},
	{FW_BIT(FW_CHARGE_OC1) | FW_BIT(FW_CHARGE_OC2), 0, 6},
	{FW_BIT(FW_CHARGE_OT), 0, 8},
	{FW_BIT(FW_CHARGE_UT), 0, 9},
	{FW_BIT(FW_AMBIENT_OT) | FW_BIT(FW_AMBIENT_UT) | FW_BIT(FW_REVERSED),
	 FW_BIT(FW_FAULT_AFE) | FW_BIT(FW_FAULT_PARAMETER_MEMORY) | FW_BIT(FW_FAULT_SELF_TEST) |
		 FW_BIT(FW_FAULT_REMOTE_STOP) | FW_BIT(FW_FAULT_BREAKER) | FW_BIT(FW_FAULT_SUPPLY),
	 10},
	{FW_BIT(FW_CELL_UV) | FW_BIT(FW_CHARGE_FORBIDDEN), 0, 11},
	{FW_BIT(FW_PACK_UV), 0, 12},
	{FW_BIT(FW_DISCHARGE_OC1), 0, 13},
	{FW_BIT(FW_SHORT_CIRCUIT), 0, 14},
	{FW_BIT(FW_DISCHARGE_OT), 0, 15},
	{0, FW_BIT(FW_FAULT_CHARGE_MOS), 16},
	{0, FW_BIT(FW_FAULT_DISCHARGE_MOS), 17},
	{FW_BIT(FW_PRECHARGE_FAILED), 0, 20},
	{0, FW_BIT(FW_FAULT_TEMPERATURE_SENSOR), 22},
	{FW_BIT(FW_DISCHARGE_OC2), 0, 25},
	{FW_BIT(FW_DISCHARGE_UT), 0, 27},
};

#define WARNED_PASSWORD 19
#define WARNED_HOT      21

static uint32_t alarm_bits(const struct fw_access *access, int index)
{
	const struct fw_pack *pack = pack_of(access);
	const uint32_t hot = FW_BIT(FW_CHARGE_OT) | FW_BIT(FW_DISCHARGE_OT);
	uint32_t bits = 0;

	(void)index;
	for (int i = 0; i < FW_JK_COUNT(alarms); i++)
		if (pack->protections & alarms[i].protections || pack->faults & alarms[i].faults)
			bits |= UINT32_C(1) << alarms[i].bit;
	if (pack->warnings & FW_BIT(FW_DEFAULT_PASSWORD))
		bits |= UINT32_C(1) << WARNED_PASSWORD;
	if (pack->warnings & hot)
		bits |= UINT32_C(1) << WARNED_HOT;
	return bits;
}

static uint32_t balance_ma(const struct fw_access *access, int index)
{
	const struct fw_pack *pack = pack_of(access);

	(void)index;
	return pack->measured.balance_ma == FW_UNKNOWN ? (uint32_t)pack->outputs.balance_ma
						       : (uint32_t)pack->measured.balance_ma;
}

/* 2: a cell is discharged. */
static uint32_t balancing(const struct fw_access *access, int index)
{
	const struct fw_outputs *outputs = &pack_of(access)->outputs;

	(void)index;
	return outputs->balance_cells != 0 || outputs->balance_ma != 0 ? 2 : 0;
}

static uint32_t soc_pct(const struct fw_access *access, int index)
{
	(void)index;
	return pack_of(access)->soc_cpct / 100u;
}

static uint32_t soh_pct(const struct fw_access *access, int index)
{
	(void)index;
	return (pack_of(access)->soh_pm + 5u) / 10u;
}

static uint32_t moved_mah(const struct fw_access *access, int index)
{
	(void)index;
	return pack_of(access)->counters.discharged_ah * 1000u;
}

static uint32_t switched(const struct fw_access *access, int index)
{
	const struct fw_outputs *outputs = &pack_of(access)->outputs;

	return index == 0 ? outputs->charge_mos : outputs->discharge_mos;
}

static uint32_t precharging(const struct fw_access *access, int index)
{
	(void)index;
	return pack_of(access)->outputs.precharge;
}

static uint32_t heating_now(const struct fw_access *access, int index)
{
	(void)index;
	return pack_of(access)->outputs.heater;
}

/* Seconds until release, in JK's order. */
static uint32_t release_s(const struct fw_access *access, int index)
{
	static const uint8_t order[] = {FW_DISCHARGE_OC1, FW_SHORT_CIRCUIT, FW_CHARGE_OC1,
					FW_SHORT_CIRCUIT, FW_CELL_UV,       FW_CELL_OV};

	return fw_pack_countdown_s(pack_of(access), (enum fw_status)order[index]);
}

static uint32_t emergency_s(const struct fw_access *access, int index)
{
	(void)index;
	return pack_of(access)->emergency_s;
}

static uint32_t pack_cV(const struct fw_access *access, int index)
{
	(void)index;
	return known(pack_of(access)->values.pack_mv) / 10;
}

static uint32_t charger(const struct fw_access *access, int index)
{
	(void)index;
	return (pack_of(access)->measured.inputs & FW_INPUT_CHARGER) != 0;
}

static uint32_t ticks(const struct fw_access *access, int index)
{
	(void)index;
	return (uint32_t)(access->now_ms / 100);
}

static uint32_t cycles(const struct fw_access *access, int index)
{
	(void)index;
	return pack_of(access)->counters.cycles;
}

static uint32_t time_s(const struct fw_access *access, int index)
{
	(void)index;
	return fw_server_time_s(access->server, access->now_ms);
}

static uint32_t log_entries(const struct fw_access *access, int index)
{
	const struct fw_ring *ring = &access->server->log.ring;
	const uint32_t newest = fw_ring_newest(ring);

	(void)index;
	return newest ? newest - fw_ring_oldest(ring) + 1 : 0;
}

static uint32_t sleep_s(const struct fw_access *access, int index)
{
	const uint32_t left_s = pack_of(access)->sleep_s;

	(void)index;
	return left_s == UINT32_MAX ? SLEEP_DAY_S : left_s;
}

static uint32_t chemistry(const struct fw_access *access, int index)
{
	(void)index;
	return (uint32_t)pack_of(access)->parameters.chemistry;
}

#define NOW(member) 1, offsetof(struct fw_pack, member), NULL

static const struct fw_jk_row live_rows[] = {
	{0x00, 2, CELLS, 1, 0, cell},
	{0x40, 4, 1, 1, 0, cells_present},
	{0x44, 2, 1, NOW(values.cell_mean_mv)},
	{0x46, 2, 1, 1, 0, cell_delta},
	{0x48, 1, 2, 1, 0, extreme_cell},
	{0x4A, 2, CELLS, 1, 0, wire_mohm},
	{0x8A, 2, 1, NOW(values.mos_max_dC)},
	{0x90, 4, 1, NOW(values.pack_mv)},
	{0x94, 4, 1, 1, 0, power_mw},
	{0x98, 4, 1, NOW(measured.current_ma)},
	{0x9C, 2, 2, 1, 0, sensor},
	{0xA0, 4, 1, 1, 0, alarm_bits},
	{0xA4, 2, 1, 1, 0, balance_ma},
	{0xA6, 1, 1, 1, 0, balancing},
	{0xA7, 1, 1, 1, 0, soc_pct},
	{0xA8, 4, 1, NOW(counters.remaining_mah)},
	{0xAC, 4, 1, NOW(counters.full_mah)},
	{0xB0, 4, 1, 1, 0, cycles},
	{0xB4, 4, 1, 1, 0, moved_mah},
	{0xB8, 1, 1, 1, 0, soh_pct},
	{0xB9, 1, 1, 1, 0, precharging},
	{0xBC, 4, 1, NOW(counters.run_s)},
	{0xC0, 1, 2, 1, 0, switched},
	{0xC4, 2, 6, 1, 0, release_s},
	{0xD0, 1, 1, 1, 0, sensors_present},
	{0xD1, 1, 1, 1, 0, heating_now},
	{0xD4, 2, 1, 1, 0, emergency_s},
	{0xE4, 2, 1, 1, 0, pack_cV},
	{0xE6, 2, 1, NOW(measured.heater_ma)},
	{0xEF, 1, 1, 1, 0, charger},
	{0xF0, 4, 1, 1, 0, ticks},
	{0xF8, 2, 1, NOW(values.mos_max_dC)}, /* as in every capture, against the vendor's text */
	{0xFA, 2, 2, 1, 0, sensor_3_4},
	{0x100, 4, 1, 1, 0, time_s},
	{0x104, 4, 1, 1, 0, log_entries},
	{0x108, 4, 1, 1, 0, sleep_s},
	{0x10D, 1, 1, 1, 0, chemistry},
};

const struct fw_jk_rows fw_jk_live = {live_rows, FW_JK_COUNT(live_rows)};
