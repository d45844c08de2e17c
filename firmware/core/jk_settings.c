// SPDX-License-Identifier: Apache-2.0
/* JK's registers 1000: settings. What has no counterpart here is 0. */
#include <stddef.h>

#include "jk_rows.h"

#define CONTROL_RS485  (1 << 3) /* of the control word: the port is RS485, not CAN */
#define CONTROL_HEATER (1 << 0)

uint8_t fw_jk_held_off(const struct fw_access *access)
{
	const struct fw_work *work = &pack_of(access)->work;

	return work->allow_mask & (uint8_t)~work->allow_value;
}

bool fw_jk_is_allowed(const struct fw_access *access, uint8_t allow)
{
	const bool mosfet = allow != FW_ALLOW_BALANCE;

	return !(fw_jk_held_off(access) & allow || (mosfet && pack_of(access)->work.safe_stop));
}

static uint32_t charge_switch(const struct fw_access *access, int index)
{
	(void)index;
	return fw_jk_is_allowed(access, FW_ALLOW_CHARGE);
}

static uint32_t discharge_switch(const struct fw_access *access, int index)
{
	(void)index;
	return fw_jk_is_allowed(access, FW_ALLOW_DISCHARGE);
}

static uint32_t balance_switch(const struct fw_access *access, int index)
{
	(void)index;
	return pack_of(access)->parameters.balance_mode != 0 &&
	       fw_jk_is_allowed(access, FW_ALLOW_BALANCE);
}

static uint32_t address(const struct fw_access *access, int index)
{
	(void)index;
	return access->server->addressing.address;
}

static uint32_t precharge_s(const struct fw_access *access, int index)
{
	(void)index;
	return ((uint32_t)pack_of(access)->parameters.precharge_max_ms + 999) / 1000;
}

static uint32_t control(const struct fw_access *access, int index)
{
	(void)index;
	return CONTROL_RS485 | (pack_of(access)->parameters.heater_mode ? CONTROL_HEATER : 0);
}

/* Heating start and stop, whole degrees. */
static uint32_t heating(const struct fw_access *access, int index)
{
	const struct fw_parameters *parameters = &pack_of(access)->parameters;

	return (uint32_t)((index == 0 ? parameters->heater_start_dC : parameters->heater_stop_dC) /
			  10);
}

#define SET(member, times_) (times_), offsetof(struct fw_pack, parameters.member), NULL

static const struct fw_jk_row settings_rows[] = {
	{0x00, 4, 1, SET(soc_empty_mv, 1)}, /* "smart sleep": below it a pack may sleep */
	{0x04, 4, 1, SET(cell_uv_mv, 1)},
	{0x08, 4, 1, SET(cell_uv_release_mv, 1)},
	{0x0C, 4, 1, SET(cell_ov_mv, 1)},
	{0x10, 4, 1, SET(cell_ov_release_mv, 1)},
	{0x14, 4, 1, SET(balance_trigger_mv, 1)},
	{0x18, 4, 1, SET(soc_full_mv, 1)},
	{0x1C, 4, 1, SET(soc_empty_mv, 1)},
	{0x20, 4, 1, SET(charge_request_mv, 1)},
	{0x24, 4, 1, SET(float_request_mv, 1)},
	{0x28, 4, 1, SET(power_off_mv, 1)},
	/* drivers take these two for the limits of the pack: not the protections above them */
	{0x2C, 4, 1, SET(charge_limit_dA, 100)},
	{0x30, 4, 1, SET(charge_oc1_delay_s, 1)},
	{0x34, 4, 1, SET(charge_oc_release_s, 1)},
	{0x38, 4, 1, SET(discharge_limit_dA, 100)},
	{0x3C, 4, 1, SET(discharge_oc1_delay_s, 1)},
	{0x40, 4, 1, SET(discharge_oc_release_s, 1)},
	{0x44, 4, 1, SET(short_circuit_release_s, 1)},
	{0x48, 4, 1, SET(balance_max_ma, 1)},
	{0x4C, 4, 1, SET(charge_ot_dC, 1)},
	{0x50, 4, 1, SET(charge_ot_release_dC, 1)},
	{0x54, 4, 1, SET(discharge_ot_dC, 1)},
	{0x58, 4, 1, SET(discharge_ot_release_dC, 1)},
	{0x5C, 4, 1, SET(charge_ut_dC, 1)},
	{0x60, 4, 1, SET(charge_ut_release_dC, 1)},
	{0x64, 4, 1, SET(mos_ot_dC, 1)},
	{0x68, 4, 1, SET(mos_ot_release_dC, 1)},
	{0x6C, 4, 1, SET(cells, 1)},
	{0x70, 4, 1, 1, 0, charge_switch},
	{0x74, 4, 1, 1, 0, discharge_switch},
	{0x78, 4, 1, 1, 0, balance_switch},
	{0x7C, 4, 1, SET(capacity_dAh, 100)},
	{0x80, 4, 1, SET(short_circuit_delay_us, 1)},
	{0x84, 4, 1, SET(balance_start_mv, 1)},
	{0x108, 4, 1, 1, 0, address},
	{0x10C, 4, 1, 1, 0, precharge_s},
	{0x114, 2, 1, 1, 0, control},
	{0x116, 1, 2, 1, 0, heating},
	{0x118, 1, 1, SET(sleep_h, 1)},
};

const struct fw_jk_rows fw_jk_settings = {settings_rows, FW_JK_COUNT(settings_rows)};
