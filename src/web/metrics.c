// SPDX-License-Identifier: Apache-2.0
/* Prometheus metrics in the text format 0.0.4, made from the vocabulary: onepack_battery_NAME_UNIT,
 * onepack_pack_NAME_UNIT{pack}. Unknown values have no sample; an enumeration is one sample per
 * word, 1 where it holds. Links and the history follow by hand. */
#include <stdlib.h>
#include <string.h>

#include "http.h"
#include "onepack/clock.h"

#define NAME_SIZE  96
#define LABEL_SIZE 160

struct sheet {
	FILE *out;
	char name[NAME_SIZE]; /* of the family that is being written */
};

/* --- lines --- */

/* `kind`: "gauge" or "counter". */
static void begin(struct sheet *sheet, const char *kind, const char *name, const char *help)
{
	snprintf(sheet->name, sizeof sheet->name, "onepack_%s", name);
	fprintf(sheet->out, "# HELP %s %s\n# TYPE %s %s\n", sheet->name, help, sheet->name, kind);
}

/* `labels` is what stands between the braces, "" for none. */
static void begin_line(const struct sheet *sheet, const char *labels)
{
	fputs(sheet->name, sheet->out);
	if (labels[0])
		fprintf(sheet->out, "{%s}", labels);
	fputc(' ', sheet->out);
}

static void count_line(const struct sheet *sheet, const char *labels, uint64_t value)
{
	begin_line(sheet, labels);
	fprintf(sheet->out, "%llu\n", (unsigned long long)value);
}

static void decimal_line(const struct sheet *sheet, const char *labels, int32_t thousandths)
{
	if (thousandths == FIELD_UNKNOWN)
		return;
	begin_line(sheet, labels);
	print_decimal(sheet->out, thousandths);
	fputc('\n', sheet->out);
}

static void age_line(const struct sheet *sheet, const char *labels, int64_t then_ms, int64_t now_ms)
{
	if (then_ms == 0)
		return;
	begin_line(sheet, labels);
	fprintf(sheet->out, "%.3f\n", (double)(now_ms - then_ms) / 1000.0);
}

/* Copies text from a bus or a configuration as the value of a label. */
static const char *label_text(const char *text, char out[LABEL_SIZE])
{
	size_t used = 0;

	for (; *text && used < LABEL_SIZE - 3; text++) {
		const unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			out[used++] = '\\';
		out[used++] = c < ' ' || c > '~' ? '?' : (char)c;
	}
	out[used] = '\0';
	return out;
}

/* --- fields of the vocabulary --- */

static void word_lines(const struct sheet *sheet, const char *labels, enum unit unit, int32_t value)
{
	char all[LABEL_SIZE];

	for (int32_t i = 0; unit_word(unit, i); i++) {
		snprintf(all, sizeof all, "%s%sstate=\"%s\"", labels, labels[0] ? "," : "",
			 unit_word(unit, i));
		count_line(sheet, all, i == value);
	}
}

static void value_line(const struct sheet *sheet, const char *labels, const struct field *field,
		       int32_t value)
{
	if (value == FIELD_UNKNOWN)
		return;
	if (unit_is_thousandths(field->unit)) {
		decimal_line(sheet, labels, value);
	} else if (unit_word(field->unit, 0)) {
		word_lines(sheet, labels, field->unit, value);
	} else {
		begin_line(sheet, labels);
		fprintf(sheet->out, "%d\n", (int)value);
	}
}

/* Energies only grow; everything else goes up and down. */
static void begin_field(struct sheet *sheet, const char *prefix, const struct field *field)
{
	const char *unit = unit_metric_suffix(field->unit);
	const bool is_counter = field->unit == UNIT_KWH;
	char name[NAME_SIZE];

	snprintf(name, sizeof name, "%s_%s%s%s%s", prefix, field->name, unit[0] ? "_" : "", unit,
		 is_counter ? "_total" : "");
	begin(sheet, is_counter ? "counter" : "gauge", name, field->meaning);
}

static void print_battery(struct sheet *sheet, const struct battery *battery)
{
	for (size_t i = 0; i < field_battery.field_count; i++) {
		const struct field *field = &field_battery.fields[i];

		begin_field(sheet, "battery", field);
		value_line(sheet, "", field, field_get(battery, field));
	}
}

static void pack_label(const struct pack *pack, char labels[LABEL_SIZE])
{
	snprintf(labels, LABEL_SIZE, "pack=\"%d\"", (int)pack->pack);
}

static void print_packs(struct sheet *sheet, const struct battery *battery)
{
	char labels[LABEL_SIZE];

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
	char labels[LABEL_SIZE];

	for (int32_t i = 0; i < count; i++) {
		snprintf(labels, sizeof labels, "pack=\"%d\",%s=\"%d\"", (int)pack->pack, label,
			 (int)i + 1);
		decimal_line(sheet, labels, values[i]);
	}
}

static void print_lists(struct sheet *sheet, const struct battery *battery)
{
	begin(sheet, "gauge", "pack_cell_voltage_volts", "voltage of each cell");
	for (int i = 0; i < battery->pack_count; i++)
		list_lines(sheet, &battery->packs[i], "cell", battery->packs[i].cells_mv,
			   battery->packs[i].cell_count);
	begin(sheet, "gauge", "pack_temperature_celsius", "each temperature sensor");
	for (int i = 0; i < battery->pack_count; i++)
		list_lines(sheet, &battery->packs[i], "sensor", battery->packs[i].temperatures_mC,
			   battery->packs[i].temperature_count);
}

/* --- alarms: all of the battery's, so that rules have a series; of the packs those that are set */

static void alarm_lines(const struct sheet *sheet, const char *labels, alarm_set set, bool all)
{
	char label[LABEL_SIZE];

	for (int i = 0; i < ALARM_COUNT; i++) {
		if (!all && !(set & ALARM_BIT(i)))
			continue;
		snprintf(label, sizeof label, "%s%salarm=\"%s\"", labels, labels[0] ? "," : "",
			 alarm_name((enum alarm)i));
		count_line(sheet, label, (set & ALARM_BIT(i)) != 0);
	}
}

static void print_alarms(struct sheet *sheet, const struct battery *battery)
{
	char labels[LABEL_SIZE];

	begin(sheet, "gauge", "battery_protection", "1 while a BMS has acted for this reason");
	alarm_lines(sheet, "", battery->protections, true);
	begin(sheet, "gauge", "battery_warning", "1 while this is near or wants attention");
	alarm_lines(sheet, "", battery->warnings, true);
	begin(sheet, "gauge", "pack_protection", "1 while the pack has acted for this reason");
	for (int i = 0; i < battery->pack_count; i++) {
		pack_label(&battery->packs[i], labels);
		alarm_lines(sheet, labels, battery->packs[i].protections, false);
	}
	begin(sheet, "gauge", "pack_warning", "1 while the pack warns of this");
	for (int i = 0; i < battery->pack_count; i++) {
		pack_label(&battery->packs[i], labels);
		alarm_lines(sheet, labels, battery->packs[i].warnings, false);
	}
}

static void print_info(struct sheet *sheet, const struct battery *battery)
{
	char text[LABEL_SIZE];

	begin(sheet, "gauge", "build_info", "version of the gateway");
	count_line(sheet, "version=\"" ONEPACK_VERSION "\"", 1);
	begin(sheet, "gauge", "pack_info", "what the pack says about itself");
	for (int i = 0; i < battery->pack_count; i++) {
		const struct pack *pack = &battery->packs[i];

		fprintf(sheet->out, "%s{pack=\"%d\"", sheet->name, (int)pack->pack);
		for (size_t j = 0; j < field_pack.text_count; j++)
			fprintf(sheet->out, ",%s=\"%s\"", field_pack.texts[j].name,
				label_text((const char *)pack + field_pack.texts[j].offset, text));
		fputs("} 1\n", sheet->out);
	}
}

/* --- buses --- */

struct buses {
	struct bus_status list[STATUS_MAX_BUSES];
	int count;
};

static bool was_heard_of(const struct bus_address_status *address)
{
	uint64_t total = address->answers;

	for (int i = 0; i < BUS_CAUSE_COUNT; i++)
		total += address->errors[i];
	return total > 0;
}

/* One line per address, or with `causes` one per address and cause. */
static void address_lines(const struct sheet *sheet, const struct bus_status *bus, bool causes)
{
	char name[LABEL_SIZE], labels[2 * LABEL_SIZE];

	label_text(bus->name, name);
	for (int i = 0; i < BUS_MAX_ADDRESS; i++) {
		const struct bus_address_status *address = &bus->address[i];

		if (!was_heard_of(address))
			continue;
		snprintf(labels, sizeof labels, "bus=\"%s\",address=\"%d\"", name, i);
		if (!causes)
			count_line(sheet, labels, address->answers);
		for (int cause = 0; causes && cause < BUS_CAUSE_COUNT; cause++) {
			snprintf(labels, sizeof labels,
				 "bus=\"%s\",address=\"%d\",cause=\"%s\"", name, i,
				 bus_cause_name((enum bus_cause)cause));
			count_line(sheet, labels, address->errors[cause]);
		}
	}
}

static void print_buses(struct sheet *sheet, const struct buses *buses)
{
	static const char *const names[] = {"bus_up", "bus_cycles_total", "bus_cycle_seconds"};
	static const char *const kinds[] = {"gauge", "counter", "gauge"};
	static const char *const helps[] = {"1 while the port works", "complete poll cycles",
					    "duration of the last poll cycle"};
	char name[LABEL_SIZE], labels[LABEL_SIZE + 8];

	for (int what = 0; what < 3; what++) {
		begin(sheet, kinds[what], names[what], helps[what]);
		for (int i = 0; i < buses->count; i++) {
			const struct bus_status *bus = &buses->list[i];

			snprintf(labels, sizeof labels, "bus=\"%s\"", label_text(bus->name, name));
			if (what == 0)
				count_line(sheet, labels, bus->link == LINK_UP);
			else if (what == 1)
				count_line(sheet, labels, bus->cycles);
			else if (bus->cycle_ms)
				decimal_line(sheet, labels, (int32_t)bus->cycle_ms);
		}
	}
	begin(sheet, "counter", "bus_answers_total", "good answers");
	for (int i = 0; i < buses->count; i++)
		address_lines(sheet, &buses->list[i], false);
	begin(sheet, "counter", "bus_errors_total", "answers that failed, by cause");
	for (int i = 0; i < buses->count; i++)
		address_lines(sheet, &buses->list[i], true);
}

/* --- inverters --- */

struct inverters {
	struct inverter_status list[STATUS_MAX_INVERTERS];
	int count;
	int64_t now_ms;
};

enum inverter_metric {
	LINK,
	LEASE,
	FRAMES,
	REQUESTS,
	ERRORS,
	HEARD,
	SENT,
	CHARGE_VOLTAGE,
	CHARGE_CURRENT,
	DISCHARGE_CURRENT,
	INVERTER_METRICS
};

static const struct {
	const char *kind, *name, *help;
} inverter_metrics[INVERTER_METRICS] = {
	[LINK] = {"gauge", "inverter_link_up", "1 while the link works"},
	[LEASE] = {"gauge", "inverter_lease_valid", "1 while the engine renews the limits"},
	[FRAMES] = {"counter", "inverter_frames_sent_total", "CAN frames or RS485 answers"},
	[REQUESTS] = {"counter", "inverter_requests_total", "valid frames from the inverter"},
	[ERRORS] = {"counter", "inverter_errors_total", "bad checksums, bus errors, refusals"},
	[HEARD] = {"gauge", "inverter_heard_seconds", "time since the inverter was heard"},
	[SENT] = {"gauge", "inverter_last_sent_seconds", "time since the last frame or answer"},
	[CHARGE_VOLTAGE] = {"gauge", "inverter_charge_voltage_limit_volts", "last put on the wire"},
	[CHARGE_CURRENT] = {"gauge", "inverter_charge_current_limit_amperes",
			    "last put on the wire"},
	[DISCHARGE_CURRENT] = {"gauge", "inverter_discharge_current_limit_amperes",
			       "last put on the wire"},
};

static void inverter_line(const struct sheet *sheet, const char *labels, enum inverter_metric what,
			  const struct inverter_status *inverter, int64_t now_ms)
{
	switch (what) {
	case LINK: count_line(sheet, labels, inverter->link == LINK_UP); break;
	case LEASE: count_line(sheet, labels, inverter->lease_valid); break;
	case FRAMES: count_line(sheet, labels, inverter->frames_sent); break;
	case REQUESTS: count_line(sheet, labels, inverter->requests); break;
	case ERRORS: count_line(sheet, labels, inverter->errors); break;
	case HEARD: age_line(sheet, labels, inverter->heard_ms, now_ms); break;
	case SENT: age_line(sheet, labels, inverter->sent_ms, now_ms); break;
	case CHARGE_VOLTAGE: decimal_line(sheet, labels, inverter->charge_voltage_limit_mv); break;
	case CHARGE_CURRENT: decimal_line(sheet, labels, inverter->charge_current_limit_ma); break;
	case DISCHARGE_CURRENT:
		decimal_line(sheet, labels, inverter->discharge_current_limit_ma);
		break;
	case INVERTER_METRICS: break;
	}
}

static void inverter_label(const struct inverter_status *inverter, int number, char *out,
			   size_t size)
{
	char protocol[LABEL_SIZE], port[LABEL_SIZE];

	snprintf(out, size, "inverter=\"%d\",protocol=\"%s\",port=\"%s\"", number,
		 label_text(inverter->protocol, protocol), label_text(inverter->port, port));
}

static void print_inverters(struct sheet *sheet, const struct inverters *inverters)
{
	char labels[3 * LABEL_SIZE];

	for (int what = 0; what < INVERTER_METRICS; what++) {
		begin(sheet, inverter_metrics[what].kind, inverter_metrics[what].name,
		      inverter_metrics[what].help);
		for (int i = 0; i < inverters->count; i++) {
			inverter_label(&inverters->list[i], i + 1, labels, sizeof labels);
			inverter_line(sheet, labels, (enum inverter_metric)what,
				      &inverters->list[i], inverters->now_ms);
		}
	}
}

/* --- the gateway itself --- */

static void print_gateway(struct sheet *sheet, struct web *web)
{
	struct store_status status;

	begin(sheet, "gauge", "snapshot_age_seconds", "age of the battery snapshot");
	age_line(sheet, "", web->snapshot_ms, clock_monotonic_ms());
	begin(sheet, "gauge", "web_streams", "pages that listen to the event stream");
	count_line(sheet, "", (uint64_t)stream_count(web->stream));
	if (!web->store)
		return;
	store_get_status(web->store, &status);
	begin(sheet, "gauge", "store_working", "1 while the history is written");
	count_line(sheet, "", status.state == STORE_WORKING);
	begin(sheet, "counter", "store_samples_total", "samples written");
	count_line(sheet, "", status.samples_written);
	begin(sheet, "counter", "store_samples_dropped_total", "samples lost to a failing disk");
	count_line(sheet, "", status.samples_dropped);
	begin(sheet, "counter", "store_events_total", "events written");
	count_line(sheet, "", status.events_written);
	begin(sheet, "counter", "store_commits_total", "batches written");
	count_line(sheet, "", status.commits);
	begin(sheet, "counter", "store_failures_total", "batches and openings that failed");
	count_line(sheet, "", status.failures);
}

enum MHD_Result api_metrics(struct request *request)
{
	struct web *web = request->web;
	struct inverters inverters;
	struct battery battery;
	struct buses buses;
	struct sheet sheet;
	char *text = NULL;
	size_t size = 0;

	sheet.out = open_memstream(&text, &size);
	if (!sheet.out)
		return MHD_NO;
	board_battery(web->board, &battery);
	buses.count = board_buses(web->board, buses.list);
	inverters.count = board_inverters(web->board, inverters.list);
	inverters.now_ms = clock_monotonic_ms();
	print_info(&sheet, &battery);
	print_battery(&sheet, &battery);
	print_packs(&sheet, &battery);
	print_lists(&sheet, &battery);
	print_alarms(&sheet, &battery);
	print_buses(&sheet, &buses);
	print_inverters(&sheet, &inverters);
	print_gateway(&sheet, web);
	fclose(sheet.out);
	return reply_text(request, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", text,
			  size);
}
