// SPDX-License-Identifier: Apache-2.0
/* Serial lines in the monitor: what is heard is cut into frames, whoever sent them. Questions say
 * nothing; an answer belongs to the question before it. */
#include "monitor_line.h"

#include <stdlib.h>
#include <string.h>

enum { JK_TYPE_AT = 4, JK_MAGIC = 0x55, JK_RECORD = 300, JK_ACK = 8, PYLON_ADDRESS_AT = 3 };
enum { JK4E_COMMAND_AT = 8, JK4E_CODE_AT = 11, JK4E_ONE = 3 };
enum { NIU_ADDRESS_AT = 1, NIU_DATA_AT = 6, NIU_ADDED = 0x33 };

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

static void head_of_pylon(const struct serial_frame *frame, struct view_head *head)
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
static void head_of_record(const struct serial_frame *frame, struct view_head *head)
{
	const struct piece *piece = frame->piece;

	if (piece->count >= JK_RECORD + JK_ACK)
		snprintf(head->number, sizeof head->number, "%d",
			 piece->bytes[piece->count - JK_ACK]);
	snprintf(head->name, sizeof head->name, "%s",
		 name_of_record(frame->view, piece->bytes[JK_TYPE_AT]));
}

static void head_of_modbus(const struct serial_frame *frame, struct view_head *head)
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

/* JK's 4E 57 frames name a code when one is asked for alone. */
static void head_of_jk4e(const struct serial_frame *frame, struct view_head *head)
{
	const uint8_t *bytes = frame->piece->bytes;
	const bool one = frame->piece->count > JK4E_CODE_AT && bytes[JK4E_COMMAND_AT] == JK4E_ONE;

	head->who = frame->piece->side == WIRE_FROM_MASTER ? "ask" : "says";
	snprintf(head->name, sizeof head->name, "%s",
		 one ? name_of_register(frame->view, bytes[JK4E_CODE_AT], false) : "all");
}

/* NIU's data bytes travel with 33 added. */
static void head_of_niu(const struct serial_frame *frame, struct view_head *head)
{
	const struct piece *piece = frame->piece;
	const bool asks = piece->side == WIRE_FROM_MASTER;

	head->who = asks ? "ask" : "says";
	if (piece->count <= NIU_DATA_AT)
		return;
	const uint32_t place =
		asks ? (uint8_t)(piece->bytes[NIU_DATA_AT] - NIU_ADDED) : frame->before.start;

	snprintf(head->number, sizeof head->number, "%02X", piece->bytes[NIU_ADDRESS_AT]);
	snprintf(head->name, sizeof head->name, "%s", name_of_register(frame->view, place, false));
}

static void put_question(const struct serial_frame *frame)
{
	const uint8_t *bytes = frame->piece->bytes;
	FILE *out = frame->view->out;

	const enum wire_framing framing = frame->view->info.framing;

	if (bytes[0] == '~' || framing == WIRE_JK4E || framing == WIRE_NIU ||
	    frame->piece->side != WIRE_FROM_MASTER || frame->piece->count < 8)
		return;
	fprintf(out, "  function %d, register 0x%02X%02X", bytes[1], bytes[2], bytes[3]);
	if (bytes[1] != 6)
		fprintf(out, ", %d of them", bytes[4] << 8 | bytes[5]);
}

/* Inside a line of a question "the inverter is alive" is no news. */
static void put_serial_value(void *context, const char *key, const char *text, bool changed)
{
	if (strcmp(key, "inverter_alive") != 0)
		view_put_value(context, key, text, changed);
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
	struct view_head head = {0};
	char name[VIEW_NAME_SIZE];
	const int err = take_values(view, &frame, &line);

	view->listener = frame.after;
	if (err == ERR_CHECKSUM) {
		view_count_error(view, cause_of(err));
		view_put_trouble(view, at_us, cause_of(err), piece->bytes, piece->count);
		goto out;
	}
	if (piece->bytes[0] == '~')
		head_of_pylon(&frame, &head);
	else if (view->info.framing == WIRE_JK4E)
		head_of_jk4e(&frame, &head);
	else if (view->info.framing == WIRE_NIU)
		head_of_niu(&frame, &head);
	else
		head_of_modbus(&frame, &head);
	view_put_head(view, at_us, &head);
	put_question(&frame);
	if (view->raw || err) {
		fputs("  ", view->out);
		view_put_bytes(view, piece->bytes, piece->count);
	}
	if (err) {
		view_count_error(view, cause_of(err));
		fprintf(view->out, "  (%s)", cause_of(err));
	}
	fprintf(view->out, "%s\n", line.text ? line.text : "");
	view_row_name(&head, name);
	view_count(view, name, at_us);
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
		view_count_error(view, causes[kind]);
		view_put_trouble(view, view->burst_us, causes[kind], piece.bytes, piece.count);
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
