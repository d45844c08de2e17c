// SPDX-License-Identifier: Apache-2.0
/* The image container, as MCUboot has it: a header of 32 bytes, code, then records (TLVs) in two
 * groups, the first of which is covered by the hash. Numbers are little-endian.
 *
 *   header     magic, load address, header size, size of the protected records, code size, flags,
 *              version
 *   protected  0x50 security counter (u32), 0x81 device class (UUID, class in its last two bytes),
 *              0x00A0 ours: lowest and highest hardware revision, lowest loader version, parameter
 *              layout (u16 each)
 *   others     0x10 SHA-256 of all before, 0x01 SHA-256 of the public key in its DER form, 0x24
 *              Ed25519 signature. As in MCUboot it is over the 32 bytes of the hash, not over the
 *              image: so the image is read once, and nothing of it is kept.
 *
 * An image runs where it lies (direct-XIP): it is linked for one slot, and its load address is that
 * slot's. A release holds one image for each slot. Nothing is ever copied from slot to slot, so a
 * power cut at any moment leaves the running image as it was. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../crypto/ed25519.h"
#include "../crypto/sha256.h"
#include "flash.h"

#define FW_IMAGE_MAGIC       UINT32_C(0x96F3B83D)
#define FW_IMAGE_HEADER      32
#define FW_IMAGE_HEADER_MAX  1024
#define FW_IMAGE_RECORDS_MAX 1024  /* bytes of each group */
#define FW_IMAGE_FIXED       0x100 /* flag: runs only at its load address */

/* What is wrong; the numbers are those of register 0x3007. */
enum fw_bad {
	FW_GOOD,
	FW_BAD_CLASS,
	FW_BAD_HARDWARE,
	FW_BAD_SIZE,
	FW_BAD_OFFSET,
	FW_BAD_FLASH, /* the part reports an error or keeps something else */
	FW_BAD_HASH,
	FW_BAD_SIGNATURE, /* or a key that we do not know */
	FW_BAD_VERSION,   /* security counter below ours */
	FW_BAD_BATTERY,   /* now is not the time: in protection, heating, nearly empty */
	FW_BAD_LEVEL,
	FW_BAD_LOADER,  /* needs a newer loader */
	FW_BAD_ADDRESS, /* linked for another slot */
	FW_BAD_FORMAT,  /* header or records make no sense, or there is no image */
	FW_BAD_STATE,   /* a command that does not fit the state */
	FW_BAD_UNLOCK   /* wrong unlock code */
};

struct fw_version {
	uint8_t major, minor;
	uint16_t revision;
	uint32_t build;
};

struct fw_image {
	uint32_t load_address;
	uint32_t header_size;
	uint32_t hashed_size; /* header, code and protected records */
	uint32_t size;        /* the whole image */
	struct fw_version version;
	uint32_t security_counter;
	uint16_t device_class;
	uint16_t hardware_min, hardware_max, loader_min;
	uint16_t parameter_layout;
	uint8_t hash[FW_SHA256_SIZE]; /* said by the image, not checked yet */
	uint8_t key_hash[FW_SHA256_SIZE];
	uint8_t signature[FW_ED25519_SIGNATURE_SIZE];
};

/* Reads header and records; nothing is checked but their form. FW_BAD_FORMAT, FW_BAD_SIZE or
 * FW_BAD_FLASH; then *image is undefined. */
enum fw_bad fw_image_read(const struct fw_flash *flash, enum fw_area slot, struct fw_image *image);

/* What a pack can take. */
struct fw_image_target {
	uint16_t device_class, hardware_revision, loader_version;
	uint32_t security_counter; /* lowest that is accepted */
	uint32_t slot_address[2];  /* where FW_AREA_SLOT_A and _B are for the processor */
	const uint8_t (*keys)[32]; /* makers' public keys */
	int key_count;
	const uint8_t *exempt; /* first 8 bytes of the hash of an image whose class, hardware and
				  counter need not fit; NULL = none */
};

/* Whether an image fits, by what it says of itself. */
enum fw_bad fw_image_fits(const struct fw_image *image, const struct fw_image_target *target,
			  enum fw_area slot);

/* The whole examination in small steps. */
struct fw_image_check {
	const struct fw_flash *flash;
	const struct fw_image_target *target;
	enum fw_area slot;
	struct fw_image image; /* valid once the first step was done */
	uint8_t stage;         /* private from here on */
	uint32_t at;
	union {
		struct fw_sha256 sha;
		struct fw_ed25519 signature;
	} work;
};

#define FW_CHECKING (-1)

void fw_image_check_start(struct fw_image_check *check, const struct fw_flash *flash,
			  const struct fw_image_target *target, enum fw_area slot);

/* A few milliseconds of a Cortex-M at 72 MHz. FW_CHECKING, or the result (enum fw_bad). */
int fw_image_check_step(struct fw_image_check *check);

/* All at once; `alive` (or NULL) is called between steps, to feed a watchdog. */
enum fw_bad fw_image_check(struct fw_image_check *check, const struct fw_flash *flash,
			   const struct fw_image_target *target, enum fw_area slot,
			   void (*alive)(void));
