// SPDX-License-Identifier: Apache-2.0
/* See factory.h. */
#include "factory.h"

#include <string.h>

#include "../crypto/crc32.h"
#include "bytes.h"

#define MAGIC      UINT32_C(0x31465746) /* "FWF1" */
#define CRC_AT     148
#define TEXT_BYTES 16

#define RATING_MOST_ma  1000000
#define VOLTAGE_OFF_ppm 50000 /* these three as in pack_command.c: more is no calibration */
#define CURRENT_OFF_ppm 100000
#define ZERO_MOST_ma    1000

static bool within(int32_t value, int32_t most)
{
	return value >= -most && value <= most;
}

/* A record that lets any current through, or that bends what is measured, is none. */
static bool is_sound(const struct fw_factory *factory)
{
	const struct fw_identity *id = &factory->identity;
	const struct fw_calibration *calibration = &factory->calibration;

	return id->max_charge_ma > 0 && id->max_charge_ma <= RATING_MOST_ma &&
	       id->max_discharge_ma > 0 && id->max_discharge_ma <= RATING_MOST_ma &&
	       within(calibration->voltage_ppm, VOLTAGE_OFF_ppm) &&
	       within(calibration->current_ppm, CURRENT_OFF_ppm) &&
	       within(calibration->current_zero_ma, ZERO_MOST_ma);
}

bool fw_factory_read(const struct fw_flash *flash, struct fw_factory *factory)
{
	uint8_t in[FW_FACTORY_SIZE];
	struct fw_identity *id = &factory->identity;

	memset(factory, 0, sizeof *factory);
	if (flash->read(flash->context, FW_AREA_FACTORY, 0, in, sizeof in) < 0 ||
	    fw_get_u32le(in) != MAGIC || fw_get_u32le(in + CRC_AT) != fw_crc32(0, in, CRC_AT))
		return false;
	id->device_class = fw_get_u16le(in + 4);
	id->hardware_revision = fw_get_u16le(in + 6);
	id->production_day = fw_get_u16le(in + 8);
	id->uid32 = fw_get_u32le(in + 12);
	id->features = fw_get_u16le(in + 16);
	id->sensors = in[18];
	id->max_charge_ma = (int32_t)fw_get_u32le(in + 20);
	id->max_discharge_ma = (int32_t)fw_get_u32le(in + 24);
	memcpy(id->model, in + 44, TEXT_BYTES);
	memcpy(id->serial, in + 60, TEXT_BYTES);
	factory->calibration.present = fw_get_u16le(in + 10) == 1;
	factory->calibration.voltage_ppm = (int32_t)fw_get_u32le(in + 28);
	factory->calibration.current_ppm = (int32_t)fw_get_u32le(in + 32);
	factory->calibration.current_zero_ma = (int32_t)fw_get_u32le(in + 36);
	memcpy(factory->installer, in + 76, sizeof factory->installer);
	memcpy(factory->key, in + 84, sizeof factory->key);
	memcpy(factory->unlock, in + 116, sizeof factory->unlock);
	if (is_sound(factory))
		return true;
	memset(factory, 0, sizeof *factory);
	return false;
}

void fw_factory_write(const struct fw_factory *factory, uint8_t out[FW_FACTORY_SIZE])
{
	const struct fw_identity *id = &factory->identity;

	memset(out, 0, FW_FACTORY_SIZE);
	fw_put_u32le(out, MAGIC);
	fw_put_u16le(out + 4, id->device_class);
	fw_put_u16le(out + 6, id->hardware_revision);
	fw_put_u16le(out + 8, id->production_day);
	fw_put_u16le(out + 10, factory->calibration.present);
	fw_put_u32le(out + 12, id->uid32);
	fw_put_u16le(out + 16, id->features);
	out[18] = id->sensors;
	fw_put_u32le(out + 20, (uint32_t)id->max_charge_ma);
	fw_put_u32le(out + 24, (uint32_t)id->max_discharge_ma);
	fw_put_u32le(out + 28, (uint32_t)factory->calibration.voltage_ppm);
	fw_put_u32le(out + 32, (uint32_t)factory->calibration.current_ppm);
	fw_put_u32le(out + 36, (uint32_t)factory->calibration.current_zero_ma);
	memcpy(out + 44, id->model, TEXT_BYTES);
	memcpy(out + 60, id->serial, TEXT_BYTES);
	memcpy(out + 76, factory->installer, sizeof factory->installer);
	memcpy(out + 84, factory->key, sizeof factory->key);
	memcpy(out + 116, factory->unlock, sizeof factory->unlock);
	fw_put_u32le(out + CRC_AT, fw_crc32(0, out, CRC_AT));
}
