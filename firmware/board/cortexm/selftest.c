// SPDX-License-Identifier: Apache-2.0
#include "firmware/board/selftest.h"

#include "firmware/board/cortexm/cpu.h"
#include "firmware/crypto/crc32.h"

#define PIECE 128u /* bytes of the image at a time */

extern const uint8_t fw_image_start[], fw_image_end[]; /* of the linker script */
extern const uint32_t fw_stack_bottom[];

static struct {
	uint32_t at, crc, expected;
	bool known, bad;
} image;

bool fw_selftest_ram(void)
{
	return fw_ram_good;
}

bool fw_selftest_image(void)
{
	const uint32_t size = (uint32_t)(fw_image_end - fw_image_start);
	const uint32_t piece = size - image.at < PIECE ? size - image.at : PIECE;

	image.crc = fw_crc32(image.crc, fw_image_start + image.at, piece);
	image.at += piece;
	if (image.at == size) {
		image.bad = image.bad || (image.known && image.crc != image.expected);
		image.expected = image.crc;
		image.known = true;
		image.at = image.crc = 0;
	}
	return !image.bad;
}

uint32_t fw_selftest_stack_left(void)
{
	uint32_t words = 0;

	while (fw_stack_bottom + words < fw_stack_top && fw_stack_bottom[words] == FW_STACK_FILL)
		words++;
	return 4 * words;
}
