// SPDX-License-Identifier: Apache-2.0
/* A whole site in one thread and in virtual time: the real gateway (polling, fusion, lease,
 * inverter link: the same code as in onepackd and onepack-link, without threads, ttys and clock)
 * between a simulated plant and a simulated inverter. No wall clock, no randomness but the
 * scenario's seed, no input but the scenario: the same scenario gives the same bytes on every
 * machine and build.
 *
 *   plant -> packs on RS485 lines -> poller -> rack table -> fusion -> lease -> link -> inverter ->
 * plant
 *
 * What happens is the scenario's (scenario.h), what goes wrong the faults' (fault.h), what must be
 * true is in invariants.h. This file only lets time pass: everything is an event, the earliest
 * comes next.
 *
 *   event                  when
 *   step of the plant      every plant_ms, and exactly where a fault begins or ends; before it
 *                          scenario_drive(), after it invariants_on_plant()
 *   bytes on a line        when they end
 *   question, time-out     when the poller says so
 *   engine step            when all lines have ended a poll cycle, and at least every engine_ms;
 *                          around it invariants_before_fusion() and invariants_after_fusion()
 *   link turn              when a message or an answer is due, when the lease runs out, after each
 *                          engine step; for everything it says invariants_on_frame()
 *   crash, hang, restart   as fault_effects say
 *
 * Reality differs in pace only: onepackd makes an engine step after each sample and every 100 ms.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "invariants.h"
#include "scenario.h"

#define WORLD_MAX_LINES     2
#define WORLD_LINE_PACKS    8 /* packs at addresses 1 to 8 of a line, as JK recommends */
#define WORLD_WALL_START_MS INT64_C(1767225600000) /* 2026-01-01, wall time 0 of every world */

/* What another kind of gateway would tell the inverter: called in each engine step with what was
 * heard and what the fusion made of it, and free to change the limits. For comparisons. */
typedef void world_other_rule(void *context, const struct fusion_input *input,
			      struct battery *battery);

struct world_options {
	int32_t cycle_ms;  /* a poll cycle begins no sooner than this after the one before */
	int32_t engine_ms; /* an engine step at least so often */
	int32_t plant_ms;  /* step of the plant */
	/* The same while nothing happens (world_pace.c), when answers would say nothing new; never
	 * less than those. */
	int32_t calm_cycle_ms, calm_engine_ms, calm_plant_ms;
	struct invariants *invariants; /* NULL = nothing is checked */
	world_other_rule *other_rule;  /* NULL = what the fusion says is said */
	void *other_context;
	FILE *trace; /* JSON lines as `onepack fuse` reads them, with the truth; NULL = none */
};

/* The usual pace: what it costs and what it leaves out is in docs/simulation.md. */
void world_options_default(struct world_options *options);

/* What was counted; for reports, and to compare two runs. */
struct world_figures {
	int64_t time_ms;         /* virtual time that has passed */
	uint64_t polls, samples; /* questions asked; complete samples handed over */
	uint64_t engine_steps, frames, restarts;
	int64_t calm_ms;                              /* of time_ms, at the slow pace */
	double start_j, stored_j, terminal_j, heat_j; /* start + terminal = stored + heat */
	uint64_t digest; /* of every byte that the link said and of the plant at each engine step */
};

struct world;

/* NULL when a protocol cannot be loaded (complaints go to `errors`) or without memory. The scenario
 * is copied. */
struct world *world_new(const struct scenario *scenario, const struct world_options *options,
			FILE *errors);
void world_free(struct world *world); /* NULL is fine */

/* Lets time pass until then, ms since the start; may be called again and again. */
void world_run(struct world *world, int64_t until_ms);

/* Makes world_run end early, e.g. from invariants_tell. */
void world_stop(struct world *world);

void world_get_figures(const struct world *world, struct world_figures *out);

/* What the gateway holds at this moment: the last published battery. */
const struct battery *world_battery(const struct world *world);
const struct plant *world_plant(const struct world *world);
