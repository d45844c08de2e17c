# SPDX-License-Identifier: Apache-2.0
"""A gateway on the simulated rack (`onepack sim rack`): what the demo runs, for tests and benchmarks."""

import json
import os
import subprocess

from rig import BIN, SOURCE, Gateway, wait_for


PROTOCOLS = {"jk": "pack/jk-pb", "onepack": "pack/onepack"}


class SimulatedRack:
    """lines: ["NAME=1-8", ...]; inverters: ["PROTOCOL=NAME", ...], or ["none"] with `links`, the gateway's own; packs: "jk" or
    "onepack", the firmware. Cleaned up by the scene."""

    def __init__(self, scene, lines=("rack-a=1-8", "rack-b=1-8"), inverters=("can/pylon-lv-1.2=can0",), battery="join_time_s: 1",
                 speed=1, web="", links=None, more="", packs="jk", baud=115200):
        self.directory = os.path.join(scene.directory, "sim")
        os.mkdir(self.directory)
        command = [os.path.join(BIN, "onepack"), "sim", "rack", "--directory", self.directory, "--seed", "1", "--speed", str(speed),
                   "--packs", packs, "--baud", str(baud)]
        for line in lines:
            command += ["--line", line]
        for inverter in inverters:
            command += ["--inverter", inverter]
        log = open(os.path.join(scene.directory, "sim.log"), "w")
        self.process = scene.add(subprocess.Popen(command, stdout=log, stderr=log, env=self.environment()))
        wait_for("the simulated rack", lambda: os.path.exists(os.path.join(self.directory, "control")), 20)
        buses = "".join(f"  - {{name: {name}, port: {self.directory}/{name}, protocol: {PROTOCOLS[packs]}, baud: {baud}, addresses: {addresses}}}\n"
                        for name, addresses in (line.split("=") for line in lines))
        links = links or "".join(f"  - {{protocol: {protocol}, port: \"{'slcan:' if protocol.startswith('can/') else ''}{self.directory}/{name}\"}}\n"
                        for protocol, name in (inverter.split("=") for inverter in inverters))
        self.gateway = scene.add(Gateway(scene.directory, f"buses:\n{buses}inverters:\n{links}battery: {{{battery}}}\n{more}", web=web))

    @staticmethod
    def environment():
        return dict(os.environ, ONEPACK_PROTOCOLS=os.path.join(SOURCE, "protocols"))

    def tell(self, *words):
        """A command to the simulator, e.g. tell("unplug", "3"); returns its answer line."""
        run = subprocess.run([os.path.join(BIN, "onepack"), "sim", "tell", self.directory, *words], capture_output=True, text=True,
                             timeout=10, env=self.environment())
        assert run.returncode == 0, run.stderr
        return run.stdout.strip()

    def status(self):
        return json.loads(self.tell("status"))
