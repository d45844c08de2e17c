// SPDX-License-Identifier: Apache-2.0
/* Any bytes on a line with JK's 4E 57 frames; and the input as command, type and data of a
 * well-formed one. */
#include "fuzz_serial.h"
#include "jk4e_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wire *wire;
	uint8_t bytes[JK4E_LONGEST];
	struct jk4e_frame frame, back;

	if (!wire)
		wire = fuzz_load("rs485/jk-4g-gps-4.2");
	fuzz_protocol(wire, data, size);
	if (size < 2 || size - 2 > JK4E_MAX_DATA)
		return 0;
	frame = (struct jk4e_frame){.terminal = data[0] >> 7,
				    .command = data[0] & 7,
				    .type = data[1] & 1,
				    .data = data + 2,
				    .data_bytes = size - 2};
	int count = jk4e_build(&frame, bytes, sizeof bytes);

	FUZZ_CHECK(count > 0);
	FUZZ_CHECK(jk4e_read(bytes, (size_t)count, &back) == 0);
	FUZZ_CHECK(back.data_bytes == size - 2 && memcmp(back.data, data + 2, size - 2) == 0);
	fuzz_protocol(wire, bytes, (size_t)count);
	return 0;
}
