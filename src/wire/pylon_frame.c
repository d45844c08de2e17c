// SPDX-License-Identifier: Apache-2.0
/* Pylontech's ASCII frames; see pylon_frame.h. */
#include "pylon_frame.h"

#include <stdbool.h>
#include <string.h>

#define SOI '~'
#define EOI '\r'

/* Where the fields begin, in characters from SOI. */
enum { AT_VER = 1, AT_ADR = 3, AT_CID1 = 5, AT_CID2 = 7, AT_LENGTH = 9, AT_INFO = 13 };

static int hex_digit(uint8_t character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	if (character >= 'A' && character <= 'F')
		return character - 'A' + 10;
	if (character >= 'a' && character <= 'f')
		return character - 'a' + 10;
	return -1;
}

/* `digits` characters as a number, -1 when one is no hex digit. */
static int hex_number(const uint8_t *characters, int digits)
{
	int value = 0;

	for (int i = 0; i < digits; i++) {
		int digit = hex_digit(characters[i]);

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

static void put_hex(uint8_t *out, unsigned value, int digits)
{
	while (digits > 0) {
		out[--digits] = (uint8_t) "0123456789ABCDEF"[value & 15];
		value >>= 4;
	}
}

uint16_t pylon_length(unsigned characters)
{
	unsigned nibbles = (characters >> 8 & 15) + (characters >> 4 & 15) + (characters & 15);

	/* Masked after the negation: 0x04C has the sum 16 and the sum field 0, not 16. */
	return (uint16_t)(((0u - nibbles) & 15) << 12 | (characters & 0xFFF));
}

uint16_t pylon_checksum(const uint8_t *characters, size_t count)
{
	uint16_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum = (uint16_t)(sum + characters[i]);
	return (uint16_t)-sum;
}

int pylon_scan(const uint8_t *bytes, size_t count, size_t *start)
{
	size_t soi = count;

	for (size_t at = 0; at < count; at++) {
		if (bytes[at] == SOI)
			soi = at;
		if (soi == count)
			continue;
		size_t length = at - soi + 1;

		if (bytes[at] == EOI && length >= PYLON_OVERHEAD) {
			*start = soi;
			return (int)length;
		}
		if (bytes[at] == EOI || length > PYLON_MAX_FRAME)
			soi = count;
	}
	if (soi == count)
		return 0;
	*start = soi;
	return ERR_INCOMPLETE;
}

static int read_info(const uint8_t *characters, size_t count, struct pylon_frame *out)
{
	if (count % 2)
		return PYLON_COMMAND;
	for (size_t i = 0; i < count; i += 2) {
		int byte = hex_number(characters + i, 2);

		if (byte < 0)
			return PYLON_INFO;
		out->info[i / 2] = (uint8_t)byte;
	}
	out->info_bytes = count / 2;
	return 0;
}

int pylon_read(const uint8_t *frame, size_t count, struct pylon_frame *out)
{
	if (count < PYLON_OVERHEAD || count > PYLON_MAX_FRAME || frame[0] != SOI ||
	    frame[count - 1] != EOI)
		return ERR_FORMAT;

	int version = hex_number(frame + AT_VER, 2), address = hex_number(frame + AT_ADR, 2);
	int cid1 = hex_number(frame + AT_CID1, 2), cid2 = hex_number(frame + AT_CID2, 2);
	int length = hex_number(frame + AT_LENGTH, 4);
	size_t characters = count - PYLON_OVERHEAD;

	if (address < 0 || cid1 < 0)
		return ERR_FORMAT;
	out->version = (uint8_t)(version < 0 ? 0 : version);
	out->address = (uint8_t)address;
	out->cid1 = (uint8_t)cid1;
	out->cid2 = 0;
	out->info_bytes = 0;
	if (hex_number(frame + count - 5, 4) != pylon_checksum(frame + 1, count - 6))
		return PYLON_CHKSUM;
	if (length < 0 || length != pylon_length((unsigned)length & 0xFFF))
		return PYLON_LCHKSUM;
	if ((size_t)(length & 0xFFF) != characters)
		return PYLON_COMMAND;
	if (cid2 < 0)
		return PYLON_CID2;
	out->cid2 = (uint8_t)cid2;
	return read_info(frame + AT_INFO, characters, out);
}

int pylon_build(const struct pylon_frame *frame, uint8_t *out, size_t size)
{
	size_t characters = 2 * frame->info_bytes, count = PYLON_OVERHEAD + characters;

	if (frame->info_bytes > PYLON_MAX_INFO || size < count)
		return ERR_SPACE;
	out[0] = SOI;
	put_hex(out + AT_VER, frame->version, 2);
	put_hex(out + AT_ADR, frame->address, 2);
	put_hex(out + AT_CID1, frame->cid1, 2);
	put_hex(out + AT_CID2, frame->cid2, 2);
	put_hex(out + AT_LENGTH, pylon_length((unsigned)characters), 4);
	for (size_t i = 0; i < frame->info_bytes; i++)
		put_hex(out + AT_INFO + 2 * i, frame->info[i], 2);
	put_hex(out + count - 5, pylon_checksum(out + 1, count - 6), 4);
	out[count - 1] = EOI;
	return (int)count;
}
