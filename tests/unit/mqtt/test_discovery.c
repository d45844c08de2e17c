// SPDX-License-Identifier: Apache-2.0
/* Home Assistant's device discovery payload has what that program demands. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "onepack/mqtt.h"

static const struct mqtt_config config = {
	.base = "onepack", .gateway = "g1", .discovery_prefix = "homeassistant"};

static const char *text_at(const json_t *json, const char *a, const char *b)
{
	return json_string_value(json_object_get(json_object_get(json, a), b));
}

static void the_battery_is_a_device_with_origin_and_components(void **state)
{
	json_t *json = mqtt_discovery_battery(&config),
	       *components = json_object_get(json, "components"), *component;
	const char *key;

	(void)state;
	assert_string_equal(text_at(json, "origin", "name"),
			    "OnePack"); /* required in device discovery */
	assert_string_equal(
		json_string_value(json_array_get(
			json_object_get(json_object_get(json, "device"), "identifiers"), 0)),
		"onepack_g1");
	assert_string_equal(json_string_value(json_object_get(json, "state_topic")),
			    "onepack/g1/battery");
	assert_string_equal(json_string_value(json_object_get(json, "availability_topic")),
			    "onepack/g1/availability");
	assert_string_equal(text_at(components, "soc_pct", "device_class"), "battery");
	assert_string_equal(text_at(components, "energy_charged_kwh", "state_class"),
			    "total_increasing");
	assert_string_equal(text_at(components, "voltage_v", "value_template"),
			    "{{ value_json.voltage_v }}");
	assert_string_equal(text_at(components, "charge_allowed", "platform"), "binary_sensor");
	assert_string_equal(text_at(components, "protections", "device_class"), "problem");
	json_object_foreach(components, key, component)
	{
		assert_non_null(json_object_get(component, "platform"));
		assert_non_null(json_object_get(component, "unique_id"));
	}
	json_decref(json);
}

static void a_pack_is_a_device_behind_the_battery(void **state)
{
	struct pack pack;

	(void)state;
	pack_clear(&pack);
	pack.pack = 12;
	strcpy(pack.serial, "40119491480");
	json_t *json = mqtt_discovery_pack(&config, &pack);
	assert_string_equal(text_at(json, "device", "via_device"), "onepack_g1");
	assert_string_equal(text_at(json, "device", "serial_number"), "40119491480");
	assert_string_equal(json_string_value(json_object_get(json, "state_topic")),
			    "onepack/g1/pack/12");
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_battery_is_a_device_with_origin_and_components),
		cmocka_unit_test(a_pack_is_a_device_behind_the_battery),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
