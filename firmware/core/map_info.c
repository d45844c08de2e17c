// SPDX-License-Identifier: Apache-2.0
/* The read-only blocks as tables: identity 0000, live values 0100, counters and countdowns 0180. */
#include <stddef.h>
#include <string.h>

#include "bytes.h"
#include "map.h"

#define COUNT(rows)  ((int)(sizeof(rows) / sizeof(rows)[0]))
#define MAP_MAGIC    0x504B
#define MAP_VERSION  0x0100
#define LATCH_MS     3000
#define MV_PER_CELL  3200 /* nominal, of LFP; others below */
#define CELL_SENSORS 0x0F /* bits of fw_identity.sensors */
#define UNKNOWN_WORD 0xFFFFu
#define LARGEST_WORD 0xFFFEu

static const struct fw_pack *pack_of(const struct fw_access *access)
{
	return access->server->pack;
}

static uint32_t hold(uint32_t value)
{
	return value > LARGEST_WORD ? LARGEST_WORD : value;
}

/* --- identity --- */

static uint32_t magic(const struct fw_access *access, int index)
{
	(void)access;
	return index == 0 ? MAP_MAGIC : MAP_VERSION;
}

static uint32_t version(const struct fw_access *access, int index)
{
	const struct fw_identity *identity = pack_of(access)->identity;

	return index == 0 ? (uint32_t)identity->major << 8 | identity->minor : identity->patch;
}

static uint32_t cell_count(const struct fw_access *access, int index)
{
	(void)index;
	return (uint32_t)pack_of(access)->parameters.cells;
}

static uint32_t bits_in(uint32_t value)
{
	uint32_t count = 0;

	for (; value; value &= value - 1)
		count++;
	return count;
}

static uint32_t sensor_counts(const struct fw_access *access, int index)
{
	const uint8_t sensors = pack_of(access)->identity->sensors;

	(void)index;
	return bits_in(sensors & CELL_SENSORS) << 8 | bits_in(sensors & (uint8_t)~CELL_SENSORS);
}

static uint32_t chemistry(const struct fw_access *access, int index)
{
	(void)index;
	return (uint32_t)pack_of(access)->parameters.chemistry;
}

static uint32_t design_mah(const struct fw_access *access, int index)
{
	(void)index;
	return (uint32_t)pack_of(access)->parameters.capacity_dAh * 100;
}

static uint32_t nominal_cV(const struct fw_access *access, int index)
{
	static const uint16_t cell_mv[FW_CHEMISTRIES] = {MV_PER_CELL, 3700, 2300};
	const struct fw_parameters *parameters = &pack_of(access)->parameters;

	(void)index;
	return (uint32_t)parameters->cells * cell_mv[parameters->chemistry] / 10;
}

static uint32_t rating_dA(const struct fw_access *access, int index)
{
	const struct fw_identity *identity = pack_of(access)->identity;
	const int32_t ma = index == 0 ? identity->max_charge_ma : identity->max_discharge_ma;

	return hold((uint32_t)ma / 100);
}

static uint32_t boot_reason(const struct fw_access *access, int index)
{
	(void)index;
	return (uint32_t)pack_of(access)->identity->boot_reason;
}

static uint32_t starts(const struct fw_access *access, int index)
{
	(void)index;
	return pack_of(access)->counters.starts;
}

static uint32_t run_s(const struct fw_access *access, int index)
{
	(void)index;
	return pack_of(access)->counters.run_s;
}

static uint32_t placing(const struct fw_access *access, int index)
{
	const struct fw_addressing *addressing = &access->server->addressing;

	switch (index) {
	case 0: return addressing->dip;
	case 1: return (uint32_t)addressing->source;
	case 2: return addressing->position;
	default:
		return access->server->config.update
			       ? (uint32_t)fw_update_image_state(access->server->config.update)
			       : 0;
	}
}

#define ID(member) offsetof(struct fw_identity, member), NULL

static const struct fw_row identity_rows[] = {
	{0x00, FW_ROW_CALL, 2, 1, 0, magic},
	{0x02, FW_ROW_U16, 1, 1, ID(device_class)},
	{0x03, FW_ROW_U16, 1, 1, ID(features)},
	{0x04, FW_ROW_U32, 3, 1, ID(chip_id)},
	{0x0A, FW_ROW_U32, 1, 1, ID(uid32)},
	{0x0C, FW_ROW_TEXT, 8, 1, ID(model)},
	{0x14, FW_ROW_TEXT, 8, 1, ID(serial)},
	{0x1C, FW_ROW_U16, 1, 1, ID(hardware_revision)},
	{0x1D, FW_ROW_CALL, 2, 1, 0, version},
	{0x1F, FW_ROW_U16, 1, 1, ID(loader_version)},
	{0x20, FW_ROW_U32, 1, 1, ID(source_revision)},
	{0x22, FW_ROW_CALL, 1, 1, 0, cell_count},
	{0x23, FW_ROW_CALL, 1, 1, 0, sensor_counts},
	{0x24, FW_ROW_CALL, 1, 1, 0, chemistry},
	{0x25, FW_ROW_CALL32, 1, 1, 0, design_mah},
	{0x27, FW_ROW_CALL, 1, 1, 0, nominal_cV},
	{0x28, FW_ROW_CALL, 2, 1, 0, rating_dA},
	{0x2A, FW_ROW_U16, 1, 1, ID(production_day)},
	{0x2B, FW_ROW_CALL, 1, 1, 0, boot_reason},
	{0x2C, FW_ROW_CALL32, 1, 1, 0, starts},
	{0x2E, FW_ROW_CALL32, 1, 1, 0, run_s},
	{0x30, FW_ROW_CALL, 4, 1, 0, placing},
};

enum fw_exception fw_map_identity(const struct fw_access *access, uint16_t offset, uint16_t words,
				  uint8_t *out)
{
	fw_rows_read(access, identity_rows, COUNT(identity_rows), pack_of(access)->identity, offset,
		     words, out);
	return FW_FINE;
}

/* --- live values --- */

static uint32_t state(const struct fw_access *access, int index)
{
	(void)index;
	return (uint32_t)pack_of(access)->state;
}

static uint32_t outputs(const struct fw_access *access, int index)
{
	const struct fw_pack *pack = pack_of(access);
	const struct fw_outputs *out = &pack->outputs;
	const uint32_t in = pack->measured.inputs;
	const bool bits[16] = {
		out->charge_mos,
		out->discharge_mos,
		out->precharge,
		out->heater,
		out->balance_cells != 0 || out->balance_ma != 0,
		out->limiter,
		out->buzzer,
		out->dry_contact[0],
		out->dry_contact[1],
		(in & FW_INPUT_ENABLE) != 0,
		access->server->addressing.enable_out,
		pack->emergency_s != 0,
		(in & FW_INPUT_CHARGER) != 0,
		(in & FW_INPUT_LOAD) != 0,
		(in & FW_INPUT_KEY) != 0,
		(in & FW_INPUT_REMOTE_STOP) != 0,
	};
	uint32_t word = 0;

	(void)index;
	for (unsigned i = 0; i < 16; i++)
		word |= (uint32_t)bits[i] << i;
	return word;
}

static uint32_t why_off(const struct fw_access *access, int index)
{
	(void)index;
	return (uint32_t)pack_of(access)->discharge_off << 8 | pack_of(access)->charge_off;
}

/* Counted from 1, 0 = none: the highest in the high byte. */
static uint32_t extreme_cells(const struct fw_access *access, int index)
{
	const struct fw_values *values = &pack_of(access)->values;

	(void)index;
	return (uint32_t)(values->cell_max + 1) << 8 | (uint32_t)(values->cell_min + 1);
}

/* Limits never become larger by rounding. */
static uint32_t allowed_dA(const struct fw_access *access, int index)
{
	const struct fw_pack *pack = pack_of(access);

	return hold((uint32_t)(index == 0 ? pack->charge_allowed_ma : pack->discharge_allowed_ma) /
		    100);
}

static uint32_t limit_cV(const struct fw_access *access, int index)
{
	const struct fw_pack *pack = pack_of(access);

	return hold(index == 0 ? (uint32_t)pack->charge_limit_mv / 10
			       : ((uint32_t)pack->discharge_limit_mv + 9) / 10);
}

static uint32_t cycles(const struct fw_access *access, int index)
{
	(void)index;
	return hold(pack_of(access)->counters.cycles);
}

/* Measured where the hardware can, else what the balancer was told. */
static uint32_t balance_ma(const struct fw_access *access, int index)
{
	const struct fw_pack *pack = pack_of(access);
	const int32_t measured = pack->measured.balance_ma;

	(void)index;
	return (uint16_t)(int16_t)(measured == FW_UNKNOWN ? pack->outputs.balance_ma : measured);
}

static uint32_t newest_event(const struct fw_access *access, int index)
{
	(void)index;
	return fw_ring_newest(&access->server->log.ring) & 0xFFFF;
}

static uint32_t of_cell(const struct fw_access *access, const int32_t *values, int index)
{
	const int32_t value = values[index];

	if (index >= pack_of(access)->parameters.cells || value == FW_UNKNOWN)
		return UNKNOWN_WORD;
	return value < 0 ? 0 : hold((uint32_t)value);
}

static uint32_t cell_mv(const struct fw_access *access, int index)
{
	return of_cell(access, pack_of(access)->measured.cells_mv, index);
}

static uint32_t wire_dmohm(const struct fw_access *access, int index)
{
	return of_cell(access, pack_of(access)->measured.wire_dmohm, index);
}

#define PACK(member) offsetof(struct fw_pack, member), NULL

static const struct fw_row live_rows[] = {
	{0x00, FW_ROW_U16, 1, 1, PACK(samples)},
	{0x01, FW_ROW_CALL, 1, 1, 0, state},
	{0x02, FW_ROW_U32, 1, 1, PACK(warnings)},
	{0x04, FW_ROW_U32, 1, 1, PACK(protections)},
	{0x06, FW_ROW_U32, 1, 1, PACK(faults)},
	{0x08, FW_ROW_CALL, 1, 1, 0, outputs},
	{0x09, FW_ROW_CALL, 1, 1, 0, why_off},
	{0x0A, FW_ROW_I_U16, 1, 10, PACK(values.pack_mv)},
	{0x0B, FW_ROW_I_U16, 1, 10, PACK(measured.terminal_mv)},
	{0x0C, FW_ROW_I_S32, 1, 1, PACK(measured.current_ma)},
	{0x0E, FW_ROW_U16, 1, 1, PACK(soc_cpct)},
	{0x0F, FW_ROW_U16, 1, 1, PACK(soh_pm)},
	{0x10, FW_ROW_I_U32, 1, 1, PACK(counters.remaining_mah)},
	{0x12, FW_ROW_I_U32, 1, 1, PACK(counters.full_mah)},
	{0x14, FW_ROW_I_U16, 1, 1, PACK(values.cell_max_mv)},
	{0x15, FW_ROW_I_U16, 1, 1, PACK(values.cell_min_mv)},
	{0x16, FW_ROW_CALL, 1, 1, 0, extreme_cells},
	{0x17, FW_ROW_I_U16, 1, 1, PACK(values.cell_mean_mv)},
	{0x18, FW_ROW_I_S16, 1, 1, PACK(values.cell_max_dC)},
	{0x19, FW_ROW_I_S16, 1, 1, PACK(values.cell_min_dC)},
	{0x1A, FW_ROW_I_S16, 1, 1, PACK(values.mos_max_dC)},
	{0x1B, FW_ROW_I_S16, 1, 1, PACK(values.board_dC)},
	{0x1C, FW_ROW_CALL, 2, 1, 0, allowed_dA},
	{0x1E, FW_ROW_CALL, 2, 1, 0, limit_cV},
	{0x20, FW_ROW_CALL, 1, 1, 0, cycles},
	{0x21, FW_ROW_CALL, 1, 1, 0, balance_ma},
	{0x22, FW_ROW_U32, 1, 1, PACK(outputs.balance_cells)},
	{0x24, FW_ROW_I_U16, 1, 1, PACK(measured.heater_ma)},
	{0x25, FW_ROW_U16, 1, 1, PACK(emergency_s)},
	{0x26, FW_ROW_U16, 1, 1, PACK(release_s)},
	{0x27, FW_ROW_CALL, 1, 1, 0, newest_event},
	{0x28, FW_ROW_CALL, FW_MAX_CELLS, 1, 0, cell_mv},
	{0x40, FW_ROW_I_S16, FW_SENSORS, 1, PACK(measured.temperatures_dC)},
	{0x48, FW_ROW_CALL, FW_MAX_CELLS, 1, 0, wire_dmohm},
};

_Static_assert(FW_MAX_CELLS == 24 && FW_SENSORS == 8,
	       "the runs of the live block have these sizes");

void fw_map_live_now(const struct fw_access *access, uint16_t offset, uint16_t words, uint8_t *out)
{
	fw_rows_read(access, live_rows, COUNT(live_rows), pack_of(access), offset, words, out);
}

/* --- counters --- */

static uint32_t sleep_s(const struct fw_access *access, int index)
{
	(void)index;
	return pack_of(access)->sleep_s;
}

static uint32_t time_s(const struct fw_access *access, int index)
{
	(void)index;
	return fw_server_time_s(access->server, access->now_ms);
}

static uint32_t countdown_s(const struct fw_access *access, int index)
{
	return fw_pack_countdown_s(pack_of(access), (enum fw_status)index);
}

static uint32_t bus_count(const struct fw_access *access, int index)
{
	const struct fw_bus_counts *counts = &access->server->counts;

	switch (index) {
	case 0: return counts->requests;
	case 1: return counts->noise;
	default: return counts->held;
	}
}

static uint32_t frame_count(const struct fw_access *access, int index)
{
	(void)index;
	return access->server->counts.frames;
}

static const struct fw_row counter_rows[] = {
	{0x00, FW_ROW_U32, 1, 1, PACK(counters.charged_ah)},
	{0x02, FW_ROW_U32, 1, 1, PACK(counters.discharged_ah)},
	{0x04, FW_ROW_U32, 1, 1, PACK(counters.run_s)},
	{0x06, FW_ROW_U32, 1, 1, PACK(counters.starts)},
	{0x08, FW_ROW_U32, 1, 1, PACK(counters.cycles)},
	{0x0A, FW_ROW_U32, 1, 1, PACK(counters.cycle_mah)},
	{0x0C, FW_ROW_CALL32, 1, 1, 0, time_s},
	{0x0E, FW_ROW_CALL32, 1, 1, 0, sleep_s},
	{0x10, FW_ROW_CALL, FW_STATUSES, 1, 0, countdown_s},
	{0x30, FW_ROW_CALL32, 1, 1, 0, frame_count},
	{0x32, FW_ROW_CALL, 3, 1, 0, bus_count},
};

_Static_assert(FW_STATUSES <= 32, "countdowns end before the bus counters");

static void counters_now(const struct fw_access *access, uint16_t offset, uint16_t words,
			 uint8_t *out)
{
	fw_rows_read(access, counter_rows, COUNT(counter_rows), pack_of(access), offset, words,
		     out);
}

/* --- SYNC --- */

void fw_map_latch(const struct fw_access *access)
{
	struct fw_server *server = access->server;

	fw_map_live_now(access, 0, FW_LIVE_WORDS, server->latch);
	counters_now(access, 0, FW_COUNTERS_WORDS, server->latch_counters);
	server->latched = true;
	server->latch_ms = access->now_ms;
}

/* Whether the frozen values still count: without a master they would stand still for ever. */
static bool is_latched(const struct fw_access *access)
{
	return access->server->latched && access->now_ms - access->server->latch_ms < LATCH_MS;
}

enum fw_exception fw_map_live(const struct fw_access *access, uint16_t offset, uint16_t words,
			      uint8_t *out)
{
	if (!is_latched(access)) {
		fw_map_live_now(access, offset, words, out);
		return FW_FINE;
	}
	memset(out, 0, 2 * (size_t)words);
	for (uint16_t i = 0; i < words && offset + i < FW_LIVE_WORDS; i++)
		fw_put_word(out, i, fw_get_word(access->server->latch, (size_t)offset + i));
	return FW_FINE;
}

enum fw_exception fw_map_counters(const struct fw_access *access, uint16_t offset, uint16_t words,
				  uint8_t *out)
{
	if (is_latched(access))
		memcpy(out, access->server->latch_counters + 2 * (size_t)offset, 2 * (size_t)words);
	else
		counters_now(access, offset, words, out);
	return FW_FINE;
}
