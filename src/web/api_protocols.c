// SPDX-License-Identifier: Apache-2.0
/* The protocols that this gateway can speak, as found in the protocol folders now. */
#include "http.h"
#include "onepack/wire.h"

static json_t *describe(const char *id, FILE *nowhere)
{
	struct wire *wire = wire_load(id, nowhere);
	struct wire_info info;
	json_t *json;

	if (!wire) /* a user's file with mistakes; `onepack wire check` tells which */
		return json_pack("{s:s, s:n, s:n, s:n, s:s}", "id", id, "title", "bus", "bitrate",
				 "maturity", "broken");
	wire_get_info(wire, &info);
	json = json_pack("{s:s, s:s, s:s, s:i, s:s}", "id", info.id, "title", info.title, "bus",
			 info.framing == WIRE_CAN ? "can" : "rs485",
			 info.framing == WIRE_CAN ? "bitrate" : "baud", (int)info.bitrate,
			 "maturity", info.maturity);
	wire_free(wire);
	return json;
}

enum MHD_Result api_protocols(struct request *request)
{
	FILE *nowhere = fopen("/dev/null", "w");
	json_t *json = json_array();
	char **ids = NULL;
	const int count = nowhere ? wire_list_ids(&ids) : 0;

	for (int i = 0; i < count; i++)
		json_array_append_new(json, describe(ids[i], nowhere));
	if (count > 0)
		wire_free_ids(ids, count);
	if (nowhere)
		fclose(nowhere);
	return reply_json(request, MHD_HTTP_OK, json);
}
