// SPDX-License-Identifier: Apache-2.0
/* Every byte is looked at and nothing branches on what it holds. `volatile` keeps the compiler from
 * making an early exit of it. */
#include "crypto/equal.h"

#include <stdint.h>

bool fw_equal(const void *a, const void *b, size_t count)
{
	const volatile uint8_t *left = a, *right = b;
	uint8_t difference = 0;

	for (size_t i = 0; i < count; i++)
		difference = (uint8_t)(difference | (left[i] ^ right[i]));
	return difference == 0;
}
