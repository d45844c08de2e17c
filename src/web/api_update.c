// SPDX-License-Identifier: Apache-2.0
/* New firmware for the packs: the release comes as the body of a POST, what is to be done with it
 * in the URL. What the update does then is the rack's business. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"

#define LAST_PACK ONEPACK_MAX_PACKS

static const char no_packs[] = "This gateway has no packs of its own: it replays a log.";

static const char *state_word(enum rack_update_state state)
{
	switch (state) {
	case RACK_UPDATE_NONE: return "none";
	case RACK_UPDATE_WAITING: return "waiting";
	case RACK_UPDATE_RUNNING: return "running";
	case RACK_UPDATE_DONE: return "done";
	case RACK_UPDATE_FAILED: return "failed";
	}
	return "none";
}

static json_t *text_or_null(const char *text)
{
	return text[0] ? json_string(text) : json_null();
}

static json_t *time_or_null(int64_t ms)
{
	return ms ? json_integer(ms / 1000) : json_null();
}

static json_t *pack_json(const struct rack_update_pack *pack)
{
	return json_pack("{s:i, s:i, s:o, s:s, s:i, s:o}", "pack", pack->pack, "address",
			 pack->address, "from", text_or_null(pack->from), "progress",
			 pack->progress, "percent", pack->percent, "error",
			 text_or_null(pack->error));
}

enum MHD_Result api_update(struct request *request)
{
	struct rack_update_status status = {0};
	json_t *packs = json_array();

	if (request->web->config.rack)
		rack_get_update(request->web->config.rack, &status);
	for (int i = 0; i < status.pack_count; i++)
		json_array_append_new(packs, pack_json(&status.packs[i]));
	return reply_json(request, MHD_HTTP_OK,
			  json_pack("{s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "state",
				    state_word(status.state), "percent", status.percent, "version",
				    text_or_null(status.version), "bus", text_or_null(status.bus),
				    "began", time_or_null(status.began_ms), "ended",
				    time_or_null(status.ended_ms), "error",
				    text_or_null(status.error), "packs", packs));
}

/* "1-4,7" as bits; false when it is nothing of that kind. */
static bool read_packs(const char *text, uint32_t *out)
{
	uint32_t packs = 0;

	do {
		char *end;
		unsigned long first = strtoul(text, &end, 10), last = first;

		if (end == text)
			return false;
		if (*end == '-') {
			text = end + 1;
			last = strtoul(text, &end, 10);
			if (end == text)
				return false;
		}
		if (first < 1 || first > last || last > LAST_PACK)
			return false;
		for (; first <= last; first++)
			packs |= UINT32_C(1) << first;
		text = end + (*end == ',');
		if (*end && *end != ',')
			return false;
	} while (*text);
	*out = packs;
	return true;
}

static bool is_set(const struct request *request, const char *name)
{
	const char *text = request_argument(request, name);

	return text && strcmp(text, "1") == 0;
}

static enum MHD_Result reply_refusal(struct request *request, int result, const char *why)
{
	const unsigned status = result == -EBUSY    ? MHD_HTTP_CONFLICT
				: result == -EINVAL ? MHD_HTTP_BAD_REQUEST
						    : MHD_HTTP_INTERNAL_SERVER_ERROR;

	return reply_error(request, status, "%s", why);
}

enum MHD_Result api_update_begin(struct request *request)
{
	struct rack_update_wish wish = {.broadcast = is_set(request, "broadcast"),
					.allow_older = is_set(request, "older"),
					.allow_alone = is_set(request, "alone")};
	const char *packs = request_argument(request, "packs");
	struct rack *rack = request->web->config.rack;
	char why[256] = "", address[LOGIN_ADDRESS_SIZE];
	int result;

	if (!rack)
		return reply_error(request, MHD_HTTP_NOT_FOUND, "%s", no_packs);
	if (packs && !read_packs(packs, &wish.packs))
		return reply_error(request, MHD_HTTP_BAD_REQUEST,
				   "packs are numbers from 1 to %d: 1-4,7", LAST_PACK);
	result = rack_update(rack, &wish, request->upload, request->body_size, why, sizeof why);
	if (result < 0)
		return reply_refusal(request, result, why);
	request_address(request, address);
	request_leave_event(request, EVENT_INFO, "update_begun",
			    "New firmware for packs was ordered (from %s)", address);
	return api_update(request);
}

enum MHD_Result api_update_stop(struct request *request)
{
	struct rack *rack = request->web->config.rack;
	char why[256] = "", address[LOGIN_ADDRESS_SIZE];
	int result;

	if (!rack)
		return reply_error(request, MHD_HTTP_NOT_FOUND, "%s", no_packs);
	result = rack_update_stop(rack, why, sizeof why);
	if (result < 0)
		return reply_refusal(request, result, why);
	request_address(request, address);
	request_leave_event(request, EVENT_INFO, "update_stopped",
			    "The firmware update was stopped (from %s)", address);
	return reply_empty(request, NULL);
}
