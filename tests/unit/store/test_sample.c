// SPDX-License-Identifier: Apache-2.0
/* From a battery to a row, and which reasons are news. */
#include "fixture.h"

static void a_sample_has_every_battery_field_in_order(void **state)
{
	struct battery battery;
	struct sample sample;

	(void)state;
	make_battery(&battery, NOON_S, 2);
	battery.soh_mpct = FIELD_UNKNOWN;
	sample_take(&battery, 5, NOON_S * 1000, &sample);
	assert_int_equal(SAMPLE_BATTERY_COUNT, field_battery.field_count);
	for (int i = 0; i < SAMPLE_BATTERY_COUNT; i++)
		assert_int_equal(sample.battery[i], field_get(&battery, &field_battery.fields[i]));
	assert_int_equal(sample.pack_count, 2);
	assert_int_equal(sample.monotonic_ms, 5);
}

static void a_pack_gives_its_extremes(void **state)
{
	struct battery battery;
	struct sample sample;

	(void)state;
	make_battery(&battery, NOON_S, 1);
	battery.packs[0].cells_mv[3] = FIELD_UNKNOWN;
	battery.packs[0].cells_mv[4] = 2900;
	battery.packs[0].cells_mv[15] = 3600;
	battery.packs[0].temperatures_mC[1] = -12000;
	sample_take(&battery, 0, 0, &sample);
	assert_int_equal(sample.pack[0][SAMPLE_PACK_cell_min], 2900);
	assert_int_equal(sample.pack[0][SAMPLE_PACK_cell_max], 3600);
	assert_int_equal(sample.pack[0][SAMPLE_PACK_temperature_min], -12000);
	assert_int_equal(sample.pack[0][SAMPLE_PACK_voltage], battery.packs[0].voltage_mv);
	battery.packs[0].cell_count = 0;
	battery.packs[0].temperature_count = 0;
	sample_take(&battery, 0, 0, &sample);
	assert_int_equal(sample.pack[0][SAMPLE_PACK_cell_min], FIELD_UNKNOWN);
	assert_int_equal(sample.pack[0][SAMPLE_PACK_temperature_max], FIELD_UNKNOWN);
}

static void packs_that_were_never_there_have_no_row(void **state)
{
	struct battery battery;
	struct sample sample;

	(void)state;
	make_battery(&battery, NOON_S, 3);
	battery.packs[0].state = PACK_ABSENT;
	battery.packs[1].pack = FIELD_UNKNOWN;
	sample_take(&battery, 0, 0, &sample);
	assert_int_equal(sample.pack_count, 1);
	assert_int_equal(sample.pack_number[0], 3);
}

static void columns_are_found_by_their_public_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < field_battery.field_count; i++)
		assert_int_equal(store_column_find(STORE_BATTERY, field_battery.fields[i].json), i);
	assert_int_equal(store_column_find(STORE_PACK, "cell_min_v"), SAMPLE_PACK_cell_min);
	assert_int_equal(store_column_unit(STORE_PACK, SAMPLE_PACK_cell_min), UNIT_V);
	assert_int_equal(store_column_find(STORE_PACK, "power_w"), -1);
	assert_int_equal(store_column_find(STORE_BATTERY, "time"), -1);
}

static void put_reason(struct battery *battery, const char *rule, int32_t pack, int32_t value)
{
	struct reason *reason = &battery->reasons[battery->reason_count++];

	memset(reason, 0, sizeof *reason);
	reason->limit = LIMIT_CHARGE_CURRENT;
	reason->pack = pack;
	reason->cell = FIELD_UNKNOWN;
	reason->value = value;
	strcpy(reason->rule, rule);
}

static void reasons_are_news_when_they_change(void **state)
{
	static const struct {
		const char *rule;
		int32_t pack, value;
		bool thorough;
		int news;
	} table[] = {
		{"share", 1, 40000, false, 1}, /* the first */
		{"share", 1, 40000, true, 0},  /* nothing new */
		{"share", 2, 40000, false, 0}, /* the pack alone: only with the samples */
		{"share", 2, 40000, true, 1},
		{"share", 2, 39000, true, 0},         /* 2.5 % less */
		{"share", 2, 37000, true, 1},         /* 7.5 % less than the last row */
		{"cell_voltage", 2, 37000, false, 1}, /* another rule: at once */
		{"cell_voltage", 2, 0, true, 1},
		{"cell_voltage", 2, 1, true, 1},
		{"cell_voltage", 2, FIELD_UNKNOWN, true, 1},
	};
	struct reason_memory memory = {0};
	struct reason out[LIMIT_COUNT];
	struct battery battery;

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		battery_clear(&battery);
		put_reason(&battery, table[i].rule, table[i].pack, table[i].value);
		assert_int_equal(reason_changes(&memory, &battery, table[i].thorough, out),
				 table[i].news);
		if (table[i].news)
			assert_int_equal(out[0].value, table[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sample_has_every_battery_field_in_order),
		cmocka_unit_test(a_pack_gives_its_extremes),
		cmocka_unit_test(packs_that_were_never_there_have_no_row),
		cmocka_unit_test(columns_are_found_by_their_public_name),
		cmocka_unit_test(reasons_are_news_when_they_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
