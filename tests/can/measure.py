# SPDX-License-Identifier: Apache-2.0
"""Measures how exactly the frames come on a CAN controller; JSON lines like those of tests/bench/bench.py. Runs in a test machine:
`tests/can/machine.sh qemu python3 tests/can/measure.py`. The emulation's own delays are part of the result."""

import json
import os
import statistics
import time

from can_rig import LENGTHS, MACHINE, PERIOD_S, Site


def say(name, value, unit, **more):
    print(json.dumps({"name": name, "value": round(value, 4), "unit": unit, **more}), flush=True)


def main():
    with Site() as site:
        site.start()
        time.sleep(2)  # the sets that stricter and wider limits caused in between
        since = time.time()
        time.sleep(int(os.environ.get("ONEPACK_BENCH_SECONDS", "30")))
        errors = sorted(abs(gap - PERIOD_S) * 1000 for can_id in LENGTHS for gap in site.inverter.gaps(can_id, since))
    name = f"can_controller_{MACHINE}_period_error"
    say(f"{name}_p50", statistics.median(errors), "ms", samples=len(errors), aim=10)
    say(f"{name}_p99_9", errors[min(len(errors) - 1, int(0.999 * len(errors)))], "ms", samples=len(errors), aim=100)


if __name__ == "__main__":
    main()
