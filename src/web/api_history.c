// SPDX-License-Identifier: Apache-2.0
/* What was: samples and events. A reader is opened per request; that costs a millisecond and
 * survives everything that may happen to the file. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "http.h"
#include "onepack/clock.h"
#include "onepack/json.h"

#define DAY_S           86400
#define FIELDS_AT_MOST  12 /* times 5000 rows: half a megabyte per answer */
#define EVENTS_NORMALLY 100
#define EVENTS_AT_MOST  1000
#define EVENTS_ON_BOARD 256

/* --- samples --- */

/* What is wrong with the URL, or NULL. */
static const char *read_times(const struct request *request, struct store_query *query)
{
	int64_t step_s = 0, pack = FIELD_UNKNOWN;

	query->to_s = clock_wall_ms() / 1000 + 1;
	if (!request_number(request, "to", 0, WEB_LAST_TIME_S, &query->to_s))
		return "'to' must be a time in seconds since 1970.";
	query->from_s = query->to_s > DAY_S ? query->to_s - DAY_S : 0;
	if (!request_number(request, "from", 0, WEB_LAST_TIME_S, &query->from_s))
		return "'from' must be a time in seconds since 1970.";
	if (query->from_s >= query->to_s)
		return "'from' must be before 'to'.";
	if (!request_number(request, "step", 0, INT32_MAX / 2, &step_s))
		return "'step' must be a number of seconds, or 0 for about 500 rows.";
	if (!request_number(request, "pack", 1, ONEPACK_MAX_PACKS, &pack))
		return "'pack' must be a pack's number, 1 to 16.";
	query->step_s = (int32_t)step_s;
	query->pack = (int32_t)pack;
	return NULL;
}

static enum store_series series_of(const struct store_query *query)
{
	return query->pack == FIELD_UNKNOWN ? STORE_BATTERY : STORE_PACK;
}

/* Reads "a,b,c"; `wrong` receives what there is no history of. */
static bool read_fields(const char *list, struct store_query *query, char *wrong, size_t size)
{
	while (*list) {
		const size_t length = strcspn(list, ",");
		int column;

		snprintf(wrong, size, "%.*s", (int)length, list);
		column = store_column_find(series_of(query), wrong);
		if (column < 0)
			return false;
		if (query->column_count == FIELDS_AT_MOST) {
			snprintf(wrong, size, "more than %d fields at once", FIELDS_AT_MOST);
			return false;
		}
		query->columns[query->column_count++] = column;
		list += length;
		list += *list == ',';
	}
	return true;
}

struct sheet {
	FILE *out;
	const struct store_query *query;
	bool begun;
};

static void print_row(void *arg, int64_t time_s, const int32_t *values)
{
	struct sheet *sheet = arg;

	fprintf(sheet->out, "%s[%lld", sheet->begun ? "," : "", (long long)time_s);
	for (int i = 0; i < sheet->query->column_count; i++) {
		fputc(',', sheet->out);
		print_json_value(
			sheet->out,
			store_column_unit(series_of(sheet->query), sheet->query->columns[i]),
			values[i]);
	}
	fputc(']', sheet->out);
	sheet->begun = true;
}

static void print_head(FILE *out, const struct store_query *query, const char *fields)
{
	fprintf(out, "{\"from\":%lld,\"to\":%lld,\"step\":%d,\"fields\":[",
		(long long)query->from_s, (long long)query->to_s, (int)store_query_step(query));
	for (int i = 0; i < query->column_count; i++) {
		const size_t length = strcspn(fields, ",");

		/* known names only, so nothing needs escaping */
		fprintf(out, "%s\"%.*s\"", i ? "," : "", (int)length, fields);
		fields += length + (fields[length] == ',');
	}
	fputs("],\"rows\":[", out);
}

static enum MHD_Result answer_history(struct request *request, struct store_reader *reader,
				      const struct store_query *query, const char *fields)
{
	struct sheet sheet = {.query = query};
	char *text = NULL;
	size_t size = 0;
	int result;

	sheet.out = open_memstream(&text, &size);
	if (!sheet.out)
		return MHD_NO;
	print_head(sheet.out, query, fields);
	result = store_history(reader, query, print_row, &sheet);
	fputs("]}", sheet.out);
	fclose(sheet.out);
	if (result >= 0)
		return reply_text(request, MHD_HTTP_OK, "application/json", text, size);
	free(text);
	return reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE,
			   "The history cannot be read now. Try again in a minute.");
}

enum MHD_Result api_history(struct request *request)
{
	const char *fields = request_argument(request, "fields");
	struct store_query query = {0};
	const char *mistake = read_times(request, &query);
	char text[STORE_DETAIL_SIZE];
	struct store_reader *reader;
	enum MHD_Result result;

	if (mistake)
		return reply_error(request, MHD_HTTP_BAD_REQUEST, "%s", mistake);
	if (!fields || !*fields)
		return reply_error(request, MHD_HTTP_BAD_REQUEST,
				   "Name the fields: fields=voltage_v,current_a,soc_pct");
	if (!read_fields(fields, &query, text, sizeof text))
		return reply_error(request, MHD_HTTP_BAD_REQUEST,
				   "There is no history of '%.60s'%s. Use the keys of "
				   "/api/v1/battery%s.",
				   text, query.pack == FIELD_UNKNOWN ? "" : " for packs",
				   query.pack == FIELD_UNKNOWN
					   ? ""
					   : ": state, voltage_v, current_a, soc_pct, "
					     "mos_temperature_c, cell_min_v, cell_max_v, "
					     "temperature_min_c, temperature_max_c");
	reader = request_open_history(request, &result);
	if (!reader)
		return result;
	result = answer_history(request, reader, &query, fields);
	store_reader_close(reader);
	return result;
}

/* --- events --- */

json_t *event_json(const struct web *web, uint64_t number, const struct event *event)
{
	const int64_t base = web->store ? store_event_base(web->store) : 0;
	json_t *json = json_from_event(event);

	json_object_set_new(json, "id", json_integer(base + (json_int_t)number));
	return json;
}

struct event_list {
	json_t *json;
	int limit;
};

static void add_stored(void *arg, int64_t id, const struct event *event)
{
	const struct event_list *list = arg;
	json_t *json = json_from_event(event);

	json_object_set_new(json, "id", json_integer(id));
	json_array_append_new(list->json, json);
}

/* The newest events are on the board, whether the disk has them or not. Returns the id of the
 * oldest event on the board, or one more than the newest ever. */
static int64_t add_from_board(const struct web *web, struct event_list *list, int64_t before)
{
	const int64_t base = web->store ? store_event_base(web->store) : 0;
	struct event *events = malloc(EVENTS_ON_BOARD * sizeof *events);
	uint64_t last = 0;
	int count;

	if (!events)
		return before;
	count = board_events(web->board, 0, events, EVENTS_ON_BOARD, &last);
	for (int i = count - 1; i >= 0; i--) {
		const int64_t number = (int64_t)last - (count - 1 - i);

		if (base + number < before && (int)json_array_size(list->json) < list->limit)
			json_array_append_new(list->json,
					      event_json(web, (uint64_t)number, &events[i]));
	}
	free(events);
	return base + (int64_t)last - count + 1;
}

static void add_from_store(const struct web *web, struct event_list *list, int64_t before)
{
	const int missing = list->limit - (int)json_array_size(list->json);
	struct store_reader *reader;
	char why[STORE_DETAIL_SIZE];

	if (missing <= 0 || before <= 1 || !web->config.store_path[0])
		return;
	if (store_reader_open(web->config.store_path, &reader, why, sizeof why) < 0)
		return; /* /healthz and an event tell about the disk */
	store_events(reader, before, missing, add_stored, list);
	store_reader_close(reader);
}

enum MHD_Result api_events(struct request *request)
{
	int64_t before = INT64_MAX, limit = EVENTS_NORMALLY;
	struct event_list list;

	if (!request_number(request, "before", 1, INT64_MAX, &before))
		return reply_error(request, MHD_HTTP_BAD_REQUEST,
				   "'before' must be the id of an event.");
	if (!request_number(request, "limit", 1, EVENTS_AT_MOST, &limit))
		return reply_error(request, MHD_HTTP_BAD_REQUEST,
				   "'limit' must be a number from 1 to %d.", EVENTS_AT_MOST);
	list = (struct event_list){json_array(), (int)limit};
	const int64_t oldest = add_from_board(request->web, &list, before);
	add_from_store(request->web, &list, oldest < before ? oldest : before);
	return reply_json(request, MHD_HTTP_OK, list.json);
}
