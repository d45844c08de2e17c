// SPDX-License-Identifier: Apache-2.0
/* Every kind of item, both ways: tables of field, JSON-like values and bytes. */
#include "../cmocka_all.h"

#include <stdlib.h>

#include "layout.h"
#include "snippet.h"

/* Sets "name=value" pairs (vocabulary units) on a battery. */
static void set_fields(struct battery *battery, const char *text)
{
	char copy[600], *save = NULL;

	battery_clear(battery);
	snprintf(copy, sizeof copy, "%s", text);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *equals = strchr(word, '=');
		const struct field *field;
		const struct field_text *name;

		assert_non_null(equals);
		*equals = '\0';
		if (strcmp(word, "protection") == 0) {
			battery->protections |= ALARM_BIT(alarm_by_name(equals + 1));
			continue;
		}
		if (strcmp(word, "warning") == 0) {
			battery->warnings |= ALARM_BIT(alarm_by_name(equals + 1));
			continue;
		}
		if ((field = field_find(&field_battery, word))) {
			field_set(battery, field, (int32_t)strtol(equals + 1, NULL, 10));
			continue;
		}
		name = field_find_text(&field_battery, word);
		assert_non_null(name);
		snprintf((char *)battery + name->offset, FIELD_TEXT_SIZE, "%s", equals + 1);
	}
}

static void to_hex(const struct can_message *frame, char text[20])
{
	text[0] = '\0';
	for (int i = 0; i < frame->length; i++)
		sprintf(text + 2 * i, "%02X", frame->data[i]);
}

/* Encodes one field; "-" when the frame is withheld. */
static void encode_one(const char *fields, const char *values, char text[20])
{
	struct wire *wire = load_fields(fields);
	struct wire_context ctx;
	struct can_message frame;
	struct battery battery;
	int sent;

	assert_non_null(wire);
	wire_context_init(wire, &ctx);
	set_fields(&battery, values);
	sent = wire_encode_can(wire, 0, &ctx, &battery, &frame);
	assert_in_range(sent, 0, 1);
	strcpy(text, "-");
	if (sent)
		to_hex(&frame, text);
	wire_free(wire);
}

static const struct {
	const char *fields, *values, *bytes;
} encodings[] = {
	/* order and size */
	{"{is: voltage, as: u16, unit: 1 mV}", "voltage=4660", "3412"},
	{"{is: voltage, as: u16be, unit: 1 mV}", "voltage=4660", "1234"},
	{"{is: capacity, as: u24, unit: 1 mAh}", "capacity=1193046", "563412"},
	{"{is: capacity, as: u32be, unit: 1 mAh}", "capacity=305419896", "12345678"},
	{"{is: current, as: s8, unit: 1 A}", "current=-2000", "FE"},
	{"{is: current, as: s24, unit: 1 mA}", "current=-2", "FEFFFF"},
	/* rounding: limits to the safe side, all else to nearest, halves outwards */
	{"{is: charge_voltage_limit, as: u16, unit: 0.1 V}", "charge_voltage_limit=53199", "1302"},
	{"{is: charge_voltage_limit, as: u16, unit: 0.1 V}", "charge_voltage_limit=53100", "1302"},
	{"{is: charge_current_limit, as: u16, unit: 0.1 A}", "charge_current_limit=99", "0000"},
	{"{is: discharge_current_limit, as: u16, unit: 1 A}", "discharge_current_limit=99999",
	 "6300"},
	{"{is: discharge_voltage_limit, as: u16, unit: 0.1 V}", "discharge_voltage_limit=44801",
	 "C101"},
	{"{is: discharge_voltage_limit, as: u16, unit: 0.1 V}", "discharge_voltage_limit=44800",
	 "C001"},
	{"{is: voltage, as: u16, unit: 0.1 V}", "voltage=53149", "1302"},
	{"{is: voltage, as: u16, unit: 0.1 V}", "voltage=53150", "1402"},
	{"{is: voltage, as: u16, unit: 0.1 V, round: down}", "voltage=53199", "1302"},
	{"{is: voltage, as: u16, unit: 0.1 V, round: up}", "voltage=53101", "1402"},
	{"{is: current, as: s16, unit: 0.1 A}", "current=-49", "0000"},
	{"{is: current, as: s16, unit: 0.1 A}", "current=-50", "FFFF"},
	{"{is: temperature, as: s16, unit: 1 degC}", "temperature=-14500", "F1FF"},
	{"{is: current, as: s16, unit: 0.1 A, round: down}", "current=-1", "FFFF"},
	{"{is: current, as: s16, unit: 0.1 A, round: up}", "current=-199", "FFFF"},
	/* full is only full */
	{"{is: soc, as: u8, unit: 1 %}", "soc=99999", "63"},
	{"{is: soc, as: u8, unit: 1 %}", "soc=100000", "64"},
	{"{is: soc, as: u8, unit: 1 %}", "soc=120000", "64"},
	{"{is: soc, as: u8, unit: 1 %}", "soc=-5000", "00"},
	{"{is: soc, as: u16, unit: 0.01 %}", "soc=99996", "0F27"},
	{"{is: soc, as: u8, unit: 0.4 %}", "soc=99999", "F9"},
	{"{is: soh, as: u8, unit: 1 %}", "soh=99600", "64"},
	/* out of range: the end of the type */
	{"{is: voltage, as: u16, unit: 1 mV}", "voltage=70000", "FFFF"},
	{"{is: voltage, as: u16, unit: 1 mV}", "voltage=-5", "0000"},
	{"{is: current, as: s16, unit: 0.01 A}", "current=400000", "FF7F"},
	{"{is: current, as: s16, unit: 0.01 A}", "current=-400000", "0080"},
	{"{is: current, as: s16, unit: 0.01 A, invalid: 0x8000}", "current=-400000", "0180"},
	{"{is: voltage, as: u16, unit: 1 mV, invalid: 0xFFFF}", "voltage=70000", "FEFF"},
	{"{is: voltage, as: u16, unit: 0.1 V, min: 41.0, max: 63}", "voltage=40000", "9A01"},
	{"{is: voltage, as: u16, unit: 0.1 V, min: 41.0, max: 63}", "voltage=70000", "7602"},
	{"{is: charge_current_limit, as: u16, unit: 0.1 A}", "charge_current_limit=-5000", "0000"},
	/* offsets, signs, per cell */
	{"{is: temperature, as: u16, unit: 0.1 K, offset: 2731}", "temperature=25500", "AA0B"},
	{"{is: temperature, as: u16, unit: 0.1 K, offset: 2731}", "temperature=-12400", "2F0A"},
	{"{is: temperature, as: u8, unit: 1 degC, offset: 50}", "temperature=-60000", "00"},
	{"{is: current, as: u16, unit: 0.1 A, offset: 4000}", "current=56700", "D711"},
	{"{is: current, as: u16, unit: 0.1 A, offset: 4000}", "current=-500000", "0000"},
	{"{is: current, as: s16, unit: 0.1 A, negative: yes}", "current=10000", "9CFF"},
	{"{is: discharge_current_limit, as: s16, unit: 0.1 A, negative: yes}",
	 "discharge_current_limit=55590", "D5FD"},
	{"{is: power, as: u32, unit: 1 mW, abs: yes}", "power=-2", "02000000"},
	{"{is: power, as: s32, unit: 1 W}", "voltage=50000 current=-10000", "0CFEFFFF"},
	{"{is: charge_voltage_limit, as: u16, unit: 1 mV, per: cell}",
	 "charge_voltage_limit=55210 cells_in_series=16", "7A0D"},
	{"{is: charge_voltage_limit, as: u16, unit: 1 mV, per: cell}", "charge_voltage_limit=55200",
	 "-"},
	/* unknown */
	{"{is: voltage, as: u16, unit: 0.1 V}", "", "-"},
	{"{is: voltage, as: u16, unit: 0.1 V, unknown: withhold}", "", "-"},
	{"{is: voltage, as: u16, unit: 0.1 V, unknown: 48.0}", "", "E001"},
	{"{is: voltage, as: u16, unit: 0.1 V, unknown: 0xFFFF}", "", "FFFF"},
	{"{is: voltage, as: u16, unit: 0.1 V, invalid: 0xFFFE}", "", "FEFF"},
	{"{is: current, as: s16, unit: 0.1 A, invalid: 0x8000}", "", "0080"},
	{"{is: voltage, as: u16, unit: 1 mV, unknown: [cell_mean, 48]}", "cell_mean=3300", "E40C"},
	{"{is: voltage, as: u16, unit: 1 mV, unknown: [cell_mean, withhold]}", "", "-"},
	{"{is: voltage | cell_mean, as: u16, unit: 1 mV}", "cell_mean=3300", "E40C"},
	/* a charge voltage is never nothing */
	{"{is: charge_voltage_limit, as: u16, unit: 0.1 V, unknown: [voltage, 51.2]}", "", "0002"},
	{"{is: charge_voltage_limit, as: u16, unit: 0.1 V, unknown: [voltage, 51.2]}",
	 "charge_voltage_limit=0 voltage=53190", "1302"},
	{"{is: charge_voltage_limit, as: u16, unit: 0.1 V, unknown: [voltage, 51.2]}",
	 "charge_voltage_limit=50 voltage=0", "0002"},
	{"{is: charge_voltage_limit, as: u16, unit: 0.1 V}", "charge_voltage_limit=-9000", "-"},
	/* limits: no current when not allowed or unknown */
	{"{is: charge_current_limit, as: u16, unit: 0.1 A}", "", "0000"},
	{"{is: charge_current_limit, as: u16, unit: 0.1 A}",
	 "charge_current_limit=50000 charge_allowed=0", "0000"},
	{"{is: charge_current_limit, as: u16, unit: 0.1 A}", "charge_current_limit=50000", "F401"},
	{"{is: discharge_current_limit, as: u16, unit: 0.1 A}",
	 "discharge_current_limit=50000 discharge_allowed=0", "0000"},
	/* the two derived charge voltages */
	{"{is: charge_voltage_at_rest, as: u16, unit: 0.1 V}",
	 "charge_voltage_limit=55200 voltage=53240 charge_allowed=0 charge_current_limit=9000 "
	 "discharge_current_limit=9000",
	 "2802"},
	{"{is: charge_voltage_at_rest, as: u16, unit: 0.1 V}",
	 "charge_voltage_limit=55200 voltage=53240 charge_allowed=0 discharge_allowed=0", "1402"},
	{"{is: charge_voltage_held, as: u16, unit: 0.1 V}",
	 "charge_voltage_limit=55200 voltage=53240 charge_allowed=0 charge_current_limit=9000",
	 "1402"},
	{"{is: charge_voltage_held, as: u16, unit: 0.1 V}",
	 "charge_voltage_limit=50000 voltage=53240 charge_allowed=1 charge_current_limit=9000",
	 "1202"},
	{"{is: charge_voltage_held, as: u16, unit: 0.1 V}",
	 "charge_voltage_limit=55200 voltage=53240 charge_allowed=1 charge_current_limit=9000",
	 "2802"},
	{"{is: charge_voltage_held, as: u16, unit: 0.1 V}", "voltage=53240", "1402"},
	{"{is: charge_voltage_stopped, as: u16, unit: 0.1 V}",
	 "charge_voltage_limit=55200 voltage=53240 charge_allowed=0 charge_current_limit=9000",
	 "1402"},
	{"{is: charge_voltage_stopped, as: u16, unit: 0.1 V}",
	 "charge_voltage_limit=50000 voltage=53240 charge_allowed=0 charge_current_limit=9000",
	 "F401"},
	{"{is: charge_voltage_stopped, as: u16, unit: 0.1 V}",
	 "charge_voltage_limit=55200 voltage=53240 charge_allowed=1 charge_current_limit=9000",
	 "2802"},
	{"{is: charge_voltage_raised, as: u16, unit: 0.1 V}",
	 "charge_voltage_limit=50000 voltage=53240 discharge_allowed=0 charge_current_limit=9000",
	 "1402"},
	{"{is: charge_voltage_raised, as: u16, unit: 0.1 V}",
	 "charge_voltage_limit=55200 voltage=53240 charge_allowed=0", "2802"},
	{"{is: charge_voltage_raised, as: u16, unit: 0.1 V}",
	 "charge_voltage_limit=50000 voltage=53240 charge_current_limit=9000 "
	 "discharge_current_limit=9000",
	 "F401"},
	/* counts, enumerations, numbers across the rack */
	{"{is: cycles, as: u8}", "cycles=300", "FF"},
	{"{is: state, as: u8, values: {1: standby, 2: charging, 3: discharging}, unknown: 0x00}",
	 "state=0", "02"},
	{"{is: state, as: u8, values: {1: standby, 2: charging, 3: discharging}, unknown: 0x00}",
	 "state=3", "00"},
	{"{is: cell_max_number, as: u8}", "cell_max_pack=3 cell_max_cell=4 cells_in_series=16",
	 "24"},
	{"{is: cell_max_number, as: u8, max: 254}",
	 "cell_max_pack=16 cell_max_cell=16 cells_in_series=16", "FE"},
	{"{is: cells_total, as: u8}", "packs_online=3 cells_in_series=16", "30"},
	{"{is: cells_total, as: u8}", "cells_in_series=15", "0F"},
	{"{is: packs_offline, as: u8}", "packs_total=16 packs_online=14", "02"},
	{"{is: cell_delta, as: u8, unit: 1 mV}", "cell_max=3345 cell_min=3333", "0C"},
	{"{is: charge_current, as: u8, unit: 1 A},{is: discharge_current, as: u8, unit: 1 A}",
	 "current=-12000", "000C"},
	{"{is: energy_charged, as: u16, unit: 100 Wh}", "energy_charged=211240", "4008"},
	/* texts */
	{"{is: manufacturer, as: char8, pad: space}", "manufacturer=JK", "4A4B202020202020"},
	{"{is: manufacturer, as: char4}", "manufacturer=Enormous", "456E6F72"},
	{"{is: manufacturer, as: char4, part: 4}", "manufacturer=Enormous", "6D6F7573"},
	{"{is: manufacturer, as: char4, part: 4}", "manufacturer=JK", "00000000"},
	{"{is: manufacturer, as: char2}", "manufacturer=\xC3\xA4", "3F3F"},
	{"{is: manufacturer, as: char2}", "", "-"},
	{"{is: manufacturer, as: char2, default: OP}", "", "4F50"},
	{"{is: manufacturer, as: char2, always: OP}", "manufacturer=JK", "4F50"},
	{"{is: firmware_version, as: version2}", "firmware_version=V15.41", "0F29"},
	{"{is: firmware_version, as: version3}", "firmware_version=1.999", "01FF00"},
	{"{is: firmware_version, as: version2}", "", "-"},
	{"{text: PN},{text: X, as: char3, pad: space}", "", "504E582020"},
	/* fixed things */
	{"{const: 0x1234, as: u16},{const: -1, as: s8},{skip: 2}", "", "3412FF0000"},
	/* bits */
	{"{bits: {0: 1, 7-6: 2, 3: charge_allowed, 2: not charge_allowed}, as: u8}",
	 "charge_allowed=1 charge_current_limit=1", "89"},
	{"{bits: {3: charge_allowed, 2: not charge_allowed}, as: u8}", "charge_allowed=1", "04"},
	{"{bits: {3: full_charge_request}, as: u8}", "", "00"},
	{"{bits: {4: force_charge=soft, 5: force_charge=urgent}, as: u8}", "force_charge=1", "10"},
	{"{bits: {4: force_charge=soft, 5: force_charge=urgent}, as: u8}", "force_charge=2", "20"},
	{"{bits: {4: force_charge=soft, 5: force_charge=urgent}, as: u8}", "", "00"},
	{"{bits: {1-0: state standby=1 charging=2 discharging=3}, as: u8}", "state=1", "03"},
	{"{bits: {6-0: soh, 7: warning low_soc}, as: u8}", "soh=98500 warning=low_soc", "E3"},
	{"{bits: {3-0: packs_online}, as: u8}", "packs_online=300", "0F"},
	{"{bits: {15: protection short_circuit}, as: u16be}", "protection=short_circuit", "8000"},
	{"{bits: {0: protection short_circuit, 1: warning short_circuit, 2: alarm short_circuit}, "
	 "as: u8}",
	 "warning=short_circuit", "06"},
	{"{bits: {0: protection short_circuit, 1: warning short_circuit, 2: alarm short_circuit}, "
	 "as: u8}",
	 "protection=short_circuit", "05"},
	{"{bits: {0: protection short_circuit, 1: protection internal_fault also other}, as: u8}",
	 "protection=emergency_stop charge_current_limit=1", "02"},
	{"{bits: {0: protection short_circuit, 1: protection internal_fault also other}, as: u8}",
	 "warning=emergency_stop charge_current_limit=1", "00"},
	{"{bits: {0: protection short_circuit, 1: protection internal_fault also other}, as: u8}",
	 "protection=short_circuit", "01"},
	{"{bits: {0: protection read short_circuit, 1: protection internal_fault also other}, as: "
	 "u8}",
	 "protection=short_circuit charge_current_limit=1", "02"},
	/* `other` looks only at what these options send */
	{"{bits: {1: protection also other}, as: u8},{when: {o: yes}, fields: [{bits: {0: "
	 "protection low_soc}, as: u8}]}",
	 "protection=low_soc charge_current_limit=1", "02"},
	{"{bits: {1: protection also other}, as: u8},{when: {o: no}, fields: [{bits: {0: "
	 "protection low_soc}, as: u8}]}",
	 "protection=low_soc charge_current_limit=1", "0001"},
	{"{bits: {0: protection also no_data}, as: u8}", "", "01"},
	{"{bits: {0: protection also no_data}, as: u8}",
	 "state=4 charge_current_limit=1 discharge_current_limit=1", "01"},
	{"{bits: {0: protection also no_data}, as: u8}", "charge_current_limit=1", "00"},
	{"{pairs: {0: protection short_circuit, 2: warning short_circuit, 6: 3}, as: u8}",
	 "warning=short_circuit", "C6"},
	/* conditions, hooks, length */
	{"{when: {n: not b}, fields: [{const: 1, as: u8}]},{when: {n: b}, fields: [{const: 2, as: "
	 "u8}]},{when: {n: not a}, fields: [{const: 3, as: u8}]}",
	 "", "01"},
	{"{when: {o: yes}, fields: [{const: 1, as: u8}]},{when: {o: no}, fields: [{const: 2, as: "
	 "u8}]}",
	 "", "02"},
	{"{hook: cell_min_place}", "cell_min_pack=5 cell_min_cell=12", "5030354331320000"},
	{"{hook: cell_max_place}", "cell_max_pack=16", "5031360000000000"},
	{"{hook: temperature_min_place}", "", "-"},
	{"{hook: neutral_name}", "manufacturer=BYD", "4F6E655061636B00"},
	{"{hook: neutral_name}", "manufacturer=pylontech", "4F6E655061636B00"},
	{"{hook: neutral_name}", "manufacturer=JK", "4A4B000000000000"},
	{"{hook: family}", "model=PREMIUM-LVS", "5052454D49554D2D"},
};

static void items_encode(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof encodings / sizeof encodings[0]; i++) {
		char text[20];

		encode_one(encodings[i].fields, encodings[i].values, text);
		if (strcmp(text, encodings[i].bytes) != 0)
			fail_msg("%s with %s is %s, not %s", encodings[i].fields,
				 encodings[i].values, text, encodings[i].bytes);
	}
}

static const struct {
	const char *fields, *bytes, *name;
	int32_t value;
} decodings[] = {
	{"{is: voltage, as: u16, unit: 0.1 V}", "1302", "voltage", 53100},
	{"{is: voltage, as: u16be, unit: 10 mV}", "14DE", "voltage", 53420},
	{"{is: voltage, as: u16, unit: 0.1 V}", "13", "voltage", FIELD_UNKNOWN},
	{"{is: current, as: s16, unit: 0.1 A}", "E9FE", "current", -27900},
	{"{is: current, as: s24, unit: 1 mA}", "FEFFFF", "current", -2},
	{"{is: current, as: s16, unit: 0.1 A, negative: yes}", "9CFF", "current", 10000},
	{"{is: current, as: u16, unit: 0.1 A, offset: 4000}", "0000", "current", -400000},
	{"{is: charge_current_limit, as: s16, unit: 0.1 A, abs: yes}", "9CFF",
	 "charge_current_limit", 10000},
	{"{is: temperature, as: u16, unit: 0.1 K, offset: 2731}", "2F0A", "temperature", -12400},
	{"{is: voltage, as: u16, unit: 1 mV, invalid: [0xFFFF, 0]}", "FFFF", "voltage",
	 FIELD_UNKNOWN},
	{"{is: voltage, as: u16, unit: 1 mV, invalid: [0xFFFF, 0]}", "0000", "voltage",
	 FIELD_UNKNOWN},
	{"{is: current, as: s16, unit: 1 mA, invalid: 0x8000}", "0080", "current", FIELD_UNKNOWN},
	{"{is: capacity, as: u32, unit: 1 Ah}", "FFFFFFFF", "capacity", INT32_MAX},
	{"{is: voltage | cell_mean, as: u16, unit: 1 mV}", "0100", "voltage", 1},
	{"{is: state, as: u8, values: {1: standby, 2: charging}}", "02", "state", BATTERY_CHARGING},
	{"{is: state, as: u8, values: {1: standby, 2: charging}}", "03", "state", FIELD_UNKNOWN},
	{"{is: cells_in_series, as: u8},{is: charge_voltage_limit, as: u16, unit: 1 mV, per: cell}",
	 "10AC0D", "charge_voltage_limit", 56000},
	{"{is: charge_voltage_limit, as: u16, unit: 1 mV, per: cell}", "AC0D",
	 "charge_voltage_limit", FIELD_UNKNOWN},
	{"{is: cells_in_series, as: u8},{is: cell_min_number, as: u8}", "1024", "cell_min_pack", 3},
	{"{is: cells_in_series, as: u8},{is: cell_min_number, as: u8}", "1024", "cell_min_cell", 4},
	{"{is: cell_max_number, as: u8}", "24", "cell_max_cell", 36},
	{"{is: cell_max_number, as: u8}", "00", "cell_max_cell", FIELD_UNKNOWN},
	{"{is: charge_current, as: u8, unit: 1 A},{is: discharge_current, as: u8, unit: 1 A}",
	 "000C", "current", -12000},
	{"{is: charge_current, as: u8, unit: 1 A},{is: discharge_current, as: u8, unit: 1 A}",
	 "0C00", "current", 12000},
	{"{is: charge_current, as: u8, unit: 1 A},{is: discharge_current, as: u8, unit: 1 A}",
	 "0000", "current", 0},
	{"{bits: {3: charge_allowed}, as: u8}", "08", "charge_allowed", 1},
	{"{bits: {3: not charge_allowed}, as: u8}", "08", "charge_allowed", 0},
	{"{bits: {4: force_charge=soft, 5: force_charge=urgent}, as: u8}", "10", "force_charge",
	 FORCE_SOFT},
	{"{bits: {4: force_charge=soft, 5: force_charge=urgent}, as: u8}", "30", "force_charge",
	 FORCE_URGENT},
	{"{bits: {4: force_charge=soft, 5: force_charge=urgent}, as: u8}", "00", "force_charge",
	 FORCE_NONE},
	{"{bits: {1-0: state standby=1 charging=2}, as: u8}", "02", "state", BATTERY_CHARGING},
	{"{bits: {1-0: state standby=1 charging=2}, as: u8}", "03", "state", FIELD_UNKNOWN},
	{"{bits: {0-6: soh}, as: u8}", "E3", "soh", 99000},
	{"{hook: cell_min_place}", "5030354331320000", "cell_min_cell", 12},
	{"{hook: cell_min_place}", "3200000000000000", "cell_min_pack", 2},
	{"{hook: cell_min_place}", "6230206D31320000", "cell_min_pack", FIELD_UNKNOWN},
	{"{hook: temperature_max_place}", "5031360000000000", "temperature_max_pack", 16},
};

static void from_hex(const char *text, struct can_message *out)
{
	memset(out, 0, sizeof *out);
	out->id = 0x100;
	for (; text[0] && text[1]; text += 2)
		sscanf(text, "%2hhx", &out->data[out->length++]);
}

static void items_decode(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof decodings / sizeof decodings[0]; i++) {
		struct wire *wire = load_fields(decodings[i].fields);
		struct wire_values values;
		struct wire_context ctx;
		struct can_message frame;
		int32_t value;

		assert_non_null(wire);
		wire_context_init(wire, &ctx);
		wire_values_clear(&values);
		from_hex(decodings[i].bytes, &frame);
		wire_decode_can(wire, &ctx, &frame, &values);
		value = field_get(&values.battery, field_find(&field_battery, decodings[i].name));
		if (value != decodings[i].value)
			fail_msg("%s of %s: %s is %d, not %d", decodings[i].fields,
				 decodings[i].bytes, decodings[i].name, value, decodings[i].value);
		wire_free(wire);
	}
}

static void decode_frames(const char *fields, const char *const frames[], struct wire_values *out)
{
	struct wire *wire = load_fields(fields);
	struct wire_context ctx;
	struct can_message frame;

	assert_non_null(wire);
	wire_context_init(wire, &ctx);
	wire_values_clear(out);
	for (int i = 0; frames[i]; i++) {
		from_hex(frames[i], &frame);
		assert_int_equal(wire_decode_can(wire, &ctx, &frame, out), 0);
	}
	wire_free(wire);
}

/* An alarm goes away with a later frame; what no bit speaks of stays; `also` names are not read. */
static void alarms_decode(void **state)
{
	const char *fields = "{bits: {0: protection short_circuit, 1: protection internal_fault "
			     "also other emergency_stop, 2: warning low_soc, 3: alarm soc_drift}, "
			     "as: u8}";
	struct wire_values values;

	(void)state;
	decode_frames(fields, (const char *const[]){"0F", NULL}, &values);
	assert_true(values.battery.protections ==
		    (ALARM_BIT(ALARM_short_circuit) | ALARM_BIT(ALARM_internal_fault) |
		     ALARM_BIT(ALARM_soc_drift)));
	assert_true(values.battery.warnings == ALARM_BIT(ALARM_low_soc));
	assert_true(values.said_protections && values.said_warnings);
	decode_frames(fields, (const char *const[]){"0F", "01", NULL}, &values);
	assert_true(values.battery.protections == ALARM_BIT(ALARM_short_circuit));
	assert_true(values.battery.warnings == 0);
	decode_frames("{pairs: {0: protection short_circuit, 2: protection low_soc}, as: u8}",
		      (const char *const[]){"05", "0F", NULL}, &values);
	assert_true(values.battery.protections ==
		    (ALARM_BIT(ALARM_short_circuit) | ALARM_BIT(ALARM_low_soc)));
}

/* Names behind `read` are found in another place too: they come from it, and it never takes them
 * back. */
static void other_places_of_alarms_decode(void **state)
{
	const char *fields = "{bits: {0: protection short_circuit, 1: protection read "
			     "short_circuit low_soc}, as: u8}";
	struct wire_values values;

	(void)state;
	decode_frames(fields, (const char *const[]){"02", NULL}, &values);
	assert_true(values.battery.protections ==
		    (ALARM_BIT(ALARM_short_circuit) | ALARM_BIT(ALARM_low_soc)));
	decode_frames(fields, (const char *const[]){"02", "00", NULL}, &values);
	assert_true(values.battery.protections == ALARM_BIT(ALARM_low_soc));
}

/* A message may be silent while it is zero, is read whatever an option says about sending, and is
 * never sent without a period. */
static void messages_come_and_go(void **state)
{
	struct wire *wire = load_text(
		CAN_HEAD "options: {o: {default: no}}\nmessages:\n"
			 "  - {id: 1, name: a, zeros: withhold, fields: [{is: cycles, as: u8}]}\n"
			 "  - {id: 2, name: b, when: {o: yes}, fields: [{is: cycles, as: u8}]}\n"
			 "  - {id: 3, name: c, period_ms: 0, fields: [{is: cycles, as: u8}]}\n",
		stderr);
	struct can_message frame = {.id = 2, .length = 1, .data = {7}};
	struct wire_values values;
	struct wire_context ctx;
	struct battery battery;

	(void)state;
	assert_non_null(wire);
	wire_context_init(wire, &ctx);
	wire_values_clear(&values);
	assert_int_equal(wire_decode_can(wire, &ctx, &frame, &values), 0);
	assert_int_equal(values.battery.cycles, 7);
	battery_clear(&battery);
	battery.cycles = 0;
	assert_int_equal(wire_encode_can(wire, 0, &ctx, &battery, &frame), 0);
	battery.cycles = 1;
	assert_int_equal(wire_encode_can(wire, 0, &ctx, &battery, &frame), 1);
	assert_int_equal(wire_encode_can(wire, 1, &ctx, &battery, &frame), 0);
	assert_int_equal(wire_encode_can(wire, 2, &ctx, &battery, &frame), 0);
	wire_free(wire);
}

static void texts_decode(void **state)
{
	struct wire_values values;

	(void)state;
	decode_frames("{is: model, as: char8}", (const char *const[]){"4A4B202020202020", NULL},
		      &values);
	assert_string_equal(values.battery.model, "JK");
	decode_frames("{is: model, as: char4, part: 4}",
		      (const char *const[]){"4A4B0000", "4D000000", NULL}, &values);
	assert_string_equal(values.battery.model, "    M");
	decode_frames("{is: model, as: char2}", (const char *const[]){"FFFF", NULL}, &values);
	assert_string_equal(values.battery.model, "");
	decode_frames("{is: firmware_version, as: version2}", (const char *const[]){"0117", NULL},
		      &values);
	assert_string_equal(values.battery.firmware_version, "1.23");
	decode_frames("{is: firmware_version, as: version2}", (const char *const[]){"0000", NULL},
		      &values);
	assert_string_equal(values.battery.firmware_version, "");
	decode_frames("{hook: family}", (const char *const[]){"5052454D49554D00", NULL}, &values);
	assert_string_equal(values.battery.model, "PREMIUM");
}

/* --- repeats, on a bigger message than CAN allows --- */

#define BIG_HEAD                                                  \
	"title: t\nsource: s\nmodbus: {baud: 9600, address: 1}\n" \
	"messages:\n  - registers: 0\n    name: m\n    fields: "

static void encode_big(const char *fields, const struct battery *battery, char text[400],
		       uint8_t *unknown)
{
	char yaml[1000];
	struct wire_context ctx;
	struct wire *wire;
	uint8_t bytes[200];
	int count;

	snprintf(yaml, sizeof yaml, BIG_HEAD "[%s]\n", fields);
	wire = load_text(yaml, stderr);
	assert_non_null(wire);
	wire_context_init(wire, &ctx);
	count = layout_encode(wire, &wire->messages[0], &ctx, wire->order, battery, bytes,
			      sizeof bytes, unknown);
	snprintf(text, 400, "%d:", count);
	for (int i = 0; i < count; i++)
		sprintf(text + strlen(text), "%02X", bytes[i]);
	wire_free(wire);
}

static void set_packs(struct battery *battery)
{
	battery_clear(battery);
	battery->pack_count = 2;
	for (int p = 0; p < 2; p++) {
		struct pack *pack = &battery->packs[p];

		pack_clear(pack);
		pack->state = PACK_ACTIVE;
		pack->voltage_mv = 50000 + p;
		pack->cell_count = 3;
		for (int i = 0; i < 3; i++)
			pack->cells_mv[i] = 3300 + 2 * p + i;
		pack->protections = p ? ALARM_BIT(ALARM_short_circuit) : 0;
	}
}

static void repeats_encode(void **state)
{
	struct battery battery;
	char text[400];
	uint8_t unknown[200];

	(void)state;
	set_packs(&battery);
	encode_big("{repeat: cells, count: 4, fields: [{is: cell, as: u16, unit: 1 mV, unknown: "
		   "0x0000}]}",
		   &battery, text, NULL);
	assert_string_equal(text, "8:0CE50CE60CE70000");
	encode_big("{repeat: cells, first: 2, count: 2, fields: [{is: cell, as: u16, unit: 1 mV}]}",
		   &battery, text, NULL);
	assert_string_equal(text, "4:0CE60CE7");
	encode_big("{repeat: cells, counted: u8, fields: [{is: cell, as: u16, unit: 1 mV}]}",
		   &battery, text, NULL);
	assert_string_equal(text, "7:030CE50CE60CE7");
	encode_big("{repeat: packs, counted: u8, fields: [{is: voltage, as: u16, unit: 1 mV}, "
		   "{bits: {0: protection short_circuit}, as: u8}, {repeat: cells, count: 1, "
		   "fields: [{is: cell, as: u16, unit: 1 mV}]}]}",
		   &battery, text, NULL);
	assert_string_equal(text, "11:02C350000CE4C351010CE6");
	/* what is unknown is marked, not refused, when a map is asked for */
	encode_big("{const: 1, as: u8}, {repeat: cells, count: 4, fields: [{is: cell, as: u16, "
		   "unit: 1 mV}]}, {is: soc, as: u8, unit: 1 %}, {const: 2, as: u8}",
		   &battery, text, unknown);
	assert_string_equal(text, "11:010CE50CE60CE700000002");
	for (int i = 0; i < 11; i++)
		assert_int_equal(unknown[i], i >= 7 && i <= 9);
	encode_big("{is: soc, as: u8, unit: 1 %}", &battery, text, NULL);
	assert_string_equal(text, "-1009:"); /* ERR_UNKNOWN */
	battery.temperature_mC = 20000;
	battery.temperature_max_mC = 25000;
	encode_big("{repeat: temperatures, counted: u8, count: 3, fields: [{is: sensor, as: s8, "
		   "unit: 1 degC}]}",
		   &battery, text, NULL);
	assert_string_equal(text, "4:03141914");
}

static void decode_big(const char *fields, const char *hex, size_t first, struct wire_values *out)
{
	char yaml[1000];
	struct wire_context ctx;
	struct wire *wire;
	uint8_t bytes[200];
	size_t count = 0;

	snprintf(yaml, sizeof yaml, BIG_HEAD "[%s]\n", fields);
	wire = load_text(yaml, stderr);
	assert_non_null(wire);
	wire_context_init(wire, &ctx);
	for (; hex[0] && hex[1]; hex += 2)
		sscanf(hex, "%2hhx", &bytes[count++]);
	wire_values_clear(out);
	layout_decode(wire, &wire->messages[0], &ctx, wire->order, bytes, count, first, out);
	wire_free(wire);
}

static void repeats_decode(void **state)
{
	static struct wire_values values;
	const char *packs = "{repeat: packs, counted: u8, fields: [{is: voltage, as: u16, unit: 1 "
			    "mV}, {bits: {0: protection short_circuit}, as: u8}, {repeat: cells, "
			    "count: 1, fields: [{is: cell, as: u16, unit: 1 mV}]}]}";

	(void)state;
	decode_big(packs, "02C350000CE4C351010CE6", 0, &values);
	assert_int_equal(values.battery.pack_count, 2);
	assert_int_equal(values.battery.packs[1].voltage_mv, 50001);
	assert_int_equal(values.battery.packs[1].cells_mv[0], 3302);
	assert_true(values.battery.packs[1].protections == ALARM_BIT(ALARM_short_circuit));
	assert_true(values.battery.packs[0].protections == 0 && values.battery.protections == 0);
	/* cells of a battery without packs: one pack stands for it */
	decode_big("{repeat: cells, counted: u8, fields: [{is: cell, as: u16, unit: 1 mV, invalid: "
		   "0}]}",
		   "0300000CE60CE7", 0, &values);
	assert_int_equal(values.battery.pack_count, 1);
	assert_int_equal(values.battery.packs[0].cell_count, 3);
	assert_int_equal(values.battery.packs[0].cells_mv[0], FIELD_UNKNOWN);
	assert_int_equal(values.battery.packs[0].cells_mv[2], 3303);
	/* a number of elements that is not to be believed */
	decode_big(packs, "FFC350000CE4C351010CE6", 0, &values);
	assert_int_equal(values.battery.pack_count, 3);
	/* a read from the middle: only what lies in it wholly */
	decode_big("{is: voltage, as: u16, unit: 1 mV}, {is: soc, as: u16, unit: 1 %}, {is: soh, "
		   "as: u16, unit: 1 %}, {is: cycles, as: u16}",
		   "0000320063", 1, &values);
	assert_int_equal(values.battery.voltage_mv, FIELD_UNKNOWN);
	assert_int_equal(values.battery.soc_mpct, 50000);
	assert_int_equal(values.battery.cycles, FIELD_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_encode),
		cmocka_unit_test(items_decode),
		cmocka_unit_test(alarms_decode),
		cmocka_unit_test(other_places_of_alarms_decode),
		cmocka_unit_test(messages_come_and_go),
		cmocka_unit_test(texts_decode),
		cmocka_unit_test(repeats_encode),
		cmocka_unit_test(repeats_decode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
