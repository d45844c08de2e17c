// SPDX-License-Identifier: Apache-2.0
/* `onepack sim inverter`: one simulated inverter on a real port (tty, pty, CAN interface, slcan
 * adapter), which shows what it believes once a second. It has no plant behind it: the voltage it
 * sees is the one that the battery reports. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "onepack/clock.h"
#include "onepack/port.h"
#include "sim/inverter_can.h"
#include "sim/inverter_rs485.h"
#include "sim/profile.h"
#include "sim_stop.h"

#define SHOW_MS    1000
#define SCALE_W    10000 /* of the compressed day */
#define USUAL_V    51.2
#define WRITE_MS   500
#define LONGEST_MS 100 /* between two looks at the clock */

static const char help[] =
	"A simulated inverter on a real port: it behaves towards a gateway as its brand does, obeys\n"
	"what it is told, and prints once a second what it believes and, after `!`, what the\n"
	"machine would complain about.\n"
	"\n"
	"usage: onepack sim inverter --protocol ID --port PORT [OPTION]...\n"
	"\n"
	"  --protocol ID    what it speaks, e.g. can/victron-20170717 (`onepack wire list`)\n"
	"  --port PORT      a tty for RS485; for CAN an interface (can0) or slcan:TTY\n"
	"  --baud N         bit rate, if not the protocol's own (also --bitrate)\n"
	"  --option K=V     of the protocol, as the gateway has it; may be repeated\n"
	"  --address N      asks this address, if not the protocol's own\n"
	"  --current A      what it would like to do, positive = charge (default: a day of sun and\n"
	"                   load that passes in eight minutes)\n"
	"  --seconds N      end after so long\n"
	"\n"
	"Examples:\n"
	"  onepack sim inverter --protocol can/pylon-lv-1.2 --port slcan:/dev/ttyACM1\n"
	"  onepack sim inverter --protocol rs485/pylon-lv-3.3 --port /dev/ttyUSB2 --current -60\n";

struct machine {
	struct wire *wire;
	struct wire_info info;
	const char *port;
	uint32_t bitrate;
	struct can_port *can_port;
	int fd;
	struct inverter_can can;
	struct inverter_rs485 rs485;
	struct profile profile;
	bool fixed;
	double fixed_a, seconds, address;
	const char *options[WIRE_MAX_OPTIONS]; /* K=V */
	int option_count;
};

static struct sim_inverter *core(struct machine *m)
{
	return m->info.framing == WIRE_CAN ? &m->can.inverter : &m->rs485.inverter;
}

static double seen_v(struct machine *m)
{
	int32_t mv = core(m)->believed.battery.voltage_mv;

	return mv == FIELD_UNKNOWN || mv <= 0 ? USUAL_V : mv / 1000.0;
}

static int open_port(struct machine *m)
{
	char why[256] = "";
	int err;

	if (m->info.framing == WIRE_CAN) {
		err = can_port_open(m->port, m->bitrate, &m->can_port, why, sizeof why);
		m->fd = err < 0 ? -1 : can_port_fd(m->can_port);
	} else {
		m->fd = serial_open(m->port, m->bitrate);
		err = m->fd < 0 ? m->fd : serial_set_parity(m->fd, m->info.even_parity);
	}
	if (err < 0)
		fprintf(stderr, "onepack sim inverter: %s: %s\n", m->port,
			*why ? why : strerror(-err));
	return err;
}

static void send_frame(void *context, const struct can_message *message)
{
	(void)can_port_send(context, message); /* an unconnected bus shows in what it believes */
}

static int live_can(struct machine *m, int64_t now_ms)
{
	struct can_message message;
	int n;

	while ((n = can_port_receive(m->can_port, &message)) > 0)
		inverter_can_heard(&m->can, &message, now_ms);
	inverter_can_tick(&m->can, now_ms, seen_v(m), core(m)->current_a, send_frame, m->can_port);
	return n;
}

static int live_rs485(struct machine *m, int64_t now_ms)
{
	uint8_t bytes[1024];
	int n = serial_read(m->fd, bytes, sizeof bytes, 0);
	size_t length;

	if (n > 0)
		inverter_rs485_heard(&m->rs485, bytes, (size_t)n, now_ms);
	length = inverter_rs485_tick(&m->rs485, now_ms, bytes, sizeof bytes);
	if (length > 0 && n >= 0)
		n = serial_write(m->fd, bytes, length, WRITE_MS);
	return n < 0 ? n : 0;
}

static void tell(void *context, const char *text)
{
	(void)context;
	printf("  ! %s\n", text);
}

static void show(struct machine *m, int64_t now_ms)
{
	char text[256];

	sim_inverter_describe(core(m), now_ms, text, sizeof text);
	puts(text);
	sim_inverter_complain(core(m), now_ms, tell, NULL);
	fflush(stdout);
}

static int live(struct machine *m, int stop_fd)
{
	struct pollfd fds[] = {{m->fd, POLLIN, 0}, {stop_fd, POLLIN, 0}};
	int64_t start_ms = clock_monotonic_ms(), last_ms = start_ms, show_ms = start_ms + SHOW_MS;
	bool is_can = m->info.framing == WIRE_CAN;

	while (poll(fds, 2, LONGEST_MS) >= 0 || errno == EINTR) {
		int64_t now_ms = clock_monotonic_ms();
		int err = is_can ? live_can(m, now_ms) : live_rs485(m, now_ms);
		double wish_a = profile_power_w(&m->profile, now_ms - start_ms) / seen_v(m);

		if (fds[1].revents)
			return 0;
		if (err < 0) {
			fprintf(stderr, "onepack sim inverter: %s: %s\n", m->port, strerror(-err));
			return 1;
		}
		sim_inverter_demand(core(m), m->fixed ? m->fixed_a : wish_a, now_ms,
				    (double)(now_ms - last_ms) / 1000);
		last_ms = now_ms;
		if (now_ms < show_ms)
			continue;
		show(m, now_ms);
		show_ms += SHOW_MS;
		if (is_can)
			can_port_tick(m->can_port, now_ms);
	}
	return 1;
}

static int set_options(struct machine *m)
{
	for (int i = 0; i < m->option_count; i++) {
		const char *equals = strchr(m->options[i], '=');
		char name[64], why[512];

		snprintf(name, sizeof name, "%.*s", (int)strcspn(m->options[i], "="),
			 m->options[i]);
		if (wire_set_option(m->wire, &core(m)->ctx, name, equals ? equals + 1 : "", why,
				    sizeof why)) {
			fprintf(stderr, "onepack sim inverter: %s\n", why);
			return -EINVAL;
		}
	}
	return 0;
}

static int prepare(struct machine *m, const char *protocol)
{
	m->wire = wire_load(protocol, stderr);
	if (!m->wire)
		return -EINVAL;
	wire_get_info(m->wire, &m->info);
	if (m->info.scope != WIRE_OF_BATTERY) {
		fprintf(stderr,
			"onepack sim inverter: %s describes a pack; an inverter speaks a can/ or "
			"rs485/ protocol\n",
			protocol);
		return -EINVAL;
	}
	if (m->bitrate == 0)
		m->bitrate = m->info.bitrate;
	m->profile.scale_w = SCALE_W;
	if (m->info.framing == WIRE_CAN)
		inverter_can_init(&m->can, m->wire);
	else
		inverter_rs485_init(&m->rs485, protocol, m->wire);
	if (m->address >= 0)
		core(m)->ctx.address = (int)m->address;
	return set_options(m) < 0 ? -EINVAL : open_port(m);
}

static bool parse_number(const char *name, const char *text, double *out)
{
	char *end;

	*out = strtod(text, &end);
	if (*text != '\0' && *end == '\0' && *out > -1e7 && *out < 1e7)
		return true;
	fprintf(stderr, "onepack sim inverter: --%s %s: should be a number\n", name, text);
	return false;
}

/* 0, 1 = help was wanted, 2 = used wrongly. */
static int read_options(int argc, char **argv, struct machine *m, const char **protocol)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'},
		{"protocol", required_argument, NULL, 'p'},
		{"port", required_argument, NULL, 't'},
		{"baud", required_argument, NULL, 'b'},
		{"bitrate", required_argument, NULL, 'b'},
		{"option", required_argument, NULL, 'o'},
		{"address", required_argument, NULL, 'a'},
		{"current", required_argument, NULL, 'c'},
		{"seconds", required_argument, NULL, 's'},
		{0},
	};
	double baud;
	int key;

	while ((key = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (key) {
		case 'p': *protocol = optarg; break;
		case 't': m->port = optarg; break;
		case 'b':
			if (!parse_number("baud", optarg, &baud) || baud < 1)
				return 2;
			m->bitrate = (uint32_t)baud;
			break;
		case 'c':
			if (!parse_number("current", optarg, &m->fixed_a))
				return 2;
			m->fixed = true;
			break;
		case 'o':
			if (m->option_count == WIRE_MAX_OPTIONS)
				return 2;
			m->options[m->option_count++] = optarg;
			break;
		case 'a':
			if (!parse_number("address", optarg, &m->address) || m->address < 0 ||
			    m->address > 255)
				return 2;
			break;
		case 's':
			if (!parse_number("seconds", optarg, &m->seconds))
				return 2;
			break;
		case 'h': return 1;
		default: return 2;
		}
	}
	return optind < argc || !*protocol || !m->port ? 2 : 0;
}

int sim_inverter(int argc, char **argv)
{
	struct machine *m = calloc(1, sizeof *m);
	const char *protocol = NULL;
	int status, stop_fd = -1;

	if (!m)
		return 1;
	m->fd = -1;
	m->address = -1;
	status = read_options(argc, argv, m, &protocol);
	if (status != 0) {
		fputs(help, status == 1 ? stdout : stderr);
		status = status == 1 ? 0 : 2;
		goto out;
	}
	status = 1;
	if (prepare(m, protocol) < 0)
		goto out;
	stop_fd = sim_stop_fd(m->seconds);
	if (stop_fd >= 0)
		status = live(m, stop_fd);
out:
	if (stop_fd >= 0)
		close(stop_fd);
	if (m->can_port)
		can_port_close(m->can_port);
	else if (m->fd >= 0)
		close(m->fd);
	wire_free(m->wire);
	free(m);
	return status;
}
