// SPDX-License-Identifier: Apache-2.0
/* A pack that speaks plain Modbus, described by a user's own protocol file: polled through
 * libmodbus by the same rack. The pack is played here by hand-made answers. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../unit/port/pty_pair.h"
#include "rack_watch.h"

static const char protocol[] = "title: A pack with registers\n"
			       "source: this test\n"
			       "describes: pack\n"
			       "modbus: {baud: 9600, address: 1, addresses: 1-2, functions: [3]}\n"
			       "messages:\n"
			       "  - registers: 0x10\n"
			       "    name: live\n"
			       "    fields:\n"
			       "      - {is: voltage, as: u16, unit: 0.01 V}\n"
			       "      - {is: current, as: s16, unit: 0.1 A}\n"
			       "  - registers: 0x40\n"
			       "    name: settings\n"
			       "    fields:\n"
			       "      - {is: cell_overvoltage, as: u16, unit: 1 mV}\n";

struct device {
	struct pty_pair pty;
	bool stop;
	pthread_mutex_t lock;
};

static uint16_t crc(const uint8_t *bytes, size_t count)
{
	uint16_t sum = 0xFFFF;

	for (size_t i = 0; i < count * 8; i++) {
		uint16_t bit = (uint16_t)((sum ^ (bytes[i / 8] >> i % 8)) & 1);

		sum = (uint16_t)(sum >> 1 ^ (bit ? 0xA001 : 0));
	}
	return sum;
}

/* Unit 1 has 52.80 V and -10.0 A; unit 2 is not there. */
static void answer(struct device *device, const uint8_t *request)
{
	uint8_t live[9] = {1, 3, 4, 0x14, 0xA0, 0xFF, 0x9C};
	uint8_t settings[7] = {1, 3, 2, 0x0E, 0x42};
	uint8_t *frame = request[3] == 0x10 ? live : settings;
	size_t count = request[3] == 0x10 ? sizeof live : sizeof settings;
	uint16_t sum = crc(frame, count - 2);

	if (request[0] != 1)
		return;
	frame[count - 2] = (uint8_t)sum;
	frame[count - 1] = (uint8_t)(sum >> 8);
	pty_say(&device->pty, frame, count);
}

static void *play(void *argument)
{
	struct device *device = argument;
	uint8_t request[9];

	for (;;) {
		size_t got = pty_take(&device->pty, (char *)request, 8);
		bool stop;

		pthread_mutex_lock(&device->lock);
		stop = device->stop;
		pthread_mutex_unlock(&device->lock);
		if (stop)
			return NULL;
		if (got == 8)
			answer(device, request);
		else
			usleep(5000);
	}
}

static void write_protocol(const char *directory)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof path, "%s/pack", directory);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof path, "%s/pack/registers.yaml", directory);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(protocol, file);
	fclose(file);
}

static void remove_protocol(const char *directory)
{
	char path[128];

	snprintf(path, sizeof path, "%s/pack/registers.yaml", directory);
	unlink(path);
	snprintf(path, sizeof path, "%s/pack", directory);
	rmdir(path);
	rmdir(directory);
}

static void test_registers(void **state)
{
	char directory[] = "/tmp/onepack-test-XXXXXX";
	struct device device = {.lock = PTHREAD_MUTEX_INITIALIZER};
	struct rack_bus_config config;
	struct watch watch;
	pthread_t thread;

	(void)state;
	assert_non_null(mkdtemp(directory));
	write_protocol(directory);
	setenv("ONEPACK_PROTOCOLS", directory, 1);
	pty_open(&device.pty);
	assert_int_equal(pthread_create(&thread, NULL, play, &device), 0);
	config = watch_bus(device.pty.path, 0);
	snprintf(config.protocol, sizeof config.protocol, "pack/registers");
	watch_start(&watch, &config, 1);
	assert_true(watch_for(&watch, 1, 3, 8000));
	assert_int_equal(watch.packs[1].address, 1);
	assert_int_equal(watch.packs[1].voltage_mv, 52800);
	assert_int_equal(watch.packs[1].current_ma, -10000);
	assert_int_equal(watch.packs[1].settings.cell_overvoltage_mv, 3650);
	assert_string_equal(watch.packs[1].protocol, "pack/registers");
	assert_int_equal(watch.status[0].address[2].answers, 0);
	watch_stop(&watch);
	pthread_mutex_lock(&device.lock);
	device.stop = true;
	pthread_mutex_unlock(&device.lock);
	pthread_join(thread, NULL);
	close(device.pty.master);
	remove_protocol(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
