// SPDX-License-Identifier: Apache-2.0
/* Two framings on one line, for profiles of which nobody knows which one their inverters speak:
 * what begins with '~' is Pylon's ASCII, everything else is Modbus RTU. Both answer from the same
 * values. Each message of the file belongs to one of them, by its key. */
#include <ctype.h>

#include "pylon_frame.h"
#include "wire_internal.h"

#define SOI '~'
#define EOI '\r'

static const struct framing_ops *ops_of_frame(const uint8_t *frame, size_t count)
{
	return count > 0 && frame[0] == SOI ? &framing_pylon : &framing_modbus;
}

static const struct framing_ops *ops_of_message(const struct wire *wire, int index)
{
	const bool pylon = index >= 0 && index < wire->message_count &&
			   wire->messages[index].framing == WIRE_PYLON;

	return pylon ? &framing_pylon : &framing_modbus;
}

/* An ASCII frame has nothing but hex digits between its ends: its length, ERR_INCOMPLETE when it
 * may go on, 0 = what looked like a beginning is a byte of something else. */
static int text_here(const uint8_t *bytes, size_t count)
{
	size_t length = 1;

	while (length < count && isxdigit(bytes[length]))
		length++;
	if (length > PYLON_MAX_FRAME)
		return 0;
	if (length == count)
		return ERR_INCOMPLETE;
	return bytes[length] == EOI && length + 1 >= PYLON_OVERHEAD ? (int)length + 1 : 0;
}

static int find_text(const uint8_t *bytes, size_t count, size_t *start)
{
	for (size_t at = 0; at < count; at++) {
		int length = bytes[at] == SOI ? text_here(bytes + at, count - at) : 0;

		if (!length)
			continue;
		*start = at;
		return length;
	}
	return 0;
}

/* Whatever begins first; but bytes that only may become something do not hide a whole frame. */
static int scan(const struct wire *wire, enum wire_side side, const uint8_t *bytes, size_t count,
		size_t *start)
{
	size_t text_at = count, binary_at = count, inside;
	const int text = find_text(bytes, count, &text_at);
	int binary = framing_modbus.scan(wire, side, bytes, count, &binary_at);

	/* A CRC that happens to fit inside of text is none. */
	if (binary && text && binary_at > text_at)
		binary = 0;
	if (text == 0 || binary > 0 || (text < 0 && binary < 0)) {
		if (binary)
			*start = binary_at;
		return binary;
	}
	*start = text_at;
	return text < 0 ? text
			: framing_pylon.scan(wire, side, bytes + text_at, (size_t)text, &inside);
}

static int answer(const struct wire *wire, const struct wire_context *ctx, const void *who,
		  const uint8_t *frame, size_t count, uint8_t *out, size_t size)
{
	return ops_of_frame(frame, count)->answer(wire, ctx, who, frame, count, out, size);
}

/* The protocol's address is Modbus'; who asks by ASCII at it means that framing's own. */
static int address_of(const struct wire *wire, int index, int address)
{
	if (ops_of_message(wire, index) == &framing_pylon && address == wire->default_address)
		return wire->pylon.address;
	return address;
}

static int request(const struct wire *wire, int index, const struct wire_context *ctx, int address,
		   uint8_t *out, size_t size)
{
	return ops_of_message(wire, index)
		->request(wire, index, ctx, address_of(wire, index, address), out, size);
}

static int response(const struct wire *wire, int index, const struct wire_context *ctx, int address,
		    const uint8_t *bytes, size_t count, struct wire_values *out)
{
	return ops_of_message(wire, index)
		->response(wire, index, ctx, address_of(wire, index, address), bytes, count, out);
}

static int response_length(const struct wire *wire, int index)
{
	return ops_of_message(wire, index)->response_length(wire, index);
}

static int decode(const struct wire *wire, const struct wire_context *ctx,
		  struct wire_listener *listener, const uint8_t *frame, size_t count,
		  struct wire_values *out)
{
	return ops_of_frame(frame, count)->decode(wire, ctx, listener, frame, count, out);
}

const struct framing_ops framing_dual = {
	.order = ORDER_BIG,
	.scan = scan,
	.answer = answer,
	.request = request,
	.response = response,
	.response_length = response_length,
	.decode = decode,
};
