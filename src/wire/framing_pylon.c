// SPDX-License-Identifier: Apache-2.0
/* Pylontech's ASCII protocol as a framing of protocol files: a battery's answers with their return
 * codes, the master's questions, and listening. The bytes are in pylon_frame.c.
 *
 * An answer carries a return code where the question carries its command, so it makes sense only
 * together with the question. Which of several master addresses a battery answers is not decided
 * here: it answers one, the context's. */
#include <string.h>

#include "load.h"
#include "pylon_frame.h"

#define HIGHEST_ADDRESS 0xFE /* FF means all modules of a group */
#define ALL_MODULES     0xFF
#define MASTER_VERSION  0x22 /* of questions, where answers repeat it */

#define HIGHEST_GROUP 7

/* Addresses are module + 16 x group; module 2 speaks for its group. */
static bool is_group_master(int address)
{
	return (address & 15) == 2;
}

int pylon_home_address(const struct wire *wire)
{
	if (wire->framing == WIRE_DUAL)
		return wire->pylon.any_master ? wire->pylon.address : -1;
	return wire->framing == WIRE_PYLON && is_group_master(wire->pylon.address)
		       ? wire->pylon.address
		       : -1;
}

static bool is_my_address(const struct wire *wire, const struct wire_context *ctx, int address)
{
	if (ctx->address >= 0)
		return address == ctx->address;
	if (wire->pylon.any_master && is_group_master(address) && address >> 4 <= HIGHEST_GROUP)
		return true;
	return address == wire->pylon.address;
}

static uint8_t own_version(const struct wire *wire, const struct wire_context *ctx, uint8_t asked)
{
	const int32_t version = wire_option(wire, ctx, "version", wire->pylon.version);

	return version < 0 ? asked : (uint8_t)version;
}

static int scan(const struct wire *wire, enum wire_side side, const uint8_t *bytes, size_t count,
		size_t *start)
{
	struct pylon_frame frame;
	size_t at;
	int length = pylon_scan(bytes, count, &at);

	(void)wire;
	if (length == 0)
		return 0;
	*start = at;
	if (length > 0 && side == WIRE_FROM_SLAVE && pylon_read(bytes + at, (size_t)length, &frame))
		return ERR_CHECKSUM;
	return length;
}

/* --- the battery --- */

/* The message that answers a command: the one for a single module before the one for all of them,
 * because the gateway shows one module only. */
static const struct message *find_answer(const struct wire *wire, const struct wire_context *ctx,
					 uint8_t cid2)
{
	for (int i = 0; i < wire->message_count; i++) {
		const struct message *message = &wire->messages[i];

		if (message->framing == WIRE_PYLON && message->id == cid2 &&
		    !message->from_inverter && message->request != PYLON_ASKS_ALL &&
		    message_is_on(message, ctx))
			return message;
	}
	return NULL;
}

/* Whether the INFO of a question suits the command: 0 or a return code. Some masters leave the
 * module out, some add it where none is wanted. */
static int check_info(const struct message *message, const struct pylon_frame *question)
{
	if (message->request == PYLON_ASKS_SYSTEM && !is_group_master(question->address))
		return PYLON_ADR;
	if (question->info_bytes == 0)
		return PYLON_OK;
	if (question->info_bytes > 1)
		return PYLON_COMMAND;
	if (question->info[0] == question->address)
		return PYLON_OK;
	if (message->request == PYLON_ASKS_MODULE && question->info[0] == ALL_MODULES &&
	    is_group_master(question->address))
		return PYLON_OK;
	return message->request == PYLON_ASKS_MODULE || message->request == PYLON_ASKS_ADDRESS
		       ? PYLON_INFO
		       : PYLON_COMMAND;
}

/* Fills the INFO of a reply: 0 or a return code. */
static int fill(const struct wire *wire, const struct wire_context *ctx, const void *who,
		const struct pylon_frame *question, struct pylon_frame *reply)
{
	const struct message *message = find_answer(wire, ctx, question->cid2);
	struct wire_context as_asked = *ctx;

	if (!message)
		return PYLON_CID2;
	if (message->refuse)
		return message->refuse;
	int rtn = check_info(message, question);

	if (rtn)
		return rtn;
	/* An answer for one module repeats its address; one for all modules has their number in the
	 * same place, and the gateway is one. */
	as_asked.address = question->address;
	if (question->info_bytes && question->info[0] == ALL_MODULES)
		as_asked.address = 1;
	int length = layout_encode(wire, message, &as_asked, wire->order, who, reply->info,
				   sizeof reply->info, NULL);

	if (length < 0)
		return PYLON_INTERNAL;
	reply->info_bytes = (size_t)length;
	return PYLON_OK;
}

static int answer(const struct wire *wire, const struct wire_context *ctx, const void *who,
		  const uint8_t *frame, size_t count, uint8_t *out, size_t size)
{
	struct pylon_frame question, reply = {.cid1 = (uint8_t)wire->pylon.cid1};
	int rtn = pylon_read(frame, count, &question);

	if (rtn < 0)
		return rtn;
	if (!is_my_address(wire, ctx, question.address) || question.cid1 != wire->pylon.cid1)
		return ERR_NOT_MINE;
	if (rtn == 0)
		rtn = fill(wire, ctx, who, &question, &reply);
	reply.version = own_version(wire, ctx, question.version);
	reply.address = (uint8_t)(wire_option(wire, ctx, "answer_as_2", 0) ? 2 : question.address);
	reply.cid2 = (uint8_t)rtn;
	if (rtn)
		reply.info_bytes = 0;
	return pylon_build(&reply, out, size);
}

/* --- the master --- */

static int request(const struct wire *wire, int index, const struct wire_context *ctx, int address,
		   uint8_t *out, size_t size)
{
	struct pylon_frame question = {.address = (uint8_t)address,
				       .cid1 = (uint8_t)wire->pylon.cid1};

	if (index < 0 || index >= wire->message_count || address < 0 || address > HIGHEST_ADDRESS)
		return ERR_UNSUPPORTED;

	const struct message *message = &wire->messages[index];

	if (message->framing != WIRE_PYLON || message->from_inverter || message->refuse)
		return ERR_UNSUPPORTED;
	question.version = own_version(wire, ctx, MASTER_VERSION);
	question.cid2 = (uint8_t)message->id;
	question.info_bytes = message->request == PYLON_ASKS_ADDRESS ||
			      message->request == PYLON_ASKS_MODULE ||
			      message->request == PYLON_ASKS_ALL;
	question.info[0] = message->request == PYLON_ASKS_ALL ? ALL_MODULES : (uint8_t)address;
	return pylon_build(&question, out, size);
}

static int error_of(int rtn)
{
	switch (rtn) {
	case PYLON_OK: return 0;
	case PYLON_CID2: return ERR_UNSUPPORTED;
	case PYLON_INTERNAL: return ERR_UNKNOWN;
	}
	return ERR_RANGE;
}

/* Reads the INFO of an answer. Its length must be the message's: it is the only thing that tells
 * the answer to one command from the answer to another. */
static int take(const struct wire *wire, const struct message *message,
		const struct wire_context *ctx, const struct pylon_frame *reply,
		struct wire_values *out)
{
	if (layout_measure(message, ctx, wire->order, reply->info, reply->info_bytes) !=
	    (int)reply->info_bytes)
		return ERR_FOREIGN;
	if (reply->info_bytes)
		layout_decode(wire, message, ctx, wire->order, reply->info, reply->info_bytes, 0,
			      out);
	if (message->scope == SCOPE_PACK)
		out->pack.address = reply->address;
	return 0;
}

/* JK packs that are asked as the master of a group answer without the group. */
static bool is_from(int responder, int address)
{
	return responder == address || responder == (address & 15);
}

static int judge_reply(const struct wire *wire, const struct message *message,
		       const struct wire_context *ctx, int address, const uint8_t *frame,
		       size_t count, struct wire_values *out)
{
	struct pylon_frame reply;

	if (pylon_read(frame, count, &reply))
		return ERR_CHECKSUM;
	if (!is_from(reply.address, address))
		return ERR_NOT_MINE;
	if (reply.cid1 != wire->pylon.cid1)
		return ERR_FORMAT;
	int err = error_of(reply.cid2);

	return err ? err : take(wire, message, ctx, &reply, out);
}

static int response(const struct wire *wire, int index, const struct wire_context *ctx, int address,
		    const uint8_t *bytes, size_t count, struct wire_values *out)
{
	uint8_t question[32];
	int asked = request(wire, index, ctx, address, question, sizeof question);
	size_t at = 0;

	if (asked < 0)
		return asked;
	for (;;) {
		size_t start;
		int length = pylon_scan(bytes + at, count - at, &start);

		if (length <= 0)
			return ERR_INCOMPLETE;
		at += start;
		if (length != asked || memcmp(bytes + at, question, (size_t)asked) != 0) {
			int err = judge_reply(wire, &wire->messages[index], ctx, address,
					      bytes + at, (size_t)length, out);

			return err ? err : (int)at + length;
		}
		at += (size_t)length; /* the echo of a half-duplex adapter */
	}
}

static int response_length(const struct wire *wire, int index)
{
	struct wire_context ctx;
	const uint8_t none[1] = {0};

	if (index < 0 || index >= wire->message_count ||
	    wire->messages[index].framing != WIRE_PYLON)
		return 0;
	wire_context_init(wire, &ctx);
	int length = layout_measure(&wire->messages[index], &ctx, wire->order, none, 0);

	return length < 0 ? 0 : PYLON_OVERHEAD + 2 * length;
}

/* --- listening --- */

/* The message of a question: its place + 1, 0 = no command of this file. */
static int find_question(const struct wire *wire, const struct pylon_frame *frame)
{
	const bool all = frame->info_bytes == 1 && frame->info[0] == ALL_MODULES;
	int found = 0;

	for (int i = 0; i < wire->message_count; i++) {
		const struct message *message = &wire->messages[i];

		if (message->framing != WIRE_PYLON || message->id != frame->cid2)
			continue;
		if (!found || (message->request == PYLON_ASKS_ALL) == all)
			found = i + 1;
	}
	return found;
}

/* An answer whose question was not heard: only its length can tell, if it fits one message. */
static int guess_question(const struct wire *wire, const struct wire_context *ctx,
			  const struct pylon_frame *reply)
{
	int found = 0;

	for (int i = 0; i < wire->message_count; i++) {
		const struct message *message = &wire->messages[i];

		if (message->framing != WIRE_PYLON || message->refuse ||
		    message->request == PYLON_ASKS_ALL ||
		    layout_measure(message, ctx, wire->order, reply->info, reply->info_bytes) !=
			    (int)reply->info_bytes)
			continue;
		if (found)
			return 0;
		found = i + 1;
	}
	return found;
}

static int decode(const struct wire *wire, const struct wire_context *ctx,
		  struct wire_listener *listener, const uint8_t *bytes, size_t count,
		  struct wire_values *out)
{
	struct pylon_frame frame;
	size_t start;
	int length = pylon_scan(bytes, count, &start);

	if (length <= 0 || length != (int)count)
		return length < 0 ? length : ERR_FORMAT;
	if (pylon_read(bytes, count, &frame))
		return ERR_CHECKSUM;
	if (frame.cid1 != wire->pylon.cid1)
		return ERR_NOT_MINE;
	int question = find_question(wire, &frame);

	if (question) {
		*listener = (struct wire_listener){.message = question, .address = frame.address};
		if (wire->scope == WIRE_OF_BATTERY) {
			out->inverter.inverter_alive = 1;
			out->said_inverter = true;
		}
		return 0;
	}
	question = listener->message;
	listener->message = 0;
	if (question && !is_from(frame.address, listener->address))
		return ERR_NOT_MINE;
	if (frame.cid2 != PYLON_OK)
		return 0; /* a refusal says nothing about the battery */
	if (!question && frame.info_bytes)
		question = guess_question(wire, ctx, &frame);
	return question ? take(wire, &wire->messages[question - 1], ctx, &frame, out) : ERR_UNKNOWN;
}

const struct framing_ops framing_pylon = {
	.key = "pylon",
	.message_key = "command",
	.order = ORDER_BIG,
	.load = load_pylon,
	.scan = scan,
	.answer = answer,
	.request = request,
	.response = response,
	.response_length = response_length,
	.decode = decode,
};
