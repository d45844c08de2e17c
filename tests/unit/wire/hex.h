// SPDX-License-Identifier: Apache-2.0
/* Bytes from and to the way people write them. */
#pragma once

#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* "01 03 0C" -> bytes; returns their count. Anything that is no hex digit is skipped. */
static inline size_t hex_read(const char *text, uint8_t *out, size_t size)
{
	size_t digits = 0;

	for (; *text && digits < 2 * size; text++) {
		if (!isxdigit((unsigned char)*text))
			continue;
		unsigned value = (unsigned)(isdigit((unsigned char)*text)
						    ? *text - '0'
						    : toupper((unsigned char)*text) - 'A' + 10);
		uint8_t *byte = &out[digits / 2];

		*byte = (uint8_t)(digits % 2 ? *byte | value : value << 4);
		digits++;
	}
	return digits / 2;
}

/* bytes -> "01030C"; `out` needs 2 x count + 1. */
static inline void hex_write(const uint8_t *bytes, size_t count, char *out)
{
	for (size_t i = 0; i < count; i++)
		sprintf(out + 2 * i, "%02X", bytes[i]);
	out[2 * count] = '\0';
}

/* The same, or "~2002..." for a Pylon frame without its CR, which is added. */
static inline size_t frame_read(const char *text, uint8_t *out, size_t size)
{
	size_t count = 0;

	if (text[0] != '~')
		return hex_read(text, out, size);
	for (; text[count] && count + 1 < size; count++)
		out[count] = (uint8_t)text[count];
	out[count] = '\r';
	return count + 1;
}
