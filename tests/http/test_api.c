// SPDX-License-Identifier: Apache-2.0
/* Every address that is read: battery, packs, links, history, events, protocols, metrics, health,
 * files. */
#include "site.h"

static void the_battery_is_the_contracts_object(void **state)
{
	(void)state;
	site_start();
	publish_rack(53250);
	assert_int_equal(get("/api/v1/battery"), 200);
	assert_true(has_header("Content-Type: application/json"));
	assert_true(has_header("Cache-Control: no-store"));
	assert_true(has_header("Content-Security-Policy: default-src 'self'"));
	assert_true(has_header("X-Frame-Options: DENY"));
	assert_true(has_header("X-Content-Type-Options: nosniff"));
	assert_true(has_header("Referrer-Policy: no-referrer"));
	json_t *json = body_json();
	assert_non_null(strstr(answer.body, "\"voltage_v\":53.25,"));
	assert_string_equal(json_string_value(json_object_get(json, "state")), "charging");
	assert_int_equal(json_array_size(json_object_get(json, "packs")), 2);
	json_decref(json);
}

static void a_battery_before_the_first_snapshot_is_all_null(void **state)
{
	(void)state;
	site_start();
	assert_int_equal(get("/api/v1/battery"), 200);
	assert_non_null(strstr(answer.body, "\"voltage_v\":null"));
}

static void a_pack_brings_its_settings_and_bus_errors(void **state)
{
	struct bus_status bus = {.name = "rack", .link = LINK_UP};

	(void)state;
	bus.address[2].answers = 100;
	bus.address[2].errors[BUS_CAUSE_CHECKSUM] = 3;
	board_set_buses(site.board, &bus, 1);
	publish_rack(53250);
	site_start();
	assert_int_equal(get("/api/v1/packs/2"), 200);
	json_t *json = body_json();
	json_t *errors = json_object_get(json, "bus_errors");
	assert_int_equal(json_integer_value(json_object_get(json, "pack")), 2);
	assert_int_equal(json_integer_value(json_object_get(errors, "checksum")), 3);
	assert_int_equal(json_integer_value(json_object_get(errors, "answers")), 100);
	assert_non_null(strstr(answer.body, "\"settings\":{\"cell_overvoltage_v\":3.65}"));
	json_decref(json);
	get("/api/v1/packs/3");
	assert_refused(404);
	get("/api/v1/packs/");
	assert_refused(404);
	get("/api/v1/packs/x");
	assert_refused(404);
	assert_int_equal(get("/api/v1/buses"), 200);
	assert_non_null(strstr(answer.body, "\"name\":\"rack\""));
}

static void inverters_are_a_list(void **state)
{
	struct inverter_status inverter = {.protocol = "can/pylon-lv-1.2", .link = LINK_UP};

	(void)state;
	inverter_view_clear(&inverter.view);
	board_set_inverters(site.board, &inverter, 1);
	site_start();
	assert_int_equal(get("/api/v1/inverters"), 200);
	json_t *json = body_json();
	assert_int_equal(json_array_size(json), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(json, 0), "protocol")),
			    "can/pylon-lv-1.2");
	json_decref(json);
}

static void protocols_are_those_of_the_folder(void **state)
{
	(void)state;
	site_start();
	assert_int_equal(get("/api/v1/protocols"), 200);
	json_t *json = body_json(), *item;
	size_t i;
	bool found = false;
	json_array_foreach(json, i, item)
	{
		if (strcmp(json_string_value(json_object_get(item, "id")), "can/pylon-lv-1.2") != 0)
			continue;
		found = true;
		assert_string_equal(json_string_value(json_object_get(item, "bus")), "can");
		assert_int_equal(json_integer_value(json_object_get(item, "bitrate")), 500000);
		assert_true(json_is_string(json_object_get(item, "title")));
	}
	assert_true(found);
	json_decref(json);
}

static json_t *setting(const json_t *list, const char *key)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		if (strcmp(json_string_value(json_object_get(item, "key")), key) == 0)
			return item;
	}
	fail_msg("no setting %s", key);
	return NULL;
}

static double part(const json_t *item, const char *name)
{
	return json_number_value(json_object_get(item, name));
}

static void settings_are_told_as_they_are_in_force(void **state)
{
	struct fusion_config config;
	size_t i;
	json_t *item;

	(void)state;
	fusion_config_default(&config);
	config.join_voltage_mv = 250;
	config.limit_rule = LIMIT_RULE_MIN;
	config.charge_cell.point[0].y = 900000;
	site.config.battery = &config;
	site_start();
	assert_int_equal(get("/api/v1/config"), 200);
	json_t *json = body_json(), *list = json_object_get(json, "battery");
	assert_int_equal(json_array_size(list), fusion_key_count + 3 + 5);
	json_array_foreach(list, i, item)
	{
		assert_true(strlen(json_string_value(json_object_get(item, "meaning"))) > 5);
		assert_true(json_is_string(json_object_get(item, "group")));
		assert_non_null(json_object_get(item, "default"));
	}
	item = setting(list, "join_voltage_v");
	assert_string_equal(json_string_value(json_object_get(item, "unit")), "V");
	assert_true(part(item, "value") == 0.25 && part(item, "default") == 0.5);
	assert_true(part(item, "low") == 0.05 && part(item, "high") == 5);
	assert_true(json_is_null(json_object_get(setting(list, "charge_current_max_a"), "value")));
	assert_true(json_is_false(json_object_get(setting(list, "n_minus_1"), "value")));
	item = setting(list, "limit_rule");
	assert_string_equal(json_string_value(json_object_get(item, "value")), "min");
	assert_string_equal(json_string_value(json_object_get(item, "default")), "share");
	item = setting(list, "charge_cell_table");
	assert_true(json_number_value(json_array_get(
			    json_array_get(json_object_get(item, "value"), 0), 1)) == 0.9);
	assert_true(json_number_value(json_array_get(
			    json_array_get(json_object_get(item, "default"), 0), 1)) == 1);
	json_decref(json);
}

/* --- history and events --- */

static void wait_for_samples(void)
{
	struct store_status status;

	for (int i = 0; i < 1000; i++) {
		store_get_status(site.store, &status);
		if (status.samples_written > 0 && status.events_written > 0)
			return;
		sleep_ms(5);
	}
	fail_msg("no samples");
}

static void history_has_rows_of_the_asked_fields(void **state)
{
	(void)state;
	site_start_store();
	site_start();
	publish_rack(53250);
	post_event(EVENT_INFO, "hello");
	wait_for_samples();
	assert_int_equal(
		get("/api/v1/history?fields=voltage_v,state,charge_allowed,soc_pct&step=10"), 200);
	json_t *json = body_json();
	json_t *row = json_array_get(json_object_get(json, "rows"), 0);
	assert_int_equal(json_array_size(json_object_get(json, "fields")), 4);
	assert_int_equal(json_array_size(row), 5);
	assert_int_equal(json_integer_value(json_array_get(row, 0)) % 10, 0);
	assert_string_equal(json_string_value(json_array_get(row, 2)), "charging");
	assert_true(json_is_true(json_array_get(row, 3)));
	assert_true(json_is_null(json_array_get(row, 4)));
	assert_non_null(strstr(answer.body, ",53.250,"));
	json_decref(json);
	assert_int_equal(get("/api/v1/history?fields=cell_max_v&pack=2"), 200);
	assert_non_null(strstr(answer.body, ",3.301]"));
}

static void history_tells_what_is_wrong_with_a_question(void **state)
{
	static const char *const wrong[] = {
		"",
		"?fields=",
		"?fields=nonsense_v",
		"?fields=voltage_v,,soc_pct",
		"?fields=voltage_v&from=yesterday",
		"?fields=voltage_v&from=20&to=10",
		"?fields=voltage_v&to=99999999999999999999",
		"?fields=voltage_v&step=-1",
		"?fields=voltage_v&pack=17",
		"?fields=power_w&pack=1",
		"?fields=%ff",
		"?fields=soc_pct,soc_pct,soc_pct,soc_pct,soc_pct,soc_pct,soc_pct,soc_pct,soc_pct,"
		"soc_pct,soc_pct,soc_pct,soc_pct",
	};
	char path[300];

	(void)state;
	site_start_store();
	site_start();
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		snprintf(path, sizeof path, "/api/v1/history%s", wrong[i]);
		get(path);
		assert_refused(400);
	}
}

static void without_a_history_the_rest_goes_on(void **state)
{
	(void)state;
	site_start();
	get("/api/v1/history?fields=voltage_v");
	assert_refused(503);
	post_event(EVENT_ALARM, "pack_lost");
	assert_int_equal(get("/api/v1/events"), 200);
	assert_non_null(strstr(answer.body, "\"kind\":\"pack_lost\""));
	assert_non_null(strstr(answer.body, "\"id\":1"));
}

static json_int_t event_id(const json_t *list, size_t index)
{
	return json_integer_value(json_object_get(json_array_get(list, index), "id"));
}

/* 300 events: more than the board keeps, so the older ones come from the disk. */
static void events_are_one_list_over_board_and_disk(void **state)
{
	struct store_status status;
	json_int_t before = 301;
	char path[100];

	(void)state;
	site_start_store();
	site_start();
	for (int i = 0; i < 300; i++) {
		post_event(EVENT_INFO, "hello");
		if (i % 100 == 99) /* let the store keep up with the board */
			sleep_ms(200);
	}
	do {
		sleep_ms(5);
		store_get_status(site.store, &status);
	} while (status.events_written < 300);
	while (before > 1) {
		const int expected = before > 70 ? 70 : (int)before - 1;

		snprintf(path, sizeof path, "/api/v1/events?limit=70&before=%d", (int)before);
		assert_int_equal(get(path), 200);
		json_t *json = body_json();
		assert_int_equal(json_array_size(json), expected);
		for (int i = 0; i < expected; i++)
			assert_int_equal(event_id(json, (size_t)i), before - 1 - i);
		before -= expected;
		json_decref(json);
	}
	assert_int_equal(get("/api/v1/events?before=1"), 200);
	assert_string_equal(answer.body, "[]");
	get("/api/v1/events?limit=0");
	assert_refused(400);
	get("/api/v1/events?before=now");
	assert_refused(400);
}

/* --- metrics and health --- */

static void metrics_come_from_the_vocabulary(void **state)
{
	static const char *const lines[] = {
		"# TYPE onepack_battery_voltage_volts gauge\n",
		"\nonepack_battery_voltage_volts 53.250\n",
		"\nonepack_battery_current_amperes -12.345\n",
		"\nonepack_battery_state{state=\"charging\"} 1\n",
		"\nonepack_battery_state{state=\"fault\"} 0\n",
		"\n# TYPE onepack_battery_energy_charged_kilowatt_hours_total counter\n",
		"\nonepack_battery_energy_charged_kilowatt_hours_total 1234.567\n",
		"\nonepack_pack_voltage_volts{pack=\"2\"} 53.249\n",
		"\nonepack_pack_cell_voltage_volts{pack=\"1\",cell=\"1\"} 3.301\n",
		"\nonepack_pack_temperature_celsius{pack=\"1\",sensor=\"1\"} -5.500\n",
		"\nonepack_battery_warning{alarm=\"pack_lost\"} 1\n",
		"\nonepack_battery_warning{alarm=\"low_soc\"} 0\n",
		"\nonepack_bus_errors_total{bus=\"rack\",address=\"2\",cause=\"checksum\"} 3\n",
		"\nonepack_bus_cycle_seconds{bus=\"rack\"} 0.517\n",
		"serial=\"A\\\"1\\\\\"",
		"\nonepack_inverter_frames_sent_total{inverter=\"1\",protocol=\"can/x\",port=\"can0\"} "
		"7\n",
		"\nonepack_inverter_charge_current_limit_amperes{inverter=\"1\",protocol=\"can/x\","
		"port=\"can0\"} 100.000\n",
	};
	struct bus_status bus = {.name = "rack", .link = LINK_UP, .cycle_ms = 517};
	struct inverter_status inverter = {
		.protocol = "can/x",
		.port = "can0",
		.frames_sent = 7,
		.charge_current_limit_ma = 100000,
		.charge_voltage_limit_mv = FIELD_UNKNOWN,
		.discharge_current_limit_ma = FIELD_UNKNOWN,
	};

	(void)state;
	bus.address[2].errors[BUS_CAUSE_CHECKSUM] = 3;
	board_set_buses(site.board, &bus, 1);
	board_set_inverters(site.board, &inverter, 1);
	publish_rack(53250);
	site_start();
	assert_int_equal(get("/metrics"), 200);
	assert_true(has_header("Content-Type: text/plain; version=0.0.4"));
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		if (!strstr(answer.body, lines[i]))
			fail_msg("%s is missing in\n%s", lines[i], answer.body);
	assert_null(strstr(answer.body, "\nonepack_battery_soc_percent ")); /* unknown */
	assert_null(strstr(answer.body, "cell=\"2\""));
	assert_null(strstr(answer.body, "inverter_charge_voltage_limit_volts{"));
	assert_int_equal(answer.body[answer.body_size - 1], '\n');
}

/* Each family is described once and stands in one piece, as the format wants it. */
static void metrics_are_well_formed(void **state)
{
	char families[200][100], name[100];
	int count = 0;

	(void)state;
	publish_rack(53250);
	site_start();
	assert_int_equal(get("/metrics"), 200);
	for (char *line = strtok(answer.body, "\n"); line; line = strtok(NULL, "\n")) {
		if (sscanf(line, "# TYPE %99s", name) == 1) {
			for (int i = 0; i < count; i++)
				assert_string_not_equal(families[i], name);
			assert_true(count < 200);
			strcpy(families[count++], name);
		} else if (line[0] != '#') {
			const size_t length = strcspn(line, "{ ");

			assert_true(count > 0);
			assert_int_equal(strlen(families[count - 1]), length);
			assert_memory_equal(line, families[count - 1], length);
		}
	}
	assert_true(count > 60);
}

static void health_needs_a_young_snapshot(void **state)
{
	(void)state;
	site_start();
	get("/healthz");
	assert_refused(503);
	publish_rack(53250);
	for (int i = 0; i < 30 && get("/healthz") != 200; i++)
		sleep_ms(100);
	assert_int_equal(answer.status, 200);
	assert_non_null(strstr(answer.body, "\"status\":\"ok\""));
	assert_non_null(strstr(answer.body, "\"history\":\"off\""));
}

/* --- files --- */

static void files_are_served_with_type_and_tag(void **state)
{
	char headers[200], *tag;

	(void)state;
	write_file("app.js", "let x = 1;");
	site_start();
	assert_int_equal(get("/"), 200);
	assert_true(has_header("Content-Type: text/html"));
	assert_true(has_header("Content-Security-Policy: "));
	assert_true(has_header("Cache-Control: no-cache"));
	assert_string_equal(answer.body, "<!doctype html><title>OnePack</title>");
	assert_int_equal(get("/app.js"), 200);
	assert_true(has_header("Content-Type: text/javascript"));
	tag = strstr(answer.head, "ETag: ");
	assert_non_null(tag);
	snprintf(headers, sizeof headers, "If-None-Match: %.*s\r\n", (int)strcspn(tag + 6, "\r"),
		 tag + 6);
	assert_int_equal(ask("GET", "/app.js", headers, ""), 304);
	assert_int_equal(answer.body_size, 0);
	assert_int_equal(ask("GET", "/app.js", "If-None-Match: \"x\"\r\n", ""), 200);
}

static void nothing_outside_the_root_is_served(void **state)
{
	static const char *const paths[] = {
		"/../../etc/passwd",
		"/%2e%2e/%2e%2e/etc/passwd",
		"/..%2f..%2fetc/passwd",
		"//etc/passwd",
		"/.hidden",

		"/nothing.html",
		"/folder",
		"/pipe",
		"/\xff\xfe",
		"/index.html/",
	};
	char path[200];

	(void)state;
	write_file(".hidden", "secret");
	snprintf(path, sizeof path, "mkdir %s/folder && mkfifo %s/pipe", site.folder, site.folder);
	assert_int_equal(system(path), 0);
	site_start();
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		get(paths[i]);
		if (answer.status != 404)
			fail_msg("%s: %d", paths[i], answer.status);
	}
}

static void without_a_dashboard_the_page_says_so(void **state)
{
	(void)state;
	site.config.root[0] = '\0';
	site_start();
	get("/");
	assert_refused(404);
}

static void head_has_no_body(void **state)
{
	static const char *const paths[] = {"/", "/api/v1/battery", "/metrics", "/api/v1/stream"};

	(void)state;
	publish_rack(53250);
	site_start();
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		assert_int_equal(ask("HEAD", paths[i], "", ""), 200);
		assert_int_equal(answer.body_size, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define SERVED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		SERVED(the_battery_is_the_contracts_object),
		SERVED(a_battery_before_the_first_snapshot_is_all_null),
		SERVED(a_pack_brings_its_settings_and_bus_errors),
		SERVED(inverters_are_a_list),
		SERVED(protocols_are_those_of_the_folder),
		SERVED(settings_are_told_as_they_are_in_force),
		SERVED(history_has_rows_of_the_asked_fields),
		SERVED(history_tells_what_is_wrong_with_a_question),
		SERVED(without_a_history_the_rest_goes_on),
		SERVED(events_are_one_list_over_board_and_disk),
		SERVED(metrics_come_from_the_vocabulary),
		SERVED(metrics_are_well_formed),
		SERVED(health_needs_a_young_snapshot),
		SERVED(files_are_served_with_type_and_tag),
		SERVED(nothing_outside_the_root_is_served),
		SERVED(without_a_dashboard_the_page_says_so),
		SERVED(head_has_no_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
