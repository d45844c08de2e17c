// SPDX-License-Identifier: Apache-2.0
/* Plain Modbus through libmodbus over a real pty: good, echoed, damaged, foreign, refused, silent,
 * unplugged. The answers are written out by hand (CRCs from the vendor's documents or computed). */
#include "rack/modbus_master.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "../unit/port/pty_pair.h"
#include "onepack/err.h"
#include "onepack/port.h"

static const uint8_t question[] = {0x01, 0x03, 0x12, 0x90, 0x00, 0x02, 0xC1, 0x5E};

struct device {
	struct pty_pair pty;
	const uint8_t *answer;
	size_t count;
	bool echo;
};

/* Plays one exchange. */
static void *play(void *argument)
{
	struct device *device = argument;
	char asked[16];

	if (pty_take(&device->pty, asked, sizeof question) != sizeof question)
		return NULL;
	if (device->echo)
		pty_say(&device->pty, asked, sizeof question);
	if (device->count)
		pty_say(&device->pty, device->answer, device->count);
	return NULL;
}

static int ask(struct device *device, struct modbus_master *master, const uint8_t *answer,
	       size_t count, uint8_t *out)
{
	pthread_t thread;
	int n;

	device->answer = answer;
	device->count = count;
	assert_int_equal(pthread_create(&thread, NULL, play, device), 0);
	n = modbus_master_ask(master, question, sizeof question, 200000, out);
	pthread_join(thread, NULL);
	return n;
}

static void test_exchanges(void **state)
{
	static const uint8_t good[] = {0x01, 0x03, 0x04, 0x00, 0x00, 0xCC, 0x70, 0xAE, 0xD7};
	static const uint8_t bad[] = {0x01, 0x03, 0x04, 0x00, 0x00, 0xCC, 0x71, 0xAE, 0xD7};
	static const uint8_t other[] = {0x02, 0x03, 0x04, 0x00, 0x00, 0xCC, 0x70, 0x9D, 0xD7};
	static const uint8_t refused[] = {0x01, 0x83, 0x02, 0xC0, 0xF1};
	struct device device = {0};
	struct modbus_master master;
	uint8_t out[MODBUS_MASTER_ANSWER];
	int fd;

	(void)state;
	pty_open(&device.pty);
	fd = serial_open(device.pty.path, 115200);
	assert_true(fd >= 0);
	assert_int_equal(modbus_master_open(&master, fd, device.pty.path, 115200), 0);
	assert_int_equal(ask(&device, &master, good, sizeof good, out), sizeof good);
	assert_memory_equal(out, good, sizeof good);
	assert_int_equal(ask(&device, &master, bad, sizeof bad, out), ERR_CHECKSUM);
	assert_int_equal(ask(&device, &master, other, sizeof other, out), ERR_NOT_MINE);
	assert_int_equal(ask(&device, &master, refused, sizeof refused, out), sizeof refused);
	assert_int_equal(ask(&device, &master, good, 4, out), ERR_TIMEOUT);
	assert_int_equal(ask(&device, &master, good, 0, out), ERR_TIMEOUT);
	/* an echo spoils one exchange and is known from then on, and forgotten again */
	device.echo = true;
	assert_true(ask(&device, &master, good, sizeof good, out) < 0);
	assert_int_equal(ask(&device, &master, good, sizeof good, out), sizeof good);
	assert_memory_equal(out, good, sizeof good);
	device.echo = false;
	assert_true(ask(&device, &master, good, sizeof good, out) < 0);
	assert_int_equal(ask(&device, &master, good, sizeof good, out), sizeof good);
	close(device.pty.master);
	assert_int_equal(modbus_master_ask(&master, question, sizeof question, 200000, out), -EIO);
	modbus_master_close(&master);
	close(fd);
}

static void test_nonsense(void **state)
{
	struct modbus_master master;
	struct pty_pair pty;
	uint8_t out[MODBUS_MASTER_ANSWER];
	int fd;

	(void)state;
	pty_open(&pty);
	fd = serial_open(pty.path, 9600);
	assert_int_equal(modbus_master_open(&master, 5000, pty.path, 9600), -EMFILE);
	assert_int_equal(modbus_master_open(&master, fd, pty.path, 9600), 0);
	assert_int_equal(modbus_master_ask(&master, question, 3, 1000, out), ERR_FORMAT);
	modbus_master_close(&master);
	modbus_master_close(&master);
	close(fd);
	close(pty.master);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exchanges),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
