// SPDX-License-Identifier: Apache-2.0
/* The hooks of the CAN protocols where a frame of their protocol cannot show all they do: the ends
 * of ranges, what is unknown, racks of several packs. */
#include "../cmocka_all.h"

#include "layout.h"
#include "snippet.h"

static struct battery battery;
static struct wire_values values;

static struct wire *load_hook(const char *name)
{
	char fields[80];

	snprintf(fields, sizeof fields, "{hook: %s}", name);
	return load_fields(fields);
}

/* The bytes that a hook sends for `battery`, as hex; "-" when it has nothing to say. */
static const char *sent(const char *name)
{
	static char text[20];
	struct wire *wire = load_hook(name);
	struct can_message frame;
	struct wire_context ctx;

	assert_non_null(wire);
	wire_context_init(wire, &ctx);
	strcpy(text, "-");
	if (wire_encode_can(wire, 0, &ctx, &battery, &frame) == 1)
		for (int i = 0; i < frame.length; i++)
			sprintf(text + 2 * (size_t)i, "%02X", frame.data[i]);
	wire_free(wire);
	return text;
}

/* Reads bytes by a hook into `values`, on top of what is there. */
static void read_more(const char *name, const char *hex)
{
	struct wire *wire = load_hook(name);
	struct can_message frame = {.id = 0x100};
	struct wire_context ctx;

	assert_non_null(wire);
	wire_context_init(wire, &ctx);
	for (; *hex; hex += 2)
		sscanf(hex, "%2hhx", &frame.data[frame.length++]);
	assert_int_equal(wire_decode_can(wire, &ctx, &frame, &values), 0);
	wire_free(wire);
}

static void read_first(const char *name, const char *hex)
{
	wire_values_clear(&values);
	read_more(name, hex);
}

static int clear(void **state)
{
	(void)state;
	battery_clear(&battery);
	battery.charge_current_limit_ma = 1000;
	return 0;
}

static void jk_levels(void **state)
{
	(void)state;
	assert_string_equal(sent("jk_levels"), "00000000");
	battery.warnings = ALARM_BIT(ALARM_cell_overvoltage);
	assert_string_equal(sent("jk_levels"), "03000000");
	battery.protections = ALARM_BIT(ALARM_pack_overvoltage); /* has no bit in V2 */
	assert_string_equal(sent("jk_levels"), "01000000");
	battery.protections = ALARM_BIT(ALARM_emergency_stop); /* has none at all */
	battery.warnings = 0;
	assert_string_equal(sent("jk_levels"), "00000010");
	battery_clear(&battery); /* no data */
	assert_string_equal(sent("jk_levels"), "00000010");

	read_first("jk_levels", "43000000"); /* general; pack voltage serious as in V1 */
	assert_true(values.battery.warnings == ALARM_BIT(ALARM_cell_overvoltage));
	assert_true(values.battery.protections == ALARM_BIT(ALARM_pack_undervoltage));
	read_more("jk_levels", "00002000"); /* important */
	assert_true(values.battery.warnings == ALARM_BIT(ALARM_low_soc));
	assert_true(values.battery.protections == ALARM_BIT(ALARM_pack_undervoltage));
}

static void jk_temperatures(void **state)
{
	(void)state;
	assert_string_equal(sent("jk_temperatures"), "-");
	battery.temperature_max_mC = 25400;
	assert_string_equal(sent("jk_temperatures"), "014BFFFFFFFF");
	battery.temperature_min_mC = -51000; /* 0 would be "absent" */
	battery.mos_temperature_max_mC = 300000;
	assert_string_equal(sent("jk_temperatures"), "074B01FEFFFF");

	read_first("jk_temperatures", "104B4C004E4F"); /* the mask of a JK is wrong */
	assert_int_equal(values.battery.packs[0].temperature_count, 5);
	assert_int_equal(values.battery.packs[0].temperatures_mC[0], 25000);
	assert_int_equal(values.battery.packs[0].temperatures_mC[2], FIELD_UNKNOWN);
	assert_int_equal(values.battery.mos_temperature_max_mC, FIELD_UNKNOWN);
	read_first("jk_temperatures", "1F4B4C514E4F");
	assert_int_equal(values.battery.mos_temperature_max_mC, 31000);
}

static void jk_cycled(void **state)
{
	(void)state;
	assert_string_equal(sent("jk_cycled"), "0000");
	battery.cycles = 35;
	battery.capacity_mah = 100500;
	assert_string_equal(sent("jk_cycled"), "6789"); /* 3517.5 Ah */
	battery.cycles = 2000;
	assert_string_equal(sent("jk_cycled"), "FFFF");
}

static void growatt_hooks(void **state)
{
	(void)state;
	assert_string_equal(sent("soh_and_life"), "64");
	battery.soh_mpct = 98500;
	assert_string_equal(sent("soh_and_life"), "63");
	battery.soh_mpct = 250000;
	assert_string_equal(sent("soh_and_life"), "64");
	read_first("soh_and_life", "E3");
	assert_int_equal(values.battery.soh_mpct, 99000);

	assert_string_equal(sent("maker_letters"), "4F50");
	strcpy(battery.manufacturer, "Seplos");
	assert_string_equal(sent("maker_letters"), "5345");
	strcpy(battery.manufacturer, "J-K");
	assert_string_equal(sent("maker_letters"), "4F50");
	read_first("maker_letters", "0001"); /* the example of the text */
	assert_string_equal(values.battery.manufacturer, "");

	assert_string_equal(sent("protecting_pack"), "00");
	battery.pack_count = 3;
	for (int i = 0; i < 3; i++) {
		pack_clear(&battery.packs[i]);
		battery.packs[i].pack = i + 1;
	}
	battery.packs[1].protections = battery.packs[2].protections = 1;
	assert_string_equal(sent("protecting_pack"), "02");
}

static void seplos_map(void **state)
{
	(void)state;
	assert_string_equal(sent("online_map"), "00");
	battery.packs_online = 3;
	assert_string_equal(sent("online_map"), "07");
	battery.packs_online = 16;
	assert_string_equal(sent("online_map"), "FF");
	battery.pack_count = 2;
	pack_clear(&battery.packs[0]);
	pack_clear(&battery.packs[1]);
	battery.packs[0].pack = 4;
	battery.packs[0].state = PACK_HELD;
	battery.packs[1].pack = 9; /* beyond the map */
	battery.packs[1].state = PACK_ACTIVE;
	assert_string_equal(sent("online_map"), "08");
	battery.packs[0].state = PACK_LOST;
	assert_string_equal(sent("online_map"), "00");
}

static void levels_and_modules(void **state)
{
	(void)state;
	assert_string_equal(sent("alarm_level"), "0000");
	battery.warnings = 1;
	assert_string_equal(sent("alarm_level"), "0100");
	battery.protections = 1;
	assert_string_equal(sent("alarm_level"), "0200");
	read_first("alarm_level", "0100");
	assert_true(values.battery.warnings && !values.battery.protections);
	read_more("alarm_level", "0000");
	assert_true(!values.battery.warnings && !values.battery.protections);

	assert_string_equal(sent("us3000_modules"), "01");
	battery.capacity_mah = 280000;
	assert_string_equal(sent("us3000_modules"), "03");
	battery.capacity_mah = 2000000000;
	assert_string_equal(sent("us3000_modules"), "FF");
}

static void afore_cell_limits(void **state)
{
	(void)state;
	assert_string_equal(sent("cell_limits"), "420EC409");
	battery.pack_count = 2;
	pack_clear(&battery.packs[0]);
	pack_clear(&battery.packs[1]);
	battery.packs[0].settings.cell_overvoltage_mv = 3600;
	battery.packs[1].settings.cell_overvoltage_mv = 3550;
	battery.packs[1].settings.cell_undervoltage_mv = 2700;
	assert_string_equal(sent("cell_limits"), "DE0D8C0A");
}

/* Deye: the clock of an inverter, of a simulated one, and no clock. */
static void deye_clock(void **state)
{
	struct wire *wire = load_text(CAN_HEAD "messages:\n  - {id: 0x305, name: m, from: inverter,"
					       " fields: [{hook: deye_clock}]}\n",
				      stderr);
	struct can_message frame = {.id = 0x305, .length = 8, .data = {1, 2, 24, 4, 5, 24}};
	struct wire_context ctx;
	struct inverter_view view;

	(void)state;
	assert_non_null(wire);
	wire_context_init(wire, &ctx);
	wire_values_clear(&values);
	assert_int_equal(wire_decode_can(wire, &ctx, &frame, &values), 0); /* 24 h is no hour */
	assert_string_equal(values.inverter.inverter_time, "");
	assert_int_equal(values.inverter.inverter_alive, 1);
	inverter_view_clear(&view);
	assert_int_equal(wire_encode_can_inverter(wire, 0, &ctx, &view, &frame), 1);
	assert_memory_equal(frame.data, "\0\0\0\0\0\0\0\0", 8);
	strcpy(view.inverter_time, "2026-11-20T12:30:45");
	assert_int_equal(wire_encode_can_inverter(wire, 0, &ctx, &view, &frame), 1);
	assert_memory_equal(frame.data, "\x2D\x1E\x0C\x14\x0B\x1A\0\0", 8);
	assert_int_equal(wire_decode_can(wire, &ctx, &frame, &values), 0);
	assert_string_equal(values.inverter.inverter_time, view.inverter_time);
	wire_free(wire);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(jk_levels, clear),
		cmocka_unit_test_setup(jk_temperatures, clear),
		cmocka_unit_test_setup(jk_cycled, clear),
		cmocka_unit_test_setup(growatt_hooks, clear),
		cmocka_unit_test_setup(seplos_map, clear),
		cmocka_unit_test_setup(levels_and_modules, clear),
		cmocka_unit_test_setup(afore_cell_limits, clear),
		cmocka_unit_test(deye_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
