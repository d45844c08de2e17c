// SPDX-License-Identifier: Apache-2.0
/* Roll-ups and retention. */
#include "maintain.h"

#include <stdio.h>

#include "steps.h"

#define DAY_S           86400
#define EXPIRE_STEP_S   3600
#define EXPIRE_EVENTS   "200"
#define VACUUM_WORTH_IT 8192 /* free pages, 8 MB: below, new rows will fill them soon */

struct target {
	sqlite3_stmt *insert;
	enum store_series series;
	int32_t pack;
};

static int insert_step(void *arg, int64_t time_s, const int32_t *values)
{
	const struct target *target = arg;
	int index = 1;

	sqlite3_bind_int64(target->insert, index++, time_s);
	if (target->series == STORE_PACK)
		sqlite3_bind_int(target->insert, index++, target->pack);
	for (int i = 0; i < column_count(target->series); i++)
		bind_value(target->insert, index + i, values[i]);
	sqlite3_step(target->insert);
	return sqlite3_reset(target->insert);
}

/* Runs all rows of one pack (or the battery) through the steps. */
static int roll_rows(sqlite3_stmt *select, struct steps *steps)
{
	int32_t values[STORE_MAX_COLUMNS];
	int stopped = SQLITE_OK;

	while (!stopped && sqlite3_step(select) == SQLITE_ROW) {
		for (int i = 0; i < steps->count; i++)
			values[i] = column_value(select, i + 1);
		stopped = steps_add(steps, sqlite3_column_int64(select, 0), values);
	}
	const int result = sqlite3_reset(select);
	if (result != SQLITE_OK || stopped)
		return result != SQLITE_OK ? result : stopped;
	return steps_end(steps);
}

static int prepare_select(sqlite3 *db, enum store_series series, sqlite3_stmt **out)
{
	sqlite3_str *sql = sqlite3_str_new(db);

	sqlite3_str_appendall(sql, "SELECT time");
	append_columns(sql, series, NULL, column_count(series));
	sqlite3_str_appendf(sql, " FROM %s WHERE time >= ?1 AND time < ?2%s ORDER BY time",
			    table_name(series, RESOLUTION_10S),
			    series == STORE_PACK ? " AND pack = ?3" : "");
	return prepare_built(db, sql, out);
}

static int roll_series(sqlite3 *db, enum store_series series, enum resolution resolution,
		       int64_t from_s, int64_t to_s)
{
	const int last_pack = series == STORE_PACK ? ONEPACK_MAX_PACKS : 1;
	struct target target = {.series = series};
	sqlite3_stmt *select = NULL;
	struct steps steps;
	int result = prepare_select(db, series, &select);

	if (result == SQLITE_OK)
		result = prepare_row_insert(db, series, resolution, &target.insert);
	for (int pack = 1; result == SQLITE_OK && pack <= last_pack; pack++) {
		target.pack = pack;
		steps_start(&steps, series, NULL, column_count(series),
			    resolution_seconds(resolution), insert_step, &target);
		sqlite3_bind_int64(select, 1, from_s);
		sqlite3_bind_int64(select, 2, to_s);
		if (series == STORE_PACK)
			sqlite3_bind_int(select, 3, pack);
		result = roll_rows(select, &steps);
	}
	sqlite3_finalize(target.insert);
	sqlite3_finalize(select);
	return result;
}

int maintain_roll_up(sqlite3 *db, int64_t from_s, int64_t to_s)
{
	int result = SQLITE_OK;

	for (int series = 0; series < SERIES_COUNT; series++)
		for (int i = RESOLUTION_1M; result == SQLITE_OK && i < RESOLUTION_COUNT; i++)
			result = roll_series(db, (enum store_series)series, (enum resolution)i,
					     from_s, to_s);
	return result;
}

int maintain_find_start(sqlite3 *db, int64_t now_s, int64_t *out)
{
	int64_t rolled_s;
	/* a row from the future (a clock that was wrong once) must not end all roll-ups */
	int result = query_int64(db, "SELECT max(time) + 900 FROM battery_15m WHERE time < ?",
				 now_s, 0, &rolled_s);

	if (result == SQLITE_OK)
		result = query_int64(db, "SELECT min(time) FROM battery_10s WHERE time >= ?",
				     rolled_s, now_s, out);
	if (result == SQLITE_OK)
		*out -= *out % resolution_seconds(RESOLUTION_15M);
	return result;
}

static int expire_rows(sqlite3 *db, const char *table, int64_t before_s)
{
	char sql[160];

	snprintf(sql, sizeof sql,
		 "DELETE FROM %s WHERE time < min(%lld, (SELECT min(time) FROM %s) + %d)", table,
		 (long long)before_s, table, EXPIRE_STEP_S);
	return database_run(db, sql);
}

static int expire_events(sqlite3 *db, int64_t before_s)
{
	char sql[200];

	snprintf(sql, sizeof sql,
		 "DELETE FROM events WHERE time < %lld AND id IN "
		 "(SELECT id FROM events ORDER BY id LIMIT " EXPIRE_EVENTS ")",
		 (long long)before_s * 1000);
	return database_run(db, sql);
}

int maintain_expire(sqlite3 *db, const struct store_config *config, int64_t now_s)
{
	const int32_t days[RESOLUTION_COUNT] = {config->keep_10s_days, config->keep_1m_days,
						config->keep_15m_days};
	int64_t free_pages = 0;
	int result = expire_rows(db, "reasons", now_s - (int64_t)config->keep_reason_days * DAY_S);

	for (int series = 0; series < SERIES_COUNT; series++)
		for (int i = 0; result == SQLITE_OK && i < RESOLUTION_COUNT; i++)
			result = expire_rows(
				db, table_name((enum store_series)series, (enum resolution)i),
				now_s - (int64_t)days[i] * DAY_S);
	if (result == SQLITE_OK)
		result = expire_events(db, now_s - (int64_t)config->keep_event_days * DAY_S);
	if (result == SQLITE_OK)
		result = query_int64(db, "PRAGMA freelist_count", 0, 0, &free_pages);
	if (result == SQLITE_OK && free_pages > VACUUM_WORTH_IT)
		result = database_run(db, "PRAGMA incremental_vacuum(1024)");
	return result;
}
