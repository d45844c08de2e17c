# SPDX-License-Identifier: Apache-2.0
"""The DBC export, read by somebody else: canmatrix opens it, decodes the captured frames of the test vectors with
it, and gets the values that the vectors state. Arguments: the onepack program, the source directory."""
import json
import re
import subprocess
import sys
import tempfile

try:
    import canmatrix.formats
except ImportError:
    print("canmatrix is not installed (python3-canmatrix): skipped")
    sys.exit(77)

ONEPACK, SOURCE = sys.argv[1:3]
MINIMUM = {"can/pylon-lv-1.2": 30, "can/victron-20170717": 30}


def export(protocol):
    text = subprocess.run([ONEPACK, "wire", "dbc", protocol], check=True, capture_output=True).stdout
    with tempfile.NamedTemporaryFile(suffix=".dbc") as file:
        file.write(text)
        file.flush()
        return canmatrix.formats.loadp_flat(file.name)


def cases(protocol):
    """Frames and stated values of each case that uses the default options."""
    found = []
    for line in open(f"{SOURCE}/tests/vectors/{protocol}.txt", encoding="utf-8"):
        if line.startswith("case "):
            found.append({"name": line[5:].strip(), "frames": [], "json": {}, "default": True})
        elif line.startswith("json "):
            found[-1]["json"] = json.loads(line[5:])
        elif line.startswith("option "):
            found[-1]["default"] = False
        elif match := re.match(r"([0-9A-F]{3}) \[\d\] ([0-9A-F ]+)$", line):
            found[-1]["frames"].append((int(match[1], 16), bytes.fromhex(match[2])))
    return [case for case in found if case["default"]]


def check(protocol):
    matrix = export(protocol)
    compared = 0
    for case in cases(protocol):
        for arbitration, data in case["frames"]:
            frame = matrix.frame_by_id(canmatrix.ArbitrationId(arbitration))
            assert frame, f"{arbitration:X} is not in the DBC"
            decoded = frame.decode(data.ljust(frame.size, b"\0")[: frame.size])
            for name, signal in decoded.items():
                stated = case["json"].get(name)
                value = float(signal.phys_value)
                if name.startswith(("protection_", "warning_")):
                    severity, alarm = name.split("_", 1)
                    stated = alarm in case["json"][severity + "s"] if severity + "s" in case["json"] else None
                    value = int(value) == 1
                if stated is None or isinstance(stated, str):
                    continue
                # an early emulator's negative limit is read as a magnitude, which DBC cannot say
                assert abs(abs(value) - abs(stated)) < 1e-6, f"{case['name']}: {name} is {value}, stated {stated}"
                compared += 1
    assert compared >= MINIMUM[protocol], f"only {compared} values compared"
    heartbeat = matrix.frame_by_id(canmatrix.ArbitrationId(0x305))
    assert heartbeat and heartbeat.transmitters == ["inverter"]
    print(f"{protocol}: {len(matrix.frames)} frames, {compared} values agree")


for name in MINIMUM:
    check(name)
