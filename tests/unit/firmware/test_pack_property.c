// SPDX-License-Identifier: Apache-2.0
/* Random packs, random parameters within the rules, random measurements, inputs and commands. The
 * invariants are worked out here from the measurements, not taken from the core's own words. */
#include "../cmocka_all.h"

#include <stdlib.h>

#include "core/protect.h"
#include "rig.h"

#define PACKS 150
#define STEPS 1500

static uint32_t next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static int32_t between(uint32_t *random, int32_t low, int32_t high)
{
	return low + (int32_t)(next(random) % (uint32_t)(high - low + 1));
}

static bool chance(uint32_t *random, int32_t one_in)
{
	return between(random, 1, one_in) == 1;
}

/* Changes rows one by one and keeps what the rules accept. */
static void random_parameters(struct fw_parameters *parameters, uint32_t *random)
{
	fw_parameters_default(parameters, (enum fw_chemistry)between(random, 0, 2));
	for (int n = between(random, 0, 60); n > 0; n--) {
		const struct fw_parameter *row =
			&fw_parameter_rows[between(random, 0, fw_parameter_count - 1)];
		int32_t *value = (int32_t *)(void *)((char *)parameters + row->offset);
		int32_t before = *value;

		*value = between(random, row->low, row->high);
		if (row->reg == 0x0270 || fw_parameters_check(parameters) != NULL)
			*value = before;
	}
	assert_null(fw_parameters_check(parameters));
}

/* A walk with jumps to interesting places and missing values. */
static int32_t wander(uint32_t *random, int32_t value, int32_t step, int32_t low, int32_t high)
{
	if (chance(random, 400))
		return FW_UNKNOWN;
	if (value == FW_UNKNOWN || chance(random, 300))
		return chance(random, 2) && value == FW_UNKNOWN ? FW_UNKNOWN
								: between(random, low, high);
	value += between(random, -step, step);
	return value < low ? low : value > high ? high : value;
}

static void random_measurement(struct rig *rig, uint32_t *random)
{
	struct fw_measurement *in = &rig->in;
	const struct fw_parameters *p = &rig->pack.parameters;

	for (int i = 0; i < in->cell_count; i++)
		if (chance(random, 4))
			in->cells_mv[i] = wander(random, in->cells_mv[i], 30, p->power_off_mv - 300,
						 p->cell_high_mv + 100);
	in->current_ma = wander(random, in->current_ma, 20000, -260000, 260000);
	for (int i = 0; i < FW_SENSORS; i++)
		if (chance(random, 3))
			in->temperatures_dC[i] =
				wander(random, in->temperatures_dC[i], 20, -350, 1100);
	if (chance(random, 50))
		in->inputs ^= 1u << between(random, 0, 12);
	if (chance(random, 20)) /* mostly sound, so that something closes at all */
		in->inputs = FW_INPUT_KEY | (chance(random, 2) ? FW_INPUT_CHARGER : 0u);
	if (chance(random, 30))
		rig->frozen = chance(random, 3);
	if (chance(random, 20))
		in->dip = (uint8_t)between(random, 0, 255);
	rig->follows = !chance(random, 10);
	rig->beyond_mv = chance(random, 3) ? between(random, -10000, 110000) : rig_pack_mv(rig);
	if (chance(random, 200))
		in->heater_ma = between(random, 0, 10000);
	if (chance(random, 200))
		in->balance_ma = between(random, -3000, 3000);
}

/* Now and then the pack comes to rest: all values sound for a while. */
static void calm(struct rig *rig, uint32_t *random)
{
	const struct fw_parameters *p = &rig->pack.parameters;

	rig->in.cell_count = p->cells;
	rig_cells(rig, (p->cell_uv_release_mv + p->cell_ov_release_mv) / 2);
	for (int i = 0; i < FW_SENSORS; i++)
		rig->in.temperatures_dC[i] =
			(p->charge_ut_release_dC + p->charge_ot_release_dC) / 2;
	rig->in.current_ma = between(random, -900, 900);
	rig->in.inputs = FW_INPUT_KEY;
	rig->in.heater_ma = rig->in.balance_ma = FW_UNKNOWN;
	rig->frozen = false;
	rig->follows = true;
	rig->beyond_mv = 0;
}

static void random_command(struct rig *rig, uint32_t *random)
{
	static const enum fw_command commands[] = {
		FW_COMMAND_OUTPUTS,           FW_COMMAND_SAFE_STOP,      FW_COMMAND_AUTOMATIC,
		FW_COMMAND_AUTOMATIC,         FW_COMMAND_AUTOMATIC,      FW_COMMAND_EMERGENCY_START,
		FW_COMMAND_EMERGENCY_STOP,    FW_COMMAND_PRECHARGE,      FW_COMMAND_CLEAR,
		FW_COMMAND_CALIBRATE_VOLTAGE, FW_COMMAND_CALIBRATE_ZERO, FW_COMMAND_SET_SOC,
		FW_COMMAND_DEFAULTS,          FW_COMMAND_SLEEP,          FW_COMMAND_IDENTIFY,
		FW_COMMAND_SET_TIME,
	};
	enum fw_command command =
		commands[between(random, 0, (int32_t)(sizeof commands / sizeof commands[0]) - 1)];
	uint32_t argument = next(random);

	if (command == FW_COMMAND_EMERGENCY_START)
		argument = FW_MAGIC_EMERGENCY;
	if (command == FW_COMMAND_OUTPUTS)
		argument &= 0x003F003F;
	if (command == FW_COMMAND_CLEAR && chance(random, 2))
		argument = UINT32_MAX;
	if (command == FW_COMMAND_DEFAULTS) /* cells stay: only where the voltages fit */
		argument = (uint32_t)rig->pack.parameters.chemistry;
	fw_pack_command(&rig->pack, command, argument, FW_SOURCE_BUS, rig->now_ms);
}

static void random_sync(struct rig *rig, uint32_t *random)
{
	struct fw_sync sync = {.heartbeat = (uint16_t)next(random),
			       .flags = chance(random, 500) ? FW_SYSTEM_STOP : 3,
			       .packs = (uint16_t)between(random, 0, 16),
			       .bank_mv = chance(random, 3) ? FW_UNKNOWN : rig_pack_mv(rig)};

	fw_pack_sync(&rig->pack, &sync, rig->now_ms);
}

/* How long each trouble has been seen without a break, by the test's own reading. */
struct watch {
	int32_t over_ms, under_ms, hot_ms, cold_ms, mos_ms, charge_oc_ms, discharge_oc_ms;
	int32_t no_cell_ms, no_current_ms, no_temperature_ms, frozen_ms;
	bool was_charge, was_discharge;
};

static void note(int32_t *ms, bool holds)
{
	*ms = holds ? *ms + RIG_STEP_MS : 0;
}

static void observe(struct watch *watch, const struct rig *rig)
{
	const struct fw_pack *pack = &rig->pack;
	const struct fw_parameters *p = &pack->parameters;
	const struct fw_measurement *m = &pack->measured;
	int32_t ma = m->current_ma, idle_ma = p->standby_dA * 100, max_ma = 200000;
	bool missing = false, over = false, under = false, hot = false, cold = false;
	bool no_temperature = false;

	for (int i = 0; i < p->cells; i++) {
		int32_t mv = m->cells_mv[i];

		missing = missing || mv == FW_UNKNOWN;
		over = over || (mv != FW_UNKNOWN && mv >= p->cell_ov_mv);
		under = under || (mv != FW_UNKNOWN && mv <= p->cell_uv_mv);
	}
	for (int i = 0; i < 4; i++) {
		int32_t dC = m->temperatures_dC[i];

		no_temperature = no_temperature || dC == FW_UNKNOWN;
		hot = hot || (dC != FW_UNKNOWN && dC >= p->charge_ot_dC);
		cold = cold || (dC != FW_UNKNOWN && dC <= p->charge_ut_dC);
	}
	note(&watch->over_ms, over && ma > -idle_ma);
	note(&watch->under_ms, under && ma != FW_UNKNOWN && ma < idle_ma);
	note(&watch->hot_ms, hot && ma > -idle_ma);
	note(&watch->cold_ms, cold && ma > -idle_ma);
	note(&watch->mos_ms, m->temperatures_dC[FW_SENSOR_MOS_1] >= p->mos_ot_dC);
	note(&watch->charge_oc_ms,
	     ma >= (p->charge_oc1_dA * 100 < max_ma ? p->charge_oc1_dA * 100 : max_ma));
	note(&watch->discharge_oc_ms,
	     ma != FW_UNKNOWN &&
		     -ma >= (p->discharge_oc1_dA * 100 < max_ma ? p->discharge_oc1_dA * 100
								: max_ma));
	note(&watch->no_cell_ms, missing);
	note(&watch->no_current_ms, ma == FW_UNKNOWN);
	note(&watch->no_temperature_ms, no_temperature);
	note(&watch->frozen_ms, rig->frozen);
}

static void check_protected(const struct watch *w, const struct rig *rig)
{
	const struct fw_pack *pack = &rig->pack;
	const struct fw_parameters *p = &pack->parameters;
	const struct fw_outputs *out = &pack->outputs;
	bool emergency = pack->emergency_s > 0, any = out->charge_mos || out->discharge_mos;
	uint32_t stops = FW_INPUT_SHORT_CIRCUIT | FW_INPUT_REMOTE_STOP | FW_INPUT_BREAKER_OPEN |
			 FW_INPUT_REVERSED;

	if ((pack->measured.inputs & stops) || !(pack->measured.inputs & FW_INPUT_KEY))
		assert_false(any);
	if (w->no_current_ms > 600 || w->frozen_ms > 1000)
		assert_false(any || out->limiter || out->heater);
	if (w->charge_oc_ms > p->charge_oc1_delay_s * 1000)
		assert_false(out->charge_mos);
	if (w->discharge_oc_ms > p->discharge_oc1_delay_s * 1000)
		assert_false(out->discharge_mos);
	if (emergency)
		return;
	if (w->no_cell_ms > 1100 || w->no_temperature_ms > 3100 || w->mos_ms > 2100)
		assert_false(any || out->limiter || out->heater);
	if (w->over_ms > p->cell_ov_delay_ds * 100 || w->hot_ms > 2000 || w->cold_ms > 2000)
		assert_false(out->charge_mos || out->limiter);
	if (w->under_ms > p->cell_uv_delay_ds * 100)
		assert_false(out->discharge_mos);
}

/* Closing is stricter than staying closed: not into anything that is over its level right now. */
static void check_closing(const struct watch *w, const struct rig *rig)
{
	const struct fw_pack *pack = &rig->pack;
	bool charge = pack->outputs.charge_mos && !w->was_charge;
	bool discharge = pack->outputs.discharge_mos && !w->was_discharge;

	if (!charge && !discharge)
		return;
	assert_int_equal(w->no_current_ms, 0);
	if (pack->emergency_s > 0)
		return;
	assert_int_equal(w->no_cell_ms + w->no_temperature_ms + w->mos_ms, 0);
	if (charge)
		assert_int_equal(w->over_ms + w->hot_ms + w->cold_ms, 0);
	if (discharge)
		assert_int_equal(w->under_ms, 0);
}

static void check_active_rows(const struct rig *rig)
{
	const struct fw_pack *pack = &rig->pack;
	uint8_t closed = (uint8_t)((pack->outputs.charge_mos ? FW_OPENS_CHARGE : 0u) |
				   (pack->outputs.discharge_mos ? FW_OPENS_DISCHARGE : 0u));

	for (int i = 0; i < fw_guard_row_count; i++) {
		const struct fw_guard_row *row = &fw_guard_rows[i];
		uint8_t phase = pack->work.guards[i].phase;
		bool overridden = pack->emergency_s > 0 && (row->flags & FW_GUARD_OVERRIDDEN);

		if ((phase == FW_TRIPPED || phase == FW_LOCKED) && !overridden)
			assert_false(row->opens & closed);
	}
	assert_int_equal(pack->charge_off == 0, pack->outputs.charge_mos);
	assert_int_equal(pack->discharge_off == 0, pack->outputs.discharge_mos);
}

static void check_bounds(const struct rig *rig)
{
	const struct fw_pack *pack = &rig->pack;
	const struct fw_outputs *out = &pack->outputs;
	int32_t cells = pack->parameters.cells;

	assert_in_range(pack->state, FW_STATE_INIT, FW_STATE_UPDATE);
	assert_in_range(pack->charge_allowed_ma, 0, 200000);
	assert_in_range(pack->discharge_allowed_ma, 0, 200000);
	assert_in_range(pack->soc_cpct, 0, 10000);
	assert_in_range(pack->soh_pm, 0, 1000);
	assert_in_range(pack->counters.remaining_mah, 0, pack->counters.full_mah);
	assert_in_range(pack->emergency_s, 0, 3600);
	assert_in_range(out->limiter_ma, 0, 20000);
	assert_in_range(out->balance_ma, 0, pack->parameters.balance_max_ma);
	assert_true(out->balance_from >= -1 && out->balance_from < cells);
	assert_true(out->balance_to >= -1 && out->balance_to < cells);
	assert_true(out->balance_cells < (UINT64_C(1) << cells));
	assert_true(pack->charge_limit_mv > 0 && pack->discharge_limit_mv > 0);
	assert_false(out->limiter && out->charge_mos);
	assert_false(out->precharge && out->discharge_mos);
	assert_false((out->power_off || out->sleep || pack->restart_due) &&
		     (out->charge_mos || out->discharge_mos));
	if (!out->charge_mos && !out->limiter)
		assert_int_equal(pack->charge_allowed_ma, 0);
	if (!out->discharge_mos)
		assert_int_equal(pack->discharge_allowed_ma, 0);
	if (pack->work.safe_stop)
		assert_false(out->charge_mos || out->discharge_mos || out->heater);
}

/* Returns how many steps had a MOSFET closed: a property of a pack that never closes is empty. */
static int one_pack(uint32_t seed)
{
	uint32_t random = seed * 2654435761u | 1u;
	static struct rig rig;
	struct watch watch = {0};
	int closed = 0, rest = 0;

	rig_make(&rig, FW_LFP);
	random_parameters(&rig.parameters, &random);
	rig.identity.features = (uint16_t)next(&random);
	rig.in.cell_count = rig.parameters.cells;
	rig_start(&rig);
	calm(&rig, &random);
	for (int n = 0; n < STEPS; n++) {
		struct fw_event event;

		if (rest > 0)
			rest--;
		else if (chance(&random, 60))
			rest = 80;
		if (rest > 0)
			calm(&rig, &random);
		else
			random_measurement(&rig, &random);
		if (chance(&random, 60))
			random_command(&rig, &random);
		if (chance(&random, 30))
			random_sync(&rig, &random);
		rig_step(&rig);
		observe(&watch, &rig);
		check_protected(&watch, &rig);
		check_closing(&watch, &rig);
		check_active_rows(&rig);
		check_bounds(&rig);
		watch.was_charge = rig.pack.outputs.charge_mos;
		watch.was_discharge = rig.pack.outputs.discharge_mos;
		closed += watch.was_charge || watch.was_discharge;
		while (fw_event_take(&rig.pack.events, &event))
			assert_in_range(event.source, FW_SOURCE_PACK, FW_SOURCE_DISPLAY);
	}
	return closed;
}

static void no_mosfet_is_ever_closed_against_anything(void **state)
{
	const char *more = getenv("ONEPACK_CAMPAIGN");
	int packs = more ? PACKS * 100 : PACKS;
	int64_t closed = 0;

	(void)state;
	for (int i = 1; i <= packs; i++)
		closed += one_pack((uint32_t)i);
	print_message("%d packs, %lld of %lld steps with a MOSFET closed\n", packs,
		      (long long)closed, (long long)packs * STEPS);
	assert_true(closed > (int64_t)packs * STEPS / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_mosfet_is_ever_closed_against_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
