// SPDX-License-Identifier: Apache-2.0
/* The loader on a board: decides, starts an image, or answers on the bus until there is one.
 * Everything that can be decided wrongly is in decide.c and loader.c, which the host tests. */
#include "firmware/board/board.h"
#include "firmware/board/uart.h"
#include "firmware/boot/decide.h"
#include "firmware/boot/loader.h"
#include "firmware/boot/maker_key.h"
#include "firmware/core/bytes.h"
#include "firmware/core/factory.h"

#define LOADER_VERSION 1
#define BAUD           115200
#define TICK_US        20000
#define START_PAUSE_US 20000 /* for the last answer to leave, on top of its sending */

/* Large, and needed one after the other. */
static union {
	struct fw_image_check check;
	struct fw_loader loader;
} work;
static struct fw_factory factory;
static uint8_t answer[FW_MODBUS_FRAME];

static void make_identity(struct fw_identity *id)
{
	uint8_t chip[12];

	fw_board_unique_id(chip);
	for (int i = 0; i < 3; i++)
		id->chip_id[i] = fw_get_u32be(chip + 4 * i);
	id->loader_version = LOADER_VERSION;
	id->boot_reason = fw_board_boot_reason();
}

static void make_config(const struct fw_flash *flash, struct fw_update_config *config)
{
	*config = (struct fw_update_config){
		.flash = flash,
		.target = {.device_class = factory.identity.device_class,
			   .hardware_revision = factory.identity.hardware_revision,
			   .loader_version = LOADER_VERSION,
			   .slot_address = {fw_board_slot_address(FW_AREA_SLOT_A),
					    fw_board_slot_address(FW_AREA_SLOT_B)},
			   .keys = fw_maker_keys,
			   .key_count = FW_MAKER_KEYS},
		.running = -1,
		.unlock_key = factory.unlock,
		.uid32 = factory.identity.uid32,
	};
}

/* Takes what came; answers when the line has been silent. */
static void serve_bus(uint32_t silence_us)
{
	uint8_t bytes[64];
	uint32_t count;

	while ((count = fw_uart_read(FW_PORT_BUS, bytes, sizeof bytes)) > 0)
		fw_loader_hear(&work.loader, bytes, count);
	if (work.loader.count == 0 || fw_uart_sending(FW_PORT_BUS) ||
	    fw_board_now_us() < fw_uart_heard_us(FW_PORT_BUS) + silence_us)
		return;

	const size_t length = fw_loader_answer(&work.loader, answer);

	if (length > 0)
		(void)fw_uart_send(FW_PORT_BUS, answer, (uint32_t)length);
}

/* Until somebody orders a restart, or until `end_us` if nobody wrote to us. */
static void serve(uint64_t end_us)
{
	const uint32_t silence_us = fw_board_silence_us(BAUD);

	fw_uart_open(FW_PORT_BUS, BAUD);
	while (!work.loader.restart && (fw_board_now_us() < end_us || work.loader.addressed)) {
		const uint64_t now_us = fw_board_now_us();
		const bool busy = work.loader.count > 0 || fw_uart_waiting(FW_PORT_BUS);

		fw_board_feed_watchdog();
		serve_bus(silence_us);
		if (!busy && !fw_loader_tick(&work.loader, now_us / 1000))
			fw_board_sleep(now_us + TICK_US);
		else if (busy)
			fw_board_sleep(fw_uart_heard_us(FW_PORT_BUS) + silence_us);
	}
	while (fw_uart_sending(FW_PORT_BUS))
		fw_board_sleep(fw_board_now_us() + 1000);
	if (work.loader.restart)
		fw_board_sleep(fw_board_now_us() + START_PAUSE_US);
}

int main(void)
{
	static struct fw_update_config config;
	const struct fw_flash *flash;

	(void)fw_board_start();
	flash = fw_board_flash();
	if (flash == NULL)
		return 1; /* start-up resets then */
	(void)fw_factory_read(flash, &factory);
	make_identity(&factory.identity);
	make_config(flash, &config);

	const struct fw_boot_choice choice =
		fw_boot_decide(flash, &config.target, factory.identity.boot_reason,
			       fw_board_button(), fw_board_feed_watchdog, &work.check);

	if (choice.slot >= 0 && choice.listen_ms == 0)
		fw_board_start_image(choice.vectors);
	fw_loader_init(&work.loader, &config, &factory.identity, 0, fw_board_now_us() / 1000);
	serve(choice.slot >= 0 ? fw_board_now_us() + UINT64_C(1000) * choice.listen_ms
			       : UINT64_MAX);
	if (!work.loader.restart)
		fw_board_start_image(choice.vectors);
	return 0; /* start-up resets then */
}
