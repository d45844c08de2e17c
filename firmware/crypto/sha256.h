// SPDX-License-Identifier: Apache-2.0
/* SHA-256 (FIPS 180-4), streamed. For images (integrity) and for HMAC. No heap; the context is all
 * the state there is and may be copied. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define FW_SHA256_SIZE  32
#define FW_SHA256_BLOCK 64

struct fw_sha256 {
	uint32_t state[8];
	uint64_t count; /* bytes so far */
	uint8_t block[FW_SHA256_BLOCK];
};

void fw_sha256_init(struct fw_sha256 *sha);
void fw_sha256_update(struct fw_sha256 *sha, const void *bytes, size_t count);
void fw_sha256_final(struct fw_sha256 *sha, uint8_t digest[FW_SHA256_SIZE]);
