// SPDX-License-Identifier: Apache-2.0
/* Exchanges on serial lines, from tests/vectors/{rs485,pack}: captured and vendor frames decode to
 * exactly what their source says, and questions are answered byte for byte. The format:
 *
 *   case TITLE (source)
 *   option NAME=VALUE, address N     for this case
 *   hear BYTES                       a frame on the line, question or answer, in order
 *   says JSON                        everything heard since `case`; exactly this
 *   inverter JSON                    the same for what the inverter said
 *   battery JSON                     whom the following questions are put to (or a pack)
 *   ask BYTES, answer BYTES          `-` is silence; ask may be repeated
 *
 * BYTES are hex, or ~TEXT for a Pylon frame without its CR. A line that begins with a space goes on
 * with the one before. */
#include "../cmocka_all.h"
#include "hex.h"
#include "json_same.h"

#include <stdlib.h>
#include <string.h>

#include "onepack/json.h"
#include "onepack/wire.h"

struct run {
	struct wire *wire;
	struct wire_info info;
	struct wire_context ctx;
	struct wire_listener listener;
	struct wire_values values;
	union {
		struct battery battery;
		struct pack pack;
	} who;
	char name[300], answer[2 * WIRE_MAX_FRAME + 1];
	int cases, checks;
};

static void write_bytes(const uint8_t *bytes, size_t count, char *out, size_t size)
{
	if (count == 0)
		snprintf(out, size, "-");
	else if (bytes[0] == '~')
		snprintf(out, size, "%.*s", (int)count - 1, (const char *)bytes);
	else
		hex_write(bytes, count, out);
}

static void start_case(struct run *run, const char *text)
{
	wire_context_init(run->wire, &run->ctx);
	wire_values_clear(&run->values);
	memset(&run->listener, 0, sizeof run->listener);
	snprintf(run->name, sizeof run->name, "%s: %s", run->info.id, text);
	run->cases++;
}

static void set_option(struct run *run, char *text)
{
	char *equals = strchr(text, '='), why[200];

	assert_non_null(equals);
	*equals = '\0';
	if (wire_set_option(run->wire, &run->ctx, text, equals + 1, why, sizeof why))
		fail_msg("%s: %s", run->name, why);
}

static void hear(struct run *run, const char *text)
{
	uint8_t bytes[WIRE_MAX_FRAME];
	size_t count = frame_read(text, bytes, sizeof bytes);
	int err = wire_decode_serial(run->wire, &run->ctx, &run->listener, bytes, count,
				     &run->values);

	if (err)
		fail_msg("%s: %.60s is not understood (%s)", run->name, text, err_name(err));
}

static json_t *what_was_said(const struct run *run, bool by_inverter)
{
	json_t *json;

	if (by_inverter) {
		json = json_object();
		json_add_known(json, &run->values.inverter, &field_inverter);
		return json;
	}
	json = run->info.scope == WIRE_OF_PACK ? json_known_pack(&run->values.pack)
					       : json_known_battery(&run->values.battery);
	if (run->values.said_protections && !json_object_get(json, "protections"))
		json_object_set_new(json, "protections", json_array());
	if (run->values.said_warnings && !json_object_get(json, "warnings"))
		json_object_set_new(json, "warnings", json_array());
	return json;
}

static void compare_said(struct run *run, const char *text, bool by_inverter)
{
	json_t *expected = json_loads(text, 0, NULL), *said = what_was_said(run, by_inverter);

	assert_non_null(expected);
	if (!json_same(said, expected))
		fail_msg("%s: said %s", run->name, json_dumps(said, ONEPACK_JSON_FLAGS));
	json_decref(expected);
	json_decref(said);
	run->checks++;
}

static void read_who(struct run *run, const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	if (!json)
		fail_msg("%s: not JSON: %s", run->name, text);
	if (run->info.scope == WIRE_OF_PACK)
		assert_int_equal(json_to_pack(json, &run->who.pack), 0);
	else
		assert_int_equal(json_to_battery(json, &run->who.battery), 0);
	json_decref(json);
}

/* Answers everything in the bytes, the way a responder reads a line. */
static void ask(struct run *run, const char *text)
{
	uint8_t bytes[WIRE_MAX_FRAME], out[WIRE_MAX_FRAME], all[WIRE_MAX_FRAME];
	size_t count = frame_read(text, bytes, sizeof bytes), used = 0, start;
	int length;

	for (size_t at = 0; at < count; at += start + (size_t)length) {
		length = wire_scan(run->wire, WIRE_FROM_MASTER, bytes + at, count - at, &start);
		if (length == ERR_CHECKSUM)
			length = 1;
		else if (length <= 0)
			break;
		int size = wire_answer(run->wire, &run->ctx, &run->who, bytes + at + start,
				       (size_t)length, out, sizeof out);

		if (size > 0) {
			memcpy(all + used, out, (size_t)size);
			used += (size_t)size;
		}
	}
	write_bytes(all, used, run->answer, sizeof run->answer);
}

static void compare_answer(struct run *run, const char *text)
{
	char wanted[2 * WIRE_MAX_FRAME + 1];
	uint8_t bytes[WIRE_MAX_FRAME];

	write_bytes(bytes, text[0] == '-' ? 0 : frame_read(text, bytes, sizeof bytes), wanted,
		    sizeof wanted);
	if (strcmp(wanted, run->answer) != 0)
		fail_msg("%s:\nanswered %s\nwanted   %s", run->name, run->answer, wanted);
	run->checks++;
}

static void obey(struct run *run, char *line)
{
	char *rest = strchr(line, ' ');

	assert_non_null(rest);
	*rest++ = '\0';
	if (strcmp(line, "case") == 0)
		start_case(run, rest);
	else if (strcmp(line, "option") == 0)
		set_option(run, rest);
	else if (strcmp(line, "address") == 0)
		run->ctx.address = (int)strtol(rest, NULL, 0);
	else if (strcmp(line, "hear") == 0)
		hear(run, rest);
	else if (strcmp(line, "says") == 0)
		compare_said(run, rest, false);
	else if (strcmp(line, "inverter") == 0)
		compare_said(run, rest, true);
	else if (strcmp(line, "battery") == 0)
		read_who(run, rest);
	else if (strcmp(line, "ask") == 0)
		ask(run, rest);
	else if (strcmp(line, "answer") == 0)
		compare_answer(run, rest);
	else
		fail_msg("%s: what is '%s'?", run->name, line);
}

static void run_file(const char *id)
{
	struct run *run = calloc(1, sizeof *run);
	char path[300], line[6000], whole[20000] = "";
	size_t used = 0;
	FILE *file;

	assert_non_null(run);
	run->wire = wire_load(id, stderr);
	assert_non_null(run->wire);
	wire_get_info(run->wire, &run->info);
	snprintf(path, sizeof path, ONEPACK_SOURCE_DIR "/tests/vectors/%s.txt", id);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof line, file)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#')
			continue;
		if (line[0] == ' ') {
			used += (size_t)snprintf(whole + used, sizeof whole - used, "%s", line);
			assert_true(used < sizeof whole);
			continue;
		}
		if (whole[0])
			obey(run, whole);
		used = (size_t)snprintf(whole, sizeof whole, "%s", line);
	}
	if (whole[0])
		obey(run, whole);
	assert_true(run->cases >= 5);
	assert_true(run->checks >= run->cases);
	fclose(file);
	wire_free(run->wire);
	free(run);
}

static void pack_jk_pb(void **state)
{
	(void)state;
	run_file("pack/jk-pb");
}

static void pack_onepack(void **state)
{
	(void)state;
	run_file("pack/onepack");
}

static void rs485_jk_modbus(void **state)
{
	(void)state;
	run_file("rs485/jk-modbus-1.0");
}

static void rs485_pylon(void **state)
{
	(void)state;
	run_file("rs485/pylon-lv-3.3");
}

static void rs485_growatt(void **state)
{
	(void)state;
	run_file("rs485/growatt-2.01");
}

static void rs485_pace(void **state)
{
	(void)state;
	run_file("rs485/pace-modbus-1.3");
}

static void rs485_china_tower_2(void **state)
{
	(void)state;
	run_file("rs485/china-tower-2.0");
}

static void rs485_voltronic(void **state)
{
	(void)state;
	run_file("rs485/voltronic-20200325");
}

static void rs485_china_tower_1(void **state)
{
	(void)state;
	run_file("rs485/china-tower-1.1");
}

static void rs485_srne(void **state)
{
	(void)state;
	run_file("rs485/srne-lv-3.3");
}

static void rs485_jk_4g_gps(void **state)
{
	(void)state;
	run_file("rs485/jk-4g-gps-4.2");
}

static void rs485_niu(void **state)
{
	(void)state;
	run_file("rs485/niu-u");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pack_jk_pb),          cmocka_unit_test(pack_onepack),
		cmocka_unit_test(rs485_jk_modbus),     cmocka_unit_test(rs485_pylon),
		cmocka_unit_test(rs485_growatt),       cmocka_unit_test(rs485_pace),
		cmocka_unit_test(rs485_china_tower_2), cmocka_unit_test(rs485_voltronic),
		cmocka_unit_test(rs485_china_tower_1), cmocka_unit_test(rs485_srne),
		cmocka_unit_test(rs485_jk_4g_gps),     cmocka_unit_test(rs485_niu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
