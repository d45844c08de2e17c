// SPDX-License-Identifier: Apache-2.0
/* The far end of an slcan port: a CAN adapter with the Lawicel text protocol, and the bus behind
 * it. Pure: text in, text and frames out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "onepack/can.h"
#include "port/slcan_text.h"

enum slcan_answer {
	SLCAN_ANSWERS_CR, /* CR for everything */
	SLCAN_ANSWERS_Z,  /* z or Z and CR for frames */
	SLCAN_IS_MUTE,    /* nothing at all */
};

struct slcan_adapter {
	enum slcan_answer answer;
	int bus_code; /* digit of the bit rate at which the bus behind it runs */
	int code;     /* digit that the user chose, -1 = none */
	bool open;
	bool listening; /* only: frames from the user are refused */
	char line[SLCAN_LINE_SIZE];
	size_t length;
	uint64_t frames_in, frames_out, refused;
};

typedef void slcan_to_bus(void *context, const struct can_message *message);
typedef void slcan_to_user(void *context, const char *text, size_t count);

void slcan_adapter_init(struct slcan_adapter *adapter, uint32_t bitrate);

/* Takes what the user wrote: frames go to the bus, answers back to the user. */
void slcan_adapter_feed(struct slcan_adapter *adapter, const uint8_t *bytes, size_t count,
			slcan_to_bus *bus, slcan_to_user *user, void *context);

/* A frame from the bus as text for the user; 0 characters while the channel is closed or runs at
 * another bit rate. */
size_t slcan_adapter_frame(struct slcan_adapter *adapter, const struct can_message *message,
			   char text[SLCAN_FRAME_SIZE]);
