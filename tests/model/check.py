# SPDX-License-Identifier: Apache-2.0
"""Runs Spin over the models: each property must hold in every reachable state, and each deliberately wrong variant must be
found out, so that a model that cannot fail is noticed, too. Seconds, no options: python3 check.py"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
TABLES = ("pack_states", "lease_states")

# model, a wrong variant of it or "", and its properties: does each hold? Assertions are checked along with each.
CHECKS = [
    ("packs", "", {"comes_back_as_a_candidate": True}),
    ("packs", "FORGET_LOST", {"comes_back_as_a_candidate": False}),  # by its assertion: a loss raises the limit
    ("lease", "", {"zero_in_time": True, "expired_ends_in_zero": True, "revoked_ends_in_zero": True}),
    ("lease", "KEEP_LAST_LIMIT", {"zero_in_time": False, "expired_ends_in_zero": False, "revoked_ends_in_zero": False}),
    ("page", "", {"the_dead_leave_a_copy": True}),
    ("page", "NO_SECOND_LOOK", {"the_dead_leave_a_copy": False}),  # by its assertion: half a copy
    ("page", "ONE_HALF", {"the_dead_leave_a_copy": False}),
]


def run(folder, *command):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def prepare(folder):
    for name in os.listdir(HERE):
        if name.endswith(".pml"):
            shutil.copy(os.path.join(HERE, name), folder)
    for table in TABLES:
        with open(os.path.join(folder, f"{table}.h"), "w") as out:
            out.write(run(folder, sys.executable, os.path.join(HERE, "generate.py"), os.path.join(HERE, f"{table}.table")))


def explore(folder, model, name):
    """Every reachable state; (number of errors, of states, the report). Liveness is judged under weak fairness."""
    fair = ["-f"] if model != "packs" else []  # one process alone needs no fairness
    report = run(folder, "./pan", "-m2000000", "-a", *fair, "-N", name)
    errors, states = (re.search(pattern, report) for pattern in (r"errors: (\d+)", r"(\d+) states, stored"))
    assert errors and states and "max search depth" not in report and "out of memory" not in report, report
    return int(errors.group(1)), int(states.group(1)), report


def check(base, model, variant, properties):
    folder = tempfile.mkdtemp(dir=base)
    prepare(folder)
    run(folder, "spin", *([f"-D{variant}"] if variant else []), "-a", f"{model}.pml")
    run(folder, "gcc", "-O1", "-w", "-DMEMLIM=2000", "-DNFAIR=3", "-o", "pan", "pan.c")
    good = True
    for name, right in properties.items():
        errors, states, report = explore(folder, model, name)
        found = "holds" if errors == 0 else "is violated"
        as_it_should = (errors == 0) == right
        print(f"{'ok  ' if as_it_should else 'FAIL'} {model} {variant} {name}: {states} states, {found}"
              f"{'' if right else ', as this wrong variant must be'}", flush=True)
        if not as_it_should:
            good = False
            print(report)
    return good


def main():
    if not shutil.which("spin"):
        print("skipped: spin is not installed")
        return 77
    with tempfile.TemporaryDirectory(prefix="onepack-model.") as base, ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda one: check(base, *one), CHECKS))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
