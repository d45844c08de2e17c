// SPDX-License-Identifier: Apache-2.0
/* Which change of limits is stricter, and which messages carry limits. */
#include "../cmocka_all.h"

#include <string.h>

#include "limits.h"

struct limits_row {
	int32_t charge_ma, discharge_ma, charge_mv, discharge_mv, charge_allowed, discharge_allowed;
};

static void set(struct battery *battery, const struct limits_row *row)
{
	battery_clear(battery);
	battery->charge_current_limit_ma = row->charge_ma;
	battery->discharge_current_limit_ma = row->discharge_ma;
	battery->charge_voltage_limit_mv = row->charge_mv;
	battery->discharge_voltage_limit_mv = row->discharge_mv;
	battery->charge_allowed = row->charge_allowed;
	battery->discharge_allowed = row->discharge_allowed;
}

static void each_limit_can_fall(void **state)
{
	static const struct limits_row before = {100000, 200000, 55200, 46000, 1, 1};
	static const struct {
		struct limits_row after;
		bool fell;
	} rows[] = {
		{{100000, 200000, 55200, 46000, 1, 1}, false},
		{{99999, 200000, 55200, 46000, 1, 1}, true},
		{{100001, 200000, 55200, 46000, 1, 1}, false},
		{{100000, 199999, 55200, 46000, 1, 1}, true},
		{{100000, 200001, 55200, 46000, 1, 1}, false},
		{{100000, 200000, 55199, 46000, 1, 1}, true},
		{{100000, 200000, 55201, 46000, 1, 1}, false},
		{{100000, 200000, 55200, 46001, 1, 1}, true},
		{{100000, 200000, 55200, 45999, 1, 1}, false},
		{{100000, 200000, 55200, 46000, 0, 1}, true},
		{{100000, 200000, 55200, 46000, 1, 0}, true},
		{{FIELD_UNKNOWN, 200000, 55200, 46000, 1, 1}, true},
		{{100000, 200000, FIELD_UNKNOWN, 46000, 1, 1}, true},
		{{100000, 200000, 55200, FIELD_UNKNOWN, 1, 1}, true},
		{{300000, 200000, 55200, 46000, 1, 0}, true}, /* one up, one down */
	};
	struct battery a;
	struct battery b;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		set(&a, &before);
		set(&b, &rows[i].after);
		assert_int_equal(limits_fell(&a, &b), rows[i].fell);
	}
	battery_clear(&a); /* nothing was known: anything is an improvement */
	set(&b, &before);
	assert_false(limits_fell(&a, &b));
	/* what is forbidden anyway cannot get stricter */
	set(&a, &(struct limits_row){100000, 0, 55200, 46000, 0, 0});
	set(&b, &(struct limits_row){0, 0, 55200, 46000, 0, 0});
	assert_false(limits_fell(&a, &b));
}

static uint64_t ids_to_set(const struct wire *wire, const uint32_t *ids, int count)
{
	struct wire_message_info info;
	uint64_t bits = 0;

	for (int i = 0; i < wire_message_count(wire); i++) {
		wire_get_message(wire, i, &info);
		for (int k = 0; k < count; k++)
			if (info.id == ids[k])
				bits |= (uint64_t)1 << i;
	}
	return bits;
}

static void the_messages_with_limits_are_found(void **state)
{
	static const uint32_t pylon[] = {0x351, 0x35C};
	static const uint32_t victron[] = {0x351};
	struct wire_context ctx;
	struct wire *wire;

	(void)state;
	wire = wire_load("can/pylon-lv-1.2", stderr);
	assert_non_null(wire);
	wire_context_init(wire, &ctx);
	assert_int_equal(limits_messages(wire, &ctx), ids_to_set(wire, pylon, 2));
	wire_free(wire);
	wire = wire_load("can/victron-20170717", stderr);
	assert_non_null(wire);
	wire_context_init(wire, &ctx);
	/* 0x372 counts modules that block charge or discharge, which this battery has none of */
	assert_int_equal(limits_messages(wire, &ctx), ids_to_set(wire, victron, 1));
	wire_free(wire);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_limit_can_fall),
		cmocka_unit_test(the_messages_with_limits_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
