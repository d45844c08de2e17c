// SPDX-License-Identifier: Apache-2.0
/* A sound LFP pack on a bench: every test starts from here and breaks one thing. */
#pragma once

#include <string.h>

#include "core/pack.h"

#define RIG_STEP_MS 100

struct rig {
	struct fw_identity identity;
	struct fw_parameters parameters;
	struct fw_calibration calibration;
	struct fw_counters counters;
	struct fw_measurement in;
	struct fw_pack pack;
	uint64_t now_ms;
	int32_t step_ms; /* RIG_STEP_MS; more where hours pass and nothing is timed */
	bool frozen;     /* the front end gives no new samples */
	bool follows;    /* terminals follow the pack while a MOSFET or the pre-charge is closed */
	int32_t beyond_mv; /* what the terminals show otherwise */
};

static inline void rig_cells(struct rig *rig, int32_t mv)
{
	for (int i = 0; i < FW_MAX_CELLS; i++)
		rig->in.cells_mv[i] = i < rig->in.cell_count ? mv : FW_UNKNOWN;
}

static inline void rig_temperatures(struct rig *rig, int32_t cells_dC)
{
	for (int i = FW_SENSOR_CELL_1; i <= FW_SENSOR_CELL_4; i++)
		rig->in.temperatures_dC[i] = cells_dC;
}

/* The true voltage: a cell whose wire is broken is still there. */
static inline int32_t rig_pack_mv(const struct rig *rig)
{
	int32_t sum = 0, known = 0;

	for (int i = 0; i < rig->parameters.cells; i++)
		if (rig->in.cells_mv[i] != FW_UNKNOWN && rig->in.cells_mv[i] <= 5500) {
			sum += rig->in.cells_mv[i];
			known++;
		}
	return known ? sum / known * rig->parameters.cells : 0;
}

/* One step. */
static inline void rig_step(struct rig *rig)
{
	const struct fw_outputs *out = &rig->pack.outputs;
	bool joined = out->charge_mos || out->discharge_mos || out->precharge;

	rig->now_ms += (uint64_t)rig->step_ms;
	if (!rig->frozen)
		rig->in.sequence++;
	rig->in.terminal_mv = rig->follows && joined ? rig_pack_mv(rig) : rig->beyond_mv;
	fw_pack_step(&rig->pack, &rig->in, rig->now_ms);
}

static inline void rig_run(struct rig *rig, int64_t ms)
{
	for (int64_t t = 0; t < ms; t += rig->step_ms)
		rig_step(rig);
}

/* A master's voice every second while running. */
static inline void rig_run_with_master(struct rig *rig, int64_t ms)
{
	for (int64_t t = 0; t < ms; t += rig->step_ms) {
		if (t % 1000 == 0)
			fw_pack_heard(&rig->pack, rig->now_ms);
		rig_step(rig);
	}
}

/* Everything set up, nothing started: change rig->parameters or ->identity, then rig_start. */
static inline void rig_make(struct rig *rig, enum fw_chemistry chemistry)
{
	memset(rig, 0, sizeof *rig);
	rig->identity = (struct fw_identity){
		.features = FW_HAS_HEATER | FW_HAS_PRECHARGE | FW_HAS_ACTIVE_BALANCER |
			    FW_HAS_LIMITER | FW_HAS_BUZZER | FW_HAS_DRY_CONTACTS |
			    FW_HAS_TERMINAL_SENSING,
		.max_charge_ma = 200000,
		.max_discharge_ma = 200000,
		.sensors = 0xFF,
	};
	fw_parameters_default(&rig->parameters, chemistry);
	rig->calibration.present = true;
	rig->counters.full_mah = rig->parameters.capacity_dAh * 100;
	rig->counters.remaining_mah = rig->counters.full_mah / 2;
	rig->in.cell_count = rig->parameters.cells;
	rig_cells(rig, chemistry == FW_LFP ? 3300 : chemistry == FW_LI_ION ? 3700 : 2300);
	for (int i = 0; i < FW_SENSORS; i++)
		rig->in.temperatures_dC[i] = 250;
	for (int i = 0; i < FW_MAX_CELLS; i++)
		rig->in.wire_dmohm[i] = FW_UNKNOWN;
	rig->in.heater_ma = rig->in.balance_ma = FW_UNKNOWN;
	rig->in.inputs = FW_INPUT_KEY;
	rig->in.dip = 1;
	rig->follows = true;
	rig->step_ms = RIG_STEP_MS;
}

static inline void rig_start(struct rig *rig)
{
	fw_pack_init(&rig->pack, &rig->identity, &rig->parameters, &rig->calibration,
		     &rig->counters);
}

/* A pack that has started and closed both MOSFETs. */
static inline void rig_ready(struct rig *rig, enum fw_chemistry chemistry)
{
	rig_make(rig, chemistry);
	rig_start(rig);
	rig_run(rig, 3000);
}

static inline enum fw_result rig_command(struct rig *rig, enum fw_command code, uint32_t argument)
{
	return fw_pack_command(&rig->pack, code, argument, FW_SOURCE_BUS, rig->now_ms);
}

static inline bool rig_closed(const struct rig *rig)
{
	return rig->pack.outputs.charge_mos && rig->pack.outputs.discharge_mos;
}

/* Takes all events; whether one has this code. */
static inline bool rig_logged(struct rig *rig, int code)
{
	struct fw_event event;
	bool found = false;

	while (fw_event_take(&rig->pack.events, &event))
		found = found || event.code == code;
	return found;
}
