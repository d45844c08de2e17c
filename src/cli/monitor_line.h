// SPDX-License-Identifier: Apache-2.0
/* What the two halves of the monitor's view share: the beginning of a line, bytes, and counting.
 * CAN and the summary are in monitor_view.c, serial lines in monitor_serial.c. */
#pragma once

#include "monitor_view.h"

/* What is known of a frame before its values. */
struct view_head {
	const char *who; /* bms, inv, ask, says */
	char number[16]; /* id, or address */
	char name[40];
};

void view_put_head(struct monitor_view *view, int64_t at_us, const struct view_head *head);

/* A value behind the head; a monitor_value. */
void view_put_value(void *context, const char *key, const char *text, bool changed);
void view_put_bytes(struct monitor_view *view, const uint8_t *bytes, size_t count);

/* A line of its own for bytes that are no good frame. */
void view_put_trouble(struct monitor_view *view, int64_t at_us, const char *cause,
		      const uint8_t *bytes, size_t count);

/* The name under which frames of this kind are counted. */
void view_row_name(const struct view_head *head, char name[VIEW_NAME_SIZE]);

/* Counts a frame and its period; its row, NULL when there are too many kinds. */
struct view_row *view_count(struct monitor_view *view, const char *name, int64_t at_us);
void view_count_error(struct monitor_view *view, const char *cause);
