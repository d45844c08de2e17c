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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_of_a_current_has_a_sentence),
		cmocka_unit_test(every_rule_of_a_voltage_has_a_sentence),
		cmocka_unit_test(every_word_is_documented),
		cmocka_unit_test(numbers_are_rounded_down_and_signed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
