# SPDX-License-Identifier: Apache-2.0
"""The rig of the CAN tests: a simulated rack and a gateway on can0, and what plays the inverter on can1. Runs in a test machine
(machine.sh) only. Times are those of the kernel's own clock, at which it took a frame from the controller."""

import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))
from rig import BIN, CanListener, Scene, run_tests, wait_for  # noqa: E402,F401
from simulated import SimulatedRack  # noqa: E402
from slcan_bus import SlcanBus  # noqa: E402

MACHINE = os.environ.get("ONEPACK_MACHINE") or sys.exit("interfaces are taken down here: run it by tests/can/machine.sh")
BITRATE = 500000
PERIOD_S = 1.0
LENGTHS = {0x351: 8, 0x355: 4, 0x356: 6, 0x359: 7, 0x35C: 2, 0x35E: 8}  # of can/pylon-lv-1.2: bytes by id
NO_LIMITS = bytes(4)
SO_TIMESTAMPNS = 35
BUS = SlcanBus() if MACHINE == "uml" else None  # the emulated chips of the other machine share a bus by themselves


def ip(*words):
    subprocess.run(["ip", "link", "set", *words], check=True, capture_output=True, text=True)


def interface(name):
    """What `ip` says about it."""
    told = subprocess.run(["ip", "-details", "-json", "link", "show", name], check=True, capture_output=True, text=True)
    return json.loads(told.stdout)[0]


def bit_rate(name):
    data = interface(name)["linkinfo"]["info_data"]
    return data["bittiming"]["bitrate"] if "bittiming" in data else data["bittiming_bitrate"]  # slcan has no bit timing


def hold_frames(name, held):
    """The queue before the controller, stopped as when the controller's own places stay full; and let go with all that is in it."""
    how = ["replace", "dev", name, "root", "plug"] if held else ["change", "dev", name, "root", "plug", "release_indefinite"]
    subprocess.run(["tc", "qdisc", *how], check=True)


def bring_up(name, bitrate=BITRATE, listen_only="off"):
    ip(name, "down")
    ip(name, "up", "type", "can", "bitrate", str(bitrate), "listen-only", listen_only)


class Inverter(CanListener):
    """The second controller: notes every frame with its time and sends 0x305 once a second."""

    def __init__(self, name="can1"):
        super().__init__()
        self.heartbeat = True
        self.socket = socket.socket(socket.PF_CAN, socket.SOCK_RAW, socket.CAN_RAW)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.bind((name,))
        for work in (self.listen, self.beat):
            threading.Thread(target=work, daemon=True).start()

    def listen(self):
        while True:
            try:
                frame, notes, _, _ = self.socket.recvmsg(16, 64)
                can_id, length = struct.unpack_from("=IB", frame)
                seconds, nanoseconds = struct.unpack("qq", notes[0][2])
                self.frames.append((seconds + nanoseconds / 1e9, can_id, frame[8:8 + length]))
            except OSError:
                if self.socket.fileno() < 0:
                    return
                time.sleep(0.01)  # the interface is down

    def beat(self):
        while self.socket.fileno() >= 0:
            try:
                if self.heartbeat:
                    self.socket.send(struct.pack("=IB3x8x", 0x305, 8))
            except OSError:
                pass
            time.sleep(1.0)

    def since(self, when, can_id=None):
        return [frame for frame in list(self.frames) if frame[0] >= when and can_id in (None, frame[1])]

    def gaps(self, can_id, since):
        times = [when for when, _, _ in self.since(since, can_id)]
        return [b - a for a, b in zip(times, times[1:])]

    def close(self):
        self.socket.close()


class Site(Scene):
    """Three packs, a gateway that finds can0 down and without a bit rate, and an inverter on can1."""

    def __enter__(self):
        super().__enter__()
        self.environment = {}
        for port in BUS.ports if BUS else ():
            port.plugged = True
        subprocess.run(["tc", "qdisc", "delete", "dev", "can0", "root"], check=False, capture_output=True)
        ip("can0", "down")
        bring_up("can1")
        self.inverter = self.add(Inverter())
        return self

    def start(self, limits=True):
        """The gateway; waits until the inverter may use the battery."""
        os.environ.update(self.environment)
        self.rack = SimulatedRack(self, lines=["rack=1-3"], inverters=["none"], links="  - {protocol: can/pylon-lv-1.2, port: can0}\n",
                                  battery="packs_expected: 3, join_time_s: 1, rise_hold_s: 1, rise_pct_per_s: 100")
        self.gateway = self.rack.gateway
        if limits:
            self.wait_for_limits(0)
        return self

    def without_the_right_to_set_up(self):
        """From now on links run like those of the systemd unit, which may not change an interface."""
        path = os.path.join(self.directory, "onepack-link")
        with open(path, "w") as script:
            script.write(f'#!/bin/sh\nexec setpriv --bounding-set=-net_admin {os.path.abspath(BIN)}/onepack-link "$@"\n')
        os.chmod(path, 0o755)
        self.environment["ONEPACK_LINK"] = path

    def wait_for_limits(self, since, seconds=30):
        wait_for("positive limits on the bus", lambda: (self.inverter.limits(since) or (0, 0, 0))[1] > 0, seconds)

    def wait_for_the_middle_of_a_period(self):
        """Between two sets, so that one which is due now cannot be taken for a burst. Their beat goes on while nothing is heard."""
        middle = [when for when, can_id, _ in self.inverter.frames if can_id == 0x35E][-1] + PERIOD_S / 2
        time.sleep((middle - time.time()) % PERIOD_S)

    def link(self):
        return wait_for("the link's first report", lambda: self.gateway.get("/api/v1/inverters"))[0]

    def wait_for_link(self, what, condition, seconds=10):
        try:
            return wait_for(what, lambda: (lambda link: link if condition(link) else None)(self.link()), seconds)
        except AssertionError as problem:
            raise AssertionError(f"{problem}; the link says {self.link()}") from None

    def wait_until_up(self):
        self.wait_for_link("the link is up", lambda link: link["link"] == "up")

    def __exit__(self, kind, value, trace):
        super().__exit__(kind, value, trace)
        for name in self.environment:
            del os.environ[name]
        subprocess.run(["pkill", "-KILL", "-f", "onepack-link.*--port=can0"], check=False)  # one that outlives its engine
        return False
