// SPDX-License-Identifier: Apache-2.0
/* The Modbus framing seen from the master (asking packs, a simulated inverter) and from a listener.
 */
#include "bytes.h"
#include "framing_modbus.h"
#include "jk_record.h"
#include "table.h"

static const struct message *message_at(const struct wire *wire, int index)
{
	if (index < 0 || index >= wire->message_count ||
	    wire->messages[index].framing != WIRE_MODBUS)
		return NULL;
	return &wire->messages[index];
}

static uint8_t read_function(const struct wire *wire)
{
	return wire->modbus.functions >> RTU_READ_HOLDING & 1 ? RTU_READ_HOLDING : RTU_READ_INPUT;
}

/* A master may ask for this message, at this address. */
static bool can_be_asked(const struct message *message, int address)
{
	return message && !message->from_inverter && address >= 0 && address <= 247;
}

int modbus_request(const struct wire *wire, int index, const struct wire_context *ctx, int address,
		   uint8_t *out, size_t size)
{
	const struct message *message = message_at(wire, index);

	if (!can_be_asked(message, address))
		return ERR_UNSUPPORTED;
	if (message->record_type)
		return jk_build_trigger((uint8_t)address, (uint16_t)message->record_trigger, out,
					size);

	int words = (layout_size(message, ctx) + 1) / 2;

	if (words == 0 || words > wire->modbus.max_words)
		return ERR_UNSUPPORTED;
	return rtu_build_read((uint8_t)address, read_function(wire), (uint16_t)message->id,
			      (uint16_t)words, out, size);
}

/* Reads a layout, and whose it is. */
static int take(const struct wire *wire, const struct message *message,
		const struct wire_context *ctx, enum byte_order order, int address,
		const uint8_t *bytes, size_t count, size_t first, struct wire_values *out)
{
	if (layout_decode(wire, message, ctx, order, bytes, count, first, out) <= 0)
		return ERR_FORMAT;
	if (message->scope == SCOPE_PACK && address >= 0)
		out->pack.address = address;
	return 0;
}

static int record_response(const struct wire *wire, const struct message *message,
			   const struct wire_context *ctx, int address, const uint8_t *bytes,
			   size_t count, struct wire_values *out)
{
	const struct jk_question question = {.unit = (uint8_t)address,
					     .type = (uint8_t)message->record_type,
					     .trigger = (uint16_t)message->record_trigger,
					     .alone = ctx->alone,
					     .final = ctx->final};
	const uint8_t *record;
	int used = jk_find_answer(bytes, count, &question, &record);

	if (used <= 0)
		return used;
	int err = take(wire, message, ctx, ORDER_LITTLE, address, record + JK_RECORD_HEAD,
		       JK_RECORD_DATA, 0, out);

	return err ? err : used;
}

int modbus_response(const struct wire *wire, int index, const struct wire_context *ctx, int address,
		    const uint8_t *bytes, size_t count, struct wire_values *out)
{
	const struct message *message = message_at(wire, index);
	uint8_t request[16];
	int length;

	if (!can_be_asked(message, address))
		return ERR_UNSUPPORTED;
	if (message->record_type)
		return record_response(wire, message, ctx, address, bytes, count, out);
	length = modbus_request(wire, index, ctx, address, request, sizeof request);
	if (length < 0)
		return length;

	const uint8_t *data;
	int used = wire->modbus.voltronic
			   ? rtu_wide_find_answer(modbus_reply(wire, ctx), bytes, count, request,
						  (size_t)length, &data)
			   : rtu_find_answer(bytes, count, request, (size_t)length, &data);

	if (used <= 0)
		return used;
	int err = take(wire, message, ctx, wire->order, address, data,
		       2 * (size_t)get_u16be(request + 4), 0, out);

	return err ? err : used;
}

int modbus_response_length(const struct wire *wire, int index)
{
	const struct message *message = message_at(wire, index);
	struct wire_context ctx;

	if (!message)
		return 0;
	if (message->record_type)
		return JK_RECORD_SIZE + JK_ACK_SIZE;
	wire_context_init(wire, &ctx);
	return (wire->modbus.voltronic ? 6 : 5) + (layout_size(message, &ctx) + 1) / 2 * 2;
}

/* --- listening --- */

static int decode_record(const struct wire *wire, const struct wire_context *ctx,
			 const uint8_t *frame, size_t count, struct wire_values *out)
{
	int signer, type = jk_read(frame, count, &signer);

	if (type < 0)
		return type;
	for (int i = 0; i < wire->message_count; i++)
		if (wire->messages[i].record_type == type)
			return take(wire, &wire->messages[i], ctx, ORDER_LITTLE, signer,
				    frame + JK_RECORD_HEAD, JK_RECORD_DATA, 0, out);
	return ERR_NOT_MINE;
}

/* The part of `count` bytes at place `from` that lies in each message of one direction. */
static int decode_place(const struct wire *wire, const struct wire_context *ctx, bool from_inverter,
			int address, const uint8_t *bytes, size_t from, size_t count,
			struct wire_values *out)
{
	int result = table_decode(wire, ctx, WIRE_MODBUS, from_inverter, bytes, from, count, out);

	if (result == 0 && wire->scope == WIRE_OF_PACK && !from_inverter && address >= 0)
		out->pack.address = address;
	return result;
}

static void hear_inverter(const struct wire *wire, struct wire_values *out)
{
	if (wire->scope != WIRE_OF_BATTERY)
		return;
	out->inverter.inverter_alive = 1;
	out->said_inverter = true;
}

static int hear_request(const struct wire *wire, const struct wire_context *ctx,
			struct wire_listener *listener, const uint8_t *frame, size_t count,
			struct wire_values *out)
{
	struct rtu_request request;
	int err = rtu_read_request(frame, count, &request);

	if (err)
		return err;
	*listener = (struct wire_listener){.message = 1,
					   .address = request.unit,
					   .start = request.start,
					   .count = request.words};
	hear_inverter(wire, out);
	if (!request.data)
		return 0;
	listener->message = 0; /* the answer to a write says nothing */
	decode_place(wire, ctx, true, request.unit, request.data, modbus_place(wire, request.start),
		     request.data_bytes, out);
	return 0;
}

static int hear_answer(const struct wire *wire, const struct wire_context *ctx,
		       struct wire_listener *listener, const uint8_t *frame,
		       struct wire_values *out)
{
	const struct wire_listener question = *listener;

	listener->message = 0;
	if (frame[1] & RTU_REFUSED || frame[1] == RTU_WRITE || frame[1] == RTU_WRITE_ONE)
		return 0;
	if (!question.message)
		return ERR_UNKNOWN;
	if (frame[0] != question.address)
		return ERR_NOT_MINE;
	if (frame[2] != 2 * question.count)
		return ERR_FORMAT;
	return decode_place(wire, ctx, false, frame[0], frame + 3,
			    modbus_place(wire, question.start), frame[2], out);
}

/* Where answers may look like questions, what was asked before decides. */
static int decode_voltronic(const struct wire *wire, const struct wire_context *ctx,
			    struct wire_listener *listener, const uint8_t *frame, size_t count,
			    struct wire_values *out)
{
	const struct wire_listener question = *listener;
	const uint8_t *data;
	size_t start;
	int length = rtu_scan_request(frame, count, &start);

	if (question.message && rtu_wide_is_answer(frame, count, (uint8_t)question.address,
						   (uint16_t)question.count, &data)) {
		listener->message = 0;
		return decode_place(wire, ctx, false, question.address, data,
				    modbus_place(wire, question.start), 2 * (size_t)question.count,
				    out);
	}
	if (length > 0 && length == (int)count)
		return hear_request(wire, ctx, listener, frame, count, out);
	listener->message = 0;
	length = rtu_wide_scan(frame, count, &start);
	if (length <= 0 || length != (int)count)
		return length < 0 ? ERR_INCOMPLETE : ERR_FORMAT;
	if (frame[1] & RTU_REFUSED)
		return 0; /* a refusal says nothing about the battery */
	return question.message ? ERR_NOT_MINE : ERR_UNKNOWN;
}

int modbus_decode(const struct wire *wire, const struct wire_context *ctx,
		  struct wire_listener *listener, const uint8_t *frame, size_t count,
		  struct wire_values *out)
{
	size_t start;
	int length;

	if (wire->modbus.voltronic)
		return decode_voltronic(wire, ctx, listener, frame, count, out);
	if (modbus_has_records(wire)) {
		length = jk_scan(frame, count, &start);
		if (length > 0 || length == ERR_INCOMPLETE || length == ERR_CHECKSUM)
			return decode_record(wire, ctx, frame + start, count - start, out);
	}
	/* Questions and answers differ in length for every function that is read here. */
	length = rtu_scan_answer(frame, count, &start);
	if (length > 0 && length == (int)count)
		return hear_answer(wire, ctx, listener, frame, out);
	const int as_request = rtu_scan_request(frame, count, &start);

	if (as_request > 0 && as_request == (int)count)
		return hear_request(wire, ctx, listener, frame, count, out);
	if (length == ERR_CHECKSUM || as_request == ERR_CHECKSUM)
		return ERR_CHECKSUM;
	return length == ERR_INCOMPLETE || as_request == ERR_INCOMPLETE ? ERR_INCOMPLETE
									: ERR_FORMAT;
}
