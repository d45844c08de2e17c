// SPDX-License-Identifier: Apache-2.0
/* The register map of the parallel protocol: which block serves a register. Each block is a table
 * or a few functions in a map_*.c; offsets within them count from the block's first register. The
 * pages docs/protocols/pack/onepack.md and protocols/pack/onepack.yaml describe it to others. */
#pragma once

#include "server.h"

/* A request with what must be known to serve it. */
struct fw_access {
	struct fw_server *server;
	uint64_t now_ms;
	bool broadcast;
};

/* Reads registers into out[2 * words]. */
enum fw_exception fw_map_read(const struct fw_access *access, uint16_t start, uint16_t words,
			      uint8_t *out);

/* Writes registers: all of them or none. */
enum fw_exception fw_map_write(const struct fw_access *access, uint16_t start, uint16_t words,
			       const uint8_t *data);

/* --- tables of read-only registers --- */

enum fw_row_kind {
	FW_ROW_U8,    /* uint8_t member, one word */
	FW_ROW_U16,   /* uint16_t member */
	FW_ROW_U32,   /* uint32_t member, two words, high word first */
	FW_ROW_I_U16, /* int32_t member that may be FW_UNKNOWN (FFFF), divided, in one word */
	FW_ROW_I_S16, /* the same signed (8000) */
	FW_ROW_I_U32, /* in two words, unknown FFFFFFFF */
	FW_ROW_I_S32, /* unknown 80000000 */
	FW_ROW_TEXT,  /* char member, two characters a word, zero-padded */
	FW_ROW_CALL,  /* a function's value in one word */
	FW_ROW_CALL32 /* in two */
};

struct fw_row {
	uint16_t reg;   /* offset in the block */
	uint8_t kind;   /* enum fw_row_kind */
	uint8_t count;  /* elements of a run */
	int16_t divide; /* one step on the wire is so many of the member */
	uint16_t offset;
	uint32_t (*call)(const struct fw_access *access, int index);
};

/* Fills out[2 * words] with registers `start`.. of a table; what no row has is 0. */
void fw_rows_read(const struct fw_access *access, const struct fw_row *rows, int row_count,
		  const void *base, uint16_t start, uint16_t words, uint8_t *out);

/* --- the blocks --- */

typedef enum fw_exception fw_block_read(const struct fw_access *access, uint16_t offset,
					uint16_t words, uint8_t *out);
typedef enum fw_exception fw_block_write(const struct fw_access *access, uint16_t offset,
					 uint16_t words, const uint8_t *data);

fw_block_read fw_map_identity, fw_map_live, fw_map_counters, fw_map_parameters, fw_map_control,
	fw_map_addressing, fw_map_log, fw_map_snapshots;
fw_block_write fw_map_write_parameters, fw_map_write_control, fw_map_write_addressing,
	fw_map_write_log, fw_map_write_snapshots;

/* Freezes live block and counters as they are now. */
void fw_map_latch(const struct fw_access *access);

/* The live block as it is now, for snapshots. */
void fw_map_live_now(const struct fw_access *access, uint16_t offset, uint16_t words, uint8_t *out);

/* Writes an event of the protocol's own into the pack's ring. */
void fw_map_note(const struct fw_access *access, int code, int32_t v1, int32_t v2);
