// SPDX-License-Identifier: Apache-2.0
/* Fusion, the step: what came in is judged, the packs find their states, each gets a limit, the
 * limits become one, move as they may, and everything is written down with its reasons. One file
 * per rule; docs/fusion.md has the rules in words, with the letters. */
#include <string.h>

#include "fusion_state.h"

size_t fusion_size(void)
{
	return sizeof(struct fusion);
}

void fusion_input_clear(struct fusion_input *input)
{
	memset(input, 0, sizeof *input);
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++)
		pack_clear(&input->packs[i]);
	input->bus_current_ma = FIELD_UNKNOWN;
}

void fusion_init(struct fusion *fusion, const struct fusion_config *config)
{
	memset(fusion, 0, sizeof *fusion);
	fusion->config = *config;
	fusion->first_accept_ms = fusion->foreign_ms = fusion->voltage_permitted_ms = -1;
	fusion->soc_mpct = FIELD_UNKNOWN;
	fusion->apart_ms = -1;
	for (int i = 0; i < ONEPACK_MAX_PACKS; i++) {
		struct slot *slot = &fusion->slots[i];

		slot->serial.now = slot->serial.before = FIELD_UNKNOWN;
		slot_forget(slot);
	}
}

void fusion_set_energy(struct fusion *fusion, int32_t charged_wh, int32_t discharged_wh)
{
	fusion->charged_wh = charged_wh;
	fusion->discharged_wh = discharged_wh;
	fusion->charged_mwms = fusion->discharged_mwms = 0;
}

static void begin(struct fusion *fusion, const struct fusion_input *input)
{
	const int64_t before_ms = fusion->started ? fusion->now_ms : input->now_ms;

	fusion->now_ms = input->now_ms > before_ms ? input->now_ms : before_ms;
	fusion->elapsed_ms = fusion->now_ms - before_ms;
	if (!fusion->started)
		fusion->full_ms = fusion->now_ms;
}

void fusion_step(struct fusion *fusion, const struct fusion_input *input, struct battery *out)
{
	begin(fusion, input);
	fusion->acknowledged = input->acknowledge;

	fusion_admit(fusion, input);
	fusion_update_states(fusion);
	fusion_find_isolated(fusion, input->bus_current_ma);

	fusion_limit_packs(fusion);
	fusion_learn_shares(fusion);
	fusion_limit_system(fusion);
	fusion_recover(fusion);
	fusion_shape(fusion);

	fusion_follow_charge(fusion);
	fusion_limit_voltage(fusion);

	fusion_write_values(fusion, out);
	fusion_write_alarms(fusion, out);
	fusion_write_reasons(fusion, out);
	fusion->started = true;
}
