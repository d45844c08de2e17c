// SPDX-License-Identifier: Apache-2.0
/* The log of what came in: what is written comes back as it was, to the bit, and a damaged log is
 * told and survived. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onepack/sample_log.h"

static struct fusion_input written, read_back;
static uint32_t seed = 1;

static uint32_t draw(void)
{
	seed = seed * 1664525u + 1013904223u;
	return seed >> 8;
}

static int32_t any_value(enum unit unit)
{
	if (draw() % 4 == 0)
		return FIELD_UNKNOWN;
	switch (unit) {
	case UNIT_FLAG: return (int32_t)(draw() % 2);
	case UNIT_PACK_STATE: return (int32_t)(draw() % (PACK_QUARANTINED + 1));
	case UNIT_PCT: return (int32_t)(draw() % 100001);
	default: return (int32_t)(draw() << 8 | draw() % 256);
	}
}

static void any_object(void *object, const struct field_table *table)
{
	for (size_t i = 0; i < table->field_count; i++)
		field_set(object, &table->fields[i], any_value(table->fields[i].unit));
	for (size_t i = 0; i < table->text_count; i++)
		if (draw() % 3)
			snprintf((char *)object + table->texts[i].offset, FIELD_TEXT_SIZE,
				 "\"t\\%u\n", draw());
}

static void any_pack(struct pack *pack, int number)
{
	pack_clear(pack);
	any_object(pack, &field_pack);
	pack->pack = number;
	pack->cell_count = (int32_t)(draw() % (ONEPACK_MAX_CELLS + 1));
	for (int i = 0; i < pack->cell_count; i++)
		pack->cells_mv[i] = any_value(UNIT_V);
	pack->temperature_count = (int32_t)(draw() % (ONEPACK_MAX_TEMPERATURES + 1));
	for (int i = 0; i < pack->temperature_count; i++)
		pack->temperatures_mC[i] = any_value(UNIT_C);
	pack->protections = (alarm_set)draw() & (ALARM_BIT(ALARM_COUNT) - 1);
	pack->warnings = (alarm_set)draw() & (ALARM_BIT(ALARM_COUNT) - 1);
	if (draw() % 8 == 0)
		any_object(&pack->settings, &field_settings);
	else if (draw() % 8) /* most packs tell the same again and again */
		pack->settings.cell_overvoltage_mv = 3600 + number;
}

static void any_step(int64_t now_ms)
{
	fusion_input_clear(&written);
	written.now_ms = now_ms;
	written.bus_current_ma = any_value(UNIT_A);
	written.pack_count = (int32_t)(draw() % (ONEPACK_MAX_PACKS + 1));
	for (int i = 0; i < written.pack_count; i++)
		any_pack(&written.packs[i], i + 1);
	written.error_count = (int32_t)(draw() % 4);
	for (int i = 0; i < written.error_count; i++) {
		struct bus_error *error = &written.errors[i];

		snprintf(error->bus, sizeof error->bus, "rack%u", draw() % 10);
		error->address = (int32_t)(draw() % 32);
		error->kind = (enum bus_error_kind)(draw() % BUS_ERROR_KINDS);
		error->count = (int32_t)draw();
	}
}

static char *write_text(struct sample_log_writer *writer, int64_t time_ms, uint64_t lost)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(sample_log_write(writer, out, time_ms, &written, lost), 0);
	fclose(out);
	assert_int_equal(strcspn(text, "\n"), size - 1); /* one line */
	return text;
}

static void what_is_written_comes_back_as_it_was(void **state)
{
	struct sample_log_reader reader = {.complaints = stderr};
	struct sample_log_writer writer;

	(void)state;
	sample_log_begin(&writer);
	for (int i = 0; i < 400; i++) {
		const int64_t time_ms = 1767225600123 + i * 77;

		any_step(time_ms);
		char *text = write_text(&writer, time_ms, draw() % 2);

		sample_log_read(&reader, text, strlen(text), &read_back);
		free(text);
		assert_memory_equal(&written, &read_back, sizeof written);
	}
}

static void settings_are_written_once(void **state)
{
	struct sample_log_writer writer;
	char *text;

	(void)state;
	sample_log_begin(&writer);
	fusion_input_clear(&written);
	written.pack_count = 1;
	written.packs[0].pack = 3;
	written.packs[0].settings.cell_overvoltage_mv = 3650;
	text = write_text(&writer, 0, 0);
	assert_string_equal(
		text,
		"{\"t\":0,\"packs\":[{\"pack\":3,\"settings\":{\"cell_overvoltage_v\":3.65}}]}\n");
	free(text);
	text = write_text(&writer, 1500, 7);
	assert_string_equal(text, "{\"t\":1.5,\"lost\":7,\"packs\":[{\"pack\":3}]}\n");
	free(text);
	written.packs[0].settings.cell_overvoltage_mv = FIELD_UNKNOWN;
	text = write_text(&writer, 2000, 0);
	assert_string_equal(text, "{\"t\":2,\"packs\":[{\"pack\":3,\"settings\":{}}]}\n");
	free(text);
}

static void a_damaged_line_is_told_and_counts_as_silence(void **state)
{
	static const char *const damaged[] = {"",
					      "nonsense",
					      "[]",
					      "{\"packs\":[{\"pack\":1}]}",
					      "{\"t\":\"now\"}",
					      "{\"t\":1e300}"};
	char *told = NULL;
	size_t size = 0;
	struct sample_log_reader reader = {.complaints = open_memstream(&told, &size)};
	static const char good[] = "{\"t\":12.5,\"packs\":[{\"voltage_v\":53}, 7]}";

	(void)state;
	sample_log_read(&reader, good, strlen(good), &read_back);
	assert_int_equal(read_back.now_ms, 12500);
	assert_int_equal(read_back.pack_count, 1);
	for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
		sample_log_read(&reader, damaged[i], strlen(damaged[i]), &read_back);
		assert_int_equal(read_back.now_ms, 12500);
		assert_int_equal(read_back.pack_count, 0);
	}
	fclose(reader.complaints);
	assert_non_null(strstr(told, "line 1: packs[1] is not an object\n"));
	assert_non_null(strstr(told, "line 3: not JSON, taken as no answer: "));
	assert_non_null(strstr(told, "line 7: no time \"t\", taken as no answer\n"));
	free(told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_comes_back_as_it_was),
		cmocka_unit_test(settings_are_written_once),
		cmocka_unit_test(a_damaged_line_is_told_and_counts_as_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
