// SPDX-License-Identifier: Apache-2.0
/* Which image starts. Pure over flash: looks at the boot state and at the slots, writes the boot
 * state when something changed (a trial boot is counted before it happens), and says what to do.
 *
 * An image only starts after its form, its fit, its hash and its signature were checked, at every
 * start. When the chosen one fails, the other one is taken; when none is left, the loader stays and
 * can be talked to. Where a start is doubtful (on trial with nothing to go back to, or after a
 * watchdog reset) the loader listens for some seconds first, so that a gateway can hold it there.
 */
#pragma once

#include "../core/boot_state.h"
#include "../core/identity.h"
#include "../core/image.h"

#define FW_BOOT_LISTEN_MS 3000

struct fw_boot_choice {
	int slot;           /* 0 or 1: start that image; -1: stay in the loader */
	uint32_t vectors;   /* address of its vector table */
	uint32_t listen_ms; /* before the start; 0 = at once */
	enum fw_bad bad[2]; /* of the slots that were looked at; else FW_GOOD */
};

/* `held`: the button is held down, stay in the loader. `alive` (or NULL) is called every few
 * milliseconds. `work` is memory to work in; the target's counter and exemption are filled in. */
struct fw_boot_choice fw_boot_decide(const struct fw_flash *flash, struct fw_image_target *target,
				     enum fw_boot_reason reason, bool held, void (*alive)(void),
				     struct fw_image_check *work);
