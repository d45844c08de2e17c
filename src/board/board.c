// SPDX-License-Identifier: Apache-2.0
/* The board: one mutex, one condition, plain copies. Snapshots are some 15 kB and change a few
 * times a second, so a copy under a lock is cheaper than anything cleverer and nobody can keep it
 * for long. */
#include "onepack/board_writer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EVENTS_KEPT 256

struct board {
	pthread_mutex_t lock;
	pthread_cond_t news;
	bool closed;
	uint64_t sequence;
	struct battery battery;
	int inverter_count, bus_count;
	struct inverter_status inverters[STATUS_MAX_INVERTERS];
	struct bus_status buses[STATUS_MAX_BUSES];
	uint64_t event_count; /* ever posted; event number n sits at (n - 1) % EVENTS_KEPT */
	struct event events[EVENTS_KEPT];
	struct tape *tape;
};

struct board *board_new(void)
{
	struct board *board = calloc(1, sizeof *board);
	pthread_condattr_t attributes;

	if (!board)
		return NULL;
	board->tape = tape_new();
	if (!board->tape) {
		free(board);
		return NULL;
	}
	pthread_mutex_init(&board->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&board->news, &attributes);
	pthread_condattr_destroy(&attributes);
	battery_clear(&board->battery);
	return board;
}

void board_free(struct board *board)
{
	if (!board)
		return;
	pthread_cond_destroy(&board->news);
	pthread_mutex_destroy(&board->lock);
	tape_free(board->tape);
	free(board);
}

struct tape *board_tape(struct board *board)
{
	return board->tape;
}

void board_publish(struct board *board, const struct battery *battery)
{
	pthread_mutex_lock(&board->lock);
	board->battery = *battery;
	board->sequence++;
	pthread_cond_broadcast(&board->news);
	pthread_mutex_unlock(&board->lock);
}

void board_close(struct board *board)
{
	pthread_mutex_lock(&board->lock);
	board->closed = true;
	pthread_cond_broadcast(&board->news);
	pthread_mutex_unlock(&board->lock);
}

bool board_is_closed(struct board *board)
{
	pthread_mutex_lock(&board->lock);
	const bool closed = board->closed;
	pthread_mutex_unlock(&board->lock);
	return closed;
}

uint64_t board_battery(struct board *board, struct battery *out)
{
	pthread_mutex_lock(&board->lock);
	*out = board->battery;
	const uint64_t sequence = board->sequence;
	pthread_mutex_unlock(&board->lock);
	return sequence;
}

uint64_t board_wait(struct board *board, uint64_t seen, int timeout_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&board->lock);
	while (!board->closed && board->sequence == seen)
		if (pthread_cond_timedwait(&board->news, &board->lock, &until) != 0)
			break;
	const uint64_t sequence = board->sequence;
	pthread_mutex_unlock(&board->lock);
	return sequence;
}

static int at_most(int count, int max)
{
	return count < 0 ? 0 : count > max ? max : count;
}

void board_set_inverters(struct board *board, const struct inverter_status *inverters, int count)
{
	count = at_most(count, STATUS_MAX_INVERTERS);
	pthread_mutex_lock(&board->lock);
	memcpy(board->inverters, inverters, (size_t)count * sizeof *inverters);
	board->inverter_count = count;
	pthread_mutex_unlock(&board->lock);
}

void board_set_buses(struct board *board, const struct bus_status *buses, int count)
{
	count = at_most(count, STATUS_MAX_BUSES);
	pthread_mutex_lock(&board->lock);
	memcpy(board->buses, buses, (size_t)count * sizeof *buses);
	board->bus_count = count;
	pthread_mutex_unlock(&board->lock);
}

int board_inverters(struct board *board, struct inverter_status out[STATUS_MAX_INVERTERS])
{
	pthread_mutex_lock(&board->lock);
	const int count = board->inverter_count;
	memcpy(out, board->inverters, (size_t)count * sizeof *out);
	pthread_mutex_unlock(&board->lock);
	return count;
}

int board_buses(struct board *board, struct bus_status out[STATUS_MAX_BUSES])
{
	pthread_mutex_lock(&board->lock);
	const int count = board->bus_count;
	memcpy(out, board->buses, (size_t)count * sizeof *out);
	pthread_mutex_unlock(&board->lock);
	return count;
}

void board_post_event(struct board *board, const struct event *event)
{
	pthread_mutex_lock(&board->lock);
	board->events[board->event_count++ % EVENTS_KEPT] = *event;
	pthread_mutex_unlock(&board->lock);
}

int board_events(struct board *board, uint64_t after, struct event *out, int max, uint64_t *last)
{
	int copied = 0;

	pthread_mutex_lock(&board->lock);
	if (after > board->event_count)
		after = board->event_count;
	if (board->event_count - after > EVENTS_KEPT)
		after = board->event_count - EVENTS_KEPT;
	while (copied < max && after < board->event_count)
		out[copied++] = board->events[after++ % EVENTS_KEPT];
	*last = after;
	pthread_mutex_unlock(&board->lock);
	return copied;
}
