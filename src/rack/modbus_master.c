// SPDX-License-Identifier: Apache-2.0
/* libmodbus 3.1.6 as a carrier of frames. Its habits, found by trying: an unknown bit rate becomes
 * 9600 (the tty is opened and set by src/port instead), a late answer is taken for the next one's
 * (the caller flushes, and the codec compares register and length), it keeps no gap between frames
 * (the schedule does), it takes the echo of an adapter for an answer (dealt with here), and a frame
 * of another unit ends the wait with length 0. It blocks, so it runs in the thread of its bus. */
#include "modbus_master.h"

#include <errno.h>
#include <modbus.h>
#include <string.h>
#include <sys/select.h>

#include "onepack/clock.h"
#include "onepack/err.h"
#include "onepack/port.h"

#define WRITE_MS 100

_Static_assert(MODBUS_MASTER_ANSWER >= MODBUS_MAX_ADU_LENGTH, "libmodbus writes that much");

int modbus_master_open(struct modbus_master *master, int fd, const char *port, uint32_t baud)
{
	if (fd >= FD_SETSIZE) /* libmodbus waits with select() */
		return -EMFILE;
	*master = (struct modbus_master){.modbus = modbus_new_rtu(port, (int)baud, 'N', 8, 1)};
	if (!master->modbus)
		return -errno;
	modbus_set_socket(master->modbus, fd);
	/* no limit between bytes (USB adapters pause as they like), one for the whole answer */
	modbus_set_byte_timeout(master->modbus, 0, 0);
	return 0;
}

void modbus_master_close(struct modbus_master *master)
{
	if (master->modbus)
		modbus_free(master->modbus); /* leaves the descriptor open */
	master->modbus = NULL;
}

static int skip_echo(int fd, const uint8_t *request, size_t count, int64_t deadline_us)
{
	uint8_t echo[MODBUS_MASTER_ANSWER];
	size_t got = 0;

	while (got < count) {
		int64_t left_ms = (deadline_us - clock_monotonic_us()) / 1000;
		int n = serial_read(fd, echo + got, count - got, left_ms > 0 ? (int)left_ms : 0);

		if (n <= 0)
			return n < 0 ? n : ERR_TIMEOUT;
		got += (size_t)n;
	}
	return memcmp(echo, request, count) == 0 ? 0 : ERR_FORMAT;
}

static int error_of(int code)
{
	switch (code) {
	case ETIMEDOUT: return ERR_TIMEOUT;
	case EMBBADCRC: return ERR_CHECKSUM;
	case EMBBADDATA:
	case EMBBADEXC:
	case EMBXILFUN: return ERR_FORMAT;
	default: return code > 0 && code < 1000 ? -code : ERR_FORMAT;
	}
}

static int receive(modbus_t *modbus, int64_t deadline_us, uint8_t *answer)
{
	int64_t left_us = deadline_us - clock_monotonic_us();
	int n;

	if (left_us <= 0)
		return ERR_TIMEOUT;
	modbus_set_response_timeout(modbus, (uint32_t)(left_us / 1000000),
				    (uint32_t)(left_us % 1000000));
	n = modbus_receive_confirmation(modbus, answer);
	if (n < 0)
		return error_of(errno);
	return n > 0 ? n : ERR_NOT_MINE;
}

int modbus_master_ask(struct modbus_master *master, const uint8_t *request, size_t count,
		      int32_t timeout_us, uint8_t answer[MODBUS_MASTER_ANSWER])
{
	int64_t deadline_us = clock_monotonic_us() + timeout_us;
	int fd = modbus_get_socket(master->modbus);
	int n;

	if (count < 4 || count > MODBUS_RTU_MAX_ADU_LENGTH)
		return ERR_FORMAT;
	memset(answer, 0, MODBUS_MASTER_ANSWER);
	modbus_set_slave(master->modbus, request[0]);
	modbus_flush(master->modbus);
	if (modbus_send_raw_request(master->modbus, request, (int)count - 2) < 0)
		return error_of(errno);
	n = master->echo ? skip_echo(fd, request, count, deadline_us) : 0;
	if (n == 0)
		n = receive(master->modbus, deadline_us, answer);
	if (n > 0)
		return n;
	/* What came back may have been the question itself; then the next try will work. */
	master->echo = memcmp(answer, request, 4) == 0 || (master->echo && n != ERR_FORMAT);
	modbus_flush(master->modbus);
	return n;
}
