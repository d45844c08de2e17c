// SPDX-License-Identifier: Apache-2.0
/* Any bytes on the bus of a pack. Promised: it never crashes, never answers for somebody else,
 * every answer is well-formed; and nothing that needs a level changes, whatever is written. The
 * input is a list of pieces: how (a unit of ours put in front, a CRC behind, a pause), length,
 * bytes. */
#include <stdlib.h>
#include <string.h>

#include "server_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

#define PIECE_UNIT  0x03 /* 0 as it comes, 1 ours, 2 everybody, 3 without address */
#define PIECE_SEAL  0x04
#define PIECE_PAUSE 0x18 /* 0 none, a silence, 100 ms with steps, 400 ms */
#define PIECE_WRITE 0x20 /* a write to a register that somebody serves: which, then the words */
#define PIECES      24

static void check_answer(const struct server_rig *rig)
{
	const struct fw_frame frame = fw_modbus_look(rig->answer, rig->count, true);
	const uint8_t *signed_by = rig->answer;
	const uint8_t address = rig->server.addressing.address;

	CHECK(rig->count <= FW_SERVER_OUT);
	if (frame.kind == FW_FRAME_RECORD) {
		CHECK(rig->count == FW_JK_RECORD + FW_JK_ACKNOWLEDGE);
		signed_by += FW_JK_RECORD;
		CHECK(fw_modbus_look(signed_by, FW_JK_ACKNOWLEDGE, true).kind == FW_FRAME_ANSWER);
	} else { /* the answer to function 06 is the request again */
		CHECK(frame.kind == FW_FRAME_ANSWER ||
		      (frame.kind == FW_FRAME_REQUEST && frame.request.function == FW_WRITE_ONE) ||
		      fw_modbus_crc(rig->answer, rig->count) == 0);
		CHECK(frame.length == 0 || frame.length == rig->count);
	}
	CHECK(*signed_by == address || *signed_by == FW_MODBUS_UNASSIGNED);
}

/* A well-formed write: the first byte says where, the others what. */
static size_t build_write(const uint8_t *bytes, size_t count, uint8_t *out)
{
	static const uint16_t registers[] = {0x0200, 0x0201, 0x022E, 0x022F, 0x0240, 0x0270, 0x0280,
					     0x0800, 0x0804, 0x0808, 0x080C, 0x080D, 0x0820, 0x0824,
					     0x0840, 0x0901, 0x0908, 0x0910, 0x0A04, 0x0B04, 0x3000,
					     0x1004, 0x1070, 0x1074, 0x1078, 0x1114, 0x1600, 0x160C,
					     0x1610, 0x161C, 0x161E, 0x1620};
	const size_t words = count < 3 ? 1 : (count - 1) / 2 > 100 ? 100 : (count - 1) / 2;
	const unsigned which = count ? bytes[0] : 0;

	memset(out, 0, 8 + 2 * words);
	out[0] = FW_WRITE;
	fw_put_u16be(out + 1, registers[which % (sizeof registers / sizeof registers[0])]);
	fw_put_u16be(out + 3, (uint32_t)words);
	out[5] = (uint8_t)(2 * words);
	if (count > 1)
		memcpy(out + 6, bytes + 1, count - 1 < 2 * words ? count - 1 : 2 * words);
	return 6 + 2 * words;
}

static void say(struct server_rig *rig, uint8_t how, const uint8_t *bytes, size_t count)
{
	static const uint8_t units[] = {0, SERVER_RIG_ADDRESS, FW_MODBUS_BROADCAST,
					FW_MODBUS_UNASSIGNED};
	uint8_t frame[300];
	size_t length = 0;

	if (how & PIECE_UNIT)
		frame[length++] = units[how & PIECE_UNIT];
	if (how & PIECE_WRITE) {
		length += build_write(bytes, count, frame + length);
	} else {
		memcpy(frame + length, bytes, count);
		length += count;
	}
	if (how & PIECE_SEAL)
		length = fw_modbus_seal(frame, length);
	rig->now_us += fw_modbus_wire_us(rig->server.baud, length);
	fw_server_hear(&rig->server, frame, length, rig->now_us);
	switch (how & PIECE_PAUSE) {
	case 0: break;
	case 0x08: rig->now_us += 5000; break;
	case 0x10: server_rig_run(rig, 100); break;
	default: server_rig_run(rig, 400); break;
	}
	rig->count = server_rig_poll(rig);
	if (rig->count)
		check_answer(rig);
}

/* What no write may touch without a level. The passwords of this pack cannot be guessed. */
static void check_untouched(const struct server_rig *rig, const struct server_rig *before)
{
	const struct fw_pack *pack = &rig->pack.pack;
	const struct fw_work *work = &pack->work;

	CHECK(rig->server.auth.level == FW_LEVEL_NONE);
	CHECK(memcmp(&pack->parameters, &before->pack.pack.parameters, sizeof pack->parameters) ==
	      0);
	CHECK(memcmp(&pack->calibration, &before->pack.pack.calibration,
		     sizeof pack->calibration) == 0);
	CHECK(rig->server.settings.address == before->server.settings.address);
	CHECK(memcmp(rig->server.settings.password, before->server.settings.password,
		     sizeof rig->server.settings.password) == 0);
	CHECK(!rig->server.store.dirty && rig->server.store.sequence == 0);
	/* nothing was turned on but what JK's switches had turned off */
	CHECK((work->allow_value & ~(FW_ALLOW_CHARGE | FW_ALLOW_DISCHARGE | FW_ALLOW_BALANCE)) ==
	      0);
	CHECK(pack->emergency_s == 0 && !work->restart && !work->switch_off && !work->asleep);
	CHECK(pack->counters.emergency_run_s[0] == before->pack.pack.counters.emergency_run_s[0]);
	CHECK(fw_server_baud(&rig->server) == 115200);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct server_rig rig, fresh;
	static bool made;
	size_t at = 0;

	if (!made) {
		server_rig_ready(&rig);
		memcpy(rig.server.settings.password[FW_PASSWORD_OPERATOR],
		       "\x91\xE2\x07\xBC\x55\xD0\x3A\xF8", FW_PASSWORD);
		memcpy(rig.server.settings.password[FW_PASSWORD_INSTALLER],
		       "\x1F\xC4\x89\x6E\xA3\x72\xDB\x40", FW_PASSWORD);
		fresh = rig;
		made = true;
	}
	rig = fresh; /* in its place: it points into itself */
	for (int piece = 0; piece < PIECES && at + 2 <= size; piece++) {
		const uint8_t how = data[at];
		size_t count = data[at + 1];

		at += 2;
		count = count < size - at ? count : size - at;
		say(&rig, how, data + at, count);
		at += count;
	}
	server_rig_run(&rig, 300);
	check_untouched(&rig, &fresh);
	return 0;
}
