// SPDX-License-Identifier: Apache-2.0
/* The bus monitor without its bus: frames and their times in, one readable line each and a summary
 * out. No clock, no ports. */
#pragma once

#include <stdio.h>

#include "monitor_split.h"
#include "monitor_values.h"

#define VIEW_MAX_ROWS  256 /* kinds of frames that are counted on their own */
#define VIEW_NAME_SIZE 64

/* One kind of frame: sender, number and name. */
struct view_row {
	char name[VIEW_NAME_SIZE];
	uint64_t count;
	int64_t last_us, shortest_us, longest_us, sum_us; /* between two of them */
	bool strange;                                     /* not of this protocol */
};

struct view_error {
	const char *cause;
	uint64_t count;
};

#define VIEW_MAX_ERRORS 16

struct monitor_view {
	const struct wire *wire;
	const struct wire_context *ctx;
	struct wire_info info;
	FILE *out;
	bool colour, raw;
	struct monitor_values values;
	struct wire_listener listener;
	struct splitter splitter;
	int64_t burst_us; /* when the bytes in the splitter began to come */
	struct view_row rows[VIEW_MAX_ROWS];
	int row_count;
	struct view_error errors[VIEW_MAX_ERRORS];
	uint64_t frames;
	int64_t last_us;
};

#define VIEW_NO_TIME INT64_MIN /* a log without times */

/* The rest of the struct is the caller's to set: out, colour, raw. */
int view_init(struct monitor_view *view, const struct wire *wire, const struct wire_context *ctx);
void view_free(struct monitor_view *view);

/* Times are microseconds since the start. */
void view_can(struct monitor_view *view, int64_t at_us, const struct can_message *message);
void view_serial(struct monitor_view *view, int64_t at_us, const uint8_t *bytes, size_t count);

/* The serial line is quiet: what is unfinished will not be finished. */
void view_quiet(struct monitor_view *view);

/* Something went wrong outside the frames: counted, and shown with what there is. */
void view_error(struct monitor_view *view, int64_t at_us, const char *cause, const char *text);

void view_summary(const struct monitor_view *view);
