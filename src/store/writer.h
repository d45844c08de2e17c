// SPDX-License-Identifier: Apache-2.0
/* Writes batches into the open file. Time is an argument; no thread here. Functions return SQLite
 * result codes. */
#pragma once

#include "maintain.h"
#include "sample.h"

struct writer {
	sqlite3 *db;
	sqlite3_stmt *battery, *pack, *event, *reason, *totals;
	int64_t rolled_to_s; /* roll-ups are done up to here */
	int64_t last_event_id;
};

/* Everything that waits. Times are sane wall times already. */
struct batch_event {
	int64_t id;
	struct event event;
};

struct batch {
	const struct sample *samples;
	int sample_count;
	const struct batch_event *events;
	int event_count;
	const struct reason_row *reasons;
	int reason_count;
};

int writer_open(struct writer *writer, const char *path, bool *moved_aside, char *why,
		size_t why_size);
void writer_close(struct writer *writer); /* a closed or zeroed writer is fine */

/* All of it or nothing, and on the disk when it returns. After a failure close the writer. */
int writer_commit(struct writer *writer, const struct store_config *config,
		  const struct batch *batch, int64_t now_s);
