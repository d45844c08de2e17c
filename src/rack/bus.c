// SPDX-License-Identifier: Apache-2.0
/* The thread of one line: opens the port, opens it again when it is gone (an adapter pulled out and
 * put back), asks what the schedule says, and puts samples together. A sample is the live data of
 * one turn on top of the settings and the identity that the same pack gave before; a half one is
 * never shown. */
#include "bus.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "onepack/clock.h"
#include "onepack/port.h"

#define AUTO_PROTOCOL "pack/jk-pb"
/* JK packs were seen to miss questions and to send stale bytes with 50 ms, none with 75 and more.
 * It is patient enough for any other pack. */
#define GAP_US 100000
/* Before the first question: the slowest known master asks every 400 ms. */
#define LISTEN_FIRST_US 1000000
#define REOPEN_FIRST_MS 1000
#define REOPEN_LAST_MS  30000
#define BITS_OF_BYTE    10
#define US_PER_S        INT64_C(1000000)

/* --- set-up --- */

static enum schedule_role role_of(const char *name)
{
	if (strcmp(name, "settings") == 0)
		return SCHEDULE_SETTINGS;
	return strcmp(name, "about") == 0 ? SCHEDULE_ABOUT : SCHEDULE_LIVE;
}

/* Everything that can be asked for is, by the role that its name says. */
static int choose_messages(struct bus *bus)
{
	struct schedule_config *config = &bus->schedule_config;
	struct exchange *x = &bus->exchange;
	int longest = 0;

	for (int i = 0; i < wire_message_count(x->wire); i++) {
		struct wire_message_info info;
		int length = wire_response_length(x->wire, i);
		int asked = wire_request(x->wire, i, &x->ctx, 1, x->request, sizeof x->request);

		wire_get_message(x->wire, i, &info);
		if (asked <= 0 || config->message_count == SCHEDULE_MAX_MESSAGES)
			continue;
		config->messages[config->message_count].index = i;
		config->messages[config->message_count++].role = role_of(info.name);
		length = asked + (length > 0 ? length : WIRE_MAX_FRAME);
		longest = length > longest ? length : longest;
	}
	config->answer_us = (int32_t)(US_PER_S * BITS_OF_BYTE * longest / x->baud);
	return config->message_count;
}

static uint32_t addresses_of(const struct wire_info *info)
{
	uint32_t mask = 0;

	for (int i = info->first_address; i >= 0 && i <= info->last_address; i++)
		if (i < SCHEDULE_ADDRESSES)
			mask |= UINT32_C(1) << i;
	return mask;
}

static int set_options(struct bus *bus, const struct rack_bus_config *config, char *why,
		       size_t why_size)
{
	for (int i = 0; i < config->option_count; i++)
		if (wire_set_option(bus->wire, &bus->exchange.ctx, config->options[i].name,
				    config->options[i].value, why, why_size) < 0)
			return -EINVAL;
	return 0;
}

static const char *protocol_of(const struct rack_bus_config *config)
{
	bool automatic = config->protocol[0] == '\0' || strcmp(config->protocol, "auto") == 0;

	return automatic ? AUTO_PROTOCOL : config->protocol;
}

int bus_prepare(struct bus *bus, const struct rack_bus_config *config, char *why, size_t why_size)
{
	struct wire_info info;

	bus->wire = wire_load(protocol_of(config), stderr);
	if (!bus->wire) {
		snprintf(why, why_size, "protocol %s cannot be loaded", protocol_of(config));
		return -EINVAL;
	}
	wire_get_info(bus->wire, &info);
	snprintf(bus->port, sizeof bus->port, "%s", config->port);
	bus->listed = config->addresses != 0;
	bus->exchange.fd = -1;
	bus->exchange.stop_fd = bus->stop_fd;
	bus->exchange.wire = bus->wire;
	bus->exchange.baud = config->baud ? config->baud : info.bitrate;
	wire_context_init(bus->wire, &bus->exchange.ctx);
	bus->schedule_config = (struct schedule_config){
		.addresses = bus->listed ? config->addresses : addresses_of(&info),
		.gap_us = GAP_US,
		.listen_us = LISTEN_FIRST_US,
	};
	/* with a single pack, an answer that nobody signed can only be its own */
	bus->exchange.ctx.alone =
		(bus->schedule_config.addresses & (bus->schedule_config.addresses - 1)) == 0;
	if (info.scope != WIRE_OF_PACK || bus->exchange.baud == 0 || choose_messages(bus) == 0) {
		snprintf(why, why_size, "protocol %s is not one that packs can be polled with",
			 protocol_of(config));
		return -EINVAL;
	}
	if (bus->schedule_config.addresses == 0) {
		snprintf(why, why_size, "protocol %s says no addresses: list them",
			 protocol_of(config));
		return -EINVAL;
	}
	return set_options(bus, config, why, why_size);
}

uint32_t bus_addresses(const struct bus *bus)
{
	return bus->schedule_config.addresses;
}

void bus_release(struct bus *bus)
{
	wire_free(bus->wire);
	bus->wire = NULL;
}

/* --- one question --- */

static enum schedule_result result_of(int result)
{
	if (result > 0)
		return SCHEDULE_ANSWERED;
	return result == ERR_TIMEOUT ? SCHEDULE_SILENT : SCHEDULE_DAMAGED;
}

/* What a pack says about itself besides live data is part of its later samples, too. */
static void remember(struct bus *bus, const struct schedule_step *step)
{
	struct pack live = bus->values.pack;

	bus->values.pack = bus->known[step->address];
	if (exchange_read_again(&bus->exchange, step->message, step->address, &bus->values) > 0)
		bus->known[step->address] = bus->values.pack;
	bus->values.pack = live;
}

/* Samples that another master's questions bring. */
static void overhear(struct bus *bus, const uint8_t *bytes, size_t count)
{
	struct overhear *o = &bus->overhear;

	overhear_add(o, bytes, count);
	while (overhear_next(o, bus->wire, &bus->exchange.ctx)) {
		const struct pack *pack = &o->values.pack;

		bus->jk_master |= pack->address == 0;
		bus->reports->answer(bus->context, bus->number, pack->address, 1, true);
		bus->reports->sample(bus->context, bus->number, pack->address, pack);
	}
}

/* Bytes that nobody here asked for: a question in them means hands off, but ears open. */
static void heard_others(struct bus *bus, const uint8_t *bytes, size_t count)
{
	int questions = ear_hear(&bus->ear, bus->wire, bytes, count);
	int64_t now_us = clock_monotonic_us();

	if (questions > 0) {
		if (!schedule_is_listening(&bus->schedule, now_us)) {
			overhear_start(&bus->overhear);
			bus->jk_master = false;
		}
		schedule_foreign(&bus->schedule, now_us);
		bus->exchange.ctx.alone = false;
	}
	if (schedule_is_listening(&bus->schedule, now_us))
		overhear(bus, bytes, count);
	if (questions > 0)
		bus->reports->foreign(bus->context, bus->number, questions, bus->jk_master);
}

/* A failed answer may hold somebody else's question. */
static void search_failure(struct bus *bus)
{
	size_t count;
	const uint8_t *heard = exchange_heard(&bus->exchange, &count);

	heard_others(bus, heard, count);
	ear_clear(&bus->ear);
}

/* 0, or what ends the loop: -ECANCELED, -errno. */
static int ask(struct bus *bus, const struct schedule_step *step)
{
	int address = step->address, result;
	bool expected = bus->listed || bus->schedule.addresses[address].had;
	bool complete;

	if (step->stranger)
		pack_clear(&bus->known[address]);
	if (step->first) {
		wire_values_clear(&bus->values);
		bus->values.pack = bus->known[address];
	}
	ear_clear(&bus->ear);
	result = exchange_run(&bus->exchange, step->message, address, step->timeout_us,
			      &bus->values);
	if (result == -ECANCELED)
		return result;
	bus->reports->answer(bus->context, bus->number, address, result, expected);
	if (result < 0 && result > ERR_NOT_MINE) /* an errno: the port */
		return result;
	schedule_heard(&bus->schedule, bus->exchange.active_us);
	if (result > 0 && step->role != SCHEDULE_LIVE)
		remember(bus, step);
	complete = schedule_done(&bus->schedule, clock_monotonic_us(), result_of(result));
	if (result > 0)
		bus->answered = true;
	else
		search_failure(bus);
	if (complete)
		bus->reports->sample(bus->context, bus->number, address, &bus->values.pack);
	return 0;
}

/* --- listening --- */

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
	if (n == 0)
		return 1;
	schedule_heard(&bus->schedule, clock_monotonic_us());
	heard_others(bus, bytes, (size_t)n);
	return 1;
}

/* --- the loop --- */

static bool knows_anybody(const struct bus *bus)
{
	for (int i = 0; i < SCHEDULE_ADDRESSES; i++)
		if (bus->schedule.addresses[i].known)
			return true;
	return false;
}

static void report(struct bus *bus)
{
	const struct schedule *schedule = &bus->schedule;

	if (schedule->cycles == bus->reported_cycles ||
	    schedule_is_listening(schedule, clock_monotonic_us()))
		return;
	bus->reported_cycles = schedule->cycles;
	bus->reports->cycle(bus->context, bus->number, schedule->cycle_us / 1000, schedule->cycles);
	bus->reports->state(bus->context, bus->number, LINK_UP,
			    knows_anybody(bus) ? "" : "no pack answers");
}

static int poll_until_gone(struct bus *bus)
{
	for (;;) {
		struct schedule_step step = schedule_next(&bus->schedule, clock_monotonic_us());
		int heard = listen_until(bus, step.at_us);

		if (heard < 0)
			return heard;
		report(bus);
		if (heard == 0 && step.kind == SCHEDULE_ASK) {
			int err = ask(bus, &step);

			if (err)
				return err;
		}
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
	ear_clear(&bus->ear);
	overhear_start(&bus->overhear);
	bus->jk_master = false;
	bus->answered = false;
	schedule_restart(&bus->schedule, clock_monotonic_us());
	bus->reports->state(bus->context, bus->number, LINK_UP,
			    schedule_is_listening(&bus->schedule, clock_monotonic_us())
				    ? "listening first"
				    : "");
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
	int wait_ms = REOPEN_FIRST_MS;

	schedule_init(&bus->schedule, &bus->schedule_config, clock_monotonic_us());
	for (;;) {
		int err = live(bus);

		if (err == -ECANCELED)
			return NULL;
		bus->reports->state(bus->context, bus->number, LINK_DOWN, strerror(-err));
		if (bus->answered)
			wait_ms = REOPEN_FIRST_MS;
		bus->answered = false;
		if (pause_ms(bus, wait_ms))
			return NULL;
		wait_ms = wait_ms * 2 < REOPEN_LAST_MS ? wait_ms * 2 : REOPEN_LAST_MS;
	}
}
