// SPDX-License-Identifier: Apache-2.0
/* The vocabulary: names, keys and words are what the public contract says. */
#include "../cmocka_all.h"

#include <string.h>

#include "onepack/battery.h"
#include "onepack/err.h"
#include "onepack/status.h"

static const char *json_of(const struct field_table *table, const char *name)
{
	const struct field *field = field_find(table, name);

	return field ? field->json : NULL;
}

static void keys_follow_from_name_and_unit(void **state)
{
	(void)state;
	assert_string_equal(json_of(&field_battery, "voltage"), "voltage_v");
	assert_string_equal(json_of(&field_battery, "energy_charged"), "energy_charged_kwh");
	assert_string_equal(json_of(&field_battery, "soc"), "soc_pct");
	assert_string_equal(json_of(&field_battery, "packs_online"), "packs_online");
	assert_string_equal(json_of(&field_pack, "age"), "age_s");
	assert_string_equal(json_of(&field_pack, "mos_temperature"), "mos_temperature_c");
	assert_string_equal(json_of(&field_settings, "charge_cell"), "charge_cell_v");
	assert_null(field_find(&field_battery, "voltage_v"));
}

static void get_and_set_reach_the_member(void **state)
{
	struct battery battery;

	(void)state;
	battery_clear(&battery);
	field_set(&battery, field_find(&field_battery, "temperature_max"), -12300);
	assert_int_equal(battery.temperature_max_mC, -12300);
	battery.packs_online = 7;
	assert_int_equal(field_get(&battery, field_find(&field_battery, "packs_online")), 7);
}

static void clear_means_unknown(void **state)
{
	struct pack pack;

	(void)state;
	memset(&pack, 1, sizeof pack);
	pack_clear(&pack);
	for (size_t i = 0; i < field_pack.field_count; i++)
		assert_int_equal(field_get(&pack, &field_pack.fields[i]), FIELD_UNKNOWN);
	for (size_t i = 0; i < field_settings.field_count; i++)
		assert_int_equal(field_get(&pack.settings, &field_settings.fields[i]),
				 FIELD_UNKNOWN);
	assert_string_equal(pack.serial, "");
	assert_int_equal(pack.cell_count, 0);
}

static void names_are_unique(void **state)
{
	const struct field_table *tables[] = {&field_battery, &field_pack, &field_settings,
					      &field_inverter};

	(void)state;
	for (size_t t = 0; t < 4; t++)
		for (size_t i = 0; i < tables[t]->field_count; i++)
			assert_ptr_equal(field_find(tables[t], tables[t]->fields[i].name),
					 &tables[t]->fields[i]);
}

static void words_go_both_ways(void **state)
{
	(void)state;
	assert_string_equal(unit_word(UNIT_BATTERY_STATE, BATTERY_NO_DATA), "no_data");
	assert_string_equal(unit_word(UNIT_PACK_STATE, PACK_QUARANTINED), "quarantined");
	assert_string_equal(unit_word(UNIT_CHARGE_STAGE, CHARGE_DONE), "done");
	assert_int_equal(unit_value(UNIT_FORCE_CHARGE, "urgent"), FORCE_URGENT);
	assert_int_equal(unit_value(UNIT_FORCE_CHARGE, "later"), -1);
	assert_null(unit_word(UNIT_FORCE_CHARGE, 3));
	assert_null(unit_word(UNIT_FORCE_CHARGE, -1));
	assert_null(unit_word(UNIT_V, 0));
}

static void alarms_go_both_ways(void **state)
{
	(void)state;
	for (int i = 0; i < ALARM_COUNT; i++) {
		assert_int_equal(alarm_by_name(alarm_name((enum alarm)i)), i);
		assert_true(strlen(alarm_meaning((enum alarm)i)) > 5);
	}
	assert_int_equal(alarm_by_name("nonsense"), -1);
	assert_null(alarm_name(ALARM_COUNT));
	assert_null(alarm_meaning(ALARM_COUNT));
}

static void every_error_and_status_has_a_word(void **state)
{
	(void)state;
	assert_string_equal(err_name(ERR_CHECKSUM), "checksum");
	assert_string_equal(err_name(0), "error");
	for (int err = ERR_UNKNOWN; err <= ERR_NOT_MINE; err++)
		assert_string_not_equal(err_name(err), "error");
	assert_string_equal(link_state_name(LINK_UP), "up");
	assert_string_equal(link_state_name((enum link_state)9), "error");
	assert_string_equal(bus_cause_name(BUS_CAUSE_IO), "io");
	assert_string_equal(bus_cause_name(BUS_CAUSE_COUNT), "error");
	assert_string_equal(limit_name(LIMIT_CHARGE_VOLTAGE), "charge_voltage");
	assert_null(limit_name((enum limit)LIMIT_COUNT));
}

static void texts_are_found_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < field_pack.text_count; i++)
		assert_ptr_equal(field_find_text(&field_pack, field_pack.texts[i].name),
				 &field_pack.texts[i]);
	assert_null(field_find_text(&field_pack, "nonsense"));
	assert_string_equal(field_find_text(&field_inverter, "inverter_time")->name,
			    "inverter_time");
}

static void units_have_symbols(void **state)
{
	(void)state;
	assert_string_equal(unit_symbol(UNIT_C), "degC");
	assert_string_equal(unit_symbol(UNIT_COUNT), "");
	assert_string_equal(unit_metric_suffix(UNIT_KWH), "kilowatt_hours");
	assert_int_equal(unit_is_thousandths(UNIT_V), 1);
	assert_int_equal(unit_is_thousandths(UNIT_FLAG), 0);
	assert_int_equal(unit_value(UNIT_BATTERY_STATE, "charging"), 0);
	assert_int_equal(unit_value(UNIT_V, "charging"), -1);
}

static void an_inverter_begins_unknown(void **state)
{
	struct inverter_view view;

	(void)state;
	memset(&view, 1, sizeof view);
	inverter_view_clear(&view);
	assert_int_equal(view.inverter_mode, FIELD_UNKNOWN);
	assert_int_equal(view.inverter_current_ma, FIELD_UNKNOWN);
	assert_string_equal(view.inverter_manufacturer, "");
	assert_string_equal(view.inverter_time, "");
}

static void limits_have_names(void **state)
{
	static const char *const names[LIMIT_COUNT] = {"charge_current", "discharge_current",
						       "charge_voltage", "discharge_voltage"};

	(void)state;
	for (int i = 0; i < LIMIT_COUNT; i++)
		assert_string_equal(limit_name((enum limit)i), names[i]);
}

static void every_error_has_its_own_word(void **state)
{
	static const struct {
		int err;
		const char *word;
	} rows[] = {{ERR_NOT_MINE, "not_mine"},
		    {ERR_INCOMPLETE, "incomplete"},
		    {ERR_CHECKSUM, "checksum"},
		    {ERR_FORMAT, "format"},
		    {ERR_RANGE, "range"},
		    {ERR_UNSUPPORTED, "unsupported"},
		    {ERR_SPACE, "space"},
		    {ERR_TIMEOUT, "timeout"},
		    {ERR_FOREIGN, "foreign"},
		    {ERR_UNKNOWN, "unknown"},
		    {-999, "error"},
		    {-1010, "error"}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(err_name(rows[i].err), rows[i].word);
	assert_string_equal(link_state_name(LINK_DOWN), "down");
	assert_string_equal(link_state_name(LINK_ERROR), "error");
	assert_string_equal(link_state_name((enum link_state)3), "error");
	assert_string_equal(bus_cause_name(BUS_CAUSE_TIMEOUT), "timeout");
	assert_string_equal(alarm_name((enum alarm)0), "cell_overvoltage");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_follow_from_name_and_unit),
		cmocka_unit_test(get_and_set_reach_the_member),
		cmocka_unit_test(clear_means_unknown),
		cmocka_unit_test(names_are_unique),
		cmocka_unit_test(words_go_both_ways),
		cmocka_unit_test(alarms_go_both_ways),
		cmocka_unit_test(every_error_and_status_has_a_word),
		cmocka_unit_test(texts_are_found_by_name),
		cmocka_unit_test(units_have_symbols),
		cmocka_unit_test(an_inverter_begins_unknown),
		cmocka_unit_test(limits_have_names),
		cmocka_unit_test(every_error_has_its_own_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
