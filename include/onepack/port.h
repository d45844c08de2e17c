// SPDX-License-Identifier: Apache-2.0
/* Ports: the thin edge between the pure code and the wires. Serial lines are plain file descriptors
 * with a few helpers; CAN is SocketCAN or an slcan (Lawicel) adapter behind one small interface.
 * Functions return 0 or a count when fine and -errno when not. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "onepack/can.h"

/* --- serial --- */

/* Opens a tty or pty raw, 8N1, non-blocking, not as controlling terminal, exclusively (a second
 * gateway gets EBUSY). Unknown bit rates give -EINVAL, never a silent 9600. Kernel RS485 mode is
 * asked for; adapters that do it by themselves answer ENOTTY, which is fine. Returns the
 * descriptor. */
int serial_open(const char *path, uint32_t baud);

/* Turns an open 8N1 line into 8E1 (`even`), dropping bytes whose parity is wrong; does nothing
 * otherwise. 0, or -errno. A pty has no parity and ignores it. */
int serial_set_parity(int fd, bool even);

/* Writes all bytes or fails: -ETIMEDOUT when the line does not take them in time. */
int serial_write(int fd, const uint8_t *bytes, size_t count, int timeout_ms);

/* Reads what is there, waiting up to timeout_ms for the first byte: count, 0 = nothing came, -errno
 * = port is gone. */
int serial_read(int fd, uint8_t *bytes, size_t size, int timeout_ms);

/* Throws away everything received so far and not yet read. */
void serial_drain(int fd);

/* --- CAN --- */

/* Not "enum can_state": <linux/can/netlink.h> has one. */
enum can_port_state { CAN_DOWN, CAN_ACTIVE, CAN_WARNING, CAN_PASSIVE, CAN_BUS_OFF };

struct can_status {
	enum can_port_state state;
	uint64_t sent;
	uint64_t received;
	uint64_t dropped; /* not taken by the driver: queue full, bus-off */
	uint64_t bus_offs;
	uint64_t bus_errors;
};

struct can_port;

/* Opens `name`: a SocketCAN interface ("can0"; bit rate and restart are set through libsocketcan
 * when the interface is down and we may), or "slcan:/dev/ttyACM0". `why` receives a sentence when
 * it fails. */
int can_port_open(const char *name, uint32_t bitrate, struct can_port **out, char *why,
		  size_t why_size);

/* The same, for looking on: nothing is ever sent (-EPERM), also no acknowledge bits where the
 * adapter or driver knows listen-only mode, and an interface that somebody else has set up is left
 * as it is. */
int can_port_listen(const char *name, uint32_t bitrate, struct can_port **out, char *why,
		    size_t why_size);
void can_port_close(struct can_port *port); /* NULL is fine */

/* To poll for input. */
int can_port_fd(const struct can_port *port);

/* Hands one frame to the driver without waiting. A queue that is full or stands still drops the
 * frame (-ENOBUFS), so do bus-off and an interface that is down (-ENETDOWN): an old frame must
 * never be released late. Other errors: the port is gone. That a frame was sent shows in what is
 * received, so look at can_port_fd while sending. */
int can_port_send(struct can_port *port, const struct can_message *message);

/* Takes one received frame: 1, 0 = none waiting, -errno = the port is gone and must be reopened. */
int can_port_receive(struct can_port *port, struct can_message *out);

/* To be called about once a second: recovers from bus-off, refreshes the state. */
void can_port_tick(struct can_port *port, int64_t now_ms);
void can_port_status(const struct can_port *port, struct can_status *out);

const char *can_state_name(enum can_port_state state); /* "active", "bus off", ... */
