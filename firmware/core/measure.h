// SPDX-License-Identifier: Apache-2.0
/* From what the front end says to what the core believes: calibrated, with everything that cannot
 * be true taken as missing. */
#pragma once

#include "pack.h"

/* Fills pack->measured, pack->values, pack->samples and the sensors' strikes. */
void fw_measure(struct fw_pack *pack, const struct fw_measurement *measurement, uint64_t now_ms);

/* Cells, or the current sensor, whose value stood still while everything round it moved. */
bool fw_measure_cell_stuck(const struct fw_pack *pack);
bool fw_measure_current_stuck(const struct fw_pack *pack);

/* Voltage of the pack, also when a cell is missing: then the known ones stand for it.
 * FW_UNKNOWN when none is known. */
int32_t fw_measure_pack_mv(const struct fw_pack *pack);

/* Is current flowing that way, beyond the standby threshold (parameter 0273)? */
bool fw_measure_charging(const struct fw_pack *pack);
bool fw_measure_discharging(const struct fw_pack *pack);
