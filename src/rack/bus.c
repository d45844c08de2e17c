// SPDX-License-Identifier: Apache-2.0
/* The thread of one line: opens the port, opens it again when it is gone (an adapter pulled out and
 * put back), and carries bytes between it and the poller. */
#include "bus.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "address_file.h"
#include "onepack/clock.h"
#include "onepack/port.h"

#define OWN_PROTOCOL    "pack/onepack"
#define WRITE_MS        100
#define REOPEN_FIRST_MS 1000
#define REOPEN_LAST_MS  30000
#define US_PER_S        INT64_C(1000000)

int bus_prepare(struct bus *bus, const struct rack_bus_config *config, char *why, size_t why_size)
{
	const char *protocol = poller_protocol(config);
	int err;

	bus->wire = wire_load(protocol, stderr);
	if (!bus->wire) {
		snprintf(why, why_size, "protocol %s cannot be loaded", protocol);
		return -EINVAL;
	}
	if (poller_is_auto(config)) /* without its file there are just no such packs */
		bus->poller.own_wire = bus->own_wire = wire_load(OWN_PROTOCOL, stderr);
	err = poller_init(&bus->poller, bus->wire, config, why, why_size);
	snprintf(bus->state, sizeof bus->state, "%s", config->state);
	address_file_load(bus->state, bus->poller.search.kept);
	snprintf(bus->port, sizeof bus->port, "%s", config->port);
	bus->exchange.fd = -1;
	bus->exchange.stop_fd = bus->stop_fd;
	bus->exchange.baud = bus->poller.baud;
	return err;
}

void bus_release(struct bus *bus)
{
	wire_free(bus->wire);
	wire_free(bus->own_wire);
	bus->wire = bus->own_wire = NULL;
}

/* Waits until then, or until bytes come: 1 = bytes came, 0 = time is up, or what ends the loop. */
static int wait_for_bytes(const struct bus *bus, int64_t until_us)
{
	struct pollfd p[2] = {{.fd = bus->exchange.fd, .events = POLLIN},
			      {.fd = bus->stop_fd, .events = POLLIN}};
	int64_t left_us = until_us - clock_monotonic_us();
	struct timespec left = {0};

	if (left_us > 0) {
		left.tv_sec = (time_t)(left_us / US_PER_S);
		left.tv_nsec = (long)(left_us % US_PER_S) * 1000;
	}
	if (ppoll(p, 2, &left, NULL) < 0)
		return errno == EINTR ? 1 : -errno;
	if (p[1].revents)
		return -ECANCELED;
	return p[0].revents ? 1 : 0;
}

/* Listens for bytes that nobody asked for; results of wait_for_bytes. */
static int listen_until(struct bus *bus, int64_t until_us)
{
	uint8_t bytes[256];
	int ready = wait_for_bytes(bus, until_us);
	int n;

	if (ready <= 0)
		return ready;
	n = serial_read(bus->exchange.fd, bytes, sizeof bytes, 0);
	if (n < 0)
		return n;
	if (n > 0)
		poller_hear(&bus->poller, bytes, (size_t)n, clock_monotonic_us());
	return 1;
}

static void keep_addresses(struct bus *bus)
{
	const struct search *search = &bus->poller.search;

	if (bus->kept_moves == search->kept_moves)
		return;
	bus->kept_moves = search->kept_moves;
	(void)address_file_save(bus->state, search->kept); /* else they are found anew */
}

/* Asks when it is time: 0, or what ends the loop (-ECANCELED, -errno). */
static int ask(struct bus *bus)
{
	struct poller *poller = &bus->poller;
	const size_t count = poller_turn(poller, clock_monotonic_us());
	int result;

	keep_addresses(bus);
	if (count == 0)
		return 0;
	if (!poller->asking) { /* what comes back is heard like anything else */
		serial_drain(bus->exchange.fd);
		result = serial_write(bus->exchange.fd, poller->request, count, WRITE_MS);
		return result < 0 ? result : 0;
	}
	result = exchange_run(&bus->exchange, &poller->answer, poller->step.timeout_us,
			      &poller->values);
	if (result == -ECANCELED)
		return result;
	poller_done(poller, result, bus->exchange.active_us, clock_monotonic_us());
	return poller_is_port_error(result) ? result : 0;
}

static int poll_until_gone(struct bus *bus)
{
	for (;;) {
		int err = listen_until(bus, poller_due_us(&bus->poller, clock_monotonic_us()));

		if (err == 0)
			err = ask(bus);
		if (err < 0)
			return err;
	}
}

static int open_port(struct bus *bus)
{
	struct exchange *x = &bus->exchange;
	int err;

	x->fd = serial_open(bus->port, x->baud);
	if (x->fd < 0)
		return x->fd;
	err = modbus_master_open(&x->modbus, x->fd, bus->port, x->baud);
	if (err) {
		close(x->fd);
		x->fd = -1;
	}
	return err;
}

static void close_port(struct bus *bus)
{
	modbus_master_close(&bus->exchange.modbus);
	close(bus->exchange.fd);
	bus->exchange.fd = -1;
}

/* One life of the port: why it ended. */
static int live(struct bus *bus)
{
	int err = open_port(bus);

	if (err)
		return err;
	poller_open(&bus->poller, clock_monotonic_us());
	err = poll_until_gone(bus);
	close_port(bus);
	return err;
}

/* True when it is time to end. */
static bool pause_ms(const struct bus *bus, int ms)
{
	struct pollfd p = {.fd = bus->stop_fd, .events = POLLIN};

	return poll(&p, 1, ms) > 0;
}

void *bus_run(void *argument)
{
	struct bus *bus = argument;
	struct poller *poller = &bus->poller;
	int wait_ms = REOPEN_FIRST_MS;

	poller_start(poller, clock_monotonic_us());
	for (;;) {
		int err = live(bus);

		if (err == -ECANCELED)
			return NULL;
		poller->reports->state(poller->context, poller->number, LINK_DOWN, strerror(-err));
		if (poller->answered)
			wait_ms = REOPEN_FIRST_MS;
		poller->answered = false;
		if (pause_ms(bus, wait_ms))
			return NULL;
		wait_ms = wait_ms * 2 < REOPEN_LAST_MS ? wait_ms * 2 : REOPEN_LAST_MS;
	}
}
