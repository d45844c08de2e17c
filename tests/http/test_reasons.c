// SPDX-License-Identifier: Apache-2.0
/* "Why was the limit 40 A at 14:03?": reasons of a moment and of a range, through the API and as
 * `onepack why` says them, from the disk and from what is not yet on the disk. */
#include "site.h"

/* Publishes a limit with its reason; `next` = what would limit otherwise, NULL = nothing. */
static void publish_limit(int32_t limit_ma, const char *rule, const char *text, const char *next)
{
	struct battery battery;
	struct reason *reason = &battery.reasons[0];

	battery_clear(&battery);
	battery.time_ms = clock_wall_ms();
	battery.charge_current_limit_ma = limit_ma;
	battery.reason_count = 1;
	*reason = (struct reason){
		.limit = LIMIT_CHARGE_CURRENT, .value = limit_ma, .pack = 3, .cell = 7};
	reason->runner_up.value = limit_ma + 1000;
	reason->runner_up.pack = 2;
	reason->runner_up.cell = FIELD_UNKNOWN;
	snprintf(reason->rule, sizeof reason->rule, "%s", rule);
	snprintf(reason->text, sizeof reason->text, "%s", text);
	if (next) {
		strcpy(reason->runner_up.rule, "temperature");
		snprintf(reason->runner_up.text, sizeof reason->runner_up.text, "%s", next);
	}
	board_publish(site.board, &battery);
}

/* The clock second at the start of which nothing happens. */
static int64_t next_second(void)
{
	const int64_t end_s = clock_wall_ms() / 1000 + 1;

	while (clock_wall_ms() / 1000 < end_s)
		sleep_ms(5);
	return end_s;
}

static json_t *reasons_at(int64_t at_s, double *value)
{
	char path[100];
	json_t *json, *list;

	snprintf(path, sizeof path, "/api/v1/reasons?at=%lld", (long long)at_s);
	assert_int_equal(get(path), 200);
	json = body_json();
	assert_int_equal(json_integer_value(json_object_get(json, "at")), at_s);
	*value = json_number_value(
		json_object_get(json_object_get(json, "values"), "charge_current_limit_a"));
	list = json_incref(json_object_get(json, "reasons"));
	json_decref(json);
	return list;
}

static const char *word(const json_t *list, size_t i, const char *key)
{
	return json_string_value(json_object_get(json_array_get(list, i), key));
}

static char said[4000];

static int onepack_why(const char *options)
{
	char command[600];
	FILE *pipe;

	snprintf(command, sizeof command,
		 ONEPACK_BINARY_DIR "/bin/onepack why --url http://127.0.0.1:%d %s 2>&1",
		 web_port(site.web), options);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	said[fread(said, 1, sizeof said - 1, pipe)] = '\0';
	return pclose(pipe) >> 8;
}

static void a_moment_has_its_reason_and_its_runner_up(void **state)
{
	char options[100];
	double value;
	int64_t first_s;
	json_t *list;

	(void)state;
	site_start_store();
	site_start();
	next_second();
	publish_limit(100000, "full", "All packs may take their full current.", NULL);
	first_s = next_second();
	publish_limit(40000, "cell_voltage",
		      "Charging is limited to 40.0 A because of cell 7 of pack 3.",
		      "Otherwise charging would be limited to 41.0 A because pack 2 has 9.0 degC.");
	next_second();
	list = reasons_at(first_s - 1, &value);
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(word(list, 0, "rule"), "full");
	assert_true(json_is_null(json_object_get(json_array_get(list, 0), "runner_up")));
	json_decref(list);
	list = reasons_at(first_s + 1, &value);
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(word(list, 0, "limit"), "charge_current");
	assert_string_equal(word(list, 0, "rule"), "cell_voltage");
	json_t *next = json_object_get(json_array_get(list, 0), "runner_up");
	assert_true(json_number_value(json_object_get(next, "value")) == 41);
	assert_int_equal(json_integer_value(json_object_get(next, "pack")), 2);
	assert_true(json_is_null(json_object_get(next, "cell")));
	assert_string_equal(json_string_value(json_object_get(next, "rule")), "temperature");
	assert_true(value == 40 || value == 70); /* of ten seconds, which both limits may share */
	json_decref(list);
	snprintf(options, sizeof options, "--at %lld", (long long)first_s + 1);
	assert_int_equal(onepack_why(options), 0);
	assert_non_null(strstr(said, "Charging is limited to 40.0 A because of cell 7 of pack 3."));
	assert_non_null(strstr(said, "Otherwise charging would be limited to 41.0 A"));
	assert_non_null(strstr(said, "rule cell_voltage, since "));
}

/* With the usual batch nothing is on the disk for a minute. */
static void what_is_not_on_the_disk_yet_is_answered_from_memory(void **state)
{
	struct store_status status;
	char path[100], why[200];
	json_t *list, *json;
	double value;
	int64_t now_s;

	(void)state;
	store_config_default(&site.store_config);
	snprintf(site.store_config.path, sizeof site.store_config.path, "%s/history.db",
		 site.folder);
	strcpy(site.config.store_path, site.store_config.path);
	assert_int_equal(store_start(&site.store_config, site.board, &site.store, why, sizeof why),
			 0);
	site_start();
	do {
		sleep_ms(20);
		store_get_status(site.store, &status);
	} while (status.commits == 0);
	publish_limit(40000, "share", "Because of a share.", NULL);
	sleep_ms(1200);
	now_s = clock_wall_ms() / 1000;
	list = reasons_at(now_s, &value);
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(word(list, 0, "rule"), "share");
	assert_true(value == 40);
	json_decref(list);
	snprintf(path, sizeof path, "/api/v1/reasons?from=%lld&to=%lld", (long long)now_s - 60,
		 (long long)now_s + 1);
	assert_int_equal(get(path), 200);
	json = body_json();
	assert_int_equal(json_array_size(json_object_get(json, "reasons")), 1);
	json_decref(json);
	store_get_status(site.store, &status);
	assert_int_equal(status.samples_written, 0);
	assert_int_equal(onepack_why("--limit charge_current"), 0);
	assert_non_null(strstr(said, "charge current: 40.0 A\n  Because of a share.\n"));
	assert_int_equal(onepack_why("--limit charge_voltage"), 1);
}

static void a_range_begins_with_what_was_in_force(void **state)
{
	char path[100];
	int64_t first_s;
	json_t *json, *list;

	(void)state;
	site_start_store();
	site_start();
	next_second();
	publish_limit(100000, "full", "a", NULL);
	next_second();
	publish_limit(50000, "share", "b", NULL);
	first_s = next_second();
	publish_limit(60000, "hold", "c", NULL);
	next_second();
	snprintf(path, sizeof path, "/api/v1/reasons?from=%lld&to=%lld", (long long)first_s,
		 (long long)first_s + 1);
	assert_int_equal(get(path), 200);
	json = body_json();
	list = json_object_get(json, "reasons");
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(word(list, 0, "rule"), "share");
	assert_string_equal(word(list, 1, "rule"), "hold");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 1), "t")),
			 first_s);
	json_decref(json);
}

static void a_time_without_samples_is_no_answer(void **state)
{
	(void)state;
	site_start_store();
	site_start();
	publish_limit(100000, "full", "a", NULL);
	next_second();
	next_second();
	assert_int_equal(get("/api/v1/reasons?at=1000000000"), 200);
	json_t *json = body_json();
	assert_true(json_is_null(json_object_get(json, "values")));
	assert_int_equal(json_array_size(json_object_get(json, "reasons")), 0);
	json_decref(json);
	assert_int_equal(onepack_why("--at 1000000000"), 1);
	assert_non_null(strstr(said, "no samples of that time"));
}

static void wrong_questions_are_explained(void **state)
{
	static const char *const paths[] = {"/api/v1/reasons?at=noon",
					    "/api/v1/reasons?at=1&from=1",
					    "/api/v1/reasons?from=5&to=5", "/api/v1/reasons?to=x"};

	(void)state;
	site_start_store();
	site_start();
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		get(paths[i]);
		assert_refused(400);
	}
	assert_int_equal(onepack_why("--at noon"), 2);
	assert_int_equal(onepack_why("--limit voltage"), 2);
}

static void without_a_history_that_is_told(void **state)
{
	(void)state;
	site_start();
	get("/api/v1/reasons");
	assert_refused(503);
	assert_int_equal(onepack_why(""), 1);
	assert_non_null(strstr(said, "This gateway keeps no history."));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define SERVED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		SERVED(a_moment_has_its_reason_and_its_runner_up),
		SERVED(what_is_not_on_the_disk_yet_is_answered_from_memory),
		SERVED(a_range_begins_with_what_was_in_force),
		SERVED(a_time_without_samples_is_no_answer),
		SERVED(wrong_questions_are_explained),
		SERVED(without_a_history_that_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
