// SPDX-License-Identifier: Apache-2.0
/* Compares secrets in a time that does not depend on where they differ. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

bool fw_equal(const void *a, const void *b, size_t count);
