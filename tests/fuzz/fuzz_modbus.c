// SPDX-License-Identifier: Apache-2.0
/* Any bytes on a Modbus line. Random bytes never have a good CRC, so every input also runs with the
 * CRC put right at its end. */
#include "fuzz_serial.h"
#include "rtu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wire *jk, *growatt;
	uint8_t sealed[RTU_MAX_FRAME + 2];

	if (!jk) {
		jk = fuzz_load("rs485/jk-modbus-1.0");
		growatt = fuzz_load("rs485/growatt-2.01");
	}
	fuzz_protocol(jk, data, size);
	fuzz_protocol(growatt, data, size);
	if (size > RTU_MAX_FRAME)
		return 0;
	memcpy(sealed, data, size);
	size = rtu_seal(sealed, size);
	fuzz_protocol(jk, sealed, size);
	fuzz_protocol(growatt, sealed, size);
	return 0;
}
