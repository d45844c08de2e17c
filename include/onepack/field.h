// SPDX-License-Identifier: Apache-2.0
/* The vocabulary: every quantity that OnePack speaks of is one row here, and only here. Structs,
 * JSON, MQTT, metrics, history, protocol files and docs are made from these tables.
 *
 * Representation. Each quantity is one int32_t. Physical quantities count thousandths of the unit
 * that the public sees (voltage_mv <-> "voltage_v", soc_mpct <-> "soc_pct", temperature_mC <->
 * "temperature_c"), so that one rule converts them all and sums of 16 packs of 200 A and 60 V fit
 * (192 kW = 192e6 mW). FIELD_UNKNOWN means "not known", which is never the same as zero. Current
 * and power are positive while charging. Packs, cells and sensors are numbered from 1. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define FIELD_UNKNOWN INT32_MIN

/* Units: X(UNIT, member suffix, public suffix, thousandths?, symbol, metric suffix).
 * Public value = member / 1000 where thousandths is 1. FLAG is 0 or 1; the last four are
 * enumerations (below). */
#define ONEPACK_UNITS(X)                              \
	X(V, _mv, _v, 1, "V", "volts")                \
	X(A, _ma, _a, 1, "A", "amperes")              \
	X(W, _mw, _w, 1, "W", "watts")                \
	X(AH, _mah, _ah, 1, "Ah", "ampere_hours")     \
	X(KWH, _wh, _kwh, 1, "kWh", "kilowatt_hours") \
	X(PCT, _mpct, _pct, 1, "%", "percent")        \
	X(C, _mC, _c, 1, "degC", "celsius")           \
	X(S, _ms, _s, 1, "s", "seconds")              \
	X(COUNT, , , 0, "", "")                       \
	X(FLAG, , , 0, "", "")                        \
	X(BATTERY_STATE, , , 0, "", "")               \
	X(PACK_STATE, , , 0, "", "")                  \
	X(CHARGE_STAGE, , , 0, "", "")                \
	X(FORCE_CHARGE, , , 0, "", "")

enum unit {
#define X(unit, member, json, milli, symbol, metric) UNIT_##unit,
	ONEPACK_UNITS(X)
#undef X
		UNIT_NUMBER_OF
};

/* X(name, UNIT, meaning): the battery as a whole (contracts: `GET /api/v1/battery`). */
#define ONEPACK_BATTERY_FIELDS(X)                                                                \
	X(state, BATTERY_STATE, "what the battery does now")                                     \
	X(voltage, V, "capacity-weighted mean of the conducting packs")                          \
	X(current, A, "sum of the packs, positive while charging")                               \
	X(power, W, "voltage times current")                                                     \
	X(soc, PCT, "state of charge; 100 only when every usable pack has ended its charge")     \
	X(soh, PCT, "state of health, weighted by capacity")                                     \
	X(capacity, AH, "full capacity of the online packs")                                     \
	X(remaining, AH, "charge left in the online packs")                                      \
	X(cycles, COUNT, "equivalent full cycles, weighted by capacity")                         \
	X(charge_voltage_limit, V, "the charger may not go above this")                          \
	X(discharge_voltage_limit, V, "discharge ends here")                                     \
	X(charge_current_limit, A, "magnitude; 0 = no charging")                                 \
	X(discharge_current_limit, A, "magnitude; 0 = no discharging")                           \
	X(charge_allowed, FLAG, "charging is permitted")                                         \
	X(discharge_allowed, FLAG, "discharging is permitted")                                   \
	X(charge_stage, CHARGE_STAGE, "where the charge cycle stands")                           \
	X(force_charge, FORCE_CHARGE, "the battery asks to be charged from the grid")            \
	X(full_charge_request, FLAG, "a full charge is wanted to calibrate the state of charge") \
	X(temperature, C, "mean cell temperature")                                               \
	X(temperature_min, C, "coldest cell sensor")                                             \
	X(temperature_max, C, "hottest cell sensor")                                             \
	X(temperature_min_pack, COUNT, "pack of the coldest sensor")                             \
	X(temperature_max_pack, COUNT, "pack of the hottest sensor")                             \
	X(mos_temperature_max, C, "hottest power switch")                                        \
	X(cells_in_series, COUNT, "cells in series in each pack")                                \
	X(cell_min, V, "lowest cell")                                                            \
	X(cell_max, V, "highest cell")                                                           \
	X(cell_mean, V, "mean of all cells")                                                     \
	X(cell_min_pack, COUNT, "pack of the lowest cell")                                       \
	X(cell_min_cell, COUNT, "number of the lowest cell in its pack")                         \
	X(cell_max_pack, COUNT, "pack of the highest cell")                                      \
	X(cell_max_cell, COUNT, "number of the highest cell in its pack")                        \
	X(packs_total, COUNT, "packs expected, else the most ever accepted since start")         \
	X(packs_online, COUNT, "packs in state active or held")                                  \
	X(packs_blocking_charge, COUNT, "online packs whose charge switch is open")              \
	X(packs_blocking_discharge, COUNT, "online packs whose discharge switch is open")        \
	X(energy_charged, KWH, "counted by the gateway since its installation")                  \
	X(energy_discharged, KWH, "counted by the gateway since its installation")

#define ONEPACK_BATTERY_TEXTS(X) \
	X(manufacturer)          \
	X(model)                 \
	X(serial)                \
	X(hardware_version)      \
	X(firmware_version)

/* X(name, UNIT, meaning): one pack. */
#define ONEPACK_PACK_FIELDS(X)                                                         \
	X(pack, COUNT, "stable number in the rack, from 1")                            \
	X(address, COUNT, "address on its bus; an overheard JK master has 0")          \
	X(state, PACK_STATE, "how far the gateway trusts this pack")                   \
	X(age, S, "time since the last complete, plausible answer")                    \
	X(share, PCT, "learned share of a current step, over all packs on the DC bus") \
	X(share_confidence, PCT, "how far that was learned; 0 = capacity alone") \
	X(voltage, V, "pack voltage")                                                  \
	X(current, A, "positive while charging")                                       \
	X(soc, PCT, "state of charge")                                                 \
	X(soh, PCT, "state of health")                                                 \
	X(capacity, AH, "full capacity")                                               \
	X(remaining, AH, "charge left")                                                \
	X(cycles, COUNT, "full cycles")                                                \
	X(charge_voltage_limit, V, "what the pack's BMS asks for")                     \
	X(discharge_voltage_limit, V, "where the pack's BMS ends discharge")           \
	X(charge_current_limit, A, "the pack's own limit, a magnitude")                \
	X(discharge_current_limit, A, "the pack's own limit, a magnitude")             \
	X(charge_mos, FLAG, "charge switch closed")                                    \
	X(discharge_mos, FLAG, "discharge switch closed")                              \
	X(precharge, FLAG, "pre-charge running")                                       \
	X(heater, FLAG, "heater on")                                                   \
	X(balancing, FLAG, "balancer working")                                         \
	X(balance_current, A, "current of the active balancer")                        \
	X(mos_temperature, C, "power switches")

#define ONEPACK_PACK_TEXTS(X) \
	X(bus)                \
	X(serial)             \
	X(model)              \
	X(hardware_version)   \
	X(firmware_version)   \
	X(protocol)

/* X(name, UNIT, meaning): settings that a pack's BMS works with. Voltages are per cell unless the
 * name says pack. */
#define ONEPACK_SETTING_FIELDS(X)                                         \
	X(smart_sleep_cell, V, "smart sleep below this")                  \
	X(cell_undervoltage, V, "under-voltage protection")               \
	X(cell_undervoltage_release, V, "its recovery")                   \
	X(cell_overvoltage, V, "over-voltage protection")                 \
	X(cell_overvoltage_release, V, "its recovery")                    \
	X(balance_trigger, V, "difference that starts balancing")         \
	X(soc_full_cell, V, "taken as 100 %")                             \
	X(soc_empty_cell, V, "taken as 0 %")                              \
	X(charge_cell, V, "requested charge voltage")                     \
	X(float_cell, V, "requested float voltage")                       \
	X(power_off_cell, V, "automatic power-off")                       \
	X(charge_overcurrent, A, "continuous charge current limit")       \
	X(charge_overcurrent_delay, S, "")                                \
	X(charge_overcurrent_release, S, "")                              \
	X(discharge_overcurrent, A, "continuous discharge current limit") \
	X(discharge_overcurrent_delay, S, "")                             \
	X(discharge_overcurrent_release, S, "")                           \
	X(short_circuit_release, S, "")                                   \
	X(short_circuit_delay_us, COUNT, "microseconds")                  \
	X(balance_current_max, A, "")                                     \
	X(balance_start_cell, V, "no balancing below this")               \
	X(charge_overtemperature, C, "")                                  \
	X(charge_overtemperature_release, C, "")                          \
	X(discharge_overtemperature, C, "")                               \
	X(discharge_overtemperature_release, C, "")                       \
	X(charge_undertemperature, C, "")                                 \
	X(charge_undertemperature_release, C, "")                         \
	X(mos_overtemperature, C, "")                                     \
	X(mos_overtemperature_release, C, "")                             \
	X(cell_count, COUNT, "cells that the BMS is set to")              \
	X(charge_switch, FLAG, "charging permitted by its owner")         \
	X(discharge_switch, FLAG, "discharging permitted by its owner")   \
	X(balance_switch, FLAG, "balancing permitted by its owner")       \
	X(heating_switch, FLAG, "heating permitted by its owner")         \
	X(design_capacity, AH, "nominal capacity")                        \
	X(device_address, COUNT, "DIP address")                           \
	X(precharge_time, S, "")                                          \
	X(smart_sleep_delay, S, "")

/* X(name, UNIT, meaning): what an inverter tells its battery. */
#define ONEPACK_INVERTER_FIELDS(X)                                            \
	X(inverter_alive, FLAG, "a heartbeat or a poll was heard")            \
	X(inverter_voltage, V, "battery voltage as the inverter measures it") \
	X(inverter_current, A, "battery current as the inverter measures it") \
	X(inverter_mode, COUNT, "0 none, 1 standby, 2 charging, 3 discharging")

#define ONEPACK_INVERTER_TEXTS(X) \
	X(inverter_manufacturer)  \
	X(inverter_time)

/* The member that holds a field: FIELD_MEMBER(voltage, V) is voltage_mv. */
#define FIELD_MEMBER_V(name)             name##_mv
#define FIELD_MEMBER_A(name)             name##_ma
#define FIELD_MEMBER_W(name)             name##_mw
#define FIELD_MEMBER_AH(name)            name##_mah
#define FIELD_MEMBER_KWH(name)           name##_wh
#define FIELD_MEMBER_PCT(name)           name##_mpct
#define FIELD_MEMBER_C(name)             name##_mC
#define FIELD_MEMBER_S(name)             name##_ms
#define FIELD_MEMBER_COUNT(name)         name
#define FIELD_MEMBER_FLAG(name)          name
#define FIELD_MEMBER_BATTERY_STATE(name) name
#define FIELD_MEMBER_PACK_STATE(name)    name
#define FIELD_MEMBER_CHARGE_STAGE(name)  name
#define FIELD_MEMBER_FORCE_CHARGE(name)  name
#define FIELD_MEMBER(name, unit)         FIELD_MEMBER_##unit(name)

/* Declares one member of a struct; meant to be handed to the tables above. */
#define FIELD_DECLARE(name, unit, meaning) int32_t FIELD_MEMBER(name, unit);

#define FIELD_TEXT_SIZE          32 /* bytes, with the final zero; "" = unknown */
#define FIELD_DECLARE_TEXT(name) char name[FIELD_TEXT_SIZE];

/* One row at run time. */
struct field {
	const char *name;    /* "voltage": as protocol files say it */
	const char *json;    /* "voltage_v": as the public sees it */
	const char *meaning; /* one line */
	enum unit unit;
	size_t offset; /* of the int32_t in its struct */
};

struct field_text {
	const char *name; /* also the JSON key */
	size_t offset;    /* of the char[FIELD_TEXT_SIZE] in its struct */
};

/* All rows of one struct. */
struct field_table {
	const struct field *fields;
	size_t field_count;
	const struct field_text *texts;
	size_t text_count;
};

extern const struct field_table field_battery;  /* struct battery */
extern const struct field_table field_pack;     /* struct pack */
extern const struct field_table field_settings; /* struct pack_settings */
extern const struct field_table field_inverter; /* struct inverter_view */

/* The row of that name (not the JSON key), or NULL. */
const struct field *field_find(const struct field_table *table, const char *name);
const struct field_text *field_find_text(const struct field_table *table, const char *name);

/* Access by row. `object` is the struct that the table describes. */
int32_t field_get(const void *object, const struct field *field);
void field_set(void *object, const struct field *field, int32_t value);

/* Sets every field of the object to FIELD_UNKNOWN and every text to "". Other members stay. */
void field_clear(void *object, const struct field_table *table);

/* Units. A unit is `thousandths` when the member counts 1/1000 of the public unit. */
int unit_is_thousandths(enum unit unit);
const char *unit_symbol(enum unit unit);        /* "V", "" for counts */
const char *unit_metric_suffix(enum unit unit); /* "volts", "" for counts */

/* Enumerations: the public word of a value ("charging"), NULL when the unit has no words or the
 * value is outside; and the value of a word, -1 when there is none. */
const char *unit_word(enum unit unit, int32_t value);
int unit_value(enum unit unit, const char *word);
