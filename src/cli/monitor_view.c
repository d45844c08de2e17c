// SPDX-License-Identifier: Apache-2.0
/* A line is: seconds, who speaks, address or id, the message's name, what it says. What
 * does not fit the protocol is shown as bytes: it is what the monitor is for. */
#include "monitor_line.h"

#include <inttypes.h>
#include <string.h>

#define BOLD      "\033[1m"
#define RED       "\033[31m"
#define PLAIN     "\033[0m"
#define BYTES_MAX 64 /* of a frame that is not understood */

int view_init(struct monitor_view *view, const struct wire *wire, const struct wire_context *ctx)
{
	memset(view, 0, sizeof *view);
	view->wire = wire;
	view->ctx = ctx;
	view->splitter.wire = wire;
	wire_get_info(wire, &view->info);
	return monitor_values_init(&view->values, view->info.scope);
}

void view_free(struct monitor_view *view)
{
	monitor_values_free(&view->values);
}

/* --- counting --- */

static struct view_row *row_of(struct monitor_view *view, const char *name)
{
	for (int i = 0; i < view->row_count; i++)
		if (strcmp(view->rows[i].name, name) == 0)
			return &view->rows[i];
	if (view->row_count == VIEW_MAX_ROWS)
		return NULL;
	struct view_row *row = &view->rows[view->row_count++];

	snprintf(row->name, sizeof row->name, "%s", name);
	return row;
}

struct view_row *view_count(struct monitor_view *view, const char *name, int64_t at_us)
{
	struct view_row *row = row_of(view, name);
	int64_t gap_us;

	view->frames++;
	if (at_us != VIEW_NO_TIME)
		view->last_us = at_us;
	if (!row)
		return NULL;
	if (row->count++ > 0 && at_us != VIEW_NO_TIME) {
		gap_us = at_us - row->last_us;
		row->sum_us += gap_us;
		if (row->count == 2 || gap_us < row->shortest_us)
			row->shortest_us = gap_us;
		if (gap_us > row->longest_us)
			row->longest_us = gap_us;
	}
	row->last_us = at_us;
	return row;
}

void view_count_error(struct monitor_view *view, const char *cause)
{
	for (int i = 0; i < VIEW_MAX_ERRORS; i++) {
		struct view_error *error = &view->errors[i];

		if (error->cause && strcmp(error->cause, cause) != 0)
			continue;
		error->cause = cause;
		error->count++;
		return;
	}
}

/* --- lines --- */

static void put_time(struct monitor_view *view, int64_t at_us)
{
	if (at_us == VIEW_NO_TIME)
		fprintf(view->out, "%10s  ", "-");
	else
		fprintf(view->out, "%10.3f  ", (double)at_us / 1e6);
}

void view_put_bytes(struct monitor_view *view, const uint8_t *bytes, size_t count)
{
	if (count > 0 && bytes[0] == '~') {
		for (size_t i = 0; i < count && bytes[i] != '\r'; i++)
			fputc(bytes[i] >= ' ' && bytes[i] < 127 ? bytes[i] : '?', view->out);
		return;
	}
	for (size_t i = 0; i < count; i++)
		fprintf(view->out, "%s%02X", i ? " " : "", bytes[i]);
}

/* A value in its line; texts from a bus may hold anything. */
void view_put_value(void *context, const char *key, const char *text, bool changed)
{
	struct monitor_view *view = context;
	const bool bold = changed && view->colour;

	fprintf(view->out, "  %s%s ", bold ? BOLD : "", key);
	for (; *text; text++)
		fputc((unsigned char)*text < ' ' ? '?' : *text, view->out);
	fputs(bold ? PLAIN : "", view->out);
}

void view_put_trouble(struct monitor_view *view, int64_t at_us, const char *cause,
		      const uint8_t *bytes, size_t count)
{
	put_time(view, at_us);
	fprintf(view->out, "%s!!   %s%s  ", view->colour ? RED : "", cause,
		view->colour ? PLAIN : "");
	view_put_bytes(view, bytes, view->raw || count < BYTES_MAX ? count : BYTES_MAX);
	if (!view->raw && count > BYTES_MAX)
		fprintf(view->out, " ... %zu bytes", count);
	fputc('\n', view->out);
}

void view_error(struct monitor_view *view, int64_t at_us, const char *cause, const char *text)
{
	view_count_error(view, cause);
	put_time(view, at_us);
	fprintf(view->out, "%s!!   %s%s  %s\n", view->colour ? RED : "", cause,
		view->colour ? PLAIN : "", text);
}

void view_put_head(struct monitor_view *view, int64_t at_us, const struct view_head *head)
{
	put_time(view, at_us);
	fprintf(view->out, "%-4s %-8s %-20s", head->who, head->number, head->name);
}

void view_row_name(const struct view_head *head, char name[VIEW_NAME_SIZE])
{
	snprintf(name, VIEW_NAME_SIZE, "%-4s %-8s %.39s", head->who, head->number, head->name);
}

/* --- CAN --- */

struct can_frame_in {
	struct monitor_view *view;
	const struct can_message *message;
};

static int decode_can(void *context, struct wire_values *values)
{
	struct can_frame_in *in = context;

	return wire_decode_can(in->view->wire, in->view->ctx, in->message, values);
}

static void head_of_can(const struct monitor_view *view, const struct can_message *message,
			struct view_head *head)
{
	*head = (struct view_head){.who = "?"};
	snprintf(head->number, sizeof head->number, message->extended ? "%08X" : "%03X",
		 message->id);
	for (int i = 0; i < wire_message_count(view->wire); i++) {
		struct wire_message_info info;
		uint32_t id;

		wire_get_message(view->wire, i, &info);
		id = info.id;
		if (info.id_plus_address && view->ctx->address > 0)
			id += (uint32_t)view->ctx->address;
		if (id != message->id || info.extended != message->extended)
			continue;
		head->who = info.from_inverter ? "inv" : "bms";
		snprintf(head->name, sizeof head->name, "%s", info.name);
		return;
	}
}

void view_can(struct monitor_view *view, int64_t at_us, const struct can_message *message)
{
	struct can_frame_in in = {view, message};
	struct view_head head;
	char name[VIEW_NAME_SIZE];
	struct view_row *row;
	int err;

	head_of_can(view, message, &head);
	view_put_head(view, at_us, &head);
	if (view->raw) {
		fputs("  ", view->out);
		view_put_bytes(view, message->data, message->length);
	}
	err = monitor_values_take(&view->values, decode_can, &in, view_put_value, view);
	if (err == ERR_INCOMPLETE) {
		fputs("  too short", view->out);
		view_count_error(view, "too short");
	} else if (err && !view->raw) {
		fputs("  ", view->out);
		view_put_bytes(view, message->data, message->length);
	}
	fputc('\n', view->out);
	view_row_name(&head, name);
	row = view_count(view, name, at_us);
	if (row)
		row->strange = err == ERR_NOT_MINE;
}

/* --- summary --- */

static void put_rows(const struct monitor_view *view, bool strange)
{
	for (int i = 0; i < view->row_count; i++) {
		const struct view_row *row = &view->rows[i];
		const double gaps = (double)row->count - 1;

		if (row->strange != strange)
			continue;
		fprintf(view->out, "  %-48s %8" PRIu64, row->name, row->count);
		if (row->count > 1 && row->last_us != VIEW_NO_TIME)
			fprintf(view->out, "   %8.3f %8.3f %8.3f", (double)row->shortest_us / 1e6,
				(double)row->sum_us / 1e6 / gaps, (double)row->longest_us / 1e6);
		fputc('\n', view->out);
	}
}

static bool has_strange(const struct monitor_view *view)
{
	for (int i = 0; i < view->row_count; i++)
		if (view->rows[i].strange)
			return true;
	return false;
}

void view_summary(const struct monitor_view *view)
{
	FILE *out = view->out;

	fprintf(out, "\n%" PRIu64 " frames of %s in %.1f s\n", view->frames, view->info.id,
		(double)view->last_us / 1e6);
	if (view->row_count)
		fprintf(out, "  %-48s %8s   %8s %8s %8s\n", "who  number   message", "frames",
			"period s", "mean", "longest");
	put_rows(view, false);
	if (has_strange(view)) {
		fputs("not of this protocol\n", out);
		put_rows(view, true);
	}
	fputs(view->errors[0].cause ? "errors\n" : "no errors\n", out);
	for (int i = 0; i < VIEW_MAX_ERRORS && view->errors[i].cause; i++)
		fprintf(out, "  %-48s %8" PRIu64 "\n", view->errors[i].cause,
			view->errors[i].count);
}
