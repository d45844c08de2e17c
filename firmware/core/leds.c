// SPDX-License-Identifier: Apache-2.0
/* Where the manuals differ this follows STK and JKS: ON steady, RUN blinks while the pack works,
 * ALM blinks for trouble that passes and is steady for a defect, L1..L5 show the charge with the
 * top one blinking while charging, L6 shows the master's voice. */
#include "leds.h"

#include "measure.h"
#include "protect.h"

#define ALL_BARS   (FW_LED_L1 | FW_LED_L2 | FW_LED_L3 | FW_LED_L4 | FW_LED_L5)
#define ALL        (ALL_BARS | FW_LED_L6 | FW_LED_POWER | FW_LED_RUN | FW_LED_ALARM)
#define SLOW_ms    500
#define FAST_ms    125
#define OFF_ms     3000  /* button held: switches off when let go */
#define RESTART_ms 10000 /* button held: restarts */

static bool blink(const struct fw_pack *pack, uint32_t half_ms)
{
	return ((uint32_t)pack->step_ms / half_ms & 1) == 0;
}

/* 0..19 % one, then one more for every 20 %. */
static uint32_t bars(const struct fw_pack *pack)
{
	uint32_t lit = 0;
	int count = 1 + pack->soc_cpct / 2000;
	bool moving = fw_measure_charging(pack) && pack->outputs.charge_mos && !pack->full;

	if (count > 5)
		count = 5;
	for (int i = 0; i < count; i++)
		lit |= (uint32_t)FW_LED_L1 << i;
	if (moving && !blink(pack, SLOW_ms))
		lit &= ~((uint32_t)FW_LED_L1 << (count - 1));
	return lit;
}

static bool alarm(const struct fw_pack *pack)
{
	uint32_t other = FW_BIT(FW_DEFAULT_PASSWORD) | FW_BIT(FW_ADDRESS_CONFLICT) |
			 FW_BIT(FW_EMERGENCY) | FW_BIT(FW_CHARGE_OT) | FW_BIT(FW_DISCHARGE_OT) |
			 FW_BIT(FW_MOS_OT);
	uint32_t faults = pack->faults & ~FW_MINOR_FAULTS;
	uint32_t switched = FW_BIT(FW_FAULT_REMOTE_STOP) | FW_BIT(FW_FAULT_BREAKER);

	if (faults & ~switched) /* defective */
		return true;
	return (pack->protections || faults || (pack->warnings & other)) && blink(pack, SLOW_ms);
}

static bool sixth(const struct fw_pack *pack)
{
	if (pack->update != FW_UPDATE_NONE)
		return blink(pack, FAST_ms);
	return (pack->master.heard || pack->measured.dip == 0) && blink(pack, SLOW_ms);
}

uint32_t fw_leds(const struct fw_pack *pack)
{
	const struct fw_work *work = &pack->work;
	uint32_t lit = FW_LED_POWER;

	if (work->button_ms >= RESTART_ms)
		return ALL;
	if (work->button_ms >= OFF_ms)
		return FW_LED_POWER | ALL_BARS;
	if (work->switch_off || work->asleep)
		return 0;
	if (work->identify_ms > 0)
		return blink(pack, FAST_ms) ? ALL : 0;
	lit |= bars(pack);
	lit |= blink(pack, SLOW_ms) ? FW_LED_RUN : 0;
	lit |= alarm(pack) ? FW_LED_ALARM : 0;
	lit |= sixth(pack) ? FW_LED_L6 : 0;
	return lit;
}
