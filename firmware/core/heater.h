// SPDX-License-Identifier: Apache-2.0
/* The heating film under the cells. */
#pragma once

#include "pack.h"

/* Decides pack->outputs.heater; sets work->heater_broken. */
void fw_heater_step(struct fw_pack *pack);
