// SPDX-License-Identifier: Apache-2.0
/* CAN through the kernel. socketcan_setup.c brings the interface up if we may; everything else
 * works without rights, so that a hardened service can use an interface which systemd-networkd has
 * set up. Facts about drivers (which know restart-ms, what bus-off looks like, length of the queue)
 * were tried out with slcan, vcan and SJA1000 interfaces.
 *
 * An interface in bus-off goes on accepting frames, so its state is watched through error frames
 * and nothing is sent then. When nobody acknowledges, frames wait in up to three places, and each
 * has its own sign (is_stuck): the kernel's queue, a controller whose driver gives a frame back
 * once it is sent, and an adapter which tells about missing acknowledges. libsocketcan prints its
 * failures to stderr; they are told in `why` or in the status as well. */
#include <errno.h>
#include <libsocketcan.h>
#include <linux/can.h>
#include <linux/can/error.h>
#include <linux/can/netlink.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "onepack/clock.h"
#include "port_private.h"
#include "socketcan_setup.h"

/* Bus-off that lasts longer than this is ended by hand: the driver has no automatic return. */
#define RESTART_BY_HAND_MS 1000
/* Trouble is told until it has not come back for so long. An attempt to end it comes every second,
 * and what it is worth shows with the next frames. */
#define TROUBLE_MS 3000

struct socketcan {
	struct can_port port; /* first member: the generic code sees this */
	char name[IFNAMSIZ];
	enum can_port_state state;   /* of the controller */
	enum can_port_state trouble; /* recent, told in status.state instead when it is worse */
	int64_t trouble_ms;          /* when it was last seen */
	int64_t bus_off_ms;          /* since when, or the last attempt to end it */
	struct can_backlog backlog;
	int unconfirmed;     /* frames that the driver has not given back as sent */
	bool unacknowledged; /* the controller said so, and is passive since */
	bool started;        /* by us, in listen-only mode: to be undone */
	bool virtual;  /* no controller, so no state to ask for (libsocketcan would complain) */
	bool stopped;  /* by restart(), and not started again yet */
	bool no_right; /* to stop and start it */
	bool gone;
};

/* --- state --- */

static void tell_state(struct socketcan *s)
{
	bool recently = s->state != CAN_DOWN && s->trouble > s->state;

	s->port.status.state = recently ? s->trouble : s->state;
}

static void note_trouble(struct socketcan *s, enum can_port_state trouble, int64_t now_ms)
{
	if (trouble > s->trouble)
		s->trouble = trouble;
	s->trouble_ms = now_ms;
	tell_state(s);
}

static void forget_trouble(struct socketcan *s)
{
	s->trouble = CAN_DOWN;
	tell_state(s);
}

static void set_state(struct socketcan *s, enum can_port_state state)
{
	bool news = state != s->state;

	s->state = state;
	if (state != CAN_PASSIVE)
		s->unacknowledged = false;
	if (state == CAN_BUS_OFF || state == CAN_DOWN)
		s->unconfirmed = 0; /* dropped, never given back */
	if (state == CAN_BUS_OFF && news) {
		s->port.status.bus_offs++;
		s->bus_off_ms = clock_monotonic_ms();
		note_trouble(s, CAN_BUS_OFF, s->bus_off_ms);
	}
	tell_state(s);
}

static void take_error_frame(struct socketcan *s, const struct can_frame *frame)
{
	if (frame->can_id & CAN_ERR_BUSOFF)
		set_state(s, CAN_BUS_OFF);
	else if (frame->can_id & CAN_ERR_RESTARTED)
		set_state(s, CAN_ACTIVE);
	else if (frame->can_id & CAN_ERR_CRTL) {
		if (frame->data[1] & (CAN_ERR_CRTL_RX_PASSIVE | CAN_ERR_CRTL_TX_PASSIVE))
			set_state(s, CAN_PASSIVE);
		else if (frame->data[1] & (CAN_ERR_CRTL_RX_WARNING | CAN_ERR_CRTL_TX_WARNING))
			set_state(s, CAN_WARNING);
		else if (frame->data[1] & CAN_ERR_CRTL_ACTIVE)
			set_state(s, CAN_ACTIVE);
	}
	if (frame->can_id & CAN_ERR_ACK)
		s->unacknowledged = s->state == CAN_PASSIVE;
	if (frame->can_id & (CAN_ERR_ACK | CAN_ERR_BUSERROR | CAN_ERR_PROT))
		s->port.status.bus_errors++;
}

static void refresh_state(struct socketcan *s)
{
	int state = CAN_STATE_ERROR_ACTIVE;

	if (!(socketcan_is_up(s->port.fd, s->name))) {
		set_state(s, CAN_DOWN);
		return;
	}
	if (!s->virtual && can_get_state(s->name, &state) < 0)
		s->virtual = true;
	switch (state) {
	case CAN_STATE_ERROR_ACTIVE: set_state(s, CAN_ACTIVE); break;
	case CAN_STATE_ERROR_WARNING: set_state(s, CAN_WARNING); break;
	case CAN_STATE_ERROR_PASSIVE: set_state(s, CAN_PASSIVE); break;
	case CAN_STATE_BUS_OFF: set_state(s, CAN_BUS_OFF); break;
	default: set_state(s, CAN_DOWN); break;
	}
}

/* Frames of this socket that the driver has not taken yet. The kernel charges a frame to its socket
 * until then; the output queue itself cannot be asked for on CAN. */
static bool has_waiting_frames(int fd)
{
	uint32_t info[SK_MEMINFO_VARS] = {0};
	socklen_t size = sizeof info;

	return getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &size) == 0 &&
	       info[SK_MEMINFO_WMEM_ALLOC] > 0;
}

static bool is_stuck(struct socketcan *s, int64_t now_ms)
{
	bool waiting = s->unconfirmed > 0 || s->unacknowledged || has_waiting_frames(s->port.fd);

	return can_backlog_is_stale(&s->backlog, waiting, now_ms);
}

/* --- the driver's functions --- */

/* A gateway that comes later must not find an interface that only listens. */
static void socketcan_close(struct can_port *port)
{
	struct socketcan *s = (struct socketcan *)port;

	if (s->started && port->listening && can_do_stop(s->name) == 0)
		socketcan_set_listening(s->name, false);
	close(port->fd);
	free(s);
}

static int socketcan_send(struct can_port *port, const struct can_message *message)
{
	struct socketcan *s = (struct socketcan *)port;
	struct can_frame frame = {.can_id = message->id, .can_dlc = message->length};

	if (s->gone)
		return -ENODEV;
	if (s->state == CAN_BUS_OFF || s->state == CAN_DOWN)
		return -ENETDOWN;
	if (is_stuck(s, clock_monotonic_ms()))
		return -ENOBUFS;
	if (message->extended)
		frame.can_id |= CAN_EFF_FLAG;
	memcpy(frame.data, message->data, message->length);
	if (write(port->fd, &frame, sizeof frame) == (ssize_t)sizeof frame) {
		s->unconfirmed++;
		return 0;
	}
	if (errno == EAGAIN || errno == EINTR)
		return -ENOBUFS; /* the socket's own allowance instead of the queue's */
	if (errno == ENETDOWN)
		set_state(s, CAN_DOWN);
	if (errno == ENODEV || errno == ENXIO)
		s->gone = true;
	return -errno;
}

/* Drivers that can (IFF_ECHO) give a frame back when it was sent, for others the kernel does so at
 * once. True when it was ours. */
static bool take_confirmation(struct socketcan *s, const struct msghdr *header)
{
	if (!(header->msg_flags & MSG_CONFIRM))
		return false;
	if (s->unconfirmed > 0)
		s->unconfirmed--;
	return true;
}

static int socketcan_receive(struct can_port *port, struct can_message *out)
{
	struct socketcan *s = (struct socketcan *)port;
	struct can_frame frame;
	struct iovec place = {&frame, sizeof frame};

	for (;;) {
		struct msghdr header = {.msg_iov = &place, .msg_iovlen = 1};
		ssize_t n = recvmsg(port->fd, &header, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ENETDOWN) { /* told once; it may be up again */
			refresh_state(s);
			continue;
		}
		if (n < 0 && errno == EAGAIN)
			return s->gone ? -ENODEV : 0;
		if (n < 0) {
			s->gone = true;
			set_state(s, CAN_DOWN);
			return -errno;
		}
		if (n != (ssize_t)sizeof frame || take_confirmation(s, &header))
			continue;
		if (frame.can_id & CAN_ERR_FLAG)
			take_error_frame(s, &frame);
		else if (!(frame.can_id & CAN_RTR_FLAG) && frame.can_dlc <= 8)
			break;
	}
	out->extended = frame.can_id & CAN_EFF_FLAG;
	out->id = frame.can_id & (out->extended ? CAN_EFF_MASK : CAN_SFF_MASK);
	out->length = frame.can_dlc;
	memcpy(out->data, frame.data, sizeof out->data);
	return 1;
}

/* Stopping and starting the interface ends bus-off where the driver cannot, and empties all places
 * where frames wait, so that a returning inverter does not get limits of yesterday. Without the
 * right to do so they keep a few frames of one period, and newer ones are only added when the
 * kernel's queue is empty. */
static void restart(struct socketcan *s)
{
	int error;
	socklen_t size = sizeof error;

	if (!s->stopped && !s->no_right) {
		s->stopped = can_do_stop(s->name) == 0;
		s->no_right = !s->stopped;
	}
	if (s->stopped)
		s->stopped = can_do_start(s->name) != 0;
	(void)getsockopt(s->port.fd, SOL_SOCKET, SO_ERROR, &error, &size); /* ENETDOWN: we did it */
	s->unconfirmed = 0;
	s->unacknowledged = false;
	refresh_state(s);
}

static void socketcan_tick(struct can_port *port, int64_t now_ms)
{
	struct socketcan *s = (struct socketcan *)port;
	bool stuck;

	if (s->gone)
		return;
	refresh_state(s);
	if (port->listening)
		return;
	stuck = is_stuck(s, now_ms);
	if (stuck)
		note_trouble(s, CAN_PASSIVE, now_ms);
	if (s->state == CAN_BUS_OFF) {
		note_trouble(s, CAN_BUS_OFF, now_ms);
		if (now_ms - s->bus_off_ms < RESTART_BY_HAND_MS)
			return;
		s->bus_off_ms = now_ms;
		restart(s);
	} else if (s->stopped || (stuck && s->state != CAN_DOWN)) { /* a `down` is not undone */
		restart(s);
	}
	if (now_ms - s->trouble_ms >= TROUBLE_MS)
		forget_trouble(s);
}

int socketcan_open(const char *interface, uint32_t bitrate, bool listening, struct can_port **out,
		   char *why, size_t why_size)
{
	static const struct can_driver driver = {socketcan_close, socketcan_send, socketcan_receive,
						 socketcan_tick};
	struct socketcan *s = NULL;
	bool started = false;
	int err = 0;
	int fd = socket(PF_CAN, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, CAN_RAW);

	if (fd < 0) {
		err = -errno;
		snprintf(why, why_size, "this kernel has no SocketCAN: %s", strerror(-err));
		return err;
	}
	err = socketcan_set_up(fd, interface, bitrate, listening, &started, why, why_size);
	if (err)
		goto out;
	s = calloc(1, sizeof *s);
	if (!s) {
		snprintf(why, why_size, "out of memory");
		err = -ENOMEM;
		goto out;
	}
	s->port.driver = &driver;
	s->port.listening = listening;
	s->started = started;
	s->port.fd = fd;
	memcpy(s->name, interface, strlen(interface) + 1);
	refresh_state(s);
	*out = &s->port;
	return 0;
out:
	close(fd);
	return err;
}
