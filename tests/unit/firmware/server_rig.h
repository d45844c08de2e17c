// SPDX-License-Identifier: Apache-2.0
/* A pack on a bench with its protocol side and a little flash, asked frame by frame as a master
 * does, in virtual time. */
#pragma once

#include "core/bytes.h"
#include "core/server.h"
#include "rig.h"

#define SERVER_RIG_PAGE    2048
#define SERVER_RIG_PAGES   5
#define SERVER_RIG_ADDRESS 5

/* Flash that just works. */
struct plain_flash {
	struct fw_flash flash;
	uint8_t bytes[FW_AREAS][SERVER_RIG_PAGE * SERVER_RIG_PAGES];
};

static inline int plain_read(void *context, enum fw_area area, uint32_t at, void *bytes,
			     uint32_t count)
{
	memcpy(bytes, ((struct plain_flash *)context)->bytes[area] + at, count);
	return 0;
}

static inline int plain_program(void *context, enum fw_area area, uint32_t at, const void *bytes,
				uint32_t count)
{
	uint8_t *to = ((struct plain_flash *)context)->bytes[area] + at;

	for (uint32_t i = 0; i < count; i++)
		to[i] &= ((const uint8_t *)bytes)[i];
	return 0;
}

static inline int plain_erase(void *context, enum fw_area area, uint32_t page)
{
	memset(((struct plain_flash *)context)->bytes[area] + page * SERVER_RIG_PAGE, 0xFF,
	       SERVER_RIG_PAGE);
	return 0;
}

static inline void plain_flash_init(struct plain_flash *plain)
{
	memset(plain->bytes, 0xFF, sizeof plain->bytes);
	plain->flash = (struct fw_flash){.context = plain,
					 .program_unit = 8,
					 .read = plain_read,
					 .program = plain_program,
					 .erase = plain_erase};
	for (int area = 0; area < FW_AREAS; area++) {
		plain->flash.page_size[area] = SERVER_RIG_PAGE;
		plain->flash.page_count[area] = area == FW_AREA_PARAMETERS ? 2 : SERVER_RIG_PAGES;
	}
}

struct server_rig {
	struct rig pack; /* its pack is started by the server */
	struct plain_flash flash;
	struct fw_server server;
	struct fw_server_config config;
	uint64_t now_us;
	uint8_t dip;
	uint8_t answer[FW_SERVER_OUT]; /* of the last question */
	size_t count;
};

static const struct fw_secrets server_rig_secrets = {.key = {1, 2, 3}, .installer = "inst0001"};

/* Identity for those who make a pack that must look the same for ever: vectors. */
static inline void server_rig_identity(struct fw_identity *identity)
{
	identity->device_class = 0x0101;
	identity->chip_id[0] = 0x00320041;
	identity->chip_id[1] = 0x31355105;
	identity->chip_id[2] = 0x39383736;
	identity->uid32 = 0x12345678;
	strcpy(identity->model, "ONEPACK-16S100");
	strcpy(identity->serial, "OP2600000042");
	identity->hardware_revision = 0x0102;
	identity->major = 1;
	identity->minor = 4;
	identity->patch = 7;
	identity->loader_version = 0x0101;
	identity->source_revision = 0xDB5E9CB1;
	identity->production_day = 2150;
}

/* Time goes by: steps of the pack and the server. */
static inline void server_rig_run(struct server_rig *rig, int64_t ms)
{
	const uint64_t until_us = rig->now_us + (uint64_t)ms * 1000;

	while (rig->now_us + 100000 <= until_us) {
		rig->now_us += 100000;
		rig->pack.in.sequence++;
		rig->pack.in.terminal_mv = rig_pack_mv(&rig->pack);
		fw_pack_step(&rig->pack.pack, &rig->pack.in, rig->now_us / 1000);
		fw_server_step(&rig->server, rig->now_us);
	}
	rig->now_us = until_us;
}

/* Also a restart, when it is done again. */
static inline void server_rig_start(struct server_rig *rig)
{
	rig->config = (struct fw_server_config){.identity = &rig->pack.identity,
						.secrets = &server_rig_secrets,
						.flash = &rig->flash.flash,
						.calibration = &rig->pack.calibration,
						.dip = rig->dip};
	fw_server_start(&rig->server, &rig->pack.pack, &rig->config, rig->now_us);
}

/* With both MOSFETs closed and a quiet line. */
static inline void server_rig_ready(struct server_rig *rig)
{
	memset(rig, 0, sizeof *rig);
	rig_make(&rig->pack, FW_LFP);
	server_rig_identity(&rig->pack.identity);
	plain_flash_init(&rig->flash);
	rig->now_us = 1000000;
	rig->dip = SERVER_RIG_ADDRESS;
	server_rig_start(rig);
	server_rig_run(rig, 5000);
}

static inline size_t server_rig_poll(struct server_rig *rig)
{
	const uint8_t *bytes;
	const size_t count = fw_server_poll(&rig->server, rig->now_us, &bytes);

	if (count)
		memcpy(rig->answer, bytes, count);
	return count;
}

/* Says some bytes, then waits for an answer for 30 ms: its length, 0 = silence. */
static inline size_t server_rig_say(struct server_rig *rig, const uint8_t *bytes, size_t count)
{
	rig->now_us += fw_modbus_wire_us(rig->server.baud, count);
	fw_server_hear(&rig->server, bytes, count, rig->now_us);
	rig->count = 0;
	for (int i = 0; i < 120 && rig->count == 0; i++) {
		rig->now_us += 250;
		rig->count = server_rig_poll(rig);
	}
	rig->now_us += fw_modbus_wire_us(rig->server.baud, rig->count) + 5000;
	return rig->count;
}

/* A request without its CRC. */
static inline size_t server_rig_ask(struct server_rig *rig, const uint8_t *request, size_t count)
{
	uint8_t bytes[FW_MODBUS_FRAME];

	memcpy(bytes, request, count);
	return server_rig_say(rig, bytes, fw_modbus_seal(bytes, count));
}

static inline size_t server_rig_read(struct server_rig *rig, uint8_t unit, uint16_t start,
				     uint16_t words)
{
	uint8_t request[6] = {unit, FW_READ};

	fw_put_u16be(request + 2, start);
	fw_put_u16be(request + 4, words);
	return server_rig_ask(rig, request, sizeof request);
}

/* Writes words; the exception, FW_FINE = acknowledged, -1 = silence. */
static inline int server_rig_write(struct server_rig *rig, uint8_t unit, uint16_t start,
				   const uint16_t *words, uint16_t count)
{
	uint8_t request[FW_MODBUS_FRAME] = {unit, FW_WRITE};

	fw_put_u16be(request + 2, start);
	fw_put_u16be(request + 4, count);
	request[6] = (uint8_t)(2 * count);
	for (uint16_t i = 0; i < count; i++)
		fw_put_u16be(request + 7 + 2 * i, words[i]);
	if (server_rig_ask(rig, request, 7u + 2u * count) == 0)
		return -1;
	return rig->answer[1] & FW_REFUSED ? rig->answer[2] : FW_FINE;
}

/* Reads one register of the pack. */
static inline int server_rig_word(struct server_rig *rig, uint16_t reg)
{
	if (server_rig_read(rig, rig->server.addressing.address, reg, 1) != 7)
		return -1;
	return fw_get_u16be(rig->answer + 3);
}

static inline int server_rig_login(struct server_rig *rig, const char *password)
{
	uint16_t words[4] = {0};
	uint8_t bytes[8] = {0};

	memcpy(bytes, password, strlen(password));
	for (int i = 0; i < 4; i++)
		words[i] = fw_get_u16be(bytes + 2 * i);
	return server_rig_write(rig, rig->server.addressing.address, 0x0800, words, 4);
}
