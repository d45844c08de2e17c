// SPDX-License-Identifier: Apache-2.0
/* A record belongs to whoever acknowledged the question behind it; one that nobody signed is not
 * used. */
#include "overhear.h"

#include <string.h>

void overhear_start(struct overhear *o)
{
	o->count = 0;
	o->listener = (struct wire_listener){0};
	for (int i = 0; i < OVERHEAR_ADDRESSES; i++)
		pack_clear(&o->known[i]);
}

static void drop(struct overhear *o, size_t count)
{
	o->count -= count;
	memmove(o->bytes, o->bytes + count, o->count);
}

void overhear_add(struct overhear *o, const uint8_t *bytes, size_t count)
{
	if (count > OVERHEAR_SIZE) {
		bytes += count - OVERHEAR_SIZE;
		count = OVERHEAR_SIZE;
	}
	if (o->count + count > OVERHEAR_SIZE)
		drop(o, o->count + count - OVERHEAR_SIZE);
	memcpy(o->bytes + o->count, bytes, count);
	o->count += count;
}

static bool has_settings(const struct pack *pack)
{
	struct pack nothing;

	pack_clear(&nothing);
	return memcmp(&pack->settings, &nothing.settings, sizeof nothing.settings) != 0;
}

/* True when it completed a sample. */
static bool take_frame(struct overhear *o, const struct wire *wire, const struct wire_context *ctx,
		       const uint8_t *frame, size_t count)
{
	struct wire_listener before = o->listener;
	struct pack *known;
	int address;
	bool live;

	wire_values_clear(&o->values);
	if (wire_decode_serial(wire, ctx, &o->listener, frame, count, &o->values) != 0)
		return false;
	address = o->values.pack.address;
	if (!o->values.said_pack || address < 0 || address >= OVERHEAR_ADDRESSES)
		return false;
	known = &o->known[address];
	live = o->values.pack.voltage_mv != FIELD_UNKNOWN;
	/* once more, on top of what it said before */
	o->values.pack = *known;
	o->listener = before;
	if (wire_decode_serial(wire, ctx, &o->listener, frame, count, &o->values) != 0)
		return false;
	if (!live)
		*known = o->values.pack;
	return live && has_settings(known);
}

bool overhear_next(struct overhear *o, const struct wire *wire, const struct wire_context *ctx)
{
	while (o->count > 0) {
		size_t start = 0;
		int length = wire_scan(wire, WIRE_FROM_SLAVE, o->bytes, o->count, &start);
		bool complete;

		if (length == ERR_CHECKSUM) {
			drop(o, start + 1);
			continue;
		}
		if (length <= 0) {
			drop(o, length == ERR_INCOMPLETE ? start : o->count);
			return false;
		}
		complete = take_frame(o, wire, ctx, o->bytes + start, (size_t)length);
		drop(o, start + (size_t)length);
		if (complete)
			return true;
	}
	return false;
}
