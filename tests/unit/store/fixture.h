// SPDX-License-Identifier: Apache-2.0
/* A folder of its own for each test program, and a battery that changes with time. */
#pragma once

#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "onepack/battery.h"
#include "writer.h"

#define NOON_S 1767268800LL /* 2026-01-01 12:00:00 UTC */

struct place {
	char folder[64];
	char path[STORE_PATH_SIZE];
};

static inline void place_make(struct place *place)
{
	strcpy(place->folder, "/tmp/onepack-store-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	snprintf(place->path, sizeof place->path, "%s/history.db", place->folder);
}

static inline void place_remove(const struct place *place)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf '%s'", place->folder);
	assert_int_equal(system(command), 0);
}

/* Values wander as in a real rack, so that sizes are real. */
static inline void make_battery(struct battery *battery, int64_t time_s, int packs)
{
	const int32_t wave = (int32_t)(time_s / 10 % 360);

	battery_clear(battery);
	for (size_t i = 0; i < field_battery.field_count; i++)
		field_set(battery, &field_battery.fields[i],
			  unit_is_thousandths(field_battery.fields[i].unit)
				  ? 50000 + (int32_t)i * 100 + wave
				  : 1);
	battery->time_ms = time_s * 1000;
	battery->state = BATTERY_DISCHARGING;
	battery->voltage_mv = 52000 + wave;
	battery->current_ma = -20000 - wave * 7;
	battery->energy_charged_wh = 1000 + wave;
	battery->energy_discharged_wh = 2000 + wave;
	battery->pack_count = packs;
	for (int i = 0; i < packs; i++) {
		struct pack *pack = &battery->packs[i];

		pack_clear(pack);
		pack->pack = i + 1;
		pack->state = PACK_ACTIVE;
		pack->voltage_mv = 52000 + wave + i;
		pack->current_ma = -1250 - wave - i * 3;
		pack->soc_mpct = 65000 - wave * 10;
		pack->mos_temperature_mC = 25000 + wave;
		pack->cell_count = 16;
		for (int cell = 0; cell < 16; cell++)
			pack->cells_mv[cell] = 3250 + cell + i + wave % 7;
		pack->temperature_count = 4;
		for (int sensor = 0; sensor < 4; sensor++)
			pack->temperatures_mC[sensor] = 21000 + sensor * 300 + wave;
	}
}

/* Six samples, one each 10 s from `time_s` on, as the daemon commits them each minute. */
static inline int commit_minute(struct writer *writer, int64_t time_s, int packs)
{
	struct store_config config;
	struct sample samples[6];
	struct battery battery;
	struct batch batch = {.samples = samples, .sample_count = 6};

	store_config_default(&config);
	for (int i = 0; i < 6; i++) {
		make_battery(&battery, time_s + 10 * i, packs);
		sample_take(&battery, 0, (time_s + 10 * i) * 1000, &samples[i]);
	}
	return writer_commit(writer, &config, &batch, time_s + 60);
}

static inline int64_t number(sqlite3 *db, const char *sql)
{
	int64_t out = -1;

	assert_int_equal(query_int64(db, sql, 0, -1, &out), SQLITE_OK);
	return out;
}
