// SPDX-License-Identifier: Apache-2.0
/* What the serial fuzzers share: any bytes go through every public door of a protocol, as slave, as
 * master and as listener. The promises checked: results are within what the headers say, nothing is
 * written on failure, nothing is read behind the bytes (AddressSanitizer: the bytes are copied into
 * a block of exactly their size). */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "onepack/wire.h"

#define FUZZ_CHECK(condition)     \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static inline struct wire *fuzz_load(const char *id)
{
	struct wire *wire = wire_load(id, stderr);

	FUZZ_CHECK(wire);
	return wire;
}

static inline void fuzz_as_slave(const struct wire *wire, const uint8_t *bytes, size_t count)
{
	static struct battery battery;
	static struct pack pack;
	static uint8_t out[WIRE_MAX_FRAME];
	struct wire_context ctx;
	struct wire_info info;
	size_t start = 0;

	battery_clear(&battery);
	pack_clear(&pack);
	battery.soc_mpct = 50000;
	battery.voltage_mv = pack.voltage_mv = 52000;
	battery.cells_in_series = 16;
	battery.cell_mean_mv = 3250;
	wire_context_init(wire, &ctx);
	wire_get_info(wire, &info);
	for (size_t at = 0; at < count;) {
		int length = wire_scan(wire, WIRE_FROM_MASTER, bytes + at, count - at, &start);

		if (length == 0 || length == ERR_INCOMPLETE)
			break;
		FUZZ_CHECK(start < count - at);
		at += start;
		if (length < 0) {
			FUZZ_CHECK(length == ERR_CHECKSUM);
			at++;
			continue;
		}
		FUZZ_CHECK((size_t)length <= count - at);
		int size = wire_answer(wire, &ctx,
				       info.scope == WIRE_OF_PACK ? (const void *)&pack
								  : (const void *)&battery,
				       bytes + at, (size_t)length, out, sizeof out);

		FUZZ_CHECK(size <= (int)sizeof out);
		at += (size_t)length;
	}
}

static inline void fuzz_as_master(const struct wire *wire, const uint8_t *bytes, size_t count)
{
	static struct wire_values values;
	struct wire_context ctx;

	wire_context_init(wire, &ctx);
	ctx.final = count & 1;
	for (int i = 0; i < wire_message_count(wire); i++) {
		wire_values_clear(&values);
		int used = wire_response(wire, i, &ctx, 1 + (int)(count & 2) / 2, bytes, count,
					 &values);

		FUZZ_CHECK(used <= (int)count && used != 0);
		FUZZ_CHECK(used > 0 || (!values.said_battery && !values.said_pack));
	}
}

static inline void fuzz_as_listener(const struct wire *wire, const uint8_t *bytes, size_t count)
{
	static struct wire_values values;
	struct wire_listener listener = {0};
	struct wire_context ctx;
	size_t start = 0;

	wire_context_init(wire, &ctx);
	wire_values_clear(&values);
	wire_decode_serial(wire, &ctx, &listener, bytes, count, &values);
	for (size_t at = 0; at < count;) {
		int length = wire_scan(wire, WIRE_FROM_SLAVE, bytes + at, count - at, &start);

		if (length == 0 || length == ERR_INCOMPLETE)
			break;
		at += start;
		if (length > 0)
			wire_decode_serial(wire, &ctx, &listener, bytes + at, (size_t)length,
					   &values);
		at += length > 0 ? (size_t)length : 1;
	}
}

/* Everything, on a copy of exactly that size. */
static inline void fuzz_protocol(const struct wire *wire, const uint8_t *data, size_t count)
{
	uint8_t *bytes = malloc(count ? count : 1);

	FUZZ_CHECK(bytes);
	memcpy(bytes, data, count);
	fuzz_as_slave(wire, bytes, count);
	fuzz_as_master(wire, bytes, count);
	fuzz_as_listener(wire, bytes, count);
	free(bytes);
}
