// SPDX-License-Identifier: Apache-2.0
/* A whole simulated site, alive in a thread, seen through its ports with the product's own port and
 * codec functions, as the gateway sees it. */
#include "../cmocka_all.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "near.h"
#include "onepack/clock.h"
#include "onepack/port.h"
#include "onepack/sim.h"
#include "sim/site.h"

struct rig {
	char directory[32];
	struct site *site;
	int stop_fd;
	pthread_t thread;
};

static void *live(void *context)
{
	struct rig *rig = context;

	site_run(rig->site, rig->stop_fd);
	return NULL;
}

static int start(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);
	struct site_options options = {
		.directory = rig->directory,
		.packs = SITE_JK,
		.lines = {{"rack-a", 1, 2}, {"rack-b", 1, 2}},
		.line_count = 2,
		.inverters = {{"can/pylon-lv-1.2", "can0-tty"}, {"rs485/pylon-lv-3.3", "rs485"}},
		.inverter_count = 2,
		.seed = 1,
		.soc_pct = 55,
		.speed = 1,
	};

	strcpy(rig->directory, "/tmp/onepack-sim-XXXXXX");
	if (!mkdtemp(rig->directory))
		return -1;
	rig->site = site_open(&options, stderr);
	rig->stop_fd = eventfd(0, EFD_CLOEXEC);
	*state = rig;
	return rig->site ? pthread_create(&rig->thread, NULL, live, rig) : -1;
}

static int stop(void **state)
{
	struct rig *rig = *state;

	eventfd_write(rig->stop_fd, 1);
	pthread_join(rig->thread, NULL);
	site_close(rig->site);
	close(rig->stop_fd);
	int left = rmdir(rig->directory); /* fails if anything was left behind */

	free(rig);
	return left;
}

static const char *tell(const struct rig *rig, const char *command)
{
	static char answer[SIM_ANSWER_SIZE];

	assert_int_equal(sim_tell(rig->directory, command, answer, sizeof answer), 0);
	return answer;
}

static json_t *status(const struct rig *rig)
{
	json_t *json = json_loads(tell(rig, "status"), 0, NULL);

	assert_non_null(json);
	return json;
}

static double plant_current_a(const struct rig *rig)
{
	json_t *json = status(rig);
	double current_a = json_number_value(json_object_get(json, "current_a"));

	json_decref(json);
	return current_a;
}

static int open_tty(const struct rig *rig, const char *name, uint32_t baud)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, "%s/%s", rig->directory, name);
	fd = serial_open(path, baud);
	assert_true(fd >= 0);
	return fd;
}

static void pack_answers_on_its_port(void **state)
{
	const struct rig *rig = *state;
	struct wire *wire = wire_load("pack/jk-pb", stderr);
	struct wire_context ctx;
	struct wire_values v;
	uint8_t bytes[512];
	size_t count = 0;
	int result = 0, fd = open_tty(rig, "rack-b", 115200), index = 0;

	assert_non_null(wire);
	wire_context_init(wire, &ctx);
	for (int i = 0; i < wire_message_count(wire); i++) {
		struct wire_message_info info;

		wire_get_message(wire, i, &info);
		if (strcmp(info.name, "live") == 0)
			index = i;
	}
	int length = wire_request(wire, index, &ctx, 2, bytes, sizeof bytes);
	int64_t start_ms = clock_monotonic_ms();

	assert_int_equal(serial_write(fd, bytes, (size_t)length, 100), 0);
	wire_values_clear(&v);
	while (result <= 0 && clock_monotonic_ms() < start_ms + 2000) {
		int n = serial_read(fd, bytes + count, sizeof bytes - count, 100);

		assert_true(n >= 0);
		count += (size_t)n;
		result = wire_response(wire, index, &ctx, 2, bytes, count, &v);
	}
	assert_int_equal(result, 308);
	assert_in_range(clock_monotonic_ms() - start_ms, 35, 1000);
	assert_in_range(v.pack.voltage_mv, 50000, 55000);
	close(fd);
	wire_free(wire);
}

static void send_limits(struct can_port *port, const struct wire *wire, double limit_a)
{
	struct battery b;
	struct wire_context ctx;

	battery_clear(&b);
	wire_context_init(wire, &ctx);
	b.state = BATTERY_STANDBY;
	b.charge_voltage_limit_mv = 56000;
	b.discharge_voltage_limit_mv = 46000;
	b.charge_current_limit_ma = b.discharge_current_limit_ma = (int32_t)(limit_a * 1000);
	b.charge_allowed = b.discharge_allowed = limit_a > 0;
	for (int i = 0; i < wire_message_count(wire); i++) {
		struct wire_message_info info;
		struct can_message message;

		wire_get_message(wire, i, &info);
		if (!info.from_inverter && wire_encode_can(wire, i, &ctx, &b, &message) == 1)
			assert_int_equal(can_port_send(port, &message), 0);
	}
}

/* Waits until the plant's current is within 1 A of what is expected. */
static void expect_current(const struct rig *rig, double expected_a, int64_t within_ms)
{
	int64_t end_ms = clock_monotonic_ms() + within_ms;
	double current_a;

	do {
		usleep(50000);
		current_a = plant_current_a(rig);
	} while (fabs(current_a - expected_a) > 1 && clock_monotonic_ms() < end_ms);
	assert_near(current_a, expected_a, 1);
}

static void inverter_on_can_obeys(void **state)
{
	const struct rig *rig = *state;
	struct wire *wire = wire_load("can/pylon-lv-1.2", stderr);
	struct can_port *port;
	struct can_message message;
	char name[64], why[128];
	bool heartbeat = false;

	assert_non_null(wire);
	snprintf(name, sizeof name, "slcan:%s/can0-tty", rig->directory);
	assert_int_equal(can_port_open(name, 500000, &port, why, sizeof why), 0);
	assert_string_equal(tell(rig, "sun 9000"), "ok");
	assert_string_equal(tell(rig, "load 0"), "ok");
	assert_near(plant_current_a(rig), 0, 0.1);
	usleep(100000); /* the channel opens */
	send_limits(port, wire, 50);
	expect_current(rig, 50, 2000);
	send_limits(port, wire, 0);
	expect_current(rig, 0, 1000);
	send_limits(port, wire, 40);
	expect_current(rig, 40, 2000);
	expect_current(rig, 0, 3500); /* nothing more is sent */
	while (can_port_receive(port, &message) > 0)
		heartbeat = heartbeat || message.id == 0x305;
	assert_true(heartbeat);
	can_port_close(port);
	wire_free(wire);
}

static void inverter_on_rs485_polls(void **state)
{
	const struct rig *rig = *state;
	struct wire *wire = wire_load("rs485/pylon-lv-3.3", stderr);
	struct wire_context ctx;
	struct battery b;
	uint8_t in[1024], out[WIRE_MAX_FRAME];
	size_t count = 0, start = 0;
	int64_t end_ms = clock_monotonic_ms() + 5000;
	int answers = 0, fd = open_tty(rig, "rs485", 9600);

	assert_non_null(wire);
	wire_context_init(wire, &ctx);
	battery_clear(&b);
	b.state = BATTERY_STANDBY;
	b.voltage_mv = 52500;
	while (answers < 3 && clock_monotonic_ms() < end_ms) {
		int n = serial_read(fd, in + count, sizeof in - count, 50), length;

		assert_true(n >= 0);
		count += (size_t)n;
		length = wire_scan(wire, WIRE_FROM_MASTER, in, count, &start);
		if (length <= 0)
			continue;
		length = wire_answer(wire, &ctx, &b, in + start, (size_t)length, out, sizeof out);
		count = 0;
		if (length > 0 && serial_write(fd, out, (size_t)length, 500) == 0)
			answers++;
	}
	assert_int_equal(answers, 3); /* found after the sweep, and polled on */
	usleep(300000);
	json_t *json = status(rig);
	json_t *rs485 = json_array_get(json_object_get(json, "inverters"), 1);

	assert_true(json_integer_value(json_object_get(rs485, "understood")) >= 2);
	json_decref(json);
	close(fd);
	wire_free(wire);
}

static void status_tells_the_truth(void **state)
{
	const struct rig *rig = *state;
	json_t *json, *pack;

	assert_string_equal(tell(rig, "unplug 3"), "ok");
	assert_string_equal(tell(rig, "hot 2 45"), "ok");
	usleep(250000);
	json = status(rig);
	assert_int_equal(json_array_size(json_object_get(json, "packs")), 4);
	pack = json_array_get(json_object_get(json, "packs"), 2);
	assert_true(json_is_true(json_object_get(pack, "unplugged")));
	assert_string_equal(json_string_value(json_object_get(pack, "line")), "rack-b");
	assert_int_equal(json_integer_value(json_object_get(pack, "address")), 1);
	assert_int_equal(json_array_size(json_object_get(pack, "cells_v")), 16);
	pack = json_array_get(json_object_get(json, "packs"), 1);
	assert_near(json_number_value(json_object_get(pack, "temperature_c")), 45, 0.01);
	json_decref(json);
	assert_string_equal(tell(rig, "plug 3"), "ok");
}

static void wrong_commands_are_explained(void **state)
{
	static const char *const rows[][2] = {
		{"unplug", "error: '' should be a number from 1 to 4; usage: unplug PACK"},
		{"unplug 17", "error: '17' should be a number from 1 to 4; usage: unplug PACK"},
		{"plug 1.5", "error: '1.5' should be a whole number"},
		{"noise 10 attic", "error: there is no pack line 'attic'; `status` lists them"},
		{"echo perhaps", "error: 'perhaps' should be on or off; usage: echo on|off [LINE]"},
		{"explode", "error: there is no command 'explode'; `help` lists them"},
		{"", "error: there is no command ''; `help` lists them"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(tell(*state, rows[i][0]), rows[i][1]);
	assert_non_null(strstr(tell(*state, "help"), "\nmute PACK"));
}

static void nobody_there_is_an_error(void **state)
{
	char answer[64];

	(void)state;
	assert_int_equal(sim_tell("/nonexistent", "status", answer, sizeof answer), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pack_answers_on_its_port, start, stop),
		cmocka_unit_test_setup_teardown(inverter_on_can_obeys, start, stop),
		cmocka_unit_test_setup_teardown(inverter_on_rs485_polls, start, stop),
		cmocka_unit_test_setup_teardown(status_tells_the_truth, start, stop),
		cmocka_unit_test_setup_teardown(wrong_commands_are_explained, start, stop),
		cmocka_unit_test(nobody_there_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
