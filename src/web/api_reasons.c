// SPDX-License-Identifier: Apache-2.0
/* Why the limits were what they were: at one moment, or in a range of time. What the store has not
 * written yet comes from its memory, so that "a minute ago" has an answer, too. */
#include <string.h>

#include "http.h"
#include "onepack/clock.h"
#include "onepack/json.h"

#define LIVE_S 120 /* so young a moment may have no sample on the disk yet */

static const char *const limit_keys[LIMIT_COUNT] = {
	[LIMIT_CHARGE_CURRENT] = "charge_current_limit_a",
	[LIMIT_DISCHARGE_CURRENT] = "discharge_current_limit_a",
	[LIMIT_CHARGE_VOLTAGE] = "charge_voltage_limit_v",
	[LIMIT_DISCHARGE_VOLTAGE] = "discharge_voltage_limit_v",
};

static json_t *dated(int64_t time_s, const struct reason *reason)
{
	json_t *json = json_from_reason(reason);
	char time[JSON_TIME_SIZE];

	json_time_text(time_s * 1000, time);
	json_object_set_new(json, "t", json_integer(time_s));
	json_object_set_new(json, "time", json_string(time));
	return json;
}

/* --- one moment --- */

/* The last reason of each limit; later calls are newer. */
struct moment {
	bool known[LIMIT_COUNT];
	int64_t time_s[LIMIT_COUNT];
	struct reason reason[LIMIT_COUNT];
};

static void keep_last(void *arg, int64_t time_s, const struct reason *reason)
{
	struct moment *moment = arg;
	const unsigned limit = reason->limit;

	if (limit >= LIMIT_COUNT || (moment->known[limit] && time_s < moment->time_s[limit]))
		return;
	moment->known[limit] = true;
	moment->time_s[limit] = time_s;
	moment->reason[limit] = *reason;
}

static void take_values(void *arg, int64_t time_s, const int32_t *values)
{
	(void)time_s;
	memcpy(arg, values, LIMIT_COUNT * sizeof *values);
}

/* What the limits were, from the finest table that still has that time. */
static bool read_values(struct store_reader *reader, int64_t at_s, int32_t values[LIMIT_COUNT])
{
	static const int32_t steps_s[] = {10, 60, 900};
	struct store_query query = {.pack = FIELD_UNKNOWN, .column_count = LIMIT_COUNT};

	for (int i = 0; i < LIMIT_COUNT; i++)
		query.columns[i] = store_column_find(STORE_BATTERY, limit_keys[i]);
	for (size_t i = 0; i < sizeof steps_s / sizeof steps_s[0]; i++) {
		query.step_s = steps_s[i];
		query.from_s = at_s - at_s % steps_s[i];
		query.to_s = query.from_s + steps_s[i];
		if (store_history(reader, &query, take_values, values) > 0)
			return true;
	}
	return false;
}

static void live_values(struct board *board, int32_t values[LIMIT_COUNT])
{
	struct battery battery;

	board_battery(board, &battery);
	for (int i = 0; i < LIMIT_COUNT; i++)
		values[i] = field_get(
			&battery,
			&field_battery.fields[store_column_find(STORE_BATTERY, limit_keys[i])]);
}

/* Null when the gateway was not running then, so that nobody takes an older reason for an answer.
 */
static json_t *values_json(struct request *request, struct store_reader *reader, int64_t at_s)
{
	int32_t values[LIMIT_COUNT];
	json_t *json;

	if (!read_values(reader, at_s, values)) {
		if (clock_wall_ms() / 1000 - at_s > LIVE_S)
			return json_null();
		live_values(request->web->board, values);
	}
	json = json_object();
	for (int i = 0; i < LIMIT_COUNT; i++)
		json_object_set_new(json, limit_keys[i],
				    values[i] == FIELD_UNKNOWN ? json_null()
							       : json_real(values[i] / 1000.0));
	return json;
}

static enum MHD_Result answer_moment(struct request *request, struct store_reader *reader,
				     int64_t at_s)
{
	struct moment moment = {0};
	json_t *list, *json;

	/* memory first: what is committed in between is then seen twice, not never */
	if (request->web->store)
		store_pending_reasons(request->web->store, 0, at_s + 1, keep_last, &moment);
	if (store_reasons(reader, at_s + 1, at_s + 1, keep_last, &moment) < 0)
		return reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE,
				   "The history cannot be read now. Try again in a minute.");
	list = json_array();
	for (int i = 0; i < LIMIT_COUNT; i++)
		if (moment.known[i])
			json_array_append_new(list, dated(moment.time_s[i], &moment.reason[i]));
	json = json_pack("{s:I, s:o}", "at", (json_int_t)at_s, "values",
			 values_json(request, reader, at_s));
	json_object_set_new(json, "reasons", list);
	return reply_json(request, MHD_HTTP_OK, json);
}

/* --- a range --- */

static void add_to_list(void *arg, int64_t time_s, const struct reason *reason)
{
	json_t *list = arg;

	if (json_array_size(list) < STORE_MAX_ROWS)
		json_array_append_new(list, dated(time_s, reason));
}

static bool is_listed(const json_t *list, const json_t *row)
{
	const json_int_t time_s = json_integer_value(json_object_get(row, "t"));

	for (size_t i = json_array_size(list); i-- > 0;) {
		const json_t *other = json_array_get(list, i);

		if (json_integer_value(json_object_get(other, "t")) < time_s)
			return false;
		if (json_equal(json_object_get(other, "limit"), json_object_get(row, "limit")))
			return true;
	}
	return false;
}

static enum MHD_Result answer_range(struct request *request, struct store_reader *reader,
				    int64_t from_s, int64_t to_s)
{
	json_t *list = json_array(), *pending = json_array(), *row, *json;
	size_t i;
	int found;

	if (request->web->store)
		store_pending_reasons(request->web->store, from_s, to_s, add_to_list, pending);
	found = store_reasons(reader, from_s, to_s, add_to_list, list);
	json_array_foreach(pending, i, row)
	{
		if (!is_listed(list, row))
			json_array_append(list, row);
	}
	json_decref(pending);
	if (found < 0) {
		json_decref(list);
		return reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE,
				   "The history cannot be read now. Try again in a minute.");
	}
	json = json_pack("{s:I, s:I}", "from", (json_int_t)from_s, "to", (json_int_t)to_s);
	json_object_set_new(json, "reasons", list);
	return reply_json(request, MHD_HTTP_OK, json);
}

enum MHD_Result api_reasons(struct request *request)
{
	const bool is_range = request_argument(request, "from") || request_argument(request, "to");
	int64_t now_s = clock_wall_ms() / 1000, at_s = now_s, from_s, to_s = now_s + 1;
	struct store_reader *reader;
	enum MHD_Result result;

	if (is_range && request_argument(request, "at"))
		return reply_error(request, MHD_HTTP_BAD_REQUEST,
				   "Ask either for one time (at) or for a range (from, to).");
	if (!request_number(request, "at", 0, WEB_LAST_TIME_S, &at_s) ||
	    !request_number(request, "to", 0, WEB_LAST_TIME_S, &to_s))
		return reply_error(request, MHD_HTTP_BAD_REQUEST,
				   "Times are in seconds since 1970.");
	from_s = to_s > 86400 ? to_s - 86400 : 0;
	if (!request_number(request, "from", 0, WEB_LAST_TIME_S, &from_s) || from_s >= to_s)
		return reply_error(request, MHD_HTTP_BAD_REQUEST,
				   "'from' must be a time in seconds since 1970, before 'to'.");
	reader = request_open_history(request, &result);
	if (!reader)
		return result;
	result = is_range ? answer_range(request, reader, from_s, to_s)
			  : answer_moment(request, reader, at_s);
	store_reader_close(reader);
	return result;
}
