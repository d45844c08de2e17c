// SPDX-License-Identifier: Apache-2.0
/* One classic CAN frame, independent of the driver that carries it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct can_message {
	uint32_t id;    /* 11 or 29 bits, without flags */
	bool extended;  /* 29-bit id */
	uint8_t length; /* 0..8 */
	uint8_t data[8];
};
