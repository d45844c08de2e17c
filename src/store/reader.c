// SPDX-License-Identifier: Apache-2.0
/* Reading of the history. A range is cut into segments, each served by the table that has it: the
 * one that suits the step, a coarser one for times that it has forgotten, a finer one for the last
 * minutes that are not rolled up yet. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "database.h"
#include "onepack/err.h"
#include "steps.h"

#define ROWS_BY_DEFAULT 500

struct store_reader {
	sqlite3 *db;
};

int store_reader_open(const char *path, struct store_reader **out, char *why, size_t why_size)
{
	struct store_reader *reader = calloc(1, sizeof *reader);

	if (!reader) {
		snprintf(why, why_size, "no memory");
		return -ENOMEM;
	}
	if (database_open_reader(path, &reader->db, why, why_size) != SQLITE_OK) {
		free(reader);
		return -EIO;
	}
	*out = reader;
	return 0;
}

void store_reader_close(struct store_reader *reader)
{
	if (!reader)
		return;
	sqlite3_close(reader->db);
	free(reader);
}

/* --- samples --- */

/* The coarsest table that is not coarser than the step. */
static enum resolution resolution_for(int64_t step_s)
{
	int found = RESOLUTION_10S;

	for (int i = 0; i < RESOLUTION_COUNT; i++)
		if (resolution_seconds((enum resolution)i) <= step_s)
			found = i;
	return (enum resolution)found;
}

int32_t store_query_step(const struct store_query *query)
{
	const int64_t span_s = query->to_s > query->from_s ? query->to_s - query->from_s : 0;
	const int64_t least_s = span_s / (STORE_MAX_ROWS - 1) + 1; /* -1: the ends are rounded */
	int64_t step_s = query->step_s > 0 ? query->step_s : span_s / ROWS_BY_DEFAULT;

	if (step_s < least_s)
		step_s = least_s;
	const int64_t unit_s = resolution_seconds(resolution_for(step_s));
	step_s += (unit_s - step_s % unit_s) % unit_s;
	return step_s > INT32_MAX / 2 ? INT32_MAX / 2 : (int32_t)step_s;
}

struct segment {
	enum resolution resolution;
	int64_t from_s, to_s;
};

/* The oldest row of all tables finer than this one; `fallback_s` when there is none. */
static int oldest_finer(sqlite3 *db, enum store_series series, enum resolution resolution,
			int64_t fallback_s, int64_t *out)
{
	int64_t oldest_s = INT64_MAX, found_s;
	int result = SQLITE_OK;
	char sql[80];

	for (int i = RESOLUTION_10S; result == SQLITE_OK && i < (int)resolution; i++) {
		snprintf(sql, sizeof sql, "SELECT min(time) FROM %s",
			 table_name(series, (enum resolution)i));
		result = query_int64(db, sql, 0, INT64_MAX, &found_s);
		if (result == SQLITE_OK && found_s < oldest_s)
			oldest_s = found_s;
	}
	*out = oldest_s == INT64_MAX ? fallback_s : oldest_s;
	return result;
}

/* Where a table ends being the best choice: one that is coarser than wanted serves only what the
 * finer ones have forgotten; others serve what they have. */
static int segment_end(sqlite3 *db, enum store_series series, enum resolution resolution,
		       enum resolution wanted, const struct segment *segment, int64_t *out)
{
	char sql[80];

	if (resolution > wanted)
		return oldest_finer(db, series, resolution, segment->to_s, out);
	snprintf(sql, sizeof sql, "SELECT max(time) + %d FROM %s", resolution_seconds(resolution),
		 table_name(series, resolution));
	return query_int64(db, sql, 0, segment->from_s, out);
}

static int cut_segments(sqlite3 *db, enum store_series series, const struct store_query *query,
			int64_t step_s, struct segment out[RESOLUTION_COUNT])
{
	const enum resolution wanted = resolution_for(step_s);
	int64_t from_s = query->from_s - query->from_s % step_s, end_s = 0;
	int result = SQLITE_OK;

	for (int i = RESOLUTION_COUNT - 1; result == SQLITE_OK && i >= 0; i--) {
		struct segment *segment = &out[i];

		*segment = (struct segment){(enum resolution)i, from_s, query->to_s};
		result = segment_end(db, series, segment->resolution, wanted, segment, &end_s);
		if (i != RESOLUTION_10S && end_s < segment->to_s)
			segment->to_s = end_s;
		if (segment->to_s < from_s)
			segment->to_s = from_s;
		from_s = segment->to_s;
	}
	return result;
}

static int read_segment(sqlite3 *db, enum store_series series, const struct store_query *query,
			const struct segment *segment, struct steps *steps)
{
	sqlite3_str *sql = sqlite3_str_new(db);
	sqlite3_stmt *select;
	int32_t values[STORE_MAX_COLUMNS];
	int result;

	sqlite3_str_appendall(sql, "SELECT time");
	append_columns(sql, series, query->columns, query->column_count);
	sqlite3_str_appendf(sql, " FROM %s WHERE time >= ?1 AND time < ?2%s ORDER BY time",
			    table_name(series, segment->resolution),
			    series == STORE_PACK ? " AND pack = ?3" : "");
	result = prepare_built(db, sql, &select);
	if (result != SQLITE_OK)
		return result;
	sqlite3_bind_int64(select, 1, segment->from_s);
	sqlite3_bind_int64(select, 2, segment->to_s);
	if (series == STORE_PACK)
		sqlite3_bind_int(select, 3, query->pack);
	while (sqlite3_step(select) == SQLITE_ROW) {
		for (int i = 0; i < query->column_count; i++)
			values[i] = column_value(select, i + 1);
		steps_add(steps, sqlite3_column_int64(select, 0), values);
	}
	return sqlite3_finalize(select);
}

struct row_sink {
	store_row_fn *row;
	void *arg;
};

static int give_row(void *arg, int64_t time_s, const int32_t *values)
{
	const struct row_sink *sink = arg;

	sink->row(sink->arg, time_s, values);
	return 0;
}

static int query_error(const struct store_query *query, enum store_series series)
{
	if (query->column_count < 1 || query->column_count > STORE_MAX_COLUMNS)
		return ERR_RANGE;
	for (int i = 0; i < query->column_count; i++)
		if (query->columns[i] < 0 || query->columns[i] >= column_count(series))
			return ERR_RANGE;
	return query->from_s < 0 ? ERR_RANGE : 0;
}

int store_history(struct store_reader *reader, const struct store_query *query, store_row_fn *row,
		  void *arg)
{
	const enum store_series series = query->pack == FIELD_UNKNOWN ? STORE_BATTERY : STORE_PACK;
	const int32_t step_s = store_query_step(query);
	struct row_sink sink = {row, arg};
	struct segment segments[RESOLUTION_COUNT];
	struct steps steps;
	int result = query_error(query, series);

	if (result < 0)
		return result;
	steps_start(&steps, series, query->columns, query->column_count, step_s, give_row, &sink);
	if (database_run(reader->db, "BEGIN") != SQLITE_OK) /* one view of all tables */
		return -EIO;
	result = cut_segments(reader->db, series, query, step_s, segments);
	for (int i = RESOLUTION_COUNT - 1; result == SQLITE_OK && i >= 0; i--)
		if (segments[i].from_s < segments[i].to_s)
			result = read_segment(reader->db, series, query, &segments[i], &steps);
	database_run(reader->db, "COMMIT");
	if (result != SQLITE_OK)
		return -EIO;
	steps_end(&steps);
	return steps.rows;
}

/* --- events and reasons --- */

static void copy_text(sqlite3_stmt *statement, int index, char *out, size_t size)
{
	const unsigned char *text = sqlite3_column_text(statement, index);

	snprintf(out, size, "%s", text ? (const char *)text : "");
}

int store_events(struct store_reader *reader, int64_t before_id, int limit, store_event_fn *event,
		 void *arg)
{
	sqlite3_stmt *select;
	struct event row;
	int count = 0;

	if (limit < 1 || limit > STORE_MAX_ROWS)
		return ERR_RANGE;
	if (sqlite3_prepare_v2(reader->db,
			       "SELECT id, time, kind, severity, pack, text FROM events "
			       "WHERE id < ? ORDER BY id DESC LIMIT ?",
			       -1, &select, NULL) != SQLITE_OK)
		return -EIO;
	sqlite3_bind_int64(select, 1, before_id > 0 ? before_id : INT64_MAX);
	sqlite3_bind_int(select, 2, limit);
	while (sqlite3_step(select) == SQLITE_ROW) {
		memset(&row, 0, sizeof row);
		row.time_ms = sqlite3_column_int64(select, 1);
		copy_text(select, 2, row.kind, sizeof row.kind);
		row.severity = (enum event_severity)sqlite3_column_int(select, 3);
		row.pack = column_value(select, 4);
		copy_text(select, 5, row.text, sizeof row.text);
		event(arg, sqlite3_column_int64(select, 0), &row);
		count++;
	}
	return sqlite3_finalize(select) == SQLITE_OK ? count : -EIO;
}

#define REASON_SELECT                                                                    \
	"SELECT time, \"limit\", value, pack, cell, rule, text, next_value, next_pack, " \
	"next_cell, next_rule, next_text FROM reasons WHERE time "

/* Number of rows given, or -EIO. */
static int give_reasons(sqlite3 *db, const char *sql, int64_t first, int64_t second,
			store_reason_fn *reason, void *arg)
{
	sqlite3_stmt *select;
	struct reason row;
	int count = 0;

	if (sqlite3_prepare_v2(db, sql, -1, &select, NULL) != SQLITE_OK)
		return -EIO;
	sqlite3_bind_int64(select, 1, first);
	sqlite3_bind_int64(select, 2, second);
	while (count < STORE_MAX_ROWS && sqlite3_step(select) == SQLITE_ROW) {
		memset(&row, 0, sizeof row);
		row.limit = (enum limit)sqlite3_column_int(select, 1);
		row.value = column_value(select, 2);
		row.pack = column_value(select, 3);
		row.cell = column_value(select, 4);
		copy_text(select, 5, row.rule, sizeof row.rule);
		copy_text(select, 6, row.text, sizeof row.text);
		row.runner_up.value = column_value(select, 7);
		row.runner_up.pack = column_value(select, 8);
		row.runner_up.cell = column_value(select, 9);
		copy_text(select, 10, row.runner_up.rule, sizeof row.runner_up.rule);
		copy_text(select, 11, row.runner_up.text, sizeof row.runner_up.text);
		reason(arg, sqlite3_column_int64(select, 0), &row);
		count++;
	}
	return sqlite3_finalize(select) == SQLITE_OK ? count : -EIO;
}

int store_reasons(struct store_reader *reader, int64_t from_s, int64_t to_s,
		  store_reason_fn *reason, void *arg)
{
	int count = 0, found = 0;

	for (int limit = 0; found >= 0 && limit < LIMIT_COUNT; limit++) {
		found = give_reasons(reader->db,
				     REASON_SELECT
				     "< ?1 AND \"limit\" = ?2 ORDER BY time DESC LIMIT 1",
				     from_s, limit, reason, arg);
		count += found;
	}
	if (found >= 0) {
		found = give_reasons(reader->db, REASON_SELECT ">= ?1 AND time < ?2 ORDER BY 1, 2",
				     from_s, to_s, reason, arg);
		count += found;
	}
	return found < 0 ? found : count;
}

/* --- for the engine --- */

int store_last_energy(const char *path, int32_t *charged_wh, int32_t *discharged_wh)
{
	char why[STORE_DETAIL_SIZE];
	sqlite3_stmt *select;
	sqlite3 *db;
	bool found = false;

	if (database_open_reader(path, &db, why, sizeof why) != SQLITE_OK)
		return ERR_UNKNOWN;
	if (sqlite3_prepare_v2(db, "SELECT charged, discharged FROM totals", -1, &select, NULL) ==
	    SQLITE_OK) {
		found = sqlite3_step(select) == SQLITE_ROW;
		if (found) {
			*charged_wh = column_value(select, 0);
			*discharged_wh = column_value(select, 1);
		}
		sqlite3_finalize(select);
	}
	sqlite3_close(db);
	return found ? 0 : ERR_UNKNOWN;
}
