// SPDX-License-Identifier: Apache-2.0
/* Access to registers of the hardware. The unit tests of drivers build them with FW_REG_MOCK and
 * give their own two functions, which note the sequence and play the hardware. */
#pragma once

#include <stdint.h>

#ifdef FW_REG_MOCK
uint32_t fw_reg_read(uint32_t address);
void fw_reg_write(uint32_t address, uint32_t value);
#else
static inline uint32_t fw_reg_read(uint32_t address)
{
	return *(volatile uint32_t *)address;
}

static inline void fw_reg_write(uint32_t address, uint32_t value)
{
	*(volatile uint32_t *)address = value;
}
#endif

static inline void fw_reg_set(uint32_t address, uint32_t bits)
{
	fw_reg_write(address, fw_reg_read(address) | bits);
}

static inline void fw_reg_clear(uint32_t address, uint32_t bits)
{
	fw_reg_write(address, fw_reg_read(address) & ~bits);
}
