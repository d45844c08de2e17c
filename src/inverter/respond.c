// SPDX-License-Identifier: Apache-2.0
/* From received bytes to answers; see respond.h. */
#include "respond.h"

#include <string.h>

#define CHUNK          256
#define BITS_PER_CHAR  10 /* start, eight, stop */
#define ECHO_MARGIN_US 100000

static int64_t char_us(const struct respond *respond, int64_t count)
{
	return count * BITS_PER_CHAR * 1000000 / respond->baud;
}

static int64_t pause_us(const struct respond *respond)
{
	int64_t silence_us = char_us(respond, 7) / 2; /* 3.5 characters */

	return silence_us > RESPOND_PAUSE_US ? silence_us : RESPOND_PAUSE_US;
}

/* --- from bytes to requests --- */

static void drop(struct respond *respond, size_t count)
{
	respond->received_count -= count;
	memmove(respond->received, respond->received + count, respond->received_count);
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* ADR of a Pylon frame: ~ VER ADR, two hex digits each. The codec has checked the frame. */
static int pylon_address(const uint8_t *frame, size_t count)
{
	return count < 5 ? -1 : hex_digit(frame[3]) * 16 + hex_digit(frame[4]);
}

static void take_request(struct respond *respond, const uint8_t *frame, size_t count,
			 int64_t now_us)
{
	if (count > sizeof respond->request)
		return;
	if (respond->choose_address && frame[0] != '~') {
		respond->ctx.address = -1; /* a dual protocol's Modbus has its own */
	} else if (respond->choose_address) {
		int address = pylon_address(frame, count);

		if (!lock_accepts(&respond->lock, address, now_us / 1000))
			return;
		respond->ctx.address = address;
	}
	memcpy(respond->request, frame, count);
	respond->request_count = count;
	respond->pending = true;
	respond->due_us = now_us + pause_us(respond);
}

/* Takes whole requests out of the buffer. Of several the last one counts: the master has given up
 * on the others. */
static void scan(struct respond *respond, int64_t now_us)
{
	while (respond->received_count > 0) {
		size_t start = 0;
		int n = wire_scan(respond->wire, WIRE_FROM_MASTER, respond->received,
				  respond->received_count, &start);

		if (n > 0) {
			take_request(respond, respond->received + start, (size_t)n, now_us);
			drop(respond, start + (size_t)n);
		} else if (n == ERR_CHECKSUM) {
			respond->errors++;
			drop(respond, start + 1);
		} else if (n == ERR_INCOMPLETE) {
			drop(respond, start);
			return;
		} else {
			respond->received_count = 0;
		}
	}
}

/* What was cut short will not be completed: look for a request behind its first byte. */
static void give_up(struct respond *respond, int64_t now_us)
{
	respond->errors++;
	while (respond->received_count > 0) {
		drop(respond, 1);
		scan(respond, now_us);
	}
}

void respond_receive(struct respond *respond, const uint8_t *bytes, size_t count, int64_t now_us)
{
	uint8_t heard[CHUNK + WIRE_MAX_FRAME];

	while (count > 0) {
		size_t part = count < CHUNK ? count : CHUNK;
		size_t n = echo_strip(&respond->echo, bytes, part, now_us, heard);

		bytes += part;
		count -= part;
		if (n == 0)
			continue;
		if (n > sizeof respond->received - respond->received_count)
			give_up(respond, now_us);
		memcpy(respond->received + respond->received_count, heard, n);
		respond->received_count += n;
		respond->received_us = now_us;
		scan(respond, now_us);
	}
}

/* --- from requests to answers --- */

static int64_t cut_us(const struct respond *respond)
{
	return respond->received_us + RESPOND_CUT_US;
}

int64_t respond_next_us(const struct respond *respond)
{
	int64_t next_us = INT64_MAX;

	if (respond->pending)
		next_us = respond->due_us;
	if (respond->received_count > 0 && cut_us(respond) < next_us)
		next_us = cut_us(respond);
	return next_us;
}

size_t respond_turn(struct respond *respond, const struct battery *battery, int64_t now_us,
		    uint8_t *out)
{
	int n;

	if (respond->received_count > 0 && now_us >= cut_us(respond))
		give_up(respond, now_us);
	if (!respond->pending || now_us < respond->due_us)
		return 0;
	n = ERR_TIMEOUT;
	if (now_us - respond->due_us <= RESPOND_LATE_US)
		n = wire_answer(respond->wire, &respond->ctx, battery, respond->request,
				respond->request_count, out, WIRE_MAX_FRAME);
	respond->asked += n >= 0;
	if (n > 0) {
		respond->answered++;
		farewell_served(&respond->farewell, respond->request, respond->request_count,
				now_us / 1000);
		echo_expect(&respond->echo, out, (size_t)n,
			    now_us + char_us(respond, n) + ECHO_MARGIN_US);
	} else if (n < 0 && n != ERR_NOT_MINE) {
		respond->errors++;
	}
	respond->pending = false;
	return n > 0 ? (size_t)n : 0;
}

/* --- start --- */

void respond_reset(struct respond *respond)
{
	respond->received_count = 0;
	respond->pending = false;
	respond->echo.count = 0;
}

void respond_init(struct respond *respond, const struct wire *wire, const struct wire_context *ctx,
		  int address, uint32_t baud)
{
	struct wire_info info;

	wire_get_info(wire, &info);
	memset(respond, 0, sizeof *respond);
	respond->wire = wire;
	respond->ctx = *ctx;
	respond->framing = info.framing;
	respond->baud = baud > 0 ? baud : 9600;
	respond->ctx.address = address;
	respond->choose_address = info.home_address >= 0 && address < 0;
	lock_init(&respond->lock, info.home_address);
}
