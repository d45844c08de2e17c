// SPDX-License-Identifier: Apache-2.0
/* Every limit has exactly one reason, every rule a word and a sentence without holes. */
#include "fusion_rig.h"

static const enum rule current_rules[] = {RULE_FULL,
					  RULE_PACK_LIMIT,
					  RULE_CELL_VOLTAGE,
					  RULE_CELL_RECOVERY,
					  RULE_TEMPERATURE,
					  RULE_MOS_TEMPERATURE,
					  RULE_PROTECTION,
					  RULE_CRITICAL_CELL,
					  RULE_UNSTATED_LIMIT,
					  RULE_UNKNOWN_CELLS,
					  RULE_UNKNOWN_TEMPERATURE,
					  RULE_UNKNOWN_CAPACITY,
					  RULE_CELL_COUNT,
					  RULE_STALE,
					  RULE_SILENT,
					  RULE_SHARE,
					  RULE_MIN,
					  RULE_CIRCULATING,
					  RULE_OVERCURRENT,
					  RULE_N_MINUS_1,
					  RULE_USER_CAP,
					  RULE_REST,
					  RULE_LOSS,
					  RULE_RECOVERY,
					  RULE_BLOCKED,
					  RULE_JOINING,
					  RULE_QUORUM,
					  RULE_NO_DATA};

static const enum rule voltage_rules[] = {
	RULE_CHARGE_TARGET, RULE_PACK_REQUEST,   RULE_FLOAT,
	RULE_CELL_EXCESS,   RULE_SILENT_VOLTAGE, RULE_VOLTAGE_RISE,
	RULE_VOLTAGE_FALL,  RULE_DISCHARGE_END,  RULE_NO_DATA};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void assert_sentence(const struct reason *reason)
{
	const size_t length = strlen(reason->text);

	assert_true(length > 10 && length < REASON_TEXT_SIZE - 1);
	assert_int_equal(reason->text[length - 1], '.');
	assert_true(reason->text[0] >= 'A' && reason->text[0] <= 'Z');
	assert_null(strstr(reason->text, "-2147"));
	assert_null(strstr(reason->text, "null"));
	assert_true(reason->rule[0] >= 'a' && reason->rule[0] <= 'z');
}

static void every_rule_of_a_current_has_a_sentence(void **state)
{
	static struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	for (size_t i = 0; i < COUNT_OF(current_rules); i++) {
		for (int32_t value = 0; value <= 63249; value += 63249) {
			const struct cause cause = {current_rules[i], 16, 32, 15, 123456};

			rig.out.reason_count = 0;
			rig.fusion.cause[CHARGE] = rig.fusion.cause[DISCHARGE] = cause;
			rig.out.charge_current_limit_ma = value;
			rig.out.discharge_current_limit_ma = value;
			fusion_write_reasons(&rig.fusion, &rig.out);
			assert_int_equal(rig.out.reason_count, LIMIT_COUNT);
			assert_sentence(&rig.out.reasons[0]);
			assert_sentence(&rig.out.reasons[1]);
			fusion_say(&rig.fusion, LIMIT_CHARGE_CURRENT, value, &cause, MOOD_WOULD_BE,
				   rig.out.reasons[0].text);
			assert_sentence(&rig.out.reasons[0]);
			assert_int_equal(rig.out.reasons[0].value, value);
			assert_int_equal(rig.out.reasons[0].pack, 16);
			assert_int_equal(rig.out.reasons[0].cell, 32);
		}
	}
}

static void every_rule_of_a_voltage_has_a_sentence(void **state)
{
	static struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	for (size_t i = 0; i < COUNT_OF(voltage_rules); i++) {
		const struct cause cause = {voltage_rules[i], 16, 32, FIELD_UNKNOWN, 3623};

		rig.out.reason_count = 0;
		rig.fusion.voltage_cause[0] = rig.fusion.voltage_cause[1] = cause;
		fusion_write_reasons(&rig.fusion, &rig.out);
		assert_sentence(&rig.out.reasons[2]);
		assert_sentence(&rig.out.reasons[3]);
	}
}

/* The words are public: docs/fusion.md lists each of them. */
static void every_word_is_documented(void **state)
{
	static struct rig rig;
	static char page[100000];
	FILE *file = fopen(ONEPACK_SOURCE_DIR "/docs/fusion.md", "r");
	const size_t count = COUNT_OF(current_rules) + COUNT_OF(voltage_rules);

	(void)state;
	assert_non_null(file);
	page[fread(page, 1, sizeof page - 1, file)] = '\0';
	fclose(file);
	rig_settle(&rig, 1);
	for (size_t i = 0; i < count; i++) {
		const bool current = i < COUNT_OF(current_rules);
		const enum rule rule =
			current ? current_rules[i] : voltage_rules[i - COUNT_OF(current_rules)];
		char word[REASON_RULE_SIZE + 2];

		rig.out.reason_count = 0;
		rig.fusion.cause[CHARGE] = rig.fusion.voltage_cause[0] = cause_of(rule, 1);
		fusion_write_reasons(&rig.fusion, &rig.out);
		snprintf(word, sizeof word, "`%s`", rig.out.reasons[current ? 0 : 2].rule);
		assert_non_null(strstr(page, word));
	}
}

static void numbers_are_rounded_down_and_signed(void **state)
{
	static struct rig rig;
	struct cause cause = {RULE_TEMPERATURE, 3, FIELD_UNKNOWN, FIELD_UNKNOWN, -4590};

	(void)state;
	rig_settle(&rig, 2);
	rig.out.reason_count = 0;
	rig.out.charge_current_limit_ma = 63299;
	rig.fusion.cause[CHARGE] = cause;
	cause = (struct cause){RULE_CELL_VOLTAGE, 3, 7, FIELD_UNKNOWN, 3012};
	rig.out.discharge_current_limit_ma = 5100;
	rig.fusion.cause[DISCHARGE] = cause;
	rig.out.charge_voltage_limit_mv = 54019;
	fusion_write_reasons(&rig.fusion, &rig.out);
	assert_string_equal(rig.out.reasons[0].text,
			    "Charging is limited to 63.2 A because pack 3 has -4.5 degC.");
	assert_string_equal(
		rig.out.reasons[1].text,
		"Discharging is limited to 5.1 A because cell 7 of pack 3 is at 3.012 V, "
		"near its limit.");
	assert_string_equal(rig.out.reasons[2].text, "Charging goes up to 54.01 V.");
}

static const struct runner_up *next_of(const struct rig *rig, enum limit limit)
{
	return &rig_reason(rig, limit)->runner_up;
}

/* What would limit next, if what limits now went away. */
static void the_next_limit_is_named(void **state)
{
	static struct rig rig;

	(void)state;
	rig_init(&rig, 4);
	rig.config.charge_current_max_ma = 300000;
	rig_configure(&rig);
	rig_set_cell(&rig.packs[2], 7, 3520);
	rig.packs[3].temperatures_mC[1] = 9000;
	rig_run(&rig, 120);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "cell_voltage");
	assert_int_equal(rig.out.charge_current_limit_ma, 4 * 30630);
	assert_string_equal(next_of(&rig, LIMIT_CHARGE_CURRENT)->text,
			    "Otherwise charging would be limited to 280.8 A because pack 4 has 9.0 "
			    "degC.");
	assert_int_equal(next_of(&rig, LIMIT_CHARGE_CURRENT)->value, 280896);
	assert_int_equal(next_of(&rig, LIMIT_CHARGE_CURRENT)->pack, 4);
	assert_int_equal(next_of(&rig, LIMIT_CHARGE_CURRENT)->cell, FIELD_UNKNOWN);
	assert_string_equal(next_of(&rig, LIMIT_CHARGE_CURRENT)->rule, "temperature");
	rig.packs[3].temperatures_mC[1] = 22000;
	rig_run(&rig, 1);
	assert_string_equal(next_of(&rig, LIMIT_CHARGE_CURRENT)->rule, "user_cap");
	assert_int_equal(next_of(&rig, LIMIT_CHARGE_CURRENT)->value, 300000);
}

/* The next limit may be in the same pack: its sensors, when its cell has recovered. */
static void the_next_limit_may_be_in_the_same_pack(void **state)
{
	static struct rig rig;

	(void)state;
	rig_init(&rig, 2);
	rig_set_cell(&rig.packs[0], 3, 3560);
	rig.packs[0].temperatures_mC[0] = 0;
	rig_run(&rig, 5);
	assert_string_equal(rig_reason(&rig, LIMIT_CHARGE_CURRENT)->text,
			    "Charging is stopped because cell 3 of pack 1 is at 3.560 V, at its "
			    "limit.");
	assert_int_equal(next_of(&rig, LIMIT_CHARGE_CURRENT)->value, 2 * 13300);
	assert_int_equal(next_of(&rig, LIMIT_CHARGE_CURRENT)->pack, 1);
	rig.packs[0].protections = ALARM_BIT(ALARM_cell_overvoltage);
	rig_run(&rig, 1); /* both stop it: without one there is still the other */
	assert_int_equal(next_of(&rig, LIMIT_CHARGE_CURRENT)->value, 0);
	assert_string_equal(next_of(&rig, LIMIT_CHARGE_CURRENT)->rule, "protection");
	assert_string_equal(
		next_of(&rig, LIMIT_CHARGE_CURRENT)->text,
		"Otherwise charging would be stopped because the BMS of pack 1 reports a "
		"protection.");
}

static void full_current_has_a_next_limit_too(void **state)
{
	static struct rig rig;

	(void)state;
	rig_settle(&rig, 4);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "full");
	assert_string_equal(next_of(&rig, LIMIT_CHARGE_CURRENT)->rule, "temperature");
	assert_int_equal(next_of(&rig, LIMIT_CHARGE_CURRENT)->value, 4 * 133000);
	for (int i = 0; i < 4; i++)
		rig.packs[i].charge_mos = 0;
	rig_run(&rig, 1);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "blocked");
	assert_string_equal(next_of(&rig, LIMIT_CHARGE_CURRENT)->rule, "");
}

static void a_limit_on_its_way_up_names_where_to(void **state)
{
	static struct rig rig;

	(void)state;
	rig_settle(&rig, 2);
	rig.packs[0].charge_current_limit_ma = 20000;
	rig_run(&rig, 1);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "share");
	assert_int_equal(next_of(&rig, LIMIT_CHARGE_CURRENT)->value, 190000);
	assert_int_equal(next_of(&rig, LIMIT_CHARGE_CURRENT)->pack, 2);
	rig.packs[0].charge_current_limit_ma = 100000;
	rig_run(&rig, 1);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_CURRENT), "hold");
	assert_string_equal(next_of(&rig, LIMIT_CHARGE_CURRENT)->text,
			    "Otherwise all packs could take their full current.");
	assert_int_equal(next_of(&rig, LIMIT_CHARGE_CURRENT)->value, 190000);
}

static void voltages_have_a_next_limit(void **state)
{
	static struct rig rig;

	(void)state;
	rig_init(&rig, 3);
	rig.packs[0].charge_voltage_limit_mv = 54400;
	rig.packs[1].charge_voltage_limit_mv = 54800;
	rig.packs[1].discharge_voltage_limit_mv = 44000;
	rig.packs[2].discharge_voltage_limit_mv = 43200;
	rig_run(&rig, 5);
	assert_string_equal(rig_reason(&rig, LIMIT_CHARGE_VOLTAGE)->text,
			    "Pack 1 asks for 54.4 V.");
	assert_string_equal(next_of(&rig, LIMIT_CHARGE_VOLTAGE)->text,
			    "Otherwise pack 2 asks for 54.8 V.");
	assert_int_equal(next_of(&rig, LIMIT_CHARGE_VOLTAGE)->value, 54800);
	assert_int_equal(next_of(&rig, LIMIT_DISCHARGE_VOLTAGE)->value, 43200);
	assert_int_equal(next_of(&rig, LIMIT_DISCHARGE_VOLTAGE)->pack, 3);
	rig_set_cell(&rig.packs[2], 5, 3640);
	rig_run(&rig, 3);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_VOLTAGE), "cell_excess");
	assert_string_equal(next_of(&rig, LIMIT_CHARGE_VOLTAGE)->rule, "pack_request");
	rig_set_cell(&rig.packs[2], 5, 3300);
	rig_run(&rig, 5);
	assert_string_equal(rig_rule(&rig, LIMIT_CHARGE_VOLTAGE), "voltage_rising");
	assert_int_equal(next_of(&rig, LIMIT_CHARGE_VOLTAGE)->value, 54400);
	rig_init(&rig, 1);
	rig_run(&rig, 5);
	assert_string_equal(next_of(&rig, LIMIT_CHARGE_VOLTAGE)->rule, ""); /* nothing else */
	assert_string_equal(next_of(&rig, LIMIT_DISCHARGE_VOLTAGE)->rule, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_of_a_current_has_a_sentence),
		cmocka_unit_test(every_rule_of_a_voltage_has_a_sentence),
		cmocka_unit_test(every_word_is_documented),
		cmocka_unit_test(numbers_are_rounded_down_and_signed),
		cmocka_unit_test(the_next_limit_is_named),
		cmocka_unit_test(the_next_limit_may_be_in_the_same_pack),
		cmocka_unit_test(full_current_has_a_next_limit_too),
		cmocka_unit_test(a_limit_on_its_way_up_names_where_to),
		cmocka_unit_test(voltages_have_a_next_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
