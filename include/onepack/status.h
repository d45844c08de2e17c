// SPDX-License-Identifier: Apache-2.0
/* How the links are doing: plain counters that the workers keep and the consumers show. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "onepack/battery.h"

#define STATUS_TEXT_SIZE     64
#define STATUS_MAX_INVERTERS 8
#define STATUS_MAX_BUSES     8

enum link_state { LINK_DOWN, LINK_UP, LINK_ERROR };

const char *link_state_name(enum link_state state); /* "down", "up", "error" */

/* One inverter link, written by its link process. Times are CLOCK_MONOTONIC milliseconds, 0 =
 * never. */
struct inverter_status {
	char protocol[STATUS_TEXT_SIZE];
	char port[STATUS_TEXT_SIZE];
	enum link_state link;
	char detail[STATUS_TEXT_SIZE]; /* why it is not up: "bus off", "no such device", ... */
	int64_t heard_ms;              /* last heartbeat or valid request */
	int32_t inverter_lost_ms;      /* silent for longer than this = lost; 0 = never */
	int64_t sent_ms;               /* last frame or answer */
	int64_t alive_ms;              /* the link process was alive */
	uint64_t frames_sent;          /* CAN frames, or RS485 answers */
	uint64_t requests;             /* valid requests or frames from the inverter */
	uint64_t errors;               /* bad checksums, bus errors, refused frames */
	bool lease_valid;
	int32_t charge_voltage_limit_mv; /* what was last put on the wire, FIELD_UNKNOWN = nothing
					  */
	int32_t charge_current_limit_ma;
	int32_t discharge_current_limit_ma;
	struct inverter_view view;
};

/* Pure: the inverter was heard once, and then not for as long as its protocol allows. */
bool inverter_is_lost(const struct inverter_status *status, int64_t now_ms);

enum bus_cause {
	BUS_CAUSE_TIMEOUT,
	BUS_CAUSE_CHECKSUM,
	BUS_CAUSE_FORMAT,
	BUS_CAUSE_FOREIGN, /* an answer or request that is not ours */
	BUS_CAUSE_RANGE,   /* decoded, but a value cannot be */
	BUS_CAUSE_IO,      /* the port failed */
	BUS_CAUSE_COUNT
};

const char *bus_cause_name(enum bus_cause cause); /* "timeout", "checksum", ... */

struct bus_address_status {
	uint64_t answers;
	uint64_t errors[BUS_CAUSE_COUNT];
};

#define BUS_MAX_ADDRESS 32 /* addresses 0..31 are counted one by one */

/* One RS485 line with packs, written by its bus thread. */
struct bus_status {
	char name[FIELD_TEXT_SIZE];
	char port[STATUS_TEXT_SIZE];
	enum link_state link;
	char detail[STATUS_TEXT_SIZE];
	int64_t cycle_ms; /* duration of the last full poll cycle, 0 = none yet */
	uint64_t cycles;
	struct bus_address_status address[BUS_MAX_ADDRESS];
};
