// SPDX-License-Identifier: Apache-2.0
/* Everything here hinges on not crying wolf: a false alarm stops the polling for two seconds. A
 * Modbus question counts only with a function that masters of packs use, because a frame of unknown
 * length fits random bytes far too often. */
#include "ear.h"

#include <stdbool.h>
#include <string.h>

void ear_clear(struct ear *ear)
{
	ear->count = 0;
}

static void drop(struct ear *ear, size_t count)
{
	ear->count -= count;
	memmove(ear->bytes, ear->bytes + count, ear->count);
}

/* An acknowledged write and some zeros after it have a good CRC, too, and look like a write of as
 * many bytes as the acknowledge's CRC happens to say; a real one has two for each register. */
static bool is_write(const uint8_t *frame)
{
	return frame[1] == 0x10 && frame[6] > 0 && frame[6] == 2 * (frame[4] << 8 | frame[5]);
}

static bool is_question(const struct wire *wire, const uint8_t *frame)
{
	struct wire_info info;

	wire_get_info(wire, &info);
	return info.framing != WIRE_MODBUS || frame[1] == 0x03 || frame[1] == 0x04 ||
	       frame[1] == 0x06 || is_write(frame);
}

static int take_questions(struct ear *ear, const struct wire *wire)
{
	int questions = 0;

	while (ear->count > 0) {
		size_t start = 0;
		int length = wire_scan(wire, WIRE_FROM_MASTER, ear->bytes, ear->count, &start);

		if (length > 0) {
			questions += is_question(wire, ear->bytes + start);
			drop(ear, start + (size_t)length);
		} else if (length == ERR_CHECKSUM) {
			drop(ear, start + 1);
		} else {
			drop(ear, length == ERR_INCOMPLETE ? start : ear->count);
			break;
		}
	}
	return questions;
}

int ear_hear(struct ear *ear, const struct wire *wire, const uint8_t *bytes, size_t count)
{
	int questions = 0;

	while (count > 0) {
		size_t room = EAR_SIZE - ear->count;
		size_t n = count < room ? count : room;

		if (room == 0) { /* an unfinished question is never that long */
			ear_clear(ear);
			continue;
		}
		memcpy(ear->bytes + ear->count, bytes, n);
		ear->count += n;
		bytes += n;
		count -= n;
		questions += take_questions(ear, wire);
	}
	return questions;
}
