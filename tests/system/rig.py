# SPDX-License-Identifier: Apache-2.0
"""The rig of the system tests: a real onepackd between real ptys, a fake inverter on slcan, packs that answer captured
records, and small helpers to look at the result as a user would (HTTP). Standard library only."""

import json
import os
import pty
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import tty
import urllib.error
import urllib.request

BIN = os.environ.get("ONEPACK_BIN", "build/test/bin")
SOURCE = os.environ.get("ONEPACK_SOURCE", os.getcwd())


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, condition, seconds=15.0):
    """Waits until condition() is true and returns its value; fails loudly."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {seconds} s")


def crc16(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return struct.pack("<H", crc)


class Pty:
    """A pty whose far end a program opens by `path` (a symlink that survives unplugging)."""

    def __init__(self, directory, name):
        self.path = os.path.join(directory, name)
        self.master = self.slave = None
        self.plug()

    def plug(self):
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        if os.path.islink(self.path):
            os.unlink(self.path)
        os.symlink(os.ttyname(self.slave), self.path)

    def unplug(self):
        """As when a USB adapter is pulled: the device vanishes and whoever has it open gets a hang-up."""
        os.unlink(self.path)
        for fd in (self.master, self.slave):
            os.close(fd)
        self.master = self.slave = None

    def close(self):
        if self.master is not None:
            self.unplug()


class Station(threading.Thread):
    """Something that lives at the far end of a pty; `handle(bytes)` is called with what comes in."""

    def __init__(self, line):
        super().__init__(daemon=True)
        self.line = line
        self.stopping = False

    def run(self):
        while not self.stopping:
            master = self.line.master
            if master is None:
                time.sleep(0.01)
                continue
            try:
                if select.select([master], [], [], 0.05)[0]:
                    self.handle(os.read(master, 4096))
            except (OSError, ValueError, TypeError):
                time.sleep(0.01)  # unplugged in between

    def send(self, data):
        try:
            os.write(self.line.master, data)
        except (OSError, TypeError):
            pass

    def stop(self):
        self.stopping = True
        self.join()


class CanListener:
    """What an inverter on CAN has heard; `frames` holds (seconds, id, bytes) in the order of their arrival."""

    def __init__(self):
        self.frames = []

    def latest(self, can_id, since=0.0):
        for when, frame_id, payload in reversed(self.frames):
            if when < since:
                return None
            if frame_id == can_id:
                return payload
        return None

    def limits(self, since=0.0):
        """(charge voltage V, charge A, discharge A) of the newest 0x351, or None."""
        payload = self.latest(0x351, since)
        if payload is None:
            return None
        voltage, charge, discharge = struct.unpack_from("<Hhh", payload)
        return voltage / 10, charge / 10, discharge / 10


class SlcanInverter(Station, CanListener):
    """An slcan adapter with an inverter behind it: answers CR, notes every frame with its time, sends 0x305."""

    def __init__(self, line, heartbeat=True):
        Station.__init__(self, line)
        CanListener.__init__(self)
        self.text = b""
        self.heartbeat = heartbeat
        self.next_beat = 0.0

    def run(self):
        beat = threading.Thread(target=self.beat, daemon=True)
        beat.start()
        super().run()

    def beat(self):
        while not self.stopping:
            if self.heartbeat:
                self.send(b"t30580000000000000000\r")
            time.sleep(1.0)

    def handle(self, data):
        now = time.monotonic()
        self.text += data
        while b"\r" in self.text:
            line, self.text = self.text.split(b"\r", 1)
            if line[:1] == b"t" and len(line) >= 5:
                length = int(line[4:5], 16)
                payload = bytes.fromhex(line[5:5 + 2 * length].decode())
                self.frames.append((now, int(line[1:4], 16), payload))
                self.send(b"z\r")
            elif line:
                self.send(b"\r")


class JkPacks(Station):
    """JK packs that answer triggers with given 300-byte records. records[address][type] = bytes of the record."""

    def __init__(self, line, records, mangle=None):
        super().__init__(line)
        self.records = records
        self.mangle = mangle or (lambda address, kind, answer: answer)
        self.buffer = b""
        self.asked = []

    def handle(self, data):
        self.buffer += data
        while len(self.buffer) >= 11:
            request = self.buffer[:11]
            if request[1:3] != b"\x10\x16" or crc16(request[:-2]) != request[-2:]:
                self.buffer = self.buffer[1:]
                continue
            self.buffer = self.buffer[11:]
            self.answer(request)

    def answer(self, request):
        address, kind = request[0], {0x1C: 3, 0x1E: 1, 0x20: 2}.get(request[3])
        self.asked.append((time.monotonic(), address, kind))
        record = self.records.get(address, {}).get(kind)
        if record is None:
            return
        head = bytes([address, 0x10, 0x16, request[3], 0, 1])
        answer = self.mangle(address, kind, record + head + crc16(head))
        if answer:
            time.sleep(0.01)  # a pack starts to answer within about 10 ms
            self.send(answer)


def record(kind, address=None, changes=None, base=None):
    """A record made from a captured one: bytes are changed at offsets, the device address set, the sum mended."""
    data = bytearray(base)
    assert len(data) == 300 and data[4] == kind
    for offset, value in (changes or {}).items():
        data[offset:offset + len(value)] = value
    if kind == 1 and address is not None:
        data[270:274] = struct.pack("<I", address)
    data[299] = sum(data[:299]) & 0xFF
    return bytes(data)


class Gateway:
    """A running onepackd with its own directory, configuration and web port."""

    def __init__(self, directory, config, wait=True, web=""):
        self.directory = directory
        self.port = free_port()
        self.config = os.path.join(directory, "onepack.yaml")
        self.log = os.path.join(directory, "gateway.log")
        with open(self.config, "w") as out:
            out.write(config)
            if "web:" not in config:
                out.write(f'\nweb: {{listen: "127.0.0.1:{self.port}"{", " + web if web else ""}}}\n')
            if "store:" not in config:
                out.write(f"\nstore: {{path: {directory}/history.db}}\n")
        self.start(wait)

    def start(self, wait=True):
        environment = dict(os.environ, ONEPACK_PROTOCOLS=os.path.join(SOURCE, "protocols"))
        self.process = subprocess.Popen([os.path.join(BIN, "onepackd"), "-c", self.config], env=environment,
                                        stderr=open(self.log, "a"), stdout=subprocess.DEVNULL)
        if wait:
            wait_for("the gateway's web page", lambda: self.alive() and self.try_get("/api/v1/session"))

    def alive(self):
        if self.process.poll() is not None:
            raise AssertionError(f"onepackd ended with {self.process.returncode}:\n{open(self.log).read()[-3000:]}")
        return True

    def get(self, path, timeout=5):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=timeout) as answer:
            return json.load(answer)

    def try_get(self, path):
        try:
            return self.get(path)
        except (urllib.error.URLError, OSError, ValueError):
            return None

    def battery(self):
        return self.get("/api/v1/battery")

    def stop(self, expect=0):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(15)
        assert expect is None or code == expect, f"exit {code}:\n{open(self.log).read()[-3000:]}"

    def kill(self):
        self.process.kill()
        self.process.wait()


class Scene:
    """`with Scene() as scene:` gives a directory and cleans everything up, links that outlive their engine included."""

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="onepack-test.")
        self.things = []
        return self

    def add(self, thing):
        self.things.append(thing)
        if isinstance(thing, Station):
            thing.start()
        return thing

    def pty(self, name):
        return self.add(Pty(self.directory, name))

    def __exit__(self, kind, value, trace):
        if kind is not None:
            for thing in self.things:
                if isinstance(thing, Gateway) and os.path.exists(thing.log):
                    sys.stderr.write(open(thing.log).read()[-4000:])
        for thing in reversed(self.things):
            if isinstance(thing, Gateway):
                if thing.process.poll() is None:
                    thing.process.send_signal(signal.SIGCONT)
                    thing.kill()
            elif isinstance(thing, Station):
                thing.stop()
            elif isinstance(thing, subprocess.Popen):
                thing.kill()
                thing.wait()
            else:
                thing.close()
        subprocess.run(["pkill", "-KILL", "-f", self.directory], check=False)
        shutil.rmtree(self.directory, ignore_errors=True)
        return False


def run_tests(module):
    """Runs every function test_* of a module; `-k NAME` selects one, or those that contain NAME. Prints one line each and the totals."""
    names = [name for name in dir(module) if name.startswith("test_")]
    if len(sys.argv) > 2 and sys.argv[1] == "-k":
        names = [name for name in names if name == sys.argv[2]] or [name for name in names if sys.argv[2] in name]
    failed = 0
    for name in names:
        start = time.monotonic()
        try:
            getattr(module, name)()
            print(f"ok   {name} ({time.monotonic() - start:.1f} s)", flush=True)
        except Exception as problem:  # a test may fail in any way; the next one still runs
            failed += 1
            print(f"FAIL {name}: {type(problem).__name__}: {problem}", flush=True)
            if not isinstance(problem, AssertionError):
                import traceback
                traceback.print_exc()
    print(f"{len(names) - failed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed or not names else 0)
