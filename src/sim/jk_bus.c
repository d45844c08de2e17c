// SPDX-License-Identifier: Apache-2.0
/* A pack starts to answer about 10 ms after a request and sends the record and the acknowledge in
 * one go. Packs frame requests by pauses and take no notice of each other's answers. Facts: vendor
 * texts of the JK Modbus protocol and what drivers of real buses report.
 *
 * Writes to settings are not carried out; the codec answers what the protocol file lets it. */
#include "jk_bus.h"

#include <string.h>

#define MS                INT64_C(1000000) /* in ns */
#define TURNAROUND_NS     (10 * MS)
#define TURNAROUND_SPREAD (1.5 * MS)
#define PAUSE_NS          (5 * MS) /* ends a request, whole or not */
#define FOREIGN_PERIOD_NS (260 * MS)
#define RECORD_SIZE       300
#define RECORD_AND_ACK    308
#define LIVE_RECORD       2 /* type of the record with the live data */

void jk_bus_init(struct jk_bus *bus, const struct wire *wire, uint32_t baud, uint64_t seed)
{
	memset(bus, 0, sizeof *bus);
	bus->wire = wire;
	bus->random.state = seed;
	bus->foreign_address = 1;
	line_init(&bus->line, baud, JK_BUS_FIRST, seed + 1);
}

void jk_bus_add(struct jk_bus *bus, const struct sim_pack *pack, int address)
{
	bus->stations[bus->pack_count++] = (struct jk_station){.pack = pack, .address = address};
	bus->line.station_count = JK_BUS_FIRST + bus->pack_count + 1;
}

static int foreign_station(const struct jk_bus *bus)
{
	return JK_BUS_FIRST + bus->pack_count;
}

static bool is_silent(const struct sim_pack *pack)
{
	return pack->unplugged || pack->muted || !pack->bms.powered;
}

/* Some packs send a zero after the record and one after the acknowledge. */
static size_t lengthen(uint8_t *answer, size_t count)
{
	if (count != RECORD_AND_ACK)
		return count;
	memmove(answer + RECORD_SIZE + 1, answer + RECORD_SIZE, count - RECORD_SIZE);
	answer[RECORD_SIZE] = 0;
	answer[count + 1] = 0;
	return count + 2;
}

static void answer_as(struct jk_bus *bus, int index, int64_t asked_ns, const uint8_t *frame,
		      size_t count)
{
	const struct jk_station *station = &bus->stations[index];
	struct wire_context ctx;
	struct pack pack;
	uint8_t answer[WIRE_MAX_FRAME + 2];
	int length;

	if (is_silent(station->pack))
		return;
	wire_context_init(bus->wire, &ctx);
	ctx.address = station->address;
	bms_report(&station->pack->bms, &pack);
	pack.address = pack.settings.device_address = station->address;
	length = wire_answer(bus->wire, &ctx, &pack, frame, count, answer, WIRE_MAX_FRAME);
	if (length <= 0)
		return;
	if (bus->long_form)
		length = (int)lengthen(answer, (size_t)length);
	asked_ns += TURNAROUND_NS + (int64_t)sim_random_spread(&bus->random, TURNAROUND_SPREAD) +
		    station->late_ms * MS;
	line_send(&bus->line, JK_BUS_FIRST + index, asked_ns, answer, (size_t)length);
	bus->answers++;
}

static void drop(struct jk_bus *bus, size_t count)
{
	bus->heard_count -= count;
	memmove(bus->heard, bus->heard + count, bus->heard_count);
}

/* Takes requests out of what was heard until none is left. */
static void take_requests(struct jk_bus *bus)
{
	while (bus->heard_count > 0) {
		size_t start = 0;
		int length = wire_scan(bus->wire, WIRE_FROM_MASTER, bus->heard, bus->heard_count,
				       &start);

		if (length > 0) {
			bus->requests++;
			for (int i = 0; i < bus->pack_count; i++)
				answer_as(bus, i, bus->heard_ns, bus->heard + start,
					  (size_t)length);
			drop(bus, start + (size_t)length);
		} else if (length == ERR_CHECKSUM) {
			drop(bus, start + 1);
		} else {
			drop(bus, length == ERR_INCOMPLETE ? start : bus->heard_count);
			return;
		}
	}
}

void jk_bus_heard(struct jk_bus *bus, int talker, int64_t end_ns, const uint8_t *bytes,
		  size_t count)
{
	int64_t start_ns = end_ns - (int64_t)count * bus->line.byte_ns;

	if (talker >= JK_BUS_FIRST && talker < foreign_station(bus))
		return;
	if (start_ns - bus->heard_ns > PAUSE_NS || count > JK_BUS_BUFFER - bus->heard_count)
		bus->heard_count = 0;
	if (count > JK_BUS_BUFFER)
		return;
	memcpy(bus->heard + bus->heard_count, bytes, count);
	bus->heard_count += count;
	bus->heard_ns = end_ns;
	take_requests(bus);
}

static int live_message(const struct wire *wire)
{
	for (int i = 0; i < wire_message_count(wire); i++) {
		struct wire_message_info info;

		wire_get_message(wire, i, &info);
		if (info.id == LIVE_RECORD || strcmp(info.name, "live") == 0)
			return i;
	}
	return 0;
}

int64_t jk_bus_tick(struct jk_bus *bus, int64_t now_ns)
{
	struct wire_context ctx;
	uint8_t request[64];
	int length;

	if (!bus->foreign_master)
		return LINE_NEVER;
	if (now_ns < bus->foreign_ns)
		return bus->foreign_ns;
	wire_context_init(bus->wire, &ctx);
	length = wire_request(bus->wire, live_message(bus->wire), &ctx, bus->foreign_address,
			      request, sizeof request);
	if (length > 0)
		line_send(&bus->line, foreign_station(bus), now_ns, request, (size_t)length);
	bus->foreign_address = bus->foreign_address % JK_MAX_ADDRESS + 1;
	bus->foreign_ns = now_ns + FOREIGN_PERIOD_NS;
	return bus->foreign_ns;
}
