// SPDX-License-Identifier: Apache-2.0
/* docs/firmware says what the tables say: every row, made from the table, must stand in its page.
 * With ONEPACK_PRINT set the rows are printed instead, to be pasted there. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/protect.h"

static const char *const statuses[FW_STATUSES] = {
	[FW_CELL_OV] = "cell overvoltage",
	[FW_CELL_UV] = "cell undervoltage",
	[FW_PACK_OV] = "pack overvoltage",
	[FW_PACK_UV] = "pack undervoltage",
	[FW_CHARGE_OC1] = "charge over-current 1",
	[FW_CHARGE_OC2] = "charge over-current 2",
	[FW_DISCHARGE_OC1] = "discharge over-current 1",
	[FW_DISCHARGE_OC2] = "discharge over-current 2",
	[FW_SHORT_CIRCUIT] = "short circuit",
	[FW_CHARGE_OT] = "charge over-temperature",
	[FW_CHARGE_UT] = "charge under-temperature",
	[FW_DISCHARGE_OT] = "discharge over-temperature",
	[FW_DISCHARGE_UT] = "discharge under-temperature",
	[FW_MOS_OT] = "MOSFET over-temperature",
	[FW_AMBIENT_OT] = "ambient over-temperature",
	[FW_AMBIENT_UT] = "ambient under-temperature",
	[FW_CELL_HIGH] = "abnormal high voltage",
	[FW_CHARGE_FORBIDDEN] = "charging forbidden",
	[FW_SOC_LOW] = "charge low",
	[FW_CELL_DIFFERENCE] = "cell difference",
	[FW_TEMPERATURE_DIFFERENCE] = "temperature difference",
	[FW_BALANCE_WIRE] = "balance wire",
	[FW_REVERSED] = "reverse polarity",
};

static const char *const quantities[] = {
	[FW_Q_CELL_MAX_MV] = "highest cell, mV",
	[FW_Q_CELL_MIN_MV] = "lowest cell, mV",
	[FW_Q_PACK_MV] = "pack, mV",
	[FW_Q_CHARGE_MA] = "charge current, mA",
	[FW_Q_DISCHARGE_MA] = "discharge current, mA",
	[FW_Q_CELL_MAX_DC] = "hottest cell sensor, 0.1 degC",
	[FW_Q_CELL_MIN_DC] = "coldest cell sensor, 0.1 degC",
	[FW_Q_MOS_DC] = "hottest MOSFET, 0.1 degC",
	[FW_Q_AMBIENT_DC] = "ambient, 0.1 degC",
	[FW_Q_CELL_SPREAD_MV] = "highest minus lowest cell, mV",
	[FW_Q_TEMPERATURE_SPREAD_DC] = "hottest minus coldest cell, 0.1 degC",
	[FW_Q_WIRE_DMOHM] = "worst balance wire, 0.1 mOhm",
	[FW_Q_SOC_PCT] = "charge, %",
	[FW_Q_SHORT] = "front end's report",
	[FW_Q_REVERSED] = "terminal input",
};

static const char *const computed[] = {
	"",
	"pack_ov_cV x 10, or cells x cell_ov_mv",
	"as far below as the cells' release",
	"pack_uv_cV x 10, or cells x cell_uv_mv",
	"as far above as the cells' release",
	"3/4 of it",
	"charge_oc1_dA x 100, at most the rating",
	"charge_oc2_dA x 100, at most 1.5 ratings",
	"discharge_oc1_dA x 100, at most the rating",
	"discharge_oc2_dA x 100, at most 1.5 ratings",
};

static const char *const faults[FW_FAULTS] = {
	[FW_FAULT_CHARGE_MOS] = "charge MOSFET",
	[FW_FAULT_DISCHARGE_MOS] = "discharge MOSFET",
	[FW_FAULT_AFE] = "front end",
	[FW_FAULT_CURRENT_SENSOR] = "current sensor",
	[FW_FAULT_TEMPERATURE_SENSOR] = "temperature sensor",
	[FW_FAULT_CELL_WIRE] = "cell wire",
	[FW_FAULT_CELL_COUNT] = "cell count",
	[FW_FAULT_PARAMETER_MEMORY] = "parameter memory",
	[FW_FAULT_CLOCK] = "clock",
	[FW_FAULT_UNCALIBRATED] = "not calibrated",
	[FW_FAULT_HEATER] = "heater",
	[FW_FAULT_BALANCER] = "balancer",
	[FW_FAULT_WATCHDOG] = "watchdog",
	[FW_FAULT_SELF_TEST] = "self-test",
	[FW_FAULT_REMOTE_STOP] = "remote stop",
	[FW_FAULT_BREAKER] = "breaker",
	[FW_FAULT_LOG_MEMORY] = "log memory",
	[FW_FAULT_SUPPLY] = "supply",
};

static const char *const opens[] = {"-", "charge", "discharge", "both"};

static const char *page(const char *name)
{
	static char text[65536];
	char path[512];
	FILE *file;
	size_t length;

	snprintf(path, sizeof path, "%s/docs/firmware/%s", ONEPACK_SOURCE_DIR, name);
	file = fopen(path, "r");
	assert_non_null(file);
	length = fread(text, 1, sizeof text - 1, file);
	text[length] = '\0';
	fclose(file);
	return text;
}

static void expect(const char *text, const char *row)
{
	if (getenv("ONEPACK_PRINT"))
		printf("%s", row);
	else if (!strstr(text, row))
		fail_msg("not in the page: %s", row);
}

static const char *parameter_name(uint16_t offset)
{
	for (int i = 0; i < fw_parameter_count; i++)
		if (fw_parameter_rows[i].offset == offset)
			return fw_parameter_rows[i].name;
	fail_msg("no parameter at %d", offset);
	return "";
}

static const char *level_text(const struct fw_level *level, char *text, size_t size)
{
	int length;

	if (level->parameter == FW_CONSTANT) {
		snprintf(text, size, "%d", level->plus);
		return text;
	}
	if (level->parameter > FW_CONSTANT)
		return computed[level->parameter - FW_CONSTANT];
	length = snprintf(text, size, "%s", parameter_name(level->parameter));
	if (level->times != 1)
		length += snprintf(text + length, size - (size_t)length, " x %d", level->times);
	if (level->plus != 0)
		snprintf(text + length, size - (size_t)length, " %c %d",
			 level->plus < 0 ? '-' : '+', abs(level->plus));
	return text;
}

static void flags_text(int flags, char *text, size_t size)
{
	snprintf(text, size, "%s%s%s%s",
		 flags & FW_GUARD_ASIDE ? "gives way to the other direction; " : "",
		 flags & FW_GUARD_OVERRIDDEN ? "overridden in an emergency; " : "",
		 flags & FW_GUARD_COUNTED ? "locks after too many; " : "",
		 flags & FW_GUARD_ZERO_OFF ? "0 = off; " : "");
	if (*text)
		text[strlen(text) - 2] = '\0';
}

static void every_guard_is_documented(void **state)
{
	static const char *const words[] = {"warning", "protection", "power-off"};
	const char *text = page("protection.md");

	(void)state;
	for (int i = 0; i < fw_guard_row_count; i++) {
		const struct fw_guard_row *row = &fw_guard_rows[i];
		char line[512], trip[80], release[80], delay[80], flags[160];
		bool timed = (row->flags & FW_GUARD_TIMED) != 0;
		const char *way = row->flags & FW_GUARD_BELOW ? "<=" : ">=";
		const char *back = row->flags & FW_GUARD_BELOW ? ">=" : "<=";

		flags_text(row->flags, flags, sizeof flags);
		snprintf(line, sizeof line, "| %s | %s | %s | %s %s | %s %s | %s | %s | %s |\n",
			 statuses[row->status], words[row->word], quantities[row->quantity], way,
			 level_text(&row->trip, trip, sizeof trip), timed ? "after, ms:" : back,
			 level_text(&row->release, release, sizeof release),
			 level_text(&row->delay_ms, delay, sizeof delay), opens[row->opens], flags);
		expect(text, line);
	}
}

static void every_fault_is_documented(void **state)
{
	const char *text = page("protection.md");

	(void)state;
	for (int i = 0; i < fw_fault_row_count; i++) {
		const struct fw_fault_row *row = &fw_fault_rows[i];
		char line[256];

		snprintf(line, sizeof line, "| %s | %d | %s | %s | %s | ", faults[row->fault],
			 row->delay_ms, opens[row->opens],
			 row->flags & FW_FAULT_LATCHED ? "until cleared" : "after 3 s",
			 row->flags & FW_FAULT_OVERRIDDEN ? "yes" : "no");
		expect(text, line);
		if (getenv("ONEPACK_PRINT"))
			printf("\n");
	}
}

static void every_parameter_is_documented(void **state)
{
	const char *text = page("parameters.md");

	(void)state;
	for (int i = 0; i < fw_parameter_count; i++) {
		const struct fw_parameter *row = &fw_parameter_rows[i];
		char line[256];

		snprintf(line, sizeof line, "| %04X | %s | %d | %d | %d | %d..%d | %d |\n",
			 row->reg, row->name, row->preset[FW_LFP], row->preset[FW_LI_ION],
			 row->preset[FW_LTO], row->low, row->high, row->level);
		expect(text, line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_guard_is_documented),
		cmocka_unit_test(every_fault_is_documented),
		cmocka_unit_test(every_parameter_is_documented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
