// SPDX-License-Identifier: Apache-2.0
/* The two things everything is about: a pack, and the one battery that the packs make together.
 * Plain data without pointers: copied between threads and, through shared memory, between
 * processes. Scalar members come from the vocabulary in field.h, which gives their units, signs and
 * the value for "unknown". */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "onepack/alarm.h"
#include "onepack/field.h"

#define ONEPACK_MAX_PACKS        16
#define ONEPACK_MAX_CELLS        32 /* in series in one pack; JK records have room for 32 */
#define ONEPACK_MAX_TEMPERATURES 8

enum battery_state {
	BATTERY_CHARGING,
	BATTERY_DISCHARGING,
	BATTERY_STANDBY,
	BATTERY_FAULT,
	BATTERY_NO_DATA
};

enum pack_state {
	PACK_ABSENT,
	PACK_PROBING,
	PACK_CANDIDATE,
	PACK_ACTIVE,
	PACK_HELD,
	PACK_LOST,
	PACK_QUARANTINED
};

enum charge_stage { CHARGE_BULK, CHARGE_ABSORPTION, CHARGE_FLOAT, CHARGE_DONE };

enum force_charge { FORCE_NONE, FORCE_SOFT, FORCE_URGENT };

/* The settings of one pack's BMS, as far as they were read. */
struct pack_settings {
	ONEPACK_SETTING_FIELDS(FIELD_DECLARE)
};

struct pack {
	ONEPACK_PACK_FIELDS(FIELD_DECLARE)
	ONEPACK_PACK_TEXTS(FIELD_DECLARE_TEXT)
	int32_t cell_count;                                /* cells in cells_mv, 0 = unknown */
	int32_t cells_mv[ONEPACK_MAX_CELLS];               /* FIELD_UNKNOWN where one is missing */
	int32_t temperature_count;                         /* sensors in temperatures_mC */
	int32_t temperatures_mC[ONEPACK_MAX_TEMPERATURES]; /* FIELD_UNKNOWN where one is missing */
	alarm_set protections;
	alarm_set warnings;
	struct pack_settings settings;
};

/* The four limits that the battery gives to its inverters. */
enum limit {
	LIMIT_CHARGE_CURRENT,
	LIMIT_DISCHARGE_CURRENT,
	LIMIT_CHARGE_VOLTAGE,
	LIMIT_DISCHARGE_VOLTAGE
};

#define LIMIT_COUNT 4

#define REASON_RULE_SIZE 32
#define REASON_TEXT_SIZE 160

/* What would limit next if the reason of a limit went away: for example the second tightest pack,
 * or, while a limit is on its way up, what it rises to. */
struct runner_up {
	int32_t value; /* mA or mV, what the limit would be then */
	int32_t pack, cell;
	char rule[REASON_RULE_SIZE]; /* "" = nothing else limits */
	char text[REASON_TEXT_SIZE];
};

/* Why a limit has its value. */
struct reason {
	enum limit limit;
	int32_t value;               /* mA or mV, the published limit */
	int32_t pack;                /* the pack that decides, FIELD_UNKNOWN = none in particular */
	int32_t cell;                /* its cell, FIELD_UNKNOWN = none in particular */
	char rule[REASON_RULE_SIZE]; /* a short stable word, e.g. "cell_voltage"; docs/fusion.md
					lists them */
	char text[REASON_TEXT_SIZE]; /* one plain sentence */
	struct runner_up runner_up;
};

struct battery {
	int64_t time_ms; /* wall clock, ms since 1970 UTC; 0 = unknown (virtual time) */
	ONEPACK_BATTERY_FIELDS(FIELD_DECLARE)
	ONEPACK_BATTERY_TEXTS(FIELD_DECLARE_TEXT)
	alarm_set protections; /* empty while the battery is usable */
	alarm_set warnings;
	int32_t reason_count;
	struct reason reasons[LIMIT_COUNT];
	int32_t pack_count; /* packs[0 .. pack_count-1], in order of their pack number */
	struct pack packs[ONEPACK_MAX_PACKS];
};

/* What an inverter said about itself and about the battery. */
struct inverter_view {
	ONEPACK_INVERTER_FIELDS(FIELD_DECLARE)
	ONEPACK_INVERTER_TEXTS(FIELD_DECLARE_TEXT)
};

/* Everything unknown, no alarms, no cells, no packs. */
void battery_clear(struct battery *battery);
void pack_clear(struct pack *pack);
void inverter_view_clear(struct inverter_view *view);

/* "charge_current", ...: the word in the JSON `reasons`. */
const char *limit_name(enum limit limit);

/* The cells of the battery seen as one pack: per position the mean over the online packs that
 * report it, with the positions of the battery's extremes overwritten by those extremes, so that a
 * list and the extremes always agree. Without pack data every position is cell_mean. Returns the
 * number of positions (0 when nothing is known). */
int battery_cells(const struct battery *battery, int32_t cells_mv[ONEPACK_MAX_CELLS]);
