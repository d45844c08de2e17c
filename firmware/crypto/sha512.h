// SPDX-License-Identifier: Apache-2.0
/* SHA-512 (FIPS 180-4), streamed. Ed25519 needs it; nothing else here does. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define FW_SHA512_SIZE  64
#define FW_SHA512_BLOCK 128

struct fw_sha512 {
	uint64_t state[8];
	uint64_t count; /* bytes so far; 2^61 are enough for us, the standard's 2^125 are not
			   counted */
	uint8_t block[FW_SHA512_BLOCK];
};

void fw_sha512_init(struct fw_sha512 *sha);
void fw_sha512_update(struct fw_sha512 *sha, const void *bytes, size_t count);
void fw_sha512_final(struct fw_sha512 *sha, uint8_t digest[FW_SHA512_SIZE]);
