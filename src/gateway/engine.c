// SPDX-License-Identifier: Apache-2.0
/* One engine step, in the order of the data flow: pack samples -> fusion -> lease (inverters first,
 * they are what matters) -> board (web, MQTT, store) -> events. Decisions are in src/core; this
 * file only carries. */
#include "engine.h"

#include <stdlib.h>
#include <string.h>

#include "onepack/event.h"
#include "onepack/log.h"

#define MAX_EVENTS       32
#define STATUS_PERIOD_MS 1000

struct engine {
	struct engine_parts parts;
	struct fusion *fusion;
	struct fusion_input input;
	struct battery now, before;
	struct inverter_status inverters[STATUS_MAX_INVERTERS];
	struct bus_status buses[STATUS_MAX_BUSES];
	int64_t next_status_ms;
};

struct engine *engine_new(const struct engine_parts *parts, int32_t charged_wh,
			  int32_t discharged_wh)
{
	struct engine *engine = calloc(1, sizeof *engine);

	if (!engine)
		return NULL;
	engine->parts = *parts;
	engine->fusion = calloc(1, fusion_size());
	if (!engine->fusion) {
		free(engine);
		return NULL;
	}
	fusion_init(engine->fusion, &parts->config->fusion);
	fusion_set_energy(engine->fusion, charged_wh, discharged_wh);
	battery_clear(&engine->before);
	return engine;
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	free(engine->fusion);
	free(engine);
}

static void log_event(const struct event *event)
{
	static const enum log_level levels[] = {LOG_LEVEL_NOTICE, LOG_LEVEL_WARNING,
						LOG_LEVEL_ERROR};

	log_line(levels[event->severity], "%s", event->text);
}

static void post_events(struct engine *engine)
{
	struct event events[MAX_EVENTS];
	const int count = event_compare(&engine->before, &engine->now, events, MAX_EVENTS);

	for (int i = 0; i < count; i++) {
		board_post_event(engine->parts.board, &events[i]);
		log_event(&events[i]);
	}
}

static void add_identity(struct engine *engine)
{
	const struct config *config = engine->parts.config;
	struct battery *battery = &engine->now;

	memcpy(battery->manufacturer, config->identity.manufacturer, FIELD_TEXT_SIZE);
	memcpy(battery->model, config->identity.model, FIELD_TEXT_SIZE);
	memcpy(battery->serial, config->identity.serial, FIELD_TEXT_SIZE);
	memcpy(battery->firmware_version, ONEPACK_VERSION, sizeof ONEPACK_VERSION);
}

/* A silent inverter is worth a warning to people, and none of the other inverters' business. It
 * never changes a limit. */
static void watch_inverters(struct engine *engine, int64_t now_ms)
{
	const int count = engine->parts.config->inverter_count;

	for (int i = 0; i < count; i++) {
		lease_read_status(engine->parts.lease, i, &engine->inverters[i]);
		if (inverter_is_lost(&engine->inverters[i], now_ms))
			engine->now.warnings |= ALARM_BIT(ALARM_inverter_lost);
	}
}

static void refresh_status(struct engine *engine, int64_t now_ms)
{
	if (now_ms < engine->next_status_ms)
		return;
	engine->next_status_ms = now_ms + STATUS_PERIOD_MS;
	board_set_inverters(engine->parts.board, engine->inverters,
			    engine->parts.config->inverter_count);
	if (engine->parts.rack)
		board_set_buses(engine->parts.board, engine->buses,
				rack_status(engine->parts.rack, engine->buses));
}

/* Fuses and publishes what is in `input`. The time of a replayed log is its own; links and records
 * live by the clock. */
static void fuse(struct engine *engine, int64_t now_ms, int64_t wall_ms)
{
	tape_write(board_tape(engine->parts.board), &engine->input, wall_ms);
	fusion_step(engine->fusion, &engine->input, &engine->now);
	engine->now.time_ms = wall_ms;
	add_identity(engine);
	lease_publish(engine->parts.lease, &engine->now, now_ms);
	links_wake(engine->parts.links);
	watch_inverters(engine, now_ms);
	board_publish(engine->parts.board, &engine->now);
	post_events(engine);
	engine->before = engine->now;
}

/* The way back to packs that listen: what the bank does, once a step. */
static void tell_rack(struct engine *engine, int64_t now_ms, int64_t wall_ms)
{
	const struct battery *battery = &engine->now;
	const struct rack_word word = {
		.charge_allowed = battery->charge_allowed == 1,
		.discharge_allowed = battery->discharge_allowed == 1,
		.force_charge = battery->force_charge > FORCE_NONE,
		.inverter_lost = (battery->warnings & ALARM_BIT(ALARM_inverter_lost)) != 0,
		.packs = battery->packs_online,
		.voltage_mv = battery->voltage_mv,
		.current_ma = battery->current_ma,
		.time_ms = wall_ms,
	};

	rack_tell(engine->parts.rack, &word, now_ms);
}

static void post_rack_events(struct engine *engine)
{
	struct event events[RACK_MAX_EVENTS];
	const int count = rack_take_events(engine->parts.rack, events);

	for (int i = 0; i < count; i++) {
		board_post_event(engine->parts.board, &events[i]);
		log_event(&events[i]);
	}
}

static void fuse_rack(struct engine *engine, int64_t now_ms, int64_t wall_ms)
{
	fusion_input_clear(&engine->input);
	engine->input.now_ms = now_ms;
	rack_take(engine->parts.rack, &engine->input);
	fuse(engine, now_ms, wall_ms);
	tell_rack(engine, now_ms, wall_ms);
	post_rack_events(engine);
}

/* All steps that are due, one by one, as they were. */
static bool fuse_replay(struct engine *engine, int64_t now_ms, int64_t wall_ms)
{
	enum replay_result result;

	while ((result = replay_take(engine->parts.replay, now_ms, &engine->input)) == REPLAY_STEP)
		fuse(engine, now_ms, wall_ms);
	if (result == REPLAY_NOTHING) /* between two steps of a slow log the lease must not end */
		lease_publish(engine->parts.lease, &engine->now, now_ms);
	return result != REPLAY_END;
}

bool engine_step(struct engine *engine, int64_t now_ms, int64_t wall_ms)
{
	if (!engine->parts.replay)
		fuse_rack(engine, now_ms, wall_ms);
	else if (!fuse_replay(engine, now_ms, wall_ms))
		return false;
	links_tick(engine->parts.links, now_ms);
	refresh_status(engine, now_ms);
	return true;
}
