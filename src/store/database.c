// SPDX-License-Identifier: Apache-2.0
/* The SQLite file, set up for flash: how it is written decides how long a card lives. MB written a
 * day with 16 packs and a commit each minute (tests/unit/store/bench_day.c), in the first week and
 * later, when old rows go:
 *
 * - 122 and more: 4 KiB pages, synchronous=NORMAL and a checkpoint after each batch
 * - 78, then 96: 4 KiB pages, synchronous=FULL, a checkpoint per 1000 pages
 * - 45, then 62: 1 KiB pages, otherwise the same
 *
 * FULL syncs the log at each commit, so a committed batch outlives a power cut at once, and the
 * database file itself is written only when enough pages have come together. */
#include "database.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define CHECK_LIMIT_S  10   /* a large file on a slow card: better unchecked than no history */
#define CHECK_INTERVAL 5000 /* virtual machine steps between looks at the clock */
#define PATH_SIZE      (STORE_PATH_SIZE + 16)

int resolution_seconds(enum resolution resolution)
{
	static const int seconds[RESOLUTION_COUNT] = {10, 60, 900};

	return seconds[resolution];
}

const char *table_name(enum store_series series, enum resolution resolution)
{
	static const char *const names[SERIES_COUNT][RESOLUTION_COUNT] = {
		[STORE_BATTERY] = {"battery_10s", "battery_1m", "battery_15m"},
		[STORE_PACK] = {"pack_10s", "pack_1m", "pack_15m"},
	};

	return names[series][resolution];
}

int database_run(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

void append_columns(sqlite3_str *sql, enum store_series series, const int *columns, int count)
{
	for (int i = 0; i < count; i++)
		sqlite3_str_appendf(sql, ", \"%w\"",
				    column_at(series, columns ? columns[i] : i).name);
}

int prepare_built(sqlite3 *db, sqlite3_str *sql, sqlite3_stmt **out)
{
	char *text = sqlite3_str_finish(sql);
	const int result = text ? sqlite3_prepare_v2(db, text, -1, out, NULL) : SQLITE_NOMEM;

	sqlite3_free(text);
	return result;
}

int prepare_row_insert(sqlite3 *db, enum store_series series, enum resolution resolution,
		       sqlite3_stmt **out)
{
	sqlite3_str *sql = sqlite3_str_new(db);

	sqlite3_str_appendf(sql, "INSERT OR REPLACE INTO %s (time%s",
			    table_name(series, resolution), series == STORE_PACK ? ", pack" : "");
	append_columns(sql, series, NULL, column_count(series));
	sqlite3_str_appendf(sql, ") VALUES (?%s", series == STORE_PACK ? ", ?" : "");
	for (int i = 0; i < column_count(series); i++)
		sqlite3_str_appendall(sql, ", ?");
	sqlite3_str_appendall(sql, ")");
	return prepare_built(db, sql, out);
}

int query_int64(sqlite3 *db, const char *sql, int64_t parameter, int64_t fallback, int64_t *out)
{
	sqlite3_stmt *statement;
	int result = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

	if (result != SQLITE_OK)
		return result;
	if (sqlite3_bind_parameter_count(statement) > 0)
		sqlite3_bind_int64(statement, 1, parameter);
	result = sqlite3_step(statement);
	if (result == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL)
		*out = sqlite3_column_int64(statement, 0);
	else if (result == SQLITE_ROW || result == SQLITE_DONE)
		*out = fallback;
	return sqlite3_finalize(statement);
}

int bind_value(sqlite3_stmt *statement, int index, int32_t value)
{
	return value == FIELD_UNKNOWN ? sqlite3_bind_null(statement, index)
				      : sqlite3_bind_int(statement, index, value);
}

int32_t column_value(sqlite3_stmt *statement, int index)
{
	return sqlite3_column_type(statement, index) == SQLITE_NULL
		       ? FIELD_UNKNOWN
		       : sqlite3_column_int(statement, index);
}

/* --- tables --- */

static bool has_column(sqlite3 *db, const char *table, const char *column)
{
	return sqlite3_table_column_metadata(db, NULL, table, column, NULL, NULL, NULL, NULL,
					     NULL) == SQLITE_OK;
}

/* New tables and old ones take the same way: the key first, then each missing column. */
static int create_series(sqlite3 *db, enum store_series series, const char *table)
{
	const char *shape = series == STORE_BATTERY
				    ? "CREATE TABLE IF NOT EXISTS %s (time INTEGER PRIMARY KEY)"
				    : "CREATE TABLE IF NOT EXISTS %s (time INTEGER, pack INTEGER, "
				      "PRIMARY KEY (time, pack)) WITHOUT ROWID";
	char sql[200];
	int result;

	snprintf(sql, sizeof sql, shape, table);
	result = database_run(db, sql);
	for (int i = 0; result == SQLITE_OK && i < column_count(series); i++) {
		const char *name = column_at(series, i).name;

		if (has_column(db, table, name))
			continue;
		snprintf(sql, sizeof sql, "ALTER TABLE %s ADD COLUMN \"%s\" INTEGER", table, name);
		result = database_run(db, sql);
	}
	return result;
}

static int create_tables(sqlite3 *db)
{
#define ADD(name, type)                                               \
	{                                                             \
		name, "ALTER TABLE reasons ADD COLUMN " name " " type \
	}
	static const struct {
		const char *name, *sql;
	} added[] = {ADD("next_value", "INTEGER"), ADD("next_pack", "INTEGER"),
		     ADD("next_cell", "INTEGER"), ADD("next_rule", "TEXT"),
		     ADD("next_text", "TEXT")}; /* the runner-up, since version 0.1.1 */
#undef ADD
	int result = database_run(
		db, "BEGIN IMMEDIATE;"
		    "CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, time INTEGER, "
		    "kind TEXT, severity INTEGER, pack INTEGER, text TEXT);"
		    "CREATE TABLE IF NOT EXISTS totals (id INTEGER PRIMARY KEY, charged INTEGER, "
		    "discharged INTEGER);"
		    "CREATE TABLE IF NOT EXISTS reasons (time INTEGER, \"limit\" INTEGER, "
		    "value INTEGER, pack INTEGER, cell INTEGER, rule TEXT, text TEXT, "
		    "PRIMARY KEY (time, \"limit\")) WITHOUT ROWID");

	for (size_t i = 0; result == SQLITE_OK && i < sizeof added / sizeof added[0]; i++)
		if (!has_column(db, "reasons", added[i].name))
			result = database_run(db, added[i].sql);
	for (int series = 0; series < SERIES_COUNT; series++)
		for (int i = 0; result == SQLITE_OK && i < RESOLUTION_COUNT; i++)
			result = create_series(
				db, (enum store_series)series,
				table_name((enum store_series)series, (enum resolution)i));
	if (result == SQLITE_OK)
		result = database_run(db, "COMMIT");
	return result;
}

/* --- opening --- */

static int is_time_over(void *deadline)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec >= *(const time_t *)deadline;
}

/* SQLITE_CORRUPT when the file contradicts itself; a check that takes too long counts as good. */
static int quick_check(sqlite3 *db)
{
	struct timespec now;
	sqlite3_stmt *statement;
	int result = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL);

	if (result != SQLITE_OK)
		return result;
	clock_gettime(CLOCK_MONOTONIC, &now);
	time_t deadline = now.tv_sec + CHECK_LIMIT_S;
	sqlite3_progress_handler(db, CHECK_INTERVAL, is_time_over, &deadline);
	result = sqlite3_step(statement);
	if (result == SQLITE_ROW)
		result = strcmp((const char *)sqlite3_column_text(statement, 0), "ok") == 0
				 ? SQLITE_OK
				 : SQLITE_CORRUPT;
	else if (result == SQLITE_INTERRUPT)
		result = SQLITE_OK;
	sqlite3_finalize(statement);
	sqlite3_progress_handler(db, 0, NULL, NULL);
	return result;
}

/* The first two count only when the file is created. */
static const char set_up_sql[] = "PRAGMA page_size=1024;"
				 "PRAGMA auto_vacuum=INCREMENTAL;"
				 "PRAGMA journal_mode=WAL;"
				 "PRAGMA synchronous=FULL;"
				 "PRAGMA wal_autocheckpoint=1000;"
				 "PRAGMA journal_size_limit=1048576;"
				 "PRAGMA cache_size=-512;"
				 "PRAGMA temp_store=MEMORY";

static int open_once(const char *path, sqlite3 **out)
{
	sqlite3 *db;
	int result = sqlite3_open_v2(
		path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);

	*out = db;
	if (result != SQLITE_OK)
		return result;
	sqlite3_extended_result_codes(db, 1);
	sqlite3_busy_timeout(db, 2000);
	result = database_run(db, set_up_sql);
	if (result == SQLITE_OK)
		result = quick_check(db);
	if (result == SQLITE_OK)
		result = create_tables(db);
	return result;
}

static bool is_malformed(int result)
{
	return (result & 0xff) == SQLITE_CORRUPT || (result & 0xff) == SQLITE_NOTADB;
}

static void move_aside(const char *path)
{
	static const char *const endings[] = {"-wal", "-shm"};
	char other[PATH_SIZE];

	snprintf(other, sizeof other, "%s.malformed", path);
	rename(path, other);
	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		snprintf(other, sizeof other, "%s%s", path, endings[i]);
		remove(other);
	}
}

int database_open(const char *path, sqlite3 **out, bool *moved_aside, char *why, size_t why_size)
{
	sqlite3 *db = NULL;
	int result = open_once(path, &db);

	*moved_aside = false;
	if (is_malformed(result)) {
		sqlite3_close(db);
		move_aside(path);
		*moved_aside = true;
		result = open_once(path, &db);
	}
	if (result != SQLITE_OK) {
		snprintf(why, why_size, "%s: %s", path, db ? sqlite3_errmsg(db) : "no memory");
		sqlite3_close(db);
		return result;
	}
	*out = db;
	return SQLITE_OK;
}

int database_open_reader(const char *path, sqlite3 **out, char *why, size_t why_size)
{
	sqlite3 *db = NULL;
	int result = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);

	if (result == SQLITE_OK) {
		sqlite3_busy_timeout(db, 2000);
		result = database_run(db, "PRAGMA cache_size=-256; PRAGMA temp_store=MEMORY;"
					  "SELECT 1 FROM sqlite_schema"); /* opens for real */
	}
	if (result != SQLITE_OK) {
		snprintf(why, why_size, "%s: %s", path, db ? sqlite3_errmsg(db) : "no memory");
		sqlite3_close(db);
		return result;
	}
	*out = db;
	return SQLITE_OK;
}
