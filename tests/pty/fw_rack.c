// SPDX-License-Identifier: Apache-2.0
/* See fw_rack.h. One thread sleeps until bytes come or something is due. */
#include "fw_rack.h"

#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "../unit/cmocka_all.h"
#include "onepack/clock.h"

#define TTY       0
#define MS        INT64_C(1000) /* in us */
#define STEP_US   (100 * MS)
#define ERASE_US  (22 * MS)
#define BOOT_US   (300 * MS)
#define SILENCE   1750
#define SLOT_A    0x08008000U
#define SLOT_B    0x08018000U
#define CELL_MV   3290
#define PAGE_SIZE 1024

static const struct fw_secrets secrets = {.key = {1, 2, 3}, .installer = "inst0001"};
static const struct fw_calibration calibration = {.present = true};

/* --- a pack --- */

static struct fw_image_target target_of(const struct fw_rack *rack)
{
	return (struct fw_image_target){.device_class = FW_RACK_CLASS,
					.hardware_revision = 3,
					.loader_version = 1,
					.slot_address = {SLOT_A, SLOT_B},
					.keys = rack->key,
					.key_count = 1};
}

static void measure(struct fw_rack *rack, int index)
{
	struct fw_rack_pack *pack = &rack->packs[index];
	struct fw_measurement *in = &pack->in;
	const bool enabled = index == 0 ? rack->enable
					: rack->packs[index - 1].powered &&
						  rack->packs[index - 1].pack.outputs.enable_out;

	if (!pack->frozen)
		in->sequence++;
	in->inputs = FW_INPUT_KEY | (enabled ? (uint32_t)FW_INPUT_ENABLE : 0);
	in->cell_count = 16;
	in->current_ma = 0;
	for (int i = 0; i < FW_MAX_CELLS; i++)
		in->cells_mv[i] = i < 16 ? CELL_MV + (int)(in->sequence & 1) : FW_UNKNOWN;
	in->terminal_mv = 16 * CELL_MV;
	for (int i = 0; i < FW_SENSORS; i++)
		in->temperatures_dC[i] = 250;
	in->heater_ma = in->balance_ma = FW_UNKNOWN;
}

static void start_application(struct fw_rack *rack, int index, int64_t now_us)
{
	struct fw_rack_pack *pack = &rack->packs[index];
	const struct fw_update_config update = {.flash = &pack->torn.flash,
						.target = target_of(rack),
						.running = pack->slot,
						.uid32 = pack->identity.uid32};
	const struct fw_server_config config = {.identity = &pack->identity,
						.secrets = &secrets,
						.flash = &pack->torn.flash,
						.update = &pack->update,
						.calibration = &calibration,
						.dip = pack->in.dip};

	measure(rack, index);
	fw_update_init(&pack->update, &update, (uint64_t)(now_us / MS));
	fw_server_start(&pack->server, &pack->pack, &config, (uint64_t)now_us);
	/* the board's word for which image this is */
	pack->identity.major = pack->update.image[pack->slot].version.major;
}

static void start(struct fw_rack *rack, int index, int64_t now_us)
{
	struct fw_rack_pack *pack = &rack->packs[index];
	struct fw_image_target target = target_of(rack);
	struct fw_image_check work;
	const struct fw_boot_choice choice =
		fw_boot_decide(&pack->torn.flash, &target, FW_BOOT_COMMAND, false, NULL, &work);

	torn_power_on(&pack->torn);
	pack->slot = choice.slot;
	pack->start_us = 0;
	pack->starts++;
	pack->step_us = pack->tick_us = now_us;
	if (choice.slot >= 0) {
		start_application(rack, index, now_us);
		return;
	}
	const struct fw_update_config config = {.flash = &pack->torn.flash,
						.target = target,
						.running = -1,
						.uid32 = pack->identity.uid32};

	fw_loader_init(&pack->loader, &config, &pack->identity, pack->in.dip,
		       (uint64_t)(now_us / MS));
}

static bool is_on(const struct fw_rack_pack *pack)
{
	return pack->powered && pack->start_us == 0;
}

static void step_pack(struct fw_rack *rack, int index, int64_t now_us)
{
	struct fw_rack_pack *pack = &rack->packs[index];

	measure(rack, index);
	pack->pack.update = pack->update.restart ? FW_UPDATE_RESTARTING : FW_UPDATE_NONE;
	(void)fw_pack_step(&pack->pack, &pack->in, (uint64_t)(now_us / MS));
	fw_server_step(&pack->server, (uint64_t)now_us);
	if (pack->frozen)
		pack->pack.samples--; /* as if its processor hung in between */
	if (pack->update.restart && pack->pack.restart_due)
		pack->start_us = now_us + BOOT_US;
}

static void tick_pack(struct fw_rack_pack *pack, int64_t now_us)
{
	const struct fw_update_pack about = {
		.refuse = pack->pack.protections != 0 || pack->pack.faults != 0,
		.soc_cpct = pack->pack.soc_cpct,
		.address = pack->slot >= 0 ? pack->server.addressing.address : pack->in.dip};
	const int erases = pack->torn.page_erases;
	bool more;

	if (pack->slot < 0)
		more = fw_loader_tick(&pack->loader, (uint64_t)(now_us / MS));
	else
		more = fw_update_tick(&pack->update, &about, (uint64_t)(now_us / MS));
	if (pack->torn.page_erases != erases)
		pack->blocked_us = now_us + ERASE_US;
	pack->tick_us = now_us + (more ? 3 * MS : 20 * MS);
	if (pack->slot < 0 && pack->loader.restart)
		pack->start_us = now_us + BOOT_US;
}

static void say(struct fw_rack *rack, int index, int64_t now_us, const uint8_t *bytes, size_t count)
{
	if (count > 0)
		(void)line_send(&rack->line, 1 + index, now_us * 1000, bytes, count);
}

static void run_pack(struct fw_rack *rack, int index, int64_t now_us)
{
	struct fw_rack_pack *pack = &rack->packs[index];
	const uint8_t *answer;
	uint8_t frame[FW_MODBUS_FRAME];
	size_t count;

	if (pack->powered && pack->start_us > 0 && now_us >= pack->start_us)
		start(rack, index, now_us);
	if (!is_on(pack) || now_us < pack->blocked_us)
		return;
	if (pack->slot >= 0) {
		count = fw_server_poll(&pack->server, (uint64_t)now_us, &answer);
		say(rack, index, now_us, answer, count);
	} else if (pack->loader.count > 0 && now_us >= pack->heard_us + SILENCE) {
		say(rack, index, now_us, frame, fw_loader_answer(&pack->loader, frame));
	}
	if (now_us >= pack->tick_us)
		tick_pack(pack, now_us);
	if (is_on(pack) && pack->slot >= 0 && now_us >= pack->step_us) {
		pack->step_us = now_us + STEP_US;
		step_pack(rack, index, now_us);
	}
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t pack_due_us(const struct fw_rack_pack *pack)
{
	int64_t due_us = pack->tick_us;

	if (!pack->powered)
		return INT64_MAX;
	if (pack->start_us > 0)
		return pack->start_us;
	if (pack->slot < 0) {
		if (pack->loader.count > 0)
			due_us = earlier(due_us, pack->heard_us + SILENCE);
	} else {
		const uint64_t wake_us = fw_server_wake_us(&pack->server);

		due_us = earlier(due_us, pack->step_us);
		if (wake_us < (uint64_t)due_us)
			due_us = (int64_t)wake_us;
	}
	return due_us < pack->blocked_us ? pack->blocked_us : due_us;
}

/* --- the line --- */

static void note_sync(struct fw_rack *rack, const uint8_t *bytes, size_t count)
{
	rack->requests++;
	for (; count >= 23; bytes++, count--)
		if (bytes[0] == 0 && bytes[1] == FW_WRITE && bytes[2] == 8 && bytes[3] == 0x40) {
			memcpy(rack->last_sync, bytes + 7, sizeof rack->last_sync);
			rack->syncs++;
			return;
		}
}

static void heard(void *context, int talker, int64_t end_ns, const uint8_t *bytes, size_t count)
{
	struct fw_rack *rack = context;
	const int64_t end_us = end_ns / 1000;

	for (int i = 0; i < rack->count; i++) {
		struct fw_rack_pack *pack = &rack->packs[i];

		if (!is_on(pack) || !line_hears(&rack->line, 1 + i, talker))
			continue;
		pack->heard_us = end_us;
		if (pack->slot < 0)
			fw_loader_hear(&pack->loader, bytes, count);
		else if (end_us > (int64_t)pack->server.sent_us) /* who sends does not hear */
			fw_server_hear(&pack->server, bytes, count, (uint64_t)end_us);
	}
	if (line_hears(&rack->line, TTY, talker))
		sim_pty_write(&rack->pty, bytes, count);
}

static void live(struct fw_rack *rack)
{
	uint8_t bytes[1024];
	const size_t count = sim_pty_read(&rack->pty, bytes, sizeof bytes);
	const int64_t now_us = clock_monotonic_us();

	if (count > 0) {
		note_sync(rack, bytes, count);
		(void)line_send(&rack->line, TTY, now_us * 1000, bytes, count);
	}
	line_run(&rack->line, now_us * 1000, heard, rack);
	for (int i = 0; i < rack->count; i++)
		run_pack(rack, i, now_us);
}

static int64_t due_us(const struct fw_rack *rack)
{
	const int64_t quiet_ns = line_quiet_ns(&rack->line), next_ns = line_next_ns(&rack->line);
	int64_t due = INT64_MAX;

	/* whole frames are handed on, or what came in a millisecond */
	if (next_ns != LINE_NEVER)
		due = earlier(quiet_ns + 999, next_ns + 1000 * MS) / 1000;
	for (int i = 0; i < rack->count; i++)
		due = earlier(due, pack_due_us(&rack->packs[i]));
	return due;
}

static void *run(void *argument)
{
	struct fw_rack *rack = argument;
	struct pollfd fds[] = {{.fd = rack->pty.master, .events = POLLIN},
			       {.fd = rack->stop_fd, .events = POLLIN}};

	for (;;) {
		struct timespec wait = {0};
		int64_t left_us;

		pthread_mutex_lock(&rack->lock);
		live(rack);
		left_us = earlier(due_us(rack) - clock_monotonic_us(), 20 * MS);
		const bool stop = rack->stop;
		pthread_mutex_unlock(&rack->lock);
		if (stop)
			return NULL;
		if (left_us > 0)
			wait.tv_nsec = left_us * 1000;
		(void)ppoll(fds, 2, &wait, NULL);
	}
}

/* --- making it --- */

static size_t make_image(struct fw_rack *rack, uint8_t *out, uint32_t address, uint8_t major,
			 uint32_t code_size)
{
	static uint8_t code[FW_RACK_IMAGE];
	const struct image_facts facts = {.load_address = address,
					  .version = {.major = major},
					  .security_counter = 1,
					  .device_class = FW_RACK_CLASS,
					  .hardware_min = 1,
					  .hardware_max = 9};
	int size;

	assert_true(code_size <= sizeof code);
	randombytes_buf_deterministic(code, code_size, (const uint8_t[32]){major});
	size = image_make(&facts, code, code_size, rack->secret, out,
			  FW_RACK_IMAGE + IMAGE_HEADER_SIZE + 512);
	assert_true(size > 0);
	return (size_t)size;
}

size_t fw_rack_release(struct fw_rack *rack, uint8_t major, uint32_t code_size, uint8_t *out)
{
	const size_t size = make_image(rack, out, SLOT_A, major, code_size);

	return size + make_image(rack, out + size, SLOT_B, major, code_size);
}

static void make_pack(struct fw_rack *rack, int index, uint8_t dip, const uint8_t *image,
		      size_t size)
{
	struct fw_rack_pack *pack = &rack->packs[index];

	torn_init(&pack->torn, PAGE_SIZE, 64, 8, (uint32_t)index);
	torn_put(&pack->torn, FW_AREA_SLOT_A, 0, image, (uint32_t)size);
	pack->identity = (struct fw_identity){.device_class = FW_RACK_CLASS,
					      .uid32 = 0x9E3779B1U * (uint32_t)(index + 1),
					      .hardware_revision = 3,
					      .loader_version = 1,
					      .max_charge_ma = 100000,
					      .max_discharge_ma = 100000,
					      .sensors = 0xff};
	snprintf(pack->identity.model, sizeof pack->identity.model, "ONEPACK-16S100");
	snprintf(pack->identity.serial, sizeof pack->identity.serial, "OP-TEST-%02u",
		 (unsigned)(index + 1) % 100);
	pack->in.dip = dip;
}

void fw_rack_start(struct fw_rack *rack, int count, uint32_t baud, const uint8_t *dips)
{
	static uint8_t image[FW_RACK_IMAGE];
	size_t size;

	assert_true(sodium_init() >= 0);
	memset(rack, 0, sizeof *rack);
	snprintf(rack->directory, sizeof rack->directory, "/tmp/onepack-fw-XXXXXX");
	assert_non_null(mkdtemp(rack->directory));
	snprintf(rack->link, sizeof rack->link, "%s/tty", rack->directory);
	assert_int_equal(sim_pty_open(&rack->pty, rack->link), 0);
	crypto_sign_keypair(rack->key[0], rack->secret);
	rack->baud = baud;
	rack->count = count;
	rack->stop_fd = eventfd(0, EFD_CLOEXEC);
	pthread_mutex_init(&rack->lock, NULL);
	line_init(&rack->line, baud, 1 + count, 1);
	size = make_image(rack, image, SLOT_A, 1, 9001);
	for (int i = 0; i < count; i++)
		make_pack(rack, i, dips ? dips[i] : 0, image, size);
	assert_int_equal(pthread_create(&rack->thread, NULL, run, rack), 0);
}

void fw_rack_stop(struct fw_rack *rack)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&rack->lock);
	rack->stop = true;
	pthread_mutex_unlock(&rack->lock);
	assert_int_equal(write(rack->stop_fd, &one, sizeof one), sizeof one);
	pthread_join(rack->thread, NULL);
	close(rack->stop_fd);
	sim_pty_close(&rack->pty);
	rmdir(rack->directory);
	pthread_mutex_destroy(&rack->lock);
}

void fw_rack_power(struct fw_rack *rack, int index, bool on)
{
	struct fw_rack_pack *pack = &rack->packs[index];

	pthread_mutex_lock(&rack->lock);
	pack->powered = on;
	pack->start_us = clock_monotonic_us();
	if (!on)
		line_hush(&rack->line, 1 + index);
	pthread_mutex_unlock(&rack->lock);
}

int fw_rack_address(struct fw_rack *rack, int index)
{
	struct fw_rack_pack *pack = &rack->packs[index];
	int address = 0;

	pthread_mutex_lock(&rack->lock);
	if (is_on(pack) && pack->slot >= 0)
		address = pack->server.addressing.address;
	pthread_mutex_unlock(&rack->lock);
	return address;
}
