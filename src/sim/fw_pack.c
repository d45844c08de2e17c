// SPDX-License-Identifier: Apache-2.0
/* Production as in the emulated rack (emulator.c): a pack that has everything and is calibrated,
 * with secrets that everybody may know. Its board is the STM32F405's, so real releases fit. */
#include "fw_pack.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "firmware/board/stm32f405/layout.h"
#include "firmware/boot/decide.h"
#include "firmware/boot/maker_key.h"
#include "fw_mirror.h"

#define NS_PER_US      INT64_C(1000)
#define NS_PER_MS      INT64_C(1000000)
#define RATING_MA      350000
#define MOST_DA        3500 /* of the firmware's parameters */
#define MOST_SECOND_DA 4500
#define UID_BASE       0xD0000000u
#define CLASS          1 /* the STM32F405 board */
#define HARDWARE       1
#define LOADER         1
#define VERSION        1 /* of what runs while no slot has an image */
#define WAKE_V         0.5
#define UPDATE_TURNS   8 /* pieces of background work in a step */
#define FEATURES                                                                      \
	(FW_HAS_HEATER | FW_HAS_PRECHARGE | FW_HAS_ACTIVE_BALANCER | FW_HAS_LIMITER | \
	 FW_HAS_BUZZER | FW_HAS_DRY_CONTACTS | FW_HAS_ENABLE_LINE | FW_HAS_TERMINAL_SENSING)

/* --- production --- */

static void write_factory(struct sim_firmware *f, int number)
{
	uint8_t bytes[FW_FACTORY_SIZE];

	f->factory = (struct fw_factory){
		.identity = {.device_class = CLASS,
			     .hardware_revision = HARDWARE,
			     .features = FEATURES,
			     .sensors = (1u << FW_SENSORS) - 1,
			     .max_charge_ma = RATING_MA,
			     .max_discharge_ma = RATING_MA,
			     .production_day = 2000,
			     .uid32 = UID_BASE + (uint32_t)number,
			     .model = "ONEPACK 16S"},
		.calibration = {.present = true},
		.installer = {'1', '2', '3', '4', '5', '6', '7', '8'},
	};
	snprintf(f->factory.identity.serial, sizeof f->factory.identity.serial, "ONEPACK%06u",
		 (unsigned)number % 1000000);
	memcpy(f->factory.key, "the factory key of simulated one", sizeof f->factory.key);
	memcpy(f->factory.unlock, "the unlock key of simulated ones", sizeof f->factory.unlock);
	fw_factory_write(&f->factory, bytes);
	(void)f->flash.flash.program(&f->flash, FW_AREA_FACTORY, 0, bytes, sizeof bytes);
}

static int32_t smaller(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

/* What the maker of a pack chooses. The second levels stay as far above the first as the preset has
 * them. */
static void set_limits(struct fw_parameters *p, const struct sim_firmware_make *make)
{
	const int32_t charge_dA = smaller(make->charge_ma / 100, MOST_DA);
	const int32_t discharge_dA = smaller(make->discharge_ma / 100, MOST_DA);

	if (charge_dA > 0) {
		p->charge_oc2_dA =
			smaller(p->charge_oc2_dA * charge_dA / p->charge_oc1_dA, MOST_SECOND_DA);
		p->charge_oc1_dA = p->charge_limit_dA = charge_dA;
	}
	if (discharge_dA > 0) {
		p->discharge_oc2_dA = smaller(
			p->discharge_oc2_dA * discharge_dA / p->discharge_oc1_dA, MOST_SECOND_DA);
		p->discharge_oc1_dA = p->discharge_limit_dA = discharge_dA;
	}
	if (make->cold_mC != 0 || make->cold_release_mC != 0) {
		p->charge_ut_dC = make->cold_mC / 100;
		p->charge_ut_release_dC = make->cold_release_mC / 100;
	}
}

static void write_settings(struct sim_firmware *f, const struct sim_firmware_make *make)
{
	struct fw_settings settings;
	struct fw_store store;
	struct fw_parameters *p = &settings.parameters;

	fw_store_init(&store, &f->flash.flash);
	(void)fw_store_load(&store, &settings);
	p->cells = f->body->cell_count;
	p->capacity_dAh = (int32_t)lround(f->body->bms.full_ah * 10);
	p->baud_100 = (int32_t)(make->baud / 100);
	set_limits(p, make);
	fw_store_save(&store, &settings);
}

static void write_counters(struct sim_firmware *f)
{
	struct fw_counter_ring ring;
	struct fw_counters counters;
	uint32_t time_s;

	(void)fw_counters_open(&ring, &f->flash.flash, &counters, &time_s);
	counters = (struct fw_counters){.full_mah = (int32_t)lround(f->body->bms.full_ah * 1000),
					.remaining_mah = (int32_t)lround(f->counted_ah * 1000),
					.bank_seen = 1};
	fw_counters_keep(&ring, &counters, 0);
}

int sim_firmware_open(struct sim_firmware *f, struct sim_pack *body,
		      const struct sim_firmware_make *make)
{
	int err;

	memset(f, 0, sizeof *f);
	f->body = body;
	f->random.state = make->seed;
	f->step_ns = -1;
	f->counted_ah = body->bms.counted_ah;
	err = sim_flash_open(&f->flash);
	if (err)
		return err;
	write_factory(f, make->number);
	write_settings(f, make);
	write_counters(f);
	sim_afe_init(&f->afe, body, make->switches);
	return 0;
}

void sim_firmware_close(struct sim_firmware *f)
{
	sim_flash_close(&f->flash);
}

/* --- power --- */

static uint64_t clock_us(const struct sim_firmware *f, int64_t now_ns)
{
	return (uint64_t)((now_ns - f->start_ns) / NS_PER_US);
}

/* What the loader and start() of the boards do. */
static void start_servers(struct sim_firmware *f, enum fw_boot_reason reason)
{
	struct fw_image_target target = {.device_class = CLASS,
					 .hardware_revision = HARDWARE,
					 .loader_version = LOADER,
					 .slot_address = {FW_SLOT_A_AT, FW_SLOT_B_AT},
					 .keys = fw_maker_keys,
					 .key_count = FW_MAKER_KEYS};
	struct fw_image_check check;
	const struct fw_boot_choice choice =
		fw_boot_decide(&f->flash.flash, &target, reason, false, NULL, &check);
	struct fw_server_config config;

	f->slot = choice.slot > 0 ? choice.slot : 0; /* nothing in the slots: what is linked here */
	fw_update_init(&f->update,
		       &(struct fw_update_config){.flash = &f->flash.flash,
						  .target = target,
						  .running = f->slot,
						  .unlock_key = f->factory.unlock,
						  .uid32 = f->identity.uid32},
		       0);
	if (f->update.has_image[f->slot]) {
		const struct fw_version *version = &f->update.image[f->slot].version;

		f->identity.major = version->major;
		f->identity.minor = version->minor;
		f->identity.patch = version->revision;
	}
	config = (struct fw_server_config){.identity = &f->identity,
					   .secrets = &f->secrets,
					   .flash = &f->flash.flash,
					   .update = &f->update,
					   .calibration = &f->factory.calibration,
					   .dip = f->afe.dip};
	fw_server_start(&f->server, &f->pack, &config, 0);
}

static void report_start(struct sim_firmware *f)
{
	const enum fw_boot_event event = fw_update_take_event(&f->update);

	if (event == FW_BOOTED_NONE)
		return;
	if (event == FW_BOOTED_ACTIVATED)
		f->identity.boot_reason = FW_BOOT_UPDATE;
	else if (event >= FW_BOOTED_REVERTED_TIME && event <= FW_BOOTED_REVERTED_IMAGE)
		f->identity.boot_reason = FW_BOOT_REVERT;
	fw_event_put(&f->pack.events, FW_SOURCE_PACK, FW_EVENT_IMAGE, (int32_t)event, f->slot);
}

void sim_firmware_restart(struct sim_firmware *f, enum fw_boot_reason reason, int64_t now_ns)
{
	f->identity = f->factory.identity;
	f->identity.major = VERSION;
	f->identity.loader_version = LOADER;
	f->identity.boot_reason = reason;
	f->identity.chip_id[2] = f->identity.uid32;
	memcpy(f->secrets.key, f->factory.key, sizeof f->secrets.key);
	memcpy(f->secrets.installer, f->factory.installer, sizeof f->secrets.installer);
	f->start_ns = now_ns;
	f->return_ns = LINE_NEVER;
	f->running = true;
	f->starts++;
	start_servers(f, reason);
	report_start(f);
}

void sim_firmware_cut(struct sim_firmware *f, int64_t now_ns, int64_t return_ns)
{
	const struct fw_outputs nothing = {.balance_from = -1, .balance_to = -1};

	f->running = false;
	f->return_ns = return_ns;
	sim_afe_obey(&f->afe, f->body, &nothing, now_ns / NS_PER_MS);
	f->body->bms.powered = false;
}

/* Power that comes back; a pack that switched itself off wakes by a charger's voltage. */
static void tend_power(struct sim_firmware *f, double bus_v, int64_t now_ns)
{
	const bool charger = !f->body->unplugged && bus_v > f->body->voltage_v + WAKE_V;
	const bool off = f->return_ns == LINE_NEVER;

	if (f->running && f->pack.restart_due)
		sim_firmware_restart(f, FW_BOOT_COMMAND, now_ns);
	else if (f->running && f->pack.outputs.power_off)
		sim_firmware_cut(f, now_ns, LINE_NEVER);
	else if (!f->running && (now_ns >= f->return_ns || (off && charger)))
		sim_firmware_restart(f, FW_BOOT_POWER, now_ns);
}

/* --- steps --- */

/* Charge may move faster than the current says (pack.h): nobody can count what he does not see, so
 * the rest is added for him. */
static void hasten(struct sim_firmware *f, double dt_s)
{
	const double unseen = f->body->bms.haste - 1;
	struct fw_counters *counters = &f->pack.counters;
	double mah;

	if (unseen <= 0 || f->pack.measured.current_ma == FW_UNKNOWN)
		return;
	mah = counters->remaining_mah + unseen * f->pack.measured.current_ma * dt_s / 3600;
	counters->remaining_mah = (int32_t)lround(fmin(fmax(mah, 0), counters->full_mah));
}

/* Somebody set the charge of the cells: the one who counts it is told. */
static void take_charge(struct sim_firmware *f, uint64_t now_ms)
{
	const struct bms *bms = &f->body->bms;
	const double share = fmin(fmax(bms->counted_ah / bms->full_ah, 0), 1);

	if (bms->counted_ah == f->counted_ah)
		return;
	(void)fw_pack_command(&f->pack, FW_COMMAND_SET_SOC, (uint32_t)lround(share * 10000),
			      FW_SOURCE_APP, now_ms);
}

static void update_step(struct sim_firmware *f, uint64_t now_ms)
{
	const struct fw_update_pack about = {
		.refuse = f->pack.protections != 0 || f->pack.faults != 0 || f->pack.outputs.heater,
		.soc_cpct = f->pack.soc_cpct,
		.address = f->server.addressing.address,
	};

	for (int i = 0; i < UPDATE_TURNS && fw_update_tick(&f->update, &about, now_ms); i++)
		;
	if (f->update.restart)
		f->pack.update = FW_UPDATE_RESTARTING;
	else
		f->pack.update = f->update.phase == FW_PHASE_RECEIVING ? FW_UPDATE_RECEIVING
								       : FW_UPDATE_NONE;
}

static void decide(struct sim_firmware *f, double bus_v, int64_t now_ns, double dt_s)
{
	const uint64_t now_us = clock_us(f, now_ns), now_ms = now_us / 1000;

	const struct fw_measurement before = f->measured;

	take_charge(f, now_ms);
	sim_afe_measure(&f->afe, f->body, bus_v, &f->random, &f->measured);
	fw_mirror_spoil(&f->body->bms.faults, &before, &f->measured);
	update_step(f, now_ms);
	(void)fw_pack_step(&f->pack, &f->measured, now_ms);
	hasten(f, dt_s);
	fw_server_step(&f->server, now_us);
	sim_afe_obey(&f->afe, f->body, &f->pack.outputs, now_ns / NS_PER_MS);
	fw_mirror(&f->pack, &f->body->bms);
	f->counted_ah = f->body->bms.counted_ah;
}

/* What the front end cannot help. */
static void apply_faults(const struct sim_firmware *f)
{
	struct bms *bms = &f->body->bms;

	bms->charge_mos = bms->charge_mos && !bms->faults.keep_charge_open;
	bms->discharge_mos = bms->discharge_mos && !bms->faults.keep_discharge_open;
	bms->powered = f->running;
	f->body->heater_w += f->fault_heat_w;
}

void sim_firmware_step(struct sim_firmware *f, double bus_v, bool enable, int64_t now_ns)
{
	const double dt_s = f->step_ns < 0 ? 0 : (double)(now_ns - f->step_ns) / 1e9;

	if (f->step_ns < 0)
		sim_firmware_restart(f, FW_BOOT_POWER, now_ns);
	f->step_ns = now_ns;
	f->afe.enable = enable;
	sim_afe_step(&f->afe, f->body, bus_v, now_ns / NS_PER_MS, dt_s);
	tend_power(f, bus_v, now_ns);
	if (f->running)
		decide(f, bus_v, now_ns, dt_s);
	apply_faults(f);
}

/* --- the line --- */

bool sim_firmware_is_silent(const struct sim_firmware *f)
{
	return !f->running || f->body->unplugged || f->body->muted;
}

void sim_firmware_hear(struct sim_firmware *f, const uint8_t *bytes, size_t count, int64_t end_ns)
{
	const uint64_t end_us = clock_us(f, end_ns);

	if (sim_firmware_is_silent(f) || end_ns < f->start_ns ||
	    end_us <= f->server.sent_us) /* who sends does not hear */
		return;
	fw_server_hear(&f->server, bytes, count, end_us);
}

size_t sim_firmware_say(struct sim_firmware *f, int64_t now_ns, const uint8_t **bytes,
			int64_t *at_ns)
{
	const uint64_t now_us = clock_us(f, now_ns), wake_us = fw_server_wake_us(&f->server);
	size_t count;

	if (!f->running || now_ns < f->start_ns || wake_us > now_us)
		return 0;
	/* An answer that is due begins when it is due, however late we look. */
	*at_ns = f->start_ns + (int64_t)wake_us * NS_PER_US;
	count = fw_server_poll(&f->server, wake_us, bytes);
	if (count == 0) {
		*at_ns = now_ns;
		count = fw_server_poll(&f->server, now_us, bytes);
	}
	return sim_firmware_is_silent(f) ? 0 : count;
}

int64_t sim_firmware_due_ns(const struct sim_firmware *f)
{
	const uint64_t wake_us = f->running ? fw_server_wake_us(&f->server) : UINT64_MAX;

	return wake_us == UINT64_MAX ? LINE_NEVER : f->start_ns + (int64_t)wake_us * NS_PER_US;
}

void sim_firmware_set_switches(struct sim_firmware *f, uint8_t switches)
{
	f->afe.dip = switches;
	if (!f->running)
		return;
	f->server.config.dip = switches;
	fw_addressing_init(&f->server.addressing, &f->identity, switches, &f->server.settings);
}

int sim_firmware_address(const struct sim_firmware *f)
{
	return f->server.addressing.address;
}
