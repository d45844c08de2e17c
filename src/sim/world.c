// SPDX-License-Identifier: Apache-2.0
/* The loop of the world: the earliest event comes next. All parts look at one clock, world->now_ns,
 * and this is the only file that moves it. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

#include "world_state.h"

#define USUAL_V      51.2
#define LOWEST_BUS_V 10.0
#define DIGEST_START UINT64_C(0xcbf29ce484222325) /* FNV-1a, 64 bits */
#define DIGEST_PRIME UINT64_C(0x100000001b3)
/* Two lines of eight packs take 1.2 s for a cycle, fifteen on one take 2.1 s. */
#define USUAL_CYCLE_MS  2000
#define USUAL_ENGINE_MS 1000
#define USUAL_PLANT_MS  1000
#define CALM_CYCLE_MS   6000
#define CALM_PLANT_MS   2000
#define CALM_ENGINE_MS  2100 /* three in a cycle, within the lease */

void world_options_default(struct world_options *options)
{
	*options = (struct world_options){.cycle_ms = USUAL_CYCLE_MS,
					  .engine_ms = USUAL_ENGINE_MS,
					  .plant_ms = USUAL_PLANT_MS,
					  .calm_cycle_ms = CALM_CYCLE_MS,
					  .calm_engine_ms = CALM_ENGINE_MS,
					  .calm_plant_ms = CALM_PLANT_MS};
}

/* --- the digest --- */

void world_digest(struct world *world, const void *bytes, size_t count)
{
	const uint8_t *p = bytes;
	uint64_t digest = world->figures.digest;

	for (size_t i = 0; i < count; i++)
		digest = (digest ^ p[i]) * DIGEST_PRIME;
	world->figures.digest = digest;
}

void world_digest_number(struct world *world, int64_t number)
{
	world->figures.digest = (world->figures.digest ^ (uint64_t)number) * DIGEST_PRIME;
}

/* --- the plant --- */

/* The next moment at which a fault begins or ends. */
static int64_t next_change_ms(const struct scenario *scenario, int64_t now_ms)
{
	int64_t next_ms = WORLD_NEVER;

	for (int i = 0; i < scenario->fault_count; i++) {
		const struct fault *fault = &scenario->faults[i];

		if (fault->start_ms > now_ms && fault->start_ms < next_ms)
			next_ms = fault->start_ms;
		if (fault->end_ms > now_ms && fault->end_ms < next_ms)
			next_ms = fault->end_ms;
	}
	return next_ms;
}

/* Lets the time pass since the last step, with what the inverter wants now, then looks at what
 * faults and weather do from now on. */
static void plant_live(struct world *world)
{
	struct invariants *invariants = world->options.invariants;
	struct sim_inverter *inverter = world_inverter_core(world);
	int64_t now_ms = world_now_ms(world), next_ms;
	double dt_s = (double)(now_ms - world->plant_ms) / 1000;
	double bus_v = world->plant.bus_v > LOWEST_BUS_V ? world->plant.bus_v : USUAL_V;

	if (dt_s > 0) {
		world->demand = sim_inverter_demand(
			inverter, scenario_power_w(&world->scenario, now_ms) / bus_v, now_ms, dt_s);
		plant_step(&world->plant, &world->demand, dt_s);
		if (invariants)
			invariants_on_plant(invariants,
					    &(struct invariants_plant){now_ms, &world->plant,
								       &world->demand, inverter,
								       &world->effects});
	}
	world->plant_ms = now_ms;
	scenario_drive(&world->scenario, now_ms, &world->plant, inverter, &world->effects);
	world_lines_drive(world);
	world_gateway_drive(world);
	world_link_drive(world);
	world_pace_drive(world, now_ms == world->change_ms, (int64_t)(dt_s * 1000));
	next_ms = next_change_ms(&world->scenario, now_ms);
	world->change_ms = next_ms;
	world->plant_due_ms = now_ms + world_pace_plant_ms(world);
	if (next_ms < world->plant_due_ms)
		world->plant_due_ms = next_ms;
}

/* --- time --- */

static int64_t next_event_ns(const struct world *world)
{
	int64_t next_ns = world->plant_due_ms * NS_PER_MS;
	int64_t link_ns = world->link.running ? world->link.due_us * NS_PER_US : WORLD_NEVER;
	int64_t engine_ns = world_engine_due_ns(world);

	for (int i = 0; i < world->line_count; i++)
		if (world->lines[i].due_ns < next_ns)
			next_ns = world->lines[i].due_ns;
	if (world->inverter.due_ns < next_ns)
		next_ns = world->inverter.due_ns;
	if (link_ns < next_ns)
		next_ns = link_ns;
	return engine_ns < next_ns ? engine_ns : next_ns;
}

/* Everything that is due now, in the order of the data flow. */
static void live(struct world *world)
{
	if (world->now_ns >= world->plant_due_ms * NS_PER_MS)
		plant_live(world);
	for (int i = 0; i < world->line_count; i++)
		if (world->now_ns >= world->lines[i].due_ns)
			world_line_live(world, &world->lines[i]);
	world_engine_live(world);
	world_link_live(world);
}

void world_run(struct world *world, int64_t until_ms)
{
	world->stopped = false;
	while (!world->stopped) {
		int64_t next_ns = next_event_ns(world);

		if (next_ns > until_ms * NS_PER_MS)
			break;
		if (next_ns > world->now_ns)
			world->now_ns = next_ns;
		live(world);
	}
	if (!world->stopped && world->now_ns < until_ms * NS_PER_MS)
		world->now_ns = until_ms * NS_PER_MS;
}

void world_stop(struct world *world)
{
	world->stopped = true;
}

/* --- start and end --- */

static int build(struct world *world, FILE *errors)
{
	world->line_count = world->scenario.pack_count > WORLD_LINE_PACKS &&
					    !scenario_has_firmware(&world->scenario)
				    ? 2
				    : 1;
	world->lines = calloc(WORLD_MAX_LINES, sizeof *world->lines);
	world->pack_wire = wire_load(world->scenario.protocol, errors);
	if (!world->lines || !world->pack_wire)
		return -1;
	scenario_build(&world->scenario, &world->plant);
	world->figures.start_j = plant_stored_j(&world->plant);
	fault_effects_at(NULL, 0, 0, &world->effects);
	world->random.state = world->scenario.seed + 300;
	if (world_lines_build(world) < 0)
		return -1;
	world_pace_build(world);
	if (world_link_build(world, errors) < 0)
		return -1;
	return world_gateway_build(world, errors);
}

struct world *world_new(const struct scenario *scenario, const struct world_options *options,
			FILE *errors)
{
	struct world *world = calloc(1, sizeof *world);

	if (!world)
		return NULL;
	world->scenario = *scenario;
	world->options = *options;
	world->figures.digest = DIGEST_START;
	if (build(world, errors) < 0) {
		world_free(world);
		return NULL;
	}
	world->figures.restarts = 0; /* the first start is none */
	return world;
}

void world_free(struct world *world)
{
	if (!world)
		return;
	wire_free(world->pack_wire);
	wire_free(world->inverter.wire);
	free(world->gateway.fusion);
	world_lines_free(world);
	free(world);
}

/* --- looking at it --- */

void world_get_figures(const struct world *world, struct world_figures *out)
{
	*out = world->figures;
	out->time_ms = world_now_ms(world);
	out->stored_j = plant_stored_j(&world->plant);
	out->terminal_j = world->plant.terminal_j;
	out->heat_j = plant_heat_j(&world->plant);
}

const struct battery *world_battery(const struct world *world)
{
	return &world->gateway.now;
}

const struct plant *world_plant(const struct world *world)
{
	return &world->plant;
}
