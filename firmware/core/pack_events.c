// SPDX-License-Identifier: Apache-2.0
/* Changes of the status words as events. Where JK packs have a code for it, theirs is used. */
#include "pack_parts.h"

struct codes {
	uint8_t came, went; /* 0 = no code of JK's */
};

static const struct codes status_codes[FW_STATUSES] = {
	[FW_CELL_OV] = {FW_EVENT_CELL_OV, 0x12},
	[FW_CELL_UV] = {FW_EVENT_CELL_UV, 0x1E},
	[FW_PACK_OV] = {0x13, 0x14},
	[FW_PACK_UV] = {0x1F, 0x20},
	[FW_CHARGE_OC1] = {0x15, 0x16},
	[FW_DISCHARGE_OC1] = {0x21, 0x22},
	[FW_DISCHARGE_OC2] = {0x40, 0},
	[FW_SHORT_CIRCUIT] = {0x23, 0x24},
	[FW_CHARGE_OT] = {0x19, 0x1A},
	[FW_CHARGE_UT] = {0x1B, 0x1C},
	[FW_DISCHARGE_OT] = {0x25, 0x26},
	[FW_DISCHARGE_UT] = {0x48, 0x49},
	[FW_MOS_OT] = {0x0B, 0x0C},
};

static const struct codes fault_codes[FW_FAULTS] = {
	[FW_FAULT_CHARGE_MOS] = {0x39, 0}, [FW_FAULT_DISCHARGE_MOS] = {0x3A, 0},
	[FW_FAULT_AFE] = {0x0F, 0x10},     [FW_FAULT_CURRENT_SENSOR] = {0x0D, 0x0E},
	[FW_FAULT_CELL_COUNT] = {0x3C, 0}, [FW_FAULT_WATCHDOG] = {FW_EVENT_WATCHDOG, 0},
};

/* Warnings that change rarely; the others come with every short excess. */
#define LOGGED_WARNINGS                                                                        \
	(FW_BIT(FW_SOC_LOW) | FW_BIT(FW_CELL_DIFFERENCE) | FW_BIT(FW_TEMPERATURE_DIFFERENCE) | \
	 FW_BIT(FW_ADDRESS_CONFLICT) | FW_BIT(FW_MASTER_LOST) | FW_BIT(FW_BALANCE_WIRE) |      \
	 FW_BIT(FW_BANK_DIFFERS) | FW_BIT(FW_AMBIENT_OT) | FW_BIT(FW_AMBIENT_UT) |             \
	 FW_BIT(FW_DEFAULT_PASSWORD))

/* The value that belongs to a status: mV, 10 mV, 0.1 A or 0.1 degC. */
static int32_t value_of(const struct fw_pack *pack, enum fw_status status)
{
	const struct fw_values *v = &pack->values;

	switch (status) {
	case FW_CELL_OV:
	case FW_CELL_HIGH: return v->cell_max_mv;
	case FW_CELL_UV:
	case FW_CHARGE_FORBIDDEN: return v->cell_min_mv;
	case FW_PACK_OV:
	case FW_PACK_UV: return v->pack_mv == FW_UNKNOWN ? FW_UNKNOWN : v->pack_mv / 10;
	case FW_CHARGE_OC1:
	case FW_CHARGE_OC2:
	case FW_DISCHARGE_OC1:
	case FW_DISCHARGE_OC2:
	case FW_SHORT_CIRCUIT: return pack->measured.current_ma / 100;
	case FW_CHARGE_OT:
	case FW_DISCHARGE_OT: return v->cell_max_dC;
	case FW_CHARGE_UT:
	case FW_DISCHARGE_UT: return v->cell_min_dC;
	case FW_MOS_OT: return v->mos_max_dC;
	case FW_AMBIENT_OT:
	case FW_AMBIENT_UT: return v->ambient_dC;
	case FW_SOC_LOW: return pack->soc_cpct;
	case FW_CELL_DIFFERENCE: return v->cell_max_mv - v->cell_min_mv;
	case FW_TEMPERATURE_DIFFERENCE: return v->cell_max_dC - v->cell_min_dC;
	case FW_BALANCE_WIRE: return v->wire_max_dmohm;
	case FW_BANK_DIFFERS:
		return pack->measured.terminal_mv == FW_UNKNOWN ? FW_UNKNOWN
								: pack->measured.terminal_mv / 10;
	case FW_PRECHARGE_FAILED:
	case FW_ADDRESS_CONFLICT:
	case FW_MASTER_LOST:
	case FW_EMERGENCY:
	case FW_DEFAULT_PASSWORD:
	case FW_REVERSED:
	case FW_STATUSES: break;
	}
	return 0;
}

static void log_protection(struct fw_pack *pack, enum fw_status status, bool came)
{
	int code = came ? status_codes[status].came : status_codes[status].went;
	int32_t cell = status == FW_CELL_UV ? pack->values.cell_min : pack->values.cell_max;

	if (code == 0)
		code = (came ? FW_EVENT_PROTECTED : FW_EVENT_RELEASED) + (int)status;
	if (code == FW_EVENT_CELL_OV || code == FW_EVENT_CELL_UV)
		code += cell > 0 ? cell : 0;
	fw_event_put(&pack->events, FW_SOURCE_PACK, code, cell + 1, value_of(pack, status));
}

static void log_fault(struct fw_pack *pack, enum fw_fault fault, bool came)
{
	int code = came ? fault_codes[fault].came : fault_codes[fault].went;

	if (code == 0)
		code = (came ? FW_EVENT_FAULT : FW_EVENT_FAULT_GONE) + (int)fault;
	fw_event_put(&pack->events, FW_SOURCE_PACK, code, pack->measured.cell_count,
		     pack->values.cell_max);
}

void fw_pack_log_changes(struct fw_pack *pack)
{
	struct fw_work *work = &pack->work;
	uint32_t protections = pack->protections | work->aside; /* set aside is not over */
	uint32_t warnings = pack->warnings & LOGGED_WARNINGS;
	uint32_t protected_now = protections ^ work->logged_protections;
	uint32_t faulty_now = pack->faults ^ work->logged_faults;
	uint32_t warned_now = warnings ^ work->logged_warnings;

	for (int i = 0; i < FW_STATUSES; i++) {
		bool warned = (warnings & FW_BIT(i)) != 0;

		if (protected_now & FW_BIT(i))
			log_protection(pack, (enum fw_status)i, (protections & FW_BIT(i)) != 0);
		if (warned_now & FW_BIT(i))
			fw_event_put(&pack->events, FW_SOURCE_PACK,
				     (warned ? FW_EVENT_WARNING : FW_EVENT_WARNING_GONE) + i, 0,
				     value_of(pack, (enum fw_status)i));
	}
	for (int i = 0; i < FW_FAULTS; i++)
		if (faulty_now & FW_BIT(i))
			log_fault(pack, (enum fw_fault)i, (pack->faults & FW_BIT(i)) != 0);
	work->logged_protections = protections;
	work->logged_faults = pack->faults;
	work->logged_warnings = warnings;
}
