// SPDX-License-Identifier: Apache-2.0
/* The `battery:` section: what it takes, what it refuses and with which words. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "onepack/err.h"
#include "onepack/fusion_config.h"

/* Loads a text; the complaints are compared with `complaints`. */
static int load(const char *text, const char *complaints, struct fusion_config *config)
{
	char *said = NULL;
	size_t size = 0;
	FILE *errors = open_memstream(&said, &size);
	struct doc *doc = doc_parse("f.yaml", text, strlen(text), errors);

	assert_non_null(doc);
	const int status = fusion_config_load(doc, doc_get(doc, doc_root(doc), "battery"), config);

	doc_free(doc);
	fclose(errors);
	assert_string_equal(said, complaints);
	free(said);
	return status;
}

static void nothing_means_the_defaults(void **state)
{
	static const char *const texts[] = {"", "battery:\n", "battery: {}\n", "web: {}\n"};
	struct fusion_config normal, config;

	(void)state;
	fusion_config_default(&normal);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		memset(&config, 0xA5, sizeof config);
		assert_int_equal(load(texts[i], "", &config), 0);
		assert_memory_equal(&config, &normal, sizeof config);
	}
}

static void every_key_is_taken(void **state)
{
	struct fusion_config config;

	(void)state;
	assert_int_equal(load("battery:\n"
			      "  packs_expected: 16\n"
			      "  cells_in_series: 15\n"
			      "  charge_target_cell_v: 3.5\n"
			      "  float_target_cell_v: 3.375\n"
			      "  cell_overvoltage_v: 3.6\n"
			      "  cell_undervoltage_v: 2.7\n"
			      "  charge_current_max_a: 200\n"
			      "  discharge_current_max_a: 250.5\n"
			      "  limit_rule: min\n"
			      "  limit_headroom_pct: 90\n"
			      "  rise_hold_s: 12.5\n"
			      "  rise_pct_per_s: 3\n"
			      "  soc_basis: all\n"
			      "  soc_slew_pct_per_s: 2\n"
			      "  quorum_pct: 75\n"
			      "  join_voltage_v: 0.4\n"
			      "  join_time_s: 5\n"
			      "  refuse_voltage_v: 2\n"
			      "  n_minus_1: yes\n"
			      "  rest_for_balancing: true\n"
			      "  cvl_policy: highest\n"
			      "  temperature_possible_min_c: -20.5\n"
			      "  loss_hold_s: 1800\n"
			      "  mos_temperature_table: [[60, 1], [75, 0]]\n"
			      "  charge_cell_table: [[3.35, 1.0], [3.5, 0.25], [3.6, 0]]\n"
			      "  discharge_temperature_table: [[-20, 0.05], [0, 1.5]]\n",
			      "", &config),
			 0);
	assert_int_equal(config.packs_expected, 16);
	assert_int_equal(config.cells_in_series, 15);
	assert_int_equal(config.charge_target_cell_mv, 3500);
	assert_int_equal(config.float_target_cell_mv, 3375);
	assert_int_equal(config.discharge_current_max_ma, 250500);
	assert_int_equal(config.limit_rule, LIMIT_RULE_MIN);
	assert_int_equal(config.limit_headroom_mpct, 90000);
	assert_int_equal(config.rise_hold_ms, 12500);
	assert_int_equal(config.rise_pct_per_s, 3);
	assert_int_equal(config.soc_basis, SOC_BASIS_ALL);
	assert_int_equal(config.quorum_mpct, 75000);
	assert_int_equal(config.join_voltage_mv, 400);
	assert_int_equal(config.n_minus_1, 1);
	assert_int_equal(config.rest_for_balancing, 1);
	assert_int_equal(config.cvl_policy, CVL_HIGHEST);
	assert_int_equal(config.temperature_possible_min_mC, -20500);
	assert_int_equal(config.loss_hold_ms, 1800000);
	assert_int_equal(curve_at(&config.mos_temperature, 60000), 1000000);
	assert_int_equal(config.charge_cell.count, 3);
	assert_int_equal(curve_at(&config.charge_cell, 3500), 250000);
	assert_int_equal(curve_at(&config.discharge_temperature, -20000), 50000);
	assert_int_equal(curve_at(&config.discharge_temperature, 0), 1500000);
	/* a table that is not given follows the voltages that are */
	assert_int_equal(curve_at(&config.discharge_cell, 2900), 0);
	assert_int_equal(curve_at(&config.discharge_cell, 3290), 1000000);
}

static void mistakes_are_named_with_their_place(void **state)
{
	static const struct {
		const char *text, *complaints;
	} rows[] = {
		{"battery: 7\n", "f.yaml:1:10: battery is a mapping of settings\n"},
		{"battery:\n  quorum_pct: 101\n", "f.yaml:2:15: 101 is outside 0..100\n"},
		{"battery:\n  packs_expected: 17\n", "f.yaml:2:19: 17 is outside 1..16\n"},
		{"battery:\n  rise_hold_s: soon\n",
		 "f.yaml:2:16: 'soon' is not a number with at most three decimals\n"},
		{"battery:\n  n_minus_1: maybe\n", "f.yaml:2:14: 'maybe' is neither yes nor no\n"},
		{"battery:\n  limit_rule: mean\n",
		 "f.yaml:2:15: 'mean' is not possible here; one of: share, sum, min\n"},
		{"battery:\n  soc_basis: [usable]\n",
		 "f.yaml:2:14: 'this' is not possible here; one of: usable, all\n"},
		{"battery:\n  charge_cell_table: []\n",
		 "f.yaml:2:22: charge_cell_table is a list of 1 to 8 points, [[position, part], "
		 "...]\n"},
		{"battery:\n  charge_cell_table: [[3.4, 1], [3.4, 0]]\n",
		 "f.yaml:2:33: the positions of charge_cell_table must rise\n"},
		{"battery:\n  charge_cell_table: [[3.4]]\n",
		 "f.yaml:2:23: a point is [position, part], for example [3.45, 0.5]\n"},
		{"battery:\n  charge_cell_table: [[3.4, 1.1]]\n",
		 "f.yaml:2:29: 1.1 is outside 0..1\n"},
		{"battery:\n  charge_cell_table: [[0.9, 1]]\n",
		 "f.yaml:2:24: 0.9 is outside 1..5\n"},
		{"battery:\n  float_target_cell_v: 3.5\n",
		 "f.yaml:2:3: float_target_cell_v must not be above charge_target_cell_v\n"},
		{"battery:\n  charge_target_cell_v: 3.7\n",
		 "f.yaml:2:3: charge_target_cell_v must be below cell_overvoltage_v\n"},
		{"battery:\n  cell_undervoltage_v: 3.4\n",
		 "f.yaml:2:3: cell_undervoltage_v must be below float_target_cell_v\n"},
		{"battery:\n  held_s: 2\n",
		 "f.yaml:2:3: fresh_s, held_s and lost_s must rise in this order\n"},
		{"battery:\n  lost_s: 8\n",
		 "f.yaml:2:3: fresh_s, held_s and lost_s must rise in this order\n"},
		{"battery:\n  cell_possible_min_v: 2.501\n",
		 "f.yaml:2:24: 2.501 is outside 0.5..2.5\n"},
		{"battery:\n  cell_undervoltage_v: 1.55\n",
		 "f.yaml:2:3: a critical cell must be possible: cell_possible_min_v is above "
		 "cell_undervoltage_v less critical_cell_v\n"},
		{"battery:\n  critical_cell_v: 0.9\n",
		 "f.yaml:2:3: a critical cell must be possible: cell_possible_max_v is below "
		 "cell_overvoltage_v plus critical_cell_v\n"},
		{"battery:\n  cvl_policy: both\n",
		 "f.yaml:2:15: 'both' is not possible here; one of: unfinished, lowest, highest\n"},
		{"battery:\n  refuse_voltage_v: 0.3\n",
		 "f.yaml:2:3: refuse_voltage_v must not be below join_voltage_v\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fusion_config config, before;

		memset(&config, 0xA5, sizeof config);
		before = config;
		assert_int_equal(load(rows[i].text, rows[i].complaints, &config), ERR_FORMAT);
		assert_memory_equal(&config, &before, sizeof config);
	}
}

static void unknown_keys_are_answered_with_the_possible_ones(void **state)
{
	char *said = NULL;
	size_t size = 0;
	FILE *errors = open_memstream(&said, &size);
	static const char text[] = "battery:\n  qorum_pct: 50\n";
	struct doc *doc = doc_parse("f.yaml", text, strlen(text), errors);
	struct fusion_config config;

	(void)state;
	assert_int_equal(fusion_config_load(doc, doc_get(doc, doc_root(doc), "battery"), &config),
			 ERR_FORMAT);
	doc_free(doc);
	fclose(errors);
	assert_memory_equal(said, "f.yaml:2:3: unknown key 'qorum_pct'", 35);
	assert_non_null(strstr(said, "quorum_pct"));
	free(said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_means_the_defaults),
		cmocka_unit_test(every_key_is_taken),
		cmocka_unit_test(mistakes_are_named_with_their_place),
		cmocka_unit_test(unknown_keys_are_answered_with_the_possible_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
