// SPDX-License-Identifier: Apache-2.0
/* The history: samples of the battery and its packs, why the limits were what they were, and
 * events, in one SQLite file. One thread writes, in batches (flash wears out by commits, not by
 * rows); readers open the file themselves, read-only.
 *
 * The promise: a crash loses at most the last batch and never the file; a full, read-only or absent
 * disk stops the history (store_get_status says why) and nothing else, and it goes on by itself
 * later. Values keep the vocabulary's int32_t form; a new field becomes a new column at start. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "onepack/board.h"

#define STORE_PATH_SIZE   256
#define STORE_DETAIL_SIZE 160

struct store_config {
	char path[STORE_PATH_SIZE]; /* the database; its folder must exist */
	int32_t sample_ms;          /* 10000; the battery and its packs are written this often */
	int32_t batch_ms;           /* 60000; committed this often; alarms and warnings at once */
	int32_t keep_10s_days;      /* 7: the samples */
	int32_t keep_1m_days;       /* 90: means of one minute */
	int32_t keep_15m_days;      /* 3650: means of a quarter of an hour */
	int32_t keep_reason_days;   /* 90: why the limits were what they were */
	int32_t keep_event_days;    /* 3650 */
};

/* The documented defaults; `path` is left empty. */
void store_config_default(struct store_config *config);

struct store;

/* Starts the writer thread. A bad disk is no failure (it is retried); fails only for a bad
 * configuration or lack of memory, with a sentence in `why`. */
int store_start(const struct store_config *config, struct board *board, struct store **out,
		char *why, size_t why_size);

/* Commits what is queued and stops. NULL is fine. */
void store_stop(struct store *store);

enum store_state {
	STORE_STARTING,
	STORE_WORKING,
	STORE_WAITING_FOR_CLOCK, /* the wall clock is before 2024: rows wait in memory */
	STORE_FAILED             /* the disk refuses; retried with growing pauses */
};

struct store_status {
	enum store_state state;
	char detail[STORE_DETAIL_SIZE]; /* what the disk said, "" while it works */
	uint64_t samples_written;
	uint64_t samples_dropped; /* the queue in memory holds the newest hour, no more */
	uint64_t events_written;
	uint64_t commits;
	uint64_t failures;      /* commits and openings that failed */
	int64_t last_commit_ms; /* monotonic, 0 = never */
};

const char *store_state_name(enum store_state state); /* "working", ... */
void store_get_status(struct store *store, struct store_status *out);

typedef void store_reason_fn(void *arg, int64_t time_s, const struct reason *reason);

/* The reasons that came into force in from <= t < to and are not on the disk yet, oldest first.
 * Returns their number. */
int store_pending_reasons(struct store *store, int64_t from_s, int64_t to_s,
			  store_reason_fn *reason, void *arg);

/* Public event ids go on where the file ended: id = this + the event's number on the board. */
int64_t store_event_base(struct store *store);

/* The energy counters as last written, for the engine at start. ERR_UNKNOWN when the file does not
 * exist or holds none. */
int store_last_energy(const char *path, int32_t *charged_wh, int32_t *discharged_wh);

/* --- reading, from any thread, each with a reader of its own --- */

struct store_reader;

/* -errno or ERR_FORMAT with a sentence in `why`. */
int store_reader_open(const char *path, struct store_reader **out, char *why, size_t why_size);
void store_reader_close(struct store_reader *reader); /* NULL is fine */

/* What is kept of the battery (all fields of the vocabulary) and of each pack (a few of its fields
 * and the extremes of its cells and sensors). */
enum store_series { STORE_BATTERY, STORE_PACK };

#define STORE_MAX_COLUMNS 64

/* The column by its public name ("voltage_v"), or -1. */
int store_column_find(enum store_series series, const char *json);
enum unit store_column_unit(enum store_series series, int column);

#define STORE_MAX_ROWS 5000

struct store_query {
	int64_t from_s, to_s; /* wall time, seconds since 1970: from <= t < to */
	int32_t step_s;       /* one row per step; 0 = about 500 rows. Raised where it would give
				 more than STORE_MAX_ROWS or is finer than the samples */
	int32_t pack;         /* 1..16, or FIELD_UNKNOWN for the battery */
	int column_count;
	int columns[STORE_MAX_COLUMNS]; /* from store_column_find */
};

/* The step that a query will really have. */
int32_t store_query_step(const struct store_query *query);

/* Called per row, oldest first; `time_s` is the start of the step. values[i] belongs to columns[i],
 * FIELD_UNKNOWN where nothing is known. Steps without samples have no row. */
typedef void store_row_fn(void *arg, int64_t time_s, const int32_t *values);

/* Number of rows, or an error. Takes each part of the range from the coarsest table that serves the
 * step, and from another where that one has nothing (yet, or any more). */
int store_history(struct store_reader *reader, const struct store_query *query, store_row_fn *row,
		  void *arg);

typedef void store_event_fn(void *arg, int64_t id, const struct event *event);

/* Events with id < before_id (0 = all), newest first, at most `limit` (1..STORE_MAX_ROWS). */
int store_events(struct store_reader *reader, int64_t before_id, int limit, store_event_fn *event,
		 void *arg);

/* Why the limits were what they were in from <= t < to, oldest first; begins with the reasons that
 * were in force at `from`. */
int store_reasons(struct store_reader *reader, int64_t from_s, int64_t to_s,
		  store_reason_fn *reason, void *arg);
