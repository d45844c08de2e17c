// SPDX-License-Identifier: Apache-2.0
/* Written field by field: no struct is ever laid over bytes. 16-bit quantities have 0x8000 for
 * "unknown", 32-bit ones 0x80000000, which is FW_UNKNOWN itself. */
#include "firmware/board/afe_frame.h"

#include <stddef.h>
#include <string.h>

#define START     0xA5u
#define HEAD      3u /* start, kind, count */
#define TAIL      2u /* CRC */
#define UNKNOWN16 INT16_MIN
#define OUTPUTS   24u                                /* bytes of payload */
#define FIXED     (4u + 4u + 4u + 4u + 1u + 1u + 4u) /* of a measurement, before its lists */

/* Bits of the switches in an outputs frame; fw_outputs has one bool each. */
enum {
	CHARGE_MOS = 1 << 0,
	DISCHARGE_MOS = 1 << 1,
	PRECHARGE = 1 << 2,
	HEATER = 1 << 3,
	LIMITER = 1 << 4,
	BUZZER = 1 << 5,
	DRY_CONTACT_1 = 1 << 6,
	DRY_CONTACT_2 = 1 << 7,
	ENABLE_OUT = 1 << 8,
	RELEASE_SHORT_CIRCUIT = 1 << 9,
	POWER_OFF = 1 << 10,
	SLEEP = 1 << 11
};

struct cursor {
	uint8_t *at;
};

struct view {
	const uint8_t *at;
};

static uint32_t crc16(const uint8_t *bytes, uint32_t count)
{
	uint32_t crc = 0xFFFF;

	for (uint32_t i = 0; i < count; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xA001 : crc >> 1;
	}
	return crc;
}

static void put8(struct cursor *c, uint32_t value)
{
	*c->at++ = (uint8_t)value;
}

static void put16(struct cursor *c, uint32_t value)
{
	put8(c, value);
	put8(c, value >> 8);
}

static void put32(struct cursor *c, uint32_t value)
{
	put16(c, value);
	put16(c, value >> 16);
}

/* A quantity in 16 bits. */
static void put_value(struct cursor *c, int32_t value)
{
	if (value == FW_UNKNOWN)
		value = UNKNOWN16;
	else if (value > INT16_MAX)
		value = INT16_MAX;
	else if (value <= UNKNOWN16)
		value = UNKNOWN16 + 1;
	put16(c, (uint32_t)value);
}

static uint32_t get8(struct view *v)
{
	return *v->at++;
}

static uint32_t get16(struct view *v)
{
	const uint32_t low = get8(v);

	return low | get8(v) << 8;
}

static uint32_t get32(struct view *v)
{
	const uint32_t low = get16(v);

	return low | get16(v) << 16;
}

static int32_t get_value(struct view *v)
{
	const int16_t value = (int16_t)get16(v);

	return value == UNKNOWN16 ? FW_UNKNOWN : value;
}

/* A cell from 0, or -1. */
static int32_t get_place(struct view *v)
{
	const uint32_t place = get8(v);

	return place < FW_MAX_CELLS ? (int32_t)place : -1;
}

static struct cursor begin(uint8_t *frame, enum fw_afe_kind kind)
{
	struct cursor c = {frame};

	put8(&c, START);
	put8(&c, kind);
	put8(&c, 0);
	return c;
}

static uint32_t finish(uint8_t *frame, struct cursor *c)
{
	const uint32_t count = (uint32_t)(c->at - frame);

	frame[2] = (uint8_t)(count - HEAD);
	put16(c, crc16(frame, count));
	return count + TAIL;
}

uint32_t fw_afe_write_measurement(const struct fw_measurement *m, uint8_t frame[FW_AFE_MAX_FRAME])
{
	struct cursor c = begin(frame, FW_AFE_MEASUREMENT);
	const int32_t cells = m->cell_count < 0              ? 0
			      : m->cell_count > FW_MAX_CELLS ? FW_MAX_CELLS
							     : m->cell_count;

	put32(&c, m->sequence);
	put32(&c, m->inputs);
	put32(&c, (uint32_t)m->terminal_mv);
	put32(&c, (uint32_t)m->current_ma);
	put8(&c, m->dip);
	put8(&c, (uint32_t)cells);
	put_value(&c, m->heater_ma);
	put_value(&c, m->balance_ma);
	for (int32_t i = 0; i < FW_SENSORS; i++)
		put_value(&c, m->temperatures_dC[i]);
	for (int32_t i = 0; i < cells; i++) {
		put_value(&c, m->cells_mv[i]);
		put_value(&c, m->wire_dmohm[i]);
	}
	return finish(frame, &c);
}

static uint32_t switches_of(const struct fw_outputs *o)
{
	return (o->charge_mos ? CHARGE_MOS : 0u) | (o->discharge_mos ? DISCHARGE_MOS : 0u) |
	       (o->precharge ? PRECHARGE : 0u) | (o->heater ? HEATER : 0u) |
	       (o->limiter ? LIMITER : 0u) | (o->buzzer ? BUZZER : 0u) |
	       (o->dry_contact[0] ? DRY_CONTACT_1 : 0u) | (o->dry_contact[1] ? DRY_CONTACT_2 : 0u) |
	       (o->enable_out ? ENABLE_OUT : 0u) |
	       (o->release_short_circuit ? RELEASE_SHORT_CIRCUIT : 0u) |
	       (o->power_off ? POWER_OFF : 0u) | (o->sleep ? SLEEP : 0u);
}

uint32_t fw_afe_write_outputs(const struct fw_outputs *o, uint32_t sequence,
			      uint8_t frame[FW_AFE_MAX_FRAME])
{
	struct cursor c = begin(frame, FW_AFE_OUTPUTS);

	put32(&c, sequence);
	put16(&c, switches_of(o));
	put8(&c, (uint32_t)o->balance_from);
	put8(&c, (uint32_t)o->balance_to);
	put32(&c, o->balance_cells);
	put32(&c, (uint32_t)o->balance_ma);
	put32(&c, (uint32_t)o->limiter_ma);
	put32(&c, o->leds);
	return finish(frame, &c);
}

static void drop(struct fw_afe_reader *r, uint32_t count)
{
	r->count -= count;
	memmove(r->frame, r->frame + count, r->count);
}

/* Throws bytes away up to the next one that may start a frame. */
static void resume(struct fw_afe_reader *r)
{
	uint32_t skip = 1;

	while (skip < r->count && r->frame[skip] != START)
		skip++;
	drop(r, skip);
	r->errors++;
}

static bool plausible(const struct fw_afe_reader *r)
{
	if (r->frame[0] != START)
		return false;
	if (r->count > 1 && r->frame[1] != FW_AFE_MEASUREMENT && r->frame[1] != FW_AFE_OUTPUTS)
		return false;
	return r->count <= 2 || HEAD + r->frame[2] + TAIL <= FW_AFE_MAX_FRAME;
}

enum fw_afe_kind fw_afe_read(struct fw_afe_reader *r, uint8_t byte)
{
	uint32_t whole;

	drop(r, r->done);
	r->done = 0;
	r->frame[r->count++] = byte;
	while (r->count > 0) {
		if (!plausible(r)) {
			resume(r);
			continue;
		}
		whole = r->count < HEAD ? UINT32_MAX : HEAD + r->frame[2] + TAIL;
		if (r->count < whole)
			break;
		if (crc16(r->frame, whole) == 0) {
			r->done = whole;
			return (enum fw_afe_kind)r->frame[1];
		}
		resume(r);
	}
	return FW_AFE_NOTHING;
}

bool fw_afe_get_measurement(const struct fw_afe_reader *r, struct fw_measurement *out)
{
	struct view v = {r->frame + HEAD};
	struct fw_measurement m = {0};
	const uint32_t count = r->frame[2];

	if (r->frame[1] != FW_AFE_MEASUREMENT || count < FIXED + 2u * FW_SENSORS)
		return false;
	m.sequence = get32(&v);
	m.inputs = get32(&v);
	m.terminal_mv = (int32_t)get32(&v);
	m.current_ma = (int32_t)get32(&v);
	m.dip = (uint8_t)get8(&v);
	m.cell_count = (int32_t)get8(&v);
	m.heater_ma = get_value(&v);
	m.balance_ma = get_value(&v);
	if (m.cell_count > FW_MAX_CELLS ||
	    count != FIXED + 2u * FW_SENSORS + 4u * (uint32_t)m.cell_count)
		return false;
	for (int32_t i = 0; i < FW_SENSORS; i++)
		m.temperatures_dC[i] = get_value(&v);
	for (int32_t i = 0; i < FW_MAX_CELLS; i++) {
		m.cells_mv[i] = i < m.cell_count ? get_value(&v) : FW_UNKNOWN;
		m.wire_dmohm[i] = i < m.cell_count ? get_value(&v) : FW_UNKNOWN;
	}
	*out = m;
	return true;
}

static void set_switches(struct fw_outputs *o, uint32_t bits)
{
	o->charge_mos = (bits & CHARGE_MOS) != 0;
	o->discharge_mos = (bits & DISCHARGE_MOS) != 0;
	o->precharge = (bits & PRECHARGE) != 0;
	o->heater = (bits & HEATER) != 0;
	o->limiter = (bits & LIMITER) != 0;
	o->buzzer = (bits & BUZZER) != 0;
	o->dry_contact[0] = (bits & DRY_CONTACT_1) != 0;
	o->dry_contact[1] = (bits & DRY_CONTACT_2) != 0;
	o->enable_out = (bits & ENABLE_OUT) != 0;
	o->release_short_circuit = (bits & RELEASE_SHORT_CIRCUIT) != 0;
	o->power_off = (bits & POWER_OFF) != 0;
	o->sleep = (bits & SLEEP) != 0;
}

bool fw_afe_get_outputs(const struct fw_afe_reader *r, struct fw_outputs *out, uint32_t *sequence)
{
	struct view v = {r->frame + HEAD};
	struct fw_outputs o = {0};

	if (r->frame[1] != FW_AFE_OUTPUTS || r->frame[2] != OUTPUTS)
		return false;
	*sequence = get32(&v);
	set_switches(&o, get16(&v));
	o.balance_from = get_place(&v);
	o.balance_to = get_place(&v);
	o.balance_cells = get32(&v);
	o.balance_ma = (int32_t)get32(&v);
	o.limiter_ma = (int32_t)get32(&v);
	o.leds = get32(&v);
	*out = o;
	return true;
}
