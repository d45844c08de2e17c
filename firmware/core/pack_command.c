// SPDX-License-Identifier: Apache-2.0
/* Commands. Who may give them is decided by the protocol; what they may do is decided here, and
 * protections still win over all of them. */
#include "estimate.h"
#include "pack_parts.h"
#include "precharge.h"
#include "protect.h"

#define ALLOWS            0x3F
#define PRECHARGE_MOST_ms 10000
#define IDENTIFY_MOST_s   3600
#define VOLTAGE_OFF_ppm   50000 /* more is not a calibration but a wrong wire */
#define CURRENT_OFF_ppm   100000
#define ZERO_MOST_ma      1000
#define GAIN_LEAST_ma     5000
#define PPM               1000000

static enum fw_result outputs(struct fw_pack *pack, uint32_t argument, enum fw_source source)
{
	struct fw_work *work = &pack->work;
	uint32_t mask = argument >> 16, value = argument & 0xFFFF;
	uint8_t before = work->allow_mask & (uint8_t)~work->allow_value; /* held off */
	uint8_t after, changed;

	if (mask & ~(uint32_t)ALLOWS || value & ~mask)
		return FW_RESULT_ARGUMENT;
	if (work->safe_stop && (mask & value & (FW_ALLOW_CHARGE | FW_ALLOW_DISCHARGE)))
		return FW_RESULT_PROTECTED;
	work->allow_value = (uint8_t)((work->allow_value & ~mask) | value);
	work->allow_mask |= (uint8_t)mask;
	after = work->allow_mask & (uint8_t)~work->allow_value;
	changed = before ^ after;
	if (changed & FW_ALLOW_CHARGE)
		fw_event_put(&pack->events, source,
			     after & FW_ALLOW_CHARGE ? FW_EVENT_CHARGE_OFF : FW_EVENT_CHARGE_ON, 0,
			     0);
	if (changed & FW_ALLOW_DISCHARGE)
		fw_event_put(&pack->events, source,
			     after & FW_ALLOW_DISCHARGE ? FW_EVENT_DISCHARGE_OFF
							: FW_EVENT_DISCHARGE_ON,
			     0, 0);
	return FW_RESULT_OK;
}

static enum fw_result automatic(struct fw_pack *pack, enum fw_source source)
{
	pack->work.safe_stop = false;
	pack->work.allow_mask = pack->work.allow_value = 0;
	fw_event_put(&pack->events, source, FW_EVENT_AUTOMATIC, 0, 0);
	return FW_RESULT_OK;
}

static enum fw_result precharge(struct fw_pack *pack, uint32_t ms)
{
	if (!(pack->identity->features & FW_HAS_PRECHARGE))
		return FW_RESULT_UNSUPPORTED;
	if (ms > PRECHARGE_MOST_ms)
		return FW_RESULT_ARGUMENT;
	if (pack->discharge_off & (uint8_t) ~(FW_OFF_PRECHARGE | FW_OFF_PARALLEL))
		return FW_RESULT_PROTECTED;
	if (!pack->outputs.discharge_mos)
		fw_precharge_again(pack, ms);
	return FW_RESULT_OK;
}

/* Sets *ppm so that `measured` becomes `truth`; both and the result must be believable. */
static enum fw_result gain(struct fw_pack *pack, int32_t *ppm, int32_t measured, int32_t truth,
			   int32_t most_ppm)
{
	int64_t change, sum;

	if (measured == 0 || measured == FW_UNKNOWN)
		return FW_RESULT_BUSY;
	change = ((int64_t)truth - measured) * PPM / measured;
	sum = *ppm + change + *ppm * change / PPM;
	if (change > most_ppm || change < -most_ppm || sum > most_ppm || sum < -most_ppm)
		return FW_RESULT_ARGUMENT;
	*ppm = (int32_t)sum;
	pack->calibration.present = true;
	pack->calibration_changed++;
	return FW_RESULT_OK;
}

static enum fw_result calibrate(struct fw_pack *pack, enum fw_command command, int32_t truth,
				enum fw_source source)
{
	struct fw_calibration *calibration = &pack->calibration;
	int32_t ma = pack->measured.current_ma;
	enum fw_result result = FW_RESULT_OK;

	if (command == FW_COMMAND_CALIBRATE_VOLTAGE) {
		result = gain(pack, &calibration->voltage_ppm, pack->values.pack_mv, truth,
			      VOLTAGE_OFF_ppm);
	} else if (command == FW_COMMAND_CALIBRATE_CURRENT) {
		if (truth > -GAIN_LEAST_ma && truth < GAIN_LEAST_ma)
			return FW_RESULT_ARGUMENT;
		result = gain(pack, &calibration->current_ppm, ma, truth, CURRENT_OFF_ppm);
	} else {
		if (ma == FW_UNKNOWN || ma >= ZERO_MOST_ma || ma <= -ZERO_MOST_ma)
			return FW_RESULT_ARGUMENT;
		if (calibration->current_zero_ma + ma >= ZERO_MOST_ma ||
		    calibration->current_zero_ma + ma <= -ZERO_MOST_ma)
			return FW_RESULT_ARGUMENT;
		calibration->current_zero_ma += ma;
		calibration->present = true;
		pack->calibration_changed++;
	}
	if (result == FW_RESULT_OK)
		fw_event_put(&pack->events, source, FW_EVENT_CALIBRATED,
			     (int32_t)command - FW_COMMAND_CALIBRATE_VOLTAGE, truth / 100);
	return result;
}

static enum fw_result defaults(struct fw_pack *pack, uint32_t argument, enum fw_source source)
{
	static const uint16_t codes[FW_CHEMISTRIES] = {FW_EVENT_PRESET_LFP, FW_EVENT_PRESET_LI_ION,
						       FW_EVENT_PRESET_LTO};

	struct fw_parameters parameters = pack->parameters;

	if (argument >= FW_CHEMISTRIES)
		return FW_RESULT_ARGUMENT;
	fw_parameters_preset(&parameters, (enum fw_chemistry)argument);
	if (!fw_pack_set_parameters(pack, &parameters)) /* what stays must fit what comes */
		return FW_RESULT_ARGUMENT;
	pack->parameters_changed++;
	fw_event_put(&pack->events, source, codes[argument], 0, 0);
	return FW_RESULT_OK;
}

static enum fw_result clear(struct fw_pack *pack, uint32_t mask, enum fw_source source)
{
	fw_protect_clear(pack, mask);
	if (mask & FW_BIT(FW_PRECHARGE_FAILED))
		fw_precharge_again(pack, 0);
	fw_event_put(&pack->events, source, FW_EVENT_CLEARED, (int32_t)(mask >> 16 & 0x7FFF),
		     (int32_t)(mask & 0x7FFF));
	return FW_RESULT_OK;
}

/* Commands that end in darkness carry a magic number, so that no stray frame is one. */
static enum fw_result leave(struct fw_pack *pack, enum fw_command command, uint32_t argument,
			    enum fw_source source)
{
	if (argument != (command == FW_COMMAND_RESTART ? FW_MAGIC_RESTART : FW_MAGIC_POWER_OFF))
		return FW_RESULT_ARGUMENT;
	if (command == FW_COMMAND_POWER_OFF) {
		fw_pack_switch_off(pack, source);
		return FW_RESULT_OK;
	}
	pack->work.restart = true;
	pack->counters_due++;
	fw_event_put(&pack->events, source, FW_EVENT_RESTART, 0, 0);
	return FW_RESULT_OK;
}

enum fw_result fw_pack_command(struct fw_pack *pack, enum fw_command command, uint32_t argument,
			       enum fw_source source, uint64_t now_ms)
{
	(void)now_ms;
	switch (command) {
	case FW_COMMAND_OUTPUTS: return outputs(pack, argument, source);
	case FW_COMMAND_SAFE_STOP: fw_pack_safe_stop(pack, source); return FW_RESULT_OK;
	case FW_COMMAND_AUTOMATIC: return automatic(pack, source);
	case FW_COMMAND_EMERGENCY_START:
		return argument == FW_MAGIC_EMERGENCY ? fw_emergency_start(pack, source)
						      : FW_RESULT_ARGUMENT;
	case FW_COMMAND_EMERGENCY_STOP: fw_emergency_stop(pack, source); return FW_RESULT_OK;
	case FW_COMMAND_PRECHARGE: return precharge(pack, argument);
	case FW_COMMAND_CLEAR: return clear(pack, argument, source);
	case FW_COMMAND_CALIBRATE_VOLTAGE:
	case FW_COMMAND_CALIBRATE_ZERO:
	case FW_COMMAND_CALIBRATE_CURRENT:
		return calibrate(pack, command, (int32_t)argument, source);
	case FW_COMMAND_SET_SOC:
		if (argument > 10000)
			return FW_RESULT_ARGUMENT;
		fw_estimate_set_soc(pack, (int32_t)argument);
		fw_event_put(&pack->events, source, FW_EVENT_SOC_SET, (int32_t)argument, 0);
		return FW_RESULT_OK;
	case FW_COMMAND_DEFAULTS: return defaults(pack, argument, source);
	case FW_COMMAND_RESTART:
	case FW_COMMAND_POWER_OFF: return leave(pack, command, argument, source);
	case FW_COMMAND_SLEEP: fw_pack_sleep(pack); return FW_RESULT_OK;
	case FW_COMMAND_IDENTIFY:
		if (argument > IDENTIFY_MOST_s)
			return FW_RESULT_ARGUMENT;
		pack->work.identify_ms = argument * 1000;
		return FW_RESULT_OK;
	case FW_COMMAND_SET_TIME:
	case FW_COMMAND_CLEAR_LOG: break;
	}
	return FW_RESULT_UNSUPPORTED;
}
