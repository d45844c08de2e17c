// SPDX-License-Identifier: Apache-2.0
/* What loader and application tell each other across a restart: which slot runs, whether it is on
 * trial, and an update that has begun. Two copies, one page each; a new one is written over the
 * older, so a power cut leaves the last or the new one. The loader is never replaced in the field:
 * this layout must stay as it is. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../crypto/sha256.h"
#include "flash.h"
#include "image.h"

#define FW_TRIAL_BOOTS 3
#define FW_TRIAL_MS    600000 /* to be confirmed within */

/* Why the running image runs, for the log; the newest one that was not reported yet. */
enum fw_boot_event {
	FW_BOOTED_NONE,
	FW_BOOTED_ACTIVATED,      /* an image was put on trial */
	FW_BOOTED_CONFIRMED,      /* and stays */
	FW_BOOTED_REVERTED_TIME,  /* not confirmed in time */
	FW_BOOTED_REVERTED_BOOTS, /* started too often without being confirmed */
	FW_BOOTED_REVERTED_WATCHDOG,
	FW_BOOTED_REVERTED_COMMAND,
	FW_BOOTED_REVERTED_IMAGE, /* it did not pass the loader's check */
	FW_BOOTED_FALLBACK,       /* the confirmed image broke: the other one was taken */
	FW_BOOTED_STATE_LOST      /* both copies were lost: the newest good image was taken */
};

/* An update as PREPARE told it: what it takes to go on after a restart. */
struct fw_offer {
	uint32_t size;
	uint8_t hash[FW_SHA256_SIZE];
	struct fw_version version;
	uint32_t security_counter;
	uint16_t device_class, hardware_min, hardware_max, loader_min;
	uint16_t flags; /* FW_OFFER_ */
};

#define FW_OFFER_BROADCAST 1 /* chunks to address 0 are meant for this pack, too */

enum fw_job { FW_JOB_NONE, FW_JOB_ERASING, FW_JOB_RECEIVING };

struct fw_boot_state {
	uint32_t sequence; /* of the newest copy; 0 = there was none */
	uint8_t active;    /* slot: 0 = A, 1 = B */
	bool trial;
	uint8_t boots_left;        /* while on trial */
	uint8_t event;             /* enum fw_boot_event */
	uint8_t address;           /* bus address for the loader, 0 = not known */
	uint8_t job;               /* enum fw_job, in the other slot */
	uint16_t loader_version;   /* of the loader that started the image; 0 = none did */
	uint32_t security_counter; /* images below are refused */
	uint8_t exempt[8];         /* hash of the image that an unlock code allowed; else zeros */
	struct fw_offer offer;     /* of the job */
};

/* The newest good copy. Without one: false and a state of zeros. */
bool fw_boot_state_load(const struct fw_flash *flash, struct fw_boot_state *state);

/* Writes the next copy (sequence moves) and reads it back. Erases a page: up to 25 ms on parts with
 * small pages. false: the older copy counts, *state is as it was. */
bool fw_boot_state_save(const struct fw_flash *flash, struct fw_boot_state *state);
