# SPDX-License-Identifier: Apache-2.0
# The cross compiler of Debian's gcc-arm-none-eabi. All images are for Cortex-M3: the M4 runs them unchanged, and nothing here
# uses floating point.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_C_FLAGS_INIT "-mcpu=cortex-m3 -mthumb -ffreestanding -fno-common -ffunction-sections -fdata-sections -fno-unwind-tables")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-mcpu=cortex-m3 -mthumb -nostartfiles --specs=nano.specs -Wl,--gc-sections -Wl,--fatal-warnings")
