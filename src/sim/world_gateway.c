// SPDX-License-Identifier: Apache-2.0
/* The gateway's life: pollers and engine, its crash, and what the next one knows. The steps of the
 * engine are those of src/gateway/engine.c without the consumers, of which only the history leaves
 * a trace: after a crash, energy is counted on from what had reached the disk. */
#include <stdlib.h>
#include <string.h>

#include "world_state.h"

#define HISTORY_PERIOD_MS 60000 /* between two commits */

/* --- reports of the pollers --- */

static void on_sample(void *context, int bus, int address, const struct pack *pack)
{
	struct world *world = context;

	world->figures.samples++;
	table_sample(&world->gateway.table, bus, address, pack);
}

static void on_answer(void *context, int bus, int address, int result, bool expected)
{
	struct world *world = context;

	table_answer(&world->gateway.table, bus, address, result, expected);
}

static void on_foreign(void *context, int bus, int questions, bool jk_master)
{
	struct world *world = context;

	table_foreign(&world->gateway.table, bus, questions, jk_master);
}

static void on_state(void *context, int bus, enum link_state state, const char *detail)
{
	struct world *world = context;

	table_state(&world->gateway.table, bus, state, detail);
}

static void on_cycle(void *context, int bus, int64_t cycle_ms, uint64_t cycles)
{
	struct world *world = context;
	struct world_gateway *gateway = &world->gateway;

	table_cycle(&gateway->table, bus, cycle_ms, cycles);
	gateway->cycles_ended |= UINT32_C(1) << bus;
	if (gateway->cycles_ended == (UINT32_C(1) << world->line_count) - 1)
		gateway->engine_due_ms = world_now_ms(world);
}

/* What the engine of onepackd tells the packs (tell_rack), as old as its last step. */
static bool get_word(void *context, struct rack_word *out)
{
	const struct world *world = context;
	const struct battery *battery = &world->gateway.now;

	*out = (struct rack_word){
		.charge_allowed = battery->charge_allowed == 1,
		.discharge_allowed = battery->discharge_allowed == 1,
		.force_charge = battery->force_charge > FORCE_NONE,
		.inverter_lost = (battery->warnings & ALARM_BIT(ALARM_inverter_lost)) != 0,
		.packs = battery->packs_online,
		.voltage_mv = battery->voltage_mv,
		.current_ma = battery->current_ma,
		.time_ms = battery->time_ms,
	};
	return world->figures.engine_steps > 0 &&
	       world_now_ms(world) - world->lease.renewed_ms <= RACK_WORD_MS;
}

/* --- start and crash --- */

static int start_lines(struct world *world, FILE *errors)
{
	static const struct poller_reports reports = {.sample = on_sample,
						      .answer = on_answer,
						      .foreign = on_foreign,
						      .state = on_state,
						      .cycle = on_cycle,
						      .word = get_word};
	struct world_gateway *gateway = &world->gateway;
	int64_t now_us = world->now_ns / NS_PER_US;
	char why[128];

	memset(gateway->pollers, 0, sizeof gateway->pollers);
	memset(&gateway->table, 0, sizeof gateway->table);
	for (int i = 0; i < world->line_count; i++) {
		struct poller *poller = &gateway->pollers[i];
		int err =
			poller_init(poller, world->pack_wire, &gateway->buses[i], why, sizeof why);

		poller->reports = &reports;
		poller->context = world;
		poller->number = i;
		if (!err)
			err = table_add_line(&gateway->table, &gateway->buses[i], poller, why,
					     sizeof why);
		if (err) {
			fprintf(errors, "onepack sim: %s\n", why);
			return err;
		}
		poller_start(poller, now_us);
		poller_open(poller, now_us);
		world->lines[i].due_ns = world->now_ns;
	}
	return 0;
}

static int start(struct world *world, FILE *errors)
{
	struct world_gateway *gateway = &world->gateway;
	int err = start_lines(world, errors);

	if (err)
		return err;
	fusion_init(gateway->fusion, &world->scenario.battery);
	fusion_set_energy(gateway->fusion, world->history.charged_wh, world->history.discharged_wh);
	battery_clear(&gateway->now);
	gateway->cycles_ended = 0;
	gateway->engine_due_ms = world_now_ms(world);
	gateway->running = true;
	world->figures.restarts++;
	return 0;
}

static void crash(struct world *world)
{
	world->gateway.running = false;
	world->history.done_ms = WORLD_NEVER; /* what was not written is lost */
	for (int i = 0; i < world->line_count; i++)
		line_hush(world->lines[i].wire, JK_BUS_TTY);
}

int world_gateway_build(struct world *world, FILE *errors)
{
	struct world_gateway *gateway = &world->gateway;

	for (int i = 0; i < world->line_count; i++) {
		struct rack_bus_config *bus = &gateway->buses[i];

		snprintf(bus->name, sizeof bus->name, "rack-%c", 'a' + i);
		bus->baud = world->scenario.baud;
		bus->cycle_ms = world->options.cycle_ms;
		bus->addresses = ((UINT32_C(1) << world->lines[i].pack_count) - 1) << 1;
	}
	world->history.done_ms = WORLD_NEVER;
	gateway->fusion = calloc(1, fusion_size());
	return gateway->fusion ? start(world, errors) : -1;
}

void world_gateway_drive(struct world *world)
{
	bool down = world->effects.gateway_down;

	if (down && world->gateway.running) {
		crash(world);
	} else if (!down && !world->gateway.running) {
		(void)start(world, stderr); /* what worked at first works again */
		world->lease.copy = LEASE_COPY_NONE;
		world_link_start(world); /* its links take the ports over */
	}
}

/* --- the engine --- */

/* The disk has no say in anything but what a crash leaves behind. */
static void write_history(struct world *world, int64_t now_ms)
{
	struct world_history *history = &world->history;
	const struct battery *battery = &world->gateway.now;

	if (history->done_ms != WORLD_NEVER) {
		if (now_ms < history->done_ms)
			return;
		history->charged_wh = history->new_charged_wh;
		history->discharged_wh = history->new_discharged_wh;
		history->done_ms = WORLD_NEVER;
	}
	if (now_ms < history->begin_ms)
		return;
	history->begin_ms = now_ms + HISTORY_PERIOD_MS;
	history->new_charged_wh = battery->energy_charged_wh;
	history->new_discharged_wh = battery->energy_discharged_wh;
	history->done_ms = now_ms + world->effects.disk_ms;
}

static void digest_step(struct world *world, int64_t now_ms)
{
	const struct battery *b = &world->gateway.now;
	double bus[2] = {world->plant.bus_v, world->plant.bus_a};

	world_digest_number(world, now_ms);
	world_digest_number(world, b->charge_current_limit_ma);
	world_digest_number(world, b->discharge_current_limit_ma);
	world_digest_number(world, b->charge_voltage_limit_mv);
	world_digest_number(world, b->discharge_voltage_limit_mv);
	world_digest_number(world, b->soc_mpct);
	world_digest_number(world, b->current_ma);
	world_digest_number(world, (int64_t)b->protections);
	world_digest_number(world, (int64_t)b->warnings);
	world_digest(world, bus, sizeof bus);
}

static void step(struct world *world, int64_t now_ms)
{
	struct world_gateway *gateway = &world->gateway;
	struct invariants *invariants = world->options.invariants;
	struct battery *battery = &gateway->now;

	gateway->input.now_ms = now_ms;
	gateway->input.bus_current_ma = FIELD_UNKNOWN;
	table_take(&gateway->table, &gateway->input);
	if (invariants)
		invariants_before_fusion(invariants, gateway->fusion, &gateway->input);
	fusion_step(gateway->fusion, &gateway->input, battery);
	if (world->options.other_rule)
		world->options.other_rule(world->options.other_context, &gateway->input, battery);
	if (invariants)
		invariants_after_fusion(invariants, battery);
	battery->time_ms = WORLD_WALL_START_MS + now_ms + world->effects.clock_shift_ms;
	world->lease = (struct world_lease){LEASE_COPY_WHOLE, *battery, now_ms};
	world->link.sees_news = true;
	if (inverter_is_lost(&world->link.status, now_ms))
		battery->warnings |= ALARM_BIT(ALARM_inverter_lost);
	write_history(world, now_ms);
	world->figures.engine_steps++;
	digest_step(world, now_ms);
	if (world->options.trace)
		world_trace(world);
}

int64_t world_engine_due_ns(const struct world *world)
{
	if (!world->gateway.running || world->effects.engine_hung)
		return WORLD_NEVER;
	return world->gateway.engine_due_ms * NS_PER_MS;
}

void world_engine_live(struct world *world)
{
	int64_t now_ms = world_now_ms(world);

	if (world->now_ns < world_engine_due_ns(world))
		return;
	world->gateway.cycles_ended = 0;
	world->gateway.engine_due_ms = now_ms + world_pace_engine_ms(world);
	step(world, now_ms);
}
