// SPDX-License-Identifier: Apache-2.0
/* What the analog front end says, and what the pack's hardware is told to do. These two structs are
 * the whole border between the portable core and a board: a board's AFE driver fills the one and
 * carries out the other, about ten times a second. Short circuits are cut by the AFE by itself,
 * within microseconds; it reports that it did. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define FW_MAX_CELLS 24
#define FW_UNKNOWN   INT32_MIN /* a value that the sensor does not give */

/* Places in temperatures_dC. */
enum fw_sensor {
	FW_SENSOR_CELL_1, /* four in the cells */
	FW_SENSOR_CELL_2,
	FW_SENSOR_CELL_3,
	FW_SENSOR_CELL_4,
	FW_SENSOR_AMBIENT,
	FW_SENSOR_MOS_1,
	FW_SENSOR_MOS_2,
	FW_SENSOR_BOARD,
	FW_SENSORS
};

/* Facts that are not quantities; bits of fw_measurement.inputs. */
enum fw_input {
	FW_INPUT_SHORT_CIRCUIT = 1
				 << 0, /* the AFE cut a short circuit and holds both MOSFETs off */
	FW_INPUT_CHARGER = 1 << 1,     /* a charger's voltage is on the terminals */
	FW_INPUT_LOAD = 1 << 2,        /* a load is on the terminals */
	FW_INPUT_KEY = 1 << 3,         /* the key switch says "on", or there is none */
	FW_INPUT_REMOTE_STOP = 1 << 4, /* rapid shut-down contact */
	FW_INPUT_BREAKER_OPEN = 1 << 5,
	FW_INPUT_RESET_BUTTON = 1 << 6,       /* held down now */
	FW_INPUT_ENABLE = 1 << 7,             /* EN_IN from the neighbour above */
	FW_INPUT_REVERSED = 1 << 8,           /* reverse polarity at the terminals */
	FW_INPUT_EMERGENCY = 1 << 9,          /* the panel's emergency switch */
	FW_INPUT_CHARGE_MOS_CLOSED = 1 << 10, /* sensed, not commanded: shows a welded MOSFET */
	FW_INPUT_DISCHARGE_MOS_CLOSED = 1 << 11,
	FW_INPUT_MOS_SENSED = 1 << 12 /* the two bits before are real */
};

struct fw_measurement {
	uint32_t sequence; /* moves with every new sample; one that stands still is a frozen AFE */
	int32_t cell_count;
	int32_t cells_mv[FW_MAX_CELLS]; /* FW_UNKNOWN: wire open */
	int32_t terminal_mv; /* P+ to P-, beyond the MOSFETs; FW_UNKNOWN without sensing */
	int32_t current_ma;  /* positive = charging; FW_UNKNOWN: sensor broken */
	int32_t temperatures_dC[FW_SENSORS]; /* 0.1 degC; FW_UNKNOWN: not fitted or broken */
	int32_t wire_dmohm[FW_MAX_CELLS];    /* balance wires, 0.1 mOhm; FW_UNKNOWN: not measured */
	int32_t heater_ma, balance_ma;       /* FW_UNKNOWN: not measured */
	uint32_t inputs;                     /* FW_INPUT_ */
	uint8_t dip;                         /* address switches, switch 1 = bit 0 */
};

/* LEDs as bits; L1..L6 as the panels of the manuals number them. */
enum fw_led {
	FW_LED_POWER = 1 << 0,
	FW_LED_RUN = 1 << 1,
	FW_LED_ALARM = 1 << 2,
	FW_LED_L1 = 1 << 3,
	FW_LED_L2 = 1 << 4,
	FW_LED_L3 = 1 << 5,
	FW_LED_L4 = 1 << 6,
	FW_LED_L5 = 1 << 7,
	FW_LED_L6 = 1 << 8
};

struct fw_outputs {
	bool charge_mos, discharge_mos; /* closed = the direction is allowed */
	bool precharge, heater, limiter, buzzer;
	bool dry_contact[2];
	bool enable_out;            /* EN_OUT to the neighbour below */
	bool release_short_circuit; /* one call long: the AFE may let go of its latch */
	bool power_off;             /* the pack switches its own supply off */
	bool sleep;                 /* the AFE may go to its low-power mode */
	uint32_t balance_cells;     /* bit per cell, passive bleed or active transfer out of it */
	int32_t balance_ma;         /* wanted by the active balancer, 0 = off */
	int32_t balance_from, balance_to; /* cells from 0, -1 = none */
	int32_t limiter_ma;               /* charge current while the limiter is on */
	uint32_t leds;                    /* FW_LED_, lit now */
};
