// SPDX-License-Identifier: Apache-2.0
/* The engine: takes new pack samples, fuses, publishes. One step per completed poll and at least
 * every ENGINE_PERIOD_MS. It owns nothing but its memory between two steps; the parts it talks to
 * are given at the start. */
#pragma once

#include "onepack/board_writer.h"
#include "onepack/fusion.h"
#include "onepack/inverter.h"
#include "onepack/lease.h"
#include "onepack/rack.h"

#include "config.h"
#include "replay.h"

#define ENGINE_PERIOD_MS 100

struct engine_parts {
	const struct config *config;
	struct rack *rack;
	struct replay *replay; /* in place of the rack, NULL = none */
	struct links *links;
	struct lease_page *lease;
	struct board *board;
};

struct engine;

/* NULL when out of memory. Energy totals (Wh) continue from the history; 0 for a fresh start. */
struct engine *engine_new(const struct engine_parts *parts, int32_t charged_wh,
			  int32_t discharged_wh);
void engine_free(struct engine *engine);

/* False when a replayed log is over: nothing was done then. */
bool engine_step(struct engine *engine, int64_t now_ms, int64_t wall_ms);
