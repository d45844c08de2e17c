// SPDX-License-Identifier: Apache-2.0
/* Many firmware packs on one simulated RS485 line with a small master, in virtual time. */
#pragma once

#include <stdlib.h>

#include "server_rig.h"
#include "sim/line.h"

#define LINE_RIG_PACKS  30
#define LINE_RIG_MASTER 0
#define LINE_RIG_HEARD  4096

struct line_rig {
	struct line line;
	int pack_count;
	struct server_rig packs[LINE_RIG_PACKS];
	bool powered[LINE_RIG_PACKS];
	int enabled_by[LINE_RIG_PACKS]; /* pack whose EN_OUT is our EN_IN, -1 = the master's */
	bool enable;                    /* the master's own enable line */
	uint64_t now_us, step_us;
	/* what the master heard since it spoke last */
	uint8_t heard[LINE_RIG_HEARD];
	uint64_t heard_us[LINE_RIG_HEARD]; /* end of each byte */
	size_t heard_count;
};

static inline void line_rig_hear(void *context, int talker, int64_t end_ns, const uint8_t *bytes,
				 size_t count)
{
	struct line_rig *rig = context;
	const uint64_t end_us = (uint64_t)end_ns / 1000;

	for (int i = 0; i < rig->pack_count; i++)
		if (rig->powered[i] && line_hears(&rig->line, i + 1, talker) &&
		    end_us > rig->packs[i].server.sent_us) /* who sends does not hear */
			fw_server_hear(&rig->packs[i].server, bytes, count, end_us);
	if (talker == LINE_RIG_MASTER)
		return;
	for (size_t i = 0; i < count && rig->heard_count < LINE_RIG_HEARD; i++) {
		rig->heard_us[rig->heard_count] = end_us - fw_modbus_wire_us(115200, count - 1 - i);
		rig->heard[rig->heard_count++] = bytes[i];
	}
}

static inline void line_rig_step_packs(struct line_rig *rig)
{
	for (int i = 0; i < rig->pack_count; i++) {
		struct server_rig *pack = &rig->packs[i];
		const int by = rig->enabled_by[i];
		const bool enabled =
			by < 0 ? rig->enable
			       : rig->powered[by] && rig->packs[by].pack.pack.outputs.enable_out;

		if (!rig->powered[i])
			continue;
		pack->pack.in.sequence++;
		pack->pack.in.inputs = FW_INPUT_KEY | (enabled ? FW_INPUT_ENABLE : 0u);
		pack->pack.in.terminal_mv = rig_pack_mv(&pack->pack);
		fw_pack_step(&pack->pack.pack, &pack->pack.in, rig->now_us / 1000);
		fw_server_step(&pack->server, rig->now_us);
	}
}

/* Lets time pass until then. */
static inline void line_rig_run(struct line_rig *rig, uint64_t until_us)
{
	while (rig->now_us < until_us) {
		uint64_t next_us = rig->step_us < until_us ? rig->step_us : until_us;
		const int64_t line_ns = line_next_ns(&rig->line);

		if (line_ns != LINE_NEVER && (uint64_t)(line_ns + 999) / 1000 < next_us)
			next_us = (uint64_t)(line_ns + 999) / 1000;
		for (int i = 0; i < rig->pack_count; i++)
			if (rig->powered[i] && fw_server_wake_us(&rig->packs[i].server) < next_us)
				next_us = fw_server_wake_us(&rig->packs[i].server);
		rig->now_us = next_us > rig->now_us ? next_us : rig->now_us + 1;
		line_run(&rig->line, (int64_t)rig->now_us * 1000, line_rig_hear, rig);
		for (int i = 0; i < rig->pack_count; i++) {
			const uint8_t *bytes;
			const size_t count = rig->powered[i] ? fw_server_poll(&rig->packs[i].server,
									      rig->now_us, &bytes)
							     : 0;

			if (count)
				line_send(&rig->line, i + 1, (int64_t)rig->now_us * 1000, bytes,
					  count);
		}
		if (rig->now_us >= rig->step_us) {
			rig->step_us += 100000;
			line_rig_step_packs(rig);
		}
	}
}

static inline void line_rig_power(struct line_rig *rig, int index, bool on)
{
	struct server_rig *pack = &rig->packs[index];

	rig->powered[index] = on;
	if (!on)
		return;
	pack->now_us = rig->now_us;
	server_rig_start(pack);
}

/* All off, with these switches and ids. */
static inline struct line_rig *line_rig_new(int packs, uint32_t baud, uint64_t seed)
{
	struct line_rig *rig = calloc(1, sizeof *rig);

	assert_non_null(rig);
	line_init(&rig->line, baud, packs + 1, seed * UINT64_C(0x9E3779B97F4A7C15));
	rig->pack_count = packs;
	rig->now_us = 1000000;
	rig->step_us = rig->now_us;
	for (int i = 0; i < packs; i++) {
		rig_make(&rig->packs[i].pack, FW_LFP);
		server_rig_identity(&rig->packs[i].pack.identity);
		plain_flash_init(&rig->packs[i].flash);
		rig->packs[i].pack.identity.uid32 =
			(uint32_t)(sim_random_next(&rig->line.random) >> 7);
		rig->enabled_by[i] = i - 1;
		rig->packs[i].dip = 0;
	}
	return rig;
}

/* The master says a frame (without CRC) and listens for so long; what it heard is in `heard`.
 * Returns when the frame had passed. */
static inline uint64_t line_rig_say(struct line_rig *rig, const uint8_t *request, size_t count,
				    uint64_t listen_us)
{
	uint8_t bytes[FW_MODBUS_FRAME];
	uint64_t end_us;

	memcpy(bytes, request, count);
	count = fw_modbus_seal(bytes, count);
	rig->heard_count = 0;
	line_send(&rig->line, LINE_RIG_MASTER, (int64_t)rig->now_us * 1000, bytes, count);
	end_us = rig->now_us + (uint64_t)count * (uint64_t)rig->line.byte_ns / 1000;
	line_rig_run(rig, end_us + listen_us);
	return end_us;
}

/* Reads words from a unit into `rig->heard` + 3: false when there was no good answer. */
static inline bool line_rig_read(struct line_rig *rig, uint8_t unit, uint16_t start, uint8_t words)
{
	const uint8_t request[6] = {unit, FW_READ, (uint8_t)(start >> 8), (uint8_t)start, 0, words};
	struct fw_frame frame;

	line_rig_say(rig, request, sizeof request, 25000);
	frame = fw_modbus_look(rig->heard, rig->heard_count, true);
	return frame.kind == FW_FRAME_ANSWER && frame.length == rig->heard_count &&
	       rig->heard[0] == unit && rig->heard[2] == 2 * words;
}

static inline void line_rig_operate(struct line_rig *rig, uint16_t operation, uint32_t uid32,
				    uint16_t c, uint16_t d, uint64_t listen_us, uint64_t *end_us)
{
	uint8_t request[19] = {0, FW_WRITE, 0x09, 0x10, 0, 6, 12};

	fw_put_u16be(request + 7, FW_ADDRESSING_KEY + (uint32_t)operation);
	fw_put_u32be(request + 9, uid32);
	fw_put_u16be(request + 13, c);
	fw_put_u16be(request + 15, d);
	*end_us = line_rig_say(rig, request, sizeof request, listen_us);
}
