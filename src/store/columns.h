// SPDX-License-Identifier: Apache-2.0
/* Which columns a sample has, made from the vocabulary: all scalars of the battery, and for each
 * pack a few fields and the extremes of its cells and sensors. */
#pragma once

#include "onepack/field.h"
#include "onepack/store.h"

#define SERIES_COUNT 2

/* How many samples become one row of a coarser table, or one step of a query. */
enum rollup { ROLLUP_MEAN, ROLLUP_MIN, ROLLUP_MAX, ROLLUP_LAST };

struct column {
	const char *name; /* in SQL: the field's name without unit, e.g. "voltage" */
	const char *json; /* the public name, e.g. "voltage_v" */
	enum unit unit;
	enum rollup rollup;
};

int column_count(enum store_series series);
struct column column_at(enum store_series series, int index);
