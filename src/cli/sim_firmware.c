// SPDX-License-Identifier: Apache-2.0
/* `onepack sim firmware`: packs in emulators that run the real image of the firmware, on one RS485
 * line with a tty. The rack itself is in src/sim/emulated_rack.c. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/emulated_rack.h"
#include "sim_stop.h"

static const char help[] =
	"Emulated packs on one RS485 line: each is a processor in an emulator (qemu-system-arm) that\n"
	"runs the image of the firmware, with simulated cells behind its front end.\n"
	"\n"
	"usage: onepack sim firmware --image FILE [OPTION]...\n"
	"\n"
	"  --image FILE         what a new pack has in its flash (./dev firmware makes\n"
	"                       build/images/BOARD-*.bin)\n"
	"  --board NAME         netduinoplus2 (an STM32F405, the default) or lm3s6965evb\n"
	"  --packs N            1 to 16 (4)\n"
	"  --first-address N    of the first pack's address switches (1)\n"
	"  --directory DIR      where the tty `rack`, the control socket, and for each pack the\n"
	"                       contents of its flash are (onepack-firmware); a pack that was there\n"
	"                       before finds its flash as it left it\n"
	"  --baud N             bit rate of the line (115200)\n"
	"  --soc PERCENT        charge at the start (55)\n"
	"  --capacity AH        of each pack (100)\n"
	"  --current A          into the rack, positive = charge (0)\n"
	"  --speed X            charge and heat move so many times faster (1)\n"
	"  --seed N             another number, other cells\n"
	"  --seconds N          end after so long\n"
	"\n"
	"Examples:\n"
	"  onepack sim firmware --image build/images/netduinoplus2-bare.bin --packs 4\n"
	"  onepack sim tell onepack-firmware status\n"
	"  onepack sim tell onepack-firmware cut 2 5     # pack 2 has no power for five seconds\n";

struct option_row {
	const char *name;
	double low, high;
};

enum key {
	KEY_IMAGE = 256,
	KEY_BOARD,
	KEY_DIRECTORY,
	KEY_NUMBERS,
	KEY_PACKS = KEY_NUMBERS, /* the following ones are numbers, in the order of rows[] */
	KEY_ADDRESS,
	KEY_BAUD,
	KEY_SOC,
	KEY_CAPACITY,
	KEY_CURRENT,
	KEY_SPEED,
	KEY_SEED,
	KEY_SECONDS
};

static const struct option_row rows[] = {
	{"packs", 1, ONEPACK_MAX_PACKS},
	{"first-address", 0, 246},
	{"baud", 1200, 4000000},
	{"soc", 0, 100},
	{"capacity", 1, 5000},
	{"current", -20000, 20000},
	{"speed", 0.01, 100},
	{"seed", 0, 9e15},
	{"seconds", 0.1, 1e9},
};

static int take_number(struct emulated_rack_options *o, int key, const char *text, double *seconds)
{
	const struct option_row *row = &rows[key - KEY_NUMBERS];
	char *end;
	double value = strtod(text, &end);

	if (*text == '\0' || *end != '\0' || !(value >= row->low && value <= row->high)) {
		fprintf(stderr, "onepack sim firmware: --%s %s: should be a number from %g to %g\n",
			row->name, text, row->low, row->high);
		return 2;
	}
	switch (key) {
	case KEY_PACKS: o->packs = (int)value; break;
	case KEY_ADDRESS: o->first_address = (int)value; break;
	case KEY_BAUD: o->baud = (uint32_t)value; break;
	case KEY_SOC: o->soc_pct = value; break;
	case KEY_CAPACITY: o->capacity_ah = value; break;
	case KEY_CURRENT: o->current_a = value; break;
	case KEY_SPEED: o->speed = value; break;
	case KEY_SEED: o->seed = (uint64_t)value; break;
	default: *seconds = value; break;
	}
	return 0;
}

/* 0, 2 = used wrongly, -1 = only help was wanted. */
static int read_options(int argc, char **argv, struct emulated_rack_options *o, double *seconds)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'},
		{"image", required_argument, NULL, KEY_IMAGE},
		{"board", required_argument, NULL, KEY_BOARD},
		{"directory", required_argument, NULL, KEY_DIRECTORY},
		{"packs", required_argument, NULL, KEY_PACKS},
		{"first-address", required_argument, NULL, KEY_ADDRESS},
		{"baud", required_argument, NULL, KEY_BAUD},
		{"soc", required_argument, NULL, KEY_SOC},
		{"capacity", required_argument, NULL, KEY_CAPACITY},
		{"current", required_argument, NULL, KEY_CURRENT},
		{"speed", required_argument, NULL, KEY_SPEED},
		{"seed", required_argument, NULL, KEY_SEED},
		{"seconds", required_argument, NULL, KEY_SECONDS},
		{0},
	};
	int key, status = 0;

	while (status == 0 && (key = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (key) {
		case 'h': return -1;
		case KEY_IMAGE: o->image = optarg; break;
		case KEY_BOARD: o->machine = optarg; break;
		case KEY_DIRECTORY: o->directory = optarg; break;
		case '?': return 2;
		default: status = take_number(o, key, optarg, seconds); break;
		}
	}
	if (status == 0 && (optind < argc || !o->image)) {
		fputs("onepack sim firmware: --image is needed, and nothing but options; --help "
		      "explains\n",
		      stderr);
		status = 2;
	}
	return status;
}

int sim_firmware(int argc, char **argv)
{
	struct emulated_rack_options options = {.directory = "onepack-firmware",
						.machine = "netduinoplus2",
						.packs = 4,
						.first_address = 1,
						.baud = 115200,
						.seed = 1,
						.soc_pct = 55,
						.capacity_ah = 100,
						.speed = 1};
	struct emulated_rack *rack;
	double seconds = 0;
	int stop_fd, err = -1, status = read_options(argc, argv, &options, &seconds);

	if (status == -1)
		fputs(help, stdout);
	if (status)
		return status == -1 ? 0 : status;
	stop_fd = sim_stop_fd(seconds);
	rack = stop_fd < 0 ? NULL : emulated_rack_open(&options, stderr);
	if (rack) {
		emulated_rack_show(rack, stdout);
		err = emulated_rack_run(rack, stop_fd);
		if (err)
			fprintf(stderr,
				"onepack sim firmware: %s; what the emulators said is in "
				"%s/pack-*/emulator.log\n",
				strerror(-err), options.directory);
	}
	emulated_rack_close(rack);
	if (stop_fd >= 0)
		close(stop_fd);
	return err ? 1 : 0;
}
