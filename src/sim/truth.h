// SPDX-License-Identifier: Apache-2.0
/* What is really so, for the invariants: what a pack may truly take, which fault keeps the gateway
 * from knowing or from acting, and for how long. The table of excuses in truth.c is the only place
 * that says what a fault excuses. */
#pragma once

#include "scenario.h"

/* X(name, what it means): what a fault takes from the gateway. It excuses only what invariants.c
 * says for each, and only for the pack that the fault hits (or all, where it hits none). */
#define TRUTH_EXCUSES(X)                                                        \
	X(current_lies, "the pack measures its current wrongly")                \
	X(cells_lie, "the pack measures a cell wrongly")                        \
	X(heat_lies, "the pack measures its temperature wrongly")               \
	X(unheard, "answers of the pack may not arrive, or may not be its own") \
	X(disobeys, "the inverter takes more current than it was told to")      \
	X(overvolts, "the inverter charges above the voltage that it was told") \
	X(deaf, "the inverter does not hear what it is told")                   \
	X(no_engine, "there is no engine, or it stands still")

enum excuse {
#define X(name, meaning) EXCUSE_BIT_##name,
	TRUTH_EXCUSES(X)
#undef X
};

#define EXCUSE(name) (1u << EXCUSE_BIT_##name)

#define TRUTH_ANY_PACK (-1)

/* The excuses that hold for a pack (0 = only those of the whole site, TRUTH_ANY_PACK = any) at any
 * time from `since_ms` to `now_ms`, as a mask of EXCUSE(). */
unsigned truth_excuses(const struct scenario *scenario, int32_t pack, int64_t since_ms,
		       int64_t now_ms);

/* Whether a fault changed between these moments how packs share the current: one left or came back,
 * blocked, or its lead changed. */
bool truth_network_changed(const struct scenario *scenario, int64_t since_ms, int64_t now_ms);

/* The names in a mask, for people: "unheard, deaf". */
void truth_name_excuses(unsigned excuses, char *text, size_t size);

enum truth_part { TRUTH_BMS, TRUTH_TEMPERATURE, TRUTH_CELLS };

#define TRUTH_PARTS 3

/* What a pack may take in a direction (charging or not), by each of three measures, in A: where its
 * BMS trips; the temperature curve of the gateway at its true temperature; the cell curve at its
 * cells. Each with the tolerance that a measurement deserves. */
double truth_limit_a(const struct scenario *scenario, const struct sim_pack *pack,
		     enum truth_part part, bool charging);

const char *truth_part_name(enum truth_part part);

/* Whether current can flow through its switches. */
bool truth_conducts(const struct sim_pack *pack);
