// SPDX-License-Identifier: Apache-2.0
/* NIU's scooter bus as a framing of protocol files: the battery is a table of bytes of which
 * masters read parts. Writes are refused as with a wrong password; whatever else a real battery
 * leaves unanswered (other functions, wrong sums) is left unanswered here. */
#include "load.h"
#include "niu_frame.h"
#include "table.h"

#include <string.h>

#define TABLE_SIZE 192 /* of what is not a maker's own */

static int scan(const struct wire *wire, enum wire_side side, const uint8_t *bytes, size_t count,
		size_t *start)
{
	(void)wire;
	for (size_t at = 0; at < count;) {
		struct niu_frame frame;
		size_t here = 0;
		int length = niu_scan(bytes + at, count - at, &here);

		if (length != 0)
			*start = at + here;
		if (length <= 0)
			return length;
		if (niu_read(bytes + *start, (size_t)length, &frame) == 0 &&
		    !(frame.command & NIU_ANSWER) == (side == WIRE_FROM_MASTER))
			return length;
		at += here + (size_t)length; /* of the other side */
	}
	return 0;
}

/* --- the battery --- */

static void refuse(struct niu_frame *answer, enum niu_error error)
{
	answer->command |= NIU_ERROR;
	answer->count = 1;
	answer->data[0] = (uint8_t)error;
}

/* 0 or an error. */
static int read_table(const struct wire *wire, const struct wire_context *ctx, const void *who,
		      const struct niu_frame *question, struct niu_frame *answer)
{
	const size_t from = question->data[0], count = question->data[1];

	if (count == 0) {
		refuse(answer, NIU_NO_DATA);
		return 0;
	}
	if (from + count > TABLE_SIZE) {
		refuse(answer, NIU_OUT_OF_RANGE);
		return 0;
	}
	memset(answer->data, 0, sizeof answer->data);
	answer->count = count;
	int covered = table_copy(wire, ctx, who, WIRE_NIU, from, count, answer->data);

	return covered < 0 ? covered : 0;
}

static int answer_question(const struct wire *wire, const struct wire_context *ctx, const void *who,
			   const uint8_t *frame, size_t count, uint8_t *out, size_t size)
{
	struct niu_frame question, answer = {.count = 0};
	int err = niu_read(frame, count, &question);

	if (err)
		return err;
	if (question.address != wire_address(wire, ctx) || question.command & NIU_ANSWER)
		return ERR_NOT_MINE;
	answer.address = question.address;
	answer.command = question.command | NIU_ANSWER;
	if (question.command == NIU_WRITE)
		refuse(&answer, NIU_PASSWORD);
	else if (question.command == NIU_READ && question.count == 2)
		err = read_table(wire, ctx, who, &question, &answer);
	else
		return 0;
	if (err)
		return err == ERR_UNKNOWN ? 0 : err;
	return niu_build(&answer, out, size);
}

/* --- the master --- */

static int request(const struct wire *wire, int index, const struct wire_context *ctx, int address,
		   uint8_t *out, size_t size)
{
	if (index < 0 || index >= wire->message_count || address < 0 || address > 0xFF)
		return ERR_UNSUPPORTED;
	const struct message *message = &wire->messages[index];
	const int count = layout_size(message, ctx);

	if (message->from_inverter || count > NIU_MAX_DATA || count == 0)
		return ERR_UNSUPPORTED;
	return niu_build(&(struct niu_frame){.address = (uint8_t)address,
					     .command = NIU_READ,
					     .count = 2,
					     .data = {(uint8_t)message->id, (uint8_t)count}},
			 out, size);
}

static int judge(const struct wire *wire, const struct wire_context *ctx,
		 const struct niu_frame *question, const struct niu_frame *reply,
		 struct wire_values *out)
{
	if (reply->address != question->address)
		return ERR_NOT_MINE;
	if (reply->command == (question->command | NIU_ANSWER | NIU_ERROR))
		return ERR_RANGE;
	if (reply->command != (question->command | NIU_ANSWER) || reply->count != question->data[1])
		return ERR_FOREIGN;
	return table_decode(wire, ctx, WIRE_NIU, false, reply->data, question->data[0],
			    reply->count, out);
}

static int response(const struct wire *wire, int index, const struct wire_context *ctx, int address,
		    const uint8_t *bytes, size_t count, struct wire_values *out)
{
	uint8_t asked[NIU_MAX_FRAME];
	struct niu_frame question, reply;
	int length = request(wire, index, ctx, address, asked, sizeof asked);
	size_t at = 0;

	if (length < 0)
		return length;
	niu_read(asked, (size_t)length, &question);
	for (;;) {
		size_t start;
		int found = niu_scan(bytes + at, count - at, &start);

		if (found <= 0)
			return found == ERR_CHECKSUM ? ERR_CHECKSUM : ERR_INCOMPLETE;
		at += start;
		if (found != length || memcmp(bytes + at, asked, (size_t)length) != 0) {
			niu_read(bytes + at, (size_t)found, &reply);
			int err = judge(wire, ctx, &question, &reply, out);

			return err ? err : (int)at + found;
		}
		at += (size_t)found; /* the echo of a half-duplex adapter */
	}
}

static int response_length(const struct wire *wire, int index)
{
	struct wire_context ctx;

	if (index < 0 || index >= wire->message_count)
		return 0;
	wire_context_init(wire, &ctx);
	return NIU_OVERHEAD + layout_size(&wire->messages[index], &ctx);
}

/* --- listening --- */

static int hear_question(const struct wire *wire, struct wire_listener *listener,
			 const struct niu_frame *frame, struct wire_values *out)
{
	*listener = (struct wire_listener){.address = frame->address};
	if (frame->command == NIU_READ && frame->count == 2) {
		listener->message = 1;
		listener->start = frame->data[0];
		listener->count = frame->data[1];
	}
	if (wire->scope == WIRE_OF_BATTERY) {
		out->inverter.inverter_alive = 1;
		out->said_inverter = true;
	}
	return 0;
}

static int decode(const struct wire *wire, const struct wire_context *ctx,
		  struct wire_listener *listener, const uint8_t *bytes, size_t count,
		  struct wire_values *out)
{
	const struct wire_listener asked = *listener;
	struct niu_frame frame;
	size_t start;
	int length = niu_scan(bytes, count, &start);

	/* questions begin with bytes that wake the battery */
	if (length <= 0)
		return length < 0 ? length : ERR_FORMAT;
	int err = niu_read(bytes + start, (size_t)length, &frame);

	if (err)
		return err;
	if (frame.address != wire_address(wire, ctx))
		return ERR_NOT_MINE; /* a motor controller or the dash */
	if (!(frame.command & NIU_ANSWER))
		return hear_question(wire, listener, &frame, out);
	listener->message = 0;
	if (frame.command != (NIU_READ | NIU_ANSWER))
		return 0;
	if (!asked.message)
		return ERR_UNKNOWN;
	if (frame.count != asked.count)
		return ERR_FORMAT;
	return table_decode(wire, ctx, WIRE_NIU, false, frame.data, asked.start, frame.count, out);
}

const struct framing_ops framing_niu = {
	.key = "niu",
	.message_key = "offset",
	.order = ORDER_BIG,
	.load = load_line_only,
	.scan = scan,
	.answer = answer_question,
	.request = request,
	.response = response,
	.response_length = response_length,
	.decode = decode,
};
