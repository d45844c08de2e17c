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

static void print_choice(FILE *out, const struct fusion_choice *choice)
{
	fprintf(out, "| `%s` | - | ", choice->json);
	for (int i = 0; choice->words[i]; i++)
		fprintf(out, "%s%s", i ? ", " : "", choice->words[i]);
	fprintf(out, " | %s | %s |\n", choice->words[choice->normal], choice->meaning);
}

static void print_curve(FILE *out, const struct fusion_config *config,
			const struct fusion_curve *row)
{
	const struct curve *curve = (const struct curve *)((const char *)config + row->offset);

	fprintf(out, "| `%s` | %s | 1 to %d points | `[", row->json, row->units, CURVE_MAX_POINTS);
	for (int i = 0; i < curve->count; i++)
		fprintf(out, "%s[%g, %.3g]", i ? ", " : "", (double)curve->point[i].x / 1000,
			(double)curve->point[i].y / 1e6);
	fprintf(out, "]` | %s |\n", row->meaning);
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
	print_heading(out, FUSION_CHOICES_GROUP);
	for (int i = 0; i < fusion_choice_count; i++)
		print_choice(out, &fusion_choices[i]);
	for (int i = 0; i < fusion_curve_count; i++)
		print_curve(out, &config, &fusion_curves[i]);
}
