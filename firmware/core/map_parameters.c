// SPDX-License-Identifier: Apache-2.0
/* Parameters 0200: one register each, as parameters.h lists them. A write is checked as a whole
 * (levels, ranges, what must lie below what) and then done as a whole. */
#include <string.h>

#include "bytes.h"
#include "map.h"

#define FIRST    0x0200
#define BAUD_REG 0x0280

static int32_t *place(struct fw_parameters *parameters, const struct fw_parameter *row)
{
	return (int32_t *)(void *)((char *)parameters + row->offset);
}

enum fw_exception fw_map_parameters(const struct fw_access *access, uint16_t offset, uint16_t words,
				    uint8_t *out)
{
	struct fw_parameters *parameters = &access->server->pack->parameters;

	memset(out, 0, 2 * (size_t)words);
	for (int i = 0; i < fw_parameter_count; i++) {
		const struct fw_parameter *row = &fw_parameter_rows[i];
		const unsigned at = (unsigned)row->reg - FIRST;

		if (at >= offset && at - offset < words)
			fw_put_word(out, at - offset, (uint16_t)*place(parameters, row));
	}
	return FW_FINE;
}

/* In 100 bit/s. */
static bool is_baud(int32_t value)
{
	static const uint16_t bauds[] = {96, 192, 384, 576, 1152, 2500};

	for (size_t i = 0; i < sizeof bauds / sizeof bauds[0]; i++)
		if (value == bauds[i])
			return true;
	return false;
}

static enum fw_exception change(const struct fw_access *access, struct fw_parameters *parameters,
				uint16_t reg, uint16_t word)
{
	const struct fw_parameter *row = fw_parameter_find(reg);
	int32_t value;

	if (!row)
		return FW_ILLEGAL_REGISTER;
	if (fw_auth_level(&access->server->auth, access->now_ms) < row->level)
		return FW_LOCKED;
	value = row->low < 0 ? (int16_t)word : word;
	if (value < row->low || value > row->high || (reg == BAUD_REG && !is_baud(value)))
		return FW_ILLEGAL_VALUE;
	*place(parameters, row) = value;
	return FW_FINE;
}

/* Somebody who is told everything that is wrong at once would like the first; the order is that of
 * the registers. */
enum fw_exception fw_map_write_parameters(const struct fw_access *access, uint16_t offset,
					  uint16_t words, const uint8_t *data)
{
	struct fw_server *server = access->server;
	struct fw_parameters parameters = server->pack->parameters;
	const int32_t baud = parameters.baud_100;

	if (access->broadcast)
		return FW_ILLEGAL_REGISTER;
	for (uint16_t i = 0; i < words; i++) {
		enum fw_exception result = change(
			access, &parameters, (uint16_t)(FIRST + offset + i), fw_get_word(data, i));

		if (result)
			return result;
	}
	fw_auth_used(&server->auth, access->now_ms);
	if (memcmp(&parameters, &server->pack->parameters, sizeof parameters) == 0)
		return FW_FINE;
	if (!fw_pack_set_parameters(server->pack, &parameters))
		return FW_ILLEGAL_VALUE;
	server->change_baud |= parameters.baud_100 != baud;
	fw_store_touch(&server->store, access->now_ms);
	fw_map_note(access, FW_EVENT_REGISTER_WRITTEN + FIRST / 256, FIRST + offset, words);
	return FW_FINE;
}
