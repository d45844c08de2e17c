// SPDX-License-Identifier: Apache-2.0
/* `onepack fuse` as a user and a script see it: the real program, standard input and output, exit
 * status. The rules themselves are tested in tests/unit/core. */
#include "../cmocka_all.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM    ONEPACK_BINARY_DIR "/bin/onepack fuse"
#define MAX_LINES  100
#define PACK_BYTES 1000

static char folder[] = "/tmp/onepack-fuse-XXXXXX";

struct result {
	json_t *lines[MAX_LINES];
	int count, status;
	char text[400000]; /* what the program printed, complaints after "!" */
};

static void write_file(const char *name, const char *text)
{
	char path[300];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static struct result *run(const char *arguments, const char *input)
{
	struct result *result = calloc(1, sizeof *result);
	char command[1200];
	FILE *pipe;

	assert_non_null(result);
	write_file("in", input);
	snprintf(command, sizeof command,
		 "cd %s && " PROGRAM " %s < in 2> err; status=$?; [ -s err ] && echo '!' && cat "
		 "err; exit $status",
		 folder, arguments);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	const size_t used = fread(result->text, 1, sizeof result->text - 1, pipe);

	result->text[used] = '\0';
	result->status = WEXITSTATUS(pclose(pipe));
	for (char *line = result->text; *line == '{'; line = strchr(line, '\n') + 1) {
		json_t *json = json_loadb(line, (size_t)(strchr(line, '\n') - line), 0, NULL);

		assert_non_null(json);
		assert_true(result->count < MAX_LINES);
		result->lines[result->count++] = json;
	}
	return result;
}

static void finish(struct result *result)
{
	for (int i = 0; i < result->count; i++)
		json_decref(result->lines[i]);
	free(result);
}

/* A pack object; `extra` adds keys, each with a comma behind it. */
static void append_pack(char *text, const char *extra, double current_a)
{
	const size_t used = strlen(text);

	snprintf(text + used, PACK_BYTES,
		 "{%s\"voltage_v\":52.8,\"current_a\":%g,\"soc_pct\":60,\"capacity_ah\":280,"
		 "\"remaining_ah\":168,\"charge_current_limit_a\":100,"
		 "\"discharge_current_limit_a\":120,\"charge_mos\":true,\"discharge_mos\":true,"
		 "\"cells_v\":[3.3,3.3,3.3,3.3,3.3,3.3,3.3,3.3,3.3,3.3,3.3,3.3,3.3,3.3,3.3,3.3],"
		 "\"temperatures_c\":[25,26],\"novelty\":{\"a\":[1]}}",
		 extra, current_a);
}

/* `seconds` lines with two packs that are told apart by their address only. */
static char *two_packs(int seconds, const char *more)
{
	char *text = calloc((size_t)seconds * 3, PACK_BYTES);

	assert_non_null(text);
	for (int t = 0, used = 0; t < seconds; t++) {
		used += sprintf(text + used, "{\"t\": %d, \"new\": 1%s, \"packs\": [", t, more);
		append_pack(text + used, "\"bus\":\"rack\",\"address\":7,", 10);
		used += (int)strlen(text + used);
		text[used++] = ',';
		append_pack(text + used, "\"bus\":\"rack\",\"address\":3,", 10);
		used += (int)strlen(text + used);
		used += sprintf(text + used, "]}\n");
	}
	return text;
}

static double number(const struct result *result, int line, const char *key)
{
	const json_t *value = json_object_get(result->lines[line], key);

	assert_true(json_is_number(value));
	return json_number_value(value);
}

static const char *state_of(const struct result *result, int line, int pack)
{
	const json_t *packs = json_object_get(result->lines[line], "packs");

	return json_string_value(json_object_get(json_array_get(packs, (size_t)pack - 1), "state"));
}

static void a_log_becomes_a_battery(void **state)
{
	char *log = two_packs(60, ", \"bus_current_a\": 20.0");
	struct result *result = run("", log);

	(void)state;
	assert_int_equal(result->status, 0);
	assert_int_equal(result->count, 60);
	assert_string_equal(state_of(result, 0, 1), "candidate");
	assert_true(json_is_null(json_object_get(result->lines[0], "voltage_v")));
	assert_string_equal(json_string_value(json_object_get(result->lines[0], "state")),
			    "no_data");
	assert_string_equal(state_of(result, 1, 2), "active");
	assert_true(number(result, 59, "t") == 59);
	assert_true(number(result, 59, "charge_current_limit_a") == 190);
	assert_true(number(result, 59, "current_a") == 20);
	assert_null(json_object_get(result->lines[59], "time")); /* a log of its own time */
	const json_t *reasons = json_object_get(result->lines[59], "reasons");

	assert_int_equal(json_array_size(reasons), 4);
	assert_string_equal(json_string_value(json_object_get(json_array_get(reasons, 0), "text")),
			    "All packs may take their full current.");
	const json_t *packs = json_object_get(result->lines[59], "packs");

	assert_int_equal(json_integer_value(json_object_get(json_array_get(packs, 0), "address")),
			 7); /* numbered in order of appearance */
	finish(result);
	free(log);
}

static void the_same_log_gives_the_same_bytes(void **state)
{
	char *log = two_packs(90, "");
	struct result *first = run("", log), *second = run("", log);

	(void)state;
	assert_string_equal(first->text, second->text);
	finish(first);
	finish(second);
	free(log);
}

static void wall_time_is_told_as_time(void **state)
{
	struct result *result = run("", "{\"t\": 1767268800.25, \"packs\": []}\n");

	(void)state;
	assert_int_equal(result->count, 1);
	assert_string_equal(json_string_value(json_object_get(result->lines[0], "time")),
			    "2026-01-01T12:00:00.250Z");
	finish(result);
}

/* Whatever is on a line, one line comes out, and a broken one raises nothing. */
static void broken_lines_count_as_no_answer(void **state)
{
	static const char *const broken[] = {"rubbish\n",
					     "\n",
					     "{\"t\": 5\n",
					     "[1, 2]\n",
					     "7\n",
					     "{\"packs\": []}\n",
					     "{\"t\": \"soon\", \"packs\": []}\n",
					     "{\"t\": 1e300, \"packs\": []}\n"};

	(void)state;
	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
		char *log = two_packs(60, "");
		struct result *result;

		log = realloc(log, strlen(log) + 100);
		strcat(log, broken[i]);
		result = run("", log);
		assert_int_equal(result->status, 0);
		assert_int_equal(result->count, 61);
		assert_true(number(result, 60, "t") == 59);
		assert_true(number(result, 60, "charge_current_limit_a") == 190);
		assert_non_null(strstr(result->text, "!\nline 61: "));
		finish(result);
		free(log);
	}
}

static void odd_members_are_reported_and_skipped(void **state)
{
	static const struct {
		const char *line, *complaint;
	} rows[] = {
		{"{\"t\": 1, \"packs\": [5, null]}\n",
		 "!\nline 1: packs[0] is not an object\nline 1: packs[1] is not an object\n"},
		{"{\"t\": 1, \"packs\": {}, \"bus_errors\": 7, \"bus_current_a\": \"x\"}\n", ""},
		{"{\"t\": 1, \"packs\": [{\"pack\": 99}, {\"pack\": -1}]}\n", ""},
		{"{\"t\": 1, \"bus_errors\": [5, {}, {\"kind\": \"noise\"}, {\"kind\": "
		 "\"timeout\", \"bus\": \"a\", \"address\": 1, \"count\": 1e99}]}\n",
		 ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct result *result = run("", rows[i].line);
		const char *said = strchr(result->text, '!');

		assert_int_equal(result->count, 1);
		assert_string_equal(said ? said : "", rows[i].complaint);
		finish(result);
	}
}

static void seventeen_packs_are_one_too_many(void **state)
{
	static char log[40 * PACK_BYTES];
	char extra[40];
	struct result *result;

	(void)state;
	strcpy(log, "{\"t\": 0, \"packs\": [");
	for (int i = 1; i <= 18; i++) {
		snprintf(extra, sizeof extra, "\"serial\":\"S%d\",", i);
		append_pack(log, extra, 0);
		strcat(log, i < 18 ? "," : "]}\n");
	}
	strcat(log, "{\"t\": 1, \"packs\": [");
	append_pack(log, "\"serial\":\"S18\",", 0);
	strcat(log, "]}\n");
	result = run("", log);
	assert_int_equal(result->count, 2);
	assert_int_equal(json_array_size(json_object_get(result->lines[1], "packs")), 16);
	assert_non_null(strstr(result->text, "line 1: more than 16 packs, the rest is left out"));
	assert_non_null(strstr(result->text, "line 2: more than 16 packs, one is left out"));
	finish(result);
}

static void bus_errors_reach_the_rules(void **state)
{
	char *log =
		two_packs(30, ", \"bus_errors\": [{\"bus\": \"rack\", \"address\": 3, \"kind\": "
			      "\"checksum\", \"count\": 2}, {\"kind\": \"foreign_request\"}]");
	struct result *result = run("", log);
	const json_t *warnings = json_object_get(result->lines[29], "warnings");
	bool master = false;
	size_t i;
	json_t *item;

	(void)state;
	json_array_foreach((json_t *)warnings, i, item)
	{
		master |= strcmp(json_string_value(item), "second_master") == 0;
	}
	assert_true(master);
	assert_string_equal(state_of(result, 29, 1), "active");
	assert_string_equal(state_of(result, 29, 2), "quarantined");
	finish(result);
	free(log);
}

static void the_configuration_is_the_daemons(void **state)
{
	char *log = two_packs(60, "");
	struct result *result;

	(void)state;
	write_file("good.yaml", "buses: [{name: a}]\nbattery: {charge_current_max_a: 50}\n");
	write_file("bad.yaml", "battery:\n  quorum_pct: many\n");
	write_file("broken.yaml", "battery: [\n");
	result = run("--config good.yaml", log);
	assert_true(number(result, 59, "charge_current_limit_a") == 50);
	finish(result);
	result = run("-c bad.yaml", log);
	assert_int_equal(result->status, 2);
	assert_string_equal(
		result->text,
		"!\nbad.yaml:2:15: 'many' is not a number with at most three decimals\n");
	finish(result);
	result = run("--config broken.yaml", log);
	assert_int_equal(result->status, 2);
	finish(result);
	free(log);
}

static void use_is_explained(void **state)
{
	static const struct {
		const char *arguments, *said;
		int status;
	} rows[] = {{"--help", "usage: onepack fuse [--config FILE]", 0},
		    {"--keys", "| key | unit |", 0},
		    {"log.jsonl", "!\nonepack fuse: the log is read from standard input", 2},
		    {"--nonsense", "--help` explains", 2},
		    {"> /dev/full", "", 1}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char *log = two_packs(20, "");
		struct result *result = run(rows[i].arguments, log);

		assert_int_equal(result->status, rows[i].status);
		assert_non_null(strstr(result->text, rows[i].said));
		finish(result);
		free(log);
	}
}

/* The table of keys in the documentation is what the program prints. */
static void the_documented_keys_are_the_real_ones(void **state)
{
	struct result *result = run("--keys", "");
	char *page = calloc(1, 100000);
	FILE *file = fopen(ONEPACK_SOURCE_DIR "/docs/fusion.md", "r");

	(void)state;
	assert_non_null(file);
	assert_non_null(page);
	page[fread(page, 1, 99999, file)] = '\0';
	fclose(file);
	assert_non_null(strstr(page, result->text));
	free(page);
	finish(result);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[300];

	(void)state;
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_becomes_a_battery),
		cmocka_unit_test(the_same_log_gives_the_same_bytes),
		cmocka_unit_test(wall_time_is_told_as_time),
		cmocka_unit_test(broken_lines_count_as_no_answer),
		cmocka_unit_test(odd_members_are_reported_and_skipped),
		cmocka_unit_test(seventeen_packs_are_one_too_many),
		cmocka_unit_test(bus_errors_reach_the_rules),
		cmocka_unit_test(the_configuration_is_the_daemons),
		cmocka_unit_test(use_is_explained),
		cmocka_unit_test(the_documented_keys_are_the_real_ones),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
