// SPDX-License-Identifier: Apache-2.0
/* The choices and curves of `battery:` as rows, for the loader, the table for people and the web
 * page. The simple keys are the rows of fusion_keys.h. */
#include <stddef.h>

#include "onepack/fusion_config.h"

static const char *const limit_rules[] = {"share", "sum", "min", NULL};
static const char *const soc_bases[] = {"usable", "all", NULL};
static const char *const cvl_policies[] = {"unfinished", "lowest", "highest", NULL};

/* The loader and the page read and write the members as int. */
_Static_assert(sizeof(enum limit_rule) == sizeof(int) && sizeof(enum soc_basis) == sizeof(int) &&
		       sizeof(enum cvl_policy) == sizeof(int),
	       "an enum is an int");

const struct fusion_choice fusion_choices[] = {
	{"limit_rule", limit_rules, LIMIT_RULE_SHARE, offsetof(struct fusion_config, limit_rule),
	 "how pack limits become one limit"},
	{"soc_basis", soc_bases, SOC_BASIS_USABLE, offsetof(struct fusion_config, soc_basis),
	 "packs that count in the state of charge"},
	{"cvl_policy", cvl_policies, CVL_UNFINISHED, offsetof(struct fusion_config, cvl_policy),
	 "whose charge voltage counts"},
};

const int fusion_choice_count = sizeof fusion_choices / sizeof fusion_choices[0];

#define CELL_X        1000, 5000     /* mV */
#define TEMPERATURE_X -60000, 120000 /* mC */
#define PART          1000
#define RATE          10000 /* 10 C, in thousandths */

const struct fusion_curve fusion_curves[] = {
	{"charge_cell_table", offsetof(struct fusion_config, charge_cell), CELL_X, PART, "V, part",
	 "highest cell -> part of the pack's charge limit"},
	{"discharge_cell_table", offsetof(struct fusion_config, discharge_cell), CELL_X, PART,
	 "V, part", "lowest cell -> part of the pack's discharge limit"},
	{"charge_temperature_table", offsetof(struct fusion_config, charge_temperature),
	 TEMPERATURE_X, RATE, "degC, 1/h", "each sensor -> part of the pack's capacity per hour"},
	{"discharge_temperature_table", offsetof(struct fusion_config, discharge_temperature),
	 TEMPERATURE_X, RATE, "degC, 1/h", "each sensor -> part of the pack's capacity per hour"},
	{"mos_temperature_table", offsetof(struct fusion_config, mos_temperature), TEMPERATURE_X,
	 PART, "degC, part", "power switches -> part of the pack's limit"},
};

const int fusion_curve_count = sizeof fusion_curves / sizeof fusion_curves[0];
