// SPDX-License-Identifier: Apache-2.0
/* Any bytes on a Pylon line; and the input as version, address, CID2 and INFO of a well-formed
 * frame, which must come back unchanged. */
#include "fuzz_serial.h"
#include "pylon_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_well_formed(const struct wire *wire, const uint8_t *data, size_t size)
{
	static struct pylon_frame frame, back;
	static uint8_t out[PYLON_MAX_FRAME];

	if (size < 3 || size - 3 > PYLON_MAX_INFO)
		return;
	frame = (struct pylon_frame){.version = data[0],
				     .address = data[1] & 1 ? 2 : data[1],
				     .cid1 = 0x46,
				     .cid2 = data[2],
				     .info_bytes = size - 3};
	memcpy(frame.info, data + 3, size - 3);

	int count = pylon_build(&frame, out, sizeof out);

	FUZZ_CHECK(count > 0);
	memset(&back, 0, sizeof back);
	FUZZ_CHECK(pylon_read(out, (size_t)count, &back) == 0);
	FUZZ_CHECK(memcmp(&back, &frame, sizeof frame) == 0);
	fuzz_protocol(wire, out, (size_t)count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wire *wire;

	if (!wire)
		wire = fuzz_load("rs485/pylon-lv-3.3");
	fuzz_protocol(wire, data, size);
	check_well_formed(wire, data, size);
	return 0;
}
