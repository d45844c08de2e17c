// SPDX-License-Identifier: Apache-2.0
/* The interrupts of this board's drivers. */
#pragma once

void fw_uart0(void);
void fw_uart1(void);
