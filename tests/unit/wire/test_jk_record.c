// SPDX-License-Identifier: Apache-2.0
/* The receiver rules for JK records, on answers built here and on everything that a shared bus does
 * to them. Captured records are in tests/vectors/pack. */
#include "../cmocka_all.h"
#include "hex.h"
#include "jk_record.h"
#include "rtu.h"

#include <string.h>

#define LIVE     0x1620
#define SETTINGS 0x161E
#define ABOUT    0x161C

static const struct jk_question live_of_3 = {.unit = 3, .type = 2, .trigger = LIVE};

/* A growing buffer: what was received. */
struct line {
	uint8_t bytes[2000];
	size_t count;
};

static void add(struct line *line, const void *bytes, size_t count)
{
	memcpy(line->bytes + line->count, bytes, count);
	line->count += count;
}

static void add_hex(struct line *line, const char *text)
{
	line->count += hex_read(text, line->bytes + line->count, 64);
}

static void add_trigger(struct line *line, uint8_t unit, uint16_t trigger)
{
	line->count += (size_t)jk_build_trigger(unit, trigger, line->bytes + line->count, 11);
}

static void add_record(struct line *line, uint8_t type, uint8_t address)
{
	uint8_t data[JK_RECORD_DATA] = {0xC7, 0x0C}, answer[JK_RECORD_SIZE + JK_ACK_SIZE];

	data[JK_ADDRESS_AT - JK_RECORD_HEAD] = address;
	assert_int_equal(
		jk_build_answer(address, LIVE, type, data, sizeof data, answer, sizeof answer),
		JK_RECORD_SIZE + JK_ACK_SIZE);
	add(line, answer, JK_RECORD_SIZE);
}

static void add_acknowledge(struct line *line, uint8_t unit, uint16_t trigger)
{
	line->count += (size_t)rtu_build_acknowledge(unit, RTU_WRITE, trigger, 1,
						     line->bytes + line->count, JK_ACK_SIZE);
}

static int find(const struct line *line, const struct jk_question *question)
{
	const uint8_t *record = NULL;
	int result = jk_find_answer(line->bytes, line->count, question, &record);

	assert_true((result > 0) == (record != NULL));
	if (record)
		assert_memory_equal(record, "\x55\xAA\xEB\x90", 4);
	return result;
}

static void builds_published_triggers(void **state)
{
	(void)state;
	struct line line = {.count = 0}, text = {.count = 0};

	add_trigger(&line, 1, ABOUT);
	add_trigger(&line, 1, SETTINGS);
	add_trigger(&line, 1, LIVE);
	add_trigger(&line, 15, LIVE);
	add_acknowledge(&line, 0, LIVE);
	add_acknowledge(&line, 3, ABOUT);
	add_hex(&text, "01 10 16 1C 00 01 02 00 00 D3 CD");
	add_hex(&text, "01 10 16 1E 00 01 02 00 00 D2 2F");
	add_hex(&text, "01 10 16 20 00 01 02 00 00 D6 F1");
	add_hex(&text, "0F 10 16 20 00 01 02 00 00 9A 91");
	add_hex(&text, "00 10 16 20 00 01 05 9A");
	add_hex(&text, "03 10 16 1C 00 01 C5 A5");
	assert_int_equal(line.count, text.count);
	assert_memory_equal(line.bytes, text.bytes, text.count);
	assert_int_equal(jk_build_trigger(1, LIVE, line.bytes, 10), ERR_SPACE);
	assert_int_equal(jk_build_answer(1, LIVE, 2, NULL, 0, line.bytes, 307), ERR_SPACE);
}

static void accepts_308_and_310_bytes_echo_and_noise(void **state)
{
	(void)state;
	for (int variant = 0; variant < 16; variant++) {
		struct line line = {.count = 0};

		if (variant & 1)
			add_hex(&line, "00 FF 55 AA");
		if (variant & 2)
			add_trigger(&line, 3, LIVE);
		add_record(&line, 2, 0);
		if (variant & 4)
			add_hex(&line, "00");
		add_acknowledge(&line, 3, LIVE);

		size_t whole = line.count;

		if (variant & 8)
			add_hex(&line, "00");
		assert_int_equal(find(&line, &live_of_3), whole);
		for (line.count = whole - 1; line.count > 0; line.count--)
			assert_int_equal(find(&line, &live_of_3), ERR_INCOMPLETE);
	}
}

static void never_attributes_what_was_not_asked(void **state)
{
	(void)state;
	struct line line = {.count = 0};

	add_record(&line, 2, 0); /* a master's broadcast of itself */
	add_acknowledge(&line, 0, LIVE);
	assert_int_equal(find(&line, &live_of_3), ERR_FOREIGN);

	line.count = 0;
	add_record(&line, 2, 0); /* the neighbour */
	add_acknowledge(&line, 4, LIVE);
	assert_int_equal(find(&line, &live_of_3), ERR_NOT_MINE);

	line.count = 0;
	add_record(&line, 1, 3); /* right pack, wrong question */
	add_acknowledge(&line, 3, SETTINGS);
	assert_int_equal(find(&line, &live_of_3), ERR_FOREIGN);

	line.count = 0;
	add_record(&line, 2, 0); /* record and acknowledge of different questions */
	add_acknowledge(&line, 3, SETTINGS);
	assert_int_equal(find(&line, &live_of_3), ERR_FOREIGN);

	line.count = 0;
	add_trigger(&line, 3, LIVE); /* ours as echo, then somebody else's question */
	add_trigger(&line, 5, LIVE);
	add_record(&line, 2, 0);
	assert_int_equal(find(&line, &live_of_3), ERR_FOREIGN);

	line.count = 0;
	add_trigger(&line, 3, LIVE); /* the same question twice: only one is an echo */
	add_trigger(&line, 3, LIVE);
	assert_int_equal(find(&line, &live_of_3), ERR_FOREIGN);
}

static void an_unsigned_record_needs_its_address_or_an_empty_bus(void **state)
{
	(void)state;
	struct jk_question settings = {.unit = 3, .type = 1, .trigger = SETTINGS};
	struct jk_question question = live_of_3;
	struct line line = {.count = 0};

	add_record(&line, 2, 0);
	assert_int_equal(find(&line, &question), ERR_INCOMPLETE);
	question.final = true;
	assert_int_equal(find(&line, &question), ERR_UNKNOWN);
	question.alone = true;
	assert_int_equal(find(&line, &question), JK_RECORD_SIZE);

	line.count = 0;
	add_record(&line, 1, 3);
	assert_int_equal(find(&line, &settings), ERR_INCOMPLETE);
	add_hex(&line, "00 03 10 16 1E 00 01 FF FF 00 00 00"); /* a damaged acknowledge */
	assert_int_equal(find(&line, &settings), JK_RECORD_SIZE);
	settings.unit = 4;
	assert_int_equal(find(&line, &settings), ERR_UNKNOWN);

	line.count = JK_RECORD_SIZE; /* signed by one pack, filled in by another */
	add_acknowledge(&line, 4, SETTINGS);
	assert_int_equal(find(&line, &settings), ERR_NOT_MINE);

	line.count = 0;
	add_record(&line, 2, 0); /* an acknowledge that comes too late is no signature */
	add_hex(&line, "00 00 00 00 00");
	add_acknowledge(&line, 3, LIVE);
	assert_int_equal(find(&line, &live_of_3), ERR_UNKNOWN);
}

static void damage_is_an_error_not_a_value(void **state)
{
	(void)state;
	struct line whole = {.count = 0};

	add_record(&whole, 2, 0);
	add_acknowledge(&whole, 3, LIVE);
	for (size_t at = 0; at < whole.count; at++) {
		struct line line = whole;

		line.bytes[at] ^= 0x40;
		assert_true(find(&line, &live_of_3) < 0);
	}
	for (size_t lost = 0; lost < whole.count; lost++) {
		struct line line = whole;

		memmove(line.bytes + lost, line.bytes + lost + 1, line.count - lost - 1);
		line.count--;
		int result = find(&line, &live_of_3);

		/* twins may be lost without a trace: zeros in the record are followed by zeros, but
		 * then the sum or the length is wrong */
		assert_true(result < 0);
	}
}

static void a_record_cut_short_is_noticed_at_its_acknowledge(void **state)
{
	(void)state;
	struct line line = {.count = 0};

	add_record(&line, 2, 0);
	line.count -= 13; /* 287 of 300, as a bad adapter delivers them */
	assert_int_equal(find(&line, &live_of_3), ERR_INCOMPLETE);
	add_acknowledge(&line, 3, LIVE);
	assert_int_equal(find(&line, &live_of_3), ERR_CHECKSUM);

	line.count = 0;
	add_record(&line, 2, 0);
	line.count -= 150; /* half of one, then a whole one */
	add_record(&line, 2, 0);
	add_acknowledge(&line, 3, LIVE);
	assert_int_equal(find(&line, &live_of_3), 150 + JK_RECORD_SIZE + JK_ACK_SIZE);
}

static void refusals(void **state)
{
	(void)state;
	struct line line = {.count = 0};

	line.count = (size_t)rtu_build_exception(3, RTU_WRITE, RTU_ILLEGAL_ADDRESS, line.bytes, 8);
	assert_int_equal(find(&line, &live_of_3), ERR_RANGE);
	line.count = (size_t)rtu_build_exception(3, RTU_WRITE, RTU_ILLEGAL_FUNCTION, line.bytes, 8);
	assert_int_equal(find(&line, &live_of_3), ERR_UNSUPPORTED);
	line.count = (size_t)rtu_build_exception(4, RTU_WRITE, RTU_ILLEGAL_ADDRESS, line.bytes, 8);
	assert_int_equal(find(&line, &live_of_3), ERR_INCOMPLETE);
}

static void listening(void **state)
{
	(void)state;
	struct line line = {.count = 0};
	size_t start = 0;
	int signer = 7;

	add_hex(&line, "12 34");
	add_record(&line, 2, 0);
	assert_int_equal(jk_scan(line.bytes, line.count, &start), ERR_INCOMPLETE);
	assert_int_equal(start, 2);
	assert_int_equal(jk_read(line.bytes + 2, line.count - 2, &signer), 2);
	assert_int_equal(signer, -1);

	struct line other = line;

	add_hex(&line, "00");
	add_acknowledge(&line, 0, LIVE);
	assert_int_equal(jk_scan(line.bytes, line.count, &start), 309);
	assert_int_equal(jk_read(line.bytes + 2, 309, &signer), 2);
	assert_int_equal(signer, 0);

	add_hex(&other, "00 00 00 00 00 00 00 00 00 00 00 00");
	assert_int_equal(jk_scan(other.bytes, other.count, &start), JK_RECORD_SIZE);
	other.bytes[40] ^= 1;
	assert_int_equal(jk_scan(other.bytes, other.count, &start), ERR_CHECKSUM);
	assert_int_equal(jk_read(other.bytes + 2, other.count - 2, &signer), ERR_CHECKSUM);
	assert_int_equal(jk_read(other.bytes, other.count, &signer), ERR_FORMAT);
	assert_int_equal(jk_scan(line.bytes, 2, &start), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builds_published_triggers),
		cmocka_unit_test(accepts_308_and_310_bytes_echo_and_noise),
		cmocka_unit_test(never_attributes_what_was_not_asked),
		cmocka_unit_test(an_unsigned_record_needs_its_address_or_an_empty_bus),
		cmocka_unit_test(damage_is_an_error_not_a_value),
		cmocka_unit_test(a_record_cut_short_is_noticed_at_its_acknowledge),
		cmocka_unit_test(refusals),
		cmocka_unit_test(listening),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
