// SPDX-License-Identifier: Apache-2.0
/* The truth about a simulated site as JSON, in the units and with the names of the product's own
 * JSON where they mean the same thing. `soc_pct` and `cells_v` are the physics, not what a BMS
 * thinks; `counted_soc_pct` is what it thinks. */
#include "site.h"

#include <math.h>
#include <string.h>

#include "onepack/clock.h"
#include "onepack/json.h"

/* Four decimals are enough for people and for tests. */
static json_t *number(double value)
{
	return json_real(round(value * 1e4) / 1e4);
}

static json_t *alarms(alarm_set set)
{
	json_t *list = json_array();

	for (int i = 0; i < ALARM_COUNT; i++)
		if (set & ALARM_BIT(i))
			json_array_append_new(list, json_string(alarm_name((enum alarm)i)));
	return list;
}

static json_t *cells(const struct sim_pack *pack)
{
	json_t *list = json_array();

	for (int i = 0; i < pack->cell_count; i++) {
		const struct cell *cell = &pack->cells[i];

		json_array_append_new(
			list, number(cell_emf_v(cell) + pack->current_a * cell_instant_ohm(cell)));
	}
	return list;
}

/* What only a pack with our firmware has: words of its registers, and its power. */
static json_t *firmware_status(const struct sim_firmware *firmware)
{
	const struct fw_pack *pack = &firmware->pack;

	return json_pack("{sb si sI si sI sI sI si si sb}", "running", firmware->running, "starts",
			 (int)firmware->starts, "unique", (json_int_t)firmware->identity.uid32,
			 "state", (int)pack->state, "warnings", (json_int_t)pack->warnings,
			 "protections", (json_int_t)pack->protections, "faults",
			 (json_int_t)pack->faults, "charge_off", pack->charge_off, "discharge_off",
			 pack->discharge_off, "emergency", pack->emergency_s > 0);
}

static json_t *pack_status(const struct site *site, int index)
{
	const struct sim_pack *pack = &site->plant.packs[index];
	const struct bms *bms = &pack->bms;
	int line, station, address;
	json_t *status;

	site_find(site, index + 1, &line, &station);
	address = site->packs == SITE_JK
			  ? site->lines[line].jk.stations[station].address
			  : sim_firmware_address(
				    &site->lines[line].firmware.stations[station].firmware);
	status = json_pack(
		"{si ss si sb sb sb sb sb so so so so so so so so so}", "pack", index + 1, "line",
		site->lines[line].name, "address", address, "unplugged", pack->unplugged, "muted",
		pack->muted, "powered", bms->powered, "charge_mos", bms->charge_mos,
		"discharge_mos", bms->discharge_mos, "voltage_v", number(pack->voltage_v),
		"current_a", number(pack->current_a), "soc_pct", number(100 * sim_pack_soc(pack)),
		"counted_soc_pct", number(100 * bms->counted_ah / bms->full_ah), "temperature_c",
		number(pack->cell_c), "mos_temperature_c", number(pack->mos_c), "protections",
		alarms(bms->protections), "protections_used", alarms(bms->ever_protections),
		"cells_v", cells(pack));
	if (site->packs == SITE_ONEPACK)
		json_object_set_new(
			status, "firmware",
			firmware_status(&site->lines[line].firmware.stations[station].firmware));
	return status;
}

static json_t *inverter_status(struct site_inverter *inverter)
{
	const struct sim_inverter *core = site_inverter_core(inverter);
	int64_t now_ms = clock_monotonic_ms();
	char sentence[256];
	json_t *believes = json_object(), *status;

	sim_inverter_describe(core, now_ms, sentence, sizeof sentence);
	json_add_known(believes, &core->believed.battery, &field_battery);
	status = json_pack("{ss ss sb so so sI sI ss}", "protocol", inverter->protocol, "port",
			   inverter->name, "connected", sim_inverter_is_fed(core, now_ms),
			   "wants_a", number(core->current_a), "believes", believes, "understood",
			   (json_int_t)core->understood, "refused", (json_int_t)core->refused,
			   "says", sentence);
	if (inverter->info.framing != WIRE_CAN) {
		json_object_set_new(status, "polls",
				    json_integer((json_int_t)inverter->rs485.polls));
		json_object_set_new(status, "timeouts",
				    json_integer((json_int_t)inverter->rs485.timeouts));
	}
	return status;
}

static json_t *line_status(const struct site_line *line)
{
	const bool jk = line->packs == SITE_JK;
	const struct line *wire = jk ? &line->jk.line : &line->firmware.line;

	return json_pack("{ss sI sI sI sI}", "name", line->name, "bytes", (json_int_t)wire->bytes,
			 "garbled", (json_int_t)wire->garbled, "requests",
			 (json_int_t)(jk ? line->jk.requests : line->firmware.requests), "answers",
			 (json_int_t)(jk ? line->jk.answers : line->firmware.answers));
}

void site_status(const struct site *site, char *answer, size_t size)
{
	json_t *packs = json_array(), *inverters = json_array(), *lines = json_array(), *all;
	size_t length;

	for (int i = 0; i < site->plant.pack_count; i++)
		json_array_append_new(packs, pack_status(site, i));
	for (int i = 0; i < site->inverter_count; i++)
		json_array_append_new(inverters, inverter_status(&site->inverters[i]));
	for (int i = 0; i < site->line_count; i++)
		json_array_append_new(lines, line_status(&site->lines[i]));
	all = json_pack("{so so so so so so so so so so}", "plant_time_s",
			number(site->plant.time_s), "sun_w", number(site->profile.sun_w), "load_w",
			number(site->profile.load_w), "voltage_v", number(site->plant.bus_v),
			"current_a", number(site->plant.bus_a), "charged_ah",
			number(site->plant.charged_ah), "discharged_ah",
			number(site->plant.discharged_ah), "packs", packs, "inverters", inverters,
			"lines", lines);
	length = all ? json_dumpb(all, answer, size - 1, ONEPACK_JSON_FLAGS) : 0;
	if (length == 0 || length >= size)
		length = (size_t)snprintf(answer, size, "error: the status does not fit");
	answer[length] = '\0';
	json_decref(all);
}
