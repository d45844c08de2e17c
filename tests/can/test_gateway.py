# SPDX-License-Identifier: Apache-2.0
"""The gateway on a CAN interface of the kernel, heard by a second controller on the same bus. See machine.sh and can_rig.py."""

import json
import os
import statistics
import subprocess
import sys
import time

from can_rig import BIN, BITRATE, LENGTHS, MACHINE, NO_LIMITS, PERIOD_S, Site, bit_rate, bring_up, hold_frames, interface, ip, run_tests, wait_for

PROMISE_S = 3.0  # within which the bus hears zero limits, whatever happens to the engine


def decoded(seconds):
    """What `candump | onepack wire decode` makes of the bus."""
    dump = subprocess.run(["timeout", str(seconds), "candump", "-L", "can1"], stdout=subprocess.PIPE, check=False)
    told = subprocess.run([os.path.join(BIN, "onepack"), "wire", "decode", "can/pylon-lv-1.2"], input=dump.stdout, check=True,
                          stdout=subprocess.PIPE)
    return json.loads(told.stdout)


def test_the_interface_is_set_up_and_the_frames_are_right():
    with Site() as site:
        site.start()
        can0 = interface("can0")
        assert bit_rate("can0") == BITRATE and "UP" in can0["flags"], can0
        if MACHINE == "qemu":  # the slcan driver knows no restart
            assert can0["linkinfo"]["info_data"]["restart_ms"] == 100, can0

        since = time.time()
        before, heard, after = site.gateway.battery(), decoded(2.5 * PERIOD_S), site.gateway.battery()
        for key, tolerance in {"voltage_v": 0.05, "current_a": 0.5, "soc_pct": 1, "soh_pct": 1, "charge_current_limit_a": 0.1,
                               "discharge_current_limit_a": 0.1, "discharge_voltage_limit_v": 0.1, "temperature_c": 0.5,
                               "packs_online": 0}.items():
            low, high = sorted((before[key], after[key]))
            assert low - tolerance <= heard[key] <= high + tolerance, (key, before[key], heard[key], after[key])
        assert heard["protections"] == [] == after["protections"]

        time.sleep(3 * PERIOD_S)
        frames = site.inverter.since(since)
        assert {(can_id, len(data)) for _, can_id, data in frames} == set(LENGTHS.items())
        for can_id in LENGTHS:
            gaps = site.inverter.gaps(can_id, since)
            assert len(gaps) >= 4 and abs(statistics.median(gaps) - PERIOD_S) < 0.02 and max(gaps) < 1.3 * PERIOD_S, (can_id, gaps)


def test_the_inverter_is_seen():
    with Site() as site:
        site.inverter.heartbeat = False
        site.start()
        link = site.link()
        assert not link["present"] and link["heard_s"] is None, link
        site.inverter.heartbeat = True
        site.wait_for_link("the inverter is there", lambda link: link["present"] and link["heard_s"] < 2)


def test_a_simulated_inverter_obeys_on_the_bus():
    with Site() as site:
        site.inverter.close()
        site.start(limits=False)
        wait_for("limits", lambda: (site.gateway.battery()["charge_current_limit_a"] or 0) > 0, 30)
        ip("can1", "down")
        run = subprocess.run([os.path.join(BIN, "onepack"), "sim", "inverter", "--protocol", "can/pylon-lv-1.2", "--port", "can1",
                              "--current", "20", "--seconds", "4"], capture_output=True, text=True, check=True, timeout=30)
        believes = run.stdout.strip().splitlines()[-1]
        assert believes.startswith("connected: battery") and "(blocked)" not in believes, run.stdout
        assert site.link()["present"], site.link()


def test_an_interface_that_is_set_up_otherwise_is_refused_until_it_is_down():
    with Site() as site:
        bring_up("can0", BITRATE // 2)
        site.start(limits=False)
        site.wait_for_link("the refusal", lambda link: "can0 is up with 250000 bit/s, not 500000" in link["detail"])
        assert bit_rate("can0") == BITRATE // 2, "it belongs to somebody else"
        bring_up("can0", listen_only="on")
        site.wait_for_link("the other refusal", lambda link: "listen-only" in link["detail"])
        ip("can0", "down")
        bring_up("can1")  # the clash of bit rates may have ended in bus-off
        site.wait_for_limits(0)
        site.wait_until_up()


def test_an_interface_that_goes_down_and_up():
    with Site() as site:
        site.start()
        ip("can0", "down")
        assert site.wait_for_link("the loss", lambda link: link["link"] == "error")["detail"] == "the interface is down"
        time.sleep(1.5 * PERIOD_S)
        assert "UP" not in interface("can0")["flags"], "whoever took it down had a reason"
        since = time.time()
        ip("can0", "up")
        site.wait_for_limits(since, 5)
        site.wait_until_up()


def changed(site):
    """Makes the battery another one, so that old frames can be told from new ones."""
    for pack in "123":
        site.rack.tell("hot", pack, "40")
    wait_for("a warm battery", lambda: abs((site.gateway.battery()["temperature_c"] or 0) - 40) < 0.5)


def assert_nothing_old(site, since, sets=1):
    """At most so many sets come at once, and the values are those of now."""
    site.wait_for_limits(since, 5)
    time.sleep(1.5 * PERIOD_S)
    frames = site.inverter.since(since)
    burst = [frame for frame in frames if frame[0] < frames[0][0] + 0.1]
    assert len(burst) <= sets * len(LENGTHS), f"a burst: {burst}"
    warm = site.gateway.battery()["temperature_c"]
    for _, can_id, data in frames:
        if can_id == 0x356:
            heard = int.from_bytes(data[4:6], "little", signed=True) / 10
            assert abs(heard - warm) < 1, f"an old frame says {heard} degrees, and it is {warm}"


def test_nothing_old_is_sent_when_a_controller_takes_frames_again():
    with Site() as site:
        site.start()
        hold_frames("can0", True)
        time.sleep(2)
        changed(site)
        time.sleep(3)
        site.wait_for_the_middle_of_a_period()
        since = time.time()
        hold_frames("can0", False)
        assert_nothing_old(site, since)
        site.wait_until_up()


def test_without_rights_it_uses_what_was_set_up_and_keeps_one_set_at_most():
    with Site() as site:
        site.without_the_right_to_set_up()
        site.start(limits=False)
        said = site.wait_for_link("that it may not", lambda link: link["link"] == "error")["detail"]
        assert "can0 is down" in said, said
        bring_up("can0")
        site.wait_for_limits(0)
        hold_frames("can0", True)
        site.wait_for_link("the standstill", lambda link: "nobody acknowledges" in link["detail"])
        time.sleep(3 * PERIOD_S)
        site.wait_for_the_middle_of_a_period()
        since = time.time()
        hold_frames("can0", False)
        time.sleep(2 * PERIOD_S)
        burst = site.inverter.since(since)[:len(LENGTHS) + 1]
        assert burst[-1][0] - since > 0.1 * PERIOD_S, f"more than one set was kept: {burst}"
        site.wait_until_up()
        log = open(site.gateway.log).read()
        assert log.split("can0: up")[1].count("not permitted") <= 1, "it complains again and again"


def assert_zero_from(site, since):
    """Well-formed zero limits at every period, and nothing else."""
    time.sleep(2.2 * PERIOD_S)
    later = site.inverter.since(since, 0x351)
    assert len(later) >= 2, "the link fell silent instead of sending zero limits"
    for _, _, data in later:
        assert data[2:6] == NO_LIMITS and 400 < int.from_bytes(data[:2], "little") < 600, data.hex()
    assert all(data[0] & 0xC0 == 0 for _, _, data in site.inverter.since(since, 0x35C)), "the enable bits must be off"


def test_zero_limits_when_the_engine_is_killed_and_its_successor_takes_over():
    with Site() as site:
        site.start()
        when = time.time()
        site.gateway.kill()
        wait_for("zero limits", lambda: (site.inverter.limits(when) or (0, 1, 1))[1:] == (0, 0), PROMISE_S)
        assert_zero_from(site, time.time())
        site.gateway.start()
        site.wait_for_limits(time.time())
        since = time.time()
        time.sleep(3.2 * PERIOD_S)
        limits = site.inverter.since(since, 0x351)
        assert len(limits) in (3, 4) and all(data[2:6] != NO_LIMITS for _, _, data in limits), f"two links talk at once: {limits}"


def test_an_orderly_stop_ends_with_zero_limits_and_a_restart_goes_on():
    with Site() as site:
        site.start()
        when = time.time()
        site.gateway.stop(expect=0)
        ended = time.time()
        time.sleep(1.5 * PERIOD_S)
        last = {can_id: data for _, can_id, data in site.inverter.frames}
        assert last[0x351][2:6] == NO_LIMITS and last[0x35C][0] & 0xC0 == 0, last
        assert set(LENGTHS) == {can_id for _, can_id, _ in site.inverter.since(when)}
        assert not site.inverter.since(ended + 0.05), "somebody still talks"
        site.gateway.start()
        site.wait_for_limits(ended)
        site.wait_until_up()


def test_the_link_alone():
    """The test of tests/link that machines without CAN skip; in user-mode Linux a sanitized program does not run."""
    program = os.path.join(BIN, "../tests/link_socketcan")
    if MACHINE == "uml" or not os.path.exists(program):
        return
    for name in ("can0", "can1"):
        bring_up(name)
    run = subprocess.run([program], env=dict(os.environ, ONEPACK_TEST_CAN="can0 can1", ONEPACK_LINK=os.path.join(BIN, "onepack-link")),
                         capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr


if __name__ == "__main__":
    run_tests(sys.modules[__name__])
