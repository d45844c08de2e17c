// SPDX-License-Identifier: Apache-2.0
/* The two engines behind fw_protect; each adds its stop bits to pack->work. */
#pragma once

#include "protect.h"

/* Runs the guard table; adds warning bits to *warnings. */
void fw_guards_step(struct fw_pack *pack, uint32_t *warnings);

/* Runs the fault table into pack->faults. */
void fw_faults_step(struct fw_pack *pack);

/* Clears latched faults. */
void fw_faults_clear(struct fw_pack *pack);
