// SPDX-License-Identifier: Apache-2.0
/* The driver of the analog front end: the chip that measures cells, current and temperatures and
 * switches the MOSFETs. A board links exactly one driver. afe_link.c, which speaks to the plant
 * simulator, is the one that is here; one for a BQ769x2 or a similar chip gives the same four
 * functions over I2C or SPI and takes its place. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/core/measurement.h"

/* Everything off, nothing measured yet. */
void fw_afe_start(void);

/* Takes what has come; true when `measurement` is a new sample (about ten a second), else it is
 * left as it was. */
bool fw_afe_take(struct fw_measurement *measurement);

/* Carries out; to be called after every sample. */
void fw_afe_put(const struct fw_outputs *outputs);

/* Frames that were damaged, for diagnosis. */
uint32_t fw_afe_errors(void);
