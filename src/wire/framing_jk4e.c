// SPDX-License-Identifier: Apache-2.0
/* JK's 4E 57 frames as a framing of protocol files. Each message is one identification code with
 * its value; "read all" is all of them in the file's order, and the message with code 0, which has
 * no fields, stands for that question.
 *
 * Nothing is written here: a master's password and activation are acknowledged, writes are not. */
#include <string.h>

#include "jk4e_frame.h"
#include "load.h"

#define READ_ALL_CODE 0x00
#define VERSION_CODE  0xC0 /* of the protocol: how the current is coded */

static const struct message *find_code(const struct wire *wire, const struct wire_context *ctx,
				       uint8_t code)
{
	for (int i = 0; i < wire->message_count; i++)
		if (wire->messages[i].id == code && code != READ_ALL_CODE &&
		    message_is_on(&wire->messages[i], ctx))
			return &wire->messages[i];
	return NULL;
}

static int scan(const struct wire *wire, enum wire_side side, const uint8_t *bytes, size_t count,
		size_t *start)
{
	(void)wire;
	for (size_t at = 0; at < count;) {
		struct jk4e_frame frame;
		size_t here = 0;
		int length = jk4e_scan(bytes + at, count - at, &here);

		if (length != 0)
			*start = at + here;
		if (length <= 0)
			return length;
		if (jk4e_read(bytes + *start, (size_t)length, &frame) == 0 &&
		    (frame.type == JK4E_QUESTION) == (side == WIRE_FROM_MASTER))
			return length;
		at += here + (size_t)length; /* of the other side */
	}
	return 0;
}

/* --- the battery --- */

struct answer {
	uint8_t data[JK4E_MAX_DATA];
	size_t count;
};

/* One code and its value. 0 or an error. */
static int add_code(const struct wire *wire, const struct wire_context *ctx, const void *who,
		    const struct message *message, struct answer *answer)
{
	if (answer->count == sizeof answer->data)
		return ERR_SPACE;
	answer->data[answer->count++] = (uint8_t)message->id;
	int length =
		layout_encode(wire, message, ctx, wire->order, who, answer->data + answer->count,
			      sizeof answer->data - answer->count, NULL);

	if (length < 0)
		return length;
	answer->count += (size_t)length;
	return 0;
}

static int add_all(const struct wire *wire, const struct wire_context *ctx, const void *who,
		   struct answer *answer)
{
	int err = 0;

	for (int i = 0; i < wire->message_count && !err; i++)
		if (wire->messages[i].id != READ_ALL_CODE && message_is_on(&wire->messages[i], ctx))
			err = add_code(wire, ctx, who, &wire->messages[i], answer);
	return err;
}

/* The data of an answer; ERR_UNSUPPORTED where real packs are silent. */
static int fill(const struct wire *wire, const struct wire_context *ctx, const void *who,
		const struct jk4e_frame *question, struct answer *answer)
{
	const struct message *message;

	switch (question->command) {
	case JK4E_READ_ALL: return add_all(wire, ctx, who, answer);
	case JK4E_ACTIVATE:
	case JK4E_PASSWORD: answer->data[answer->count++] = 0; return 0;
	case JK4E_READ:
		message =
			question->data_bytes == 1 ? find_code(wire, ctx, question->data[0]) : NULL;
		return message ? add_code(wire, ctx, who, message, answer) : ERR_UNSUPPORTED;
	}
	return ERR_UNSUPPORTED;
}

static int answer_question(const struct wire *wire, const struct wire_context *ctx, const void *who,
			   const uint8_t *frame, size_t count, uint8_t *out, size_t size)
{
	struct jk4e_frame question;
	struct answer answer = {.count = 0};
	int err = jk4e_read(frame, count, &question);

	if (err)
		return err;
	if (question.type != JK4E_QUESTION ||
	    (question.terminal != 0 && question.terminal != (uint32_t)wire_address(wire, ctx)))
		return ERR_NOT_MINE;
	err = fill(wire, ctx, who, &question, &answer);
	if (err)
		return err == ERR_UNKNOWN || err == ERR_UNSUPPORTED ? 0 : err;
	return jk4e_build(&(struct jk4e_frame){.terminal = question.terminal,
					       .record = question.record,
					       .command = question.command,
					       .source = JK4E_FROM_BMS,
					       .type = JK4E_ANSWER,
					       .data = answer.data,
					       .data_bytes = answer.count},
			  out, size);
}

/* --- the master --- */

static int request(const struct wire *wire, int index, const struct wire_context *ctx, int address,
		   uint8_t *out, size_t size)
{
	(void)ctx;
	if (index < 0 || index >= wire->message_count || wire->messages[index].from_inverter ||
	    address < 0)
		return ERR_UNSUPPORTED;
	const uint8_t code = (uint8_t)wire->messages[index].id;

	return jk4e_build(
		&(struct jk4e_frame){.terminal = (uint32_t)address,
				     .command = code == READ_ALL_CODE ? JK4E_READ_ALL : JK4E_READ,
				     .source = JK4E_FROM_PC,
				     .type = JK4E_QUESTION,
				     .data = &code,
				     .data_bytes = 1},
		out, size);
}

/* Bytes of the code and value that begin here, 0 = not understood. */
static size_t measure(const struct wire *wire, const struct wire_context *ctx, const uint8_t *data,
		      size_t left)
{
	const struct message *message = left ? find_code(wire, ctx, data[0]) : NULL;
	int length = message ? layout_measure(message, ctx, wire->order, data + 1, left - 1) : -1;

	return length < 0 || (size_t)length > left - 1 ? 0 : 1 + (size_t)length;
}

/* Packs with older firmware say that their current is coded the older way, at the very end. */
static void hear_version(const struct wire *wire, const uint8_t *data, struct wire_context *ctx)
{
	for (int i = 0; i < wire->option_count; i++)
		if (strcmp(wire->options[i].name, "current") == 0)
			ctx->option[i] = data[1] == 0;
}

/* Reads codes and values; nothing is written unless all are understood. */
static int take(const struct wire *wire, const struct wire_context *ctx,
		const struct jk4e_frame *reply, struct wire_values *out)
{
	struct wire_context as_said = *ctx;
	size_t length;

	for (size_t at = 0; at < reply->data_bytes; at += length) {
		length = measure(wire, ctx, reply->data + at, reply->data_bytes - at);
		if (!length)
			return ERR_FORMAT;
		if (reply->data[at] == VERSION_CODE && length == 2)
			hear_version(wire, reply->data + at, &as_said);
	}
	for (size_t at = 0; at < reply->data_bytes; at += length) {
		length = measure(wire, ctx, reply->data + at, reply->data_bytes - at);
		layout_decode(wire, find_code(wire, ctx, reply->data[at]), &as_said, wire->order,
			      reply->data + at + 1, length - 1, 0, out);
	}
	return 0;
}

static int judge(const struct wire *wire, const struct wire_context *ctx, const uint8_t *question,
		 size_t asked, const uint8_t *frame, size_t count, struct wire_values *out)
{
	struct jk4e_frame reply, asks;

	if (jk4e_read(frame, count, &reply) || jk4e_read(question, asked, &asks))
		return ERR_FORMAT;
	if (reply.type == JK4E_QUESTION || reply.command != asks.command ||
	    (asks.command == JK4E_READ && (!reply.data_bytes || reply.data[0] != asks.data[0])))
		return ERR_FOREIGN;
	if (reply.terminal != asks.terminal)
		return ERR_NOT_MINE;
	return reply.data_bytes ? take(wire, ctx, &reply, out) : ERR_FORMAT;
}

static int response(const struct wire *wire, int index, const struct wire_context *ctx, int address,
		    const uint8_t *bytes, size_t count, struct wire_values *out)
{
	uint8_t question[JK4E_OVERHEAD + 1];
	int asked = request(wire, index, ctx, address, question, sizeof question);
	size_t at = 0;

	if (asked < 0)
		return asked;
	for (;;) {
		size_t start;
		int length = jk4e_scan(bytes + at, count - at, &start);

		if (length <= 0)
			return length == ERR_CHECKSUM ? ERR_CHECKSUM : ERR_INCOMPLETE;
		at += start;
		if (length != asked || memcmp(bytes + at, question, (size_t)asked) != 0) {
			int err = judge(wire, ctx, question, (size_t)asked, bytes + at,
					(size_t)length, out);

			return err ? err : (int)at + length;
		}
		at += (size_t)length; /* the echo of a half-duplex adapter */
	}
}

static int response_length(const struct wire *wire, int index)
{
	(void)wire;
	(void)index;
	return 0; /* the number of cells is not known before */
}

/* --- listening --- */

static int decode(const struct wire *wire, const struct wire_context *ctx,
		  struct wire_listener *listener, const uint8_t *bytes, size_t count,
		  struct wire_values *out)
{
	struct jk4e_frame frame;
	int err = jk4e_read(bytes, count, &frame);

	if (err)
		return err;
	if (frame.type == JK4E_QUESTION) {
		*listener = (struct wire_listener){.address = (int)frame.terminal};
		if (wire->scope == WIRE_OF_BATTERY) {
			out->inverter.inverter_alive = 1;
			out->said_inverter = true;
		}
		return 0;
	}
	/* An answer names its codes, so it needs no question. */
	if (frame.command != JK4E_READ && frame.command != JK4E_READ_ALL)
		return 0;
	return frame.data_bytes ? take(wire, ctx, &frame, out) : ERR_FORMAT;
}

const struct framing_ops framing_jk4e = {
	.key = "jk4e",
	.message_key = "code",
	.order = ORDER_BIG,
	.load = load_line_only,
	.scan = scan,
	.answer = answer_question,
	.request = request,
	.response = response,
	.response_length = response_length,
	.decode = decode,
};
