# SPDX-License-Identifier: Apache-2.0
"""The same log gives the same bytes in every build: the optimised one (build/bin) and the one with sanitizers (build/test/bin),
which differ in compiler options. Skipped where only one of them exists."""

import glob
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ["ONEPACK_SOURCE"]
BUILDS = [os.path.join(SOURCE, folder, "onepack") for folder in ("build/bin", "build/test/bin")]


def fused(program, log):
    config = os.path.splitext(log)[0] + ".yaml"
    options = ["--config", config] if os.path.exists(config) else []
    with open(log, "rb") as lines:
        run = subprocess.run([program, "fuse", *options], stdin=lines, capture_output=True, check=True)
    assert run.stdout.count(b"\n") == sum(1 for _ in open(log, "rb")), f"{log}: not one line out for each line in"
    return run.stdout


def main():
    if not all(os.path.exists(program) for program in BUILDS):
        print("skipped: only one build exists; ./dev test makes both")
        return 77
    logs = sorted(glob.glob(os.path.join(HERE, "*.jsonl")))
    different = []
    for log in logs:
        first, second = (fused(program, log) for program in BUILDS)
        same = first == second
        print(f"{'ok  ' if same else 'FAIL'} {os.path.basename(log)}: {len(first)} bytes")
        if not same:
            different.append(log)
    return 1 if different or not logs else 0


if __name__ == "__main__":
    sys.exit(main())
