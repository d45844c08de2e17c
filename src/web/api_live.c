// SPDX-License-Identifier: Apache-2.0
/* What is now: battery, packs, links, protocols, health. */
#include <string.h>

#include "http.h"
#include "onepack/clock.h"
#include "onepack/json.h"
#include "onepack/wire.h"

enum MHD_Result api_battery(struct request *request)
{
	struct battery battery;

	board_battery(request->web->board, &battery);
	return reply_json(request, MHD_HTTP_OK, json_from_battery(&battery));
}

/* --- one pack --- */

/* What its bus counted at its address; null when the bus does not tell. */
static json_t *bus_errors(struct board *board, const struct pack *pack)
{
	struct bus_status buses[STATUS_MAX_BUSES];
	const int count = board_buses(board, buses);
	json_t *json;

	for (int i = 0; i < count; i++) {
		const struct bus_address_status *counted;

		if (strcmp(buses[i].name, pack->bus) != 0 || pack->address < 0 ||
		    pack->address >= BUS_MAX_ADDRESS)
			continue;
		counted = &buses[i].address[pack->address];
		json = json_pack("{s:I}", "answers", (json_int_t)counted->answers);
		for (int cause = 0; cause < BUS_CAUSE_COUNT; cause++)
			json_object_set_new(json, bus_cause_name((enum bus_cause)cause),
					    json_integer((json_int_t)counted->errors[cause]));
		return json;
	}
	return json_null();
}

enum MHD_Result api_pack(struct request *request)
{
	struct battery battery;

	board_battery(request->web->board, &battery);
	for (int i = 0; i < battery.pack_count; i++) {
		const struct pack *pack = &battery.packs[i];
		json_t *json;

		if (pack->pack != request->number)
			continue;
		json = json_from_pack(pack);
		json_object_set_new(json, "settings", json_from_settings(&pack->settings));
		json_object_set_new(json, "bus_errors", bus_errors(request->web->board, pack));
		return reply_json(request, MHD_HTTP_OK, json);
	}
	return reply_error(request, MHD_HTTP_NOT_FOUND,
			   "There is no pack %d. /api/v1/battery lists the packs.",
			   request->number);
}

/* --- links --- */

enum MHD_Result api_inverters(struct request *request)
{
	struct inverter_status inverters[STATUS_MAX_INVERTERS];
	const int count = board_inverters(request->web->board, inverters);
	json_t *json = json_array();

	for (int i = 0; i < count; i++)
		json_array_append_new(
			json, json_from_inverter(&inverters[i], i + 1, clock_monotonic_ms()));
	return reply_json(request, MHD_HTTP_OK, json);
}

enum MHD_Result api_buses(struct request *request)
{
	struct bus_status buses[STATUS_MAX_BUSES];
	const int count = board_buses(request->web->board, buses);
	json_t *json = json_array();

	for (int i = 0; i < count; i++)
		json_array_append_new(json, json_from_bus(&buses[i]));
	return reply_json(request, MHD_HTTP_OK, json);
}

/* --- health --- */

enum MHD_Result api_health(struct request *request)
{
	struct web *web = request->web;
	const int64_t snapshot_ms = web->snapshot_ms;
	const int64_t age_ms = clock_monotonic_ms() - snapshot_ms;
	struct store_status status = {.state = STORE_FAILED};
	json_t *json;

	if (snapshot_ms == 0)
		return reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE,
				   "No battery snapshot has been published yet. Wait for the first "
				   "packs to answer.");
	if (age_ms > WEB_HEALTHY_MS)
		return reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE,
				   "The battery snapshot is %d s old: the engine has stopped. See "
				   "the gateway's log.",
				   (int)(age_ms / 1000));
	if (web->store)
		store_get_status(web->store, &status);
	json = json_pack("{s:s, s:f, s:s}", "status", "ok", "age_s", (double)age_ms / 1000.0,
			 "history", web->store ? store_state_name(status.state) : "off");
	return reply_json(request, MHD_HTTP_OK, json);
}
