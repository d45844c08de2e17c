// SPDX-License-Identifier: Apache-2.0
/* One batch, one transaction. Rows of the same time replace each other: after the clock has been
 * set back the newer ones win. */
#include "writer.h"

#include <string.h>

#define ROLLED_UNKNOWN                                                                      \
	INT64_MIN           /* asked at the first commit: at opening the clock may be wrong \
			     */
#define ROLL_UP_MAX_S 28800 /* 8 h per commit; after a long pause several share the work */

static int prepare_all(struct writer *writer)
{
	int result =
		prepare_row_insert(writer->db, STORE_BATTERY, RESOLUTION_10S, &writer->battery);

	if (result == SQLITE_OK)
		result = prepare_row_insert(writer->db, STORE_PACK, RESOLUTION_10S, &writer->pack);
	if (result == SQLITE_OK)
		result = sqlite3_prepare_v2(
			writer->db, "INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?, ?, ?)", -1,
			&writer->event, NULL);
	if (result == SQLITE_OK)
		result = sqlite3_prepare_v2(
			writer->db,
			"INSERT OR REPLACE INTO reasons (time, \"limit\", value, pack, cell, rule, "
			"text, next_value, next_pack, next_cell, next_rule, next_text) "
			"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			-1, &writer->reason, NULL);
	if (result == SQLITE_OK)
		result = sqlite3_prepare_v2(writer->db,
					    "INSERT OR REPLACE INTO totals VALUES (1, ?, ?)", -1,
					    &writer->totals, NULL);
	return result;
}

int writer_open(struct writer *writer, const char *path, bool *moved_aside, char *why,
		size_t why_size)
{
	int result;

	memset(writer, 0, sizeof *writer);
	writer->rolled_to_s = ROLLED_UNKNOWN;
	result = database_open(path, &writer->db, moved_aside, why, why_size);
	if (result != SQLITE_OK) {
		writer->db = NULL;
		return result;
	}
	result = prepare_all(writer);
	if (result == SQLITE_OK)
		result = query_int64(writer->db, "SELECT max(id) FROM events", 0, 0,
				     &writer->last_event_id);
	if (result != SQLITE_OK) {
		sqlite3_snprintf((int)why_size, why, "%s: %s", path, sqlite3_errmsg(writer->db));
		writer_close(writer);
	}
	return result;
}

void writer_close(struct writer *writer)
{
	sqlite3_finalize(writer->battery);
	sqlite3_finalize(writer->pack);
	sqlite3_finalize(writer->event);
	sqlite3_finalize(writer->reason);
	sqlite3_finalize(writer->totals);
	sqlite3_close(writer->db);
	memset(writer, 0, sizeof *writer);
}

static int run(sqlite3_stmt *statement)
{
	sqlite3_step(statement);
	return sqlite3_reset(statement);
}

static int bind_text(sqlite3_stmt *statement, int index, const char *text)
{
	return sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
}

static int put_sample(struct writer *writer, const struct sample *sample)
{
	int64_t time_s = sample->wall_ms / 1000;
	int result;

	time_s -= time_s % resolution_seconds(RESOLUTION_10S);
	if (time_s < writer->rolled_to_s)
		writer->rolled_to_s = time_s - time_s % resolution_seconds(RESOLUTION_15M);
	sqlite3_bind_int64(writer->battery, 1, time_s);
	for (int i = 0; i < column_count(STORE_BATTERY); i++)
		bind_value(writer->battery, 2 + i, sample->battery[i]);
	result = run(writer->battery);
	for (int i = 0; result == SQLITE_OK && i < sample->pack_count; i++) {
		sqlite3_bind_int64(writer->pack, 1, time_s);
		sqlite3_bind_int(writer->pack, 2, sample->pack_number[i]);
		for (int j = 0; j < SAMPLE_PACK_COUNT; j++)
			bind_value(writer->pack, 3 + j, sample->pack[i][j]);
		result = run(writer->pack);
	}
	return result;
}

static int put_event(struct writer *writer, const struct batch_event *row)
{
	const struct event *event = &row->event;

	sqlite3_bind_int64(writer->event, 1, row->id);
	sqlite3_bind_int64(writer->event, 2, event->time_ms);
	bind_text(writer->event, 3, event->kind);
	sqlite3_bind_int(writer->event, 4, (int)event->severity);
	bind_value(writer->event, 5, event->pack);
	bind_text(writer->event, 6, event->text);
	return run(writer->event);
}

/* The runner-up is NULL where nothing else limits: most rows then cost nothing more. */
static void bind_runner_up(sqlite3_stmt *statement, int index, const struct runner_up *next)
{
	const bool exists = next->rule[0] != '\0';

	bind_value(statement, index, exists ? next->value : FIELD_UNKNOWN);
	bind_value(statement, index + 1, exists ? next->pack : FIELD_UNKNOWN);
	bind_value(statement, index + 2, exists ? next->cell : FIELD_UNKNOWN);
	bind_text(statement, index + 3, exists ? next->rule : NULL);
	bind_text(statement, index + 4, exists ? next->text : NULL);
}

static int put_reason(struct writer *writer, const struct reason_row *row)
{
	sqlite3_bind_int64(writer->reason, 1, row->wall_ms / 1000);
	sqlite3_bind_int(writer->reason, 2, (int)row->reason.limit);
	bind_value(writer->reason, 3, row->reason.value);
	bind_value(writer->reason, 4, row->reason.pack);
	bind_value(writer->reason, 5, row->reason.cell);
	bind_text(writer->reason, 6, row->reason.rule);
	bind_text(writer->reason, 7, row->reason.text);
	bind_runner_up(writer->reason, 8, &row->reason.runner_up);
	return run(writer->reason);
}

/* The energy counters of the newest sample that knows them, apart from the rows: those are sorted
 * by a clock that may have been wrong. */
static int put_totals(struct writer *writer, const struct batch *batch)
{
	const int charged = store_column_find(STORE_BATTERY, "energy_charged_kwh");
	const int discharged = store_column_find(STORE_BATTERY, "energy_discharged_kwh");

	for (int i = batch->sample_count - 1; i >= 0; i--) {
		const int32_t *values = batch->samples[i].battery;

		if (values[charged] == FIELD_UNKNOWN || values[discharged] == FIELD_UNKNOWN)
			continue;
		bind_value(writer->totals, 1, values[charged]);
		bind_value(writer->totals, 2, values[discharged]);
		return run(writer->totals);
	}
	return SQLITE_OK;
}

/* When a quarter of an hour is over: roll-ups, then retention. */
static int maintain(struct writer *writer, const struct store_config *config, int64_t now_s)
{
	const int64_t quarter_s = now_s - now_s % resolution_seconds(RESOLUTION_15M);
	int64_t to_s = quarter_s;
	int result;

	if (writer->rolled_to_s >= quarter_s)
		return SQLITE_OK;
	if (to_s - writer->rolled_to_s > ROLL_UP_MAX_S)
		to_s = writer->rolled_to_s + ROLL_UP_MAX_S;
	result = maintain_roll_up(writer->db, writer->rolled_to_s, to_s);
	if (result == SQLITE_OK)
		result = maintain_expire(writer->db, config, now_s);
	if (result == SQLITE_OK)
		writer->rolled_to_s = to_s;
	return result;
}

static int put_batch(struct writer *writer, const struct store_config *config,
		     const struct batch *batch, int64_t now_s)
{
	int result = database_run(writer->db, "BEGIN IMMEDIATE");

	if (result == SQLITE_OK && writer->rolled_to_s == ROLLED_UNKNOWN)
		result = maintain_find_start(writer->db, now_s, &writer->rolled_to_s);
	for (int i = 0; result == SQLITE_OK && i < batch->sample_count; i++)
		result = put_sample(writer, &batch->samples[i]);
	for (int i = 0; result == SQLITE_OK && i < batch->event_count; i++)
		result = put_event(writer, &batch->events[i]);
	for (int i = 0; result == SQLITE_OK && i < batch->reason_count; i++)
		result = put_reason(writer, &batch->reasons[i]);
	if (result == SQLITE_OK)
		result = put_totals(writer, batch);
	if (result == SQLITE_OK)
		result = maintain(writer, config, now_s);
	if (result == SQLITE_OK)
		result = database_run(writer->db, "COMMIT");
	return result;
}

int writer_commit(struct writer *writer, const struct store_config *config,
		  const struct batch *batch, int64_t now_s)
{
	const int64_t rolled_to_s = writer->rolled_to_s;
	const int result = put_batch(writer, config, batch, now_s);

	if (result != SQLITE_OK) {
		writer->rolled_to_s = rolled_to_s;
		return result; /* the caller closes the file, which rolls back */
	}
	for (int i = 0; i < batch->event_count; i++)
		if (batch->events[i].id > writer->last_event_id)
			writer->last_event_id = batch->events[i].id;
	return SQLITE_OK;
}
