// SPDX-License-Identifier: Apache-2.0
/* The pieces of pack.c that have files of their own. */
#pragma once

#include "pack.h"

/* Currents and voltages allowed now, from what the step decided. */
void fw_pack_limits(struct fw_pack *pack);

/* Events for every status and fault that came or went since the last call. */
void fw_pack_log_changes(struct fw_pack *pack);

/* Button, key, sleep, switching off, restart: returns FW_OFF_ reasons for both MOSFETs. */
uint8_t fw_pack_power(struct fw_pack *pack);

/* Emergency override: starts it unless used up; counts it down; ends it. */
enum fw_result fw_emergency_start(struct fw_pack *pack, enum fw_source source);
void fw_emergency_stop(struct fw_pack *pack, enum fw_source source);
void fw_emergency_step(struct fw_pack *pack);

/* Both MOSFETs open until "automatic". */
void fw_pack_safe_stop(struct fw_pack *pack, enum fw_source source);

/* Switching off: MOSFETs first, the supply two seconds later. */
void fw_pack_switch_off(struct fw_pack *pack, enum fw_source source);
void fw_pack_sleep(struct fw_pack *pack);
