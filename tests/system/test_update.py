# SPDX-License-Identifier: Apache-2.0
"""New firmware for packs that run it, ordered at a running gateway as a user does: all packs in turn while the others are
polled and carry the current, over a gateway that is killed, and everything that must be refused."""

import os
import subprocess
import sys
import threading
import time

from rig import BIN, SOURCE, Scene, run_tests, wait_for
from simulated import SimulatedRack

PASSWORD = "correct horse battery"
INSTALLER = "12345678"
MAKER = os.path.join(SOURCE, "firmware", "boot", "development.pem")
SLOTS = ("0x08020000", "0x08040000")
CLASS = "1"


def tool(*words, **more):
    return subprocess.run([os.path.join(BIN, "onepack"), *words], capture_output=True, text=True, timeout=120,
                          env=SimulatedRack.environment(), **more)


def make_release(scene, version="2.0.0", key=MAKER, kilobytes=10, device=CLASS):
    code, release = os.path.join(scene.directory, "code.bin"), os.path.join(scene.directory, f"pack-{version}.img")
    with open(code, "wb") as out:
        out.write(os.urandom(kilobytes * 1024))
    made = tool("image", "make", "--key", key, "--class", device, "--version", version, "--counter", "1", "--out", release,
                *(f"{slot}={code}" for slot in SLOTS))
    assert made.returncode == 0, made.stderr
    return release


class Site:
    """A simulated rack of firmware packs on one line and its gateway."""

    def __init__(self, scene, packs=4, update=None, watch_s=2):
        self.login = os.path.join(scene.directory, "login")
        installer = os.path.join(scene.directory, "installer")
        for path, text in ((self.login, PASSWORD), (installer, INSTALLER)):
            with open(path, "w") as out:
                out.write(text + "\n")
        hashed = tool("password", PASSWORD).stdout.strip()
        update = update or f"{{key: {MAKER}, password_file: {installer}, watch_s: {watch_s}}}"
        self.rack = SimulatedRack(scene, lines=[f"rack=1-{packs}"], packs="onepack", web=f'password_hash: "{hashed}"',
                                  more=f"update: {update}\n", battery="join_time_s: 1, rise_hold_s: 0, rise_pct_per_s: 100")
        self.gateway = self.rack.gateway
        self.url = f"http://127.0.0.1:{self.gateway.port}"
        wait_for("all packs in service", lambda: self.battery()["packs_online"] == packs, 40)

    def battery(self):
        return self.gateway.try_get("/api/v1/battery") or {"packs_online": 0}

    def status(self):
        return self.gateway.try_get("/api/v1/update") or {"state": "unknown", "percent": 0, "packs": []}

    def update(self, release, *options):
        return tool("update", release, "--url", self.url, "--login", self.login, *options)

    def in_background(self, release, *options):
        result = []
        thread = threading.Thread(target=lambda: result.append(self.update(release, *options)))
        thread.start()
        return thread, result

    def versions(self):
        return {pack["pack"]: pack["firmware_version"] for pack in self.battery().get("packs", [])}

    def kinds(self):
        return [event["kind"] for event in self.gateway.get("/api/v1/events?limit=200")]


def expect_refusal(site, release, words, *options):
    run = site.update(release, *options)
    assert run.returncode == 1 and words in run.stderr, (words, run.returncode, run.stderr, run.stdout)


def test_four_packs_over_a_killed_gateway():
    """Killed with half of the bytes in the packs: the next one goes on, and sends the rest only."""
    with Scene() as scene:
        site = Site(scene)
        release = make_release(scene)
        full = wait_for("full limits", lambda: site.battery()["discharge_current_limit_a"] > 375 and
                        site.battery()["discharge_current_limit_a"])
        began = time.monotonic()
        thread, result = site.in_background(release)
        half = wait_for("half of the transfer", lambda: 25 < site.status()["percent"] < 60 and site.status(), 60)
        cycle = site.gateway.get("/api/v1/buses")[0]["cycle_s"]
        site.gateway.kill()
        site.gateway.start()
        wait_for("the update to go on", lambda: site.status()["state"] == "running", 40)
        lowest = full
        while site.status()["state"] == "running" and time.monotonic() < began + 110:
            battery = site.battery()
            leaving = [pack for pack in site.status()["packs"] if pack["progress"] in ("leaves the bank", "restarts")]
            if leaving and battery.get("discharge_current_limit_a") is not None:
                lowest = min(lowest, battery["discharge_current_limit_a"])
            time.sleep(0.05)
        thread.join()
        status = site.status()
        assert status["state"] == "done" and status["percent"] == 100, status
        assert result[0].returncode == 0 and "done: all packs run 2.0.0" in result[0].stdout, result[0]
        assert all(pack["progress"] == "confirmed" and pack["error"] is None for pack in status["packs"]), status
        assert 0 < lowest <= full * 0.76, f"limits were not lowered for the pack that left: {lowest} of {full} A"
        assert "update_done" in site.kinds() and site.kinds().count("update_pack") == 4
        # nothing to do the second time
        again = site.update(release)
        assert again.returncode == 0, again
        print(f"killed at {half['percent']} %, poll cycle meanwhile {cycle} s, all done after {time.monotonic() - began:.0f} s")


def test_what_is_refused():
    with Scene() as scene:
        site = Site(scene, packs=2)
        stranger = os.path.join(scene.directory, "stranger.pem")
        assert tool("image", "keygen", stranger).returncode == 0
        expect_refusal(site, make_release(scene, "2.0.1", key=stranger), "not signed with the maker's key")
        broken = make_release(scene, "2.0.2")
        with open(broken, "r+b") as file:
            file.seek(5000)
            file.write(b"oops")
        expect_refusal(site, broken, "damaged")
        with open(broken, "wb") as file:
            file.write(b"no release")
        expect_refusal(site, broken, "no release")
        release = make_release(scene)
        expect_refusal(site, release, "Pack 9", "--packs", "1-2,9")
        expect_refusal(site, release, "numbers from 1 to 16", "--packs", "none")
        expect_refusal(site, make_release(scene, "2.0.3", device="7"), "no image")
        with open(site.login, "w") as out:
            out.write("wrong password\n")
        expect_refusal(site, release, "password is wrong")
        code = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST", "-H", "X-OnePack: 1",
                               "--data-binary", f"@{release}", f"{site.url}/api/v1/update"], capture_output=True, text=True)
        assert code.stdout == "401", code.stdout
        assert site.status()["state"] in ("none", "failed")


def test_a_pack_that_is_alone_stays():
    with Scene() as scene:
        site = Site(scene, packs=1)
        expect_refusal(site, make_release(scene), "the only pack")


def test_a_gateway_without_a_key():
    with Scene() as scene:
        site = Site(scene, packs=1, update="{key: /nowhere/maker.pem}")
        expect_refusal(site, make_release(scene), "no key of the maker")


def test_a_pack_that_goes_back_is_told():
    """Nobody confirms an image that starts again and again; the second pack is never touched."""
    with Scene() as scene:
        site = Site(scene, packs=2, watch_s=8)
        first = site.update(make_release(scene, "1.5.0", kilobytes=2), "--packs", "1", "--alone")  # there is no image to go back to yet
        assert first.returncode == 0, first
        thread, result = site.in_background(make_release(scene, kilobytes=2))

        def first_is(*progress):
            return site.status()["packs"] and site.status()["packs"][0]["progress"] in progress
        wait_for("the trial", lambda: first_is("on trial"), 60)
        for _ in range(4):
            site.rack.tell("cut", "1", "0.3")
            time.sleep(1.0)
        thread.join()
        assert result[0].returncode == 1 and "went back to its old image" in result[0].stderr, result[0]
        status = site.status()
        assert status["state"] == "failed" and status["packs"][1]["progress"] == "loaded and checked", status
        assert "update_failed" in site.kinds()


def test_stop_and_go_on():
    with Scene() as scene:
        site = Site(scene, packs=2)
        release = make_release(scene, kilobytes=32)
        thread, result = site.in_background(release)
        wait_for("some of the transfer", lambda: site.status()["percent"] > 10, 40)
        busy = site.update(release)
        assert busy.returncode == 1 and "running already" in busy.stderr, busy
        stop = tool("update", "--stop", "--url", site.url, "--login", site.login)
        assert stop.returncode == 0, stop.stderr
        thread.join()
        assert result[0].returncode == 1 and "stopped" in result[0].stderr, result[0]
        assert site.status()["state"] == "failed"
        done = site.update(release)
        assert done.returncode == 0, done


if __name__ == "__main__":
    run_tests(sys.modules[__name__])
