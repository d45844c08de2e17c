// SPDX-License-Identifier: Apache-2.0
/* The vocabulary tables of field.h at run time. */
#include "onepack/field.h"

#include <string.h>

#include "onepack/battery.h"

struct unit_row {
	const char *symbol, *metric;
	int thousandths;
};

static const char *const battery_state_words[] = {"charging", "discharging", "standby",
						  "fault",    "no_data",     NULL};
static const char *const pack_state_words[] = {"absent", "probing", "candidate",   "active",
					       "held",   "lost",    "quarantined", NULL};
static const char *const charge_stage_words[] = {"bulk", "absorption", "float", "done", NULL};
static const char *const force_charge_words[] = {"none", "soft", "urgent", NULL};

static const struct unit_row units[] = {
#define X(unit, member, json, milli, symbol, metric) [UNIT_##unit] = {symbol, metric, milli},
	ONEPACK_UNITS(X)
#undef X
};

/* Stringifies the JSON key after its suffix was pasted: JSON_KEY(voltage, V) is "voltage_v". */
#define STRING_OF(text)              #text
#define STRING(text)                 STRING_OF(text)
#define JSON_KEY_V(name)             name##_v
#define JSON_KEY_A(name)             name##_a
#define JSON_KEY_W(name)             name##_w
#define JSON_KEY_AH(name)            name##_ah
#define JSON_KEY_KWH(name)           name##_kwh
#define JSON_KEY_PCT(name)           name##_pct
#define JSON_KEY_C(name)             name##_c
#define JSON_KEY_S(name)             name##_s
#define JSON_KEY_COUNT(name)         name
#define JSON_KEY_FLAG(name)          name
#define JSON_KEY_BATTERY_STATE(name) name
#define JSON_KEY_PACK_STATE(name)    name
#define JSON_KEY_CHARGE_STAGE(name)  name
#define JSON_KEY_FORCE_CHARGE(name)  name
#define JSON_KEY(name, unit)         STRING(JSON_KEY_##unit(name))

#define ROW(type, name, unit, meaning)                      \
	{#name, JSON_KEY(name, unit), meaning, UNIT_##unit, \
	 offsetof(struct type, FIELD_MEMBER(name, unit))},
#define TEXT_ROW(type, name) {#name, offsetof(struct type, name)},

static const struct field battery_fields[] = {
#define X(name, unit, meaning) ROW(battery, name, unit, meaning)
	ONEPACK_BATTERY_FIELDS(X)
#undef X
};

static const struct field_text battery_texts[] = {
#define X(name) TEXT_ROW(battery, name)
	ONEPACK_BATTERY_TEXTS(X)
#undef X
};

static const struct field pack_fields[] = {
#define X(name, unit, meaning) ROW(pack, name, unit, meaning)
	ONEPACK_PACK_FIELDS(X)
#undef X
};

static const struct field_text pack_texts[] = {
#define X(name) TEXT_ROW(pack, name)
	ONEPACK_PACK_TEXTS(X)
#undef X
};

static const struct field setting_fields[] = {
#define X(name, unit, meaning) ROW(pack_settings, name, unit, meaning)
	ONEPACK_SETTING_FIELDS(X)
#undef X
};

static const struct field inverter_fields[] = {
#define X(name, unit, meaning) ROW(inverter_view, name, unit, meaning)
	ONEPACK_INVERTER_FIELDS(X)
#undef X
};

static const struct field_text inverter_texts[] = {
#define X(name) TEXT_ROW(inverter_view, name)
	ONEPACK_INVERTER_TEXTS(X)
#undef X
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

const struct field_table field_battery = {battery_fields, COUNT_OF(battery_fields), battery_texts,
					  COUNT_OF(battery_texts)};
const struct field_table field_pack = {pack_fields, COUNT_OF(pack_fields), pack_texts,
				       COUNT_OF(pack_texts)};
const struct field_table field_settings = {setting_fields, COUNT_OF(setting_fields), NULL, 0};
const struct field_table field_inverter = {inverter_fields, COUNT_OF(inverter_fields),
					   inverter_texts, COUNT_OF(inverter_texts)};

const struct field *field_find(const struct field_table *table, const char *name)
{
	for (size_t i = 0; i < table->field_count; i++)
		if (strcmp(table->fields[i].name, name) == 0)
			return &table->fields[i];
	return NULL;
}

const struct field_text *field_find_text(const struct field_table *table, const char *name)
{
	for (size_t i = 0; i < table->text_count; i++)
		if (strcmp(table->texts[i].name, name) == 0)
			return &table->texts[i];
	return NULL;
}

int32_t field_get(const void *object, const struct field *field)
{
	int32_t value;

	memcpy(&value, (const char *)object + field->offset, sizeof value);
	return value;
}

void field_set(void *object, const struct field *field, int32_t value)
{
	memcpy((char *)object + field->offset, &value, sizeof value);
}

void field_clear(void *object, const struct field_table *table)
{
	for (size_t i = 0; i < table->field_count; i++)
		field_set(object, &table->fields[i], FIELD_UNKNOWN);
	for (size_t i = 0; i < table->text_count; i++)
		memset((char *)object + table->texts[i].offset, 0, FIELD_TEXT_SIZE);
}

int unit_is_thousandths(enum unit unit)
{
	return units[unit].thousandths;
}

const char *unit_symbol(enum unit unit)
{
	return units[unit].symbol;
}

const char *unit_metric_suffix(enum unit unit)
{
	return units[unit].metric;
}

static const char *const *unit_words(enum unit unit)
{
	switch (unit) {
	case UNIT_BATTERY_STATE: return battery_state_words;
	case UNIT_PACK_STATE: return pack_state_words;
	case UNIT_CHARGE_STAGE: return charge_stage_words;
	case UNIT_FORCE_CHARGE: return force_charge_words;
	default: return NULL;
	}
}

const char *unit_word(enum unit unit, int32_t value)
{
	const char *const *words = unit_words(unit);

	for (int32_t i = 0; words && words[i]; i++)
		if (i == value)
			return words[i];
	return NULL;
}

int unit_value(enum unit unit, const char *word)
{
	const char *const *words = unit_words(unit);

	for (int i = 0; words && words[i]; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return -1;
}
