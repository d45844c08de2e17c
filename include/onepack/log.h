// SPDX-License-Identifier: Apache-2.0
/* The daemon's log: one line each to stderr, with a priority prefix when systemd's journal listens.
 * Library code does not log; whoever decides what to do about something does, once. */
#pragma once

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6
};

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
