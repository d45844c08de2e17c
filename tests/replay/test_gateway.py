# SPDX-License-Identifier: Apache-2.0
"""From one gateway to another: a simulated rack is recorded with a fault, the log is replayed to a second gateway, and its
page, its inverter and a recording of it show what the first one saw."""

import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "system"))
from rig import BIN, SOURCE, Scene, SlcanInverter, free_port, run_tests, wait_for  # noqa: E402
from simulated import SimulatedRack  # noqa: E402

ONEPACK = os.path.join(BIN, "onepack")
ENVIRONMENT = dict(os.environ, ONEPACK_PROTOCOLS=os.path.join(SOURCE, "protocols"))


def record(scene, port, name, *options):
    path = os.path.join(scene.directory, name)
    return path, scene.add(subprocess.Popen([ONEPACK, "record", "--url", f"http://127.0.0.1:{port}", "--out", path, *options],
                                            stderr=subprocess.PIPE, text=True))


def lines_of(path):
    with open(path) as log:
        return [json.loads(line) for line in log]


def fuse(path):
    with open(path) as log:
        run = subprocess.run([ONEPACK, "fuse"], stdin=log, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def samples(lines):
    return [pack for line in lines for pack in line["packs"]]


def recorded_incident(scene):
    """Some seconds of two packs, one of which is unplugged: the path of the log, recorded from the gateway's first step on."""
    rack = SimulatedRack(scene, lines=("rack=1-2",), inverters=("can/pylon-lv-1.2=can0",), battery="join_time_s: 1")
    wait_for("two packs", lambda: rack.gateway.battery()["packs_online"] == 2, 30)
    rack.tell("unplug", "2")
    path, run = record(scene, rack.gateway.port, "incident.jsonl", "--past", "--seconds", "6")
    assert run.wait(30) == 0, run.stderr.read()
    assert " 0 gaps" in run.stderr.read()
    live = rack.gateway.battery()
    rack.gateway.stop()
    rack.process.kill()
    return path, live


def check_log(path, live):
    lines = lines_of(path)
    assert all(set(line) >= {"t", "packs"} for line in lines)
    assert {pack["pack"] for pack in samples(lines)} == {1, 2}
    steps = [b["t"] - a["t"] for a, b in zip(lines, lines[1:])]
    assert 0 <= min(steps) and max(steps) < 1.0, f"steps of {min(steps)} to {max(steps)} s: something was lost"
    last = fuse(path)[-1]
    assert [pack["state"] for pack in last["packs"]] == ["active", "held"], last["packs"]
    assert last["packs"][0]["serial"] == live["packs"][0]["serial"]
    return lines, last


def replayed(scene, path, *options):
    port = free_port()
    run = scene.add(subprocess.Popen([ONEPACK, "replay", path, "--port", str(port), *options], env=ENVIRONMENT, text=True,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    assert f"http://127.0.0.1:{port}" in run.stdout.readline()
    return port, run


def test_a_recorded_incident_is_seen_again():
    with Scene() as scene:
        path, live = recorded_incident(scene)
        lines, last = check_log(path, live)
        inverter = scene.add(SlcanInverter(scene.pty("can")))
        port, run = replayed(scene, path, "--inverter", f"can/pylon-lv-1.2=slcan:{inverter.line.path}")
        copy, second = record(scene, port, "copy.jsonl", "--past")
        heard = wait_for("current on the wire", lambda: (inverter.limits() or (0, 0, 0))[1] > 0 and inverter.limits(), 30)
        assert run.wait(60) == 0, run.stderr.read()
        second.send_signal(signal.SIGINT)
        assert second.wait(30) == 0, second.stderr.read()
        assert inverter.limits()[1:] == (0, 0), "the last word on the wire is not zero"
        again = lines_of(copy)
        assert len(again) > 0.8 * len(lines), f"{len(again)} of {len(lines)} steps were seen again"
        assert [one["packs"] for one in lines[:len(again)]] == [one["packs"] for one in again], "other samples than recorded"
        charge = max(line["charge_current_limit_a"] for line in fuse(path))
        assert 0 < heard[1] <= charge, f"{heard} on the wire, {charge} A in the log"
        del last


def test_a_slow_speed_keeps_the_lease():
    with Scene() as scene:
        path = os.path.join(os.path.dirname(__file__), "circulating.jsonl")
        inverter = scene.add(SlcanInverter(scene.pty("can")))
        _, run = replayed(scene, path, "--speed", "0.2", "--inverter", f"can/pylon-lv-1.2=slcan:{inverter.line.path}")
        start = wait_for("current on the wire", lambda: (inverter.limits() or (0, 0, 0))[2] > 0 and time.monotonic(), 30)
        time.sleep(3.5)  # a lease lasts 2.5 s, a step of this log 5 s
        heard = [frame for frame in inverter.frames if frame[0] > start and frame[1] == 0x351]
        assert heard and all(frame[2][4:6] != b"\0\0" for frame in heard), "the lease ended between two steps of the log"
        run.terminate()
        assert run.wait(20) == 0, run.stderr.read()


def test_another_decision_is_told():
    with Scene() as scene:
        here = os.path.dirname(os.path.abspath(__file__))
        expect = os.path.join(scene.directory, "other.expect")
        with open(os.path.join(here, "circulating.expect")) as right, open(expect, "w") as wrong:
            wrong.write(right.read().replace("circulating_current begins", "nothing begins", 1))
        run = subprocess.run([ONEPACK, "replay", "--fast", os.path.join(here, "circulating.jsonl"), "--expect", expect],
                             capture_output=True, text=True)
        assert run.returncode == 1, "another decision passes for the same"
        assert "other.expect:" in run.stderr and "- " in run.stderr and "circulating_current begins" in run.stderr, run.stderr


if __name__ == "__main__":
    run_tests(sys.modules[__name__])
