// SPDX-License-Identifier: Apache-2.0
/* Our hashes and our Ed25519 against libsodium's, over random cases: right signatures, each part
 * mutated, S that is not canonical, points of small order and keys with such a part, encodings of p
 * and more. The argument is the number of signature cases; the campaign takes 100 000 and more. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"
#include "crypto/ed25519.h"
#include "crypto/hmac.h"
#include "crypto/sha512.h"

#define DEFAULT_CASES 2000
#define MAX_MESSAGE   300

static int cases = DEFAULT_CASES;

struct signature_case {
	uint8_t key[crypto_sign_PUBLICKEYBYTES], signature[crypto_sign_BYTES];
	uint8_t message[MAX_MESSAGE];
	size_t length;
};

/* Canonical encodings of the points of order 1, 2, 4 and 8, and others that mean them or nothing:
 * the first bytes decide, the middle is as the fifth byte. */
static const char *const odd_points[] = {
	"0100000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000080",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"0200000000000000000000000000000000000000000000000000000000000000",
};
#define ODD_POINTS (sizeof odd_points / sizeof *odd_points)

static void odd_point(uint8_t out[32], size_t index)
{
	assert_int_equal(
		sodium_hex2bin(out, 32, odd_points[index % ODD_POINTS], 64, NULL, NULL, NULL), 0);
}

/* S + L, S + 2L, ...: the same number for who does not look. */
static void add_order(uint8_t s[32], int times)
{
	static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a,       0x63,
					  0x12, 0x58, 0xd6, 0x9c, 0xf7,       0xa2,
					  0xde, 0xf9, 0xde, 0x14, [31] = 0x10};

	for (int i = 0; i < times; i++)
		sodium_add(s, order, 32);
}

static void flip_bit(uint8_t *bytes, size_t count)
{
	const uint32_t bit = randombytes_uniform((uint32_t)(8 * count));

	bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
}

/* Signs so that the equation holds for a key with a part of small order, as far as it can: A = aB +
 * T with S = r + h a. Accepted only when h T vanishes. */
static void sign_with_small_part(struct signature_case *c, size_t point)
{
	uint8_t a[32], r[32], h[64], small[32], reduced[32];
	crypto_hash_sha512_state sha;

	crypto_core_ed25519_scalar_random(a);
	crypto_core_ed25519_scalar_random(r);
	odd_point(small, point % 10);
	assert_int_equal(crypto_scalarmult_ed25519_base_noclamp(c->key, a), 0);
	(void)crypto_core_ed25519_add(c->key, c->key, small);
	assert_int_equal(crypto_scalarmult_ed25519_base_noclamp(c->signature, r), 0);
	crypto_hash_sha512_init(&sha);
	crypto_hash_sha512_update(&sha, c->signature, 32);
	crypto_hash_sha512_update(&sha, c->key, 32);
	crypto_hash_sha512_update(&sha, c->message, c->length);
	crypto_hash_sha512_final(&sha, h);
	crypto_core_ed25519_scalar_reduce(reduced, h);
	crypto_core_ed25519_scalar_mul(reduced, reduced, a);
	crypto_core_ed25519_scalar_add(c->signature + 32, reduced, r);
}

/* R = the neutral element and S = h a: the equation holds, yet R is of small order. */
static void sign_with_small_r(struct signature_case *c)
{
	uint8_t a[32], h[64], reduced[32];
	crypto_hash_sha512_state sha;

	crypto_core_ed25519_scalar_random(a);
	assert_int_equal(crypto_scalarmult_ed25519_base_noclamp(c->key, a), 0);
	odd_point(c->signature, 0);
	crypto_hash_sha512_init(&sha);
	crypto_hash_sha512_update(&sha, c->signature, 32);
	crypto_hash_sha512_update(&sha, c->key, 32);
	crypto_hash_sha512_update(&sha, c->message, c->length);
	crypto_hash_sha512_final(&sha, h);
	crypto_core_ed25519_scalar_reduce(reduced, h);
	crypto_core_ed25519_scalar_mul(c->signature + 32, reduced, a);
}

static void mutate(struct signature_case *c, int kind)
{
	const uint32_t any = randombytes_random();

	switch (kind) {
	case 0: /* right */
	case 1: break;
	case 2: flip_bit(c->signature, 32); break;
	case 3: flip_bit(c->signature + 32, 32); break;
	case 4: flip_bit(c->key, sizeof c->key); break;
	case 5: c->message[any % MAX_MESSAGE] ^= 1; break;
	case 6: add_order(c->signature + 32, 1 + (int)(any % 15)); break;
	case 7: odd_point(c->key, any); break;
	case 8: odd_point(c->signature, any); break;
	case 9: sign_with_small_part(c, any); break;
	case 10: sign_with_small_r(c); break;
	case 11: randombytes_buf(c->key, sizeof c->key); break;
	case 12: /* forged for a key of small order: R = S B */
		odd_point(c->key, any);
		crypto_core_ed25519_scalar_random(c->signature + 32);
		(void)crypto_scalarmult_ed25519_base_noclamp(c->signature, c->signature + 32);
		break;
	default: memset(c->signature + 32, (int)(any & 0xff), 32); break;
	}
}

#define KINDS 14

static void test_signatures_as_libsodium_judges(void **state)
{
	int accepted[KINDS] = {0}, refused[KINDS] = {0};

	(void)state;
	for (int i = 0; i < cases; i++) {
		struct signature_case c;
		uint8_t secret[crypto_sign_SECRETKEYBYTES];
		const int kind = i % KINDS;

		crypto_sign_keypair(c.key, secret);
		c.length = randombytes_uniform(MAX_MESSAGE + 1);
		randombytes_buf(c.message, sizeof c.message);
		crypto_sign_detached(c.signature, NULL, c.message, c.length, secret);
		mutate(&c, kind);

		const bool theirs =
			crypto_sign_verify_detached(c.signature, c.message, c.length, c.key) == 0;
		const bool ours = fw_ed25519_verify(c.signature, c.key, c.message, c.length);

		if (ours != theirs) {
			char hex[2 * sizeof c + 1];

			fail_msg("kind %d: ours %d, libsodium %d, length %zu, %s", kind, ours,
				 theirs, c.length,
				 sodium_bin2hex(hex, sizeof hex, (uint8_t *)&c, sizeof c));
		}
		(ours ? accepted : refused)[kind]++;
	}
	/* each kind did what it is for */
	assert_true(accepted[1] > 0 && refused[1] == 0);
	assert_true(accepted[9] > 0 && refused[9] > 0);
	for (int kind = 2; kind < KINDS; kind++)
		assert_true(refused[kind] > 0);
	assert_int_equal(accepted[3] + accepted[6] + accepted[7] + accepted[10] + accepted[12], 0);
}

static void test_hashes_as_libsodium_makes_them(void **state)
{
	uint8_t data[1000], ours[64], theirs[64];

	(void)state;
	for (int i = 0; i < cases; i++) {
		const size_t length = randombytes_uniform(sizeof data + 1);
		const size_t cut = randombytes_uniform((uint32_t)length + 1);
		struct fw_sha256 sha256;
		struct fw_sha512 sha512;

		randombytes_buf(data, length);
		fw_sha256_init(&sha256);
		fw_sha256_update(&sha256, data, cut);
		fw_sha256_update(&sha256, data + cut, length - cut);
		fw_sha256_final(&sha256, ours);
		crypto_hash_sha256(theirs, data, length);
		assert_memory_equal(ours, theirs, FW_SHA256_SIZE);

		fw_sha512_init(&sha512);
		fw_sha512_update(&sha512, data, cut);
		fw_sha512_update(&sha512, data + cut, length - cut);
		fw_sha512_final(&sha512, ours);
		crypto_hash_sha512(theirs, data, length);
		assert_memory_equal(ours, theirs, FW_SHA512_SIZE);

		fw_hmac_sha256(data, 32, data + 32, length < 32 ? 0 : length - 32, ours);
		crypto_auth_hmacsha256(theirs, data + 32, length < 32 ? 0 : length - 32, data);
		assert_memory_equal(ours, theirs, FW_SHA256_SIZE);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signatures_as_libsodium_judges),
		cmocka_unit_test(test_hashes_as_libsodium_makes_them),
	};

	if (argc == 2)
		cases = atoi(argv[1]);
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
