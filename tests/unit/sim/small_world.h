// SPDX-License-Identifier: Apache-2.0
/* A world without wires, for tests of the invariants: packs answer at once, the inverter believes
 * what the engine publishes, frames are made up. A test can step between the parts and lie. */
#pragma once

#include <string.h>

#include "onepack/lease.h"
#include "sim/invariants.h"

#define SMALL_STEP_MS 1000

struct small_world {
	struct scenario scenario;
	struct plant plant;
	struct fault_effects effects;
	struct sim_inverter inverter;
	struct wire *wire;
	struct fusion *fusion;
	struct fusion_input input;
	struct battery battery;
	struct invariants *invariants;
	int64_t now_ms;
	/* what was told */
	int64_t count[INVARIANT_COUNT];
	struct violation last;
	/* lies */
	void (*on_battery)(struct small_world *world, struct battery *battery);
	void (*on_frame)(struct small_world *world, struct wire_values *said);
	void (*on_plant)(struct small_world *world);
	void (*on_input)(struct small_world *world);
	bool mute_link, obey_dead_engine;
};

static void small_tell(void *context, const struct violation *violation)
{
	struct small_world *world = context;

	world->count[violation->invariant]++;
	world->last = *violation;
}

/* Alike packs, no noise of clouds: the test changes the scenario before small_begin(). */
static void small_init(struct small_world *world)
{
	memset(world, 0, sizeof *world);
	scenario_default(&world->scenario);
	world->scenario.duration_ms = 3600000;
	world->scenario.step_count = 1;
	world->scenario.steps[0].power_w = 20000;
}

static void small_begin(struct small_world *world)
{
	struct battery *believed = &world->inverter.believed.battery;

	world->fusion = malloc(fusion_size());
	assert_non_null(world->fusion);
	fusion_init(world->fusion, &world->scenario.battery);
	scenario_build(&world->scenario, &world->plant);
	world->wire = wire_load(world->scenario.inverter, stderr);
	assert_non_null(world->wire);
	sim_inverter_init(&world->inverter, world->wire);
	battery_clear(believed);
	fault_effects_at(NULL, 0, 0, &world->effects);
	world->invariants = invariants_new(&world->scenario, 10, small_tell, world);
	assert_non_null(world->invariants);
}

static void small_engine(struct small_world *world)
{
	fusion_input_clear(&world->input);
	world->input.now_ms = world->now_ms;
	for (int i = 0; i < world->plant.pack_count; i++) {
		const struct sim_pack *pack = &world->plant.packs[i];

		if (pack->muted || pack->unplugged)
			continue;
		bms_report(&pack->bms, &world->input.packs[world->input.pack_count]);
		world->input.packs[world->input.pack_count].address = i + 1;
		world->input.packs[world->input.pack_count++].pack = i + 1;
	}
	if (world->on_input)
		world->on_input(world);
	invariants_before_fusion(world->invariants, world->fusion, &world->input);
	fusion_step(world->fusion, &world->input, &world->battery);
	if (world->on_battery)
		world->on_battery(world, &world->battery);
	invariants_after_fusion(world->invariants, &world->battery);
}

static void small_link(struct small_world *world, bool alive)
{
	struct wire_values said;

	wire_values_clear(&said);
	said.battery = world->battery;
	if (!alive)
		lease_make_safe(&said.battery);
	if (world->on_frame)
		world->on_frame(world, &said);
	if (!world->mute_link)
		invariants_on_frame(world->invariants, world->now_ms, &said, alive);
	if (!world->effects.inverter_deaf)
		sim_inverter_heard(&world->inverter, 0, &said, world->now_ms);
}

static void small_step(struct small_world *world)
{
	struct plant_demand demand;
	double wish_a = scenario_power_w(&world->scenario, world->now_ms) / 52;
	bool alive;

	scenario_drive(&world->scenario, world->now_ms, &world->plant, &world->inverter,
		       &world->effects);
	alive = !world->effects.gateway_down && !world->effects.engine_hung;
	if (world->effects.gateway_down)
		fusion_init(world->fusion, &world->scenario.battery);
	if (alive)
		small_engine(world);
	small_link(world, alive || world->obey_dead_engine);
	demand = sim_inverter_demand(&world->inverter, wish_a, world->now_ms, 1);
	plant_step(&world->plant, &demand, SMALL_STEP_MS / 1000.0);
	if (world->on_plant)
		world->on_plant(world);
	world->now_ms += SMALL_STEP_MS;
	invariants_on_plant(world->invariants,
			    &(struct invariants_plant){world->now_ms, &world->plant, &demand,
						       &world->inverter, &world->effects});
}

static void small_run(struct small_world *world, int seconds)
{
	for (int i = 0; i < seconds; i++)
		small_step(world);
}

static void small_end(struct small_world *world)
{
	invariants_free(world->invariants);
	wire_free(world->wire);
	free(world->fusion);
}
