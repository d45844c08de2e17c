# SPDX-License-Identifier: Apache-2.0
"""Captured JK records, replayed through a pty into the running gateway: every published field must say what the captures say.
The values are worked out from the public captures by hand (voltages against cell sums, clock against the log's date), not by
our own decoder."""

import sys

from racks import captured
from rig import Gateway, JkPacks, Scene, record, run_tests, wait_for

# the capture at rest, firmware 15.30 (settings) and 15.41 (about)
AT_REST = {
    "voltage_v": 52.336, "current_a": 0.0, "soc_pct": 65.0, "soh_pct": 100.0, "capacity_ah": 314.0, "remaining_ah": 202.859,
    "cycles": 0, "mos_temperature_c": 18.9, "charge_mos": True, "discharge_mos": True, "precharge": False, "heater": False,
    "balancing": False, "balance_current_a": 0.0, "protections": [], "warnings": [],
    "serial": "40119491480", "model": "JK_PB2A16S20P", "firmware_version": "15.41", "hardware_version": "15A",
    "charge_current_limit_a": 40.0, "discharge_current_limit_a": 150.0,
    "charge_voltage_limit_v": 57.6, "discharge_voltage_limit_v": 41.28, "address": 1, "bus": "rack", "protocol": "pack/jk-pb",
}
AT_REST_CELLS = [3.271] * 10 + [3.272, 3.271, 3.272, 3.271, 3.272, 3.272]
AT_REST_TEMPERATURES = [16.9, 17.3, 17.4, 16.8]
AT_REST_SETTINGS = {
    "smart_sleep_cell_v": 3.5, "cell_undervoltage_v": 2.58, "cell_undervoltage_release_v": 2.62, "cell_overvoltage_v": 3.65,
    "cell_overvoltage_release_v": 3.58, "balance_trigger_v": 0.01, "soc_full_cell_v": 3.59, "soc_empty_cell_v": 2.6,
    "charge_cell_v": 3.6, "float_cell_v": 3.5, "power_off_cell_v": 2.5, "charge_overcurrent_a": 40.0,
    "charge_overcurrent_delay_s": 3.0, "charge_overcurrent_release_s": 60.0, "discharge_overcurrent_a": 150.0,
    "discharge_overcurrent_delay_s": 300.0, "discharge_overcurrent_release_s": 60.0, "short_circuit_release_s": 5.0,
    "short_circuit_delay_us": 1500, "balance_current_max_a": 1.0, "balance_start_cell_v": 3.0, "charge_overtemperature_c": 70.0,
    "charge_overtemperature_release_c": 60.0, "discharge_overtemperature_c": 70.0, "discharge_overtemperature_release_c": 60.0,
    "charge_undertemperature_c": 2.0, "charge_undertemperature_release_c": 5.0, "mos_overtemperature_c": 100.0,
    "mos_overtemperature_release_c": 80.0, "cell_count": 16, "charge_switch": True, "discharge_switch": True,
    "balance_switch": True, "design_capacity_ah": 314.0, "device_address": 1, "precharge_time_s": 0.0,
}

# the capture with current flowing, firmware 15.38
CHARGING = {
    "voltage_v": 53.224, "current_a": 31.881, "soc_pct": 25.0, "soh_pct": 100.0, "capacity_ah": 200.0, "remaining_ah": 49.286,
    "cycles": 9, "mos_temperature_c": 12.9, "charge_mos": True, "discharge_mos": True, "protections": [], "warnings": [],
}
CHARGING_CELLS = [3.333, 3.326, 3.326, 3.329, 3.329, 3.325, 3.323, 3.329, 3.324, 3.323, 3.326, 3.323, 3.320, 3.323, 3.323, 3.337]
CHARGING_TEMPERATURES = [13.4, 12.8, 13.1, 13.5]


def published(scene, live):
    rack = scene.pty("rack")
    scene.add(JkPacks(rack, {1: {1: captured("slave-settings"), 2: record(2, base=captured(live)), 3: captured("slave-about")}}))
    gateway = scene.add(Gateway(scene.directory, f"buses:\n  - {{name: rack, port: {rack.path}, addresses: 1}}\n"
                                                 "battery: {join_time_s: 1}\n"))
    wait_for("the pack to be active", lambda: any(p["state"] == "active" and p["serial"] for p in gateway.battery()["packs"]))
    return gateway


def compare(got, wanted):
    wrong = {key: (got.get(key), value) for key, value in wanted.items() if got.get(key) != value}
    assert not wrong, f"(published, captured): {wrong}"


def test_a_pack_at_rest():
    with Scene() as scene:
        gateway = published(scene, "master-live")
        pack = gateway.get("/api/v1/packs/1")
        compare(pack, AT_REST)
        assert pack["cells_v"] == AT_REST_CELLS, pack["cells_v"]
        assert pack["temperatures_c"] == AT_REST_TEMPERATURES, pack["temperatures_c"]
        compare(pack["settings"], AT_REST_SETTINGS)
        text = str(pack)
        assert "1234" not in text.replace("40119491480", "") and "136913" not in text, "a password leaks"


def test_the_battery_of_a_pack_at_rest():
    with Scene() as scene:
        gateway = published(scene, "master-live")
        compare(gateway.battery(), {
            "state": "standby", "voltage_v": 52.336, "current_a": 0.0, "power_w": 0.0, "soc_pct": 64.604, "soh_pct": 100.0,
            "capacity_ah": 314.0, "remaining_ah": 202.859, "cycles": 0, "cell_min_v": 3.271, "cell_max_v": 3.272, "cell_min_pack": 1,
            "cell_max_pack": 1, "temperature_min_c": 16.8, "temperature_max_c": 17.4, "mos_temperature_max_c": 18.9, "packs_online": 1,
            "packs_total": 1, "packs_blocking_charge": 0, "packs_blocking_discharge": 0, "protections": [], "cells_in_series": 16})


def test_a_pack_with_current_flowing():
    with Scene() as scene:
        gateway = published(scene, "charging-live")
        pack = gateway.get("/api/v1/packs/1")
        compare(pack, CHARGING)
        assert pack["cells_v"] == CHARGING_CELLS, pack["cells_v"]
        assert pack["temperatures_c"] == CHARGING_TEMPERATURES, pack["temperatures_c"]
        battery = gateway.battery()
        compare(battery, {"state": "charging", "current_a": 31.881, "cell_max_v": 3.337, "cell_max_cell": 16, "cell_min_v": 3.32,
                          "cell_min_cell": 13})
        assert abs(battery["power_w"] - 53.224 * 31.881) < 1


if __name__ == "__main__":
    run_tests(sys.modules[__name__])
