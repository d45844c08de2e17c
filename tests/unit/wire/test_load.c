// SPDX-License-Identifier: Apache-2.0
/* Mistakes in protocol files: each is named with its place and a way out, all of them at once. */
#include "../cmocka_all.h"

#include <stdlib.h>

#include "snippet.h"

#define MESSAGE "messages:\n  - {id: 0x100, name: m, fields: [{skip: 1}]}\n"
#define FIELDS   \
	CAN_HEAD \
	"options: {pad: {default: no}}\nmessages:\n  - id: 0x100\n    name: m\n    fields:\n"

/* In FIELDS the first field is line 9, and its brace column 9. */
static const struct {
	const char *text, *complaint;
} mistakes[] = {
	{"", "1:1: which bus?"},
	{"[1, 2]\n", "1:1: a protocol file starts with"},
	{"title: [\n", "2:1: not YAML"},
	{"title: t\ncan: {bitrate: 500000}\n" MESSAGE, "1:1: `source:` is missing"},
	{"titel: t\n" CAN_HEAD MESSAGE, "1:1: unknown key 'titel'; possible here: title,"},
	{CAN_HEAD "title: u\n" MESSAGE, "4:1: 'title' is given twice"},
	{CAN_HEAD "maturity: great\n" MESSAGE,
	 "4:11: `maturity:` is one of: user, tested, vendor-text, inferred"},
	{CAN_HEAD "modbus: {baud: 9600, address: 1}\n" MESSAGE,
	 "4:9: `can:` and `modbus:` exclude each other"},
	{"title: t\nsource: s\nmodbus: {baud: 9600, address: 1}\ninclude: [rs485/none]\n",
	 "4:11: there is no protocol of that id to include"},
	{"title: t\nsource: s\nmodbus: {baud: 9600, address: 1}\ninclude: [can/pylon-lv-1.2]\n",
	 "4:11: "},
	{"title: t\nsource: s\npylon: {baud: 9600, address: 1, masters: all}\n"
	 "messages:\n  - {command: 0x42, name: m, fields: [{skip: 1}]}\n",
	 "3:42: this is `one` or `any`"},
	{CAN_HEAD "silence_ms: soon\n" MESSAGE, "4:13: 'soon' is not a whole number"},
	{"title: t\nsource: s\ncan: {}\n" MESSAGE, "3:6: `bitrate:` is missing"},
	{"title: t\nsource: s\ncan: 5\n" MESSAGE, "3:6: settings in braces are expected"},
	{"title: t\nsource: s\ncan: {bitrate: 5}\n" MESSAGE, "3:16: 5 is outside 10000..1000000"},
	{CAN_HEAD, "1:1: `messages:` with 1 to 64 messages is expected"},
	/* options */
	{CAN_HEAD "options: {a: {default: maybe}}\n" MESSAGE,
	 "4:24: `default:` must be one of: no, yes"},
	{CAN_HEAD "options: {a: {values: [x], default: x}}\n" MESSAGE,
	 "4:23: `values:` needs at least two words"},
	{CAN_HEAD "options: {a: {range: [1, 5], default: 6}}\n" MESSAGE,
	 "4:39: `default:` must be one of: 1 to 5"},
	{CAN_HEAD "options: {a: {range: 5, default: 6}}\n" MESSAGE,
	 "4:22: `range:` is [lowest, highest]"},
	{CAN_HEAD "options: {a: no}\n" MESSAGE, "4:14: an option is written like"},
	/* messages */
	{CAN_HEAD "messages:\n  - {name: m, fields: [{skip: 1}]}\n", "5:5: a message needs `id:`"},
	{CAN_HEAD "messages:\n  - {id: 1, fields: [{skip: 1}]}\n",
	 "5:5: a message needs a `name:`"},
	{CAN_HEAD "messages:\n  - {id: 1, name: a b, fields: [{skip: 1}]}\n",
	 "5:19: a name is made of letters, digits and _"},
	{CAN_HEAD "messages:\n  - {id: 1, name: m}\n", "5:5: `fields:` with a list of fields"},
	{CAN_HEAD "messages:\n  - 7\n", "5:5: a message is written like"},
	{CAN_HEAD "messages:\n  - {id: 0x20000000, name: m, fields: [{skip: 1}]}\n",
	 "5:10: 536870912 is outside 0..536870911"},
	{CAN_HEAD "messages:\n  - {id: 0x800, extended: no, name: m, fields: [{skip: 1}]}\n",
	 "5:27: this id has more than 11 bits"},
	{CAN_HEAD "messages:\n  - {id: 1, name: m, zeros: send, fields: [{skip: 1}]}\n",
	 "5:29: `zeros:` can only be `withhold`"},
	{CAN_HEAD "messages:\n  - {id: 1, name: m, from: space, fields: [{skip: 1}]}\n",
	 "5:28: `from:` can only be `inverter`"},
	{CAN_HEAD "messages:\n  - {id: 1, name: m, fields: [{skip: 9}]}\n",
	 "5:5: the fields are 9 bytes long, at most 8 fit"},
	{CAN_HEAD "messages:\n  - {id: 1, name: m, length: 3, fields: [{skip: 4}]}\n",
	 "5:5: the fields are 4 bytes long, `length:` says 3"},
	{CAN_HEAD MESSAGE "  - {id: 0x100, name: n, fields: [{skip: 1}]}\n",
	 "6:5: 0x100 overlaps with message 'm' above"},
	{CAN_HEAD MESSAGE "  - {id: 0x101, name: m, fields: [{skip: 1}]}\n",
	 "6:5: there is a message 'm' already"},
	{CAN_HEAD "messages:\n  - {id: 1, name: m, when: {x: yes}, fields: [{skip: 1}]}\n",
	 "5:29: there is no option 'x'; this file has: none"},
	{"title: t\nsource: s\nmodbus: {baud: 9600, address: 1}\nmessages:\n"
	 "  - {registers: 0, name: a, fields: [{skip: 4}]}\n"
	 "  - {registers: 1, name: b, fields: [{skip: 2}]}\n",
	 "6:5: 0x1 overlaps with message 'a' above"},
	{"title: t\nsource: s\nmodbus: {address: 1}\nmessages:\n"
	 "  - {registers: 0, name: a, fields: [{skip: 4}], record: {type: 2}}\n",
	 "5:58: a record is written {type: 2, trigger: 0x1620}"},
	{"title: t\nsource: s\nmodbus: {address: 1}\n", "3:9: `baud:` is missing"},
	{"title: t\nsource: s\nmodbus: {baud: 9600, address: 1, addresses: 9-2}\n",
	 "3:45: addresses are written like 1-16"},
	{"title: t\nsource: s\nmodbus: {baud: 9600, address: 1, register: nibble}\n",
	 "3:44: this is `word` or `byte`"},
	/* fields */
	{FIELDS "      - 5\n", "9:9: a field is written like"},
	{FIELDS "      - {as: u8}\n", "9:9: what is this field?"},
	{FIELDS "      - {is: soc, unit: 1 %}\n", "9:9: `as:` is missing"},
	{FIELDS "      - {is: soc, as: u17, unit: 1 %}\n", "9:23: 'u17' is not a type of number"},
	{FIELDS "      - {is: soc, as: u16x, unit: 1 %}\n", "9:23: 'u16x' is not a type"},
	{FIELDS "      - {is: charge_voltag, as: u16, unit: 0.1 V}\n",
	 "9:14: there is no battery value 'charge_voltag'; did you mean 'charge_voltage_limit'?"},
	{FIELDS "      - {is: cell, as: u16, unit: 1 mV}\n",
	 "9:14: 'cell' only exists inside `repeat: cells`"},
	{FIELDS "      - {is: soc, as: u16}\n", "9:9: 'soc' needs a unit"},
	{FIELDS "      - {is: soc, as: u16, unit: 0.1 V}\n",
	 "9:34: '0.1 V' is no unit for this; write a number and one of: %"},
	{FIELDS "      - {is: voltage, as: u16, unit: V}\n", "9:38: 'V' is no unit for this"},
	{FIELDS "      - {is: voltage, as: u16, unit: 0.1 mV}\n",
	 "9:38: a step of 0.1 mV is finer than OnePack counts"},
	{FIELDS "      - {is: cycles, as: u16, unit: 1 V}\n", "9:37: '1 V' is no unit for a count"},
	{FIELDS "      - {is: soc, as: u16, unit: 1 %, scale: 3}\n", "9:39: unknown key 'scale'"},
	{FIELDS "      - {is: voltage, as: u16, unit: 1 mV, per: pack}\n",
	 "9:49: `per:` is about cells only"},
	{FIELDS "      - {is: voltage, as: u16, unit: 1 mV, round: off}\n",
	 "9:51: rounding is one"},
	{FIELDS "      - {is: voltage, as: u16, unit: 1 mV, invalid: 0x10000}\n",
	 "9:53: 65536 is outside 0..65535"},
	{FIELDS "      - {is: voltage, as: u16, unit: 1 mV, unknown: [soc]}\n",
	 "9:54: 'soc' cannot stand in for 'voltage'"},
	{FIELDS "      - {is: voltage, as: u16, unit: 1 mV, unknown: volts}\n",
	 "9:53: there is no battery value 'volts'"},
	{FIELDS "      - {is: voltage, as: u16, unit: 1 mV, min: 5, max: 4}\n",
	 "9:57: max is below min"},
	{FIELDS "      - {is: voltage | soc, as: u16, unit: 1 mV}\n",
	 "9:14: 'voltage' and 'soc' are different things"},
	{FIELDS "      - {is: state, as: u8, values: {1: sleeping}}\n",
	 "9:41: 'sleeping' is not a whole number"},
	{FIELDS "      - {is: state, as: u8, values: {300: standby}}\n",
	 "9:38: 300 is outside 0..255"},
	{FIELDS "      - {is: model, as: u16}\n", "9:25: a text needs `as:` char1"},
	{FIELDS "      - {is: model, as: char40}\n", "9:25: a text needs `as:` char1"},
	{FIELDS "      - {is: model, as: char4, pad: tab}\n", "9:37: a text is filled with"},
	{FIELDS "      - {text: PYLON, as: char4}\n", "9:27: the text does not fit"},
	{FIELDS "      - {const: 300, as: u8}\n", "9:17: 300 is outside 0..255"},
	{FIELDS "      - {skip: 0}\n", "9:16: 0 is outside 1..600"},
	{FIELDS "      - {hook: magic}\n", "9:16: there is no hook of that name"},
	{FIELDS "      - {when: {pad: perhaps}, fields: [{skip: 1}]}\n",
	 "9:22: 'pad' can be: no, yes"},
	{FIELDS "      - {when: {pad: yes}}\n", "9:9: `fields:` with a list"},
	{FIELDS "      - {repeat: dogs}\n", "9:18: what can be repeated: cells"},
	{FIELDS "      - {repeat: cells, fields: [{skip: 1}]}\n", "9:9: how many?"},
	{FIELDS "      - {repeat: cells, count: 99, fields: [{skip: 1}]}\n",
	 "9:32: 99 is outside 1..32"},
	{FIELDS "      - {repeat: cells, count: 2, fields: [{is: sensor, as: u8, unit: 1 degC}]}\n",
	 "9:49: 'sensor' only exists inside `repeat: temperatures`"},
	/* bits */
	{FIELDS "      - {bits: {8: charge_allowed}, as: u8}\n", "9:17: '8' is not a place"},
	{FIELDS "      - {bits: {x: charge_allowed}, as: u8}\n", "9:17: 'x' is not a place"},
	{FIELDS "      - {bits: {}, as: u8}\n", "9:16: bits and what they mean"},
	{FIELDS "      - {bits: {1: soc}, as: u8}\n", "9:20: 'soc' is more than one bit"},
	{FIELDS "      - {bits: {1: protection}, as: u8}\n", "9:20: names of alarms are missing"},
	{FIELDS "      - {bits: {1: protection fire}, as: u8}\n", "9:20: there is no alarm 'fire'"},
	{FIELDS "      - {bits: {1: force_charge=hard}, as: u8}\n",
	 "9:20: 'hard' is not a word of 'force_charge'"},
	{FIELDS "      - {bits: {1: 0, 1-0: 2}, as: u8}\n", "9:23: this overlaps with bit 1"},
	{FIELDS "      - {bits: {1: 2}, as: u8}\n", "9:20: 2 does not fit in 1 bits"},
	{FIELDS "      - {bits: {1-0: state charging=4}, as: u8}\n", "9:22: 'charging' is not"},
	{FIELDS "      - {pairs: {7: protection low_soc}, as: u8}\n", "9:18: '7' is not a place"},
	{FIELDS "      - {pairs: {2-1: protection low_soc}, as: u8}\n", "9:18: a pair is named by"},
	{FIELDS "      - {pairs: {2: charge_allowed}, as: u8}\n", "9:21: a pair is an alarm"},
};

static char *complaints_of(const char *text)
{
	char *complaints = NULL;
	size_t size = 0;
	FILE *errors = open_memstream(&complaints, &size);
	struct wire *wire = load_text(text, errors);

	fclose(errors);
	if (wire) {
		wire_free(wire);
		free(complaints);
		return NULL;
	}
	return complaints;
}

static void mistakes_are_named(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
		char *complaints = complaints_of(mistakes[i].text);
		char wanted[300];

		snprintf(wanted, sizeof wanted, "test/t.yaml:%s", mistakes[i].complaint);
		if (!complaints || !strstr(complaints, wanted)) {
			print_error("%s\n wanted %s\n got %s\n", mistakes[i].text, wanted,
				    complaints ? complaints : "nothing");
			wrong++;
		}
		free(complaints);
	}
	assert_int_equal(wrong, 0);
}

static void all_mistakes_at_once(void **state)
{
	char *complaints = complaints_of(
		FIELDS
		"      - {is: soc, as: u8}\n      - {skip: 1}\n      - {bits: {1: x}, as: u8}\n"
		"      - {is: voltage, as: u16, unit: 1 A}\n");
	int lines = 0;

	(void)state;
	assert_non_null(complaints);
	for (const char *c = complaints; *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, 3);
	assert_non_null(strstr(complaints, "t.yaml:9:"));
	assert_non_null(strstr(complaints, "t.yaml:11:"));
	assert_non_null(strstr(complaints, "t.yaml:12:"));
	free(complaints);
}

static void facts_are_kept(void **state)
{
	struct wire *wire = load_text(
		"title: T\nsource: S\nmaturity: inferred\ndescribes: pack\nsilence_ms: 5\n"
		"modbus: {baud: 115200, parity: even, address: 1, addresses: 1-15, register: byte, "
		"functions: [3, 16], max: 60}\nmessages:\n  - {registers: 0x1200, name: live, "
		"record: {type: 2, trigger: 0x1620}, fields: [{skip: 2}]}\n",
		stderr);
	struct wire_message_info message;
	struct wire_info info;

	(void)state;
	assert_non_null(wire);
	wire_get_info(wire, &info);
	assert_string_equal(info.id, "test/t");
	assert_string_equal(info.title, "T");
	assert_string_equal(info.maturity, "inferred");
	assert_int_equal(info.framing, WIRE_MODBUS);
	assert_int_equal(info.scope, WIRE_OF_PACK);
	assert_int_equal(info.bitrate, 115200);
	assert_int_equal(info.default_address, 1);
	assert_int_equal(info.first_address, 1);
	assert_int_equal(info.last_address, 15);
	assert_int_equal(info.silence_ms, 5);
	assert_int_equal(info.inverter_lost_ms, 60000);
	assert_int_equal(wire_message_count(wire), 1);
	wire_get_message(wire, 0, &message);
	assert_string_equal(message.name, "live");
	assert_int_equal(message.id, 0x1200);
	assert_true(wire->even_parity && wire->modbus.byte_registers);
	assert_int_equal(wire->modbus.max_words, 60);
	assert_int_equal(wire->messages[0].record_trigger, 0x1620);
	wire_free(wire);
}

static void a_user_file_is_user(void **state)
{
	struct wire *wire = load_text(CAN_HEAD MESSAGE, stderr);
	struct wire_info info;

	(void)state;
	assert_non_null(wire);
	wire_get_info(wire, &info);
	assert_string_equal(info.maturity, "user");
	assert_int_equal(info.default_address, -1);
	wire_free(wire);
}

static void options_are_set(void **state)
{
	struct wire *wire =
		load_text(CAN_HEAD "options: {a: {default: yes}, b: {values: [x, y, z], "
				   "default: y}, c: {range: [-5, 5], default: -2}}\n" MESSAGE,
			  stderr);
	struct wire_context ctx;
	char why[200];

	(void)state;
	assert_non_null(wire);
	wire_context_init(wire, &ctx);
	assert_int_equal(ctx.option[0], 1);
	assert_int_equal(ctx.option[1], 1);
	assert_int_equal(ctx.option[2], -2);
	assert_int_equal(ctx.address, -1);
	assert_int_equal(wire_set_option(wire, &ctx, "b", "z", why, sizeof why), 0);
	assert_int_equal(wire_set_option(wire, &ctx, "c", "5", why, sizeof why), 0);
	assert_int_equal(ctx.option[1], 2);
	assert_int_equal(ctx.option[2], 5);
	assert_int_equal(wire_set_option(wire, &ctx, "c", "6", why, sizeof why), ERR_FORMAT);
	assert_string_equal(why, "option 'c' cannot be '6'; possible: -5 to 5");
	assert_int_equal(wire_set_option(wire, &ctx, "b", "q", why, sizeof why), ERR_FORMAT);
	assert_string_equal(why, "option 'b' cannot be 'q'; possible: x, y, z");
	assert_int_equal(wire_set_option(wire, &ctx, "d", "1", why, sizeof why), ERR_FORMAT);
	assert_string_equal(why, "test/t has no option 'd'; it has: a, b, c");
	assert_int_equal(ctx.option[2], 5);
	wire_free(wire);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_are_named), cmocka_unit_test(all_mistakes_at_once),
		cmocka_unit_test(facts_are_kept),     cmocka_unit_test(a_user_file_is_user),
		cmocka_unit_test(options_are_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
