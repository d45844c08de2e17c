// SPDX-License-Identifier: Apache-2.0
/* CAN frames of any content against the CAN protocols of the tree. Input: a byte that picks the
 * protocol, then frames of 11 bytes (two of id, one of length and width, eight of data). What was
 * read must be encodable again. */
#include <stdlib.h>
#include <string.h>

#include "onepack/wire.h"

static const char *const ids[] = {"can/pylon-lv-1.2", "can/victron-20170717"};

#define ID_COUNT   (sizeof ids / sizeof ids[0])
#define FRAME_SIZE 11

static void encode_again(const struct wire *wire, const struct wire_context *ctx,
			 const struct wire_values *values)
{
	for (int i = 0; i < wire_message_count(wire); i++) {
		struct can_message frame = {0};
		struct wire_message_info info;
		int sent;

		wire_get_message(wire, i, &info);
		sent = info.from_inverter
			       ? wire_encode_can_inverter(wire, i, ctx, &values->inverter, &frame)
			       : wire_encode_can(wire, i, ctx, &values->battery, &frame);
		if (sent < 0 || frame.length > 8)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wire *wires[ID_COUNT];
	static struct wire_values values;
	struct wire_context ctx;
	const struct wire *wire;

	for (size_t i = 0; i < ID_COUNT && !wires[i]; i++)
		wires[i] = wire_load(ids[i], stderr);
	if (!size || !wires[0] || !wires[1])
		return 0;
	wire = wires[data[0] % ID_COUNT];
	wire_context_init(wire, &ctx);
	wire_values_clear(&values);
	for (data++, size--; size >= FRAME_SIZE; data += FRAME_SIZE, size -= FRAME_SIZE) {
		struct can_message frame = {.id = (uint32_t)(data[0] << 8 | data[1]),
					    .extended = data[2] & 0x80,
					    .length = data[2] & 0x7F};

		memcpy(frame.data, data + 3, sizeof frame.data);
		wire_decode_can(wire, &ctx, &frame, &values);
	}
	encode_again(wire, &ctx, &values);
	return 0;
}
