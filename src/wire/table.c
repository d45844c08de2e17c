// SPDX-License-Identifier: Apache-2.0
/* Messages that together are one table; see table.h. */
#include "table.h"

size_t table_place(const struct wire *wire, enum wire_framing framing, uint32_t id)
{
	const bool words = framing == WIRE_MODBUS && !wire->modbus.byte_registers;

	return words ? (size_t)id * 2 : id;
}

/* Where a message and the asked part overlap. */
struct part {
	size_t base, begin, end;
};

static bool overlaps(const struct wire *wire, const struct message *message,
		     const struct wire_context *ctx, size_t from, size_t count, struct part *out)
{
	const size_t base = table_place(wire, message->framing, message->id);
	const size_t size = (size_t)layout_size(message, ctx);

	out->base = base;
	out->begin = from > base ? from : base;
	out->end = from + count < base + size ? from + count : base + size;
	return out->begin < out->end;
}

/* Copies the part of one message that was asked for. Returns the number of bytes, or ERR_UNKNOWN
 * when one of them is not known. */
static int copy_part(const struct wire *wire, const struct message *message,
		     const struct wire_context *ctx, const void *who, const struct part *part,
		     uint8_t *to)
{
	const size_t base = part->base;
	uint8_t bytes[WIRE_MAX_LAYOUT], unknown[WIRE_MAX_LAYOUT];
	int length =
		layout_encode(wire, message, ctx, wire->order, who, bytes, sizeof bytes, unknown);

	if (length < 0)
		return length;
	for (size_t at = part->begin - base; at < part->end - base; at++)
		if (at < (size_t)length && unknown[at])
			return ERR_UNKNOWN;
	for (size_t at = part->begin; at < part->end; at++)
		to[at - part->begin] = at - base < (size_t)length ? bytes[at - base] : 0;
	return (int)(part->end - part->begin);
}

int table_copy(const struct wire *wire, const struct wire_context *ctx, const void *who,
	       enum wire_framing framing, size_t from, size_t count, uint8_t *image)
{
	int covered = 0;

	for (int i = 0; i < wire->message_count; i++) {
		const struct message *message = &wire->messages[i];
		struct part part;

		if (message->framing != framing || message->from_inverter ||
		    !message_is_on(message, ctx) ||
		    !overlaps(wire, message, ctx, from, count, &part))
			continue;
		int copied = copy_part(wire, message, ctx, who, &part, image + (part.begin - from));

		if (copied < 0)
			return copied;
		covered += copied;
	}
	return covered;
}

int table_decode(const struct wire *wire, const struct wire_context *ctx, enum wire_framing framing,
		 bool from_inverter, const uint8_t *bytes, size_t from, size_t count,
		 struct wire_values *out)
{
	int result = ERR_NOT_MINE;

	for (int i = 0; i < wire->message_count; i++) {
		const struct message *message = &wire->messages[i];
		struct part part;

		if (message->framing != framing || message->from_inverter != from_inverter ||
		    !message_is_on(message, ctx) ||
		    !overlaps(wire, message, ctx, from, count, &part))
			continue;
		/* A read that begins inside a message may hold no whole field of it. */
		if (layout_decode(wire, message, ctx, wire->order, bytes + (part.begin - from),
				  part.end - part.begin, part.begin - part.base, out) > 0)
			result = 0;
		else if (result == ERR_NOT_MINE)
			result = ERR_INCOMPLETE;
	}
	return result;
}
