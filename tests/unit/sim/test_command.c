// SPDX-License-Identifier: Apache-2.0
/* `onepack sim` as users run it: the program itself, its words and its exit status, a rack that
 * cleans up behind itself, and a lone inverter on a port where this test plays the battery. */
#include "../cmocka_all.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "onepack/clock.h"
#include "onepack/wire.h"
#include "sim/pty.h"
#include "sim/slcan_adapter.h"
#include "willing.h"

#define PROGRAM ONEPACK_BINARY_DIR "/bin/onepack"

extern char **environ;

struct run {
	pid_t pid;
	int out; /* stdout and stderr of the program */
	char text[8192];
	size_t length;
};

/* Starts `onepack sim` with the words of `line`. */
static void begin(struct run *run, const char *line)
{
	char words[512], *argv[32] = {PROGRAM, "sim"}, *rest = NULL;
	posix_spawn_file_actions_t actions;
	int argc = 2, ends[2];

	memset(run, 0, sizeof *run);
	snprintf(words, sizeof words, "%s", line);
	for (char *w = strtok_r(words, " ", &rest); w; w = strtok_r(NULL, " ", &rest))
		argv[argc++] = w;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
	assert_int_equal(posix_spawn(&run->pid, PROGRAM, &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	run->out = ends[0];
}

/* Reads what it says until its end; returns its exit status. */
static int end(struct run *run)
{
	int status = 0;
	ssize_t n;

	while ((n = read(run->out, run->text + run->length, sizeof run->text - 1 - run->length)) >
	       0)
		run->length += (size_t)n;
	close(run->out);
	assert_int_equal(waitpid(run->pid, &status, 0), run->pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void contains(const struct run *run, const char *text)
{
	if (!strstr(run->text, text))
		fail_msg("'%s' is not in:\n%s", text, run->text);
}

static void mistakes_are_explained(void **state)
{
	static const struct {
		const char *line, *says;
		int status;
	} rows[] = {
		{"--help", "unplug 3", 0},
		{"attic", "there is no 'attic'", 2},
		{"rack --line rack=1-33", "addresses 0 to 32", 2},
		{"rack --packs jk --line rack=1-16", "addresses up to 15", 2},
		{"rack --packs lead", "should be onepack or jk", 2},
		{"rack --baud 4800", "our packs can 9600 to 250000", 2},
		{"rack --line a=1-9 --line b=1-9", "16 packs are the most", 2},
		{"rack --line x=1-2 --inverter can/pylon-lv-1.2=x", "two ports are called x", 2},
		{"rack --soc 101", "--soc 101: should be a number from 0 to 100", 2},
		{"rack --inverter can/pylon-lv-1.2", "should be like can/pylon-lv-1.2=can0-tty", 2},
		{"tell /nonexistent status", "no simulation is running in /nonexistent", 1},
		{"inverter --protocol can/pylon-lv-1.2", "usage: onepack sim inverter", 2},
		{"inverter --protocol pack/jk-pb --port x", "describes a pack", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct run run;

		begin(&run, rows[i].line);
		assert_int_equal(end(&run), rows[i].status);
		contains(&run, rows[i].says);
	}
}

static void wait_for_file(const char *path)
{
	int64_t end_ms = clock_monotonic_ms() + 5000;

	while (access(path, F_OK) < 0 && clock_monotonic_ms() < end_ms)
		usleep(20000);
	assert_int_equal(access(path, F_OK), 0);
}

static void rack_lives_and_cleans_up(void **state)
{
	char directory[] = "/tmp/onepack-sim-XXXXXX", line[256], path[64];
	struct run site, tell;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(line, sizeof line,
		 "rack --directory %s --line rack=1-3 --inverter none --fault auto --soc 80",
		 directory);
	begin(&site, line);
	snprintf(path, sizeof path, "%s/control", directory);
	wait_for_file(path);
	snprintf(line, sizeof line, "tell %s mute 2", directory);
	begin(&tell, line);
	assert_int_equal(end(&tell), 0);
	contains(&tell, "ok");
	snprintf(line, sizeof line, "tell %s mute 4", directory);
	begin(&tell, line);
	assert_int_equal(end(&tell), 1);
	contains(&tell, "should be a number from 1 to 3");
	kill(site.pid, SIGTERM);
	assert_int_equal(end(&site), 0);
	contains(&site, "addresses: 1-3}");
	assert_int_equal(rmdir(directory), 0);
}

static void lone_inverter_polls_a_battery(void **state)
{
	char directory[] = "/tmp/onepack-sim-XXXXXX", path[64], line[256];
	struct wire *wire = wire_load("rs485/growatt-2.01", stderr);
	struct wire_context ctx;
	struct battery b = willing(25, 25);
	struct sim_pty pty;
	struct run run;
	uint8_t in[256], out[WIRE_MAX_FRAME];
	size_t start;

	(void)state;
	assert_non_null(wire);
	wire_context_init(wire, &ctx);
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/port", directory);
	assert_int_equal(sim_pty_open(&pty, path), 0);
	snprintf(line, sizeof line,
		 "inverter --protocol rs485/growatt-2.01 --port %s --current -50 --seconds 2.5",
		 path);
	begin(&run, line);
	for (int64_t end_ms = clock_monotonic_ms() + 2500; clock_monotonic_ms() < end_ms;) {
		size_t count = sim_pty_read(&pty, in, sizeof in);
		int length = count > 0 ? wire_scan(wire, WIRE_FROM_MASTER, in, count, &start) : 0;

		if (length > 0)
			length = wire_answer(wire, &ctx, &b, in + start, (size_t)length, out,
					     sizeof out);
		if (length > 0)
			sim_pty_write(&pty, out, (size_t)length);
		usleep(5000);
	}
	assert_int_equal(end(&run), 0);
	contains(&run, "connected: battery 60.0 %");
	contains(&run, "wants -25.0 A");
	sim_pty_close(&pty);
	rmdir(directory);
	wire_free(wire);
}

struct adapter_end {
	struct sim_pty pty;
	struct slcan_adapter adapter;
	int heartbeats;
};

static void from_inverter(void *context, const struct can_message *message)
{
	struct adapter_end *a = context;

	a->heartbeats += message->id == 0x305;
}

static void to_inverter(void *context, const char *text, size_t count)
{
	struct adapter_end *a = context;

	sim_pty_write(&a->pty, (const uint8_t *)text, count);
}

static void send_battery(struct adapter_end *a, const struct wire *wire)
{
	struct wire_context ctx;
	struct battery b = willing(25, 25);

	wire_context_init(wire, &ctx);
	for (int i = 0; i < wire_message_count(wire); i++) {
		struct wire_message_info info;
		struct can_message message;
		char text[SLCAN_FRAME_SIZE];

		wire_get_message(wire, i, &info);
		if (!info.from_inverter && wire_encode_can(wire, i, &ctx, &b, &message) == 1)
			to_inverter(a, text, slcan_adapter_frame(&a->adapter, &message, text));
	}
}

static void lone_inverter_hears_a_can_bus(void **state)
{
	char directory[] = "/tmp/onepack-sim-XXXXXX", path[64], line[256];
	struct wire *wire = wire_load("can/victron-20170717", stderr);
	struct adapter_end a = {0};
	struct run run;
	uint8_t in[256];
	int64_t end_ms = clock_monotonic_ms() + 2500, next_ms = 0;

	(void)state;
	assert_non_null(wire);
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/port", directory);
	assert_int_equal(sim_pty_open(&a.pty, path), 0);
	slcan_adapter_init(&a.adapter, 500000);
	snprintf(line, sizeof line,
		 "inverter --protocol can/victron-20170717 --port slcan:%s --current 50 "
		 "--seconds 2.5",
		 path);
	begin(&run, line);
	while (clock_monotonic_ms() < end_ms) {
		size_t count = sim_pty_read(&a.pty, in, sizeof in);

		slcan_adapter_feed(&a.adapter, in, count, from_inverter, to_inverter, &a);
		if (a.adapter.open && clock_monotonic_ms() >= next_ms) {
			send_battery(&a, wire);
			next_ms = clock_monotonic_ms() + 500;
		}
		usleep(5000);
	}
	assert_int_equal(end(&run), 0);
	contains(&run, "connected: battery 60.0 %");
	contains(&run, "wants +25.0 A");
	assert_in_range(a.heartbeats, 2, 4);
	sim_pty_close(&a.pty);
	rmdir(directory);
	wire_free(wire);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_are_explained),
		cmocka_unit_test(rack_lives_and_cleans_up),
		cmocka_unit_test(lone_inverter_polls_a_battery),
		cmocka_unit_test(lone_inverter_hears_a_can_bus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
