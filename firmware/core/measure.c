// SPDX-License-Identifier: Apache-2.0
/* Calibration and plausibility. A value outside what its sensor can show is a broken wire, not a
 * hot cell: it becomes FW_UNKNOWN, and the faults (protect.c) act on that. A sensor that repeats
 * itself is found by its neighbours: when the current steps, healthy cells move. */
#include "measure.h"

#define CELL_HIGHEST_mv     5500    /* above every chemistry's abnormal limit (4600) */
#define CURRENT_HIGHEST_ma  2000000 /* keeps charge in 100 ms within int32 */
#define TERMINAL_HIGHEST_mv 150000
#define COLDEST_dC          (-450) /* an NTC outside is open or shorted */
#define HOTTEST_dC          1500

#define MOVED_mv           2  /* a healthy cell moves so much when the current steps by 0.2 C */
#define STRIKES            8  /* so often in a row is no accident */
#define CURRENT_STEP_mv    10 /* all cells cannot jump so far without current */
#define CURRENT_STRIKES    5
#define WITNESS_MAX_GAP_ms 500

/* value * (1 + ppm / 1e6), to nearest */
static int32_t corrected(int32_t value, int32_t ppm)
{
	int64_t change = (int64_t)value * ppm;

	return value + (int32_t)((change + (change < 0 ? -500000 : 500000)) / 1000000);
}

static int32_t within(int32_t value, int32_t low, int32_t high)
{
	return value == FW_UNKNOWN || value < low || value > high ? FW_UNKNOWN : value;
}

static void calibrate(struct fw_measurement *out, const struct fw_measurement *in,
		      const struct fw_calibration *calibration)
{
	int32_t ma = within(in->current_ma, -CURRENT_HIGHEST_ma, CURRENT_HIGHEST_ma);

	*out = *in;
	if (in->cell_count < 0 || in->cell_count > FW_MAX_CELLS)
		out->cell_count = 0;
	for (int i = 0; i < FW_MAX_CELLS; i++) {
		int32_t mv = within(in->cells_mv[i], 0, CELL_HIGHEST_mv);

		if (i >= out->cell_count)
			mv = FW_UNKNOWN;
		out->cells_mv[i] = mv == FW_UNKNOWN ? mv : corrected(mv, calibration->voltage_ppm);
	}
	out->terminal_mv = within(in->terminal_mv, -TERMINAL_HIGHEST_mv, TERMINAL_HIGHEST_mv);
	if (out->terminal_mv != FW_UNKNOWN)
		out->terminal_mv = corrected(out->terminal_mv, calibration->voltage_ppm);
	if (ma != FW_UNKNOWN)
		ma = corrected(ma - calibration->current_zero_ma, calibration->current_ppm);
	out->current_ma = ma;
	for (int i = 0; i < FW_SENSORS; i++)
		out->temperatures_dC[i] = within(in->temperatures_dC[i], COLDEST_dC, HOTTEST_dC);
}

static void look_at_cells(struct fw_values *values, const struct fw_measurement *measured,
			  int32_t cells)
{
	int32_t sum = 0, known = 0;

	values->cell_max_mv = values->cell_min_mv = values->cell_mean_mv = FW_UNKNOWN;
	values->cell_max = values->cell_min = -1;
	for (int32_t i = 0; i < cells; i++) {
		int32_t mv = measured->cells_mv[i];

		if (mv == FW_UNKNOWN)
			continue;
		known++;
		sum += mv;
		if (values->cell_max < 0 || mv > values->cell_max_mv) {
			values->cell_max_mv = mv;
			values->cell_max = i;
		}
		if (values->cell_min < 0 || mv < values->cell_min_mv) {
			values->cell_min_mv = mv;
			values->cell_min = i;
		}
	}
	values->cells_complete = known == cells && known > 0;
	values->pack_mv = values->cells_complete ? sum : FW_UNKNOWN;
	if (known > 0)
		values->cell_mean_mv = (sum + known / 2) / known;
}

/* Highest (or lowest) of the fitted sensors first..last that give a value. */
static int32_t extreme(const struct fw_pack *pack, int first, int last, bool highest)
{
	int32_t found = FW_UNKNOWN;

	for (int i = first; i <= last; i++) {
		int32_t dC = pack->measured.temperatures_dC[i];

		if (!(pack->identity->sensors & 1u << i) || dC == FW_UNKNOWN)
			continue;
		if (found == FW_UNKNOWN || (highest ? dC > found : dC < found))
			found = dC;
	}
	return found;
}

static void look_at_temperatures(struct fw_pack *pack)
{
	struct fw_values *values = &pack->values;
	bool any = false, all = true;

	for (int i = FW_SENSOR_CELL_1; i <= FW_SENSOR_CELL_4; i++) {
		if (!(pack->identity->sensors & 1u << i))
			continue;
		any = true;
		all = all && pack->measured.temperatures_dC[i] != FW_UNKNOWN;
	}
	values->cell_temperatures_complete = any && all;
	values->cell_max_dC = extreme(pack, FW_SENSOR_CELL_1, FW_SENSOR_CELL_4, true);
	values->cell_min_dC = extreme(pack, FW_SENSOR_CELL_1, FW_SENSOR_CELL_4, false);
	values->mos_max_dC = extreme(pack, FW_SENSOR_MOS_1, FW_SENSOR_MOS_2, true);
	values->ambient_dC = extreme(pack, FW_SENSOR_AMBIENT, FW_SENSOR_AMBIENT, true);
	values->board_dC = extreme(pack, FW_SENSOR_BOARD, FW_SENSOR_BOARD, true);
}

static int32_t widest_wire(const struct fw_measurement *measured, int32_t cells)
{
	int32_t found = FW_UNKNOWN;

	for (int32_t i = 0; i < cells; i++)
		if (measured->wire_dmohm[i] > found)
			found = measured->wire_dmohm[i];
	return found;
}

static int32_t distance(int32_t a, int32_t b)
{
	return a > b ? a - b : b - a;
}

/* When the current has stepped by 0.2 C since the last look, at least half of the cells must have
 * moved; one that has not moved at all, again and again, repeats itself. */
static void witness_cells(struct fw_pack *pack)
{
	struct fw_work *work = &pack->work;
	const struct fw_measurement *measured = &pack->measured;
	int32_t cells = pack->parameters.cells, moved = 0;

	if (distance(measured->current_ma, work->witness_ma) < pack->parameters.capacity_dAh * 20)
		return;
	for (int32_t i = 0; i < cells; i++)
		moved += distance(measured->cells_mv[i], work->witness_mv[i]) >= MOVED_mv;
	for (int32_t i = 0; i < cells; i++) {
		bool still = measured->cells_mv[i] == work->witness_mv[i];

		if (!still)
			work->cell_strikes[i] = 0;
		else if (moved * 2 >= cells && work->cell_strikes[i] < STRIKES)
			work->cell_strikes[i]++;
		work->witness_mv[i] = (uint16_t)measured->cells_mv[i];
	}
	work->witness_ma = measured->current_ma;
}

/* All cells jump the same way while both MOSFETs are closed, and the current stays the same to the
 * last digit: it is not measured. */
static void witness_current(struct fw_pack *pack, uint64_t gap_ms)
{
	struct fw_work *work = &pack->work;
	int32_t cells = pack->parameters.cells, ma = pack->measured.current_ma, up = 0, down = 0;
	bool closed = pack->outputs.charge_mos && pack->outputs.discharge_mos;

	for (int32_t i = 0; i < cells; i++) {
		int32_t mv = pack->measured.cells_mv[i];

		up += mv - work->before_mv[i] >= CURRENT_STEP_mv;
		down += work->before_mv[i] - mv >= CURRENT_STEP_mv;
		work->before_mv[i] = (uint16_t)mv;
	}
	if (ma != work->before_ma)
		work->current_strikes = 0;
	else if (closed && gap_ms <= WITNESS_MAX_GAP_ms && (up == cells || down == cells) &&
		 work->current_strikes < CURRENT_STRIKES)
		work->current_strikes++;
	work->before_ma = ma;
}

void fw_measure(struct fw_pack *pack, const struct fw_measurement *measurement, uint64_t now_ms)
{
	struct fw_work *work = &pack->work;
	int32_t cells = pack->parameters.cells;
	bool first = pack->samples == 0;
	uint64_t gap_ms = now_ms - pack->sample_ms;

	work->fresh = first || measurement->sequence != pack->measured.sequence;
	calibrate(&pack->measured, measurement, &pack->calibration);
	look_at_cells(&pack->values, &pack->measured, cells);
	look_at_temperatures(pack);
	pack->values.wire_max_dmohm = widest_wire(&pack->measured, cells);
	if (!work->fresh)
		return;
	pack->samples = (uint16_t)(pack->samples == UINT16_MAX ? 1 : pack->samples + 1);
	pack->sample_ms = now_ms;
	if (work->good_samples < UINT8_MAX)
		work->good_samples++;
	if (!pack->values.cells_complete || pack->measured.current_ma == FW_UNKNOWN)
		return;
	witness_cells(pack);
	witness_current(pack, first ? UINT64_MAX : gap_ms);
}

bool fw_measure_cell_stuck(const struct fw_pack *pack)
{
	for (int i = 0; i < FW_MAX_CELLS; i++)
		if (pack->work.cell_strikes[i] >= STRIKES)
			return true;
	return false;
}

bool fw_measure_current_stuck(const struct fw_pack *pack)
{
	return pack->work.current_strikes >= CURRENT_STRIKES;
}

int32_t fw_measure_pack_mv(const struct fw_pack *pack)
{
	if (pack->values.pack_mv != FW_UNKNOWN || pack->values.cell_mean_mv == FW_UNKNOWN)
		return pack->values.pack_mv;
	return pack->values.cell_mean_mv * pack->parameters.cells;
}

bool fw_measure_charging(const struct fw_pack *pack)
{
	int32_t ma = pack->measured.current_ma;

	return ma != FW_UNKNOWN && ma >= pack->parameters.standby_dA * 100;
}

bool fw_measure_discharging(const struct fw_pack *pack)
{
	int32_t ma = pack->measured.current_ma;

	return ma != FW_UNKNOWN && ma <= -pack->parameters.standby_dA * 100;
}
