// SPDX-License-Identifier: Apache-2.0
/* HMAC-SHA256 (RFC 2104, FIPS 198-1). Answers of challenges and unlock codes. Compare results with
 * fw_equal() only. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "crypto/sha256.h"

void fw_hmac_sha256(const void *key, size_t key_length, const void *data, size_t length,
		    uint8_t out[FW_SHA256_SIZE]);
