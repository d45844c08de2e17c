// SPDX-License-Identifier: Apache-2.0
/* What happens in a pack, for the log. Codes below 0x0200 are those that JK packs log, so that one
 * decoder serves both; ours begin at 0x0200. The core puts events into a small ring in RAM; the
 * log takes them out and writes them to flash when it has time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum fw_source { FW_SOURCE_PACK, FW_SOURCE_KEY, FW_SOURCE_BUS, FW_SOURCE_APP, FW_SOURCE_DISPLAY };

enum fw_event_code {
	FW_EVENT_START = 0x01, /* v1 boot reason */
	FW_EVENT_SHUTDOWN = 0x02,
	FW_EVENT_WATCHDOG = 0x27,
	FW_EVENT_EMERGENCY_ON = 0x29, /* v1 uses within 24 h, source: who */
	FW_EVENT_EMERGENCY_OFF = 0x2A,
	FW_EVENT_EMERGENCY_ENDED = 0x2B, /* its time was up */
	FW_EVENT_POWER_OFF_BUTTON = 0x2D,
	FW_EVENT_POWER_OFF_BUS = 0x2F,
	FW_EVENT_CHARGE_OFF = 0x34, /* by command */
	FW_EVENT_CHARGE_ON = 0x35,
	FW_EVENT_DISCHARGE_OFF = 0x36,
	FW_EVENT_DISCHARGE_ON = 0x37,
	FW_EVENT_SLEEP = 0x38,
	FW_EVENT_TIME_SET = 0x3B,
	FW_EVENT_PRESET_LI_ION = 0x43,
	FW_EVENT_PRESET_LFP = 0x44,
	FW_EVENT_PRESET_LTO = 0x45,
	FW_EVENT_CELL_OV = 0x64, /* + cell from 0; v1 mV */
	FW_EVENT_CELL_UV = 0xC8, /* + cell from 0; v1 mV */

	/* Statuses and faults without a JK code: + bit number. v1 = cell, sensor or trips, v2 =
	   value. */
	FW_EVENT_PROTECTED = 0x0200,
	FW_EVENT_RELEASED = 0x0220,
	FW_EVENT_FAULT = 0x0240,
	FW_EVENT_FAULT_GONE = 0x0260,
	FW_EVENT_WARNING = 0x0280,
	FW_EVENT_WARNING_GONE = 0x02A0,

	FW_EVENT_SAFE_STOP = 0x02C0,
	FW_EVENT_AUTOMATIC = 0x02C1,   /* outputs back to automatic */
	FW_EVENT_LOCKED = 0x02C2,      /* v1 status bit, v2 trips */
	FW_EVENT_CLEARED = 0x02C3,     /* latched protections by command or button */
	FW_EVENT_FULL = 0x02C4,        /* v1 SOC before, 0.1 % */
	FW_EVENT_EMPTY = 0x02C5,       /* v1 SOC before, 0.1 % */
	FW_EVENT_LEARNED = 0x02C6,     /* v1 new capacity, 0.1 Ah; v2 SOH 0.1 % */
	FW_EVENT_SOC_GUESSED = 0x02C7, /* from voltage, v1 SOC 0.1 % */
	FW_EVENT_SOC_SET = 0x02C8,
	FW_EVENT_CALIBRATED = 0x02C9, /* v1 what: 0 voltage, 1 zero, 2 gain; v2 ppm / 100 or mA */
	FW_EVENT_WOKE = 0x02CA,
	FW_EVENT_RESTART = 0x02CB,
	FW_EVENT_EVENTS_LOST = 0x02CC,     /* v1 how many did not fit */
	FW_EVENT_ADDRESS_LOST = 0x02D0,    /* v1 address; by the protocol */
	FW_EVENT_ADDRESS_GIVEN = 0x02D1,   /* v1 address, v2 how (register 0031) */
	FW_EVENT_LOG_CLEARED = 0x02D2,     /* what was before is not shown any more */
	FW_EVENT_IMAGE = 0x02D3,           /* v1 enum fw_boot_event, v2 slot; by the board */
	FW_EVENT_RECORD = 0x02D3,          /* every parameter 027F: v1 pack 10 mV, v2 0.1 A */
	FW_EVENT_REGISTER_WRITTEN = 0x0300 /* + register block; by the protocol */
};

struct fw_event {
	uint16_t code;
	uint8_t source; /* enum fw_source */
	int16_t v1, v2; /* saturated */
};

#define FW_EVENT_RING 24

struct fw_events {
	struct fw_event ring[FW_EVENT_RING];
	uint8_t first, count;
	uint16_t lost;
};

/* Adds an event; when the ring is full it is counted as lost. Values saturate. */
void fw_event_put(struct fw_events *events, enum fw_source source, int code, int32_t v1,
		  int32_t v2);

/* Takes the oldest event out; false when there is none. */
bool fw_event_take(struct fw_events *events, struct fw_event *out);
