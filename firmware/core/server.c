// SPDX-License-Identifier: Apache-2.0
/* What is heard, and what is answered when; see server.h. What a request means is map.c's. */
#include "server.h"

#include <string.h>

#include "bytes.h"
#include "jk.h"
#include "map.h"

#define BAUD_DEFAULT  115200u
#define BAUD_STEP     100       /* bit/s that one step of the parameter is worth */
#define BAUD_RETRY_US 30000000u /* without a good frame: the other baud rate is tried */
#define PATIENCE_US   20000     /* a frame may have a hole of that length, as slow adapters make */
#define JITTERS       4         /* turn-arounds that a pack chooses from */
#define HALVES_JITTER 3         /* half characters between them */
#define REPORT_BYTES  44

static uint32_t silence_us(const struct fw_server *server)
{
	return server->config.silence_us ? server->config.silence_us(server->baud)
					 : fw_modbus_silence_us(server->baud);
}

uint32_t fw_server_baud(const struct fw_server *server)
{
	return server->baud;
}

/* --- answering --- */

/* Two packs with one address must not answer at the very same moment every time, or none would ever
 * hear the other. Who got its address by its unique id is alone with it. */
static uint32_t jitter_us(const struct fw_server *server)
{
	const struct fw_addressing *addressing = &server->addressing;
	const unsigned turn = server->counts.requests % (32 / 2);

	if (addressing->source == FW_ADDRESS_UID || addressing->source == FW_ADDRESS_ENABLE_LINE)
		return 0;
	return (addressing->uid32 >> 2 * turn) % JITTERS *
	       (fw_modbus_wire_us(server->baud, HALVES_JITTER) / 2);
}

static void answer(struct fw_server *server, size_t count)
{
	server->out_count = (uint16_t)count;
	server->in_slot = false;
	server->send_us = server->heard_us + silence_us(server) + jitter_us(server);
	server->latest_us = server->send_us + 2 * (uint64_t)silence_us(server);
}

void fw_server_answer_search(struct fw_server *server, uint32_t slot_us)
{
	uint8_t *out = server->out;

	out[0] = FW_MODBUS_UNASSIGNED;
	out[1] = FW_READ;
	fw_addressing_write_id(&server->addressing, out + 3);
	server->out_count = (uint16_t)fw_modbus_answer(FW_MODBUS_UNASSIGNED, FW_READ, 8, out);
	server->in_slot = true;
	server->send_us = server->heard_us + silence_us(server) + slot_us;
}

/* Function 11: a name that any tool can show. */
static size_t report_id(const struct fw_server *server, uint8_t unit, uint8_t *out)
{
	const struct fw_identity *identity = server->config.identity;
	uint8_t *id = out + 3;

	memset(id, 0, REPORT_BYTES);
	id[0] = 'P';
	id[1] = 'K';
	id[2] = 0xFF; /* running */
	fw_put_u16be(id + 4, identity->device_class);
	fw_put_u32be(id + 6, identity->uid32);
	id[10] = identity->major;
	id[11] = identity->minor;
	memcpy(id + 12, identity->model, 16);
	memcpy(id + 28, identity->serial, 16);
	return fw_modbus_answer(unit, FW_REPORT_ID, REPORT_BYTES, out);
}

/* Writes first, as the standard says, but not when the read would be refused. */
static enum fw_exception read_write(const struct fw_access *access,
				    const struct fw_request *request, uint8_t *out)
{
	enum fw_exception result =
		fw_map_read(access, request->read_start, request->read_words, out);

	if (result)
		return result;
	result = fw_map_write(access, request->write_start, request->write_words, request->data);
	if (result)
		return result;
	return fw_map_read(access, request->read_start, request->read_words, out);
}

static enum fw_exception write_only(const struct fw_access *access,
				    const struct fw_request *request, size_t *count)
{
	enum fw_exception result;

	*count = 0;
	if (fw_jk_has(request->write_start))
		result = fw_jk_write(access, request, access->server->out, count);
	else
		result = fw_map_write(access, request->write_start, request->write_words,
				      request->data);
	if (result == FW_FINE && *count == 0)
		*count = fw_modbus_acknowledge(request, access->server->out);
	return result;
}

/* A request for us: makes the answer. */
static void serve(struct fw_server *server, const struct fw_request *request, uint64_t now_ms)
{
	const struct fw_access access = {.server = server, .now_ms = now_ms};
	enum fw_exception result = FW_FINE;
	uint8_t *out = server->out;
	size_t count = 0;

	switch (request->odd ? 0 : request->function) {
	case FW_READ:
	case FW_READ_INPUT:
		result = fw_map_read(&access, request->read_start, request->read_words, out + 3);
		break;
	case FW_READ_WRITE: result = read_write(&access, request, out + 3); break;
	case FW_WRITE_ONE:
	case FW_WRITE: result = write_only(&access, request, &count); break;
	case FW_REPORT_ID: count = report_id(server, request->unit, out); break;
	default: result = FW_ILLEGAL_FUNCTION; break;
	}
	if (result)
		count = fw_modbus_exception(request, result, out);
	else if (count == 0)
		count = fw_modbus_answer(request->unit, request->function,
					 2 * (size_t)request->read_words, out);
	answer(server, count);
}

static void obey_broadcast(struct fw_server *server, const struct fw_request *request,
			   uint64_t now_ms)
{
	const struct fw_access access = {.server = server, .now_ms = now_ms, .broadcast = true};

	if (request->odd || (request->function != FW_WRITE && request->function != FW_WRITE_ONE))
		return;
	if (fw_jk_has(request->write_start))
		return;
	fw_map_write(&access, request->write_start, request->write_words, request->data);
}

static void take_request(struct fw_server *server, const struct fw_request *request)
{
	const uint64_t now_ms = server->heard_us / 1000;
	const bool enable_in = (server->pack->measured.inputs & FW_INPUT_ENABLE) != 0;

	if (request->unit == FW_MODBUS_BROADCAST) {
		obey_broadcast(server, request, now_ms);
		return;
	}
	if (!fw_addressing_is_mine(&server->addressing, request->unit, enable_in))
		return;
	if (request->unit == FW_MODBUS_UNASSIGNED)
		server->addressing.asked = true;
	server->counts.requests++;
	fw_pack_heard(server->pack, now_ms);
	serve(server, request, now_ms);
}

/* Whether this is what we said ourselves, which a board should not hand over but may. */
static bool is_echo(const struct fw_server *server, const uint8_t *frame, size_t length)
{
	return length == server->said && server->out_count == 0 &&
	       memcmp(frame, server->out, length) == 0 &&
	       server->heard_us < server->sent_us + PATIENCE_US;
}

/* An answer that we did not send. An acknowledge of function 06 is the request once more and never
 * comes here. */
static void take_answer(struct fw_server *server, const uint8_t *frame, size_t length)
{
	const struct fw_access access = {.server = server};

	if (frame[0] != server->addressing.address || is_echo(server, frame, length) ||
	    !fw_addressing_conflict(&server->addressing))
		return;
	fw_map_note(&access, FW_EVENT_ADDRESS_LOST, frame[0], 0);
}

/* --- hearing --- */

static void forget_answer(struct fw_server *server)
{
	if (server->out_count == 0)
		return;
	server->out_count = 0;
	server->counts.held++;
}

static void drop(struct fw_server *server, size_t count)
{
	server->heard_count = (uint16_t)(server->heard_count - count);
	memmove(server->heard, server->heard + count, server->heard_count);
}

/* Fewer bytes than this behind a request are no frame of somebody else, but a glitch of the line.
 */
#define STRAY 4

static void take_frame(struct fw_server *server, const struct fw_frame *frame)
{
	const bool last = server->heard_count - frame->length < STRAY;

	server->counts.frames++;
	server->good_us = server->heard_us;
	if (frame->kind == FW_FRAME_ANSWER)
		take_answer(server, server->heard, frame->length);
	if (frame->kind == FW_FRAME_REQUEST || !server->in_slot)
		forget_answer(server);
	if (frame->kind == FW_FRAME_REQUEST && (last || frame->request.unit == FW_MODBUS_BROADCAST))
		take_request(server, &frame->request);
}

/* Takes all frames out of what was heard. What may still become one stays; with `silent`, a frame
 * further on is better than a beginning that may never end. A request that others spoke after is
 * not answered any more. */
static void take_frames(struct fw_server *server, bool silent)
{
	size_t at = 0;

	while (at < server->heard_count) {
		struct fw_frame frame =
			fw_modbus_look(server->heard + at, server->heard_count - at, silent);

		if (frame.kind == FW_FRAME_INCOMPLETE && !silent)
			return;
		if (frame.length == 0) {
			at++;
			continue;
		}
		server->counts.noise = (uint16_t)(server->counts.noise + at);
		drop(server, at);
		if (frame.request.data) /* it moved with the frame */
			frame.request.data -= at;
		take_frame(server, &frame);
		drop(server, frame.length);
		at = 0;
	}
}

/* Something new on the line: one who speaks now is not interrupted. */
static void wait_for_silence(struct fw_server *server)
{
	if (server->out_count == 0 || server->in_slot)
		return;
	if (server->send_us < server->heard_us + silence_us(server))
		server->send_us = server->heard_us + silence_us(server);
	if (server->send_us > server->latest_us)
		forget_answer(server);
}

void fw_server_hear(struct fw_server *server, const uint8_t *bytes, size_t count, uint64_t now_us)
{
	const uint64_t begin_us = now_us - fw_modbus_wire_us(server->baud, count);

	if (count == 0)
		return;
	if (server->heard_count > 0 && begin_us > server->heard_us) {
		const uint64_t hole_us = begin_us - server->heard_us;

		if (hole_us >= silence_us(server))
			take_frames(server, true);
		if (hole_us >= PATIENCE_US) {
			server->counts.noise =
				(uint16_t)(server->counts.noise + server->heard_count);
			server->heard_count = 0;
		}
	}
	server->heard_us = now_us;
	server->looked = false;
	wait_for_silence(server);
	while (count > 0) {
		size_t room = FW_SERVER_HEARD - server->heard_count;
		size_t part = count < room ? count : room;

		memcpy(server->heard + server->heard_count, bytes, part);
		server->heard_count = (uint16_t)(server->heard_count + part);
		bytes += part;
		count -= part;
		take_frames(server, false);
		if (server->heard_count == FW_SERVER_HEARD)
			take_frames(server, true);
		if (server->heard_count == FW_SERVER_HEARD)
			drop(server, FW_SERVER_HEARD / 2);
	}
}

/* --- speaking --- */

static void apply_baud(struct fw_server *server)
{
	server->change_baud = false;
	server->baud = (uint32_t)server->pack->parameters.baud_100 * BAUD_STEP;
	server->heard_count = 0;
}

size_t fw_server_poll(struct fw_server *server, uint64_t now_us, const uint8_t **bytes)
{
	size_t count = server->out_count;

	if (server->heard_count > 0 && !server->looked &&
	    now_us >= server->heard_us + silence_us(server)) {
		take_frames(server, true);
		server->looked = true;
		count = server->out_count;
	}
	if (now_us >= server->heard_us + PATIENCE_US)
		server->heard_count = 0;
	if (count == 0 && server->change_baud && now_us >= server->sent_us)
		apply_baud(server);
	if (count == 0 || now_us < server->send_us)
		return 0;
	server->out_count = 0;
	if (now_us - server->send_us > FW_SERVER_STALE_US) {
		server->counts.held++;
		return 0;
	}
	*bytes = server->out;
	server->said = (uint16_t)count;
	server->sent_us = now_us + fw_modbus_wire_us(server->baud, count);
	return count;
}

uint64_t fw_server_wake_us(const struct fw_server *server)
{
	uint64_t wake_us = UINT64_MAX;

	if (server->out_count > 0)
		wake_us = server->send_us;
	else if (server->change_baud)
		wake_us = server->sent_us;
	if (server->heard_count > 0) {
		const uint64_t look_us =
			server->heard_us + (server->looked ? PATIENCE_US : silence_us(server));

		wake_us = look_us < wake_us ? look_us : wake_us;
	}
	return wake_us;
}

/* Nobody was understood for long: perhaps the line runs at the other baud rate. */
void fw_server_try_baud(struct fw_server *server, uint64_t now_us)
{
	const uint32_t own = (uint32_t)server->pack->parameters.baud_100 * BAUD_STEP;

	if (now_us - server->good_us < BAUD_RETRY_US)
		return;
	server->good_us = now_us;
	server->baud = server->baud == own ? BAUD_DEFAULT : own;
	server->heard_count = 0;
}
