// SPDX-License-Identifier: Apache-2.0
/* The real rack watching packs that run the firmware; one of each per test program. */
#pragma once

#include "fw_rack.h"
#include "rack_watch.h"

static struct fw_rack rack;
static struct watch watch;

static inline void power_all(void)
{
	for (int i = 0; i < rack.count; i++)
		fw_rack_power(&rack, i, true);
}

static inline void watch_line(const char *protocol, uint32_t addresses)
{
	struct rack_bus_config config = watch_bus(rack.link, addresses);

	config.baud = rack.baud;
	snprintf(config.protocol, sizeof config.protocol, "%s", protocol);
	snprintf(config.state, sizeof config.state, "%s/addresses", rack.directory);
	watch_start(&watch, &config, 1);
}

static inline void stop(void)
{
	char path[128];

	watch_stop(&watch);
	snprintf(path, sizeof path, "%s/addresses", rack.directory);
	unlink(path);
	fw_rack_stop(&rack);
}

/* So many packs have given a sample. */
static inline bool all_answer(int count, int timeout_ms)
{
	const int64_t end_ms = clock_monotonic_ms() + timeout_ms;
	int good = 0;

	while (good < count && clock_monotonic_ms() < end_ms) {
		watch_once(&watch);
		good = 0;
		for (int i = 1; i <= ONEPACK_MAX_PACKS; i++)
			good += watch.samples[i] > 0;
	}
	return good == count;
}

/* The next event of that kind; those before it are dropped. */
static inline bool told(const char *kind, struct event *out)
{
	struct event events[RACK_MAX_EVENTS];
	const int count = rack_take_events(watch.rack, events);

	for (int i = 0; i < count; i++)
		if (strcmp(events[i].kind, kind) == 0) {
			*out = events[i];
			return true;
		}
	return false;
}
