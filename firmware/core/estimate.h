// SPDX-License-Identifier: Apache-2.0
/* How much charge there is, how much there can be, and how old the pack is. */
#pragma once

#include "pack.h"

/* Charge from the voltage of a resting cell, 0.01 %. In the flat middle of LFP it is only a guess.
 */
int32_t fw_estimate_rest_soc_cpct(enum fw_chemistry chemistry, int32_t cell_mv);

/* Counts dt_ms of the measured current, calibrates at the ends, learns. After fw_protect. */
void fw_estimate_step(struct fw_pack *pack);

/* Without counters: the charge will be taken from the voltages. */
void fw_estimate_init(struct fw_pack *pack, const struct fw_counters *counters);

/* Sets the charge, 0.01 %. */
void fw_estimate_set_soc(struct fw_pack *pack, int32_t soc_cpct);
