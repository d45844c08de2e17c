#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the logs of incidents that other aggregators had in the field (docs/fusion.md, "What went wrong elsewhere"), as their
packs would have answered. Made by hand, second by second, because nobody recorded the real ones; a log that somebody did
record is simply copied into this folder.   python3 incidents.py [FOLDER]"""

import json
import os
import sys


def pack(number, volts, amps, soc=60.0, limit=100.0, **changes):
    """A healthy pack of 280 Ah and 16 cells; `changes` are keys of the log."""
    cell = round(volts / 16, 3)
    answer = {
        "pack": number, "bus": "rack", "address": number, "serial": f"FIELD{number:02}", "voltage_v": round(cell * 16, 3),
        "current_a": round(amps, 3), "soc_pct": soc, "capacity_ah": 280, "remaining_ah": round(2.8 * soc, 3),
        "charge_voltage_limit_v": 55.2, "charge_current_limit_a": limit, "discharge_current_limit_a": limit * 1.5,
        "charge_mos": True, "discharge_mos": True, "cells_v": [cell] * 16, "temperatures_c": [24.0, 25.0],
    }
    answer.update(changes)
    return answer


def circulating(t):
    """The whole battery gives 5 A while one pack takes 61.7 A out of the other and may take 48."""
    swing = min(1.0, max(0.0, (t - 20) / 5)) if t < 60 else max(0.0, 1 - (t - 60) / 5)
    return [pack(1, 53.0, -2.5 + 64.2 * swing, limit=48), pack(2, 53.1, -2.5 - 64.2 * swing, limit=80)]


def maintenance(t):
    """A BMS is switched off for maintenance and comes back a volt away from the others; the rest must go on."""
    others = [pack(1, 53.0 + t / 400, 20), pack(2, 53.0 + t / 400, 20)]
    if t < 20:
        return others + [pack(3, 53.0 + t / 400, 20)]
    if t < 70:
        return others
    return others + [pack(3, 52.1 if t < 95 else 52.9 + t / 400, 0 if t < 95 else 15)]


def blocked_empty(t):
    """An empty pack has opened both switches: it must stop neither the current nor show the battery as empty."""
    empty = pack(3, 49.0, 0, soc=0.0, limit=100, charge_mos=False, discharge_mos=False,
                 protections=["cell_undervoltage"]) if t >= 15 else pack(3, 49.6, -10, soc=2.0)
    return [pack(1, 52.0 if t >= 15 else 49.7, -30, soc=45.0), pack(2, 52.0 if t >= 15 else 49.7, -30, soc=43.0), empty]


def first_full(t):
    """The first full pack must not end the charge of the other; its highest cell bounds the voltage."""
    highest = round(min(3.56, 3.40 + t / 400), 3)
    cells = [highest] + [3.44] * 15
    full = pack(1, 55.0, max(0.5, 25 - t / 3), soc=99.0, limit=140, cells_v=cells, voltage_v=round(sum(cells), 3))
    if t >= 70:
        full.update(charge_mos=False, current_a=0.0, protections=["cell_overvoltage"])
    return [full, pack(2, 54.8, 30, soc=88.0, limit=140)]


def garbage(t):
    """Now and then a state of charge of 0, a huge current, a sensor at 127 degrees, half an answer."""
    packs = [pack(1, 53.0, 10), pack(2, 53.0, 10)]
    packs[1].update({11: {"soc_pct": 0.0}, 17: {"current_a": 3276.7}, 23: {"temperatures_c": [24.0, 127.0]},
                     29: {"cells_v": [3.312] * 9}, 35: {"cells_v": [3.312] * 15 + [3.9]}, 41: {"voltage_v": None}}.get(t, {}))
    if 45 <= t < 48:
        packs[1].update(voltage_v=12.0)
    return packs


def strangers(t):
    """A weak pack's line is disturbed: three answers with torn serial numbers, the last one incomplete. The pack must stay in the
    network and go on limiting; forgetting it would raise the limit from 38 to 95 A."""
    packs = [pack(1, 53.0, 5)]
    if t < 20:
        packs.append(pack(2, 53.0, 5, limit=20))
    elif t < 23:
        packs.append(pack(2, 53.0, 5, limit=20, serial=f"FIE?{t}", current_a=None if t == 22 else 5.0))
    return packs


INCIDENTS = {circulating: 90, maintenance: 110, blocked_empty: 60, first_full: 90, garbage: 80, strangers: 40}


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    for story, seconds in INCIDENTS.items():
        with open(os.path.join(folder, f"{story.__name__}.jsonl"), "w") as out:
            for t in range(seconds):
                out.write(json.dumps({"t": t, "packs": story(t)}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
