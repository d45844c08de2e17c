// SPDX-License-Identifier: Apache-2.0
/* Flash for emulated boards: a file of the host with the manners of NOR flash. Erased bytes are
 * 0xFF, programming only clears bits. What is written is there after a reset and after the emulator
 * was killed; a kill in the middle of a write tears it, as a power cut does.
 *
 * The processor sees the file's first part as its flash from the next start of the emulator on. */
#include <stddef.h>

#include "firmware/board/emulator/emulator.h"

#define SYS_OPEN  0x01u
#define SYS_WRITE 0x05u
#define SYS_READ  0x06u
#define SYS_SEEK  0x0Au
#define UPDATE    3u /* "r+b" */
#define CHUNK     256u

static struct {
	struct fw_flash flash;
	const struct fw_emulator_area *areas;
	uint32_t handle;
} storage;

/* One call to the host; the arguments are words in memory. */
static uint32_t call_host(uint32_t operation, const uint32_t *arguments)
{
	register uint32_t r0 __asm("r0") = operation;
	register const uint32_t *r1 __asm("r1") = arguments;

	__asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
	return r0;
}

/* Reads or writes; both answer how many bytes they did not do. */
static int move(uint32_t operation, uint32_t at, const void *bytes, uint32_t count)
{
	const uint32_t seek[2] = {storage.handle, at};
	const uint32_t transfer[3] = {storage.handle, (uint32_t)bytes, count};

	if (call_host(SYS_SEEK, seek) != 0)
		return -1;
	return call_host(operation, transfer) == 0 ? 0 : -1;
}

static int is_inside(enum fw_area area, uint32_t at, uint32_t count)
{
	const struct fw_emulator_area *a = &storage.areas[area];
	const uint32_t size = a->page_size * a->page_count;

	return at <= size && count <= size - at;
}

static int read(void *context, enum fw_area area, uint32_t at, void *bytes, uint32_t count)
{
	(void)context;
	if (!is_inside(area, at, count))
		return -1;
	return move(SYS_READ, storage.areas[area].at + at, bytes, count);
}

static int program(void *context, enum fw_area area, uint32_t at, const void *bytes, uint32_t count)
{
	const uint8_t *from = bytes;
	uint8_t old[CHUNK];

	(void)context;
	if (!is_inside(area, at, count))
		return -1;
	at += storage.areas[area].at;
	for (uint32_t done = 0, part; done < count; done += part) {
		part = count - done < CHUNK ? count - done : CHUNK;
		if (move(SYS_READ, at + done, old, part) != 0)
			return -1;
		for (uint32_t i = 0; i < part; i++)
			old[i] &= from[done + i];
		if (move(SYS_WRITE, at + done, old, part) != 0)
			return -1;
	}
	return 0;
}

static int erase(void *context, enum fw_area area, uint32_t page)
{
	const struct fw_emulator_area *a = &storage.areas[area];
	uint8_t blank[CHUNK];

	(void)context;
	if (page >= a->page_count)
		return -1;
	for (uint32_t i = 0; i < CHUNK; i++)
		blank[i] = 0xFF;
	for (uint32_t done = 0; done < a->page_size; done += CHUNK)
		if (move(SYS_WRITE, a->at + page * a->page_size + done, blank, CHUNK) != 0)
			return -1;
	return 0;
}

const struct fw_flash *fw_emulator_flash(const struct fw_emulator_area areas[FW_AREAS])
{
	static const char name[] = "flash.bin";
	const uint32_t open[3] = {(uint32_t)name, UPDATE, sizeof name - 1};

	if (storage.areas != NULL)
		return storage.handle == UINT32_MAX ? NULL : &storage.flash;
	storage.areas = areas;
	storage.handle = call_host(SYS_OPEN, open);
	storage.flash = (struct fw_flash){
		.program_unit = 4, .read = read, .program = program, .erase = erase};
	for (int i = 0; i < FW_AREAS; i++) {
		storage.flash.page_size[i] = areas[i].page_size;
		storage.flash.page_count[i] = areas[i].page_count;
	}
	return storage.handle == UINT32_MAX ? NULL : &storage.flash;
}
