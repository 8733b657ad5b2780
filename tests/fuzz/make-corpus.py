#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the seeds of tests/fuzz/corpus/nat: make-corpus.py DIRECTORY

Each is a byte for the routers, then records: what to do (host, 16: mend checksums, 32: minutes pass), length, packet."""

import os
import socket
import struct
import sys

LEFT, RIGHT, SERVER = 0, 1, 2
MEND, ADVANCE = 16, 32
HOMES = {LEFT: "192.168.2.2", RIGHT: "192.168.3.2", SERVER: "203.0.113.2"}
SEEN = {LEFT: "198.51.100.2", RIGHT: "192.0.2.2", SERVER: "203.0.113.2"}


def ip(protocol, source, target, rest, ttl=64):
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(rest), 1, 0, ttl, protocol, 0, socket.inet_aton(source), socket.inet_aton(target)) + rest


def tcp(source, sport, target, dport, flags, seq=1000, ack=0, data=b"", options=b"", ttl=64):
    return ip(6, source, target, struct.pack(">HHIIBBHHH", sport, dport, seq, ack, (20 + len(options)) // 4 << 4, flags, 9000, 0, 0) + options + data, ttl)


def udp(source, sport, target, dport, data=b"x"):
    return ip(17, source, target, struct.pack(">HHHH", sport, dport, 8 + len(data), 0) + data)


def icmp(source, target, kind, code=0, rest=b"\0\1\0\1"):
    return ip(1, source, target, struct.pack(">BBH", kind, code, 0) + rest)


def record(who, packet, what=MEND):
    # The number names the host by its remainder.
    number = next(n for n in range(what, what + 16) if n % 3 == who)
    return struct.pack(">BH", number, len(packet)) + packet


S, A, F, R = 2, 16, 1, 4
SCALE = b"\x03\x03\x06\x00"
LR = (HOMES[LEFT], 5000, SEEN[RIGHT], 6000)
RL = (HOMES[RIGHT], 6000, SEEN[LEFT], 5000)
LS = (HOMES[LEFT], 5000, HOMES[SERVER], 80)
SL = (HOMES[SERVER], 80, SEEN[LEFT], 5000)

SEEDS = {
    "open-close": (0, [record(LEFT, tcp(*LS, S, options=SCALE)), record(SERVER, tcp(*SL, S | A, 9000, 1001, options=SCALE)), record(LEFT, tcp(*LS, A, 1001, 9001, b"hello")),
                       record(LEFT, tcp(*LS, F | A, 1006, 9001)), record(SERVER, tcp(*SL, F | A, 9001, 1007)), record(LEFT, tcp(*LS, A, 1007, 9002))]),
    "punch": (7, [record(LEFT, tcp(*LR, S)), record(RIGHT, tcp(*RL, S, 3000)), record(LEFT, tcp(*LR, S | A, 1000, 3001)), record(RIGHT, tcp(*RL, A, 3001, 1001)), record(LEFT, tcp(*LR, R, 1001))]),
    "udp-echo": (14, [record(LEFT, udp(HOMES[LEFT], 5000, HOMES[SERVER], 53)), record(SERVER, udp(HOMES[SERVER], 53, SEEN[LEFT], 5000)), record(LEFT, icmp(HOMES[LEFT], HOMES[SERVER], 8)),
                          record(LEFT, udp(HOMES[LEFT], 5000, HOMES[SERVER], 54), MEND | ADVANCE)]),
    "ttl-error": (2, [record(LEFT, tcp(*LR, S, ttl=n)) for n in range(1, 6)] + [record(SERVER, icmp("203.0.113.2", SEEN[LEFT], 3, 1, b"\0\0\0\0" + tcp(SEEN[LEFT], 5000, SEEN[RIGHT], 6000, S)[:28]))]),
    "hairpin": (0x80, [record(RIGHT, tcp("192.168.2.3", 6000, HOMES[SERVER], 80, S)), record(LEFT, tcp(HOMES[LEFT], 5000, SEEN[LEFT], 6000, S)), record(LEFT, tcp(HOMES[LEFT], 5000, "192.168.2.3", 80, S)), record(LEFT, icmp(HOMES[LEFT], "192.168.2.1", 8))]),
    "ipv6": (3, [record(LEFT, struct.pack(">IHBB", 6 << 28, 20, 6, 64) + socket.inet_pton(socket.AF_INET6, "2001:db8:2::2") + socket.inet_pton(socket.AF_INET6, "2001:db8:1::2") + struct.pack(">HHIIBBHHH", 5000, 80, 1, 0, 0x50, S, 9, 0, 0), 0)]),
    "junk": (21, [record(LEFT, bytes(range(60)), 0), record(RIGHT, b"\x45" + b"\xff" * 99), record(SERVER, b"", 0), record(LEFT, b"\x60" + bytes(50), 0)]),
    "strangers": (8, [record(SERVER, tcp("203.0.113.2", n, SEEN[RIGHT], 5000 + n, flags)) for n, flags in enumerate((S, A, F, R, S | A, 0, 63), 1)]),
}

for name, (routers, records) in SEEDS.items():
    with open(os.path.join(sys.argv[1], name), "wb") as file:
        file.write(bytes([routers]) + b"".join(records))
