// SPDX-License-Identifier: Apache-2.0
/* Text that `onepack wire` reads and writes: CAN frames as people and candump write them, bytes in
 * hex, and JSON objects one after another. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "onepack/can.h"

/* One frame: "351#1402740E", "(1234.5) can0 351#1402", "can0  351   [2]  14 02", "351 [2] 14 02".
 * More than three digits of id are a 29-bit id. 0 or ERR_FORMAT. */
int wire_parse_frame(const char *line, struct can_message *out);

/* "351#1402"; text of at least 32 bytes. */
void wire_print_frame(const struct can_message *frame, char *text);

/* "01 03 0c d8" or "01030CD8" -> bytes; a line that starts with ~ is taken as it stands. Returns
 * how many, ERR_FORMAT for anything else, ERR_SPACE. */
int wire_parse_hex(const char *line, uint8_t *out, size_t size);

/* True for a line of nothing but white space. */
bool wire_is_blank(const char *line);

/* The text of the next JSON object of a stream, which may span lines: a new string, NULL at the
 * end. *line counts lines read, *start is where it began. What is no object is returned as the
 * rest of its line. */
char *wire_next_object(FILE *file, int *line, int *start);
