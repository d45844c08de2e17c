// SPDX-License-Identifier: Apache-2.0
/* The two halves of `onepack wire show`: lines of fields, and what is around them. */
#pragma once

#include "layout.h"

struct table {
	FILE *out;
	const struct wire *wire;
	const struct message *message;
	enum scope scope;
	int depth; /* of conditions and repeats, for indenting */
};

/* The line of one field at byte `at` of the message; conditions and repeats are not fields. */
void show_plain(const struct table *table, const struct item *item, int at);

/* Ends a line with the item's help, if it has any. */
void show_help(const struct table *table, const struct item *item);

/* "CAN, 500000 bit/s", without the end of the line. */
void show_bus(const struct wire *wire, FILE *out);

/* One message: its head and its fields, after an empty line. */
void show_message(const struct wire *wire, int index, FILE *out);
