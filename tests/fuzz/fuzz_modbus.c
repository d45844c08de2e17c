// SPDX-License-Identifier: Apache-2.0
/* Any bytes on a Modbus line. Random bytes never have a good CRC, so every input also runs with the
 * CRC put right at its end. */
#include "fuzz_serial.h"
#include "rtu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const ids[] = {"rs485/jk-modbus-1.0", "rs485/growatt-2.01",
				  "rs485/pace-modbus-1.3", "rs485/voltronic-20200325",
				  "rs485/china-tower-2.0"};

#define ID_COUNT (sizeof ids / sizeof *ids)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wire *wires[ID_COUNT];
	uint8_t sealed[RTU_MAX_FRAME + 2];
	size_t sealed_size = 0;

	if (size <= RTU_MAX_FRAME) {
		memcpy(sealed, data, size);
		sealed_size = rtu_seal(sealed, size);
	}
	for (size_t i = 0; i < ID_COUNT; i++) {
		if (!wires[i])
			wires[i] = fuzz_load(ids[i]);
		fuzz_protocol(wires[i], data, size);
		if (sealed_size)
			fuzz_protocol(wires[i], sealed, sealed_size);
	}
	return 0;
}
