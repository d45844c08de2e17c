// SPDX-License-Identifier: Apache-2.0
/* Named C for protocol files: things that one odd protocol needs and that would be clumsy as YAML.
 * One row each, at the end of this file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "layout.h"

/* --- Victron: names of places, "P05C12" --- */

#define PLACE_SIZE 8
#define LAST_PLACE 999 /* three digits have room */

static int32_t hold_place(int32_t number)
{
	return number > LAST_PLACE ? LAST_PLACE : number;
}

static int put_place(int32_t pack, int32_t cell, uint8_t *out)
{
	char text[32] = "";

	if (pack == FIELD_UNKNOWN || pack < 0)
		return ERR_UNKNOWN;
	pack = hold_place(pack);
	cell = hold_place(cell);
	if (cell == FIELD_UNKNOWN || cell < 0)
		snprintf(text, sizeof text, "P%02d", pack);
	else
		snprintf(text, sizeof text, "P%02dC%02d", pack, cell);
	memcpy(out, text, PLACE_SIZE);
	return 0;
}

/* Also takes a bare number, the way a BYD names its tower. */
static void get_place(const uint8_t *in, int32_t *pack, int32_t *cell)
{
	char text[PLACE_SIZE + 1] = "", rest;
	int p, c;

	memcpy(text, in, PLACE_SIZE);
	if (sscanf(text, "P%3dC%3d%c", &p, &c, &rest) == 2 && p >= 0 && c >= 0) {
		*pack = p;
		*cell = c;
	} else if ((sscanf(text, "P%3d%c", &p, &rest) == 1 ||
		    sscanf(text, "%3d%c", &p, &rest) == 1) &&
		   p >= 0) {
		*pack = p;
	}
}

static int encode_cell_min_place(const struct layout *at, uint8_t *out)
{
	const struct battery *battery = at->source;

	return put_place(battery->cell_min_pack, battery->cell_min_cell, out);
}

static void decode_cell_min_place(const struct layout *at, const uint8_t *in)
{
	struct battery *battery = at->target;

	get_place(in, &battery->cell_min_pack, &battery->cell_min_cell);
}

static int encode_cell_max_place(const struct layout *at, uint8_t *out)
{
	const struct battery *battery = at->source;

	return put_place(battery->cell_max_pack, battery->cell_max_cell, out);
}

static void decode_cell_max_place(const struct layout *at, const uint8_t *in)
{
	struct battery *battery = at->target;

	get_place(in, &battery->cell_max_pack, &battery->cell_max_cell);
}

static int encode_temperature_min_place(const struct layout *at, uint8_t *out)
{
	const struct battery *battery = at->source;

	return put_place(battery->temperature_min_pack, FIELD_UNKNOWN, out);
}

static void decode_temperature_min_place(const struct layout *at, const uint8_t *in)
{
	int32_t cell;

	get_place(in, &((struct battery *)at->target)->temperature_min_pack, &cell);
}

static int encode_temperature_max_place(const struct layout *at, uint8_t *out)
{
	const struct battery *battery = at->source;

	return put_place(battery->temperature_max_pack, FIELD_UNKNOWN, out);
}

static void decode_temperature_max_place(const struct layout *at, const uint8_t *in)
{
	int32_t cell;

	get_place(in, &((struct battery *)at->target)->temperature_max_pack, &cell);
}

/* --- Victron: the manufacturer's name --- */

#define NEUTRAL_NAME "OnePack"

/* A GX has rules of its own for some makes and applies them by name; one of them replaces a charge
 * limit of 0 A by 40 A (BYD), others cap the charge voltage. Never claim to be one of these. */
static bool has_own_rules(const char *name)
{
	static const char *const makes[] = {"PYLON", "BYD", "LGC", "LG", "PELIO"};

	for (size_t i = 0; i < sizeof makes / sizeof makes[0]; i++)
		if (strncasecmp(name, makes[i], strlen(makes[i])) == 0)
			return true;
	return false;
}

static int encode_neutral_name(const struct layout *at, uint8_t *out)
{
	const struct battery *battery = at->source;
	const char *name = battery->manufacturer;

	if (!name[0] || has_own_rules(name))
		name = NEUTRAL_NAME;
	for (size_t i = 0; i < 8 && name[i]; i++)
		out[i] = (uint8_t)name[i] > 126 ? '?' : (uint8_t)name[i];
	return 0;
}

static void copy_text(const uint8_t *in, size_t size, char out[FIELD_TEXT_SIZE])
{
	memset(out, 0, FIELD_TEXT_SIZE);
	memcpy(out, in, size);
	for (size_t i = size; i-- > 0 && (out[i] == ' ' || !out[i]);)
		out[i] = '\0';
	for (size_t i = strlen(out); i < size; i++)
		out[i] = '\0';
}

static void decode_neutral_name(const struct layout *at, const uint8_t *in)
{
	copy_text(in, 8, ((struct battery *)at->target)->manufacturer);
}

/* --- Victron: the product family is the model again; when read, a longer name wins --- */

static int encode_family(const struct layout *at, uint8_t *out)
{
	const struct battery *battery = at->source;

	if (!battery->model[0])
		return ERR_UNKNOWN;
	for (size_t i = 0; i < 8 && battery->model[i]; i++)
		out[i] = (uint8_t)battery->model[i] > 126 ? '?' : (uint8_t)battery->model[i];
	return 0;
}

static void decode_family(const struct layout *at, const uint8_t *in)
{
	struct battery *battery = at->target;

	if (!battery->model[0])
		copy_text(in, 8, battery->model);
}

/* --- the table --- */

static const struct hook hooks[] = {
	{"cell_min_place", "pack and number of the lowest cell: P05C12", PLACE_SIZE, SCOPE_BATTERY,
	 encode_cell_min_place, decode_cell_min_place, NULL},
	{"cell_max_place", "pack and number of the highest cell: P05C12", PLACE_SIZE, SCOPE_BATTERY,
	 encode_cell_max_place, decode_cell_max_place, NULL},
	{"temperature_min_place", "pack of the coldest sensor: P05", PLACE_SIZE, SCOPE_BATTERY,
	 encode_temperature_min_place, decode_temperature_min_place, NULL},
	{"temperature_max_place", "pack of the hottest sensor: P05", PLACE_SIZE, SCOPE_BATTERY,
	 encode_temperature_max_place, decode_temperature_max_place, NULL},
	{"neutral_name", "manufacturer, but OnePack instead of a make that a GX treats specially",
	 8, SCOPE_BATTERY, encode_neutral_name, decode_neutral_name, NULL},
	{"family", "first 8 characters of the model", 8, SCOPE_BATTERY, encode_family,
	 decode_family, NULL},
};

#define HOOK_COUNT ((int)(sizeof hooks / sizeof hooks[0]))

const struct hook *hook_row(int n)
{
	return n < HOOK_COUNT ? &hooks[n] : hook_serial_row(n - HOOK_COUNT);
}

const struct hook *hook_find(const char *name, enum scope scope)
{
	const struct hook *hook;

	for (int i = 0; (hook = hook_row(i)); i++)
		if (strcmp(hook->name, name) == 0 && hook->scope == scope)
			return hook;
	return NULL;
}
