// SPDX-License-Identifier: Apache-2.0
/* A line is: seconds, who speaks, address or id, the message's name, what it says. Questions say
 * nothing; an answer belongs to the question before it. What does not fit the protocol is shown as
 * bytes: it is what the monitor is for. */
#include "monitor_view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BOLD      "\033[1m"
#define RED       "\033[31m"
#define PLAIN     "\033[0m"
#define BYTES_MAX 64 /* of a frame that is not understood */

enum { JK_TYPE_AT = 4, JK_MAGIC = 0x55, JK_RECORD = 300, JK_ACK = 8, PYLON_ADDRESS_AT = 3 };

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

static struct view_row *count_frame(struct monitor_view *view, const char *name, int64_t at_us)
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

static void count_error(struct monitor_view *view, const char *cause)
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

static void put_bytes(struct monitor_view *view, const uint8_t *bytes, size_t count)
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
static void put_value(void *context, const char *key, const char *text, bool changed)
{
	struct monitor_view *view = context;
	const bool bold = changed && view->colour;

	fprintf(view->out, "  %s%s ", bold ? BOLD : "", key);
	for (; *text; text++)
		fputc((unsigned char)*text < ' ' ? '?' : *text, view->out);
	fputs(bold ? PLAIN : "", view->out);
}

static void put_trouble(struct monitor_view *view, int64_t at_us, const char *cause,
			const uint8_t *bytes, size_t count)
{
	put_time(view, at_us);
	fprintf(view->out, "%s!!   %s%s  ", view->colour ? RED : "", cause,
		view->colour ? PLAIN : "");
	put_bytes(view, bytes, view->raw || count < BYTES_MAX ? count : BYTES_MAX);
	if (!view->raw && count > BYTES_MAX)
		fprintf(view->out, " ... %zu bytes", count);
	fputc('\n', view->out);
}

void view_error(struct monitor_view *view, int64_t at_us, const char *cause, const char *text)
{
	count_error(view, cause);
	put_time(view, at_us);
	fprintf(view->out, "%s!!   %s%s  %s\n", view->colour ? RED : "", cause,
		view->colour ? PLAIN : "", text);
}

/* What is known of a frame before its values. */
struct head {
	const char *who; /* bms, inv, ask, says */
	char number[16]; /* id, or address */
	char name[40];
};

static void put_head(struct monitor_view *view, int64_t at_us, const struct head *head)
{
	put_time(view, at_us);
	fprintf(view->out, "%-4s %-8s %-20s", head->who, head->number, head->name);
}

static void row_name(const struct head *head, char name[VIEW_NAME_SIZE])
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
			struct head *head)
{
	*head = (struct head){.who = "?"};
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
	struct head head;
	char name[VIEW_NAME_SIZE];
	struct view_row *row;
	int err;

	head_of_can(view, message, &head);
	put_head(view, at_us, &head);
	if (view->raw) {
		fputs("  ", view->out);
		put_bytes(view, message->data, message->length);
	}
	err = monitor_values_take(&view->values, decode_can, &in, put_value, view);
	if (err == ERR_INCOMPLETE) {
		fputs("  too short", view->out);
		count_error(view, "too short");
	} else if (err && !view->raw) {
		fputs("  ", view->out);
		put_bytes(view, message->data, message->length);
	}
	fputc('\n', view->out);
	row_name(&head, name);
	row = count_frame(view, name, at_us);
	if (row)
		row->strange = err == ERR_NOT_MINE;
}

/* --- serial --- */

struct serial_frame {
	struct monitor_view *view;
	const struct piece *piece;
	struct wire_listener before, after;
};

static int decode_serial(void *context, struct wire_values *values)
{
	struct serial_frame *frame = context;

	frame->after = frame->before;
	return wire_decode_serial(frame->view->wire, frame->view->ctx, &frame->after,
				  frame->piece->bytes, frame->piece->count, values);
}

/* The message that a trigger asks for, NULL = no trigger of this file. */
static const char *name_of_trigger(const struct monitor_view *view, uint32_t place)
{
	struct wire_message_info info;

	for (int i = 0; i < wire_message_count(view->wire); i++) {
		wire_get_message(view->wire, i, &info);
		if (info.record_type && info.record_trigger == place)
			return info.name;
	}
	return NULL;
}

/* The message of this direction that begins at or before a register. */
static const char *name_of_register(const struct monitor_view *view, uint32_t place, bool write)
{
	struct wire_message_info info, best = {0};

	for (int i = 0; i < wire_message_count(view->wire); i++) {
		wire_get_message(view->wire, i, &info);
		if (info.from_inverter == write && info.id <= place &&
		    (!best.name || info.id > best.id))
			best = info;
	}
	return best.name ? best.name : "other";
}

static const char *name_of_record(const struct monitor_view *view, int type)
{
	struct wire_message_info info;

	for (int i = 0; i < wire_message_count(view->wire); i++) {
		wire_get_message(view->wire, i, &info);
		if (info.record_type == type)
			return info.name;
	}
	return "record";
}

static void head_of_pylon(const struct serial_frame *frame, struct head *head)
{
	const uint8_t *bytes = frame->piece->bytes;
	const bool asks = frame->after.message != 0;
	const int message = asks ? frame->after.message : frame->before.message;
	struct wire_message_info info;

	head->who = asks ? "ask" : "says";
	if (frame->piece->count > PYLON_ADDRESS_AT + 2)
		snprintf(head->number, sizeof head->number, "%.2s",
			 (const char *)bytes + PYLON_ADDRESS_AT);
	if (message == 0)
		return;
	wire_get_message(frame->view->wire, message - 1, &info);
	snprintf(head->name, sizeof head->name, "%02X %s", info.id, info.name);
}

/* A record is signed by the acknowledge of its trigger, at its end. */
static void head_of_record(const struct serial_frame *frame, struct head *head)
{
	const struct piece *piece = frame->piece;

	if (piece->count >= JK_RECORD + JK_ACK)
		snprintf(head->number, sizeof head->number, "%d",
			 piece->bytes[piece->count - JK_ACK]);
	snprintf(head->name, sizeof head->name, "%s",
		 name_of_record(frame->view, piece->bytes[JK_TYPE_AT]));
}

static void head_of_modbus(const struct serial_frame *frame, struct head *head)
{
	const uint8_t *bytes = frame->piece->bytes;
	const bool asks = frame->piece->side == WIRE_FROM_MASTER;
	const uint32_t place =
		asks ? (uint32_t)(bytes[2] << 8 | bytes[3]) : (uint32_t)frame->before.start;
	const bool write = bytes[1] == 6 || bytes[1] == 16;

	const char *trigger = write && asks ? name_of_trigger(frame->view, place) : NULL;

	head->who = asks ? "ask" : "says";
	if (bytes[0] == JK_MAGIC && frame->piece->count >= JK_RECORD && !asks) {
		head_of_record(frame, head);
		return;
	}
	snprintf(head->number, sizeof head->number, "%d", bytes[0]);
	if (bytes[1] & 0x80)
		snprintf(head->name, sizeof head->name, "refused, exception %d", bytes[2]);
	else if (write && !asks)
		snprintf(head->name, sizeof head->name, "written");
	else if (trigger)
		snprintf(head->name, sizeof head->name, "%s", trigger);
	else
		snprintf(head->name, sizeof head->name, "%s%s",
			 name_of_register(frame->view, place, write), write ? " (write)" : "");
}

static void put_question(const struct serial_frame *frame)
{
	const uint8_t *bytes = frame->piece->bytes;
	FILE *out = frame->view->out;

	if (bytes[0] == '~' || frame->piece->side != WIRE_FROM_MASTER || frame->piece->count < 8)
		return;
	fprintf(out, "  function %d, register 0x%02X%02X", bytes[1], bytes[2], bytes[3]);
	if (bytes[1] != 6)
		fprintf(out, ", %d of them", bytes[4] << 8 | bytes[5]);
}

/* Inside a line of a question "the inverter is alive" is no news. */
static void put_serial_value(void *context, const char *key, const char *text, bool changed)
{
	if (strcmp(key, "inverter_alive") != 0)
		put_value(context, key, text, changed);
}

struct held_line {
	char *text;
	size_t size;
};

/* The values are known before the head is: both go into the line in the right order. */
static int take_values(struct monitor_view *view, struct serial_frame *frame,
		       struct held_line *line)
{
	FILE *out = view->out;
	int err;

	view->out = open_memstream(&line->text, &line->size);
	if (!view->out) {
		view->out = out;
		return ERR_SPACE;
	}
	err = monitor_values_take(&view->values, decode_serial, frame, put_serial_value, view);
	fclose(view->out);
	view->out = out;
	return err;
}

static const char *cause_of(int err)
{
	switch (err) {
	case ERR_CHECKSUM: return "checksum";
	case ERR_UNKNOWN: return "nobody asked";
	case ERR_NOT_MINE: return "not of this protocol";
	case ERR_FORMAT: return "another length than asked for";
	default: return "not understood";
	}
}

static void take_frame(struct monitor_view *view, int64_t at_us, const struct piece *piece)
{
	struct serial_frame frame = {.view = view, .piece = piece, .before = view->listener};
	struct held_line line = {0};
	struct head head = {0};
	char name[VIEW_NAME_SIZE];
	const int err = take_values(view, &frame, &line);

	view->listener = frame.after;
	if (err == ERR_CHECKSUM) {
		count_error(view, cause_of(err));
		put_trouble(view, at_us, cause_of(err), piece->bytes, piece->count);
		goto out;
	}
	if (piece->bytes[0] == '~')
		head_of_pylon(&frame, &head);
	else
		head_of_modbus(&frame, &head);
	put_head(view, at_us, &head);
	put_question(&frame);
	if (view->raw || err) {
		fputs("  ", view->out);
		put_bytes(view, piece->bytes, piece->count);
	}
	if (err) {
		count_error(view, cause_of(err));
		fprintf(view->out, "  (%s)", cause_of(err));
	}
	fprintf(view->out, "%s\n", line.text ? line.text : "");
	row_name(&head, name);
	count_frame(view, name, at_us);
out:
	free(line.text);
}

/* A record that nobody signed waits for its signature until the line is quiet; it is whole. */
static bool is_whole(const struct monitor_view *view, const struct piece *piece)
{
	struct wire_listener listener = view->listener;
	struct wire_values *values = malloc(sizeof *values);
	bool whole = false;

	if (values) {
		wire_values_clear(values);
		whole = wire_decode_serial(view->wire, view->ctx, &listener, piece->bytes,
					   piece->count, values) == 0;
	}
	free(values);
	return whole;
}

static void take_pieces(struct monitor_view *view, bool quiet)
{
	static const char *const causes[] = {[PIECE_CHECKSUM] = "checksum",
					     [PIECE_SHORT] = "cut short",
					     [PIECE_NOISE] = "noise"};
	struct piece piece;
	enum piece_kind kind;

	while ((kind = splitter_next(&view->splitter, quiet, &piece)) != PIECE_NONE) {
		if (kind == PIECE_FRAME || (kind == PIECE_SHORT && is_whole(view, &piece))) {
			take_frame(view, view->burst_us, &piece);
			continue;
		}
		count_error(view, causes[kind]);
		put_trouble(view, view->burst_us, causes[kind], piece.bytes, piece.count);
	}
}

void view_serial(struct monitor_view *view, int64_t at_us, const uint8_t *bytes, size_t count)
{
	view->burst_us = at_us;
	splitter_add(&view->splitter, bytes, count);
	take_pieces(view, false);
}

void view_quiet(struct monitor_view *view)
{
	take_pieces(view, true);
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
