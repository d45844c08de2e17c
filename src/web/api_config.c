// SPDX-License-Identifier: Apache-2.0
/* The settings of `battery:` as they are in force, with what they mean, to be read only: the page
 * shows each where it acts. */
#include <string.h>

#include "http.h"
#include "onepack/fusion_config.h"

static json_t *value_json(int32_t value, enum unit unit)
{
	if (value == FIELD_UNKNOWN)
		return json_null();
	if (unit == UNIT_FLAG)
		return json_boolean(value != 0);
	return unit_is_thousandths(unit) ? json_real(value / 1000.0) : json_integer(value);
}

static json_t *row(const char *key, const char *kind, const char *group, const char *meaning)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "key", key, "kind", kind, "group", group,
			 "meaning", meaning);
}

static json_t *number_json(const struct fusion_config *config, const struct fusion_key *key)
{
	const bool is_flag = key->unit == UNIT_FLAG;
	json_t *json = row(key->json, is_flag ? "flag" : "number", key->group, key->meaning);
	int32_t value;

	memcpy(&value, (const char *)config + key->offset, sizeof value);
	json_object_set_new(json, "value", value_json(value, key->unit));
	json_object_set_new(json, "default", value_json(key->normal, key->unit));
	json_object_set_new(json, "unit", json_string(unit_symbol(key->unit)));
	if (is_flag)
		return json;
	json_object_set_new(json, "low", value_json(key->low, key->unit));
	json_object_set_new(json, "high", value_json(key->high, key->unit));
	return json;
}

static json_t *choice_json(const struct fusion_config *config, const struct fusion_choice *choice)
{
	json_t *json = row(choice->json, "choice", FUSION_CHOICES_GROUP, choice->meaning);
	json_t *words = json_array();
	int value;

	memcpy(&value, (const char *)config + choice->offset, sizeof value);
	for (int i = 0; choice->words[i]; i++)
		json_array_append_new(words, json_string(choice->words[i]));
	json_object_set_new(json, "value", json_string(choice->words[value]));
	json_object_set_new(json, "default", json_string(choice->words[choice->normal]));
	json_object_set_new(json, "possible", words);
	return json;
}

static json_t *points_json(const struct fusion_config *config, const struct fusion_curve *curve)
{
	const struct curve *points = (const struct curve *)((const char *)config + curve->offset);
	json_t *list = json_array();

	for (int i = 0; i < points->count; i++)
		json_array_append_new(list, json_pack("[f, f]", points->point[i].x / 1000.0,
						      points->point[i].y / 1e6));
	return list;
}

/* What the curve would be if it were not given follows the voltages that are. */
static json_t *curve_json(const struct fusion_config *config, const struct fusion_curve *curve)
{
	json_t *json = row(curve->json, "curve", FUSION_CHOICES_GROUP, curve->meaning);
	struct fusion_config normal = *config;

	fusion_config_default_curves(&normal);
	json_object_set_new(json, "value", points_json(config, curve));
	json_object_set_new(json, "default", points_json(&normal, curve));
	json_object_set_new(json, "unit", json_string(curve->units));
	return json;
}

enum MHD_Result api_config(struct request *request)
{
	const struct fusion_config *config = request->web->config.battery;
	struct fusion_config normal;
	json_t *list = json_array();

	fusion_config_default(&normal);
	if (!config)
		config = &normal;
	for (int i = 0; i < fusion_key_count; i++)
		json_array_append_new(list, number_json(config, &fusion_keys[i]));
	for (int i = 0; i < fusion_choice_count; i++)
		json_array_append_new(list, choice_json(config, &fusion_choices[i]));
	for (int i = 0; i < fusion_curve_count; i++)
		json_array_append_new(list, curve_json(config, &fusion_curves[i]));
	return reply_json(request, MHD_HTTP_OK, json_pack("{s:o}", "battery", list));
}
