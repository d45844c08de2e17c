// SPDX-License-Identifier: Apache-2.0
/* A small rack for the tests of fusion: packs that answer in virtual time. A test changes rig.packs
 * and rig.absent, and steps. */
#pragma once

#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fusion_state.h"

struct rig {
	struct fusion_config config;
	struct fusion_input input; /* errors and the meter; packs are filled in by rig_step */
	struct battery out;
	struct pack packs[ONEPACK_MAX_PACKS];
	bool absent[ONEPACK_MAX_PACKS];
	int count;
	int32_t load_ma;
	int64_t now_ms;
	struct fusion fusion; /* last, as its slots are: see there */
};

static inline void rig_set_cells(struct pack *pack, int32_t cell_mv)
{
	pack->cell_count = 16;
	pack->voltage_mv = 16 * cell_mv;
	for (int i = 0; i < 16; i++)
		pack->cells_mv[i] = cell_mv;
}

/* One cell of another voltage; the pack voltage follows. */
static inline void rig_set_cell(struct pack *pack, int cell, int32_t cell_mv)
{
	pack->voltage_mv += cell_mv - pack->cells_mv[cell - 1];
	pack->cells_mv[cell - 1] = cell_mv;
}

static inline struct pack rig_pack(int number)
{
	struct pack pack;

	pack_clear(&pack);
	pack.pack = pack.address = number;
	snprintf(pack.bus, sizeof pack.bus, "rack");
	snprintf(pack.serial, sizeof pack.serial, "SN%03d", number);
	pack.current_ma = 0;
	pack.soc_mpct = 60000;
	pack.soh_mpct = 99000;
	pack.capacity_mah = 280000;
	pack.remaining_mah = 168000;
	pack.cycles = 100;
	pack.charge_current_limit_ma = 100000;
	pack.discharge_current_limit_ma = 120000;
	pack.charge_mos = pack.discharge_mos = 1;
	pack.temperature_count = 2;
	pack.temperatures_mC[0] = 25000;
	pack.temperatures_mC[1] = 26000;
	pack.mos_temperature_mC = 30000;
	rig_set_cells(&pack, 3300);
	return pack;
}

/* `count` equal packs, default configuration; nothing has answered yet. */
static inline void rig_init(struct rig *rig, int count)
{
	memset(rig, 0, sizeof *rig);
	fusion_config_default(&rig->config);
	fusion_input_clear(&rig->input);
	rig->count = count;
	for (int i = 0; i < count; i++)
		rig->packs[i] = rig_pack(i + 1);
	fusion_init(&rig->fusion, &rig->config);
}

/* A changed configuration counts from here. */
static inline void rig_configure(struct rig *rig)
{
	fusion_init(&rig->fusion, &rig->config);
}

static inline void rig_step(struct rig *rig, int64_t step_ms)
{
	rig->now_ms += step_ms;
	rig->input.now_ms = rig->now_ms;
	rig->input.pack_count = 0;
	for (int i = 0; i < rig->count; i++)
		if (!rig->absent[i])
			rig->input.packs[rig->input.pack_count++] = rig->packs[i];
	fusion_step(&rig->fusion, &rig->input, &rig->out);
}

/* Cycles of one second. */
static inline void rig_run(struct rig *rig, int seconds)
{
	for (int i = 0; i < seconds; i++)
		rig_step(rig, 1000);
}

/* A rack whose limits have risen as far as they go. */
static inline void rig_settle(struct rig *rig, int count)
{
	rig_init(rig, count);
	rig_run(rig, 120);
}

/* The total flows equally through all packs. */
static inline void rig_set_current(struct rig *rig, int32_t total_ma)
{
	for (int i = 0; i < rig->count; i++)
		rig->packs[i].current_ma = total_ma / rig->count;
}

static inline const struct pack *rig_out(const struct rig *rig, int number)
{
	for (int i = 0; i < rig->out.pack_count; i++)
		if (rig->out.packs[i].pack == number)
			return &rig->out.packs[i];
	return NULL;
}

static inline int32_t rig_state(const struct rig *rig, int number)
{
	return rig_out(rig, number)->state;
}

static inline const struct reason *rig_reason(const struct rig *rig, enum limit limit)
{
	const struct reason *found = NULL;

	for (int i = 0; i < rig->out.reason_count; i++)
		if (rig->out.reasons[i].limit == limit)
			found = &rig->out.reasons[i];
	assert_non_null(found);
	return found;
}

static inline const char *rig_rule(const struct rig *rig, enum limit limit)
{
	return rig_reason(rig, limit)->rule;
}
