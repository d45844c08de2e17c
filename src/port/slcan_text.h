// SPDX-License-Identifier: Apache-2.0
/* The text form of CAN frames that Lawicel introduced and most USB CAN adapters speak: one command
 * a line, ended by CR. Pure. Remote frames are recognised and skipped: no battery or inverter
 * protocol uses them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "onepack/can.h"

/* "T" + 8 digits of id + 1 of length + 16 of data + CR */
#define SLCAN_FRAME_SIZE 27
/* The longest line that an adapter sends: a frame and 4 (some: 8) digits of time stamp. */
#define SLCAN_LINE_SIZE 40

enum slcan_line {
	SLCAN_NOTHING, /* acknowledge, remote frame, version or status text, noise */
	SLCAN_FRAME,   /* a data frame */
	SLCAN_ERROR,   /* the controller reports bus errors (e...) */
	SLCAN_ACTIVE,  /* sa..., sw..., sp..., sb...: the controller's error state */
	SLCAN_WARNING,
	SLCAN_PASSIVE,
	SLCAN_BUS_OFF,
};

/* The digit of the S command, -1 for a bit rate that it does not know. */
int slcan_bitrate_code(uint32_t bitrate);

/* Writes the frame with its CR; returns the number of characters (at most SLCAN_FRAME_SIZE). */
size_t slcan_format(const struct can_message *message, char text[SLCAN_FRAME_SIZE]);

/* Reads one line without its CR. */
enum slcan_line slcan_parse(const char *line, size_t count, struct can_message *out);
