// SPDX-License-Identifier: Apache-2.0
/* Any bytes on the parallel bus of JK packs; and the input as content of a good record with a good
 * acknowledge, which must be understood, or not at all when it is not from the pack that was asked.
 */
#include "fuzz_serial.h"
#include "jk_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_well_formed(const struct wire *wire, const uint8_t *data, size_t size)
{
	static struct wire_values values;
	uint8_t answer[JK_RECORD_SIZE + JK_ACK_SIZE];
	struct wire_context ctx;
	size_t count = size > JK_RECORD_DATA ? JK_RECORD_DATA : size;

	wire_context_init(wire, &ctx);
	FUZZ_CHECK(jk_build_answer(1, 0x1620, 2, data, count, answer, sizeof answer) ==
		   (int)sizeof answer);
	fuzz_protocol(wire, answer, sizeof answer);
	for (int i = 0; i < wire_message_count(wire); i++) {
		struct wire_message_info info;

		wire_get_message(wire, i, &info);
		if (strcmp(info.name, "live") != 0)
			continue;
		wire_values_clear(&values);
		FUZZ_CHECK(wire_response(wire, i, &ctx, 1, answer, sizeof answer, &values) ==
			   (int)sizeof answer);
		FUZZ_CHECK(values.said_pack && values.pack.cell_count <= ONEPACK_MAX_CELLS &&
			   values.pack.temperature_count <= ONEPACK_MAX_TEMPERATURES);
		FUZZ_CHECK(wire_response(wire, i, &ctx, 2, answer, sizeof answer, &values) < 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wire *wire;

	if (!wire)
		wire = fuzz_load("pack/jk-pb");
	fuzz_protocol(wire, data, size);
	check_well_formed(wire, data, size);
	return 0;
}
