#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`onepack image` as people use it: keys, releases for two slots, refusals."""

import hashlib
import os
import stat
import subprocess
import sys
import tempfile
import unittest

import mcuboot

ONEPACK = os.path.join(os.environ["ONEPACK_BIN"], "onepack")
DEVELOPMENT_KEY = os.path.join(os.environ["ONEPACK_SOURCE"], "firmware/boot/development.pem")
MAKER_KEY = os.path.join(os.environ["ONEPACK_SOURCE"], "firmware/boot/maker_key.c")


def onepack(*arguments):
    return subprocess.run([ONEPACK, "image", *arguments], capture_output=True, text=True, check=False)


class Tool(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.codes = [os.urandom(5000), os.urandom(4999)]
        for name, code in zip("ab", self.codes):
            with open(self.path(f"{name}.bin"), "wb") as file:
                file.write(code)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def make(self, key, *options):
        return onepack("make", "--key", key, "--class", "0x0105", "--version", "1.2.345+67890", "--counter", "9", "--hardware", "2-4",
                       "--loader", "1", "--layout", "3", *options, "--out", self.path("release.img"),
                       "0x08020000=" + self.path("a.bin"), "0x08040000=" + self.path("b.bin"))

    def test_release_of_two_slots(self):
        made = onepack("keygen", self.path("key.pem"))
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("key.pem")).st_mode), 0o600)
        key, der = mcuboot.public_key(made.stdout)
        self.assertIn(", ".join(f"0x{byte:02x}" for byte in key[:8]), made.stdout)
        self.assertEqual(self.make(self.path("key.pem")).returncode, 0)
        with open(self.path("release.img"), "rb") as file:
            data = file.read()
        for code, load in zip(self.codes, (0x08020000, 0x08040000)):
            image = mcuboot.read(data)
            self.assertEqual(image["code"], code)
            self.assertEqual(image["load"], load)
            self.assertEqual(image["version"], (1, 2, 345, 67890))
            self.assertEqual((image["class"], image["counter"], image["limits"]), (0x0105, 9, (2, 4, 1, 3)))
            self.assertEqual(image["header_size"] % 512, 0)
            self.assertEqual(image["key_hash"], hashlib.sha256(der).digest())
            self.assertTrue(mcuboot.verify(key, image["hash"], image["signature"]))
            data = data[image["size"]:]
        self.assertEqual(data, b"")

    def test_check_and_show(self):
        self.assertEqual(self.make(DEVELOPMENT_KEY).returncode, 0)
        release = self.path("release.img")
        checked = onepack("check", "--key", DEVELOPMENT_KEY, release)
        self.assertEqual((checked.returncode, checked.stdout.count(": right")), (0, 2), checked.stdout)
        shown = onepack("show", release)
        for text in ("1.2.345+67890", "0x0105", "2-4", "0x08040000", "5700 bytes"):
            self.assertIn(text, shown.stdout)
        onepack("keygen", self.path("other.pem"))
        checked = onepack("check", "--key", self.path("other.pem"), release)
        self.assertEqual(checked.returncode, 1)
        self.assertIn("another key", checked.stdout)
        with open(release, "r+b") as file:
            file.seek(3000)
            file.write(b"\0\1\2\3")
        checked = onepack("check", release)
        self.assertEqual(checked.returncode, 1)
        self.assertIn("damaged", checked.stdout)
        self.assertIn("signature not checked", checked.stdout)

    def test_development_key_is_the_one_in_the_firmware(self):
        self.assertEqual(self.make(DEVELOPMENT_KEY).returncode, 0)
        with open(self.path("release.img"), "rb") as file:
            image = mcuboot.read(file.read())
        with open(MAKER_KEY, encoding="utf-8") as file:
            words = file.read().split("{\n\t{")[1].replace(",", " ").split()
        key = bytes(int(word, 16) for word in words if word.startswith("0x"))
        self.assertTrue(mcuboot.verify(key, image["hash"], image["signature"]))

    def test_refusals(self):
        self.assertEqual(onepack("keygen", self.path("a.bin")).returncode, 1)  # never over a file
        with open(self.path("a.bin"), "rb") as file:
            self.assertEqual(file.read(), self.codes[0])
        self.assertEqual(self.make(self.path("a.bin")).returncode, 1)
        self.assertFalse(os.path.exists(self.path("release.img")))
        for option in (("--class", "65536"), ("--version", "1.2"), ("--version", "1.256.3"), ("--hardware", "4-2"), ("--counter", "-1"),
                       ("--colour", "1")):
            self.assertEqual(self.make(DEVELOPMENT_KEY, *option).returncode, 2, option)
        with open(self.path("b.bin"), "wb") as file:
            file.write(bytes(300000))
        made = self.make(DEVELOPMENT_KEY)
        self.assertEqual(made.returncode, 1)
        self.assertIn("too large", made.stderr)
        self.assertFalse(os.path.exists(self.path("release.img")))
        self.assertEqual(onepack("show", self.path("a.bin")).returncode, 1)
        self.assertEqual(onepack("show", self.path("none")).returncode, 1)
        self.assertEqual(onepack("--help").returncode, 0)
        self.assertEqual(onepack().returncode, 2)

    def update(self, *arguments):
        return subprocess.run([ONEPACK, "update", *arguments], capture_output=True, text=True, check=False, timeout=30)

    def test_update_sends_nothing_that_is_not_signed(self):
        self.assertEqual(self.make(DEVELOPMENT_KEY).returncode, 0)
        onepack("keygen", self.path("other.pem"))
        master, slave = os.openpty()
        self.addCleanup(os.close, master)
        self.addCleanup(os.close, slave)
        os.set_blocking(master, False)
        port = ("--port", os.ttyname(slave), "--alone")
        for arguments in ((self.path("release.img"), *port, "--key", self.path("other.pem")),
                          (self.path("a.bin"), *port, "--key", DEVELOPMENT_KEY)):
            self.assertEqual(self.update(*arguments).returncode, 1, arguments)
            with self.assertRaises(BlockingIOError):
                os.read(master, 1)
        # with the right key it asks, and nobody is there
        self.assertEqual(self.update(self.path("release.img"), "--port", os.ttyname(slave), "--key", DEVELOPMENT_KEY).returncode, 1)
        with self.assertRaises(BlockingIOError):  # one pack is not enough without --alone
            os.read(master, 1)
        nobody = self.update(self.path("release.img"), *port, "--key", DEVELOPMENT_KEY, "--packs", "7")
        self.assertEqual(nobody.returncode, 1)
        self.assertIn("pack 7 does not answer", nobody.stderr)
        self.assertEqual(os.read(master, 8)[:6].hex(), "070300000034")
        for wrong in (("--packs", "0"), ("--packs", "1-99"), ("--baud", "x"), ("--password", self.path("none"))):
            self.assertEqual(self.update(self.path("release.img"), *port, "--key", DEVELOPMENT_KEY, *wrong).returncode, 2, wrong)
        self.assertEqual(self.update("--help").returncode, 0)


if __name__ == "__main__":
    sys.exit(0 if unittest.main(exit=False).result.wasSuccessful() else 1)
