// SPDX-License-Identifier: Apache-2.0
/* A line of JSON for each engine step: what the packs answered, as `onepack fuse` reads it, what
 * the gateway made of it, and the truth. The only place of the world with text. */
#include <jansson.h>

#include "onepack/json.h"
#include "world_state.h"

static const char *const error_names[BUS_ERROR_KINDS] = {"checksum", "timeout", "foreign_request"};

static json_t *errors(const struct fusion_input *input)
{
	json_t *list = json_array();

	for (int i = 0; i < input->error_count; i++) {
		const struct bus_error *error = &input->errors[i];

		json_array_append_new(list,
				      json_pack("{s:s, s:i, s:s, s:i}", "bus", error->bus,
						"address", error->address, "kind",
						error_names[error->kind], "count", error->count));
	}
	return list;
}

/* Rounded, for people and plots. */
static json_t *rounded(double value)
{
	double sign = value < 0 ? -0.5 : 0.5;

	return json_real((double)(int64_t)(value * 1000 + sign) / 1000);
}

static json_t *true_pack(const struct sim_pack *pack)
{
	double high_v = 0, low_v = 100;
	json_t *json = json_object();

	for (int i = 0; i < pack->cell_count; i++) {
		double v = pack->bms.cells_v[i];

		high_v = v > high_v ? v : high_v;
		low_v = v < low_v ? v : low_v;
	}
	json_object_set_new(json, "current_a", rounded(pack->current_a));
	json_object_set_new(json, "soc_pct", rounded(100 * sim_pack_soc(pack)));
	json_object_set_new(json, "cell_max_v", rounded(high_v));
	json_object_set_new(json, "cell_min_v", rounded(low_v));
	json_object_set_new(json, "cell_c", rounded(pack->cell_c));
	return json;
}

static json_t *truth(const struct world *world)
{
	json_t *json = json_object(), *packs = json_array();

	json_object_set_new(json, "bus_v", rounded(world->plant.bus_v));
	json_object_set_new(json, "bus_a", rounded(world->plant.bus_a));
	json_object_set_new(json, "wanted_a", rounded(world->demand.current_a));
	for (int i = 0; i < world->plant.pack_count; i++)
		json_array_append_new(packs, true_pack(&world->plant.packs[i]));
	json_object_set_new(json, "packs", packs);
	return json;
}

void world_trace(const struct world *world)
{
	const struct fusion_input *input = &world->gateway.input;
	json_t *line = json_object(), *packs = json_array();

	json_object_set_new(line, "t", json_real((double)input->now_ms / 1000));
	for (int i = 0; i < input->pack_count; i++)
		json_array_append_new(packs, json_known_pack(&input->packs[i]));
	json_object_set_new(line, "packs", packs);
	if (input->error_count > 0)
		json_object_set_new(line, "bus_errors", errors(input));
	json_object_set_new(line, "battery", json_from_battery_without_packs(&world->gateway.now));
	json_object_set_new(line, "truth", truth(world));
	json_dumpf(line, world->options.trace, ONEPACK_JSON_FLAGS);
	fputc('\n', world->options.trace);
	json_decref(line);
}
