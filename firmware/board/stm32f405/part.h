// SPDX-License-Identifier: Apache-2.0
/* Registers of the STM32F405 that are used here (RM0090), and what differs between the real part
 * and its emulation: real.c and emulator/netduinoplus2.c give the same functions. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/core/flash.h"
#include "firmware/core/identity.h"

#define RCC_CR      0x40023800u
#define RCC_PLLCFGR 0x40023804u
#define RCC_CFGR    0x40023808u
#define RCC_AHB1ENR 0x40023830u
#define RCC_APB1ENR 0x40023840u
#define RCC_APB2ENR 0x40023844u
#define RCC_CSR     0x40023874u

#define GPIOA      0x40020000u
#define GPIOC      0x40020800u
#define GPIO_MODER 0x00u
#define GPIO_PUPDR 0x0Cu
#define GPIO_IDR   0x10u
#define GPIO_BSRR  0x18u
#define GPIO_AFRL  0x20u
#define GPIO_AFRH  0x24u

#define IWDG_KR  0x40003000u
#define IWDG_PR  0x40003004u
#define IWDG_RLR 0x40003008u

#define FLASH_ACR 0x40023C00u

#define USART1 0x40011000u /* RS485: PA9, PA10, driver-enable PA12 */
#define USART2 0x40004400u /* front end: PA2, PA3 */

#define FW_BUTTON_PIN 13u /* PC13, pressed = low */

#define FW_APB1_HZ 42000000u
#define FW_APB2_HZ 84000000u
#define FW_CPU_HZ  168000000u

/* Brings the processor to FW_CPU_HZ; false when its crystal does not swing. */
bool fw_part_clock(void);
enum fw_boot_reason fw_part_boot_reason(void);
bool fw_part_button(void);
void fw_part_unique_id(uint8_t id[12]);
const struct fw_flash *fw_part_flash(void);
uint32_t fw_part_silence_us(uint32_t baud);
