// SPDX-License-Identifier: Apache-2.0
/* What a pack is from production: read once at start, constant after. Part of it lies in
 * FW_AREA_FACTORY, part of it is compiled in; the board puts it together. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum fw_feature {
	FW_HAS_HEATER = 1 << 0,
	FW_HAS_PRECHARGE = 1 << 1,
	FW_HAS_ACTIVE_BALANCER = 1 << 2, /* without: passive bleed resistors */
	FW_HAS_LIMITER = 1 << 3,
	FW_HAS_BUZZER = 1 << 4,
	FW_HAS_DRY_CONTACTS = 1 << 5,
	FW_HAS_ENABLE_LINE = 1 << 6,
	FW_HAS_TERMINAL_SENSING = 1 << 7, /* terminal_mv is measured; then unknown = broken */
	FW_HAS_CLOCK = 1 << 8,
	FW_HAS_DISPLAY = 1 << 9,
	FW_HAS_BLUETOOTH = 1 << 10
};

enum fw_boot_reason {
	FW_BOOT_POWER,
	FW_BOOT_BUTTON,
	FW_BOOT_WATCHDOG,
	FW_BOOT_COMMAND,
	FW_BOOT_UPDATE,
	FW_BOOT_REVERT,
	FW_BOOT_BROWN_OUT
};

struct fw_identity {
	uint16_t device_class;
	uint16_t features;          /* FW_HAS_ */
	uint32_t chip_id[3];        /* 96 bits, high word first */
	uint32_t uid32;             /* for addressing */
	char model[17], serial[17]; /* zero-ended */
	uint16_t hardware_revision;
	uint8_t major, minor; /* firmware version */
	uint16_t patch;
	uint16_t loader_version;
	uint32_t source_revision;
	int32_t max_charge_ma, max_discharge_ma; /* hardware rating; caps every limit */
	uint16_t production_day;                 /* days since 2020-01-01 */
	uint8_t sensors;                         /* fitted, bit per enum fw_sensor */
	enum fw_boot_reason boot_reason;
};
