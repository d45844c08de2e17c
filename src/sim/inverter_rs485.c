// SPDX-License-Identifier: Apache-2.0
/* Habits, from logs of real inverters: an Axpert asks for the protocol version at six addresses in
 * turn, 0.41 s apart, until one answers, and then for analog values and limits; an EASUN asks for
 * the three system tables. The simulated one does both in turn. A Growatt asks for one block every
 * half second, and the bench that knows the China Tower cabinet asked every quarter. After five
 * questions without an answer it searches again. */
#include "inverter_rs485.h"

#include <stdio.h>
#include <string.h>

#define MAX_ADDRESSES 6
#define MAX_POLLS     8
#define TIMEOUT_MS    400
#define LOST_AFTER    5
#define GRACE_MS      1000

struct poll_plan {
	const char *id;
	uint32_t probe; /* the message that searches; 0 = the first poll does */
	int addresses[MAX_ADDRESSES];
	int address_count; /* 0 = the protocol's own address only */
	uint32_t polls[MAX_POLLS];
	int poll_count; /* 0 = all messages of the file */
	int period_ms;
};

static const struct poll_plan plans[] = {
	{"rs485/pylon-lv-3.3",
	 0x4F,
	 {0x02, 0x52, 0x42, 0x32, 0x22, 0x12},
	 6,
	 {0x42, 0x92, 0x61, 0x62, 0x63},
	 5,
	 410},
	{"rs485/growatt-2.01", 0, {0}, 0, {0x0001, 0x0010, 0x0070}, 3, 500},
	{"rs485/jk-modbus-1.0", 0, {0}, 0, {0x1200, 0x1000}, 2, 400},
	{"rs485/srne-lv-3.3", 0, {0x12}, 1, {0x61, 0x62, 0x63}, 3, 410},
	{"rs485/pace-modbus-1.3", 0, {0}, 0, {0, 60}, 2, 250},
	{"rs485/voltronic-20200325", 0, {0}, 0, {0x0010, 0x0070}, 2, 500},
	{"rs485/china-tower-2.0", 0, {0}, 0, {0x0000}, 1, 250},
	{"rs485/china-tower-1.1", 0, {0}, 0, {0x0000}, 1, 250},
	{"rs485/jk-4g-gps-4.2", 0, {0}, 0, {0x00}, 1, 1000},
	{"rs485/niu-u", 0, {0}, 0, {0, 45, 108}, 3, 500},
	{NULL, 0, {0}, 0, {0}, 0, 500},
};

static int message_with_id(const struct wire *wire, uint32_t id)
{
	for (int i = 0; i < wire_message_count(wire); i++) {
		struct wire_message_info info;

		wire_get_message(wire, i, &info);
		if (info.id == id)
			return i;
	}
	return -1;
}

static int poll_count(const struct inverter_rs485 *rs485)
{
	return rs485->plan->poll_count > 0 ? rs485->plan->poll_count
					   : wire_message_count(rs485->inverter.wire);
}

void inverter_rs485_init(struct inverter_rs485 *rs485, const char *id, const struct wire *wire)
{
	memset(rs485, 0, sizeof *rs485);
	sim_inverter_init(&rs485->inverter, wire);
	rs485->plan = plans;
	while (rs485->plan->id && strcmp(rs485->plan->id, id) != 0)
		rs485->plan++;
	rs485->message = -1;
	/* One unanswered question is no loss: the limits come round again. */
	int64_t cycle_ms = (int64_t)poll_count(rs485) * rs485->plan->period_ms;

	if (cycle_ms + GRACE_MS > rs485->inverter.lost_ms)
		rs485->inverter.lost_ms = cycle_ms + GRACE_MS;
}

static int poll_message(const struct inverter_rs485 *rs485, int step)
{
	return rs485->plan->poll_count > 0
		       ? message_with_id(rs485->inverter.wire, rs485->plan->polls[step])
		       : step;
}

/* The next question while the battery has not been found. */
static int search(struct inverter_rs485 *rs485)
{
	const struct poll_plan *plan = rs485->plan;

	if (plan->address_count > 0) {
		rs485->step %= plan->address_count;
		rs485->inverter.ctx.address = plan->addresses[rs485->step];
	}
	return plan->probe > 0 ? message_with_id(rs485->inverter.wire, plan->probe)
			       : poll_message(rs485, rs485->step % poll_count(rs485));
}

static int next_question(struct inverter_rs485 *rs485)
{
	int question =
		rs485->found ? poll_message(rs485, rs485->step % poll_count(rs485)) : search(rs485);

	rs485->step++;
	return question;
}

/* -1 in a context stands for the address in the file. */
static int address(const struct inverter_rs485 *rs485)
{
	struct wire_info info;

	wire_get_info(rs485->inverter.wire, &info);
	return rs485->inverter.ctx.address >= 0 ? rs485->inverter.ctx.address
						: info.default_address;
}

static void fail(struct inverter_rs485 *rs485)
{
	rs485->message = -1;
	if (++rs485->failures >= LOST_AFTER && rs485->found) {
		rs485->found = false;
		rs485->step = 0;
	}
}

size_t inverter_rs485_tick(struct inverter_rs485 *rs485, int64_t now_ms, uint8_t *out, size_t size)
{
	int length;

	if (rs485->message >= 0 && now_ms >= rs485->deadline_ms) {
		rs485->timeouts++;
		fail(rs485);
	}
	if (rs485->message >= 0 || now_ms < rs485->next_ms)
		return 0;
	rs485->next_ms = now_ms + rs485->plan->period_ms;
	rs485->message = next_question(rs485);
	if (rs485->message < 0)
		return 0;
	length = wire_request(rs485->inverter.wire, rs485->message, &rs485->inverter.ctx,
			      address(rs485), out, size);
	if (length <= 0) {
		rs485->message = -1; /* a message that is not asked for */
		return 0;
	}
	rs485->polls++;
	rs485->heard_count = 0;
	rs485->deadline_ms = now_ms + TIMEOUT_MS;
	return (size_t)length;
}

int64_t inverter_rs485_next_ms(const struct inverter_rs485 *rs485)
{
	return rs485->message >= 0 ? rs485->deadline_ms : rs485->next_ms;
}

void inverter_rs485_heard(struct inverter_rs485 *rs485, const uint8_t *bytes, size_t count,
			  int64_t now_ms)
{
	struct wire_values said;
	int result;

	if (rs485->message < 0 || count > sizeof rs485->heard - rs485->heard_count)
		return;
	memcpy(rs485->heard + rs485->heard_count, bytes, count);
	rs485->heard_count += count;
	sim_inverter_listen(&rs485->inverter, &said);
	result = wire_response(rs485->inverter.wire, rs485->message, &rs485->inverter.ctx,
			       address(rs485), rs485->heard, rs485->heard_count, &said);
	if (result == ERR_INCOMPLETE)
		return;
	if (result < 0) {
		char text[64];

		snprintf(text, sizeof text, "an answer is wrong (%s)", err_name(result));
		sim_inverter_doubt(&rs485->inverter, text, now_ms);
		rs485->errors++;
		rs485->inverter.refused++;
		fail(rs485);
		return;
	}
	rs485->message = -1;
	rs485->failures = 0;
	if (!rs485->found)
		rs485->step = 0;
	rs485->found = true;
	sim_inverter_heard(&rs485->inverter, 0, &said, now_ms);
}
