// SPDX-License-Identifier: Apache-2.0
/* Since 2^256 = 38 (mod p), whatever grows out of the top word comes back into the lowest one
 * times 38. */
#include "crypto/field25519.h"

#include <stddef.h>
#include <string.h>

#define FOLD 38

void fw_fe_load(struct fw_fe *r, const uint8_t bytes[32])
{
	for (size_t i = 0; i < 8; i++)
		r->word[i] = (uint32_t)bytes[4 * i] | (uint32_t)bytes[4 * i + 1] << 8 |
			     (uint32_t)bytes[4 * i + 2] << 16 | (uint32_t)bytes[4 * i + 3] << 24;
}

/* r += more, where more is below 2^32; what overflows comes back, once: then the lower words are
 * nearly zero. */
static void add_small(struct fw_fe *r, uint64_t more)
{
	for (int i = 0; i < 16 && more != 0; i++) {
		more += r->word[i & 7];
		r->word[i & 7] = (uint32_t)more;
		more >>= 32;
		if (i == 7)
			more *= FOLD;
	}
}

void fw_fe_add(struct fw_fe *r, const struct fw_fe *a, const struct fw_fe *b)
{
	uint64_t sum = 0;

	for (int i = 0; i < 8; i++) {
		sum += (uint64_t)a->word[i] + b->word[i];
		r->word[i] = (uint32_t)sum;
		sum >>= 32;
	}
	add_small(r, sum * FOLD);
}

/* Returns what was borrowed: 0 or 1. */
static uint32_t subtract_words(uint32_t *r, const uint32_t *a, const uint32_t *b)
{
	uint64_t difference = 0;

	for (int i = 0; i < 8; i++) {
		difference = (uint64_t)a[i] - b[i] - (difference >> 63);
		r[i] = (uint32_t)difference;
	}
	return (uint32_t)(difference >> 63);
}

/* A borrow took 2^256 too much, that is 38: given back twice at most. */
void fw_fe_subtract(struct fw_fe *r, const struct fw_fe *a, const struct fw_fe *b)
{
	uint32_t borrow = subtract_words(r->word, a->word, b->word);

	for (int round = 0; round < 2 && borrow != 0; round++) {
		static const uint32_t fold[8] = {FOLD};

		borrow = subtract_words(r->word, r->word, fold);
	}
}

void fw_fe_multiply(struct fw_fe *r, const struct fw_fe *a, const struct fw_fe *b)
{
	uint32_t product[16] = {0};
	uint64_t carry;

	for (int i = 0; i < 8; i++) {
		carry = 0;
		for (int j = 0; j < 8; j++) {
			carry += (uint64_t)a->word[i] * b->word[j] + product[i + j];
			product[i + j] = (uint32_t)carry;
			carry >>= 32;
		}
		product[i + 8] = (uint32_t)carry;
	}
	carry = 0;
	for (int i = 0; i < 8; i++) {
		carry += (uint64_t)product[i + 8] * FOLD + product[i];
		r->word[i] = (uint32_t)carry;
		carry >>= 32;
	}
	add_small(r, carry * FOLD);
}

void fw_fe_square(struct fw_fe *r, const struct fw_fe *a)
{
	fw_fe_multiply(r, a, a);
}

/* The remainder itself. A value below 2^256 holds p twice at most. */
static void reduce(struct fw_fe *r)
{
	static const uint32_t p[8] = {0xffffffed, 0xffffffff, 0xffffffff, 0xffffffff,
				      0xffffffff, 0xffffffff, 0xffffffff, 0x7fffffff};
	struct fw_fe less;

	for (int round = 0; round < 2; round++)
		if (subtract_words(less.word, r->word, p) == 0)
			*r = less;
}

void fw_fe_store(uint8_t bytes[32], const struct fw_fe *a)
{
	struct fw_fe r = *a;

	reduce(&r);
	for (int i = 0; i < 32; i++)
		bytes[i] = (uint8_t)(r.word[i / 4] >> (8 * (i % 4)));
}

static void square_times(struct fw_fe *r, const struct fw_fe *a, int times)
{
	fw_fe_square(r, a);
	for (int i = 1; i < times; i++)
		fw_fe_square(r, r);
}

/* r = a^(2^250 - 1) by doubling the number of ones: 5, 10, 20, 40, then 50, 100, 200, 250. a11 gets
 * a^11. */
static void power_250(struct fw_fe *r, struct fw_fe *a11, const struct fw_fe *a)
{
	struct fw_fe low, ones;

	square_times(&low, a, 1);         /* 2 */
	square_times(&ones, &low, 2);     /* 8 */
	fw_fe_multiply(&ones, &ones, a);  /* 9 */
	fw_fe_multiply(a11, &ones, &low); /* 11 */
	square_times(r, a11, 1);          /* 22 */
	fw_fe_multiply(r, r, &ones);      /* 31: five ones */
	square_times(&ones, r, 5);
	fw_fe_multiply(&low, &ones, r); /* 10 */
	square_times(&ones, &low, 10);
	fw_fe_multiply(r, &ones, &low); /* 20 */
	square_times(&ones, r, 20);
	fw_fe_multiply(r, &ones, r); /* 40 */
	square_times(r, r, 10);
	fw_fe_multiply(&low, r, &low); /* 50 */
	square_times(&ones, &low, 50);
	fw_fe_multiply(r, &ones, &low); /* 100 */
	square_times(&ones, r, 100);
	fw_fe_multiply(r, &ones, r); /* 200 */
	square_times(r, r, 50);
	fw_fe_multiply(r, r, &low);
}

/* a^(p - 2) = a^((2^250 - 1) 2^5 + 11) */
void fw_fe_invert(struct fw_fe *r, const struct fw_fe *a)
{
	struct fw_fe power, a11;

	power_250(&power, &a11, a);
	square_times(&power, &power, 5);
	fw_fe_multiply(r, &power, &a11);
}

/* (p - 5) / 8 = 2^252 - 3 = (2^250 - 1) 2^2 + 1 */
void fw_fe_power_root(struct fw_fe *r, const struct fw_fe *a)
{
	struct fw_fe power, a11;

	power_250(&power, &a11, a);
	square_times(&power, &power, 2);
	fw_fe_multiply(r, &power, a);
}

bool fw_fe_is_zero(const struct fw_fe *a)
{
	static const struct fw_fe zero;
	struct fw_fe r = *a;

	reduce(&r);
	return memcmp(&r, &zero, sizeof r) == 0;
}

bool fw_fe_equal(const struct fw_fe *a, const struct fw_fe *b)
{
	struct fw_fe difference;

	fw_fe_subtract(&difference, a, b);
	return fw_fe_is_zero(&difference);
}
