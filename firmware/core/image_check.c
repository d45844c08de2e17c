// SPDX-License-Identifier: Apache-2.0
/* Examines an image in a slot: form, fit, hash, signature, in this order, so that what is cheap to
 * see is seen first. The signature is over the hash that we made ourselves. */
#include "image.h"

#include <string.h>

#define HASH_STEP      2048 /* bytes: 3 ms at 72 MHz */
#define READ_STEP      128
#define SIGNATURE_STEP 8 /* bits of 253: 2 ms */

enum stage { STAGE_READ, STAGE_HASH, STAGE_SIGNATURE };

/* SubjectPublicKeyInfo of an Ed25519 key (RFC 8410), without the key. */
static const uint8_t der_prefix[12] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
				       0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

void fw_image_check_start(struct fw_image_check *check, const struct fw_flash *flash,
			  const struct fw_image_target *target, enum fw_area slot)
{
	memset(check, 0, sizeof *check);
	check->flash = flash;
	check->target = target;
	check->slot = slot;
	check->stage = STAGE_READ;
}

static int step_read(struct fw_image_check *check)
{
	enum fw_bad bad = fw_image_read(check->flash, check->slot, &check->image);

	if (bad == FW_GOOD)
		bad = fw_image_fits(&check->image, check->target, check->slot);
	if (bad != FW_GOOD)
		return (int)bad;
	fw_sha256_init(&check->work.sha);
	check->at = 0;
	check->stage = STAGE_HASH;
	return FW_CHECKING;
}

/* The key that the image names, NULL when we do not have it. */
static const uint8_t *find_key(const struct fw_image_check *check)
{
	for (int i = 0; i < check->target->key_count; i++) {
		struct fw_sha256 sha;
		uint8_t hash[FW_SHA256_SIZE];

		fw_sha256_init(&sha);
		fw_sha256_update(&sha, der_prefix, sizeof der_prefix);
		fw_sha256_update(&sha, check->target->keys[i], FW_ED25519_KEY_SIZE);
		fw_sha256_final(&sha, hash);
		if (memcmp(hash, check->image.key_hash, sizeof hash) == 0)
			return check->target->keys[i];
	}
	return NULL;
}

static int begin_signature(struct fw_image_check *check)
{
	uint8_t digest[FW_SHA256_SIZE];

	fw_sha256_final(&check->work.sha, digest);
	if (memcmp(digest, check->image.hash, sizeof digest) != 0)
		return FW_BAD_HASH;

	const uint8_t *key = find_key(check);

	if (!key || !fw_ed25519_start(&check->work.signature, check->image.signature, key, digest,
				      sizeof digest))
		return FW_BAD_SIGNATURE;
	check->stage = STAGE_SIGNATURE;
	return FW_CHECKING;
}

static int step_hash(struct fw_image_check *check)
{
	uint8_t bytes[READ_STEP];
	uint32_t left = check->image.hashed_size - check->at;

	if (left == 0)
		return begin_signature(check);
	if (left > HASH_STEP)
		left = HASH_STEP;
	while (left > 0) {
		const uint32_t count = left < sizeof bytes ? left : (uint32_t)sizeof bytes;

		if (check->flash->read(check->flash->context, check->slot, check->at, bytes,
				       count) < 0)
			return FW_BAD_FLASH;
		fw_sha256_update(&check->work.sha, bytes, count);
		check->at += count;
		left -= count;
	}
	return FW_CHECKING;
}

static int step_signature(struct fw_image_check *check)
{
	if (fw_ed25519_step(&check->work.signature, SIGNATURE_STEP) > 0)
		return FW_CHECKING;
	return fw_ed25519_finish(&check->work.signature) ? FW_GOOD : FW_BAD_SIGNATURE;
}

int fw_image_check_step(struct fw_image_check *check)
{
	switch (check->stage) {
	case STAGE_READ: return step_read(check);
	case STAGE_HASH: return step_hash(check);
	case STAGE_SIGNATURE: return step_signature(check);
	default: return FW_BAD_FORMAT;
	}
}

enum fw_bad fw_image_check(struct fw_image_check *check, const struct fw_flash *flash,
			   const struct fw_image_target *target, enum fw_area slot,
			   void (*alive)(void))
{
	const uint32_t most =
		flash->page_size[slot] * flash->page_count[slot] / HASH_STEP + FW_ED25519_STEPS + 4;
	int result = FW_CHECKING;

	fw_image_check_start(check, flash, target, slot);
	for (uint32_t i = 0; i < most && result == FW_CHECKING; i++) {
		if (alive)
			alive();
		result = fw_image_check_step(check);
	}
	return result == FW_CHECKING ? FW_BAD_FORMAT : (enum fw_bad)result;
}
