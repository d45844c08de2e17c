// SPDX-License-Identifier: Apache-2.0
/* Commands of registers 0820..0826: which level each needs, and that each is obeyed once: the same
 * command with the same sequence number again is answered, not repeated. */
#pragma once

#include "map.h"

#define FW_COMMAND_WORDS 4 /* code, sequence, argument (2) */

/* FW_FINE: see the result in register 0825. FW_LOCKED: the level is missing; the same sequence may
 * come again once it is there. */
enum fw_exception fw_command_write(const struct fw_access *access,
				   const uint8_t words[2 * FW_COMMAND_WORDS]);
