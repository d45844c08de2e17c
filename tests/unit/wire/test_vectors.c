// SPDX-License-Identifier: Apache-2.0
/* Captured frames, both ways: they decode to exactly what their source says, and what they say
 * encodes to the same bytes where it determines them. The vectors are tests/vectors/can/ID.txt;
 * every CAN protocol has some. */
#include "../cmocka_all.h"
#include "json_same.h"

#include <stdlib.h>
#include <string.h>

#include "onepack/json.h"
#include "onepack/wire.h"
#include "wire_text.h"

#define MAX_FRAMES 64

struct vector {
	char name[200];
	struct wire_context ctx;
	struct can_message frames[MAX_FRAMES];
	int frame_count;
	json_t *json, *inverter, *given;
	int source; /* index into sources, from 1 */
	char back[200];
};

/* Where a frame comes from; protocols are judged by how many of which they have. */
static const char *const sources[] = {"captured", "vendor", "worked"};

#define SOURCE_COUNT ((int)(sizeof sources / sizeof sources[0]))

static json_t *inverter_said(const struct wire_values *values)
{
	json_t *json = json_object();

	assert_non_null(json);
	if (values->said_inverter)
		json_add_known(json, &values->inverter, &field_inverter);
	return json;
}

static void compare(const struct vector *vector, json_t *said, const json_t *expected)
{
	if (expected ? !json_same(said, expected) : json_object_size(said) != 0)
		fail_msg("%s: decoded %s", vector->name, json_dumps(said, ONEPACK_JSON_FLAGS));
	json_decref(said);
}

static void check_decoding(const struct wire *wire, const struct vector *vector,
			   struct wire_values *values)
{
	json_t *json;

	wire_values_clear(values);
	for (int i = 0; i < vector->frame_count; i++)
		if (wire_decode_can(wire, &vector->ctx, &vector->frames[i], values))
			fail_msg("%s: frame %X is not understood", vector->name,
				 vector->frames[i].id);
	json = json_known_battery(&values->battery);
	if (values->said_protections && !json_object_get(json, "protections"))
		json_object_set_new(json, "protections", json_array());
	if (values->said_warnings && !json_object_get(json, "warnings"))
		json_object_set_new(json, "warnings", json_array());
	compare(vector, json, vector->json);
	compare(vector, inverter_said(values), vector->inverter);
}

static void encode_id(const struct wire *wire, const struct vector *vector, uint32_t id,
		      struct can_message *out)
{
	json_t *json = json_copy(vector->json);
	struct battery battery;

	if (vector->given)
		json_object_update(json, vector->given);
	assert_int_equal(json_to_battery(json, &battery), 0);
	json_decref(json);
	for (int i = 0; i < wire_message_count(wire); i++) {
		struct wire_message_info info;

		wire_get_message(wire, i, &info);
		if (info.id != id || info.from_inverter)
			continue;
		if (wire_encode_can(wire, i, &vector->ctx, &battery, out) == 1)
			return;
	}
	fail_msg("%s: %X is not sent", vector->name, id);
}

/* Bytes beyond a captured short frame must be zero. */
static void check_encoding(const struct wire *wire, const struct vector *vector, uint32_t id)
{
	for (int i = 0; i < vector->frame_count; i++) {
		const struct can_message *frame = &vector->frames[i];
		struct can_message ours = {0};

		if (frame->id != id)
			continue;
		encode_id(wire, vector, id, &ours);
		assert_true(ours.length >= frame->length);
		if (id == 0x35F) /* the product id is the maker's */
			memcpy(ours.data, frame->data, 2);
		if (memcmp(ours.data, frame->data, 8) != 0) {
			char text[32];

			wire_print_frame(&ours, text);
			fail_msg("%s: encoded %s", vector->name, text);
		}
		return;
	}
	fail_msg("%s: no frame %X to come back to", vector->name, id);
}

static void check(const struct wire *wire, struct vector *vector, int counts[SOURCE_COUNT])
{
	struct wire_values values;
	char *save = NULL;

	if (!vector->frame_count)
		return;
	if (!vector->json || !vector->source)
		fail_msg("%s: needs `source` and `json`", vector->name);
	check_decoding(wire, vector, &values);
	for (char *id = strtok_r(vector->back, " \n", &save); id; id = strtok_r(NULL, " \n", &save))
		check_encoding(wire, vector, (uint32_t)strtoul(id, NULL, 16));
	json_decref(vector->json);
	json_decref(vector->inverter);
	json_decref(vector->given);
	counts[vector->source - 1]++;
	memset(vector, 0, sizeof *vector);
}

static int source_of(const char *text)
{
	for (int i = 0; i < SOURCE_COUNT; i++)
		if (strncmp(text, sources[i], strlen(sources[i])) == 0)
			return i + 1;
	fail_msg("not a source: %s", text);
	return 0;
}

static void read_line(const struct wire *wire, struct vector *vector, char *line)
{
	struct can_message frame;
	struct wire_values values;
	char why[200];

	if (strncmp(line, "json ", 5) == 0) {
		vector->json = json_loads(line + 5, 0, NULL);
		assert_non_null(vector->json);
	} else if (strncmp(line, "inverter ", 9) == 0) {
		vector->inverter = json_loads(line + 9, 0, NULL);
		assert_non_null(vector->inverter);
	} else if (strncmp(line, "given ", 6) == 0) {
		vector->given = json_loads(line + 6, 0, NULL);
		assert_non_null(vector->given);
	} else if (strncmp(line, "source ", 7) == 0) {
		vector->source = source_of(line + 7);
	} else if (strncmp(line, "back ", 5) == 0) {
		snprintf(vector->back, sizeof vector->back, "%.190s", line + 5);
	} else if (strncmp(line, "option ", 7) == 0) {
		char *equals = strchr(line, '=');

		*equals = '\0';
		equals[1 + strcspn(equals + 1, "\n")] = '\0';
		assert_int_equal(
			wire_set_option(wire, &vector->ctx, line + 7, equals + 1, why, sizeof why),
			0);
	} else if (strncmp(line, "other ", 6) == 0) {
		assert_int_equal(wire_parse_frame(line + 6, &frame), 0);
		assert_int_equal(wire_decode_can(wire, &vector->ctx, &frame, &values),
				 ERR_NOT_MINE);
	} else {
		if (wire_parse_frame(line, &vector->frames[vector->frame_count++]))
			fail_msg("%s: not a frame: %s", vector->name, line);
	}
}

static void run_file(const char *id)
{
	struct wire *wire = wire_load(id, stderr);
	struct vector vector = {0};
	char path[300], line[2000];
	int counts[SOURCE_COUNT] = {0};
	FILE *file;

	assert_non_null(wire);
	snprintf(path, sizeof path, ONEPACK_SOURCE_DIR "/tests/vectors/%s.txt", id);
	file = fopen(path, "r");
	if (!file)
		fail_msg("%s has no vectors", id);
	while (fgets(line, sizeof line, file)) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (strncmp(line, "case ", 5) != 0) {
			read_line(wire, &vector, line);
			continue;
		}
		check(wire, &vector, counts);
		snprintf(vector.name, sizeof vector.name, "%s: %.150s", id, line + 5);
		wire_context_init(wire, &vector.ctx);
	}
	check(wire, &vector, counts);
	print_message("%-24s %3d captured %3d vendor %3d worked out\n", id, counts[0], counts[1],
		      counts[2]);
	assert_true(counts[0] + counts[1] + counts[2] > 0);
	fclose(file);
	wire_free(wire);
}

static void every_can_protocol(void **state)
{
	char **ids;
	int count = wire_list_ids(&ids), run = 0;

	(void)state;
	for (int i = 0; i < count; i++)
		if (strncmp(ids[i], "can/", 4) == 0) {
			run_file(ids[i]);
			run++;
		}
	assert_true(run >= 18);
	wire_free_ids(ids, count);
}

/* The other role: what a simulated GX sends is what a real one sends, and is heard. */
static void a_simulated_gx(void **state)
{
	struct wire *wire = wire_load("can/victron-20170717", stderr);
	struct wire_values values;
	struct inverter_view view;
	struct wire_context ctx;
	int sent = 0;

	(void)state;
	assert_non_null(wire);
	wire_context_init(wire, &ctx);
	wire_values_clear(&values);
	inverter_view_clear(&view);
	for (int i = 0; i < wire_message_count(wire); i++) {
		struct wire_message_info info;
		struct can_message frame;
		char text[32];

		wire_get_message(wire, i, &info);
		if (!info.from_inverter) {
			assert_int_equal(wire_encode_can_inverter(wire, i, &ctx, &view, &frame),
					 ERR_UNSUPPORTED);
			continue;
		}
		assert_int_equal(wire_encode_can(wire, i, &ctx, &values.battery, &frame),
				 ERR_UNSUPPORTED);
		assert_int_equal(wire_encode_can_inverter(wire, i, &ctx, &view, &frame), 1);
		wire_print_frame(&frame, text);
		if (frame.id == 0x307)
			assert_string_equal(text, "307#1234567856494300");
		else
			assert_string_equal(text + 3, "#0000000000000000");
		assert_int_equal(wire_decode_can(wire, &ctx, &frame, &values), 0);
		sent++;
	}
	assert_int_equal(sent, 3);
	assert_int_equal(values.inverter.inverter_alive, 1);
	assert_string_equal(values.inverter.inverter_manufacturer, "VIC");
	assert_false(values.said_battery);
	wire_free(wire);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_can_protocol),
		cmocka_unit_test(a_simulated_gx),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
