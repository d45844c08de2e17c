// SPDX-License-Identifier: Apache-2.0
/* What production writes into FW_AREA_FACTORY, once: who this board is, its secrets, its
 * calibration. Loader and application read it, neither writes it. Little-endian:
 *
 *    0 magic "FWF1"           24 greatest discharge current mA   60 serial number, 16 characters
 *    4 device class u16       28 calibration: voltage ppm        76 installer's first password, 8
 *    6 hardware revision u16  32 calibration: current ppm        84 factory key, 32 bytes
 *    8 production day u16     36 calibration: current zero mA   116 unlock key, 32 bytes
 *   10 calibrated u16, 0 / 1  40 0                              148 CRC-32 of all before
 *   12 uid32                  44 model, 16 characters
 *   16 features u16, sensors u8, 0
 *   20 greatest charge current mA */
#pragma once

#include "flash.h"
#include "identity.h"
#include "pack.h"

#define FW_FACTORY_SIZE 152

struct fw_factory {
	struct fw_identity identity; /* without chip_id, versions and boot reason */
	struct fw_calibration calibration;
	char installer[8];
	uint8_t key[32];    /* of the factory level */
	uint8_t unlock[32]; /* for images that do not fit */
};

/* false: nothing there, damaged, without ratings (1 mA to 1000 A) or with a calibration that no
 * command would accept; then all is 0. */
bool fw_factory_read(const struct fw_flash *flash, struct fw_factory *factory);

/* For production and tests: the bytes to program. */
void fw_factory_write(const struct fw_factory *factory, uint8_t out[FW_FACTORY_SIZE]);
