// SPDX-License-Identifier: Apache-2.0
/* The engine's side of the board (board.h). Kept apart so that consumers cannot publish by
 * accident. */
#pragma once

#include "onepack/board.h"

/* NULL when out of memory. */
struct board *board_new(void);
void board_free(struct board *board); /* after all consumers have stopped */

/* Pins a new snapshot: the sequence number rises by one and everybody in board_wait wakes up. */
void board_publish(struct board *board, const struct battery *battery);

/* Replaces the link statuses; wakes nobody (they change all the time). */
void board_set_inverters(struct board *board, const struct inverter_status *inverters, int count);
void board_set_buses(struct board *board, const struct bus_status *buses, int count);

/* Wakes everybody in board_wait for good: the gateway is stopping. Later waits return at once. */
void board_close(struct board *board);
bool board_is_closed(struct board *board);
