// SPDX-License-Identifier: Apache-2.0
/* Any bytes on a line where two framings are answered; the same with a good CRC at their end, as an
 * ASCII frame with good sums, and both behind each other. */
#include "fuzz_serial.h"
#include "pylon_frame.h"
#include "rtu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t as_text(const uint8_t *data, size_t size, uint8_t cid1, uint8_t *out)
{
	static struct pylon_frame frame;

	frame = (struct pylon_frame){.version = data[0],
				     .address = data[1] & 1 ? 0x12 : 1,
				     .cid1 = cid1,
				     .cid2 = data[2],
				     .info_bytes = size - 3};
	memcpy(frame.info, data + 3, size - 3);
	return (size_t)pylon_build(&frame, out, PYLON_MAX_FRAME);
}

static void try_protocol(const struct wire *wire, uint8_t cid1, const uint8_t *data, size_t size)
{
	uint8_t bytes[RTU_MAX_FRAME + 2 + PYLON_MAX_FRAME];
	size_t count;

	fuzz_protocol(wire, data, size);
	if (size < 3 || size > RTU_MAX_FRAME)
		return;
	memcpy(bytes, data, size);
	count = rtu_seal(bytes, size);
	fuzz_protocol(wire, bytes, count);
	count += as_text(data, size, cid1, bytes + count);
	fuzz_protocol(wire, bytes, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wire *srne, *tower;

	if (!srne) {
		srne = fuzz_load("rs485/srne-lv-3.3");
		tower = fuzz_load("rs485/china-tower-1.1");
	}
	try_protocol(srne, 0x46, data, size);
	try_protocol(tower, 0x4A, data, size);
	return 0;
}
