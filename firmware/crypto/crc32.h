// SPDX-License-Identifier: Apache-2.0
/* CRC-32 as in ISO 3309 and Ethernet (reflected 0xEDB88320). Finds torn writes and noise; not for
 * anything that somebody might forge. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The CRC of bytes that follow those whose CRC is `crc`; start with 0. */
uint32_t fw_crc32(uint32_t crc, const void *bytes, size_t count);
