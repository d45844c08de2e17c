// SPDX-License-Identifier: Apache-2.0
/* The event loop of one inverter link; see link.h. */
#include "link.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "announce.h"
#include "onepack/clock.h"

#define BACKOFF_MIN_MS 1000
#define BACKOFF_MAX_MS 30000
#define LIFE_SIGN_MS   1000 /* the status is written at least this often */

/* --- telling people --- */

/* Never waits: a full pipe must not stop the limits. A pipe or terminal that polls as writable
 * takes a short line whole. */
static void log_line(const struct link *link, const char *what)
{
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
	char line[256];
	int n = snprintf(line, sizeof line, "onepack-link: %s on %s: %s\n", link->options.protocol,
			 link->options.port, what);

	if (n > 0 && poll(&p, 1, 0) == 1 && (p.revents & POLLOUT))
		(void)!write(STDERR_FILENO, line,
			     (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

static void publish_status(struct link *link, int64_t now_ms)
{
	struct inverter_status *status = &link->status;
	enum link_state before = status->link;
	char detail[STATUS_TEXT_SIZE];

	memcpy(detail, status->detail, sizeof detail);
	if (link->is_open)
		link->kind->report(link, status);
	if (link->is_open && link->hold.quiet)
		snprintf(status->detail, sizeof status->detail,
			 "silent: no limits from the engine");
	status->alive_ms = now_ms;
	status->lease_valid = link->hold.lease == LEASE_VALID;
	status->view = link->heard.inverter;
	lease_write_status(link->page, link->options.slot, status);
	if (status->link != before || strcmp(detail, status->detail) != 0)
		log_line(link, status->detail[0] ? status->detail : link_state_name(status->link));
}

static void show_down(struct link *link, const char *why)
{
	char line[STATUS_TEXT_SIZE];

	snprintf(line, sizeof line, "%.*s", (int)sizeof line - 1, why);
	if (link->status.link != LINK_ERROR || strcmp(link->status.detail, line) != 0)
		log_line(link, why);
	link->status.link = LINK_ERROR;
	memcpy(link->status.detail, line, sizeof line);
}

void link_note_heard(struct link *link, int64_t now_us)
{
	link->status.heard_ms = now_us / 1000;
	link->status.requests++;
}

void link_note_limits(struct link *link)
{
	const struct battery *said = &link->said.battery;
	struct inverter_status *status = &link->status;

	if (said->charge_voltage_limit_mv != FIELD_UNKNOWN)
		status->charge_voltage_limit_mv = said->charge_voltage_limit_mv;
	if (said->charge_current_limit_ma != FIELD_UNKNOWN)
		status->charge_current_limit_ma = said->charge_current_limit_ma;
	if (said->discharge_current_limit_ma != FIELD_UNKNOWN)
		status->discharge_current_limit_ma = said->discharge_current_limit_ma;
}

/* --- the lease --- */

static bool is_orphan(const struct link *link)
{
	return getppid() != link->options.engine;
}

static void set_times(struct wire_context *ctx)
{
	time_t now = time(NULL);
	struct timespec uptime;
	struct tm local;

	localtime_r(&now, &local);
	clock_gettime(CLOCK_BOOTTIME, &uptime);
	ctx->local_time_s = now + local.tm_gmtoff;
	ctx->uptime_ms = (int64_t)uptime.tv_sec * 1000 + uptime.tv_nsec / 1000000;
}

static void read_lease(struct link *link, int64_t now_ms)
{
	struct battery battery;
	int64_t age_ms;
	enum lease_state lease = lease_read(link->page, now_ms, &battery, &age_ms);

	hold_take(&link->hold, lease, &battery, age_ms, link->ending_ms != 0, link->info.silence_ms,
		  now_ms);
}

/* --- the port --- */

static void close_port(struct link *link)
{
	if (link->is_open)
		link->kind->close(link);
	link->is_open = false;
}

static void retry_later(struct link *link, const char *why, int64_t now_ms)
{
	show_down(link, why);
	link->retry_ms = now_ms + link->backoff_ms;
	link->backoff_ms *= 2;
	if (link->backoff_ms > BACKOFF_MAX_MS)
		link->backoff_ms = BACKOFF_MAX_MS;
}

static void open_port(struct link *link)
{
	char why[256] = "";
	int64_t now_ms;

	if (link->listener < 0)
		link->listener = announce_claim(link->options.port, why, sizeof why);
	now_ms = clock_monotonic_ms();
	if (link->listener < 0) {
		show_down(link, why);
		link->retry_ms = now_ms + BACKOFF_MIN_MS; /* its gateway may go at any time */
		return;
	}
	if (link->kind->open(link, why, sizeof why) < 0) {
		retry_later(link, why, now_ms);
		return;
	}
	link->is_open = true;
}

static void lose_port(struct link *link, int err, int64_t now_ms)
{
	close_port(link);
	link->backoff_ms = BACKOFF_MIN_MS;
	retry_later(link, strerror(-err), now_ms);
}

/* --- events --- */

static void take_signal(struct link *link, int64_t now_ms)
{
	struct signalfd_siginfo info;

	while (read(link->signal_fd, &info, sizeof info) == sizeof info)
		if (!link->ending_ms)
			link->ending_ms = now_ms;
}

static void take_visitor(struct link *link)
{
	int fd = announce_accept(link->listener);

	if (fd < 0)
		return;
	if (link->connection >= 0)
		close(link->connection);
	link->connection = fd;
}

/* A gateway that lives and renews its lease keeps its port. */
static void hear_visitor(struct link *link)
{
	if (!announce_is_leave(link->connection)) {
		close(link->connection);
	} else if (link->hold.lease == LEASE_VALID && !is_orphan(link)) {
		announce_refuse(link->connection);
	} else {
		log_line(link, "leaving for the next gateway");
		link->done = true;
		return;
	}
	link->connection = -1;
}

static int64_t next_wake_us(const struct link *link, int64_t now_us)
{
	int64_t next_us = now_us + (int64_t)LIFE_SIGN_MS * 1000;
	int64_t port_us = link->is_open ? link->kind->next_us(link) : link->retry_ms * 1000;

	if (port_us < next_us)
		next_us = port_us;
	if (link->hold.expires_ms < next_us / 1000)
		next_us = link->hold.expires_ms * 1000;
	if (link->ending_ms && now_us + 10000 < next_us)
		next_us = now_us + 10000; /* to see whether the farewell is over */
	return next_us;
}

static void wait_and_take(struct link *link)
{
	int64_t now_us = clock_monotonic_us();
	int64_t wait_us = next_wake_us(link, now_us) - now_us;
	struct timespec wait = {0};
	struct pollfd p[] = {{.fd = link->signal_fd, .events = POLLIN},
			     {.fd = link->options.wake_fd, .events = POLLIN},
			     {.fd = link->listener, .events = POLLIN},
			     {.fd = link->connection, .events = POLLIN},
			     {.fd = link->is_open ? link->kind->fd(link) : -1, .events = POLLIN}};
	uint64_t count;

	if (wait_us > 0) {
		wait.tv_sec = wait_us / 1000000;
		wait.tv_nsec = wait_us % 1000000 * 1000;
	}
	if (ppoll(p, sizeof p / sizeof *p, &wait, NULL) <= 0)
		return;
	now_us = clock_monotonic_us();
	if (p[0].revents)
		take_signal(link, now_us / 1000);
	if (p[1].revents)
		(void)!read(link->options.wake_fd, &count, sizeof count);
	if (p[3].revents)
		hear_visitor(link);
	if (p[2].revents)
		take_visitor(link);
	if (p[4].revents) {
		int err = link->kind->receive(link, now_us);

		if (err < 0)
			lose_port(link, err, now_us / 1000);
	}
}

/* Nobody hears us, or nothing is left to say, and no gateway is there to change that. */
static bool may_end(const struct link *link)
{
	if (!link->is_open && link->ending_ms)
		return true;
	return is_orphan(link) && (!link->is_open || link->hold.quiet);
}

static void turn(struct link *link)
{
	int64_t now_us;
	int64_t now_ms;
	int err;

	if (may_end(link)) {
		link->done = true;
		return;
	}
	if (!link->is_open && clock_monotonic_ms() >= link->retry_ms)
		open_port(link); /* may take a while, so nothing is read before it */
	now_us = clock_monotonic_us();
	now_ms = now_us / 1000;
	read_lease(link, now_ms);
	set_times(&link->ctx);
	if (link->is_open) {
		link->backoff_ms = BACKOFF_MIN_MS;
		err = link->kind->send(link, now_us);
		if (err < 0)
			lose_port(link, err, now_ms);
		else if (link->ending_ms)
			link->done = link->kind->farewell(link, now_us);
	}
	publish_status(link, now_ms);
}

void link_run(struct link *link)
{
	while (!link->done) {
		turn(link);
		if (!link->done)
			wait_and_take(link);
	}
	close_port(link);
	link->status.link = LINK_DOWN;
	snprintf(link->status.detail, sizeof link->status.detail, "ended");
	lease_write_status(link->page, link->options.slot, &link->status);
}

/* --- start and end --- */

static int load_protocol(struct link *link, char *why, size_t why_size)
{
	const struct link_options *options = &link->options;

	link->wire = wire_load(options->protocol, stderr);
	if (!link->wire) {
		snprintf(why, why_size, "the protocol cannot be loaded");
		return -1;
	}
	wire_get_info(link->wire, &link->info);
	wire_context_init(link->wire, &link->ctx);
	for (int i = 0; i < options->option_count; i++)
		if (wire_set_option(link->wire, &link->ctx, options->options[i].name,
				    options->options[i].value, why, why_size) < 0)
			return -1;
	if (options->address >= 0)
		link->ctx.address = options->address;
	if (link->info.scope != WIRE_OF_BATTERY) {
		snprintf(why, why_size, "this protocol describes a pack, not a battery");
		return -1;
	}
	return 0;
}

/* What an earlier process in this slot knew: an inverter that went away stays lost. */
static void start_status(struct link *link)
{
	struct inverter_status *status = &link->status;
	struct inverter_status before;

	lease_read_status(link->page, link->options.slot, &before);
	snprintf(status->protocol, sizeof status->protocol, "%s", link->options.protocol);
	snprintf(status->port, sizeof status->port, "%s", link->options.port);
	if (strcmp(before.protocol, status->protocol) == 0 &&
	    strcmp(before.port, status->port) == 0)
		status->heard_ms = before.heard_ms;
	status->inverter_lost_ms = link->info.inverter_lost_ms;
	status->charge_voltage_limit_mv = FIELD_UNKNOWN;
	status->charge_current_limit_ma = FIELD_UNKNOWN;
	status->discharge_current_limit_ma = FIELD_UNKNOWN;
	status->alive_ms = clock_monotonic_ms();
	inverter_view_clear(&status->view);
}

static int watch_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN); /* stderr may end with the gateway */
	signal(SIGTTOU, SIG_IGN); /* or be a terminal that stops background writers */
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int link_init(struct link *link, const struct link_options *options, char *why, size_t why_size)
{
	int err;

	memset(link, 0, sizeof *link);
	link->options = *options;
	link->listener = -1;
	link->connection = -1;
	link->serial.fd = -1;
	link->backoff_ms = BACKOFF_MIN_MS;
	hold_start(&link->hold, clock_monotonic_ms());
	wire_values_clear(&link->heard);
	link->signal_fd = watch_signals();
	link->page = lease_map(options->lease_fd);
	if (link->signal_fd < 0 || !link->page) {
		snprintf(why, why_size, "%s", strerror(errno));
		return -1;
	}
	err = load_protocol(link, why, why_size);
	start_status(link);
	if (err) {
		show_down(link, why);
		lease_write_status(link->page, options->slot, &link->status);
		return err;
	}
	link->bitrate = options->bitrate > 0 ? options->bitrate : link->info.bitrate;
	link->kind = link->info.framing == WIRE_CAN ? &link_can : &link_serial;
	if (link->kind == &link_serial)
		respond_init(&link->serial.respond, link->wire, &link->ctx, options->address,
			     link->bitrate);
	return 0;
}

void link_free(struct link *link)
{
	close_port(link);
	if (link->connection >= 0)
		close(link->connection);
	if (link->listener >= 0)
		close(link->listener);
	wire_free(link->wire);
}
