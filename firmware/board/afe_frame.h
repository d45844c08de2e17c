// SPDX-License-Identifier: Apache-2.0
/* The frames between a board and what stands for its analog front end; docs/firmware/afe-link.md is
 * the specification. Pure, and used by both ends: the board and the plant simulator.
 *
 * A frame: A5, kind, count of payload bytes, payload, CRC-16 (that of Modbus, low byte first) over
 * everything before it. Numbers are little-endian. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/core/measurement.h"

#define FW_AFE_BAUD      921600u
#define FW_AFE_MAX_FRAME 160u

/* Writes a frame and returns its length. Values beyond what a field holds are clamped; cell counts
 * beyond FW_MAX_CELLS, too. */
uint32_t fw_afe_write_measurement(const struct fw_measurement *measurement,
				  uint8_t frame[FW_AFE_MAX_FRAME]);

/* `sequence` of the measurement that these outputs answer. */
uint32_t fw_afe_write_outputs(const struct fw_outputs *outputs, uint32_t sequence,
			      uint8_t frame[FW_AFE_MAX_FRAME]);

enum fw_afe_kind { FW_AFE_NOTHING = 0, FW_AFE_MEASUREMENT = 0x4D, FW_AFE_OUTPUTS = 0x4F };

/* Collects bytes of a stream into frames; all zero is a fresh one. */
struct fw_afe_reader {
	uint8_t frame[FW_AFE_MAX_FRAME];
	uint32_t count;
	uint32_t done;   /* of them: the frame that was handed out last */
	uint32_t errors; /* times that bytes were thrown away */
};

/* The next byte; the kind of the frame that it completes, whose payload the two functions below
 * take out of the reader before the next byte. */
enum fw_afe_kind fw_afe_read(struct fw_afe_reader *reader, uint8_t byte);

/* False, and nothing written, when the payload does not fit its own counts. */
bool fw_afe_get_measurement(const struct fw_afe_reader *reader, struct fw_measurement *out);
bool fw_afe_get_outputs(const struct fw_afe_reader *reader, struct fw_outputs *out,
			uint32_t *sequence);
