// SPDX-License-Identifier: Apache-2.0
/* Reads a transition table (*.table here) for the tests that hold the code to it. */
#pragma once

#include "cmocka_all.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define TABLE_ROWS 100
#define TABLE_WORD 24

struct table_event {
	char name[TABLE_WORD];
	char comes[TABLE_WORD]; /* "quiet", "answer", "any" */
};

struct table_row {
	char from[TABLE_WORD], event[TABLE_WORD], to[TABLE_WORD];
};

struct table {
	int event_count, row_count;
	struct table_event events[TABLE_ROWS];
	struct table_row rows[TABLE_ROWS];
};

static inline void table_read(struct table *table, const char *name)
{
	char path[400], line[300], kind[TABLE_WORD];
	FILE *file;

	snprintf(path, sizeof path, "%s/tests/model/%s", ONEPACK_SOURCE_DIR, name);
	file = fopen(path, "r");
	assert_non_null(file);
	memset(table, 0, sizeof *table);
	while (fgets(line, sizeof line, file)) {
		struct table_event *event = &table->events[table->event_count];
		struct table_row *row = &table->rows[table->row_count];

		line[strcspn(line, "#")] = '\0';
		assert_true(table->row_count < TABLE_ROWS && table->event_count < TABLE_ROWS);
		if (sscanf(line, "event %23s %23s %23s", event->name, event->comes, kind) == 3)
			table->event_count++;
		else if (sscanf(line, "%23s %23s %23s", row->from, row->event, row->to) == 3)
			table->row_count++;
	}
	fclose(file);
	assert_true(table->row_count > 10);
}

static inline const struct table_event *table_event(const struct table *table, const char *name)
{
	for (int i = 0; i < table->event_count; i++)
		if (strcmp(table->events[i].name, name) == 0)
			return &table->events[i];
	fail_msg("no event %s", name);
	return NULL;
}

/* May this happen, with or without an answer in the step? */
static inline bool table_allows(const struct table *table, const char *from, const char *to,
				bool answered)
{
	for (int i = 0; i < table->row_count; i++) {
		const struct table_row *row = &table->rows[i];
		const char *comes = table_event(table, row->event)->comes;

		if (strcmp(row->from, from) == 0 && strcmp(row->to, to) == 0 &&
		    strcmp(comes, answered ? "quiet" : "answer") != 0)
			return true;
	}
	return false;
}
