#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The long run: sixteen emulated packs with the real image on one line, the real gateway, and things that happen to racks.

    ONEPACK_BIN=build/bin python3 tests/firmware/campaign.py [--seconds 600] [--packs 16] [--board lm3s6965evb] [--seed 1]

After every event all packs must come back, show what the plant has, and have their switches closed again. lm3s6965evb is the cheaper
emulation: sixteen netduinoplus2 cost more than two processors give at full speed, because each hears every byte of the others."""

import argparse
import json
import random
import sys
import time

from emulated import Rack, wait_for
from test_emulated import check_values, shown, skip_without_images

from rig import Scene

PATIENCE = 240  # a short circuit is tried again after a minute, an over-current lock longer; and machines are busy


def all_closed(rack):
    return all(pack["charge_mos"] and pack["discharge_mos"] for pack in rack.status()["packs"])


class Events:
    """Each takes a pack, does something to it, and undoes what does not pass by itself."""

    def __init__(self, rack, chance):
        self.rack, self.chance = rack, chance

    def power_cut(self, pack):
        self.rack.tell("cut", pack, round(self.chance.uniform(0, 4), 1))

    def noise(self, pack):
        self.rack.tell("noise", 2000)
        time.sleep(3)
        self.rack.tell("noise", 0)

    def lost_bytes(self, pack):
        self.rack.tell("drop", 2000)
        time.sleep(3)
        self.rack.tell("drop", 0)

    def short_circuit(self, pack):
        self.rack.tell("short", pack, 1)
        wait_for("the short circuit is cut", lambda: not self.rack.pack(pack)["discharge_mos"], 5)
        self.rack.tell("short", pack, 0)  # the pack tries again after the time of its parameters

    def hot(self, pack):
        self.rack.tell("heat", pack, 68)
        wait_for("over-temperature opens both", lambda: not self.rack.pack(pack)["charge_mos"] and
                 not self.rack.pack(pack)["discharge_mos"], 15)
        self.rack.tell("heat", pack, 25)

    def frozen_front_end(self, pack):
        self.rack.tell("freeze", pack, 1)
        wait_for("a frozen front end opens both", lambda: not self.rack.pack(pack)["charge_mos"], 10)
        self.rack.tell("freeze", pack, 0)

    def load_step(self, pack):
        self.rack.tell("current", self.chance.choice((-40, -10, 0, 10, 40)) * self.rack.packs)


def bus_rate(rack, seconds=15):
    before = rack.status()
    time.sleep(seconds)
    after = rack.status()
    return {"answers_per_s": (after["answers"] - before["answers"]) / seconds,
            "line_busy_pct": 100 * (after["bytes"] - before["bytes"]) * 10 / rack.baud / seconds}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--packs", type=int, default=16)
    parser.add_argument("--board", default="lm3s6965evb")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    skip_without_images()
    chance = random.Random(options.seed)
    with Scene() as scene:
        rack = Rack(scene, packs=options.packs, board=options.board, current=5 * options.packs)
        gateway = rack.gateway("pack/onepack")
        wait_for("the gateway has all packs", lambda: shown(gateway, rack.packs), PATIENCE)
        check_values(rack, gateway)
        figures, done = bus_rate(rack), {}
        events = Events(rack, chance)
        names = [name for name in dir(events) if callable(getattr(events, name)) and not name.startswith("_")]
        end = time.monotonic() + options.seconds
        while time.monotonic() < end:
            name, pack = chance.choice(names), chance.randint(1, rack.packs)
            start = time.monotonic()
            getattr(events, name)(pack)
            wait_for(f"all packs are back after {name} of pack {pack}", lambda: all_closed(rack), PATIENCE)
            check_values(rack, gateway)
            done.setdefault(name, []).append(round(time.monotonic() - start, 1))
            print(f"{name} of pack {pack}: all back after {done[name][-1]} s", file=sys.stderr, flush=True)
        status = rack.status()
        print(json.dumps({"board": options.board, "packs": rack.packs, **figures, "turnaround_ms": status["turnaround_ms"],
                          "answers": status["answers"], "events": {name: len(times) for name, times in done.items()},
                          "starts": sum(pack["starts"] for pack in status["packs"]),
                          "resets": sum(pack["resets"] for pack in status["packs"])}))
        assert sum(pack["resets"] for pack in status["packs"]) == 0, "a pack reset itself"


main()
