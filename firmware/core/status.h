// SPDX-License-Identifier: Apache-2.0
/* The names of everything that a pack reports as a bit or a small number. The numbers are those of
 * the parallel protocol (docs/protocols), so that the register map only copies words. */
#pragma once

#include <stdint.h>

#define FW_BIT(number) (UINT32_C(1) << (number))

/* Bit numbers; warnings and protections share them. */
enum fw_status {
	FW_CELL_OV,
	FW_CELL_UV,
	FW_PACK_OV,
	FW_PACK_UV,
	FW_CHARGE_OC1,
	FW_CHARGE_OC2,
	FW_DISCHARGE_OC1,
	FW_DISCHARGE_OC2,
	FW_SHORT_CIRCUIT,
	FW_CHARGE_OT,
	FW_CHARGE_UT,
	FW_DISCHARGE_OT,
	FW_DISCHARGE_UT,
	FW_MOS_OT,
	FW_AMBIENT_OT,
	FW_AMBIENT_UT,
	FW_CELL_HIGH,        /* abnormal high voltage, the second level */
	FW_CHARGE_FORBIDDEN, /* a cell so low that charging it is dangerous */
	FW_SOC_LOW,
	FW_CELL_DIFFERENCE,
	FW_TEMPERATURE_DIFFERENCE,
	FW_PRECHARGE_FAILED,
	FW_ADDRESS_CONFLICT, /* told by the addressing */
	FW_MASTER_LOST,
	FW_EMERGENCY,
	FW_DEFAULT_PASSWORD, /* told by the authorization */
	FW_BALANCE_WIRE,     /* resistance */
	FW_REVERSED,
	FW_BANK_DIFFERS, /* the terminals are too far from the pack to close a MOSFET */
	FW_STATUSES
};

/* Bit numbers of the fault word. */
enum fw_fault {
	FW_FAULT_CHARGE_MOS,
	FW_FAULT_DISCHARGE_MOS,
	FW_FAULT_AFE,
	FW_FAULT_CURRENT_SENSOR,
	FW_FAULT_TEMPERATURE_SENSOR,
	FW_FAULT_CELL_WIRE,
	FW_FAULT_CELL_COUNT,
	FW_FAULT_PARAMETER_MEMORY, /* told by the storage: both copies are lost */
	FW_FAULT_CLOCK,            /* told by the board */
	FW_FAULT_UNCALIBRATED,
	FW_FAULT_HEATER,
	FW_FAULT_BALANCER,
	FW_FAULT_WATCHDOG,  /* told by the board: the last start was the watchdog's */
	FW_FAULT_SELF_TEST, /* told by the board */
	FW_FAULT_REMOTE_STOP,
	FW_FAULT_BREAKER,
	FW_FAULT_LOG_MEMORY, /* told by the log */
	FW_FAULT_SUPPLY,     /* told by the board */
	FW_FAULTS
};

enum fw_state {
	FW_STATE_INIT,
	FW_STATE_STANDBY,
	FW_STATE_CHARGING,
	FW_STATE_DISCHARGING,
	FW_STATE_FULL,
	FW_STATE_EMPTY,
	FW_STATE_PROTECTED,
	FW_STATE_FAULT,
	FW_STATE_SLEEP_SOON,
	FW_STATE_UPDATE,
	FW_STATE_LOADER /* never by the core */
};

/* Why a MOSFET is open; bits. */
enum fw_off {
	FW_OFF_PROTECTION = 1 << 0,
	FW_OFF_FAULT = 1 << 1,
	FW_OFF_COMMAND = 1 << 2,
	FW_OFF_MASTER_LOST = 1 << 3, /* never: losing the master only lowers the limits */
	FW_OFF_PARALLEL = 1 << 4,    /* terminals too far from the pack */
	FW_OFF_PRECHARGE = 1 << 5,   /* pre-charge or its pause runs, or the first seconds do */
	FW_OFF_UPDATE = 1 << 6,      /* about to start another image */
	FW_OFF_KEY = 1 << 7          /* key off, asleep, or switching off */
};

/* What can close a dry contact or sound the buzzer: parameters 027A, 027B, 027E. */
enum fw_signal {
	FW_SIGNAL_NEVER,
	FW_SIGNAL_TROUBLE, /* any protection or fault */
	FW_SIGNAL_SOC_LOW,
	FW_SIGNAL_FAULT,
	FW_SIGNAL_WARNING, /* any warning, protection or fault */
	FW_SIGNAL_HOT,     /* any over-temperature */
	FW_SIGNAL_EMERGENCY,
	FW_SIGNAL_COMMAND /* only the outputs command */
};
