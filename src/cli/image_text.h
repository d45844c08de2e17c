// SPDX-License-Identifier: Apache-2.0
/* Words of the command line about images, as numbers. 0, or ERR_FORMAT; then the output is
 * untouched. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "image.h"

/* Decimal or 0x hex, of exactly `length` characters. */
int image_text_number(const char *text, size_t length, uint32_t max, uint32_t *out);

/* "1.2.3" or "1.2.3+45" */
int image_text_version(const char *text, struct image_version *out);

/* "2-4" or "3" */
int image_text_range(const char *text, uint16_t *low, uint16_t *high);
