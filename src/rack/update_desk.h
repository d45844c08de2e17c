// SPDX-License-Identifier: Apache-2.0
/* Where updates are ordered, and where the line that carries one finds it. The rack's lock guards
 * all of it but the job itself, which belongs to the thread of its line from desk_job() on.
 *
 * The order and the release are kept in files, so that a gateway that restarts goes on with it. */
#pragma once

#include "order_file.h"
#include "table.h"

struct desk_window {
	int64_t begun_ms;
	struct bus_address_status address[STATUS_MAX_BUSES][BUS_MAX_ADDRESS];
};

struct update_desk {
	struct rack_update_config config;
	bool enabled;
	uint8_t key[1][IMAGE_KEY_SIZE];
	/* the order */
	struct rack_update_status status;
	struct update_order order;
	int line; /* that carries it */
	uint8_t *bytes;
	struct release release;
	int64_t ordered_ms;
	bool taken_up; /* the order was found in its file */
	bool stopping, confirmed[UPDATE_PACKS];
	int64_t left_ms; /* when the fusion was first told that a pack leaves; 0 = not yet */
	struct update_job job;
	/* what the lines do */
	int64_t seen_ms[STATUS_MAX_BUSES][BUS_MAX_ADDRESS]; /* last sample */
	struct desk_window windows[2];                      /* counters of then: older, newer */
};

/* 0, or -EINVAL with a sentence. Takes up the order of before, if there is one. */
int desk_enable(struct update_desk *desk, const struct rack_update_config *config,
		struct table *table, int64_t now_ms, char *why, size_t why_size);
void desk_close(struct update_desk *desk);

int desk_order(struct update_desk *desk, struct table *table, const struct rack_update_wish *wish,
	       const uint8_t *release, size_t size, int64_t now_ms, char *why, size_t why_size);
int desk_stop(struct update_desk *desk, char *why, size_t why_size);

/* Called while the lines live: a sample came, time passes, the fusion took what is in the table. */
void desk_seen(struct update_desk *desk, int line, int address, int64_t now_ms);
void desk_tick(struct update_desk *desk, const struct table *table, int64_t now_ms);
void desk_taken(struct update_desk *desk, const struct table *table, int64_t now_ms);

/* By the thread of a line: the job that is to go on there now, NULL = none. `online` is the number
 * of packs that the fusion has in service, -1 = it does not say. */
struct update_job *desk_job(struct update_desk *desk, struct table *table, int line, int32_t online,
			    uint32_t baud, int64_t now_ms);
/* The job has made a step. */
void desk_step(struct update_desk *desk, struct table *table);
bool desk_is_running(const struct update_desk *desk);
