// SPDX-License-Identifier: Apache-2.0
/* What a link may say, over the life of a lease. */
#include "hold.h"

#include "../cmocka_all.h"

static struct battery a_battery(void)
{
	struct battery battery;

	battery_clear(&battery);
	battery.charge_current_limit_ma = 100000;
	battery.discharge_current_limit_ma = 100000;
	battery.charge_allowed = battery.discharge_allowed = 1;
	battery.charge_voltage_limit_mv = 55000;
	battery.discharge_voltage_limit_mv = 46000;
	return battery;
}

static void take(struct hold *hold, enum lease_state lease, bool ending, int32_t silence_ms,
		 int64_t now_ms)
{
	struct battery battery = a_battery();

	if (lease != LEASE_VALID)
		lease_make_safe(&battery);
	hold_take(hold, lease, &battery, 100, ending, silence_ms, now_ms);
}

static void test_starts_without_a_word(void **state)
{
	struct hold hold;

	(void)state;
	hold_start(&hold, 5000);
	assert_int_equal(hold.lease, LEASE_NONE);
	assert_int_equal(hold.battery.charge_current_limit_ma, FIELD_UNKNOWN);
	assert_false(hold.quiet);
}

static void test_expires_when_the_lease_does(void **state)
{
	struct hold hold;

	(void)state;
	hold_start(&hold, 0);
	take(&hold, LEASE_VALID, false, 0, 1000);
	assert_int_equal(hold.expires_ms, 1000 + LEASE_TTL_MS - 100 + 1);
	assert_false(hold.fell);
	take(&hold, LEASE_EXPIRED, false, 0, hold.expires_ms);
	assert_true(hold.fell);
	assert_int_equal(hold.battery.charge_current_limit_ma, 0);
	assert_int_equal(hold.battery.discharge_current_limit_ma, 0);
	assert_int_equal(hold.expires_ms, INT64_MAX);
	take(&hold, LEASE_EXPIRED, false, 0, 9000000);
	assert_false(hold.fell);
	assert_false(hold.quiet); /* never, the protocol says */
}

static void test_keeps_quiet_when_the_protocol_wants_it(void **state)
{
	struct hold hold;

	(void)state;
	hold_start(&hold, 0);
	take(&hold, LEASE_VALID, false, 60000, 1000);
	take(&hold, LEASE_EXPIRED, false, 60000, 4000);
	take(&hold, LEASE_EXPIRED, false, 60000, 63999);
	assert_false(hold.quiet);
	take(&hold, LEASE_EXPIRED, false, 60000, 64000);
	assert_true(hold.quiet);
	take(&hold, LEASE_VALID, false, 60000, 64100);
	assert_false(hold.quiet);
	assert_int_equal(hold.battery.charge_current_limit_ma, 100000);
}

static void test_ending_is_zero_with_a_lease(void **state)
{
	struct hold hold;

	(void)state;
	hold_start(&hold, 0);
	take(&hold, LEASE_VALID, false, 0, 1000);
	take(&hold, LEASE_VALID, true, 0, 1100);
	assert_true(hold.fell);
	assert_int_equal(hold.battery.charge_current_limit_ma, 0);
	assert_int_equal(hold.battery.discharge_allowed, 0);
}

static void test_what_makes_a_lease(void **state)
{
	static const struct {
		enum lease_copy copy;
		bool revoked;
		int64_t age_ms;
		enum lease_state lease;
	} table[] = {
		{LEASE_COPY_NONE, false, 0, LEASE_NONE},
		{LEASE_COPY_NONE, true, 0, LEASE_REVOKED},
		{LEASE_COPY_WHOLE, false, 0, LEASE_VALID},
		{LEASE_COPY_WHOLE, false, LEASE_TTL_MS, LEASE_VALID},
		{LEASE_COPY_WHOLE, false, LEASE_TTL_MS + 1, LEASE_EXPIRED},
		{LEASE_COPY_WHOLE, false, -LEASE_TTL_MS, LEASE_VALID},
		{LEASE_COPY_WHOLE, false, -LEASE_TTL_MS - 1, LEASE_EXPIRED},
		{LEASE_COPY_WHOLE, true, 0, LEASE_REVOKED},
		{LEASE_COPY_TORN, false, 0, LEASE_EXPIRED},
		{LEASE_COPY_TORN, true, 0, LEASE_REVOKED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		assert_int_equal(lease_judge(table[i].copy, table[i].revoked, table[i].age_ms),
				 table[i].lease);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_starts_without_a_word),
		cmocka_unit_test(test_expires_when_the_lease_does),
		cmocka_unit_test(test_keeps_quiet_when_the_protocol_wants_it),
		cmocka_unit_test(test_ending_is_zero_with_a_lease),
		cmocka_unit_test(test_what_makes_a_lease),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
