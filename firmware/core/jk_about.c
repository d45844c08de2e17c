// SPDX-License-Identifier: Apache-2.0
/* JK's registers 1400: who the pack is. */
#include <stddef.h>

#include "jk_rows.h"

#define UART_MODBUS 1 /* "JK BMS RS485 Modbus V1.0" in the list of protocols */

static uint32_t starts(const struct fw_access *access, int index)
{
	(void)index;
	return pack_of(access)->counters.starts;
}

static char digit(uint32_t value, uint32_t place)
{
	return (char)('0' + value / place % 10);
}

/* Texts are made character by character: "1.04" for 1 and 4, "12.34". */
static uint32_t version_text(uint32_t major, uint32_t minor, int index)
{
	const char text[6] = {digit(major, 10), digit(major, 1), '.',
			      digit(minor, 10), digit(minor, 1), '\0'};

	return (uint8_t)text[index + (major < 10)];
}

static uint32_t hardware(const struct fw_access *access, int index)
{
	const uint32_t revision = pack_of(access)->identity->hardware_revision;

	return version_text(revision >> 8, revision & 0xFF, index);
}

static uint32_t firmware(const struct fw_access *access, int index)
{
	const struct fw_identity *identity = pack_of(access)->identity;

	return version_text(identity->major, identity->minor, index);
}

#define DAYS_4_YEARS 1461

/* yymmdd of days since 2020-01-01, to 2099. */
static uint32_t date(const struct fw_access *access, int index)
{
	static const uint8_t lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	uint32_t day = pack_of(access)->identity->production_day;
	uint32_t year = 20 + day / DAYS_4_YEARS * 4, month = 0;

	day %= DAYS_4_YEARS;
	if (day >= 366) { /* the first of four is a leap year */
		year += 1 + (day - 366) / 365;
		day = (day - 366) % 365;
	}
	while (month < 11) {
		const uint32_t length =
			lengths[month] + (uint32_t)(month == 1 && year % 4 == 0 ? 1 : 0);

		if (day < length)
			break;
		day -= length;
		month++;
	}

	const char text[6] = {digit(year, 10),     digit(year, 1),     digit(month + 1, 10),
			      digit(month + 1, 1), digit(day + 1, 10), digit(day + 1, 1)};

	return (uint8_t)text[index];
}

static uint32_t model(const struct fw_access *access, int index)
{
	return (uint8_t)pack_of(access)->identity->model[index];
}

static uint32_t serial(const struct fw_access *access, int index)
{
	return (uint8_t)pack_of(access)->identity->serial[index];
}

static uint32_t protocol(const struct fw_access *access, int index)
{
	(void)access;
	(void)index;
	return UART_MODBUS;
}

static uint32_t record_s(const struct fw_access *access, int index)
{
	(void)index;
	return (uint32_t)pack_of(access)->parameters.record_period_s;
}

/* Bluetooth PIN and passwords stay 0. */
static const struct fw_jk_row about_rows[] = {
	{0x00, 1, 16, 1, 0, model},
	{0x10, 1, 5, 1, 0, hardware},
	{0x18, 1, 5, 1, 0, firmware},
	{0x20, 4, 1, 1, offsetof(struct fw_pack, counters.run_s), NULL},
	{0x24, 4, 1, 1, 0, starts},
	{0x28, 1, 16, 1, 0, serial},
	{0x48, 1, 6, 1, 0, date},
	{0x50, 1, 16, 1, 0, serial},
	{0xB2, 1, 1, 1, 0, protocol},
	{0xD4, 1, 1, 1, 0, protocol},
	{0x100, 4, 1, 1, 0, record_s},
};

const struct fw_jk_rows fw_jk_about = {about_rows, FW_JK_COUNT(about_rows)};
