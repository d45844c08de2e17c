// SPDX-License-Identifier: Apache-2.0
/* The `battery:` part of the configuration, one row each:
 *
 *   X(name, UNIT, default, lowest, highest, meaning)
 *
 * Values are in the unit's member form (mV, mA, 1/1000 %, ms, 1/1000 degC). FIELD_UNKNOWN as
 * default = not set. The row's key in YAML is its public name: X(charge_target_cell, V, ...) is
 * `charge_target_cell_v`. From these rows come the struct, the loader and the table in
 * docs/fusion.md, which also explains the rules by their letters. */
#pragma once

#include "onepack/field.h"

/* What every owner may want to look at. */
#define ONEPACK_FUSION_MAIN_KEYS(X)                                                               \
	X(packs_expected, COUNT, FIELD_UNKNOWN, 1, 16,                                            \
	  "packs that belong to the rack; default: as many as were ever accepted")                \
	X(cells_in_series, COUNT, 16, 4, 32, "cells in series in each pack")                      \
	X(charge_target_cell, V, 3450, 2000, 4200, "charge until the cells reach this")           \
	X(float_target_cell, V, 3350, 2000, 4200, "hold the cells here once all packs are full")  \
	X(cell_overvoltage, V, 3650, 2500, 4300, "no charging when a cell is here")               \
	X(cell_undervoltage, V, 2600, 1500, 3500, "no discharging when a cell is here")           \
	X(charge_current_max, A, FIELD_UNKNOWN, 0, 3200000, "never charge with more than this")   \
	X(discharge_current_max, A, FIELD_UNKNOWN, 0, 3200000,                                    \
	  "never discharge with more than this")                                                  \
	X(limit_headroom, PCT, 95000, 10000, 100000, "share of a pack's own limit that is used")  \
	X(rise_hold, S, 30000, 0, 600000, "after a fall a limit waits this long before it rises") \
	X(rise_pct_per_s, COUNT, 2, 1, 100,                                                       \
	  "then it rises by this part of the sum of the pack limits each second")                 \
	X(start_current, A, 5000, 0, 100000,                                                      \
	  "zero is left only when this much is permitted, or C/50 of a small battery")            \
	X(soc_slew_pct_per_s, COUNT, 1, 1, 100, "the shown state of charge moves no faster")      \
	X(quorum, PCT, 50000, 0, 100000,                                                          \
	  "no current when less than this part of the expected capacity is active")               \
	X(join_voltage, V, 500, 50, 5000, "a pack joins when it is this close to the others ...") \
	X(join_time, S, 10000, 0, 600000, "... for this long")                                    \
	X(refuse_voltage, V, 1500, 100, 10000, "a pack further away is refused")                  \
	X(n_minus_1, FLAG, 0, 0, 1, "limits stay safe when any one pack trips")                   \
	X(rest_for_balancing, FLAG, 0, 0, 1, "a pack that blocks charging stops all charging")    \
	X(loss_hold, S, FIELD_UNKNOWN, 0, 86400000,                                               \
	  "give no current when a pack has been silent for this long; default: go on without it") \
	X(recovery_current, A, 0, 0, 50000,                                                       \
	  "charge with this for up to an hour when packs fell silent empty, to wake them")        \
	X(full_charge_days, COUNT, 30, 0, 365,                                                    \
	  "ask for a full charge when there was none for so many days; 0 = never")

/* A, N: what is believed, and for how long. */
#define ONEPACK_FUSION_BELIEF_KEYS(X)                                                         \
	X(fresh, S, 3000, 1000, 10000,                                                        \
	  "an answer counts in full up to this age, or two of the pack's cycles")             \
	X(held, S, 10000, 2000, 30000,                                                        \
	  "with half its limit up to this age, or five cycles; then the pack is silent")      \
	X(lost, S, 30000, 5000, 60000, "from this age on its measurements are not shown")     \
	X(cell_possible_min, V, 1500, 500, 2500, "a cell below this is a wrong measurement")  \
	X(cell_possible_max, V, 4500, 3700, 5000, "and so is one above this")                 \
	X(temperature_possible_min, C, -40000, -60000, 0, "the same for temperatures")        \
	X(temperature_possible_max, C, 120000, 80000, 200000, "the same for temperatures")    \
	X(current_possible, PCT, 150000, 100000, 1000000,                                     \
	  "a current beyond this part of the largest limit ever stated, or of 1 C, is wrong") \
	X(sum_tolerance, V, 500, 50, 5000,                                                    \
	  "the cells add up to the pack voltage within this, or 1.5 %")                       \
	X(cell_surprise, V, 250, 20, 2000,                                                    \
	  "a cell that moves by more between two answers has to be confirmed")                \
	X(temperature_surprise, C, 15000, 1000, 100000, "the same for temperatures")          \
	X(soc_surprise, PCT, 10000, 1000, 100000, "the same for the state of charge")         \
	X(confirm_worse, COUNT, 2, 1, 10, "a surprise acts on this answer in a row ...")      \
	X(confirm_better, COUNT, 3, 1, 10, "... and one that takes a danger back on this")    \
	X(quarantine_after, COUNT, 3, 1, 100, "bad answers in a row that exclude a pack")     \
	X(quarantine_until, COUNT, 10, 1, 1000, "good answers in a row that bring it back")   \
	X(join_answers, COUNT, 2, 1, 100, "good answers in a row before a pack joins")        \
	X(duplicate_memory, S, 60000, 10000, 3600000,                                         \
	  "two packs at one address are believed again when they stopped for this long")      \
	X(meter_tolerance, A, 3000, 100, 100000,                                              \
	  "a meter on the bus proves nothing below this, or 2 % of its current")              \
	X(isolated_time, S, 60000, 10000, 3600000,                                            \
	  "a silent pack whose current is missing for this long is gone")

/* C, D, E, G, M: details of the rules. */
#define ONEPACK_FUSION_DETAIL_KEYS(X)                                                            \
	X(voltage_outlier, V, 500, 50, 5000,                                                     \
	  "a pack this far from the median is not in the voltage of the battery")                \
	X(soc_hold, PCT, 98000, 50000, 100000,                                                   \
	  "no more than this is shown until every pack has ended its charge")                    \
	X(full_near_cell, V, 20, 1, 200,                                                         \
	  "a pack has ended its charge this close to its target ...")                            \
	X(full_current, PCT, 5000, 500, 50000,                                                   \
	  "... with at most this part of its capacity in an hour ...")                           \
	X(full_time, S, 60000, 0, 3600000, "... for this long")                                  \
	X(refill, PCT, 5000, 1000, 50000, "it is charged again when this part was taken out")    \
	X(float_fall_per_min, V, 100, 1, 5000, "the charge voltage falls to float so fast")      \
	X(voltage_rise_hold, S, 60000, 0, 3600000, "after a fall it waits this long ...")        \
	X(voltage_rise_per_s, V, 1, 1, 1000, "... and then rises by this")                       \
	X(silent_cell, V, 3375, 2000, 4200, "charge no cell higher while a pack is silent")      \
	X(cell_hysteresis, V, 20, 0, 500,                                                        \
	  "a cell releases what it lowered when it is this far clear of its curve")              \
	X(stale_limit, PCT, 50000, 0, 100000, "part of its limit that a silent pack keeps")      \
	X(critical_cell, V, 100, 10, 1000,                                                       \
	  "a cell this far beyond its limit says that its BMS has failed ...")                   \
	X(critical_time, S, 600000, 0, 86400000,                                                 \
	  "... which is forgiven after this long, or when somebody acknowledges it")             \
	X(learn_shares, FLAG, 1, 0, 1, "learn each pack's share of the current from load steps") \
	X(share_min, PCT, 50000, 10000, 100000,                                                  \
	  "a learned share is at least this part of what the capacity says ...")                 \
	X(share_max, PCT, 200000, 100000, 1000000, "... and at most this")                       \
	X(share_step, PCT, 4000, 1000, 50000,                                                    \
	  "smaller load steps (parts of the capacity per hour) teach nothing")                   \
	X(low_soc, PCT, 10000, 0, 100000, "warning `low_soc` below this")                        \
	X(soc_drift, PCT, 30000, 1000, 100000, "warning `soc_drift` when packs are this far apart")

#define ONEPACK_FUSION_KEYS(X)        \
	ONEPACK_FUSION_MAIN_KEYS(X)   \
	ONEPACK_FUSION_BELIEF_KEYS(X) \
	ONEPACK_FUSION_DETAIL_KEYS(X)
