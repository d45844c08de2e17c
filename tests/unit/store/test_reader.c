// SPDX-License-Identifier: Apache-2.0
/* Queries: the right table for each part of the range, steps, limits, events, reasons, energy. */
#include "fixture.h"

#include "onepack/err.h"

#define HOURS 3

static struct place place;
static struct writer writer;
static struct store_reader *reader;

static int fill(void **state)
{
	char why[STORE_DETAIL_SIZE];
	bool moved_aside;

	(void)state;
	place_make(&place);
	if (writer_open(&writer, place.path, &moved_aside, why, sizeof why) != SQLITE_OK)
		return -1;
	database_run(writer.db, "PRAGMA synchronous=OFF"); /* crashes are not the matter here */
	for (int minute = 0; minute < HOURS * 60 + 5; minute++)
		if (commit_minute(&writer, NOON_S + minute * 60, 2) != SQLITE_OK)
			return -1;
	return store_reader_open(place.path, &reader, why, sizeof why);
}

static int clear(void **state)
{
	(void)state;
	store_reader_close(reader);
	writer_close(&writer);
	place_remove(&place);
	return 0;
}

struct rows {
	int count;
	int64_t time_s[STORE_MAX_ROWS];
	int32_t value[STORE_MAX_ROWS];
};

static struct rows rows;

static void note_row(void *arg, int64_t time_s, const int32_t *values)
{
	struct rows *out = arg;

	out->time_s[out->count] = time_s;
	out->value[out->count++] = values[0];
}

static int ask(int64_t from_s, int64_t to_s, int32_t step_s, int32_t pack, const char *json)
{
	struct store_query query = {.from_s = from_s, .to_s = to_s, .step_s = step_s, .pack = pack};

	query.column_count = 1;
	query.columns[0] =
		store_column_find(pack == FIELD_UNKNOWN ? STORE_BATTERY : STORE_PACK, json);
	memset(&rows, 0, sizeof rows);
	return store_history(reader, &query, note_row, &rows);
}

static void samples_come_back_as_they_were(void **state)
{
	struct battery battery;

	(void)state;
	assert_int_equal(ask(NOON_S + 600, NOON_S + 700, 10, FIELD_UNKNOWN, "voltage_v"), 10);
	make_battery(&battery, NOON_S + 630, 2);
	assert_int_equal(rows.time_s[3], NOON_S + 630);
	assert_int_equal(rows.value[3], battery.voltage_mv);
	assert_int_equal(ask(NOON_S + 600, NOON_S + 700, 10, 2, "cell_max_v"), 10);
	assert_int_equal(rows.value[3], battery.packs[1].cells_mv[15]);
	assert_int_equal(ask(NOON_S, NOON_S + 700, 10, 3, "cell_max_v"), 0);
}

static void coarse_steps_end_with_what_is_not_rolled_up_yet(void **state)
{
	(void)state;
	/* 12 quarters are rolled up, 5 minutes are not */
	assert_int_equal(ask(NOON_S, NOON_S + 86400, 900, FIELD_UNKNOWN, "voltage_v"),
			 HOURS * 4 + 1);
	assert_int_equal(rows.time_s[12], NOON_S + HOURS * 3600);
	assert_int_equal(ask(NOON_S, NOON_S + 86400, 60, FIELD_UNKNOWN, "voltage_v"),
			 HOURS * 60 + 5);
	for (int i = 0; i < rows.count; i++)
		assert_int_equal(rows.time_s[i], NOON_S + i * 60);
}

static void forgotten_samples_are_served_from_coarser_tables(void **state)
{
	(void)state;
	database_run(writer.db, "DELETE FROM battery_10s WHERE time < 1767268800 + 7200;"
				"DELETE FROM battery_1m WHERE time < 1767268800 + 3600");
	/* an hour of quarters, an hour of minutes, an hour and 5 minutes of samples */
	assert_int_equal(ask(NOON_S, NOON_S + 4 * 3600, 10, FIELD_UNKNOWN, "voltage_v"),
			 4 + 60 + 360 + 30);
	for (int i = 1; i < rows.count; i++)
		assert_true(rows.time_s[i] > rows.time_s[i - 1]);
	assert_int_equal(ask(NOON_S, NOON_S + 4 * 3600, 60, FIELD_UNKNOWN, "voltage_v"),
			 4 + 60 + 60 + 5);
}

static void a_file_of_the_first_minutes_has_only_samples(void **state)
{
	static const int32_t steps_s[] = {10, 60, 900};

	(void)state;
	database_run(writer.db, "DELETE FROM battery_1m; DELETE FROM battery_15m;"
				"DELETE FROM battery_10s WHERE time >= 1767268800 + 900");
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(ask(NOON_S, NOON_S + 3600, steps_s[i], FIELD_UNKNOWN, "voltage_v"),
				 900 / steps_s[i]);
}

static void steps_of_queries(void **state)
{
	static const struct {
		int64_t span_s;
		int32_t step_s, expected_s;
	} table[] = {
		{3600, 0, 10},         /* an hour */
		{86400, 0, 180},       /* 172.8 -> whole minutes */
		{30 * 86400, 0, 5400}, /* 5184 -> whole quarters */
		{3600, 1, 10},         /* not finer than the samples */
		{3600, 25, 30},        /* whole samples */
		{86400, 10, 20},       /* not more than 5000 rows */
		{365 * 86400, 60, 7200},
		{-5, 0, 10}, /* ends before it begins */
		{INT64_MAX, 0, INT32_MAX / 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		const struct store_query query = {
			.from_s = 0, .to_s = table[i].span_s, .step_s = table[i].step_s};
		assert_int_equal(store_query_step(&query), table[i].expected_s);
	}
}

static void no_query_gives_more_than_the_maximum(void **state)
{
	(void)state;
	for (int32_t span_s = 49900; span_s < 50100; span_s += 7) {
		const struct store_query query = {.from_s = NOON_S + 5,
						  .to_s = NOON_S + 5 + span_s};
		const int32_t step_s = store_query_step(&query);
		const int64_t from_s = query.from_s - query.from_s % step_s;

		assert_true((query.to_s - 1 - from_s) / step_s + 1 <= STORE_MAX_ROWS);
	}
}

static void wrong_queries_are_refused(void **state)
{
	struct store_query query = {.to_s = 10, .pack = FIELD_UNKNOWN, .column_count = 1};

	(void)state;
	query.columns[0] = -1;
	assert_int_equal(store_history(reader, &query, note_row, &rows), ERR_RANGE);
	query.columns[0] = column_count(STORE_BATTERY);
	assert_int_equal(store_history(reader, &query, note_row, &rows), ERR_RANGE);
	query.column_count = 0;
	assert_int_equal(store_history(reader, &query, note_row, &rows), ERR_RANGE);
}

static int64_t event_ids[8];
static int event_count;

static void note_event(void *arg, int64_t id, const struct event *event)
{
	(void)arg;
	event_ids[event_count++] = id;
	assert_string_equal(event->kind, "pack_lost");
	assert_int_equal(event->severity, EVENT_ALARM);
	assert_int_equal(event->pack, (int32_t)id + 1);
	assert_int_equal(event->time_ms, NOON_S * 1000 + id);
	assert_string_equal(event->text, "Pack 'x' is \"lost\"");
}

static void events_come_newest_first_and_page_by_page(void **state)
{
	struct batch_event events[5];
	struct batch batch = {.events = events, .event_count = 5};
	struct store_config config;

	(void)state;
	store_config_default(&config);
	memset(events, 0, sizeof events);
	for (int i = 0; i < 5; i++) {
		events[i].id = i + 1;
		events[i].event.time_ms = NOON_S * 1000 + i + 1;
		events[i].event.severity = EVENT_ALARM;
		events[i].event.pack = i + 2;
		strcpy(events[i].event.kind, "pack_lost");
		strcpy(events[i].event.text, "Pack 'x' is \"lost\"");
	}
	assert_int_equal(writer_commit(&writer, &config, &batch, NOON_S), SQLITE_OK);
	assert_int_equal(writer.last_event_id, 5);
	event_count = 0;
	assert_int_equal(store_events(reader, 0, 2, note_event, NULL), 2);
	assert_int_equal(event_ids[0], 5);
	assert_int_equal(event_ids[1], 4);
	assert_int_equal(store_events(reader, 4, 8, note_event, NULL), 3);
	assert_int_equal(event_ids[2], 3);
	assert_int_equal(event_ids[4], 1);
	assert_int_equal(store_events(reader, 1, 8, note_event, NULL), 0);
	assert_int_equal(store_events(reader, 0, 0, note_event, NULL), ERR_RANGE);
}

static char reason_log[200];

static void note_reason(void *arg, int64_t time_s, const struct reason *reason)
{
	(void)arg;
	snprintf(reason_log + strlen(reason_log), sizeof reason_log - strlen(reason_log),
		 "%d:%s:%s=%d ", (int)(time_s - NOON_S), limit_name(reason->limit), reason->rule,
		 (int)reason->value);
}

static void reasons_tell_why_a_limit_was_what_it_was(void **state)
{
	static const struct {
		int at_s;
		enum limit limit;
		const char *rule;
		int32_t value;
	} rows_in[] = {
		{0, LIMIT_CHARGE_CURRENT, "share", 200},
		{0, LIMIT_DISCHARGE_CURRENT, "share", 100},
		{100, LIMIT_CHARGE_CURRENT, "cell_voltage", 40},
		{200, LIMIT_CHARGE_CURRENT, "share", 200},
	};
	struct reason_row reasons[4];
	struct batch batch = {.reasons = reasons, .reason_count = 4};
	struct store_config config;

	(void)state;
	store_config_default(&config);
	memset(reasons, 0, sizeof reasons);
	for (int i = 0; i < 4; i++) {
		reasons[i].wall_ms = (NOON_S + rows_in[i].at_s) * 1000;
		reasons[i].reason.limit = rows_in[i].limit;
		reasons[i].reason.value = rows_in[i].value;
		strcpy(reasons[i].reason.rule, rows_in[i].rule);
	}
	assert_int_equal(writer_commit(&writer, &config, &batch, NOON_S), SQLITE_OK);
	reason_log[0] = '\0';
	assert_int_equal(store_reasons(reader, NOON_S + 150, NOON_S + 300, note_reason, NULL), 3);
	assert_string_equal(reason_log, "100:charge_current:cell_voltage=40 "
					"0:discharge_current:share=100 "
					"200:charge_current:share=200 ");
}

static void energy_is_the_newest_whatever_the_clock_said(void **state)
{
	int32_t charged_wh = -1, discharged_wh = -1;
	struct battery battery;

	(void)state;
	assert_int_equal(commit_minute(&writer, NOON_S - 900, 2), SQLITE_OK); /* set back */
	make_battery(&battery, NOON_S - 900 + 50, 2);
	assert_int_equal(store_last_energy(place.path, &charged_wh, &discharged_wh), 0);
	assert_int_equal(charged_wh, battery.energy_charged_wh);
	assert_int_equal(discharged_wh, battery.energy_discharged_wh);
	database_run(writer.db, "DELETE FROM totals");
	charged_wh = 5;
	assert_int_equal(store_last_energy(place.path, &charged_wh, &discharged_wh), ERR_UNKNOWN);
	assert_int_equal(charged_wh, 5);
	assert_int_equal(store_last_energy("/nonexistent/x.db", &charged_wh, &discharged_wh),
			 ERR_UNKNOWN);
}

static void a_reader_never_creates_a_file(void **state)
{
	struct store_reader *other;
	char why[STORE_DETAIL_SIZE], path[STORE_PATH_SIZE + 8];

	(void)state;
	snprintf(path, sizeof path, "%s.none", place.path);
	assert_true(store_reader_open(path, &other, why, sizeof why) < 0);
	assert_non_null(strstr(why, path));
	assert_int_not_equal(access(path, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define FILLED(name) cmocka_unit_test_setup_teardown(name, fill, clear)
		FILLED(samples_come_back_as_they_were),
		FILLED(coarse_steps_end_with_what_is_not_rolled_up_yet),
		FILLED(forgotten_samples_are_served_from_coarser_tables),
		FILLED(a_file_of_the_first_minutes_has_only_samples),
		cmocka_unit_test(steps_of_queries),
		cmocka_unit_test(no_query_gives_more_than_the_maximum),
		FILLED(wrong_queries_are_refused),
		FILLED(events_come_newest_first_and_page_by_page),
		FILLED(reasons_tell_why_a_limit_was_what_it_was),
		FILLED(energy_is_the_newest_whatever_the_clock_said),
		FILLED(a_reader_never_creates_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
