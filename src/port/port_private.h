// SPDX-License-Identifier: Apache-2.0
/* What the files of src/port share: opening a tty with or without RS485 mode, the CAN driver table,
 * and the rule that keeps old frames off the bus. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "onepack/port.h"

/* serial_open without (or with) the request for the kernel's RS485 mode. */
int serial_open_line(const char *path, uint32_t baud, bool rs485);

/* One kind of CAN adapter. The functions get the port they opened and keep its status. */
struct can_driver {
	void (*close)(struct can_port *port);
	int (*send)(struct can_port *port, const struct can_message *message);
	int (*receive)(struct can_port *port, struct can_message *out);
	void (*tick)(struct can_port *port, int64_t now_ms);
};

/* The common part, first member of each driver's own struct. */
struct can_port {
	const struct can_driver *driver;
	int fd;
	bool listening; /* only: nothing is sent, nothing is repaired */
	struct can_status status;
};

int socketcan_open(const char *interface, uint32_t bitrate, bool listening, struct can_port **out,
		   char *why, size_t why_size);
int slcan_open(const char *tty, uint32_t bitrate, bool listening, struct can_port **out, char *why,
	       size_t why_size);

/* An old frame must never be released late. A set of frames leaves a working bus within a few
 * milliseconds (12 frames at 250 kbit/s take 6 ms); when something has been waiting without a pause
 * for CAN_BACKLOG_MS, nobody takes the frames (inverter off, cable out, adapter hung), and adding
 * to the queue would only make a burst of stale limits for later. */
#define CAN_BACKLOG_MS 100

struct can_backlog {
	bool waiting;
	int64_t since_ms;
};

/* To be called before each frame with the state of the output queue: true = drop the frame. */
bool can_backlog_is_stale(struct can_backlog *backlog, bool waiting, int64_t now_ms);
