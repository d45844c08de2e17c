// SPDX-License-Identifier: Apache-2.0
/* Reading of the log of what came in. Anything may be in it: what cannot be understood is told and
 * left out, never guessed. */
#include "onepack/sample_log.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "onepack/json.h"

#define LAST_TIME_S 1e12

__attribute__((format(printf, 2, 3))) static void complain(const struct sample_log_reader *reader,
							   const char *format, ...)
{
	va_list args;

	if (!reader->complaints)
		return;
	fprintf(reader->complaints, "line %ld: ", reader->line);
	va_start(args, format);
	vfprintf(reader->complaints, format, args);
	va_end(args);
	fputc('\n', reader->complaints);
}

/* The number of a pack that does not say one: its place in the order of appearance. */
static int32_t number_of(struct sample_log_reader *reader, const struct pack *pack)
{
	for (int i = 0; i < reader->known_count; i++) {
		const struct pack *known = &reader->known[i];

		if (known->address == pack->address && strcmp(known->bus, pack->bus) == 0 &&
		    strcmp(known->serial, pack->serial) == 0)
			return i + 1;
	}
	if (reader->known_count == ONEPACK_MAX_PACKS) {
		complain(reader, "more than %d packs, one is left out", ONEPACK_MAX_PACKS);
		return 0;
	}
	reader->known[reader->known_count++] = *pack;
	return reader->known_count;
}

static void keep_settings(struct sample_log_reader *reader, const json_t *json, struct pack *pack)
{
	const int i = pack->pack - 1;

	if (json_object_get(json, "settings")) {
		reader->settings[i] = pack->settings;
		reader->has_settings[i] = true;
	} else if (reader->has_settings[i]) {
		pack->settings = reader->settings[i];
	}
}

static void read_packs(struct sample_log_reader *reader, const json_t *list,
		       struct fusion_input *input)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		struct pack *pack = &input->packs[input->pack_count];

		if (input->pack_count == ONEPACK_MAX_PACKS) {
			complain(reader, "more than %d packs, the rest is left out",
				 ONEPACK_MAX_PACKS);
			return;
		}
		if (json_to_pack(item, pack) < 0) {
			complain(reader, "packs[%zu] is not an object", i);
			continue;
		}
		if (pack->pack == FIELD_UNKNOWN)
			pack->pack = number_of(reader, pack);
		if (pack->pack < 1 || pack->pack > ONEPACK_MAX_PACKS)
			continue;
		keep_settings(reader, item, pack);
		input->pack_count++;
	}
}

static int error_kind(const char *word)
{
	for (int i = 0; word && i < BUS_ERROR_KINDS; i++)
		if (strcmp(word, sample_log_kinds[i]) == 0)
			return i;
	return -1;
}

static int32_t read_integer(const json_t *json, int32_t normal)
{
	const double value = json_is_number(json) ? json_number_value(json) : normal;

	return value >= 0 && value <= INT32_MAX ? (int32_t)value : normal;
}

static void read_errors(const json_t *list, struct fusion_input *input)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		struct bus_error *error = &input->errors[input->error_count];
		const int kind = error_kind(json_string_value(json_object_get(item, "kind")));
		const char *bus = json_string_value(json_object_get(item, "bus"));

		if (input->error_count == FUSION_MAX_BUS_ERRORS)
			return;
		if (kind < 0)
			continue;
		memset(error, 0, sizeof *error);
		snprintf(error->bus, sizeof error->bus, "%s", bus ? bus : "");
		error->address = read_integer(json_object_get(item, "address"), FIELD_UNKNOWN);
		error->kind = (enum bus_error_kind)kind;
		error->count = read_integer(json_object_get(item, "count"), 1);
		input->error_count++;
	}
}

static void read_bus_current(const json_t *json, struct fusion_input *input)
{
	const double ma = json_is_number(json) ? round(json_number_value(json) * 1000) : NAN;

	input->bus_current_ma = fabs(ma) < INT32_MAX ? (int32_t)ma : FIELD_UNKNOWN;
}

void sample_log_read(struct sample_log_reader *reader, const char *text, size_t length,
		     struct fusion_input *input)
{
	json_error_t error;
	json_t *json = json_loadb(text, length, 0, &error);
	const json_t *time = json_object_get(json, "t");

	reader->line++;
	fusion_input_clear(input);
	if (!json)
		complain(reader, "not JSON, taken as no answer: %s", error.text);
	else if (!json_is_number(time) || fabs(json_number_value(time)) > LAST_TIME_S)
		complain(reader, "no time \"t\", taken as no answer");
	else {
		reader->time_s = json_number_value(time);
		read_packs(reader, json_object_get(json, "packs"), input);
		read_errors(json_object_get(json, "bus_errors"), input);
		read_bus_current(json_object_get(json, "bus_current_a"), input);
		input->acknowledge = json_is_true(json_object_get(json, "acknowledge"));
	}
	input->now_ms = (int64_t)llround(reader->time_s * 1000);
	json_decref(json);
}
