// SPDX-License-Identifier: Apache-2.0
/* The pack. One loop: measurements in, decisions out, frames in, answers out, then sleep until
 * something is due. Nothing here decides anything about the battery; that is firmware/core. */
#include <stddef.h>

#include "firmware/app/unit.h"
#include "firmware/board/afe.h"
#include "firmware/board/board.h"
#include "firmware/board/selftest.h"
#include "firmware/board/uart.h"
#include "firmware/core/server.h"

#define US_PER_MS  1000u
#define STEP_US    150000u  /* a step comes with every sample, ten a second, or after this */
#define FIRST_US   1000000u /* so long the first sample is waited for: it tells the address */
#define SETTLED_US 400u     /* a burst from the front end is over */
#define HEAR_PART  4u       /* bytes are looked at four times in a silence */
#define UNIT       32u
#define STACK_LOW  64u

extern const uint32_t fw_vectors[];

static struct fw_unit unit;
static struct fw_pack pack;
static struct fw_server server;
static struct fw_update update;
static struct fw_measurement measurement;
static uint32_t baud;    /* that the port is open with */
static uint64_t step_us; /* last step */
static bool update_busy; /* its background work has more to do */

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* --- front end and decisions --- */

/* Whether a burst of bytes has settled; else the time when it may have. */
static bool is_settled(enum fw_port port, uint64_t pause_us, uint64_t now_us, uint64_t *next_us)
{
	const uint64_t end_us = fw_uart_heard_us(port) + pause_us;

	if (fw_uart_waiting(port) == 0)
		return false;
	if (now_us >= end_us)
		return true;
	*next_us = earlier(*next_us, end_us);
	return false;
}

static void watch_over_ourselves(void)
{
	const uint32_t faults = pack.told_faults;

	if (!fw_selftest_image() || fw_selftest_stack_left() < STACK_LOW)
		pack.told_faults = faults | FW_BIT(FW_FAULT_SELF_TEST);
}

static void step(uint64_t now_us)
{
	step_us = now_us;
	if (update.restart)
		pack.update = FW_UPDATE_RESTARTING;
	else
		pack.update =
			update.phase == FW_PHASE_RECEIVING ? FW_UPDATE_RECEIVING : FW_UPDATE_NONE;
	fw_afe_put(fw_pack_step(&pack, &measurement, now_us / US_PER_MS));
	fw_server_step(&server, now_us);
	watch_over_ourselves();
}

static uint64_t serve_front_end(uint64_t now_us)
{
	uint64_t next_us = step_us + STEP_US;

	if ((is_settled(FW_PORT_AFE, SETTLED_US, now_us, &next_us) && fw_afe_take(&measurement)) ||
	    now_us >= step_us + STEP_US) {
		step(now_us);
		next_us = now_us + STEP_US;
	}
	return next_us;
}

/* --- the bus --- */

static void take_bytes(void)
{
	const uint64_t heard_us = fw_uart_heard_us(FW_PORT_BUS);
	uint8_t bytes[UNIT];
	uint32_t count;

	for (uint32_t total = 0; total < 2u * FW_SERVER_HEARD; total += count) {
		count = fw_uart_read(FW_PORT_BUS, bytes, sizeof bytes);
		if (count == 0)
			break;
		fw_server_hear(&server, bytes, count, heard_us);
	}
}

static uint64_t serve_bus(uint64_t now_us)
{
	const uint8_t *answer;
	uint64_t next_us = UINT64_MAX;
	size_t count;

	if (fw_uart_sending(FW_PORT_BUS))
		return next_us; /* its end wakes us */
	if (is_settled(FW_PORT_BUS, fw_board_silence_us(baud) / HEAR_PART, now_us, &next_us) ||
	    fw_uart_waiting(FW_PORT_BUS) > FW_SERVER_HEARD)
		take_bytes();
	count = fw_server_poll(&server, now_us, &answer);
	if (count > 0) {
		(void)fw_uart_send(FW_PORT_BUS, answer, (uint32_t)count);
		return next_us;
	}
	if (fw_server_baud(&server) != baud) {
		baud = fw_server_baud(&server);
		fw_uart_open(FW_PORT_BUS, baud);
	}
	return earlier(next_us, fw_server_wake_us(&server));
}

/* --- update --- */

static uint64_t serve_update(uint64_t now_us)
{
	const struct fw_update_pack about = {
		.refuse = pack.protections != 0 || pack.faults != 0 || pack.outputs.heater,
		.soc_cpct = pack.soc_cpct,
		.address = server.addressing.address,
	};

	update_busy = fw_update_tick(&update, &about, now_us / US_PER_MS);
	return update_busy ? now_us : UINT64_MAX;
}

/* --- start --- */

/* Until the front end has told the switches. A pack without one answers at 247. */
static void await_first_sample(void)
{
	bool heard = false;

	while (!heard && fw_board_now_us() < FIRST_US) {
		const uint64_t now_us = fw_board_now_us();
		uint64_t next_us = FIRST_US;

		fw_board_feed_watchdog();
		heard = is_settled(FW_PORT_AFE, SETTLED_US, now_us, &next_us) &&
			fw_afe_take(&measurement);
		if (!heard)
			fw_board_sleep(next_us);
	}
}

/* What the loader left to be told: why this image runs. */
static void report_start(void)
{
	const enum fw_boot_event event = fw_update_take_event(&update);

	if (event == FW_BOOTED_NONE)
		return;
	if (event == FW_BOOTED_ACTIVATED)
		unit.identity.boot_reason = FW_BOOT_UPDATE;
	else if (event >= FW_BOOTED_REVERTED_TIME && event <= FW_BOOTED_REVERTED_IMAGE)
		unit.identity.boot_reason = FW_BOOT_REVERT;
	fw_event_put(&pack.events, FW_SOURCE_PACK, FW_EVENT_IMAGE, (int32_t)event, unit.slot);
}

static void start(void)
{
	const bool clock_good = fw_board_start();
	struct fw_server_config config;

	fw_unit_init(&unit, (uint32_t)fw_vectors);
	fw_afe_start();
	await_first_sample();
	fw_update_init(&update,
		       &(struct fw_update_config){.flash = unit.flash,
						  .target = unit.target,
						  .running = unit.slot,
						  .unlock_key = unit.factory.unlock,
						  .uid32 = unit.identity.uid32},
		       fw_board_now_us() / US_PER_MS);
	config = (struct fw_server_config){.identity = &unit.identity,
					   .secrets = &unit.secrets,
					   .flash = unit.flash,
					   .update = &update,
					   .silence_us = fw_board_silence_us,
					   .calibration = &unit.factory.calibration,
					   .dip = measurement.dip};
	fw_server_start(&server, &pack, &config, fw_board_now_us());
	report_start();
	if (!clock_good)
		pack.told_faults |= FW_BIT(FW_FAULT_CLOCK);
	if (unit.identity.boot_reason == FW_BOOT_WATCHDOG)
		pack.told_faults |= FW_BIT(FW_FAULT_WATCHDOG);
	if (!unit.has_factory) /* without pre-charge, ratings, calibration: nothing closes */
		pack.told_faults |= FW_BIT(FW_FAULT_PARAMETER_MEMORY);
	if (!fw_selftest_ram())
		pack.told_faults |= FW_BIT(FW_FAULT_SELF_TEST);
	baud = fw_server_baud(&server);
	fw_uart_open(FW_PORT_BUS, baud);
}

int main(void)
{
	start();
	for (;;) {
		const uint64_t now_us = fw_board_now_us();
		uint64_t next_us = serve_front_end(now_us);

		next_us = earlier(next_us, serve_bus(now_us));
		next_us = earlier(next_us, serve_update(now_us));
		if (pack.restart_due && !fw_uart_sending(FW_PORT_BUS))
			fw_board_reset();
		fw_board_feed_watchdog();
		if (!update_busy)
			fw_board_sleep(next_us);
	}
}
