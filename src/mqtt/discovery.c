// SPDX-License-Identifier: Apache-2.0
/* Home Assistant device discovery: one retained message per device (the battery, and each pack
 * behind it), made from the vocabulary tables. Format: Home Assistant's MQTT integration, "device
 * discovery payload" (2024.11). */
#include <stdio.h>
#include <string.h>

#include "onepack/json.h"
#include "onepack/mqtt.h"

#define TOPIC_SIZE 640

/* What Home Assistant calls our units. NULL device class = a plain number. */
static const struct {
	enum unit unit;
	const char *symbol, *device_class, *state_class;
} classes[] = {
	{UNIT_V, "V", "voltage", "measurement"},         {UNIT_A, "A", "current", "measurement"},
	{UNIT_W, "W", "power", "measurement"},           {UNIT_AH, "Ah", NULL, "measurement"},
	{UNIT_KWH, "kWh", "energy", "total_increasing"}, {UNIT_PCT, "%", NULL, "measurement"},
	{UNIT_C, "°C", "temperature", "measurement"},    {UNIT_S, "s", "duration", "measurement"},
	{UNIT_COUNT, NULL, NULL, "measurement"},
};

/* Fields that a user wants on the first page; the rest is diagnostic. */
static const char *const primary[] = {"state",
				      "voltage",
				      "current",
				      "power",
				      "soc",
				      "remaining",
				      "energy_charged",
				      "energy_discharged",
				      "temperature",
				      "charge_current_limit",
				      "discharge_current_limit",
				      "charge_voltage_limit",
				      NULL};

static bool is_primary(const char *name)
{
	for (int i = 0; primary[i]; i++)
		if (strcmp(primary[i], name) == 0)
			return true;
	return false;
}

static void set_text(json_t *json, const char *key, const char *text)
{
	if (text && text[0])
		json_object_set_new(json, key, json_string(text));
}

/* "charge_current_limit" -> "Charge current limit" */
static void set_name(json_t *json, const char *field_name)
{
	char name[64];

	snprintf(name, sizeof name, "%s", field_name);
	for (char *c = name; *c; c++)
		if (*c == '_')
			*c = ' ';
	if (name[0] >= 'a' && name[0] <= 'z')
		name[0] = (char)(name[0] - 'a' + 'A');
	json_object_set_new(json, "name", json_string(name));
}

static void set_classes(json_t *json, const struct field *field)
{
	for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
		if (classes[i].unit != field->unit)
			continue;
		set_text(json, "unit_of_measurement", classes[i].symbol);
		set_text(json, "device_class",
			 strcmp(field->name, "soc") == 0 ? "battery" : classes[i].device_class);
		set_text(json, "state_class", classes[i].state_class);
	}
}

static void add_field(json_t *components, const char *device, const struct field *field)
{
	json_t *json = json_object();
	char text[160];

	json_object_set_new(json, "platform",
			    json_string(field->unit == UNIT_FLAG ? "binary_sensor" : "sensor"));
	snprintf(text, sizeof text, "%s_%s", device, field->json);
	json_object_set_new(json, "unique_id", json_string(text));
	set_name(json, field->name);
	if (field->unit == UNIT_FLAG)
		snprintf(text, sizeof text, "{{ 'ON' if value_json.%s else 'OFF' }}", field->json);
	else
		snprintf(text, sizeof text, "{{ value_json.%s }}", field->json);
	json_object_set_new(json, "value_template", json_string(text));
	set_classes(json, field);
	if (!is_primary(field->name))
		json_object_set_new(json, "entity_category", json_string("diagnostic"));
	json_object_set_new(components, field->json, json);
}

static void add_alarm(json_t *components, const char *device, const char *key)
{
	json_t *json = json_object();
	char text[160];

	json_object_set_new(json, "platform", json_string("binary_sensor"));
	snprintf(text, sizeof text, "%s_%s", device, key);
	json_object_set_new(json, "unique_id", json_string(text));
	set_name(json, key);
	json_object_set_new(json, "device_class", json_string("problem"));
	snprintf(text, sizeof text, "{{ 'ON' if value_json.%s else 'OFF' }}", key);
	json_object_set_new(json, "value_template", json_string(text));
	json_object_set_new(components, key, json);
}

static json_t *origin(void)
{
	json_t *json = json_object();

	json_object_set_new(json, "name", json_string("OnePack"));
	json_object_set_new(json, "sw_version", json_string(ONEPACK_VERSION));
	return json;
}

static json_t *message(const struct mqtt_config *config, const char *device, json_t *about,
		       const struct field_table *table, const char *topic_end)
{
	json_t *json = json_object(), *components = json_object();
	char topic[TOPIC_SIZE];

	for (size_t i = 0; i < table->field_count; i++)
		add_field(components, device, &table->fields[i]);
	add_alarm(components, device, "protections");
	add_alarm(components, device, "warnings");
	json_object_set_new(json, "device", about);
	json_object_set_new(json, "origin", origin());
	json_object_set_new(json, "components", components);
	snprintf(topic, sizeof topic, "%s/%s/availability", config->base, config->gateway);
	json_object_set_new(json, "availability_topic", json_string(topic));
	snprintf(topic, sizeof topic, "%s/%s/%s", config->base, config->gateway, topic_end);
	json_object_set_new(json, "state_topic", json_string(topic));
	return json;
}

static json_t *about_device(const char *identifier, const char *name)
{
	json_t *json = json_object(), *identifiers = json_array();

	json_array_append_new(identifiers, json_string(identifier));
	json_object_set_new(json, "identifiers", identifiers);
	json_object_set_new(json, "name", json_string(name));
	return json;
}

json_t *mqtt_discovery_battery(const struct mqtt_config *config)
{
	char device[FIELD_TEXT_SIZE + 16];

	snprintf(device, sizeof device, "onepack_%s", config->gateway);
	json_t *about = about_device(device, "OnePack battery");
	set_text(about, "manufacturer", "OnePack");
	set_text(about, "sw_version", ONEPACK_VERSION);
	return message(config, device, about, &field_battery, "battery");
}

json_t *mqtt_discovery_pack(const struct mqtt_config *config, const struct pack *pack)
{
	char device[FIELD_TEXT_SIZE + 32], parent[FIELD_TEXT_SIZE + 16], name[32], topic[32];

	snprintf(parent, sizeof parent, "onepack_%s", config->gateway);
	snprintf(device, sizeof device, "onepack_%s_pack_%d", config->gateway, (int)pack->pack);
	snprintf(name, sizeof name, "Pack %d", (int)pack->pack);
	snprintf(topic, sizeof topic, "pack/%d", (int)pack->pack);
	json_t *about = about_device(device, name);
	set_text(about, "via_device", parent);
	set_text(about, "model", pack->model);
	set_text(about, "serial_number", pack->serial);
	set_text(about, "sw_version", pack->firmware_version);
	return message(config, device, about, &field_pack, topic);
}
