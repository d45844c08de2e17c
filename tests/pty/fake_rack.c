// SPDX-License-Identifier: Apache-2.0
/* The pack's side in as few lines as will do. Modbus CRC here is computed independently of src/. */
#include "fake_rack.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit/cmocka_all.h"
#include "onepack/clock.h"

#define REQUEST  11
#define ACK      8
#define ANSWER   700
#define REACT_US 10000
#define CHUNK    16

/* --- bytes --- */

static uint16_t crc(const uint8_t *bytes, size_t count)
{
	uint16_t sum = 0xFFFF;

	for (size_t i = 0; i < count * 8; i++) {
		uint16_t bit = (uint16_t)((sum ^ (bytes[i / 8] >> i % 8)) & 1);

		sum = (uint16_t)(sum >> 1 ^ (bit ? 0xA001 : 0));
	}
	return sum;
}

static void seal(uint8_t *frame, size_t count)
{
	uint16_t sum = crc(frame, count);

	frame[count] = (uint8_t)sum;
	frame[count + 1] = (uint8_t)(sum >> 8);
}

void fake_patch(uint8_t record[FAKE_RECORD], size_t at, uint32_t value, int bytes)
{
	uint8_t sum = 0;

	for (int i = 0; i < bytes; i++)
		record[at + (size_t)i] = (uint8_t)(value >> 8 * i);
	for (size_t i = 0; i < FAKE_RECORD - 1; i++)
		sum = (uint8_t)(sum + record[i]);
	record[FAKE_RECORD - 1] = sum;
}

size_t fake_load(const char *name, uint8_t *out, size_t size)
{
	FILE *file = fopen(ONEPACK_SOURCE_DIR "/tests/vectors/pack/jk-records.txt", "r");
	char line[256];
	size_t count = 0, length = strlen(name);
	bool mine = false;

	assert_non_null(file);
	while (fgets(line, sizeof line, file)) {
		char *at = line;

		if (strchr(line, ':') || line[0] == '#') {
			mine = strncmp(line, name, length) == 0 && line[length] == ':';
			continue;
		}
		for (char *end; mine && count < size; at = end) {
			unsigned long byte = strtoul(at, &end, 16);

			if (end == at)
				break;
			out[count++] = (uint8_t)byte;
		}
	}
	fclose(file);
	assert_true(count >= FAKE_RECORD || size < FAKE_RECORD);
	return count;
}

static void make_records(struct fake_pack *pack, int address)
{
	char serial[16];

	fake_load("slave-settings", pack->records[FAKE_SETTINGS], FAKE_RECORD);
	fake_load("charging-live", pack->records[FAKE_LIVE], FAKE_RECORD);
	fake_load("slave-about", pack->records[FAKE_ABOUT], FAKE_RECORD);
	memcpy(pack->records[0], pack->records[FAKE_SETTINGS], FAKE_RECORD);
	fake_patch(pack->records[FAKE_SETTINGS], 270, (uint32_t)address, 4);
	snprintf(serial, sizeof serial, "SERIAL-%02d", address);
	memcpy(pack->records[FAKE_ABOUT] + 86, serial, sizeof "SERIAL-00");
	fake_patch(pack->records[FAKE_ABOUT], 5, 0, 1);
}

/* --- the line --- */

static void sleep_to(int64_t until_us)
{
	int64_t left_us = until_us - clock_monotonic_us();

	if (left_us > 0)
		usleep((useconds_t)left_us);
}

/* Each byte arrives when its stop bit is over. */
static void put(struct fake_rack *rack, const uint8_t *bytes, size_t count)
{
	int64_t start_us = clock_monotonic_us();

	for (size_t sent = 0; sent < count;) {
		size_t n = count - sent;

		if (rack->baud) {
			n = n > CHUNK ? CHUNK : n;
			sleep_to(start_us + (int64_t)(sent + n) * 10000000 / rack->baud);
		}
		if (write(rack->master, bytes + sent, n) != (ssize_t)n)
			return; /* unplugged */
		sent += n;
	}
}

static size_t make_answer(struct fake_rack *rack, int address, int type, const uint8_t *request,
			  uint8_t *out)
{
	enum fake_trick trick = rack->packs[address].trick;
	size_t count = FAKE_RECORD;

	if (trick == FAKE_WRONG_TYPE)
		type = type == FAKE_LIVE ? FAKE_SETTINGS : FAKE_LIVE;
	memcpy(out, rack->packs[address].records[type], FAKE_RECORD);
	if (trick == FAKE_BAD_SUM)
		out[100] ^= 0x40;
	if (trick == FAKE_LONG)
		out[count++] = 0;
	memcpy(out + count, request, 6);
	out[count] = (uint8_t)(address + (trick == FAKE_FOREIGN_ACK));
	seal(out + count, 6);
	count += ACK;
	if (trick == FAKE_LONG)
		out[count++] = 0;
	if (trick == FAKE_NO_ACK)
		count -= ACK;
	if (trick == FAKE_TRUNCATED)
		count = 287;
	if (trick == FAKE_GLUED) {
		memcpy(out + count, out, count);
		count *= 2;
	}
	return count;
}

static void make_request(uint8_t *out, int address, int type)
{
	static const uint8_t triggers[] = {0, 0x1E, 0x20, 0x1C};
	const uint8_t request[] = {(uint8_t)address, 0x10, 0x16, triggers[type], 0, 1, 2, 0, 0};

	memcpy(out, request, sizeof request);
	seal(out, sizeof request);
}

static void answer(struct fake_rack *rack, const uint8_t *request, int address, int type)
{
	static const uint8_t noise[] = {0x00, 0xFF, 0x55, 0xAA, 0xEB, 0x13, 0x55, 0xAA};
	enum fake_trick trick = rack->packs[address].trick;
	uint8_t bytes[ANSWER];
	size_t count = 0;

	if (trick == FAKE_ABSENT || (trick == FAKE_NO_SETTINGS && type == FAKE_SETTINGS))
		return;
	if (trick == FAKE_LATE)
		usleep(250000);
	if (trick == FAKE_NOISE_BEFORE) {
		memcpy(bytes, noise, sizeof noise);
		count = sizeof noise;
	}
	if (trick == FAKE_QUESTION) {
		make_request(bytes, address + 1, FAKE_LIVE);
		count = REQUEST;
	} else if (trick == FAKE_RUBBISH) {
		for (count = 0; count < 40; count++)
			bytes[count] = (uint8_t)(count * 37 + 5);
	} else {
		count += make_answer(rack, address, type, request, bytes + count);
	}
	if (rack->baud)
		sleep_to(clock_monotonic_us() + REACT_US);
	put(rack, bytes, count);
}

static void take_request(struct fake_rack *rack, const uint8_t *request)
{
	int address = request[0], type;

	switch (request[3]) {
	case 0x1E: type = FAKE_SETTINGS; break;
	case 0x20: type = FAKE_LIVE; break;
	case 0x1C: type = FAKE_ABOUT; break;
	default: return;
	}
	if (rack->baud) /* it was written at once, but takes its time */
		sleep_to(clock_monotonic_us() + (int64_t)REQUEST * 10000000 / rack->baud);
	if (rack->noisy_echo)
		put(rack, (const uint8_t *)"\x00\xF8", 2);
	if (rack->echo)
		put(rack, request, REQUEST);
	if (address < FAKE_PACKS) {
		rack->asked[address][type]++;
		answer(rack, request, address, type);
	}
}

static void note_gap(struct fake_rack *rack)
{
	int64_t gap_us = clock_monotonic_us() - rack->last_end_us;

	if (rack->last_end_us && (rack->shortest_gap_us == 0 || gap_us < rack->shortest_gap_us))
		rack->shortest_gap_us = gap_us;
}

/* Finds requests in the stream; returns how many bytes are still of use. */
static size_t take_bytes(struct fake_rack *rack, uint8_t *bytes, size_t count)
{
	size_t at = 0;

	while (count - at >= REQUEST) {
		const uint8_t *b = bytes + at;

		if (b[1] != 0x10 || b[2] != 0x16 || b[6] != 2 ||
		    crc(b, 9) != (b[9] | (unsigned)b[10] << 8)) {
			at++;
			continue;
		}
		note_gap(rack);
		take_request(rack, b);
		rack->last_end_us = clock_monotonic_us();
		at += REQUEST;
	}
	memmove(bytes, bytes + at, count - at);
	return count - at;
}

static void *run(void *argument)
{
	struct fake_rack *rack = argument;
	uint8_t bytes[256];
	size_t count = 0;

	for (;;) {
		struct pollfd p = {.events = POLLIN};
		ssize_t n = 0;

		pthread_mutex_lock(&rack->lock);
		p.fd = rack->master;
		if (rack->stop) {
			pthread_mutex_unlock(&rack->lock);
			return NULL;
		}
		if (rack->master >= 0)
			n = read(rack->master, bytes + count, sizeof bytes - count);
		if (n > 0)
			count = take_bytes(rack, bytes, count + (size_t)n);
		pthread_mutex_unlock(&rack->lock);
		/* nobody has the other side open: that is told at once, again and again */
		if (poll(&p, 1, 5) > 0 && !(p.revents & POLLIN))
			usleep(2000);
	}
}

/* --- control --- */

static void open_pty(struct fake_rack *rack)
{
	char name[64];

	rack->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	assert_true(rack->master >= 0);
	assert_int_equal(grantpt(rack->master), 0);
	assert_int_equal(unlockpt(rack->master), 0);
	assert_int_equal(ptsname_r(rack->master, name, sizeof name), 0);
	assert_int_equal(symlink(name, rack->link), 0);
}

void fake_start(struct fake_rack *rack)
{
	memset(rack, 0, sizeof *rack);
	pthread_mutex_init(&rack->lock, NULL);
	snprintf(rack->directory, sizeof rack->directory, "/tmp/onepack-test-XXXXXX");
	assert_non_null(mkdtemp(rack->directory));
	snprintf(rack->link, sizeof rack->link, "%.50s/tty", rack->directory);
	for (int i = 0; i < FAKE_PACKS; i++)
		make_records(&rack->packs[i], i);
	open_pty(rack);
	assert_int_equal(pthread_create(&rack->thread, NULL, run, rack), 0);
}

void fake_unplug(struct fake_rack *rack)
{
	pthread_mutex_lock(&rack->lock);
	close(rack->master);
	rack->master = -1;
	unlink(rack->link);
	pthread_mutex_unlock(&rack->lock);
}

void fake_plug(struct fake_rack *rack)
{
	pthread_mutex_lock(&rack->lock);
	open_pty(rack);
	pthread_mutex_unlock(&rack->lock);
}

void fake_stop(struct fake_rack *rack)
{
	pthread_mutex_lock(&rack->lock);
	rack->stop = true;
	pthread_mutex_unlock(&rack->lock);
	pthread_join(rack->thread, NULL);
	if (rack->master >= 0)
		fake_unplug(rack);
	rmdir(rack->directory);
	pthread_mutex_destroy(&rack->lock);
}

void fake_set(struct fake_rack *rack, int address, enum fake_trick trick)
{
	pthread_mutex_lock(&rack->lock);
	rack->packs[address].trick = trick;
	pthread_mutex_unlock(&rack->lock);
}

unsigned fake_asked(struct fake_rack *rack, int address, int type)
{
	unsigned asked;

	pthread_mutex_lock(&rack->lock);
	asked = rack->asked[address][type];
	pthread_mutex_unlock(&rack->lock);
	return asked;
}

int64_t fake_shortest_gap_us(struct fake_rack *rack)
{
	int64_t gap_us;

	pthread_mutex_lock(&rack->lock);
	gap_us = rack->shortest_gap_us;
	pthread_mutex_unlock(&rack->lock);
	return gap_us;
}

void fake_say(struct fake_rack *rack, const uint8_t *bytes, size_t count)
{
	pthread_mutex_lock(&rack->lock);
	put(rack, bytes, count);
	pthread_mutex_unlock(&rack->lock);
}

void fake_ask(struct fake_rack *rack, int address)
{
	uint8_t request[REQUEST];

	make_request(request, address, FAKE_LIVE);
	fake_say(rack, request, sizeof request);
}
