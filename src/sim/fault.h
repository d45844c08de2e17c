// SPDX-License-Identifier: Apache-2.0
/* What can go wrong in a simulated site, written once: the table of faults. A fault has a kind, a
 * start, an end, what it hits, and how strong it is; what all faults of a scenario do at one moment
 * is a value (struct fault_effects) that follows from the list and the time alone. Pure.
 *
 * fault_apply() puts the physical part of the effects into the models (cells, packs, BMS,
 * inverter). What happens to bytes, to the clock and to the gateway itself is carried out by
 * whoever moves them: the world (world.h) reads those members of the effects. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inverter.h"
#include "plant.h"

/* What a fault hits, which says what `pack` and `cell` of a fault mean. */
enum fault_target {
	FAULT_OF_PACK, /* one pack, or all with pack 0 */
	FAULT_OF_CELL, /* one cell of one pack; all its cells with cell 0 */
	FAULT_OF_LINE, /* the RS485 line of the packs */
	FAULT_OF_INVERTER,
	FAULT_OF_GATEWAY,
};

/* X(name, target, unit, low, high, shortest, longest, meaning): the magnitude is in `unit`, from
 * low to high ("" = it has none); shortest and longest are typical durations in seconds, which the
 * swarm draws from. A growing fault begins at nothing and reaches its magnitude at its end. */
#define SIM_FAULTS(X)                                                                              \
	/* answers of one pack, on their way to the gateway */                                     \
	X(answer_lost, PACK, "%", 5, 100, 5, 1800, "answers never arrive")                         \
	X(answer_late, PACK, "ms", 50, 3000, 30, 1800, "answers come so much later")               \
	X(answer_garbled, PACK, "%", 5, 100, 5, 1800, "answers arrive with flipped bits")          \
	X(answer_truncated, PACK, "%", 5, 100, 5, 1800, "answers end too early")                   \
	X(answer_doubled, PACK, "%", 5, 100, 30, 1800, "answers arrive twice")                     \
	X(answer_foreign, PACK, "%", 5, 100, 5, 1800, "another pack's answer arrives instead")     \
	X(duplicate_address, PACK, "pack", 1, 16, 60, 3600, "answers at another pack's address")   \
	X(line_noise, LINE, "ppm", 10, 5000, 30, 3600, "bytes with a flipped bit")                 \
	X(line_drop, LINE, "ppm", 10, 5000, 30, 3600, "lost bytes")                                \
	X(second_master, LINE, "", 0, 0, 30, 1800, "somebody else polls the packs, too")           \
	/* sensors: what the BMS measures, protects by and reports */                              \
	X(report_frozen, PACK, "", 0, 0, 10, 3600, "repeats its last report for ever")             \
	X(report_spike, PACK, "%", 0.1, 10, 60, 3600, "reports with one senseless value")          \
	X(current_frozen, PACK, "", 0, 0, 10, 1800, "the current sensor stands still")             \
	X(current_drift, PACK, "A", -10, 10, 600, 14400, "the current sensor drifts (grows)")      \
	X(current_wrong, PACK, "%", -50, 50, 60, 7200, "the current sensor is off by a part")      \
	X(cell_frozen, CELL, "", 0, 0, 10, 1800, "the reading of a cell stands still")             \
	X(cell_drift, CELL, "V", -0.1, 0.1, 600, 14400, "the reading of a cell drifts (grows)")    \
	X(cell_wrong, CELL, "V", -0.5, 0.5, 30, 7200, "the reading of a cell is off")              \
	X(heat_frozen, PACK, "", 0, 0, 60, 7200, "temperature sensors stand still")                \
	X(heat_drift, PACK, "K", -15, 15, 600, 14400, "temperature sensors drift (grows)")         \
	X(heat_wrong, PACK, "K", -60, 60, 60, 7200, "temperature sensors are off")                 \
	X(soc_frozen, PACK, "", 0, 0, 60, 14400, "the charge counter stands still")                \
	X(soc_drift, PACK, "%", -20, 20, 600, 14400, "the charge counter drifts (grows)")          \
	X(soc_wrong, PACK, "%", -100, 100, 30, 7200, "the charge counter is off")                  \
	/* packs */                                                                                \
	X(block_charge, PACK, "", 0, 0, 30, 7200, "keeps its charge switch open")                  \
	X(block_discharge, PACK, "", 0, 0, 30, 7200, "keeps its discharge switch open")            \
	X(trip, PACK, "", 0, 0, 30, 1800, "both switches open without a reason")                   \
	X(silent, PACK, "", 0, 0, 5, 7200, "says nothing, but still conducts")                     \
	X(vanish, PACK, "", 0, 0, 30, 14400, "off the bus and silent, then back")                  \
	X(swap, PACK, "%", 0, 100, 60, 3600, "pulled, and put back with this charge")              \
	X(limiting, PACK, "A", 5, 20, 60, 7200, "limits its charge current by itself")             \
	X(cable, PACK, "mohm", 5, 200, 60, 14400, "resistance in its lead")                        \
	X(cable_growing, PACK, "mohm", 5, 400, 600, 14400, "resistance in its lead (grows)")       \
	X(cell_leak, CELL, "A", 0.05, 5, 600, 86400, "a cell discharges itself")                   \
	X(cell_resistance, CELL, "mohm", 0.1, 5, 600, 86400, "a cell's resistance (grows)")        \
	X(overheating, PACK, "W", 50, 600, 600, 7200, "something in the pack makes heat")          \
	X(hot_weather, PACK, "K", 5, 30, 3600, 43200, "hotter round the packs")                    \
	X(cold_weather, PACK, "K", 5, 40, 3600, 43200, "colder round the packs")                   \
	/* inverters */                                                                            \
	X(inverter_ignores_zero, INVERTER, "", 0, 0, 30, 3600, "a limit of 0 does not count")      \
	X(inverter_overshoots, INVERTER, "%", 5, 50, 30, 3600, "takes more than its limit")        \
	X(inverter_overvolts, INVERTER, "V", 0.1, 2, 30, 3600, "charges above its voltage")        \
	X(inverter_restarts, INVERTER, "", 0, 0, 5, 120, "goes off and forgets everything")        \
	X(inverter_silent, INVERTER, "", 0, 0, 10, 3600, "sends nothing, but still hears")         \
	X(inverter_deaf, INVERTER, "", 0, 0, 1, 120, "hears nothing")                              \
	/* the gateway */                                                                          \
	X(gateway_crash, GATEWAY, "", 0, 0, 1, 120, "the engine dies, and starts anew at the end") \
	X(engine_hung, GATEWAY, "", 0, 0, 1, 60, "the engine stands still, and goes on")           \
	X(link_crash, GATEWAY, "", 0, 0, 1, 60, "the link dies, and starts anew at the end")       \
	X(clock_jump, GATEWAY, "s", -86400, 86400, 10, 86400, "the wall clock is off by so much")  \
	X(slow_disk, GATEWAY, "ms", 100, 10000, 10, 3600, "writing takes so long")

enum fault_kind {
#define X(name, target, unit, low, high, shortest, longest, meaning) FAULT_##name,
	SIM_FAULTS(X)
#undef X
		FAULT_KINDS
};

#define FAULT_ALL_KINDS (FAULT_KINDS == 64 ? UINT64_MAX : (UINT64_C(1) << FAULT_KINDS) - 1)

struct fault_info {
	const char *name;
	enum fault_target target;
	const char *unit; /* "" = no magnitude */
	double low, high;
	int32_t shortest_s, longest_s;
	const char *meaning;
};

const struct fault_info *fault_info(enum fault_kind kind);

/* The kind of that name, or -1. */
int fault_by_name(const char *name);

/* Reads "trip,silent", "all" or "none" into a mask of kinds: bit n is enum fault_kind n. 0, or
 * ERR_FORMAT. */
int fault_parse_kinds(const char *text, uint64_t *kinds);

struct fault {
	enum fault_kind kind;
	int32_t pack, cell;       /* from 1; 0 = all, or has none */
	int64_t start_ms, end_ms; /* acts from start to before end */
	int32_t milli;            /* magnitude, in thousandths of the kind's unit */
};

static inline bool fault_acts(const struct fault *fault, int64_t now_ms)
{
	return fault->start_ms <= now_ms && now_ms < fault->end_ms;
}

/* What happens to the answers of one pack; 0 = nothing. */
struct fault_answers {
	uint32_t lost_ppm, garbled_ppm, truncated_ppm, doubled_ppm, foreign_ppm;
	int32_t late_ms;
	int32_t as_pack; /* it answers at the address of this pack; 0 = at its own */
};

struct fault_pack {
	struct bms_faults bms;
	struct fault_answers answers;
	bool muted, unplugged;
	int32_t swap_mpct; /* put back with this charge; FIELD_UNKNOWN = as it was */
	double limiting_a; /* 0 = not limiting */
	double cable_ohm, heat_w, ambient_k;
	int leak_cell, ohm_cell; /* from 1; 0 = all cells */
	double leak_a, cell_ohm;
};

struct fault_effects {
	struct fault_pack packs[ONEPACK_MAX_PACKS]; /* pack n is packs[n - 1] */
	struct inverter_faults inverter;
	bool inverter_silent, inverter_deaf; /* the world keeps its frames from it */
	/* for the world */
	uint32_t noise_ppm, drop_ppm;
	bool second_master;
	bool gateway_down; /* no engine; its link stays. At the end a fresh engine starts */
	bool engine_hung;  /* an engine that makes no step; its memory stays */
	bool link_down;    /* nobody talks to the inverter. At the end a fresh link starts */
	int64_t clock_shift_ms;
	int32_t disk_ms; /* what each write takes longer */
};

/* What acts at `now_ms`. Of two faults on the same place the later one in the list wins; heat,
 * weather and resistances add up. */
void fault_effects_at(const struct fault *faults, int count, int64_t now_ms,
		      struct fault_effects *out);

/* Puts the physical part into the models, to be called before each step of the plant. `before` are
 * the effects of the last call, those of no faults at first. `inverter` may be NULL. */
void fault_apply(const struct fault_effects *effects, const struct fault_effects *before,
		 struct plant *plant, struct sim_inverter *inverter);

/* One answer on its way: `bytes` has room for `size`. Changes it as the faults say and returns how
 * often it arrives (0, 1 or 2). Foreign answers are the caller's: it asks fault_is_foreign() before
 * it encodes, and delays by late_ms. */
int fault_spoil(const struct fault_answers *answers, struct sim_random *random, uint8_t *bytes,
		size_t *count);
bool fault_is_foreign(const struct fault_answers *answers, struct sim_random *random);
