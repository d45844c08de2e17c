// SPDX-License-Identifier: Apache-2.0
/* See update_status.h. */
#include "update_status.h"

#include <stdio.h>
#include <string.h>

#include "onepack/clock.h"

static void write_version(const struct image_version *version, char *out, size_t size)
{
	snprintf(out, size, "%u.%u.%u", version->major, version->minor, version->revision);
}

static int32_t pack_number(const struct table *table, int line, int address)
{
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++)
		if (table->slots[i].taken && table->slots[i].bus == line &&
		    table->slots[i].address == address)
			return i + 1;
	return 0;
}

void status_begin(struct rack_update_status *status, const struct table *table, int line,
		  const struct update_order *order, const struct image_version *version)
{
	*status = (struct rack_update_status){.state = RACK_UPDATE_WAITING,
					      .began_ms = clock_wall_ms()};
	snprintf(status->bus, sizeof status->bus, "%s", order->bus);
	write_version(version, status->version, sizeof status->version);
	for (int i = 0; i < order->count && i < ONEPACK_MAX_PACKS; i++) {
		struct rack_update_pack *pack = &status->packs[status->pack_count++];

		pack->pack = pack_number(table, line, order->units[i]);
		pack->address = order->units[i];
		snprintf(pack->progress, sizeof pack->progress, "%s",
			 update_progress_text(UPDATE_WAITS));
	}
}

static void follow_pack(struct rack_update_pack *out, const struct update_pack *pack)
{
	static const struct image_version nothing;

	out->percent = pack->progress >= UPDATE_LOADED ? 100 : pack->percent;
	if (memcmp(&pack->from, &nothing, sizeof nothing) != 0)
		write_version(&pack->from, out->from, sizeof out->from);
	snprintf(out->progress, sizeof out->progress, "%s", update_progress_text(pack->progress));
	if (pack->error != UPDATE_FINE)
		snprintf(out->error, sizeof out->error, "%s%s%s", update_error_text(pack->error),
			 pack->why ? ": " : "", pack->why ? update_why_text(pack->why) : "");
}

void status_follow(struct rack_update_status *status, const struct update_job *job)
{
	status->percent = update_percent(job);
	for (int i = 0; i < status->pack_count && i < job->count; i++) {
		follow_pack(&status->packs[i], &job->packs[i]);
		if (job->packs[i].error != UPDATE_FINE)
			snprintf(status->error, sizeof status->error, "Pack %d: %s.",
				 status->packs[i].pack, status->packs[i].error);
	}
}

static void post(struct table *table, int line, int address, enum event_severity severity,
		 const char *kind, const char *text)
{
	struct search_event event = {.address = address, .severity = severity};

	snprintf(event.kind, sizeof event.kind, "%s", kind);
	snprintf(event.text, sizeof event.text, "%.*s", EVENT_TEXT_SIZE - 1, text);
	table_event(table, line, &event, clock_wall_ms());
}

void status_post_confirmed(const struct rack_update_status *status, struct table *table, int line,
			   int index)
{
	const struct rack_update_pack *pack = &status->packs[index];
	char text[EVENT_TEXT_SIZE];

	snprintf(text, sizeof text, "Pack %d runs firmware %s.", pack->pack, status->version);
	post(table, line, pack->address, EVENT_INFO, "update_pack", text);
}

void status_post_end(const struct rack_update_status *status, struct table *table, int line)
{
	char text[256];

	if (status->state == RACK_UPDATE_DONE)
		snprintf(text, sizeof text, "The update to %s is done: %d packs.", status->version,
			 status->pack_count);
	else
		snprintf(text, sizeof text, "The update to %s ended. %s", status->version,
			 status->error);
	post(table, line, 0, status->state == RACK_UPDATE_DONE ? EVENT_INFO : EVENT_WARNING,
	     status->state == RACK_UPDATE_DONE ? "update_done" : "update_failed", text);
}
