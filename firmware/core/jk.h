// SPDX-License-Identifier: Apache-2.0
/* JK's registers 1000 (settings), 1200 (live), 1400 (about) and its records, made from the same
 * data as our own map, so that tools and drivers for JK packs work with this one. Register numbers
 * there are byte offsets. Facts: protocols/pack/jk-pb.yaml and docs/protocols/pack/jk-pb.md.
 *
 * Written are only the switches for charging, discharging and balancing, and that only downwards:
 * "on" takes back an "off" of the same switch, never what somebody with a level or a protection
 * decided. Presets, calibration and the rest have levels and commands of our own. */
#pragma once

#include "map.h"

#define FW_JK_FIRST 0x1000
#define FW_JK_LAST  0x16FF

/* Whether JK's map has such a register. */
bool fw_jk_has(uint16_t reg);

/* Reads words from byte offset `start` on. */
enum fw_exception fw_jk_read(const struct fw_access *access, uint16_t start, uint16_t words,
			     uint8_t *out);

/* A write. *answer > 0: the whole answer is in `out` (a record and its acknowledge, at most
 * FW_SERVER_OUT bytes); 0: acknowledge as usual. */
enum fw_exception fw_jk_write(const struct fw_access *access, const struct fw_request *request,
			      uint8_t *out, size_t *answer);
