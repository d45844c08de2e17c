// SPDX-License-Identifier: Apache-2.0
/* The alarm names of the whole product, once. A *protection* means that a BMS acted, a *warning*
 * that it may soon; the same names serve both, in two separate sets. Names are public (JSON, MQTT,
 * protocol files) and never reused. */
#pragma once

#include <stdint.h>

#define ONEPACK_ALARMS(X)                                                            \
	X(cell_overvoltage, "a cell is above its voltage limit")                     \
	X(cell_undervoltage, "a cell is below its voltage limit")                    \
	X(pack_overvoltage, "the pack voltage is too high")                          \
	X(pack_undervoltage, "the pack voltage is too low")                          \
	X(charge_overcurrent, "charge current too high")                             \
	X(discharge_overcurrent, "discharge current too high")                       \
	X(short_circuit, "short circuit at the output")                              \
	X(charge_overtemperature, "too hot to charge")                               \
	X(charge_undertemperature, "too cold to charge")                             \
	X(discharge_overtemperature, "too hot to discharge")                         \
	X(discharge_undertemperature, "too cold to discharge")                       \
	X(mos_overtemperature, "the power switches are too hot")                     \
	X(cell_imbalance, "the cells drift apart")                                   \
	X(temperature_sensor_fault, "a temperature sensor is broken or missing")     \
	X(current_sensor_fault, "the current sensor is broken")                      \
	X(charge_mos_fault, "the charge switch does not obey")                       \
	X(discharge_mos_fault, "the discharge switch does not obey")                 \
	X(precharge_fault, "pre-charge of the output failed")                        \
	X(balance_wire_fault, "a balance wire has too much resistance")              \
	X(cell_count_mismatch, "the number of cells differs from the setting")       \
	X(internal_communication, "parts inside a BMS, or the gateway, cannot talk") \
	X(internal_fault, "internal fault of a BMS")                                 \
	X(pack_lost, "a pack has stopped answering")                                 \
	X(pack_duplicate_address, "two packs answer at one address")                 \
	X(pack_data_implausible, "a pack reports values that cannot be true")        \
	X(circulating_current, "packs charge each other")                            \
	X(low_soc, "state of charge is low")                                         \
	X(soc_drift, "the packs disagree on their state of charge")                  \
	X(second_master, "another master asks on the pack bus")                      \
	X(emergency_stop, "emergency stop is active")                                \
	X(inverter_lost, "the inverter has gone silent")

enum alarm {
#define X(name, meaning) ALARM_##name,
	ONEPACK_ALARMS(X)
#undef X
		ALARM_COUNT
};

_Static_assert(ALARM_COUNT <= 64, "an alarm set is one uint64_t");

/* A set of alarms: bit n is enum alarm n. */
typedef uint64_t alarm_set;

#define ALARM_BIT(alarm) ((alarm_set)1 << (alarm))

/* The public name, e.g. "cell_overvoltage"; NULL outside the enumeration. */
const char *alarm_name(enum alarm alarm);

/* One line for people, e.g. "a cell is above its voltage limit". */
const char *alarm_meaning(enum alarm alarm);

/* The alarm of that name, or -1. */
int alarm_by_name(const char *name);
