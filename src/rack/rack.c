// SPDX-License-Identifier: Apache-2.0
/* The buses together: their threads put samples and counts into the table, the engine takes them
 * out. One lock, held for copies only. */
#include "onepack/rack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "onepack/clock.h"

#include "bus.h"
#include "table.h"
#include "update_desk.h"

struct line {
	struct bus bus;
	bool started;
};

struct rack {
	pthread_mutex_t lock; /* of the table */
	int wake_fd, stop_fd;
	int line_count;
	struct line lines[STATUS_MAX_BUSES];
	struct table table;
	struct rack_word word;
	int64_t word_ms; /* when it was told; 0 = never */
	struct update_desk desk;
};

/* --- reports of the buses --- */

static void wake(const struct rack *rack)
{
	uint64_t one = 1;

	if (rack->wake_fd >= 0 && write(rack->wake_fd, &one, sizeof one) < 0)
		return; /* full: the reader has been woken already */
}

static void on_sample(void *context, int bus, int address, const struct pack *pack)
{
	struct rack *rack = context;

	pthread_mutex_lock(&rack->lock);
	table_sample(&rack->table, bus, address, pack);
	desk_seen(&rack->desk, bus, address, clock_monotonic_ms());
	pthread_mutex_unlock(&rack->lock);
	wake(rack);
}

static void on_answer(void *context, int bus, int address, int result, bool expected)
{
	struct rack *rack = context;

	pthread_mutex_lock(&rack->lock);
	table_answer(&rack->table, bus, address, result, expected);
	pthread_mutex_unlock(&rack->lock);
}

static void on_foreign(void *context, int bus, int questions, bool jk_master)
{
	struct rack *rack = context;

	pthread_mutex_lock(&rack->lock);
	table_foreign(&rack->table, bus, questions, jk_master);
	pthread_mutex_unlock(&rack->lock);
}

static void on_state(void *context, int bus, enum link_state state, const char *detail)
{
	struct rack *rack = context;

	pthread_mutex_lock(&rack->lock);
	table_state(&rack->table, bus, state, detail);
	pthread_mutex_unlock(&rack->lock);
}

static void on_cycle(void *context, int bus, int64_t cycle_ms, uint64_t cycles)
{
	struct rack *rack = context;

	pthread_mutex_lock(&rack->lock);
	table_cycle(&rack->table, bus, cycle_ms, cycles);
	pthread_mutex_unlock(&rack->lock);
}

static void on_event(void *context, int bus, const struct search_event *event)
{
	struct rack *rack = context;

	pthread_mutex_lock(&rack->lock);
	table_event(&rack->table, bus, event, clock_wall_ms());
	pthread_mutex_unlock(&rack->lock);
}

static void on_protocol(void *context, int bus, const char *id)
{
	struct rack *rack = context;

	pthread_mutex_lock(&rack->lock);
	table_protocol(&rack->table, bus, id);
	pthread_mutex_unlock(&rack->lock);
}

static bool get_word(void *context, struct rack_word *out)
{
	struct rack *rack = context;
	bool fresh;

	pthread_mutex_lock(&rack->lock);
	fresh = rack->word_ms > 0 && clock_monotonic_ms() - rack->word_ms <= RACK_WORD_MS;
	*out = rack->word;
	out->update = desk_is_running(&rack->desk);
	pthread_mutex_unlock(&rack->lock);
	return fresh;
}

static struct update_job *get_job(void *context, int bus, int64_t now_us)
{
	struct rack *rack = context;
	const int64_t now_ms = now_us / 1000;
	struct update_job *job;

	pthread_mutex_lock(&rack->lock);
	job = desk_job(&rack->desk, &rack->table, bus,
		       now_ms - rack->word_ms <= RACK_WORD_MS ? rack->word.packs : -1,
		       rack->lines[bus].bus.poller.baud, now_ms);
	pthread_mutex_unlock(&rack->lock);
	return job;
}

static void on_job_step(void *context, int bus)
{
	struct rack *rack = context;

	(void)bus;
	pthread_mutex_lock(&rack->lock);
	desk_step(&rack->desk, &rack->table);
	pthread_mutex_unlock(&rack->lock);
}

/* --- start and stop --- */

static int prepare_line(struct rack *rack, int number, const struct rack_bus_config *config,
			char *why, size_t why_size)
{
	static const struct poller_reports reports = {on_sample, on_answer,  on_foreign,  on_state,
						      on_cycle,  on_event,   on_protocol, get_word,
						      get_job,   on_job_step};
	struct bus *bus = &rack->lines[number].bus;
	int err;

	bus->poller.reports = &reports;
	bus->poller.context = rack;
	bus->poller.number = number;
	bus->stop_fd = rack->stop_fd;
	err = bus_prepare(bus, config, why, why_size);
	return err ? err : table_add_line(&rack->table, config, &bus->poller, why, why_size);
}

static int start_threads(struct rack *rack, char *why, size_t why_size)
{
	for (int i = 0; i < rack->line_count; i++) {
		struct line *line = &rack->lines[i];
		int err = pthread_create(&line->bus.thread, NULL, bus_run, &line->bus);

		if (err) {
			snprintf(why, why_size, "no thread for bus %s: %s",
				 rack->table.lines[i].status.name, strerror(err));
			return -err;
		}
		line->started = true;
	}
	return 0;
}

int rack_start(const struct rack_bus_config *buses, int count, int wake_fd, struct rack **out,
	       char *why, size_t why_size)
{
	struct rack *rack;
	int err = 0;

	if (count < 0 || count > STATUS_MAX_BUSES) {
		snprintf(why, why_size, "at most %d buses", STATUS_MAX_BUSES);
		return -EINVAL;
	}
	rack = calloc(1, sizeof *rack);
	if (!rack) {
		snprintf(why, why_size, "out of memory");
		return -ENOMEM;
	}
	pthread_mutex_init(&rack->lock, NULL);
	rack->wake_fd = wake_fd;
	rack->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (rack->stop_fd < 0) {
		err = -errno;
		snprintf(why, why_size, "no eventfd: %s", strerror(-err));
		goto out;
	}
	while (!err && rack->line_count < count) {
		err = prepare_line(rack, rack->line_count, &buses[rack->line_count], why, why_size);
		rack->line_count++;
	}
	if (!err)
		err = start_threads(rack, why, why_size);
	if (!err)
		*out = rack;
out:
	if (err)
		rack_stop(rack);
	return err;
}

void rack_stop(struct rack *rack)
{
	uint64_t one = 1;

	if (!rack)
		return;
	if (rack->stop_fd >= 0 && write(rack->stop_fd, &one, sizeof one) < 0)
		return; /* cannot be: without the stop the threads would never be joined */
	for (int i = 0; i < rack->line_count; i++) {
		if (rack->lines[i].started)
			pthread_join(rack->lines[i].bus.thread, NULL);
		bus_release(&rack->lines[i].bus);
	}
	if (rack->stop_fd >= 0)
		close(rack->stop_fd);
	desk_close(&rack->desk);
	pthread_mutex_destroy(&rack->lock);
	free(rack);
}

/* --- taking --- */

void rack_take(struct rack *rack, struct fusion_input *input)
{
	pthread_mutex_lock(&rack->lock);
	table_take(&rack->table, input);
	desk_taken(&rack->desk, &rack->table, clock_monotonic_ms());
	pthread_mutex_unlock(&rack->lock);
}

void rack_tell(struct rack *rack, const struct rack_word *word, int64_t now_ms)
{
	pthread_mutex_lock(&rack->lock);
	rack->word = *word;
	rack->word_ms = now_ms;
	desk_tick(&rack->desk, &rack->table, now_ms);
	pthread_mutex_unlock(&rack->lock);
}

int rack_take_events(struct rack *rack, struct event out[RACK_MAX_EVENTS])
{
	int count;

	pthread_mutex_lock(&rack->lock);
	count = rack->table.event_count;
	memcpy(out, rack->table.events, (size_t)count * sizeof *out);
	rack->table.event_count = 0;
	pthread_mutex_unlock(&rack->lock);
	return count;
}

int rack_status(struct rack *rack, struct bus_status out[STATUS_MAX_BUSES])
{
	pthread_mutex_lock(&rack->lock);
	for (int i = 0; i < rack->line_count; i++)
		out[i] = rack->table.lines[i].status;
	pthread_mutex_unlock(&rack->lock);
	return rack->line_count;
}

/* --- updates --- */

int rack_enable_updates(struct rack *rack, const struct rack_update_config *config, char *why,
			size_t why_size)
{
	int err;

	pthread_mutex_lock(&rack->lock);
	err = desk_enable(&rack->desk, config, &rack->table, clock_monotonic_ms(), why, why_size);
	pthread_mutex_unlock(&rack->lock);
	return err;
}

int rack_update(struct rack *rack, const struct rack_update_wish *wish, const uint8_t *release,
		size_t size, char *why, size_t why_size)
{
	int err;

	pthread_mutex_lock(&rack->lock);
	err = desk_order(&rack->desk, &rack->table, wish, release, size, clock_monotonic_ms(), why,
			 why_size);
	pthread_mutex_unlock(&rack->lock);
	return err;
}

int rack_update_stop(struct rack *rack, char *why, size_t why_size)
{
	int err;

	pthread_mutex_lock(&rack->lock);
	err = desk_stop(&rack->desk, why, why_size);
	pthread_mutex_unlock(&rack->lock);
	return err;
}

void rack_get_update(struct rack *rack, struct rack_update_status *out)
{
	pthread_mutex_lock(&rack->lock);
	*out = rack->desk.status;
	pthread_mutex_unlock(&rack->lock);
}
