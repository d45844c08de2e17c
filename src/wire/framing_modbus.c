// SPDX-License-Identifier: Apache-2.0
/* Modbus RTU as a framing of protocol files: finding frames, and the answers of a slave. The
 * master's side and listening are in modbus_master.c, the bytes in rtu.c and jk_record.c.
 *
 * A block of registers is one message. With `register: byte` (JK) register numbers count bytes,
 * else 16-bit words; inside this file places are always bytes. */
#include <string.h>

#include "bytes.h"
#include "framing_modbus.h"
#include "jk_record.h"
#include "load.h"
#include "rtu_wide.h"
#include "table.h"

size_t modbus_place(const struct wire *wire, uint32_t start)
{
	return table_place(wire, WIRE_MODBUS, start);
}

bool modbus_has_records(const struct wire *wire)
{
	for (int i = 0; i < wire->message_count; i++)
		if (wire->messages[i].record_type)
			return true;
	return false;
}

enum rtu_reply modbus_reply(const struct wire *wire, const struct wire_context *ctx)
{
	return (enum rtu_reply)wire_option(wire, ctx, "reply", RTU_REPLY_WORDS);
}

static int scan(const struct wire *wire, enum wire_side side, const uint8_t *bytes, size_t count,
		size_t *start)
{
	if (side == WIRE_FROM_MASTER)
		return rtu_scan_request(bytes, count, start);
	if (wire->modbus.voltronic)
		return rtu_wide_scan(bytes, count, start);

	size_t record_at = count, frame_at = count;
	int record = modbus_has_records(wire) ? jk_scan(bytes, count, &record_at) : 0;
	int frame = rtu_scan_answer(bytes, count, &frame_at);

	/* What looks like a frame inside a record is none. */
	if (record == 0 || (frame > 0 && frame_at < record_at)) {
		if (frame)
			*start = frame_at;
		return frame;
	}
	*start = record_at;
	return record;
}

/* --- the slave --- */

/* One question, and where its answer goes. */
struct exchange {
	const struct wire *wire;
	const struct wire_context *ctx;
	const void *who;
	struct rtu_request request;
	uint8_t *out;
	size_t size;
};

static int refuse(const struct exchange *exchange, enum rtu_exception code)
{
	if (exchange->wire->modbus.voltronic)
		code = 2; /* "command type does not exist" is the only refusal of that text */
	return rtu_build_exception(exchange->request.unit, exchange->request.function, code,
				   exchange->out, exchange->size);
}

static int answer_read(const struct exchange *exchange)
{
	const struct wire *wire = exchange->wire;
	const struct rtu_request *request = &exchange->request;
	const size_t from = modbus_place(wire, request->start), count = 2 * (size_t)request->words;
	uint8_t image[2 * RTU_MAX_WORDS] = {0};

	if (request->words == 0 || request->words > wire->modbus.max_words)
		return wire->modbus.voltronic ? 0 : refuse(exchange, RTU_ILLEGAL_VALUE);
	if (wire->modbus.byte_registers && from % 2)
		return refuse(exchange, RTU_ILLEGAL_ADDRESS);
	const int covered =
		table_copy(wire, exchange->ctx, exchange->who, WIRE_MODBUS, from, count, image);

	if (covered == ERR_UNKNOWN)
		return 0; /* a master takes silence for a lost battery, and that is true */
	if (covered < 0)
		return covered;
	if (wire->modbus.voltronic)
		return rtu_wide_build(modbus_reply(wire, exchange->ctx), request, image,
				      exchange->out, exchange->size);
	if ((size_t)covered < count)
		return refuse(exchange, RTU_ILLEGAL_ADDRESS);
	return rtu_build_answer(request->unit, request->function, image, count, exchange->out,
				exchange->size);
}

static int answer_trigger(const struct exchange *exchange, const struct message *message)
{
	uint8_t data[JK_RECORD_DATA];
	int length = layout_encode(exchange->wire, message, exchange->ctx, ORDER_LITTLE,
				   exchange->who, data, sizeof data, NULL);

	if (length < 0)
		return length == ERR_UNKNOWN ? 0 : length;
	return jk_build_answer(exchange->request.unit, exchange->request.start,
			       (uint8_t)message->record_type, data, (size_t)length, exchange->out,
			       exchange->size);
}

static int acknowledge(const struct exchange *exchange)
{
	const struct rtu_request *request = &exchange->request;
	const bool one = request->function == RTU_WRITE_ONE; /* is answered with the value */

	return rtu_build_acknowledge(request->unit, request->function, request->start,
				     one ? get_u16be(request->data) : request->words, exchange->out,
				     exchange->size);
}

/* Writes are obeyed by nobody here: a message may say that they are acknowledged, a trigger is
 * answered with its record, the rest is refused. */
static int answer_write(const struct exchange *exchange)
{
	const struct wire *wire = exchange->wire;
	const struct rtu_request *request = &exchange->request;
	const size_t from = modbus_place(wire, request->start);

	if (request->words == 0 || request->data_bytes != 2 * (size_t)request->words)
		return refuse(exchange, RTU_ILLEGAL_VALUE);
	for (int i = 0; i < wire->message_count; i++) {
		const struct message *message = &wire->messages[i];
		const size_t base = modbus_place(wire, message->id);
		const size_t size = (size_t)layout_size(message, exchange->ctx);

		if (message->framing != WIRE_MODBUS || !message_is_on(message, exchange->ctx))
			continue;
		if (message->record_type && message->record_trigger == request->start &&
		    request->words == 1)
			return answer_trigger(exchange, message);
		if (message->write_acknowledge && from >= base &&
		    from + request->data_bytes <= base + size)
			return acknowledge(exchange);
	}
	return refuse(exchange, (enum rtu_exception)wire->modbus.refuse);
}

static int answer(const struct wire *wire, const struct wire_context *ctx, const void *who,
		  const uint8_t *frame, size_t count, uint8_t *out, size_t size)
{
	struct exchange exchange = {.wire = wire, .ctx = ctx, .who = who, .out = out, .size = size};
	const struct rtu_request *request = &exchange.request;
	int result = rtu_read_request(frame, count, &exchange.request);

	if (result)
		return result;
	if (request->unit != wire_address(wire, ctx))
		return ERR_NOT_MINE;
	if (request->function > 31 || !(wire->modbus.functions >> request->function & 1))
		return refuse(&exchange, RTU_ILLEGAL_FUNCTION);
	switch (request->function) {
	case RTU_READ_HOLDING:
	case RTU_READ_INPUT: return answer_read(&exchange);
	case RTU_WRITE_ONE:
	case RTU_WRITE: return answer_write(&exchange);
	}
	return refuse(&exchange, RTU_ILLEGAL_FUNCTION);
}

const struct framing_ops framing_modbus = {
	.key = "modbus",
	.message_key = "registers",
	.order = ORDER_BIG,
	.load = load_modbus,
	.scan = scan,
	.answer = answer,
	.request = modbus_request,
	.response = modbus_response,
	.response_length = modbus_response_length,
	.decode = modbus_decode,
};
