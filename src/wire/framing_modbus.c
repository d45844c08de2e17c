// SPDX-License-Identifier: Apache-2.0
/* Modbus RTU, and the JK records that a write triggers: settings of the file. */
#include "load.h"

const struct framing_ops framing_modbus = {
	.key = "modbus", .message_key = "registers", .order = ORDER_BIG, .load = load_modbus};
