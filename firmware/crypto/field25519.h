// SPDX-License-Identifier: Apache-2.0
/* Arithmetic modulo p = 2^255 - 19, for Ed25519 verification only: everything here is public, so
 * nothing is constant-time. Numbers are eight 32-bit words, low word first, and any value below
 * 2^256 stands for its remainder; only fw_fe_store() makes it the smallest one. Written for a
 * 32-bit core with a 32x32->64 multiplication. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct fw_fe {
	uint32_t word[8];
};

/* 32 bytes, lowest first; all 256 bits are taken. */
void fw_fe_load(struct fw_fe *r, const uint8_t bytes[32]);
void fw_fe_store(uint8_t bytes[32], const struct fw_fe *a);

/* r may be a or b. */
void fw_fe_add(struct fw_fe *r, const struct fw_fe *a, const struct fw_fe *b);
void fw_fe_subtract(struct fw_fe *r, const struct fw_fe *a, const struct fw_fe *b);
void fw_fe_multiply(struct fw_fe *r, const struct fw_fe *a, const struct fw_fe *b);
void fw_fe_square(struct fw_fe *r, const struct fw_fe *a);
void fw_fe_invert(struct fw_fe *r, const struct fw_fe *a);

/* a^((p-5)/8), the heart of a square root (RFC 8032, 5.1.3). */
void fw_fe_power_root(struct fw_fe *r, const struct fw_fe *a);

bool fw_fe_equal(const struct fw_fe *a, const struct fw_fe *b);
bool fw_fe_is_zero(const struct fw_fe *a);
