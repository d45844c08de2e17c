// SPDX-License-Identifier: Apache-2.0
/* Commands that only packs with our firmware understand: their power, their switches and what their
 * front end measures. */
#include "control.h"
#include "onepack/clock.h"

void call_do_reset(const struct call *call)
{
	struct sim_firmware *firmware;

	if (!call_firmware(call, 1, &firmware))
		return;
	sim_firmware_restart(firmware, FW_BOOT_BUTTON, clock_monotonic_us() * 1000);
	call_ok(call);
}

void call_do_cut(const struct call *call)
{
	struct sim_firmware *firmware;
	int64_t now_ns = clock_monotonic_us() * 1000, back_ns = LINE_NEVER;
	double seconds;

	if (!call_firmware(call, 1, &firmware))
		return;
	if (call->count > 2) {
		if (!call_number(call, 2, 0, 1e6, &seconds))
			return;
		back_ns = now_ns + (int64_t)(seconds * 1e9);
	}
	sim_firmware_cut(firmware, now_ns, back_ns);
	call_ok(call);
}

void call_do_short(const struct call *call)
{
	struct sim_firmware *firmware;

	if (call_firmware(call, 1, &firmware) && call_switch(call, 2, &firmware->afe.shorted))
		call_ok(call);
}

static void set_bit(uint32_t *bits, uint32_t bit, bool on)
{
	*bits = on ? *bits | bit : *bits & ~bit;
}

void call_do_key(const struct call *call)
{
	struct sim_firmware *firmware;
	bool on;

	if (!call_firmware(call, 1, &firmware) || !call_switch(call, 2, &on))
		return;
	set_bit(&firmware->afe.off_inputs, FW_INPUT_KEY, !on);
	call_ok(call);
}

void call_do_emergency(const struct call *call)
{
	struct sim_firmware *firmware;
	bool on;

	if (!call_firmware(call, 1, &firmware) || !call_switch(call, 2, &on))
		return;
	set_bit(&firmware->afe.on_inputs, FW_INPUT_EMERGENCY, on);
	call_ok(call);
}

void call_do_sensor(const struct call *call)
{
	struct sim_firmware *firmware;
	int sensor;
	bool on;

	if (!call_firmware(call, 1, &firmware) || !call_integer(call, 2, 1, FW_SENSORS, &sensor) ||
	    !call_switch(call, 3, &on))
		return;
	set_bit(&firmware->afe.broken_sensors, 1u << (sensor - 1), !on);
	call_ok(call);
}

void call_do_wire(const struct call *call)
{
	struct sim_firmware *firmware;
	int cell;
	bool on;

	if (!call_firmware(call, 1, &firmware) ||
	    !call_integer(call, 2, 1, firmware->body->cell_count, &cell) ||
	    !call_switch(call, 3, &on))
		return;
	set_bit(&firmware->afe.broken_wires, 1u << (cell - 1), !on);
	call_ok(call);
}
