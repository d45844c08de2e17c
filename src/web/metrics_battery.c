// SPDX-License-Identifier: Apache-2.0
/* Metrics of the battery and its packs, made from the vocabulary: onepack_battery_NAME_UNIT,
 * onepack_pack_NAME_UNIT{pack}. An enumeration is one sample per word, 1 where it holds. */
#include <string.h>

#include "metrics.h"

static void word_lines(const struct sheet *sheet, const char *labels, enum unit unit, int32_t value)
{
	char all[METRIC_LABEL_SIZE];

	for (int32_t i = 0; unit_word(unit, i); i++) {
		snprintf(all, sizeof all, "%s%sstate=\"%s\"", labels, labels[0] ? "," : "",
			 unit_word(unit, i));
		metric_count(sheet, all, i == value);
	}
}

static void value_line(const struct sheet *sheet, const char *labels, const struct field *field,
		       int32_t value)
{
	if (value == FIELD_UNKNOWN)
		return;
	if (unit_is_thousandths(field->unit)) {
		metric_decimal(sheet, labels, value);
	} else if (unit_word(field->unit, 0)) {
		word_lines(sheet, labels, field->unit, value);
	} else {
		metric_count(sheet, labels, value);
	}
}

/* Energies only grow; everything else goes up and down. */
static void begin_field(struct sheet *sheet, const char *prefix, const struct field *field)
{
	const char *unit = unit_metric_suffix(field->unit);
	const bool is_counter = field->unit == UNIT_KWH;
	char name[METRIC_NAME_SIZE];

	snprintf(name, sizeof name, "%s_%s%s%s%s", prefix, field->name, unit[0] ? "_" : "", unit,
		 is_counter ? "_total" : "");
	metric_begin(sheet, is_counter ? "counter" : "gauge", name, field->meaning);
}

static void print_battery(struct sheet *sheet, const struct battery *battery)
{
	for (size_t i = 0; i < field_battery.field_count; i++) {
		const struct field *field = &field_battery.fields[i];

		begin_field(sheet, "battery", field);
		value_line(sheet, "", field, field_get(battery, field));
	}
}

static void pack_label(const struct pack *pack, char labels[METRIC_LABEL_SIZE])
{
	snprintf(labels, METRIC_LABEL_SIZE, "pack=\"%d\"", (int)pack->pack);
}

static void print_packs(struct sheet *sheet, const struct battery *battery)
{
	char labels[METRIC_LABEL_SIZE];

	for (size_t i = 0; i < field_pack.field_count; i++) {
		const struct field *field = &field_pack.fields[i];

		if (strcmp(field->name, "pack") == 0)
			continue; /* it is the label */
		begin_field(sheet, "pack", field);
		for (int j = 0; j < battery->pack_count; j++) {
			pack_label(&battery->packs[j], labels);
			value_line(sheet, labels, field, field_get(&battery->packs[j], field));
		}
	}
}

/* --- lists of packs --- */

static void list_lines(const struct sheet *sheet, const struct pack *pack, const char *label,
		       const int32_t *values, int32_t count)
{
	char labels[METRIC_LABEL_SIZE];

	for (int32_t i = 0; i < count; i++) {
		snprintf(labels, sizeof labels, "pack=\"%d\",%s=\"%d\"", (int)pack->pack, label,
			 (int)i + 1);
		metric_decimal(sheet, labels, values[i]);
	}
}

static void print_lists(struct sheet *sheet, const struct battery *battery)
{
	metric_begin(sheet, "gauge", "pack_cell_voltage_volts", "voltage of each cell");
	for (int i = 0; i < battery->pack_count; i++)
		list_lines(sheet, &battery->packs[i], "cell", battery->packs[i].cells_mv,
			   battery->packs[i].cell_count);
	metric_begin(sheet, "gauge", "pack_temperature_celsius", "each temperature sensor");
	for (int i = 0; i < battery->pack_count; i++)
		list_lines(sheet, &battery->packs[i], "sensor", battery->packs[i].temperatures_mC,
			   battery->packs[i].temperature_count);
}

/* --- alarms: all of the battery's, so that rules have a series; of the packs those that are set */

static void alarm_lines(const struct sheet *sheet, const char *labels, alarm_set set, bool all)
{
	char label[METRIC_LABEL_SIZE];

	for (int i = 0; i < ALARM_COUNT; i++) {
		if (!all && !(set & ALARM_BIT(i)))
			continue;
		snprintf(label, sizeof label, "%s%salarm=\"%s\"", labels, labels[0] ? "," : "",
			 alarm_name((enum alarm)i));
		metric_count(sheet, label, (set & ALARM_BIT(i)) != 0);
	}
}

static void print_alarms(struct sheet *sheet, const struct battery *battery)
{
	char labels[METRIC_LABEL_SIZE];

	metric_begin(sheet, "gauge", "battery_protection",
		     "1 while a BMS has acted for this reason");
	alarm_lines(sheet, "", battery->protections, true);
	metric_begin(sheet, "gauge", "battery_warning", "1 while this is near or wants attention");
	alarm_lines(sheet, "", battery->warnings, true);
	metric_begin(sheet, "gauge", "pack_protection",
		     "1 while the pack has acted for this reason");
	for (int i = 0; i < battery->pack_count; i++) {
		pack_label(&battery->packs[i], labels);
		alarm_lines(sheet, labels, battery->packs[i].protections, false);
	}
	metric_begin(sheet, "gauge", "pack_warning", "1 while the pack warns of this");
	for (int i = 0; i < battery->pack_count; i++) {
		pack_label(&battery->packs[i], labels);
		alarm_lines(sheet, labels, battery->packs[i].warnings, false);
	}
}

static void print_info(struct sheet *sheet, const struct battery *battery)
{
	char text[METRIC_LABEL_SIZE];

	metric_begin(sheet, "gauge", "build_info", "version of the gateway");
	metric_count(sheet, "version=\"" ONEPACK_VERSION "\"", 1);
	metric_begin(sheet, "gauge", "pack_info", "what the pack says about itself");
	for (int i = 0; i < battery->pack_count; i++) {
		const struct pack *pack = &battery->packs[i];

		fprintf(sheet->out, "%s{pack=\"%d\"", sheet->name, (int)pack->pack);
		for (size_t j = 0; j < field_pack.text_count; j++)
			fprintf(sheet->out, ",%s=\"%s\"", field_pack.texts[j].name,
				metric_label((const char *)pack + field_pack.texts[j].offset,
					     text));
		fputs("} 1\n", sheet->out);
	}
}

void metrics_print_battery(struct sheet *sheet, const struct battery *battery)
{
	print_info(sheet, battery);
	print_battery(sheet, battery);
	print_packs(sheet, battery);
	print_lists(sheet, battery);
	print_alarms(sheet, battery);
}
