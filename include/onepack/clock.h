// SPDX-License-Identifier: Apache-2.0
/* The two clocks, read only at the edges: pure code gets times as arguments. */
#pragma once

#include <stdint.h>

int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);
int64_t clock_wall_ms(void); /* since 1970 UTC; may jump, for records only */
