// SPDX-License-Identifier: Apache-2.0
/* Pylon ASCII: settings of the file. */
#include "load.h"

const struct framing_ops framing_pylon = {
	.key = "pylon", .message_key = "command", .order = ORDER_BIG, .load = load_pylon};
