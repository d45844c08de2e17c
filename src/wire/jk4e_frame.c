// SPDX-License-Identifier: Apache-2.0
/* JK's 4E 57 frames; see jk4e_frame.h. */
#include "jk4e_frame.h"

#include <string.h>

#include "bytes.h"

#define STX          0x4E57
#define END_MARK     0x68
#define MIN_LENGTH   (JK4E_OVERHEAD - 2) /* LENGTH does not count the STX */
#define MAX_LENGTH   (JK4E_LONGEST - 2)
#define TAIL         9 /* record number, end mark, checksum */
#define CHECKSUM     4
#define NUMBER_24BIT 0xFFFFFF

/* Where the fields begin. */
enum { AT_LENGTH = 2, AT_TERMINAL = 4, AT_COMMAND = 8, AT_SOURCE, AT_TYPE, AT_DATA };

static void put_u32be(uint8_t *out, uint32_t value)
{
	put_u16be(out, (uint16_t)(value >> 16));
	put_u16be(out + 2, (uint16_t)value);
}

static uint32_t get_u32be(const uint8_t *in)
{
	return (uint32_t)get_u16be(in) << 16 | get_u16be(in + 2);
}

static uint32_t sum_of(const uint8_t *bytes, size_t count)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += bytes[i];
	return sum & 0xFFFF;
}

/* The frame that begins at `bytes`: its length, ERR_CHECKSUM, ERR_INCOMPLETE, 0 = none. */
static int frame_here(const uint8_t *bytes, size_t count)
{
	const uint8_t head[2] = {STX >> 8, STX & 0xFF};

	if (memcmp(bytes, head, count < 2 ? count : 2) != 0)
		return 0;
	if (count < AT_LENGTH + 2)
		return ERR_INCOMPLETE;
	size_t length = get_u16be(bytes + AT_LENGTH);

	if (length < MIN_LENGTH || length > MAX_LENGTH)
		return 0;
	length += 2;
	if (length > count)
		return ERR_INCOMPLETE;
	if (bytes[length - CHECKSUM - 1] != END_MARK ||
	    get_u32be(bytes + length - CHECKSUM) != sum_of(bytes, length - CHECKSUM))
		return ERR_CHECKSUM;
	return (int)length;
}

int jk4e_scan(const uint8_t *bytes, size_t count, size_t *start)
{
	int result = 0;

	for (size_t at = 0; at < count; at++) {
		int length = frame_here(bytes + at, count - at);

		if (length > 0 || (length < 0 && result == 0))
			*start = at;
		if (length > 0)
			return length;
		if (result == 0)
			result = length;
	}
	return result;
}

int jk4e_read(const uint8_t *frame, size_t count, struct jk4e_frame *out)
{
	int length = count ? frame_here(frame, count) : 0;

	if (length == ERR_CHECKSUM)
		return ERR_CHECKSUM;
	if (length <= 0 || (size_t)length != count)
		return ERR_FORMAT;
	*out = (struct jk4e_frame){.terminal = get_u32be(frame + AT_TERMINAL) & NUMBER_24BIT,
				   .record = get_u32be(frame + count - TAIL),
				   .command = frame[AT_COMMAND],
				   .source = frame[AT_SOURCE],
				   .type = frame[AT_TYPE],
				   .data = frame + AT_DATA,
				   .data_bytes = count - JK4E_OVERHEAD};
	return 0;
}

int jk4e_build(const struct jk4e_frame *frame, uint8_t *out, size_t size)
{
	const size_t count = JK4E_OVERHEAD + frame->data_bytes;

	if (frame->data_bytes > JK4E_MAX_DATA || size < count)
		return ERR_SPACE;
	put_u16be(out, STX);
	put_u16be(out + AT_LENGTH, (uint16_t)(count - 2));
	put_u32be(out + AT_TERMINAL, frame->terminal & NUMBER_24BIT);
	out[AT_COMMAND] = frame->command;
	out[AT_SOURCE] = frame->source;
	out[AT_TYPE] = frame->type;
	memmove(out + AT_DATA, frame->data, frame->data_bytes);
	put_u32be(out + count - TAIL, frame->record);
	out[count - CHECKSUM - 1] = END_MARK;
	put_u32be(out + count - CHECKSUM, sum_of(out, count - CHECKSUM));
	return (int)count;
}
