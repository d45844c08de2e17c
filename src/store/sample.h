// SPDX-License-Identifier: Apache-2.0
/* What is remembered of one moment, and which reasons are worth a row. Pure. */
#pragma once

#include "onepack/battery.h"

/* X(name, how): the columns of a pack, FIELD = the field of that name, else an extreme of the
 * pack's lists. */
#define SAMPLE_PACK_COLUMNS(X)              \
	X(state, FIELD)                     \
	X(voltage, FIELD)                   \
	X(current, FIELD)                   \
	X(soc, FIELD)                       \
	X(mos_temperature, FIELD)           \
	X(cell_min, CELL_MIN)               \
	X(cell_max, CELL_MAX)               \
	X(temperature_min, TEMPERATURE_MIN) \
	X(temperature_max, TEMPERATURE_MAX)

enum sample_pack_column {
#define X(name, how) SAMPLE_PACK_##name,
	SAMPLE_PACK_COLUMNS(X)
#undef X
		SAMPLE_PACK_COUNT
};

#define X(name, unit, meaning) +1
enum { SAMPLE_BATTERY_COUNT = ONEPACK_BATTERY_FIELDS(X) };
#undef X

/* Values stand in the order of the columns; FIELD_UNKNOWN = not known. */
struct sample {
	int64_t monotonic_ms;
	int64_t wall_ms; /* as the clock said then; may be wrong */
	int32_t battery[SAMPLE_BATTERY_COUNT];
	int32_t pack_count;
	int32_t pack_number[ONEPACK_MAX_PACKS];
	int32_t pack[ONEPACK_MAX_PACKS][SAMPLE_PACK_COUNT];
};

/* Takes a sample. Packs that were never there (no number, absent) are left out. */
void sample_take(const struct battery *battery, int64_t monotonic_ms, int64_t wall_ms,
		 struct sample *out);

/* A reason that came into force. */
struct reason_row {
	int64_t monotonic_ms;
	int64_t wall_ms;
	struct reason reason;
};

/* Last remembered reason per limit. Start with {0}. */
struct reason_memory {
	bool known[LIMIT_COUNT];
	struct reason last[LIMIT_COUNT];
};

/* The reasons of `battery` that differ from what is remembered. A different rule always counts; a
 * different pack, cell or value (by 5 %, values wander during a taper) only when `thorough`, which
 * the caller says once per sample. Returns the number written to `out`. */
int reason_changes(struct reason_memory *memory, const struct battery *battery, bool thorough,
		   struct reason out[LIMIT_COUNT]);
