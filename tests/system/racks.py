# SPDX-License-Identifier: Apache-2.0
"""Racks for the system tests, made of the captured JK records in tests/vectors/pack."""

import os
import struct

from rig import SOURCE, Gateway, JkPacks, SlcanInverter, record


def captured(name):
    """The 300 bytes of a captured record by its name in tests/vectors/pack/jk-records.txt."""
    data, taking = b"", False
    with open(os.path.join(SOURCE, "tests/vectors/pack/jk-records.txt")) as lines:
        for line in lines:
            if line.startswith(name + ":"):
                taking = True
            elif taking and not line.strip():
                break
            elif taking:
                data += bytes.fromhex(line)
    assert len(data) >= 300, f"no captured record '{name}'"
    return data[:300]


def slave_records(address, live_changes=None):
    """Type 1, 2 and 3 records of a healthy pack at this address."""
    settings = record(1, address, base=captured("slave-settings"))
    live = record(2, changes=live_changes, base=captured("master-live"))
    serial = struct.pack("11s", b"4011949%04d" % address)
    about = record(3, changes={86: serial}, base=captured("slave-about"))
    return {1: settings, 2: live, 3: about}


def small_rack(scene, count=3, config="", mangle=None):
    """Packs 1..count on one line, a Pylon CAN inverter on slcan; returns (gateway, inverter)."""
    rack, can = scene.pty("rack"), scene.pty("can")
    scene.packs = scene.add(JkPacks(rack, {n: slave_records(n) for n in range(1, count + 1)}, mangle))
    inverter = scene.add(SlcanInverter(can))
    gateway = scene.add(Gateway(scene.directory, f"""
buses:
  - {{name: rack, port: {rack.path}, addresses: 1-{count}}}
inverters:
  - {{protocol: can/pylon-lv-1.2, port: "slcan:{can.path}"}}
{config or "battery: {join_time_s: 1, rise_hold_s: 1, rise_pct_per_s: 100}"}
"""))
    return gateway, inverter
