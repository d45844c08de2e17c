// SPDX-License-Identifier: Apache-2.0
/* The CAN interface of the gateway: picks the driver by the name of the port and hands on. The two
 * drivers are socketcan.c (interfaces of the kernel) and slcan.c (text adapters on a tty). */
#include "onepack/port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "port_private.h"

#define SLCAN_PREFIX "slcan:"

static int open_port(const char *name, uint32_t bitrate, bool listening, struct can_port **out,
		     char *why, size_t why_size)
{
	const size_t prefix = strlen(SLCAN_PREFIX);

	if (strncmp(name, SLCAN_PREFIX, prefix) == 0)
		return slcan_open(name + prefix, bitrate, listening, out, why, why_size);
	return socketcan_open(name, bitrate, listening, out, why, why_size);
}

int can_port_open(const char *name, uint32_t bitrate, struct can_port **out, char *why,
		  size_t why_size)
{
	return open_port(name, bitrate, false, out, why, why_size);
}

int can_port_listen(const char *name, uint32_t bitrate, struct can_port **out, char *why,
		    size_t why_size)
{
	return open_port(name, bitrate, true, out, why, why_size);
}

void can_port_close(struct can_port *port)
{
	if (port)
		port->driver->close(port);
}

int can_port_fd(const struct can_port *port)
{
	return port->fd;
}

int can_port_send(struct can_port *port, const struct can_message *message)
{
	int err;

	if (port->listening)
		return -EPERM;
	err = message->length <= 8 ? port->driver->send(port, message) : -EINVAL;
	if (err)
		port->status.dropped++;
	else
		port->status.sent++;
	return err;
}

int can_port_receive(struct can_port *port, struct can_message *out)
{
	int n = port->driver->receive(port, out);

	if (n > 0)
		port->status.received++;
	return n;
}

void can_port_tick(struct can_port *port, int64_t now_ms)
{
	port->driver->tick(port, now_ms);
}

void can_port_status(const struct can_port *port, struct can_status *out)
{
	*out = port->status;
}

bool can_backlog_is_stale(struct can_backlog *backlog, bool waiting, int64_t now_ms)
{
	if (waiting && !backlog->waiting)
		backlog->since_ms = now_ms;
	backlog->waiting = waiting;
	return waiting && now_ms - backlog->since_ms >= CAN_BACKLOG_MS;
}

const char *can_state_name(enum can_port_state state)
{
	static const char *const names[] = {"down", "active", "warning", "passive", "bus off"};

	return (unsigned)state <= CAN_BUS_OFF ? names[state] : "unknown";
}
