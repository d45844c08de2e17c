// SPDX-License-Identifier: Apache-2.0
/* The buses together: their threads put samples and counts here, the engine takes them out. One
 * lock, held for copies only. */
#include "onepack/rack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bus.h"

/* A pack number: whose it is, and the newest sample that nobody has taken yet. */
struct slot {
	bool taken, fresh;
	int bus, address;
	struct pack sample;
};

struct line {
	struct bus bus;
	struct bus_status status;
	bool started;
	char protocol[FIELD_TEXT_SIZE];
	int32_t first_pack;
	int surplus; /* address of a pack for which no number is left, -1 = none */
	int32_t errors[BUS_MAX_ADDRESS][BUS_ERROR_KINDS]; /* not taken yet */
};

struct rack {
	pthread_mutex_t lock;
	int wake_fd, stop_fd;
	struct slot slots[ONEPACK_MAX_PACKS]; /* of pack 1, 2, ... */
	int line_count;
	struct line lines[STATUS_MAX_BUSES];
};

/* --- pack numbers --- */

static struct slot *find_slot(struct rack *rack, int bus, int address)
{
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++)
		if (rack->slots[i].taken && rack->slots[i].bus == bus &&
		    rack->slots[i].address == address)
			return &rack->slots[i];
	return NULL;
}

/* The next free number from the bus' first on; NULL when all are taken. */
static struct slot *take_slot(struct rack *rack, int bus, int address)
{
	int first = rack->lines[bus].first_pack > 0 ? rack->lines[bus].first_pack - 1 : 0;

	for (int i = first; i < ONEPACK_MAX_PACKS; i++) {
		struct slot *slot = &rack->slots[i];

		if (slot->taken)
			continue;
		slot->taken = true;
		slot->bus = bus;
		slot->address = address;
		return slot;
	}
	return NULL;
}

/* Listed addresses have their numbers from the start. */
static int number_listed(struct rack *rack, int bus, char *why, size_t why_size)
{
	struct line *line = &rack->lines[bus];

	if (!line->bus.listed)
		return 0;
	for (int address = 0; address < BUS_MAX_ADDRESS; address++) {
		if (!(bus_addresses(&line->bus) >> address & 1))
			continue;
		if (!take_slot(rack, bus, address)) {
			snprintf(why, why_size,
				 "bus %s: no number is left for address %d: a rack has %d packs, "
				 "list only addresses that exist",
				 line->status.name, address, ONEPACK_MAX_PACKS);
			return -EINVAL;
		}
	}
	return 0;
}

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
	struct line *line = &rack->lines[bus];
	struct slot *slot;

	pthread_mutex_lock(&rack->lock);
	slot = find_slot(rack, bus, address);
	if (!slot)
		slot = take_slot(rack, bus, address);
	if (slot) {
		slot->sample = *pack;
		slot->sample.pack = (int32_t)(slot - rack->slots) + 1;
		slot->sample.address = address;
		memcpy(slot->sample.bus, line->status.name, sizeof slot->sample.bus);
		memcpy(slot->sample.protocol, line->protocol, sizeof slot->sample.protocol);
		slot->fresh = true;
	} else {
		line->surplus = address;
	}
	pthread_mutex_unlock(&rack->lock);
	wake(rack);
}

static enum bus_cause cause_of(int result)
{
	switch (result) {
	case ERR_TIMEOUT: return BUS_CAUSE_TIMEOUT;
	case ERR_CHECKSUM: return BUS_CAUSE_CHECKSUM;
	case ERR_RANGE: return BUS_CAUSE_RANGE;
	case ERR_FOREIGN:
	case ERR_NOT_MINE:
	case ERR_UNKNOWN: return BUS_CAUSE_FOREIGN; /* nobody signed it */
	default: return result <= ERR_NOT_MINE ? BUS_CAUSE_FORMAT : BUS_CAUSE_IO;
	}
}

static void on_answer(void *context, int bus, int address, int result, bool expected)
{
	struct rack *rack = context;
	struct line *line = &rack->lines[bus];
	struct bus_address_status *status = &line->status.address[address];
	enum bus_cause cause = cause_of(result);

	pthread_mutex_lock(&rack->lock);
	if (result > 0) {
		status->answers++;
	} else if (expected || cause != BUS_CAUSE_TIMEOUT) {
		status->errors[cause]++;
		if (cause == BUS_CAUSE_TIMEOUT)
			line->errors[address][BUS_ERROR_TIMEOUT]++;
		else if (cause == BUS_CAUSE_CHECKSUM || cause == BUS_CAUSE_FORMAT)
			line->errors[address][BUS_ERROR_CHECKSUM]++;
	}
	pthread_mutex_unlock(&rack->lock);
}

/* Counted for address 0: whoever the question was for, the one who asked is not a pack here. */
static void on_foreign(void *context, int bus, int questions, bool jk_master)
{
	struct rack *rack = context;
	struct line *line = &rack->lines[bus];

	pthread_mutex_lock(&rack->lock);
	line->errors[0][BUS_ERROR_FOREIGN_REQUEST] += questions;
	line->status.address[0].errors[BUS_CAUSE_FOREIGN] += (uint64_t)questions;
	line->status.link = LINK_ERROR;
	snprintf(line->status.detail, sizeof line->status.detail, "%s",
		 jk_master ? "a JK pack at address 0 is master here: only listening"
			   : "another master asks here: only listening");
	pthread_mutex_unlock(&rack->lock);
}

static void on_state(void *context, int bus, enum link_state state, const char *detail)
{
	struct rack *rack = context;
	struct line *line = &rack->lines[bus];
	struct bus_status *status = &line->status;

	pthread_mutex_lock(&rack->lock);
	status->link = state;
	if (state == LINK_UP && line->surplus >= 0)
		snprintf(status->detail, sizeof status->detail,
			 "more than %d packs: address %d is ignored", ONEPACK_MAX_PACKS,
			 line->surplus);
	else
		snprintf(status->detail, sizeof status->detail, "%s", detail);
	pthread_mutex_unlock(&rack->lock);
}

static void on_cycle(void *context, int bus, int64_t cycle_ms, uint64_t cycles)
{
	struct rack *rack = context;
	struct bus_status *status = &rack->lines[bus].status;

	pthread_mutex_lock(&rack->lock);
	status->cycle_ms = cycle_ms;
	status->cycles = cycles;
	pthread_mutex_unlock(&rack->lock);
}

/* --- start and stop --- */

static int prepare_line(struct rack *rack, int number, const struct rack_bus_config *config,
			char *why, size_t why_size)
{
	static const struct bus_reports reports = {on_sample, on_answer, on_foreign, on_state,
						   on_cycle};
	struct line *line = &rack->lines[number];
	struct wire_info info;
	int err;

	line->bus.reports = &reports;
	line->bus.context = rack;
	line->bus.number = number;
	line->bus.stop_fd = rack->stop_fd;
	line->first_pack = config->first_pack;
	line->surplus = -1;
	if (config->name[0] != '\0')
		memcpy(line->status.name, config->name, sizeof line->status.name);
	else
		snprintf(line->status.name, sizeof line->status.name, "bus%d", number + 1);
	memcpy(line->status.port, config->port, sizeof line->status.port);
	err = bus_prepare(&line->bus, config, why, why_size);
	if (err)
		return err;
	wire_get_info(line->bus.wire, &info);
	snprintf(line->protocol, sizeof line->protocol, "%s", info.id);
	return number_listed(rack, number, why, why_size);
}

static int start_threads(struct rack *rack, char *why, size_t why_size)
{
	for (int i = 0; i < rack->line_count; i++) {
		struct line *line = &rack->lines[i];
		int err = pthread_create(&line->bus.thread, NULL, bus_run, &line->bus);

		if (err) {
			snprintf(why, why_size, "no thread for bus %s: %s", line->status.name,
				 strerror(err));
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
	pthread_mutex_destroy(&rack->lock);
	free(rack);
}

/* --- taking --- */

static void take_errors(struct line *line, struct fusion_input *input)
{
	for (int address = 0; address < BUS_MAX_ADDRESS; address++)
		for (int kind = 0; kind < BUS_ERROR_KINDS; kind++) {
			struct bus_error *error = &input->errors[input->error_count];

			if (line->errors[address][kind] == 0)
				continue;
			if (input->error_count == FUSION_MAX_BUS_ERRORS)
				return; /* next time */
			memcpy(error->bus, line->status.name, sizeof error->bus);
			error->address = address;
			error->kind = (enum bus_error_kind)kind;
			error->count = line->errors[address][kind];
			line->errors[address][kind] = 0;
			input->error_count++;
		}
}

void rack_take(struct rack *rack, struct fusion_input *input)
{
	input->pack_count = 0;
	input->error_count = 0;
	pthread_mutex_lock(&rack->lock);
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++)
		if (rack->slots[i].fresh) {
			input->packs[input->pack_count++] = rack->slots[i].sample;
			rack->slots[i].fresh = false;
		}
	for (int i = 0; i < rack->line_count; i++)
		take_errors(&rack->lines[i], input);
	pthread_mutex_unlock(&rack->lock);
}

int rack_status(struct rack *rack, struct bus_status out[STATUS_MAX_BUSES])
{
	pthread_mutex_lock(&rack->lock);
	for (int i = 0; i < rack->line_count; i++)
		out[i] = rack->lines[i].status;
	pthread_mutex_unlock(&rack->lock);
	return rack->line_count;
}
