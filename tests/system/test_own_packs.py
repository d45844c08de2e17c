# SPDX-License-Identifier: Apache-2.0
"""The real gateway on sixteen packs that run the firmware, on one line: what it shows is what is so, and what is done to packs
is noticed. This is what `./dev demo` runs."""

import sys

from rig import Scene, run_tests, wait_for
from simulated import SimulatedRack

ALL = 16


def rack_of(scene, packs=ALL):
    rack = SimulatedRack(scene, lines=[f"rack=1-{packs}"], packs="onepack", battery="join_time_s: 1")
    wait_for("all packs", lambda: active(rack) == packs, 60)
    return rack


def active(rack):
    return sum(pack["state"] == "active" for pack in rack.gateway.battery()["packs"])


def shown(rack, number):
    return next(pack for pack in rack.gateway.battery()["packs"] if pack["pack"] == number)


def true(rack, number):
    return rack.status()["packs"][number - 1]


def near(pack, truth):
    """Both were looked at within a second or so, while the currents move."""
    assert pack["address"] == truth["address"], (pack, truth)
    assert abs(pack["voltage_v"] - truth["voltage_v"]) < 0.2, (pack, truth)
    assert abs(pack["soc_pct"] - truth["soc_pct"]) < 1.5, (pack, truth)
    assert len(pack["cells_v"]) == len(truth["cells_v"]) == 16
    assert all(abs(a - b) < 0.015 for a, b in zip(pack["cells_v"], truth["cells_v"])), (pack, truth)
    assert abs(pack["temperatures_c"][0] - truth["temperature_c"]) < 0.5, (pack, truth)
    assert pack["charge_mos"] == truth["charge_mos"] and pack["discharge_mos"] == truth["discharge_mos"], (pack, truth)
    assert pack["protections"] == truth["protections"] == [], (pack, truth)


def test_it_shows_what_is_so():
    with Scene() as scene:
        rack = rack_of(scene)
        rack.tell("sun", "0")
        rack.tell("load", "4000")
        wait_for("the load's current", lambda: rack.status()["current_a"] < -70
                 and abs(rack.gateway.battery()["current_a"] - rack.status()["current_a"]) < 2, 30)
        battery, status = rack.gateway.battery(), rack.status()
        assert battery["packs_online"] == ALL and battery["protections"] == [], (battery["packs_online"], battery["protections"])
        assert abs(battery["current_a"] - status["current_a"]) < 3, (battery["current_a"], status["current_a"])
        assert abs(battery["capacity_ah"] - 16 * 314) < 1, battery["capacity_ah"]
        for pack, truth in zip(battery["packs"], status["packs"]):
            near(pack, truth)
            assert pack["protocol"] == "pack/onepack" and pack["serial"] == f"ONEPACK{truth['pack']:06d}", pack
            assert truth["protections_used"] == [], truth


def test_a_protection_trips_and_shows():
    with Scene() as scene:
        rack = rack_of(scene, 3)
        rack.tell("sun", "3000")
        rack.tell("load", "0")
        wait_for("charge", lambda: rack.gateway.battery()["current_a"] > 10, 30)
        rack.tell("hot", "2", "70")
        wait_for("the switch", lambda: not true(rack, 2)["charge_mos"], 15)
        assert "charge_overtemperature" in true(rack, 2)["protections"]
        wait_for("the gateway", lambda: "charge_overtemperature" in shown(rack, 2)["protections"] and not shown(rack, 2)["charge_mos"])
        rack.tell("hot", "2", "off")
        wait_for("the release", lambda: true(rack, 2)["charge_mos"] and shown(rack, 2)["charge_mos"], 30)
        assert shown(rack, 1)["protections"] == []


def test_power_cut_and_return():
    with Scene() as scene:
        rack = rack_of(scene, 3)
        charge = shown(rack, 3)["remaining_ah"]
        rack.tell("cut", "3")
        wait_for("the loss", lambda: shown(rack, 3)["state"] != "active", 30)
        assert not true(rack, 3)["discharge_mos"] and not true(rack, 3)["powered"]
        rack.tell("reset", "3")
        wait_for("the return", lambda: shown(rack, 3)["state"] == "active" and rack.gateway.battery()["packs_online"] == 3, 30)
        assert true(rack, 3)["firmware"]["starts"] == 2
        assert abs(shown(rack, 3)["remaining_ah"] - charge) < 2


def test_equal_switches():
    """Two packs at one address: one lets go, and the gateway gives it another."""
    with Scene() as scene:
        rack = rack_of(scene, 3)
        rack.tell("address", "3", "2")
        wait_for("both to be at the same address, or one to have let go",
                 lambda: true(rack, 2)["address"] != 3 or true(rack, 3)["address"] != 3, 10)
        wait_for("an address of its own for each",
                 lambda: len({pack["address"] for pack in rack.status()["packs"]} - {247}) == 3
                 and len({pack["serial"] for pack in rack.gateway.battery()["packs"] if pack["state"] == "active"}) == 3, 60)


if __name__ == "__main__":
    run_tests(sys.modules[__name__])
