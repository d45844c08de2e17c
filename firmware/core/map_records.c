// SPDX-License-Identifier: Apache-2.0
/* Windows on the event log 0A00 and the fault snapshots 0B00: write the number wanted, read what
 * follows from there. Reading again gives the same. */
#include <string.h>

#include "bytes.h"
#include "map.h"

enum { AT_OLDEST = 0x00, AT_NEWEST = 0x02, AT_POINTER = 0x04, AT_COUNT = 0x06, AT_RECORDS = 0x10 };

#define LOG_RECORDS 14 /* in a window: as many as one answer can carry */
#define LOG_WORDS   (FW_LOG_RECORD / 2)
#define WORD        2

/* What the two windows differ in. */
struct view {
	const struct fw_ring *ring;
	uint32_t pointer;
	unsigned records, record_words;
	uint32_t (*read)(const struct fw_server *server, uint32_t from, uint8_t *out);
};

static uint32_t read_log(const struct fw_server *server, uint32_t from, uint8_t *out)
{
	return fw_log_read(&server->log, from, out);
}

static uint32_t read_snapshot(const struct fw_server *server, uint32_t from, uint8_t *out)
{
	return fw_snapshots_read(&server->snapshots, from, out);
}

/* Copies the words of `from` (which begin at `at`) that lie in the range asked for. */
static void overlay(uint16_t offset, uint16_t words, uint8_t *out, unsigned at, unsigned count,
		    const uint8_t *from)
{
	for (unsigned i = 0; i < count; i++)
		if (at + i >= offset && at + i - offset < words)
			fw_put_word(out, at + i - offset, fw_get_word(from, i));
}

static void overlay_long(uint16_t offset, uint16_t words, uint8_t *out, unsigned at, uint32_t value)
{
	uint8_t bytes[4];

	fw_put_u32be(bytes, value);
	overlay(offset, words, out, at, 2, bytes);
}

static enum fw_exception read_view(const struct fw_server *server, const struct view *view,
				   uint16_t offset, uint16_t words, uint8_t *out)
{
	uint8_t record[FW_RING_RECORD_MAX], count[WORD];
	uint32_t next = view->pointer;
	unsigned found = 0;

	memset(out, 0, WORD * (size_t)words);
	overlay_long(offset, words, out, AT_OLDEST, fw_ring_oldest(view->ring));
	overlay_long(offset, words, out, AT_NEWEST, fw_ring_newest(view->ring));
	overlay_long(offset, words, out, AT_POINTER, view->pointer);
	if (offset + words <= AT_COUNT)
		return FW_FINE;
	for (; found < view->records; found++) {
		const uint32_t number = view->read(server, next, record);

		if (number == 0)
			break;
		overlay(offset, words, out, AT_RECORDS + found * view->record_words,
			view->record_words, record);
		next = number + 1;
	}
	fw_put_u16be(count, found);
	overlay(offset, words, out, AT_COUNT, 1, count);
	return FW_FINE;
}

static enum fw_exception write_pointer(const struct fw_access *access, uint16_t offset,
				       uint16_t words, const uint8_t *data, uint32_t *pointer)
{
	if (access->broadcast || offset != AT_POINTER)
		return FW_ILLEGAL_REGISTER;
	if (words != 2)
		return FW_ILLEGAL_VALUE;
	*pointer = fw_get_u32be(data);
	return FW_FINE;
}

enum fw_exception fw_map_log(const struct fw_access *access, uint16_t offset, uint16_t words,
			     uint8_t *out)
{
	const struct view view = {.ring = &access->server->log.ring,
				  .pointer = access->server->log_pointer,
				  .records = LOG_RECORDS,
				  .record_words = LOG_WORDS,
				  .read = read_log};

	return read_view(access->server, &view, offset, words, out);
}

enum fw_exception fw_map_write_log(const struct fw_access *access, uint16_t offset, uint16_t words,
				   const uint8_t *data)
{
	return write_pointer(access, offset, words, data, &access->server->log_pointer);
}

enum fw_exception fw_map_snapshots(const struct fw_access *access, uint16_t offset, uint16_t words,
				   uint8_t *out)
{
	const struct view view = {.ring = &access->server->snapshots.ring,
				  .pointer = access->server->snapshot_pointer,
				  .records = 1,
				  .record_words = FW_SNAPSHOT_RECORD / WORD,
				  .read = read_snapshot};

	return read_view(access->server, &view, offset, words, out);
}

enum fw_exception fw_map_write_snapshots(const struct fw_access *access, uint16_t offset,
					 uint16_t words, const uint8_t *data)
{
	return write_pointer(access, offset, words, data, &access->server->snapshot_pointer);
}
