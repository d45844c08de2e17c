// SPDX-License-Identifier: Apache-2.0
/* Between the firmware and `struct bms`, which other parts of the simulation look at: what the
 * firmware shows there, and the sensor faults that are set there. */
#pragma once

#include "bms.h"
#include "firmware/core/pack.h"

/* Writes what the firmware measured, counted, protects and allows. */
void fw_mirror(const struct fw_pack *pack, struct bms *bms);

/* Makes a measurement wrong; `before` is the last wrong one, which a frozen sensor repeats. Faults
 * of a BMS's own bookkeeping (report_frozen, soc_*, spikes) are not possible here: this one's is
 * the real one. */
void fw_mirror_spoil(const struct bms_faults *faults, const struct fw_measurement *before,
		     struct fw_measurement *measured);
