// SPDX-License-Identifier: Apache-2.0
/* Random batteries through every CAN protocol of the tree: what was sent is read back within half a
 * step of the coarsest field (a whole step where the rounding is one-sided), limits never grow,
 * alarms are never lost, never swap severity, and nothing but the battery decides the bytes. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "onepack/wire.h"

#define ROUNDS 3000

/* xorshift: small, and the same everywhere */
static uint32_t next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static int32_t between(uint32_t *state, int32_t low, int32_t high)
{
	return low + (int32_t)(next(state) % (uint32_t)(high - low + 1));
}

static const struct {
	size_t offset;
	int32_t low, high;    /* what a battery can have */
	int32_t below, above; /* how far a value that comes back may be from the one sent */
} members[] = {
#define MEMBER(name, low, high, below, above)                           \
	{                                                               \
		offsetof(struct battery, name), low, high, below, above \
	}
	MEMBER(voltage_mv, 1000, 300000, 5, 5),
	MEMBER(current_ma, -3200000, 3200000, 50, 50),
	MEMBER(soc_mpct, 0, 100000, 999, 500), /* 99.9 shows as 99 */
	MEMBER(soh_mpct, 0, 100000, 500, 500),
	MEMBER(charge_voltage_limit_mv, 1000, 100000, 99, 0),
	MEMBER(discharge_voltage_limit_mv, 100, 100000, 0, 99),
	MEMBER(charge_current_limit_ma, 0, 3276700, 99, 0),
	MEMBER(discharge_current_limit_ma, 0, 3276700, 99, 0),
	MEMBER(temperature_mC, -40000, 90000, 50, 50),
	MEMBER(temperature_min_mC, -40000, 90000, 500, 500),
	MEMBER(temperature_max_mC, -40000, 90000, 500, 500),
	MEMBER(cell_min_mv, 0, 5000, 0, 0),
	MEMBER(cell_max_mv, 0, 5000, 0, 0),
	MEMBER(remaining_mah, 0, 60000000, 500, 500),
	MEMBER(capacity_mah, 0, 60000000, 500, 500),
	MEMBER(energy_charged_wh, 0, 2000000000, 50, 50),
	MEMBER(energy_discharged_wh, 0, 2000000000, 50, 50),
	MEMBER(packs_online, 0, 16, 0, 0),
	MEMBER(packs_blocking_charge, 0, 16, 0, 0),
	MEMBER(packs_blocking_discharge, 0, 16, 0, 0),
	MEMBER(cell_min_pack, 1, 16, 0, 0),
	MEMBER(cell_min_cell, 1, 16, 0, 0),
	MEMBER(cell_max_pack, 1, 16, 0, 0),
	MEMBER(cell_max_cell, 1, 16, 0, 0),
	MEMBER(temperature_min_pack, 1, 16, 0, 0),
	MEMBER(temperature_max_pack, 1, 16, 0, 0),
	MEMBER(force_charge, 0, 2, 0, 0),
	MEMBER(full_charge_request, 0, 1, 0, 0),
#undef MEMBER
};

#define MEMBER_COUNT (sizeof members / sizeof members[0])

static int32_t get(const struct battery *battery, size_t offset)
{
	int32_t value;

	memcpy(&value, (const char *)battery + offset, sizeof value);
	return value;
}

static void random_battery(uint32_t *state, struct battery *battery)
{
	battery_clear(battery);
	battery->state = BATTERY_STANDBY;
	battery->charge_allowed = battery->discharge_allowed = 1;
	for (size_t i = 0; i < MEMBER_COUNT; i++) {
		const int32_t value = between(state, members[i].low, members[i].high);

		memcpy((char *)battery + members[i].offset, &value, sizeof value);
	}
	battery->packs_total = 16;
	for (int i = between(state, 0, 3); i > 0; i--)
		battery->protections |= ALARM_BIT(between(state, 0, ALARM_COUNT - 1));
	for (int i = between(state, 0, 3); i > 0; i--)
		battery->warnings |= ALARM_BIT(between(state, 0, ALARM_COUNT - 1));
}

static void round_trip(const struct wire *wire, const struct wire_context *ctx,
		       const struct battery *battery, struct wire_values *out)
{
	wire_values_clear(out);
	for (int i = 0; i < wire_message_count(wire); i++) {
		struct can_message frame, again;

		if (wire_encode_can(wire, i, ctx, battery, &frame) != 1)
			continue;
		memset(&again, 0xA5, sizeof again);
		assert_int_equal(wire_encode_can(wire, i, ctx, battery, &again), 1);
		assert_int_equal(again.length, frame.length);
		assert_memory_equal(again.data, frame.data, sizeof frame.data);
		assert_int_equal(wire_decode_can(wire, ctx, &frame, out), 0);
	}
}

static void check_members(const struct wire *wire, const struct battery *sent,
			  const struct battery *read)
{
	struct wire_info info;

	wire_get_info(wire, &info);
	for (size_t i = 0; i < MEMBER_COUNT; i++) {
		const size_t offset = members[i].offset;
		const int32_t a = get(sent, offset), b = get(read, offset);
		int64_t below = members[i].below, above = members[i].above;

		if (b == FIELD_UNKNOWN)
			continue; /* this protocol does not say it */
		/* victron: soft and urgent are the same request */
		if (offset == offsetof(struct battery, force_charge) && a == FORCE_URGENT)
			above = 0, below = 1;
		/* victron: never far below the present voltage */
		if (offset == offsetof(struct battery, charge_voltage_limit_mv) &&
		    strcmp(info.id, "can/victron-20170717") == 0 && a < sent->voltage_mv - 200)
			continue;
		if ((int64_t)b < a - below || (int64_t)b > a + above)
			fail_msg("%s: member %zu sent as %d is read as %d", info.id, i, a, b);
	}
	/* full is only full */
	assert_true(sent->soc_mpct == 100000 || read->soc_mpct < 100000);
}

static void check_alarms(const struct battery *sent, const struct wire_values *read)
{
	assert_true(!sent->protections == !read->battery.protections);
	assert_true(!sent->warnings == !read->battery.warnings);
}

static void run(const char *id)
{
	struct wire *wire = wire_load(id, stderr);
	static struct wire_values values;
	static struct battery battery;
	struct wire_context ctx;
	uint32_t state = 0x1234567;

	assert_non_null(wire);
	wire_context_init(wire, &ctx);
	for (int i = 0; i < ROUNDS; i++) {
		random_battery(&state, &battery);
		round_trip(wire, &ctx, &battery, &values);
		check_members(wire, &battery, &values.battery);
		check_alarms(&battery, &values);
	}
	wire_free(wire);
}

static void pylon_round_trips(void **state)
{
	(void)state;
	run("can/pylon-lv-1.2");
}

static void victron_round_trips(void **state)
{
	(void)state;
	run("can/victron-20170717");
}

/* Any subset of knowledge: nothing crashes, limits are 0 when blocked or unknown, no charge voltage
 * and no SOC of zero is ever made up. */
static void ignorance_is_safe(void **state)
{
	static struct wire_values values;
	static struct battery battery;
	struct wire *wire = wire_load("can/pylon-lv-1.2", stderr);
	struct wire_context ctx;
	uint32_t random = 99;

	(void)state;
	assert_non_null(wire);
	wire_context_init(wire, &ctx);
	for (int i = 0; i < ROUNDS; i++) {
		random_battery(&random, &battery);
		for (size_t m = 0; m < MEMBER_COUNT; m++)
			if (next(&random) % 2) {
				const int32_t unknown = FIELD_UNKNOWN;

				memcpy((char *)&battery + members[m].offset, &unknown,
				       sizeof unknown);
			}
		battery.charge_allowed = next(&random) % 2 ? 0 : FIELD_UNKNOWN;
		round_trip(wire, &ctx, &battery, &values);
		assert_true(values.battery.charge_voltage_limit_mv >= 1000);
		assert_int_equal(values.battery.charge_allowed, 0);
		if (battery.charge_allowed == 0 || battery.charge_current_limit_ma == FIELD_UNKNOWN)
			assert_int_equal(values.battery.charge_current_limit_ma, 0);
		if (battery.soc_mpct == FIELD_UNKNOWN)
			assert_int_equal(values.battery.soc_mpct, FIELD_UNKNOWN);
		if (battery.voltage_mv == FIELD_UNKNOWN)
			assert_int_equal(values.battery.voltage_mv, FIELD_UNKNOWN);
	}
	wire_free(wire);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pylon_round_trips),
		cmocka_unit_test(victron_round_trips),
		cmocka_unit_test(ignorance_is_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
