// SPDX-License-Identifier: Apache-2.0
/* May an open MOSFET close against the voltage beyond it? The parallel rule, and pre-charging of
 * what hangs on the terminals. Two MOSFETs in series, each blocking one direction: the charge
 * MOSFET may close when the terminals are not above the pack, the discharge MOSFET when they are
 * not below (parameter 0276 says by how much they may be). */
#pragma once

#include "pack.h"

enum fw_precharge_phase {
	FW_PRECHARGE_IDLE,
	FW_PRECHARGE_RUNS,
	FW_PRECHARGE_PAUSE /* failed; again after a minute, or, failed too often, not at all */
};

/* Reasons (FW_OFF_PARALLEL, FW_OFF_PRECHARGE) against closing the MOSFET of a direction that
 * nothing else forbids; 0 = may close. The discharge side runs the pre-charge. */
uint8_t fw_precharge_charge(struct fw_pack *pack);
uint8_t fw_precharge_discharge(struct fw_pack *pack);

/* Nothing may or need be pre-charged now. */
void fw_precharge_stop(struct fw_pack *pack);

/* From the start again, for max_ms (0 = parameter 0275), also after it failed too often. */
void fw_precharge_again(struct fw_pack *pack, uint32_t max_ms);
