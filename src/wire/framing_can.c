// SPDX-License-Identifier: Apache-2.0
/* CAN: one message is one frame. */
#include <string.h>

#include "wire_internal.h"

static void load_can(struct doc *doc, const yaml_node_t *node, struct wire *wire)
{
	static const char *const keys[] = {"bitrate", "period_ms", NULL};
	const yaml_node_t *bitrate = doc_get(doc, node, "bitrate"),
			  *period = doc_get(doc, node, "period_ms");
	int64_t number;

	doc_check_keys(doc, node, keys);
	if (!bitrate)
		doc_complain(doc, node, "`bitrate:` is missing, for example 500000");
	else if (doc_integer(doc, bitrate, 10000, 1000000, &number))
		wire->bitrate = (uint32_t)number;
	wire->can.period_ms = 1000;
	if (period && doc_integer(doc, period, 1, 3600000, &number))
		wire->can.period_ms = (int32_t)number;
}

const struct framing_ops framing_can = {
	.key = "can",
	.message_key = "id",
	.order = ORDER_LITTLE,
	.load = load_can,
};

static uint32_t id_of(const struct wire *wire, const struct message *message,
		      const struct wire_context *ctx)
{
	const int address = wire_address(wire, ctx);

	return message->id + (message->id_plus_address && address > 0 ? (uint32_t)address : 0);
}

static int encode(const struct wire *wire, int index, const struct wire_context *ctx,
		  const void *who, bool from_inverter, struct can_message *out)
{
	const struct message *message = &wire->messages[index];
	static const uint8_t zeros[sizeof((struct can_message *)0)->data];
	struct can_message frame = {0};
	int length;

	if (wire->framing != WIRE_CAN || message->from_inverter != from_inverter ||
	    message->scope == SCOPE_PACK)
		return ERR_UNSUPPORTED;
	if (!message_is_on(message, ctx) || (!message->period_ms && !from_inverter))
		return 0;
	length = layout_encode(wire, message, ctx, wire->order, who, frame.data, sizeof frame.data,
			       NULL);
	if (length == ERR_UNKNOWN)
		return 0;
	if (length < 0)
		return length;
	if (message->withhold_zeros && memcmp(frame.data, zeros, sizeof zeros) == 0)
		return 0;
	frame.id = id_of(wire, message, ctx);
	frame.extended = message->extended;
	frame.length = (uint8_t)length;
	*out = frame;
	return 1;
}

int wire_encode_can(const struct wire *wire, int index, const struct wire_context *ctx,
		    const struct battery *battery, struct can_message *out)
{
	return encode(wire, index, ctx, battery, false, out);
}

int wire_encode_can_inverter(const struct wire *wire, int index, const struct wire_context *ctx,
			     const struct inverter_view *view, struct can_message *out)
{
	return encode(wire, index, ctx, view, true, out);
}

/* An option that switches a message off is about sending: what another battery sends is read. */
static const struct message *find(const struct wire *wire, const struct wire_context *ctx,
				  const struct can_message *message)
{
	for (int i = 0; wire->framing == WIRE_CAN && i < wire->message_count; i++) {
		const struct message *known = &wire->messages[i];

		if (id_of(wire, known, ctx) == message->id && known->extended == message->extended)
			return known;
	}
	return NULL;
}

int wire_decode_can(const struct wire *wire, const struct wire_context *ctx,
		    const struct can_message *message, struct wire_values *out)
{
	const struct message *known = find(wire, ctx, message);
	const size_t length = message->length > 8 ? 8 : message->length;
	int read;

	if (!known)
		return ERR_NOT_MINE;
	read = layout_decode(wire, known, ctx, wire->order, message->data, length, 0, out);
	if (known->from_inverter) { /* a heartbeat counts at any length */
		out->said_inverter = true;
		out->inverter.inverter_alive = 1;
		return 0;
	}
	return read ? 0 : ERR_INCOMPLETE;
}
