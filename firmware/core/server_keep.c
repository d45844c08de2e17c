// SPDX-License-Identifier: Apache-2.0
/* The other half of the server: what flash keeps. Reads it at the start, and writes it when the
 * pack has moved on: at most one long job (erasing) a step, and only while nothing is being said.
 */
#include <string.h>

#include "bytes.h"
#include "map.h"

#define EVENTS_A_STEP 4  /* that many programs at most, some 100 us each */
#define JUMP_S        60 /* the clock is set without a word when it is off by less */

/* --- time --- */

uint32_t fw_server_time_s(const struct fw_server *server, uint64_t now_ms)
{
	return server->clock.set_s + (uint32_t)((now_ms - server->clock.set_ms) / 1000);
}

void fw_server_set_time(struct fw_server *server, uint32_t time_s, uint64_t now_ms)
{
	const uint32_t was_s = fw_server_time_s(server, now_ms);
	const uint32_t off_s = time_s > was_s ? time_s - was_s : was_s - time_s;

	server->clock = (struct fw_clock){.set_s = time_s, .set_ms = now_ms};
	if (off_s > JUMP_S)
		fw_event_put(&server->pack->events, FW_SOURCE_BUS, FW_EVENT_TIME_SET, 0, 0);
}

/* --- the start --- */

static void start_pack(struct fw_server *server)
{
	const struct fw_server_config *config = &server->config;
	const enum fw_stored stored = fw_store_load(&server->store, &server->settings);
	const struct fw_calibration *calibration = config->calibration;
	struct fw_counters counters;
	const bool counted =
		fw_counters_open(&server->counters, config->flash, &counters, &server->clock.set_s);

	if (server->settings.calibration.present)
		calibration = &server->settings.calibration;
	fw_pack_init(server->pack, config->identity, &server->settings.parameters, calibration,
		     counted ? &counters : NULL);
	if (stored == FW_STORED_LOST)
		server->pack->told_faults |= FW_BIT(FW_FAULT_PARAMETER_MEMORY);
}

void fw_server_start(struct fw_server *server, struct fw_pack *pack,
		     const struct fw_server_config *config, uint64_t now_us)
{
	memset(server, 0, sizeof *server);
	server->config = *config;
	server->pack = pack;
	fw_store_init(&server->store, config->flash);
	fw_log_open(&server->log, config->flash);
	fw_snapshots_open(&server->snapshots, config->flash);
	start_pack(server);
	server->clock.set_ms = now_us / 1000;
	server->baud = (uint32_t)pack->parameters.baud_100 * 100;
	server->good_us = now_us;
	server->record_ms = now_us / 1000;
	server->seen_parameters = pack->parameters_changed;
	server->seen_calibration = pack->calibration_changed;
	server->seen_counters = pack->counters_due;
	fw_counters_keep(&server->counters, &pack->counters, server->clock.set_s);
	fw_auth_init(&server->auth, config->secrets, &server->settings, config->identity->uid32,
		     pack->counters.starts);
	fw_addressing_init(&server->addressing, config->identity, config->dip, &server->settings);
}

/* --- each step --- */

static void tell(uint32_t *word, uint32_t bit, bool set)
{
	*word = set ? *word | bit : *word & ~bit;
}

static void tell_pack(struct fw_server *server)
{
	struct fw_pack *pack = server->pack;

	pack->outputs.enable_out = server->addressing.enable_out;
	tell(&pack->told_warnings, FW_BIT(FW_ADDRESS_CONFLICT), server->addressing.conflict);
	tell(&pack->told_warnings, FW_BIT(FW_DEFAULT_PASSWORD),
	     fw_auth_is_default(&server->settings));
	tell(&pack->told_faults, FW_BIT(FW_FAULT_LOG_MEMORY),
	     server->log.ring.failed || server->snapshots.ring.failed ||
		     server->counters.ring.failed);
	if (server->store.failed)
		pack->told_faults |= FW_BIT(FW_FAULT_PARAMETER_MEMORY);
}

/* Now and then how the pack is, so that the log shows what was between the events. */
static void record(struct fw_server *server, uint64_t now_ms)
{
	struct fw_pack *pack = server->pack;
	const uint64_t period_ms = (uint64_t)pack->parameters.record_period_s * 1000;

	if (period_ms == 0 || now_ms - server->record_ms < period_ms)
		return;
	server->record_ms = now_ms;
	if (pack->values.pack_mv != FW_UNKNOWN && pack->measured.current_ma != FW_UNKNOWN)
		fw_event_put(&pack->events, FW_SOURCE_PACK, FW_EVENT_RECORD,
			     pack->values.pack_mv / 10, pack->measured.current_ma / 100);
}

static void log_events(struct fw_server *server, uint32_t time_s)
{
	struct fw_event event;

	for (int i = 0; i < EVENTS_A_STEP && fw_event_take(&server->pack->events, &event); i++)
		fw_log_add(&server->log, time_s, &event);
}

static int lowest_bit(uint32_t word)
{
	int bit = 0;

	while (bit < 31 && !(word >> bit & 1))
		bit++;
	return bit;
}

/* A snapshot for the first protection or fault that is new. */
static void take_snapshot(struct fw_server *server, uint32_t time_s, uint64_t now_ms)
{
	const struct fw_access access = {.server = server, .now_ms = now_ms};
	const struct fw_pack *pack = server->pack;
	const uint32_t protections = pack->protections & ~server->seen_protections;
	const uint32_t faults = pack->faults & ~server->seen_faults;
	uint8_t live[FW_SNAPSHOT_LIVE + FW_SNAPSHOT_CELLS];

	server->seen_protections = pack->protections;
	server->seen_faults = pack->faults;
	if (protections == 0 && faults == 0)
		return;
	fw_map_live_now(&access, 0, sizeof live / 2, live);
	fw_snapshots_add(&server->snapshots, time_s,
			 (uint16_t)(protections ? FW_EVENT_PROTECTED + lowest_bit(protections)
						: FW_EVENT_FAULT + lowest_bit(faults)),
			 live);
}

static void note_changes(struct fw_server *server, uint64_t now_ms)
{
	const struct fw_pack *pack = server->pack;

	if (pack->parameters_changed == server->seen_parameters &&
	    pack->calibration_changed == server->seen_calibration)
		return;
	server->seen_parameters = pack->parameters_changed;
	server->seen_calibration = pack->calibration_changed;
	fw_store_touch(&server->store, now_ms);
}

/* One job that may take long. */
static void keep_one(struct fw_server *server, uint32_t time_s, uint64_t now_ms)
{
	const struct fw_pack *pack = server->pack;

	if (fw_store_is_due(&server->store, now_ms)) {
		server->settings.parameters = pack->parameters;
		server->settings.calibration = pack->calibration;
		fw_store_save(&server->store, &server->settings);
	} else if (!server->store.twins && !server->store.dirty) {
		fw_store_mirror(&server->store, &server->settings);
	} else if (pack->counters_due != server->seen_counters) {
		server->seen_counters = pack->counters_due;
		fw_counters_keep(&server->counters, &pack->counters, time_s);
	} else if (!server->log.ring.prepared) {
		fw_ring_prepare(&server->log.ring);
	} else if (!server->snapshots.ring.prepared) {
		fw_ring_prepare(&server->snapshots.ring);
	} else if (!server->counters.ring.prepared) {
		fw_ring_prepare(&server->counters.ring);
	}
}

void fw_server_step(struct fw_server *server, uint64_t now_us)
{
	const uint64_t now_ms = now_us / 1000;
	const uint32_t time_s = fw_server_time_s(server, now_ms);

	tell_pack(server);
	fw_server_try_baud(server, now_us);
	note_changes(server, now_ms);
	take_snapshot(server, time_s, now_ms);
	record(server, now_ms);
	log_events(server, time_s);
	if (server->out_count == 0 && server->heard_count == 0)
		keep_one(server, time_s, now_ms);
}
