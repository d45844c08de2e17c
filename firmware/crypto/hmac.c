// SPDX-License-Identifier: Apache-2.0
/* H(key ^ opad, H(key ^ ipad, data)); one context serves both passes. */
#include "crypto/hmac.h"

#include <string.h>

#define INNER 0x36
#define OUTER 0x5c

static void pad_key(uint8_t key[FW_SHA256_BLOCK], uint8_t pad)
{
	for (int i = 0; i < FW_SHA256_BLOCK; i++)
		key[i] ^= pad;
}

void fw_hmac_sha256(const void *key, size_t key_length, const void *data, size_t length,
		    uint8_t out[FW_SHA256_SIZE])
{
	struct fw_sha256 sha;
	uint8_t padded[FW_SHA256_BLOCK] = {0}, inner[FW_SHA256_SIZE];

	if (key_length > sizeof padded) {
		fw_sha256_init(&sha);
		fw_sha256_update(&sha, key, key_length);
		fw_sha256_final(&sha, padded);
	} else if (key_length > 0) {
		memcpy(padded, key, key_length);
	}
	pad_key(padded, INNER);
	fw_sha256_init(&sha);
	fw_sha256_update(&sha, padded, sizeof padded);
	fw_sha256_update(&sha, data, length);
	fw_sha256_final(&sha, inner);

	pad_key(padded, INNER ^ OUTER);
	fw_sha256_init(&sha);
	fw_sha256_update(&sha, padded, sizeof padded);
	fw_sha256_update(&sha, inner, sizeof inner);
	fw_sha256_final(&sha, out);
}
