// SPDX-License-Identifier: Apache-2.0
/* A running rack as its engine sees it: samples and errors gathered until a test has what it waits
 * for. */
#pragma once

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../unit/cmocka_all.h"
#include "onepack/clock.h"
#include "onepack/rack.h"

struct watch {
	struct rack *rack;
	int wake_fd;
	struct fusion_input input;                /* of the last take */
	struct pack packs[ONEPACK_MAX_PACKS + 1]; /* the newest by number */
	unsigned samples[ONEPACK_MAX_PACKS + 1];
	int32_t errors[BUS_MAX_ADDRESS][BUS_ERROR_KINDS];
	struct bus_status status[STATUS_MAX_BUSES];
};

static inline void watch_start(struct watch *watch, const struct rack_bus_config *buses, int count)
{
	char why[160] = "";

	memset(watch, 0, sizeof *watch);
	watch->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (rack_start(buses, count, watch->wake_fd, &watch->rack, why, sizeof why) != 0)
		fail_msg("%s", why);
}

static inline void watch_stop(struct watch *watch)
{
	rack_stop(watch->rack);
	close(watch->wake_fd);
}

static inline void watch_once(struct watch *watch)
{
	struct pollfd p = {.fd = watch->wake_fd, .events = POLLIN};
	uint64_t woken;

	if (poll(&p, 1, 50) > 0)
		assert_int_equal(read(watch->wake_fd, &woken, sizeof woken), sizeof woken);
	rack_take(watch->rack, &watch->input);
	for (int i = 0; i < watch->input.pack_count; i++) {
		const struct pack *pack = &watch->input.packs[i];

		assert_in_range(pack->pack, 1, ONEPACK_MAX_PACKS);
		watch->packs[pack->pack] = *pack;
		watch->samples[pack->pack]++;
	}
	for (int i = 0; i < watch->input.error_count; i++) {
		const struct bus_error *error = &watch->input.errors[i];

		watch->errors[error->address][error->kind] += error->count;
	}
	rack_status(watch->rack, watch->status);
}

/* True when pack `number` had so many samples in time. */
static inline bool watch_for(struct watch *watch, int number, unsigned samples, int timeout_ms)
{
	int64_t end_ms = clock_monotonic_ms() + timeout_ms;

	while (watch->samples[number] < samples) {
		if (clock_monotonic_ms() > end_ms)
			return false;
		watch_once(watch);
	}
	return true;
}

static inline void watch_while(struct watch *watch, int duration_ms)
{
	int64_t end_ms = clock_monotonic_ms() + duration_ms;

	while (clock_monotonic_ms() < end_ms)
		watch_once(watch);
}

static inline struct rack_bus_config watch_bus(const char *port, uint32_t addresses)
{
	struct rack_bus_config config = {.name = "rack", .addresses = addresses};

	snprintf(config.port, sizeof config.port, "%s", port);
	return config;
}
