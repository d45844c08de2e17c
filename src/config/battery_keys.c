// SPDX-License-Identifier: Apache-2.0
/* The keys of `battery:` as a table for people, from the same rows that the loader reads. */
#include <string.h>

#include "onepack/fusion_config.h"

static void print_value(FILE *out, int32_t value, enum unit unit)
{
	if (value == FIELD_UNKNOWN)
		fputs("not set", out);
	else if (unit == UNIT_FLAG)
		fputs(value ? "yes" : "no", out);
	else if (unit_is_thousandths(unit))
		fprintf(out, "%g", (double)value / 1000);
	else
		fprintf(out, "%d", (int)value);
}

static void print_key(FILE *out, const struct fusion_key *key)
{
	const char *symbol = unit_symbol(key->unit);

	fprintf(out, "| `%s` | %s | ", key->json, symbol[0] ? symbol : "-");
	if (key->unit == UNIT_FLAG) {
		fputs("yes, no", out);
	} else {
		print_value(out, key->low, key->unit);
		fputs(" to ", out);
		print_value(out, key->high, key->unit);
	}
	fputs(" | ", out);
	print_value(out, key->normal, key->unit);
	fprintf(out, " | %s |\n", key->meaning);
}

static void print_curve(FILE *out, const char *key, const char *range, const struct curve *curve,
			const char *meaning)
{
	fprintf(out, "| `%s` | %s | 1 to %d points | `[", key, range, CURVE_MAX_POINTS);
	for (int i = 0; i < curve->count; i++)
		fprintf(out, "%s[%g, %.3g]", i ? ", " : "", (double)curve->point[i].x / 1000,
			(double)curve->point[i].y / 1e6);
	fprintf(out, "]` | %s |\n", meaning);
}

static void print_heading(FILE *out, const char *heading)
{
	fprintf(out,
		"\n**%s**\n\n| key | unit | possible | default | meaning |\n|---|---|---|---|---|\n",
		heading);
}

void fusion_config_describe(FILE *out)
{
	struct fusion_config config;

	fusion_config_default(&config);
	for (int i = 0; i < fusion_key_count; i++) {
		if (i == 0 || strcmp(fusion_keys[i].group, fusion_keys[i - 1].group) != 0)
			print_heading(out, fusion_keys[i].group);
		print_key(out, &fusion_keys[i]);
	}
	print_heading(out, "Choices and tables");
	fputs("| `limit_rule` | - | share, sum, min | share | how pack limits become one limit |\n"
	      "| `soc_basis` | - | usable, all | usable | packs that count in the state of charge "
	      "|\n",
	      out);
	fputs("| `cvl_policy` | - | unfinished, lowest, highest | unfinished | whose charge voltage counts "
	      "|\n",
	      out);
	print_curve(out, "charge_cell_table", "V, part", &config.charge_cell,
		    "highest cell -> part of the pack's charge limit");
	print_curve(out, "discharge_cell_table", "V, part", &config.discharge_cell,
		    "lowest cell -> part of the pack's discharge limit");
	print_curve(out, "charge_temperature_table", "degC, 1/h", &config.charge_temperature,
		    "each sensor -> part of the pack's capacity per hour");
	print_curve(out, "discharge_temperature_table", "degC, 1/h", &config.discharge_temperature,
		    "each sensor -> part of the pack's capacity per hour");
	print_curve(out, "mos_temperature_table", "degC, part", &config.mos_temperature,
		    "power switches -> part of the pack's limit");
}
