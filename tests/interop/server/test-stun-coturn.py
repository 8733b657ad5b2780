# SPDX-License-Identifier: GPL-3.0-or-later
"""An independent STUN client of few lines asks knothole-server and coturn over TCP, and compares what they say."""

import binascii
import os
import socket
import struct
import sys
import tempfile

import servers

servers.skip_without(programs=["turnserver"])

COOKIE = 0x2112A442
MAPPED, ERROR, UNKNOWN, XOR_MAPPED, FINGERPRINT, ORIGIN, OTHER = 1, 9, 10, 0x20, 0x8028, 0x802B, 0x802C


def message(kind, attributes=b"", fingerprint=True):
    ident = os.urandom(12)
    length = len(attributes) + (8 if fingerprint else 0)
    bare = struct.pack(">HHI", kind, length, COOKIE) + ident + attributes
    if fingerprint:
        bare += struct.pack(">HHI", FINGERPRINT, 4, binascii.crc32(bare) ^ 0x5354554E)
    return ident, bare


def receive(connection, count):
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def address(value, xor=False):
    port, = struct.unpack(">H", value[2:4])
    raw, = struct.unpack(">I", value[4:8])
    if xor:
        port, raw = port ^ COOKIE >> 16, raw ^ COOKIE
    return socket.inet_ntoa(struct.pack(">I", raw)), port


def ask(connection, kind=0x0001, attributes=b"", fingerprint=True):
    """Sends a request; returns the answer's kind and its attributes, both checked as a strict client would."""
    ident, data = message(kind, attributes, fingerprint)
    connection.sendall(data)
    head = receive(connection, 20)
    kind, length, cookie = struct.unpack(">HHI", head[:8])
    assert cookie == COOKIE and head[8:] == ident and length % 4 == 0
    body = receive(connection, length)
    found, at = {}, 0
    while at < length:
        attribute, size = struct.unpack(">HH", body[at:at + 4])
        value = body[at + 4:at + 4 + size]
        if attribute == FINGERPRINT:
            assert at + 8 == length, "FINGERPRINT is not the last"
            assert struct.unpack(">I", value)[0] == binascii.crc32(head + body[:at]) ^ 0x5354554E
        found.setdefault(attribute, value)
        at += 4 + (size + 3 & ~3)
    return kind, found


def look(server, place):
    """What a client learns at one of the four ports, with the server's own ports as names."""
    names = {where: f"port {i}" for i, where in enumerate(server.stun)}
    with socket.create_connection(server.stun[place], 10) as connection:
        names[connection.getsockname()] = "me"
        kind, found = ask(connection)
        again, _ = ask(connection, fingerprint=False)
        error, told = ask(connection, attributes=struct.pack(">HHI", 0x7F00, 4, 1))
        return {
            "kind": kind, "again": again,
            "xor-mapped": names.get(address(found[XOR_MAPPED], xor=True)),
            "mapped": names.get(address(found[MAPPED])) if MAPPED in found else "me",
            "origin": names.get(address(found[ORIGIN])),
            "other": names.get(address(found[OTHER])),
            "error": (error, told[ERROR][2] * 100 + told[ERROR][3], told[UNKNOWN][:2].hex()),
        }


def main():
    tap = servers.Tap(4)
    with tempfile.TemporaryDirectory() as home:
        ours = servers.Ours("--alternate-address=127.0.0.2")
        coturn = None
        try:
            coturn = servers.Coturn(home)
            for place in range(4):
                left, right = look(ours, place), look(coturn, place)
                details = f"ours   {left}\ncoturn {right}"
                good = left["mapped"] == "me" and left["other"] == f"port {3 - place}"
                if place >= 2:
                    # coturn 4.6 names its second address to those who are there already (RFC 5780, section 7.4: the
                    # address that it would answer from if both were to change).
                    right["other"] = left["other"]
                tap.check(good and left == right, f"the same as coturn at port {place}", details)
        finally:
            ours.stop()
            if coturn:
                coturn.stop()
    tap.end()


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
