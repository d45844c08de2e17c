// SPDX-License-Identifier: Apache-2.0
/* Messages that together are one table, of which any part may be asked for: Modbus registers, NIU's
 * bytes. Places are in bytes; a message begins at its id times `step`. */
#pragma once

#include "wire_internal.h"

/* Copies the part from..from+count of all messages of that framing into the image (zeroed by the
 * caller). Returns the number of bytes covered, ERR_UNKNOWN when one of them is not known, or
 * another error. */
int table_copy(const struct wire *wire, const struct wire_context *ctx, const void *who,
	       enum wire_framing framing, size_t from, size_t count, uint8_t *image);

/* Reads `count` bytes that lie at place `from`, for the messages of one direction. 0, ERR_NOT_MINE
 * when there are none there, ERR_INCOMPLETE when they hold no whole field. */
int table_decode(const struct wire *wire, const struct wire_context *ctx, enum wire_framing framing,
		 bool from_inverter, const uint8_t *bytes, size_t from, size_t count,
		 struct wire_values *out);

/* Place of an id in bytes. */
size_t table_place(const struct wire *wire, enum wire_framing framing, uint32_t id);
