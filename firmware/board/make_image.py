#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes what the build of the images needs (Debian's python3-nacl signs):

    make_image.py build-h --version 0.1.0 --source HEX --out build.h
    make_image.py image --key KEY.pem --code CODE.bin --address 0x... --class N --version 0.1.0 --out IMAGE
    make_image.py flash --size 0x... --out FLASH OFFSET=FILE...

`image` wraps code into the MCUboot container of firmware/core/image.h and signs it; `flash` lays files into erased memory, as
production does with the loader and a first image. KEY.pem is an Ed25519 private key in PKCS 8, as openssl and imgtool make it."""

import argparse
import base64
import hashlib
import struct

from nacl.signing import SigningKey

HEADER = 512
CLASS_UUID = bytes.fromhex("f1d6b3a25c0e8b479a6d30e5c2f0")
PUBLIC_DER = bytes.fromhex("302a300506032b6570032100")


def read_key(path):
    text = open(path).read().split("-----BEGIN PRIVATE KEY-----")[1].split("-----END")[0]
    return SigningKey(base64.b64decode(text)[-32:])


def version_of(text):
    return [int(part) for part in text.split(".")]


def record(kind, value):
    return struct.pack("<HH", kind, len(value)) + value


def group(magic, records):
    return struct.pack("<HH", magic, 4 + len(records)) + records


def image(options):
    code = open(options.code, "rb").read()
    key = read_key(options.key)
    major, minor, patch = version_of(options.version)
    protected = group(0x6908, record(0x50, struct.pack("<I", options.counter)) +
                      record(0x81, CLASS_UUID + struct.pack(">H", options.device_class)) +
                      record(0xA0, struct.pack("<HHHH", 0, 0xFFFF, 1, 1)))
    header = struct.pack("<IIHHIIBBHII", 0x96F3B83D, options.address, HEADER, len(protected), len(code), 0x100, major, minor, patch,
                         options.build, 0)
    body = header.ljust(HEADER, b"\xff") + code + protected
    digest = hashlib.sha256(body).digest()
    public = PUBLIC_DER + bytes(key.verify_key)
    plain = group(0x6907, record(0x10, digest) + record(0x01, hashlib.sha256(public).digest()) + record(0x24, key.sign(digest).signature))
    open(options.out, "wb").write(body + plain)


def build_h(options):
    major, minor, patch = version_of(options.version)
    with open(options.out, "w") as out:
        print("// SPDX-License-Identifier: Apache-2.0", file=out)
        print("/* Made by the build. */\n#pragma once\n", file=out)
        for name, value in (("MAJOR", major), ("MINOR", minor), ("PATCH", patch), ("SOURCE", "0x" + options.source + "u")):
            print(f"#define FW_BUILD_{name} {value}", file=out)


def flash(options):
    memory = bytearray(b"\xff" * options.size)
    for part in options.parts:
        offset, path = part.split("=", 1)
        data = open(path, "rb").read()
        memory[int(offset, 0):int(offset, 0) + len(data)] = data
    assert len(memory) == options.size
    open(options.out, "wb").write(memory)


def main():
    number = lambda text: int(text, 0)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("build-h")
    command.add_argument("--source", required=True)
    command.set_defaults(run=build_h)
    for name in ("--version", "--out"):
        command.add_argument(name, required=True)
    command = commands.add_parser("image")
    command.set_defaults(run=image)
    for name in ("--key", "--version", "--out", "--code"):
        command.add_argument(name, required=True)
    command.add_argument("--address", type=number, required=True)
    command.add_argument("--class", dest="device_class", type=number, required=True)
    command.add_argument("--counter", type=number, default=1)
    command.add_argument("--build", type=number, default=0)
    command = commands.add_parser("flash")
    command.set_defaults(run=flash)
    command.add_argument("--size", type=number, required=True)
    command.add_argument("--out", required=True)
    command.add_argument("parts", nargs="+")
    options = parser.parse_args()
    options.run(options)


main()
