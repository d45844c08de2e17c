// SPDX-License-Identifier: Apache-2.0
/* A moment as people say it. Pure, but for the time zone (TZ). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Reads "14:03", "14:03:20" (the last time that the clock showed it), "2026-05-02 14:03[:20]" or
 * with a T (local time; with a final Z, UTC), "-90s", "-10m", "-2h", "-3d" (so long ago), or
 * seconds since 1970. False when it is none of these. */
bool why_parse_time(const char *text, int64_t now_s, int64_t *out);
