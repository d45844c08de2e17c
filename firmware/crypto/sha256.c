// SPDX-License-Identifier: Apache-2.0
/* FIPS 180-4, sections 4.1.2, 5 and 6.2. The message schedule is a ring of 16 words that is renewed
 * on the way, instead of all 64, so that little stack is used. The round constants are the
 * fractions of the cube roots of the first 64 primes, the first state those of the square roots of
 * the first 8. */
#include "crypto/sha256.h"

#include <string.h>

static const uint32_t round_constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static const uint32_t first_state[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static uint32_t turn(uint32_t x, int bits)
{
	return x >> bits | x << (32 - bits);
}

static uint32_t load(const uint8_t *bytes)
{
	uint32_t word = 0;

	for (int i = 0; i < 4; i++)
		word = word << 8 | bytes[i];
	return word;
}

static void store(uint8_t *bytes, uint32_t word)
{
	for (int i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(word >> (32 - 8 - 8 * i));
}

/* The schedule's next word, in the place of the one 16 rounds ago. */
static void renew(uint32_t ring[16], int i)
{
	const uint32_t early = ring[(i + 1) & 15], late = ring[(i + 14) & 15];

	ring[i & 15] += (turn(early, 7) ^ turn(early, 18) ^ early >> 3) + ring[(i + 9) & 15] +
			(turn(late, 17) ^ turn(late, 19) ^ late >> 10);
}

static void compress(struct fw_sha256 *sha, const uint8_t block[FW_SHA256_BLOCK])
{
	uint32_t ring[16], v[8]; /* v: a..h */

	for (size_t i = 0; i < 16; i++)
		ring[i] = load(block + 4 * i);
	memcpy(v, sha->state, sizeof v);
	for (int i = 0; i < 64; i++) {
		if (i >= 16)
			renew(ring, i);
		const uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
		const uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
		const uint32_t t1 = v[7] + (turn(v[4], 6) ^ turn(v[4], 11) ^ turn(v[4], 25)) +
				    choice + round_constants[i] + ring[i & 15];
		const uint32_t t2 = (turn(v[0], 2) ^ turn(v[0], 13) ^ turn(v[0], 22)) + majority;

		/* each moves on by one; the compiler keeps them in registers */
		v[7] = v[6];
		v[6] = v[5];
		v[5] = v[4];
		v[4] = v[3] + t1;
		v[3] = v[2];
		v[2] = v[1];
		v[1] = v[0];
		v[0] = t1 + t2;
	}
	for (int i = 0; i < 8; i++)
		sha->state[i] += v[i];
}

void fw_sha256_init(struct fw_sha256 *sha)
{
	memcpy(sha->state, first_state, sizeof sha->state);
	sha->count = 0;
}

void fw_sha256_update(struct fw_sha256 *sha, const void *bytes, size_t count)
{
	const uint8_t *from = bytes;

	while (count > 0) {
		const size_t used = (size_t)(sha->count % FW_SHA256_BLOCK);
		const size_t room = FW_SHA256_BLOCK - used, step = count < room ? count : room;

		memcpy(sha->block + used, from, step);
		sha->count += step;
		from += step;
		count -= step;
		if (step == room)
			compress(sha, sha->block);
	}
}

void fw_sha256_final(struct fw_sha256 *sha, uint8_t digest[FW_SHA256_SIZE])
{
	const uint64_t bits = sha->count * 8;
	size_t used = (size_t)(sha->count % FW_SHA256_BLOCK);

	sha->block[used++] = 0x80;
	if (used > FW_SHA256_BLOCK - 8) {
		memset(sha->block + used, 0, FW_SHA256_BLOCK - used);
		compress(sha, sha->block);
		used = 0;
	}
	memset(sha->block + used, 0, FW_SHA256_BLOCK - used);
	for (int i = 0; i < 8; i++)
		sha->block[FW_SHA256_BLOCK - 1 - i] = (uint8_t)(bits >> (8 * i));
	compress(sha, sha->block);
	for (size_t i = 0; i < 8; i++)
		store(digest + 4 * i, sha->state[i]);
}
