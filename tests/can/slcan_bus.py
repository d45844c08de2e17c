# SPDX-License-Identifier: Apache-2.0
"""A CAN bus made of the kernel's own slcan ports, for the faults that an emulated chip does not have. Each port is a pty with the
line discipline N_SLCAN, hence a real CAN interface with bit rate, state and error frames. What such an adapter has on its
other side is emulated here: a controller that repeats a frame until somebody acknowledges it, keeps the frames behind it waiting,
and counts errors as ISO 11898-1 says (8 for a failed attempt, error passive from 128, bus-off at 256; a missing acknowledge does
not count any more once it is passive). There is no time on this bus: a frame arrives at once at any bit rate."""

import fcntl
import os
import pty
import select
import struct
import threading
import tty

N_SLCAN = 17
TIOCSETD = 0x5423
SIOCGIFNAME = 0x8910
BITRATES = (10000, 20000, 50000, 100000, 125000, 250000, 500000, 800000, 1000000)  # of the commands S0..S8


class Port:
    def __init__(self):
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        fcntl.ioctl(self.slave, TIOCSETD, struct.pack("i", N_SLCAN))
        self.name = fcntl.ioctl(self.slave, SIOCGIFNAME, bytes(16)).split(b"\0")[0].decode()
        self.text = b""
        self.bitrate = None
        self.is_open = False
        self.listens = False  # and acknowledges nothing
        self.plugged = True  # to the bus
        self.errors = 0  # the counter of its transmitter
        self.state = b"a"  # active, passive, bus off, as slcan tells them
        self.waiting = []  # frames, as text, that nobody has acknowledged yet

    def tell(self, text):
        os.write(self.master, text + b"\r")

    def is_on_bus(self):
        return self.is_open and self.plugged and self.state != b"b"

    def count(self, step, most=256):
        self.errors = max(0, min(most, self.errors + step))
        state = b"b" if self.errors > 255 else b"p" if self.errors > 127 else b"w" if self.errors > 95 else b"a"
        if state == self.state:
            return
        self.state = state
        self.tell(b"s%s%03d%03d" % (state, 0, self.errors))
        if state == b"b":
            self.waiting.clear()


class SlcanBus(threading.Thread):
    def __init__(self, ports=2):
        super().__init__(daemon=True)
        self.ports = [Port() for _ in range(ports)]
        self.lock = threading.Lock()
        self.start()

    # --- faults ---

    def plug(self, number, plugged):
        """The bus connector of one controller, pulled or put back."""
        with self.lock:
            self.ports[number].plugged = plugged
            self.deliver()

    def force_bus_off(self, number):
        """As after a short circuit of the two wires while this controller was sending."""
        with self.lock:
            self.ports[number].count(256)

    # --- what the controllers do ---

    def run(self):
        while True:
            for master in select.select([port.master for port in self.ports], [], [])[0]:
                with self.lock:
                    self.take(next(port for port in self.ports if port.master == master))

    def take(self, port):
        port.text += os.read(port.master, 4096)
        while b"\r" in port.text:
            line, port.text = port.text.split(b"\r", 1)
            self.command(port, line)

    def command(self, port, line):
        if line[:1] == b"S":
            port.bitrate = BITRATES[int(line[1:])]
        elif line[:1] in (b"O", b"L"):
            port.is_open, port.errors, port.state = True, 0, b"a"
            port.listens = line[:1] == b"L"
        elif line[:1] == b"C":
            port.is_open = False
            port.waiting.clear()
        elif line[:1] in (b"t", b"T") and port.is_open and not port.listens and port.state != b"b":
            port.waiting.append(line)
        self.deliver()

    def deliver(self):
        for port in self.ports:
            while port.waiting and port.is_open and self.attempt(port):
                port.waiting.pop(0)

    def attempt(self, port):
        """Sends the first waiting frame; true when it was acknowledged."""
        others = [other for other in self.ports if other is not port and port.plugged and other.is_on_bus()]
        hearers = [other for other in others if other.bitrate == port.bitrate]
        if [other for other in others if other not in hearers and not other.listens]:  # they answer with error flags
            while port.state != b"b":
                port.count(8)
            port.tell(b"e1b")
            return False
        if not [other for other in hearers if not other.listens]:
            while port.errors < 128:
                port.count(8)
            port.tell(b"e1a")
            return False
        for other in hearers:
            other.tell(port.waiting[0])
        port.count(-1)
        return True
