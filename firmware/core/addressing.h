// SPDX-License-Identifier: Apache-2.0
/* Which address a pack answers to: that of its DIP switches, one that was stored, or one that a
 * master gives it by its unique id, with or without the enable line. A pack that hears somebody
 * else answer with its address lets go of it and waits at 247, where a search finds it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "identity.h"
#include "modbus.h"
#include "store.h"

#define FW_ADDRESS_LAST     32     /* packs have 1..32; the switches reach to 15 */
#define FW_ADDRESSING_WORDS 6      /* registers 0910..0915: key and five arguments */
#define FW_ADDRESSING_KEY   0xADD0 /* + operation */
#define FW_SEARCH_FRAME     13     /* bytes of the answer to a search */

enum fw_address_source {
	FW_ADDRESS_DIP,
	FW_ADDRESS_ENABLE_LINE,
	FW_ADDRESS_UID,
	FW_ADDRESS_STORED
};

enum fw_address_operation {
	FW_ADDRESS_WINDOW,  /* seconds 1..5; the others are ignored outside */
	FW_ADDRESS_RELEASE, /* everybody to 247, EN_OUT low, unmuted */
	FW_ADDRESS_SEARCH,  /* prefix (2), bits, slot ms, at most 100: answer in slot */
	FW_ADDRESS_ASSIGN,  /* uid32 (2), address, position or 0 */
	FW_ADDRESS_MUTE,    /* uid32 (2): no more answers to searches */
	FW_ADDRESS_STORE,   /* keep address and position; needs level 2 */
	FW_ADDRESS_BLINK    /* uid32 (2), seconds */
};

struct fw_addressing {
	uint32_t uid32;
	uint16_t device_class;
	bool has_enable_line;
	uint8_t dip;
	uint8_t address; /* in use: 1..32 or 247 */
	enum fw_address_source source;
	uint16_t position;  /* in the stack, 0 = unknown */
	uint16_t conflicts; /* addresses lost to somebody else since the start */
	bool conflict;      /* waits at 247 because of one */
	bool muted;
	bool enable_out;
	bool asked; /* was read at 247, which only the enable line lets happen */
	uint64_t window_until_ms;
};

/* What an operation asks the server to do; all 0 = nothing. */
struct fw_addressing_effect {
	bool answer; /* send the search frame that long after the end of the request */
	uint32_t slot_us;
	bool store;       /* address and position */
	uint16_t blink_s; /* 0 = none */
};

void fw_addressing_init(struct fw_addressing *addressing, const struct fw_identity *identity,
			uint8_t dip, const struct fw_settings *settings);

/* The six words of a broadcast to 0910. `level` is the one held in this pack. */
struct fw_addressing_effect fw_addressing_obey(struct fw_addressing *addressing,
					       const uint8_t words[2 * FW_ADDRESSING_WORDS],
					       bool installer, uint64_t now_ms);

bool fw_addressing_is_open(const struct fw_addressing *addressing, uint64_t now_ms);

/* Whether a request to this unit is for this pack. At 247 only the pack answers that its neighbour
 * enables (`enable_in`), or that has no enable line. */
bool fw_addressing_is_mine(const struct fw_addressing *addressing, uint8_t unit, bool enable_in);

/* Somebody else answered with our address: true when it was given up. */
bool fw_addressing_conflict(struct fw_addressing *addressing);

/* The registers 0904..0907, which are also what a search answer carries. */
void fw_addressing_write_id(const struct fw_addressing *addressing, uint8_t out[8]);
