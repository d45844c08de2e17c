# SPDX-License-Identifier: Apache-2.0
"""The dashboard in a real Chromium, served by the real gateway on a simulated rack, packs unplugged from the demo panel."""

import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "system"))
from rig import BIN, SOURCE, Scene, run_tests, wait_for  # noqa: E402
from simulated import SimulatedRack  # noqa: E402

PASSWORD = "browser-test"


def test_the_dashboard():
    with Scene() as scene:
        made = subprocess.run([os.path.join(BIN, "onepack"), "password", PASSWORD], capture_output=True, text=True, check=True)
        control = os.path.join(scene.directory, "sim", "control")
        rack = SimulatedRack(scene, inverters=("can/pylon-lv-1.2=can0", "rs485/pylon-lv-3.3=rs485"), speed=100,
                             battery="packs_expected: 16, join_time_s: 1", packs="onepack", lines=("rack=1-16",),
                             web=f"root: {SOURCE}/web/dist, demo_control: {control}, password_hash: \"{made.stdout.strip()}\"")
        wait_for("16 packs", lambda: rack.gateway.battery()["packs_online"] == 16, 60)
        run = subprocess.run(["node", os.path.join(SOURCE, "tests/browser/run.mjs"), f"http://127.0.0.1:{rack.gateway.port}",
                              "--demo-password", PASSWORD, "--inverters", "2", "--soc-change", "90", "--unplug", "60"],
                             cwd=os.path.join(SOURCE, "web"), timeout=240)
        assert run.returncode == 0, f"the browser found mistakes, exit {run.returncode}"


if __name__ == "__main__":
    if not shutil.which("node") or not os.path.exists(os.path.join(SOURCE, "web/dist/index.html")):
        print("skipped: the dashboard is not built; run ./dev build")
        sys.exit(77)
    run_tests(sys.modules[__name__])
