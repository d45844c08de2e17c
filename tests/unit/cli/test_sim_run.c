// SPDX-License-Identifier: Apache-2.0
/* `onepack sim run` as a user and a script see it: the real program, its words and its exit status,
 * and that a run can be repeated from what it says. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "ONEPACK=" ONEPACK_BINARY_DIR "/bin/onepack; "

static char folder[] = "/tmp/onepack-sim-run-XXXXXX";
static char text[100000];

/* A shell command in the folder, with $ONEPACK; what it says, stderr included, is in `text`. */
static int run(const char *command)
{
	char line[1000];
	size_t used;
	FILE *pipe;

	snprintf(line, sizeof line, "cd %s && " PROGRAM "(%s) 2>&1", folder, command);
	pipe = popen(line, "r");
	assert_non_null(pipe);
	used = fread(text, 1, sizeof text - 1, pipe);
	text[used] = '\0';
	return WEXITSTATUS(pclose(pipe));
}

static void says(const char *what)
{
	if (!strstr(text, what))
		fail_msg("'%s' is not in:\n%s", what, text);
}

/* The digest of a run, 16 characters. */
static void take_digest(char digest[17])
{
	const char *at = strstr(text, "digest ");

	assert_non_null(at);
	memcpy(digest, at + strlen("digest "), 16);
	digest[16] = '\0';
}

static void write_file(const char *name, const char *content)
{
	char path[100];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(content, file);
	fclose(file);
}

static void mistakes_are_explained(void **state)
{
	static const struct {
		const char *line, *says;
		int status;
	} rows[] = {
		{"--help", "--scenario FILE", 0},
		{"--list", "answer_garbled", 0},
		{"--list", "missing or worse input", 0},
		{"--seed x", "--seed x", 2},
		{"--seeds 5-2", "like 1-100", 2},
		{"--days 0", "--days 0", 2},
		{"--faults rain", "--list", 2},
		{"--packs 17", "1 to 16", 2},
		{"--engine 3", "2.4", 2},
		{"--seeds 1-2 --trace t", "single seed", 2},
		{"--scenario nowhere", "nowhere", 2},
		{"now", "--help", 2},
		{"--frobnicate", "--help", 2},
	};
	char command[200];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		snprintf(command, sizeof command, "$ONEPACK sim run %s", rows[i].line);
		if (run(command) != rows[i].status)
			fail_msg("%s: not %d, and says %s", rows[i].line, rows[i].status, text);
		says(rows[i].says);
	}
}

static void a_seed_is_a_run(void **state)
{
	char first[17], again[17], shown[17], other[17];

	(void)state;
	assert_int_equal(run("$ONEPACK sim run --seed 3 --days 0.01 --check-every 0"), 0);
	take_digest(first);
	says("1 run, 0.01 rack-days");
	says("violations 0");
	assert_int_equal(run("$ONEPACK sim run --seed 3 --days 0.01 --check-every 0"), 0);
	take_digest(again);
	assert_string_equal(first, again);
	assert_int_equal(run("$ONEPACK sim run --seed 3 --days 0.01 --show > s.yaml; "
			     "$ONEPACK sim run --scenario s.yaml --check-every 0"),
			 0);
	take_digest(shown);
	assert_string_equal(first, shown);
	assert_int_equal(run("$ONEPACK sim run --seed 4 --days 0.01 --check-every 0"), 0);
	take_digest(other);
	assert_string_not_equal(first, other);
}

static void several_seeds_are_the_same_in_parallel(void **state)
{
	char one[17], two[17];

	(void)state;
	assert_int_equal(run("$ONEPACK sim run --seeds 5-8 --days 0.005 --check-every 0"), 0);
	take_digest(one);
	says("4 runs");
	assert_int_equal(
		run("$ONEPACK sim run --seed 5 --count 4 --days 0.005 --check-every 0 -j 2"), 0);
	take_digest(two);
	assert_string_equal(one, two);
	assert_int_equal(run("$ONEPACK sim run --for 0.1 --days 0.002 --quiet"), 0);
	assert_string_equal(text, "");
}

/* The trace is what the gateway was given and what it said: `onepack fuse` comes to the same. */
static void a_trace_is_a_log_for_fuse(void **state)
{
	(void)state;
	assert_int_equal(
		run("$ONEPACK sim run --seed 3 --days 0.01 --show > s.yaml && "
		    "$ONEPACK sim run --scenario s.yaml --check-every 0 --trace t.jsonl && "
		    "$ONEPACK fuse --config s.yaml < t.jsonl > f.jsonl && "
		    "picked='.charge_current_limit_a,.discharge_current_limit_a,"
		    ".charge_voltage_limit_v,.soc_pct,.reasons' && "
		    "jq -c \"[.t]+(.battery|[$picked])\" t.jsonl > a && "
		    "jq -c \"[.t,$picked]\" f.jsonl > b && cmp a b && tail -1 a"),
		0);
	says("discharge_current");
}

/* A gateway that is told not to take current back towards empty leaves it to the pack to protect
 * itself: the world shows it, and how to repeat it. */
static void a_violation_is_told_with_its_command(void **state)
{
	char command[300], *repeat;

	(void)state;
	write_file("empty.yaml", "title: \"no taper towards empty\"\n"
				 "seed: 1\n"
				 "duration_s: 600\n"
				 "inverter: can/pylon-lv-1.2\n"
				 "rack:\n"
				 "  packs:\n"
				 "    - {capacity_ah: 100, soc_pct: 6}\n"
				 "power:\n"
				 "  steps:\n"
				 "    - [0, -6000]\n"
				 "battery:\n"
				 "  cell_undervoltage_v: 2.0\n"
				 "  discharge_cell_table: [[2.0, 1.0]]\n");
	assert_int_equal(run("$ONEPACK sim run --scenario empty.yaml --cycle 3 --quiet"), 1);
	says("protection_used: cell_undervoltage");
	says("--cycle 3 ");
	repeat = strstr(text, "repeat it with: onepack ");
	assert_non_null(repeat);
	*strchr(repeat, '\n') = '\0';
	snprintf(command, sizeof command, "$ONEPACK %s --trace - | jq -s length",
		 repeat + strlen("repeat it with: onepack "));
	assert_int_equal(run(command), 0); /* the trace is JSON, the complaint goes to stderr */
	says("protection_used: cell_undervoltage");
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_are_explained),
		cmocka_unit_test(a_seed_is_a_run),
		cmocka_unit_test(several_seeds_are_the_same_in_parallel),
		cmocka_unit_test(a_trace_is_a_log_for_fuse),
		cmocka_unit_test(a_violation_is_told_with_its_command),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
