# SPDX-License-Identifier: Apache-2.0
"""Reads MCUboot images, from its design document and RFC 8032 alone: no library but hashlib, so that nothing is shared with
what made the image. Strict about everything that imgtool always does: order, padding, sizes."""

import base64
import hashlib
import struct

HEADER = struct.Struct("<IIHHIIBBHII")
MAGIC, ROM_FIXED = 0x96F3B83D, 0x100
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def _decode(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        raise ValueError("y is too large")
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P:
        raise ValueError("no point")
    return (P - x if x % 2 != sign else x), y


def _add(p, q):
    (x1, y1), (x2, y2) = p, q
    t = D * x1 * x2 * y1 * y2 % P
    return ((x1 * y2 + x2 * y1) * pow(1 + t, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - t, -1, P) % P)


def _times(n, p):
    r = (0, 1)
    while n:
        if n & 1:
            r = _add(r, p)
        p = _add(p, p)
        n >>= 1
    return r


def verify(key, message, signature):
    """Ed25519: S B = R + h A."""
    base_y = 4 * pow(5, -1, P) % P
    base = _decode(base_y.to_bytes(32, "little"))
    s = int.from_bytes(signature[32:], "little")
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    return s < L and _times(s, base) == _add(_decode(signature[:32]), _times(h, _decode(key)))


def public_key(pem):
    """The 32 bytes of a PEM public key, and its DER form."""
    der = base64.b64decode("".join(line for line in pem.split("-----BEGIN PUBLIC KEY-----")[1].splitlines()
                                   if line and not line.startswith("-")))
    assert der[:12].hex() == "302a300506032b6570032100" and len(der) == 44
    return der[12:], der


def _records(data, at, magic):
    found, size = struct.unpack_from("<HH", data, at)
    assert found == magic, hex(found)
    records, end = [], at + size
    at += 4
    while at < end:
        kind, length = struct.unpack_from("<HH", data, at)
        records.append((kind, data[at + 4:at + 4 + length]))
        at += 4 + length
    assert at == end
    return records, end


def read(data):
    """The image at the beginning of the bytes, as a dict; "size" says where the next one begins."""
    (magic, load, header_size, protected_size, code_size, flags, major, minor, revision, build, pad) = HEADER.unpack_from(data)
    assert magic == MAGIC and flags == ROM_FIXED and pad == 0
    assert data[HEADER.size:header_size] == b"\xff" * (header_size - HEADER.size)
    end_of_code = header_size + code_size
    protected, hashed = _records(data, end_of_code, 0x6908)
    assert hashed - end_of_code == protected_size
    plain, size = _records(data, hashed, 0x6907)
    assert [kind for kind, _ in protected] == [0x50, 0x81, 0xA0]
    assert [kind for kind, _ in plain] == [0x10, 0x01, 0x24]
    protected, plain = dict(protected), dict(plain)
    assert plain[0x10] == hashlib.sha256(data[:hashed]).digest()
    uuid = protected[0x81]
    assert uuid[6] >> 4 == 8 and uuid[8] >> 6 == 2  # a UUID of our own making, RFC 9562
    return {"load": load, "version": (major, minor, revision, build), "code": data[header_size:end_of_code], "hash": plain[0x10],
            "key_hash": plain[0x01], "signature": plain[0x24], "counter": struct.unpack("<I", protected[0x50])[0],
            "class": int.from_bytes(uuid[14:], "big"), "limits": struct.unpack("<HHHH", protected[0xA0]), "size": size,
            "header_size": header_size}
