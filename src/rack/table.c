// SPDX-License-Identifier: Apache-2.0
/* Pack numbers and counts; see table.h. */
#include "table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- pack numbers --- */

static struct table_slot *find_slot(struct table *table, int bus, int address)
{
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++)
		if (table->slots[i].taken && table->slots[i].bus == bus &&
		    table->slots[i].address == address)
			return &table->slots[i];
	return NULL;
}

/* The next free number from the bus' first on; NULL when all are taken. */
static struct table_slot *take_slot(struct table *table, int bus, int address)
{
	int first = table->lines[bus].first_pack > 0 ? table->lines[bus].first_pack - 1 : 0;

	for (int i = first; i < ONEPACK_MAX_PACKS; i++) {
		struct table_slot *slot = &table->slots[i];

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
static int number_listed(struct table *table, int bus, uint32_t addresses, char *why,
			 size_t why_size)
{
	for (int address = 0; address < BUS_MAX_ADDRESS; address++) {
		if (!(addresses >> address & 1))
			continue;
		if (!take_slot(table, bus, address)) {
			snprintf(why, why_size,
				 "bus %s: no number is left for address %d: a rack has %d packs, "
				 "list only addresses that exist",
				 table->lines[bus].status.name, address, ONEPACK_MAX_PACKS);
			return -EINVAL;
		}
	}
	return 0;
}

int table_add_line(struct table *table, const struct rack_bus_config *config,
		   const struct poller *poller, char *why, size_t why_size)
{
	int bus = table->line_count++;
	struct table_line *line = &table->lines[bus];
	struct wire_info info;

	line->first_pack = config->first_pack;
	line->surplus = -1;
	if (config->name[0] != '\0')
		memcpy(line->status.name, config->name, sizeof line->status.name);
	else
		snprintf(line->status.name, sizeof line->status.name, "bus%d", bus + 1);
	memcpy(line->status.port, config->port, sizeof line->status.port);
	wire_get_info(poller->wire, &info);
	snprintf(line->protocol, sizeof line->protocol, "%s", info.id);
	return poller->listed ? number_listed(table, bus, poller->config.addresses, why, why_size)
			      : 0;
}

/* --- reports --- */

void table_sample(struct table *table, int bus, int address, const struct pack *pack)
{
	struct table_line *line = &table->lines[bus];
	struct table_slot *slot = find_slot(table, bus, address);

	if (!slot)
		slot = take_slot(table, bus, address);
	if (!slot) {
		line->surplus = address;
		return;
	}
	slot->sample = *pack;
	slot->sample.pack = (int32_t)(slot - table->slots) + 1;
	slot->sample.address = address;
	memcpy(slot->sample.bus, line->status.name, sizeof slot->sample.bus);
	memcpy(slot->sample.protocol, line->protocol, sizeof slot->sample.protocol);
	slot->fresh = true;
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

void table_answer(struct table *table, int bus, int address, int result, bool expected)
{
	struct table_line *line = &table->lines[bus];
	struct bus_address_status *status = &line->status.address[address];
	enum bus_cause cause;

	if (result > 0) {
		status->answers++;
		return;
	}
	cause = cause_of(result);
	if (!expected && cause == BUS_CAUSE_TIMEOUT)
		return;
	status->errors[cause]++;
	line->any_errors = true;
	if (cause == BUS_CAUSE_TIMEOUT)
		line->errors[address][BUS_ERROR_TIMEOUT]++;
	else if (cause == BUS_CAUSE_CHECKSUM || cause == BUS_CAUSE_FORMAT)
		line->errors[address][BUS_ERROR_CHECKSUM]++;
}

/* Counted for address 0: whoever the question was for, the one who asked is not a pack here. */
void table_foreign(struct table *table, int bus, int questions, bool jk_master)
{
	struct table_line *line = &table->lines[bus];

	line->any_errors = true;
	line->errors[0][BUS_ERROR_FOREIGN_REQUEST] += questions;
	line->status.address[0].errors[BUS_CAUSE_FOREIGN] += (uint64_t)questions;
	line->status.link = LINK_ERROR;
	snprintf(line->status.detail, sizeof line->status.detail, "%s",
		 jk_master ? "a JK pack at address 0 is master here: only listening"
			   : "another master asks here: only listening");
}

void table_state(struct table *table, int bus, enum link_state state, const char *detail)
{
	struct table_line *line = &table->lines[bus];
	struct bus_status *status = &line->status;

	status->link = state;
	if (state == LINK_UP && line->surplus >= 0)
		snprintf(status->detail, sizeof status->detail,
			 "more than %d packs: address %d is ignored", ONEPACK_MAX_PACKS,
			 line->surplus);
	else
		snprintf(status->detail, sizeof status->detail, "%s", detail);
}

void table_protocol(struct table *table, int bus, const char *id)
{
	snprintf(table->lines[bus].protocol, sizeof table->lines[bus].protocol, "%s", id);
}

void table_event(struct table *table, int bus, const struct search_event *event, int64_t wall_ms)
{
	const struct table_slot *slot = find_slot(table, bus, event->address);
	struct event *out = &table->events[table->event_count];

	if (table->event_count == TABLE_EVENTS)
		return;
	table->event_count++;
	out->time_ms = wall_ms;
	out->severity = event->severity;
	out->pack = slot ? (int32_t)(slot - table->slots) + 1 : FIELD_UNKNOWN;
	memcpy(out->kind, event->kind, sizeof out->kind);
	memcpy(out->text, event->text, sizeof out->text);
}

void table_cycle(struct table *table, int bus, int64_t cycle_ms, uint64_t cycles)
{
	table->lines[bus].status.cycle_ms = cycle_ms;
	table->lines[bus].status.cycles = cycles;
}

/* --- taking --- */

static void take_errors(struct table_line *line, struct fusion_input *input)
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
	line->any_errors = false;
}

void table_take(struct table *table, struct fusion_input *input)
{
	input->pack_count = 0;
	input->error_count = 0;
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++)
		if (table->slots[i].fresh) {
			struct pack *pack = &input->packs[input->pack_count++];

			*pack = table->slots[i].sample;
			if (table->leaving >> i & 1)
				pack->charge_mos = pack->discharge_mos = 0;
			table->slots[i].fresh = false;
		}
	for (int i = 0; i < table->line_count; i++)
		if (table->lines[i].any_errors)
			take_errors(&table->lines[i], input);
}
