// SPDX-License-Identifier: Apache-2.0
/* The simulated site in real time: one loop that sleeps until bytes come or something is due. While
 * bytes are on a wire it wakes about once a millisecond, as a USB adapter would hand them over, and
 * exactly at the end of each burst; otherwise ten times a second for the plant. */
#include "site.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "onepack/clock.h"
#include "onepack/sim.h"

#define MS             INT64_C(1000000) /* in ns */
#define STEP_NS        (100 * MS)       /* of the plant */
#define LONGEST_GAP_NS (1000 * MS)      /* after a pause of the process no more than this passes */
#define QUANTUM_NS     MS
#define QUANTUM_BYTES  4
#define READ_SIZE      1024
#define REST_HIGH_V    56.0 /* what a charger without any word from a battery keeps to */
#define REST_LOW_V     46.0
#define USUAL_V        51.2

/* --- pack lines --- */

static void pack_line_heard(void *context, int talker, int64_t end_ns, const uint8_t *bytes,
			    size_t count)
{
	struct site_line *line = context;

	if (line_hears(site_line_wire(line), JK_BUS_TTY, talker))
		sim_pty_write(&line->pty, bytes, count);
	if (line->packs == SITE_JK)
		jk_bus_heard(&line->jk, talker, end_ns, bytes, count);
	else
		firmware_bus_heard(&line->firmware, talker, end_ns, bytes, count);
}

static void read_tty(struct sim_pty *pty, struct line *line, int64_t now_ns)
{
	uint8_t bytes[READ_SIZE];
	size_t count = sim_pty_read(pty, bytes, sizeof bytes);

	if (count > 0) /* what does not fit is lost, as on a line that is driven too hard */
		(void)line_send(line, JK_BUS_TTY, now_ns, bytes, count);
}

/* --- inverters --- */

static void send_to_user(void *context, const char *text, size_t count)
{
	struct site_inverter *inverter = context;

	sim_pty_write(&inverter->pty, (const uint8_t *)text, count);
}

static void send_frame(void *context, const struct can_message *message)
{
	struct site_inverter *inverter = context;
	char text[SLCAN_FRAME_SIZE];
	size_t count = slcan_adapter_frame(&inverter->adapter, message, text);

	if (count > 0)
		send_to_user(inverter, text, count);
}

static void frame_from_gateway(void *context, const struct can_message *message)
{
	struct site_inverter *inverter = context;

	inverter_can_heard(&inverter->can, message, clock_monotonic_ms());
}

static void read_slcan(struct site_inverter *inverter)
{
	uint8_t bytes[READ_SIZE];
	size_t count = sim_pty_read(&inverter->pty, bytes, sizeof bytes);

	slcan_adapter_feed(&inverter->adapter, bytes, count, frame_from_gateway, send_to_user,
			   inverter);
}

static void inverter_line_heard(void *context, int talker, int64_t end_ns, const uint8_t *bytes,
				size_t count)
{
	struct site_inverter *inverter = context;

	if (line_hears(&inverter->line, SITE_TTY_STATION, talker))
		sim_pty_write(&inverter->pty, bytes, count);
	if (line_hears(&inverter->line, SITE_INVERTER_STATION, talker))
		inverter_rs485_heard(&inverter->rs485, bytes, count, end_ns / MS);
}

static void ask_battery(struct site_inverter *inverter, int64_t now_ns)
{
	uint8_t request[READ_SIZE];
	size_t count = inverter_rs485_tick(&inverter->rs485, now_ns / MS, request, sizeof request);

	if (count > 0)
		(void)line_send(&inverter->line, SITE_INVERTER_STATION, now_ns, request, count);
}

/* --- plant --- */

/* The first inverter that ever heard a battery does the work; the others listen. Without any
 * inverter sun and load act on the packs directly. */
static struct plant_demand decide(struct site *site, double wish_a, int64_t now_ms, double dt_s)
{
	struct plant_demand demand = {wish_a, REST_HIGH_V, REST_LOW_V};
	bool taken = false;

	if (site->inverter_count > 0)
		demand.current_a = 0;
	for (int i = 0; i < site->inverter_count; i++) {
		struct sim_inverter *inverter = site_inverter_core(&site->inverters[i]);
		struct plant_demand own = sim_inverter_demand(inverter, wish_a, now_ms, dt_s);

		if (!taken && inverter->limits_ms != INVERTER_NEVER) {
			demand = own;
			taken = true;
		}
	}
	return demand;
}

static void step_plant(struct site *site, int64_t now_ns)
{
	double dt_s = fmin((double)(now_ns - site->step_ns), LONGEST_GAP_NS) / 1e9;
	double bus_v = site->plant.bus_v > REST_LOW_V ? site->plant.bus_v : USUAL_V;
	double wish_a = profile_power_w(&site->profile, (now_ns - site->start_ns) / MS) / bus_v;
	struct plant_demand demand = decide(site, wish_a, now_ns / MS, dt_s);

	site->step_ns = now_ns;
	plant_step(&site->plant, &demand, dt_s);
}

/* --- the loop --- */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* When a line wants to be run again. */
static int64_t line_due_ns(const struct line *line)
{
	int64_t next_ns = line_next_ns(line), quantum_ns = QUANTUM_BYTES * line->byte_ns;

	if (next_ns == LINE_NEVER)
		return LINE_NEVER;
	quantum_ns = quantum_ns > QUANTUM_NS ? quantum_ns : QUANTUM_NS;
	return earlier(line_quiet_ns(line), next_ns + quantum_ns);
}

static int64_t live_inverter(struct site *site, struct site_inverter *inverter, int64_t now_ns)
{
	if (inverter->info.framing == WIRE_CAN)
		return inverter_can_tick(&inverter->can, now_ns / MS, site->plant.bus_v,
					 site->plant.bus_a, send_frame, inverter) *
		       MS;
	ask_battery(inverter, now_ns);
	line_run(&inverter->line, now_ns, inverter_line_heard, inverter);
	return earlier(inverter_rs485_next_ms(&inverter->rs485) * MS, line_due_ns(&inverter->line));
}

/* Does all that is due; returns when something will be next. */
static int64_t live(struct site *site, int64_t now_ns)
{
	int64_t next_ns;

	if (now_ns - site->step_ns >= STEP_NS)
		step_plant(site, now_ns);
	next_ns = site->step_ns + STEP_NS;
	for (int i = 0; i < site->line_count; i++) {
		struct site_line *line = &site->lines[i];

		line_run(site_line_wire(line), now_ns, pack_line_heard, line);
		next_ns = earlier(next_ns, line->packs == SITE_JK
						   ? jk_bus_tick(&line->jk, now_ns)
						   : firmware_bus_tick(&line->firmware, now_ns));
		next_ns = earlier(next_ns, line_due_ns(site_line_wire(line)));
	}
	for (int i = 0; i < site->inverter_count; i++)
		next_ns = earlier(next_ns, live_inverter(site, &site->inverters[i], now_ns));
	return next_ns;
}

static void take_command(struct site *site)
{
	static const size_t command_size = 512;
	char command[512], answer[SIM_ANSWER_SIZE];
	struct sockaddr_un from;
	socklen_t from_size = sizeof from;
	ssize_t n = recvfrom(site->control_fd, command, command_size - 1, 0,
			     (struct sockaddr *)&from, &from_size);

	if (n < 0)
		return;
	command[n] = '\0';
	site_command(site, command, answer, sizeof answer);
	if (from_size > sizeof from.sun_family)
		(void)sendto(site->control_fd, answer, strlen(answer), 0, (struct sockaddr *)&from,
			     from_size);
}

/* Input in the order of the descriptors that list_inputs() made. */
static void take_input(struct site *site, const struct pollfd *fds, int64_t now_ns)
{
	for (int i = 0; i < site->line_count; i++, fds++)
		if (fds->revents)
			read_tty(&site->lines[i].pty, site_line_wire(&site->lines[i]), now_ns);
	for (int i = 0; i < site->inverter_count; i++, fds++) {
		struct site_inverter *inverter = &site->inverters[i];

		if (!fds->revents)
			continue;
		if (inverter->info.framing == WIRE_CAN)
			read_slcan(inverter);
		else
			read_tty(&inverter->pty, &inverter->line, now_ns);
	}
	if (fds->revents)
		take_command(site);
}

#define MAX_INPUTS (SITE_MAX_LINES + SITE_MAX_INVERTERS + 2)

static nfds_t list_inputs(const struct site *site, int stop_fd, struct pollfd fds[MAX_INPUTS])
{
	nfds_t count = 0;

	for (int i = 0; i < site->line_count; i++)
		fds[count++] = (struct pollfd){site->lines[i].pty.master, POLLIN, 0};
	for (int i = 0; i < site->inverter_count; i++)
		fds[count++] = (struct pollfd){site->inverters[i].pty.master, POLLIN, 0};
	fds[count++] = (struct pollfd){site->control_fd, POLLIN, 0};
	fds[count++] = (struct pollfd){stop_fd, POLLIN, 0};
	return count;
}

int site_run(struct site *site, int stop_fd)
{
	struct pollfd fds[MAX_INPUTS];
	nfds_t count = list_inputs(site, stop_fd, fds);

	site->start_ns = site->step_ns = clock_monotonic_us() * 1000;
	for (;;) {
		int64_t now_ns = clock_monotonic_us() * 1000;
		int64_t wait_ns = live(site, now_ns) - now_ns;
		struct timespec wait = {0};

		if (wait_ns > 0)
			wait = (struct timespec){.tv_sec = wait_ns / (1000 * MS),
						 .tv_nsec = wait_ns % (1000 * MS)};
		if (ppoll(fds, count, &wait, NULL) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (fds[count - 1].revents)
			return 0;
		take_input(site, fds, clock_monotonic_us() * 1000);
	}
}
