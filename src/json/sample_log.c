// SPDX-License-Identifier: Apache-2.0
/* Writing of the log of what came in; sample_log_read.c reads it. */
#include "onepack/sample_log.h"

#include <stdlib.h>
#include <string.h>

#include "onepack/json.h"

const char *const sample_log_kinds[BUS_ERROR_KINDS] = {"checksum", "timeout", "foreign_request"};

void sample_log_begin(struct sample_log_writer *writer)
{
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++)
		field_clear(&writer->settings[i], &field_settings);
}

static json_t *pack_json(struct sample_log_writer *writer, const struct pack *pack)
{
	json_t *json = json_known_pack(pack);
	struct pack_settings *last;

	if (pack->pack < 1 || pack->pack > ONEPACK_MAX_PACKS)
		return json;
	last = &writer->settings[pack->pack - 1];
	if (memcmp(last, &pack->settings, sizeof *last) == 0) {
		json_object_del(json, "settings");
		return json;
	}
	*last = pack->settings;
	if (!json_object_get(json, "settings")) /* it had some, and has none now */
		json_object_set_new(json, "settings", json_object());
	return json;
}

static json_t *error_json(const struct bus_error *error)
{
	json_t *json = json_object();

	json_object_set_new(json, "bus", json_string(error->bus));
	if (error->address != FIELD_UNKNOWN)
		json_object_set_new(json, "address", json_integer(error->address));
	json_object_set_new(json, "kind", json_string(sample_log_kinds[error->kind]));
	json_object_set_new(json, "count", json_integer(error->count));
	return json;
}

static json_t *step_json(struct sample_log_writer *writer, const struct fusion_input *input,
			 uint64_t lost)
{
	json_t *json = json_object(), *packs = json_array(), *errors = json_array();

	if (lost > 0)
		json_object_set_new(json, "lost", json_integer((json_int_t)lost));
	for (int i = 0; i < input->pack_count; i++)
		json_array_append_new(packs, pack_json(writer, &input->packs[i]));
	json_object_set_new(json, "packs", packs);
	if (input->bus_current_ma != FIELD_UNKNOWN)
		json_object_set_new(json, "bus_current_a",
				    json_real(input->bus_current_ma / 1000.0));
	if (input->acknowledge)
		json_object_set_new(json, "acknowledge", json_true());
	for (int i = 0; i < input->error_count; i++)
		json_array_append_new(errors, error_json(&input->errors[i]));
	if (input->error_count > 0)
		json_object_set(json, "bus_errors", errors);
	json_decref(errors);
	return json;
}

/* The time has more digits than ONEPACK_JSON_FLAGS print (ms since 1970), so it is written apart.
 */
int sample_log_write(struct sample_log_writer *writer, FILE *out, int64_t time_ms,
		     const struct fusion_input *input, uint64_t lost)
{
	json_t *json = step_json(writer, input, lost);
	char *text = json ? json_dumps(json, ONEPACK_JSON_FLAGS) : NULL;
	int printed = -1;

	if (text)
		printed = fprintf(out, "{\"t\":%.15g,%s\n", (double)time_ms / 1000.0, text + 1);
	free(text);
	json_decref(json);
	return printed < 0 ? -1 : 0;
}
