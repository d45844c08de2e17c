// SPDX-License-Identifier: Apache-2.0
/* JSON of events and of the state of the links. */
#include "onepack/json.h"

static json_t *seconds_since(int64_t then_ms, int64_t now_ms)
{
	return then_ms ? json_real((double)(now_ms - then_ms) / 1000.0) : json_null();
}

static json_t *thousandths(int32_t value)
{
	return value == FIELD_UNKNOWN ? json_null() : json_real((double)value / 1000.0);
}

json_t *json_from_event(const struct event *event)
{
	json_t *json = json_object();
	char time[JSON_TIME_SIZE];

	json_time_text(event->time_ms, time);
	json_object_set_new(json, "time", time[0] ? json_string(time) : json_null());
	json_object_set_new(json, "kind", json_string(event->kind));
	json_object_set_new(json, "severity", json_string(event_severity_name(event->severity)));
	json_object_set_new(json, "pack",
			    event->pack == FIELD_UNKNOWN ? json_null() : json_integer(event->pack));
	json_object_set_new(json, "text", json_string(event->text));
	return json;
}

json_t *json_from_inverter(const struct inverter_status *status, int number, int64_t now_ms)
{
	json_t *json = json_object();

	json_object_set_new(json, "inverter", json_integer(number));
	json_object_set_new(json, "protocol", json_string(status->protocol));
	json_object_set_new(json, "port", json_string(status->port));
	json_object_set_new(json, "link", json_string(link_state_name(status->link)));
	json_object_set_new(json, "detail", json_string(status->detail));
	json_object_set_new(json, "present",
			    json_boolean(status->heard_ms && !inverter_is_lost(status, now_ms)));
	json_object_set_new(json, "heard_s", seconds_since(status->heard_ms, now_ms));
	json_object_set_new(json, "last_sent_s", seconds_since(status->sent_ms, now_ms));
	json_object_set_new(json, "frames_sent", json_integer((json_int_t)status->frames_sent));
	json_object_set_new(json, "requests", json_integer((json_int_t)status->requests));
	json_object_set_new(json, "errors", json_integer((json_int_t)status->errors));
	json_object_set_new(json, "lease", json_string(status->lease_valid ? "valid" : "expired"));
	json_object_set_new(json, "charge_voltage_limit_v",
			    thousandths(status->charge_voltage_limit_mv));
	json_object_set_new(json, "charge_current_limit_a",
			    thousandths(status->charge_current_limit_ma));
	json_object_set_new(json, "discharge_current_limit_a",
			    thousandths(status->discharge_current_limit_ma));
	json_add_known(json, &status->view, &field_inverter);
	return json;
}

json_t *json_from_bus(const struct bus_status *status)
{
	json_t *json = json_object(), *addresses = json_array();

	json_object_set_new(json, "name", json_string(status->name));
	json_object_set_new(json, "port", json_string(status->port));
	json_object_set_new(json, "link", json_string(link_state_name(status->link)));
	json_object_set_new(json, "detail", json_string(status->detail));
	json_object_set_new(json, "cycle_s",
			    status->cycle_ms ? json_real((double)status->cycle_ms / 1000.0)
					     : json_null());
	json_object_set_new(json, "cycles", json_integer((json_int_t)status->cycles));
	for (int i = 0; i < BUS_MAX_ADDRESS; i++) {
		const struct bus_address_status *address = &status->address[i];
		json_t *entry = json_object();
		uint64_t total = address->answers;

		json_object_set_new(entry, "address", json_integer(i));
		json_object_set_new(entry, "answers", json_integer((json_int_t)address->answers));
		for (int cause = 0; cause < BUS_CAUSE_COUNT; cause++) {
			total += address->errors[cause];
			json_object_set_new(entry, bus_cause_name((enum bus_cause)cause),
					    json_integer((json_int_t)address->errors[cause]));
		}
		if (total)
			json_array_append(addresses, entry);
		json_decref(entry);
	}
	json_object_set_new(json, "addresses", addresses);
	return json;
}
