// SPDX-License-Identifier: Apache-2.0
/* The settings of a pack, one Modbus register each: X(register, name, LFP, Li-ion, LTO, lowest,
 * highest, level). Defaults are those of the manuals; where manuals disagree the choice is argued
 * in docs/firmware/parameters.md. Level: who may write it (1 operator, 2 installer, 3 factory).
 *
 * Signed values (temperatures) are two's complement on the wire. What a range cannot say (release
 * below protection, ...) is in parameters.c, one rule a line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* clang-format off */
#define FW_PARAMETERS(X)                                                                               \
	/* cells, mV */                                                                                \
	X(0x0200, cell_ov_warning_mv,            3550, 4150, 2650,  1200,  4350, 2)                    \
	X(0x0201, cell_ov_mv,                    3600, 4200, 2700,  1200,  4350, 2)                    \
	X(0x0202, cell_ov_release_mv,            3540, 4170, 2640,  1200,  4350, 2)                    \
	X(0x0203, cell_ov_delay_ds,                10,   10,   10,     1,   255, 2)                    \
	X(0x0204, cell_high_mv,                  3900, 4350, 2900,  1200,  4600, 3)                    \
	X(0x0205, cell_high_delay_ds,              80,   80,   80,     1,   255, 3)                    \
	X(0x0206, cell_uv_warning_mv,            2800, 3000, 1950,  1200,  4350, 2)                    \
	X(0x0207, cell_uv_mv,                    2600, 2820, 1800,  1200,  4350, 2)                    \
	X(0x0208, cell_uv_release_mv,            2650, 2850, 1850,  1200,  4350, 2)                    \
	X(0x0209, cell_uv_delay_ds,                10,   10,   10,     1,   255, 2)                    \
	X(0x020A, power_off_mv,                  2500, 2800, 1700,  1000,  4350, 2)                    \
	X(0x020B, charge_forbidden_mv,           2000, 2500, 1500,     0,  2800, 3)                    \
	X(0x020C, precharge_below_mv,            2400, 2700, 1600,     0,  3000, 3)                    \
	X(0x020D, soc_full_mv,                   3500, 4180, 2650,  1200,  4350, 2)                    \
	X(0x020E, soc_empty_mv,                  2600, 2900, 1850,  1200,  4350, 2)                    \
	X(0x020F, charge_request_mv,             3550, 4150, 2650,  1200,  4350, 2)                    \
	X(0x0210, float_request_mv,              3400, 4100, 2550,  1200,  4350, 2)                    \
	X(0x0211, charge_hold_dh,                  10,   10,   10,     0,   255, 2)                    \
	X(0x0212, cell_difference_warning_mv,     300,  300,  300,    10,  1000, 2)                    \
	X(0x0213, pack_ov_cV,                       0,    0,    0,     0, 11000, 2)                    \
	X(0x0214, pack_uv_cV,                       0,    0,    0,     0, 11000, 2)                    \
	/* currents, 0.1 A; delays as named */                                                         \
	X(0x0220, charge_oc1_dA,                 1500, 1500, 1500,    10,  3500, 2)                    \
	X(0x0221, charge_oc1_delay_s,               3,    3,    3,     2,   120, 2)                    \
	X(0x0222, charge_oc_release_s,             60,   60,   60,     2,   120, 2)                    \
	X(0x0223, charge_oc2_dA,                 1650, 1650, 1650,     0,  4500, 3)                    \
	X(0x0224, charge_oc2_delay_ms,           1000, 1000, 1000,    20,  5000, 3)                    \
	X(0x0225, discharge_oc1_dA,              1500, 1500, 1500,    10,  3500, 2)                    \
	X(0x0226, discharge_oc1_delay_s,          300,  300,  300,     2,   600, 2)                    \
	X(0x0227, discharge_oc_release_s,          60,   60,   60,     2,   120, 2)                    \
	X(0x0228, discharge_oc2_dA,              2100, 2100, 2100,     0,  4500, 3)                    \
	X(0x0229, discharge_oc2_delay_ms,         500,  500,  500,    20,  5000, 3)                    \
	X(0x022A, short_circuit_A,                550,  550,  550,   100,  1500, 3)                    \
	X(0x022B, short_circuit_delay_us,         200,  200,  200,    30,  1500, 3)                    \
	X(0x022C, short_circuit_release_s,         60,   60,   60,     0,   120, 2)                    \
	X(0x022D, oc_lock_trips,                    3,    3,    3,     0,    10, 2)                    \
	X(0x022E, charge_limit_dA,               1000, 1000, 1000,     0,  3500, 1)                    \
	X(0x022F, discharge_limit_dA,            1000, 1000, 1000,     0,  3500, 1)                    \
	X(0x0230, limiter_dA,                     100,  100,  100,     0,   200, 2)                    \
	/* temperatures, 0.1 degC */                                                                   \
	X(0x0240, charge_ot_dC,                   600,  600,  600,   300,   800, 2)                    \
	X(0x0241, charge_ot_release_dC,           550,  550,  550,   200,   800, 2)                    \
	X(0x0242, charge_ut_dC,                    20,   20, -200,  -400,   200, 2)                    \
	X(0x0243, charge_ut_release_dC,            50,   50, -100,  -400,   250, 2)                    \
	X(0x0244, discharge_ot_dC,                650,  650,  650,   300,   850, 2)                    \
	X(0x0245, discharge_ot_release_dC,        550,  550,  550,   200,   850, 2)                    \
	X(0x0246, discharge_ut_dC,               -200, -200, -300,  -400,   200, 2)                    \
	X(0x0247, discharge_ut_release_dC,       -100, -100, -200,  -400,   250, 2)                    \
	X(0x0248, mos_ot_dC,                     1000, 1000, 1000,   500,  1200, 3)                    \
	X(0x0249, mos_ot_release_dC,              800,  800,  800,   400,  1200, 3)                    \
	X(0x024A, ot_warning_dC,                  550,  550,  550,   200,   850, 2)                    \
	X(0x024B, ot_warning_clear_dC,            500,  500,  500,   200,   850, 2)                    \
	X(0x024C, temperature_difference_dC,      150,  150,  150,    50,   400, 2)                    \
	X(0x024D, heater_start_dC,                  0,    0, -200,  -400,   200, 2)                    \
	X(0x024E, heater_stop_dC,                  50,   50, -100,  -400,   250, 2)                    \
	X(0x024F, heater_mode,                      1,    1,    0,     0,     2, 1)                    \
	/* balancing */                                                                                \
	X(0x0260, balance_mode,                     3,    3,    3,     0,     3, 1)                    \
	X(0x0261, balance_start_mv,              3000, 3000, 2000,  1200,  4350, 2)                    \
	X(0x0262, balance_trigger_mv,              10,   10,   10,     3,   300, 2)                    \
	X(0x0263, balance_stop_mv,                  5,    5,    5,     3,   300, 2)                    \
	X(0x0264, balance_max_ma,                2000, 2000, 2000,   100,  2000, 2)                    \
	X(0x0265, balance_max_dC,                 600,  600,  600,   200,   850, 2)                    \
	/* the pack */                                                                                 \
	X(0x0270, cells,                           16,   14,   22,     7,    24, 3)                    \
	X(0x0271, capacity_dAh,                  1000, 1000, 1000,    10, 65000, 2)                    \
	X(0x0272, sleep_h,                         24,   24,   24,     0,    72, 2)                    \
	X(0x0273, standby_dA,                      10,   10,   10,     1,    50, 2)                    \
	X(0x0274, emergency_min,                   30,   30,   30,     1,    60, 3)                    \
	X(0x0275, precharge_max_ms,              3000, 3000, 3000,   100, 10000, 2)                    \
	X(0x0276, parallel_difference_cV,         100,  100,  100,    10,   500, 2)                    \
	X(0x0277, master_lost_s,                   10,   10,   10,     3,   600, 2)                    \
	X(0x0278, alone_charge_limit_dA,          200,  200,  200,     0,  3500, 2)                    \
	X(0x0279, alone_discharge_limit_dA,       500,  500,  500,     0,  3500, 2)                    \
	X(0x027A, dry_contact_1_source,             1,    1,    1,     0,     7, 2)                    \
	X(0x027B, dry_contact_2_source,             2,    2,    2,     0,     7, 2)                    \
	X(0x027C, soc_low_pct,                     10,   10,   10,     0,   100, 1)                    \
	X(0x027D, soc_low_clear_pct,               15,   15,   15,     0,   100, 1)                    \
	X(0x027E, buzzer_source,                    0,    0,    0,     0,     7, 1)                    \
	X(0x027F, record_period_s,               3600, 3600, 3600,     0, 65535, 1)                    \
	X(0x0280, baud_100,                      1152, 1152, 1152,    96,  2500, 2)
/* clang-format on */

enum fw_chemistry { FW_LFP, FW_LI_ION, FW_LTO, FW_CHEMISTRIES };

struct fw_parameters {
#define X(reg, name, lfp, ion, lto, low, high, level) int32_t name;
	FW_PARAMETERS(X)
#undef X
	enum fw_chemistry chemistry; /* of the preset that was loaded last */
};

/* One row at run time. */
struct fw_parameter {
	uint16_t reg;
	uint8_t level;
	int32_t preset[FW_CHEMISTRIES];
	int32_t low, high;
	size_t offset; /* of an int32_t in struct fw_parameters */
	const char *name;
};

extern const struct fw_parameter fw_parameter_rows[];
extern const int fw_parameter_count;

/* All defaults of a chemistry. */
void fw_parameters_default(struct fw_parameters *parameters, enum fw_chemistry chemistry);

/* As the one-key presets do: voltages and temperatures of the chemistry; cells, capacity and
 * currents are kept. */
void fw_parameters_preset(struct fw_parameters *parameters, enum fw_chemistry chemistry);

/* The row of a register, NULL when there is none. */
const struct fw_parameter *fw_parameter_find(uint16_t reg);

/* Every range and every ordering rule; NULL when all is well, else what is wrong, as a short text
 * with static life. */
const char *fw_parameters_check(const struct fw_parameters *parameters);
