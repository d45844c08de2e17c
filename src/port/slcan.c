// SPDX-License-Identifier: Apache-2.0
/* A CAN adapter with the slcan (Lawicel) text protocol on a tty. Such adapters answer commands with
 * CR, with z or Z and CR, with BEL for "no", or not at all; so nothing ever waits for an answer:
 * the channel is set up blindly, and what comes back is only looked at for frames, refusals and
 * states.
 *
 * Nothing old goes out: see can_backlog_is_stale in port_private.h. Here the queue that counts is
 * the tty's output queue; when it stands still it is thrown away together with the new frame. */
#include "port_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "onepack/clock.h"
#include "slcan_text.h"

#define TTY_BAUD 115200 /* USB adapters do not care; serial ones start with it */
#define BEL      7
/* Answers to the set-up may be refusals (close of a closed channel): not counted. */
#define SETUP_GRACE_MS 500
#define SETUP_SIZE     32
#define WRITE_MS       100

struct slcan {
	struct can_port port; /* first member: the generic code sees this */
	int bitrate_code;
	int64_t setup_ms;
	int64_t recover_ms; /* when the channel was last reopened after bus-off */
	struct can_backlog backlog;
	bool cut; /* a command may have been cut short: end it before the next */
	bool gone;
	uint8_t in[256]; /* received, in[in_next .. in_count) not looked at yet */
	size_t in_next, in_count;
	char line[SLCAN_LINE_SIZE];
	size_t line_length; /* beyond the size: an overlong line, to be ignored */
};

/* Empty lines end whatever the adapter still had in its buffer. */
static int set_up(struct slcan *s)
{
	char text[SETUP_SIZE];
	int n = snprintf(text, sizeof text, "\r\r\rC\rS%d\r%c\r", s->bitrate_code,
			 s->port.listening ? 'L' : 'O');
	int err = serial_write(s->port.fd, (const uint8_t *)text, (size_t)n, WRITE_MS);

	s->setup_ms = clock_monotonic_ms();
	s->backlog = (struct can_backlog){0};
	s->cut = err == -ETIMEDOUT;
	s->port.status.state = err ? CAN_DOWN : CAN_ACTIVE;
	return err;
}

static int lose(struct slcan *s, int err)
{
	s->gone = true;
	s->port.status.state = CAN_DOWN;
	return err;
}

/* --- the driver's functions --- */

/* The channel stays open: closing it would also drop what the adapter still has to send, and the
 * last frames of a gateway are the zero limits. */
static void slcan_close(struct can_port *port)
{
	struct slcan *s = (struct slcan *)port;

	if (s->backlog.waiting)
		(void)tcflush(port->fd, TCOFLUSH); /* or close would wait for a dead adapter */
	close(port->fd);
	free(s);
}

static int slcan_send(struct can_port *port, const struct can_message *message)
{
	struct slcan *s = (struct slcan *)port;
	char text[1 + SLCAN_FRAME_SIZE] = {'\r'};
	size_t skip = s->cut ? 0 : 1;
	size_t count = 1 + slcan_format(message, text + 1) - skip;
	int queued = 0;
	ssize_t n;

	if (s->gone)
		return -EIO;
	if (port->status.state == CAN_BUS_OFF)
		return -ENETDOWN;
	(void)ioctl(port->fd, TIOCOUTQ, &queued);
	if (can_backlog_is_stale(&s->backlog, queued > 0, clock_monotonic_ms())) {
		(void)tcflush(port->fd, TCOFLUSH);
		s->cut = true;
		return -ENOBUFS;
	}
	n = write(port->fd, text + skip, count);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? -ENOBUFS : lose(s, -errno);
	s->cut = (size_t)n < count;
	return s->cut ? -ENOBUFS : 0;
}

/* One line is complete: true when it was a frame. */
static bool end_line(struct slcan *s, struct can_message *out)
{
	enum slcan_line kind = SLCAN_NOTHING;
	struct can_status *status = &s->port.status;

	if (s->line_length <= sizeof s->line)
		kind = slcan_parse(s->line, s->line_length, out);
	s->line_length = 0;
	switch (kind) {
	case SLCAN_NOTHING: return false;
	case SLCAN_FRAME: return true;
	case SLCAN_ERROR: status->bus_errors++; return false;
	case SLCAN_ACTIVE: status->state = CAN_ACTIVE; return false;
	case SLCAN_WARNING: status->state = CAN_WARNING; return false;
	case SLCAN_PASSIVE: status->state = CAN_PASSIVE; return false;
	case SLCAN_BUS_OFF:
		if (status->state != CAN_BUS_OFF)
			status->bus_offs++;
		status->state = CAN_BUS_OFF;
		return false;
	}
	return false;
}

static bool take_byte(struct slcan *s, uint8_t byte, struct can_message *out)
{
	if (byte == '\r')
		return end_line(s, out);
	if (byte == BEL) {
		s->line_length = 0;
		if (clock_monotonic_ms() - s->setup_ms > SETUP_GRACE_MS)
			s->port.status.bus_errors++; /* a frame was refused */
		return false;
	}
	if (s->line_length < sizeof s->line)
		s->line[s->line_length] = (char)byte;
	if (s->line_length <= sizeof s->line)
		s->line_length++;
	return false;
}

static int slcan_receive(struct can_port *port, struct can_message *out)
{
	struct slcan *s = (struct slcan *)port;

	for (;;) {
		int n;

		while (s->in_next < s->in_count)
			if (take_byte(s, s->in[s->in_next++], out))
				return 1;
		if (s->gone)
			return -EIO;
		n = serial_read(port->fd, s->in, sizeof s->in, 0);
		if (n <= 0)
			return n < 0 ? lose(s, n) : 0;
		s->in_next = 0;
		s->in_count = (size_t)n;
	}
}

/* An adapter that reports bus-off leaves it by closing and opening the channel, once a second at
 * most. */
static void slcan_tick(struct can_port *port, int64_t now_ms)
{
	struct slcan *s = (struct slcan *)port;

	if (s->gone || port->status.state != CAN_BUS_OFF || now_ms - s->recover_ms < 1000)
		return;
	s->recover_ms = now_ms;
	(void)tcflush(port->fd, TCOFLUSH);
	if (set_up(s) == -EIO)
		(void)lose(s, -EIO);
}

int slcan_open(const char *tty, uint32_t bitrate, bool listening, struct can_port **out, char *why,
	       size_t why_size)
{
	static const struct can_driver driver = {slcan_close, slcan_send, slcan_receive,
						 slcan_tick};
	int code = slcan_bitrate_code(bitrate);
	struct slcan *s;
	int err;

	if (code < 0) {
		snprintf(why, why_size, "slcan adapters have no bit rate of %u bit/s", bitrate);
		return -EINVAL;
	}
	s = calloc(1, sizeof *s);
	if (!s) {
		snprintf(why, why_size, "out of memory");
		return -ENOMEM;
	}
	s->port.driver = &driver;
	s->port.listening = listening;
	s->bitrate_code = code;
	s->port.fd = serial_open_line(tty, TTY_BAUD, false);
	err = s->port.fd < 0 ? s->port.fd : set_up(s);
	if (err) {
		snprintf(why, why_size, "%s: %s", tty, strerror(-err));
		if (s->port.fd >= 0)
			close(s->port.fd);
		free(s);
		return err;
	}
	*out = &s->port;
	return 0;
}
