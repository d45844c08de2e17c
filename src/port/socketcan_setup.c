// SPDX-License-Identifier: Apache-2.0
/* Set-up of a CAN interface; see socketcan_setup.h. libsocketcan sets bit rate, restart time and
 * mode, which is possible only while the interface is down and with CAP_NET_ADMIN. */
#include "socketcan_setup.h"

#include <errno.h>
#include <libsocketcan.h>
#include <linux/can.h>
#include <linux/can/error.h>
#include <linux/can/netlink.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define RESTART_MS 100 /* the kernel's automatic return from bus-off */

bool socketcan_is_up(int fd, const char *interface)
{
	struct ifreq request = {0};

	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
	return ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP);
}

static bool is_listening(const char *interface)
{
	struct can_ctrlmode mode = {0};

	return can_get_ctrlmode(interface, &mode) == 0 && (mode.flags & CAN_CTRLMODE_LISTENONLY);
}

/* Drivers that do not know the mode acknowledge frames; nothing else is sent. */
void socketcan_set_listening(const char *interface, bool on)
{
	struct can_ctrlmode mode = {.mask = CAN_CTRLMODE_LISTENONLY,
				    .flags = on ? CAN_CTRLMODE_LISTENONLY : 0};

	(void)can_set_ctrlmode(interface, &mode);
}

/* An interface that is up already was set up by somebody else: accepted when its bit rate is ours
 * or cannot be known (virtual interfaces, slcan). */
static int check(const char *interface, uint32_t bitrate, bool listening, char *why,
		 size_t why_size)
{
	struct can_bittiming timing = {0};

	if (can_get_bittiming(interface, &timing) == 0 && timing.bitrate != 0 &&
	    timing.bitrate != bitrate) {
		snprintf(why, why_size, "%s is up with %u bit/s, not %u: take it down", interface,
			 timing.bitrate, bitrate);
		return -EINVAL;
	}
	if (!listening && is_listening(interface)) {
		snprintf(why, why_size, "%s is up in listen-only mode: take it down", interface);
		return -EINVAL;
	}
	return 0;
}

/* A virtual interface has no bit rate and no restart time; whether that was the reason shows when
 * it starts. */
static int bring_up(int fd, const char *interface, uint32_t bitrate, bool listening, char *why,
		    size_t why_size)
{
	bool has_bitrate = can_set_bitrate(interface, bitrate) == 0;

	if (listening != is_listening(interface))
		socketcan_set_listening(interface, listening);
	(void)can_set_restart_ms(interface, RESTART_MS);
	(void)can_do_start(interface);
	if (socketcan_is_up(fd, interface))
		return 0;
	snprintf(why, why_size,
		 "%s is down and could not be %s: set it up before (systemd-networkd or ip link) "
		 "or grant CAP_NET_ADMIN",
		 interface, has_bitrate ? "started" : "configured");
	return -EPERM;
}

/* Binding to an interface that is down would leave an error on the socket, so this comes last. */
static int bind_socket(int fd, int index)
{
	can_err_mask_t errors = CAN_ERR_CRTL | CAN_ERR_BUSOFF | CAN_ERR_RESTARTED | CAN_ERR_ACK |
				CAN_ERR_BUSERROR | CAN_ERR_PROT;
	struct sockaddr_can address = {.can_family = AF_CAN, .can_ifindex = index};
	int yes = 1;

	if (setsockopt(fd, SOL_CAN_RAW, CAN_RAW_ERR_FILTER, &errors, sizeof errors) < 0 ||
	    setsockopt(fd, SOL_CAN_RAW, CAN_RAW_RECV_OWN_MSGS, &yes, sizeof yes) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
		return -errno;
	return 0;
}

int socketcan_set_up(int fd, const char *interface, uint32_t bitrate, bool listening, bool *started,
		     char *why, size_t why_size)
{
	unsigned index = strlen(interface) < IFNAMSIZ ? if_nametoindex(interface) : 0;
	int err;

	if (index == 0) {
		snprintf(why, why_size, "there is no interface %s", interface);
		return -ENODEV;
	}
	*started = !socketcan_is_up(fd, interface);
	if (*started)
		err = bring_up(fd, interface, bitrate, listening, why, why_size);
	else
		err = check(interface, bitrate, listening, why, why_size);
	if (err)
		return err;
	err = bind_socket(fd, (int)index);
	if (err)
		snprintf(why, why_size, "%s: %s", interface, strerror(-err));
	return err;
}
