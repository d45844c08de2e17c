// SPDX-License-Identifier: Apache-2.0
/* Writes a scenario as YAML for people: decimals without superfluous zeros, alike packs once, of
 * the `battery:` section only what differs from the defaults. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "scenario_keys.h"

static void write_milli(FILE *out, int64_t milli)
{
	const int64_t size = llabs(milli);
	int digits = 3;
	int64_t rest = size % 1000;

	fprintf(out, "%s%" PRId64, milli < 0 ? "-" : "", size / 1000);
	if (rest == 0)
		return;
	for (; rest % 10 == 0; rest /= 10)
		digits--;
	fprintf(out, ".%0*" PRId64, digits, rest);
}

static void write_keys(FILE *out, const struct scenario_key keys[], const void *object,
		       const char *before)
{
	for (int i = 0; keys[i].name; i++) {
		int32_t value;

		memcpy(&value, (const char *)object + keys[i].offset, sizeof value);
		fprintf(out, "%s%s: ", before, keys[i].name);
		if (keys[i].scale == 1)
			fprintf(out, "%" PRId32, value);
		else
			write_milli(out, value);
		before = ", ";
	}
}

static void write_rack(FILE *out, const struct scenario *s)
{
	fprintf(out, "rack:\n  protocol: %s\n  cells: %" PRId32 "\n  baud: %" PRIu32 "\n  packs:\n",
		s->protocol, s->cell_count, s->baud);
	for (int i = 0, next; i < s->pack_count; i = next) {
		for (next = i + 1; next < s->pack_count; next++)
			if (memcmp(&s->packs[i], &s->packs[next], sizeof s->packs[i]) != 0)
				break;
		fputs("    - {", out);
		if (next - i > 1)
			fprintf(out, "count: %d, ", next - i);
		write_keys(out, scenario_pack_keys, &s->packs[i], "");
		fputs("}\n", out);
	}
}

static void write_power(FILE *out, const struct scenario *s)
{
	fputs("power: {start_s: ", out);
	write_milli(out, s->start_ms);
	write_keys(out, scenario_power_keys, s, ", ");
	if (s->step_count > 0) {
		fputs(",\n  steps: [", out);
		for (int i = 0; i < s->step_count; i++) {
			fputs(i ? ", [" : "[", out);
			write_milli(out, s->steps[i].from_ms);
			fprintf(out, ", %" PRId32 "]", s->steps[i].power_w);
		}
		fputs("]", out);
	}
	fputs("}\n", out);
}

static void write_curve(FILE *out, const char *key, const struct curve *curve,
			const struct curve *normal)
{
	if (memcmp(curve, normal, sizeof *curve) == 0)
		return;
	fprintf(out, "  %s: [", key);
	for (int i = 0; i < curve->count; i++) {
		fputs(i ? ", [" : "[", out);
		write_milli(out, curve->point[i].x);
		fputs(", ", out);
		write_milli(out, curve->point[i].y / 1000);
		fputs("]", out);
	}
	fputs("]\n", out);
}

static void write_battery(FILE *out, const struct fusion_config *config)
{
	static const char *const rules[] = {"share", "sum", "min"};
	struct fusion_config normal = *config;

	fprintf(out, "battery:\n  limit_rule: %s\n  soc_basis: %s\n", rules[config->limit_rule],
		config->soc_basis == SOC_BASIS_ALL ? "all" : "usable");
	for (int i = 0; i < fusion_key_count; i++) {
		const struct fusion_key *key = &fusion_keys[i];
		int32_t value;

		memcpy(&value, (const char *)config + key->offset, sizeof value);
		if (value == key->normal || value == FIELD_UNKNOWN)
			continue;
		fprintf(out, "  %s: ", key->json);
		if (key->unit == UNIT_FLAG)
			fputs(value ? "yes" : "no", out);
		else if (unit_is_thousandths(key->unit))
			write_milli(out, value);
		else
			fprintf(out, "%" PRId32, value);
		fputs("\n", out);
	}
	fusion_config_default_curves(&normal);
	write_curve(out, "charge_cell_table", &config->charge_cell, &normal.charge_cell);
	write_curve(out, "discharge_cell_table", &config->discharge_cell, &normal.discharge_cell);
	write_curve(out, "charge_temperature_table", &config->charge_temperature,
		    &normal.charge_temperature);
	write_curve(out, "discharge_temperature_table", &config->discharge_temperature,
		    &normal.discharge_temperature);
}

static void write_fault(FILE *out, const struct fault *fault)
{
	const struct fault_info *info = fault_info(fault->kind);

	fprintf(out, "  - {kind: %s", info->name);
	if (fault->pack)
		fprintf(out, ", pack: %" PRId32, fault->pack);
	if (fault->cell)
		fprintf(out, ", cell: %" PRId32, fault->cell);
	fputs(", start_s: ", out);
	write_milli(out, fault->start_ms);
	fputs(", end_s: ", out);
	write_milli(out, fault->end_ms);
	if (info->unit[0]) {
		fputs(", magnitude: ", out);
		write_milli(out, fault->milli);
	}
	fputs("}\n", out);
}

/* In double quotes, so that any text is YAML. */
static void write_title(FILE *out, const char *title)
{
	fputs("title: \"", out);
	for (; *title; title++) {
		if (*title == '"' || *title == '\\')
			fputc('\\', out);
		fputc(*title, out);
	}
	fputs("\"\n", out);
}

void scenario_write(const struct scenario *scenario, FILE *out)
{
	fputs("# SPDX-License-Identifier: Apache-2.0\n", out);
	write_title(out, scenario->title);
	fprintf(out, "seed: %" PRIu64 "\nduration_s: ", scenario->seed);
	write_milli(out, scenario->duration_ms);
	fprintf(out, "\ninverter: %s\n", scenario->inverter);
	write_rack(out, scenario);
	fputs("weather: {", out);
	write_keys(out, scenario_weather_keys, scenario, "");
	fputs("}\n", out);
	write_power(out, scenario);
	write_battery(out, &scenario->battery);
	fputs(scenario->fault_count ? "faults:\n" : "faults: []\n", out);
	for (int i = 0; i < scenario->fault_count; i++)
		write_fault(out, &scenario->faults[i]);
}
