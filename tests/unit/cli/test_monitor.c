// SPDX-License-Identifier: Apache-2.0
/* `onepack monitor` as a user sees it: the real program on real ptys, with a simulated rack or the
 * test itself as the other side, and on logs and captured vectors. */
#include "../cmocka_all.h"
#include "../port/pty_pair.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define PROGRAM ONEPACK_BINARY_DIR "/bin/onepack"
#define VECTORS ONEPACK_SOURCE_DIR "/tests/vectors/"
#define PYLON   "can/pylon-lv-1.2"

static char folder[] = "/tmp/onepack-monitor-XXXXXX";
static char said[1000000]; /* what the program printed, complaints included */

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

/* Runs to the end; the exit status, everything printed is in `said`. */
static int run(const char *arguments)
{
	char command[1000];
	FILE *pipe;

	snprintf(command, sizeof command, "cd %s && " PROGRAM " monitor %s 2>&1", folder,
		 arguments);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	said[fread(said, 1, sizeof said - 1, pipe)] = '\0';
	return WEXITSTATUS(pclose(pipe));
}

static void assert_said(const char *text)
{
	if (!strstr(said, text))
		fail_msg("'%s' is missing in:\n%s", text, said);
}

static int lines_with(const char *text)
{
	int count = 0;

	for (const char *at = said; (at = strstr(at, text)); at += strlen(text))
		count++;
	return count;
}

/* --- logs --- */

static void candump_logs_become_lines(void **state)
{
	(void)state;
	write_file("log", "(1700000000.100000) can0 351#1402740E740ECC01\n"
			  " (1700000000.101000)  can0  355   [4]  1A 00 64 00\n"
			  "(1700000000.102000) can0 35A#0102\n"
			  "(1700000001.100000) can0 351#1402740E640ECC01\n"
			  "\n# a remark\n"
			  "(1700000001.101000) can0 355#1A\n"
			  "rubbish\n"
			  "(1700000002.100000) can0 351#1402740E640ECC01\n"
			  "(1700000002.101000) can0 305#0000000000000000 R\n");
	assert_int_equal(run("--from log --protocol " PYLON), 0);
	assert_said(
		"     0.000  bms  351      limits                charge_voltage_limit_v 53.2  ");
	assert_said(
		"     0.001  bms  355      state                 soc_pct 26.0  soh_pct 100.0\n");
	assert_said("     0.002  ?    35A                            01 02\n");
	assert_said("     1.000  bms  351      limits                charge_voltage_limit_v 53.2  "
		    "discharge_voltage_limit_v 46.0  charge_current_limit_a 370.0  "
		    "discharge_current_limit_a 368.4\n");
	assert_said("     1.001  bms  355      state                 too short\n");
	assert_said("!!   not a frame  rubbish\n");
	assert_said("     2.001  inv  305 ");
	assert_said("\n7 frames of can/pylon-lv-1.2 in 2.0 s\n");
	assert_said("limits                                    3      1.000    1.000    1.000\n");
	assert_said("not of this protocol\n  ?    35A ");
	assert_said("too short                                               1\n");
	assert_said("not a frame                                             1\n");
	assert_null(strchr(said, '\033')); /* colours are for terminals */
}

static void dates_and_missing_times_are_understood(void **state)
{
	(void)state;
	write_file("dated", "(2024-02-29 23:59:59.500000)  can0  355   [4]  1A 00 64 00\n"
			    "(2024-03-01 00:00:01.000000)  can0  355   [4]  1A 00 64 00\n");
	assert_int_equal(run("--protocol " PYLON " --from - < dated"), 0);
	assert_said("     1.500  bms  355");
	write_file("timeless", "355#1A006400\n355#1B006400\n");
	assert_int_equal(run("--protocol " PYLON " --from timeless --raw"), 0);
	assert_said("         -  bms  355      state                 1B 00 64 00  soc_pct 27.0");
	assert_null(strstr(said, "1.000"));
}

/* Takes the frames out of a file of vectors, one a line. */
static int write_vectors(const char *file, const char *name)
{
	char path[400];
	int frames = 0, c, last = '\n';
	FILE *in, *out;

	snprintf(path, sizeof path, VECTORS "%s", file);
	in = fopen(path, "r");
	snprintf(path, sizeof path, "%s/%s", folder, name);
	out = fopen(path, "w");
	assert_non_null(in);
	assert_non_null(out);
	char *line = NULL;
	size_t size = 0;
	bool hearing = false;

	while (getline(&line, &size, in) > 0) {
		if (line[0] != ' ')
			hearing = strncmp(line, "hear ", 5) == 0;
		if (!hearing)
			continue;
		frames += line[0] != ' ';
		if (line[0] != ' ' && last != '\n')
			fputc('\n', out);
		line[strcspn(line, "\r\n")] = '\0';
		fputs(line[0] == ' ' ? line : line + 5, out);
		last = 0;
	}
	c = fputc('\n', out);
	assert_int_equal(c, '\n');
	free(line);
	fclose(in);
	fclose(out);
	return frames;
}

static void captured_exchanges_are_read(void **state)
{
	static const struct {
		const char *file, *protocol, *says;
	} rows[] = {
		{"rs485/pylon-lv-3.3.txt", "rs485/pylon-lv-3.3",
		 "says 02       42 analog             voltage_v 49.037  current_a -3.2"},
		{"rs485/growatt-2.01.txt", "rs485/growatt-2.01", "soc_pct"},
		{"rs485/jk-modbus-1.0.txt", "rs485/jk-modbus-1.0", "soc_pct"},
		{"rs485/pace-modbus-1.3.txt", "rs485/pace-modbus-1.3", "says 1        live  "},
		{"rs485/voltronic-20200325.txt", "rs485/voltronic-20200325",
		 "says 1        status                cells_in_series 8\n"},
		{"rs485/srne-lv-3.3.txt", "rs485/srne-lv-3.3", "says 12       61 system_analog "},
		{"pack/jk-pb.txt", "pack/jk-pb",
		 "says 3        about                 serial 40119491480  model JK_PB2A16S20P"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char arguments[300], total[40];
		const int frames = write_vectors(rows[i].file, "vectors");

		assert_true(frames > 2);
		snprintf(arguments, sizeof arguments, "--from vectors --protocol %s",
			 rows[i].protocol);
		assert_int_equal(run(arguments), 0);
		assert_said(rows[i].says);
		snprintf(total, sizeof total, "\n%d frames of", frames);
		assert_said(total);
		assert_int_equal(lines_with("checksum"), 0);
		assert_int_equal(lines_with("cut short"), 0);
	}
}

static void broken_frames_are_told_and_passed_over(void **state)
{
	(void)state;
	write_file("broken", "(1.0) ~0002464F0000FD9A\n"
			     "(1.1) ~200246000000FDB3\n" /* the sum */
			     "(2.0) 01 02 03\n"
			     "(3.0) ~0002464F0000FD9A\n"
			     "(3.1) ~200246000000FDB2\n"
			     "(4.0) 7E 30 30 30 32\n"); /* begun and never ended */
	assert_int_equal(run("--from broken --protocol rs485/pylon-lv-3.3"), 0);
	assert_said("     0.100  !!   checksum  ~200246000000FDB3\n");
	assert_said("     1.000  !!   noise  01 02 03\n");
	assert_said("     2.100  says 02       4F version");
	assert_said("     3.000  !!   cut short  ~0002\n");
	assert_said("\n3 frames of");
}

/* What comes in through a pipe that stands still ends in time, and is not kept back. */
static void a_pipe_may_stand_still(void **state)
{
	static const char line[] = "(1.0) a 355#1A006400\n";
	char path[300];
	int fd;

	(void)state;
	snprintf(path, sizeof path, "%s/pipe", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDWR | O_CLOEXEC); /* nobody sees an end of it */
	assert_int_equal(write(fd, line, strlen(line)), strlen(line));
	assert_int_equal(run("--from - --seconds 0.5 --protocol " PYLON " < pipe"), 0);
	close(fd);
	assert_said("soc_pct 26.0");
	assert_said("\n1 frames of");
}

static void use_is_explained(void **state)
{
	static const struct {
		const char *arguments, *said;
		int status;
	} rows[] = {
		{"--help", "usage: onepack monitor PORT --protocol ID", 0},
		{"/dev/null", "--protocol is missing", 2},
		{"--protocol " PYLON, "either a port or --from FILE", 2},
		{"can0 --from x --protocol " PYLON, "either a port or --from FILE", 2},
		{"can0 can1 --protocol " PYLON, "one argument too many: can1", 2},
		{"--seconds 0 --protocol " PYLON, "no such number behind --seconds", 2},
		{"--option pad --protocol " PYLON, "options are written K=V", 2},
		{"--from nowhere --protocol " PYLON, "nowhere: No such file", 1},
		{"--from - --protocol can/none < /dev/null", "can/none", 1},
		{"--from - --option a=b --protocol " PYLON " < /dev/null", "pad", 1},
		{"no-such-can9 --protocol " PYLON, "onepack monitor: no-such-can9: ", 1},
		{"./no-tty --protocol pack/jk-pb", "onepack monitor: ./no-tty: No such file", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(run(rows[i].arguments), rows[i].status);
		assert_said(rows[i].said);
	}
}

/* --- live --- */

/* Starts the program with its output in a file of that name. */
static pid_t start(const char *name, char *const *arguments)
{
	pid_t pid = fork();
	char path[300];

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	if (!freopen(path, "w", stdout) || !freopen("/dev/null", "r", stdin))
		_exit(9);
	execv(PROGRAM, arguments);
	_exit(9);
}

static int stop(pid_t pid, int signal)
{
	int status = 0;

	kill(pid, signal);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void read_said(const char *name)
{
	char path[300];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	said[0] = '\0';
	file = fopen(path, "r");
	if (!file)
		return; /* not started yet */
	said[fread(said, 1, sizeof said - 1, file)] = '\0';
	fclose(file);
}

/* Waits until a program has printed that, at most ten seconds. */
static void await_said(const char *name, const char *text)
{
	for (int i = 0; i < 200; i++) {
		read_said(name);
		if (strstr(said, text))
			return;
		usleep(50000);
	}
	fail_msg("'%s' did not come:\n%s", text, said);
}

static void await_port(const char *path)
{
	struct stat there;

	for (int i = 0; i < 200 && stat(path, &there) != 0; i++)
		usleep(50000);
	assert_int_equal(stat(path, &there), 0);
}

static void a_rack_with_a_master_is_overheard(void **state)
{
	char site[200], port[220], can[240], command[300];
	char *const rack[] = {PROGRAM,  "sim",      "rack",       "--directory", site,
			      "--line", "rack=0-2", "--inverter", PYLON "=can0", "--seconds",
			      "30",     "--packs",  "jk",         NULL};
	char *const monitor[] = {PROGRAM,      "monitor", port,    "--protocol",
				 "pack/jk-pb", "--save",  command, NULL};
	char *const second[] = {PROGRAM, "monitor", can, "--protocol", PYLON, NULL};
	pid_t sim, on_rack, on_can;

	(void)state;
	snprintf(site, sizeof site, "%s/site", folder);
	snprintf(port, sizeof port, "%s/rack", site);
	snprintf(can, sizeof can, "slcan:%s/can0", site);
	snprintf(command, sizeof command, "%s/saved", folder);
	sim = start("sim", rack);
	await_port(port);
	on_rack = start("rack", monitor);
	on_can = start("can", second);
	await_said("rack", "says 1        live                  address 1  voltage_v ");
	await_said("rack", "ask  1        settings              function 16, register 0x161E");
	await_said("rack", "says 2        live                  address 2  voltage_v ");
	await_said("can", "inv  305      heartbeat");
	assert_int_equal(stop(on_rack, SIGINT), 0);
	assert_int_equal(stop(on_can, SIGTERM), 0);
	read_said("rack");
	assert_said("frames of pack/jk-pb in ");
	assert_said("\n  ask  1        live ");
	read_said("can");
	assert_said("\n  inv  305      heartbeat");
	assert_int_equal(stop(sim, SIGTERM), 0);
	assert_int_equal(run("--from saved --protocol pack/jk-pb"), 0);
	assert_said("says 1        live                  address 1  voltage_v ");
}

/* Whatever comes, in pieces of any size, with noise between; and not a byte goes back. */
static void a_serial_line_is_only_listened_to(void **state)
{
	static const uint8_t traffic[] = {
		0xFF, 0x01, 0x03, 0x00, 0x15, 0x00, 0x01, 0x95, 0xCE, /* noise, SOC? */
		0x01, 0x03, 0x02, 0x00, 0x39, 0x78, 0x56,             /* 57 % */
		0x01, 0x03, 0x00, 0x15, 0x00, 0x01, 0x95, 0xCE,       /* SOC? */
		0x01, 0x03, 0x02, 0x00, 0x3A, 0x79, 0x96,             /* damaged */
		0x01, 0x03, 0x00, 0x15, 0x00, 0x01, 0x95, 0xCE,       /* SOC? */
		0x01, 0x83, 0x02, 0xC0, 0xF1,                         /* no */
	};
	struct pty_pair pty;
	char *const monitor[] = {PROGRAM, "monitor", pty.path, "--protocol", "rs485/growatt-2.01",
				 NULL};
	char back[8];
	pid_t pid;

	(void)state;
	pty_open(&pty);
	pid = start("growatt", monitor);
	/* the monitor must have the port before bytes come */
	usleep(700000);
	for (size_t i = 0; i < sizeof traffic; i += 3) {
		pty_say(&pty, traffic + i, sizeof traffic - i < 3 ? sizeof traffic - i : 3);
		usleep(2000);
	}
	await_said("growatt", "refused, exception 2");
	assert_said("!!   noise  FF\n");
	assert_said("ask  1        status                function 3, register 0x0015, 1 of them\n");
	assert_said("says 1        status                soc_pct 57.0\n");
	assert_said("!!   checksum  01 03 02 00 3A 79 96\n");
	assert_int_equal(read(pty.master, back, sizeof back), -1);
	assert_int_equal(stop(pid, SIGINT), 0);
	read_said("growatt");
	assert_said("\n5 frames of rs485/growatt-2.01");
	assert_said("checksum                                                1\n");
	close(pty.master);
}

static void an_slcan_adapter_is_opened_listening(void **state)
{
	struct pty_pair pty;
	char port[80], text[64] = "";
	char *const monitor[] = {PROGRAM, "monitor", port, "--protocol", PYLON, NULL};
	size_t got = 0;
	pid_t pid;

	(void)state;
	pty_open(&pty);
	snprintf(port, sizeof port, "slcan:%s", pty.path);
	pid = start("slcan", monitor);
	for (int i = 0; i < 10 && !strchr(text, 'L'); i++)
		got += pty_take(&pty, text + got, 10);
	assert_string_equal(text, "\r\r\rC\rS6\rL\r");
	pty_say(&pty, "t35541A006400\rt35541B00", 23);
	pty_say(&pty, "6400\r", 5);
	await_said("slcan", "soc_pct 27.0");
	assert_int_equal(read(pty.master, text, sizeof text), -1);
	assert_int_equal(stop(pid, SIGINT), 0);
	read_said("slcan");
	assert_said("\n2 frames of can/pylon-lv-1.2");
	assert_said("no errors");
	close(pty.master);
}

/* A terminal gets what changed in bold. */
static void changes_are_bold_on_a_terminal(void **state)
{
	char command[600];
	FILE *pipe;

	(void)state;
	write_file("two", "(0.0) a 355#1A006400\n(1.0) a 355#1B006400\n");
	snprintf(command, sizeof command,
		 "script -qec '" PROGRAM " monitor --from %s/two --protocol " PYLON "' /dev/null",
		 folder);
	if (system("command -v script > /dev/null") != 0)
		skip();
	unsetenv("NO_COLOR");
	pipe = popen(command, "r");
	assert_non_null(pipe);
	said[fread(said, 1, sizeof said - 1, pipe)] = '\0';
	assert_int_equal(pclose(pipe), 0);
	assert_said("  \033[1msoc_pct 27.0\033[0m  soh_pct 100.0");
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
		cmocka_unit_test(candump_logs_become_lines),
		cmocka_unit_test(dates_and_missing_times_are_understood),
		cmocka_unit_test(captured_exchanges_are_read),
		cmocka_unit_test(broken_frames_are_told_and_passed_over),
		cmocka_unit_test(a_pipe_may_stand_still),
		cmocka_unit_test(use_is_explained),
		cmocka_unit_test(a_rack_with_a_master_is_overheard),
		cmocka_unit_test(a_serial_line_is_only_listened_to),
		cmocka_unit_test(an_slcan_adapter_is_opened_listening),
		cmocka_unit_test(changes_are_bold_on_a_terminal),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
