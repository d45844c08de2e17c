// SPDX-License-Identifier: Apache-2.0
/* The adapter end of slcan: commands, answers in three tempers, frames both ways. */
#include "../cmocka_all.h"

#include <string.h>

#include "sim/slcan_adapter.h"

struct record {
	char text[256];
	size_t length;
	struct can_message last;
	int frames;
};

static void to_bus(void *context, const struct can_message *message)
{
	struct record *r = context;

	r->last = *message;
	r->frames++;
}

static void to_user(void *context, const char *text, size_t count)
{
	struct record *r = context;

	memcpy(r->text + r->length, text, count);
	r->length += count;
}

static void feed(struct slcan_adapter *adapter, struct record *r, const char *text)
{
	memset(r, 0, sizeof *r);
	slcan_adapter_feed(adapter, (const uint8_t *)text, strlen(text), to_bus, to_user, r);
}

static void usual_set_up_opens_the_channel(void **state)
{
	struct slcan_adapter a;
	struct record r;

	(void)state;
	slcan_adapter_init(&a, 500000);
	feed(&a, &r, "\r\r\rC\rS6\rO\r");
	assert_string_equal(r.text, "\r\r\r\a\r\r"); /* closing what is closed is refused */
	assert_true(a.open);
	feed(&a, &r, "t3512AABB\r");
	assert_int_equal(r.frames, 1);
	assert_int_equal(r.last.id, 0x351);
	assert_int_equal(r.last.length, 2);
	assert_int_equal(r.last.data[1], 0xBB);
	assert_string_equal(r.text, "\r");
}

static void tempers_differ(void **state)
{
	struct slcan_adapter a;
	struct record r;

	(void)state;
	slcan_adapter_init(&a, 500000);
	feed(&a, &r, "S6\rO\r");
	a.answer = SLCAN_ANSWERS_Z;
	feed(&a, &r, "t3511AA\rT0000035111AA\rT000003511AA\r");
	assert_string_equal(r.text, "z\r\aZ\r"); /* the middle one is malformed */
	a.answer = SLCAN_IS_MUTE;
	feed(&a, &r, "t3511AA\r");
	assert_int_equal(r.length, 0);
	assert_int_equal(r.frames, 1);
}

static void split_and_overlong_lines(void **state)
{
	struct slcan_adapter a;
	struct record r;

	(void)state;
	slcan_adapter_init(&a, 500000);
	feed(&a, &r, "S6\rO\rt351");
	feed(&a, &r, "1AA\r");
	assert_int_equal(r.frames, 1);
	feed(&a, &r, "t3511AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\rx\r");
	assert_int_equal(r.frames, 0);
	assert_string_equal(r.text, "\a\a");
}

static void nobody_hears_at_another_bit_rate(void **state)
{
	struct slcan_adapter a;
	struct record r;
	struct can_message heartbeat = {.id = 0x305, .length = 8};
	char text[SLCAN_FRAME_SIZE];

	(void)state;
	slcan_adapter_init(&a, 500000);
	assert_int_equal(slcan_adapter_frame(&a, &heartbeat, text), 0); /* closed */
	feed(&a, &r, "S5\rO\rt3511AA\r");
	assert_int_equal(r.frames, 0);
	assert_int_equal(slcan_adapter_frame(&a, &heartbeat, text), 0);
	feed(&a, &r, "C\rS6\rO\r");
	assert_int_equal(slcan_adapter_frame(&a, &heartbeat, text), 22);
	assert_memory_equal(text, "t30580000000000000000\r", 22);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_set_up_opens_the_channel),
		cmocka_unit_test(tempers_differ),
		cmocka_unit_test(split_and_overlong_lines),
		cmocka_unit_test(nobody_hears_at_another_bit_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
