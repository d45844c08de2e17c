// SPDX-License-Identifier: Apache-2.0
/* Protection as two tables: guards compare a quantity with a trip and a release level, faults ask a
 * question about the hardware. Both end in the same few bits: which direction is forbidden.
 *
 * Rules that hold for every row:
 *   - a quantity that is missing neither trips nor releases: the missing itself is a fault;
 *   - while a delay runs a MOSFET stays as it is: a closed one may stay, an open one may not close;
 *   - a delay counts from the sample before the one that showed the trouble, so that the reaction
 *     to the real event is never later than the delay and one step;
 *   - current that flows the other way sets a guard aside (FW_GUARD_ASIDE): an open MOSFET blocks
 *     only one way and heats in its body diode the other way. The guard is back within one step
 *     when that current stops. */
#pragma once

#include "pack.h"

enum fw_phase {
	FW_IDLE,
	FW_PENDING, /* the condition holds, its delay runs */
	FW_TRIPPED,
	FW_ASIDE, /* tripped, but current flows the other way */
	FW_LOCKED /* only a command, the button, or the other direction's current releases it */
};

enum fw_word { FW_WORD_WARNING, FW_WORD_PROTECTION, FW_WORD_POWER_OFF };

enum fw_quantity {
	FW_Q_CELL_MAX_MV,
	FW_Q_CELL_MIN_MV,
	FW_Q_PACK_MV,
	FW_Q_CHARGE_MA,
	FW_Q_DISCHARGE_MA,
	FW_Q_CELL_MAX_DC,
	FW_Q_CELL_MIN_DC,
	FW_Q_MOS_DC,
	FW_Q_AMBIENT_DC,
	FW_Q_CELL_SPREAD_MV,
	FW_Q_TEMPERATURE_SPREAD_DC,
	FW_Q_WIRE_DMOHM,
	FW_Q_SOC_PCT,
	FW_Q_SHORT, /* 1: the AFE cut a short circuit */
	FW_Q_REVERSED
};

/* Bits of `opens`. */
#define FW_OPENS_CHARGE    (1u << FW_CHARGE)
#define FW_OPENS_DISCHARGE (1u << FW_DISCHARGE)
#define FW_OPENS_BOTH      (FW_OPENS_CHARGE | FW_OPENS_DISCHARGE)

enum fw_guard_flag {
	FW_GUARD_BELOW = 1 << 0,      /* trips at and below the level; otherwise at and above */
	FW_GUARD_TIMED = 1 << 1,      /* releases after a time; `release` is in ms */
	FW_GUARD_ZERO_OFF = 1 << 2,   /* parameter of the trip level 0 = off */
	FW_GUARD_ASIDE = 1 << 3,      /* gives way to current in the other direction */
	FW_GUARD_OVERRIDDEN = 1 << 4, /* emergency override ignores it */
	FW_GUARD_COUNTED = 1 << 5     /* trips count for the lock-out of its direction */
};

/* parameter * times + plus; `parameter` is an offset in struct fw_parameters, FW_CONSTANT for
 * `plus` alone, or one of the computed levels. */
struct fw_level {
	uint16_t parameter;
	int16_t times, plus;
};

enum {
	FW_CONSTANT = 0xF000,
	FW_LEVEL_PACK_OV, /* parameter 0213, or cells * 0201 */
	FW_LEVEL_PACK_OV_RELEASE,
	FW_LEVEL_PACK_UV,
	FW_LEVEL_PACK_UV_RELEASE,
	FW_LEVEL_SPREAD_RELEASE, /* three quarters of 0212 */
	FW_LEVEL_CHARGE_OC1,     /* 0220, capped by the hardware rating */
	FW_LEVEL_CHARGE_OC2,     /* 0223, capped at 1.5 times the rating */
	FW_LEVEL_DISCHARGE_OC1,
	FW_LEVEL_DISCHARGE_OC2
};

struct fw_guard_row {
	uint8_t word, status, quantity, opens, flags;
	struct fw_level trip, release, delay_ms;
};

struct fw_fault_row {
	uint8_t fault, question, opens, flags;
	uint16_t delay_ms;
};

/* Faults that somebody should look at some day, but that need no alarm. */
#define FW_MINOR_FAULTS                                                                       \
	(FW_BIT(FW_FAULT_CLOCK) | FW_BIT(FW_FAULT_UNCALIBRATED) | FW_BIT(FW_FAULT_WATCHDOG) | \
	 FW_BIT(FW_FAULT_LOG_MEMORY))

enum fw_fault_flag {
	FW_FAULT_LATCHED = 1 << 0,   /* stays until cleared with mask ~0 */
	FW_FAULT_OVERRIDDEN = 1 << 1 /* emergency override ignores it */
};

extern const struct fw_guard_row fw_guard_rows[];
extern const int fw_guard_row_count;
extern const struct fw_fault_row fw_fault_rows[];
extern const int fw_fault_row_count;

int32_t fw_level(const struct fw_pack *pack, const struct fw_level *level);

/* Runs both tables: pack->protections, ->faults, the guards' part of ->warnings (in *warnings), the
 * stop bits in pack->work, release countdown, and events. */
void fw_protect(struct fw_pack *pack, uint32_t *warnings);

/* Takes what is latched or counts down and is in `mask` back to idle; trouble that still holds
 * trips again. */
void fw_protect_clear(struct fw_pack *pack, uint32_t mask);

/* Is a charge over-current guard open? The limiter then carries on. */
bool fw_protect_charge_oc(const struct fw_pack *pack);
