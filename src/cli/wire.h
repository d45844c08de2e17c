// SPDX-License-Identifier: Apache-2.0
/* `onepack wire`: what its sub-commands share. */
#pragma once

#include <stdbool.h>

#include "onepack/wire.h"

struct wire_args {
	const char *what; /* ID or FILE */
	const char *battery_path;
	const char *tree; /* of sources, for notes and vectors */
	bool from_inverter, json, names, index, help;
	int option_count;
	const char *options[WIRE_MAX_OPTIONS]; /* "K=V" */
	int address;                           /* -1 = the protocol's default */
};

/* The protocol that args->what names, and a context with its options. NULL after a complaint. */
struct wire *command_wire_open(const struct wire_args *args, struct wire_context *ctx);

/* Sub-commands; exit statuses. */
int command_wire_encode(const struct wire_args *args);
int command_wire_decode(const struct wire_args *args);
int command_wire_answer(const struct wire_args *args);
int command_wire_doc(const struct wire_args *args);
