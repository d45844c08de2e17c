// SPDX-License-Identifier: Apache-2.0
/* JSON of the public objects, made from the vocabulary tables (jansson). Floats appear here and in
 * the browser only.
 *
 * Writers return a new reference, NULL when out of memory. Unknown is null. Readers take what is
 * there, ignore unknown keys, treat null and wrong types as unknown, and saturate numbers beyond
 * the int32_t of the vocabulary. */
#pragma once

#include <jansson.h>

#include "onepack/battery.h"
#include "onepack/event.h"
#include "onepack/status.h"

/* Flags for json_dumps that print thousandths exactly (53.24, not 53.240000000000002). */
#define ONEPACK_JSON_FLAGS (JSON_COMPACT | JSON_REAL_PRECISION(12))

json_t *json_from_battery(const struct battery *battery); /* contracts: battery with packs */
json_t *json_from_battery_without_packs(
	const struct battery *battery);                           /* the same without "packs" */
json_t *json_from_pack(const struct pack *pack);                  /* as in "packs" */
json_t *json_from_settings(const struct pack_settings *settings); /* known settings only */
json_t *json_from_reason(const struct reason *reason); /* as in "reasons" */
json_t *json_from_event(const struct event *event);
json_t *json_from_inverter(const struct inverter_status *status, int number, int64_t now_ms);
json_t *json_from_bus(const struct bus_status *status);

/* Adds the known fields and texts of an object to `json`: what `wire decode` prints. */
int json_add_known(json_t *json, const void *object, const struct field_table *table);

/* All known things that a battery or pack says, without nulls (cells, temperatures, alarms, packs
 * included). */
json_t *json_known_battery(const struct battery *battery);
json_t *json_known_pack(const struct pack *pack);

/* Reads. `object` is cleared first. Returns 0, or ERR_FORMAT when `json` is not an object. */
int json_to_battery(const json_t *json, struct battery *out);
int json_to_pack(const json_t *json, struct pack *out);

/* Wall time as "2026-01-01T12:00:00.250Z", and back; "" and 0 for unknown. */
#define JSON_TIME_SIZE 32
void json_time_text(int64_t time_ms, char text[JSON_TIME_SIZE]);
int64_t json_time_parse(const char *text);
