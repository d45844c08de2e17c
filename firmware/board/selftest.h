// SPDX-License-Identifier: Apache-2.0
/* Self-test: the RAM once, before anything uses it; the image over and over, some bytes at a time;
 * the depth of the stack. What else can fail has tests elsewhere: images their signature at every
 * start (loader), parameters and records their CRC (core), the clock its ready bit (board). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* False: a word of the RAM did not keep what was written to it at the start. */
bool fw_selftest_ram(void);

/* A piece of the running image; to be called about ten times a second, a round then takes a minute.
 * False from the first round on whose CRC is not that of the round before. */
bool fw_selftest_image(void);

/* Bytes of the stack that were never used since the start; 0 when it ran over, or nearly did. */
uint32_t fw_selftest_stack_left(void);
