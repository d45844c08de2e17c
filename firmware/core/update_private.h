// SPDX-License-Identifier: Apache-2.0
/* Between update.c, update_slot.c and update_registers.c. */
#pragma once

#include "update.h"

/* update.c: commands; a Modbus exception code. */
int fw_update_command(struct fw_update *update, uint16_t command);
int fw_update_refuse(struct fw_update *update, enum fw_bad bad);

/* update_slot.c: the job's bytes in flash. */
enum fw_area fw_update_area(const struct fw_update *update);
uint32_t fw_update_size(const struct fw_update *update); /* of a slot */
void fw_update_begin(struct fw_update *update);          /* after an erase: nothing received */
void fw_update_take_up(struct fw_update *update);        /* after a restart: find out */
int fw_update_chunk(struct fw_update *update, uint32_t at, const uint8_t *bytes, uint32_t count);
bool fw_update_erase_step(struct fw_update *update); /* these return whether there is more */
bool fw_update_scan_step(struct fw_update *update);
bool fw_update_crc_step(struct fw_update *update);
bool fw_update_has_chunk(const struct fw_update *update, uint32_t chunk);
