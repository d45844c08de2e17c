// SPDX-License-Identifier: Apache-2.0
/* The loader's Modbus, see loader.h. Words that a full pack has and the loader does not are 0. */
#include "loader.h"

#include <string.h>

#include "../core/bytes.h"
#include "../core/status.h"

#define IDENTITY_END  0x0040
#define LIVE          0x0100
#define LIVE_END      0x0180
#define LIVE_STATE    0x0101
#define COMMANDS      0x0820
#define MAGIC         0x504B
#define MAP_VERSION   0x0100
#define IMAGE_LOADER  2
#define WORDS_MAX     FW_MODBUS_READ_MAX
#define COMMAND_WORDS 4
#define RESTART       0x40
#define RESTART_MAGIC UINT32_C(0x52535431)
#define HIGHEST_PACK  246

void fw_loader_init(struct fw_loader *loader, const struct fw_update_config *config,
		    const struct fw_identity *identity, uint8_t dip, uint64_t now_ms)
{
	memset(loader, 0, sizeof *loader);
	fw_update_init(&loader->update, config, now_ms);
	loader->identity = identity;

	const uint8_t stored = loader->update.state.address;

	if (stored > 0 && stored <= HIGHEST_PACK)
		loader->address = stored;
	else
		loader->address = dip > 0 && dip <= HIGHEST_PACK ? dip : FW_MODBUS_UNASSIGNED;
}

static uint16_t text_word(const char *text, size_t index)
{
	const size_t length = strlen(text), at = 2 * index;
	const uint8_t high = at < length ? (uint8_t)text[at] : 0;
	const uint8_t low = at + 1 < length ? (uint8_t)text[at + 1] : 0;

	return (uint16_t)(high << 8 | low);
}

static uint16_t identity_word(const struct fw_identity *id, uint16_t reg)
{
	if (reg >= 0x0004 && reg < 0x000A)
		return (uint16_t)(id->chip_id[(reg - 4) / 2] >> (reg % 2 == 0 ? 16 : 0));
	if (reg >= 0x000C && reg < 0x0014)
		return text_word(id->model, reg - 0x000CU);
	if (reg >= 0x0014 && reg < 0x001C)
		return text_word(id->serial, reg - 0x0014U);
	switch (reg) {
	case 0x0000: return MAGIC;
	case 0x0001: return MAP_VERSION;
	case 0x0002: return id->device_class;
	case 0x0003: return id->features;
	case 0x000A: return (uint16_t)(id->uid32 >> 16);
	case 0x000B: return (uint16_t)id->uid32;
	case 0x001C: return id->hardware_revision;
	case 0x001F: return id->loader_version;
	case 0x002B: return (uint16_t)id->boot_reason;
	case 0x0033: return IMAGE_LOADER;
	default: return 0;
	}
}

static enum fw_exception read_words(const struct fw_loader *loader, uint16_t start, uint16_t count,
				    uint16_t *words)
{
	const uint32_t end = (uint32_t)start + count;

	if (count == 0 || count > WORDS_MAX)
		return FW_ILLEGAL_VALUE;
	if (start >= FW_UPDATE_BASE && end <= FW_UPDATE_END) {
		fw_update_read(&loader->update, start, count, words);
		return FW_FINE;
	}
	for (uint16_t i = 0; i < count; i++)
		words[i] = identity_word(loader->identity, (uint16_t)(start + i));
	if (end <= IDENTITY_END)
		return FW_FINE;
	if (start < LIVE || end > LIVE_END)
		return FW_ILLEGAL_REGISTER;
	for (uint16_t i = 0; i < count; i++)
		words[i] = start + i == LIVE_STATE ? FW_STATE_LOADER : 0;
	return FW_FINE;
}

static enum fw_exception command(struct fw_loader *loader, const uint16_t *words)
{
	if (words[0] != RESTART || ((uint32_t)words[2] << 16 | words[3]) != RESTART_MAGIC)
		return FW_ILLEGAL_VALUE;
	loader->restart = true;
	return FW_FINE;
}

static enum fw_exception write_words(struct fw_loader *loader, const struct fw_request *request)
{
	const bool broadcast = request->unit == FW_MODBUS_BROADCAST;
	uint16_t words[FW_MODBUS_WRITE_MAX];

	for (size_t i = 0; i < request->write_words; i++)
		words[i] = fw_get_u16be(request->data + 2 * i);
	if (!broadcast)
		loader->addressed = true;
	if (request->write_start >= FW_UPDATE_BASE &&
	    (uint32_t)request->write_start + request->write_words <= FW_UPDATE_END)
		return (enum fw_exception)fw_update_write(&loader->update, request->write_start,
							  request->write_words, words,
							  FW_UPDATE_LEVEL, broadcast);
	if (!broadcast && request->write_start == COMMANDS && request->write_words == COMMAND_WORDS)
		return command(loader, words);
	return FW_ILLEGAL_REGISTER;
}

static size_t answer_read(struct fw_loader *loader, const struct fw_request *request, uint8_t *out)
{
	uint16_t words[WORDS_MAX];
	const enum fw_exception bad =
		read_words(loader, request->read_start, request->read_words, words);

	if (bad != FW_FINE)
		return fw_modbus_exception(request, bad, out);
	for (size_t i = 0; i < request->read_words; i++)
		fw_put_u16be(out + 3 + 2 * i, words[i]);
	return fw_modbus_answer(request->unit, request->function, (size_t)request->read_words * 2,
				out);
}

static size_t answer(struct fw_loader *loader, const struct fw_request *request, uint8_t *out)
{
	enum fw_exception bad;

	if (request->odd)
		return fw_modbus_exception(request, FW_ILLEGAL_FUNCTION, out);
	switch (request->function) {
	case FW_READ:
	case FW_READ_INPUT: return answer_read(loader, request, out);
	case FW_WRITE_ONE:
	case FW_WRITE:
		bad = write_words(loader, request);
		return bad == FW_FINE ? fw_modbus_acknowledge(request, out)
				      : fw_modbus_exception(request, bad, out);
	default: return fw_modbus_exception(request, FW_ILLEGAL_FUNCTION, out);
	}
}

void fw_loader_hear(struct fw_loader *loader, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (loader->count == sizeof loader->heard) { /* keep the newest */
			loader->count--;
			memmove(loader->heard, loader->heard + 1, loader->count);
		}
		loader->heard[loader->count++] = bytes[i];
	}
}

/* A frame is looked for at every byte, so that noise before it does not hide it. What others say to
 * each other is stepped over as a whole. */
size_t fw_loader_answer(struct fw_loader *loader, uint8_t *out)
{
	size_t at = 0, length = 0;

	while (at < loader->count) {
		const struct fw_frame frame =
			fw_modbus_look(loader->heard + at, loader->count - at, true);

		if (frame.kind == FW_FRAME_NONE || frame.kind == FW_FRAME_INCOMPLETE) {
			at++;
			continue;
		}
		at += frame.length;
		length = 0;
		if (frame.kind != FW_FRAME_REQUEST)
			continue;
		if (frame.request.unit == loader->address)
			length = answer(loader, &frame.request, out);
		else if (frame.request.unit == FW_MODBUS_BROADCAST &&
			 frame.request.function == FW_WRITE && !frame.request.odd)
			(void)write_words(loader, &frame.request);
	}
	loader->count = 0;
	return length;
}

bool fw_loader_tick(struct fw_loader *loader, uint64_t now_ms)
{
	const struct fw_update_pack pack = {.soc_cpct = -1, .address = loader->address};
	const bool more = fw_update_tick(&loader->update, &pack, now_ms);

	if (loader->update.restart)
		loader->restart = true;
	return more;
}
