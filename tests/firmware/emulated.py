# SPDX-License-Identifier: Apache-2.0
"""Emulated packs for tests: `onepack sim firmware` with the images of build/images, a gateway on its line, or a plain Modbus master
that knows how to ask again (emulators are late now and then, and so are machines that run tests)."""

import json
import os
import select
import socket
import struct
import subprocess
import sys
import termios
import time

SOURCE = os.environ.get("ONEPACK_SOURCE", os.getcwd())
sys.path.insert(0, os.path.join(SOURCE, "tests", "system"))

from rig import BIN, Gateway, crc16, wait_for  # noqa: E402

IMAGES = os.environ.get("ONEPACK_IMAGES", os.path.join(SOURCE, "build", "images"))
INSTALLER = b"12345678"  # the password that src/sim/emulator.c gives to new packs


class Rack:
    """Some emulated packs; cleaned up by the scene."""

    def __init__(self, scene, packs=4, board="netduinoplus2", current=-20.0, soc=55, baud=115200, first=1):
        self.scene, self.packs, self.first, self.baud = scene, packs, first, baud
        self.directory = os.path.join(scene.directory, "rack")
        self.tty = os.path.join(self.directory, "rack")
        self.log = os.path.join(scene.directory, "rack.log")
        command = [os.path.join(BIN, "onepack"), "sim", "firmware", "--image", os.path.join(IMAGES, board + ".flash"), "--board", board,
                   "--packs", packs, "--directory", self.directory, "--current", current, "--soc", soc, "--baud", baud,
                   "--first-address", first]
        out = open(self.log, "w")
        self.process = scene.add(subprocess.Popen([str(word) for word in command], stdout=out, stderr=out))
        wait_for("the emulated rack", lambda: self.alive() and os.path.exists(os.path.join(self.directory, "control")), 20)
        wait_for("all packs at work", lambda: all(pack["obeyed"] for pack in self.status()["packs"]), 30)

    def alive(self):
        if self.process.poll() is not None:
            raise AssertionError(f"onepack sim firmware ended with {self.process.returncode}: {open(self.log).read()}")
        return True

    def tell(self, *words):
        """A command to the rack, as `onepack sim tell` gives it, without its process."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asker:
            asker.bind("")  # a name that the kernel makes up
            asker.settimeout(10)
            asker.sendto(" ".join(str(word) for word in words).encode(), os.path.join(self.directory, "control"))
            answer = asker.recv(1 << 20).decode()
        assert not answer.startswith("error: "), answer
        return answer

    def status(self):
        return json.loads(self.tell("status"))

    def pack(self, number):
        return self.status()["packs"][number - 1]

    def gateway(self, protocol, more=""):
        last = self.first + self.packs - 1
        return self.scene.add(Gateway(self.scene.directory, f"buses:\n  - {{name: rack, port: {self.tty}, baud: {self.baud}, "
                                      f"protocol: {protocol}, addresses: {self.first}-{last}}}\nbattery: {{join_time_s: 1}}\n{more}"))

    def processor_seconds(self):
        """Of the rack and all its emulators, so far."""
        ticks = 0
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True).stdout.split()
        for pid in children + [str(self.process.pid)]:
            try:
                fields = open(f"/proc/{pid}/stat").read().rsplit(") ", 1)[1].split()
                ticks += int(fields[11]) + int(fields[12])
            except OSError:
                pass  # ended meanwhile
        return ticks / os.sysconf("SC_CLK_TCK")


class Refused(Exception):
    """A Modbus exception; `code` is its number."""

    def __init__(self, code, frame):
        super().__init__(f"exception {code} to {frame.hex(' ')}")
        self.code = code


class Master:
    """A Modbus master on a tty. Asks again when there is no whole answer; counts how often."""

    def __init__(self, path, patience=0.3, tries=20, gap=0.012):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.patience, self.tries, self.gap = patience, tries, gap
        self.requests = self.retries = 0

    def close(self):
        os.close(self.fd)

    def transact(self, frame, length):
        """Sends a frame; the answer, which has `length` bytes or is an exception."""
        frame += crc16(frame)
        for _ in range(self.tries):
            time.sleep(self.gap)
            termios.tcflush(self.fd, termios.TCIFLUSH)
            os.write(self.fd, frame)
            self.requests += 1
            answer = self.receive(length)
            if len(answer) >= 5 and crc16(answer[:-2]) == answer[-2:] and answer[0] == frame[0] and answer[1] & 0x7F == frame[1]:
                if answer[1] & 0x80:
                    raise Refused(answer[2], frame)
                return answer
            self.retries += 1
            self.await_silence()
        raise AssertionError(f"no answer to {frame.hex(' ')} in {self.tries} tries")

    def await_silence(self, seconds=0.1):
        """An answer that comes late must not be taken for that of the next request."""
        while select.select([self.fd], [], [], seconds)[0]:
            os.read(self.fd, 512)

    def receive(self, length):
        answer, end = b"", time.monotonic() + self.patience
        while time.monotonic() < end and len(answer) < (5 if answer[1:2] > b"\x7f" else length):
            if select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                answer += os.read(self.fd, 512)
        return answer

    def broadcast(self, start, words):
        frame = struct.pack(">BBHHB", 0, 0x10, start, len(words), 2 * len(words)) + struct.pack(f">{len(words)}H", *words)
        time.sleep(self.gap)
        os.write(self.fd, frame + crc16(frame))

    def read(self, unit, start, count):
        answer = self.transact(struct.pack(">BBHH", unit, 3, start, count), 5 + 2 * count)
        return list(struct.unpack(f">{count}H", answer[3:3 + 2 * count]))

    def write(self, unit, start, words):
        frame = struct.pack(">BBHHB", unit, 0x10, start, len(words), 2 * len(words)) + struct.pack(f">{len(words)}H", *words)
        self.transact(frame, 8)

    def unlock(self, unit, password=INSTALLER):
        self.write(unit, 0x0800, list(struct.unpack(">4H", password)))

    def command(self, unit, code, argument, sequence):
        self.write(unit, 0x0820, [code, sequence, argument >> 16, argument & 0xFFFF])
