// SPDX-License-Identifier: Apache-2.0
/* Ed25519 (RFC 8032): checks signatures. Making them is the business of the host.
 *
 * As strict as libsodium's crypto_sign_verify_detached(): S must be below the group's order, the
 * public key must be canonical and of large order, and R must not be of small order; the equation
 * is checked without the cofactor. Nothing secret is handled, so the time depends on the input.
 *
 * A check takes a few million cycles on a Cortex-M3. Who may not block that long starts it, calls
 * fw_ed25519_step() as often as it wants more, and asks for the result at the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/field25519.h"

#define FW_ED25519_KEY_SIZE       32
#define FW_ED25519_SIGNATURE_SIZE 64
#define FW_ED25519_STEPS          253 /* bits of a scalar: so many steps in all */

/* A point in extended coordinates: x = X/Z, y = Y/Z, x y = T/Z. */
struct fw_point {
	struct fw_fe x, y, z, t;
};

struct fw_ed25519 {
	struct fw_point minus_key, base_minus_key, sum;
	uint32_t s[8], h[8];
	uint8_t r[32];
	int bits_left; /* of the scalars */
};

/* Returns false when the signature or the key cannot be right whatever the message is. The message
 * is not needed any more after that. */
bool fw_ed25519_start(struct fw_ed25519 *check, const uint8_t signature[FW_ED25519_SIGNATURE_SIZE],
		      const uint8_t key[FW_ED25519_KEY_SIZE], const void *message, size_t length);

/* Does so many steps, or as many as are left; returns how many remain. */
int fw_ed25519_step(struct fw_ed25519 *check, int steps);

/* Does the rest, if any. */
bool fw_ed25519_finish(struct fw_ed25519 *check);

/* All at once. */
bool fw_ed25519_verify(const uint8_t signature[FW_ED25519_SIGNATURE_SIZE],
		       const uint8_t key[FW_ED25519_KEY_SIZE], const void *message, size_t length);
