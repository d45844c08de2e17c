// SPDX-License-Identifier: Apache-2.0
/* The pack's side of an update: register block 0x3000, used by the application and by the loader.
 * An image is received into the other slot while the pack stays in service, checked, put on trial
 * by a restart, and confirmed by the gateway. Pure over flash.h; every call is bounded, the longest
 * one erases one page.
 *
 * Chunks are FW_CHUNK bytes at multiples of FW_CHUNK. They may come in any order, twice, or by
 * broadcast: what is there already is compared, not written again. What is missing is told by a
 * bitmap, and what was received survives a restart. A signature decides about an image; the
 * authorization only keeps passers-by from erasing slots.
 *
 * The registers are listed in docs/firmware/update.md. */
#pragma once

#include "boot_state.h"
#include "image.h"

#define FW_UPDATE_BASE       0x3000
#define FW_UPDATE_END        0x3100 /* first register behind the block */
#define FW_CHUNK             224    /* bytes */
#define FW_CHUNKS            1024   /* at most, in an image */
#define FW_UPDATE_UNLOCK_KEY 32
#define FW_UPDATE_LEVEL      2 /* installer; the protocol checks nothing else for this block */

/* Register 3006. */
enum fw_phase {
	FW_PHASE_IDLE,
	FW_PHASE_ERASING,
	FW_PHASE_READY, /* nothing received yet */
	FW_PHASE_RECEIVING,
	FW_PHASE_COMPLETE,
	FW_PHASE_VERIFYING,
	FW_PHASE_VERIFIED,
	FW_PHASE_TRIAL, /* the running image waits to be confirmed */
	FW_PHASE_FAILED /* the other slot's image was refused; register 3007 says why */
};

/* Register 3000. */
enum fw_update_command {
	FW_UPDATE_PREPARE = 1,
	FW_UPDATE_VERIFY,
	FW_UPDATE_ACTIVATE,
	FW_UPDATE_CONFIRM,
	FW_UPDATE_ABORT,
	FW_UPDATE_REVERT, /* while on trial */
	FW_UPDATE_ERASE   /* the other slot */
};

struct fw_update_config {
	const struct fw_flash *flash;
	struct fw_image_target target; /* counter and exempt are filled in here; in the
					  application the loader's version, too */
	int running;                   /* slot of the running image: 0, 1; -1: this is the loader */
	const uint8_t *unlock_key;     /* of this board; NULL, all 00 or all FF = no unlocking */
	uint32_t uid32;
};

/* What the rest of the pack tells at every tick. */
struct fw_update_pack {
	bool refuse;      /* in protection, fault or heating: not the time for an update */
	int32_t soc_cpct; /* 0.01 %; negative = unknown, which does not refuse */
	uint8_t address;  /* in use, so that the loader can use it, too */
};

/* Others read `phase`, `bad` and `restart`; all else is private. It points into itself: do not
 * copy. */
struct fw_update {
	struct fw_update_config config;
	struct fw_boot_state state;
	struct fw_update_pack pack;
	enum fw_phase phase;
	enum fw_bad bad;       /* register 3007 */
	bool restart;          /* open both MOSFETs, then restart; stays until the restart */
	uint8_t slot;          /* that an update goes to */
	struct fw_offer offer; /* as written, before PREPARE takes it */
	uint8_t unlock[8];
	uint64_t trial_end_ms, now_ms;
	uint32_t chunks, missing; /* of the job */
	uint32_t page;            /* next to erase */
	uint32_t pages;           /* to erase from there */
	bool in_between;          /* only some, in the middle of a job */
	uint32_t scan;            /* next chunk to look at after a restart */
	uint32_t crc, crc_at;     /* of the bytes from 0 to crc_at, all received */
	uint8_t bitmap[FW_CHUNKS / 8];
	struct fw_image image[2]; /* of slots A and B, for the registers */
	bool has_image[2];
	struct fw_image_check check;
};

/* Reads the boot state and takes up a job that a restart interrupted. */
void fw_update_init(struct fw_update *update, const struct fw_update_config *config,
		    uint64_t now_ms);

/* Background work: erases a page, compares or checks a piece. To be called often, while the bus is
 * quiet; at least every 100 ms. Returns whether there is more to do at once. */
bool fw_update_tick(struct fw_update *update, const struct fw_update_pack *pack, uint64_t now_ms);

/* A read of registers of the block: fills `words`. Unknown ones are 0. */
void fw_update_read(const struct fw_update *update, uint16_t start, uint16_t count,
		    uint16_t *words);

/* A write of registers of the block. Returns a Modbus exception code, 0 = done; then register 3007
 * says more. Chunks need no level: PREPARE had it. A write by broadcast is only obeyed when it is a
 * chunk and the update was prepared for that. */
int fw_update_write(struct fw_update *update, uint16_t start, uint16_t count, const uint16_t *words,
		    int level, bool broadcast);

/* For identity register 0033: 0 confirmed, 1 on trial, 2 loader. */
int fw_update_image_state(const struct fw_update *update);

/* The event that was not reported yet (FW_BOOTED_NONE: none), which counts as reported then. Writes
 * flash. */
enum fw_boot_event fw_update_take_event(struct fw_update *update);
