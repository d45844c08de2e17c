// SPDX-License-Identifier: Apache-2.0
/* Writing of metrics: one family begins with its help and type, then comes a line per sample. */
#pragma once

#include "http.h"

#define METRIC_NAME_SIZE  128
#define METRIC_LABEL_SIZE 160 /* of one label's value */

struct sheet {
	FILE *out;
	char name[METRIC_NAME_SIZE]; /* of the family that is being written */
};

/* `kind` is "gauge" or "counter"; the name goes without "onepack_". */
void metric_begin(struct sheet *sheet, const char *kind, const char *name, const char *help);

/* `labels` is what stands between the braces, "" for none. Unknown values give no line. */
void metric_count(const struct sheet *sheet, const char *labels, int64_t value);
void metric_decimal(const struct sheet *sheet, const char *labels, int32_t thousandths);

/* Seconds since a monotonic time, no line for 0. */
void metric_age(const struct sheet *sheet, const char *labels, int64_t then_ms, int64_t now_ms);

/* Makes text from a bus or a configuration fit to be a label's value. Returns `out`. */
const char *metric_label(const char *text, char out[METRIC_LABEL_SIZE]);

/* Everything about the battery and its packs (metrics_battery.c), and about links, history and
 * server (metrics_links.c). */
void metrics_print_battery(struct sheet *sheet, const struct battery *battery);
void metrics_print_links(struct sheet *sheet, struct web *web);
