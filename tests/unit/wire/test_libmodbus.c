// SPDX-License-Identifier: Apache-2.0
/* An independent master, libmodbus, asks the slaves of this codec over a real pty: what it reads,
 * what it gets refused, and that it times out where silence is due. */
#include "../cmocka_all.h"

#include <errno.h>
#include <modbus.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "onepack/wire.h"

struct slave {
	struct wire *wire;
	struct wire_context ctx;
	struct battery battery;
	int fd, stop[2];
	pthread_t thread;
	modbus_t *master;
};

/* Reads whatever comes and answers whole frames, the way a responder does. */
static void *serve(void *argument)
{
	struct slave *slave = argument;
	uint8_t bytes[512], answer[WIRE_MAX_FRAME];
	size_t count = 0, start;
	struct pollfd polls[2] = {{.fd = slave->fd, .events = POLLIN},
				  {.fd = slave->stop[0], .events = POLLIN}};

	while (poll(polls, 2, -1) > 0 && !polls[1].revents) {
		ssize_t got = read(slave->fd, bytes + count, sizeof bytes - count);

		if (got <= 0)
			break;
		count += (size_t)got;
		int length = wire_scan(slave->wire, WIRE_FROM_MASTER, bytes, count, &start);

		if (length <= 0)
			continue;
		int size = wire_answer(slave->wire, &slave->ctx, &slave->battery, bytes + start,
				       (size_t)length, answer, sizeof answer);

		if (size > 0)
			assert_int_equal(write(slave->fd, answer, (size_t)size), size);
		count = 0;
	}
	return NULL;
}

static void open_slave(struct slave *slave, const char *id)
{
	struct termios raw;
	char name[100];
	int other;

	memset(slave, 0, sizeof *slave);
	slave->wire = wire_load(id, stderr);
	assert_non_null(slave->wire);
	wire_context_init(slave->wire, &slave->ctx);
	battery_clear(&slave->battery);
	memset(&raw, 0, sizeof raw);
	cfmakeraw(&raw);
	assert_int_equal(openpty(&slave->fd, &other, name, &raw, NULL), 0);
	assert_int_equal(pipe(slave->stop), 0);
	slave->master = modbus_new_rtu(name, 115200, 'N', 8, 1);
	assert_non_null(slave->master);
	modbus_set_slave(slave->master, 1);
	modbus_set_response_timeout(slave->master, 0, 300000);
	assert_int_equal(modbus_connect(slave->master), 0);
	close(other);
	assert_int_equal(pthread_create(&slave->thread, NULL, serve, slave), 0);
}

static void close_slave(struct slave *slave)
{
	assert_int_equal(write(slave->stop[1], "x", 1), 1);
	pthread_join(slave->thread, NULL);
	modbus_close(slave->master);
	modbus_free(slave->master);
	close(slave->fd);
	close(slave->stop[0]);
	close(slave->stop[1]);
	wire_free(slave->wire);
}

static void growatt(void **state)
{
	(void)state;
	struct slave slave;
	uint16_t words[127];

	open_slave(&slave, "rs485/growatt-2.01");
	slave.battery.soc_mpct = 76000;
	slave.battery.voltage_mv = 53420;
	slave.battery.current_ma = -45600;
	assert_int_equal(modbus_read_registers(slave.master, 0x15, 3, words), 3);
	assert_int_equal(words[0], 76);
	assert_int_equal(words[1], 5342);
	assert_int_equal((int16_t)words[2], -4560);
	words[0] = 0x0C00;
	assert_int_equal(modbus_write_registers(slave.master, 0x13, 1, words), 1);
	assert_int_equal(modbus_read_registers(slave.master, 0x0091, 1, words), -1);
	assert_int_equal(errno, EMBXILADD);
	assert_int_equal(modbus_write_register(slave.master, 0x13, 0), -1);
	assert_int_equal(errno, EMBXILFUN);
	assert_int_equal(modbus_read_registers(slave.master, 0x10, 0x1B, words), -1);
	assert_int_equal(errno, ETIMEDOUT); /* the temperature is not known */
	close_slave(&slave);
}

static void jk_modbus(void **state)
{
	(void)state;
	struct slave slave;
	uint16_t words[64];

	open_slave(&slave, "rs485/jk-modbus-1.0");
	slave.battery.voltage_mv = 53035;
	slave.battery.current_ma = -120500;
	slave.battery.temperature_mC = -5500;
	assert_int_equal(modbus_read_registers(slave.master, 0x1290, 8, words), 8);
	assert_int_equal(words[0] << 16 | words[1], 53035);
	assert_int_equal((int32_t)((uint32_t)words[4] << 16 | words[5]), -120500);
	assert_int_equal((int16_t)words[6], -55);
	assert_int_equal(modbus_read_registers(slave.master, 0x12A6, 1, words), -1);
	assert_int_equal(errno, ETIMEDOUT); /* an unknown state of charge */
	assert_int_equal(modbus_write_registers(slave.master, 0x1070, 2, words), -1);
	assert_int_equal(errno, EMBXILADD);
	close_slave(&slave);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(growatt),
		cmocka_unit_test(jk_modbus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
