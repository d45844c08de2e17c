// SPDX-License-Identifier: Apache-2.0
/* slcan text to frames and back. The commands are those of the Lawicel CAN232/CANUSB manuals; state
 * and error lines are those that the Linux slcan driver understands. A line is a frame only if
 * every character fits: lost bytes must not make another frame. */
#include "slcan_text.h"

#include <stdbool.h>
#include <string.h>

#define MAX_ID_11 0x7FFU
#define MAX_ID_29 0x1FFFFFFFU

int slcan_bitrate_code(uint32_t bitrate)
{
	static const uint32_t rates[] = {10000,  20000,  50000,  100000, 125000,
					 250000, 500000, 800000, 1000000};

	for (int i = 0; i < (int)(sizeof rates / sizeof *rates); i++)
		if (rates[i] == bitrate)
			return i;
	return -1;
}

static char *put_hex(char *text, uint32_t value, int digits)
{
	for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
		*text++ = "0123456789ABCDEF"[value >> shift & 0xF];
	return text;
}

size_t slcan_format(const struct can_message *message, char text[SLCAN_FRAME_SIZE])
{
	char *end = text;

	*end++ = message->extended ? 'T' : 't';
	end = put_hex(end, message->id, message->extended ? 8 : 3);
	end = put_hex(end, message->length, 1);
	for (int i = 0; i < message->length; i++)
		end = put_hex(end, message->data[i], 2);
	*end++ = '\r';
	return (size_t)(end - text);
}

static bool get_hex(const char *text, int digits, uint32_t *out)
{
	uint32_t value = 0;

	for (int i = 0; i < digits; i++) {
		static const char valid[] = "0123456789ABCDEFabcdef";
		const char *at = memchr(valid, text[i], sizeof valid - 1);

		if (!at)
			return false;
		value = value << 4 | (uint32_t)(at - valid - (at - valid > 15 ? 6 : 0));
	}
	*out = value;
	return true;
}

static enum slcan_line parse_frame(const char *line, size_t count, struct can_message *out)
{
	bool extended = line[0] == 'T';
	size_t id_digits = extended ? 8 : 3;
	uint32_t id, length, byte;
	struct can_message m = {.extended = extended};
	size_t end, extra;

	if (count < 2 + id_digits || !get_hex(line + 1, (int)id_digits, &id) ||
	    !get_hex(line + 1 + id_digits, 1, &length) || length > 8 ||
	    id > (extended ? MAX_ID_29 : MAX_ID_11))
		return SLCAN_NOTHING;
	end = 2 + id_digits + 2 * (size_t)length;
	extra = count - end; /* wraps when too short: refused by the next line */
	if (extra != 0 && extra != 4 && extra != 8)
		return SLCAN_NOTHING;
	for (size_t i = 0; i < length; i++) {
		if (!get_hex(line + 2 + id_digits + 2 * i, 2, &byte))
			return SLCAN_NOTHING;
		m.data[i] = (uint8_t)byte;
	}
	for (size_t i = 0; i < extra; i++)
		if (!get_hex(line + end + i, 1, &byte))
			return SLCAN_NOTHING;
	m.id = id;
	m.length = (uint8_t)length;
	*out = m;
	return SLCAN_FRAME;
}

static enum slcan_line parse_state(const char *line, size_t count)
{
	switch (count > 1 ? line[1] : 0) {
	case 'a': return SLCAN_ACTIVE;
	case 'w': return SLCAN_WARNING;
	case 'p': return SLCAN_PASSIVE;
	case 'b': return SLCAN_BUS_OFF;
	default: return SLCAN_NOTHING;
	}
}

enum slcan_line slcan_parse(const char *line, size_t count, struct can_message *out)
{
	/* Adapters that acknowledge with z and no CR of its own put it before the next line. */
	while (count > 0 && (line[0] == 'z' || line[0] == 'Z')) {
		line++;
		count--;
	}
	switch (count > 0 ? line[0] : 0) {
	case 't':
	case 'T': return parse_frame(line, count, out);
	case 's': return parse_state(line, count);
	case 'e': return SLCAN_ERROR;
	default: return SLCAN_NOTHING;
	}
}
