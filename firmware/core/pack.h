// SPDX-License-Identifier: Apache-2.0
/* One whole pack: what it knows, what it decided, and the three ways in: a measurement (step), a
 * command, and the word of the master. Everything that protects cells happens in the step and
 * needs nothing else. No clock, no I/O: `now_ms` counts from the start of the firmware.
 *
 * Fields may be read by anybody between steps (the register maps do). Who else may write a field
 * is said at the field; all others belong to the core. */
#pragma once

#include "event.h"
#include "identity.h"
#include "measurement.h"
#include "parameters.h"
#include "status.h"

/* Corrections of the sensors, from FW_AREA_FACTORY. */
struct fw_calibration {
	bool present;        /* false: never calibrated, fault 9 */
	int32_t voltage_ppm; /* added to cells and terminals, parts per million */
	int32_t current_ppm;
	int32_t current_zero_ma; /* subtracted first */
};

/* What must survive a power cut besides parameters: FW_AREA_COUNTERS. Stored by the storage code
 * whenever `counters_due` moves; given back to fw_pack_init. */
struct fw_counters {
	int32_t remaining_mah;
	int32_t full_mah;   /* learned capacity */
	uint32_t cycle_mah; /* discharged since the last whole cycle */
	uint32_t cycles;
	uint32_t charged_ah, discharged_ah; /* since production; stick at the end of their range */
	uint32_t charged_part_mah, discharged_part_mah; /* below one Ah */
	uint32_t run_s;                                 /* total run time */
	uint32_t starts;                                /* power-on count, this one included */
	uint32_t emergency_run_s[3]; /* run_s at the last uses of the override; 0 = none */
	uint32_t bank_seen;          /* 1: a master once said that there are several packs */
};

/* SYNC, as the master broadcasts it. */
enum fw_system_flag {
	FW_SYSTEM_CHARGE_ALLOWED = 1 << 0,
	FW_SYSTEM_DISCHARGE_ALLOWED = 1 << 1,
	FW_SYSTEM_FORCE_CHARGE = 1 << 2,
	FW_SYSTEM_MAINTENANCE = 1 << 3,
	FW_SYSTEM_UPDATE = 1 << 4,
	FW_SYSTEM_INVERTER_LOST = 1 << 5,
	FW_SYSTEM_STOP = 1 << 6 /* safe stop */
};

struct fw_sync {
	uint16_t heartbeat;
	uint16_t flags;  /* FW_SYSTEM_ */
	uint16_t packs;  /* in the bank; 0 = not said */
	int32_t bank_mv; /* FW_UNKNOWN = not said */
	int32_t bank_ma;
};

struct fw_master {
	bool heard;          /* within parameter 0277, as of the last step */
	bool ever;           /* since the start */
	uint64_t heard_ms;   /* last frame that was for us */
	uint64_t sync_ms;    /* last SYNC */
	struct fw_sync sync; /* last SYNC; bank_mv is only used while it is fresh */
};

/* Outputs command, bits of mask and value. */
enum fw_allow {
	FW_ALLOW_CHARGE = 1 << 0,
	FW_ALLOW_DISCHARGE = 1 << 1,
	FW_ALLOW_BALANCE = 1 << 2,
	FW_ALLOW_HEATER = 1 << 3,  /* 1 = wanted now */
	FW_ALLOW_LIMITER = 1 << 4, /* 1 = charge through the limiter */
	FW_ALLOW_BUZZER = 1 << 5   /* 1 = sound */
};

/* Codes of register 0820. */
enum fw_command {
	FW_COMMAND_OUTPUTS = 0x01, /* argument: mask << 16 | value */
	FW_COMMAND_SAFE_STOP = 0x02,
	FW_COMMAND_AUTOMATIC = 0x03,
	FW_COMMAND_EMERGENCY_START = 0x10, /* argument: FW_MAGIC_EMERGENCY */
	FW_COMMAND_EMERGENCY_STOP = 0x11,
	FW_COMMAND_PRECHARGE = 0x12,         /* argument: ms, 0 = parameter 0275 */
	FW_COMMAND_CLEAR = 0x13,             /* argument: mask of FW_BIT(status); ~0 = faults too */
	FW_COMMAND_CALIBRATE_VOLTAGE = 0x20, /* argument: true pack voltage, mV */
	FW_COMMAND_CALIBRATE_ZERO = 0x21,
	FW_COMMAND_CALIBRATE_CURRENT = 0x22, /* argument: true current, mA, signed */
	FW_COMMAND_SET_SOC = 0x23,           /* argument: 0.01 % */
	FW_COMMAND_SET_TIME = 0x24,          /* not the core's: unsupported here */
	FW_COMMAND_DEFAULTS = 0x30,  /* argument: enum of register 0030: 0 LFP, 1 Li-ion, 2 LTO */
	FW_COMMAND_CLEAR_LOG = 0x31, /* not the core's: unsupported here */
	FW_COMMAND_RESTART = 0x40,   /* argument: FW_MAGIC_RESTART */
	FW_COMMAND_POWER_OFF = 0x41, /* argument: FW_MAGIC_POWER_OFF */
	FW_COMMAND_SLEEP = 0x42,
	FW_COMMAND_IDENTIFY = 0x43 /* argument: seconds */
};

#define FW_MAGIC_EMERGENCY UINT32_C(0x454D4752)
#define FW_MAGIC_RESTART   UINT32_C(0x52535431)
#define FW_MAGIC_POWER_OFF UINT32_C(0x4F464621)

/* Register 0825. */
enum fw_result {
	FW_RESULT_OK,
	FW_RESULT_BUSY,
	FW_RESULT_PROTECTED, /* refused: a protection forbids it */
	FW_RESULT_LEVEL,     /* by the protocol: not authorized */
	FW_RESULT_ARGUMENT,
	FW_RESULT_UNSUPPORTED
};

enum fw_update_mode {
	FW_UPDATE_NONE,
	FW_UPDATE_RECEIVING, /* shown in state and LEDs; the pack stays in service */
	FW_UPDATE_RESTARTING /* both MOSFETs open; restart when `restart_due` */
};

/* What the newest measurement comes to. FW_UNKNOWN when no sensor tells. */
struct fw_values {
	int32_t pack_mv;                                /* sum of the cells; unknown if one is */
	int32_t cell_max_mv, cell_min_mv, cell_mean_mv; /* of the known ones */
	int32_t cell_max, cell_min;                     /* their places from 0, -1 = none */
	int32_t cell_max_dC, cell_min_dC;               /* of the known sensors in the cells */
	int32_t mos_max_dC, ambient_dC, board_dC;
	int32_t wire_max_dmohm;
	bool cells_complete;             /* every cell of parameter 0270 is known */
	bool cell_temperatures_complete; /* every fitted sensor is known */
};

/* One row of the protection table, or one fault, at work. */
struct fw_guard {
	uint8_t phase; /* enum fw_phase in protect.h */
	uint32_t ms;   /* how long: condition held, or tripped */
};

enum fw_direction { FW_CHARGE, FW_DISCHARGE, FW_DIRECTIONS };

#define FW_GUARDS       36 /* at least as many as the tables have rows; protect.c asserts it */
#define FW_FAULT_GUARDS 24
#define FW_LOCK_TRIPS   10 /* highest value of parameter 022D */

/* Private to the core: what its parts must remember between steps. */
struct fw_work {
	uint32_t dt_ms; /* since the step before; at most 10 s */
	bool fresh;     /* this step brought a new sample */
	uint32_t inputs_before;
	uint8_t good_samples; /* since the start, saturates */

	/* protect.c: bit per direction */
	struct fw_guard guards[FW_GUARDS], fault_guards[FW_FAULT_GUARDS];
	uint8_t stop_protection, stop_fault; /* something active forbids this direction */
	uint8_t stop_soon, fault_soon;       /* a delay runs: do not close, do not open yet */
	uint8_t stop_aside; /* would forbid it, were the current not flowing the other way */
	uint32_t aside;     /* statuses that are set aside for that reason */
	bool power_off_voltage;
	uint8_t locked; /* directions in over-current lock-out */
	uint32_t trip_ms[FW_DIRECTIONS][FW_LOCK_TRIPS];
	uint8_t trip_count[FW_DIRECTIONS];
	bool release_short;         /* tell the AFE with this step */
	uint32_t released_short_ms; /* since the AFE was told to let go; saturates */
	uint32_t logged_warnings, logged_protections, logged_faults;

	/* measure.c: sensors that stand still while others move */
	int32_t witness_ma, before_ma;
	uint16_t witness_mv[FW_MAX_CELLS], before_mv[FW_MAX_CELLS];
	uint8_t cell_strikes[FW_MAX_CELLS], current_strikes;

	/* estimate.c */
	int32_t part_ma_ms; /* below one mAh */
	int32_t learn_mah;  /* net charge since the end where learning began */
	uint32_t learn_ms;  /* since then; saturates */
	uint8_t learn_from; /* enum in estimate.c */
	uint32_t full_ms, empty_ms, rest_ms, hold_ms;
	bool empty, guess; /* guess: the charge is to be taken from voltage */
	uint32_t run_part_ms;
	int32_t stored_mah; /* remaining charge when counters_due moved last */

	/* precharge.c, limiter.c */
	uint8_t precharge_phase, precharge_tries;
	uint32_t precharge_ms, precharge_forced_ms;
	bool bank_differs, low_cells;

	/* heater.c, balance.c */
	uint32_t heater_ms, heater_pause_ms, heater_strange_ms;
	int32_t heater_from_dC;
	bool heater_broken, balancer_broken;
	uint32_t balance_ms, balancer_strange_ms;
	bool balancing;

	/* pack.c */
	bool started, master_heard_before;
	uint8_t allow_mask, allow_value; /* FW_ALLOW_ */
	bool safe_stop, restart, switch_off, asleep;
	uint32_t emergency_ms, button_ms, idle_ms, open_ms, identify_ms;
};

struct fw_pack {
	const struct fw_identity *identity;
	struct fw_parameters parameters; /* written by fw_pack_set_parameters */
	struct fw_calibration calibration;
	struct fw_counters counters;
	uint16_t parameters_changed; /* moves when the core changed parameters by itself: store them
				      */
	uint16_t calibration_changed; /* moves when calibration changed: store it */
	uint16_t counters_due;        /* moves when counters are worth storing */

	/* measured, calibrated; what cannot be true has become FW_UNKNOWN */
	struct fw_measurement measured;
	struct fw_values values;
	uint16_t samples;            /* register 0100: moves with every new sample */
	uint64_t step_ms, sample_ms; /* last step, last new sample */

	/* decided */
	enum fw_state state;
	uint32_t warnings, protections, faults; /* FW_BIT(enum fw_status / enum fw_fault) */
	struct fw_outputs outputs;              /* enable_out is written by the addressing */
	uint8_t charge_off, discharge_off; /* FW_OFF_: all reasons why it is open; 0 = closed */
	int32_t charge_allowed_ma, discharge_allowed_ma; /* now, >= 0 */
	int32_t charge_limit_mv, discharge_limit_mv;     /* pack voltage to charge to, to stop at */
	bool full, float_charge;                         /* full: since the last full calibration */
	bool restart_due; /* both MOSFETs are open long enough: the board may restart now */

	/* state estimate */
	uint16_t soc_cpct; /* 0.01 %; 10000 only when full, 0 only when empty */
	uint16_t soh_pm;   /* 0.1 % */

	/* time left */
	uint16_t release_s;   /* longest running release countdown */
	uint16_t emergency_s; /* of the override, 0 = not running */
	uint32_t sleep_s;     /* until smart sleep; UINT32_MAX = not counting */

	struct fw_master master;
	struct fw_events events;

	/* told by others, any time */
	uint32_t told_warnings; /* FW_ADDRESS_CONFLICT, FW_DEFAULT_PASSWORD */
	uint32_t told_faults;   /* those marked "told" */
	enum fw_update_mode update;

	struct fw_work work;
};

/* Starts with everything open. NULL counters = lost or never written: the charge is guessed from
 * the first resting voltages. NULL calibration = none. Parameters must have passed
 * fw_parameters_check; otherwise the chemistry's defaults are used and fault 7 is raised. */
void fw_pack_init(struct fw_pack *pack, const struct fw_identity *identity,
		  const struct fw_parameters *parameters, const struct fw_calibration *calibration,
		  const struct fw_counters *counters);

/* Takes a measurement, decides everything, and returns what the hardware must do (also in
 * pack->outputs). To be called about every 100 ms, also when the front end has nothing new: then
 * with the old measurement, whose sequence stands still; after 1 s that is a fault. `now_ms` never
 * goes back. */
const struct fw_outputs *fw_pack_step(struct fw_pack *pack,
				      const struct fw_measurement *measurement, uint64_t now_ms);

/* Obeys a command whose authorization was checked. Effects on outputs come with the next step. */
enum fw_result fw_pack_command(struct fw_pack *pack, enum fw_command command, uint32_t argument,
			       enum fw_source source, uint64_t now_ms);

/* New parameters that passed fw_parameters_check; false (and nothing changes) when they do not. */
bool fw_pack_set_parameters(struct fw_pack *pack, const struct fw_parameters *parameters);

/* The master's broadcast, or any valid frame that was for this pack. */
void fw_pack_sync(struct fw_pack *pack, const struct fw_sync *sync, uint64_t now_ms);
void fw_pack_heard(struct fw_pack *pack, uint64_t now_ms);

/* Seconds until this protection lets go by itself; 0 = not counting. */
uint16_t fw_pack_countdown_s(const struct fw_pack *pack, enum fw_status status);
