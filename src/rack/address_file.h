// SPDX-License-Identifier: Apache-2.0
/* The file that keeps which pack was given which address: one line each, "ADDRESS ID" with the
 * unique id in hex. Written whole, so that a power cut leaves the old one or the new one. */
#pragma once

#include "search.h"

/* What is not there or not readable is nobody. */
void address_file_load(const char *path, uint32_t kept[SEARCH_ADDRESSES]);

/* 0 or -errno; no path is fine. */
int address_file_save(const char *path, const uint32_t kept[SEARCH_ADDRESSES]);
