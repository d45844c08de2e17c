// SPDX-License-Identifier: Apache-2.0
/* The master's and the listener's side of the serial framings, through the public functions: what
 * may be asked, what refusals, wrong responders and unsigned records become, and how frames are
 * found in a stream of a slave. */
#include "../cmocka_all.h"
#include "hex.h"
#include "jk_record.h"
#include "pylon_frame.h"
#include "rtu.h"

#include <string.h>

#include "onepack/wire.h"

struct talk {
	struct wire *wire;
	struct wire_context ctx;
	struct wire_values values;
};

static void open_talk(struct talk *talk, const char *id)
{
	talk->wire = wire_load(id, stderr);
	assert_non_null(talk->wire);
	wire_context_init(talk->wire, &talk->ctx);
	wire_values_clear(&talk->values);
}

static int index_of(const struct wire *wire, const char *name)
{
	for (int i = 0; i < wire_message_count(wire); i++) {
		struct wire_message_info info;

		wire_get_message(wire, i, &info);
		if (strcmp(info.name, name) == 0)
			return i;
	}
	fail_msg("no message %s", name);
	return -1;
}

/* What the bytes (hex, or a Pylon frame without CR) are as an answer to that message of unit 1 or
 * module 2. */
static int understand(struct talk *talk, const char *message, const char *text)
{
	struct wire_info info;
	uint8_t bytes[700];
	const size_t count = frame_read(text, bytes, sizeof bytes);

	wire_get_info(talk->wire, &info);
	wire_values_clear(&talk->values);
	return wire_response(talk->wire, index_of(talk->wire, message), &talk->ctx,
			     info.default_address, bytes, count, &talk->values);
}

static int request(struct talk *talk, int index, int address)
{
	uint8_t bytes[64];

	return wire_request(talk->wire, index, &talk->ctx, address, bytes, sizeof bytes);
}

static void modbus_answers(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		int result;
	} cases[] = {
		{"", ERR_INCOMPLETE},
		{"01 83 01 80 F0", ERR_UNSUPPORTED},
		{"01 83 02 C0 F1", ERR_RANGE},
		{"01 83 03 01 31", ERR_RANGE},
		{"01 03 02 00 42 38 75", ERR_FOREIGN},    /* one register where 15 were asked for */
		{"01 03 00 10 00 1B 04 04", ERR_FOREIGN}, /* another master asks */
	};
	struct talk talk;

	open_talk(&talk, "rs485/growatt-2.01");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(understand(&talk, "specification", cases[i].bytes),
				 cases[i].result);
		assert_false(talk.values.said_battery);
	}
	assert_int_equal(wire_response_length(talk.wire, index_of(talk.wire, "specification")), 35);
	assert_int_equal(wire_response_length(talk.wire, 99), 0);
	assert_int_equal(request(&talk, index_of(talk.wire, "handshake"), 1), ERR_UNSUPPORTED);
	assert_int_equal(request(&talk, index_of(talk.wire, "status"), 248), ERR_UNSUPPORTED);
	assert_int_equal(request(&talk, -1, 1), ERR_UNSUPPORTED);
	wire_free(talk.wire);
}

static void pylon_answers(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int result;
	} cases[] = {
		{"~20024600", ERR_INCOMPLETE},
		{"~200246040000FDAE", ERR_UNSUPPORTED}, /* it does not know the command */
		{"~200246910000FDA8", ERR_UNKNOWN},     /* it has no data */
		{"~200246900000FDA9", ERR_RANGE},       /* it is not the master of its group */
		{"~200246020000FDB0", ERR_RANGE},
		{"~200346000000FDB1", ERR_NOT_MINE},
		{"~20024A000000FDA7", ERR_FORMAT},
		{"~20024600800800000000FC22", ERR_FOREIGN}, /* of 62, not of 63 */
		{"~20024600D01270805460064006A4C0F9E4", ERR_CHECKSUM},
		{"~20024600D01270805460064006A4C0F9E5", 36},
	};
	struct talk talk;

	open_talk(&talk, "rs485/pylon-lv-3.3");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int result = understand(&talk, "system_management", cases[i].text);

		if (result != cases[i].result)
			fail_msg("%s: %d", cases[i].text, result);
		assert_int_equal(talk.values.said_battery, result > 0);
	}
	assert_int_equal(wire_response_length(talk.wire, index_of(talk.wire, "system_analog")),
			 116);
	assert_int_equal(wire_response_length(talk.wire, index_of(talk.wire, "analog")), 0);
	assert_int_equal(wire_response_length(talk.wire, -1), 0);
	assert_int_equal(request(&talk, index_of(talk.wire, "shutdown"), 2), ERR_UNSUPPORTED);
	assert_int_equal(request(&talk, index_of(talk.wire, "system"), 0xFF), ERR_UNSUPPORTED);
	assert_int_equal(request(&talk, 99, 2), ERR_UNSUPPORTED);
	assert_int_equal(request(&talk, index_of(talk.wire, "modules"), 2), 20);
	wire_free(talk.wire);
}

/* A record of slave `unit` and what follows it, in a buffer. */
static size_t record(uint8_t type, uint8_t unit, uint8_t *out)
{
	uint8_t data[JK_RECORD_DATA] = {0xC7, 0x0C};

	data[JK_ADDRESS_AT - JK_RECORD_HEAD] = unit;
	return (size_t)jk_build_answer(unit, type == 1 ? 0x161E : 0x1620, type, data, sizeof data,
				       out, 400);
}

static int understand_record(struct talk *talk, const char *message, const uint8_t *bytes,
			     size_t count)
{
	wire_values_clear(&talk->values);
	return wire_response(talk->wire, index_of(talk->wire, message), &talk->ctx, 3, bytes, count,
			     &talk->values);
}

static void jk_records(void **state)
{
	(void)state;
	struct talk talk;
	uint8_t bytes[400];
	size_t count;

	open_talk(&talk, "pack/jk-pb");
	assert_int_equal(wire_response_length(talk.wire, index_of(talk.wire, "live")), 308);
	count = record(2, 3, bytes);
	assert_int_equal(understand_record(&talk, "live", bytes, count), 308);
	assert_int_equal(talk.values.pack.address, 3);
	assert_int_equal(talk.values.pack.cells_mv[0], 3271);
	assert_int_equal(understand_record(&talk, "settings", bytes, count), ERR_FOREIGN);

	/* without its acknowledge: only at the end, and only on a line of its own */
	assert_int_equal(understand_record(&talk, "live", bytes, 300), ERR_INCOMPLETE);
	talk.ctx.final = true;
	assert_int_equal(understand_record(&talk, "live", bytes, 300), ERR_UNKNOWN);
	assert_false(talk.values.said_pack);
	talk.ctx.alone = true;
	assert_int_equal(understand_record(&talk, "live", bytes, 300), 300);
	assert_true(talk.values.said_pack);

	/* settings carry their address, so they need no acknowledge */
	talk.ctx.alone = false;
	record(1, 3, bytes);
	assert_int_equal(understand_record(&talk, "settings", bytes, 300), 300);
	record(1, 4, bytes);
	assert_int_equal(understand_record(&talk, "settings", bytes, 300), ERR_UNKNOWN);
	assert_int_equal(understand_record(&talk, "settings", bytes, 308), ERR_NOT_MINE);
	wire_free(talk.wire);
}

static void slaves_are_found_in_a_stream(void **state)
{
	(void)state;
	struct talk jk, pylon;
	uint8_t bytes[400];
	size_t count, start = 99;

	open_talk(&jk, "pack/jk-pb");
	hex_read("01 03 02 0C D8 BD 1E", bytes, sizeof bytes); /* an answer, then a record */
	count = 7 + record(2, 3, bytes + 7);
	assert_int_equal(wire_scan(jk.wire, WIRE_FROM_SLAVE, bytes, count, &start), 7);
	assert_int_equal(start, 0);
	assert_int_equal(wire_scan(jk.wire, WIRE_FROM_SLAVE, bytes + 7, count - 7, &start), 308);
	assert_int_equal(wire_scan(jk.wire, WIRE_FROM_SLAVE, bytes + 7, 200, &start),
			 ERR_INCOMPLETE);
	assert_int_equal(wire_scan(jk.wire, WIRE_FROM_SLAVE, bytes + 4, 2, &start), ERR_INCOMPLETE);
	assert_int_equal(
		wire_scan(jk.wire, WIRE_FROM_SLAVE, (const uint8_t *)"\xFF\xFF", 2, &start), 0);
	wire_free(jk.wire);

	open_talk(&pylon, "rs485/pylon-lv-3.3");
	static const char good[] = "x~200246000000FDB2\r", bad[] = "~200246000000FDB3\r";

	assert_int_equal(wire_scan(pylon.wire, WIRE_FROM_SLAVE, (const uint8_t *)good, 19, &start),
			 18);
	assert_int_equal(start, 1);
	assert_int_equal(wire_scan(pylon.wire, WIRE_FROM_SLAVE, (const uint8_t *)bad, 18, &start),
			 ERR_CHECKSUM);
	/* a battery has an answer for a wrong sum */
	assert_int_equal(wire_scan(pylon.wire, WIRE_FROM_MASTER, (const uint8_t *)bad, 18, &start),
			 18);
	wire_free(pylon.wire);
}

static int listen(struct talk *talk, struct wire_listener *listener, const char *text)
{
	uint8_t bytes[64];
	const size_t count = frame_read(text, bytes, sizeof bytes);

	return wire_decode_serial(talk->wire, &talk->ctx, listener, bytes, count, &talk->values);
}

static void a_listener_needs_the_question(void **state)
{
	(void)state;
	struct wire_listener listener = {0};
	struct talk talk;

	open_talk(&talk, "rs485/growatt-2.01");
	assert_int_equal(listen(&talk, &listener, ""), ERR_FORMAT);
	assert_int_equal(listen(&talk, &listener, "01 03 02 00 42 38 75"), ERR_UNKNOWN);
	assert_int_equal(listen(&talk, &listener, "01 03 00 15 00 01 95 CE"), 0);
	assert_int_equal(listen(&talk, &listener, "02 03 02 00 42 7C 75"), ERR_NOT_MINE);
	assert_int_equal(listen(&talk, &listener, "01 03 00 15 00 01 95 CE"), 0);
	assert_int_equal(listen(&talk, &listener, "01 03 04 11 22 33 44 4B C6"), ERR_FORMAT);
	assert_int_equal(listen(&talk, &listener, "01 03 00 15 00 01 95 CE"), 0);
	assert_int_equal(listen(&talk, &listener, "01 83 02 C0 F1"), 0);
	assert_int_equal(listen(&talk, &listener, "01 03 02 00 42 38 76"), ERR_CHECKSUM);
	assert_int_equal(listen(&talk, &listener, "01 03 02 00"), ERR_INCOMPLETE);
	assert_false(talk.values.said_battery);
	assert_int_equal(listen(&talk, &listener, "01 03 00 15 00 01 95 CE"), 0);
	assert_int_equal(listen(&talk, &listener, "01 03 02 00 42 38 75"), 0);
	assert_int_equal(talk.values.battery.soc_mpct, 66000);
	wire_free(talk.wire);

	open_talk(&talk, "rs485/pylon-lv-3.3");
	memset(&listener, 0, sizeof listener);
	assert_int_equal(listen(&talk, &listener, "~20024600000"), ERR_FORMAT);
	assert_int_equal(listen(&talk, &listener, "~200246000000FDB3"), ERR_CHECKSUM);
	assert_int_equal(listen(&talk, &listener, "~22014A45C004010FFCAF"), ERR_NOT_MINE);
	assert_int_equal(listen(&talk, &listener, "~200246000000FDB2"), ERR_UNKNOWN);
	assert_int_equal(listen(&talk, &listener, "~201246630000FDA8"), 0);
	assert_int_equal(listen(&talk, &listener, "~200346000000FDB1"), ERR_NOT_MINE);
	assert_int_equal(listen(&talk, &listener, "~201246630000FDA8"), 0);
	assert_int_equal(listen(&talk, &listener, "~200246040000FDAE"), 0);
	assert_false(talk.values.said_battery);
	wire_free(talk.wire);
}

/* What a master of the other framings makes of refusals, of wrong responders and of answers that
 * were meant for somebody else. */
static void other_answers(void **state)
{
	(void)state;
	static const struct {
		const char *id, *message, *bytes;
		int result;
	} cases[] = {
		{"rs485/niu-u", "live", "68 31 CE 68 C2 01 40 D2 16", ERR_RANGE},
		{"rs485/niu-u", "live", "68 31 CE 68 82 01 33 85 16", ERR_FOREIGN},
		{"rs485/niu-u", "live", "68 20 DF 68 82 01 33 85 16", ERR_NOT_MINE},
		{"rs485/niu-u", "live", "68 31 CE 68 82 0F", ERR_INCOMPLETE},
		{"rs485/jk-4g-gps-4.2", "voltage",
		 "4E 57 00 15 00 00 00 00 03 00 01 83 14 DE 00 00 00 00 68 00 00 02 9B", 23},
		{"rs485/jk-4g-gps-4.2", "voltage",
		 "4E 57 00 14 00 00 00 00 03 00 01 85 4C 00 00 00 00 68 00 00 01 F6", ERR_FOREIGN},
		{"rs485/jk-4g-gps-4.2", "voltage",
		 "4E 57 00 15 00 00 00 09 03 00 01 83 14 DE 00 00 00 00 68 00 00 02 A4",
		 ERR_NOT_MINE},
		{"rs485/jk-4g-gps-4.2", "all",
		 "4E 57 00 17 00 00 00 00 06 00 01 83 14 DE 88 00 00 00 00 00 68 00 00 03 28",
		 ERR_FORMAT},
		{"rs485/jk-4g-gps-4.2", "all",
		 "4E 57 00 17 00 00 00 00 06 00 01 83 14 DE 84 00 00 00 00 00 68 00 00 03 24",
		 ERR_FORMAT},
		{"rs485/jk-4g-gps-4.2", "all", "4E 57 00", ERR_INCOMPLETE},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct talk talk;

		open_talk(&talk, cases[i].id);
		int result = understand(&talk, cases[i].message, cases[i].bytes);

		if (result != cases[i].result)
			fail_msg("%s %s: %d", cases[i].id, cases[i].bytes, result);
		assert_int_equal(talk.values.said_battery, result > 0);
		assert_int_equal(request(&talk, -1, 1), ERR_UNSUPPORTED);
		assert_int_equal(request(&talk, 99, 1), ERR_UNSUPPORTED);
		wire_free(talk.wire);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modbus_answers),
		cmocka_unit_test(pylon_answers),
		cmocka_unit_test(jk_records),
		cmocka_unit_test(slaves_are_found_in_a_stream),
		cmocka_unit_test(a_listener_needs_the_question),
		cmocka_unit_test(other_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
