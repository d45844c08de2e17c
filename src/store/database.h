// SPDX-License-Identifier: Apache-2.0
/* The SQLite file: opening, repairing, tables. Functions return SQLite result codes (SQLITE_OK is
 * 0); the explanation is sqlite3_errmsg() of the connection. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <sqlite3.h>

#include "columns.h"

enum resolution { RESOLUTION_10S, RESOLUTION_1M, RESOLUTION_15M, RESOLUTION_COUNT };

int resolution_seconds(enum resolution resolution);
const char *table_name(enum store_series series, enum resolution resolution);

/* Opens for writing: creates what is missing, checks what is there, moves a malformed file aside
 * (PATH.malformed, one is kept; *moved_aside tells). */
int database_open(const char *path, sqlite3 **out, bool *moved_aside, char *why, size_t why_size);

/* Opens for reading only. */
int database_open_reader(const char *path, sqlite3 **out, char *why, size_t why_size);

int database_run(sqlite3 *db, const char *sql);

/* Appends  , "voltage", "current"...  : the quoted columns, each with a comma before it. */
void append_columns(sqlite3_str *sql, enum store_series series, const int *columns, int count);

/* Finishes the text and prepares it; frees the text. */
int prepare_built(sqlite3 *db, sqlite3_str *sql, sqlite3_stmt **out);

/* INSERT OR REPLACE of a whole row: parameter 1 is the time, for packs 2 is the pack, then all
 * columns. */
int prepare_row_insert(sqlite3 *db, enum store_series series, enum resolution resolution,
		       sqlite3_stmt **out);

/* The first column of the first row of a query with one parameter; `fallback` when there is no row
 * or it is NULL. */
int query_int64(sqlite3 *db, const char *sql, int64_t parameter, int64_t fallback, int64_t *out);

/* FIELD_UNKNOWN <-> NULL. */
int bind_value(sqlite3_stmt *statement, int index, int32_t value);
int32_t column_value(sqlite3_stmt *statement, int index);
