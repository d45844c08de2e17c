// SPDX-License-Identifier: Apache-2.0
/* Any bytes on a NIU scooter's bus; and the input as command and data of a well-formed frame. */
#include "fuzz_serial.h"
#include "niu_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wire *wire;
	static struct niu_frame frame, back;
	uint8_t bytes[NIU_MAX_FRAME];

	if (!wire)
		wire = fuzz_load("rs485/niu-u");
	fuzz_protocol(wire, data, size);
	if (size < 1 || size - 1 > NIU_MAX_DATA)
		return 0;
	frame.address = 0x31;
	frame.command = data[0];
	frame.count = size - 1;
	memcpy(frame.data, data + 1, size - 1);
	int count = niu_build(&frame, bytes, sizeof bytes);

	FUZZ_CHECK(count > 0);
	FUZZ_CHECK(niu_read(bytes, (size_t)count, &back) == 0);
	FUZZ_CHECK(back.count == size - 1 && memcmp(back.data, data + 1, size - 1) == 0);
	fuzz_protocol(wire, bytes, (size_t)count);
	return 0;
}
