// SPDX-License-Identifier: Apache-2.0
/* The event log in flash: 16 bytes a record, found by its number, first in first out. 160 KiB keep
 * 10 000 events and more, 10 KiB keep 500. A power cut costs at most the event being written. */
#pragma once

#include "event.h"
#include "ring.h"

#define FW_LOG_RECORD 16 /* bytes in flash, and as 8 registers */

struct fw_log {
	struct fw_ring ring;
};

void fw_log_open(struct fw_log *log, const struct fw_flash *flash);

/* An event FW_EVENT_LOG_CLEARED hides all that came before it, also after a restart: nothing needs
 * to be erased, which would take seconds. */

/* Writes an event down. `time_s`: seconds since 2020, or since the start while nobody told the
 * time. */
bool fw_log_add(struct fw_log *log, uint32_t time_s, const struct fw_event *event);

/* The first event from that number on, as its 8 registers (big-endian): number (2), time (2), code,
 * source, v1, v2. Returns its number, 0 when there is none. */
uint32_t fw_log_read(const struct fw_log *log, uint32_t from, uint8_t out[FW_LOG_RECORD]);
