// SPDX-License-Identifier: Apache-2.0
/* What a pack tells: contacts, buzzer, LEDs. */
#include "../cmocka_all.h"

#include "rig.h"

static void contacts_and_buzzer_follow_their_sources(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.parameters.buzzer_source = FW_SIGNAL_HOT;
	rig_start(&rig);
	rig_run(&rig, 3000);
	assert_false(rig.pack.outputs.dry_contact[0] || rig.pack.outputs.dry_contact[1]);
	rig_temperatures(&rig, 620);
	rig_command(&rig, FW_COMMAND_SET_SOC, 500);
	rig_run(&rig, 4000);
	assert_true(rig.pack.outputs.dry_contact[0] && rig.pack.outputs.dry_contact[1]);
	assert_true(rig.pack.outputs.buzzer);
	rig_command(&rig, FW_COMMAND_OUTPUTS, (uint32_t)FW_ALLOW_BUZZER << 16);
	rig_step(&rig);
	assert_false(rig.pack.outputs.buzzer);
}

static void soc_leds_follow_the_table(void **state)
{
	static const struct {
		uint16_t soc_pct;
		int bars;
	} rows[] = {{0, 1},  {9, 1},  {19, 1}, {20, 2}, {39, 2}, {40, 3},
		    {59, 3}, {60, 4}, {79, 4}, {80, 5}, {99, 5}, {100, 5}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		static struct rig rig;
		int bars = 0;

		rig_ready(&rig, FW_LFP);
		rig_command(&rig, FW_COMMAND_SET_SOC, rows[i].soc_pct * 100u);
		rig_step(&rig);
		for (int led = 0; led < 5; led++)
			bars += (rig.pack.outputs.leds & (uint32_t)FW_LED_L1 << led) != 0;
		/* the own consumption of one step may take the last hundredth of a percent */
		assert_in_range(bars, rows[i].bars - (rows[i].soc_pct % 20 == 0), rows[i].bars);
	}
}

/* How often a LED changes in two seconds. */
static int changes(struct rig *rig, uint32_t led)
{
	int count = 0;

	rig_step(rig);
	for (int i = 0; i < 20; i++) {
		uint32_t before = rig->pack.outputs.leds & led;

		rig_step(rig);
		count += before != (rig->pack.outputs.leds & led);
	}
	return count;
}

static void status_leds_follow_the_manuals(void **state)
{
	static struct rig rig;

	(void)state;
	rig_ready(&rig, FW_LFP);
	assert_true(rig.pack.outputs.leds & FW_LED_POWER);
	assert_int_equal(changes(&rig, FW_LED_RUN), 4);
	assert_int_equal(changes(&rig, FW_LED_ALARM), 0);
	assert_false(rig.pack.outputs.leds & FW_LED_ALARM);
	assert_int_equal(changes(&rig, FW_LED_L6), 0);
	fw_pack_heard(&rig.pack, rig.now_ms);
	assert_int_equal(changes(&rig, FW_LED_L6), 4);
	rig.in.current_ma = 20000;
	assert_int_equal(changes(&rig, FW_LED_L3), 4); /* charging: the top one blinks */
	assert_int_equal(changes(&rig, FW_LED_L2), 0);
	rig.in.current_ma = 0;
	rig_temperatures(&rig, 620);
	rig_run(&rig, 3000);
	assert_int_equal(changes(&rig, FW_LED_ALARM), 4); /* a protection blinks */
	rig_temperatures(&rig, 250);
	rig_run(&rig, 3000);
	rig.in.cells_mv[3] = FW_UNKNOWN;
	rig_run(&rig, 2000);
	assert_int_equal(changes(&rig, FW_LED_ALARM), 0); /* a defect is steady */
	assert_true(rig.pack.outputs.leds & FW_LED_ALARM);
	rig.in.cells_mv[3] = 3300;
	rig_command(&rig, FW_COMMAND_IDENTIFY, 5);
	assert_true(changes(&rig, FW_LED_L5) > 8);
	rig_run(&rig, 5000);
	assert_int_equal(changes(&rig, FW_LED_L5), 0);
}

static void dip_zero_blinks_the_sixth(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, FW_LFP);
	rig.in.dip = 0;
	rig_start(&rig);
	rig_run(&rig, 3000);
	assert_int_equal(changes(&rig, FW_LED_L6), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contacts_and_buzzer_follow_their_sources),
		cmocka_unit_test(soc_leds_follow_the_table),
		cmocka_unit_test(status_leds_follow_the_manuals),
		cmocka_unit_test(dip_zero_blinks_the_sixth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
