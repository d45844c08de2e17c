// SPDX-License-Identifier: Apache-2.0
/* A ring of bytes between one interrupt that puts and one main loop that takes. The indexes only
 * ever grow; each is written by one side. No locks: 32-bit accesses are whole on these cores. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define FW_RING_SIZE 512u /* a power of two; two of the longest frames */

struct fw_ring {
	volatile uint32_t put, taken;
	uint8_t bytes[FW_RING_SIZE];
};

static inline bool fw_ring_put(struct fw_ring *ring, uint8_t byte)
{
	const uint32_t put = ring->put;

	if (put - ring->taken == FW_RING_SIZE)
		return false;
	ring->bytes[put % FW_RING_SIZE] = byte;
	ring->put = put + 1;
	return true;
}

static inline uint32_t fw_ring_take(struct fw_ring *ring, uint8_t *bytes, uint32_t size)
{
	uint32_t taken = ring->taken, count = ring->put - taken;

	if (count > size)
		count = size;
	for (uint32_t i = 0; i < count; i++)
		bytes[i] = ring->bytes[taken++ % FW_RING_SIZE];
	ring->taken = taken;
	return count;
}
