// SPDX-License-Identifier: Apache-2.0
/* Frames that begin with 4E 57 ("NW"), as JK's packs without a parallel bus exchange them with
 * GPS modules and monitors: head, identification codes with values, a sum. Facts: vendor text of
 * the monitoring platform protocol up to V2.5 (2020-12-17), captures.
 *
 * Only bytes: no codes, no fields. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "onepack/err.h"

#define JK4E_OVERHEAD 20  /* bytes of a frame without data */
#define JK4E_LONGEST  602 /* longer ones are not believed */
#define JK4E_MAX_DATA (JK4E_LONGEST - JK4E_OVERHEAD)

enum jk4e_command {
	JK4E_ACTIVATE = 1,
	JK4E_WRITE = 2,
	JK4E_READ = 3,
	JK4E_PASSWORD = 5,
	JK4E_READ_ALL = 6
};

enum jk4e_source { JK4E_FROM_BMS, JK4E_FROM_BLUETOOTH, JK4E_FROM_GPS, JK4E_FROM_PC };

enum jk4e_type { JK4E_QUESTION, JK4E_ANSWER, JK4E_UPLOAD };

struct jk4e_frame {
	uint32_t terminal; /* number of the device, 0 in all captures */
	uint32_t record;   /* running number, repeated in the answer */
	uint8_t command, source, type;
	const uint8_t *data; /* behind the head, not owned */
	size_t data_bytes;
};

/* Finds the first whole frame with a good sum: its length, at *start. A damaged or torn one in
 * front of it is passed over. ERR_INCOMPLETE, ERR_CHECKSUM, 0: as wire_scan(). */
int jk4e_scan(const uint8_t *bytes, size_t count, size_t *start);

/* Reads a frame that jk4e_scan found: 0, ERR_CHECKSUM or ERR_FORMAT. */
int jk4e_read(const uint8_t *frame, size_t count, struct jk4e_frame *out);

/* Writes a frame. Its length, or ERR_SPACE. */
int jk4e_build(const struct jk4e_frame *frame, uint8_t *out, size_t size);
