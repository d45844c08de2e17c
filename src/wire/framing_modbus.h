// SPDX-License-Identifier: Apache-2.0
/* What the two halves of the Modbus framing share: slave and settings in framing_modbus.c, master
 * and listener in modbus_master.c. */
#pragma once

#include "rtu_wide.h"
#include "wire_internal.h"

/* Place of a register in bytes. */
size_t modbus_place(const struct wire *wire, uint32_t start);

/* Some message also exists as a JK record. */
bool modbus_has_records(const struct wire *wire);

/* How Voltronic's answers begin, by the option `reply`. */
enum rtu_reply modbus_reply(const struct wire *wire, const struct wire_context *ctx);

/* The functions of struct framing_ops. */
int modbus_request(const struct wire *wire, int index, const struct wire_context *ctx, int address,
		   uint8_t *out, size_t size);
int modbus_response(const struct wire *wire, int index, const struct wire_context *ctx, int address,
		    const uint8_t *bytes, size_t count, struct wire_values *out);
int modbus_response_length(const struct wire *wire, int index);
int modbus_decode(const struct wire *wire, const struct wire_context *ctx,
		  struct wire_listener *listener, const uint8_t *frame, size_t count,
		  struct wire_values *out);
