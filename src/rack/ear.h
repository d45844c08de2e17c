// SPDX-License-Identifier: Apache-2.0
/* Listens for other masters: finds questions in the bytes that nobody asked for. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "onepack/wire.h"

#define EAR_SIZE 600 /* more than one question; what does not fit is not one */

struct ear {
	size_t count;
	uint8_t bytes[EAR_SIZE];
};

void ear_clear(struct ear *ear);

/* Adds what was heard. Returns the number of whole questions that ended in it. */
int ear_hear(struct ear *ear, const struct wire *wire, const uint8_t *bytes, size_t count);
