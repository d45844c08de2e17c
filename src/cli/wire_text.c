// SPDX-License-Identifier: Apache-2.0
/* Reading and writing of the texts of `onepack wire`; see wire_text.h. */
#include "wire_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "onepack/err.h"

#define MAX_WORDS 32
#define WORD_SIZE 48

struct words {
	int count;
	char word[MAX_WORDS][WORD_SIZE];
};

/* Splits at white space. False when there is more than anything readable has. */
static bool split(const char *line, struct words *out)
{
	out->count = 0;
	for (;;) {
		size_t length;

		line += strspn(line, " \t\r\n");
		if (!*line || *line == '\'') /* candump -a shows the bytes as text behind */
			return true;
		length = strcspn(line, " \t\r\n");
		if (length >= WORD_SIZE || out->count == MAX_WORDS)
			return false;
		memcpy(out->word[out->count], line, length);
		out->word[out->count++][length] = '\0';
		line += length;
	}
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Two digits; -1 when they are not. */
static int hex_byte(const char *text)
{
	const int high = digit(text[0]), low = high < 0 ? -1 : digit(text[1]);

	return low < 0 ? -1 : high * 16 + low;
}

static int parse_id(const char *text, size_t length, struct can_message *out)
{
	uint32_t id = 0;

	if (length < 1 || length > 8)
		return ERR_FORMAT;
	for (size_t i = 0; i < length; i++) {
		if (digit(text[i]) < 0)
			return ERR_FORMAT;
		id = id << 4 | (uint32_t)digit(text[i]);
	}
	out->extended = length > 3;
	out->id = id;
	return id > (out->extended ? 0x1FFFFFFFu : 0x7FFu) ? ERR_FORMAT : 0;
}

/* "351#14.02740E" */
static int parse_compact(const char *text, struct can_message *out)
{
	const char *hash = strchr(text, '#'), *hex = hash + 1;

	if (parse_id(text, (size_t)(hash - text), out))
		return ERR_FORMAT;
	while (*hex) {
		if (*hex == '.') {
			hex++;
			continue;
		}
		if (out->length == 8 || hex_byte(hex) < 0)
			return ERR_FORMAT;
		out->data[out->length++] = (uint8_t)hex_byte(hex);
		hex += 2;
	}
	return 0;
}

/* words "351", "[2]", "14", "02" from `at` on */
static int parse_columns(const struct words *words, int at, struct can_message *out)
{
	const char *count = words->word[at + 1];

	if (strlen(count) != 3 || count[1] < '0' || count[1] > '8' || count[2] != ']' ||
	    words->count - at - 2 != count[1] - '0' ||
	    parse_id(words->word[at], strlen(words->word[at]), out))
		return ERR_FORMAT;
	for (int i = at + 2; i < words->count; i++) {
		const char *hex = words->word[i];

		if (strlen(hex) != 2 || hex_byte(hex) < 0)
			return ERR_FORMAT;
		out->data[out->length++] = (uint8_t)hex_byte(hex);
	}
	return 0;
}

/* What may stand before the frame: a time in brackets, an interface, candump -x marks. */
static int find_frame(const struct words *words, struct can_message *out)
{
	for (int i = 0; i < words->count; i++) {
		if (strchr(words->word[i], '#'))
			return i == words->count - 1 ||
					       (i == words->count - 2 &&
						strlen(words->word[i + 1]) == 1) /* R or T */
				       ? parse_compact(words->word[i], out)
				       : ERR_FORMAT;
		if (i + 1 < words->count && words->word[i + 1][0] == '[')
			return parse_columns(words, i, out);
	}
	return ERR_FORMAT;
}

int wire_parse_frame(const char *line, struct can_message *out)
{
	struct can_message frame = {0};
	struct words words;

	if (!split(line, &words) || find_frame(&words, &frame))
		return ERR_FORMAT;
	*out = frame;
	return 0;
}

void wire_print_frame(const struct can_message *frame, char *text)
{
	text += sprintf(text, frame->extended ? "%08X#" : "%03X#", frame->id);
	for (int i = 0; i < frame->length && i < 8; i++)
		text += sprintf(text, "%02X", frame->data[i]);
}

bool wire_is_blank(const char *line)
{
	return line[strspn(line, " \t\r\n")] == '\0';
}

static int take_text(const char *line, uint8_t *out, size_t size)
{
	const size_t length = strcspn(line, "\r\n");

	if (length + 1 > size)
		return ERR_SPACE;
	memcpy(out, line, length);
	out[length] = '\r';
	return (int)length + 1;
}

int wire_parse_hex(const char *line, uint8_t *out, size_t size)
{
	size_t count = 0;

	line += strspn(line, " \t");
	if (*line == '~')
		return take_text(line, out, size);
	while (*(line += strspn(line, " \t\r\n"))) {
		if (hex_byte(line) < 0)
			return ERR_FORMAT;
		if (count == size)
			return ERR_SPACE;
		out[count++] = (uint8_t)hex_byte(line);
		line += 2;
	}
	return count ? (int)count : ERR_FORMAT;
}

/* --- JSON objects one after another --- */

struct text {
	char *bytes;
	size_t used, size;
};

static bool append(struct text *text, int c)
{
	char *grown = text->bytes;

	if (text->used + 2 > text->size) {
		text->size = text->size ? text->size * 2 : 4096;
		grown = realloc(text->bytes, text->size);
	}
	if (!grown)
		return false;
	text->bytes = grown;
	text->bytes[text->used++] = (char)c;
	text->bytes[text->used] = '\0';
	return true;
}

char *wire_next_object(FILE *file, int *line, int *start)
{
	struct text text = {0};
	bool in_string = false, escaped = false;
	int depth = 0, c;

	while ((c = getc(file)) != EOF) {
		*line += c == '\n';
		if (!text.used && isspace(c))
			continue;
		if (!text.used)
			*start = *line;
		/* what is no object, and a text that never ends, goes to the end of the line */
		if (c == '\n' && (in_string || depth == 0))
			break;
		if (!append(&text, c))
			break;
		if (in_string)
			in_string = escaped || c != '"';
		else if (c == '"')
			in_string = true;
		escaped = in_string && c == '\\' && !escaped;
		if (!in_string && (c == '{' || c == '['))
			depth++;
		if (!in_string && (c == '}' || c == ']') && --depth <= 0)
			break;
	}
	return text.bytes;
}
