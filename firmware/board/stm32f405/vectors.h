// SPDX-License-Identifier: Apache-2.0
/* The interrupts of this board's drivers. */
#pragma once

void fw_usart1(void);
void fw_usart2(void);
