// SPDX-License-Identifier: Apache-2.0
/* Building a simulated site. Packs are numbered through all lines in the order in which these are
 * given; each line has addresses of its own. */
#include "site.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CELLS          16 /* in a pack */
#define CAPACITY_AH    314
#define AMBIENT_C      22
#define POWER_PER_PACK 2000 /* W, of the compressed day */
#define CONTROL        "control"

static const char *const protocols[] = {[SITE_ONEPACK] = "pack/onepack", [SITE_JK] = "pack/jk-pb"};

struct line *site_line_wire(struct site_line *line)
{
	return line->packs == SITE_JK ? &line->jk.line : &line->firmware.line;
}

struct sim_inverter *site_inverter_core(struct site_inverter *inverter)
{
	return inverter->info.framing == WIRE_CAN ? &inverter->can.inverter
						  : &inverter->rs485.inverter;
}

static int join(char path[PTY_PATH_SIZE], const char *directory, const char *name)
{
	int n = snprintf(path, PTY_PATH_SIZE, "%s/%s", directory, name);

	return n < PTY_PATH_SIZE ? 0 : -ENAMETOOLONG;
}

static int open_pty(struct site *site, const char *name, struct sim_pty *pty, FILE *errors)
{
	char path[PTY_PATH_SIZE];
	int err = join(path, site->directory, name);

	if (!err)
		err = sim_pty_open(pty, path);
	if (err)
		fprintf(errors, "onepack sim: cannot make the port %s in %s: %s\n", name,
			site->directory, strerror(-err));
	return err;
}

static int add_pack(struct site_line *line, struct sim_pack *pack, int address, int number,
		    uint64_t seed)
{
	const struct sim_firmware_make make = {.number = number,
					       .switches = (uint8_t)address,
					       .baud = line->baud,
					       .seed = seed * 100 + (uint64_t)number};

	if (line->packs == SITE_ONEPACK)
		return firmware_bus_add(&line->firmware, pack, &make);
	jk_bus_add(&line->jk, pack, address);
	return 0;
}

static int add_line(struct site *site, const struct site_options *options, int number, int *pack,
		    FILE *errors)
{
	const struct site_line_options *o = &options->lines[number];
	struct site_line *line = &site->lines[number];
	const uint64_t seed = options->seed + 100 + (uint64_t)number;
	struct wire_info info;

	wire_get_info(site->pack_wire, &info);
	memcpy(line->name, o->name, sizeof line->name);
	line->first_address = o->first_address;
	line->last_address = o->last_address;
	line->baud = options->baud ? options->baud : info.bitrate;
	line->packs = site->packs;
	line->pack_count = o->last_address - o->first_address + 1;
	jk_bus_init(&line->jk, site->pack_wire, line->baud, seed);
	firmware_bus_init(&line->firmware, &site->plant, line->baud, seed);
	for (int address = o->first_address; address <= o->last_address; address++, (*pack)++)
		if (add_pack(line, &site->plant.packs[*pack], address, *pack + 1, seed) < 0)
			return -ENOMEM;
	return open_pty(site, line->name, &line->pty, errors);
}

static int add_inverter(struct site *site, const struct site_options *options, int number,
			FILE *errors)
{
	const struct site_inverter_options *o = &options->inverters[number];
	struct site_inverter *inverter = &site->inverters[number];

	memcpy(inverter->protocol, o->protocol, sizeof inverter->protocol);
	memcpy(inverter->name, o->name, sizeof inverter->name);
	inverter->wire = wire_load(inverter->protocol, errors);
	if (!inverter->wire)
		return -EINVAL;
	wire_get_info(inverter->wire, &inverter->info);
	if (inverter->info.scope != WIRE_OF_BATTERY) {
		fprintf(errors, "onepack sim: %s describes a pack, not a battery for inverters\n",
			inverter->protocol);
		return -EINVAL;
	}
	if (inverter->info.framing == WIRE_CAN) {
		inverter_can_init(&inverter->can, inverter->wire);
		slcan_adapter_init(&inverter->adapter, inverter->info.bitrate);
	} else {
		inverter_rs485_init(&inverter->rs485, inverter->protocol, inverter->wire);
		line_init(&inverter->line, inverter->info.bitrate, 2,
			  options->seed + 200 + (uint64_t)number);
	}
	return open_pty(site, inverter->name, &inverter->pty, errors);
}

static int open_control(struct site *site, FILE *errors)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int n = snprintf(address.sun_path, sizeof address.sun_path, "%s/" CONTROL, site->directory);
	int err = 0;

	if ((size_t)n >= sizeof address.sun_path) {
		fprintf(errors,
			"onepack sim: the path %s/" CONTROL " is too long for a socket (%zu "
			"characters at most); choose a shorter --directory\n",
			site->directory, sizeof address.sun_path - 1);
		return -ENAMETOOLONG;
	}
	unlink(address.sun_path);
	site->control_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (site->control_fd < 0 ||
	    bind(site->control_fd, (struct sockaddr *)&address, sizeof address) < 0)
		err = -errno;
	if (err)
		fprintf(errors, "onepack sim: %s: %s\n", address.sun_path, strerror(-err));
	return err;
}

static int count_packs(const struct site_options *options)
{
	int packs = 0;

	for (int i = 0; i < options->line_count; i++)
		packs += options->lines[i].last_address - options->lines[i].first_address + 1;
	return packs;
}

/* All parts, marked as not open yet. */
static struct site *allocate(const struct site_options *options)
{
	struct site *site = calloc(1, sizeof *site);

	if (!site)
		return NULL;
	site->control_fd = -1;
	site->lines = calloc(SITE_MAX_LINES, sizeof *site->lines);
	site->inverters = calloc(SITE_MAX_INVERTERS, sizeof *site->inverters);
	if (!site->lines || !site->inverters) {
		site_close(site);
		return NULL;
	}
	site->line_count = options->line_count;
	site->inverter_count = options->inverter_count;
	for (int i = 0; i < SITE_MAX_LINES; i++)
		site->lines[i].pty = (struct sim_pty){.master = -1, .held = -1};
	for (int i = 0; i < SITE_MAX_INVERTERS; i++)
		site->inverters[i].pty = (struct sim_pty){.master = -1, .held = -1};
	return site;
}

/* Makes the folder and notes its absolute path. */
static int make_directory(struct site *site, const char *path, FILE *errors)
{
	const bool made = mkdir(path, 0755) == 0 || errno == EEXIST;
	char *absolute = made ? realpath(path, NULL) : NULL;
	int err = 0;

	if (!absolute)
		err = -errno;
	else if (strlen(absolute) >= sizeof site->directory)
		err = -ENAMETOOLONG;
	else
		strcpy(site->directory, absolute);
	free(absolute);
	if (err)
		fprintf(errors, "onepack sim: %s: %s\n", path, strerror(-err));
	return err;
}

static int build(struct site *site, const struct site_options *options, FILE *errors)
{
	int packs = count_packs(options), pack = 0;
	int err = make_directory(site, options->directory, errors);

	if (err)
		return err;
	site->packs = options->packs;
	site->pack_wire = wire_load(protocols[site->packs], errors);
	if (!site->pack_wire)
		return -EINVAL;
	plant_init(&site->plant, &(struct plant_make){.pack_count = packs,
						      .cell_count = CELLS,
						      .capacity_ah = CAPACITY_AH,
						      .soc = options->soc_pct / 100,
						      .ambient_c = AMBIENT_C,
						      .haste = options->speed,
						      .seed = options->seed});
	site->profile.scale_w = POWER_PER_PACK * packs;
	for (int i = 0; !err && i < site->line_count; i++)
		err = add_line(site, options, i, &pack, errors);
	for (int i = 0; !err && i < site->inverter_count; i++)
		err = add_inverter(site, options, i, errors);
	return err ? err : open_control(site, errors);
}

struct site *site_open(const struct site_options *options, FILE *errors)
{
	struct site *site = allocate(options);

	if (site && build(site, options, errors) < 0) {
		site_close(site);
		return NULL;
	}
	return site;
}

void site_close(struct site *site)
{
	char path[PTY_PATH_SIZE];

	if (!site)
		return;
	if (site->control_fd >= 0) {
		if (join(path, site->directory, CONTROL) == 0)
			unlink(path);
		close(site->control_fd);
	}
	for (int i = 0; site->inverters && i < SITE_MAX_INVERTERS; i++) {
		sim_pty_close(&site->inverters[i].pty);
		wire_free(site->inverters[i].wire);
	}
	for (int i = 0; site->lines && i < SITE_MAX_LINES; i++) {
		sim_pty_close(&site->lines[i].pty);
		firmware_bus_close(&site->lines[i].firmware);
	}
	wire_free(site->pack_wire);
	free(site->inverters);
	free(site->lines);
	free(site);
}

void site_find(const struct site *site, int pack, int *line, int *station)
{
	*line = 0;
	*station = pack - 1;
	while (*station >= site->lines[*line].pack_count)
		*station -= site->lines[(*line)++].pack_count;
}

void site_show(const struct site *site, FILE *out)
{
	int pack = 1;

	fprintf(out, "# A simulated rack of %d packs. Commands: onepack sim tell %s help\n",
		site->plant.pack_count, site->directory);
	for (int i = 0; i < site->line_count; i++) {
		const struct site_line *line = &site->lines[i];

		fprintf(out, "#   %s/%s: packs %d to %d at addresses %d to %d\n", site->directory,
			line->name, pack, pack + line->pack_count - 1, line->first_address,
			line->last_address);
		pack += line->pack_count;
	}
	for (int i = 0; i < site->inverter_count; i++)
		fprintf(out, "#   %s/%s: inverter %d, %s\n", site->directory,
			site->inverters[i].name, i + 1, site->inverters[i].info.title);
	fprintf(out, "# A gateway configuration that fits (onepack.yaml):\nbuses:\n");
	for (int i = 0; i < site->line_count; i++) {
		const struct site_line *line = &site->lines[i];

		fprintf(out,
			"  - {name: %s, port: %s/%s, protocol: %s, baud: %u, addresses: %d-%d}\n",
			line->name, site->directory, line->name, protocols[site->packs], line->baud,
			line->first_address > 0 ? line->first_address : 1, line->last_address);
	}
	fputs(site->inverter_count > 0 ? "inverters:\n" : "", out);
	for (int i = 0; i < site->inverter_count; i++) {
		const struct site_inverter *inverter = &site->inverters[i];

		if (inverter->info.framing == WIRE_CAN)
			fprintf(out, "  - {protocol: %s, port: \"slcan:%s/%s\"}\n",
				inverter->protocol, site->directory, inverter->name);
		else
			fprintf(out, "  - {protocol: %s, port: %s/%s, baud: %u}\n",
				inverter->protocol, site->directory, inverter->name,
				inverter->info.bitrate);
	}
	fflush(out);
}
