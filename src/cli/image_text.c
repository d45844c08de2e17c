// SPDX-License-Identifier: Apache-2.0
/* See image_text.h. */
#include "image_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

int image_text_number(const char *text, size_t length, uint32_t max, uint32_t *out)
{
	char word[16], *end;

	if (length == 0 || length >= sizeof word || !isdigit((unsigned char)text[0]))
		return ERR_FORMAT;
	memcpy(word, text, length);
	word[length] = '\0';

	const unsigned long long number =
		strtoull(word, &end, strncmp(word, "0x", 2) == 0 ? 16 : 10);

	if (*end != '\0' || number > max)
		return ERR_FORMAT;
	*out = (uint32_t)number;
	return 0;
}

int image_text_version(const char *text, struct image_version *out)
{
	static const uint32_t max[4] = {UINT8_MAX, UINT8_MAX, UINT16_MAX, UINT32_MAX};
	uint32_t parts[4] = {0};
	int count = 0;

	for (;; count++) {
		const size_t length = strcspn(text, count < 2 ? "." : "+");

		if (count == 4 || image_text_number(text, length, max[count], &parts[count]) < 0)
			return ERR_FORMAT;
		text += length;
		if (*text == '\0')
			break;
		text++;
	}
	if (count < 2)
		return ERR_FORMAT;
	*out = (struct image_version){(uint8_t)parts[0], (uint8_t)parts[1], (uint16_t)parts[2],
				      parts[3]};
	return 0;
}

int image_text_range(const char *text, uint16_t *low, uint16_t *high)
{
	const size_t first = strcspn(text, "-");
	const char *second = text[first] == '-' ? text + first + 1 : text;
	uint32_t from, to;

	if (image_text_number(text, first, UINT16_MAX, &from) < 0 ||
	    image_text_number(second, strlen(second), UINT16_MAX, &to) < 0 || from > to)
		return ERR_FORMAT;
	*low = (uint16_t)from;
	*high = (uint16_t)to;
	return 0;
}
