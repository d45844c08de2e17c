// SPDX-License-Identifier: Apache-2.0
/* `onepack monitor`: live decoded traffic of a bus. It only listens: nothing is ever sent, and CAN
 * adapters are opened in listen-only mode where they have it. What the lines say is made in
 * monitor_view.c; here are arguments, ports, log files and time. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "monitor_view.h"
#include "onepack/clock.h"
#include "onepack/port.h"
#include "sim_stop.h"
#include "wire.h"
#include "wire_text.h"

#define QUIET_MS    60 /* longer than a USB adapter keeps bytes back, shorter than masters wait */
#define QUIET_US    (INT64_C(1000) * QUIET_MS)
#define TICK_MS     1000
#define MAX_SECONDS 1e9

static const char help[] =
	"Live decoded traffic of a bus, read-only: one line per frame, a summary at the end (Ctrl-C).\n"
	"\n"
	"usage: onepack monitor PORT --protocol ID [OPTION]...\n"
	"       onepack monitor --from FILE --protocol ID [OPTION]...\n"
	"\n"
	"  PORT             CAN: an interface (can0) or slcan:TTY, opened in listen-only mode if that\n"
	"                   is possible; RS485: a tty on the line, both directions are heard.\n"
	"                   A tty or slcan adapter that the gateway uses is taken: use a second one\n"
	"  --protocol ID    what is spoken there (`onepack wire list`), or a path that ends in .yaml\n"
	"  --baud N, --bitrate N\n"
	"                   if not the protocol's own\n"
	"  --option K=V     of the protocol (`onepack wire show ID` lists them); may be repeated\n"
	"  --address N      of the battery, where frames are numbered by it\n"
	"  --seconds N      end after so long\n"
	"  --raw            show the bytes of each frame as well\n"
	"  --save FILE      write a log that --from reads\n"
	"  --from FILE      read a log instead of a port, - = standard input. CAN: what candump\n"
	"                   prints or logs; RS485: bytes in hex, one piece a line, with or without\n"
	"                   (SECONDS) in front\n"
	"\n"
	"A line: seconds since the start; who speaks (bms, inv; on RS485 ask, says); CAN id or\n"
	"address; the message; its values. On a terminal values that changed are bold. !! marks what\n"
	"is not understood.\n"
	"\n"
	"Examples:\n"
	"  onepack monitor can0 --protocol can/pylon-lv-1.2\n"
	"  onepack monitor slcan:/dev/ttyACM1 --protocol can/victron-20170717 --seconds 60\n"
	"  onepack monitor /dev/ttyUSB1 --protocol pack/jk-pb --raw\n"
	"  candump -t a can0 | onepack monitor --from - --protocol can/pylon-lv-1.2\n";

struct monitor {
	struct wire_args args; /* protocol, options, address */
	const char *port, *from, *save_path;
	uint32_t bitrate;
	double seconds;
	bool raw, help;
	struct wire *wire;
	struct wire_context ctx;
	struct wire_info info;
	struct monitor_view view;
	struct can_port *can_port;
	int fd;
	FILE *save;
	int64_t start_us;
};

/* --- saving --- */

static void save_can(const struct monitor *m, int64_t at_us, const struct can_message *message)
{
	char text[40];

	if (!m->save)
		return;
	wire_print_frame(message, text);
	fprintf(m->save, "(%.6f) %s %s\n", (double)at_us / 1e6, m->port ? m->port : "log", text);
	fflush(m->save);
}

static void save_serial(const struct monitor *m, int64_t at_us, const uint8_t *bytes, size_t count)
{
	if (!m->save)
		return;
	fprintf(m->save, "(%.6f) ", (double)at_us / 1e6);
	for (size_t i = 0; i < count; i++)
		fprintf(m->save, "%02X", bytes[i]);
	fputc('\n', m->save);
	fflush(m->save);
}

/* --- ports --- */

static int open_port(struct monitor *m)
{
	char why[256] = "";
	int err;

	if (m->info.framing == WIRE_CAN) {
		err = can_port_listen(m->port, m->bitrate, &m->can_port, why, sizeof why);
		m->fd = err < 0 ? -1 : can_port_fd(m->can_port);
	} else {
		m->fd = serial_open(m->port, m->bitrate);
		err = m->fd < 0 ? m->fd : serial_set_parity(m->fd, m->info.even_parity);
	}
	if (err == -EBUSY)
		snprintf(why, sizeof why,
			 "is in use (by the gateway?); listening needs an adapter "
			 "of its own on the bus");
	if (err < 0)
		fprintf(stderr, "onepack monitor: %s: %s\n", m->port, *why ? why : strerror(-err));
	return err;
}

static int hear_can(struct monitor *m)
{
	struct can_message message;
	int n;

	while ((n = can_port_receive(m->can_port, &message)) > 0) {
		const int64_t at_us = clock_monotonic_us() - m->start_us;

		save_can(m, at_us, &message);
		view_can(&m->view, at_us, &message);
	}
	return n;
}

static int hear_serial(struct monitor *m)
{
	const int64_t at_us = clock_monotonic_us() - m->start_us;
	uint8_t bytes[1024];
	int n = serial_read(m->fd, bytes, sizeof bytes, 0);

	if (n > 0) {
		save_serial(m, at_us, bytes, (size_t)n);
		view_serial(&m->view, at_us, bytes, (size_t)n);
	}
	return n < 0 ? n : 0;
}

static void tell_bus_errors(struct monitor *m, uint64_t *known)
{
	struct can_status status;
	char text[80];

	can_port_tick(m->can_port, clock_monotonic_ms());
	can_port_status(m->can_port, &status);
	if (status.bus_errors == *known)
		return;
	snprintf(text, sizeof text, "%llu on the CAN bus, which is %s",
		 (unsigned long long)(status.bus_errors - *known), can_state_name(status.state));
	view_error(&m->view, clock_monotonic_us() - m->start_us, "bus errors", text);
	*known = status.bus_errors;
}

static int live(struct monitor *m, int stop_fd)
{
	struct pollfd fds[] = {{m->fd, POLLIN, 0}, {stop_fd, POLLIN, 0}};
	const bool can = m->info.framing == WIRE_CAN;
	uint64_t bus_errors = 0;

	m->start_us = clock_monotonic_us();
	for (;;) {
		const int ready = poll(fds, 2, can ? TICK_MS : (int)QUIET_MS);
		int err = 0;

		if (ready < 0 && errno != EINTR)
			return 1;
		if (ready > 0 && fds[1].revents)
			return 0;
		if (ready > 0 && fds[0].revents)
			err = can ? hear_can(m) : hear_serial(m);
		else if (!can)
			view_quiet(&m->view);
		if (can && err == 0)
			tell_bus_errors(m, &bus_errors);
		fflush(stdout);
		if (err < 0) {
			fprintf(stderr, "onepack monitor: %s: %s\n", m->port, strerror(-err));
			return 1;
		}
	}
}

/* --- logs --- */

/* "(1700000000.123456) ", "(2024-01-31 10:00:00.123456) " or nothing: the rest of the line, and
 * microseconds or VIEW_NO_TIME. */
static const char *take_time(const char *line, int64_t *at_us)
{
	struct tm date = {0};
	double seconds = 0;
	int used = 0;

	*at_us = VIEW_NO_TIME;
	line += strspn(line, " \t");
	if (*line != '(')
		return line;
	if (sscanf(line, "(%d-%d-%d %d:%d:%lf)%n", &date.tm_year, &date.tm_mon, &date.tm_mday,
		   &date.tm_hour, &date.tm_min, &seconds, &used) == 6 &&
	    used > 0) {
		date.tm_year -= 1900;
		date.tm_mon -= 1;
		seconds += (double)timegm(&date);
	} else if (sscanf(line, "(%lf)%n", &seconds, &used) != 1 || used == 0) {
		return line;
	}
	if (seconds >= 0 && seconds < 1e12)
		*at_us = (int64_t)(seconds * 1e6 + 0.5);
	return line + used;
}

static void read_can_line(struct monitor *m, int64_t at_us, const char *text)
{
	struct can_message message;

	if (wire_parse_frame(text, &message)) {
		char shown[80];

		snprintf(shown, sizeof shown, "%.*s", (int)strcspn(text, "\r\n"), text);
		view_error(&m->view, at_us, "not a frame", shown);
		return;
	}
	save_can(m, at_us == VIEW_NO_TIME ? 0 : at_us, &message);
	view_can(&m->view, at_us, &message);
}

static void read_serial_line(struct monitor *m, int64_t at_us, const char *text)
{
	uint8_t bytes[WIRE_MAX_FRAME];
	const int count = wire_parse_hex(text, bytes, sizeof bytes);

	if (count < 0) {
		char shown[80];

		snprintf(shown, sizeof shown, "%.*s", (int)strcspn(text, "\r\n"), text);
		view_error(&m->view, at_us, "not bytes in hex", shown);
		return;
	}
	save_serial(m, at_us == VIEW_NO_TIME ? 0 : at_us, bytes, (size_t)count);
	view_serial(&m->view, at_us, bytes, (size_t)count);
}

/* The next line, or none when it is time to stop: a pipe may stand still for hours. */
static bool next_line(FILE *file, bool is_live, int stop_fd, char **text, size_t *size)
{
	struct pollfd fds[] = {{stop_fd, POLLIN, 0}, {fileno(file), POLLIN, 0}};

	if (poll(fds, is_live ? 2 : 1, is_live ? -1 : 0) < 0 || fds[0].revents)
		return false;
	return getline(text, size, file) > 0;
}

/* Not a file: lines are taken one by one, so that nothing waits in a buffer unseen. */
static bool is_live_input(FILE *file)
{
	struct stat info;

	if (fstat(fileno(file), &info) != 0 || S_ISREG(info.st_mode))
		return false;
	return setvbuf(file, NULL, _IONBF, 0) == 0;
}

static int read_log(struct monitor *m, int stop_fd)
{
	FILE *file = strcmp(m->from, "-") == 0 ? stdin : fopen(m->from, "r");
	bool is_live;
	int64_t first_us = VIEW_NO_TIME, last_us = VIEW_NO_TIME, at_us;
	char *text = NULL;
	size_t size = 0;

	if (!file) {
		fprintf(stderr, "onepack monitor: %s: %s\n", m->from, strerror(errno));
		return 1;
	}
	is_live = is_live_input(file);
	while (next_line(file, is_live, stop_fd, &text, &size)) {
		const char *rest = take_time(text, &at_us);

		if (wire_is_blank(rest) || rest[0] == '#')
			continue;
		if (first_us == VIEW_NO_TIME)
			first_us = at_us;
		if (at_us != VIEW_NO_TIME && first_us != VIEW_NO_TIME)
			at_us -= first_us;
		if (at_us != VIEW_NO_TIME && last_us != VIEW_NO_TIME && at_us - last_us > QUIET_US)
			view_quiet(&m->view);
		last_us = at_us;
		if (m->info.framing == WIRE_CAN)
			read_can_line(m, at_us, rest);
		else
			read_serial_line(m, at_us, rest);
		if (is_live)
			fflush(stdout);
	}
	view_quiet(&m->view);
	free(text);
	if (file != stdin)
		fclose(file);
	return 0;
}

/* --- arguments --- */

static int wrong(const char *what, const char *detail)
{
	fprintf(stderr, "onepack monitor: %s%s; `onepack monitor --help` explains with examples\n",
		what, detail);
	return 2;
}

static int take_number(const char *name, const char *text, double low, double high, double *out)
{
	char *end;
	const double value = strtod(text, &end);

	if (*text == '\0' || *end != '\0' || !(value >= low && value <= high))
		return wrong("no such number behind ", name);
	*out = value;
	return 0;
}

static int take_option(struct monitor *m, const char *name, const char *value)
{
	double number = 0;
	int status = 0;

	if (strcmp(name, "--protocol") == 0) {
		m->args.what = value;
	} else if (strcmp(name, "--baud") == 0 || strcmp(name, "--bitrate") == 0) {
		status = take_number(name, value, 300, 10e6, &number);
		m->bitrate = (uint32_t)number;
	} else if (strcmp(name, "--address") == 0) {
		char *end;

		m->args.address = (int)strtol(value, &end, 0);
		if (end == value || *end || m->args.address < 0 || m->args.address > 255)
			status = wrong("no address: ", value);
	} else if (strcmp(name, "--seconds") == 0) {
		status = take_number(name, value, 0.1, MAX_SECONDS, &m->seconds);
	} else if (strcmp(name, "--from") == 0) {
		m->from = value;
	} else if (strcmp(name, "--save") == 0) {
		m->save_path = value;
	} else if (strcmp(name, "--option") == 0) {
		if (!strchr(value, '=') || m->args.option_count == WIRE_MAX_OPTIONS)
			return wrong("options are written K=V, not ", value);
		m->args.options[m->args.option_count++] = value;
	} else {
		status = wrong("unknown argument ", name);
	}
	return status;
}

static int read_arguments(int argc, char **argv, struct monitor *m)
{
	for (int i = 1; i < argc; i++) {
		int status = 0;

		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			m->help = true;
		else if (strcmp(argv[i], "--raw") == 0)
			m->raw = true;
		else if (argv[i][0] != '-' && !m->port)
			m->port = argv[i];
		else if (argv[i][0] != '-')
			status = wrong("one argument too many: ", argv[i]);
		else if (i + 1 == argc)
			status = wrong("a value is missing behind ", argv[i]);
		else
			status = take_option(m, argv[i], argv[i + 1]), i++;
		if (status)
			return status;
	}
	if (m->help)
		return 0;
	if (!m->args.what)
		return wrong("--protocol is missing", "");
	if (!m->port == !m->from)
		return wrong("either a port or --from FILE is needed", "");
	return 0;
}

static int prepare(struct monitor *m)
{
	m->wire = command_wire_open(&m->args, &m->ctx);
	if (!m->wire)
		return 1;
	wire_get_info(m->wire, &m->info);
	if (m->bitrate == 0)
		m->bitrate = m->info.bitrate;
	if (view_init(&m->view, m->wire, &m->ctx))
		return 1;
	m->view.out = stdout;
	m->view.raw = m->raw;
	m->view.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	if (m->save_path && !(m->save = fopen(m->save_path, "w"))) {
		fprintf(stderr, "onepack monitor: %s: %s\n", m->save_path, strerror(errno));
		return 1;
	}
	return m->port && open_port(m) < 0 ? 1 : 0;
}

static int run(struct monitor *m)
{
	int status = prepare(m), stop_fd;

	if (status)
		return status;
	stop_fd = sim_stop_fd(m->seconds);
	if (stop_fd < 0)
		return 1;
	status = m->from ? read_log(m, stop_fd) : live(m, stop_fd);
	close(stop_fd);
	if (status == 0 || !m->from)
		view_summary(&m->view);
	return status;
}

int command_monitor(int argc, char **argv)
{
	struct monitor *m = calloc(1, sizeof *m);
	int status;

	if (!m)
		return 1;
	m->fd = -1;
	m->args.address = -1;
	status = read_arguments(argc, argv, m);
	if (m->help)
		fputs(help, stdout);
	else if (status == 0)
		status = run(m);
	if (m->can_port)
		can_port_close(m->can_port);
	else if (m->fd >= 0)
		close(m->fd);
	if (m->save)
		fclose(m->save);
	view_free(&m->view);
	wire_free(m->wire);
	free(m);
	return status;
}
