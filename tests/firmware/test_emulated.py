# SPDX-License-Identifier: Apache-2.0
"""The real image of the firmware in emulators, several packs on one RS485 line. The gateway polls them as it polls any pack; what
it shows is held against the physical plant behind their front ends."""

import os
import struct
import sys
import time

from emulated import IMAGES, Master, Rack, Refused, wait_for

from rig import Scene, run_tests

BAD_STATE = 14  # of register 3007: a command that does not fit the state
UNSTABLE_MV = 6  # noise of the sensors, and what the plant moves between two looks at it


def skip_without_images():
    if not os.path.exists(os.path.join(IMAGES, "netduinoplus2.flash")):
        print(f"SKIPPED: no images in {IMAGES}; `./dev firmware` builds them")
        sys.exit(77)


def shown(gateway, count):
    """The packs as the gateway's user sees them, once all of them are there."""
    packs = (gateway.try_get("/api/v1/battery") or {}).get("packs", [])
    fresh = [pack for pack in packs if pack.get("voltage_v") and pack.get("cells_v")]
    return sorted(fresh, key=lambda pack: pack["address"]) if len(fresh) == count else None


def agrees(pack, truth):
    """What does not: [] when the gateway shows what the plant has."""
    wrong = []
    for i, volts in enumerate(truth["cells_v"]):
        if 1000 * abs(pack["cells_v"][i] - volts) > UNSTABLE_MV:
            wrong.append(f"cell {i + 1}: {pack['cells_v'][i]} V, {volts:.4f}")
    if abs(pack["voltage_v"] - truth["voltage_v"]) > 0.06:
        wrong.append(f"{pack['voltage_v']} V, {truth['voltage_v']:.3f}")
    if abs(pack["current_a"] - truth["current_a"]) > 0.2:
        wrong.append(f"{pack['current_a']} A, {truth['current_a']:.3f}")
    return wrong


def check_values(rack, gateway):
    def compare():
        packs = shown(gateway, rack.packs)
        if not packs:
            return ["not all packs are there"]
        truth = {pack["address"]: pack for pack in rack.status()["packs"]}
        return [f"pack {pack['address']}: {text}" for pack in packs for text in agrees(pack, truth[pack["address"]])]

    try:
        wait_for("the gateway shows what the plant has", lambda: not compare(), 40)
    except AssertionError as problem:
        raise AssertionError(f"{problem}: {compare()}") from None


def check_reset(rack, gateway):
    """A pack that loses its power is missed, comes back, and still knows its charge."""
    before = shown(gateway, rack.packs)[1]
    rack.tell("cut", 2)
    wait_for("its front end opens the switches", lambda: not rack.pack(2)["charge_mos"] and not rack.pack(2)["discharge_mos"], 5)
    rack.tell("on", 2)
    wait_for("it closes them again", lambda: rack.pack(2)["discharge_mos"], 20)
    after = wait_for("the gateway has it again", lambda: next((pack for pack in shown(gateway, rack.packs) or ()
                                                               if pack["address"] == 2 and pack["discharge_mos"]), None), 40)
    assert abs(after["soc_pct"] - before["soc_pct"]) <= 5, (before["soc_pct"], after["soc_pct"])


def check_protection(rack, gateway):
    """A cell too high opens the charge MOSFET of its pack, within the delay of the parameters, and only there."""
    for cell in range(6, 11):  # the pack as a whole stays where it is, or it would discharge into the others
        rack.tell("cell", 3, cell, -0.09)
    start = time.monotonic()
    rack.tell("cell", 3, 5, 0.45)
    wait_for("the charge MOSFET opens", lambda: not rack.pack(3)["charge_mos"], 10)
    took = time.monotonic() - start
    assert 0.8 < took < 4, took
    closed = [pack["charge_mos"] for pack in rack.status()["packs"]]
    assert closed == [True, True, False, True], closed
    told = lambda: next((pack["protections"] for pack in shown(gateway, rack.packs) or () if pack["address"] == 3), [])
    try:
        wait_for("the gateway tells", lambda: "cell_overvoltage" in told(), 15)
    except AssertionError as problem:
        raise AssertionError(f"{problem}: {told()}") from None
    for cell in range(5, 11):
        rack.tell("cell", 3, cell, 0)
    wait_for("it closes again", lambda: rack.pack(3)["charge_mos"], 20)
    print(f"     over-voltage of a cell opens its MOSFET after {took:.2f} s (1.0 s by the parameters)")


def show_figures(rack):
    status = rack.status()
    print(f"     turn-around in ms: {status['turnaround_ms']}; {status['answers']} answers, {status['garbled']} bytes collided; "
          f"{rack.processor_seconds():.1f} s of processor time")
    assert status["turnaround_ms"]["median"] < 15, status["turnaround_ms"]
    # An emulator that the machine leaves waiting may answer after the master has given up and asks somebody else.
    assert status["garbled"] < 0.02 * status["bytes"], status["garbled"]


def test_gateway_on_four_packs():
    with Scene() as scene:
        rack = Rack(scene, packs=4, current=20)
        gateway = rack.gateway("pack/onepack")
        check_values(rack, gateway)
        check_reset(rack, gateway)
        check_protection(rack, gateway)
        show_figures(rack)


def test_gateway_takes_them_for_jk_packs():
    with Scene() as scene:
        rack = Rack(scene, packs=4, board="lm3s6965evb", current=-30)
        gateway = rack.gateway("pack/jk-pb")
        check_values(rack, gateway)
        show_figures(rack)


def check_storage(rack, master):
    """A parameter and the count of starts survive a power cut; a command restarts the pack."""
    starts = master.read(1, 0x002C, 2)[1]
    master.unlock(1)
    master.write(1, 0x0212, [250])
    time.sleep(2.8)  # it is stored two seconds after the last change
    rack.tell("reset", 1)
    wait_for("it is at work again", lambda: rack.pack(1)["running"] and rack.pack(1)["obeyed"], 20)
    assert master.read(1, 0x0212, 1) == [250]
    assert master.read(1, 0x002C, 2)[1] == starts + 1
    master.unlock(1)
    master.command(1, 0x40, 0x52535431, 7)
    wait_for("it restarts by itself", lambda: rack.pack(1)["resets"] == 1 and rack.pack(1)["obeyed"], 20)
    assert master.read(1, 0x002B, 1) == [3], master.read(1, 0x002B, 9)


def check_poll(rack, master, number):
    """The poll block of a pack: cells, pack voltage, current."""
    truth = rack.pack(number)
    words = master.read(truth["address"], 0x0100, 56)
    cells = words[0x28:0x28 + 16]
    assert all(abs(mv - 1000 * volts) <= UNSTABLE_MV for mv, volts in zip(cells, truth["cells_v"])), (cells, truth["cells_v"])
    current = struct.unpack(">i", struct.pack(">HH", *words[0x0C:0x0E]))[0]
    assert abs(current - 1000 * truth["current_a"]) < 300, (current, truth["current_a"])
    assert abs(10 * words[0x0A] - 1000 * truth["voltage_v"]) < 60


def test_parallel_protocol_and_storage():
    for board in ("netduinoplus2", "lm3s6965evb"):
        with Scene() as scene:
            rack = Rack(scene, packs=2, board=board)
            master = Master(rack.tty)
            for number in (1, 2):
                check_poll(rack, master, number)
            assert master.read(1, 0x0000, 2) == [0x504B, 0x0100]
            try:
                master.write(2, 0x0212, [251])
                raise AssertionError("a parameter was written without a password")
            except Refused as refused:
                assert refused.code == 0x0A
            check_storage(rack, master)
            print(f"     {board}: {master.requests} requests, {master.retries} of them again; {rack.processor_seconds():.1f} s")
            master.close()


class Image:
    """What an update has to say about one signed image."""

    def __init__(self, path):
        self.bytes = open(path, "rb").read()
        _, self.address, self.header, protected, code = struct.unpack_from("<IIHHI", self.bytes)
        self.version = struct.unpack_from("<BBHI", self.bytes, 20)
        plain = self.header + code + protected
        assert struct.unpack_from("<HHHH", self.bytes, plain)[2:] == (0x10, 32)
        self.hash = self.bytes[plain + 8:plain + 40]

    def offer(self):
        """{first register: words}; counter and limits are those of make_image.py."""
        major, minor, revision, build = self.version
        return {0x3001: [0, *split(len(self.bytes))],
                0x300A: [*struct.unpack(">16H", self.hash), major << 8 | minor, revision, *split(build), 1],
                0x3034: [*split(1), 0, 0xFFFF, 1]}


def split(number):
    return [number >> 16, number & 0xFFFF]


def send_image(master, unit, image):
    """Offers an image, sends what is missing, has it checked, and puts it on trial."""
    phase = lambda: master.read(unit, 0x3006, 2)
    master.unlock(unit)
    for register, words in image.offer().items():
        master.write(unit, register, words)
    master.write(unit, 0x3000, [1])
    wait_for("the slot is erased", lambda: phase()[0] == 2, 20)
    for at in range(0, len(image.bytes), 224):
        chunk = image.bytes[at:at + 224].ljust(224, b"\xff")
        master.write(unit, 0x3080, [*split(at), *struct.unpack(">112H", chunk)])
    wait_for("all of it is there", lambda: phase()[0] == 4, 10)
    master.write(unit, 0x3000, [2])
    wait_for("hash and signature are right", lambda: phase() == [6, 0], 20)
    try:
        master.write(unit, 0x3000, [3])
    except Refused as refused:  # asked twice, because the first answer was late: what counts is that it was obeyed
        state, bad = phase()
        assert refused.code == 4 and bad == BAD_STATE, (refused, state, bad)


def test_update_over_the_bus():
    """The second slot runs, too: an image is sent, tried, confirmed, and is still there after a power cut."""
    with Scene() as scene:
        rack = Rack(scene, packs=1)
        master = Master(rack.tty)
        image = Image(os.path.join(IMAGES, "netduinoplus2-next-b.signed"))
        start = time.monotonic()
        send_image(master, 1, image)
        took = time.monotonic() - start
        wait_for("it restarts into the other slot", lambda: rack.pack(1)["resets"] == 1 and rack.pack(1)["obeyed"], 20)
        assert master.read(1, 0x3020, 4)[2:] == [0, 1], "the build that runs"
        assert master.read(1, 0x0033, 1) == [1], "on trial"
        master.unlock(1)
        master.write(1, 0x3000, [4])
        wait_for("it is confirmed", lambda: master.read(1, 0x0033, 1) == [0], 5)
        rack.tell("reset", 1)
        wait_for("it is at work again", lambda: rack.pack(1)["running"] and rack.pack(1)["obeyed"], 20)
        assert master.read(1, 0x3020, 4)[2:] == [0, 1]
        print(f"     {len(image.bytes)} bytes in {took:.1f} s, {master.requests} requests, {master.retries} of them again; "
              f"{rack.processor_seconds():.1f} s of processor time")
        master.close()


if __name__ == "__main__":
    skip_without_images()
    run_tests(sys.modules[__name__])
