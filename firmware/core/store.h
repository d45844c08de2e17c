// SPDX-License-Identifier: Apache-2.0
/* Settings in flash: parameters, calibration, address, passwords. Two copies in two halves of
 * FW_AREA_PARAMETERS; a new one always replaces the older, so that a power cut at any byte leaves
 * one whole. Then the other half gets the same: should one copy rot, limits of long ago do not come
 * back. A copy is a list of {register, value} with a layout version: what a newer or older
 * firmware does not know is left out, what it misses gets its default, what moved is moved. */
#pragma once

#include "flash.h"
#include "pack.h"

#define FW_PASSWORD 8 /* characters, zero-padded */

/* Who has a password: register 0804 minus 1. The factory has a key instead. */
enum fw_password { FW_PASSWORD_OPERATOR, FW_PASSWORD_INSTALLER, FW_PASSWORDS };

struct fw_settings {
	struct fw_parameters parameters;
	struct fw_calibration calibration;
	uint16_t address;                         /* 1..32, 0 = DIP switches or automatic */
	uint16_t position;                        /* in the stack, 0 = unknown */
	char password[FW_PASSWORDS][FW_PASSWORD]; /* all zero = as it left the factory */
};

/* A register that another layout keeps elsewhere or in another unit. */
struct fw_move {
	uint16_t up_to; /* the last layout that has it so */
	uint16_t from, to;
	int32_t times, divided_by;
};

struct fw_store {
	const struct fw_flash *flash;
	const struct fw_move *moves; /* of this firmware; tests have their own */
	int move_count;
	uint16_t layout;
	uint32_t sequence; /* of the newest copy */
	uint8_t newest;    /* its half, 0 or 1 */
	bool twins;        /* there is nothing to write into the other half */
	bool dirty;
	uint64_t dirty_ms; /* last change */
	bool failed;       /* the last attempt to write failed */
};

enum fw_stored {
	FW_STORED_NOTHING, /* never written: settings are the defaults */
	FW_STORED,
	FW_STORED_LOST /* something is there, but not to be used: parameters are defaults */
};

void fw_store_init(struct fw_store *store, const struct fw_flash *flash);

/* Reads the newest whole copy over defaults (LFP, no calibration). Values that are out of their
 * range are left out one by one; if the rest breaks an ordering rule, all parameters are those of
 * the copy's chemistry and FW_STORED_LOST is returned: currents that somebody lowered have gone. */
enum fw_stored fw_store_load(struct fw_store *store, struct fw_settings *settings);

/* Writes a copy and reads it back; false when the part failed (the old copy is still there). */
bool fw_store_save(struct fw_store *store, const struct fw_settings *settings);

/* Writes the same into the other half, when `twins` is not set. `settings` are those stored last.
 */
bool fw_store_mirror(struct fw_store *store, const struct fw_settings *settings);

/* Settings changed: they are stored FW_STORE_DELAY_MS after the last change. */
#define FW_STORE_DELAY_MS 2000
void fw_store_touch(struct fw_store *store, uint64_t now_ms);
bool fw_store_is_due(const struct fw_store *store, uint64_t now_ms);
