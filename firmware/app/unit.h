// SPDX-License-Identifier: Apache-2.0
/* Everything that the application has to know about the unit it runs in: its identity, its secrets,
 * its flash, which images it takes, and which of the two it is. */
#pragma once

#include "firmware/core/auth.h"
#include "firmware/core/factory.h"
#include "firmware/core/image.h"

struct fw_unit {
	struct fw_factory factory;
	bool has_factory; /* false: ratings, features and calibration are not known */
	struct fw_identity identity;
	struct fw_secrets secrets;
	const struct fw_flash *flash; /* never NULL: one that always fails, if need be */
	struct fw_image_target target;
	int slot; /* of the image that this is: 0, 1; -1: neither */
};

/* After fw_board_start(). `vectors` is the address of the running image's vector table. */
void fw_unit_init(struct fw_unit *unit, uint32_t vectors);
