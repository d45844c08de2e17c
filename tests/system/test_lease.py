# SPDX-License-Identifier: Apache-2.0
"""The promise of the lease, on a running gateway: whatever happens to the engine, an inverter hears well-formed zero limits
within three seconds, and never frozen ones."""

import os
import signal
import sys
import time

from racks import small_rack
from rig import Gateway, Scene, run_tests, wait_for

PROMISE_S = 3.0


def running(scene, inverter):
    wait_for("positive limits on the CAN bus", lambda: inverter.limits() and inverter.limits()[1] > 0, 20)


def assert_zero_within_promise(inverter, since):
    wait_for("zero limits", lambda: (inverter.limits(since) or (0, 1, 1))[1:] == (0, 0), PROMISE_S)
    voltage = inverter.limits(since)[0]
    assert 40 < voltage < 60, f"zero limits must stay well-formed, but the charge voltage is {voltage}"
    settled = time.monotonic()
    time.sleep(2.2)
    later = [frame for frame in inverter.frames if frame[0] > settled and frame[1] == 0x351]
    assert len(later) >= 2, "the link fell silent instead of sending zero limits"
    assert all(frame[2][2:6] == bytes(4) for frame in later), "limits came back without an engine"
    flags = [frame for frame in inverter.frames if frame[0] > settled and frame[1] == 0x35C]
    assert flags and all(frame[2][0] & 0xC0 == 0 for frame in flags), "enable bits must be off"


def test_engine_killed():
    with Scene() as scene:
        gateway, inverter = small_rack(scene)
        running(scene, inverter)
        when = time.monotonic()
        gateway.kill()
        assert_zero_within_promise(inverter, when)


def test_engine_stopped():
    with Scene() as scene:
        gateway, inverter = small_rack(scene)
        running(scene, inverter)
        when = time.monotonic()
        gateway.process.send_signal(signal.SIGSTOP)
        assert_zero_within_promise(inverter, when)
        gateway.process.send_signal(signal.SIGCONT)
        wait_for("limits return when the engine does", lambda: inverter.limits()[1] > 0, 40)


def test_orderly_stop_ends_with_zero_limits():
    with Scene() as scene:
        gateway, inverter = small_rack(scene)
        running(scene, inverter)
        gateway.stop(expect=0)
        when = time.monotonic()
        last = {}
        for _, can_id, payload in inverter.frames:
            last[can_id] = payload
        assert last[0x351][2:6] == bytes(4), f"last limits were {last[0x351].hex()}"
        assert last[0x35C][0] & 0xC0 == 0
        assert {0x351, 0x355, 0x356, 0x359, 0x35C, 0x35E} <= set(last)
        time.sleep(1.5)
        assert not [frame for frame in inverter.frames if frame[0] > when + 0.2], "somebody still talks"


def test_a_new_engine_takes_the_port_over():
    with Scene() as scene:
        gateway, inverter = small_rack(scene)
        running(scene, inverter)
        gateway.kill()
        when = time.monotonic()
        gateway.start()
        scene_back = wait_for("limits of the new engine", lambda: (inverter.limits(when + 1) or (0, 0, 0))[1] > 0, 40)
        assert scene_back
        time.sleep(2.2)
        recent = [frame for frame in inverter.frames if frame[0] > time.monotonic() - 2 and frame[1] == 0x351]
        assert len(recent) <= 6, f"two links talk at once: {len(recent)} limit frames in 2 s"
        assert all(frame[2][2:6] != bytes(4) for frame in recent)


if __name__ == "__main__":
    run_tests(sys.modules[__name__])
