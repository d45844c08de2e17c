// SPDX-License-Identifier: Apache-2.0
/* Times, codes and ranges are from makers' texts and owners' reports; where nobody has measured how
 * long a brand waits, three seconds stand, which are a Victron's and the shortest that is known.
 * The habits of polling are in inverter_rs485.c. */
#include "brand.h"

#include <stddef.h>
#include <string.h>

#define WAITS_MS 3000
#define LOW_MV   20000 /* of any battery that these machines work with */
#define HIGH_MV  65000
#define WAITS(ms, code, doubt) \
	.lost_ms = (ms), .lost = (code), .low_mv = LOW_MV, .high_mv = HIGH_MV, .nonsense = (doubt)
#define USUAL    WAITS(WAITS_MS, "BMS communication lost", "BMS data not plausible")
#define DEYE     WAITS(WAITS_MS, "W31 Battery_comm_warn", "W31 Battery_comm_warn")
#define FAULT_58 WAITS(WAITS_MS, "fault 58, BMS communication", "BMS data not plausible")
#define PYLON_IDS                                 \
	{                                         \
		0x351, 0x355, 0x356, 0x359, 0x35C \
	}
#define JK_IDS                                \
	{                                     \
		0x2F4, 0x1806E5F4, 0x18F528F4 \
	}

static const struct brand brands[] = {
	{"can/pylon-lv-1.2", "Pylon type", PYLON_IDS, USUAL},
	{"can/pylon-lv-2.0", "Pylon type", PYLON_IDS, USUAL},
	{"can/goodwe-lv", "GoodWe", PYLON_IDS, USUAL},
	{"can/seplos-1.0", "Seplos type", PYLON_IDS, USUAL},
	{"can/invt-1.02", "INVT", PYLON_IDS, USUAL},
	{"can/must-1.04.04", "Must", PYLON_IDS, USUAL},
	{"can/luxpower-01", "LuxPower", PYLON_IDS, USUAL},
	{"can/deye-lv-1.0", "Deye", PYLON_IDS, DEYE, .replies_to = 0x356},
	{"can/sol-ark-1.3", "Sol-Ark", PYLON_IDS, DEYE, .eight_bytes = true},
	{"can/sofar-lv", "Sofar", {0x351, 0x355, 0x356}, USUAL, .ignores_zero = true},
	{"can/byd-lv", "BYD type", {0x351, 0x355, 0x356, 0x35A}, USUAL},
	{"can/victron-20170717",
	 "Victron GX",
	 {0x351, 0x355, 0x356, 0x35A},
	 WAITS(WAITS_MS, "#67 BMS connection lost", "BMS data not plausible"),
	 .no_charge = "#3 charging disabled by BMS",
	 .no_discharge = "#4 discharging disabled by BMS"},
	{"can/sma-sunny-island",
	 "Sunny Island",
	 {0x351, 0x355, 0x356, 0x35A},
	 .lost_ms = 60000,
	 .lost = "F952 ExtBMSTimeout, W952",
	 .low_mv = 41000,
	 .high_mv = 63000,
	 .nonsense = "(shows nothing) out of range"},
	{"can/growatt-lv-rev05", "Growatt", {0x311, 0x312, 0x313, 0x319}, USUAL},
	{"can/afore-2.3", "Afore", {0x350, 0x351, 0x352, 0x353}, USUAL},
	{"can/megarevo-1.0", "Megarevo", {0x1F000300, 0x1F000301, 0x1F000303}, USUAL},
	{"can/jk-2.0", "JK charger", JK_IDS, USUAL, .own_discharge_ma = 100000},
	{"can/jk-2.0-500k", "JK charger", JK_IDS, USUAL, .own_discharge_ma = 100000},
	{"rs485/pylon-lv-3.3", "Axpert or EASUN", {0}, FAULT_58},
	{"rs485/srne-lv-3.3", "SRNE", {0}, FAULT_58},
	{"rs485/growatt-2.01", "Growatt", {0}, USUAL},
	{"rs485/voltronic-20200325",
	 "Axpert",
	 {0},
	 WAITS(WAITS_MS, "warning 61, battery lost", "BMS data not plausible"),
	 .no_charge = "warning 69, charge not allowed",
	 .no_discharge = "warning 71, discharge not allowed",
	 .must_charge = "warning 70, must charge"},
	/* Masters of protocols without limits: switches tell what may be done, not how much. */
	{"rs485/china-tower-1.1",
	 "cabinet",
	 {0},
	 USUAL,
	 .own_charge_ma = 20000,
	 .own_discharge_ma = 20000,
	 .own_charge_mv = 56000},
	{"rs485/china-tower-2.0",
	 "cabinet",
	 {0},
	 USUAL,
	 .own_charge_ma = 20000,
	 .own_discharge_ma = 20000,
	 .own_charge_mv = 56000},
	{"rs485/niu-u", "scooter", {0}, USUAL},
	{"rs485/jk-4g-gps-4.2", "monitor", {0}, USUAL, .own_charge_mv = 56000},
	{NULL, "inverter", {0}, USUAL},
};

const struct brand *brand_of(const char *id)
{
	const struct brand *brand = brands;

	while (brand->id && strcmp(brand->id, id) != 0)
		brand++;
	return brand;
}
