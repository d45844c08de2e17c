// SPDX-License-Identifier: Apache-2.0
/* Anything in the flash of a pack, as a failing part or another firmware may leave it. Promised:
 * the pack starts with parameters that fit together, answers, and can store settings and events
 * again. The input is a list of pieces: area, place (2), length, bytes. */
#include <stdlib.h>
#include <string.h>

#include "crypto/crc32.h"
#include "server_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

#define SEAL 0x80 /* of the area's byte: a good CRC is put where a copy of settings has it */

static void put_piece(struct plain_flash *flash, const uint8_t *head, const uint8_t *bytes,
		      size_t count)
{
	uint8_t *area = flash->bytes[head[0] % FW_AREAS];
	const size_t at = fw_get_u16be(head + 1) % sizeof flash->bytes[0];

	count = count < sizeof flash->bytes[0] - at ? count : sizeof flash->bytes[0] - at;
	memcpy(area + at, bytes, count);
	if (head[0] & SEAL) {
		uint8_t *copy = flash->bytes[FW_AREA_PARAMETERS];
		const uint32_t entries = fw_get_u16be(copy + 10) % 400u;
		uint32_t crc = fw_crc32(0, copy, 12);

		fw_put_u16be(copy + 10, entries);
		crc = fw_crc32(0, copy, 12);
		fw_put_u32be(copy + 12, fw_crc32(crc, copy + 16, 4 * entries));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct server_rig rig, fresh;
	static struct fw_settings settings;
	static bool made;
	struct fw_event event = {.code = FW_EVENT_FULL};
	struct fw_store store;
	uint32_t newest;

	if (!made) {
		server_rig_ready(&rig);
		fw_store_save(&rig.server.store, &rig.server.settings);
		fresh = rig;
		made = true;
	}
	rig = fresh;
	for (size_t at = 0; at + 4 <= size;) {
		const size_t left = size - at - 4,
			     count = data[at + 3] < left ? data[at + 3] : left;

		put_piece(&rig.flash, data + at, data + at + 4, count);
		at += 4 + count;
	}
	server_rig_start(&rig);
	CHECK(fw_parameters_check(&rig.pack.pack.parameters) == NULL);
	server_rig_run(&rig, 1000);
	CHECK(server_rig_read(&rig, rig.server.addressing.address, 0x0100, 72) == 149);
	CHECK(server_rig_read(&rig, rig.server.addressing.address, 0x0A00, 120) == 245);
	CHECK(server_rig_read(&rig, rig.server.addressing.address, 0x0B00, 88) == 181);
	/* and goes on */
	newest = fw_ring_newest(&rig.server.log.ring);
	if (newest < UINT32_MAX - 10) {
		CHECK(fw_log_add(&rig.server.log, 1, &event));
		CHECK(fw_ring_newest(&rig.server.log.ring) > newest);
	}
	CHECK(fw_store_save(&rig.server.store, &rig.server.settings));
	fw_store_init(&store, &rig.flash.flash);
	CHECK(fw_store_load(&store, &settings) == FW_STORED);
	return 0;
}
