// SPDX-License-Identifier: Apache-2.0
/* `onepack wire encode | decode | answer`: lines in, lines out. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "onepack/json.h"
#include "wire.h"
#include "wire_text.h"

/* --- batteries and packs from JSON --- */

/* What a protocol speaks of. */
union subject {
	struct battery battery;
	struct pack pack;
};

/* The next object of the file: 1, 0 at the end, -1 for something unreadable (reported). */
static int next_subject(FILE *file, enum wire_scope scope, int *line, union subject *out)
{
	int start = *line, err;
	char *text = wire_next_object(file, line, &start);
	json_error_t error;
	json_t *json;

	if (!text)
		return 0;
	json = json_loads(text, JSON_DECODE_INT_AS_REAL, &error); /* huge integers too */
	free(text);
	err = scope == WIRE_OF_PACK ? json_to_pack(json, &out->pack)
				    : json_to_battery(json, &out->battery);
	if (err)
		fprintf(stderr, "line %d: not a JSON object: %s\n", start,
			json ? "something else" : error.text);
	json_decref(json);
	return err ? -1 : 1;
}

static FILE *open_input(const char *path)
{
	FILE *file = path ? fopen(path, "rb") : stdin;

	if (!file)
		fprintf(stderr, "onepack wire: %s: %s\n", path, strerror(errno));
	return file;
}

/* --- encode --- */

static void print_frames(const struct wire *wire, const struct wire_context *ctx,
			 const struct battery *battery)
{
	for (int i = 0; i < wire_message_count(wire); i++) {
		struct can_message frame;
		char text[32];

		if (wire_encode_can(wire, i, ctx, battery, &frame) != 1)
			continue;
		wire_print_frame(&frame, text);
		puts(text);
	}
}

static bool is_can(const struct wire *wire)
{
	struct wire_info info;

	wire_get_info(wire, &info);
	return info.framing == WIRE_CAN;
}

static int encode_all(const struct wire *wire, const struct wire_context *ctx, FILE *file)
{
	union subject subject;
	int line = 1, status = 0, got;

	for (int n = 0; (got = next_subject(file, WIRE_OF_BATTERY, &line, &subject)) != 0; n++) {
		if (n)
			putchar('\n');
		if (got > 0)
			print_frames(wire, ctx, &subject.battery);
		else
			status = 1;
		fflush(stdout);
	}
	return status;
}

int command_wire_encode(const struct wire_args *args)
{
	struct wire_context ctx;
	struct wire *wire = command_wire_open(args, &ctx);
	FILE *file = wire ? open_input(args->battery_path) : NULL;
	int status = 1;

	if (file && is_can(wire))
		status = encode_all(wire, &ctx, file);
	else if (file)
		fprintf(stderr, "onepack wire: %s only speaks when asked: `onepack wire answer`\n",
			args->what);
	if (file && file != stdin)
		fclose(file);
	wire_free(wire);
	return status;
}

/* --- decode --- */

#define MAX_STRANGERS 64 /* ids that are not of this protocol are told once each */

struct decoder {
	const struct wire *wire;
	const struct wire_context *ctx;
	struct wire_listener listener;
	struct wire_values values;
	int line;
	uint32_t strangers[MAX_STRANGERS];
	int stranger_count;
};

static void tell_stranger(struct decoder *decoder, const struct can_message *frame)
{
	for (int i = 0; i < decoder->stranger_count; i++)
		if (decoder->strangers[i] == frame->id)
			return;
	if (decoder->stranger_count == MAX_STRANGERS)
		return;
	decoder->strangers[decoder->stranger_count++] = frame->id;
	fprintf(stderr, "line %d: id %X is not in this protocol\n", decoder->line, frame->id);
}

static void decode_can_line(struct decoder *decoder, const char *text)
{
	struct can_message frame;
	int err;

	if (wire_parse_frame(text, &frame)) {
		fprintf(stderr, "line %d: not a CAN frame: %.*s\n", decoder->line,
			(int)strcspn(text, "\r\n"), text);
		return;
	}
	err = wire_decode_can(decoder->wire, decoder->ctx, &frame, &decoder->values);
	if (err == ERR_NOT_MINE)
		tell_stranger(decoder, &frame);
	else if (err)
		fprintf(stderr, "line %d: too short: %.*s\n", decoder->line,
			(int)strcspn(text, "\r\n"), text);
}

/* The first frame of either side in the bytes; 0 when there is none. */
static int find_frame(const struct wire *wire, const uint8_t *bytes, size_t count, size_t *start)
{
	size_t from_slave = 0, from_master = 0;
	const int answer = wire_scan(wire, WIRE_FROM_SLAVE, bytes, count, &from_slave);
	const int request = wire_scan(wire, WIRE_FROM_MASTER, bytes, count, &from_master);

	*start = answer > 0 && (request <= 0 || from_slave <= from_master) ? from_slave
									   : from_master;
	if (answer > 0 && (request <= 0 || from_slave <= from_master))
		return answer;
	return request > 0 ? request : 0;
}

static int decode_frames(struct decoder *decoder, const uint8_t *bytes, size_t count)
{
	int frames = 0, length;
	size_t start;

	if (wire_decode_serial(decoder->wire, decoder->ctx, &decoder->listener, bytes, count,
			       &decoder->values) >= 0)
		return 1;
	for (size_t at = 0; at < count; at += start + (size_t)length) {
		length = find_frame(decoder->wire, bytes + at, count - at, &start);
		if (length <= 0)
			break;
		frames += wire_decode_serial(decoder->wire, decoder->ctx, &decoder->listener,
					     bytes + at + start, (size_t)length,
					     &decoder->values) >= 0;
	}
	return frames;
}

static void decode_serial_line(struct decoder *decoder, const char *text)
{
	uint8_t bytes[WIRE_MAX_FRAME];
	const int count = wire_parse_hex(text, bytes, sizeof bytes);

	if (count < 0)
		fprintf(stderr, "line %d: not bytes in hex: %.60s\n", decoder->line, text);
	else if (!decode_frames(decoder, bytes, (size_t)count))
		fprintf(stderr, "line %d: no frame that makes sense: %.*s\n", decoder->line,
			(int)strcspn(text, "\r\n"), text);
}

static void print_values(const struct decoder *decoder, bool from_inverter)
{
	const struct wire_values *values = &decoder->values;
	struct wire_info info;
	json_t *json;

	wire_get_info(decoder->wire, &info);
	if (from_inverter) {
		json = json_object();
		json_add_known(json, &values->inverter, &field_inverter);
	} else if (info.scope == WIRE_OF_PACK) {
		json = json_known_pack(&values->pack);
	} else {
		json = json_known_battery(&values->battery);
	}
	/* alarm bits that were there and clear are news too */
	if (!from_inverter && values->said_protections && !json_object_get(json, "protections"))
		json_object_set_new(json, "protections", json_array());
	if (!from_inverter && values->said_warnings && !json_object_get(json, "warnings"))
		json_object_set_new(json, "warnings", json_array());
	json_dumpf(json, stdout, ONEPACK_JSON_FLAGS);
	putchar('\n');
	json_decref(json);
}

int command_wire_decode(const struct wire_args *args)
{
	struct wire_context ctx;
	struct wire *wire = command_wire_open(args, &ctx);
	struct decoder decoder = {.wire = wire, .ctx = &ctx};
	char *text = NULL;
	size_t size = 0;

	if (!wire)
		return 1;
	wire_values_clear(&decoder.values);
	while (getline(&text, &size, stdin) > 0) {
		decoder.line++;
		if (wire_is_blank(text))
			continue;
		if (is_can(wire))
			decode_can_line(&decoder, text);
		else
			decode_serial_line(&decoder, text);
	}
	print_values(&decoder, args->from_inverter);
	free(text);
	wire_free(wire);
	return 0;
}

/* --- answer --- */

static void print_hex(const uint8_t *bytes, int count)
{
	for (int i = 0; i < count; i++)
		printf("%02X", bytes[i]);
}

/* Answers every frame among the bytes; true when anything was said. */
static bool answer_bytes(const struct wire *wire, const struct wire_context *ctx,
			 const union subject *who, const uint8_t *bytes, size_t count)
{
	uint8_t answer[WIRE_MAX_FRAME];
	bool said = false;
	size_t start = 0;
	int length;

	for (size_t at = 0; at < count; at += start + (size_t)length) {
		length = wire_scan(wire, WIRE_FROM_MASTER, bytes + at, count - at, &start);
		if (length == ERR_CHECKSUM) { /* may hide a good one: go on behind its start */
			length = 1;
			continue;
		}
		if (length <= 0)
			break;
		const int size = wire_answer(wire, ctx, who, bytes + at + start, (size_t)length,
					     answer, sizeof answer);
		print_hex(answer, size);
		said |= size > 0;
	}
	return said;
}

static void answer_line(const struct wire *wire, const struct wire_context *ctx,
			const union subject *who, const char *text, int line)
{
	uint8_t bytes[WIRE_MAX_FRAME];
	int count;

	if (wire_is_blank(text))
		return;
	count = wire_parse_hex(text, bytes, sizeof bytes);
	if (count < 0)
		fprintf(stderr, "line %d: not bytes in hex: %.60s\n", line, text);
	if (count < 0 || !answer_bytes(wire, ctx, who, bytes, (size_t)count))
		putchar('-');
	putchar('\n');
	fflush(stdout);
}

struct lines {
	char **text;
	int count;
};

static void read_lines(struct lines *lines)
{
	char *text = NULL, **grown;
	size_t size = 0;

	while (getline(&text, &size, stdin) > 0) {
		grown = realloc(lines->text, (size_t)(lines->count + 1) * sizeof *grown);
		if (!grown)
			break;
		lines->text = grown;
		lines->text[lines->count++] = text;
		text = NULL;
		size = 0;
	}
	free(text);
}

static void free_lines(struct lines *lines)
{
	for (int i = 0; i < lines->count; i++)
		free(lines->text[i]);
	free(lines->text);
}

/* One battery: answers line by line as they come. */
static void answer_stream(const struct wire *wire, const struct wire_context *ctx,
			  const union subject *who)
{
	char *text = NULL;
	size_t size = 0;

	for (int line = 1; getline(&text, &size, stdin) > 0; line++)
		answer_line(wire, ctx, who, text, line);
	free(text);
}

/* Several batteries: all requests for each of them, blocks with an empty line between. */
static int answer_blocks(const struct wire *wire, const struct wire_context *ctx, FILE *file,
			 int *line, union subject *who, union subject *next, int got)
{
	struct wire_info info;
	struct lines lines = {0};
	int status = 0;

	wire_get_info(wire, &info);
	read_lines(&lines);
	for (;;) {
		for (int i = 0; who && i < lines.count; i++)
			answer_line(wire, ctx, who, lines.text[i], i + 1);
		if (got == 0)
			break;
		putchar('\n');
		status |= got < 0;
		who = got > 0 ? memcpy(next + 1, next, sizeof *next) : NULL;
		got = next_subject(file, info.scope, line, next);
	}
	free_lines(&lines);
	return status;
}

static int answer_all(const struct wire *wire, const struct wire_context *ctx, FILE *file)
{
	union subject *subjects = calloc(3, sizeof *subjects); /* now, the next, a copy of it */
	struct wire_info info;
	int line = 1, status = 1, got;

	wire_get_info(wire, &info);
	if (!subjects || next_subject(file, info.scope, &line, &subjects[0]) != 1)
		goto out;
	got = next_subject(file, info.scope, &line, &subjects[1]);
	status = 0;
	if (got == 0)
		answer_stream(wire, ctx, &subjects[0]);
	else
		status = answer_blocks(wire, ctx, file, &line, &subjects[0], &subjects[1], got);
out:
	free(subjects);
	return status;
}

int command_wire_answer(const struct wire_args *args)
{
	struct wire_context ctx;
	struct wire *wire = command_wire_open(args, &ctx);
	FILE *file = wire ? open_input(args->battery_path) : NULL;
	int status = 1;

	if (file && !is_can(wire))
		status = answer_all(wire, &ctx, file);
	else if (file)
		fprintf(stderr,
			"onepack wire: %s is not asked, it speaks by itself: `onepack wire "
			"encode`\n",
			args->what);
	if (file && file != stdin)
		fclose(file);
	wire_free(wire);
	return status;
}
