// SPDX-License-Identifier: Apache-2.0
/* `onepack wire` as a user and a script see it: the real program, standard input and output, exit
 * status. */
#include "../cmocka_all.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/onepack-wire-XXXXXX";

static void write_file(const char *name, const char *text, char path[300])
{
	FILE *file;

	snprintf(path, 300, "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* Runs `onepack wire ARGUMENTS`; standard output, then what came on standard error after "!". */
static int run(const char *arguments, const char *input, char *output, size_t size)
{
	char in[300], command[1200];
	size_t used;
	FILE *pipe;

	write_file("stdin", input, in);
	snprintf(command, sizeof command,
		 "cd %s && " ONEPACK_BINARY_DIR "/bin/onepack wire < %s 2> stderr %s; status=$?; "
		 "[ -s stderr ] && echo '!' && cat stderr; exit $status",
		 folder, in, arguments);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	used = fread(output, 1, size - 1, pipe);
	output[used] = '\0';
	return WEXITSTATUS(pclose(pipe));
}

static const struct {
	const char *arguments, *input, *output; /* all of it, or with * at the end its beginning */
	int status;
} runs[] = {
	/* encode */
	{"encode can/pylon-lv-1.2", "{}",
	 "351#0002000000000000\n359#0008000000504E\n35C#0000\n35E#50594C4F4E202020\n", 0},
	{"encode can/pylon-lv-1.2 --option pad=yes", "{\"soc_pct\": 99.99}",
	 "351#0002000000000000\n355#6300640000000000\n359#0008000000504E00\n"
	 "35C#0000000000000000\n35E#50594C4F4E202020\n",
	 0},
	{"encode can/pylon-lv-1.2",
	 "{\"voltage_v\": 53.1, \"current_a\": -12.34, \"temperature_c\": -0.05, "
	 "\"charge_voltage_limit_v\": 53.1, \"charge_current_limit_a\": 199.99, "
	 "\"discharge_current_limit_a\": 1e9, \"discharge_voltage_limit_v\": 44.81, "
	 "\"charge_allowed\": true, \"discharge_allowed\": false, \"force_charge\": \"urgent\"}",
	 "351#1302CF070000C101\n356#BE1485FFFFFF\n359#0000000000504E\n35C#A000\n"
	 "35E#50594C4F4E202020\n",
	 0},
	{"encode can/pylon-lv-1.2 --option current_sign=discharge --option voltage_scale=0.1 "
	 "--option temperature=max --option name=battery --option stop=tenth",
	 "{\"voltage_v\": 53.1, \"current_a\": 10, \"temperature_c\": 20, \"temperature_max_c\": 25, "
	 "\"manufacturer\": \"PYLONDIY\", \"discharge_current_limit_a\": 5}",
	 "351#1302010032000000\n356#13029CFFFA00\n359#0000000000504E\n35C#0000\n"
	 "35E#50594C4F4E444959\n",
	 0},
	{"encode can/pylon-lv-1.2 | grep -c 35E", "{}\n{\"soc_pct\": 1}\n\n{ \"soc_pct\":\n 2 }",
	 "3\n", 0},
	{"encode can/pylon-lv-1.2 | grep -E '355|^$'", "{}\n{\"soc_pct\": 1}\n{\"soc_pct\": 2}",
	 "\n355#01006400\n\n355#02006400\n", 0},
	{"encode can/pylon-lv-1.2 | grep -E '355|^$'",
	 "{\"soc_pct\": 1}\nrubbish\n{\"soc_pct\": 2}",
	 "355#01006400\n\n\n355#02006400\n!\nline 2: not a JSON object*", 0},
	{"encode can/pylon-lv-1.2", "[1, 2]", "!\nline 1: not a JSON object: something else\n", 1},
	{"encode can/pylon-lv-1.2", "", "", 0},
	{"encode can/pylon-lv-1.2 --battery b.json | head -1", "", "351#1402740E740ECC01\n", 0},
	{"encode can/pylon-lv-1.2 --battery none.json", "", "!\nonepack wire: none.json: No such*",
	 1},
	{"encode rs485/growatt-2.01", "{}", "!\nonepack wire: rs485/growatt-2.01 only speaks*", 1},
	{"encode can/pylon-lv-1.2 --option pad=perhaps", "{}",
	 "!\nonepack wire: option 'pad' cannot be 'perhaps'; possible: no, yes\n", 1},
	{"encode can/nothing", "{}", "!\nthere is no protocol 'can/nothing'*", 1},
	{"encode ../can/pylon-lv-1.2", "{}", "!\nthere is no protocol*", 1},
	/* decode */
	{"decode can/pylon-lv-1.2",
	 "(1.5) can0 351#1402740E740ECC01\n\n  can0  355   [4]  1A 00 64 00\n359#00000000",
	 "{\"soc_pct\":26.0,\"soh_pct\":100.0,\"charge_voltage_limit_v\":53.2,"
	 "\"discharge_voltage_limit_v\":46.0,\"charge_current_limit_a\":370.0,"
	 "\"discharge_current_limit_a\":370.0,\"protections\":[],\"warnings\":[]}\n",
	 0},
	{"decode can/pylon-lv-1.2", "355#1A\nhm\n123#00\n123#01\n355#1A00",
	 "{\"soc_pct\":26.0}\n!\nline 1: too short: 355#1A\nline 2: not a CAN frame: hm\n"
	 "line 3: id 123 is not in this protocol\n",
	 0},
	{"decode can/pylon-lv-1.2", "", "{}\n", 0},
	{"decode can/pylon-lv-1.2 --option voltage_scale=0.1", "356#1302000000",
	 "{\"voltage_v\":53.1,\"current_a\":0.0}\n", 0},
	{"decode can/pylon-lv-1.2 --from inverter", "305#\n355#1A00", "{\"inverter_alive\":true}\n",
	 0},
	{"decode can/pylon-lv-1.2 --from inverter", "00000305#0000000000000000",
	 "{\"inverter_alive\":true}\n", 0},
	{"decode can/pylon-lv-1.2 --from bms", "305#0000000000000000", "{}\n", 0},
	{"decode can/victron-20170717 --from inverter", "307#1234567856494300",
	 "{\"inverter_manufacturer\":\"VIC\",\"inverter_alive\":true}\n", 0},
	{"decode can/pylon-lv-1.2 --from moon", "", "!\nonepack wire: --from is bms or inverter*",
	 2},
	/* answer */
	{"answer rs485/growatt-2.01 --battery b.json",
	 "01 03 00 15 00 01 95 CE\n\nFF 00 01 03 00 15 00 01 95 CE 0103001500 0195CE\nzz\n"
	 "01 03 00 15 00 01 95 CF\n",
	 "0103020042"
	 "3875\n01030200423875"
	 "01030200423875\n-\n-\n!\nline 4: not bytes in hex: zz*",
	 0},
	{"answer rs485/growatt-2.01 --battery b.json --address 0x02",
	 "01 03 00 15 00 01 95 CE\n02 03 00 15 00 01 95 FD",
	 "-\n0203020042"
	 "7C75\n",
	 0},
	{"answer rs485/growatt-2.01 --battery two.json", "01 03 00 15 00 01 95 CE",
	 "01030200423875\n\n0103020005"
	 "7847\n",
	 0},
	{"answer rs485/growatt-2.01", "", "!\nonepack wire: --battery FILE is missing*", 2},
	{"answer can/pylon-lv-1.2 --battery b.json", "",
	 "!\nonepack wire: can/pylon-lv-1.2 is not*", 1},
	/* the others */
	{"check good.yaml", "", "", 0},
	{"check bad.yaml", "",
	 "bad.yaml:2:16: 5 is outside 10000..1000000\nbad.yaml:1:1: `source:` is missing\nbad.yaml:4:34: `fields:`*",
	 1},
	{"check none.yaml", "", "none.yaml:1:1: cannot be read: No such file or directory\n", 1},
	{"show good.yaml", "", "* 0x100  m*", 0},
	{"show can/pylon-lv-1.2 | grep -c inverter_alive", "", "2\n", 0},
	{"show --names | grep -c charge_voltage_held", "", "1\n", 0},
	{"dbc rs485/growatt-2.01", "",
	 "!\nonepack wire: rs485/growatt-2.01 is not a CAN protocol\n", 1},
	{"list | grep can/pylon-lv-1", "",
	 "can/pylon-lv-1.2         can     500000  tested       PYLON low voltage V1.2\n", 0},
	{"list --json | tr -d ' \\n' | grep -o '{\"id\":\"can/pylon-lv-1[^}]*}'", "",
	 "{\"id\":\"can/pylon-lv-1.2\",\"title\":\"PYLONlowvoltageV1.2\",\"bus\":\"can\","
	 "\"bitrate\":500000,\"maturity\":\"tested\"}\n",
	 0},
	{"--help | head -1", "", "usage: onepack wire list [--json]\n", 0},
	{"", "", "!\nonepack wire: what should be done?*", 2},
	{"paint", "", "!\nonepack wire: there is no sub-command paint*", 2},
	{"encode", "", "!\nonepack wire: which protocol?*", 2},
	{"encode can/pylon-lv-1.2 --option", "", "!\nonepack wire: a value is missing*", 2},
	{"encode can/pylon-lv-1.2 --colour red", "", "!\nonepack wire: unknown argument --colour*",
	 2},
	{"encode can/pylon-lv-1.2 more", "", "!\nonepack wire: one argument too many: more*", 2},
};

static bool is_as_wanted(const char *got, const char *wanted)
{
	const size_t length = strlen(wanted);

	if (wanted[0] == '*') { /* *in the middle* */
		char part[200];

		snprintf(part, sizeof part, "%.*s", (int)length - 3, wanted + 2);
		return strstr(got, part) != NULL;
	}
	if (length && wanted[length - 1] == '*')
		return strncmp(got, wanted, length - 1) == 0;
	return strcmp(got, wanted) == 0;
}

static void runs_as_written(void **state)
{
	static char output[60000];
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
		const int status = run(runs[i].arguments, runs[i].input, output, sizeof output);

		if (status == runs[i].status && is_as_wanted(output, runs[i].output))
			continue;
		print_error("onepack wire %s\n status %d, output:\n%s\n wanted:\n%s\n",
			    runs[i].arguments, status, output, runs[i].output);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

/* A user's folder comes first, and its files get their id from where they lie. */
static void user_files_are_found(void **state)
{
	static char output[60000];
	char command[600];

	(void)state;
	snprintf(command, sizeof command,
		 "mkdir -p %s/mine/can && cp %s/good.yaml %s/mine/can/own.yaml", folder, folder,
		 folder);
	assert_int_equal(system(command), 0);
	snprintf(command, sizeof command,
		 ONEPACK_BINARY_DIR
		 "/bin/onepack wire list | grep own; ONEPACK_PROTOCOLS=%s/mine " ONEPACK_BINARY_DIR
		 "/bin/onepack wire list | grep -E 'own|pylon-lv-1.2'",
		 folder);
	FILE *pipe = popen(command, "r");

	assert_non_null(pipe);
	output[fread(output, 1, sizeof output - 1, pipe)] = '\0';
	pclose(pipe);
	assert_string_equal(
		output,
		"can/own                  can     250000  user         Own\n"
		"can/pylon-lv-1.2         can     500000  tested       PYLON low voltage V1.2\n");
}

/* The worked example of protocols/README.md is true. */
static void the_readme_is_right(void **state)
{
	static char output[2000];
	char command[600];

	(void)state;
	snprintf(command, sizeof command,
		 "awk '/^```yaml/{n++; next} /^```/{n += n == 1} n == 1' " ONEPACK_SOURCE_DIR
		 "/protocols/README.md > %s/readme.yaml",
		 folder);
	assert_int_equal(system(command), 0);
	assert_int_equal(run("check readme.yaml", "", output, sizeof output), 0);
	assert_int_equal(run("encode readme.yaml",
			     "{\"charge_voltage_limit_v\": 53.26, \"charge_current_limit_a\": 370, "
			     "\"charge_allowed\": true, \"protections\": []}\n{}\n",
			     output, sizeof output),
			 0);
	assert_string_equal(output, "351#1402740E8000\n\n351#000200000800\n");
}

/* Every protocol of the tree is in order, and can be shown without a gap. */
static void all_protocols_are_fine(void **state)
{
	static char output[60000];

	(void)state;
	assert_int_equal(run("list > /dev/null", "", output, sizeof output), 0);
	assert_string_equal(output, "");
	assert_int_equal(run("list | cut -d' ' -f1 | while read id; do " ONEPACK_BINARY_DIR
			     "/bin/onepack wire show $id > shown || echo $id fails; grep -q source "
			     "shown || echo $id has no source; grep -F '(null)' shown; done",
			     "", output, sizeof output) > 1,
			 0);
	assert_string_equal(output, "");
}

static int set_up(void **state)
{
	static const char battery[] =
		"{\"charge_voltage_limit_v\": 53.2, \"charge_current_limit_a\": 370, "
		"\"discharge_current_limit_a\": 370, \"discharge_voltage_limit_v\": 46, \"soc_pct\": "
		"66}\n";
	char path[300];

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	write_file("b.json", battery, path);
	write_file("two.json", "{\"soc_pct\": 66}\n{\"soc_pct\": 5}\n", path);
	write_file("good.yaml",
		   "title: Own\nsource: me\ncan: {bitrate: 250000}\nmessages:\n"
		   "  - {id: 0x100, name: m, fields: [{is: soc, as: u8, unit: 1 %}]}\n",
		   path);
	write_file(
		"bad.yaml",
		"title: Own\ncan: {bitrate: 5}\nmessages:\n  - {id: 0x100, name: m, fields: 3}\n",
		path);
	return 0;
}

static int tear_down(void **state)
{
	char command[300];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_as_written),
		cmocka_unit_test(user_files_are_found),
		cmocka_unit_test(the_readme_is_right),
		cmocka_unit_test(all_protocols_are_fine),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
