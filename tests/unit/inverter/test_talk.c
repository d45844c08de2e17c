// SPDX-License-Identifier: Apache-2.0
/* What a CAN link says, and in which order, with Pylon's messages. */
#include "talk.h"

#include <string.h>

#include "../cmocka_all.h"

static struct wire *wire;
static struct wire_context ctx;
static struct hold hold;
static struct talk talk;

static void allow(int32_t limit_ma)
{
	struct battery battery;

	battery_clear(&battery);
	battery.voltage_mv = 53000;
	battery.current_ma = 0;
	battery.temperature_mC = 20000;
	battery.soc_mpct = battery.soh_mpct = 50000;
	battery.charge_current_limit_ma = battery.discharge_current_limit_ma = limit_ma;
	battery.charge_allowed = battery.discharge_allowed = 1;
	battery.charge_voltage_limit_mv = 55000;
	battery.discharge_voltage_limit_mv = 46000;
	hold_take(&hold, LEASE_VALID, &battery, 0, false, 0, 0);
}

static int set_up(void **state)
{
	(void)state;
	wire = wire_load("can/pylon-lv-1.2", stderr);
	if (!wire)
		return -1;
	wire_context_init(wire, &ctx);
	hold_start(&hold, 0);
	talk_start(&talk, wire, &ctx);
	allow(100000);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	wire_free(wire);
	return 0;
}

/* One turn; how many messages, the id of the first in *first. */
static int turn(int64_t now_us, uint32_t *first)
{
	struct can_message message;
	int count = 0, i;

	talk_turn(&talk, wire, &hold, now_us);
	while ((i = talk_next(&talk, wire, &ctx, &hold, now_us, &message)) >= 0) {
		if (count++ == 0)
			*first = message.id;
		talk_sent(&talk, i, &message);
	}
	return count;
}

static int said_until(int64_t *now_us, int64_t until_us)
{
	uint32_t id;
	int count = 0;

	while (*now_us < until_us) {
		count += turn(*now_us, &id);
		*now_us = talk_next_us(&talk);
	}
	return count;
}

static void test_a_set_each_second(void **state)
{
	int64_t now_us = 0;
	int set = said_until(&now_us, 500000);

	(void)state;
	assert_in_range(set, 5, 7);
	assert_int_equal(said_until(&now_us, 1500000), set);
	assert_int_equal(said_until(&now_us, 2500000), set);
}

static void test_stricter_limits_do_not_wait(void **state)
{
	int64_t now_us = 0;
	uint32_t id = 0;

	(void)state;
	said_until(&now_us, 500000);
	allow(120000);
	assert_int_equal(turn(600000, &id), 0);
	allow(110000);
	assert_int_equal(turn(610000, &id), 1);
	assert_int_equal(id, 0x351);
	assert_int_equal(turn(620000, &id), 0); /* said */
	allow(110000);
	assert_int_equal(turn(630000, &id), 0); /* nothing fell */
}

static void test_what_was_not_sent_is_not_said(void **state)
{
	struct can_message message;
	int64_t now_us = 0;
	uint32_t id;

	(void)state;
	said_until(&now_us, 500000);
	allow(50000);
	talk_turn(&talk, wire, &hold, 600000);
	assert_true(talk_next(&talk, wire, &ctx, &hold, 600000, &message) >= 0); /* driver full */
	hold.fell = true;
	assert_int_equal(turn(610000, &id), 1);
}

static void test_quiet_says_nothing_and_starts_anew(void **state)
{
	struct battery battery;
	int64_t now_us = 0;
	uint32_t id = 0;
	int set = said_until(&now_us, 500000);

	(void)state;
	battery_clear(&battery);
	lease_make_safe(&battery);
	hold_take(&hold, LEASE_EXPIRED, &battery, 0, false, 1, 1000);
	hold_take(&hold, LEASE_EXPIRED, &battery, 0, false, 1, 2000);
	assert_true(hold.quiet);
	assert_int_equal(turn(3000000, &id), 0);
	assert_int_equal(talk_next_us(&talk), INT64_MAX);
	allow(100000);
	now_us = 7000000;
	assert_int_equal(said_until(&now_us, 7500000), set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_set_each_second, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stricter_limits_do_not_wait, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_what_was_not_sent_is_not_said, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_quiet_says_nothing_and_starts_anew, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
