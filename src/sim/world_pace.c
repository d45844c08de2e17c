// SPDX-License-Identifier: Apache-2.0
/* Answers that say nothing new need not be asked for. While nothing happens, packs are polled more
 * rarely and everything moves in longer steps; as soon as something does, a pause ends at once, and
 * for a while everything goes at the full pace. So whatever happens is seen as soon as at the full
 * pace.
 *
 * What counts: a fault begins or ends, the gateway starts, the inverter wants another current, a
 * pack moves a switch. What creeps (charge, heat, drifting sensors) needs no hurry: cells move by
 * some millivolts between two polls. */
#include "world_state.h"

#define RESTLESS_MS 30000
#define MOVED_PART  0.01 /* of the rack's capacity per hour */

void world_pace_build(struct world *world)
{
	struct world_pace *pace = &world->pace;

	for (int i = 0; i < world->scenario.pack_count; i++)
		pace->moved_a += world->scenario.packs[i].capacity_mah / 1000.0 * MOVED_PART;
	pace->restless_ms = RESTLESS_MS;
}

static uint32_t switches(const struct plant *plant)
{
	uint32_t set = 0;

	for (int i = 0; i < plant->pack_count; i++)
		set = set << 2 | (uint32_t)plant->packs[i].bms.charge_mos << 1 |
		      (uint32_t)plant->packs[i].bms.discharge_mos;
	return set;
}

static bool happens(struct world *world)
{
	struct world_pace *pace = &world->pace;
	uint32_t set = switches(&world->plant);
	double moved_a = world->demand.current_a - pace->current_a;

	if (set == pace->switches && moved_a < pace->moved_a && moved_a > -pace->moved_a)
		return false;
	pace->switches = set;
	pace->current_a = world->demand.current_a;
	return true;
}

static void set_pace(struct world *world, bool calm)
{
	int32_t cycle_ms = calm ? world->options.calm_cycle_ms : world->options.cycle_ms;

	world->pace.calm = calm;
	for (int i = 0; i < world->line_count; i++) {
		world->gateway.buses[i].cycle_ms = cycle_ms;
		if (!world->gateway.running)
			continue;
		schedule_pace(&world->gateway.pollers[i].schedule, cycle_ms * 1000,
			      world->now_ns / NS_PER_US);
		world->lines[i].due_ns = world->now_ns;
	}
}

int32_t world_pace_engine_ms(const struct world *world)
{
	return world->pace.calm ? world->options.calm_engine_ms : world->options.engine_ms;
}

int32_t world_pace_plant_ms(const struct world *world)
{
	return world->pace.calm ? world->options.calm_plant_ms : world->options.plant_ms;
}

void world_pace_drive(struct world *world, bool changed, int64_t passed_ms)
{
	struct world_pace *pace = &world->pace;
	int64_t now_ms = world_now_ms(world);
	bool calm;

	if (happens(world) || changed)
		pace->restless_ms = now_ms + RESTLESS_MS;
	calm = now_ms >= pace->restless_ms;
	if (pace->calm)
		world->figures.calm_ms += passed_ms;
	if (calm != pace->calm)
		set_pace(world, calm);
}
