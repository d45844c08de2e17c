// SPDX-License-Identifier: Apache-2.0
/* RFC 8032, section 5.1: R = S B - h A, with both products in one pass over the bits. The sum
 * begins at the neutral element, and the addition law has no exceptions on this curve, so there are
 * no special cases. */
#include "crypto/ed25519.h"

#include <string.h>

#include "crypto/sha512.h"

/* clang-format off */
static const struct fw_fe one = {{1}};
static const struct fw_fe curve_d = {{
	0x135978a3, 0x75eb4dca, 0x4141d8ab, 0x00700a4d, 0x7779e898, 0x8cc74079, 0x2b6ffe73, 0x52036cee}};
static const struct fw_fe root_of_minus_one = {{
	0x4a0ea0b0, 0xc4ee1b27, 0xad2fe478, 0x2f431806, 0x3dfbd7a7, 0x2b4d0099, 0x4fc1df0b, 0x2b832480}};
static const struct fw_point base = {
	.x = {{0x8f25d51a, 0xc9562d60, 0x9525a7b2, 0x692cc760, 0xfdd6dc5c, 0xc0a4e231, 0xcd6e53fe, 0x216936d3}},
	.y = {{0x66666658, 0x66666666, 0x66666666, 0x66666666, 0x66666666, 0x66666666, 0x66666666, 0x66666666}},
	.z = {{1}},
	.t = {{0xa5b7dda3, 0x6dde8ab3, 0x775152f5, 0x20f09f80, 0x64abe37d, 0x66ea4e8e, 0xd78b7665, 0x67875f0f}}};
static const uint32_t group_order[8] = {
	0x5cf5d3ed, 0x5812631a, 0xa2f79cd6, 0x14def9de, 0, 0, 0, 0x10000000};
/* clang-format on */

/* From "(1)" on as in RFC 8032, 5.1.4. */
static void point_add(struct fw_point *r, const struct fw_point *p, const struct fw_point *q)
{
	struct fw_fe a, b, c, d, e;

	fw_fe_subtract(&a, &p->y, &p->x);
	fw_fe_subtract(&e, &q->y, &q->x);
	fw_fe_multiply(&a, &a, &e);
	fw_fe_add(&b, &p->y, &p->x);
	fw_fe_add(&e, &q->y, &q->x);
	fw_fe_multiply(&b, &b, &e);
	fw_fe_multiply(&c, &p->t, &q->t);
	fw_fe_multiply(&c, &c, &curve_d);
	fw_fe_add(&c, &c, &c);
	fw_fe_multiply(&d, &p->z, &q->z);
	fw_fe_add(&d, &d, &d);
	fw_fe_subtract(&e, &b, &a);
	fw_fe_add(&b, &b, &a);      /* H */
	fw_fe_subtract(&a, &d, &c); /* F */
	fw_fe_add(&d, &d, &c);      /* G */
	fw_fe_multiply(&r->x, &e, &a);
	fw_fe_multiply(&r->y, &d, &b);
	fw_fe_multiply(&r->t, &e, &b);
	fw_fe_multiply(&r->z, &a, &d);
}

static void point_double(struct fw_point *r, const struct fw_point *p)
{
	struct fw_fe a, b, c, e, g;

	fw_fe_square(&a, &p->x);
	fw_fe_square(&b, &p->y);
	fw_fe_square(&c, &p->z);
	fw_fe_add(&c, &c, &c);
	fw_fe_add(&e, &p->x, &p->y);
	fw_fe_square(&e, &e);
	fw_fe_subtract(&g, &a, &b);
	fw_fe_add(&a, &a, &b);      /* H */
	fw_fe_subtract(&e, &a, &e); /* E */
	fw_fe_add(&c, &c, &g);      /* F */
	fw_fe_multiply(&r->x, &e, &c);
	fw_fe_multiply(&r->y, &g, &a);
	fw_fe_multiply(&r->t, &e, &a);
	fw_fe_multiply(&r->z, &c, &g);
}

/* Whether eight times the point is the neutral element. */
static bool point_is_small(const struct fw_point *p)
{
	struct fw_point r;

	point_double(&r, p);
	point_double(&r, &r);
	point_double(&r, &r);
	return fw_fe_is_zero(&r.x) && fw_fe_equal(&r.y, &r.z);
}

/* x from y (5.1.3); false when there is none. */
static bool recover_x(struct fw_fe *x, const struct fw_fe *y)
{
	struct fw_fe u, v, power;

	fw_fe_square(&u, y);
	fw_fe_multiply(&v, &u, &curve_d);
	fw_fe_subtract(&u, &u, &one);
	fw_fe_add(&v, &v, &one);

	/* x = u v^3 (u v^7)^((p-5)/8) */
	fw_fe_square(&power, &v);
	fw_fe_multiply(&power, &power, &v);
	fw_fe_multiply(x, &power, &u);
	fw_fe_square(&power, &power);
	fw_fe_multiply(&power, &power, &v);
	fw_fe_multiply(&power, &power, &u);
	fw_fe_power_root(&power, &power);
	fw_fe_multiply(x, x, &power);

	fw_fe_square(&power, x);
	fw_fe_multiply(&v, &v, &power);
	if (fw_fe_equal(&v, &u))
		return true;
	fw_fe_multiply(x, x, &root_of_minus_one);
	fw_fe_add(&v, &v, &u);
	return fw_fe_is_zero(&v);
}

/* The point's negative: that is what the equation wants. */
static bool decode_negative(struct fw_point *p, const uint8_t bytes[32])
{
	static const struct fw_fe zero;
	uint8_t check[32];
	const int sign = bytes[31] >> 7;

	memcpy(check, bytes, sizeof check);
	check[31] &= 0x7f;
	fw_fe_load(&p->y, check);
	fw_fe_store(check, &p->y);
	if (memcmp(check, bytes, 31) != 0 || check[31] != (bytes[31] & 0x7f))
		return false; /* y is p or more */
	if (!recover_x(&p->x, &p->y))
		return false;
	fw_fe_store(check, &p->x);
	if ((check[0] & 1) == sign)
		fw_fe_subtract(&p->x, &zero, &p->x);
	p->z = one;
	fw_fe_multiply(&p->t, &p->x, &p->y);
	return true;
}

/* Returns false when a is less than the group's order; then r is unchanged. Else r = a - order. */
static bool subtract_order(uint32_t r[8], const uint32_t a[8])
{
	uint32_t less[8];
	uint64_t difference = 0;

	for (int i = 0; i < 8; i++) {
		difference = (uint64_t)a[i] - group_order[i] - (difference >> 63);
		less[i] = (uint32_t)difference;
	}
	if (difference >> 63)
		return false;
	memcpy(r, less, sizeof less);
	return true;
}

/* A number of 512 bits, lowest byte first, modulo the group's order: bit by bit from the top. */
static void reduce_hash(uint32_t r[8], const uint8_t hash[FW_SHA512_SIZE])
{
	memset(r, 0, 8 * sizeof *r);
	for (int bit = 8 * FW_SHA512_SIZE - 1; bit >= 0; bit--) {
		for (int i = 7; i > 0; i--)
			r[i] = r[i] << 1 | r[i - 1] >> 31;
		r[0] = r[0] << 1 | ((uint32_t)hash[bit / 8] >> (bit % 8) & 1U);
		(void)subtract_order(r, r);
	}
}

static void hash_message(uint32_t h[8], const uint8_t r[32], const uint8_t key[32],
			 const void *message, size_t length)
{
	struct fw_sha512 sha;
	uint8_t hash[FW_SHA512_SIZE];

	fw_sha512_init(&sha);
	fw_sha512_update(&sha, r, 32);
	fw_sha512_update(&sha, key, 32);
	fw_sha512_update(&sha, message, length);
	fw_sha512_final(&sha, hash);
	reduce_hash(h, hash);
}

bool fw_ed25519_start(struct fw_ed25519 *check, const uint8_t signature[FW_ED25519_SIGNATURE_SIZE],
		      const uint8_t key[FW_ED25519_KEY_SIZE], const void *message, size_t length)
{
	struct fw_fe s;

	fw_fe_load(&s, signature + 32); /* only for its words */
	memcpy(check->s, s.word, sizeof check->s);
	if (subtract_order(s.word, s.word))
		return false;
	memcpy(check->r, signature, sizeof check->r);
	if (!decode_negative(&check->minus_key, key) || point_is_small(&check->minus_key))
		return false;
	hash_message(check->h, signature, key, message, length);
	point_add(&check->base_minus_key, &base, &check->minus_key);
	check->sum = (struct fw_point){.y = one, .z = one};
	check->bits_left = FW_ED25519_STEPS;
	return true;
}

int fw_ed25519_step(struct fw_ed25519 *check, int steps)
{
	for (; steps > 0 && check->bits_left > 0; steps--) {
		const int bit = --check->bits_left;
		const uint32_t s = check->s[bit / 32] >> (bit % 32) & 1U;
		const uint32_t h = check->h[bit / 32] >> (bit % 32) & 1U;

		point_double(&check->sum, &check->sum);
		if (s != 0 && h != 0)
			point_add(&check->sum, &check->sum, &check->base_minus_key);
		else if (s != 0)
			point_add(&check->sum, &check->sum, &base);
		else if (h != 0)
			point_add(&check->sum, &check->sum, &check->minus_key);
	}
	return check->bits_left;
}

bool fw_ed25519_finish(struct fw_ed25519 *check)
{
	struct fw_fe inverse, x;
	uint8_t encoded[32], parity[32];

	(void)fw_ed25519_step(check, FW_ED25519_STEPS);
	fw_fe_invert(&inverse, &check->sum.z);
	fw_fe_multiply(&x, &check->sum.x, &inverse);
	fw_fe_store(parity, &x);
	fw_fe_multiply(&x, &check->sum.y, &inverse);
	fw_fe_store(encoded, &x);
	encoded[31] = (uint8_t)(encoded[31] | parity[0] << 7);
	return memcmp(encoded, check->r, sizeof encoded) == 0 && !point_is_small(&check->sum);
}

bool fw_ed25519_verify(const uint8_t signature[FW_ED25519_SIGNATURE_SIZE],
		       const uint8_t key[FW_ED25519_KEY_SIZE], const void *message, size_t length)
{
	struct fw_ed25519 check;

	return fw_ed25519_start(&check, signature, key, message, length) &&
	       fw_ed25519_finish(&check);
}
