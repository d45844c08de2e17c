// SPDX-License-Identifier: Apache-2.0
/* Engine process, pty wire and slcan far end for the link tests; see harness.h. */
#include "harness.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "onepack/clock.h"

/* --- the wire --- */

void wire_open(struct wire_end *end)
{
	struct termios raw;
	int slave;

	memset(end, 0, sizeof *end);
	cfmakeraw(&raw);
	assert_int_equal(openpty(&end->master, &slave, end->path, NULL, NULL), 0);
	assert_int_equal(tcgetattr(slave, &raw), 0);
	cfmakeraw(&raw);
	assert_int_equal(tcsetattr(slave, TCSANOW, &raw), 0);
	fcntl(end->master, F_SETFD, FD_CLOEXEC);
	fcntl(end->master, F_SETFL, O_NONBLOCK);
	close(slave);
}

void wire_close(struct wire_end *end)
{
	close(end->master);
	end->master = -1;
}

static int hex(const char *text, int digits)
{
	char copy[9] = "";

	memcpy(copy, text, (size_t)digits);
	return (int)strtoul(copy, NULL, 16);
}

/* Takes one line of slcan off the text: true when it was a frame with 11 bits. */
static bool take_line(struct wire_end *end, struct can_message *out)
{
	char *cr = memchr(end->text, '\r', end->text_count);
	char line[64] = "";
	size_t length;

	if (!cr)
		return false;
	length = (size_t)(cr - end->text);
	if (length < sizeof line)
		memcpy(line, end->text, length);
	end->text_count -= length + 1;
	memmove(end->text, cr + 1, end->text_count);
	if (line[0] != 't')
		return take_line(end, out);
	memset(out, 0, sizeof *out);
	out->id = (uint32_t)hex(line + 1, 3);
	out->length = (uint8_t)hex(line + 4, 1);
	assert_int_equal(length, 5 + 2 * out->length);
	for (int i = 0; i < out->length; i++)
		out->data[i] = (uint8_t)hex(line + 5 + (size_t)i * 2, 2);
	return true;
}

/* Takes what has come, waiting until end_us for the first of it. */
static void receive(struct wire_end *end, int64_t end_us)
{
	struct pollfd p = {.fd = end->master, .events = POLLIN};
	int64_t left_us = end_us - clock_monotonic_us();
	ssize_t n;

	poll(&p, 1, left_us > 0 ? (int)(left_us / 1000) + 1 : 0);
	n = read(end->master, end->text + end->text_count, sizeof end->text - end->text_count);
	if (n > 0)
		end->text_count += (size_t)n;
	else if ((p.revents & POLLHUP) && left_us > 0)
		(void)poll(NULL, 0, 5); /* the link has not opened it yet */
}

bool hear_frame(struct wire_end *end, int timeout_ms, struct heard_frame *out)
{
	int64_t end_us = clock_monotonic_us() + (int64_t)timeout_ms * 1000;

	while (!take_line(end, &out->message)) {
		size_t before = end->text_count;

		receive(end, end_us);
		if (end->text_count == before && clock_monotonic_us() >= end_us)
			return false;
	}
	out->at_us = clock_monotonic_us();
	return true;
}

bool hear_id(struct wire_end *end, uint32_t id, int timeout_ms, struct heard_frame *out)
{
	int64_t end_ms = clock_monotonic_ms() + timeout_ms;

	while (hear_frame(end, (int)(end_ms - clock_monotonic_ms()), out))
		if (out->message.id == id)
			return true;
	return false;
}

void say_frame(struct wire_end *end, uint32_t id, const uint8_t *data, int length)
{
	char line[64];
	int n = snprintf(line, sizeof line, "t%03X%d", id, length);

	for (int i = 0; i < length; i++)
		n += snprintf(line + n, sizeof line - (size_t)n, "%02X", data[i]);
	line[n++] = '\r';
	assert_int_equal(write(end->master, line, (size_t)n), n);
}

int charge_limit_da(const struct can_message *limits)
{
	return (int16_t)(limits->data[2] | limits->data[3] << 8);
}

int discharge_limit_da(const struct can_message *limits)
{
	return (int16_t)(limits->data[4] | limits->data[5] << 8);
}

/* --- the engine --- */

static void make_battery(struct battery *battery, int limit_ma)
{
	battery_clear(battery);
	battery->state = BATTERY_CHARGING;
	battery->voltage_mv = 53100;
	battery->current_ma = 12300;
	battery->soc_mpct = 67000;
	battery->soh_mpct = 99000;
	battery->temperature_mC = 21000;
	battery->packs_online = 3;
	battery->packs_total = 3;
	battery->cells_in_series = 16;
	battery->cell_mean_mv = 3319;
	battery->cell_min_mv = 3310;
	battery->cell_max_mv = 3330;
	battery->capacity_mah = 300000;
	battery->remaining_mah = 201000;
	battery->cycles = 12;
	battery->charge_voltage_limit_mv = 55200;
	battery->discharge_voltage_limit_mv = 46000;
	battery->charge_current_limit_ma = limit_ma;
	battery->discharge_current_limit_ma = limit_ma;
	battery->charge_allowed = 1;
	battery->discharge_allowed = 1;
	battery->force_charge = FORCE_NONE;
	battery->full_charge_request = 0;
}

static volatile sig_atomic_t ending;

static void on_term(int signal)
{
	(void)signal;
	ending = 1;
}

static void publish(struct engine *engine, const struct links *links)
{
	struct engine_control *control = engine->control;
	int limit_ma = atomic_load(&control->limit_ma);
	struct battery battery;

	make_battery(&battery, limit_ma);
	if (limit_ma != atomic_load(&control->published_ma))
		atomic_store(&control->changed_us, clock_monotonic_us());
	lease_publish(engine->page, &battery, clock_monotonic_ms());
	links_wake(links);
	atomic_store(&control->published_ma, limit_ma);
}

static int run_engine(struct engine *engine, const struct inverter_config *configs, int count)
{
	struct engine_control *control = engine->control;
	struct links *links;
	char why[256] = "";
	int64_t due_ms = 0;

	for (int fd = 3; fd < 64; fd++) /* the test's end of the wire must not stay open here */
		if (fd != engine->lease_fd)
			close(fd);
	signal(SIGTERM, on_term);
	if (links_start(configs, count, engine->lease_fd, &links, why, sizeof why) < 0) {
		fprintf(stderr, "%s\n", why);
		atomic_store(&control->links_failed, true);
		return 1;
	}
	while (!ending) {
		int64_t now_ms = clock_monotonic_ms();
		bool changed =
			atomic_load(&control->limit_ma) != atomic_load(&control->published_ma);

		if (!atomic_load(&control->hang) && (changed || now_ms >= due_ms)) {
			publish(engine, links);
			due_ms = now_ms + 50;
		}
		if (!atomic_load(&control->hang))
			links_tick(links, now_ms);
		(void)poll(NULL, 0, 2);
	}
	lease_revoke(engine->page);
	links_stop(links, LINK_FAREWELL_MS + 500);
	return 0;
}

void engine_start(struct engine *engine, const struct inverter_config *configs, int count,
		  int limit_ma)
{
	engine->control = mmap(NULL, sizeof *engine->control, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	atomic_store(&engine->control->limit_ma, limit_ma);
	engine->lease_fd = lease_create();
	engine->page = lease_map(engine->lease_fd);
	assert_non_null(engine->page);
	engine->pid = fork();
	if (engine->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nothing running */
		_exit(run_engine(engine, configs, count));
	}
}

void engine_kill(struct engine *engine, int signal)
{
	kill(engine->pid, signal);
	if (signal == SIGKILL)
		waitpid(engine->pid, NULL, 0);
}

int engine_end(struct engine *engine)
{
	int status = -1;

	kill(engine->pid, SIGTERM);
	waitpid(engine->pid, &status, 0);
	munmap(engine->page, lease_page_size());
	munmap(engine->control, sizeof *engine->control);
	close(engine->lease_fd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct inverter_config config_of(const char *protocol, const char *port)
{
	return (struct inverter_config){.protocol = protocol, .port = port, .address = -1};
}

void can_start(struct can_fixture *f, const char *protocol, int limit_ma)
{
	struct inverter_config config;

	wire_open(&f->end);
	snprintf(f->port, sizeof f->port, "slcan:%s", f->end.path);
	snprintf(f->protocol, sizeof f->protocol, "%s", protocol);
	config = config_of(f->protocol, f->port);
	engine_start(&f->engine, &config, 1, limit_ma);
}

void can_stop(struct can_fixture *f)
{
	assert_int_equal(engine_end(&f->engine), 0);
	wire_close(&f->end);
}

void can_settle(struct can_fixture *f, int limit_da)
{
	struct heard_frame frame;

	do
		assert_true(hear_id(&f->end, 0x351, 2000, &frame));
	while (charge_limit_da(&frame.message) != limit_da);
	while (hear_frame(&f->end, 300, &frame))
		;
}

void await_status(const struct engine *engine, int slot,
		  bool (*is_so)(const struct inverter_status *), int timeout_ms,
		  struct inverter_status *out)
{
	int64_t end_ms = clock_monotonic_ms() + timeout_ms;

	do {
		lease_read_status(engine->page, slot, out);
		if (is_so(out))
			return;
		(void)poll(NULL, 0, 5);
	} while (clock_monotonic_ms() < end_ms);
	fail_msg("status: link %d, detail \"%s\", heard %lld, sent %llu, lease %d", out->link,
		 out->detail, (long long)out->heard_ms, (unsigned long long)out->frames_sent,
		 out->lease_valid);
}

/* --- processes --- */

static bool is_link_of(const char *pid, const char *port)
{
	char path[64];
	char arguments[2048];
	char wanted[128];
	FILE *file;
	size_t n;
	bool is_link;

	snprintf(path, sizeof path, "/proc/%.20s/cmdline", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	n = fread(arguments, 1, sizeof arguments, file);
	(void)fclose(file);
	snprintf(wanted, sizeof wanted, "--port=%s", port);
	is_link = n > 12 && memcmp(arguments, "onepack-link", 13) == 0;
	return is_link && memmem(arguments, n, wanted, strlen(wanted) + 1);
}

int find_links(const char *port, pid_t *pids, int size)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int count = 0;

	while (count < size && (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]) && is_link_of(entry->d_name, port))
			pids[count++] = (pid_t)strtol(entry->d_name, NULL, 10);
	closedir(proc);
	return count;
}

pid_t await_one_link(const char *port, pid_t other_than)
{
	int64_t end_ms = clock_monotonic_ms() + 5000;
	pid_t pids[2] = {0};

	while (find_links(port, pids, 2) != 1 || pids[0] == other_than) {
		assert_true(clock_monotonic_ms() < end_ms);
		(void)poll(NULL, 0, 10);
	}
	return pids[0];
}

bool links_are_gone(const char *port, int timeout_ms)
{
	int64_t end_ms = clock_monotonic_ms() + timeout_ms;
	pid_t pid;

	while (find_links(port, &pid, 1) > 0) {
		if (clock_monotonic_ms() > end_ms)
			return false;
		(void)poll(NULL, 0, 10);
	}
	return true;
}

void end_links(const char *port)
{
	pid_t pids[8];
	int count = find_links(port, pids, 8);

	for (int i = 0; i < count; i++)
		kill(pids[i], SIGKILL);
}
