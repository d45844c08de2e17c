// SPDX-License-Identifier: Apache-2.0
/* Faults: what is wrong with the pack itself, not with its cells. A fault that forbids a direction
 * needs three sound seconds before it lets go; one that says "this part lies" stays until somebody
 * clears it. */
#include "measure.h"
#include "protect_guards.h"

#define AFE_SILENT_ms   1000 /* a front end gives ten samples a second */
#define SOUND_FOR_ms    3000
#define WELDED_ma       1000 /* current through an open MOSFET, at least */
#define TERMINAL_OFF_mv 5000 /* across two closed MOSFETs; wiring at 200 A makes 2 V at most */

enum question {
	ASK_CHARGE_MOS,
	ASK_DISCHARGE_MOS,
	ASK_AFE,
	ASK_CURRENT_MISSING,
	ASK_CURRENT_STUCK,
	ASK_HOT_PARTS_UNKNOWN, /* a sensor in the cells or at the MOSFETs */
	ASK_OTHER_SENSOR,
	ASK_CELL_MISSING,
	ASK_CELL_STUCK,
	ASK_CELL_COUNT,
	ASK_TOLD,
	ASK_UNCALIBRATED,
	ASK_HEATER,
	ASK_BALANCER,
	ASK_REMOTE_STOP,
	ASK_BREAKER
};

#define BOTH       FW_OPENS_BOTH
#define LATCHED    FW_FAULT_LATCHED
#define OVERRIDDEN FW_FAULT_OVERRIDDEN

/* clang-format off */
const struct fw_fault_row fw_fault_rows[] = {
	{FW_FAULT_CHARGE_MOS,         ASK_CHARGE_MOS,        BOTH, LATCHED,              2000},
	{FW_FAULT_DISCHARGE_MOS,      ASK_DISCHARGE_MOS,     BOTH, LATCHED,              2000},
	{FW_FAULT_AFE,                ASK_AFE,               BOTH, 0,                    0},
	{FW_FAULT_CURRENT_SENSOR,     ASK_CURRENT_MISSING,   BOTH, 0,                    500},
	{FW_FAULT_CURRENT_SENSOR,     ASK_CURRENT_STUCK,     BOTH, LATCHED,              0},
	{FW_FAULT_TEMPERATURE_SENSOR, ASK_HOT_PARTS_UNKNOWN, BOTH, OVERRIDDEN,           3000},
	{FW_FAULT_TEMPERATURE_SENSOR, ASK_OTHER_SENSOR,      0,    0,                    3000},
	{FW_FAULT_CELL_WIRE,          ASK_CELL_MISSING,      BOTH, OVERRIDDEN,           1000},
	{FW_FAULT_CELL_WIRE,          ASK_CELL_STUCK,        BOTH, LATCHED | OVERRIDDEN, 0},
	{FW_FAULT_CELL_COUNT,         ASK_CELL_COUNT,        BOTH, 0,                    1000},
	{FW_FAULT_PARAMETER_MEMORY,   ASK_TOLD,              BOTH, 0,                    0},
	{FW_FAULT_CLOCK,              ASK_TOLD,              0,    0,                    0},
	{FW_FAULT_UNCALIBRATED,       ASK_UNCALIBRATED,      0,    0,                    0},
	{FW_FAULT_HEATER,             ASK_HEATER,            0,    0,                    0},
	{FW_FAULT_BALANCER,           ASK_BALANCER,          0,    0,                    0},
	{FW_FAULT_WATCHDOG,           ASK_TOLD,              0,    0,                    0},
	{FW_FAULT_SELF_TEST,          ASK_TOLD,              BOTH, 0,                    0},
	{FW_FAULT_REMOTE_STOP,        ASK_REMOTE_STOP,       BOTH, 0,                    0},
	{FW_FAULT_BREAKER,            ASK_BREAKER,           BOTH, 0,                    0},
	{FW_FAULT_LOG_MEMORY,         ASK_TOLD,              0,    0,                    0},
	{FW_FAULT_SUPPLY,             ASK_TOLD,              BOTH, 0,                    0},
};
/* clang-format on */

const int fw_fault_row_count = (int)(sizeof fw_fault_rows / sizeof fw_fault_rows[0]);

_Static_assert(sizeof fw_fault_rows / sizeof fw_fault_rows[0] <= FW_FAULT_GUARDS,
	       "more faults than guards");

/* Sensed and commanded differ. While the AFE holds a short circuit it must. */
static bool sensed_differs(const struct fw_pack *pack, uint32_t input, bool commanded)
{
	uint32_t inputs = pack->measured.inputs;

	if (!(inputs & FW_INPUT_MOS_SENSED) || (inputs & FW_INPUT_SHORT_CIRCUIT))
		return false;
	return ((inputs & input) != 0) != commanded;
}

/* Terminal minus pack while both MOSFETs are said to be closed; 0 when that cannot be told. */
static int32_t drop_mv(const struct fw_pack *pack)
{
	if (!pack->outputs.charge_mos || !pack->outputs.discharge_mos ||
	    pack->measured.terminal_mv == FW_UNKNOWN || pack->values.pack_mv == FW_UNKNOWN)
		return 0;
	return pack->measured.terminal_mv - pack->values.pack_mv;
}

static int32_t welded_ma(const struct fw_pack *pack)
{
	int32_t standby_ma = pack->parameters.standby_dA * 100;

	return standby_ma > WELDED_ma ? standby_ma : WELDED_ma;
}

static bool charge_mos_wrong(const struct fw_pack *pack)
{
	const struct fw_outputs *out = &pack->outputs;
	int32_t ma = pack->measured.current_ma, most_ma = welded_ma(pack);

	if (sensed_differs(pack, FW_INPUT_CHARGE_MOS_CLOSED, out->charge_mos))
		return true;
	if (out->limiter)
		most_ma += out->limiter_ma / 2 * 3;
	if (!out->charge_mos && ma != FW_UNKNOWN && ma >= most_ma)
		return true;
	return drop_mv(pack) > TERMINAL_OFF_mv;
}

static bool discharge_mos_wrong(const struct fw_pack *pack)
{
	const struct fw_outputs *out = &pack->outputs;
	int32_t ma = pack->measured.current_ma;

	if (sensed_differs(pack, FW_INPUT_DISCHARGE_MOS_CLOSED, out->discharge_mos))
		return true;
	if (!out->discharge_mos && !out->precharge && ma != FW_UNKNOWN && ma <= -welded_ma(pack))
		return true;
	return drop_mv(pack) < -TERMINAL_OFF_mv;
}

static bool sensor_missing(const struct fw_pack *pack, int first, int last)
{
	for (int i = first; i <= last; i++)
		if ((pack->identity->sensors & 1u << i) &&
		    pack->measured.temperatures_dC[i] == FW_UNKNOWN)
			return true;
	return false;
}

static bool afe_silent(const struct fw_pack *pack)
{
	return pack->step_ms - pack->sample_ms >= AFE_SILENT_ms || pack->values.cell_max < 0;
}

static bool present(const struct fw_pack *pack, const struct fw_fault_row *row)
{
	uint32_t inputs = pack->measured.inputs;

	switch ((enum question)row->question) {
	case ASK_CHARGE_MOS: return charge_mos_wrong(pack);
	case ASK_DISCHARGE_MOS: return discharge_mos_wrong(pack);
	case ASK_AFE: return afe_silent(pack);
	case ASK_CURRENT_MISSING: return pack->measured.current_ma == FW_UNKNOWN;
	case ASK_CURRENT_STUCK: return fw_measure_current_stuck(pack);
	case ASK_HOT_PARTS_UNKNOWN:
		return !pack->values.cell_temperatures_complete ||
		       sensor_missing(pack, FW_SENSOR_MOS_1, FW_SENSOR_MOS_2);
	case ASK_OTHER_SENSOR:
		return sensor_missing(pack, FW_SENSOR_AMBIENT, FW_SENSOR_AMBIENT) ||
		       sensor_missing(pack, FW_SENSOR_BOARD, FW_SENSOR_BOARD);
	case ASK_CELL_MISSING: return !pack->values.cells_complete;
	case ASK_CELL_STUCK: return fw_measure_cell_stuck(pack);
	case ASK_CELL_COUNT: return pack->measured.cell_count != pack->parameters.cells;
	case ASK_TOLD: return (pack->told_faults & FW_BIT(row->fault)) != 0;
	case ASK_UNCALIBRATED: return !pack->calibration.present;
	case ASK_HEATER: return pack->work.heater_broken;
	case ASK_BALANCER: return pack->work.balancer_broken;
	case ASK_REMOTE_STOP: return (inputs & FW_INPUT_REMOTE_STOP) != 0;
	case ASK_BREAKER: return (inputs & FW_INPUT_BREAKER_OPEN) != 0;
	}
	return true;
}

/* Pending: ms counts the trouble. Tripped: ms counts the time without it. */
static void step(const struct fw_pack *pack, const struct fw_fault_row *row, struct fw_guard *guard)
{
	uint32_t dt_ms = pack->work.dt_ms;
	bool wrong = present(pack, row);

	if (guard->phase == FW_TRIPPED) {
		guard->ms = wrong ? 0 : guard->ms + dt_ms;
		if (guard->ms >= SOUND_FOR_ms && !(row->flags & LATCHED))
			*guard = (struct fw_guard){.phase = FW_IDLE};
		if (guard->ms > SOUND_FOR_ms)
			guard->ms = SOUND_FOR_ms;
		return;
	}
	if (!wrong) {
		*guard = (struct fw_guard){.phase = FW_IDLE};
		return;
	}
	guard->phase = FW_PENDING;
	guard->ms += dt_ms;
	if (guard->ms >= row->delay_ms)
		*guard = (struct fw_guard){.phase = FW_TRIPPED};
}

void fw_faults_step(struct fw_pack *pack)
{
	struct fw_work *work = &pack->work;

	for (int i = 0; i < fw_fault_row_count; i++) {
		const struct fw_fault_row *row = &fw_fault_rows[i];
		struct fw_guard *guard = &work->fault_guards[i];
		bool overridden = pack->emergency_s > 0 && (row->flags & OVERRIDDEN);
		uint8_t opens = overridden ? 0 : row->opens;

		step(pack, row, guard);
		if (guard->phase == FW_PENDING)
			work->fault_soon |= opens;
		if (guard->phase != FW_TRIPPED)
			continue;
		pack->faults |= FW_BIT(row->fault);
		work->stop_fault |= opens;
	}
}

void fw_faults_clear(struct fw_pack *pack)
{
	struct fw_work *work = &pack->work;

	for (int i = 0; i < fw_fault_row_count; i++)
		if (fw_fault_rows[i].flags & LATCHED)
			work->fault_guards[i] = (struct fw_guard){.phase = FW_IDLE};
	for (int i = 0; i < FW_MAX_CELLS; i++)
		work->cell_strikes[i] = 0;
	work->current_strikes = 0;
	work->heater_broken = work->balancer_broken = false;
}
