// SPDX-License-Identifier: Apache-2.0
/* Each family of protocols from end to end: the gateway's link process on one pty, `onepack sim
 * inverter` on another, and between them a bus: two slcan adapters, or plain wires. The inverter
 * must find its battery, take what it may, and stop when the gateway dies. */
#include "harness.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "onepack/wire.h"
#include "sim/slcan_adapter.h"

#define MAX_SITES 8
#define LIMIT_MA  80000

struct family {
	const char *protocol;
	const char *takes; /* what the inverter says when all is well */
	const char *stops; /* and when the gateway has died */
};

/* Two ends of one bus. */
struct site {
	struct wire_end gateway, inverter;
	struct slcan_adapter adapters[2];
	bool is_can;
	char gateway_port[80], inverter_port[80];
	pid_t pid;
	int out; /* what the inverter prints */
	char said[60000];
	size_t said_count;
};

/* --- the bus --- */

struct end_of_bus {
	struct site *site;
	int index;
};

static int master_of(struct site *site, int index)
{
	return index == 0 ? site->gateway.master : site->inverter.master;
}

static void to_user(void *context, const char *text, size_t count)
{
	struct end_of_bus *end = context;

	(void)!write(master_of(end->site, end->index), text, count);
}

static void to_bus(void *context, const struct can_message *message)
{
	struct end_of_bus *from = context;
	struct end_of_bus to = {from->site, !from->index};
	char text[SLCAN_FRAME_SIZE];
	size_t count = slcan_adapter_frame(&from->site->adapters[to.index], message, text);

	if (count > 0)
		to_user(&to, text, count);
}

static void carry(struct site *site, int index)
{
	struct end_of_bus end = {site, index};
	uint8_t bytes[1024];
	ssize_t n = read(master_of(site, index), bytes, sizeof bytes);

	if (n <= 0)
		return;
	if (site->is_can)
		slcan_adapter_feed(&site->adapters[index], bytes, (size_t)n, to_bus, to_user, &end);
	else
		(void)!write(master_of(site, !index), bytes, (size_t)n);
}

/* A process of its own; it ends with the test. */
static pid_t start_buses(struct site *sites, int count)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		for (int i = 0; i < count; i++) {
			carry(&sites[i], 0);
			carry(&sites[i], 1);
		}
		(void)poll(NULL, 0, 2);
	}
}

/* --- the inverters --- */

static void open_site(struct site *site, const char *protocol)
{
	struct wire *wire = wire_load(protocol, stderr);
	struct wire_info info;

	assert_non_null(wire);
	wire_get_info(wire, &info);
	site->is_can = info.framing == WIRE_CAN;
	wire_open(&site->gateway);
	wire_open(&site->inverter);
	for (int i = 0; i < 2; i++)
		slcan_adapter_init(&site->adapters[i], info.bitrate);
	snprintf(site->gateway_port, sizeof site->gateway_port, "%s%s",
		 site->is_can ? "slcan:" : "", site->gateway.path);
	snprintf(site->inverter_port, sizeof site->inverter_port, "%s%s",
		 site->is_can ? "slcan:" : "", site->inverter.path);
	wire_free(wire);
}

static void start_inverter(struct site *site, const char *protocol)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	site->pid = fork();
	assert_true(site->pid >= 0);
	if (site->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ends[1], STDOUT_FILENO);
		for (int fd = 3; fd < 100; fd++)
			close(fd);
		execl(getenv("ONEPACK"), "onepack", "sim", "inverter", "--protocol", protocol,
		      "--port", site->inverter_port, "--current", "500", (char *)NULL);
		_exit(9);
	}
	close(ends[1]);
	site->out = ends[0];
	fcntl(site->out, F_SETFL, O_NONBLOCK);
}

static void close_site(struct site *site)
{
	int status = -1;

	kill(site->pid, SIGINT);
	assert_int_equal(waitpid(site->pid, &status, 0), site->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(site->out);
	wire_close(&site->gateway);
	wire_close(&site->inverter);
}

static void await(struct site *site, const char *protocol, const char *text)
{
	for (int i = 0; i < 500; i++) {
		ssize_t n = read(site->out, site->said + site->said_count,
				 sizeof site->said - 1 - site->said_count);

		if (n > 0)
			site->said_count += (size_t)n;
		site->said[site->said_count] = '\0';
		if (strstr(site->said, text))
			return;
		(void)poll(NULL, 0, 50);
	}
	fail_msg("%s did not say '%s':\n%s", protocol, text, site->said);
}

static void run(const struct family *families, int count)
{
	struct site *sites = calloc(MAX_SITES, sizeof *sites);
	struct inverter_config configs[MAX_SITES];
	struct engine engine;
	pid_t buses;

	assert_non_null(sites);
	for (int i = 0; i < count; i++) {
		open_site(&sites[i], families[i].protocol);
		configs[i] = config_of(families[i].protocol, sites[i].gateway_port);
	}
	buses = start_buses(sites, count);
	engine_start(&engine, configs, count, LIMIT_MA);
	for (int i = 0; i < count; i++)
		start_inverter(&sites[i], families[i].protocol);
	for (int i = 0; i < count; i++)
		await(&sites[i], families[i].protocol, families[i].takes);
	engine_kill(&engine, SIGKILL);
	for (int i = 0; i < count; i++)
		sites[i].said_count = 0;
	for (int i = 0; i < count; i++)
		await(&sites[i], families[i].protocol, families[i].stops);
	for (int i = 0; i < count; i++) {
		close_site(&sites[i]);
		end_links(sites[i].gateway_port);
	}
	kill(buses, SIGKILL);
	waitpid(buses, NULL, 0);
	close(engine.lease_fd);
	free(sites);
}

static void families_on_can(void **state)
{
	static const struct family families[] = {
		{"can/pylon-lv-1.2",
		 "connected: battery 67.0 %, 53.1 V; may charge 80.0 A up to 55.2 V, discharge "
		 "80.0 A; wants +80.0 A",
		 "may charge 0.0 A up to 53.1 V (blocked), discharge 0.0 A (blocked); wants +0.0 A"},
		{"can/deye-lv-1.0", "discharge 80.0 A; wants +80.0 A", "wants +0.0 A"},
		{"can/victron-20170717", "discharge 80.0 A; wants +80.0 A",
		 "! Victron GX: #3 charging disabled by BMS"},
		{"can/sma-sunny-island", "discharge 80.0 A; wants +80.0 A", "wants +0.0 A"},
		{"can/growatt-lv-rev05", "discharge 80.0 A; wants +80.0 A", "wants +0.0 A"},
		{"can/afore-2.3", "discharge 80.0 A; wants +80.0 A", "wants +0.0 A"},
		{"can/megarevo-1.0", "discharge 80.0 A; wants +80.0 A", "wants +0.0 A"},
		{"can/jk-2.0", "may charge 80.0 A up to 55.2 V, discharge ?; wants +80.0 A",
		 "wants +0.0 A"},
	};

	(void)state;
	run(families, sizeof families / sizeof families[0]);
}

static void families_on_rs485(void **state)
{
	static const struct family families[] = {
		{"rs485/pylon-lv-3.3", "discharge 80.0 A; wants +80.0 A", "wants +0.0 A"},
		{"rs485/growatt-2.01", "discharge 80.0 A; wants +80.0 A", "wants +0.0 A"},
		{"rs485/jk-modbus-1.0", "discharge 80.0 A; wants +80.0 A", "wants +0.0 A"},
		{"rs485/pace-modbus-1.3", "discharge 80.0 A; wants +80.0 A", "wants +0.0 A"},
		{"rs485/voltronic-20200325", "discharge 80.0 A; wants +80.0 A",
		 "! Axpert: warning 69, charge not allowed"},
		{"rs485/china-tower-2.0", "discharge ?; wants +20.0 A", "wants +0.0 A"},
		{"rs485/srne-lv-3.3", "discharge 80.0 A; wants +80.0 A", "wants +0.0 A"},
	};

	(void)state;
	run(families, sizeof families / sizeof families[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(families_on_can),
		cmocka_unit_test(families_on_rs485),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
