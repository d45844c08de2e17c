// SPDX-License-Identifier: Apache-2.0
/* JK's blocks as tables, one row a field or run of fields; see jk.h. The same rows make registers
 * (big-endian) and records (little-endian). */
#include "jk.h"

#include <stddef.h>
#include <string.h>

#include "bytes.h"

#define COUNT(rows)    ((int)(sizeof(rows) / sizeof(rows)[0]))
#define CELLS          32 /* places in the records */
#define SENSORS        4
#define RECORD_HEAD    6        /* bytes before the block */
#define CONTROL_RS485  (1 << 3) /* of the control word: the port is RS485, not CAN */
#define CONTROL_HEATER (1 << 0)
#define SLEEP_DAY_S    86400
#define UART_MODBUS    1 /* "JK BMS RS485 Modbus V1.0" in the list of protocols */

typedef uint32_t get_value(const struct fw_access *access, int index);

/* One field or run: `size` bytes each (0: a text of `count` characters). With `get` NULL it is an
 * int32_t of the pack at `offset`, times `times`; FW_UNKNOWN is 0. */
struct row {
	uint16_t at;
	uint8_t size, count;
	int16_t times;
	uint16_t offset;
	get_value *get;
};

static const struct fw_pack *pack_of(const struct fw_access *access)
{
	return access->server->pack;
}

static uint32_t known(int32_t value)
{
	return value == FW_UNKNOWN ? 0 : (uint32_t)value;
}

/* --- settings --- */

/* Outputs that a command holds off, JK's switches included. */
static uint8_t held_off(const struct fw_access *access)
{
	const struct fw_work *work = &pack_of(access)->work;

	return work->allow_mask & (uint8_t)~work->allow_value;
}

static bool is_allowed(const struct fw_access *access, uint8_t allow)
{
	const bool mosfet = allow != FW_ALLOW_BALANCE;

	return !(held_off(access) & allow || (mosfet && pack_of(access)->work.safe_stop));
}

static uint32_t charge_switch(const struct fw_access *access, int index)
{
	(void)index;
	return is_allowed(access, FW_ALLOW_CHARGE);
}

static uint32_t discharge_switch(const struct fw_access *access, int index)
{
	(void)index;
	return is_allowed(access, FW_ALLOW_DISCHARGE);
}

static uint32_t balance_switch(const struct fw_access *access, int index)
{
	(void)index;
	return pack_of(access)->parameters.balance_mode != 0 &&
	       is_allowed(access, FW_ALLOW_BALANCE);
}

static uint32_t address(const struct fw_access *access, int index)
{
	(void)index;
	return access->server->addressing.address;
}

static uint32_t precharge_s(const struct fw_access *access, int index)
{
	(void)index;
	return ((uint32_t)pack_of(access)->parameters.precharge_max_ms + 999) / 1000;
}

static uint32_t control(const struct fw_access *access, int index)
{
	(void)index;
	return CONTROL_RS485 | (pack_of(access)->parameters.heater_mode ? CONTROL_HEATER : 0);
}

/* Heating start and stop, whole degrees. */
static uint32_t heating(const struct fw_access *access, int index)
{
	const struct fw_parameters *parameters = &pack_of(access)->parameters;

	return (uint32_t)((index == 0 ? parameters->heater_start_dC : parameters->heater_stop_dC) /
			  10);
}

#define SET(member, times_) (times_), offsetof(struct fw_pack, parameters.member), NULL

static const struct row settings_rows[] = {
	{0x00, 4, 1, SET(soc_empty_mv, 1)}, /* "smart sleep": below it a pack may sleep */
	{0x04, 4, 1, SET(cell_uv_mv, 1)},
	{0x08, 4, 1, SET(cell_uv_release_mv, 1)},
	{0x0C, 4, 1, SET(cell_ov_mv, 1)},
	{0x10, 4, 1, SET(cell_ov_release_mv, 1)},
	{0x14, 4, 1, SET(balance_trigger_mv, 1)},
	{0x18, 4, 1, SET(soc_full_mv, 1)},
	{0x1C, 4, 1, SET(soc_empty_mv, 1)},
	{0x20, 4, 1, SET(charge_request_mv, 1)},
	{0x24, 4, 1, SET(float_request_mv, 1)},
	{0x28, 4, 1, SET(power_off_mv, 1)},
	/* drivers take these two for the limits of the pack: not the protections above them */
	{0x2C, 4, 1, SET(charge_limit_dA, 100)},
	{0x30, 4, 1, SET(charge_oc1_delay_s, 1)},
	{0x34, 4, 1, SET(charge_oc_release_s, 1)},
	{0x38, 4, 1, SET(discharge_limit_dA, 100)},
	{0x3C, 4, 1, SET(discharge_oc1_delay_s, 1)},
	{0x40, 4, 1, SET(discharge_oc_release_s, 1)},
	{0x44, 4, 1, SET(short_circuit_release_s, 1)},
	{0x48, 4, 1, SET(balance_max_ma, 1)},
	{0x4C, 4, 1, SET(charge_ot_dC, 1)},
	{0x50, 4, 1, SET(charge_ot_release_dC, 1)},
	{0x54, 4, 1, SET(discharge_ot_dC, 1)},
	{0x58, 4, 1, SET(discharge_ot_release_dC, 1)},
	{0x5C, 4, 1, SET(charge_ut_dC, 1)},
	{0x60, 4, 1, SET(charge_ut_release_dC, 1)},
	{0x64, 4, 1, SET(mos_ot_dC, 1)},
	{0x68, 4, 1, SET(mos_ot_release_dC, 1)},
	{0x6C, 4, 1, SET(cells, 1)},
	{0x70, 4, 1, 1, 0, charge_switch},
	{0x74, 4, 1, 1, 0, discharge_switch},
	{0x78, 4, 1, 1, 0, balance_switch},
	{0x7C, 4, 1, SET(capacity_dAh, 100)},
	{0x80, 4, 1, SET(short_circuit_delay_us, 1)},
	{0x84, 4, 1, SET(balance_start_mv, 1)},
	{0x108, 4, 1, 1, 0, address},
	{0x10C, 4, 1, 1, 0, precharge_s},
	{0x114, 2, 1, 1, 0, control},
	{0x116, 1, 2, 1, 0, heating},
	{0x118, 1, 1, SET(sleep_h, 1)},
};

/* --- live values --- */

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
	for (int i = 0; i < COUNT(alarms); i++)
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

static uint32_t run_s(const struct fw_access *access, int index)
{
	(void)index;
	return pack_of(access)->counters.run_s;
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

static const struct row live_rows[] = {
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
	{0xBC, 4, 1, 1, 0, run_s},
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

/* --- about --- */

static uint32_t starts(const struct fw_access *access, int index)
{
	(void)index;
	return pack_of(access)->counters.starts;
}

static char digit(uint32_t value, uint32_t place)
{
	return (char)('0' + value / place % 10);
}

/* Texts are made character by character: "1.04" for 1 and 4, "12.34". */
static uint32_t version_text(uint32_t major, uint32_t minor, int index)
{
	const char text[6] = {digit(major, 10), digit(major, 1), '.',
			      digit(minor, 10), digit(minor, 1), '\0'};

	return (uint8_t)text[index + (major < 10)];
}

static uint32_t hardware(const struct fw_access *access, int index)
{
	const uint32_t revision = pack_of(access)->identity->hardware_revision;

	return version_text(revision >> 8, revision & 0xFF, index);
}

static uint32_t firmware(const struct fw_access *access, int index)
{
	const struct fw_identity *identity = pack_of(access)->identity;

	return version_text(identity->major, identity->minor, index);
}

#define DAYS_4_YEARS 1461

/* yymmdd of days since 2020-01-01, to 2099. */
static uint32_t date(const struct fw_access *access, int index)
{
	static const uint8_t lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	uint32_t day = pack_of(access)->identity->production_day;
	uint32_t year = 20 + day / DAYS_4_YEARS * 4, month = 0;

	day %= DAYS_4_YEARS;
	if (day >= 366) { /* the first of four is a leap year */
		year += 1 + (day - 366) / 365;
		day = (day - 366) % 365;
	}
	while (month < 11) {
		const uint32_t length =
			lengths[month] + (uint32_t)(month == 1 && year % 4 == 0 ? 1 : 0);

		if (day < length)
			break;
		day -= length;
		month++;
	}

	const char text[6] = {digit(year, 10),     digit(year, 1),     digit(month + 1, 10),
			      digit(month + 1, 1), digit(day + 1, 10), digit(day + 1, 1)};

	return (uint8_t)text[index];
}

static uint32_t model(const struct fw_access *access, int index)
{
	return (uint8_t)pack_of(access)->identity->model[index];
}

static uint32_t serial(const struct fw_access *access, int index)
{
	return (uint8_t)pack_of(access)->identity->serial[index];
}

static uint32_t protocol(const struct fw_access *access, int index)
{
	(void)access;
	(void)index;
	return UART_MODBUS;
}

static uint32_t record_s(const struct fw_access *access, int index)
{
	(void)index;
	return (uint32_t)pack_of(access)->parameters.record_period_s;
}

/* Bluetooth PIN and passwords stay 0. */
static const struct row about_rows[] = {
	{0x00, 1, 16, 1, 0, model},   {0x10, 1, 5, 1, 0, hardware},  {0x18, 1, 5, 1, 0, firmware},
	{0x20, 4, 1, 1, 0, run_s},    {0x24, 4, 1, 1, 0, starts},    {0x28, 1, 16, 1, 0, serial},
	{0x48, 1, 6, 1, 0, date},     {0x50, 1, 16, 1, 0, serial},   {0xB2, 1, 1, 1, 0, protocol},
	{0xD4, 1, 1, 1, 0, protocol}, {0x100, 4, 1, 1, 0, record_s},
};

/* --- blocks --- */

static const struct block {
	uint16_t first, length; /* bytes */
	uint16_t trigger;
	uint8_t type; /* of the record */
	uint8_t row_count;
	const struct row *rows;
} blocks[] = {
	{0x1000, 0x0122, 0x161E, 1, COUNT(settings_rows), settings_rows},
	{0x1200, 0x0118, 0x1620, 2, COUNT(live_rows), live_rows},
	{0x1400, 0x0108, 0x161C, 3, COUNT(about_rows), about_rows},
};

_Static_assert(RECORD_HEAD + 0x0122 < FW_JK_RECORD, "the longest block fits into a record");

/* Where a block's bytes go: the range from `from` on, in one order. */
struct target {
	uint8_t *out;
	size_t from, count;
	bool little;
};

static void put_byte(const struct target *target, size_t at, uint32_t value)
{
	if (at >= target->from && at - target->from < target->count)
		target->out[at - target->from] = (uint8_t)value;
}

static void put_row(const struct fw_access *access, const struct row *row,
		    const struct target *target)
{
	for (int n = 0; n < row->count; n++) {
		const size_t at = row->at + (size_t)n * row->size;
		uint32_t value;
		int32_t member;

		if (row->get) {
			value = row->get(access, n);
		} else {
			memcpy(&member, (const char *)pack_of(access) + row->offset, sizeof member);
			value = (uint32_t)((int32_t)known(member) * row->times);
		}
		for (unsigned i = 0; i < row->size; i++)
			put_byte(target, at + i,
				 value >> 8 * (target->little ? i : row->size - 1 - i));
	}
}

static void write_block(const struct fw_access *access, const struct block *block,
			const struct target *target)
{
	memset(target->out, 0, target->count);
	for (int i = 0; i < block->row_count; i++) {
		const struct row *row = &block->rows[i];
		const size_t end = row->at + (size_t)row->size * row->count;

		if (row->at < target->from + target->count && end > target->from)
			put_row(access, row, target);
	}
}

bool fw_jk_has(uint16_t reg)
{
	return reg >= FW_JK_FIRST && reg <= FW_JK_LAST;
}

enum fw_exception fw_jk_read(const struct fw_access *access, uint16_t start, uint16_t words,
			     uint8_t *out)
{
	const size_t count = 2 * (size_t)words;

	for (int i = 0; i < COUNT(blocks); i++) {
		const struct block *block = &blocks[i];

		if (start < block->first || start + count > (size_t)block->first + block->length)
			continue;
		if (start % 2)
			break;
		write_block(access, block,
			    &(struct target){out, (size_t)start - block->first, count, false});
		return FW_FINE;
	}
	return FW_ILLEGAL_REGISTER;
}

/* --- writing --- */

static const struct {
	uint16_t reg;
	uint8_t allow;
} switches[] = {
	{0x1070, FW_ALLOW_CHARGE},
	{0x1074, FW_ALLOW_DISCHARGE},
	{0x1078, FW_ALLOW_BALANCE},
};

static enum fw_exception turn(const struct fw_access *access, uint8_t allow, uint32_t on)
{
	struct fw_server *server = access->server;
	const bool ours = (server->jk_off & allow) != 0;

	if (on > 1)
		return FW_ILLEGAL_VALUE;
	if (on && !ours) /* what was turned off with a level, or by a stop, stays off */
		return is_allowed(access, allow) ? FW_FINE : FW_LOCKED;
	if (!on && held_off(access) & allow)
		return FW_FINE;
	if (fw_pack_command(server->pack, FW_COMMAND_OUTPUTS,
			    (uint32_t)allow << 16 | (on ? allow : 0), FW_SOURCE_BUS,
			    access->now_ms) != FW_RESULT_OK)
		return FW_FAILURE;
	server->jk_off = (uint8_t)(on ? server->jk_off & ~allow : server->jk_off | allow);
	return FW_FINE;
}

/* The record of a trigger register and its acknowledge. */
static size_t answer_record(const struct fw_access *access, const struct block *block,
			    const struct fw_request *request, uint8_t *out)
{
	static const uint8_t magic[4] = {0x55, 0xAA, 0xEB, 0x90};
	uint8_t sum = 0;

	memset(out, 0, FW_JK_RECORD);
	memcpy(out, magic, sizeof magic);
	out[4] = block->type;
	write_block(access, block, &(struct target){out + RECORD_HEAD, 0, block->length, true});
	for (int i = 0; i < FW_JK_RECORD - 1; i++)
		sum = (uint8_t)(sum + out[i]);
	out[FW_JK_RECORD - 1] = sum;
	return FW_JK_RECORD + fw_modbus_acknowledge(request, out + FW_JK_RECORD);
}

enum fw_exception fw_jk_write(const struct fw_access *access, const struct fw_request *request,
			      uint8_t *out, size_t *answer)
{
	*answer = 0;
	if (access->broadcast)
		return FW_ILLEGAL_REGISTER;
	for (int i = 0; i < COUNT(blocks); i++) {
		if (request->write_start != blocks[i].trigger)
			continue;
		if (request->write_words != 1)
			return FW_ILLEGAL_VALUE;
		*answer = answer_record(access, &blocks[i], request, out);
		return FW_FINE;
	}
	for (int i = 0; i < COUNT(switches); i++) {
		if (request->write_start != switches[i].reg)
			continue;
		if (request->write_words != 2)
			return FW_ILLEGAL_VALUE;
		return turn(access, switches[i].allow, fw_get_u32be(request->data));
	}
	return FW_ILLEGAL_REGISTER;
}
