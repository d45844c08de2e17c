// SPDX-License-Identifier: Apache-2.0
/* The inverter link and the inverter at its other end, on CAN or RS485: the turns of
 * src/inverter/link.c with its pure parts. It reads the lease page that the engine writes, and goes
 * on without an engine. */
#include <stdlib.h>
#include <string.h>

#include "world_state.h"

#define LINK_STATION     0
#define INVERTER_STATION 1
#define LIFE_SIGN_MS     1000

static bool is_can(const struct world *world)
{
	return world->inverter.info.framing == WIRE_CAN;
}

struct sim_inverter *world_inverter_core(struct world *world)
{
	return is_can(world) ? &world->inverter.can.inverter : &world->inverter.rs485.inverter;
}

/* --- building --- */

int world_link_build(struct world *world, FILE *errors)
{
	struct world_inverter *inverter = &world->inverter;

	inverter->wire = wire_load(world->scenario.inverter, errors);
	if (!inverter->wire)
		return -1;
	wire_get_info(inverter->wire, &inverter->info);
	if (inverter->info.scope != WIRE_OF_BATTERY) {
		fprintf(errors, "onepack sim: %s describes a pack, not a battery for inverters\n",
			world->scenario.inverter);
		return -1;
	}
	if (is_can(world)) {
		inverter_can_init(&inverter->can, inverter->wire);
	} else {
		inverter_rs485_init(&inverter->rs485, world->scenario.inverter, inverter->wire);
		line_init(&inverter->line, inverter->info.bitrate, 2, world->scenario.seed + 200);
	}
	world_link_start(world);
	return 0;
}

void world_link_start(struct world *world)
{
	struct world_link *link = &world->link;
	const struct world_inverter *inverter = &world->inverter;

	memset(link, 0, sizeof *link);
	wire_context_init(inverter->wire, &link->ctx);
	hold_start(&link->hold, world_now_ms(world));
	wire_values_clear(&link->heard);
	wire_values_clear(&link->clear);
	link->status.inverter_lost_ms = inverter->info.inverter_lost_ms;
	if (is_can(world))
		talk_start(&link->talk, inverter->wire, &link->ctx);
	else
		respond_init(&link->respond, inverter->wire, &link->ctx, -1,
			     inverter->info.bitrate);
	link->running = true;
	link->due_us = world->now_ns / NS_PER_US;
}

void world_link_drive(struct world *world)
{
	if (world->effects.link_down) {
		world->link.running = false;
		if (!is_can(world))
			line_hush(&world->inverter.line, LINK_STATION);
	} else if (!world->link.running) {
		world_link_start(world);
	}
}

/* --- what the link says --- */

static void check(struct world *world, const struct wire_values *said)
{
	if (world->options.invariants)
		invariants_on_frame(world->options.invariants, world_now_ms(world), said,
				    world->link.hold.lease == LEASE_VALID);
}

static void say_frame(struct world *world, const struct can_message *message)
{
	const struct wire *wire = world->inverter.wire;
	int64_t now_ms = world_now_ms(world);

	world->figures.frames++;
	world->link.status.sent_ms = now_ms;
	world_digest_number(world, message->id);
	world_digest(world, message->data, message->length);
	if (world->options.invariants) {
		struct wire_values said;

		sim_copy_values(&said, &world->link.clear);
		if (wire_decode_can(wire, &world->link.ctx, message, &said) == 0)
			check(world, &said);
	}
	if (!world->effects.inverter_deaf)
		inverter_can_heard(&world->inverter.can, message, now_ms);
}

static void say_frames(struct world *world)
{
	struct world_link *link = &world->link;
	const struct wire *wire = world->inverter.wire;
	int64_t now_us = world->now_ns / NS_PER_US;
	struct can_message message;
	int i;

	talk_turn(&link->talk, wire, &link->hold, now_us);
	while ((i = talk_next(&link->talk, wire, &link->ctx, &link->hold, now_us, &message)) >= 0) {
		talk_sent(&link->talk, i, &message);
		say_frame(world, &message);
	}
}

static void check_answer(struct world *world, const uint8_t *answer, size_t count)
{
	const struct respond *respond = &world->link.respond;
	struct wire_listener listener = {0};
	struct wire_values said;

	sim_copy_values(&said, &world->link.clear);
	(void)wire_decode_serial(respond->wire, &respond->ctx, &listener, respond->request,
				 respond->request_count, &said);
	if (wire_decode_serial(respond->wire, &respond->ctx, &listener, answer, count, &said) == 0)
		check(world, &said);
}

static void say_answer(struct world *world)
{
	struct world_link *link = &world->link;
	int64_t now_us = world->now_ns / NS_PER_US;
	uint8_t answer[WIRE_MAX_FRAME];
	size_t count;

	if (link->hold.quiet) {
		respond_reset(&link->respond);
		return;
	}
	link->respond.ctx.local_time_s = link->ctx.local_time_s;
	link->respond.ctx.uptime_ms = link->ctx.uptime_ms;
	count = respond_turn(&link->respond, &link->hold.battery, now_us, answer);
	if (count == 0)
		return;
	world->figures.frames++;
	link->status.sent_ms = now_us / 1000;
	world_digest(world, answer, count);
	if (world->options.invariants)
		check_answer(world, answer, count);
	line_send(&world->inverter.line, LINK_STATION, world->now_ns, answer, count);
}

/* --- the link's turn --- */

/* Between two snapshots a valid lease reads the same until it expires: that is not read again. */
static void read_lease(struct world *world, int64_t now_ms)
{
	struct world_link *link = &world->link;
	int64_t age_ms = now_ms - world->lease.renewed_ms;
	struct battery battery;
	enum lease_state lease;

	if (!link->sees_news && link->hold.lease == LEASE_VALID && now_ms < link->hold.expires_ms) {
		link->hold.fell = false;
		return;
	}
	lease = lease_judge(world->lease.copy, false, age_ms);
	if (lease == LEASE_NONE)
		battery_clear(&battery);
	else
		battery = world->lease.battery;
	if (lease == LEASE_EXPIRED)
		lease_make_safe(&battery);
	hold_take(&link->hold, lease, &battery, age_ms, false, world->inverter.info.silence_ms,
		  now_ms);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void link_turn(struct world *world)
{
	struct world_link *link = &world->link;
	int64_t now_ms = world_now_ms(world);
	int64_t next_us = (now_ms + LIFE_SIGN_MS) * 1000;

	link->ctx.local_time_s =
		(WORLD_WALL_START_MS + now_ms + world->effects.clock_shift_ms) / 1000;
	link->ctx.uptime_ms = now_ms;
	read_lease(world, now_ms);
	link->sees_news = false;
	if (is_can(world)) {
		say_frames(world);
		next_us = earlier(next_us, talk_next_us(&link->talk));
	} else {
		say_answer(world);
		next_us = earlier(next_us, respond_next_us(&link->respond));
	}
	if (link->hold.expires_ms < next_us / 1000)
		next_us = link->hold.expires_ms * 1000;
	link->due_us = next_us;
}

/* --- the inverter --- */

static void note_heard(struct world *world)
{
	world->link.status.heard_ms = world_now_ms(world);
	world->link.status.requests++;
}

static void frame_from_inverter(void *context, const struct can_message *message)
{
	struct world *world = context;
	struct world_link *link = &world->link;

	if (!link->running || world->effects.inverter_silent)
		return;
	link->heard.said_inverter = false;
	if (wire_decode_can(world->inverter.wire, &link->ctx, message, &link->heard) == 0 &&
	    link->heard.said_inverter)
		note_heard(world);
}

static void line_heard_by(void *context, int talker, int64_t end_ns, const uint8_t *bytes,
			  size_t count)
{
	struct world *world = context;
	struct world_link *link = &world->link;

	if (talker == LINK_STATION && !world->effects.inverter_deaf)
		inverter_rs485_heard(&world->inverter.rs485, bytes, count, end_ns / NS_PER_MS);
	if (talker != INVERTER_STATION || !link->running || link->hold.quiet)
		return;
	respond_receive(&link->respond, bytes, count, end_ns / NS_PER_US);
	note_heard(world);
	link->due_us = earlier(link->due_us, respond_next_us(&link->respond));
}

static void serial_inverter_live(struct world *world)
{
	struct world_inverter *inverter = &world->inverter;
	int64_t now_ns = world->now_ns;
	uint8_t request[256];
	size_t count;

	line_run(&inverter->line, now_ns, line_heard_by, world);
	count = inverter_rs485_tick(&inverter->rs485, now_ns / NS_PER_MS, request, sizeof request);
	if (count > 0 && !world->effects.inverter_silent)
		line_send(&inverter->line, INVERTER_STATION, now_ns, request, count);
	inverter->due_ns = inverter_rs485_next_ms(&inverter->rs485) * NS_PER_MS;
	inverter->due_ns = earlier(inverter->due_ns, line_quiet_ns(&inverter->line));
}

void world_link_live(struct world *world)
{
	struct world_inverter *inverter = &world->inverter;
	struct world_link *link = &world->link;

	if (world->now_ns >= inverter->due_ns) {
		if (is_can(world))
			inverter->due_ns = inverter_can_tick(&inverter->can, world_now_ms(world),
							     world->plant.bus_v, world->plant.bus_a,
							     frame_from_inverter, world) *
					   NS_PER_MS;
		else
			serial_inverter_live(world);
	}
	if (link->running && (link->sees_news || world->now_ns >= link->due_us * NS_PER_US)) {
		link_turn(world);
		if (!is_can(world))
			inverter->due_ns =
				earlier(inverter->due_ns, line_quiet_ns(&inverter->line));
	}
}
