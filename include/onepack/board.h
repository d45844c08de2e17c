// SPDX-License-Identifier: Apache-2.0
/* The board: where the engine pins the published battery and every consumer (web, MQTT, store)
 * reads it. One-way: a consumer can look, wait for news and add an event of its own (a login, a
 * command), nothing else. Thread-safe. */
#pragma once

#include <stdint.h>

#include "onepack/battery.h"
#include "onepack/event.h"
#include "onepack/status.h"
#include "onepack/tape.h"

struct board;

/* Copies the latest snapshot and returns its sequence number; 0 = none was published yet, `out` is
 * cleared then. */
uint64_t board_battery(struct board *board, struct battery *out);

/* Waits until the sequence number differs from `seen` or the time is over; returns the current
 * number. */
uint64_t board_wait(struct board *board, uint64_t seen, int timeout_ms);

/* What came into fusion lately, to be read only. */
struct tape *board_tape(struct board *board);

/* Copies the link statuses; return how many there are. */
int board_inverters(struct board *board, struct inverter_status out[STATUS_MAX_INVERTERS]);
int board_buses(struct board *board, struct bus_status out[STATUS_MAX_BUSES]);

/* Events are numbered from 1 as they are posted. Copies those after number `after` (oldest first,
 * at most `max`), returns how many; `last` receives the number of the last one copied (or `after`).
 * The board keeps the newest 256. */
int board_events(struct board *board, uint64_t after, struct event *out, int max, uint64_t *last);
void board_post_event(struct board *board, const struct event *event);
