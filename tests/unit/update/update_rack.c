// SPDX-License-Identifier: Apache-2.0
/* See update_rack.h. */
#include "update_rack.h"

#include <sodium.h>
#include <string.h>

#include "../cmocka_all.h"

#define BAUD      115200
#define NS        INT64_C(1000000)
#define PAGE_SIZE 1024
#define ERASE_MS  22
#define BOOT_MS   700 /* start-up, check of the image, first sample */
#define GATEWAY   0
#define STEP_MS   100

static const struct fw_secrets secrets = {.key = {1, 2, 3}, .installer = "inst0001"};
static const struct fw_calibration calibration = {.present = true};

static int64_t now_ms(const struct rack *rack)
{
	return rack->now_ns / NS;
}

static uint64_t now_us(const struct rack *rack)
{
	return (uint64_t)(rack->now_ns / 1000);
}

/* --- a pack --- */

static struct fw_image_target target_of(const struct rack *rack)
{
	return (struct fw_image_target){.device_class = RACK_CLASS,
					.hardware_revision = 3,
					.loader_version = 1,
					.slot_address = {RACK_SLOT_A, RACK_SLOT_B},
					.keys = rack->key,
					.key_count = 1};
}

static void measure(struct rack_pack *pack)
{
	struct fw_measurement *in = &pack->in;

	in->sequence++;
	in->cell_count = 16;
	in->current_ma = 0;
	for (int i = 0; i < FW_MAX_CELLS; i++)
		in->cells_mv[i] = i < 16 ? 3290 : FW_UNKNOWN;
	if (pack->ill_with_new && pack->slot == 1)
		in->cells_mv[3] = 2000;
	in->terminal_mv = 16 * 3290;
	for (int i = 0; i < FW_SENSORS; i++)
		in->temperatures_dC[i] = 250;
	in->heater_ma = in->balance_ma = FW_UNKNOWN;
}

static void start_application(struct rack *rack, struct rack_pack *pack)
{
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

	measure(pack);
	fw_update_init(&pack->update, &update, (uint64_t)now_ms(rack));
	fw_server_start(&pack->server, &pack->pack, &config, now_us(rack));
}

static void start(struct rack *rack, struct rack_pack *pack)
{
	struct fw_image_target target = target_of(rack);
	struct fw_image_check work;
	const struct fw_boot_choice choice =
		fw_boot_decide(&pack->torn.flash, &target, FW_BOOT_COMMAND, false, NULL, &work);

	torn_power_on(&pack->torn);
	pack->dark = false;
	pack->slot = choice.slot;
	pack->restarts++;
	pack->step_ms = pack->tick_ms = now_ms(rack);
	if (choice.slot >= 0) {
		start_application(rack, pack);
	} else {
		const struct fw_update_config config = {.flash = &pack->torn.flash,
							.target = target,
							.running = -1,
							.uid32 = pack->identity.uid32};

		fw_loader_init(&pack->loader, &config, &pack->identity, pack->in.dip,
			       (uint64_t)now_ms(rack));
	}
}

void rack_cut(struct rack_pack *pack, int64_t cut_ms, int64_t back_ms)
{
	pack->dark = true;
	pack->boot_ms = cut_ms + back_ms;
}

static void step_pack(struct rack *rack, struct rack_pack *pack)
{
	measure(pack);
	pack->pack.update = pack->update.restart ? FW_UPDATE_RESTARTING : FW_UPDATE_NONE;
	(void)fw_pack_step(&pack->pack, &pack->in, (uint64_t)now_ms(rack));
	fw_server_step(&pack->server, now_us(rack));
	if (pack->update.restart && pack->pack.restart_due)
		rack_cut(pack, now_ms(rack), BOOT_MS);
}

/* A page erase stops the processor. */
static void tick_pack(struct rack *rack, struct rack_pack *pack)
{
	const struct fw_update_pack about = {.refuse = pack->pack.protections != 0 ||
						       pack->pack.faults != 0,
					     .soc_cpct = pack->pack.soc_cpct,
					     .address = pack->in.dip};
	const int erases = pack->torn.page_erases;
	bool more;

	if (pack->slot < 0)
		more = fw_loader_tick(&pack->loader, (uint64_t)now_ms(rack));
	else
		more = fw_update_tick(&pack->update, &about, (uint64_t)now_ms(rack));
	if (pack->torn.page_erases != erases)
		pack->blocked_ms = now_ms(rack) + ERASE_MS;
	pack->tick_ms = now_ms(rack) + (more ? 3 : 20);
	if (pack->slot < 0 && pack->loader.restart)
		rack_cut(pack, now_ms(rack), BOOT_MS);
}

static void say(struct rack *rack, int index, const uint8_t *bytes, size_t count)
{
	if (count > 0)
		assert_int_equal(line_send(&rack->line, 1 + index, rack->now_ns, bytes, count), 0);
}

static void run_pack(struct rack *rack, int index)
{
	struct rack_pack *pack = &rack->packs[index];
	const uint8_t *answer;
	uint8_t frame[FW_MODBUS_FRAME];

	if (pack->dark) {
		if (now_ms(rack) >= pack->boot_ms)
			start(rack, pack);
		return;
	}
	if (now_ms(rack) < pack->blocked_ms)
		return;
	if (pack->slot >= 0) {
		say(rack, index, answer, fw_server_poll(&pack->server, now_us(rack), &answer));
	} else if (pack->loader.count > 0 && (int64_t)now_us(rack) >= pack->heard_us + 1750) {
		say(rack, index, frame, fw_loader_answer(&pack->loader, frame));
	}
	if (now_ms(rack) >= pack->tick_ms)
		tick_pack(rack, pack);
	if (!pack->dark && pack->slot >= 0 && now_ms(rack) >= pack->step_ms) {
		pack->step_ms += STEP_MS;
		step_pack(rack, pack);
	}
}

static int64_t pack_due_ns(const struct rack_pack *pack)
{
	int64_t due_ns = pack->tick_ms * NS;

	if (pack->dark)
		return pack->boot_ms * NS;
	if (pack->slot < 0 && pack->loader.count > 0 && (pack->heard_us + 1750) * 1000 < due_ns)
		due_ns = (pack->heard_us + 1750) * 1000;
	if (pack->slot >= 0) {
		const uint64_t wake_us = fw_server_wake_us(&pack->server);

		if (pack->step_ms * NS < due_ns)
			due_ns = pack->step_ms * NS;
		if (wake_us < (uint64_t)due_ns / 1000)
			due_ns = (int64_t)wake_us * 1000;
	}
	return due_ns < pack->blocked_ms * NS ? pack->blocked_ms * NS : due_ns;
}

/* --- the gateway --- */

static void heard(void *context, int talker, int64_t end_ns, const uint8_t *bytes, size_t count)
{
	struct rack *rack = context;

	for (int i = 0; i < rack->count; i++) {
		struct rack_pack *pack = &rack->packs[i];

		if (pack->dark || talker == 1 + i)
			continue;
		pack->heard_us = end_ns / 1000;
		if (pack->slot >= 0)
			fw_server_hear(&pack->server, bytes, count, (uint64_t)(end_ns / 1000));
		else
			fw_loader_hear(&pack->loader, bytes, count);
	}
	if (talker == GATEWAY || rack->heard_count + count > sizeof rack->heard)
		return;
	memcpy(rack->heard + rack->heard_count, bytes, count);
	rack->heard_count += count;
}

/* With `lost` nobody hears it. */
static void ask(struct rack *rack, const uint8_t *frame, size_t length, int32_t answer_ms,
		bool lost)
{
	const int64_t wire_ns = (int64_t)length * rack->line.byte_ns;

	if (!lost)
		assert_int_equal(line_send(&rack->line, GATEWAY, rack->now_ns, frame, length), 0);
	rack->heard_count = 0;
	rack->request_end_ns = rack->now_ns + wire_ns;
	rack->give_up_ns = rack->request_end_ns + answer_ms * NS;
}

/* The poll of the parallel protocol: 40 words of the live block and 16 cells. */
static void poll_next(struct rack *rack)
{
	uint8_t frame[8] = {0, 0x03, 0x01, 0x00, 0x00, 0x38};

	rack->polled = (rack->polled + 1) % rack->count;
	frame[0] = (uint8_t)(1 + rack->polled);
	ask(rack, frame, fw_modbus_seal(frame, 6), 40, false);
	rack->doing = RACK_POLL;
	rack->polls++;
}

static void decide(struct rack *rack)
{
	update_next(&rack->job, now_ms(rack), &rack->step);
	switch (rack->step.kind) {
	case UPDATE_STEP_SEND:
		ask(rack, rack->step.frame, rack->step.length, rack->step.answer_ms,
		    rack->job.exchanges == rack->lose_request);
		rack->doing = RACK_JOB;
		break;
	case UPDATE_STEP_BROADCAST:
		ask(rack, rack->step.frame, rack->step.length, 2, /* the silence behind it */
		    rack->job.exchanges == rack->lose_request);
		rack->doing = RACK_SHOUT;
		break;
	case UPDATE_STEP_WAIT:
		if (rack->poll_others && rack->step.until_ms - now_ms(rack) >= 10)
			poll_next(rack);
		break;
	case UPDATE_STEP_DONE: break;
	}
}

static bool is_lost(const struct rack *rack)
{
	return rack->doing == RACK_JOB && rack->job.exchanges == rack->lose_answer;
}

static bool is_answered(const struct rack *rack)
{
	const size_t wanted = rack->doing == RACK_POLL ? 117 : rack->step.answer_bytes;

	if (is_lost(rack))
		return false;
	return rack->heard_count >= wanted ||
	       (rack->heard_count == 5 && (rack->heard[1] & 0x80) != 0);
}

static void run_gateway(struct rack *rack)
{
	const int leaving = update_leaving(&rack->job);

	if (leaving >= 0 && rack->last_leaving != leaving + 1) {
		rack->last_leaving = (uint8_t)(leaving + 1);
		rack->leaving_seen++;
		update_lowered(&rack->job);
	}
	if (rack->doing != RACK_FREE) {
		if (!is_answered(rack) && rack->now_ns < rack->give_up_ns)
			return;
		if (rack->doing == RACK_POLL)
			rack->polls_answered += rack->heard_count == 117;
		else
			update_answer(&rack->job, now_ms(rack), rack->heard,
				      is_lost(rack) ? 0 : rack->heard_count);
		rack->doing = RACK_FREE;
		rack->give_up_ns = rack->now_ns + 4 * NS; /* frames are parted by silence */
		return;
	}
	if (rack->now_ns >= rack->give_up_ns)
		decide(rack);
}

static int64_t gateway_due_ns(const struct rack *rack)
{
	if (rack->doing == RACK_FREE && rack->step.kind == UPDATE_STEP_WAIT &&
	    rack->give_up_ns <= rack->now_ns)
		return rack->step.until_ms * NS;
	return rack->give_up_ns;
}

/* --- all of it --- */

static void advance(struct rack *rack, bool with_job)
{
	int64_t next_ns = rack->now_ns + 50 * NS;
	const int64_t quiet_ns = line_quiet_ns(&rack->line);

	if (quiet_ns != LINE_NEVER && quiet_ns < next_ns)
		next_ns = quiet_ns;
	if (with_job && gateway_due_ns(rack) < next_ns)
		next_ns = gateway_due_ns(rack);
	for (int i = 0; i < rack->count; i++)
		if (pack_due_ns(&rack->packs[i]) < next_ns)
			next_ns = pack_due_ns(&rack->packs[i]);
	rack->now_ns = next_ns > rack->now_ns ? next_ns : rack->now_ns + 50000;
	line_run(&rack->line, rack->now_ns, heard, rack);
	for (int i = 0; i < rack->count; i++)
		run_pack(rack, i);
	if (with_job)
		run_gateway(rack);
}

double rack_run(struct rack *rack, bool (*stop)(struct rack *rack))
{
	const int64_t begin_ns = rack->now_ns;

	rack->doing = RACK_FREE;
	rack->give_up_ns = rack->now_ns;
	while (rack->job.state == UPDATE_RUNNING && !(stop && stop(rack))) {
		advance(rack, true);
		assert_true(rack->now_ns - begin_ns < 7200 * 1000 * NS);
	}
	return (double)(rack->now_ns - begin_ns) / 1e9;
}

void rack_pass(struct rack *rack, int64_t ms)
{
	const int64_t end_ns = rack->now_ns + ms * NS;

	while (rack->now_ns < end_ns)
		advance(rack, false);
}

bool rack_runs_new(const struct rack_pack *pack)
{
	return !pack->dark && pack->slot >= 0 && pack->update.phase == FW_PHASE_IDLE &&
	       pack->update.image[pack->slot].version.major == 2;
}

static size_t make_image(struct rack *rack, uint8_t *out, uint32_t address, uint8_t major,
			 uint32_t code_size)
{
	static uint8_t code[RACK_IMAGE_MAX];
	const struct image_facts facts = {.load_address = address,
					  .version = {.major = major},
					  .security_counter = major,
					  .device_class = RACK_CLASS,
					  .hardware_min = 1,
					  .hardware_max = 9};

	randombytes_buf(code, code_size);

	const int size = image_make(&facts, code, code_size, rack->secret, out, RACK_IMAGE_MAX);

	assert_true(size > 0);
	return (size_t)size;
}

void rack_init(struct rack *rack, int count, uint32_t code_size)
{
	size_t size;

	assert_true(sodium_init() >= 0);
	memset(rack, 0, sizeof *rack);
	crypto_sign_keypair(rack->key[0], rack->secret);
	line_init(&rack->line, BAUD, 1 + count, 1);
	rack->count = count;
	rack->now_ns = 1000 * NS;
	rack->poll_others = true;

	const size_t first = make_image(rack, rack->images[0], RACK_SLOT_A, 1, code_size);

	size = make_image(rack, rack->file, RACK_SLOT_A, 2, code_size);
	size += make_image(rack, rack->file + size, RACK_SLOT_B, 2, code_size);
	assert_int_equal(release_read(rack->file, size, &rack->release), 2);
	for (int i = 0; i < count; i++) {
		struct rack_pack *pack = &rack->packs[i];

		torn_init(&pack->torn, PAGE_SIZE, 64, 8, (uint32_t)i);
		torn_put(&pack->torn, FW_AREA_SLOT_A, 0, rack->images[0], (uint32_t)first);
		pack->identity = (struct fw_identity){.device_class = RACK_CLASS,
						      .uid32 = 0x1000U + (uint32_t)i,
						      .hardware_revision = 3,
						      .loader_version = 1,
						      .max_charge_ma = 100000,
						      .max_discharge_ma = 100000,
						      .sensors = 0xff};
		pack->in.dip = (uint8_t)(1 + i);
		start(rack, pack);
	}
	rack_pass(rack, 5000); /* first seconds of the protection */
}

struct update_options rack_options(void)
{
	return (struct update_options){.baud = BAUD,
				       .level = 2,
				       .key = "inst0001",
				       .key_length = 8,
				       .packs_in_service = RACK_PACKS};
}

void rack_begin(struct rack *rack, const struct update_options *options)
{
	uint8_t units[RACK_PACKS];

	for (int i = 0; i < rack->count; i++)
		units[i] = (uint8_t)(1 + i);
	rack->last_leaving = 0;
	rack->leaving_seen = 0;
	assert_int_equal(
		update_begin(&rack->job, &rack->release, options, units, rack->count, now_ms(rack)),
		0);
}
