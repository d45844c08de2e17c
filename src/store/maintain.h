// SPDX-License-Identifier: Apache-2.0
/* The quarter-hourly work on the file: coarser tables are filled, old rows go, in small steps and
 * within the caller's transaction. Functions return SQLite result codes. */
#pragma once

#include "database.h"

/* Where roll-ups have to go on: the first sample that no coarser table covers yet; `now_s` when
 * there is none. */
int maintain_find_start(sqlite3 *db, int64_t now_s, int64_t *out);

/* Fills the coarser tables from the samples of from <= t < to, both multiples of 900. */
int maintain_roll_up(sqlite3 *db, int64_t from_s, int64_t to_s);

/* Deletes at most an hour of each table's oldest rows, so that neither a shortened retention nor a
 * clock that is wrong for a while does much at once. */
int maintain_expire(sqlite3 *db, const struct store_config *config, int64_t now_s);
