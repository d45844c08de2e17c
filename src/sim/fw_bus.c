// SPDX-License-Identifier: Apache-2.0
/* A pack that speaks is not heard by itself; all others hear everything, each other included: that
 * is how two at one address find out. */
#include "fw_bus.h"

#include <string.h>

#include "firmware/core/modbus.h"

#define MS               INT64_C(1000000) /* in ns */
#define SOONEST_NS       (MS / 2)     /* until a frame that may be going on is looked at again */
#define PAUSE_NS         (3 * MS / 2) /* between two requests */
#define LATEST_STEPS     10           /* what was slept through is not made up for */
#define MASTER_PERIOD_NS (130 * MS)
#define MASTER_LAST      16
#define LIVE             0x0100
#define LIVE_WORDS       64

void firmware_bus_init(struct firmware_bus *bus, const struct plant *plant, uint32_t baud,
		       uint64_t seed)
{
	memset(bus, 0, sizeof *bus);
	bus->plant = plant;
	bus->step_ms = FIRMWARE_BUS_STEP_MS;
	bus->step_ns = -1;
	bus->asked_ns = -PAUSE_NS;
	line_init(&bus->line, baud, JK_BUS_FIRST, seed + 1);
}

int firmware_bus_add(struct firmware_bus *bus, struct sim_pack *pack,
		     const struct sim_firmware_make *make)
{
	struct firmware_station *station = &bus->stations[bus->pack_count++];

	bus->line.station_count = JK_BUS_FIRST + bus->pack_count + 1;
	return sim_firmware_open(&station->firmware, pack, make);
}

void firmware_bus_close(struct firmware_bus *bus)
{
	for (int i = 0; i < bus->pack_count; i++)
		sim_firmware_close(&bus->stations[i].firmware);
}

void firmware_bus_heard(struct firmware_bus *bus, int talker, int64_t end_ns, const uint8_t *bytes,
			size_t count)
{
	if (talker == JK_BUS_TTY) {
		const int64_t start_ns = end_ns - (int64_t)count * bus->line.byte_ns;

		bus->requests += start_ns - bus->asked_ns > PAUSE_NS;
		bus->asked_ns = end_ns;
	}
	for (int i = 0; i < bus->pack_count; i++)
		if (talker != JK_BUS_FIRST + i)
			sim_firmware_hear(&bus->stations[i].firmware, bytes, count, end_ns);
}

/* --- speaking --- */

/* What the next pack said last comes instead of an answer of this one. */
static size_t make_foreign(const struct firmware_bus *bus, int index, uint8_t *bytes, size_t count)
{
	const struct firmware_station *other = &bus->stations[(index + 1) % bus->pack_count];

	if (other->said_count == 0)
		return count;
	memcpy(bytes, other->said, other->said_count);
	return other->said_count;
}

static void send(struct firmware_bus *bus, int index, int64_t at_ns, const uint8_t *said,
		 size_t count)
{
	struct firmware_station *station = &bus->stations[index];
	const struct jk_spoiler *spoiler = bus->spoiler;
	uint8_t bytes[FW_SERVER_OUT];
	int times = 1;

	memcpy(station->said, said, count);
	station->said_count = count;
	memcpy(bytes, said, count);
	if (spoiler && spoiler->foreign(spoiler->context, index))
		count = make_foreign(bus, index, bytes, count);
	if (spoiler)
		times = spoiler->spoil(spoiler->context, index, bytes, &count);
	for (; times > 0; times--)
		(void)line_send(&bus->line, JK_BUS_FIRST + index, at_ns + station->late_ms * MS,
				bytes, count);
	bus->answers++;
}

/* Returns when it wants to speak next. */
static int64_t speak(struct firmware_bus *bus, int index, int64_t now_ns)
{
	struct sim_firmware *firmware = &bus->stations[index].firmware;
	const uint8_t *bytes;
	int64_t at_ns = 0, due_ns;
	const size_t count = sim_firmware_say(firmware, now_ns, &bytes, &at_ns);

	if (count > 0)
		send(bus, index, at_ns, bytes, count);
	due_ns = sim_firmware_due_ns(firmware);
	return due_ns > now_ns ? due_ns : now_ns + SOONEST_NS;
}

/* Somebody who polls for ever, and does not know what he disturbs. */
static int64_t foreign_tick(struct firmware_bus *bus, int64_t now_ns)
{
	struct jk_master *master = &bus->foreign;
	uint8_t request[FW_MODBUS_FRAME] = {
		(uint8_t)(master->step + 1), FW_READ, LIVE >> 8, 0, 0, LIVE_WORDS};

	if (now_ns < master->next_ns)
		return master->next_ns;
	(void)line_send(&bus->line, JK_BUS_FIRST + bus->pack_count, now_ns, request,
			fw_modbus_seal(request, 6));
	master->step = (master->step + 1) % MASTER_LAST;
	master->next_ns = now_ns + MASTER_PERIOD_NS;
	return master->next_ns;
}

/* --- time --- */

static void step(struct firmware_bus *bus, int64_t now_ns)
{
	const int64_t step_ns = bus->step_ms * MS;
	bool enable = true;

	for (int i = 0; i < bus->pack_count; i++) {
		struct sim_firmware *firmware = &bus->stations[i].firmware;

		sim_firmware_step(firmware, bus->plant->bus_v, enable, now_ns);
		enable = firmware->running && firmware->afe.outputs.enable_out;
	}
	bus->step_ns += step_ns;
	if (now_ns - bus->step_ns > LATEST_STEPS * step_ns || bus->step_ns < step_ns)
		bus->step_ns = now_ns + step_ns;
}

int64_t firmware_bus_tick(struct firmware_bus *bus, int64_t now_ns)
{
	int64_t next_ns, due_ns;

	if (bus->step_ns < 0 || now_ns >= bus->step_ns)
		step(bus, now_ns);
	next_ns = bus->step_ns;
	if (bus->foreign_master) {
		due_ns = foreign_tick(bus, now_ns);
		next_ns = due_ns < next_ns ? due_ns : next_ns;
	}
	for (int i = 0; i < bus->pack_count; i++) {
		due_ns = speak(bus, i, now_ns);
		next_ns = due_ns < next_ns ? due_ns : next_ns;
	}
	return next_ns;
}

static void party_hear(void *self, int talker, int64_t end_ns, const uint8_t *bytes, size_t count)
{
	firmware_bus_heard(self, talker, end_ns, bytes, count);
}

static int64_t party_tick(void *self, int64_t now_ns)
{
	return firmware_bus_tick(self, now_ns);
}

struct line_party firmware_bus_party(struct firmware_bus *bus)
{
	return (struct line_party){bus, party_hear, party_tick};
}
