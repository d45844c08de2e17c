// SPDX-License-Identifier: Apache-2.0
/* What the loader says on the bus while no image runs: a small part of the pack's Modbus map,
 * enough to be found, recognised and repaired. Functions 03, 04, 06, 10; blocks 0x0000 (identity,
 * image state "loader"), 0x0100 (state "loader", all else 0), 0x3000 (update), and the restart
 * command of 0x0820. No authorization: whatever is loaded must be signed, and there is nothing else
 * to protect. Outputs are off, because nobody switches them on. Pure; time is an argument. */
#pragma once

#include "../core/identity.h"
#include "../core/modbus.h"
#include "../core/update.h"

struct fw_loader {
	struct fw_update update;
	const struct fw_identity *identity;
	uint8_t address;
	bool addressed; /* somebody wrote to this pack: stay here */
	bool restart;   /* when the answer is out */
	uint8_t heard[FW_MODBUS_FRAME];
	size_t count;
};

/* The address: the one in use before, else the switches', else "unassigned". */
void fw_loader_init(struct fw_loader *loader, const struct fw_update_config *config,
		    const struct fw_identity *identity, uint8_t dip, uint64_t now_ms);

/* Bytes from the bus. */
void fw_loader_hear(struct fw_loader *loader, const uint8_t *bytes, size_t count);

/* The bus was silent for as long as ends a frame: looks at what was heard. Returns the length of an
 * answer in `out` (room for FW_MODBUS_FRAME bytes), 0 = none. */
size_t fw_loader_answer(struct fw_loader *loader, uint8_t *out);

/* Background work; true when there is more at once. */
bool fw_loader_tick(struct fw_loader *loader, uint64_t now_ms);
