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
/* Two questions for each address in 260 ms, as firmware 15.41 does. */
#define MASTER_PERIOD_NS (130 * MS)
#define RECORD_SIZE      300
#define RECORD_AND_ACK   308

void jk_bus_init(struct jk_bus *bus, const struct wire *wire, uint32_t baud, uint64_t seed)
{
	memset(bus, 0, sizeof *bus);
	bus->wire = wire;
	bus->random.state = seed;
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

/* What a pack says to a request for its address; 0 = nothing. */
static size_t answer_of(const struct jk_bus *bus, const struct jk_station *station,
			const uint8_t *frame, size_t count, uint8_t answer[WIRE_MAX_FRAME + 2])
{
	struct wire_context ctx;
	struct pack pack;
	int length;

	wire_context_init(bus->wire, &ctx);
	ctx.address = station->address;
	bms_report(&station->pack->bms, &pack);
	pack.address = pack.settings.device_address = station->address;
	length = wire_answer(bus->wire, &ctx, &pack, frame, count, answer, WIRE_MAX_FRAME);
	if (length <= 0)
		return 0;
	return bus->long_form ? lengthen(answer, (size_t)length) : (size_t)length;
}

static int message_named(const struct wire *wire, const char *name)
{
	struct wire_message_info info;
	int i = wire_message_count(wire) - 1;

	for (; i > 0; i--) {
		wire_get_message(wire, i, &info);
		if (strcmp(info.name, name) == 0)
			break;
	}
	return i;
}

/* A request for live data (even steps) or settings (odd steps). */
static size_t request_of(const struct jk_bus *bus, int step, int address, uint8_t *out, size_t size)
{
	struct wire_context ctx;
	int length;

	wire_context_init(bus->wire, &ctx);
	length = wire_request(bus->wire, message_named(bus->wire, step % 2 ? "settings" : "live"),
			      &ctx, address, out, size);
	return length > 0 ? (size_t)length : 0;
}

/* What the next pack would say to the same question, signed by it. */
static size_t foreign_answer(const struct jk_bus *bus, int index, const uint8_t *frame,
			     size_t count, uint8_t answer[WIRE_MAX_FRAME + 2])
{
	const struct jk_station *other = &bus->stations[(index + 1) % bus->pack_count];
	uint8_t request[64];
	size_t length = request_of(bus, 0, bus->stations[index].address, request, sizeof request);
	int step = length == count && memcmp(request, frame, count) == 0 ? 0 : 1;

	length = request_of(bus, step, other->address, request, sizeof request);
	return answer_of(bus, other, request, length, answer);
}

static int spoil(const struct jk_bus *bus, int index, uint8_t *answer, size_t *length)
{
	return bus->spoiler ? bus->spoiler->spoil(bus->spoiler->context, index, answer, length) : 1;
}

static void answer_as(struct jk_bus *bus, int index, int64_t asked_ns, const uint8_t *frame,
		      size_t count)
{
	const struct jk_station *station = &bus->stations[index];
	uint8_t answer[WIRE_MAX_FRAME + 2];
	size_t length;

	if (frame[0] != station->address || is_silent(station->pack) ||
	    station->address == JK_MASTER_ADDRESS)
		return;
	if (bus->spoiler && bus->spoiler->foreign(bus->spoiler->context, index))
		length = foreign_answer(bus, index, frame, count, answer);
	else
		length = answer_of(bus, station, frame, count, answer);
	if (length == 0)
		return;
	asked_ns += TURNAROUND_NS + (int64_t)sim_random_spread(&bus->random, TURNAROUND_SPREAD) +
		    station->late_ms * MS;
	for (int times = spoil(bus, index, answer, &length); times > 0; times--)
		line_send(&bus->line, JK_BUS_FIRST + index, asked_ns, answer, length);
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

static bool is_slave(const struct jk_bus *bus, int talker)
{
	return talker >= JK_BUS_FIRST && talker < foreign_station(bus) &&
	       bus->stations[talker - JK_BUS_FIRST].address != JK_MASTER_ADDRESS;
}

void jk_bus_heard(struct jk_bus *bus, int talker, int64_t end_ns, const uint8_t *bytes,
		  size_t count)
{
	int64_t start_ns = end_ns - (int64_t)count * bus->line.byte_ns;

	if (is_slave(bus, talker))
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

/* One step of a master's cycle: two questions for each address, then, if it is a pack, its own two
 * records, which nobody asked for. */
static int64_t master_tick(struct jk_bus *bus, struct jk_master *master, int station,
			   const struct jk_station *self, int64_t now_ns)
{
	uint8_t request[64], answer[WIRE_MAX_FRAME + 2];
	int address = master->step / 2 + 1;
	size_t length;

	if (now_ns < master->next_ns)
		return master->next_ns;
	if (address <= JK_MAX_ADDRESS) {
		length = request_of(bus, master->step, address, request, sizeof request);
		line_send(&bus->line, station, now_ns, request, length);
	} else if (self) {
		length = request_of(bus, master->step, self->address, request, sizeof request);
		length = answer_of(bus, self, request, length, answer);
		line_send(&bus->line, station, now_ns, answer, length);
	}
	master->step = (master->step + 1) % (2 * JK_MAX_ADDRESS + 2);
	master->next_ns = now_ns + MASTER_PERIOD_NS;
	return master->next_ns;
}

int64_t jk_bus_tick(struct jk_bus *bus, int64_t now_ns)
{
	int64_t next_ns = LINE_NEVER, due_ns;

	if (bus->foreign_master)
		next_ns = master_tick(bus, &bus->foreign, foreign_station(bus), NULL, now_ns);
	for (int i = 0; i < bus->pack_count; i++) {
		struct jk_station *station = &bus->stations[i];

		if (station->address != JK_MASTER_ADDRESS || is_silent(station->pack))
			continue;
		due_ns = master_tick(bus, &station->master, JK_BUS_FIRST + i, station, now_ns);
		next_ns = due_ns < next_ns ? due_ns : next_ns;
	}
	return next_ns;
}

static void party_hear(void *self, int talker, int64_t end_ns, const uint8_t *bytes, size_t count)
{
	jk_bus_heard(self, talker, end_ns, bytes, count);
}

static int64_t party_tick(void *self, int64_t now_ns)
{
	return jk_bus_tick(self, now_ns);
}

struct line_party jk_bus_party(struct jk_bus *bus)
{
	return (struct line_party){bus, party_hear, party_tick};
}
