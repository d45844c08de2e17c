// SPDX-License-Identifier: Apache-2.0
/* JSON: the contract's keys, exact decimals, and reading back what was written. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "onepack/err.h"
#include "onepack/json.h"

static void a_cleared_battery_has_every_key_as_null(void **state)
{
	static const char *const keys[] = {"time",
					   "state",
					   "voltage_v",
					   "mos_temperature_max_c",
					   "energy_charged_kwh",
					   "serial",
					   "force_charge",
					   "cell_max_cell"};
	struct battery battery;

	(void)state;
	battery_clear(&battery);
	json_t *json = json_from_battery(&battery);
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		assert_true(json_is_null(json_object_get(json, keys[i])));
	assert_int_equal(json_array_size(json_object_get(json, "packs")), 0);
	assert_true(json_is_array(json_object_get(json, "reasons")));
	json_decref(json);
}

static void thousandths_print_exactly(void **state)
{
	struct battery battery;

	(void)state;
	battery_clear(&battery);
	battery.voltage_mv = 53125;
	battery.power_mw = 192000001;
	battery.charge_allowed = 0;
	battery.state = BATTERY_CHARGING;
	json_t *json = json_from_battery_without_packs(&battery);
	char *text = json_dumps(json, ONEPACK_JSON_FLAGS);
	assert_non_null(strstr(text, "\"voltage_v\":53.125,"));
	assert_non_null(strstr(text, "\"power_w\":192000.001,"));
	assert_non_null(strstr(text, "\"charge_allowed\":false"));
	assert_non_null(strstr(text, "\"state\":\"charging\""));
	free(text);
	json_decref(json);
}

static void written_is_read_back(void **state)
{
	struct battery battery, back;

	(void)state;
	battery_clear(&battery);
	battery.time_ms = 1767268800250;
	battery.charge_voltage_limit_mv = 55200;
	battery.force_charge = FORCE_SOFT;
	battery.warnings = ALARM_BIT(ALARM_pack_lost) | ALARM_BIT(ALARM_low_soc);
	battery.pack_count = 1;
	pack_clear(&battery.packs[0]);
	battery.packs[0].pack = 4;
	battery.packs[0].state = PACK_HELD;
	battery.packs[0].cell_count = 2;
	battery.packs[0].cells_mv[0] = 3301;
	battery.packs[0].cells_mv[1] = FIELD_UNKNOWN;
	battery.packs[0].temperature_count = 1;
	battery.packs[0].temperatures_mC[0] = -5100;
	strcpy(battery.packs[0].serial, "A1");
	json_t *json = json_from_battery(&battery);
	assert_string_equal(json_string_value(json_object_get(json, "time")),
			    "2026-01-01T12:00:00.250Z");
	assert_int_equal(json_to_battery(json, &back), 0);
	assert_memory_equal(&back, &battery, sizeof battery);
	json_decref(json);
}

static void a_reason_names_what_would_limit_next(void **state)
{
	struct battery battery;
	struct reason *reason = &battery.reasons[0];

	(void)state;
	battery_clear(&battery);
	battery.reason_count = 2;
	battery.reasons[1].limit = LIMIT_DISCHARGE_CURRENT;
	reason->runner_up =
		(struct runner_up){63249, 3, FIELD_UNKNOWN, "temperature", "Otherwise."};
	json_t *json = json_from_battery(&battery);
	json_t *list = json_object_get(json, "reasons");
	char *text = json_dumps(json_object_get(json_array_get(list, 0), "runner_up"),
				ONEPACK_JSON_FLAGS);
	assert_string_equal(text, "{\"value\":63.249,\"rule\":\"temperature\",\"pack\":3,"
				  "\"cell\":null,\"text\":\"Otherwise.\"}");
	assert_true(json_is_null(json_object_get(json_array_get(list, 1), "runner_up")));
	free(text);
	json_decref(json);
}

static void nonsense_is_unknown_and_large_numbers_saturate(void **state)
{
	json_t *json = json_loads(
		"{\"voltage_v\": \"high\", \"current_a\": 1e30, \"power_w\": -1e30, \"soc_pct\": [],"
		"\"packs\": [7, {\"cells_v\": 3}], \"warnings\": [1, \"nonsense\", \"pack_lost\"]}",
		0, NULL);
	struct battery battery;

	(void)state;
	assert_int_equal(json_to_battery(json, &battery), 0);
	assert_int_equal(battery.voltage_mv, FIELD_UNKNOWN);
	assert_int_equal(battery.current_ma, INT32_MAX);
	assert_int_equal(battery.power_mw, -INT32_MAX);
	assert_int_equal(battery.soc_mpct, FIELD_UNKNOWN);
	assert_int_equal(battery.pack_count, 1);
	assert_int_equal(battery.warnings, ALARM_BIT(ALARM_pack_lost));
	json_decref(json);
	json = json_array();
	assert_int_equal(json_to_battery(json, &battery), ERR_FORMAT);
	json_decref(json);
}

static void nothing_rounds_up_to_full(void **state)
{
	json_t *json = json_loads("{\"soc_pct\": 99.99996, \"soh_pct\": 100}", 0, NULL);
	struct battery battery;

	(void)state;
	assert_int_equal(json_to_battery(json, &battery), 0);
	assert_int_equal(battery.soc_mpct, 99999);
	assert_int_equal(battery.soh_mpct, 100000);
	json_decref(json);
}

static void known_values_only(void **state)
{
	struct pack pack;

	(void)state;
	pack_clear(&pack);
	pack.soc_mpct = 65000;
	pack.settings.cell_overvoltage_mv = 3650;
	json_t *json = json_known_pack(&pack);
	char *text = json_dumps(json, ONEPACK_JSON_FLAGS);
	assert_string_equal(text, "{\"soc_pct\":65.0,\"settings\":{\"cell_overvoltage_v\":3.65}}");
	free(text);
	json_decref(json);
}

static void bytes_that_are_no_text_do_not_break_the_object(void **state)
{
	struct pack pack;

	(void)state;
	pack_clear(&pack);
	memcpy(pack.serial,
	       "\xff\xfe"
	       "AB",
	       5);
	json_t *json = json_from_pack(&pack);
	assert_string_equal(json_string_value(json_object_get(json, "serial")), "??AB");
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cleared_battery_has_every_key_as_null),
		cmocka_unit_test(thousandths_print_exactly),
		cmocka_unit_test(written_is_read_back),
		cmocka_unit_test(a_reason_names_what_would_limit_next),
		cmocka_unit_test(nonsense_is_unknown_and_large_numbers_saturate),
		cmocka_unit_test(nothing_rounds_up_to_full),
		cmocka_unit_test(known_values_only),
		cmocka_unit_test(bytes_that_are_no_text_do_not_break_the_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
