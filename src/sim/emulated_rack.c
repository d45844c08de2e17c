// SPDX-License-Identifier: Apache-2.0
/* One loop that sleeps until bytes come or something is due, like site_run.c. Ten times a second
 * the plant moves and every front end sends a measurement. */
#include "emulated_rack.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "onepack/clock.h"
#include "onepack/sim.h"

#define MS             INT64_C(1000000) /* in ns */
#define STEP_NS        (100 * MS)
#define LONGEST_GAP_NS (1000 * MS)
#define QUANTUM_NS     MS /* bytes are handed on about so often while a line is busy */
#define QUANTUM_BYTES  4
#define CELLS          16
#define AMBIENT_C      22
#define HIGH_V         58.4
#define LOW_V          40.0
#define TTY            0
#define CONTROL        "control"
#define TTY_NAME       "rack"
#define PER_PACK       5 /* descriptors */
#define MAX_INPUTS     (ONEPACK_MAX_PACKS * PER_PACK + 3)

/* --- building --- */

static int make_directory(struct emulated_rack *rack, const char *path, FILE *errors)
{
	const bool made = mkdir(path, 0755) == 0 || errno == EEXIST;
	char *absolute = made ? realpath(path, NULL) : NULL;
	int err = 0;

	if (!absolute)
		err = -errno;
	else if (strlen(absolute) >= sizeof rack->directory)
		err = -ENAMETOOLONG;
	else
		strcpy(rack->directory, absolute);
	free(absolute);
	if (err)
		fprintf(errors, "onepack sim: %s: %s\n", path, strerror(-err));
	return err;
}

static int open_control(struct emulated_rack *rack, FILE *errors)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int n = snprintf(address.sun_path, sizeof address.sun_path, "%s/" CONTROL, rack->directory);
	int err = (size_t)n < sizeof address.sun_path ? 0 : -ENAMETOOLONG;

	if (!err) {
		unlink(address.sun_path);
		rack->control_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (rack->control_fd < 0 ||
		    bind(rack->control_fd, (struct sockaddr *)&address, sizeof address) < 0)
			err = -errno;
	}
	if (err)
		fprintf(errors, "onepack sim: %s/" CONTROL ": %s\n", rack->directory,
			strerror(-err));
	return err;
}

static int open_tty(struct emulated_rack *rack, FILE *errors)
{
	char path[PTY_PATH_SIZE];
	int n = snprintf(path, sizeof path, "%s/" TTY_NAME, rack->directory);
	int err = (size_t)n < sizeof path ? sim_pty_open(&rack->pty, path) : -ENAMETOOLONG;

	if (err)
		fprintf(errors, "onepack sim: %s: %s\n", path, strerror(-err));
	return err;
}

static int open_packs(struct emulated_rack *rack, const struct emulated_rack_options *o,
		      FILE *errors)
{
	const struct emulator_board *board = emulator_board_find(o->machine);
	int err = board ? 0 : -EINVAL;

	if (err)
		fprintf(errors, "onepack sim: there is no board %s here\n", o->machine);
	for (int i = 0; !err && i < o->packs; i++) {
		struct emulated_pack *pack = &rack->packs[i];

		rack->pack_count++;
		pack->restart_ns = LINE_NEVER;
		sim_afe_init(&pack->afe, &rack->plant.packs[i], (uint8_t)(o->first_address + i));
		err = emulator_open(&pack->emulator, board, rack->directory, (uint32_t)(i + 1),
				    o->image, errors);
		if (!err)
			err = emulator_start(&pack->emulator, EMULATOR_POWER);
	}
	return err;
}

struct emulated_rack *emulated_rack_open(const struct emulated_rack_options *o, FILE *errors)
{
	struct emulated_rack *rack = calloc(1, sizeof *rack);

	if (!rack)
		return NULL;
	rack->control_fd = -1;
	rack->pty = (struct sim_pty){.master = -1, .held = -1};
	rack->baud = o->baud;
	rack->demand = (struct plant_demand){o->current_a, HIGH_V, LOW_V};
	line_init(&rack->line, o->baud, o->packs + 1, o->seed + 1);
	plant_init(&rack->plant, &(struct plant_make){.pack_count = o->packs,
						      .cell_count = CELLS,
						      .capacity_ah = o->capacity_ah,
						      .soc = o->soc_pct / 100,
						      .ambient_c = AMBIENT_C,
						      .haste = o->speed,
						      .seed = o->seed});
	if (make_directory(rack, o->directory, errors) < 0 || open_tty(rack, errors) < 0 ||
	    open_packs(rack, o, errors) < 0 || open_control(rack, errors) < 0) {
		emulated_rack_close(rack);
		return NULL;
	}
	return rack;
}

void emulated_rack_close(struct emulated_rack *rack)
{
	char path[PTY_PATH_SIZE + sizeof CONTROL];

	if (!rack)
		return;
	for (int i = 0; i < rack->pack_count; i++)
		emulator_close(&rack->packs[i].emulator);
	sim_pty_close(&rack->pty);
	if (rack->control_fd >= 0) {
		snprintf(path, sizeof path, "%s/" CONTROL, rack->directory);
		unlink(path);
		close(rack->control_fd);
	}
	free(rack);
}

void emulated_rack_show(const struct emulated_rack *rack, FILE *out)
{
	const int first = rack->packs[0].afe.dip;

	fprintf(out,
		"# %d emulated packs (%s) on %s/" TTY_NAME ". Commands: onepack sim tell %s help\n"
		"# A gateway configuration that fits (onepack.yaml):\nbuses:\n"
		"  - {name: " TTY_NAME ", port: %s/" TTY_NAME ", baud: %u, addresses: %d-%d}\n",
		rack->pack_count, rack->packs[0].emulator.board->machine, rack->directory,
		rack->directory, rack->directory, rack->baud, first, first + rack->pack_count - 1);
	fflush(out);
}

/* --- the line --- */

static void line_heard_by_all(void *context, int talker, int64_t end_ns, const uint8_t *bytes,
			      size_t count)
{
	struct emulated_rack *rack = context;

	if (talker == TTY)
		rack->asked_ns = end_ns;
	if (line_hears(&rack->line, TTY, talker))
		sim_pty_write(&rack->pty, bytes, count);
	for (int i = 0; i < rack->pack_count; i++)
		if (line_hears(&rack->line, i + 1, talker))
			emulator_write(&rack->packs[i].emulator, EMULATOR_BUS, bytes, count);
}

/* Bytes of a pack: the first after a request tell how long it took. */
static void read_bus(struct emulated_rack *rack, int i, int64_t now_ns)
{
	uint8_t bytes[1024];
	size_t count = emulator_read(&rack->packs[i].emulator, EMULATOR_BUS, bytes, sizeof bytes);

	if (count == 0)
		return;
	if (rack->asked_ns > 0) {
		rack->turnarounds_ns[rack->answers++ % RACK_TIMINGS] = now_ns - rack->asked_ns;
		rack->asked_ns = 0;
	}
	(void)line_send(&rack->line, i + 1, now_ns, bytes, count);
}

static void read_tty(struct emulated_rack *rack, int64_t now_ns)
{
	uint8_t bytes[1024];
	size_t count = sim_pty_read(&rack->pty, bytes, sizeof bytes);

	if (count > 0) /* what does not fit is lost, as on a line that is driven too hard */
		(void)line_send(&rack->line, TTY, now_ns, bytes, count);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t line_due_ns(const struct line *line)
{
	int64_t next_ns = line_next_ns(line), quantum_ns = QUANTUM_BYTES * line->byte_ns;

	if (next_ns == LINE_NEVER)
		return LINE_NEVER;
	quantum_ns = quantum_ns > QUANTUM_NS ? quantum_ns : QUANTUM_NS;
	return earlier(line_quiet_ns(line), next_ns + quantum_ns);
}

/* --- packs and plant --- */

static void read_afe(struct emulated_rack *rack, int i, int64_t now_ns)
{
	struct emulated_pack *pack = &rack->packs[i];
	uint8_t bytes[1024];
	size_t count = emulator_read(&pack->emulator, EMULATOR_AFE, bytes, sizeof bytes);
	struct fw_outputs outputs;
	uint32_t sequence;

	for (size_t k = 0; k < count; k++)
		if (fw_afe_read(&pack->reader, bytes[k]) == FW_AFE_OUTPUTS &&
		    fw_afe_get_outputs(&pack->reader, &outputs, &sequence))
			sim_afe_obey(&pack->afe, &rack->plant.packs[i], &outputs, now_ns / MS);
}

static void send_measurement(struct emulated_rack *rack, int i)
{
	struct emulated_pack *pack = &rack->packs[i];
	uint8_t frame[FW_AFE_MAX_FRAME];
	struct fw_measurement m;

	pack->afe.enable = i == 0 || rack->packs[i - 1].afe.outputs.enable_out;
	sim_afe_measure(&pack->afe, &rack->plant.packs[i], rack->plant.bus_v, &rack->plant.random,
			&m);
	emulator_write(&pack->emulator, EMULATOR_AFE, frame, fw_afe_write_measurement(&m, frame));
}

static void step(struct emulated_rack *rack, int64_t now_ns)
{
	int64_t passed_ns = earlier(now_ns - rack->step_ns, LONGEST_GAP_NS);
	double dt_s = (double)passed_ns / 1e9;

	rack->step_ns = now_ns;
	plant_step(&rack->plant, &rack->demand, dt_s);
	for (int i = 0; i < rack->pack_count; i++) {
		sim_afe_step(&rack->packs[i].afe, &rack->plant.packs[i], rack->plant.bus_v,
			     now_ns / MS, dt_s);
		send_measurement(rack, i);
	}
}

/* A board that reset itself starts again at once; one without power, when it comes back. */
static int tend(struct emulated_pack *pack, bool ended, int64_t now_ns)
{
	if (ended) {
		if (!emulator_reap(&pack->emulator))
			return -EIO;
		pack->resets++;
		return emulator_start(&pack->emulator, EMULATOR_COMMAND);
	}
	if (pack->restart_ns > now_ns)
		return 0;
	pack->restart_ns = LINE_NEVER;
	return emulator_start(&pack->emulator, EMULATOR_POWER);
}

/* --- the loop --- */

static void take_command(struct emulated_rack *rack)
{
	char command[512], *answer;
	struct sockaddr_un from;
	socklen_t from_size = sizeof from;
	ssize_t n = recvfrom(rack->control_fd, command, sizeof command - 1, 0,
			     (struct sockaddr *)&from, &from_size);

	if (n < 0)
		return;
	command[n] = '\0';
	answer = malloc(SIM_ANSWER_SIZE);
	if (!answer)
		return;
	emulated_rack_command(rack, command, answer, SIM_ANSWER_SIZE);
	if (from_size > sizeof from.sun_family)
		(void)sendto(rack->control_fd, answer, strlen(answer), 0, (struct sockaddr *)&from,
			     from_size);
	free(answer);
}

/* Descriptors of pack i are at i * PER_PACK; negative ones are not waited for. */
static nfds_t list_inputs(const struct emulated_rack *rack, int stop_fd,
			  struct pollfd fds[MAX_INPUTS])
{
	nfds_t count = 0;

	for (int i = 0; i < rack->pack_count; i++) {
		const struct emulator *e = &rack->packs[i].emulator;

		for (int port = 0; port < EMULATOR_PORTS; port++) {
			fds[count++] = (struct pollfd){e->listening[port], POLLIN, 0};
			fds[count++] = (struct pollfd){e->ports[port], POLLIN, 0};
		}
		fds[count++] = (struct pollfd){e->process, POLLIN, 0};
	}
	fds[count++] = (struct pollfd){rack->pty.master, POLLIN, 0};
	fds[count++] = (struct pollfd){rack->control_fd, POLLIN, 0};
	fds[count++] = (struct pollfd){stop_fd, POLLIN, 0};
	return count;
}

static int take_input(struct emulated_rack *rack, const struct pollfd *fds, int64_t now_ns)
{
	int err = 0;

	for (int i = 0; !err && i < rack->pack_count; i++, fds += PER_PACK) {
		struct emulated_pack *pack = &rack->packs[i];

		if (fds[1].revents)
			read_bus(rack, i, now_ns);
		if (fds[3].revents)
			read_afe(rack, i, now_ns);
		if (fds[0].revents)
			emulator_accept(&pack->emulator, EMULATOR_BUS);
		if (fds[2].revents)
			emulator_accept(&pack->emulator, EMULATOR_AFE);
		if (fds[4].revents || pack->restart_ns <= now_ns)
			err = tend(pack, fds[4].revents, now_ns);
	}
	if (fds[0].revents)
		read_tty(rack, now_ns);
	if (fds[1].revents)
		take_command(rack);
	return err;
}

int emulated_rack_run(struct emulated_rack *rack, int stop_fd)
{
	struct pollfd fds[MAX_INPUTS];
	int err = 0;

	rack->step_ns = clock_monotonic_us() * 1000;
	while (!err) {
		int64_t now_ns = clock_monotonic_us() * 1000, wait_ns;
		struct timespec wait = {0};
		nfds_t count = list_inputs(rack, stop_fd, fds);

		if (now_ns - rack->step_ns >= STEP_NS)
			step(rack, now_ns);
		line_run(&rack->line, now_ns, line_heard_by_all, rack);
		wait_ns = earlier(rack->step_ns + STEP_NS, line_due_ns(&rack->line)) - now_ns;
		if (wait_ns > 0)
			wait = (struct timespec){.tv_sec = wait_ns / (1000 * MS),
						 .tv_nsec = wait_ns % (1000 * MS)};
		if (ppoll(fds, count, &wait, NULL) < 0) {
			if (errno != EINTR)
				err = -errno;
			continue;
		}
		if (fds[count - 1].revents)
			return 0;
		err = take_input(rack, fds, clock_monotonic_us() * 1000);
	}
	return err;
}
