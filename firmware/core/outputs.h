// SPDX-License-Identifier: Apache-2.0
/* From all reasons to the MOSFETs, the limiter and the pre-charge. */
#pragma once

#include "pack.h"

/* Decides them for this step. `others`: FW_OFF_ reasons of the pack as a whole (key, update,
 * command for both). */
void fw_outputs_switches(struct fw_pack *pack, uint8_t others);

/* Dry contacts, buzzer, enable line, from what the step has decided. */
void fw_outputs_signals(struct fw_pack *pack);
